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
//! SQLite has `account.db-shm` and `account.db-journal` there for moments; a new key is written to
//! `account.key.new` first.
//!
//! Every value in the database is sealed with XChaCha20-Poly1305 under a random data key; the table
//! and the columns that say where the row stands and how it is found are its associated data, so
//! that no row can be put in the place of another, or be found by the id of another. Columns that
//! are looked up (addresses, ids) are keyed hashes. Somebody who can write the files can still
//! remove rows, or put an older version of one back. What somebody with the files and without the
//! key learns: how many rows of which kind there are, their lengths, in which
//! order messages stand, and which of them share a conversation.
//!
//! XChaCha20-Poly1305 and not AES-256-GCM: rows are written again and again under one key for years,
//! and random nonces of 24 bytes need no counting; those of 12 bytes would. It needs no special
//! instructions either, on phones and in the browser.
//!
//! Where there are no folders, in the browser, [`SqliteStore::open_with_key`] opens a database of a
//! file system of SQLite's own; the caller keeps the data key, and sees to it that nobody else has
//! the database open.
//!
//! A commit is durable when it returns (WAL, `synchronous = FULL`). Only one program has an account
//! open ([`OpenError::InUse`] names the other one): two of them would use ratchet keys twice.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::Path;

use client::store::{Result, Store, StoreError};
use rusqlite::Connection;

mod connect;
mod error;
#[cfg(not(target_family = "wasm"))]
mod folder;
mod hidden;
mod items;
#[cfg(not(target_family = "wasm"))]
mod key;
#[cfg(not(target_family = "wasm"))]
mod keyring;
#[cfg(not(target_family = "wasm"))]
mod lock;
mod outbox;
mod schema;
mod seal;
mod statement;
#[cfg(test)]
mod tests;
mod timeline;
mod wiped;

pub use error::OpenError;
#[cfg(not(target_family = "wasm"))]
pub use folder::files;
#[cfg(not(target_family = "wasm"))]
pub use key::{Protection, Unlock};
#[cfg(not(target_family = "wasm"))]
pub use keyring::Keyring;

use seal::{Place, Sealer};
use zeroize::Zeroizing;

/// The store of one account.
pub struct SqliteStore {
    db: Connection,
    sealer: RefCell<Sealer>,
    in_step: Cell<bool>,
    /// Messages were removed in this step.
    removed: Cell<bool>,
    home: Home,
}

/// Where a store lives.
enum Home {
    Memory,
    /// A database whose key the caller keeps.
    WithKey,
    #[cfg(not(target_family = "wasm"))]
    Folder(folder::Folder),
}

impl SqliteStore {
    /// Opens a database, or makes it, with a data key that the caller keeps. `vfs` names the file
    /// system of SQLite it is in; `None` is the usual one. Nobody else may have it open.
    ///
    /// [`Store::wipe`] leaves the key as it is: the caller forgets it, and removes the database.
    ///
    /// # Errors
    /// See [`OpenError`]; a key that does not fit is [`OpenError::Damaged`].
    pub fn open_with_key(
        database: &Path,
        vfs: Option<&str>,
        data_key: &[u8; 32],
    ) -> Result<Self, OpenError> {
        let db = connect::on_disk(database, vfs)?;
        Self::of(db, &Zeroizing::new(*data_key), Home::WithKey)
            .map_err(|error| OpenError::storage(database, error))
    }

    /// An empty store that ends with the program.
    ///
    /// # Errors
    /// There is no memory, or no randomness.
    pub fn in_memory() -> Result<Self, OpenError> {
        let data_key =
            seal::random_key().map_err(|error| OpenError::storage(Path::new(""), error))?;
        let db = connect::in_memory()?;
        Self::of(db, &data_key, Home::Memory)
            .map_err(|error| OpenError::storage(Path::new(""), error))
    }

    fn of(db: Connection, data_key: &seal::Key, home: Home) -> Result<Self> {
        let sealer = Sealer::new(data_key);
        schema::migrate(&db, &sealer)?;
        let sealer = RefCell::new(sealer);
        let (in_step, removed) = (Cell::new(false), Cell::new(false));
        let store = Self { db, sealer, in_step, removed, home };
        store.check_key()?;
        Ok(store)
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
        // A savepoint outside of a step would be a step of its own.
        self.check_step()?;
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

    /// Refuses to go on when SQLite has dropped the step by itself: a write would be a step of its
    /// own then.
    fn check_step(&self) -> Result<()> {
        if self.in_step.get() && self.db.is_autocommit() {
            return Err(StoreError::Io("the step was dropped after an earlier error".into()));
        }
        Ok(())
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

    /// What was removed is not left in the log either. If that does not work now, the log is written
    /// over later.
    fn commit(&self) -> Result<()> {
        let committed = self.execute("COMMIT");
        if committed.is_ok() && self.removed.take() && !matches!(self.home, Home::Memory) {
            let _ = connect::empty_log(&self.db);
        }
        self.rollback();
        committed
    }

    fn rollback(&self) {
        self.in_step.set(false);
        self.removed.set(false);
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
            "BEGIN IMMEDIATE; DELETE FROM item; DELETE FROM message; DELETE FROM hidden;
             DELETE FROM outbox; DELETE FROM sqlite_sequence; COMMIT;",
        )
        .inspect_err(|_| self.rollback())?;
        if !matches!(self.home, Home::Memory) {
            self.execute("VACUUM")?;
            connect::empty_log(&self.db).map_err(error::from_sqlite)?;
        }
        #[cfg(not(target_family = "wasm"))]
        if let Home::Folder(folder) = &self.home {
            let data_key = folder.replace_key()?;
            *self.sealer.borrow_mut() = Sealer::new(&data_key);
        }
        self.check_key()
    }
}
