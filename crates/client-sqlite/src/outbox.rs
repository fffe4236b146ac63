//! Stanzas that must reach the server.

use client::store::{Outbox, Queued, QueuedId, Result};
use rusqlite::params;

use crate::SqliteStore;
use crate::items::{from_json, to_json};
use crate::seal::Place;

impl SqliteStore {
    fn seal_queued(&self, queued: &Queued) -> Result<Vec<u8>> {
        self.sealer.borrow().seal(&place(queued.id.0), &to_json(queued)?)
    }
}

fn place(id: i64) -> Place {
    Place::of("outbox", &[&id.to_be_bytes()])
}

impl Outbox for SqliteStore {
    fn queued(&self) -> Result<Vec<Queued>> {
        let rows = self.rows("SELECT id, sealed FROM outbox ORDER BY id", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let sealer = self.sealer.borrow();
        rows.into_iter().map(|(id, sealed)| from_json(&sealer.open(&place(id), &sealed)?)).collect()
    }

    fn enqueue(&self, queued: &Queued) -> Result<QueuedId> {
        self.together(|| {
            let id = QueuedId(self.next_id("outbox")?);
            let sealed = self.seal_queued(&Queued { id, ..queued.clone() })?;
            self.run("INSERT INTO outbox (id, sealed) VALUES (?1, ?2)", params![id.0, sealed])?;
            Ok(id)
        })
    }

    fn save_queued(&self, queued: &Queued) -> Result<()> {
        let sealed = self.seal_queued(queued)?;
        self.run("UPDATE outbox SET sealed = ?2 WHERE id = ?1", params![queued.id.0, sealed])
    }

    fn dequeue(&self, id: QueuedId) -> Result<()> {
        self.run("DELETE FROM outbox WHERE id = ?1", [id.0])
    }
}
