//! Requests for an account from the form at the front door, which the operator approves into an
//! invitation or declines.

use crate::{Fut, Millis};

/// Most requests that wait for a decision; further ones are refused.
pub const MAX_OPEN: usize = 500;

/// Number of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub i64);

/// Where a request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Waits.
    #[default]
    Open,
    /// An invitation was made.
    Approved,
    /// Declined.
    Declined,
}

/// What was written into the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    /// Wanted name.
    pub name: Box<str>,
    /// How to reach the person.
    pub contact: Box<str>,
    /// Why.
    pub text: Box<str>,
    /// When.
    pub at: Millis,
}

/// A stored request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Number.
    pub id: RequestId,
    /// The form.
    pub request: NewRequest,
    /// Where it stands.
    pub state: State,
    /// When it was decided.
    pub decided_at: Option<Millis>,
}

/// Requests for an account.
pub trait Requests: Send + Sync {
    /// Stores a request.
    ///
    /// # Errors
    /// [`crate::StoreError::Limit`] when [`MAX_OPEN`] wait already.
    fn create(&self, request: NewRequest) -> Fut<'_, RequestId>;

    /// Oldest first, those after `after`, in one state or in all, at most `limit`.
    fn list(
        &self,
        state: Option<State>,
        after: Option<RequestId>,
        limit: u32,
    ) -> Fut<'_, Vec<Request>>;

    /// Decides an open request and returns it; `None` when there is no such open request.
    fn decide(&self, id: RequestId, state: State, at: Millis) -> Fut<'_, Option<Request>>;

    /// Removes requests made before `before`, decided or not. Returns how many.
    fn expire(&self, before: Millis) -> Fut<'_, u64>;
}
