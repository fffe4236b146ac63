//! What a user interface shows: plain data and notices of change. Nothing here refers to the model.
//!
//! A user interface keeps its own picture and applies [`Change`]s to it in order. Lists of
//! conversations and contacts are complete from the start; messages are seen through windows that
//! [`Command::Open`](crate::Command::Open) opens.

pub mod style;

use std::fmt;

pub use xmpp::ext::muc::{Affiliation, Role};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use crate::store::{
    Delivery, EncryptionMode, File, Message, MessageId, Mute, Notify, Place, Position, TrustLevel,
    Version,
};

/// Something is different now.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The connection, or the own account.
    Account(Account),
    /// A conversation is new or different.
    Conversation(Box<Conversation>),
    /// A conversation is gone.
    ConversationRemoved(BareJid),
    /// A contact is new or different.
    Contact(Box<Contact>),
    /// A contact was removed.
    ContactRemoved(BareJid),
    /// A room in which this account is, was, or is invited, is new or different.
    Room(Box<Room>),
    /// What was taken for a room is none: a person, or nothing.
    RoomRemoved(BareJid),
    /// The rooms that the account keeps in its list (XEP-0402): all of them.
    Bookmarks(Vec<Bookmark>),
    /// A window was opened, or must be drawn anew.
    Window {
        /// Which.
        conversation: BareJid,
        /// All its messages, oldest first.
        messages: Vec<Message>,
        /// Whether there are older ones, here or on the server.
        older: bool,
        /// Whether there are newer ones: the window does not reach to the end of the conversation,
        /// and what is new does not join it.
        newer: bool,
        /// The first message not seen yet, when the window was opened.
        first_unread: Option<MessageId>,
    },
    /// Messages in an open window are new, different, or at another position.
    Messages {
        /// Which window.
        conversation: BareJid,
        /// They replace those of the same id; their position says where they stand.
        messages: Vec<Message>,
    },
    /// Older messages came into a window.
    Older {
        /// Which window.
        conversation: BareJid,
        /// Oldest first.
        messages: Vec<Message>,
        /// Whether there are still older ones.
        older: bool,
    },
    /// Newer messages came into a window.
    Newer {
        /// Which window.
        conversation: BareJid,
        /// Oldest first.
        messages: Vec<Message>,
        /// Whether there are still newer ones; if not, what is new joins the window from now on.
        newer: bool,
    },
    /// A message is gone: discarded, or moved to a place outside of the window.
    MessageRemoved(BareJid, MessageId),
    /// How far the transfer of a message's file got, in bytes.
    Transfer(MessageId, u64),
    /// Other messages have a star, or they say something else: whoever shows a list of them asks for
    /// it again ([`Command::Starred`](crate::Command::Starred)).
    Stars,
    /// The devices of somebody, or of this account, are different.
    Devices(BareJid, Vec<Device>),
}

/// The own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The address.
    pub address: BareJid,
    /// The connection.
    pub connection: Connection,
    /// The name shown to contacts.
    pub nickname: Option<String>,
    /// SHA-1 of the picture; its bytes are in the store's media.
    pub avatar: Option<String>,
    /// This device's OMEMO id, once it has keys.
    pub device: Option<u32>,
    /// Messages that wait to be sent.
    pub queued: usize,
    /// What contacts may know.
    pub privacy: Privacy,
}

/// What contacts may know of what this account does. What is off is not sent from this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// That something is being written (XEP-0085).
    pub typing: bool,
    /// What was read (XEP-0333). The account's own devices know it either way (XEP-0490).
    pub read: bool,
    /// Since when nobody looks at any device of this account that tells it (XEP-0319).
    pub idle: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { typing: true, read: true, idle: false }
    }
}

/// The state of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Not wanted.
    Offline,
    /// Being made.
    Connecting,
    /// There is a session; what was missed is being fetched.
    CatchingUp,
    /// There is a session and nothing is missing.
    Online,
    /// Waiting to try again.
    Waiting {
        /// Why the last try failed.
        reason: String,
        /// When the next one is.
        until: Millis,
    },
    /// The certificate is not one to trust; see [`Command::Pin`](crate::Command::Pin).
    Untrusted {
        /// What is wrong with it.
        problem: String,
        /// SHA-256 of it.
        fingerprint: [u8; 32],
    },
    /// The server refuses; the user has to do something.
    Refused(String),
}

/// A row of the list of conversations.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Whom with.
    pub address: BareJid,
    /// What is behind the address.
    pub kind: Kind,
    /// What to call it.
    pub name: String,
    /// The newest message, in a line.
    pub preview: Option<Preview>,
    /// Messages not seen yet.
    pub unread: u32,
    /// Those of them, in a room, that name this account or answer it.
    pub mentions: u32,
    /// What is being written here.
    pub draft: String,
    /// Who writes, by name, in the order in which they began; in a room a few of them.
    pub typing: Vec<String>,
    /// Never notifies.
    pub mute: Mute,
    /// Which messages of a room notify while it is not muted.
    pub notify: Notify,
    /// Comes first.
    pub pinned: bool,
    /// What stands behind its messages, where the user chose.
    pub wallpaper: Option<String>,
    /// What was written here since this device was last connected is not here: the archive did not
    /// answer as it should. It is asked again from time to time, and at once by
    /// [`Command::CatchUp`](crate::Command::CatchUp).
    pub behind: bool,
    /// Whether what is written here is encrypted.
    pub encryption: EncryptionMode,
    /// Who could read what is written now.
    pub readers: Readers,
    /// Messages wait here because nobody they are for has published keys yet. They leave by
    /// themselves, encrypted, when somebody does.
    pub waits_for_keys: bool,
    /// From somebody who is not a contact and was never written to; or an invitation to a room.
    pub request: bool,
    /// Sorts the list: pinned first, then the latest.
    pub order: Position,
    /// In the list.
    pub shown: bool,
}

/// What is being written is not printed.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("address", &self.address)
            .field("preview", &self.preview)
            .field("unread", &self.unread)
            .field("mute", &self.mute)
            .field("pinned", &self.pinned)
            .field("encryption", &self.encryption)
            .field("readers", &self.readers)
            .field("waits_for_keys", &self.waits_for_keys)
            .field("request", &self.request)
            .field("order", &self.order)
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// The newest message, in a line.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    /// Written by this account.
    pub own: bool,
    /// Who wrote it in a room: their nickname.
    pub author: Option<String>,
    /// What it says, in one line.
    pub text: String,
    /// These are words of whoever wrote it, or the name of a file; otherwise they are this program's, in
    /// English.
    pub said: bool,
    /// When.
    pub time: Millis,
    /// How far it got, when it is an own one.
    pub delivery: Option<Delivery>,
}

/// What it says is not printed.
impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview")
            .field("own", &self.own)
            .field("author", &self.author)
            .field("time", &self.time)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// Who can read what is written in a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// Devices of the others that will be able to.
    pub theirs: u32,
    /// Other devices of this account that will be able to.
    pub own: u32,
    /// Devices that are left out because they are not trusted or have no usable keys.
    pub left_out: u32,
    /// All devices of the others that will be able to are verified.
    pub verified: bool,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The address.
    pub address: BareJid,
    /// What to call them: the roster's name, their nickname, or the address.
    pub name: String,
    /// In the roster.
    pub in_roster: bool,
    /// They see this account's presence.
    pub sees_us: bool,
    /// This account sees theirs.
    pub seen: bool,
    /// They ask to see this account's presence.
    pub asks: bool,
    /// A request of this account waits for them.
    pub asked: bool,
    /// The best of their resources.
    pub presence: Presence,
    /// What they say about their presence.
    pub status: Option<String>,
    /// When they last looked, if none of their devices is looked at now and they tell that
    /// (XEP-0319).
    pub idle: Option<Millis>,
    /// SHA-1 of their picture.
    pub avatar: Option<String>,
    /// Blocked by this account.
    pub blocked: bool,
}

/// How available somebody is (RFC 6121 §4.7.2.1), best first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// Wants to chat.
    Chat,
    /// Available.
    Available,
    /// Away.
    Away,
    /// Away for long.
    ExtendedAway,
    /// Does not want to be disturbed.
    Busy,
    /// Not available, or not known.
    #[default]
    Offline,
}

/// What is behind the address of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A person.
    #[default]
    Person,
    /// A room (XEP-0045); [`Change::Room`] says more.
    Room,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its address.
    pub address: BareJid,
    /// What to call it.
    pub name: String,
    /// What is talked about.
    pub subject: Option<String>,
    /// SHA-1 of its picture (XEP-0486); its bytes are in the store's media.
    pub avatar: Option<String>,
    /// What the room calls this account, while it is in it.
    pub nick: Option<String>,
    /// Whether this account is in it.
    pub state: RoomState,
    /// Who invited this account, while that is not answered.
    pub invited_by: Option<BareJid>,
    /// For members only, and they know each other's addresses: what is written can be encrypted.
    pub private: bool,
    /// Everybody may enter, so far as is known.
    pub open: bool,
    /// Its members do not learn each other's addresses, so far as is known.
    pub anonymous: bool,
    /// It gives this account links that make whoever follows them a member (XEP-0488).
    pub links: bool,
    /// Who asks to become a member, for who decides about that.
    pub requests: Vec<JoinRequest>,
    /// When this account asked to become a member, while that is not decided as far as is known.
    pub asked: Option<Millis>,
    /// Its messages from this place on came while this account was in it; what stands before was
    /// there already. `None` until it was entered.
    pub since: Option<Position>,
    /// What this account is in it, while it is in it.
    pub affiliation: Affiliation,
    /// What it may do.
    pub role: Role,
    /// Who is there, then the members who are not. Without rights to see the list, and in rooms that
    /// hide addresses, those are not known.
    pub members: Vec<Member>,
}

/// Somebody who asks to become a member of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// The nickname they want; with the address it names the request.
    pub nick: String,
    /// Their address, where the room tells it.
    pub address: Option<BareJid>,
    /// What they say of themselves.
    pub words: Option<String>,
}

/// Whether this account is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomState {
    /// It is not.
    Out,
    /// Somebody invites it.
    Invited,
    /// It is about to be.
    Entering,
    /// It is.
    In,
    /// The room refuses, or put it out; why, in words.
    Refused(String),
}

/// Somebody in a room, or with a right to be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The nickname; `None` when they are not there.
    pub nick: Option<String>,
    /// The address, where the room tells it.
    pub address: Option<BareJid>,
    /// What they are in the room.
    pub affiliation: Affiliation,
    /// What they may do now.
    pub role: Role,
    /// Titles that the room gives them (XEP-0317).
    pub hats: Vec<String>,
}

/// A room in the account's list (XEP-0402).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// The room.
    pub room: BareJid,
    /// What its user calls it.
    pub name: Option<String>,
    /// Devices enter it by themselves.
    pub autojoin: bool,
    /// The nickname there; the account's own where there is none.
    pub nick: Option<String>,
    /// A password is kept with it.
    pub password: bool,
}

/// An OMEMO device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its number.
    pub id: u32,
    /// This one.
    pub this: bool,
    /// What its owner calls it, if the label is signed by its key (XEP-0384 §5.3.1).
    pub label: Option<String>,
    /// The versions it can be reached with.
    pub versions: Vec<Version>,
    /// Its identity key in Ed25519 form, once known.
    pub key: Option<[u8; 32]>,
    /// The key as people compare it: hexadecimal of the Curve25519 form in groups of eight.
    pub fingerprint: Option<String>,
    /// The decision about the key.
    pub trust: TrustLevel,
    /// In the published list now.
    pub active: bool,
    /// When it was last heard of.
    pub last_used: Option<Millis>,
    /// It is in the list, and was not heard of for 90 days: nobody may have it any more. Everything
    /// is still encrypted for it.
    pub unused: bool,
}

/// Something worth interrupting for.
#[derive(Clone, PartialEq, Eq)]
pub struct Notification {
    /// Where.
    pub conversation: BareJid,
    /// What for.
    pub occasion: Occasion,
    /// The message.
    pub message: Option<MessageId>,
}

/// What somebody is interrupted for.
#[derive(Clone, PartialEq, Eq)]
pub enum Occasion {
    /// Something was said, or happened.
    Said {
        /// From whom.
        title: String,
        /// What.
        text: String,
    },
    /// A stranger wrote for the first time. What they say and how they call themselves is for who opens
    /// the conversation; nothing more is told of them until the user decides.
    Stranger,
}

/// What it says is not printed.
impl fmt::Debug for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Said { .. } => "Said(..)",
            Self::Stranger => "Stranger",
        })
    }
}

/// What it says is not printed.
impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("conversation", &self.conversation)
            .field("occasion", &self.occasion)
            .field("message", &self.message)
            .finish()
    }
}

/// A link that makes whoever follows it a member of a room (XEP-0488). It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomLink {
    /// An `xmpp:` link.
    pub link: String,
    /// How long it is good for yet, in seconds, if the room tells.
    pub seconds: Option<u64>,
    /// How many may come with it yet; everybody if the room tells no number.
    pub uses: Option<u64>,
}

/// How a request ended.
#[derive(Clone, PartialEq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The message is on the server's disk.
    Sent(MessageId),
    /// A link or other text that was asked for.
    Text(String),
    /// So many keys are verified now.
    Verified(usize),
    /// What was found, newest first.
    Found(Vec<Message>),
    /// What a part of a search brought.
    Part {
        /// Newest first. There may be none in this part, and some in the next.
        found: Vec<Message>,
        /// Where the next part begins; nothing when everything was looked at.
        next: Option<Place>,
    },
    /// The devices that were asked for.
    Devices(Vec<Device>),
    /// The file is there.
    Downloaded(File),
    /// This account is in the room.
    Room(BareJid),
    /// Links into a room.
    Links(Vec<RoomLink>),
    /// So many links lead nowhere any more.
    Withdrawn(usize),
    /// It could not be done.
    Failed(Problem),
}

/// Neither links, which open something, nor messages are printed.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Sent(id) => f.debug_tuple("Sent").field(id).finish(),
            Self::Text(_) => f.write_str("Text(..)"),
            Self::Verified(count) => f.debug_tuple("Verified").field(count).finish(),
            Self::Found(found) => write!(f, "Found({} messages)", found.len()),
            Self::Part { found, next } => write!(f, "Part({} messages, {next:?})", found.len()),
            Self::Devices(devices) => write!(f, "Devices({} devices)", devices.len()),
            Self::Links(links) => write!(f, "Links({})", links.len()),
            Self::Withdrawn(count) => f.debug_tuple("Withdrawn").field(count).finish(),
            Self::Room(room) => f.debug_tuple("Room").field(room).finish(),
            Self::Downloaded(file) => f.debug_tuple("Downloaded").field(file).finish(),
            Self::Failed(problem) => f.debug_tuple("Failed").field(problem).finish(),
        }
    }
}

/// Why something could not be done, sorted by what helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nothing is known of what the command names.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The command makes no sense as it is.
    #[error("{0}")]
    Invalid(String),
    /// Nobody could read the message; sending it in plain text is the user's choice, not ours.
    #[error("it cannot be encrypted: {0}")]
    NotEncryptable(String),
    /// The server, or the peer, refused.
    #[error("it was refused: {0}")]
    Refused(String),
    /// There was no answer.
    #[error("there was no answer")]
    Timeout,
    /// The login does not work.
    #[error("{0}")]
    Login(String),
    /// There was no session: no network, or a server that does not answer. It is tried again.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody has the name of the account that was to be made.
    #[error("the name is taken")]
    NameTaken,
    /// The server makes no account without an invitation, or not with this one.
    #[error("{0}")]
    NotInvited(String),
    /// The server has no such feature.
    #[error("the server cannot do that: {0}")]
    Unsupported(String),
    /// The transfer of a file did not work.
    #[error("the file was not transferred: {0}")]
    Transfer(String),
    /// The store refuses; the core was built anew, and nothing is known of what the command did.
    #[error("{0}")]
    Storage(String),
    /// Given up by the user.
    #[error("cancelled")]
    Cancelled,
}
