//! XEP-0313: Message Archive Management 1.1, and XEP-0160 offline delivery derived from it.
//!
//! An archive is a sequence of rows in the order of their ids, which the caller counts up from
//! [`Tail::next`]. Rows come through [`Archive::append`], which costs no allocation beyond the rows
//! and tells a [`Ticket`] when they are durable.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{AccountId, Fut, Millis, StoreError};

/// Most rows a page may have, whatever the query says.
pub const MAX_PAGE: u32 = 250;
/// Most entries of [`Tail::origins`].
pub const MAX_ORIGINS: usize = 4096;
/// Most ids a query may list.
pub const MAX_IDS: usize = 500;

/// One row for one account's archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Whose archive.
    pub account: AccountId,
    /// Counted up from [`Tail::next`], 1 to [`MAX_ID`], never twice. Units of several senders may be
    /// submitted in another order than their ids were counted; the order of the archive is that of
    /// the ids.
    pub id: u64,
    /// When the message was received. Need not grow with the id (the clock may jump).
    pub at: Millis,
    /// The other side's bare address; the account's own for a message to itself. In a room the author's, or the
    /// room's where nobody knows.
    pub with: Box<str>,
    /// The other side's resource; in a room the author's nickname.
    pub resource: Option<Box<str>>,
    /// The account sent it.
    pub outgoing: bool,
    /// Hash of sending device, recipient and origin id (XEP-0359), for [`Tail::origins`]; outgoing rows only.
    pub origin_hash: Option<u64>,
    /// Waits for the account to come online (XEP-0160).
    pub pending: bool,
    /// Kept for offline delivery alone: not in archive results, removed once no longer pending.
    pub hidden: bool,
    /// The stanza as it is to be forwarded. Rows of one unit with equal bytes are stored once.
    pub stanza: Bytes,
}

/// Rows that become durable together or not at all: the sender's and the recipient's.
pub type Unit = SmallVec<[Append; 2]>;

/// Greatest id of a row.
pub const MAX_ID: u64 = 1 << 62;

/// Who is told that a unit is durable.
pub trait Ticket: Send + Sync {
    /// The unit submitted with this tag is on disk, or nothing of it is. Called once per unit, on the
    /// writer's thread, in the order of submission; must not block.
    fn settled(&self, tag: u64, outcome: Result<(), &StoreError>);
}

/// The queue of the writer is full in rows or bytes, or the store is closed. The unit was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the storage queue is full")]
pub struct Busy;

impl From<Busy> for StoreError {
    fn from(_: Busy) -> Self {
        StoreError::Busy
    }
}

/// Where an archive ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The id to give to the next row. Greater than every id that may ever have been shown to anyone,
    /// also after rows were deleted, and after a crash that lost rows that were not yet durable.
    pub next: u64,
    /// Newest first: origin hash and id of outgoing rows since the asked time, at most
    /// [`MAX_ORIGINS`]. A resend with a known origin gets the id of the first (G4).
    pub origins: Vec<(u64, u64)>,
    /// Whether a row waits for a device.
    pub waits: bool,
}

/// The other side to filter by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct With {
    /// Bare address; `None` matches any.
    pub bare: Option<Box<str>>,
    /// Resource; `None` matches any (XEP-0313 §4.1.1).
    pub resource: Option<Box<str>>,
}

/// Which page of the matching rows (XEP-0059).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// From the oldest.
    #[default]
    First,
    /// Those directly after this id.
    After(u64),
    /// Those directly before this id.
    Before(u64),
    /// The newest: an empty `<before/>`.
    Last,
}

/// What to read from an archive. Every condition present must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Exchanged with this address.
    pub with: Option<With>,
    /// Received at or after.
    pub start: Option<Millis>,
    /// Received at or before.
    pub end: Option<Millis>,
    /// After this id, exclusive; it must exist.
    pub after_id: Option<u64>,
    /// Before this id, exclusive; it must exist.
    pub before_id: Option<u64>,
    /// Exactly these ids; all must exist. Empty: any.
    pub ids: Vec<u64>,
    /// Which page.
    pub page: Paging,
    /// Rows in the page, at most [`MAX_PAGE`]; 0 asks for the count alone.
    pub max: u32,
    /// Newest first within the page (`<flip-page/>`).
    pub flip: bool,
    /// Fill [`Page::count`] and [`Page::first_index`] when that is cheap.
    pub count: bool,
}

/// One archived stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Archive id.
    pub id: u64,
    /// When it was received.
    pub at: Millis,
    /// The account sent it.
    pub outgoing: bool,
    /// Not in the archive: kept for offline delivery alone. Only [`Archive::pending`] returns such.
    pub hidden: bool,
    /// As it was appended. The rows of one page share one allocation.
    pub stanza: Bytes,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In order of id, or the reverse when flipped.
    pub rows: Vec<Row>,
    /// Nothing matches beyond this page in the direction of paging.
    pub complete: bool,
    /// How many rows match in all; `None` when not asked for or too many to count.
    pub count: Option<u64>,
    /// How many matching rows stand before the page's oldest; with `count`, for a page that is not
    /// empty.
    pub first_index: Option<u64>,
}

/// Why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// An id named by the query is not in the archive: `item-not-found`.
    #[error("the archive has no message {0}")]
    UnknownId(u64),
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One end of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Archive id.
    pub id: u64,
    /// When it was received.
    pub at: Millis,
}

/// What to take from the offline queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clear {
    /// Everything up to and including this id.
    UpTo(u64),
    /// These ids.
    Ids(Vec<u64>),
}

/// Which rows of an archive are too old: those that were received before a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// Of those that a device has.
    pub delivered: Millis,
    /// Of those that wait for one.
    pub pending: Millis,
}

/// Messages. Reads see everything that was appended before they were called.
pub trait Archive: Send + Sync {
    /// Submits a unit. Units are written strictly in the order of this call.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full; the ticket is not told in that case.
    fn append(&self, unit: Unit, ticket: Option<(Arc<dyn Ticket>, u64)>) -> Result<(), Busy>;

    /// `None` while there is room for more. Otherwise a future that resolves when there is again:
    /// whoever takes messages from a network waits for it before the next one, so that more load
    /// than the disk bears slows its senders instead of being refused.
    fn room(&self) -> Option<Fut<'_, ()>>;

    /// Resolves when everything submitted before is durable or has failed.
    fn barrier(&self) -> Fut<'_, ()>;

    /// Where the archive ends, with the origins of outgoing rows received at or after `since`.
    fn tail(&self, account: AccountId, since: Millis) -> Fut<'_, Tail>;

    /// One page.
    fn page(&self, account: AccountId, query: Query) -> Fut<'_, Page, PageError>;

    /// Oldest and newest row (XEP-0313 §7), `None` for an empty archive.
    fn ends(&self, account: AccountId) -> Fut<'_, Option<(End, End)>>;

    /// Whether the account sent something to a bare address, as far as its newest rows tell.
    fn wrote_to(&self, account: AccountId, bare: &str) -> Fut<'_, bool>;

    /// Rows that wait for the account to come online, oldest first: those with ids greater than
    /// `after`, at most `limit`.
    fn pending(&self, account: AccountId, after: u64, limit: u32) -> Fut<'_, Vec<Row>>;

    /// Lets rows wait (again): a session ended whose client never acknowledged them. Ids that do not
    /// exist, and those of outgoing rows, are passed over.
    fn set_pending(&self, account: AccountId, ids: Vec<u64>) -> Fut<'_, ()>;

    /// Marks rows as delivered; hidden ones are removed. Returns how many were waiting.
    fn clear_pending(&self, account: AccountId, which: Clear) -> Fut<'_, u64>;

    /// Retention: removes rows received before `before` from all archives but those about which something
    /// was ever said ([`crate::retentions::Retentions::list`]), oldest first, in short
    /// transactions, at most `limit` rows; also goes on with interrupted removals of accounts.
    /// Returns how many were removed; less than `limit` means none are left. Their bytes are gone from the files
    /// after [`crate::maintenance::Maintenance::scrub`].
    fn expire(&self, before: Millis, limit: u64) -> Fut<'_, u64>;

    /// The same for one of those: reads the whole archive to find them, and removes about `limit` at most.
    fn expire_one(&self, archive: AccountId, before: Before, limit: u64) -> Fut<'_, u64>;

    /// Puts another stanza in the place of one row's, for good (XEP-0424 tombstones). Only for rows
    /// that came in units of their own, as those of rooms do. `false` when there is no such row.
    fn replace(&self, account: AccountId, id: u64, stanza: Bytes) -> Fut<'_, bool>;

    /// Removes all rows of an account but those that still wait for a device, in short transactions. Ids
    /// go on from where they were.
    fn purge(&self, account: AccountId) -> Fut<'_, u64>;
}
