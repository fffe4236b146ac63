//! What the worker and the page say to each other: plain data, as JSON.
//!
//! The page gets what it draws and nothing else: no keys of files, no ids of stanzas. TypeScript
//! types are made from these (`app/src/core/types.ts`, kept current by a test).
//!
//! Moments are milliseconds since 1970. A place in the timeline is text that sorts.

mod command;
mod message;
mod room;

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

pub use command::{Command, FileKind, Request, WebPush};
pub use message::{
    Content, Delivery, Earlier, Encryption, File, Line, Message, Picture, Reached, Reaction, Reply,
    Span, Undecryptable,
};
pub use room::{
    Affiliation, Happened, Happening, JoinRequest, Member, Role, Room, RoomLink, RoomState,
};

/// What the worker tells the page.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Notice {
    /// There is no account in this store yet.
    SignedOut,
    Account(Account),
    Conversation(Box<Conversation>),
    ConversationRemoved {
        address: String,
    },
    Contact(Box<Contact>),
    ContactRemoved {
        address: String,
    },
    /// A room is new or different.
    Room(Box<Room>),
    /// What was taken for a room is none.
    RoomRemoved {
        address: String,
    },
    /// A window was opened, or must be drawn anew.
    Window {
        address: String,
        /// All its messages, oldest first.
        messages: Vec<Message>,
        /// Whether there are older ones, here or on the server.
        older: bool,
        /// Whether there are newer ones, which do not join the window.
        newer: bool,
        /// The first message not seen yet, when the window was opened.
        first_unread: Option<i64>,
    },
    /// Messages of an open window are new, different, or at another place.
    Messages {
        address: String,
        messages: Vec<Message>,
    },
    /// Older messages came into a window; oldest first.
    Older {
        address: String,
        messages: Vec<Message>,
        older: bool,
    },
    /// Newer messages came into a window; oldest first.
    Newer {
        address: String,
        messages: Vec<Message>,
        /// Whether there are still newer ones; if not, what is new joins the window from now on.
        newer: bool,
    },
    MessageRemoved {
        address: String,
        message: i64,
    },
    /// How far the transfer of a message's file got, in bytes.
    Transfer {
        message: i64,
        done: u64,
    },
    /// Other messages have a star, or they say something else.
    Stars,
    Devices {
        address: String,
        devices: Vec<Device>,
    },
    /// Worth interrupting for, if this conversation is not on screen.
    Notify {
        address: String,
        occasion: Occasion,
        /// From whom; nothing for a stranger.
        title: String,
        /// What; nothing for a stranger.
        text: String,
        message: Option<i64>,
        /// It may be seen on another device that is in use, and comes once more when it is due: a
        /// page that is stopped before that shows it then.
        waits: bool,
    },
    /// The end of a request: exactly one for every [`Request`].
    Done {
        number: u64,
        outcome: Outcome,
    },
    /// The store refuses; the worker tries again.
    Storage {
        reason: String,
    },
}

/// What somebody is interrupted for.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum Occasion {
    /// Something was said, or happened.
    Said,
    /// A stranger wrote for the first time; nothing more is told of them until the person decides.
    Stranger,
}

/// The own account.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub address: String,
    pub connection: Connection,
    pub nickname: Option<String>,
    /// Names the picture for `picture()`.
    pub avatar: Option<String>,
    /// This device's OMEMO id, once it has keys.
    pub device: Option<u32>,
    /// Messages that wait to be sent.
    pub queued: usize,
    pub privacy: Privacy,
}

/// What contacts may know of what this account does. What is off is not sent from this device.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct Privacy {
    /// That something is being written.
    pub typing: bool,
    /// What was read.
    pub read: bool,
    /// Since when nobody looks.
    pub idle: bool,
}

/// The state of the connection.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Connection {
    Offline,
    Connecting,
    /// There is a session; what was missed is being fetched.
    CatchingUp,
    Online,
    Waiting {
        reason: String,
        until: u64,
    },
    /// The server refuses; the person has to do something.
    Refused {
        reason: String,
    },
}

/// A row of the list of conversations.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    pub address: String,
    /// It is a room, which a notice of its own describes.
    pub room: bool,
    pub name: String,
    pub preview: Option<Preview>,
    pub unread: u32,
    /// Those of them, in a room, that name this account or answer it.
    pub mentions: u32,
    pub draft: String,
    /// Who writes, by name, in the order in which they began.
    pub typing: Vec<String>,
    pub mute: Mute,
    /// Which messages of a room notify while it is not muted.
    pub notify: Notify,
    pub pinned: bool,
    /// What stands behind its messages, where somebody chose.
    pub wallpaper: Option<String>,
    /// What was missed is not here, because the archive did not answer; it is asked again.
    pub behind: bool,
    pub encrypted: bool,
    pub readers: Readers,
    /// Messages wait here because nobody they are for has keys yet. They leave by themselves.
    pub waits_for_keys: bool,
    /// From somebody who is not a contact and was never written to; or an invitation to a room.
    pub request: bool,
    /// Sorts the list: pinned first, then the greatest.
    pub order: String,
    /// In the list.
    pub shown: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Mute {
    No,
    Until { time: u64 },
    Forever,
}

/// Which messages of a room notify.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum Notify {
    /// All in a private group, mentions in a public channel.
    Usual,
    All,
    Mentions,
}

/// The newest message, in a line.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Preview {
    pub own: bool,
    /// In a room, what others who write are called.
    pub author: Option<String>,
    pub text: String,
    /// Somebody's own words, or the name of a file; otherwise the core's, in English.
    pub said: bool,
    pub time: u64,
    pub delivery: Option<Delivery>,
}

/// Who can read what is written in a conversation.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Readers {
    /// Devices of the others that will be able to.
    pub theirs: u32,
    /// Other devices of this account that will be able to.
    pub own: u32,
    /// Devices that are left out: not trusted, or without usable keys.
    pub left_out: u32,
    /// All devices of the others that will be able to are verified.
    pub verified: bool,
}

/// A contact, or somebody who was blocked or asks.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    pub address: String,
    pub name: String,
    pub in_roster: bool,
    pub sees_us: bool,
    pub seen: bool,
    /// They ask to see this account's presence.
    pub asks: bool,
    /// A request of this account waits for them.
    pub asked: bool,
    pub presence: Presence,
    pub status: Option<String>,
    /// When they last looked, if nobody does now and they tell that.
    pub idle: Option<u64>,
    pub avatar: Option<String>,
    pub blocked: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    Chat,
    Available,
    Away,
    ExtendedAway,
    Busy,
    Offline,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum Trust {
    Undecided,
    Blind,
    Verified,
    Distrusted,
}

/// An OMEMO device.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Device {
    pub id: u32,
    /// This one.
    pub this: bool,
    pub label: Option<String>,
    /// Its identity key, 64 hexadecimal digits, once known.
    pub key: Option<String>,
    /// The key as people compare it.
    pub fingerprint: Option<String>,
    pub trust: Trust,
    /// In the published list now.
    pub active: bool,
    pub last_used: Option<u64>,
    /// In the list, and not heard of for 90 days: nobody may have it any more.
    pub unused: bool,
}

/// A message that was found, with where.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Found {
    pub address: String,
    pub message: Message,
}

/// How a request ended.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    Done,
    /// A message to be sent, or a change of one, is on disk; the timeline tells what becomes of it.
    /// What fails afterwards comes as another end of the same request.
    Kept {
        message: i64,
    },
    Sent {
        message: i64,
    },
    /// A link or other text that was asked for.
    Text {
        text: String,
    },
    /// So many keys are verified now.
    Verified {
        count: usize,
    },
    /// Newest first.
    Found {
        messages: Vec<Found>,
    },
    /// What a part of a search brought, the newest first.
    Part {
        messages: Vec<Found>,
        /// Where the next part begins; nothing when everything was looked at.
        next: Option<String>,
    },
    Devices {
        devices: Vec<Device>,
    },
    Downloaded {
        file: File,
    },
    /// This account is in the room.
    Room {
        address: String,
    },
    /// Links into a room.
    Links {
        links: Vec<RoomLink>,
    },
    /// So many links lead nowhere any more.
    Withdrawn {
        count: usize,
    },
    Failed {
        problem: Problem,
    },
}

/// Why something could not be done.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Problem {
    /// Sorted by what helps.
    pub kind: ProblemKind,
    /// In words, English.
    pub words: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum ProblemKind {
    Unknown,
    Invalid,
    NotEncryptable,
    Refused,
    Timeout,
    Login,
    /// No network, or a server that does not answer; it is tried again.
    Unreachable,
    /// Somebody has the name of the account that was to be made.
    NameTaken,
    /// The invitation was used, has expired or was revoked, or there has to be one.
    NotInvited,
    Unsupported,
    Transfer,
    Storage,
    /// The core had to be started again, or another window has the account: nobody knows what became
    /// of it.
    Restarted,
    Cancelled,
}
