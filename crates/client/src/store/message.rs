//! Messages, as they are kept. They are written with serde: a field that is added has a default.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::changes::{Mark, Reaction};
use super::devices::{TrustLevel, Version};
use super::reached::Reached;
use super::wants::Wants;
use super::way::Way;

/// Names a message in this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageId(pub i64);

/// Where a message stands. Positions order all messages of an account as its archive does; they
/// say nothing about time, and a message may get another one when the archive tells its place.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Position(pub u64);

/// One message, or one event in a conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Given by the store.
    pub id: MessageId,
    /// Where.
    pub conversation: BareJid,
    /// Orders the messages.
    pub position: Position,
    /// Who wrote it; in a room that hides addresses, the room.
    pub sender: BareJid,
    /// Who wrote it in a room, as the room names them.
    #[serde(default)]
    pub occupant: Option<Occupant>,
    /// Written by this account, on whichever device.
    pub own: bool,
    /// When the sender's or this account's server got it, as far as is known.
    pub time: Millis,
    /// What it says.
    pub content: Content,
    /// The id its sender gave it (XEP-0359 `origin-id`, else the stanza's).
    pub origin_id: Option<String>,
    /// The id this account's archive gave it.
    pub archive_id: Option<String>,
    /// How it was protected on its way.
    pub encryption: Encryption,
    /// How far it got. `None` for what others wrote.
    pub delivery: Option<Delivery>,
    /// Which devices of whom it was written to told that they have it, or that it was seen there.
    /// What was written in rooms nobody tells of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reached: Vec<Reached>,
    /// The message this one answers.
    pub reply: Option<Reply>,
    /// Reactions, one entry for each person.
    pub reactions: Vec<Reaction>,
    /// The user wants to find it again.
    #[serde(default)]
    pub starred: bool,
    /// Earlier texts, the oldest first, with when they were replaced (XEP-0308).
    pub versions: Vec<(Millis, String)>,
    /// What replaced each of them. Shorter where an earlier program kept none for the oldest.
    #[serde(default)]
    pub edits: Vec<Mark>,
    /// What its sender wants to be told of it.
    pub wants: Option<Wants>,
    /// Own, and it failed before anything of it was written to the network: nobody else has it.
    #[serde(default)]
    pub stayed: bool,
    /// Own, and it came from another device (XEP-0280) or out of the archive.
    #[serde(default)]
    pub elsewhere: bool,
    /// How it is to leave, as long as it has not.
    #[serde(default)]
    pub way: Way,
}

/// Somebody in a room, as the room names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupant {
    /// The nickname they had.
    pub nick: String,
    /// What stays when they change it (XEP-0421), where the room guards that.
    pub id: Option<String>,
}

/// What was written is not printed.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("conversation", &self.conversation)
            .field("position", &self.position)
            .field("sender", &self.sender)
            .field("origin_id", &self.origin_id)
            .field("archive_id", &self.archive_id)
            .field("encryption", &self.encryption)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Text.
    Text(String),
    /// A file, perhaps with a text.
    File(File, Option<String>),
    /// Taken back by its sender (XEP-0424).
    Retracted,
    /// Nothing that this device can read, and why.
    Undecryptable(Undecryptable),
    /// Not written by anybody: something happened.
    Event(Event),
}

/// Only the kind is printed, and nothing that anybody wrote.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::File(file, _) => f.debug_tuple("File").field(file).finish_non_exhaustive(),
            Self::Retracted => f.write_str("Retracted"),
            Self::Undecryptable(reason) => f.debug_tuple("Undecryptable").field(reason).finish(),
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
        }
    }
}

/// A file that was shared.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, without folders.
    pub name: String,
    /// Bytes, if they were told.
    pub size: Option<u64>,
    /// MIME type, if it was told.
    pub media_type: Option<String>,
    /// Where it is; absent while an own file is not uploaded.
    pub url: Option<String>,
    /// Key and nonce of its encryption, hexadecimal as in `aesgcm:` (XEP-0454).
    pub key: Option<String>,
    /// Where the driver keeps it, once it is here.
    pub local: Option<String>,
    /// What it is like, if that was told: a picture, a film, or a sound.
    #[serde(default)]
    pub preview: Option<Preview>,
}

/// What can be shown of a picture, a film or a sound before it is fetched (XEP-0446, XEP-0264).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Pixels from side to side; 0 if they were not told.
    pub width: u32,
    /// Pixels from top to bottom; 0 if they were not told.
    pub height: u32,
    /// A small picture, `data:image/jpeg;base64,…`; or a few colours (`image/blurhash`,
    /// `image/thumbhash`).
    pub thumbnail: Option<String>,
    /// What is to be seen, in words, for who cannot see it.
    #[serde(default)]
    pub description: Option<String>,
    /// How long it plays, in milliseconds.
    #[serde(default)]
    pub length: Option<u32>,
}

/// Neither what it looks like nor the words for it are printed.
impl std::fmt::Debug for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Preview")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

/// Its address and its key are not printed: who has them has the file.
impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File")
            .field("size", &self.size)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undecryptable {
    /// It was not encrypted for this device: this device is newer, or the sender did not know it.
    NotForThisDevice,
    /// There is no session with the device that sent it.
    NoSession,
    /// It was made with a key of this device that is gone.
    UnknownKey,
    /// It does not fit its key: damaged, or not from whom it says.
    Forged,
    /// It was made with a key that is no longer kept: it came too late, or was read already under
    /// another id.
    KeyUsed,
    /// Too many messages before it are missing.
    TooFarAhead,
    /// Its elements make no sense.
    Malformed,
    /// What was signed with it contradicts how it came: another sender, or another conversation.
    Contradiction,
    /// The key of the device is distrusted.
    Distrusted,
    /// It uses an encryption that is not known here.
    UnknownEncryption,
}

/// Something that happened in a conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody uses a new device; its key is not verified.
    NewDevice {
        /// Whose.
        owner: BareJid,
        /// Which.
        device: u32,
        /// Its key, in Ed25519 form.
        key: [u8; 32],
        /// It is believed without a verification.
        trusted: bool,
    },
    /// Messages may be missing before this: the server no longer has them.
    Gap,
    /// Somebody invites this account to the room.
    Invited {
        /// Who, as the invitation says.
        by: BareJid,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// Somebody does not follow an invitation to the room.
    Declined {
        /// Who, as the room says.
        by: BareJid,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// Somebody asks to become a member of the room, where this account decides about it.
    Asks {
        /// The nickname they want.
        nick: String,
        /// Their address, where the room tells it.
        address: Option<BareJid>,
    },
    /// What happened in a room with nothing said in between, the oldest first.
    Room(Vec<super::Happening>),
    /// This profile was put back to an earlier state: all encrypted sessions are begun anew.
    Restored,
    /// They ask for plain text (XEP-0384, "Opt-out"). Nothing is sent until the user decides.
    OptOut {
        /// Why, in their words.
        reason: Option<String>,
    },
}

/// Their words are not printed.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NewDevice { owner, device, trusted, .. } => f
                .debug_struct("NewDevice")
                .field("owner", owner)
                .field("device", device)
                .field("trusted", trusted)
                .finish_non_exhaustive(),
            Self::Gap => f.write_str("Gap"),
            Self::Invited { by, .. } => {
                f.debug_struct("Invited").field("by", by).finish_non_exhaustive()
            }
            Self::Declined { by, .. } => {
                f.debug_struct("Declined").field("by", by).finish_non_exhaustive()
            }
            Self::Asks { .. } => f.write_str("Asks(..)"),
            Self::Room(all) => write!(f, "Room({} happenings)", all.len()),
            Self::Restored => f.write_str("Restored"),
            Self::OptOut { .. } => f.write_str("OptOut(..)"),
        }
    }
}

/// How a message was protected on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    /// Not at all.
    #[default]
    None,
    /// OMEMO.
    Omemo {
        /// Which version.
        version: Version,
        /// The device that sent it.
        device: u32,
        /// The identity key it was made with, in Ed25519 form.
        key: [u8; 32],
        /// The decision about that key when it was read.
        trust: TrustLevel,
    },
}

/// How far an own message got.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Delivery {
    /// It waits for the network, for keys, or for its file.
    Queued,
    /// The server has it on disk.
    Sent,
    /// A device of the recipient has it (XEP-0184).
    Delivered,
    /// The recipient has seen it (XEP-0333).
    Read,
    /// It will not get there unless the user does something; why, in words.
    Failed(String),
}

/// The message that is answered (XEP-0461).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Its id, as others refer to it.
    pub id: String,
    /// Who wrote it.
    pub author: Option<BareJid>,
    /// The message, if it is here.
    pub message: Option<MessageId>,
    /// What was quoted of it.
    pub quote: Option<String>,
}

/// The quotation is not printed.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("id", &self.id)
            .field("author", &self.author)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// How others refer to a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The sender and the id they gave it.
    Origin(BareJid, String),
    /// The id of this account's archive.
    Archive(String),
}
