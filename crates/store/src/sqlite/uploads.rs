//! Uploaded files in SQLite.

use std::sync::Arc;

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::engine::{Engine, failure};
use super::values::unsigned;
use crate::uploads::{Budget, File, FileId, Place, Purpose, ReserveError, Select, Uploads, Usage};
use crate::{AccountId, Fut, Millis, StoreError};

failure!(ReserveError);

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Uploads for Sqlite {
    fn reserve(&self, slot: File, budget: Budget, now: Millis) -> Fut<'_, (), ReserveError> {
        self.0.write(move |db| reserve(db, &slot, budget, now))
    }

    fn load(&self, id: FileId) -> Fut<'_, Option<File>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, account, name, media, size, purpose, created_at, ends_at, expires_at,
                        sha256
                 FROM upload WHERE id = ?1",
            )?;
            Ok(select.query_row([id], parse).optional()?)
        })
    }

    fn prolong(&self, id: FileId, slot_ends: Millis) -> Fut<'_, bool> {
        self.0.write(move |db| {
            let mut update = db.prepare_cached(
                "UPDATE upload SET ends_at = ?2 WHERE id = ?1 AND sha256 IS NULL",
            )?;
            Ok(update.execute(params![id, slot_ends])? > 0)
        })
    }

    fn complete(&self, id: FileId, media: &str, sha256: [u8; 32]) -> Fut<'_, bool> {
        let media = media.to_owned();
        self.0.write(move |db| {
            let mut update = db.prepare_cached(
                "UPDATE upload SET media = ?2, sha256 = ?3 WHERE id = ?1 AND sha256 IS NULL",
            )?;
            Ok(update.execute(params![id, media, sha256])? > 0)
        })
    }

    fn list(&self, account: AccountId, select: Select, limit: u32) -> Fut<'_, Vec<File>> {
        self.0.read(move |db| Ok(list(db, account, select, limit)?))
    }

    fn count(&self, account: AccountId, before: Option<Place>) -> Fut<'_, (u64, u64)> {
        self.0.read(move |db| {
            let Place { created, id } = before.unwrap_or(NEWEST);
            let sql = format!(
                "SELECT count(*) FILTER (WHERE {BEFORE}), count(*) FROM upload
                 WHERE account = ?1 AND sha256 IS NOT NULL"
            );
            let counted =
                db.prepare_cached(&sql)?.query_row(params![account.0, created, id], |row| {
                    Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
                });
            Ok(counted?)
        })
    }

    fn usage(&self, account: AccountId, purposes: Vec<Purpose>) -> Fut<'_, Usage> {
        self.0.read(move |db| Ok(usage(db, account, &purposes)?))
    }

    fn miscounted(&self) -> Fut<'_, u64> {
        self.0.read(move |db| Ok(db.query_row(MISCOUNTED, [], |row| row.get(0))?))
    }

    fn delete(&self, account: AccountId, ids: Option<Vec<FileId>>) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let Some(ids) = ids else {
                let mut all = db.prepare_cached("DELETE FROM upload WHERE account = ?1")?;
                return Ok(all.execute([account.0])? as u64);
            };
            let mut one = db.prepare_cached("DELETE FROM upload WHERE account = ?1 AND id = ?2")?;
            let mut removed = 0;
            for id in ids {
                removed += one.execute(params![account.0, id])? as u64;
            }
            Ok(removed)
        })
    }

    fn expire(&self, now: Millis, limit: u64) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let mut delete = db.prepare_cached(
                "DELETE FROM upload WHERE id IN (
                     SELECT id FROM upload WHERE expires_at <= ?1
                     UNION SELECT id FROM upload WHERE sha256 IS NULL AND ends_at <= ?1
                     LIMIT ?2)",
            )?;
            Ok(delete.execute(params![now, i64::try_from(limit).unwrap_or(i64::MAX)])? as u64)
        })
    }

    fn leftovers(&self, limit: u32) -> Fut<'_, Vec<FileId>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached("SELECT id FROM upload_leftover LIMIT ?1")?;
            let rows = select.query_map([limit], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn cleared(&self, ids: Vec<FileId>) -> Fut<'_, ()> {
        self.0.write(move |db| {
            let mut delete = db.prepare_cached("DELETE FROM upload_leftover WHERE id = ?1")?;
            for id in ids {
                delete.execute([id])?;
            }
            Ok::<_, StoreError>(())
        })
    }
}

fn list(
    db: &Connection,
    account: AccountId,
    select: Select,
    limit: u32,
) -> rusqlite::Result<Vec<File>> {
    let (which, Place { created, id }, from) = match select {
        Select::First => (AFTER, NEWEST, 0),
        Select::After(place) => (AFTER, place, 0),
        Select::Before(place) => (BEFORE, place, 0),
        Select::Last => (BEFORE, OLDEST, 0),
        Select::From(number) => (AFTER, NEWEST, i64::try_from(number).unwrap_or(i64::MAX)),
    };
    let backwards = matches!(select, Select::Before(_) | Select::Last);
    let order = if backwards { "created_at, id DESC" } else { "created_at DESC, id" };
    let sql = format!(
        "SELECT id, account, name, media, size, purpose, created_at, ends_at, expires_at, sha256
         FROM upload WHERE account = ?1 AND sha256 IS NOT NULL AND ({which})
         ORDER BY {order} LIMIT ?4 OFFSET ?5"
    );
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map(params![account.0, created, id, limit, from], parse)?;
    let mut rows: Vec<File> = rows.collect::<Result<_, _>>()?;
    if backwards {
        rows.reverse();
    }
    Ok(rows)
}

/// Before and after a place of the list. What is told twice lets the index find it.
const BEFORE: &str = "created_at >= ?2 AND (created_at > ?2 OR id < ?3)";
const AFTER: &str = "created_at <= ?2 AND (created_at < ?2 OR id > ?3)";
const NEWEST: Place = Place { created: Millis(i64::MAX as u64), id: FileId([0; 16]) };
const OLDEST: Place = Place { created: Millis(0), id: FileId([0xff; 16]) };

const MISCOUNTED: &str = "
    WITH counted AS (SELECT account, purpose, files, bytes FROM upload_usage WHERE files <> 0 OR bytes <> 0),
         there AS (SELECT account, purpose, count(*), sum(size) FROM upload GROUP BY account, purpose)
    SELECT count(DISTINCT account) FROM (
        SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM there)
        UNION SELECT * FROM (SELECT * FROM there EXCEPT SELECT * FROM counted))";

fn reserve(db: &Connection, slot: &File, budget: Budget, now: Millis) -> Result<(), ReserveError> {
    // Room that was reserved and never used is free again, however long ago anybody looked.
    db.prepare_cached(
        "DELETE FROM upload WHERE account = ?1 AND sha256 IS NULL AND ends_at <= ?2",
    )?
    .execute(params![slot.account.0, now])?;
    let same: &[Purpose] = match slot.purpose {
        Purpose::Message | Purpose::Ephemeral => &[Purpose::Message, Purpose::Ephemeral],
        Purpose::Profile => &[Purpose::Profile],
        Purpose::Permanent => &[Purpose::Permanent],
    };
    let used = usage(db, slot.account, same)?.bytes;
    if used.saturating_add(slot.size) > budget.bytes {
        return Err(ReserveError::Quota { used, until: first_end(db, slot.account, same)? });
    }
    if usage(db, slot.account, &ALL)?.files >= budget.files {
        return Err(ReserveError::Files);
    }
    let mut open = db.prepare_cached(
        "SELECT count(*), min(ends_at) FROM upload WHERE account = ?1 AND sha256 IS NULL",
    )?;
    let (slots, until) = open.query_row([slot.account.0], |row| {
        Ok((unsigned(row.get(0)?), row.get::<_, Option<Millis>>(1)?))
    })?;
    if slots >= budget.slots {
        return Err(ReserveError::Slots { until: until.unwrap_or(now) });
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO upload (id, account, name, media, size, purpose, created_at, ends_at,
                             expires_at, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    insert.execute(params![
        slot.id,
        slot.account.0,
        slot.name,
        slot.media,
        i64::try_from(slot.size).unwrap_or(i64::MAX),
        number(slot.purpose),
        slot.created,
        slot.slot_ends,
        slot.expires,
        slot.sha256,
    ])?;
    Ok(())
}

fn usage(db: &Connection, account: AccountId, purposes: &[Purpose]) -> rusqlite::Result<Usage> {
    let mut select = db.prepare_cached(
        "SELECT files, bytes FROM upload_usage WHERE account = ?1 AND purpose = ?2",
    )?;
    let mut total = Usage::default();
    for purpose in purposes {
        let counted = select.query_row(params![account.0, number(*purpose)], |row| {
            Ok((unsigned(row.get(0)?), unsigned(row.get(1)?)))
        });
        let (files, bytes) = counted.optional()?.unwrap_or_default();
        total = Usage { files: total.files + files, bytes: total.bytes.saturating_add(bytes) };
    }
    Ok(total)
}

/// When something of these purposes ends by itself.
fn first_end(
    db: &Connection,
    account: AccountId,
    purposes: &[Purpose],
) -> rusqlite::Result<Option<Millis>> {
    let mut select = db.prepare_cached(
        "SELECT min(CASE WHEN sha256 IS NULL THEN ends_at ELSE expires_at END) FROM upload
         WHERE account = ?1 AND purpose = ?2",
    )?;
    let mut first: Option<Millis> = None;
    for purpose in purposes {
        let end: Option<Millis> =
            select.query_row(params![account.0, number(*purpose)], |row| row.get(0))?;
        first = first.into_iter().chain(end).min();
    }
    Ok(first)
}

const ALL: [Purpose; 4] =
    [Purpose::Message, Purpose::Profile, Purpose::Ephemeral, Purpose::Permanent];

fn number(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Message => 0,
        Purpose::Profile => 1,
        Purpose::Ephemeral => 2,
        Purpose::Permanent => 3,
    }
}

fn parse(row: &Row<'_>) -> rusqlite::Result<File> {
    Ok(File {
        id: row.get(0)?,
        account: AccountId(row.get(1)?),
        name: row.get(2)?,
        media: row.get(3)?,
        size: unsigned(row.get(4)?),
        purpose: match row.get(5)? {
            1 => Purpose::Profile,
            2 => Purpose::Ephemeral,
            3 => Purpose::Permanent,
            _ => Purpose::Message,
        },
        created: row.get(6)?,
        slot_ends: row.get(7)?,
        expires: row.get(8)?,
        sha256: row.get(9)?,
    })
}

impl ToSql for FileId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for FileId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(FileId)
    }
}
