//! Commands for messages: the chosen one, or the newest for which they make sense.

use client::store::{Content, Delivery, Message, MessageId};

use super::{Action, App, Argument, Command, Kind, Values, here};
use crate::ui::app::{Key, Sending, Waiting, is_message};
use crate::ui::event::Place;
use crate::ui::overlay::{Overlay, Question, Then};
use crate::ui::room_link::{self, Form};
use crate::ui::{commands, pictures, styling};

/// The chosen message, or the newest for which `test` holds.
fn chosen(app: &App, what: &str, test: impl Fn(&Message) -> bool) -> Result<Message, String> {
    app.chosen(test).cloned().ok_or_else(|| format!("there is no message {what}"))
}

pub(super) const REPLY: Command = Command {
    name: "reply",
    alias: Some("r"),
    arguments: &[Argument::optional("TEXT", Kind::Rest)],
    about: "answer the chosen message, or the newest from the other",
    examples: &["/reply Here I am!"],
    run: reply,
};

fn reply(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let message = chosen(app, "to answer", |m| is_message(m) && !m.own)?;
    match values.at(0) {
        None => app.reply_to(message.id),
        Some(text) => {
            let (here, to) = (key.clone(), key.with);
            let command = client::Command::Send {
                to,
                text: text.to_owned(),
                reply_to: Some(message.id),
                encryption: None,
            };
            let sending = Sending::reply(here, text, message.id);
            app.ask(key.account, command, Waiting::Sending(Box::new(sending)), actions);
        }
    }
    Ok(())
}

pub(super) const REACT: Command = Command {
    name: "react",
    alias: None,
    arguments: &[Argument::optional("EMOJI", Kind::Word)],
    about: "react to the chosen message, or the newest from the other; once more takes it back",
    examples: &["/react 👍"],
    run: react,
};

fn react(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    here(app)?;
    let message = chosen(app, "to react to", |m| is_message(m) && !m.own)?;
    match values.at(0) {
        None => app.overlay = Some(Overlay::react(message.id)),
        Some(emoji) => app.toggle_reaction(message.id, emoji, actions),
    }
    Ok(())
}

impl App {
    /// Adds an emoji to the own reactions, or takes it away.
    pub(crate) fn toggle_reaction(
        &mut self,
        id: MessageId,
        emoji: &str,
        actions: &mut Vec<Action>,
    ) {
        let Some(key) = self.open.clone() else { return };
        let own = self.mirror(key.account).and_then(|m| m.account.as_ref()).map(|a| &a.address);
        let Some(message) = self.window().and_then(|window| window.message(id)) else { return };
        let mine = message.reactions.iter().find(|reaction| Some(&reaction.sender) == own);
        let mut all = mine.map(|reaction| reaction.emoji.clone()).unwrap_or_default();
        match all.iter().position(|known| known == emoji) {
            Some(at) => drop(all.remove(at)),
            None => all.push(emoji.to_owned()),
        }
        self.ask(key.account, client::Command::React(id, all), Waiting::Quiet, actions);
    }
}

pub(super) const EDIT: Command = Command {
    name: "edit",
    alias: Some("correct"),
    arguments: &[Argument::optional("TEXT", Kind::Rest)],
    about: "change the text of the chosen message, or of your newest",
    examples: &["/edit Hear I am!"],
    run: edit,
};

fn edit(app: &mut App, values: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let own = |m: &Message| m.own && matches!(m.content, Content::Text(_));
    let message = chosen(app, "of yours to edit", own)?;
    match values.at(0) {
        None => app.edit(message.id),
        Some(text) => {
            let command = client::Command::Correct(message.id, text.to_owned());
            app.ask(key.account, command, Waiting::Quiet, actions);
        }
    }
    Ok(())
}

pub(super) const RETRACT: Command = Command {
    name: "retract",
    alias: Some("delete"),
    arguments: &[],
    about: "take back the chosen message, or your newest; asks first",
    examples: &["/retract"],
    run: retract,
};

fn retract(app: &mut App, _: &Values, _: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let own = |m: &Message| m.own && matches!(m.content, Content::Text(_) | Content::File(..));
    let message = chosen(app, "of yours to take back", own)?;
    let then = Then::ask(key.account, client::Command::Retract(message.id), "");
    app.overlay = Some(Overlay::Question(Question::new(
        "Take this message back?",
        "The other's program is asked to hide it. Who has read it has read it.",
        vec![('y', "yes, take it back", then), ('n', "no", Then::Nothing)],
    )));
    Ok(())
}

pub(super) const MODERATE: Command = Command {
    name: "moderate",
    alias: None,
    arguments: &[Argument::optional("REASON", Kind::Rest)],
    about: "take back the chosen message of somebody else, or the newest, for moderators of a room; asks \
            first",
    examples: &["/moderate", "/moderate Advertising"],
    run: moderate,
};

fn moderate(app: &mut App, values: &Values, _: &mut Vec<Action>) -> Result<(), String> {
    let key = here(app)?;
    let room = app.room().ok_or("only in rooms can messages of others be taken back")?;
    if room.role < client::view::Role::Moderator {
        return Err("only moderators of the room can take back what others wrote".to_owned());
    }
    let of_others =
        |m: &Message| !m.own && matches!(m.content, Content::Text(_) | Content::File(..));
    let message = chosen(app, "of somebody else to take back", of_others)?;
    let author = app.mirror(key.account).map(|m| m.author(&message)).unwrap_or_default();
    let reason = values.at(0).map(str::to_owned);
    let then = Then::ask(key.account, client::Command::Moderate(message.id, reason), "");
    app.overlay = Some(Overlay::Question(Question::new(
        format!("Take back what {author} wrote?"),
        "Everybody's program is asked to hide it, and is told that you did it.",
        vec![('y', "yes, take it back", then), ('n', "no", Then::Nothing)],
    )));
    Ok(())
}

pub(super) const COPY: Command = Command {
    name: "copy",
    alias: None,
    arguments: &[],
    about: "put the text of the chosen message, or of the newest, into the clipboard",
    examples: &["/copy"],
    run: |app, _, actions| {
        let text = |m: &Message| App::text_of(&m.content);
        let message = chosen(app, "with a text", |m| text(m).is_some())?;
        actions.extend(text(&message).map(Action::Copy));
        app.say(super::Notice::good("copied"));
        Ok(())
    },
};

pub(super) const OPEN: Command = Command {
    name: "open",
    alias: None,
    arguments: &[],
    about: "open the file or the link of the chosen message, or of the newest that has one",
    examples: &["/open"],
    run: |app, _, actions| {
        let message = chosen(app, "with a file or a link", |m| {
            matches!(m.content, Content::File(..)) || link(m).is_some()
        })?;
        match (&message.content, link(&message)) {
            (Content::File(file, _), _) => match &file.local {
                Some(local) => actions.push(Action::Show(local.clone())),
                None => download(app, &message, None, Waiting::Open, actions)?,
            },
            (_, Some(link)) => follow(app, link, actions)?,
            _ => {}
        }
        Ok(())
    },
};

/// A link that a browser or a mail program opens, or one to a room.
fn link(message: &Message) -> Option<String> {
    match &message.content {
        Content::Text(text) => styling::link(text)
            .filter(|link| !link.starts_with("xmpp:") || room_link::parse(link).is_ok())
            .map(str::to_owned),
        _ => None,
    }
}

/// Goes where a link of a message leads. What looks like a page asks before a room is entered: its host says
/// nothing of where that is.
fn follow(app: &mut App, link: String, actions: &mut Vec<Action>) -> Result<(), String> {
    let Ok(to) = room_link::parse(&link) else {
        actions.push(Action::Show(link));
        return Ok(());
    };
    let key = Key { account: here(app)?.account, with: to.room };
    if to.form == Form::Uri {
        commands::enter(app, key, None, to.secret, actions);
        return Ok(());
    }
    let title = format!("Enter {}?", key.with);
    let choices = vec![
        ('y', "yes, enter the room", Then::Enter(key, to.secret)),
        ('b', "open the page in a browser", Then::Show(link)),
        ('n', "no", Then::Nothing),
    ];
    let text = "The link leads into this room. Who is in it sees that you come.";
    app.overlay = Some(Overlay::Question(Question::new(title, text, choices)));
    Ok(())
}

pub(super) const SHOW: Command = Command {
    name: "show",
    alias: Some("view"),
    arguments: &[],
    about: "show the picture of the chosen message, or the newest, in the conversation",
    examples: &["/show"],
    run: show,
};

fn show(app: &mut App, _: &Values, actions: &mut Vec<Action>) -> Result<(), String> {
    here(app)?;
    let message = chosen(app, "with a picture", |m| pictures::file(m).is_some())?;
    if !app.pictures.are_shown() {
        let help = "this terminal does not show pictures: /set pictures blocks draws them coarsely";
        return Err(help.to_owned());
    }
    if let Some(file) = pictures::file(&message).filter(|file| file.local.is_none()) {
        app.fetch_picture(message.id, file, actions);
    }
    app.bring_to_sight(message.id);
    Ok(())
}

pub(super) const SAVE: Command = Command {
    name: "save",
    alias: Some("download"),
    arguments: &[Argument::optional("FOLDER", Kind::Rest)],
    about: "save the file of the chosen message, or the newest, among the downloads or in a folder",
    examples: &["/save", "/save ~/pictures"],
    run: |app, values, actions| {
        let message = chosen(app, "with a file", |m| matches!(m.content, Content::File(..)))?;
        download(app, &message, values.at(0), Waiting::Save, actions)
    },
};

fn download(
    app: &mut App,
    message: &Message,
    into: Option<&str>,
    waiting: Waiting,
    actions: &mut Vec<Action>,
) -> Result<(), String> {
    let key = here(app)?;
    let Content::File(file, _) = &message.content else { return Ok(()) };
    actions.push(Action::Download {
        account: key.account,
        number: app.number(waiting),
        message: message.id,
        name: file.name.clone(),
        into: into.map_or(Place::Downloads, |folder| Place::Folder(folder.into())),
    });
    Ok(())
}

pub(super) const DETAILS: Command = Command {
    name: "details",
    alias: Some("info"),
    arguments: &[],
    about: "times, device, key and earlier texts of the chosen message, or of the newest",
    examples: &["/details"],
    run: |app, _, actions| {
        let message = chosen(app, "here", is_message)?;
        app.overlay = Some(Overlay::details(message.id, app, actions));
        Ok(())
    },
};

pub(super) const STAR: Command = Command {
    name: "star",
    alias: None,
    arguments: &[],
    about: "give the chosen message, or the newest, a star to find it again; once more takes it away",
    examples: &["/star"],
    run: |app, _, actions| {
        let key = here(app)?;
        let message = chosen(app, "to give a star", |m| {
            matches!(m.content, Content::Text(_) | Content::File(..))
        })?;
        let (set, said) = match message.starred {
            true => (false, "the star is gone"),
            false => (true, "starred; /starred lists them"),
        };
        let waiting = Waiting::Say(said.to_owned());
        app.ask(key.account, client::Command::Star(message.id, set), waiting, actions);
        Ok(())
    },
};

pub(super) const STARRED: Command = Command {
    name: "starred",
    alias: Some("stars"),
    arguments: &[],
    about: "list the messages with a star; Tab switches between here and everywhere",
    examples: &["/starred"],
    run: |app, _, actions| {
        let overlay = Overlay::starred(app, actions);
        app.overlay = Some(overlay);
        Ok(())
    },
};

/// Whether a message waits or has failed.
fn unsent(message: &Message) -> bool {
    matches!(message.delivery, Some(Delivery::Queued | Delivery::Failed(_)))
}

pub(super) const RETRY: Command = Command {
    name: "retry",
    alias: None,
    arguments: &[],
    about: "try again to send the chosen message, or the newest that failed",
    examples: &["/retry"],
    run: |app, _, actions| {
        let key = here(app)?;
        let message = chosen(app, "that was not sent", unsent)?;
        app.ask(key.account, client::Command::Retry(message.id), Waiting::Quiet, actions);
        Ok(())
    },
};

pub(super) const PLAIN: Command = Command {
    name: "plain",
    alias: None,
    arguments: &[],
    about: "send the chosen message, or the newest that was not sent, without encryption; asks first",
    examples: &["/plain"],
    run: |app, _, _| {
        let key = here(app)?;
        let message = chosen(app, "that was not sent", unsent)?;
        let then = Then::ask(key.account, client::Command::SendPlain(message.id), "");
        app.overlay = Some(Overlay::Question(Question::new(
            "Send this message without encryption?",
            "All servers on its way can read it, and so can who takes or copies it. What you write \
             after it is encrypted as before.",
            vec![
                ('y', "yes, without encryption", then),
                ('n', "no, keep it encrypted", Then::Nothing),
            ],
        )));
        Ok(())
    },
};

pub(super) const DISCARD: Command = Command {
    name: "discard",
    alias: None,
    arguments: &[],
    about: "give up the chosen message, or the newest that was not sent",
    examples: &["/discard"],
    run: |app, _, actions| {
        let key = here(app)?;
        let message = chosen(app, "that was not sent", unsent)?;
        app.ask(key.account, client::Command::Discard(message.id), Waiting::Quiet, actions);
        Ok(())
    },
};
