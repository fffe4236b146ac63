//! The conformance suite on disk and in memory, and what is SQLite's alone.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Options, open, open_in_memory};
use crate::Store;
use crate::conformance::{Case, block_on};

mod crash;
mod deletion;
mod device;
mod model;
mod opening;
mod upkeep;

/// A directory that goes with the test.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the temporary directory can be written");
        Directory(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn database(&self) -> PathBuf {
        self.0.join("anemone.db")
    }

    pub(super) fn open(&self) -> Store {
        self.open_with(Options::default())
    }

    pub(super) fn open_with(&self, options: Options) -> Store {
        open(&self.database(), options).expect("the database opens")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Closes, so that the files can be looked at.
pub(super) fn close(store: Store) {
    block_on(store.maintenance.close()).expect("closed");
}

fn on_disk(case: impl for<'a> FnOnce(&'a Store) -> Case<'a>) {
    let directory = Directory::new();
    let store = directory.open();
    block_on(case(&store));
    assert_eq!(block_on(store.maintenance.check()), Ok(vec![]));
}

fn in_memory(case: impl for<'a> FnOnce(&'a Store) -> Case<'a>) {
    let store = open_in_memory(Options::default()).expect("memory opens");
    block_on(case(&store));
    assert_eq!(block_on(store.maintenance.check()), Ok(vec![]));
}

mod disk {
    crate::conformance_tests!(crate::sqlite::tests::on_disk);
}

mod memory {
    crate::conformance_tests!(crate::sqlite::tests::in_memory);
}
