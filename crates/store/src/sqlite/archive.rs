//! Archives in SQLite: what is read from them and removed from them. `log.rs` has the way in.
//!
//! Archive ids: the caller counts, and learns where to begin from [`Archive::tail`]. Three things keep
//! an id from naming two messages. Rows that are removed leave a floor behind (`archive_floor`). Ids
//! given to messages that were delivered but lost in a crash, because their commit had not finished,
//! lie in the generation of that start (`id >> 32`); the start after a crash counts in the next one.
//! A restored backup begins far ahead, because nobody knows what happened after it was made.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::checksum::checksum;
use super::engine::Engine;
use super::page::{self, Source};
use super::peer::PeerHash;
use super::queue::{Fold, Job};
use super::refs::{OUTGOING, parse_refs, release};
use super::values::unsigned;
use crate::archive::{
    Archive, Before, Busy, Clear, End, MAX_ORIGINS, Page, PageError, Query, Row, Tail, Ticket, Unit,
};
use crate::maintenance::Health;
use crate::{AccountId, Fut, Millis, StoreError};

pub(super) struct Sqlite {
    pub(super) engine: Arc<Engine>,
    pub(super) hash: PeerHash,
}

/// Ids of one generation.
const GENERATION_BITS: u32 = 32;
/// Rows looked at for [`Tail::origins`].
const MAX_ORIGIN_SCAN: i64 = 20_000;
/// Rows looked at for [`Archive::wrote_to`], a few milliseconds.
const MAX_SENT_SCAN: i64 = 50_000;
/// Rows removed in one transaction.
const AT_ONCE: i64 = 256;

impl Archive for Sqlite {
    fn append(&self, unit: Unit, ticket: Option<(Arc<dyn Ticket>, u64)>) -> Result<(), Busy> {
        self.engine.shared.queue.push(Job::Append(unit, ticket)).map_err(|_| Busy)
    }

    fn room(&self) -> Option<Fut<'_, ()>> {
        let queue = &self.engine.shared.queue;
        queue.is_pressed().then(|| -> Fut<'_, ()> {
            Box::pin(async {
                queue.room().await;
                Ok(())
            })
        })
    }

    fn barrier(&self) -> Fut<'_, ()> {
        self.engine.sync(None)
    }

    fn tail(&self, account: AccountId, since: Millis) -> Fut<'_, Tail> {
        self.engine.read_archive(account, move |db| tail(db, account, since))
    }

    fn page(&self, account: AccountId, query: Query) -> Fut<'_, Page, PageError> {
        let (hash, health) = (self.hash.clone(), self.engine.shared.health.clone());
        self.engine.read_archive(account, move |db| {
            page::page(&Source { db, hash: &hash, health: &health }, account, &query)
        })
    }

    fn ends(&self, account: AccountId) -> Fut<'_, Option<(End, End)>> {
        self.engine.read_archive(account, move |db| ends(db, account))
    }

    fn wrote_to(&self, account: AccountId, bare: &str) -> Fut<'_, bool> {
        let peer = self.hash.bare(bare);
        self.engine.read_archive(account, move |db| wrote_to(db, account, peer))
    }

    fn pending(&self, account: AccountId, after: u64, limit: u32) -> Fut<'_, Vec<Row>> {
        let health = self.engine.shared.health.clone();
        self.engine.read_archive(account, move |db| pending(db, &health, account, after, limit))
    }

    fn set_pending(&self, account: AccountId, ids: Vec<u64>) -> Fut<'_, ()> {
        self.engine.write_folded(Fold::Account(account), move |db| {
            let mut update = db.prepare_cached(
                "UPDATE archive SET flags = flags | 2
                 WHERE account = ?1 AND id = ?2 AND flags & 1 = 0",
            )?;
            for id in ids {
                update.execute(params![account.0, signed(id)])?;
            }
            Ok(())
        })
    }

    fn clear_pending(&self, account: AccountId, which: Clear) -> Fut<'_, u64> {
        let fold = Fold::Account(account);
        self.engine.write_folded(fold, move |db| match &which {
            Clear::UpTo(id) => clear_up_to(db, account, signed(*id)),
            Clear::Ids(ids) => {
                let mut cleared = 0;
                for id in ids {
                    cleared += u64::from(clear_one(db, account, signed(*id))?);
                }
                Ok(cleared)
            }
        })
    }

    fn expire(&self, before: Millis, limit: u64) -> Fut<'_, u64> {
        let first = self.engine.write_folded(Fold::All, |db| {
            let newest = "SELECT ifnull(max(seq), 0) FROM log";
            let newest = db.prepare_cached(newest)?.query_row([], |row| row.get(0))?;
            let mut select = db.prepare_cached("SELECT account FROM purge")?;
            let accounts = select.query_map([], |row| row.get(0))?;
            Ok::<(i64, Vec<i64>), StoreError>((newest, accounts.collect::<Result<_, _>>()?))
        });
        Box::pin(async move {
            let (newest, interrupted) = first.await?;
            let mut removed = 0;
            for account in interrupted {
                removed += remove_all(&self.engine, AccountId(account), Rows::All).await?;
            }
            while removed < limit {
                let work = move |db: &Connection| expire_some(db, before, newest);
                let (entries, rows) = self.engine.write::<_, StoreError>(work).await?;
                removed += rows;
                if entries < AT_ONCE {
                    break;
                }
            }
            Ok(removed)
        })
    }

    fn expire_one(&self, archive: AccountId, before: Before, limit: u64) -> Fut<'_, u64> {
        Box::pin(async move {
            let (mut removed, mut after) = (0, 0);
            while removed < limit {
                let find = move |db: &Connection| old_rows(db, archive, before, after);
                let old: Vec<(i64, i64)> = self.engine.read_archive(archive, find).await?;
                let Some((last, _)) = old.last().copied() else { break };
                after = last;
                let found = old.len();
                let work = move |db: &Connection| remove(db, archive, &old);
                removed += self.engine.write::<_, StoreError>(work).await?;
                if found < AT_ONCE as usize {
                    break;
                }
            }
            Ok(removed)
        })
    }

    fn replace(&self, account: AccountId, id: u64, stanza: Bytes) -> Fut<'_, bool> {
        let replaced = self.engine.write_folded(Fold::Account(account), move |db| {
            replace(db, account, signed(id), &stanza)
        });
        Box::pin(async move {
            let replaced = replaced.await?;
            // What was there must not be found in the files any more.
            self.engine.submit::<bool, StoreError>(Job::Scrub).await?;
            Ok(replaced)
        })
    }

    fn purge(&self, account: AccountId) -> Fut<'_, u64> {
        Box::pin(async move {
            let removed = remove_all(&self.engine, account, Rows::Delivered).await?;
            self.engine.submit::<bool, StoreError>(Job::Scrub).await?;
            Ok(removed)
        })
    }
}

fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// Only rows that share their stanza with no other can be replaced: those of rooms.
fn replace(
    db: &Connection,
    account: AccountId,
    id: i64,
    stanza: &[u8],
) -> Result<bool, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT a.seq, l.refs FROM archive AS a JOIN log AS l ON l.seq = a.seq
         WHERE a.account = ?1 AND a.id = ?2",
    )?;
    let found = select.query_row([account.0, id], |row| Ok((row.get(0)?, row.get(1)?)));
    let Some((seq, refs)) = found.optional()? else { return Ok(false) };
    let (seq, refs): (i64, Vec<u8>) = (seq, refs);
    if parse_refs(&refs)?.len() > 1 {
        return Err(StoreError::Internal("a shared stanza cannot be replaced".to_owned()));
    }
    db.prepare_cached("UPDATE log SET stanza = ?2, sum = ?3 WHERE seq = ?1")?.execute(params![
        seq,
        stanza,
        checksum(stanza)
    ])?;
    Ok(true)
}

fn tail(db: &Connection, account: AccountId, since: Millis) -> Result<Tail, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT max(ifnull((SELECT max(id) + 1 FROM archive WHERE account = ?1), 1),
                    ifnull((SELECT next FROM archive_floor WHERE account = ?1), 1),
                    (value << ?2) + 1)
         FROM meta WHERE key = 'generation'",
    )?;
    let next: i64 = select.query_row(params![account.0, GENERATION_BITS], |row| row.get(0))?;
    let mut select = db.prepare_cached(
        "SELECT origin, id FROM (
             SELECT origin, id, at FROM archive WHERE account = ?1 ORDER BY id DESC LIMIT ?2)
         WHERE origin IS NOT NULL AND at >= ?3 ORDER BY id DESC LIMIT ?4",
    )?;
    let limits = params![account.0, MAX_ORIGIN_SCAN, since, MAX_ORIGINS];
    let origins = select
        .query_map(limits, |row| Ok((row.get::<_, i64>(0)? as u64, unsigned(row.get(1)?))))?;
    let origins = origins.collect::<Result<_, _>>()?;
    let mut select = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM archive WHERE account = ?1 AND flags & 2 <> 0)",
    )?;
    let waits = select.query_row([account.0], |row| row.get(0))?;
    Ok(Tail { next: unsigned(next), origins, waits })
}

fn wrote_to(db: &Connection, account: AccountId, peer: i64) -> Result<bool, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM (
             SELECT peer, flags FROM archive WHERE account = ?1 ORDER BY id DESC LIMIT ?2)
         WHERE peer = ?3 AND flags & ?4 <> 0)",
    )?;
    let values = params![account.0, MAX_SENT_SCAN, peer, OUTGOING];
    Ok(select.query_row(values, |row| row.get(0))?)
}

fn ends(db: &Connection, account: AccountId) -> Result<Option<(End, End)>, StoreError> {
    let end = |sql| {
        db.prepare_cached(sql)?
            .query_row([account.0], |row| Ok(End { id: unsigned(row.get(0)?), at: row.get(1)? }))
            .optional()
    };
    let first = end("SELECT id, at FROM archive WHERE account = ?1 AND flags & 4 = 0
                     ORDER BY id LIMIT 1")?;
    let last = end("SELECT id, at FROM archive WHERE account = ?1 AND flags & 4 = 0
                    ORDER BY id DESC LIMIT 1")?;
    Ok(first.zip(last))
}

fn pending(
    db: &Connection,
    health: &Health,
    account: AccountId,
    after: u64,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT a.id, a.at, a.flags, l.stanza, l.sum
         FROM archive AS a CROSS JOIN log AS l ON l.seq = a.seq
         WHERE a.account = :account AND a.id > :after AND a.flags & 2 <> 0
         ORDER BY a.id",
    )?;
    let values = named_params! { ":account": account.0, ":after": signed(after) };
    let (rows, _) = page::read(&mut select, values, limit as usize, health)?;
    Ok(rows)
}

fn clear_up_to(db: &Connection, account: AccountId, last: i64) -> Result<u64, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT id, seq FROM archive
         WHERE account = ?1 AND id <= ?2 AND flags & 2 <> 0 AND flags & 4 <> 0",
    )?;
    let hidden: Vec<(i64, i64)> = select
        .query_map([account.0, last], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    remove(db, account, &hidden)?;
    let mut update = db.prepare_cached(
        "UPDATE archive SET flags = flags & ~2 WHERE account = ?1 AND id <= ?2 AND flags & 2 <> 0",
    )?;
    Ok((hidden.len() + update.execute([account.0, last])?) as u64)
}

fn clear_one(db: &Connection, account: AccountId, id: i64) -> Result<bool, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT seq, flags & 4 <> 0 FROM archive
         WHERE account = ?1 AND id = ?2 AND flags & 2 <> 0",
    )?;
    let found = select.query_row([account.0, id], |row| Ok((row.get(0)?, row.get(1)?)));
    let Some((seq, hidden)) = found.optional()? else { return Ok(false) };
    if hidden {
        remove(db, account, &[(id, seq)])?;
    } else {
        let sql = "UPDATE archive SET flags = flags & ~2 WHERE account = ?1 AND id = ?2";
        db.prepare_cached(sql)?.execute([account.0, id])?;
    }
    Ok(true)
}

/// Removes rows, given with their places in the log, of one account, as far as they are still there. Returns
/// how many.
fn remove(db: &Connection, account: AccountId, rows: &[(i64, i64)]) -> Result<u64, StoreError> {
    let mut delete = db.prepare_cached("DELETE FROM archive WHERE account = ?1 AND id = ?2")?;
    let mut removed = 0;
    for (id, seq) in rows {
        if delete.execute([account.0, *id])? > 0 {
            release(db, *seq, account, *id)?;
            removed += 1;
        }
    }
    if let Some(last) = rows.iter().map(|(id, _)| id).max() {
        raise_floor(db, account.0, last + 1)?;
    }
    Ok(removed)
}

/// Rows of one account that are too old, with their places in the log: those behind an id.
fn old_rows(
    db: &Connection,
    account: AccountId,
    before: Before,
    after: i64,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT id, seq FROM archive WHERE account = ?1 AND id > ?2
         AND at < CASE WHEN flags & 2 = 0 THEN ?3 ELSE ?4 END ORDER BY id LIMIT ?5",
    )?;
    let values = params![account.0, after, before.delivered, before.pending, AT_ONCE];
    let rows = select.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn raise_floor(db: &Connection, account: i64, next: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO archive_floor (account, next) VALUES (?1, ?2)
         ON CONFLICT (account) DO UPDATE SET next = max(next, ?2)",
    )?
    .execute([account, next])?;
    Ok(())
}

/// Returns how many log entries were looked at and how many archive rows went. What archives with a retention of
/// their own have in an entry stays, and the entry leaves the order of expiry: it goes with the last of them.
fn expire_some(db: &Connection, before: Millis, newest: i64) -> Result<(i64, u64), StoreError> {
    let mut select = db.prepare_cached(
        "SELECT seq, refs FROM log WHERE at < ?1 AND seq <= ?2 ORDER BY at, seq LIMIT ?3",
    )?;
    let entries: Vec<(i64, Vec<u8>)> = select
        .query_map(params![before, newest, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut delete_row = db.prepare_cached("DELETE FROM archive WHERE account = ?1 AND id = ?2")?;
    let mut delete_entry = db.prepare_cached("DELETE FROM log WHERE seq = ?1")?;
    let mut select = db.prepare_cached("SELECT archive FROM archive_retention")?;
    let apart: HashSet<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut leave =
        db.prepare_cached("UPDATE log SET refs = ?2, at = 9223372036854775807 WHERE seq = ?1")?;
    let mut floors = BTreeMap::new();
    let mut rows = 0;
    for (seq, refs) in &entries {
        let mut left = Vec::new();
        for entry in parse_refs(refs)? {
            if apart.contains(&entry.account) {
                entry.write(&mut left);
                continue;
            }
            rows += delete_row.execute([entry.account, entry.id])? as u64;
            let floor = floors.entry(entry.account).or_insert(0);
            *floor = entry.id.max(*floor);
        }
        if left.is_empty() {
            delete_entry.execute([seq])?;
        } else {
            leave.execute(params![seq, left])?;
        }
    }
    for (account, last) in floors {
        raise_floor(db, account, last + 1)?;
    }
    Ok((entries.len() as i64, rows))
}

/// Which rows of an account are removed.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    All,
    /// Those that no longer wait for a device.
    Delivered,
}

/// Removes all such rows an account has now, in short transactions, and finishes the removal of a deleted
/// account.
pub(super) async fn remove_all(
    engine: &Engine,
    account: AccountId,
    which: Rows,
) -> Result<u64, StoreError> {
    let newest = "SELECT ifnull(max(id), 0) FROM archive WHERE account = ?1";
    let newest: i64 = engine
        .write_folded::<_, StoreError>(Fold::Account(account), move |db| {
            Ok(db.prepare_cached(newest)?.query_row([account.0], |row| row.get(0))?)
        })
        .await?;
    let mut removed = 0;
    loop {
        let work = move |db: &Connection| remove_some(db, account, newest, which);
        let rows = engine.write::<_, StoreError>(work).await?;
        removed += rows;
        if rows < AT_ONCE as u64 {
            break;
        }
    }
    let finish = move |db: &Connection| {
        let sql = "DELETE FROM purge WHERE account = ?1";
        if db.prepare_cached(sql)?.execute([account.0])? > 0 {
            let sql = "DELETE FROM archive_floor WHERE account = ?1";
            db.prepare_cached(sql)?.execute([account.0])?;
            let sql = "DELETE FROM archive_retention WHERE archive = ?1";
            db.prepare_cached(sql)?.execute([account.0])?;
        }
        Ok::<_, StoreError>(())
    };
    engine.write(finish).await?;
    Ok(removed)
}

fn remove_some(
    db: &Connection,
    account: AccountId,
    newest: i64,
    which: Rows,
) -> Result<u64, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT id, seq FROM archive WHERE account = ?1 AND id <= ?2 AND flags & ?4 = 0
         ORDER BY id LIMIT ?3",
    )?;
    let spared = match which {
        Rows::All => 0,
        Rows::Delivered => 2,
    };
    let rows: Vec<(i64, i64)> = select
        .query_map([account.0, newest, AT_ONCE, spared], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    remove(db, account, &rows)?;
    Ok(rows.len() as u64)
}
