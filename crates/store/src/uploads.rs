//! XEP-0363: HTTP File Upload 1.2.0, what is known of the files; their bytes are not here.
//!
//! A row begins as a slot: room that is reserved for a file. It becomes a file when its bytes are on
//! disk, and ends up among the [`Uploads::leftovers`] however it goes (deleted, expired, with its
//! account), so that whoever keeps the bytes learns which to remove even after a crash.

use crate::{AccountId, Fut, Millis, StoreError};

/// Names a file: random bytes that nobody can guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub [u8; 16]);

/// What a file is for; decides how long it stays and which quota it counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Sent in a message.
    Message,
    /// Shown in a profile, such as an avatar.
    Profile,
    /// Wanted for a short time only.
    Ephemeral,
    /// Kept until somebody deletes it.
    Permanent,
}

/// One file, or the slot for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub id: FileId,
    /// Whose it is.
    pub account: AccountId,
    /// The name its owner gave it.
    pub name: Box<str>,
    /// Media type, if the owner said one.
    pub media: Option<Box<str>>,
    /// Exact size in bytes.
    pub size: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// When the slot was made.
    pub created: Millis,
    /// When an unused slot ends.
    pub slot_ends: Millis,
    /// When the file ends; `None` for never.
    pub expires: Option<Millis>,
    /// SHA-256 of its bytes; `None` while it is a slot.
    pub sha256: Option<[u8; 32]>,
}

/// What the files and slots of an account may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of those with the same purpose as the new one; [`Purpose::Message`] and
    /// [`Purpose::Ephemeral`] count together.
    pub bytes: u64,
    /// Files of any purpose.
    pub files: u64,
    /// Slots that are not files yet.
    pub slots: u64,
}

/// A place in the list of an account's files, the newest first. It is there with and without the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// When the slot of the file was made.
    pub created: Millis,
    /// Its name.
    pub id: FileId,
}

/// Which files of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// The newest.
    #[default]
    First,
    /// Those after a place: older ones.
    After(Place),
    /// The last ones before a place.
    Before(Place),
    /// The oldest.
    Last,
    /// From this number on, counted from 0.
    From(u64),
}

/// What an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Files and slots.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why there is no slot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// The budget would be passed.
    #[error("the quota of the account is used up")]
    Quota {
        /// Bytes that are used of it.
        used: u64,
        /// The earliest time at which some of it ends by itself.
        until: Option<Millis>,
    },
    /// The account has as many files as it may.
    #[error("the account has too many files")]
    Files,
    /// The account has as many unused slots as it may.
    #[error("the account has too many unused slots")]
    Slots {
        /// When the first of them ends.
        until: Millis,
    },
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The files of accounts.
pub trait Uploads: Send + Sync {
    /// Reserves room for a file.
    ///
    /// # Errors
    /// See [`ReserveError`]; a slot that ended counts no more.
    fn reserve(&self, slot: File, budget: Budget, now: Millis) -> Fut<'_, (), ReserveError>;

    /// The file or slot of this name.
    fn load(&self, id: FileId) -> Fut<'_, Option<File>>;

    /// Its bytes are coming: a slot ends at another time. `false` when there is no such slot.
    fn prolong(&self, id: FileId, slot_ends: Millis) -> Fut<'_, bool>;

    /// The bytes are on disk: the slot becomes a file of this media type. `false` when there is no
    /// such slot any more; the bytes are then to be removed.
    fn complete(&self, id: FileId, media: &str, sha256: [u8; 32]) -> Fut<'_, bool>;

    /// Files of an account, the newest first, without slots.
    fn list(&self, account: AccountId, select: Select, limit: u32) -> Fut<'_, Vec<File>>;

    /// How many files an account has: those before a place of the list, and all.
    fn count(&self, account: AccountId, before: Option<Place>) -> Fut<'_, (u64, u64)>;

    /// What each of these purposes takes of an account, slots included.
    fn usage(&self, account: AccountId, purposes: Vec<Purpose>) -> Fut<'_, Usage>;

    /// For how many accounts the usage is not what their files and slots come to: none, unless the
    /// database was changed by something else.
    fn miscounted(&self) -> Fut<'_, u64>;

    /// Removes files of an account, all of them when none is named. Returns how many there were.
    fn delete(&self, account: AccountId, ids: Option<Vec<FileId>>) -> Fut<'_, u64>;

    /// Removes up to `limit` files and slots that ended before or at `now`. Returns how many.
    fn expire(&self, now: Millis, limit: u64) -> Fut<'_, u64>;

    /// Names of files that are gone and whose bytes may still be there.
    fn leftovers(&self, limit: u32) -> Fut<'_, Vec<FileId>>;

    /// The bytes of these are gone, too.
    fn cleared(&self, ids: Vec<FileId>) -> Fut<'_, ()>;
}
