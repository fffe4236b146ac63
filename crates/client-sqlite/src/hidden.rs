//! Histories that were deleted and go a part at a time.

use client::store::{Hidden, HiddenPage, Reference, Result, StoreError, Trace};
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

    fn is_hiding(&self) -> Result<bool> {
        let marks = self.rows("SELECT 1 FROM hidden LIMIT 1", [], |row| row.get::<_, i64>(0))?;
        Ok(!marks.is_empty())
    }

    fn hidden(&self, limit: usize) -> Result<HiddenPage> {
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
            let mut page = HiddenPage::default();
            for row in &rows {
                match self.open_message(row) {
                    // It is to go in any case.
                    Err(StoreError::Damaged(_)) => {
                        self.removed.set(true);
                        self.run("DELETE FROM message WHERE id = ?1", [row.id()])?;
                        page.unreadable += 1;
                    }
                    message => page.messages.push(message?),
                }
            }
            if page.count() > 0 {
                return Ok(page);
            }
        }
        Ok(HiddenPage::default())
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

#[cfg(test)]
mod tests {
    use client::store::conformance::{address, in_step, message};
    use client::store::{Hidden as _, Timeline as _};

    use crate::SqliteStore;

    #[test]
    fn what_cannot_be_read_goes_without_the_rest() {
        let store = SqliteStore::in_memory().unwrap();
        let romeo = address("romeo@example.org");
        let ids: Vec<_> = (1..=6)
            .map(|at| {
                in_step(&store, || store.append(&message(romeo.as_str(), at, "old")).unwrap())
            })
            .collect();
        for id in &ids[2..] {
            let sql = "UPDATE message SET sealed = x'00' WHERE id = ?1";
            in_step(&store, || store.run(sql, [id.0]).unwrap());
        }
        in_step(&store, || store.hide(&romeo).unwrap());
        for (messages, unreadable) in [(0, 3), (2, 1), (2, 0)] {
            let page = in_step(&store, || store.hidden(3).unwrap());
            assert_eq!((page.messages.len(), page.unreadable), (messages, unreadable));
        }
    }
}
