//! How long single archives are kept, where that is not as long as all others.

use crate::{AccountId, Fut};

/// What was said about one archive, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Which archive: an account's, or that of a room ([`crate::rooms::RoomId::archive`]).
    pub archive: AccountId,
    /// What the operator says, 0 for ever; `None` for as long as all others.
    pub days: Option<u32>,
    /// What the account says, or the owners of the room.
    pub own: Option<u32>,
}

/// How long single archives are kept. What follows from it is the caller's to decide, who removes what is too
/// old with [`crate::archive::Archive::expire_one`].
pub trait Retentions: Send + Sync {
    /// The archives about which something was ever said, in order of number.
    fn list(&self) -> Fut<'_, Vec<Retention>>;

    /// What was said about one.
    fn of(&self, archive: AccountId) -> Fut<'_, Retention>;

    /// What the operator says; nothing, of an account or a room that is gone.
    fn set(&self, archive: AccountId, days: Option<u32>) -> Fut<'_, ()>;

    /// What an account says itself, while there is one. What the owners of a room say is written with the room
    /// ([`crate::rooms::Card::kept_days`]).
    fn choose(&self, account: AccountId, days: Option<u32>) -> Fut<'_, ()>;
}
