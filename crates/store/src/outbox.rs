//! Stanzas on their way to other domains: they stay here until the other server has them.

use std::sync::Arc;

use bytes::Bytes;

use crate::archive::{Busy, Ticket, Unit};
use crate::{AccountId, Fut, Millis};

/// Most rows that one call loads.
pub const MAX_LOAD: u32 = 500;

/// A stanza that waits for another domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Counted up by the caller from [`Outbox::next`], never twice.
    pub id: u64,
    /// The domain it comes from.
    pub local: Box<str>,
    /// The domain it goes to.
    pub remote: Box<str>,
    /// Whose it is, if an account sent it. It goes with the account.
    pub account: Option<AccountId>,
    /// When it was given up for delivery.
    pub at: Millis,
    /// The stanza as it is to be sent.
    pub stanza: Bytes,
}

/// What waits for one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The domain the stanzas come from.
    pub local: Box<str>,
    /// The domain they go to.
    pub remote: Box<str>,
    /// How many.
    pub count: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Id of the newest.
    pub newest: u64,
    /// When the oldest came.
    pub since: Millis,
}

/// The outbox. Reads see what was sent before, once `archive::Archive::barrier` has resolved.
pub trait Outbox: Send + Sync {
    /// Submits a parcel together with archive rows: all of it becomes durable, or nothing. Runs in
    /// one order with `archive::Archive::append`.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full; the ticket is not told in that case.
    fn send(
        &self,
        parcel: Parcel,
        unit: Unit,
        ticket: Option<(Arc<dyn Ticket>, u64)>,
    ) -> Result<(), Busy>;

    /// The id to give to the next parcel: greater than that of everything that waits.
    fn next(&self) -> Fut<'_, u64>;

    /// What waits, by pair of domains.
    fn waiting(&self) -> Fut<'_, Vec<Waiting>>;

    /// Parcels from `local` to `remote` with ids greater than `after`, in order, at most `limit`
    /// and [`MAX_LOAD`].
    fn load(
        &self,
        local: Box<str>,
        remote: Box<str>,
        after: u64,
        limit: u32,
    ) -> Fut<'_, Vec<Parcel>>;

    /// These have arrived, or their senders were told that they will not. Unknown ids are passed
    /// over.
    fn done(&self, ids: Vec<u64>) -> Fut<'_, ()>;

    /// The sender of this one is told with a row of `archive` that was submitted before. Returns `false`, and the
    /// parcel stays, when that row was not written.
    fn returned(&self, id: u64, archive: AccountId, row: u64) -> Fut<'_, bool>;

    /// There was a stream with `remote` at this time. What is older than `horizon` is forgotten, of all
    /// domains.
    fn reached(&self, remote: Box<str>, at: Millis, horizon: Millis) -> Fut<'_, ()>;

    /// The domains there were streams with lately, the latest first, at most `most`.
    fn all_reached(&self, most: u32) -> Fut<'_, Vec<(Box<str>, Millis)>>;
}
