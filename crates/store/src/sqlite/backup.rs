//! Copies of the database: made while the server runs, checked, put back.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup as Copy, StepResult};
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::connect::{self, beside, refused};
use super::engine::{Engine, failure};
use super::queue::{Fold, Job};
use crate::maintenance::{Backup, BackupError, Progress};
use crate::{OpenError, StoreError};

failure!(BackupError);

/// Pages copied between two turns of the writer: about a millisecond.
const STEP: i32 = 256;
/// A copy begins this many generations of archive ids later, see `archive.rs`.
const GENERATIONS: i64 = 1 << 16;

/// What the writer needs to copy.
pub(super) struct CopyJob {
    target: Connection,
    progress: Box<dyn Fn(Progress) + Send>,
    done: oneshot::Sender<Result<Connection, StoreError>>,
}

impl CopyJob {
    /// Copies step by step; `between` lets the writer serve others and says whether to go on.
    pub(super) fn run(self, source: &Connection, mut between: impl FnMut() -> bool) {
        let CopyJob { mut target, progress, done } = self;
        let copied = copy(source, &mut target, &*progress, &mut between);
        drop(done.send(copied.map(|()| target)));
    }
}

fn copy(
    source: &Connection,
    target: &mut Connection,
    progress: &dyn Fn(Progress),
    between: &mut dyn FnMut() -> bool,
) -> Result<(), StoreError> {
    let copy = Copy::new(source, target)?;
    loop {
        let step = copy.step(STEP)?;
        let now = copy.progress();
        let total = now.pagecount.max(0) as u64;
        progress(Progress { done: total - now.remaining.max(0) as u64, total });
        match step {
            StepResult::Done => return Ok(()),
            _ if !between() => return Err(StoreError::Closed),
            _ => {}
        }
    }
}

fn target_error(path: &Path, error: impl std::fmt::Display) -> BackupError {
    BackupError::Target { path: path.to_owned(), detail: error.to_string() }
}

/// Makes a backup; blocks.
pub(super) fn make(
    engine: &Engine,
    to: &Path,
    progress: Box<dyn Fn(Progress) + Send>,
) -> Result<Backup, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let part = beside(to, ".part");
    let made = fill(engine, &part, progress).and_then(|()| {
        let mut backup = examine(&part).map_err(|error| match error {
            OpenError::Corrupt { detail, .. } => BackupError::Damaged(detail),
            other => target_error(&part, other),
        })?;
        put_in_place(&part, to).map_err(|error| target_error(to, error))?;
        backup.path = to.to_owned();
        Ok(backup)
    });
    if made.is_err() {
        let _ = fs::remove_file(&part);
    }
    made
}

fn fill(
    engine: &Engine,
    part: &Path,
    progress: Box<dyn Fn(Progress) + Send>,
) -> Result<(), BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    connect::private(&mut options);
    drop(options.open(part).map_err(|error| target_error(part, error))?);
    let target = bare(part, true).map_err(|error| target_error(part, error))?;
    // The copy is thrown away unless all of it is there: no journal, one sync at the end.
    target
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(|error| target_error(part, error))?;
    let complete = engine.write_folded::<(), StoreError>(Fold::All, |_| Ok(()));
    let (done, copied) = oneshot::channel();
    let job = Job::Copy(CopyJob { target, progress, done });
    engine.shared.queue.push(job)?;
    let target = copied.blocking_recv().unwrap_or(Err(StoreError::Closed))?;
    drop(complete);
    finish(target).map_err(|error| target_error(part, error))?;
    File::open(part).and_then(|file| file.sync_all()).map_err(|error| target_error(part, error))
}

/// Makes the copy a file that stands alone and whose archive ids are safe to go on from.
fn finish(target: Connection) -> rusqlite::Result<()> {
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.execute("UPDATE meta SET value = value + ?1 WHERE key = 'generation'", [GENERATIONS])?;
    target.execute("UPDATE meta SET value = 1 WHERE key = 'clean'", [])?;
    target.close().map_err(|(_, error)| error)
}

fn bare(path: &Path, writable: bool) -> rusqlite::Result<Connection> {
    let mode = match writable {
        true => OpenFlags::SQLITE_OPEN_READ_WRITE,
        false => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Renames, and syncs the directory so that the name is on disk as well.
fn put_in_place(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::rename(from, to)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Checks a backup: ours, of a version we know, every page and reference sound. Blocks; reads all.
///
/// # Errors
/// [`OpenError::Foreign`], [`OpenError::Newer`], [`OpenError::Corrupt`], [`OpenError::Access`].
pub fn verify(path: &Path) -> Result<Backup, OpenError> {
    examine(path)
}

fn examine(path: &Path) -> Result<Backup, OpenError> {
    let db = bare(path, false).map_err(|error| refused(path, error))?;
    connect::recognise(&db, path)?;
    let problems = super::maintenance::check(&db).map_err(|error| refused(path, error))?;
    if !problems.is_empty() {
        return Err(OpenError::Corrupt { path: path.to_owned(), detail: problems.join("; ") });
    }
    let count = |sql| db.query_row(sql, [], |row| row.get::<_, u64>(0));
    let accounts =
        count("SELECT count(*) FROM account WHERE id > 0").map_err(|error| refused(path, error))?;
    let messages = count("SELECT count(*) FROM archive").map_err(|error| refused(path, error))?;
    drop(db);
    let (bytes, sha256) = digest(path).map_err(|error| connect::access(path, error))?;
    Ok(Backup { path: path.to_owned(), bytes, sha256, accounts, messages })
}

fn digest(path: &Path) -> std::io::Result<(u64, [u8; 32])> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, digest.finalize().into()));
        }
        digest.update(&buffer[..count]);
        bytes += count as u64;
    }
}

/// What [`restore`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup that is now the database.
    pub backup: Backup,
    /// Where the database that was there before is now.
    pub previous: Option<PathBuf>,
}

/// Puts a checked copy of a backup in place of the database at `to`, which no process may have open.
/// A database that is there is kept beside, with its log. Blocks.
///
/// # Errors
/// As [`verify`], and [`OpenError::InUse`]; in each case the database at `to` is as before.
pub fn restore(from: &Path, to: &Path) -> Result<Restored, OpenError> {
    let lock = connect::lock(to)?;
    let backup = examine(from)?;
    let part = beside(to, ".part");
    let copied = fs::copy(from, &part).and_then(|_| File::open(&part)?.sync_all());
    copied.map_err(|error| connect::access(&part, error))?;
    let previous = set_aside(to).map_err(|error| connect::access(to, error))?;
    put_in_place(&part, to).map_err(|error| connect::access(to, error))?;
    drop(lock);
    Ok(Restored { backup, previous })
}

/// The database and what belongs to it get the first free number.
fn set_aside(path: &Path) -> std::io::Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    let mut number = 1;
    let mut aside = beside(path, ".before-restore-1");
    while aside.exists() {
        number += 1;
        aside = beside(path, &format!(".before-restore-{number}"));
    }
    // The log first: without its database it is ignored, the other way round it would be lost.
    for suffix in ["-wal", "-shm"] {
        let extra = beside(path, suffix);
        if extra.exists() {
            fs::rename(extra, beside(&aside, suffix))?;
        }
    }
    fs::rename(path, &aside)?;
    Ok(Some(aside))
}
