//! The write-ahead log stays small, and copying it back never takes long.
//!
//! SQLite's own automatic checkpoint is off: it would run inside the commit that crosses the limit,
//! before the senders of that batch are answered. The writer checkpoints between two transactions
//! instead, on its own connection, when [`LIMIT`] frames are reached. PASSIVE neither waits for
//! readers nor blocks them; once all frames are copied and no reader needs them, the next commit
//! starts again at the beginning of the file.

use std::cell::Cell;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::connect;
use crate::StoreError;

/// Frames of 4 KiB in the log before they are copied back: 8 MiB. Fewer means more syncs, more means
/// longer pauses; a page changed by many commits is copied once.
const LIMIT: i32 = 2048;

/// How long a scrub waits for readers that are in the middle of something.
const PATIENCE: Duration = Duration::from_millis(100);

/// The log as the writer's last commit left it. The writer has a thread of its own, and the hook that
/// tells is a plain function.
#[derive(Clone, Copy)]
struct Length {
    frames: i32,
    copied: i32,
    /// When to copy back next. Counted from the last attempt: while a long read holds frames back,
    /// each attempt costs a sync and copies little.
    next: i32,
}

const EMPTY: Length = Length { frames: 0, copied: 0, next: LIMIT };

thread_local! {
    static LENGTH: Cell<Length> = const { Cell::new(EMPTY) };
}

fn note(_: &mut Wal, frames: i32) -> rusqlite::Result<()> {
    let length = LENGTH.get();
    // The log began anew.
    let length = if frames < length.frames { EMPTY } else { length };
    LENGTH.set(Length { frames, ..length });
    Ok(())
}

/// Begins to count on this connection, on the thread that will write with it.
pub(super) fn watch(db: &mut Connection) -> rusqlite::Result<()> {
    db.wal_hook(Some(note))
}

/// Copies the log back when it is long.
pub(super) fn keep_bounded(db: &Connection) -> Result<(), StoreError> {
    let length = LENGTH.get();
    if length.frames >= length.next { checkpoint(db) } else { Ok(()) }
}

/// There is something to copy back.
pub(super) fn is_dirty() -> bool {
    let length = LENGTH.get();
    length.frames > length.copied
}

/// Copies back what no reader needs.
pub(super) fn checkpoint(db: &Connection) -> Result<(), StoreError> {
    let (frames, copied) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok((row.get::<_, i32>(1)?, row.get::<_, i32>(2)?))
    })?;
    LENGTH.set(Length { frames, copied, next: frames + LIMIT });
    Ok(())
}

/// Copies everything back and truncates the file, so that nothing deleted is left in it. Returns
/// whether readers let it.
pub(super) fn scrub(db: &Connection) -> Result<bool, StoreError> {
    db.busy_timeout(PATIENCE)?;
    let busy = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i32>(0));
    db.busy_timeout(connect::BUSY)?;
    let scrubbed = busy? == 0;
    if scrubbed {
        LENGTH.set(EMPTY);
    }
    Ok(scrubbed)
}
