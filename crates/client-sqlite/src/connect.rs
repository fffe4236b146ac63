//! Opening the database: settings and checks.

#[cfg(not(target_family = "wasm"))]
use std::fs::{DirBuilder, OpenOptions};
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::{OpenError, from_sqlite};
use crate::schema;

/// Page cache, in KiB; used only as far as pages are touched.
const CACHE: i32 = 4 << 10;
/// Prepared statements that are kept.
const STATEMENTS: usize = 32;

/// Makes the folder of an account, for its owner alone.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn make_folder(path: &Path) -> Result<(), OpenError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| OpenError::access(path, &error))
}

/// Nobody else on the machine may read the file.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes the file of a database for its owner alone, if it is missing. SQLite gives its log the mode
/// of the database.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn make_database(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    options.open(path).map(drop).map_err(|error| OpenError::access(path, &error))
}

/// A database that is kept. It is made when it is missing.
pub(crate) fn on_disk(path: &Path, vfs: Option<&str>) -> Result<Connection, OpenError> {
    let refused = |error| OpenError::storage(path, from_sqlite(error));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
        None => Connection::open_with_flags(path, flags),
    };
    let db = db.map_err(refused)?;
    // With an exclusive lock SQLite needs no file of shared memory beside the log: a full disk has no room
    // for it, and other file systems than the usual have none. What a killed program left in the log can
    // be read there in this way only.
    db.execute_batch("PRAGMA locking_mode = EXCLUSIVE").map_err(refused)?;
    recognise(&db, path)?;
    let mode: String =
        db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(refused)?;
    if mode != "wal" {
        let detail = "this file system cannot hold a write-ahead log; use a local disk".into();
        return Err(OpenError::Access { path: path.to_owned(), detail });
    }
    settle(&db).map_err(refused)?;
    Ok(db)
}

/// A database that ends with the program.
pub(crate) fn in_memory() -> Result<Connection, OpenError> {
    let open = || {
        let db = Connection::open_in_memory()?;
        settle(&db)?;
        Ok(db)
    };
    open().map_err(|error| OpenError::storage(Path::new(":memory:"), from_sqlite(error)))
}

/// - FULL: a commit has been synced when it returns; NORMAL would lose the last ones in a power
///   failure, and with them ratchet steps that were already on the wire.
/// - No mmap: an input/output error would be a signal instead of an error code.
/// - `secure_delete`: pages that become free are overwritten.
fn settle(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;
         PRAGMA cache_size = -{CACHE};"
    ))
}

/// Ours, and not from the future.
fn recognise(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let refused = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy) => {
            OpenError::InUse { program: "an SQLite shell, perhaps".into(), pid: None }
        }
        _ => OpenError::storage(path, from_sqlite(error)),
    };
    let application = number("application_id").map_err(refused)?;
    let found = number("user_version").map_err(refused)?;
    if application == 0 && found == 0 {
        // A file whose first migration was cut short has no tables.
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(refused)?;
        if tables == 0 {
            return Ok(());
        }
    }
    let path = path.to_owned();
    if application != i64::from(schema::APPLICATION_ID) {
        return Err(OpenError::Damaged {
            path,
            detail: "it is not a database of Clownfish".into(),
        });
    }
    let known = schema::newest();
    match u32::try_from(found) {
        Ok(found) if found <= known => Ok(()),
        found => Err(OpenError::Newer { path, found: found.unwrap_or(u32::MAX), known }),
    }
}

/// Writes the log into the database and cuts it to nothing.
pub(crate) fn empty_log(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
