//! Everything that can be typed behind a `/`.
//!
//! One list, from which lines are parsed, completed and explained.

mod account;
pub mod colon;
mod contacts;
mod encryption;
mod erase;
mod messages;
mod parse;
mod program;
mod rooms;
mod talk;

use client::view;
use xmpp::jid::BareJid;

use super::app::{App, Key};
use super::event::{AccountNumber, Action, Notice};
use super::{fuzzy, rooms as ui_rooms};

pub use parse::{Argument, Kind, Values, parse};
pub(crate) use rooms::enter;

/// A command.
pub struct Command {
    /// Its name, without the `/`.
    pub name: &'static str,
    /// Another name.
    pub alias: Option<&'static str>,
    /// What can stand behind it.
    pub arguments: &'static [Argument],
    /// What it does, in a sentence without its subject.
    pub about: &'static str,
    /// Lines that work as they stand here.
    pub examples: &'static [&'static str],
    /// Does it.
    run: fn(&mut App, &Values, &mut Vec<Action>) -> Result<(), String>,
}

/// All commands, in the order in which `/help` tells them.
pub const COMMANDS: &[&Command] = &[
    // Conversations.
    &talk::CHAT,
    &talk::SEARCH,
    &talk::FILE,
    &talk::ME,
    &talk::MUTE,
    &talk::UNMUTE,
    &talk::PIN,
    &talk::UNPIN,
    &talk::HIDE,
    &talk::HIDDEN,
    // Messages.
    &messages::REPLY,
    &messages::REACT,
    &messages::EDIT,
    &messages::RETRACT,
    &messages::MODERATE,
    &messages::COPY,
    &messages::OPEN,
    &messages::SHOW,
    &messages::SAVE,
    &messages::DETAILS,
    &messages::STAR,
    &messages::STARRED,
    &messages::RETRY,
    &messages::PLAIN,
    &messages::DISCARD,
    &erase::ERASE,
    // Contacts.
    &contacts::ADD,
    &contacts::ACCEPT,
    &contacts::REFUSE,
    &contacts::CONTACT,
    &contacts::RENAME,
    &contacts::REMOVE,
    &contacts::BLOCK,
    &contacts::UNBLOCK,
    &contacts::INVITE,
    // Rooms.
    &rooms::CREATE,
    &rooms::CHANNEL,
    &rooms::JOIN,
    &rooms::MEMBERS,
    &rooms::LINK,
    &rooms::KNOCK,
    &rooms::ADMIT,
    &rooms::TURN_AWAY,
    &rooms::TOPIC,
    &rooms::TITLE,
    &rooms::NOTIFY,
    &rooms::ROLE,
    &rooms::KICK,
    &rooms::BAN,
    &rooms::UNBAN,
    &rooms::LEAVE,
    &rooms::DESTROY,
    // Encryption.
    &encryption::DEVICES,
    &encryption::VERIFY,
    &encryption::QR,
    &encryption::LABEL,
    &encryption::ENCRYPT,
    &encryption::REPAIR,
    // Account.
    &account::ACCOUNT,
    &account::LOGIN,
    &account::NICK,
    &account::PASSWORD,
    &account::RECONNECT,
    &account::OFFLINE,
    &account::LOGOUT,
    &account::DELETE_HISTORY,
    &account::DELETE_ACCOUNT,
    // The program.
    &program::HELP,
    &program::THEME,
    &program::KEYS,
    &program::SET,
    &program::QUIT,
];

impl Command {
    /// The command of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Command> {
        COMMANDS.iter().find(|c| c.name == name || c.alias == Some(name)).copied()
    }

    /// How it is typed: `/add ADDRESS [NAME]`.
    #[must_use]
    pub fn usage(&self) -> String {
        let mut usage = format!("/{}", self.name);
        for argument in self.arguments {
            let shown = match argument.kind {
                Kind::Choice(choices) => choices.join("|"),
                _ => argument.name.to_owned(),
            };
            usage.push_str(&match argument.required {
                true => format!(" {shown}"),
                false => format!(" [{shown}]"),
            });
        }
        usage
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.usage())
    }
}

impl App {
    /// Does what a line commands. What was typed goes away only if that worked.
    pub(crate) fn run(&mut self, line: &str, actions: &mut Vec<Action>) {
        let typed = self.chat().is_some_and(|chat| chat.editor.text() == line);
        let open = self.open.clone();
        let done = parse(line).and_then(|(command, values)| (command.run)(self, &values, actions));
        match done {
            Err(problem) => self.say(Notice::bad(problem)),
            Ok(()) if typed => self.forget(open, line),
            Ok(()) => {}
        }
    }

    /// Takes a command out of the text of the conversation where it was typed.
    fn forget(&mut self, key: Option<Key>, line: &str) {
        let here = std::mem::replace(&mut self.open, key);
        if let Some(chat) = self.chat_mut().filter(|chat| chat.editor.text() == line) {
            chat.editor.take();
        }
        self.open = here;
    }
}

/// What completing a line gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Completion {
    /// The line is this now.
    Text(String),
    /// It could be one of these.
    Choices(Vec<String>),
    /// There is nothing to complete.
    Nothing,
}

/// Completes the last word of a command line.
#[must_use]
pub fn complete(app: &App, line: &str) -> Completion {
    let Some(rest) = line.strip_prefix('/') else { return Completion::Nothing };
    let Some((name, typed)) = rest.split_once(' ') else {
        let names = COMMANDS.iter().map(|command| command.name.to_owned());
        return narrowed("/", rest, names.collect());
    };
    let Some(command) = Command::find(name) else { return Completion::Nothing };
    let (done, word) = last_word(typed);
    let last = command.arguments.last().filter(|last| matches!(last.kind, Kind::People));
    let Some(argument) = command.arguments.get(done).or(last) else { return Completion::Nothing };
    let before = &line[..line.len() - word.len()];
    narrowed(before, word, candidates(app, argument.kind))
}

/// How many words stand before the last one, and that one; a quote keeps words together.
fn last_word(typed: &str) -> (usize, &str) {
    let (mut before, mut start, mut quoted) = (0, 0, false);
    for (at, letter) in typed.char_indices() {
        match letter {
            '"' if quoted || at == start => quoted = !quoted,
            ' ' if !quoted => {
                before += 1;
                start = at + 1;
            }
            _ => {}
        }
    }
    (before, &typed[start..])
}

/// What an argument could be.
fn candidates(app: &App, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Choice(choices) => choices.iter().map(|choice| (*choice).to_owned()).collect(),
        Kind::Command => COMMANDS.iter().map(|command| command.name.to_owned()).collect(),
        Kind::Person | Kind::People => {
            people(app).into_iter().map(|(address, _)| address.to_string()).collect()
        }
        Kind::Conversation => {
            let people = people(app).into_iter().map(|(address, _)| address.to_string());
            people.chain(known_rooms(app)).collect()
        }
        Kind::Occupant => app.room().map_or_else(Vec::new, |room| {
            let others = room.members.iter().filter(|m| m.nick.is_none() || m.nick != room.nick);
            others.map(ui_rooms::name).collect()
        }),
        Kind::Room => known_rooms(app),
        _ => Vec::new(),
    }
}

/// Addresses of rooms of the account in use.
fn known_rooms(app: &App) -> Vec<String> {
    let Some(mirror) = app.current_account().and_then(|number| app.mirror(number)) else {
        return Vec::new();
    };
    let kept = mirror.bookmarks.iter().map(|bookmark| &bookmark.room);
    mirror.rooms.keys().chain(kept).map(ToString::to_string).collect()
}

/// The candidates that begin with what is typed, in whichever case: all they have in common is put in.
fn narrowed(before: &str, typed: &str, candidates: Vec<String>) -> Completion {
    let word = typed.trim_start_matches('"');
    let lower = word.to_lowercase();
    let mut fitting: Vec<String> = candidates
        .into_iter()
        .filter(|candidate| candidate.to_lowercase().starts_with(&lower))
        .collect();
    fitting.sort();
    fitting.dedup();
    match fitting.as_slice() {
        [] => Completion::Nothing,
        [only] if only.contains(' ') => Completion::Text(format!("{before}\"{only}\" ")),
        [only] => Completion::Text(format!("{before}{only} ")),
        [first, rest @ ..] => {
            let common = rest.iter().fold(first.as_str(), |common, other| {
                let same = common.char_indices().zip(other.chars()).find(|((_, a), b)| a != b);
                let end = same.map_or(common.len().min(other.len()), |((at, _), _)| at);
                &common[..end]
            });
            match common.len() > word.len() {
                true => {
                    let quote = if common.contains(' ') { "\"" } else { "" };
                    Completion::Text(format!("{before}{quote}{common}"))
                }
                false => Completion::Choices(fitting),
            }
        }
    }
}

/// Everybody known to the account in use, with their names.
fn people(app: &App) -> Vec<(BareJid, String)> {
    let Some(mirror) = app.current_account().and_then(|number| app.mirror(number)) else {
        return Vec::new();
    };
    let persons = mirror.conversations.values().filter(|c| c.kind == view::Kind::Person);
    let conversations = persons.map(|conversation| &conversation.address);
    let mut people: Vec<BareJid> = mirror.contacts.keys().chain(conversations).cloned().collect();
    people.sort();
    people.dedup();
    people.into_iter().map(|address| (address.clone(), mirror.name(&address))).collect()
}

/// The conversation on screen.
fn here(app: &App) -> Result<Key, String> {
    app.open.clone().ok_or_else(|| "open a conversation first: Ctrl-K".to_owned())
}

/// The account that a command is for.
fn account(app: &App) -> Result<AccountNumber, String> {
    app.current_account().ok_or_else(|| "there is no account yet: /login".to_owned())
}

/// Whom somebody means by an address or a part of a name; without any, who is on screen.
fn person(app: &App, typed: Option<&str>) -> Result<Key, String> {
    let Some(typed) = typed else { return here(app) };
    let account = account(app)?;
    if typed.contains('@') {
        let with = typed.parse().map_err(|_| format!("{typed} is not an address"))?;
        return Ok(Key { account, with });
    }
    match occupant(app, typed) {
        Some(with) => Ok(Key { account, with }),
        None => named(account, typed, &people(app)),
    }
}

/// The address of somebody whom the room on screen calls so.
fn occupant(app: &App, typed: &str) -> Option<BareJid> {
    ui_rooms::somebody(app.room()?, typed).ok()?.address.clone()
}

/// The conversation that somebody means by an address or a part of a name: of a person or a room.
fn conversation(app: &App, typed: Option<&str>) -> Result<Key, String> {
    let Some(name) = typed.filter(|typed| !typed.contains('@')) else { return person(app, typed) };
    let account = account(app)?;
    if let Some(with) = occupant(app, name) {
        return Ok(Key { account, with });
    }
    let mut all = people(app);
    all.extend(app.mirror(account).into_iter().flat_map(|mirror| {
        let rooms = mirror.conversations.values().filter(|c| c.kind == view::Kind::Room);
        rooms.map(|room| (room.address.clone(), mirror.name(&room.address)))
    }));
    named(account, name, &all)
}

/// The one of these whom a part of a name means.
fn named(account: AccountNumber, typed: &str, people: &[(BareJid, String)]) -> Result<Key, String> {
    let exact = |name: &str| name.to_lowercase() == typed.to_lowercase();
    let named: Vec<_> = people.iter().filter(|(_, name)| exact(name)).collect();
    let mut fitting: Vec<_> = people
        .iter()
        .filter_map(|(address, name)| Some((fuzzy::score(typed, name)?, address)))
        .collect();
    fitting.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match (named.as_slice(), fitting.as_slice()) {
        ([(address, _)], _) => Ok(Key { account, with: address.clone() }),
        ([], [(_, address)]) => Ok(Key { account, with: (*address).clone() }),
        ([], []) => Err(format!("nobody here is called {typed}; an address has an @")),
        _ => Err(format!("several could be {typed}; write the address")),
    }
}

#[cfg(test)]
mod tests;
