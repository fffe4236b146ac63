//! What Clownfish keeps, sealed in SQLite.
//!
//! # What is on the disk
//!
//! One folder for one account:
//!
//! | file | what |
//! |---|---|
//! | `account.db`, `account.db-wal` | the database |
//! | `account.key` | the data key, wrapped by a passphrase or a key of the system keyring, or plain |
//! | `account.lock` | who has the account open |
//!
//! Every value in the database is sealed with XChaCha20-Poly1305 under a random data key; the table
//! and the columns that say where the row stands are its associated data, so that no row can be put
//! in the place of another. Columns that are looked up (addresses, ids) are keyed hashes. Somebody
//! who can write the files can still put an older version of a row back, or exchange the hashes of
//! ids between rows, so that a message is not found by its id. What somebody with the
//! files and without the key learns: how many rows of which kind there are, their lengths, in which
//! order messages stand, and which of them share a conversation.
//!
//! XChaCha20-Poly1305 and not AES-256-GCM: rows are written again and again under one key for years,
//! and random nonces of 24 bytes need no counting; those of 12 bytes would. It needs no special
//! instructions either, on phones and in the browser.
//!
//! A commit is durable when it returns (WAL, `synchronous = FULL`). Only one program has an account
//! open ([`OpenError::InUse`] names the other one): two of them would use ratchet keys twice.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::{Path, PathBuf};

use client::store::{Result, Store, StoreError};
use rusqlite::Connection;

mod connect;
mod error;
mod items;
mod key;
mod keyring;
mod lock;
mod outbox;
mod schema;
mod seal;
mod statement;
#[cfg(test)]
mod tests;
mod timeline;

pub use error::OpenError;
pub use key::{Protection, Unlock};
pub use keyring::Keyring;

use key::KeyFile;
use lock::Lock;
use seal::{Place, Sealer};

/// The store of one account.
pub struct SqliteStore {
    db: Connection,
    sealer: RefCell<Sealer>,
    in_step: Cell<bool>,
    /// `None` in memory.
    key: Option<KeyFile>,
    /// Held as long as the store is open.
    _lock: Option<Lock>,
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
        let db = connect::on_disk(&path)?;
        let store = Self {
            db,
            sealer: RefCell::new(Sealer::new(&data_key)),
            in_step: Cell::new(false),
            key: Some(key),
            _lock: Some(lock),
        };
        store.check_key().map_err(|error| OpenError::storage(&path, error))?;
        Ok(store)
    }

    /// An empty store that ends with the program.
    ///
    /// # Errors
    /// There is no memory, or no randomness.
    pub fn in_memory() -> Result<Self, OpenError> {
        let data_key =
            seal::random_key().map_err(|error| OpenError::storage(Path::new(""), error))?;
        let db = connect::in_memory()?;
        let sealer = RefCell::new(Sealer::new(&data_key));
        Ok(Self { db, sealer, in_step: Cell::new(false), key: None, _lock: None })
    }

    /// How the account of a folder is protected; `None` when there is none.
    ///
    /// # Errors
    /// The key file cannot be read.
    pub fn protection(folder: &Path) -> Result<Option<Protection>, OpenError> {
        KeyFile::protection(&folder.join(KEY))
    }

    /// Protects the account in another way from now on. The data key stays the same.
    ///
    /// # Errors
    /// The key file cannot be written, or the keyring refuses; the old protection is in force then.
    pub fn protect(&mut self, unlock: &Unlock) -> Result<(), OpenError> {
        match &mut self.key {
            Some(key) => key.protect(unlock, self.sealer.borrow().data_key()),
            None => Ok(()),
        }
    }

    /// Whether the database is sealed with the key that was opened: a folder may be put together
    /// from two accounts. The row that tells has no hidden name; with another key it would not be
    /// found.
    fn check_key(&self) -> Result<()> {
        let sealer = self.sealer.borrow();
        let place = Place::of("check", &[]);
        let sql = "SELECT sealed FROM item WHERE kind = 'check'";
        match self.rows(sql, [], |row| row.get::<_, Vec<u8>>(0))?.first() {
            Some(sealed) => sealer.open(&place, sealed).map(drop),
            None => self.run(
                "INSERT INTO item (kind, owner, name, sealed) VALUES ('check', x'', x'', ?1)",
                [sealer.seal(&place, b"check")?],
            ),
        }
    }

    /// Several statements that belong together, in a step or without one.
    fn together<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.execute("SAVEPOINT together")?;
        let result = work();
        match result {
            Ok(_) => self.execute("RELEASE together")?,
            // The error that is reported is the first one. There is no savepoint any more when
            // SQLite has dropped the whole step, as it does on a full disk.
            Err(_) => drop(self.execute("ROLLBACK TO together; RELEASE together")),
        }
        result
    }

    /// Whether SQLite has dropped the step by itself: a write would be a step of its own then.
    fn step_is_lost(&self) -> bool {
        self.in_step.get() && self.db.is_autocommit()
    }

    fn execute(&self, sql: &'static str) -> Result<()> {
        self.db.execute_batch(sql).map_err(error::from_sqlite)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqliteStore")
    }
}

impl Store for SqliteStore {
    fn begin(&self) -> Result<()> {
        self.rollback();
        self.execute("BEGIN IMMEDIATE")?;
        self.in_step.set(true);
        Ok(())
    }

    fn commit(&self) -> Result<()> {
        let committed = self.execute("COMMIT");
        self.rollback();
        committed
    }

    fn rollback(&self) {
        self.in_step.set(false);
        if !self.db.is_autocommit() {
            // It fails only when SQLite has rolled back by itself.
            let _ = self.execute("ROLLBACK");
        }
    }

    /// Removes all rows and overwrites their pages, empties the log, and forgets the data key: what
    /// the disk may still hold elsewhere (a journal of the file system, worn cells of a solid state
    /// disk, a backup) was sealed with it.
    fn wipe(&self) -> Result<()> {
        self.rollback();
        self.execute(
            "BEGIN IMMEDIATE; DELETE FROM item; DELETE FROM message; DELETE FROM outbox;
             DELETE FROM sqlite_sequence; COMMIT;",
        )
        .inspect_err(|_| self.rollback())?;
        let data_key = seal::random_key()?;
        if let Some(key) = &self.key {
            self.execute("VACUUM")?;
            connect::empty_log(&self.db).map_err(error::from_sqlite)?;
            key.replace(&data_key).map_err(|error| StoreError::Io(error.to_string()))?;
        }
        *self.sealer.borrow_mut() = Sealer::new(&data_key);
        self.check_key()
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
