//! Rooms in SQLite.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::archive;
use super::engine::{Engine, failure};
use super::queue::{Fold, Job};
use super::values::unsigned;
use crate::rooms::{Affiliation, CreateError, NewRoom, Room, RoomId, Rooms};
use crate::{AccountId, Fut, StoreError};

failure!(CreateError);

pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Rooms for Sqlite {
    fn create(&self, room: NewRoom, limit: u64) -> Fut<'_, RoomId, CreateError> {
        self.0.write(move |db| create(db, &room, limit))
    }

    fn by_name(&self, name: &str) -> Fut<'_, Option<Room>> {
        let name = name.to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, name, creator, created_at, state FROM room WHERE name = ?1",
            )?;
            Ok(select.query_row([name], parse).optional()?)
        })
    }

    fn list(&self, after: Option<&str>, limit: u32) -> Fut<'_, Vec<Room>> {
        let after = after.unwrap_or_default().to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT id, name, creator, created_at, state FROM room
                 WHERE name > ?1 ORDER BY name LIMIT ?2",
            )?;
            let rows = select.query_map(params![after, limit], parse)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn affiliations(&self, id: RoomId) -> Fut<'_, Vec<Affiliation>> {
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT jid, affiliation, nick, reason, version FROM room_affiliation
                 WHERE room = ?1 ORDER BY jid",
            )?;
            let rows = select.query_map([id.0], |row| {
                Ok(Affiliation {
                    jid: row.get(0)?,
                    affiliation: row.get(1)?,
                    nick: row.get(2)?,
                    reason: row.get(3)?,
                    version: unsigned(row.get(4)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn with(&self, jid: &str) -> Fut<'_, Vec<Box<str>>> {
        let jid = jid.to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT name FROM room JOIN room_affiliation ON room = id WHERE jid = ?1
                 ORDER BY name",
            )?;
            let rows = select.query_map([jid], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn save(
        &self,
        id: RoomId,
        state: Option<Bytes>,
        changes: Vec<(Box<str>, Option<Affiliation>)>,
    ) -> Fut<'static, bool> {
        let text = |text: &Option<Box<str>>| text.as_deref().map_or(0, str::len);
        let entry = |entry: &Affiliation| entry.jid.len() + text(&entry.nick) + text(&entry.reason);
        let listed = changes.iter().map(|(jid, new)| jid.len() + new.as_ref().map_or(0, entry));
        let bytes = state.as_ref().map_or(0, Bytes::len) + listed.sum::<usize>();
        self.0.write_sized(bytes, move |db| save(db, id, state.as_deref(), &changes))
    }

    fn delete(&self, id: RoomId) -> Fut<'_, bool> {
        let of = id.archive();
        let deleted = self.0.write_folded::<_, StoreError>(Fold::Account(of), move |db| {
            if db.prepare_cached("DELETE FROM room WHERE id = ?1")?.execute([id.0])? == 0 {
                return Ok(false);
            }
            db.prepare_cached("INSERT OR IGNORE INTO purge (account) VALUES (?1)")?
                .execute([of.0])?;
            Ok(true)
        });
        Box::pin(async move {
            if !deleted.await? {
                return Ok(false);
            }
            archive::remove_all(&self.0, of).await?;
            self.0.submit::<bool, StoreError>(Job::Scrub).await?;
            Ok(true)
        })
    }

    fn hibernate(&self, visits: Vec<(RoomId, Bytes)>) -> Fut<'_, ()> {
        self.0.write(move |db| {
            let mut update = db.prepare_cached("UPDATE room SET visit = ?2 WHERE id = ?1")?;
            for (id, visit) in &visits {
                update.execute(params![id.0, visit.as_ref()])?;
            }
            Ok::<_, StoreError>(())
        })
    }

    fn wake(&self) -> Fut<'_, Vec<(Box<str>, Bytes)>> {
        self.0.write(move |db| {
            let mut select = db.prepare_cached(
                "SELECT name, visit FROM room WHERE visit IS NOT NULL ORDER BY name",
            )?;
            let rows = select
                .query_map([], |row| Ok((row.get(0)?, Bytes::from(row.get::<_, Vec<u8>>(1)?))))?;
            let visits = rows.collect::<Result<_, _>>()?;
            db.prepare_cached("UPDATE room SET visit = NULL WHERE visit IS NOT NULL")?
                .execute([])?;
            Ok::<_, StoreError>(visits)
        })
    }
}

fn create(db: &Connection, room: &NewRoom, limit: u64) -> Result<RoomId, CreateError> {
    let NewRoom { name, creator, created, state, affiliations } = room;
    if db.prepare_cached("SELECT 1 FROM room WHERE name = ?1")?.exists([name])? {
        return Err(CreateError::Exists);
    }
    let creator = creator.map(|id| id.0);
    let mut count = db.prepare_cached("SELECT count(*) FROM room WHERE creator = ?1")?;
    let have: i64 = count.query_row([creator], |row| row.get(0))?;
    if creator.is_some() && unsigned(have) >= limit {
        return Err(CreateError::Limit);
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO room (name, creator, created_at, state) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let id = RoomId(insert.insert(params![name, creator, created, state.as_ref()])?);
    affiliations.iter().try_for_each(|entry| put(db, id, &entry.jid, entry))?;
    Ok(id)
}

fn put(db: &Connection, id: RoomId, jid: &str, entry: &Affiliation) -> rusqlite::Result<()> {
    let Affiliation { affiliation, nick, reason, version, .. } = entry;
    let version = i64::try_from(*version).unwrap_or(i64::MAX);
    db.prepare_cached(
        "INSERT OR REPLACE INTO room_affiliation (room, jid, affiliation, nick, reason, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![id.0, jid, affiliation, nick, reason, version])?;
    Ok(())
}

fn save(
    db: &Connection,
    id: RoomId,
    state: Option<&[u8]>,
    changes: &[(Box<str>, Option<Affiliation>)],
) -> Result<bool, StoreError> {
    if !db.prepare_cached("SELECT 1 FROM room WHERE id = ?1")?.exists([id.0])? {
        return Ok(false);
    }
    if let Some(state) = state {
        db.prepare_cached("UPDATE room SET state = ?2 WHERE id = ?1")?
            .execute(params![id.0, state])?;
    }
    let mut remove =
        db.prepare_cached("DELETE FROM room_affiliation WHERE room = ?1 AND jid = ?2")?;
    for (jid, entry) in changes {
        match entry {
            Some(entry) => put(db, id, jid, entry)?,
            None => {
                remove.execute(params![id.0, jid])?;
            }
        }
    }
    Ok(true)
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: RoomId(row.get(0)?),
        name: row.get(1)?,
        creator: row.get::<_, Option<i64>>(2)?.map(AccountId),
        created: row.get(3)?,
        state: Bytes::from(row.get::<_, Vec<u8>>(4)?),
    })
}
