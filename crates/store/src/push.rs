//! Where the devices of an account want to be woken (XEP-0357): one row for each service and node.

use bytes::Bytes;

use crate::{AccountId, Fut, Millis};

/// One place to send notifications to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whose device is woken.
    pub account: AccountId,
    /// Address of the service.
    pub service: Box<str>,
    /// The node there; empty when the client named none.
    pub node: Box<str>,
    /// Resource of the session that asked for it last.
    pub resource: Box<str>,
    /// When that was.
    pub enabled_at: Millis,
    /// How to send: in a format of the caller.
    pub details: Bytes,
}

/// Push registrations.
pub trait Push: Send + Sync {
    /// Adds a registration, or replaces the one of the same account, service and node.
    fn save(&self, registration: Registration) -> Fut<'_, ()>;

    /// Replaces the details of a registration, if it is still the one that was made at `enabled_at`.
    /// Otherwise nothing happens.
    fn update(&self, registration: Registration) -> Fut<'_, ()>;

    /// Forgets one registration, or with `node` absent all of a service. Returns how many.
    fn delete(&self, account: AccountId, service: &str, node: Option<&str>) -> Fut<'_, u64>;

    /// Registrations of one account or of all, in order of account, service and node.
    fn list(&self, account: Option<AccountId>) -> Fut<'_, Vec<Registration>>;
}
