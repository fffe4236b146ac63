//! RFC 6121 §2 and §3: contacts, subscriptions, waiting requests; XEP-0237 (RFC 6121 §2.6) versions.

use bytes::Bytes;

use crate::{AccountId, Fut, Millis};

/// Most waiting requests of one account; further ones are refused.
pub const MAX_REQUESTS: usize = 1000;
/// Most remembered removals of one account; older versions get the whole roster.
pub const MAX_REMOVALS: usize = 200;

/// State of a subscription, as in the `subscription` attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subscription {
    /// Neither side.
    #[default]
    None,
    /// The account sees the contact.
    To,
    /// The contact sees the account.
    From,
    /// Both.
    Both,
}

/// One contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// Bare address.
    pub jid: Box<str>,
    /// Name given by the user.
    pub name: Option<Box<str>>,
    /// State.
    pub subscription: Subscription,
    /// A request of ours is unanswered (`ask='subscribe'`).
    pub ask: bool,
    /// The contact's request is approved in advance (RFC 6121 §3.4).
    pub approved: bool,
    /// Groups, in the order given.
    pub groups: Vec<Box<str>>,
}

/// A subscription request that waits for an answer (RFC 6121 §3.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Bare address of who asks.
    pub jid: Box<str>,
    /// When it came.
    pub at: Millis,
    /// The whole presence stanza, delivered again at each login.
    pub stanza: Bytes,
}

/// A roster as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Grows with every change of an item; 0 for a roster never changed.
    pub version: u64,
    /// Contacts in order of address.
    pub items: Vec<Item>,
    /// Waiting requests, oldest first.
    pub requests: Vec<Request>,
}

/// One entry of the difference between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Added or changed; the item as it is now.
    Item(Item),
    /// Removed.
    Removed(Box<str>),
}

/// One change. Only `Put` and `Remove` change the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds the item or replaces the one of the same address.
    Put(Item),
    /// Removes the item of this address.
    Remove(Box<str>),
    /// Keeps a request, replacing an earlier one of the same address.
    Ask(Request),
    /// Forgets the request of this address.
    Answered(Box<str>),
}

/// Contacts.
pub trait Roster: Send + Sync {
    /// Everything.
    fn load(&self, account: AccountId) -> Fut<'_, Snapshot>;

    /// Applies changes in order, in one transaction, each `Put` and effective `Remove` with a version
    /// of its own. Returns the version after the last: a push of change *k* of *n* item changes has
    /// version `returned - (n - k)`.
    ///
    /// # Errors
    /// [`crate::StoreError::Limit`] when there would be more than [`MAX_REQUESTS`] requests.
    fn apply(&self, account: AccountId, changes: Vec<Change>) -> Fut<'_, u64>;

    /// What changed after a version, oldest change first, with the current version; `None` when the
    /// version is unknown or too old, in which case the whole roster is to be sent.
    fn since(&self, account: AccountId, version: u64) -> Fut<'_, Option<(u64, Vec<Difference>)>>;
}
