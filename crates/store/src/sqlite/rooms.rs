//! Rooms in SQLite.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::archive;
use super::engine::{Engine, failure};
use super::queue::{Fold, Job};
use super::retentions;
use super::values::unsigned;
use crate::rooms::{Affiliation, Card, CreateError, Listed, NewRoom, Room, RoomId, Rooms, Select};
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

    fn card(&self, name: &str) -> Fut<'_, Option<Listed>> {
        let name = name.to_owned();
        self.0.read(move |db| {
            let sql = format!("{CARD} WHERE card.name = ?1");
            Ok(db.prepare_cached(&sql)?.query_row([name], parse_card).optional()?)
        })
    }

    fn list(&self, public: bool, select: Select, limit: u32) -> Fut<'_, Vec<Listed>> {
        self.0.read(move |db| Ok(list(db, public, &select, limit)?))
    }

    fn count_public(&self, before: &str) -> Fut<'_, (u64, u64)> {
        let before = before.to_owned();
        self.0.read(move |db| {
            let mut select = db.prepare_cached(
                "SELECT count(*) FILTER (WHERE name < ?1), count(*) FROM room_card
                 WHERE public = 1",
            )?;
            let counted = select
                .query_row([before], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?))));
            Ok(counted?)
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

    fn count_affiliated(&self, id: RoomId, affiliations: &'static [&'static str]) -> Fut<'_, u64> {
        self.0.read(move |db| {
            let mut count = db.prepare_cached(
                "SELECT count(*) FROM room_affiliation WHERE room = ?1 AND affiliation = ?2",
            )?;
            let mut sum = 0;
            for affiliation in affiliations {
                let have = count.query_row(params![id.0, affiliation], |row| row.get(0))?;
                sum += unsigned(have);
            }
            Ok(sum)
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
        state: Option<(Bytes, Card)>,
        changes: Vec<(Box<str>, Option<Affiliation>)>,
    ) -> Fut<'static, bool> {
        let text = |text: &Option<Box<str>>| text.as_deref().map_or(0, str::len);
        let entry = |entry: &Affiliation| entry.jid.len() + text(&entry.nick) + text(&entry.reason);
        let listed = changes.iter().map(|(jid, new)| jid.len() + new.as_ref().map_or(0, entry));
        let bytes = state.as_ref().map_or(0, |(state, card)| state.len() + card.title.len())
            + listed.sum::<usize>();
        self.0.write_sized(bytes, move |db| save(db, id, state.as_ref(), &changes))
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
            archive::remove_all(&self.0, of, archive::Rows::All).await?;
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
    let NewRoom { name, creator, created, state, card, affiliations } = room;
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
    db.prepare_cached(
        "INSERT INTO room_card (room, name, title, public, members_only, persistent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        id.0,
        name,
        card.title,
        card.public,
        card.members_only,
        card.persistent
    ])?;
    retentions::choose(db, id.archive(), card.kept_days)?;
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
    state: Option<&(Bytes, Card)>,
    changes: &[(Box<str>, Option<Affiliation>)],
) -> Result<bool, StoreError> {
    if !db.prepare_cached("SELECT 1 FROM room WHERE id = ?1")?.exists([id.0])? {
        return Ok(false);
    }
    if let Some((state, card)) = state {
        db.prepare_cached("UPDATE room SET state = ?2 WHERE id = ?1")?
            .execute(params![id.0, state.as_ref()])?;
        db.prepare_cached(
            "UPDATE room_card SET title = ?2, public = ?3, members_only = ?4, persistent = ?5
             WHERE room = ?1",
        )?
        .execute(params![
            id.0,
            card.title,
            card.public,
            card.members_only,
            card.persistent
        ])?;
        retentions::choose(db, id.archive(), card.kept_days)?;
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

fn list(
    db: &Connection,
    public: bool,
    select: &Select,
    limit: u32,
) -> rusqlite::Result<Vec<Listed>> {
    let (name, from, backwards) = match select {
        Select::First => ("", 0, false),
        Select::After(name) => (&**name, 0, false),
        Select::From(place) => ("", i64::try_from(*place).unwrap_or(i64::MAX), false),
        Select::Before(name) => (&**name, 0, true),
        Select::Last => ("", 0, true),
    };
    let order = match (backwards, select) {
        (false, _) => "card.name > ?1 ORDER BY card.name",
        (true, Select::Last) => "card.name > ?1 ORDER BY card.name DESC",
        (true, _) => "card.name < ?1 ORDER BY card.name DESC",
    };
    let which = if public { "card.public = 1 AND " } else { "" };
    let sql = format!("{CARD} WHERE {which}{order} LIMIT ?2 OFFSET ?3");
    let mut select = db.prepare_cached(&sql)?;
    let rows = select.query_map(params![name, limit, from], parse_card)?;
    let mut rows: Vec<Listed> = rows.collect::<Result<_, _>>()?;
    if backwards {
        rows.reverse();
    }
    Ok(rows)
}

const CARD: &str =
    "SELECT id, card.name, creator, created_at, title, public, members_only, persistent, own
     FROM room_card AS card JOIN room ON room = id LEFT JOIN archive_retention ON archive = -id";

fn parse_card(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        id: RoomId(row.get(0)?),
        name: row.get(1)?,
        creator: row.get::<_, Option<i64>>(2)?.map(AccountId),
        created: row.get(3)?,
        card: Card {
            title: row.get(4)?,
            public: row.get(5)?,
            members_only: row.get(6)?,
            persistent: row.get(7)?,
            kept_days: row.get(8)?,
        },
    })
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
