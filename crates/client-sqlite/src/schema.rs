//! Numbered migrations. `user_version` counts those applied; a released one is never edited.

use client::store::Result;
use rusqlite::Connection;

use crate::error::from_sqlite;
use crate::seal::Sealer;
use crate::timeline;

/// What stands in the header of every database of ours ("Clow").
pub(crate) const APPLICATION_ID: i32 = 0x436c_6f77;

/// One change of the schema, or of how rows are sealed.
enum Migration {
    Sql(&'static str),
    Rows(fn(&Connection, &Sealer) -> Result<()>),
}

const MIGRATIONS: &[Migration] = &[
    Migration::Sql(include_str!("migrations/0001_initial.sql")),
    Migration::Rows(timeline::bind_hashes),
    Migration::Sql(include_str!("migrations/0003_hidden.sql")),
];

/// The schema this program knows.
pub(crate) fn newest() -> u32 {
    MIGRATIONS.len() as u32
}

/// Applies what is missing, each migration in a transaction of its own.
pub(crate) fn migrate(db: &Connection, sealer: &Sealer) -> Result<()> {
    let version: u32 =
        db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(from_sqlite)?;
    for (number, migration) in (1u32..).zip(MIGRATIONS).skip(version as usize) {
        let step = db.unchecked_transaction().map_err(from_sqlite)?;
        match migration {
            Migration::Sql(sql) => step.execute_batch(sql).map_err(from_sqlite)?,
            Migration::Rows(change) => change(&step, sealer)?,
        }
        step.pragma_update(None, "user_version", number).map_err(from_sqlite)?;
        step.pragma_update(None, "application_id", APPLICATION_ID).map_err(from_sqlite)?;
        step.commit().map_err(from_sqlite)?;
    }
    Ok(())
}
