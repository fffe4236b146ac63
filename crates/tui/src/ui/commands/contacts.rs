//! Commands for contacts.

use client::Command as Ask;
use client::view::RoomState;

use super::{Action, App, Argument, Command, Kind, Values, account, person};
use crate::ui::app::{Key, Waiting};
use crate::ui::overlay::{Overlay, Question, Then};

const WHO: Argument = Argument::optional("WHO", Kind::Person);

pub(super) const ADD: Command = Command {
    name: "add",
    alias: None,
    arguments: &[
        Argument::required("ADDRESS", Kind::Address),
        Argument::optional("NAME", Kind::Rest),
    ],
    about: "ask somebody to be a contact, and open the conversation",
    examples: &["/add juliet@capulet.example", "/add juliet@capulet.example Juliet"],
    run: add,
};

fn add(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = person(app, values.at(0))?;
    let name = values.at(1).map(str::to_owned);
    let command = Ask::AddContact { address: key.with.clone(), name };
    app.ask(key.account, command, Waiting::Quiet, actions);
    app.go_to(key, actions);
    Ok(())
}

pub(super) const ACCEPT: Command = Command {
    name: "accept",
    alias: None,
    arguments: &[WHO],
    about: "become contacts with who asks, so that they see whether you are there; or enter the room to \
            which you are invited",
    examples: &["/accept"],
    run: accept,
};

fn accept(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = person(app, values.at(0))?;
    if app.room_of(&key).is_some() {
        let command = Ask::JoinRoom { room: key.with, nick: None, password: None };
        app.ask(key.account, command, Waiting::Enter, actions);
        return Ok(());
    }
    let asks = contact(app, &key).is_some_and(|contact| contact.asks);
    if asks {
        let command = Ask::Answer { address: key.with.clone(), accept: true };
        app.ask(key.account, command, Waiting::Quiet, actions);
    }
    // Who is one already keeps the name that was given.
    if !contact(app, &key).is_some_and(|contact| contact.in_roster) {
        let said = Waiting::Say(format!("{} is a contact now", key.with));
        let command = Ask::AddContact { address: key.with, name: None };
        app.ask(key.account, command, said, actions);
    }
    Ok(())
}

pub(super) const REFUSE: Command = Command {
    name: "refuse",
    alias: None,
    arguments: &[WHO],
    about: "do not become contacts with who asks, or do not enter the room, which who invited is told",
    examples: &["/refuse"],
    run: |app, values, actions| {
        let key = person(app, values.at(0))?;
        let command = match app.room_of(&key) {
            Some(_) => Ask::LeaveRoom(key.with.clone()),
            None => Ask::Answer { address: key.with.clone(), accept: false },
        };
        app.ask(key.account, command, Waiting::Quiet, actions);
        app.ask(key.account, Ask::Hide(key.with.clone()), Waiting::Quiet, actions);
        app.close_if(&key);
        Ok(())
    },
};

pub(super) const CONTACT: Command = Command {
    name: "contact",
    alias: Some("whois"),
    arguments: &[WHO],
    about: "what is known of somebody",
    examples: &["/contact", "/contact juliet@capulet.example"],
    run: |app, values, _| {
        let key = person(app, values.at(0))?;
        app.overlay = Some(match app.room_of(&key) {
            Some(_) => Overlay::room(key),
            None => Overlay::contact(key),
        });
        Ok(())
    },
};

pub(super) const RENAME: Command = Command {
    name: "rename",
    alias: None,
    arguments: &[Argument::optional("NAME", Kind::Rest)],
    about: "call the contact or room on screen by another name; without one, by its own",
    examples: &["/rename Juliet"],
    run: |app, values, actions| {
        let key = super::here(app)?;
        let name = values.at(0).map(str::to_owned);
        let command = match app.room_of(&key) {
            Some(room) => {
                let kept = app.mirror(key.account).into_iter().flat_map(|m| &m.bookmarks);
                let kept = kept.into_iter().find(|bookmark| bookmark.room == key.with);
                Ask::SetBookmark {
                    autojoin: kept.map_or(room.state == RoomState::In, |kept| kept.autojoin),
                    nick: kept.and_then(|kept| kept.nick.clone()),
                    room: key.with,
                    name,
                    password: None,
                }
            }
            None => Ask::Rename(key.with, name),
        };
        app.ask(key.account, command, Waiting::Quiet, actions);
        Ok(())
    },
};

pub(super) const REMOVE: Command = Command {
    name: "remove",
    alias: None,
    arguments: &[WHO],
    about: "be contacts no longer; asks first, and the conversation stays",
    examples: &["/remove juliet@capulet.example"],
    run: |app, values, _| {
        let key = person(app, values.at(0))?;
        ask(
            app,
            format!("Remove {} from your contacts?", key.with),
            "You no longer see whether they are there, nor they you. The conversation stays.",
            "yes, remove",
            &key,
            Ask::RemoveContact(key.with.clone()),
        );
        Ok(())
    },
};

pub(super) const BLOCK: Command = Command {
    name: "block",
    alias: None,
    arguments: &[WHO, Argument::optional("report", Kind::Choice(&["report"]))],
    about: "get nothing from somebody any more, and report them to your server if you want",
    examples: &["/block tybalt@capulet.example", "/block tybalt@capulet.example report"],
    run: |app, values, _| {
        let key = person(app, values.at(0))?;
        let report = values.at(1).is_some();
        ask(
            app,
            format!("Block {}?", key.with),
            "You get nothing from them any more. They are not told. /unblock ends it.",
            if report { "yes, block and report" } else { "yes, block" },
            &key,
            Ask::Block { address: key.with.clone(), report },
        );
        Ok(())
    },
};

pub(super) const UNBLOCK: Command = Command {
    name: "unblock",
    alias: None,
    arguments: &[WHO],
    about: "get messages from somebody again",
    examples: &["/unblock tybalt@capulet.example"],
    run: |app, values, actions| {
        let key = person(app, values.at(0))?;
        let said = Waiting::Say(format!("{} is no longer blocked", key.with));
        app.ask(key.account, Ask::Unblock(key.with), said, actions);
        Ok(())
    },
};

pub(super) const INVITE: Command = Command {
    name: "invite",
    alias: None,
    arguments: &[WHO, Argument::optional("REASON", Kind::Rest)],
    about: "invite somebody to the room on screen; without a name, get a link that makes somebody an \
            account and your contact",
    examples: &[
        "/invite",
        "/invite juliet@capulet.example",
        "/invite juliet@capulet.example At nine",
    ],
    run: |app, values, actions| {
        if values.at(0).is_some() {
            return super::rooms::invite(app, values, actions);
        }
        let account = account(app)?;
        app.ask(account, Ask::Invite, Waiting::Invitation, actions);
        Ok(())
    },
};

fn contact<'a>(app: &'a App, key: &Key) -> Option<&'a client::view::Contact> {
    app.mirror(key.account)?.contacts.get(&key.with)
}

/// Asks before something that cannot be seen to be undone.
fn ask(app: &mut App, title: String, text: &str, yes: &'static str, key: &Key, command: Ask) {
    let then = Then::ask(key.account, command, "");
    let choices = vec![('y', yes, then), ('n', "no", Then::Nothing)];
    app.overlay = Some(Overlay::Question(Question::new(title, text, choices)));
}
