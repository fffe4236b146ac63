//! What waits to be written to a client: finished bytes and the few facts that the way out needs.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use xmpp::stanza::Kind;

/// One stanza or nonza, serialised, on its way to one client.
///
/// The bytes are shared: every device of a person, the carbons and the archive row hold the same
/// allocation. By convention the root carries no `xmlns='jabber:client'`.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The serialised element.
    pub bytes: Bytes,
    /// Message, presence, iq; [`Kind::Other`] for what XEP-0198 does not count.
    pub kind: Kind,
    /// The id under which the account's archive keeps it, if it does, or would.
    pub archived: Option<u64>,
    /// Whether that archive row also waits in the offline queue: the entry is dropped once the
    /// client has the stanza (XEP-0160).
    pub pending: bool,
    /// Whether it belongs to an answer whose size has a bound of its own; see `Mailbox::push_bulk`.
    pub bulk: bool,
    /// How XEP-0352 treats it while the client is inactive.
    pub urgency: Urgency,
    /// Whether the bytes have no recipient, because many get the same: each connection writes the
    /// address of its own session.
    pub shared: bool,
    /// Whether no archive has it: the id is its place among the messages that wait, where it is kept once its
    /// session has ended.
    pub unkept: bool,
    /// The devices of the account that are given the same message.
    pub copies: Copies,
}

/// What the frames of one message for several devices have in common: whether a device has it already, and how
/// many may still get it.
#[derive(Clone, Debug, Default)]
pub struct Copies(Option<Arc<AtomicU32>>);

/// Set in [`Copies`] once a device has the message.
const HAD: u32 = 1 << 31;

impl Copies {
    /// For a message that so many devices are given.
    #[must_use]
    pub fn of(devices: usize) -> Self {
        // Nothing is shared with nobody.
        let shared = u32::try_from(devices).ok().filter(|devices| *devices > 1);
        Self(shared.map(|devices| Arc::new(AtomicU32::new(devices))))
    }

    /// A device has it.
    pub fn arrived(&self) {
        if let Some(shared) = &self.0 {
            shared.fetch_or(HAD, Ordering::AcqRel);
        }
    }

    /// A device will not get it. Whether that was the last one, and none has it.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.0.as_ref().is_none_or(|shared| shared.fetch_sub(1, Ordering::AcqRel) == 1)
    }
}

impl PartialEq for Copies {
    /// Whether they are of the same message, as far as more than one device was given it.
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Eq for Copies {}

/// What a client that declared itself inactive (XEP-0352) wants with a stanza.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Urgency {
    /// Written at once, together with everything held back before it.
    #[default]
    Now,
    /// Held until something urgent comes or the client is active again.
    Hold,
    /// Replaces an older held stanza with the same key: the last presence of a contact is enough.
    Latest(u64),
    /// Dropped while inactive: a typing notification is worthless an hour later.
    Drop,
}

/// How the start tag of a stanza of this kind begins.
#[must_use]
pub fn tag(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Message => b"<message",
        Kind::Presence => b"<presence",
        Kind::Iq => b"<iq",
        Kind::Other => b"",
    }
}

/// Writes the recipient of a stanza as an attribute.
pub fn write_recipient(out: &mut Vec<u8>, to: &str) {
    out.extend_from_slice(b" to='");
    xmpp::xml::escape_attribute_into(out, to);
    out.push(b'\'');
}

/// A stanza for one recipient: what was written without `to` gets it. The rest is copied, not read.
#[must_use]
pub fn addressed(kind: Kind, bytes: &Bytes, to: &str) -> Bytes {
    let name = tag(kind);
    debug_assert!(bytes.starts_with(name));
    let mut out = Vec::with_capacity(bytes.len() + to.len() + 8);
    out.extend_from_slice(name);
    write_recipient(&mut out, to);
    out.extend_from_slice(bytes.get(name.len()..).unwrap_or_default());
    out.into()
}

impl Frame {
    /// A message that is written at once.
    #[must_use]
    pub fn message(bytes: Bytes) -> Self {
        Self::new(Kind::Message, bytes)
    }

    /// An iq: always urgent, the client is waiting for it.
    #[must_use]
    pub fn iq(bytes: Bytes) -> Self {
        Self::new(Kind::Iq, bytes)
    }

    /// A presence stanza.
    #[must_use]
    pub fn presence(bytes: Bytes) -> Self {
        Self::new(Kind::Presence, bytes)
    }

    /// An element that stream management does not count, such as `<r/>`.
    #[must_use]
    pub fn nonza(bytes: Bytes) -> Self {
        Self::new(Kind::Other, bytes)
    }

    /// The same frame with another urgency.
    #[must_use]
    pub fn with_urgency(mut self, urgency: Urgency) -> Self {
        self.urgency = urgency;
        self
    }

    /// The same frame, whose bytes have no recipient.
    #[must_use]
    pub fn shared(mut self, shared: bool) -> Self {
        self.shared = shared;
        self
    }

    /// Whether XEP-0198 counts it.
    #[must_use]
    pub fn counted(&self) -> bool {
        !matches!(self.kind, Kind::Other)
    }

    fn new(kind: Kind, bytes: Bytes) -> Self {
        Self {
            bytes,
            kind,
            archived: None,
            pending: false,
            bulk: false,
            urgency: Urgency::Now,
            shared: false,
            unkept: false,
            copies: Copies::default(),
        }
    }
}
