//! Messages.

use client::store::{
    Look, Looked, Message, MessageId, Place as Stands, Position, Reference, Result, Timeline,
};
use rusqlite::{Connection, Row, params};
use xmpp::jid::BareJid;

use crate::SqliteStore;
use crate::error::from_sqlite;
use crate::items::{from_json, to_json};
use crate::seal::{Place, Sealer, TAG};

/// A row, and everything in it that is not sealed.
pub(crate) struct Sealed {
    columns: Columns,
    sealed: Vec<u8>,
}

impl Sealed {
    /// The number of the message.
    pub(crate) fn id(&self) -> i64 {
        self.columns.id
    }
}

/// What says where a row stands and how it is found. It is bound to what is sealed.
struct Columns {
    id: i64,
    conversation: Vec<u8>,
    position: i64,
    origin: Option<Vec<u8>>,
    archive: Option<Vec<u8>>,
}

impl Sealed {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let columns = Columns {
            id: row.get(0)?,
            conversation: row.get(1)?,
            position: row.get(2)?,
            origin: row.get(3)?,
            archive: row.get(4)?,
        };
        Ok(Self { columns, sealed: row.get(5)? })
    }
}

impl Columns {
    fn of(sealer: &Sealer, message: &Message) -> Self {
        let tag = |reference| reference_tag(sealer, &message.conversation, &reference).to_vec();
        let origin = message.origin_id.clone();
        let archive = message.archive_id.clone();
        Self {
            id: message.id.0,
            conversation: conversation_tag(sealer, &message.conversation).to_vec(),
            position: signed(message.position),
            origin: origin.map(|id| tag(Reference::Origin(message.sender.clone(), id))),
            archive: archive.map(|id| tag(Reference::Archive(id))),
        }
    }

    fn place(&self) -> Place {
        // A hash is never empty.
        let hash = |hash: &Option<Vec<u8>>| hash.clone().unwrap_or_default();
        Place::of(
            "message",
            &[
                &self.id.to_be_bytes(),
                &self.conversation,
                &self.position.to_be_bytes(),
                &hash(&self.origin),
                &hash(&self.archive),
            ],
        )
    }

    /// The place as it was before the hashes of ids were bound to it.
    fn first_place(&self) -> Place {
        let (id, position) = (self.id.to_be_bytes(), self.position.to_be_bytes());
        Place::of("message", &[&id, &self.conversation, &position])
    }
}

/// Seals all messages anew, so that the hashes of their ids are bound to them. The hashes are made
/// from what is sealed: those in the file may have been exchanged. A row that was sealed with its
/// hashes does not open here, so the number of the schema cannot be put back.
pub(crate) fn bind_hashes(db: &Connection, sealer: &Sealer) -> Result<()> {
    let mut last = i64::MIN;
    loop {
        let mut statement = db
            .prepare_cached(
                "SELECT id, conversation, position, origin, archive, sealed FROM message
                 WHERE id > ?1 ORDER BY id LIMIT 500",
            )
            .map_err(from_sqlite)?;
        let rows = statement.query_map([last], Sealed::read).map_err(from_sqlite)?;
        let page: Vec<Sealed> = rows.collect::<rusqlite::Result<_>>().map_err(from_sqlite)?;
        let Some(end) = page.last() else { return Ok(()) };
        last = end.columns.id;
        for row in page {
            let bytes = sealer.open(&row.columns.first_place(), &row.sealed)?;
            let columns = Columns::of(sealer, &from_json::<Message>(&bytes)?);
            let sealed = sealer.seal(&columns.place(), &bytes)?;
            let mut update = db
                .prepare_cached(
                    "UPDATE message SET origin = ?2, archive = ?3, sealed = ?4 WHERE id = ?1",
                )
                .map_err(from_sqlite)?;
            update
                .execute(params![columns.id, columns.origin, columns.archive, sealed])
                .map_err(from_sqlite)?;
        }
    }
}

fn conversation_tag(sealer: &Sealer, address: &BareJid) -> [u8; TAG] {
    sealer.hide("conversation", &[address.as_str().as_bytes()])
}

pub(crate) fn reference_tag(
    sealer: &Sealer,
    conversation: &BareJid,
    reference: &Reference,
) -> [u8; TAG] {
    let conversation = conversation.as_str().as_bytes();
    match reference {
        Reference::Origin(sender, id) => {
            sealer.hide("origin", &[conversation, sender.as_str().as_bytes(), id.as_bytes()])
        }
        Reference::Archive(id) => sealer.hide("archive", &[conversation, id.as_bytes()]),
    }
}

/// SQLite's numbers are signed; these sort as the unsigned ones do.
fn signed(position: Position) -> i64 {
    (position.0 ^ (1 << 63)) as i64
}

impl SqliteStore {
    pub(crate) fn conversation_tag(&self, address: &BareJid) -> [u8; TAG] {
        conversation_tag(&self.sealer.borrow(), address)
    }

    pub(crate) fn open_message(&self, row: &Sealed) -> Result<Message> {
        from_json(&self.sealer.borrow().open(&row.columns.place(), &row.sealed)?)
    }

    fn messages(&self, sql: &'static str, params: impl rusqlite::Params) -> Result<Vec<Message>> {
        let rows = self.rows(sql, params, Sealed::read)?;
        rows.iter().map(|row| self.open_message(row)).collect()
    }

    /// Inserts or replaces.
    fn put_message(&self, message: &Message) -> Result<()> {
        let columns = Columns::of(&self.sealer.borrow(), message);
        let sealed = self.sealer.borrow().seal(&columns.place(), &to_json(message)?)?;
        let Columns { id, conversation, position, origin, archive } = columns;
        self.run(
            "INSERT INTO message (id, conversation, position, origin, archive, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET conversation = ?2, position = ?3, origin = ?4,
             archive = ?5, sealed = ?6",
            params![id, conversation, position, origin, archive, sealed],
        )
    }
}

impl Timeline for SqliteStore {
    fn append(&self, message: &Message) -> Result<MessageId> {
        self.together(|| {
            let id = MessageId(self.next_id("message")?);
            self.put_message(&Message { id, ..message.clone() })?;
            Ok(id)
        })
    }

    fn save_message(&self, message: &Message) -> Result<()> {
        let known = self.rows("SELECT 1 FROM present WHERE id = ?1", [message.id.0], |_| Ok(()))?;
        if known.is_empty() { Ok(()) } else { self.put_message(message) }
    }

    fn message(&self, id: MessageId) -> Result<Option<Message>> {
        let sql =
            "SELECT id, conversation, position, origin, archive, sealed FROM present WHERE id = ?1";
        Ok(self.messages(sql, [id.0])?.pop())
    }

    fn find(&self, conversation: &BareJid, reference: &Reference) -> Result<Option<Message>> {
        let sql = match reference {
            Reference::Origin(..) => {
                "SELECT id, conversation, position, origin, archive, sealed FROM present WHERE origin = ?1
                 ORDER BY position DESC, id DESC LIMIT 1"
            }
            Reference::Archive(_) => {
                "SELECT id, conversation, position, origin, archive, sealed FROM present WHERE archive = ?1
                 ORDER BY position DESC, id DESC LIMIT 1"
            }
        };
        let tag = reference_tag(&self.sealer.borrow(), conversation, reference);
        Ok(self.messages(sql, [tag])?.pop())
    }

    fn before(
        &self,
        conversation: &BareJid,
        position: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let tag = self.conversation_tag(conversation);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut page = match position {
            Some(position) => self.messages(
                "SELECT id, conversation, position, origin, archive, sealed FROM present
                 WHERE conversation = ?1 AND position < ?2
                 ORDER BY position DESC, id DESC LIMIT ?3",
                params![tag, signed(position), limit],
            )?,
            None => self.messages(
                "SELECT id, conversation, position, origin, archive, sealed FROM present
                 WHERE conversation = ?1 ORDER BY position DESC, id DESC LIMIT ?2",
                params![tag, limit],
            )?,
        };
        page.reverse();
        Ok(page)
    }

    fn after(
        &self,
        conversation: &BareJid,
        position: Position,
        limit: usize,
    ) -> Result<Vec<Message>> {
        self.messages(
            "SELECT id, conversation, position, origin, archive, sealed FROM present
             WHERE conversation = ?1 AND position > ?2 ORDER BY position, id LIMIT ?3",
            params![
                self.conversation_tag(conversation),
                signed(position),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
        )
    }

    /// Opens one message after the other: an index over words would say what was written.
    fn look(&self, look: &Look<'_>) -> Result<Looked> {
        let tag = look.conversation.map(|address| self.conversation_tag(address));
        // Nothing stands behind the last place.
        let last = Stands { position: Position(u64::MAX), id: MessageId(i64::MAX) };
        let from = look.from.unwrap_or(last);
        let sql = match tag {
            Some(_) => {
                "SELECT id, conversation, position, origin, archive, sealed FROM present
                 WHERE (position, id) < (?1, ?2) AND conversation = ?3
                 ORDER BY position DESC, id DESC"
            }
            None => {
                "SELECT id, conversation, position, origin, archive, sealed FROM present
                 WHERE (position, id) < (?1, ?2) ORDER BY position DESC, id DESC"
            }
        };
        let mut statement = self.db.prepare_cached(sql).map_err(from_sqlite)?;
        let position = signed(from.position);
        let rows = match tag {
            Some(tag) => statement.query(params![position, from.id.0, tag]),
            None => statement.query(params![position, from.id.0]),
        };
        let mut rows = rows.map_err(from_sqlite)?;
        let (mut looked, mut count, mut bytes) = (Looked::default(), 0, 0);
        while let Some(row) = rows.next().map_err(from_sqlite)? {
            let full = looked.found.len() == look.found.max(1);
            if full || count == look.rows.max(1) || bytes > MOST_BYTES_OF_A_LOOK {
                return Ok(looked);
            }
            let row = Sealed::read(row).map_err(from_sqlite)?;
            (count, bytes) = (count + 1, bytes + row.sealed.len());
            let message = self.open_message(&row)?;
            looked.next = Some(Stands::of(&message));
            if look.wanted.is(&message) {
                looked.found.push(message);
            }
        }
        Ok(Looked { next: None, ..looked })
    }

    fn remove_message(&self, id: MessageId) -> Result<()> {
        self.removed.set(true);
        self.run("DELETE FROM message WHERE id = ?1", [id.0])
    }
}

/// What is opened at once of long messages, about.
const MOST_BYTES_OF_A_LOOK: usize = 1024 * 1024;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use client::store::conformance::{address, conversation, in_step, message};
    use client::store::{Conversations, Hidden, Reference, Timeline, Trace, Traces};

    use crate::SqliteStore;

    #[test]
    fn what_is_deleted_is_neither_in_the_database_nor_in_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("account.db");
        let store = SqliteStore::open_with_key(&path, None, &[7; 32]).unwrap();
        let (romeo, nurse) = ("romeo@example.org", "nurse@example.org");
        let ids: Vec<_> = (1..60)
            .map(|at| in_step(&store, || store.append(&message(romeo, at, "gone")).unwrap()))
            .collect();
        in_step(&store, || store.save_conversation(&conversation(nurse)).unwrap());
        in_step(&store, || store.append(&message(nurse, 99, "stays")).unwrap());
        let sql = "SELECT sealed FROM message ORDER BY id";
        let sealed: Vec<Vec<u8>> = store.rows(sql, [], |row| row.get(0)).unwrap();
        let left = || {
            let names = ["account.db", "account.db-wal"];
            let files: Vec<u8> = names
                .iter()
                .flat_map(|name| std::fs::read(folder.path().join(name)).unwrap_or_default())
                .collect();
            let there = |row: &Vec<u8>| files.windows(row.len()).any(|part| part == row);
            sealed.iter().filter(|row| there(row)).count()
        };
        assert_eq!(left(), 60);
        let gone = Reference::Archive("1".into());
        in_step(&store, || {
            store.save_trace(&address(romeo), &gone, Trace::default()).unwrap();
            store.remove_message(ids[0]).unwrap();
        });
        assert_eq!(left(), 59);
        in_step(&store, || store.hide(&address(romeo)).unwrap());
        assert_eq!(left(), 59, "nothing is removed yet");
        in_step(&store, || {
            let page = store.hidden(20).unwrap().messages;
            page.iter().for_each(|message| store.remove_message(message.id).unwrap());
        });
        assert_eq!(left(), 39);
        in_step(&store, || store.end_hiding().unwrap());
        assert_eq!(left(), 1, "what is kept is kept");
        assert_eq!(store.trace(&address(romeo), &gone).unwrap(), Some(Trace::default()));
    }
}
