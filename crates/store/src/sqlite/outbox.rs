//! The outbox in SQLite.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::engine::Engine;
use super::queue::{Fold, Job};
use super::values::unsigned;
use crate::archive::{Busy, Ticket, Unit};
use crate::outbox::{MAX_LOAD, Outbox, Parcel, Waiting};
use crate::{AccountId, Fut, Millis, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Outbox for Sqlite {
    fn send(
        &self,
        parcel: Parcel,
        unit: Unit,
        ticket: Option<(Arc<dyn Ticket>, u64)>,
    ) -> Result<(), Busy> {
        let job = Job::Send(Box::new(parcel), unit, ticket);
        self.0.shared.queue.push(job).map_err(|_| Busy)
    }

    fn next(&self) -> Fut<'_, u64> {
        self.0.read(|db| {
            let sql = "SELECT ifnull(max(id), 0) + 1 FROM outbox";
            Ok(unsigned(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?))
        })
    }

    fn waiting(&self) -> Fut<'_, Vec<Waiting>> {
        self.0.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT local, remote, count(*), sum(length(stanza)), max(id), min(at) FROM outbox
                 GROUP BY remote, local ORDER BY remote, local",
            )?;
            let rows = select.query_map([], |row| {
                Ok(Waiting {
                    local: row.get(0)?,
                    remote: row.get(1)?,
                    count: unsigned(row.get(2)?),
                    bytes: unsigned(row.get(3)?),
                    newest: unsigned(row.get(4)?),
                    since: row.get(5)?,
                })
            })?;
            Ok::<_, StoreError>(rows.collect::<Result<_, _>>()?)
        })
    }

    fn load(
        &self,
        local: Box<str>,
        remote: Box<str>,
        after: u64,
        limit: u32,
    ) -> Fut<'_, Vec<Parcel>> {
        self.0.read(move |db| load(db, &local, &remote, after, limit))
    }

    fn done(&self, ids: Vec<u64>) -> Fut<'_, ()> {
        self.0.write(move |db| {
            let mut delete = db.prepare_cached("DELETE FROM outbox WHERE id = ?1")?;
            for id in ids {
                delete.execute([id as i64])?;
            }
            Ok::<_, StoreError>(())
        })
    }

    fn returned(&self, id: u64, archive: AccountId, row: u64) -> Fut<'_, bool> {
        self.0.write_folded(Fold::Account(archive), move |db| returned(db, id, archive, row))
    }

    fn reached(&self, remote: Box<str>, at: Millis, horizon: Millis) -> Fut<'_, ()> {
        self.0.write(move |db| {
            db.prepare_cached("DELETE FROM outbox_reached WHERE at < ?1")?.execute([horizon])?;
            let sql = "INSERT OR REPLACE INTO outbox_reached (remote, at) VALUES (?1, ?2)";
            db.prepare_cached(sql)?.execute(params![remote, at])?;
            Ok::<_, StoreError>(())
        })
    }

    fn all_reached(&self, most: u32) -> Fut<'_, Vec<(Box<str>, Millis)>> {
        self.0.read(move |db| {
            let sql = "SELECT remote, at FROM outbox_reached ORDER BY at DESC, remote LIMIT ?1";
            let mut select = db.prepare_cached(sql)?;
            let rows = select.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok::<_, StoreError>(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn load(
    db: &Connection,
    local: &str,
    remote: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<Parcel>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT id, local, remote, account, at, stanza FROM outbox
         WHERE remote = ?1 AND local = ?2 AND id > ?3 ORDER BY id LIMIT ?4",
    )?;
    let values = params![remote, local, after as i64, limit.min(MAX_LOAD)];
    let rows = select.query_map(values, |row| {
        Ok(Parcel {
            id: unsigned(row.get(0)?),
            local: row.get(1)?,
            remote: row.get(2)?,
            account: row.get::<_, Option<i64>>(3)?.map(AccountId),
            at: row.get::<_, Millis>(4)?,
            stanza: Bytes::from(row.get::<_, Vec<u8>>(5)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn returned(db: &Connection, id: u64, archive: AccountId, row: u64) -> Result<bool, StoreError> {
    // A device may have had it already: then it is gone, and left a floor behind.
    let sql = "SELECT EXISTS (SELECT 1 FROM archive WHERE account = ?1 AND id = ?2)
               OR EXISTS (SELECT 1 FROM archive_floor WHERE account = ?1 AND next > ?2)";
    let mut select = db.prepare_cached(sql)?;
    let written = select.query_row([archive.0, row as i64], |row| row.get(0))?;
    if written {
        take_back(db, id)?;
    }
    Ok(written)
}

/// Writes a parcel. What can be wrong with it is found before anything of it is written.
pub(super) fn insert(db: &Connection, parcel: &Parcel) -> Result<(), StoreError> {
    let Parcel { id, local, remote, account, at, stanza } = parcel;
    let mut insert = db.prepare_cached(
        "INSERT INTO outbox (id, local, remote, account, at, stanza)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let account = account.map(|account| account.0);
    insert.execute(params![*id as i64, local, remote, account, at, stanza.as_ref()])?;
    Ok(())
}

/// Removes a parcel.
pub(super) fn take_back(db: &Connection, id: u64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id as i64])?;
    Ok(())
}
