//! Backup, checks, sizes, health, closing.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Fut, StoreError};

/// How far a backup is: pages copied and pages in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Copied.
    pub done: u64,
    /// In all; may grow while the server writes.
    pub total: u64,
}

/// A finished backup, synced to disk and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Accounts in it.
    pub accounts: u64,
    /// Archive rows in it.
    pub messages: u64,
}

/// Why there is no backup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// The target exists already; backups never overwrite.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The target cannot be written.
    #[error("cannot write {}: {detail}", path.display())]
    Target {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The copy did not pass its check.
    #[error("the backup did not pass its check: {0}")]
    Damaged(String),
    /// The environment's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How much is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes of the database file.
    pub database: u64,
    /// Bytes of the write-ahead log.
    pub log: u64,
    /// Bytes of the database that are free for reuse.
    pub free: u64,
    /// Accounts.
    pub accounts: u64,
    /// Units and other writes that wait for the writer.
    pub queued: u64,
    /// Bytes of stanzas that wait for the writer.
    pub queued_bytes: u64,
}

/// What the router asks before it delivers a message that must be archived. Cheap to clone and read.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<State>);

#[derive(Debug, Default)]
struct State {
    degraded: AtomicBool,
    damaged: AtomicBool,
}

impl Health {
    /// The last write failed because of the device, and none has succeeded since: refuse with
    /// `resource-constraint`, type `wait`, before delivering (G9). The writer itself finds out when
    /// the device works again, within about a second.
    pub fn is_degraded(&self) -> bool {
        self.0.degraded.load(Ordering::Relaxed)
    }

    /// Since the start a message was found that is not as it was written. It is not given out;
    /// [`Maintenance::damaged`] counts them.
    pub fn is_damaged(&self) -> bool {
        self.0.damaged.load(Ordering::Relaxed)
    }

    pub(crate) fn note_damage(&self) {
        self.0.damaged.store(true, Ordering::Relaxed);
    }

    /// Returns whether this is news.
    pub(crate) fn set_degraded(&self, degraded: bool) -> bool {
        self.0.degraded.swap(degraded, Ordering::Relaxed) != degraded
    }
}

/// Care of the whole store.
pub trait Maintenance: Send + Sync {
    /// Whether writes work.
    fn health(&self) -> Health;

    /// Copies the whole database into a new file while others read and write, syncs and checks it.
    /// The copy is one consistent moment: the last commit before the copy was finished.
    fn backup(
        &self,
        to: PathBuf,
        progress: Box<dyn Fn(Progress) + Send>,
    ) -> Fut<'_, Backup, BackupError>;

    /// Reads every page and every reference and returns what is wrong; empty is good.
    fn check(&self) -> Fut<'_, Vec<String>>;

    /// How many messages are not as they were written; reads all of them.
    fn damaged(&self) -> Fut<'_, u64>;

    /// How much is stored.
    fn sizes(&self) -> Fut<'_, Sizes>;

    /// Gives freed pages back to the file system, a few at a time; returns the bytes given back.
    fn compact(&self) -> Fut<'_, u64>;

    /// Leaves nothing in the files of what was removed. Returns whether readers let it; if not, it is done a little
    /// later.
    fn scrub(&self) -> Fut<'_, bool>;

    /// Writes what is queued, takes no more, and closes the database cleanly.
    fn close(&self) -> Fut<'_, ()>;
}
