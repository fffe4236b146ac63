//! Care of a SQLite database.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::checksum::is_intact;
use super::connect::{self, beside};
use super::engine::Engine;
use super::{backup, queue::Job};
use crate::maintenance::{Backup, BackupError, Health, Maintenance, Progress, Sizes};
use crate::{Fut, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

/// Pages given back in one transaction.
const COMPACT_STEP: u32 = 256;

impl Maintenance for Sqlite {
    fn health(&self) -> Health {
        self.0.shared.health.clone()
    }

    fn backup(
        &self,
        to: PathBuf,
        progress: Box<dyn Fn(Progress) + Send>,
    ) -> Fut<'_, Backup, BackupError> {
        let engine = self.0.clone();
        on_thread("store-backup", move || backup::make(&engine, &to, progress))
    }

    fn check(&self) -> Fut<'_, Vec<String>> {
        let Some(path) = self.0.path.clone() else {
            return self.0.write(|db| Ok(check(db)?));
        };
        let complete = self.0.sync(None);
        Box::pin(async move {
            complete.await?;
            on_thread("store-check", move || Ok(check(&connect::reader(&path)?)?)).await
        })
    }

    fn damaged(&self) -> Fut<'_, u64> {
        let Some(path) = self.0.path.clone() else {
            return self.0.write(|db| Ok(damaged(db)?));
        };
        on_thread("store-check", move || Ok(damaged(&connect::reader(&path)?)?))
    }

    fn sizes(&self) -> Fut<'_, Sizes> {
        let (items, bytes) = self.0.shared.queue.load();
        let log = self.0.path.as_ref().map(|path| beside(path, "-wal"));
        self.0.read_snapshot(move |db| {
            let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
            let page = number("page_size")?;
            let mut count = db.prepare_cached("SELECT count(*) FROM account WHERE id > 0")?;
            Ok(Sizes {
                database: number("page_count")? * page,
                log: log.and_then(|log| std::fs::metadata(log).ok()).map_or(0, |log| log.len()),
                free: number("freelist_count")? * page,
                accounts: count.query_row([], |row| row.get(0))?,
                queued: items as u64,
                queued_bytes: bytes as u64,
            })
        })
    }

    fn compact(&self) -> Fut<'_, u64> {
        Box::pin(async move {
            let mut given = 0;
            loop {
                let pages = self.0.write(give_back).await?;
                given += pages * u64::from(connect::PAGE);
                if pages == 0 {
                    break;
                }
            }
            // The file itself shrinks when the log is copied back.
            if given > 0 {
                self.0.submit::<bool, StoreError>(Job::Scrub).await?;
            }
            Ok(given)
        })
    }

    fn scrub(&self) -> Fut<'_, bool> {
        self.0.submit(Job::Scrub)
    }

    fn close(&self) -> Fut<'_, ()> {
        let engine = self.0.clone();
        on_thread("store-close", move || {
            engine.close();
            Ok(())
        })
    }
}

pub(super) fn check(db: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let mut problems = connect::check(db, "PRAGMA integrity_check")?;
    let mut keys = db.prepare("PRAGMA foreign_key_check")?;
    let mut rows = keys.query([])?;
    while let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        problems.push(format!("a row of {table} refers to one of {parent} that does not exist"));
    }
    problems.extend(check_archive(db)?);
    Ok(problems)
}

/// Every index row has its stanza.
fn check_archive(db: &rusqlite::Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT count(*) FROM archive WHERE seq NOT IN (SELECT seq FROM log)";
    let missing: u64 = db.query_row(sql, [], |row| row.get(0))?;
    Ok((missing > 0).then(|| format!("{missing} archive rows have no stanza")))
}

fn damaged(db: &rusqlite::Connection) -> rusqlite::Result<u64> {
    let mut select = db.prepare("SELECT stanza, sum FROM log WHERE sum IS NOT NULL")?;
    let mut rows = select.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += u64::from(!is_intact(row.get_ref(0)?.as_blob()?, row.get(1)?));
    }
    Ok(count)
}

fn give_back(db: &rusqlite::Connection) -> Result<u64, StoreError> {
    let free = || db.pragma_query_value(None, "freelist_count", |row| row.get::<_, u64>(0));
    let before = free()?;
    // Each row of this pragma is one page moved.
    let mut step = db.prepare(&format!("PRAGMA incremental_vacuum({COMPACT_STEP})"))?;
    let mut rows = step.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    Ok(before.saturating_sub(free()?))
}

/// Long work gets a thread of its own, so that neither the readers nor the writer wait for it.
fn on_thread<T, E>(
    name: &str,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Fut<'static, T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || drop(tell.send(work())))
        .map_err(|error| StoreError::Io(error.to_string()));
    Box::pin(async move {
        spawned?;
        told.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    })
}
