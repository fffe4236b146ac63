//! XEP-0060: Publish-Subscribe 1.30.0, the nodes of an account and what is in them.
//!
//! A node is an ordered map from item ids to items; publishing an id again moves it to the end
//! (XEP-0060 §12.1). Configuration and payloads are bytes of the caller's own choosing. Everything
//! that a publication does (making the node, replacing, making room, counting against the quota)
//! is one transaction.

use bytes::Bytes;

use crate::{AccountId, Fut, Millis, StoreError};

/// What an item or a node costs against the quota besides its own bytes.
pub const OVERHEAD: u64 = 128;

/// Most items of one page.
pub const MAX_PAGE: u32 = 1000;

/// One node without its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name, unique within the account.
    pub name: Box<str>,
    /// Its configuration.
    pub config: Bytes,
    /// When it was made.
    pub created: Millis,
    /// Bare address and affiliation of others than the account, in order of address.
    pub affiliations: Vec<(Box<str>, Box<str>)>,
    /// Explicit subscriptions, in order of address.
    pub subscriptions: Vec<Subscription>,
}

/// One explicit subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The subscribed address, unique within the node.
    pub jid: Box<str>,
    /// Waits for the owner's approval.
    pub pending: bool,
    /// Notifications are wanted.
    pub deliver: bool,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id, unique within the node.
    pub id: Box<str>,
    /// Full address of the publisher.
    pub publisher: Box<str>,
    /// When it was published.
    pub published: Millis,
    /// The payload, if it has one.
    pub payload: Option<Bytes>,
}

/// Items to be added to a node, and what may be done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The node. With `create`, it is made with this configuration and must not be there.
    pub node: Box<str>,
    /// Configuration and time for a node that is to be made.
    pub create: Option<(Bytes, Millis)>,
    /// The items in order, the newest last. None of them twice.
    pub items: Vec<Item>,
    /// How many items the node holds afterwards at most; the oldest go first.
    pub keep: u32,
    /// Whether a full node refuses instead of letting the oldest go.
    pub reject_when_full: bool,
    /// Items published before this have expired and are removed.
    pub horizon: Option<Millis>,
    /// Bytes that all nodes of the account may have afterwards.
    pub quota: u64,
    /// What some of these nodes may have together, if there is a bound of their own for them.
    pub share: Option<Share>,
}

/// A bound for the nodes with which one address has one affiliation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The bare address.
    pub jid: Box<str>,
    /// The affiliation.
    pub affiliation: Box<str>,
    /// Bytes that these nodes may have afterwards.
    pub quota: u64,
}

/// What a publication did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Ids of the items that had to go to make room, oldest first. Expired ones are not listed.
    pub evicted: Vec<Box<str>>,
    /// Bytes that all nodes of the account now have.
    pub used: u64,
}

/// Why nothing was published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The nodes of the account, or those of a share, would pass the quota.
    #[error("the quota of the account is used up")]
    Quota,
    /// The node is full and keeps what it has.
    #[error("the node is full")]
    NodeFull,
    /// There is no such node, or there is one where it was to be made.
    #[error("the node is not as expected")]
    Node,
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which items to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// From the oldest.
    #[default]
    First,
    /// These, as far as they exist, in order of publication.
    Ids(Vec<Box<str>>),
    /// Those directly after the item of this id.
    After(Box<str>),
    /// Those directly before the item of this id.
    Before(Box<str>),
    /// The newest.
    Last,
    /// From the item of this number, counted from 0.
    Index(u64),
}

/// The order of a node's items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By the last publication of an id.
    #[default]
    Modified,
    /// By the first one.
    Made,
}

/// What to read from a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The node.
    pub node: Box<str>,
    /// Which items.
    pub select: Select,
    /// At most so many, at most [`MAX_PAGE`]; 0 asks for the count alone.
    pub max: u32,
    /// At most so many bytes of payload, but one item if there is any.
    pub max_bytes: u64,
    /// Leaves out items published before this: they have expired.
    pub horizon: Option<Millis>,
    /// Leaves payloads out.
    pub ids_only: bool,
    /// What [`Query::select`] means by old and new.
    pub order: Order,
    /// Everything the other way round (XEP-0413 §4.4): the newest item is the first.
    pub descending: bool,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The items in the order that was asked for.
    pub items: Vec<Item>,
    /// How many items the node has.
    pub count: u64,
    /// How many items come before the page's first; without meaning for [`Select::Ids`].
    pub index: u64,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The id to start from is not in the node.
    #[error("the node has no such item")]
    UnknownItem,
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A change of a node that is not a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes the node, with this configuration, at this time.
    Create(Bytes, Millis),
    /// Replaces the configuration and removes the oldest items beyond this number.
    Configure(Bytes, u32),
    /// Sets affiliations by bare address; `None` removes.
    Affiliate(Vec<(Box<str>, Option<Box<str>>)>),
    /// Adds or replaces subscriptions by address.
    Subscribe(Vec<Subscription>),
    /// Removes subscriptions by address.
    Unsubscribe(Vec<Box<str>>),
    /// Removes items by id.
    Retract(Vec<Box<str>>),
    /// Removes all items.
    Purge,
    /// Removes the node with everything in it.
    Delete,
}

/// The nodes of accounts.
pub trait Pubsub: Send + Sync {
    /// All nodes of an account in order of name.
    fn nodes(&self, account: AccountId) -> Fut<'_, Vec<Node>>;

    /// Adds items, all or none.
    fn publish(
        &self,
        account: AccountId,
        publication: Publication,
    ) -> Fut<'_, Published, PublishError>;

    /// Changes a node, in order, all or nothing. Returns how many items were removed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the node to be made exists, or the one to be changed does not.
    fn change(&self, account: AccountId, node: &str, changes: Vec<Change>) -> Fut<'_, u64>;

    /// One page of items. An unknown node has none.
    fn items(&self, account: AccountId, query: Query) -> Fut<'_, Page, PageError>;

    /// Bytes that all nodes of an account have: names, configurations, ids and payloads, and
    /// [`OVERHEAD`] for each node and item.
    fn used(&self, account: AccountId) -> Fut<'_, u64>;
}
