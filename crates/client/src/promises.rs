//! Requests that change something on the server: kept on disk from the moment they are made until
//! they are answered.
//!
//! What was waiting for a session, or for an answer, when the program ended is done by the next one.
//! What must not be done twice, or needs somebody who waits for it, is not: then the user is told.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;
use zeroize::Zeroizing;

use crate::command::{Command, Request};
use crate::cx::{Cx, Step};
use crate::store::{Store, StoreError};
use crate::view::{Notification, Occasion, Outcome, Problem};

/// What was promised and is not done yet, the oldest first.
#[derive(Default)]
pub(crate) struct State {
    kept: Vec<Promise>,
    dirty: bool,
    /// What an earlier program promised was looked at.
    started: bool,
}

#[derive(Serialize, Deserialize)]
struct Promise {
    /// The number of the request; another one after a restart.
    #[serde(skip)]
    number: u64,
    made: Millis,
    what: What,
}

/// What was promised. Doing one of these twice is the same as doing it once.
#[derive(Serialize, Deserialize)]
enum What {
    Nickname(String),
    Avatar(Option<Vec<u8>>),
    Add(BareJid, Option<String>),
    Rename(BareJid, Option<String>),
    Remove(BareJid),
    Answer(BareJid, bool),
    Block(BareJid, bool),
    Unblock(BareJid),
    RemoveDevice(u32),
    Label(String),
    Join(BareJid, Option<String>),
    Leave(BareJid),
    Bookmark {
        room: BareJid,
        name: Option<String>,
        autojoin: bool,
        nick: Option<String>,
    },
    RemoveBookmark(BareJid),
    /// It is not done by another program: what it was.
    Once(String),
}

impl What {
    /// `None` for what asks nothing of the server, or can be asked at any time.
    fn of(command: &Command) -> Option<Self> {
        let once = |text: String| Some(Self::Once(text));
        Some(match command {
            Command::SetNickname(name) => Self::Nickname(name.clone()),
            Command::SetAvatar(picture) => Self::Avatar(picture.clone()),
            Command::AddContact { address, name } => Self::Add(address.clone(), name.clone()),
            Command::Rename(address, name) => Self::Rename(address.clone(), name.clone()),
            Command::RemoveContact(address) => Self::Remove(address.clone()),
            Command::Answer { address, accept } => Self::Answer(address.clone(), *accept),
            Command::Block { address, report } => Self::Block(address.clone(), *report),
            Command::Unblock(address) => Self::Unblock(address.clone()),
            Command::RemoveDevice(device) => Self::RemoveDevice(*device),
            Command::SetDeviceLabel(label) => Self::Label(label.clone()),
            Command::JoinRoom { room, nick, password: None } => {
                Self::Join(room.clone(), nick.clone())
            }
            Command::LeaveRoom(room) => Self::Leave(room.clone()),
            Command::SetBookmark { room, name, autojoin, nick, password: None } => Self::Bookmark {
                room: room.clone(),
                name: name.clone(),
                autojoin: *autojoin,
                nick: nick.clone(),
            },
            Command::RemoveBookmark(room) => Self::RemoveBookmark(room.clone()),
            Command::SetBookmark { room, .. } => return once(format!("Keeping the room {room}")),
            Command::ChangePassword(_) => return once("Changing the password".to_owned()),
            Command::DeleteAccount => return once("Deleting the account".to_owned()),
            Command::DeleteServerHistory => {
                return once("Deleting the messages from the server".to_owned());
            }
            Command::Invite => return once("Making an invitation".to_owned()),
            Command::CreateRoom { .. } => return once("Making a room".to_owned()),
            Command::JoinRoom { room, .. } => return once(format!("Entering {room}")),
            Command::DestroyRoom(room, _) => return once(format!("Removing the room {room}")),
            Command::InviteToRoom { room, person, .. } => {
                return once(format!("Inviting {person} to {room}"));
            }
            Command::SetAffiliation { room, person, .. } => {
                return once(format!("What {person} may do in {room}"));
            }
            Command::SetRole { room, nick, .. } => {
                return once(format!("What {nick} may do in {room}"));
            }
            Command::SetSubject(room, _) => return once(format!("The subject of {room}")),
            Command::SetRoomNick(room, _) => return once(format!("The nickname in {room}")),
            Command::Moderate(..) => return once("Taking back a message in a room".to_owned()),
            _ => return None,
        })
    }

    /// The command; `None` for what is not done again.
    fn command(&self) -> Option<Command> {
        Some(match self {
            Self::Nickname(name) => Command::SetNickname(name.clone()),
            Self::Avatar(picture) => Command::SetAvatar(picture.clone()),
            Self::Add(address, name) => {
                Command::AddContact { address: address.clone(), name: name.clone() }
            }
            Self::Rename(address, name) => Command::Rename(address.clone(), name.clone()),
            Self::Remove(address) => Command::RemoveContact(address.clone()),
            Self::Answer(address, accept) => {
                Command::Answer { address: address.clone(), accept: *accept }
            }
            Self::Block(address, report) => {
                Command::Block { address: address.clone(), report: *report }
            }
            Self::Unblock(address) => Command::Unblock(address.clone()),
            Self::RemoveDevice(device) => Command::RemoveDevice(*device),
            Self::Label(label) => Command::SetDeviceLabel(label.clone()),
            Self::Join(room, nick) => {
                Command::JoinRoom { room: room.clone(), nick: nick.clone(), password: None }
            }
            Self::Leave(room) => Command::LeaveRoom(room.clone()),
            Self::Bookmark { room, name, autojoin, nick } => Command::SetBookmark {
                room: room.clone(),
                name: name.clone(),
                autojoin: *autojoin,
                nick: nick.clone(),
                password: None,
            },
            Self::RemoveBookmark(room) => Command::RemoveBookmark(room.clone()),
            Self::Once(_) => return None,
        })
    }

    /// What it is, as the beginning of a sentence.
    fn words(&self) -> String {
        match self {
            Self::Nickname(_) => "Changing your name".to_owned(),
            Self::Avatar(_) => "Changing your picture".to_owned(),
            Self::Add(address, _) => format!("Adding {address}"),
            Self::Rename(address, _) => format!("Renaming {address}"),
            Self::Remove(address) => format!("Removing {address}"),
            Self::Answer(address, _) => format!("The answer to {address}"),
            Self::Block(address, _) => format!("Blocking {address}"),
            Self::Unblock(address) => format!("Unblocking {address}"),
            Self::RemoveDevice(device) => format!("Removing device {device}"),
            Self::Label(_) => "The new label of this device".to_owned(),
            Self::Join(room, _) => format!("Entering {room}"),
            Self::Leave(room) => format!("Leaving {room}"),
            Self::Bookmark { room, .. } => format!("Keeping the room {room}"),
            Self::RemoveBookmark(room) => format!("Forgetting the room {room}"),
            Self::Once(words) => words.clone(),
        }
    }
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let Some(bytes) = store.value(NAME)? else { return Ok(Self::default()) };
        let mut kept: Vec<Promise> = serde_json::from_slice(&bytes)
            .map_err(|error| StoreError::Damaged(format!("requests: {:?}", error.classify())))?;
        for (number, promise) in (EARLIER..).zip(&mut kept) {
            promise.number = number;
        }
        Ok(Self { kept, ..Self::default() })
    }

    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let bytes = serde_json::to_vec(&self.kept);
        bytes.map(Zeroizing::new).map_err(|error| StoreError::Io(error.to_string()))
    }
}

/// Keeps a request if it has to survive the program. `Err` when there are too many.
pub(crate) fn make(cx: &mut Cx<'_>, request: &Request) -> Step<Result<Kept, Problem>> {
    let Some(what) = What::of(&request.command) else { return Ok(Ok(Kept::No)) };
    let made = cx.time();
    let promises = &mut cx.state.promises;
    // One that waited and is carried out now.
    if promises.kept.iter().any(|promise| promise.number == request.number) {
        return Ok(Ok(Kept::Yes));
    }
    promises.kept.push(Promise { number: request.number, made, what });
    if promises.kept.len() > MOST || promises.bytes()?.len() > MOST_BYTES {
        promises.kept.pop();
        return Ok(Err(Problem::Invalid("too many requests wait for the network".to_owned())));
    }
    promises.dirty = true;
    Ok(Ok(Kept::Yes))
}

/// Whether a request is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It asks something of the server: it waits until there is a session.
    Yes,
    /// It does not.
    No,
}

/// A request ended. Says whether nobody waits for it, because the program that made it is gone: then
/// the user is told of what did not work.
pub(crate) fn ended(cx: &mut Cx<'_>, number: u64, outcome: &Outcome) -> bool {
    let promises = &mut cx.state.promises;
    let at = promises.kept.iter().position(|promise| promise.number == number);
    if let Some(promise) = at.map(|at| promises.kept.remove(at)) {
        promises.dirty = true;
        if let Outcome::Failed(problem) = outcome
            && number >= EARLIER
        {
            tell(cx, format!("{} did not work: {problem}.", promise.what.words()));
        }
    }
    number >= EARLIER
}

/// The program has started: what an earlier one promised is done when there is a session, or the user
/// is told that it is not.
pub(crate) fn on_start(cx: &mut Cx<'_>) -> Vec<Request> {
    let now = cx.time();
    let mut requests = Vec::new();
    let mut untold = Vec::new();
    let promises = &mut cx.state.promises;
    if std::mem::replace(&mut promises.started, true) {
        return requests;
    }
    let before = promises.kept.len();
    promises.kept.retain(|promise| {
        if promise.number < EARLIER {
            return true;
        }
        // What was wanted long ago may not be wanted any more.
        let recent = promise.made > now || now.since(promise.made) < LONGEST;
        match promise.what.command().filter(|_| recent) {
            Some(command) => {
                requests.push(Request { number: promise.number, command });
                true
            }
            None => {
                untold.push(promise.what.words());
                false
            }
        }
    });
    promises.dirty |= promises.kept.len() < before;
    for words in untold {
        tell(
            cx,
            format!("{words} was not finished when the program ended. Look whether it was done."),
        );
    }
    requests
}

fn tell(cx: &mut Cx<'_>, text: String) {
    let (conversation, title) = (cx.me.clone(), "Not done".to_owned());
    let occasion = Occasion::Said { title, text };
    cx.notify(Notification { conversation, occasion, message: None });
}

/// Keeps what is different after the step.
pub(crate) fn finish_step(cx: &mut Cx<'_>) -> Step {
    let promises = &mut cx.state.promises;
    if !std::mem::take(&mut promises.dirty) {
        return Ok(());
    }
    let bytes = promises.bytes()?;
    cx.store.save_value(NAME, Some(bytes.as_slice()).filter(|_| !promises.kept.is_empty()))
}

/// The name under which they are stored.
const NAME: &str = "promises";
/// From here on numbers are those of an earlier program's requests. Nobody else takes such numbers.
const EARLIER: u64 = 1 << 63;
/// How many requests wait, and how many bytes they take.
const MOST: usize = 256;
const MOST_BYTES: usize = 768 * 1024;
/// How old a request may be to be done by another program, in milliseconds: a week.
const LONGEST: u64 = 7 * 24 * 60 * 60 * 1000;
