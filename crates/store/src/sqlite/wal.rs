//! The write-ahead log stays small, and copying it back never takes long.
//!
//! SQLite's own automatic checkpoint is off: it would run inside the commit that crosses the limit,
//! before the senders of that batch are answered. The writer checkpoints between two transactions
//! instead, on its own connection, when [`LIMIT`] frames are reached. PASSIVE neither waits for
//! readers nor blocks them; once all frames are copied and no reader needs them, the next commit
//! starts again at the beginning of the file.

use std::cell::Cell;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::StoreError;

/// Frames of 4 KiB in the log before they are copied back: 8 MiB. Fewer means more syncs, more means
/// longer pauses; a page changed by many commits is copied once.
const LIMIT: i32 = 2048;

thread_local! {
    /// Frames in the log after the last commit of the writer, which has a thread of its own.
    static FRAMES: Cell<i32> = const { Cell::new(0) };
}

fn note(_: &Wal, frames: i32) -> rusqlite::Result<()> {
    FRAMES.set(frames);
    Ok(())
}

/// Begins to count on this connection, on the thread that will write with it.
pub(super) fn watch(db: &Connection) {
    db.wal_hook(Some(note));
}

/// Copies the log back when it is long.
pub(super) fn keep_bounded(db: &Connection) -> Result<(), StoreError> {
    if FRAMES.get() >= LIMIT { checkpoint(db) } else { Ok(()) }
}

/// There is something to copy back.
pub(super) fn is_dirty() -> bool {
    FRAMES.get() > 0
}

/// Copies back what no reader needs.
pub(super) fn checkpoint(db: &Connection) -> Result<(), StoreError> {
    let (frames, copied) = pragma(db, "PRAGMA wal_checkpoint(PASSIVE)")?;
    // A reader may have held some back: they are copied when the log has grown by as much again.
    FRAMES.set(frames - copied);
    Ok(())
}

/// Copies everything back and truncates the file, so that nothing deleted is left in it. Waits for
/// readers as long as the connection's busy timeout; returns whether it worked.
pub(super) fn scrub(db: &Connection) -> Result<bool, StoreError> {
    let (frames, _) = pragma(db, "PRAGMA wal_checkpoint(TRUNCATE)")?;
    FRAMES.set(frames.max(0));
    Ok(frames == 0)
}

fn pragma(db: &Connection, sql: &str) -> Result<(i32, i32), StoreError> {
    Ok(db.query_row(sql, [], |row| Ok((row.get(1)?, row.get(2)?)))?)
}
