//! What administrators did: entries in order, each with the hash of the one before it, so that none can be
//! changed, put in or taken out unseen.

use sha2::{Digest as _, Sha256};

use crate::{Fut, Millis};

/// The hash of an entry (SHA-256).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EntryHash(pub [u8; 32]);

/// Something that was done, or was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    /// When.
    pub at: Millis,
    /// By which way in.
    pub door: Box<str>,
    /// Who.
    pub actor: Box<str>,
    /// What.
    pub command: Box<str>,
    /// On whom or what.
    pub subject: Box<str>,
    /// What became of it.
    pub outcome: Box<str>,
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number. One after the other, and none twice.
    pub number: i64,
    /// What was done.
    pub entry: NewEntry,
    /// The hash of the entry before; zeros before the first one.
    pub previous: EntryHash,
    /// Its own hash.
    pub hash: EntryHash,
}

impl NewEntry {
    /// The hash of this entry at its place.
    #[must_use]
    pub fn hash(&self, number: i64, previous: &EntryHash) -> EntryHash {
        let mut hash = Sha256::new();
        hash.update(previous.0);
        hash.update(number.to_be_bytes());
        hash.update(self.at.0.to_be_bytes());
        for part in [&self.door, &self.actor, &self.command, &self.subject, &self.outcome] {
            // With its length, so that no letter can move from one part to the next.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        EntryHash(hash.finalize().into())
    }
}

impl Entry {
    /// Whether the hash is the one of what the entry says.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        self.entry.hash(self.number, &self.previous) == self.hash
    }

    /// Whether this entry stands behind the other one.
    #[must_use]
    pub fn follows(&self, before: &Entry) -> bool {
        Some(self.number) == before.number.checked_add(1) && self.previous == before.hash
    }
}

/// What administrators did.
pub trait Audit: Send + Sync {
    /// Writes an entry behind all others.
    fn append(&self, entry: NewEntry) -> Fut<'_, Entry>;

    /// Newest first, those before `before`, at most `limit`.
    fn newest(&self, before: Option<i64>, limit: u32) -> Fut<'_, Vec<Entry>>;

    /// Oldest first, those after `after`, at most `limit`.
    fn oldest(&self, after: Option<i64>, limit: u32) -> Fut<'_, Vec<Entry>>;

    /// How many entries name somebody as who did it or among those it was done to.
    fn about(&self, address: &str) -> Fut<'_, u64>;

    /// Removes entries made before `before` from the beginning, never the last one: the next one has its
    /// hash. Returns how many.
    fn expire(&self, before: Millis) -> Fut<'_, u64>;
}
