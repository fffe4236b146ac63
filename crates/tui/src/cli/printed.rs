//! Up to where `listen` has printed, kept in the folder of the account.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use client::store::{MessageId, Position};
use serde::{Deserialize, Serialize};

use crate::disk;
use crate::failure::Failure;
use crate::profile::{LISTENED, Profile};

/// Which messages were printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Printed {
    /// All up to this number.
    pub(super) id: i64,
    /// Some beyond it, while others are still to come.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) beyond: BTreeSet<i64>,
    /// Whatever stands before this is history.
    pub(super) floor: u64,
}

/// The place of the newest message, as far as it was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest(Arc<Mutex<u64>>);

impl Newest {
    pub(crate) fn raise(&self, position: Position) {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *newest = position.0.max(*newest);
    }

    fn position(&self) -> u64 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listening begins now, unless it did before.
pub(crate) fn begin(profile: &Profile, newest: &Newest) -> Result<(), Failure> {
    match Printed::load(profile) {
        Some(_) => Ok(()),
        None => Printed { floor: newest.position(), ..Printed::default() }.save(profile),
    }
}

impl Printed {
    pub(super) fn load(profile: &Profile) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(profile.path(LISTENED)).ok()?).ok()
    }

    /// A message was printed; `waiting` is the lowest number of those that are not.
    pub(super) fn add(&mut self, id: MessageId, waiting: Option<MessageId>) {
        self.beyond.insert(id.0);
        let rest = waiting.map_or_else(BTreeSet::new, |waiting| self.beyond.split_off(&waiting.0));
        let done = std::mem::replace(&mut self.beyond, rest);
        self.id = done.last().map_or(self.id, |last| self.id.max(*last));
    }

    pub(super) fn save(&self, profile: &Profile) -> Result<(), Failure> {
        let failed = |error| Failure::Storage(disk::words(&error, &profile.path(LISTENED)));
        self.write(profile).map_err(failed)
    }

    pub(super) fn write(&self, profile: &Profile) -> io::Result<()> {
        profile.write(LISTENED, &serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_printing_stopped_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::at(folder.path());
        assert_eq!(Printed::load(&profile), None);
        let newest = Newest::default();
        newest.raise(Position(9));
        newest.raise(Position(7));
        begin(&profile, &newest).unwrap();
        assert_eq!(Printed::load(&profile), Some(Printed { floor: 9, ..Printed::default() }));
        newest.raise(Position(20));
        begin(&profile, &newest).unwrap();
        assert_eq!(Printed::load(&profile), Some(Printed { floor: 9, ..Printed::default() }));
    }
}
