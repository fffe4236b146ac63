//! XEP-0191: Blocking Command 1.3, the list of an account.

use crate::{AccountId, Fut};

/// Most addresses on one list.
pub const MAX_BLOCKS: usize = 5000;

/// One change of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds these addresses; those already there stay.
    Block(Vec<Box<str>>),
    /// Takes these off.
    Unblock(Vec<Box<str>>),
    /// Takes all off.
    UnblockAll,
}

/// Blocked addresses.
pub trait Blocks: Send + Sync {
    /// The list in order of address.
    fn load(&self, account: AccountId) -> Fut<'_, Vec<Box<str>>>;

    /// Changes the list, all or nothing.
    ///
    /// # Errors
    /// [`crate::StoreError::Limit`] when it would pass [`MAX_BLOCKS`].
    fn apply(&self, account: AccountId, change: Change) -> Fut<'_, ()>;
}
