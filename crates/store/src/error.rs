//! Errors of the environment. What a caller can do wrong has an enum beside the method that says so.

use std::path::PathBuf;

/// Why a read or write did not happen. Nothing of a failed write stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The queue of the writer or of the readers is full: back-pressure, try again later.
    #[error("the storage queue is full")]
    Busy,
    /// No space left on the device (`resource-constraint`, type `wait`).
    #[error("the disk is full")]
    Full,
    /// The device refused to read or write.
    #[error("storage input/output error: {0}")]
    Io(String),
    /// A page of the database does not make sense; what is returned cannot be trusted.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A sync failed, so it is unknown what is on disk. The process must exit and start again.
    #[error("a sync to disk failed, the state of the data is unknown: {0}")]
    Fatal(String),
    /// The row breaks a rule of the schema, such as an id that exists already, or an account that
    /// does not.
    #[error("the row conflicts with what is stored: {0}")]
    Conflict(String),
    /// A bound of the store would be passed, such as the number of waiting requests of an account.
    #[error("a storage limit is reached: {0}")]
    Limit(&'static str),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
    /// A mistake in this crate.
    #[error("unexpected storage error: {0}")]
    Internal(String),
}

/// Why a database could not be opened. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the data directory.
    #[error(
        "the data in {} is in use by {}; stop it first, or use the commands of the running server",
        path.display(),
        match pid { Some(pid) => format!("process {pid}"), None => "another process".to_owned() }
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who has it, when the lock file says so.
        pid: Option<u32>,
    },
    /// Another program that is not a server has it open and locked.
    #[error(
        "{} is locked by another program, such as sqlite3 or a copy that is being made; wait \
         for that program or close it",
        path.display()
    )]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// Written by a newer version of this program.
    #[error(
        "{} was written by a newer version (schema {found}, this one knows {known}); install that version or restore an older backup",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema number.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// A file that is not ours.
    #[error("{} is not an Anemone database; choose another data directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The check after an unclean shutdown, or the first read, found damage.
    #[error(
        "{} is damaged ({detail}); keep a copy of it and restore the newest backup",
        path.display()
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// The directory or file cannot be read or written.
    #[error("cannot open {}: {detail}; check that it exists and belongs to this user", path.display())]
    Access {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// No space left.
    #[error("cannot open {}: the disk is full; free some space", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
}
