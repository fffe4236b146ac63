//! XEP-0441: Message Archive Management Preferences 0.2.

use crate::{AccountId, Fut};

/// Most addresses in both lists together.
pub const MAX_RULES: usize = 2000;

/// What is archived when no list names the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Everything.
    #[default]
    Always,
    /// Nothing.
    Never,
    /// Contacts only.
    Roster,
}

/// What an account wants archived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The rule for addresses in neither list.
    pub default: Policy,
    /// Always archived.
    pub always: Vec<Box<str>>,
    /// Never archived.
    pub never: Vec<Box<str>>,
}

/// Archiving preferences.
pub trait Prefs: Send + Sync {
    /// `None` when the account never set any.
    fn load(&self, account: AccountId) -> Fut<'_, Option<Preferences>>;

    /// Replaces them.
    ///
    /// # Errors
    /// [`crate::StoreError::Limit`] when the lists have more than [`MAX_RULES`] entries.
    fn save(&self, account: AccountId, preferences: Preferences) -> Fut<'_, ()>;
}
