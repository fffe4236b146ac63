//! What a client keeps: narrow traits, their rows, and the suite every implementation must pass.
//!
//! Calls are synchronous: the terminal keeps its store in SQLite on the core's own thread, the
//! browser in SQLite over OPFS inside its worker. Reads see what the same step has written. A step
//! is wrapped in [`Store::begin`] and [`Store::commit`]; after a commit that returned `Ok` it
//! survives a crash and a power failure, after anything else nothing of it is there. A write outside
//! of a step is a step of its own.
//!
//! What is kept is sealed at rest where the implementation has a key; addresses are stored so that
//! they can be looked up without being readable.

mod changes;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod devices;
mod happenings;
mod look;
mod memory;
mod message;
mod reached;
mod rows;
mod traces;
mod wants;
mod way;

pub use changes::{Mark, Reacted, Reaction};
pub use devices::{DeviceEntry, Identity, OwnDevice, SessionKey, TrustLevel, Version};
pub use happenings::{Happened, Happening};
pub use look::{FileKind, Look, Looked, Place, Wanted, Words};
pub use memory::MemoryStore;
pub use message::{
    Content, Delivery, Encryption, Event, File, Message, MessageId, Occupant, Position, Preview,
    Reference, Reply, Undecryptable,
};
pub(crate) use reached::MOST_DEVICES;
pub use reached::Reached;
pub use rows::{
    ArchiveState, Contact, Conversation, EncryptionMode, Login, Mute, Notify, Queued, QueuedId,
    StoredToken, Subscription,
};
pub use traces::{Hidden, HiddenPage, Trace, Traces};
pub use wants::Wants;
pub use way::Way;

use xmpp::jid::BareJid;
use zeroize::Zeroizing;

/// Why a store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full or over quota. The step did not happen; try again when there is space.
    #[error("there is no space left for messages and keys")]
    Full,
    /// The disk or the browser's storage refuses.
    #[error("storage failed: {0}")]
    Io(String),
    /// What is stored cannot be read: damaged, or sealed with another key.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
}

/// The result of every call.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Most bytes of one value or one piece of media.
pub const MAX_VALUE_BYTES: usize = 1024 * 1024;

/// Whether a value may be kept; for implementations.
///
/// # Errors
/// It has more than [`MAX_VALUE_BYTES`].
pub fn within_limit(value: Option<&[u8]>) -> Result<()> {
    match value.map_or(0, <[u8]>::len) {
        ..=MAX_VALUE_BYTES => Ok(()),
        size => Err(StoreError::Io(format!("{size} bytes are too many for one value"))),
    }
}

/// Everything one account keeps.
pub trait Store:
    Profile
    + Contacts
    + Conversations
    + Timeline
    + Traces
    + Hidden
    + Archives
    + Outbox
    + Devices
    + Media
{
    /// Begins a step. There is never more than one: a step that a core left open is dropped.
    ///
    /// # Errors
    /// The storage refuses; there is no step then.
    fn begin(&self) -> Result<()>;

    /// Makes the step durable.
    ///
    /// # Errors
    /// Nothing of the step is kept; the core must be built anew from the store.
    fn commit(&self) -> Result<()>;

    /// Drops the step. Does nothing when there is none.
    fn rollback(&self);

    /// Removes everything, so that nothing of it can be found on the disk afterwards.
    ///
    /// # Errors
    /// The storage refuses; something may be left.
    fn wipe(&self) -> Result<()>;
}

/// The login, and small values of single features: a roster version, cached capabilities.
pub trait Profile {
    /// The login, if there is one.
    fn login(&self) -> Result<Option<Login>>;
    /// Keeps the login.
    fn save_login(&self, login: &Login) -> Result<()>;
    /// A value by its name.
    fn value(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>>;
    /// Keeps a value of at most [`MAX_VALUE_BYTES`], or removes it. Names are the program's own.
    fn save_value(&self, name: &str, value: Option<&[u8]>) -> Result<()>;
}

/// Roster and other people known.
pub trait Contacts {
    /// All of them, in no order.
    fn contacts(&self) -> Result<Vec<Contact>>;
    /// Keeps one, replacing what was there.
    fn save_contact(&self, contact: &Contact) -> Result<()>;
    /// Removes one, if it is there.
    fn remove_contact(&self, address: &BareJid) -> Result<()>;
}

/// The list of conversations, with what belongs to a whole one.
pub trait Conversations {
    /// All of them, in no order.
    fn conversations(&self) -> Result<Vec<Conversation>>;
    /// Keeps one, replacing what was there.
    fn save_conversation(&self, conversation: &Conversation) -> Result<()>;
}

/// The messages.
pub trait Timeline {
    /// Keeps a new message. Its `id` is ignored; the new one is returned. Numbers are not reused.
    fn append(&self, message: &Message) -> Result<MessageId>;
    /// Replaces a message by its id. Nothing happens if it is not there.
    fn save_message(&self, message: &Message) -> Result<()>;
    /// One message.
    fn message(&self, id: MessageId) -> Result<Option<Message>>;
    /// The message others refer to in this conversation; the newest if there are several.
    fn find(&self, conversation: &BareJid, reference: &Reference) -> Result<Option<Message>>;
    /// At most `limit` messages before a position, or the newest; the oldest of them first.
    fn before(
        &self,
        conversation: &BareJid,
        position: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Message>>;
    /// At most `limit` messages after a position, the oldest first.
    fn after(
        &self,
        conversation: &BareJid,
        position: Position,
        limit: usize,
    ) -> Result<Vec<Message>>;
    /// Looks through one part of the messages, the newest first. It may be smaller than was asked
    /// for, where what is kept of the messages is long.
    fn look(&self, look: &Look<'_>) -> Result<Looked>;
    /// Removes a message, if it is there; a hidden one as well.
    fn remove_message(&self, id: MessageId) -> Result<()>;
}

/// How far archives are known.
pub trait Archives {
    /// What is known of an archive; nothing at first.
    fn archive(&self, owner: &BareJid) -> Result<ArchiveState>;
    /// Keeps what is known of an archive.
    fn save_archive(&self, owner: &BareJid, state: &ArchiveState) -> Result<()>;
}

/// Stanzas that must reach the server, in order.
pub trait Outbox {
    /// All of them, the first to be sent first.
    fn queued(&self) -> Result<Vec<Queued>>;
    /// Appends one. Its `id` is ignored; the new one is returned.
    fn enqueue(&self, queued: &Queued) -> Result<QueuedId>;
    /// Replaces one in its place. Nothing happens if it is not there.
    fn save_queued(&self, queued: &Queued) -> Result<()>;
    /// Removes one: the server has it, or it was given up.
    fn dequeue(&self, id: QueuedId) -> Result<()>;
}

/// OMEMO: the own keys, device lists, identities with trust, and ratchets.
pub trait Devices {
    /// The keys of this device.
    fn own_device(&self) -> Result<Option<OwnDevice>>;
    /// Keeps the keys of this device.
    fn save_own_device(&self, device: &OwnDevice) -> Result<()>;
    /// The devices somebody published, and those seen otherwise.
    fn device_list(&self, owner: &BareJid, version: Version) -> Result<Vec<DeviceEntry>>;
    /// Keeps the devices somebody published.
    fn save_device_list(
        &self,
        owner: &BareJid,
        version: Version,
        devices: &[DeviceEntry],
    ) -> Result<()>;
    /// The keys known of somebody, with the decisions about them.
    fn identities(&self, owner: &BareJid) -> Result<Vec<Identity>>;
    /// Keeps a key and the decision about it.
    fn save_identity(&self, owner: &BareJid, identity: &Identity) -> Result<()>;
    /// The ratchet record of a device, as the `omemo` crate wrote it.
    fn session(&self, key: &SessionKey) -> Result<Option<Zeroizing<Vec<u8>>>>;
    /// Keeps or removes the ratchet record of a device.
    fn save_session(&self, key: &SessionKey, record: Option<&[u8]>) -> Result<()>;
}

/// Pictures and other things that can be fetched again.
pub trait Media {
    /// The bytes under a key.
    fn media(&self, key: &str) -> Result<Option<Vec<u8>>>;
    /// Keeps at most [`MAX_VALUE_BYTES`] under a key, or removes it.
    fn save_media(&self, key: &str, bytes: Option<&[u8]>) -> Result<()>;
}
