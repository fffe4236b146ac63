//! What SQLite and the disk say, in our words.

use std::path::{Path, PathBuf};

use client::store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

#[cfg(not(target_family = "wasm"))]
use crate::key::Protection;

/// Why an account cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another program has it open. Two at once would use keys twice.
    #[error("this account is open in another program: {program}{}", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    InUse {
        /// Its name, as far as the system tells.
        program: String,
        /// Its process id.
        pid: Option<u32>,
    },
    /// It does not open what is stored.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// It is protected in another way than the caller expected.
    #[cfg(not(target_family = "wasm"))]
    #[error("the account is protected by {0}")]
    OtherProtection(Protection),
    /// There is a database, and no file with its key.
    #[error(
        "{path} is missing, and without this key nothing in the database beside it can be read. Put the key back from a backup; or move the database elsewhere and log in again: messages are fetched from the server's archive, but those encrypted for this device cannot be read again"
    )]
    KeyMissing {
        /// The key file.
        path: PathBuf,
    },
    /// The system keyring does not answer, or has no key for this account.
    #[error("the system keyring did not help: {0}")]
    Keyring(String),
    /// It was written by a newer program.
    #[error(
        "{path} was written by a newer version of this program (schema {found}, known up to {known})"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The number in the file.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// It is no database of ours, or it is broken.
    #[error(
        "{path} is damaged: {detail}. Restore it from a backup, or remove the folder and log in again: messages are fetched from the server's archive, but those encrypted for this device cannot be read again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// There is no space left.
    #[error(
        "there is no space left for {path}: free some space on its disk; nothing that was kept is lost"
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{path}: {detail}")]
    Access {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl OpenError {
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn access(path: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                OpenError::Full { path: path.to_owned() }
            }
            _ => OpenError::Access { path: path.to_owned(), detail: error.to_string() },
        }
    }

    pub(crate) fn storage(path: &Path, error: StoreError) -> Self {
        let path = path.to_owned();
        match error {
            StoreError::Full => OpenError::Full { path },
            StoreError::Damaged(detail) => OpenError::Damaged { path, detail },
            StoreError::Io(detail) => OpenError::Access { path, detail },
        }
    }
}

/// An error of a statement.
pub(crate) fn from_sqlite(error: Error) -> StoreError {
    // SQLite makes the shared index of its log as long as it will be, and says only that this failed.
    let extended = error.sqlite_error().map(|error| error.extended_code);
    if extended == Some(ffi::SQLITE_IOERR_SHMSIZE) {
        return StoreError::Full;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged(error.to_string())
        }
        _ => StoreError::Io(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_disk_are_told_apart() {
        let from = |code| from_sqlite(Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(matches!(from(ffi::SQLITE_FULL), StoreError::Full));
        assert!(matches!(from(ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full));
        assert!(matches!(from(ffi::SQLITE_CORRUPT), StoreError::Damaged(_)));
        assert!(matches!(from(ffi::SQLITE_NOTADB), StoreError::Damaged(_)));
        assert!(matches!(from(ffi::SQLITE_IOERR_WRITE), StoreError::Io(_)));
    }
}
