//! Opening: lock, settings, checks.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema;
use crate::{OpenError, StoreError};

/// Bytes of a page. Appending is bound by whole pages written, so the smallest that holds three
/// stanzas wins; see the measurements in `log.rs`.
pub(super) const PAGE: u32 = 4096;
/// Page cache of the writer, in KiB; used only as far as pages are touched.
const WRITER_CACHE: i32 = 16 << 10;
/// Page cache of each reader, in KiB. Small: the pages are in the cache of the system as well, and a
/// reader of archives seldom needs one twice.
const READER_CACHE: i32 = 1 << 10;
/// How long anyone waits for a lock that another connection holds: an operator's `sqlite3`, say.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements each connection keeps.
const STATEMENTS: usize = 160;
/// A database up to this size is checked as a whole after an unclean end; of a larger one all tables
/// but those that hold the bulk, so that the server is up again within two seconds (G12). What is left out is
/// checked as it is read, and by `Maintenance::check`.
const CHECK_WHOLE: u64 = 64 << 20;

pub(super) fn access(path: &Path, error: impl std::fmt::Display) -> OpenError {
    OpenError::Access { path: path.to_owned(), detail: error.to_string() }
}

/// What SQLite said while opening.
pub(super) fn refused(path: &Path, error: impl Into<StoreError>) -> OpenError {
    let path = path.to_owned();
    match error.into() {
        StoreError::Corrupt(detail) => OpenError::Corrupt { path, detail },
        StoreError::Full => OpenError::Full { path },
        StoreError::Busy => OpenError::Locked { path },
        other => OpenError::Access { path, detail: other.to_string() },
    }
}

/// A path beside the database.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes the lock file. It is not the database itself: closing a second descriptor of that would drop
/// SQLite's own locks.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let name = beside(path, ".lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let mut file = options.open(&name).map_err(|error| access(&name, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            return Err(OpenError::InUse { path: path.to_owned(), pid: text.trim().parse().ok() });
        }
        Err(fs::TryLockError::Error(error)) => return Err(access(&name, error)),
    }
    let noted = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    match noted {
        Err(error) if error.kind() != std::io::ErrorKind::StorageFull => Err(access(&name, error)),
        _ => Ok(file),
    }
}

/// Nobody else on the machine may read the data; SQLite gives its other files the same mode.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// The writer's connection to a file, checked and migrated. Creates the file when it is missing.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let file = options.open(path).map_err(|error| access(path, error))?;
    let new = file.metadata().map_err(|error| access(path, error))?.len() == 0;
    drop(file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(|error| refused(path, error))?;
    if !new {
        recognise(&db, path)?;
    }
    settle(&db, true).map_err(|error| refused(path, error))?;
    if !new {
        check_after_crash(&db, path)?;
    }
    schema::migrate(&db).map_err(|error| refused(path, error))?;
    begin(&db).map_err(|error| refused(path, error))?;
    Ok(db)
}

/// The only connection of a database in memory.
pub(super) fn memory() -> rusqlite::Result<Connection> {
    let db = Connection::open_in_memory()?;
    settle(&db, false)?;
    schema::migrate(&db)?;
    begin(&db)?;
    Ok(db)
}

/// A reader's connection.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -{READER_CACHE};"
    ))?;
    Ok(db)
}

/// Settings of the writer.
///
/// - WAL with FULL: a commit has been synced when it returns; NORMAL would lose the last ones in a
///   power failure.
/// - No mmap: an input/output error would be a signal instead of an error code.
/// - `secure_delete` ON, not FAST: FAST leaves the content of pages that become free as a whole, and a
///   removed account is mostly such pages (G13; `conformance` greps the file). Appending does not
///   pay for it: 7.4 and 7.5 µs per row measured with OFF and ON.
/// - Incremental auto-vacuum: after a retention was shortened or accounts were removed, freed pages can
///   be given back in small steps; it cannot be turned on later without rewriting the file. Its
///   pointer pages cost one page in 800.
fn settle(db: &Connection, on_disk: bool) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.execute_batch(&format!("PRAGMA page_size = {PAGE}; PRAGMA auto_vacuum = INCREMENTAL;"))?;
    if on_disk {
        let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let refusal = "this file system cannot hold a write-ahead log; use a local disk";
            return Err(rusqlite::Error::ToSqlConversionFailure(refusal.into()));
        }
    }
    db.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
         PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{WRITER_CACHE};"
    ))
}

/// Ours, and not from the future.
pub(super) fn recognise(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application =
        number("application_id").map_err(|error| match error.sqlite_error_code() {
            // The header is not SQLite's at all.
            Some(ErrorCode::NotADatabase) => OpenError::Foreign { path: path.to_owned() },
            _ => refused(path, error),
        })?;
    let found = number("user_version").map_err(|error| refused(path, error))?;
    if application == 0 && found == 0 {
        // A file whose first migration was cut short has no tables; anything else is foreign.
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| refused(path, error))?;
        if tables == 0 {
            return Ok(());
        }
    }
    if application != i64::from(schema::APPLICATION_ID) {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let known = schema::newest();
    match u32::try_from(found) {
        Ok(found) if found <= known => Ok(()),
        found => {
            Err(OpenError::Newer { path: path.to_owned(), found: found.unwrap_or(u32::MAX), known })
        }
    }
}

fn check_after_crash(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let clean = "SELECT value FROM meta WHERE key = 'clean'";
    let clean: Result<i64, _> = db.query_row(clean, [], |row| row.get(0));
    let has_tables: i64 = db
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| refused(path, error))?;
    if has_tables == 0 || clean.is_ok_and(|clean| clean == 1) {
        return Ok(());
    }
    let problems = check_bounded(db).map_err(|error| refused(path, error))?;
    match problems.is_empty() {
        true => Ok(()),
        false => Err(OpenError::Corrupt { path: path.to_owned(), detail: problems.join("; ") }),
    }
}

fn check_bounded(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let pages: u64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages * u64::from(PAGE) <= CHECK_WHOLE {
        return check(db, "PRAGMA quick_check(3)");
    }
    let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                AND name NOT IN ('log', 'archive', 'document', 'pubsub_item')";
    let mut problems = Vec::new();
    let mut tables = db.prepare(list)?;
    for table in tables.query_map([], |row| row.get::<_, String>(0))? {
        problems.extend(check(db, &format!("PRAGMA quick_check('{}')", table?))?);
    }
    Ok(problems)
}

/// Runs a checking pragma; empty is good.
pub(super) fn check(db: &Connection, pragma: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare(pragma)?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    lines.filter(|line| !line.as_ref().is_ok_and(|line| line == "ok")).collect()
}

/// Notes that the database is open. After an unclean end a new generation of archive ids begins: ids
/// of rows that were delivered but not yet durable must not be given to others (see `archive.rs`).
fn begin(db: &Connection) -> rusqlite::Result<()> {
    let step = db.unchecked_transaction()?;
    step.execute_batch(
        "INSERT OR IGNORE INTO meta (key, value)
         VALUES ('clean', 1), ('generation', 0), ('folded', 1), ('secret', randomblob(32));
         UPDATE meta SET value = value + 1 WHERE key = 'generation'
         AND (SELECT value FROM meta WHERE key = 'clean') = 0;
         UPDATE meta SET value = 0 WHERE key = 'clean';
         DELETE FROM meta WHERE key = 'probe';",
    )?;
    step.commit()
}
