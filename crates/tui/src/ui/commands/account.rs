//! Commands for accounts.

use client::Command as Ask;

use super::{Argument, Command, Kind, account};
use crate::ui::app::Waiting;
use crate::ui::overlay::{Overlay, Question, Then};

pub(super) const ACCOUNT: Command = Command {
    name: "account",
    alias: None,
    arguments: &[],
    about: "the state of your accounts, and what to do about it",
    examples: &["/account"],
    run: |app, _, _| {
        account(app)?;
        app.overlay = Some(Overlay::account());
        Ok(())
    },
};

pub(super) const LOGIN: Command = Command {
    name: "login",
    alias: Some("connect"),
    arguments: &[Argument::optional("ADDRESS", Kind::Rest)],
    about: "add an account by its address, or by an invitation link",
    examples: &["/login romeo@montague.example"],
    run: |app, values, _| {
        app.overlay = Some(Overlay::welcome());
        if let (Some(Overlay::Welcome(welcome)), Some(typed)) = (&mut app.overlay, values.at(0)) {
            welcome.begin(typed);
        }
        Ok(())
    },
};

pub(super) const NICK: Command = Command {
    name: "nick",
    alias: None,
    arguments: &[Argument::required("NAME", Kind::Rest)],
    about: "the name that your contacts see; in a room, what you are called there",
    examples: &["/nick Romeo"],
    run: |app, values, actions| {
        let account = account(app)?;
        let name = values.text(0).to_owned();
        if let Some(room) = app.room().map(|room| room.address.clone()) {
            let said = Waiting::Say(format!("you are called {name} here"));
            app.ask(account, Ask::SetRoomNick(room, name), said, actions);
            return Ok(());
        }
        let said = Waiting::Say(format!("your contacts see you as {name}"));
        app.ask(account, Ask::SetNickname(name), said, actions);
        Ok(())
    },
};

pub(super) const PASSWORD: Command = Command {
    name: "password",
    alias: None,
    arguments: &[],
    about: "change the password; it is asked for",
    examples: &["/password"],
    run: |app, _, _| {
        app.overlay = Some(Overlay::password(account(app)?));
        Ok(())
    },
};

pub(super) const RECONNECT: Command = Command {
    name: "reconnect",
    alias: None,
    arguments: &[],
    about: "try to connect now",
    examples: &["/reconnect"],
    run: |app, _, actions| {
        let accounts: Vec<_> = app.accounts.keys().copied().collect();
        for account in accounts {
            app.ask(account, Ask::Reconnect, Waiting::Quiet, actions);
        }
        Ok(())
    },
};

pub(super) const OFFLINE: Command = Command {
    name: "offline",
    alias: Some("disconnect"),
    arguments: &[],
    about: "close the connection until /reconnect",
    examples: &["/offline"],
    run: |app, _, actions| {
        let account = account(app)?;
        app.ask(account, Ask::Disconnect, Waiting::Quiet, actions);
        Ok(())
    },
};

pub(super) const DELETE_HISTORY: Command = Command {
    name: "delete-history",
    alias: None,
    arguments: &[],
    about: "delete all messages of the account from its server; asks first",
    examples: &["/delete-history"],
    run: |app, _, _| {
        let account = account(app)?;
        let said = "the server has deleted the messages of this account";
        let then = Then::ask(account, Ask::DeleteServerHistory, said);
        app.overlay = Some(Overlay::Question(Question::new(
            "Delete all messages from the server?",
            "Your devices keep what they have already; a new one gets nothing of it any more. The others keep theirs, and rooms what was said in them. Another of your devices that was not online since will not get what came meanwhile. Nobody can undo that.",
            vec![('d', "delete them from the server", then), ('n', "no", Then::Nothing)],
        )));
        Ok(())
    },
};

pub(super) const DELETE_ACCOUNT: Command = Command {
    name: "delete-account",
    alias: None,
    arguments: &[],
    about: "end the account on the server, and remove it from this device; asks first",
    examples: &["/delete-account"],
    run: |app, _, _| {
        let account = account(app)?;
        let address = app.mirror(account).and_then(|m| m.account.as_ref()).map(|a| &a.address);
        let title = match address {
            Some(address) => format!("Delete the account {address}?"),
            None => "Delete this account?".to_owned(),
        };
        let then = Then::ask(account, Ask::DeleteAccount, "the account is deleted");
        app.overlay = Some(Overlay::Question(Question::new(
            title,
            "The server removes everything it has of it, on all devices, and nobody can undo that. Contacts keep what you wrote to them.",
            vec![('d', "delete the account", then), ('n', "no", Then::Nothing)],
        )));
        Ok(())
    },
};

pub(super) const LOGOUT: Command = Command {
    name: "logout",
    alias: None,
    arguments: &[],
    about: "remove the account from this device, with all its messages and keys; asks first",
    examples: &["/logout"],
    run: |app, _, _| {
        let account = account(app)?;
        let address = app.mirror(account).and_then(|m| m.account.as_ref()).map(|a| &a.address);
        let title = match address {
            Some(address) => format!("Remove {address} from this device?"),
            None => "Remove this account from this device?".to_owned(),
        };
        let then = Then::ask(account, Ask::Logout, "logged out");
        app.overlay = Some(Overlay::Question(Question::new(
            title,
            "Messages and keys on this device are gone then, and encrypted messages cannot be read here again. The account itself stays.",
            vec![('y', "yes, remove it here", then), ('n', "no", Then::Nothing)],
        )));
        Ok(())
    },
};
