//! An account in a folder of a machine: the database, its key in a file of its own, and a lock.

use std::path::{Path, PathBuf};

use client::store::{Result, StoreError};

use crate::error::OpenError;
use crate::key::{KeyFile, Protection, Unlock};
use crate::lock::Lock;
use crate::seal::{self, Key};
use crate::{Home, SqliteStore, connect};

/// What a store in a folder holds beside its database.
pub(crate) struct Folder {
    key: KeyFile,
    /// Held as long as the store is open.
    _lock: Lock,
}

impl Folder {
    /// Forgets the data key and puts another one in its place.
    pub(crate) fn replace_key(&self) -> Result<Key> {
        let data_key = seal::random_key()?;
        self.key.replace(&data_key).map_err(|error| StoreError::Io(error.to_string()))?;
        Ok(data_key)
    }
}

impl SqliteStore {
    /// Opens the account of a folder, or makes one there, protected as `unlock` says.
    ///
    /// # Errors
    /// See [`OpenError`]. Nothing was changed then, apart from migrations that were finished.
    pub fn open(folder: &Path, unlock: &Unlock) -> Result<Self, OpenError> {
        connect::make_folder(folder)?;
        let lock = Lock::take(&folder.join(LOCK))?;
        let path = folder.join(DATABASE);
        let (key, data_key) = KeyFile::open(&folder.join(KEY), path.exists(), unlock)?;
        connect::make_database(&path)?;
        let db = connect::on_disk(&path, None)?;
        Self::of(db, &data_key, Home::Folder(Folder { key, _lock: lock }))
            .map_err(|error| OpenError::storage(&path, error))
    }

    /// How the account of a folder is protected; `None` when there is none.
    ///
    /// # Errors
    /// The key file cannot be read.
    pub fn protection(folder: &Path) -> Result<Option<Protection>, OpenError> {
        KeyFile::protection(&folder.join(KEY))
    }

    /// Protects the account in another way from now on. The data key stays the same. Does nothing
    /// where the key is not in a file.
    ///
    /// # Errors
    /// The key file cannot be written, or the keyring refuses; the old protection is in force then.
    pub fn protect(&mut self, unlock: &Unlock) -> Result<(), OpenError> {
        match &mut self.home {
            Home::Folder(folder) => folder.key.protect(unlock, self.sealer.borrow().data_key()),
            Home::Memory | Home::WithKey => Ok(()),
        }
    }
}

/// All files of an account that this crate makes, relative to its folder.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    [DATABASE, WAL, KEY, LOCK].map(PathBuf::from).into()
}

const DATABASE: &str = "account.db";
const WAL: &str = "account.db-wal";
const KEY: &str = "account.key";
const LOCK: &str = "account.lock";
