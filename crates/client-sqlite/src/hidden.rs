//! Histories that were deleted and go a part at a time.

use client::store::{Hidden, Message, Reference, Result, StoreError, Trace};
use rusqlite::params;
use xmpp::jid::BareJid;

use crate::SqliteStore;
use crate::timeline::{Sealed, reference_tag};

impl SqliteStore {
    /// What is known of a hidden message that is called so.
    pub(crate) fn trace_of_hidden(
        &self,
        conversation: &BareJid,
        reference: &Reference,
    ) -> Result<Option<Trace>> {
        let sql = match reference {
            Reference::Origin(..) => {
                "SELECT archive IS NOT NULL FROM message JOIN hidden USING (conversation)
                 WHERE origin = ?1 AND id <= last ORDER BY 1 LIMIT 1"
            }
            Reference::Archive(_) => {
                "SELECT archive IS NOT NULL FROM message JOIN hidden USING (conversation)
                 WHERE archive = ?1 AND id <= last ORDER BY 1 LIMIT 1"
            }
        };
        let tag = reference_tag(&self.sealer.borrow(), conversation, reference);
        let found = self.rows(sql, [tag], |row| row.get(0))?;
        Ok(found.first().map(|archived| Trace { archived: *archived }))
    }
}

impl Hidden for SqliteStore {
    fn hide(&self, conversation: &BareJid) -> Result<()> {
        self.run(
            "INSERT INTO hidden (conversation, last)
             VALUES (?1, (SELECT coalesce(max(id), 0) FROM message))
             ON CONFLICT (conversation) DO UPDATE SET last = excluded.last",
            [self.conversation_tag(conversation)],
        )
    }

    fn hidden(&self, limit: usize) -> Result<Vec<Message>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let marks = self.rows("SELECT conversation, last FROM hidden", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?))
        })?;
        for (tag, last) in marks {
            let rows = self.rows(
                "SELECT id, conversation, position, origin, archive, sealed FROM message
                 WHERE conversation = ?1 AND id <= ?2 ORDER BY position DESC, id DESC LIMIT ?3",
                params![tag, last, limit],
                Sealed::read,
            )?;
            let mut page = Vec::with_capacity(rows.len());
            for row in &rows {
                match self.open_message(row) {
                    // It is to go in any case.
                    Err(StoreError::Damaged(_)) => {}
                    message => page.push(message?),
                }
            }
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }

    fn end_hiding(&self) -> Result<()> {
        self.together(|| {
            self.removed.set(true);
            self.run(
                "DELETE FROM message WHERE id IN (
                     SELECT id FROM hidden CROSS JOIN message USING (conversation)
                     WHERE id <= last
                 )",
                [],
            )?;
            self.run("DELETE FROM hidden", [])
        })
    }
}
