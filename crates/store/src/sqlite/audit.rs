//! What administrators did, in SQLite.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};

use super::engine::Engine;
use super::values::unsigned;
use crate::audit::{Audit, Entry, EntryHash, NewEntry};
use crate::{Fut, Millis};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Audit for Sqlite {
    fn append(&self, entry: NewEntry) -> Fut<'_, Entry> {
        self.0.write(move |db| {
            let mut last =
                db.prepare_cached("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")?;
            let last = last.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
            let (number, previous) = match last.optional()? {
                Some((number, hash)) => (number.saturating_add(1), EntryHash(hash)),
                None => (1, EntryHash::default()),
            };
            let hash = entry.hash(number, &previous);
            let NewEntry { at, door, actor, command, subject, outcome } = &entry;
            let mut insert = db.prepare_cached(
                "INSERT INTO audit (number, at, door, actor, command, subject, outcome, previous, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?;
            insert.execute(params![
                number, at, door, actor, command, subject, outcome, previous.0, hash.0
            ])?;
            drop(insert);
            Ok(Entry { number, entry, previous, hash })
        })
    }

    fn newest(&self, before: Option<i64>, limit: u32) -> Fut<'_, Vec<Entry>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT number, at, door, actor, command, subject, outcome, previous, hash FROM audit
                 WHERE number < ?1 ORDER BY number DESC LIMIT ?2",
            )?;
            let rows = select.query_map(params![before.unwrap_or(i64::MAX), limit], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn oldest(&self, after: Option<i64>, limit: u32) -> Fut<'_, Vec<Entry>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT number, at, door, actor, command, subject, outcome, previous, hash FROM audit
                 WHERE number > ?1 ORDER BY number LIMIT ?2",
            )?;
            let rows = select.query_map(params![after.unwrap_or(i64::MIN), limit], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn about(&self, address: &str) -> Fut<'_, u64> {
        let address = address.to_owned();
        self.0.read(move |db| {
            // As a word: what stands beside an address is a space, or one of these.
            let mut select = db.prepare_cached(
                "SELECT count(*) FROM audit WHERE actor = ?1 OR subject = ?1 OR instr(' ' ||
                     replace(replace(replace(subject, ', ', ' '), ': ', ' '), '/', ' ') || ' ',
                     ' ' || ?1 || ' ') > 0",
            )?;
            Ok(unsigned(select.query_row([address], |row| row.get(0))?))
        })
    }

    fn expire(&self, before: Millis) -> Fut<'_, u64> {
        self.0.write(move |db| {
            // Only from the beginning, whatever the clock said: the chain has no holes.
            let mut delete = db.prepare_cached(
                "DELETE FROM audit WHERE number < coalesce(
                     (SELECT min(number) FROM audit WHERE at >= ?1), (SELECT max(number) FROM audit))",
            )?;
            Ok(delete.execute([before])? as u64)
        })
    }
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        number: row.get(0)?,
        entry: NewEntry {
            at: row.get(1)?,
            door: row.get(2)?,
            actor: row.get(3)?,
            command: row.get(4)?,
            subject: row.get(5)?,
            outcome: row.get(6)?,
        },
        previous: EntryHash(row.get(7)?),
        hash: EntryHash(row.get(8)?),
    })
}
