//! How long single archives are kept, in SQLite.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::engine::Engine;
use crate::retentions::{Retention, Retentions};
use crate::{AccountId, Fut, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Retentions for Sqlite {
    fn list(&self) -> Fut<'_, Vec<Retention>> {
        self.0.read(|db| {
            let mut select = db.prepare_cached(
                "SELECT archive, days, own FROM archive_retention ORDER BY archive",
            )?;
            let rows = select.query_map([], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn of(&self, archive: AccountId) -> Fut<'_, Retention> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT archive, days, own FROM archive_retention WHERE archive = ?1",
            )?;
            let found = select.query_row([archive.0], parse).optional()?;
            Ok(found.unwrap_or(Retention { archive, days: None, own: None }))
        })
    }

    fn set(&self, archive: AccountId, days: Option<u32>) -> Fut<'_, ()> {
        self.0.write(move |db| {
            write(db, archive, days, "UPDATE archive_retention SET days = ?2 WHERE archive = ?1")?;
            Ok::<_, StoreError>(())
        })
    }

    fn choose(&self, account: AccountId, days: Option<u32>) -> Fut<'_, ()> {
        self.0.write(move |db| Ok::<_, StoreError>(choose(db, account, days)?))
    }
}

/// What the account says, or the owners of the room.
pub(super) fn choose(
    db: &Connection,
    archive: AccountId,
    days: Option<u32>,
) -> rusqlite::Result<()> {
    write(db, archive, days, "UPDATE archive_retention SET own = ?2 WHERE archive = ?1")
}

/// Nothing is kept of an account or a room that was deleted meanwhile.
fn write(
    db: &Connection,
    archive: AccountId,
    days: Option<u32>,
    update: &'static str,
) -> rusqlite::Result<()> {
    if days.is_some() {
        let begin = "INSERT OR IGNORE INTO archive_retention (archive) SELECT ?1
             WHERE EXISTS (SELECT 1 FROM account WHERE id = ?1)
                OR EXISTS (SELECT 1 FROM room WHERE id = -?1)";
        db.prepare_cached(begin)?.execute(params![archive.0])?;
    }
    db.prepare_cached(update)?.execute(params![archive.0, days])?;
    Ok(())
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Retention> {
    Ok(Retention { archive: AccountId(row.get(0)?), days: row.get(1)?, own: row.get(2)? })
}
