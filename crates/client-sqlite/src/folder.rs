//! An account in a folder of a machine: the database, its key in a file of its own, and a lock.

use std::path::Path;

use client::store::{Result, StoreError};

use crate::error::OpenError;
use crate::key::{KeyFile, Protection, Unlock};
use crate::keyring::Keyring;
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

    /// Whether a folder has an account: a key or a database. What cannot be looked at counts as one,
    /// so that opening it says why.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        is_there(&folder.join(KEY)) || is_there(&folder.join(DATABASE))
    }

    /// How the account of a folder is protected; `None` when there is none.
    ///
    /// # Errors
    /// The key file cannot be read, or is missing beside a database.
    pub fn protection(folder: &Path) -> Result<Option<Protection>, OpenError> {
        let path = folder.join(KEY);
        match KeyFile::protection(&path)? {
            None if is_there(&folder.join(DATABASE)) => Err(OpenError::KeyMissing { path }),
            protection => Ok(protection),
        }
    }

    /// Removes the files of an account, and its key from the keyring if that has it. Other files of
    /// the folder stay. The key goes last, so that what is left of an interrupted removal can be
    /// removed once more.
    ///
    /// # Errors
    /// Another program has the account open, or a file cannot be removed.
    pub fn remove(folder: &Path, keyring: &Keyring) -> Result<(), OpenError> {
        if !is_there(folder) {
            return Ok(());
        }
        let lock = Lock::take(&folder.join(LOCK))?;
        let remove = |name: &str| {
            let path = folder.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(OpenError::access(&path, &error))
                }
                _ => Ok(()),
            }
        };
        BESIDE.into_iter().chain([DATABASE, NEW_KEY]).try_for_each(remove)?;
        KeyFile::forget(&folder.join(KEY), keyring);
        remove(KEY)?;
        remove(LOCK)?;
        drop(lock);
        Ok(())
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

/// Names of all files that this crate makes in the folder of an account.
pub fn files() -> impl Iterator<Item = &'static str> {
    BESIDE.into_iter().chain([DATABASE, NEW_KEY, KEY, LOCK])
}

/// Whether something has this name, or may have.
fn is_there(path: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let found = std::fs::symlink_metadata(path);
    found.map_or_else(|error| !matches!(error.kind(), NotFound | NotADirectory), |_| true)
}

const DATABASE: &str = "account.db";
/// What SQLite keeps beside the database while it is open, or when it was killed.
const BESIDE: [&str; 3] = ["account.db-wal", "account.db-shm", "account.db-journal"];
const KEY: &str = "account.key";
const NEW_KEY: &str = "account.key.new";
const LOCK: &str = "account.lock";
