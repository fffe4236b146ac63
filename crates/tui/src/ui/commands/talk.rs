//! Commands for conversations.

use client::store::Mute;
use xmpp::time::Millis;

use super::{Action, App, Argument, Command, Kind, Values, conversation, here};
use crate::ui::app::{Sending, Waiting};
use crate::ui::overlay::Overlay;

pub(super) const CHAT: Command = Command {
    name: "chat",
    alias: Some("msg"),
    arguments: &[
        Argument::required("WHO", Kind::Conversation),
        Argument::optional("TEXT", Kind::Rest),
    ],
    about: "open a conversation, and put a text into it",
    examples: &["/chat juliet@capulet.example", "/chat juliet@capulet.example Are you awake?"],
    run: chat,
};

fn chat(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = conversation(app, values.at(0))?;
    app.go_to(key, actions);
    if let Some(text) = values.at(1) {
        app.insert(text, actions);
    }
    Ok(())
}

pub(super) const SEARCH: Command = Command {
    name: "search",
    alias: Some("find"),
    arguments: &[Argument::optional("TEXT", Kind::Rest)],
    about: "search in own history; Tab in the search switches between here and everywhere",
    examples: &["/search balcony"],
    run: search,
};

fn search(app: &mut App, values: &Values, _: &mut Vec<Action>) -> Result<(), String> {
    app.overlay = Some(Overlay::search(app, values.text(0)));
    Ok(())
}

pub(super) const FILE: Command = Command {
    name: "file",
    alias: Some("upload"),
    arguments: &[Argument::required("PATH", Kind::Word), Argument::optional("TEXT", Kind::Rest)],
    about: "send a file, encrypted if the conversation is; a path with spaces goes in quotes",
    examples: &["/file ~/boat.jpg", "/file \"~/our boat.jpg\" On the lake"],
    run: file,
};

fn file(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let number = app.number(Waiting::Quiet);
    actions.push(Action::SendFile {
        account: key.account,
        number,
        to: key.with,
        path: values.text(0).to_owned(),
        caption: values.at(1).map(str::to_owned),
    });
    Ok(())
}

pub(super) const ME: Command = Command {
    name: "me",
    alias: None,
    arguments: &[Argument::required("TEXT", Kind::Rest)],
    about: "say what you do: “Romeo waves”",
    examples: &["/me waves"],
    run: me,
};

fn me(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let text = format!("/me {}", values.text(0));
    let sending = Sending::new(key.clone(), &text);
    let command = client::Command::Send { to: key.with, text, reply_to: None, encryption: None };
    app.ask(key.account, command, Waiting::Sending(Box::new(sending)), actions);
    Ok(())
}

pub(super) const MUTE: Command = Command {
    name: "mute",
    alias: None,
    arguments: &[Argument::optional("HOURS", Kind::Word)],
    about: "no bell and no notification from this conversation, for some hours or for ever",
    examples: &["/mute", "/mute 8"],
    run: mute,
};

fn mute(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let (mute, said) = match values.at(0).map(str::parse::<u32>) {
        None => (Mute::Forever, "muted".to_owned()),
        Some(Ok(hours)) => {
            let until = app.clock.now.plus(Millis::from_secs(u64::from(hours) * 3600).0);
            (Mute::Until(until), format!("muted until {}", app.clock.minute(until)))
        }
        Some(Err(_)) => return Err("how many hours? /mute 8".to_owned()),
    };
    app.ask(key.account, client::Command::Mute(key.with, mute), Waiting::Say(said), actions);
    Ok(())
}

pub(super) const UNMUTE: Command = Command {
    name: "unmute",
    alias: None,
    arguments: &[],
    about: "bell and notifications again",
    examples: &["/unmute"],
    run: |app, _, actions| {
        let key = here(app)?;
        let command = client::Command::Mute(key.with, Mute::No);
        app.ask(key.account, command, Waiting::Say("no longer muted".to_owned()), actions);
        Ok(())
    },
};

pub(super) const PIN: Command = Command {
    name: "pin",
    alias: None,
    arguments: &[],
    about: "keep this conversation at the top of the list",
    examples: &["/pin"],
    run: |app, _, actions| pin(app, true, actions),
};

pub(super) const UNPIN: Command = Command {
    name: "unpin",
    alias: None,
    arguments: &[],
    about: "let this conversation move again",
    examples: &["/unpin"],
    run: |app, _, actions| pin(app, false, actions),
};

fn pin(app: &mut App, pinned: bool, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let command = client::Command::PinConversation(key.with, pinned);
    app.ask(key.account, command, Waiting::Quiet, actions);
    Ok(())
}

pub(super) const HIDE: Command = Command {
    name: "hide",
    alias: Some("close"),
    arguments: &[],
    about: "take this conversation out of the list until something new comes",
    examples: &["/hide"],
    run: |app, _, actions| {
        let key = here(app)?;
        app.ask(key.account, client::Command::Hide(key.with), Waiting::Quiet, actions);
        app.close();
        Ok(())
    },
};

pub(super) const HIDDEN: Command = Command {
    name: "hidden",
    alias: Some("archive"),
    arguments: &[],
    about: "list the conversations that were hidden; whoever opens one has it in the list again",
    examples: &["/hidden"],
    run: |app, _, _| {
        app.overlay = Some(Overlay::hidden());
        Ok(())
    },
};
