//! The SQLite backend.

use std::path::Path;
use std::sync::Arc;

use crate::{OpenError, Store, StoreError};

/// Called on the writer's thread.
pub type OnFatal = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// How to open.
#[derive(Clone)]
pub struct Options {
    /// Reading threads; each has its own connection. 0: as many as fits the machine.
    pub readers: usize,
    /// Most units and other writes that may wait for the writer.
    pub queue_items: usize,
    /// Most bytes of stanzas that may wait for the writer.
    pub queue_bytes: usize,
    /// Told when the process must exit ([`StoreError::Fatal`]) or damage was found while serving
    /// ([`StoreError::Corrupt`]).
    pub on_fatal: Option<OnFatal>,
}

impl Default for Options {
    fn default() -> Self {
        Options { readers: 0, queue_items: 16_384, queue_bytes: 64 << 20, on_fatal: None }
    }
}

/// Opens or creates the database at `path` and takes the lock beside it.
///
/// # Errors
/// See [`OpenError`]; nothing is left locked.
pub fn open(path: &Path, _options: Options) -> Result<Store, OpenError> {
    Err(OpenError::Access { path: path.to_owned(), detail: "under construction".to_owned() })
}

/// A database that lives in memory, for tests and trials: the same engine without a file.
///
/// # Errors
/// See [`OpenError`].
pub fn open_in_memory(options: Options) -> Result<Store, OpenError> {
    open(Path::new(":memory:"), options)
}
