//! Numbered migrations. `user_version` counts those applied; a released one is never edited.

use rusqlite::Connection;

/// What stands in the header of every database of ours ("Anem").
pub(super) const APPLICATION_ID: i32 = 0x416e_656d;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_pubsub.sql"),
    include_str!("migrations/0003_outbox.sql"),
    include_str!("migrations/0004_uploads.sql"),
    include_str!("migrations/0005_rooms.sql"),
    include_str!("migrations/0006_push.sql"),
    include_str!("migrations/0007_pubsub_service.sql"),
    include_str!("migrations/0008_upload_usage.sql"),
    include_str!("migrations/0009_room_card.sql"),
    include_str!("migrations/0010_endpoints.sql"),
    include_str!("migrations/0011_audit.sql"),
    include_str!("migrations/0012_reached.sql"),
    include_str!("migrations/0013_retention.sql"),
    include_str!("migrations/0014_checksum.sql"),
];

/// The schema this program knows.
pub(super) fn newest() -> u32 {
    MIGRATIONS.len() as u32
}

/// Applies what is missing, each migration in a transaction of its own.
pub(super) fn migrate(db: &Connection) -> rusqlite::Result<()> {
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version as usize) {
        let number = index + 1;
        // One that is just made has none to tell of.
        if version > 0 {
            tracing::info!(number, "storage_migration");
        }
        let step = db.unchecked_transaction()?;
        step.execute_batch(migration)?;
        step.pragma_update(None, "user_version", number as u32)?;
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.commit()?;
    }
    Ok(())
}
