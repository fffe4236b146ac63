//! What SQLite says, in our words.

use rusqlite::{Error, ErrorCode, ffi};

use crate::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let Error::SqliteFailure(code, _) = &error else {
            return StoreError::Internal(error.to_string());
        };
        match code.code {
            ErrorCode::DiskFull => StoreError::Full,
            // After a failed sync the kernel may have dropped the dirty pages: what a later read or
            // sync says proves nothing.
            ErrorCode::SystemIoFailure if is_sync(code.extended_code) => {
                StoreError::Fatal(error.to_string())
            }
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly => {
                StoreError::Io(error.to_string())
            }
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                StoreError::Corrupt(error.to_string())
            }
            ErrorCode::ConstraintViolation => StoreError::Conflict(error.to_string()),
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
            _ => StoreError::Internal(error.to_string()),
        }
    }
}

fn is_sync(extended: i32) -> bool {
    extended == ffi::SQLITE_IOERR_FSYNC || extended == ffi::SQLITE_IOERR_DIR_FSYNC
}

impl StoreError {
    /// The device is at fault, not the row.
    pub(super) fn is_environment(&self) -> bool {
        matches!(
            self,
            StoreError::Full | StoreError::Io(_) | StoreError::Fatal(_) | StoreError::Corrupt(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_code(extended: i32) -> StoreError {
        Error::SqliteFailure(ffi::Error::new(extended), None).into()
    }

    #[test]
    fn a_failed_sync_is_fatal_and_a_failed_write_is_not() {
        assert!(matches!(from_code(ffi::SQLITE_IOERR_FSYNC), StoreError::Fatal(_)));
        assert!(matches!(from_code(ffi::SQLITE_IOERR_WRITE), StoreError::Io(_)));
        assert_eq!(from_code(ffi::SQLITE_FULL), StoreError::Full);
        assert!(matches!(from_code(ffi::SQLITE_NOTADB), StoreError::Corrupt(_)));
    }
}
