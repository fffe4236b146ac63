//! Faults on demand, for tests of what happens when the device fails.

use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;

use crate::StoreError;

/// Makes writes fail. Handed in by [`super::Options::faults`]; one that nobody touches costs a relaxed
/// load per transaction.
#[derive(Debug, Default)]
pub struct Faults {
    page_limit: AtomicU32,
    commits: Mutex<Vec<StoreError>>,
}

impl Faults {
    /// From the next transaction on the database may have at most this many pages, so that it is full;
    /// 0 takes the limit away.
    pub fn limit_pages(&self, pages: u32) {
        self.page_limit.store(pages, Ordering::Relaxed);
    }

    /// The next commit fails with this error; several calls, several commits.
    pub fn fail_commit(&self, error: StoreError) {
        self.commits.lock().insert(0, error);
    }

    pub(super) fn page_limit(&self) -> u32 {
        self.page_limit.load(Ordering::Relaxed)
    }

    pub(super) fn before_commit(&self) -> Result<(), StoreError> {
        match self.commits.lock().pop() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
