//! Accounts, people, conversations and what waits to be sent, as they are kept. They are written with
//! serde: a field that is added has a default.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::message::{MessageId, Position};

/// How to log in.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account.
    pub address: BareJid,
    /// The password; `None` once a token replaces it, or where it is asked for each time.
    pub password: Option<xmpp::sasl::Secret>,
    /// An address that replaces what DNS says, `host:port`.
    pub server: Option<String>,
    /// The certificate that is trusted without any authority, SHA-256.
    pub pinned: Option<[u8; 32]>,
    /// The id of this installation (XEP-0388 §2.3.1), a UUID.
    pub client_id: String,
    /// The token for the next login (XEP-0484).
    pub token: Option<StoredToken>,
}

/// A token for FAST (XEP-0484).
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// The token.
    pub secret: xmpp::sasl::Secret,
    /// The mechanism it was issued for.
    pub mechanism: String,
    /// Until when it can be used.
    pub expiry: Millis,
}

/// Somebody known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The address.
    pub address: BareJid,
    /// In the roster.
    pub in_roster: bool,
    /// The name in the roster.
    pub name: Option<String>,
    /// What they call themselves (XEP-0172).
    pub nickname: Option<String>,
    /// Groups in the roster.
    pub groups: Vec<String>,
    /// Who sees whom.
    pub subscription: Subscription,
    /// A request of this account waits for them.
    pub asked: bool,
    /// A request of theirs waits for this account.
    pub asks: bool,
    /// SHA-1 of their picture; the bytes are in the media.
    pub avatar: Option<String>,
    /// Blocked (XEP-0191).
    pub blocked: bool,
}

/// Who sees whose presence (RFC 6121 §2.1.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subscription {
    /// Nobody.
    #[default]
    None,
    /// This account sees theirs.
    To,
    /// They see this account's.
    From,
    /// Both.
    Both,
}

/// What belongs to a whole conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Whom with.
    pub address: BareJid,
    /// What is being written.
    pub draft: String,
    /// Everything up to here was seen, on some device of this account.
    pub read_up_to: Option<Position>,
    /// Messages after that from others.
    pub unread: u32,
    /// The newest message.
    pub latest: Option<MessageId>,
    /// Where that stands: sorts the list.
    pub order: Position,
    /// Notifications.
    pub mute: Mute,
    /// Comes first.
    pub pinned: bool,
    /// In the list.
    pub shown: bool,
    /// Whether what is written here is encrypted.
    pub encryption: EncryptionMode,
    /// This account has written here: no request of a stranger.
    pub accepted: bool,
    /// The user was told that a stranger wrote, and has not decided yet.
    #[serde(default)]
    pub announced: bool,
    /// With a room (XEP-0045), and not with a person.
    #[serde(default)]
    pub room: bool,
    /// Unread messages of a room that name this account, or answer it.
    #[serde(default)]
    pub mentions: u32,
    /// What of a room notifies, where the user chose.
    #[serde(default)]
    pub notify: Notify,
    /// What stands behind the messages, where the user chose: a name of the user interface's own.
    #[serde(default)]
    pub wallpaper: Option<String>,
    /// Its history was deleted on this device: what was written up to then is not fetched again.
    #[serde(default)]
    pub cleared: Option<Millis>,
    /// It was deleted as a whole: nobody is told of it before something new is in it.
    #[serde(default)]
    pub deleted: bool,
}

/// What is being written is not printed.
impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation")
            .field("address", &self.address)
            .field("read_up_to", &self.read_up_to)
            .field("unread", &self.unread)
            .field("latest", &self.latest)
            .field("order", &self.order)
            .field("mute", &self.mute)
            .field("pinned", &self.pinned)
            .field("shown", &self.shown)
            .field("encryption", &self.encryption)
            .field("accepted", &self.accepted)
            .field("room", &self.room)
            .field("mentions", &self.mentions)
            .field("notify", &self.notify)
            .finish_non_exhaustive()
    }
}

/// Whether a conversation notifies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mute {
    /// It does.
    #[default]
    No,
    /// Not before this moment.
    Until(Millis),
    /// Never.
    Forever,
}

/// Which messages of a room notify, unless it is muted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// All in a private group, mentions in a public channel.
    #[default]
    Usual,
    /// All.
    All,
    /// Those that name this account, or answer it.
    Mentions,
}

/// Whether what is written in a conversation is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EncryptionMode {
    /// With OMEMO, or not sent at all.
    #[default]
    Omemo,
    /// In plain text, because the user said so here.
    Plain,
}

/// How far an archive is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveState {
    /// The newest id from which on nothing is missing.
    pub newest: Option<String>,
    /// The oldest id that was fetched.
    pub oldest: Option<String>,
    /// The archive begins there: there is nothing older.
    pub complete: bool,
}

/// Names a queued stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueuedId(pub i64);

/// A stanza that must reach the server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Given by the store.
    pub id: QueuedId,
    /// The conversation it belongs to.
    pub conversation: BareJid,
    /// The message it carries.
    pub message: Option<MessageId>,
    /// What to encrypt: the children of the message as XML, with `jabber:client` as the default
    /// namespace.
    pub payload: Vec<u8>,
    /// The id of the stanza, the same however often it is sent.
    pub stanza_id: String,
    /// The bytes that were given to the network, once they exist: they are sent again unchanged.
    pub bytes: Option<Vec<u8>>,
    /// Only worth sending in an encrypted conversation's protection, or also without.
    pub encrypted: bool,
}

/// What it says is not printed.
impl std::fmt::Debug for Queued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queued")
            .field("id", &self.id)
            .field("conversation", &self.conversation)
            .field("message", &self.message)
            .field("stanza_id", &self.stanza_id)
            .field("sent", &self.bytes.is_some())
            .field("encrypted", &self.encrypted)
            .finish_non_exhaustive()
    }
}
