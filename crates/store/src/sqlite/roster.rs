//! Rosters in SQLite.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::engine::Engine;
use super::values::unsigned;
use crate::roster::{
    Change, Difference, Item, MAX_REMOVALS, MAX_REQUESTS, Request, Roster, Snapshot, Subscription,
};
use crate::{AccountId, Fut, StoreError};

pub(super) struct Sqlite(pub(super) Arc<Engine>);

/// Between groups. XML cannot carry this character, so no group contains it.
const SEPARATOR: char = '\u{1f}';

impl Roster for Sqlite {
    fn load(&self, account: AccountId) -> Fut<'_, Snapshot> {
        self.0.read_snapshot(move |db| {
            let items = db
                .prepare_cached(
                    "SELECT jid, name, subscription, ask, approved, groups FROM roster_item
                     WHERE account = ?1 ORDER BY jid",
                )?
                .query_map([account.0], parse)?
                .collect::<Result<_, _>>()?;
            let requests = db
                .prepare_cached(
                    "SELECT jid, at, stanza FROM roster_request WHERE account = ?1 ORDER BY at, jid",
                )?
                .query_map([account.0], |row| {
                    let stanza = Bytes::from(row.get::<_, Vec<u8>>(2)?);
                    Ok(Request { jid: row.get(0)?, at: row.get(1)?, stanza })
                })?
                .collect::<Result<_, _>>()?;
            let (version, _) = versions(db, account)?;
            Ok(Snapshot { version: unsigned(version), items, requests })
        })
    }

    fn apply(&self, account: AccountId, changes: Vec<Change>) -> Fut<'_, u64> {
        self.0.write(move |db| {
            let (mut version, mut oldest) = versions(db, account)?;
            for change in &changes {
                match change {
                    Change::Put(item) => {
                        version += 1;
                        put(db, account, item, version)?;
                    }
                    Change::Remove(jid) => {
                        if remove(db, account, jid, version + 1)? {
                            version += 1;
                            oldest = forget_removals(db, account)?.unwrap_or(oldest);
                        }
                    }
                    Change::Ask(request) => ask(db, account, request)?,
                    Change::Answered(jid) => answered(db, account, jid)?,
                }
            }
            db.prepare_cached(
                "INSERT INTO roster (account, version, oldest) VALUES (?1, ?2, ?3)
                 ON CONFLICT (account) DO UPDATE SET version = ?2, oldest = ?3",
            )?
            .execute(params![account.0, version, oldest])?;
            Ok(unsigned(version))
        })
    }

    fn since(&self, account: AccountId, version: u64) -> Fut<'_, Option<(u64, Vec<Difference>)>> {
        self.0.read_snapshot(move |db| {
            let (current, oldest) = versions(db, account)?;
            let Ok(since) = i64::try_from(version) else { return Ok(None) };
            if since > current || since < oldest {
                return Ok(None);
            }
            Ok(Some((unsigned(current), differences(db, account, since)?)))
        })
    }
}

fn parse(row: &Row<'_>) -> rusqlite::Result<Item> {
    let groups: Option<String> = row.get(5)?;
    Ok(Item {
        jid: row.get(0)?,
        name: row.get(1)?,
        subscription: match row.get(2)? {
            1 => Subscription::To,
            2 => Subscription::From,
            3 => Subscription::Both,
            _ => Subscription::None,
        },
        ask: row.get(3)?,
        approved: row.get(4)?,
        groups: groups.map_or_else(Vec::new, |all| all.split(SEPARATOR).map(Into::into).collect()),
    })
}

fn versions(db: &Connection, account: AccountId) -> rusqlite::Result<(i64, i64)> {
    let mut select = db.prepare_cached("SELECT version, oldest FROM roster WHERE account = ?1")?;
    let found = select.query_row([account.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(found.unwrap_or_default())
}

fn put(db: &Connection, account: AccountId, item: &Item, version: i64) -> rusqlite::Result<()> {
    let subscription = match item.subscription {
        Subscription::None => 0,
        Subscription::To => 1,
        Subscription::From => 2,
        Subscription::Both => 3,
    };
    let groups = (!item.groups.is_empty()).then(|| item.groups.join(&*SEPARATOR.to_string()));
    let Item { jid, name, ask, approved, .. } = item;
    db.prepare_cached(
        "INSERT OR REPLACE INTO roster_item
         (account, jid, name, subscription, ask, approved, groups, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![account.0, jid, name, subscription, ask, approved, groups, version])?;
    db.prepare_cached("DELETE FROM roster_removed WHERE account = ?1 AND jid = ?2")?
        .execute(params![account.0, jid])?;
    Ok(())
}

fn remove(db: &Connection, account: AccountId, jid: &str, version: i64) -> rusqlite::Result<bool> {
    let mut delete =
        db.prepare_cached("DELETE FROM roster_item WHERE account = ?1 AND jid = ?2")?;
    if delete.execute(params![account.0, jid])? == 0 {
        return Ok(false);
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO roster_removed (account, jid, version) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![account.0, jid, version])?;
    Ok(true)
}

/// Keeps the newest removals. Returns the version up to which they are now forgotten, if any are.
fn forget_removals(db: &Connection, account: AccountId) -> rusqlite::Result<Option<i64>> {
    let mut select = db.prepare_cached(
        "SELECT version FROM roster_removed WHERE account = ?1 ORDER BY version DESC
         LIMIT 1 OFFSET ?2",
    )?;
    let last: Option<i64> =
        select.query_row(params![account.0, MAX_REMOVALS], |row| row.get(0)).optional()?;
    if let Some(last) = last {
        db.prepare_cached("DELETE FROM roster_removed WHERE account = ?1 AND version <= ?2")?
            .execute(params![account.0, last])?;
    }
    Ok(last)
}

fn ask(db: &Connection, account: AccountId, request: &Request) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO roster_request (account, jid, at, stanza) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![account.0, request.jid, request.at, request.stanza.as_ref()])?;
    let mut count = db.prepare_cached("SELECT count(*) FROM roster_request WHERE account = ?1")?;
    let count: usize = count.query_row([account.0], |row| row.get(0))?;
    if count > MAX_REQUESTS {
        return Err(StoreError::Limit("subscription requests of one account"));
    }
    Ok(())
}

fn answered(db: &Connection, account: AccountId, jid: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM roster_request WHERE account = ?1 AND jid = ?2")?
        .execute(params![account.0, jid])?;
    Ok(())
}

fn differences(
    db: &Connection,
    account: AccountId,
    since: i64,
) -> rusqlite::Result<Vec<Difference>> {
    let mut all: Vec<(i64, Difference)> = db
        .prepare_cached(
            "SELECT jid, name, subscription, ask, approved, groups, version FROM roster_item
             WHERE account = ?1 AND version > ?2",
        )?
        .query_map([account.0, since], |row| Ok((row.get(6)?, Difference::Item(parse(row)?))))?
        .collect::<Result<_, _>>()?;
    let mut removed = db.prepare_cached(
        "SELECT version, jid FROM roster_removed WHERE account = ?1 AND version > ?2",
    )?;
    let removed = removed
        .query_map([account.0, since], |row| Ok((row.get(0)?, Difference::Removed(row.get(1)?))))?;
    for one in removed {
        all.push(one?);
    }
    all.sort_unstable_by_key(|(version, _)| *version);
    Ok(all.into_iter().map(|(_, difference)| difference).collect())
}
