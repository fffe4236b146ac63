//! XEP-0198 sessions that wait on disk while the server restarts.

use bytes::Bytes;

use crate::{AccountId, Fut, Millis};

/// A session at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hibernated {
    /// The resumption id.
    pub id: Box<str>,
    /// Whose.
    pub account: AccountId,
    /// When it can no longer be resumed.
    pub expires_at: Millis,
    /// The caller's own format.
    pub snapshot: Bytes,
}

/// Sessions at rest.
pub trait Sessions: Send + Sync {
    /// Keeps these, replacing those of the same id. In short transactions, so that a great number
    /// does not hold up others; all are durable when the future resolves.
    fn save(&self, sessions: Vec<Hibernated>) -> Fut<'_, ()>;

    /// Removes and returns all that can still be resumed at `now`; removes the others.
    fn take_all(&self, now: Millis) -> Fut<'_, Vec<Hibernated>>;
}
