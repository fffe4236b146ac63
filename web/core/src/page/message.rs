//! What is said in a conversation.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::{Happening, Trust};

/// One message, or one event in a conversation.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub id: i64,
    /// Orders the messages of a window.
    pub place: String,
    /// Who wrote it; in a room that hides addresses, the room.
    pub sender: String,
    /// What the room calls who wrote it.
    pub nick: Option<String>,
    pub own: bool,
    pub time: u64,
    pub content: Content,
    pub encryption: Encryption,
    /// `None` for what others wrote.
    pub delivery: Option<Delivery>,
    /// What devices of whom it was written to told of it.
    pub reached: Vec<Reached>,
    pub reply: Option<Reply>,
    pub reactions: Vec<Reaction>,
    /// This account wants to find it again.
    pub starred: bool,
    /// Earlier texts, the oldest first, with when they were replaced.
    pub versions: Vec<Earlier>,
}

/// What a device of whom an own message was written to told of it.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Reached {
    /// Its OMEMO id, if it told it encrypted.
    pub device: Option<u32>,
    /// What its program calls itself.
    pub program: Option<String>,
    /// Since when it is there.
    pub delivered: Option<u64>,
    /// When it was seen there.
    pub read: Option<u64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Content {
    Text {
        /// As it was written: for copying and correcting.
        text: String,
        /// As it is drawn.
        lines: Vec<Line>,
        /// `/me`: what comes after the sender's name.
        action: bool,
    },
    File {
        file: File,
        /// As it was written.
        caption: Option<String>,
        /// As it is drawn.
        lines: Vec<Line>,
    },
    Retracted,
    Undecryptable {
        why: Undecryptable,
    },
    NewDevice {
        owner: String,
        device: u32,
        key: String,
        trusted: bool,
    },
    /// Messages may be missing before this: the server no longer has them.
    Gap,
    /// This profile was put back to an earlier state: encrypted sessions are begun anew.
    Restored,
    /// Somebody invites this account to the room.
    Invited {
        by: String,
        reason: Option<String>,
    },
    /// Somebody does not follow an invitation to the room.
    Declined {
        by: String,
        reason: Option<String>,
    },
    /// Somebody asks to become a member of the room, where this account decides about it.
    Asks {
        nick: String,
        address: Option<String>,
    },
    /// What happened in a room with nothing said in between, the oldest first.
    Room {
        happenings: Vec<Happening>,
    },
    /// They ask for plain text.
    OptOut {
        reason: Option<String>,
    },
}

/// A line of a text (XEP-0393).
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Line {
    /// How many quotations it is in.
    pub quote: u8,
    pub preformatted: bool,
    pub spans: Vec<Span>,
}

/// A part of a line in one style.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Span {
    pub text: String,
    pub strong: bool,
    pub emphasis: bool,
    pub strike: bool,
    pub preformatted: bool,
    /// An address that can be opened: `http:`, `https:`, `xmpp:`, `mailto:`, `tel:` or `geo:`.
    pub link: Option<String>,
}

/// A file that was shared.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct File {
    pub name: String,
    pub size: Option<u64>,
    pub media_type: Option<String>,
    /// It is on the server, and can be fetched.
    pub uploaded: bool,
    /// It is here: names it for `file()`.
    pub local: Option<String>,
    /// How long it plays, in milliseconds, if that was told.
    pub length: Option<u32>,
    /// What it looks like, if that was told.
    pub picture: Option<Picture>,
}

/// What can be shown of a picture before it is fetched.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct Picture {
    /// Pixels; 0 if they were not told.
    pub width: u32,
    pub height: u32,
    /// A small picture: `data:image/jpeg;base64,…`, or `image/png`, or `image/webp`.
    pub thumbnail: Option<String>,
    /// What is to be seen, in words.
    pub description: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum Undecryptable {
    NotForThisDevice,
    NoSession,
    UnknownKey,
    Forged,
    KeyUsed,
    TooFarAhead,
    Malformed,
    Contradiction,
    Distrusted,
    UnknownEncryption,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Encryption {
    None,
    Omemo { device: u32, trust: Trust },
}

/// How far an own message got.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Delivery {
    Queued,
    Sent,
    Delivered,
    Read,
    Failed { reason: String },
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Reply {
    pub author: Option<String>,
    /// The message, if it is here.
    pub message: Option<i64>,
    /// What it says, in short.
    pub quote: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Reaction {
    pub sender: String,
    /// What the room calls them.
    pub nick: Option<String>,
    pub emoji: Vec<String>,
    pub time: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Earlier {
    pub until: u64,
    pub text: String,
}
