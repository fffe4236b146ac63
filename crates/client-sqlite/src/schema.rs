//! Numbered migrations. `user_version` counts those applied; a released one is never edited.

use rusqlite::Connection;

/// What stands in the header of every database of ours ("Clow").
pub(crate) const APPLICATION_ID: i32 = 0x436c_6f77;

const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_initial.sql")];

/// The schema this program knows.
pub(crate) fn newest() -> u32 {
    MIGRATIONS.len() as u32
}

/// Applies what is missing, each migration in a transaction of its own.
pub(crate) fn migrate(db: &Connection) -> rusqlite::Result<()> {
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (number, migration) in (1u32..).zip(MIGRATIONS).skip(version as usize) {
        let step = db.unchecked_transaction()?;
        step.execute_batch(migration)?;
        step.pragma_update(None, "user_version", number)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.commit()?;
    }
    Ok(())
}
