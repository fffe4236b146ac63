//! XEP-0060 nodes in SQLite.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::engine::{Engine, failure};
use super::values::unsigned;
use crate::pubsub::{
    Change, Item, MAX_PAGE, Node, OVERHEAD, Order, Page, PageError, Publication, PublishError,
    Published, Pubsub, Query, Select, Share, Subscription,
};
use crate::{AccountId, Fut, Millis, StoreError};

failure!(PublishError);
failure!(PageError);

/// Nodes of accounts.
pub(super) struct Sqlite(pub(super) Arc<Engine>);

impl Pubsub for Sqlite {
    fn nodes(&self, account: AccountId) -> Fut<'_, Vec<Node>> {
        self.0.read_snapshot(move |db| nodes(db, account))
    }

    fn publish(
        &self,
        account: AccountId,
        publication: Publication,
    ) -> Fut<'_, Published, PublishError> {
        self.0.write(move |db| publish(db, account, &publication))
    }

    fn change(&self, account: AccountId, node: &str, changes: Vec<Change>) -> Fut<'_, u64> {
        let node: Box<str> = node.into();
        self.0.write(move |db| change(db, account, &node, &changes))
    }

    fn items(&self, account: AccountId, query: Query) -> Fut<'_, Page, PageError> {
        self.0.read_snapshot(move |db| items(db, account, &query))
    }

    fn used(&self, account: AccountId) -> Fut<'_, u64> {
        self.0.read(move |db| used(db, account))
    }
}

fn nodes(db: &Connection, account: AccountId) -> Result<Vec<Node>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT id, name, config, created_at FROM pubsub_node WHERE account = ?1 ORDER BY name",
    )?;
    let rows = select.query_map([account.0], |row| {
        let node = Node {
            name: row.get(1)?,
            config: row.get::<_, Vec<u8>>(2)?.into(),
            created: row.get(3)?,
            affiliations: Vec::new(),
            subscriptions: Vec::new(),
        };
        Ok((row.get::<_, i64>(0)?, node))
    })?;
    let (numbers, mut nodes): (Vec<i64>, Vec<Node>) =
        rows.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    if nodes.is_empty() {
        return Ok(nodes);
    }
    let at: HashMap<i64, usize> = numbers.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    add_affiliations(db, account, |id, entry| {
        if let Some(node) = at.get(&id).and_then(|at| nodes.get_mut(*at)) {
            node.affiliations.push(entry);
        }
    })?;
    add_subscriptions(db, account, |id, entry| {
        if let Some(node) = at.get(&id).and_then(|at| nodes.get_mut(*at)) {
            node.subscriptions.push(entry);
        }
    })?;
    Ok(nodes)
}

fn add_affiliations(
    db: &Connection,
    account: AccountId,
    mut add: impl FnMut(i64, (Box<str>, Box<str>)),
) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(
        "SELECT a.node, a.jid, a.affiliation FROM pubsub_node AS n
         JOIN pubsub_affiliation AS a ON a.node = n.id WHERE n.account = ?1 ORDER BY a.node, a.jid",
    )?;
    let mut rows = select.query([account.0])?;
    while let Some(row) = rows.next()? {
        add(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    Ok(())
}

fn add_subscriptions(
    db: &Connection,
    account: AccountId,
    mut add: impl FnMut(i64, Subscription),
) -> rusqlite::Result<()> {
    let mut select = db.prepare_cached(
        "SELECT s.node, s.jid, s.pending, s.deliver FROM pubsub_node AS n
         JOIN pubsub_subscription AS s ON s.node = n.id WHERE n.account = ?1 ORDER BY s.node, s.jid",
    )?;
    let mut rows = select.query([account.0])?;
    while let Some(row) = rows.next()? {
        let subscription =
            Subscription { jid: row.get(1)?, pending: row.get(2)?, deliver: row.get(3)? };
        add(row.get(0)?, subscription);
    }
    Ok(())
}

fn publish(
    db: &Connection,
    account: AccountId,
    publication: &Publication,
) -> Result<Published, PublishError> {
    let before = used(db, account)?;
    let share_before = used_of(db, account, publication.share.as_ref())?;
    let known = number(db, account, &publication.node)?;
    let node = match (known, &publication.create) {
        (Some(node), None) => node,
        (None, Some((config, at))) => create(db, account, &publication.node, config, *at)?,
        _ => return Err(PublishError::Node),
    };
    if let Some(horizon) = publication.horizon {
        db.prepare_cached("DELETE FROM pubsub_item WHERE node = ?1 AND published_at < ?2")?
            .execute(params![node, horizon])?;
    }
    for item in &publication.items {
        put(db, node, item)?;
    }
    let surplus = count(db, node)?.saturating_sub(u64::from(publication.keep));
    if surplus > 0 && publication.reject_when_full {
        return Err(PublishError::NodeFull);
    }
    let evicted = evict(db, node, surplus)?;
    let used = used(db, account)?;
    // Whoever is over a quota that was lowered may still make things smaller.
    if used > publication.quota && used > before {
        return Err(PublishError::Quota);
    }
    if let Some(share) = &publication.share {
        let used = used_of(db, account, Some(share))?;
        if used > share.quota && used > share_before {
            return Err(PublishError::Quota);
        }
    }
    Ok(Published { evicted, used })
}

fn put(db: &Connection, node: i64, item: &Item) -> Result<(), StoreError> {
    // A new row, not a changed one: what is published again is the newest (XEP-0060 §12.1). Where
    // it was first published stays as it was (XEP-0413 §3).
    let made: Option<i64> = db
        .prepare_cached("DELETE FROM pubsub_item WHERE node = ?1 AND id = ?2 RETURNING made")?
        .query_row(params![node, item.id], |row| row.get(0))
        .optional()?;
    let payload = item.payload.as_deref();
    let length = item.id.len() + item.publisher.len() + payload.map_or(0, <[u8]>::len);
    db.prepare_cached(
        "INSERT INTO pubsub_item (node, id, publisher, published_at, bytes, payload, made)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        node,
        item.id,
        item.publisher,
        item.published,
        signed(length as u64 + OVERHEAD),
        payload,
        made.unwrap_or_default(),
    ])?;
    if made.is_none() {
        db.prepare_cached("UPDATE pubsub_item SET made = seq WHERE seq = ?1")?
            .execute([db.last_insert_rowid()])?;
    }
    Ok(())
}

/// Removes the `surplus` oldest items.
fn evict(db: &Connection, node: i64, surplus: u64) -> Result<Vec<Box<str>>, StoreError> {
    if surplus == 0 {
        return Ok(Vec::new());
    }
    let mut select =
        db.prepare_cached("SELECT seq, id FROM pubsub_item WHERE node = ?1 ORDER BY seq LIMIT ?2")?;
    let rows =
        select.query_map(params![node, signed(surplus)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let oldest = rows.collect::<Result<Vec<(i64, Box<str>)>, _>>()?;
    let mut delete = db.prepare_cached("DELETE FROM pubsub_item WHERE seq = ?1")?;
    for (seq, _) in &oldest {
        delete.execute([seq])?;
    }
    Ok(oldest.into_iter().map(|(_, id)| id).collect())
}

fn change(
    db: &Connection,
    account: AccountId,
    node: &str,
    changes: &[Change],
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for change in changes {
        let known = number(db, account, node)?;
        let missing = || StoreError::Conflict(format!("no node {node}"));
        removed += match (change, known) {
            (Change::Create(config, at), _) => {
                create(db, account, node, config, *at)?;
                0
            }
            (change, known) => apply(db, known.ok_or_else(missing)?, change)?,
        };
    }
    Ok(removed)
}

fn apply(db: &Connection, node: i64, change: &Change) -> Result<u64, StoreError> {
    match change {
        Change::Create(..) => {}
        Change::Configure(config, keep) => {
            db.prepare_cached("UPDATE pubsub_node SET config = ?2 WHERE id = ?1")?
                .execute(params![node, &config[..]])?;
            let surplus = count(db, node)?.saturating_sub(u64::from(*keep));
            return Ok(evict(db, node, surplus)?.len() as u64);
        }
        Change::Affiliate(entries) => affiliate(db, node, entries)?,
        Change::Subscribe(subscriptions) => {
            let mut put = db.prepare_cached(
                "INSERT OR REPLACE INTO pubsub_subscription (node, jid, pending, deliver)
                 VALUES (?1, ?2, ?3, ?4)",
            )?;
            for entry in subscriptions {
                put.execute(params![node, entry.jid, entry.pending, entry.deliver])?;
            }
        }
        Change::Unsubscribe(gone) => {
            let mut delete =
                db.prepare_cached("DELETE FROM pubsub_subscription WHERE node = ?1 AND jid = ?2")?;
            for jid in gone {
                delete.execute(params![node, jid])?;
            }
        }
        Change::Retract(ids) => {
            let mut delete =
                db.prepare_cached("DELETE FROM pubsub_item WHERE node = ?1 AND id = ?2")?;
            let mut removed = 0;
            for id in ids {
                removed += delete.execute(params![node, id])? as u64;
            }
            return Ok(removed);
        }
        Change::Purge => {
            let mut delete = db.prepare_cached("DELETE FROM pubsub_item WHERE node = ?1")?;
            return Ok(delete.execute([node])? as u64);
        }
        Change::Delete => {
            let removed = count(db, node)?;
            db.prepare_cached("DELETE FROM pubsub_node WHERE id = ?1")?.execute([node])?;
            return Ok(removed);
        }
    }
    Ok(0)
}

fn affiliate(
    db: &Connection,
    node: i64,
    entries: &[(Box<str>, Option<Box<str>>)],
) -> Result<(), StoreError> {
    let mut put = db.prepare_cached(
        "INSERT OR REPLACE INTO pubsub_affiliation (node, jid, affiliation) VALUES (?1, ?2, ?3)",
    )?;
    let mut delete =
        db.prepare_cached("DELETE FROM pubsub_affiliation WHERE node = ?1 AND jid = ?2")?;
    for (jid, affiliation) in entries {
        match affiliation {
            Some(affiliation) => put.execute(params![node, jid, affiliation])?,
            None => delete.execute(params![node, jid])?,
        };
    }
    Ok(())
}

fn items(db: &Connection, account: AccountId, query: &Query) -> Result<Page, PageError> {
    let Some(node) = number(db, account, &query.node)? else {
        return match query.select {
            Select::After(_) | Select::Before(_) => Err(PageError::UnknownItem),
            _ => Ok(Page::default()),
        };
    };
    let list = List { db, node, by: column(query.order), query };
    let total = list.count(i64::MIN, i64::MAX)?;
    let (up, down) = (Direction::Up, Direction::Down);
    let (ahead, back) = if query.descending { (down, up) } else { (up, down) };
    let mut items = match &query.select {
        Select::Ids(ids) => list.by_ids(ids)?,
        Select::First => list.walk(ahead, None, 0)?,
        Select::Index(index) if *index > total => return Err(PageError::UnknownItem),
        Select::Index(index) => list.walk(ahead, None, *index)?,
        Select::After(id) => list.walk(ahead, Some(list.place(id)?), 0)?,
        Select::Before(id) => list.walk(back, Some(list.place(id)?), 0)?,
        Select::Last => list.walk(back, None, 0)?,
    };
    items.sort_unstable_by_key(|(place, _)| *place);
    if query.descending {
        items.reverse();
    }
    let index = match items.first() {
        Some((first, _)) if query.descending => list.count(*first, i64::MAX)?,
        Some((first, _)) => list.count(i64::MIN, *first)?,
        None => 0,
    };
    let items = items.into_iter().map(|(_, item)| item).collect();
    Ok(Page { items, count: total, index })
}

fn column(order: Order) -> &'static str {
    match order {
        Order::Modified => "seq",
        Order::Made => "made",
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

/// The items of a node in one order: each has a place, a number that grows.
struct List<'a> {
    db: &'a Connection,
    node: i64,
    /// The column of the place.
    by: &'static str,
    query: &'a Query,
}

impl List<'_> {
    fn horizon(&self) -> Millis {
        self.query.horizon.unwrap_or_default()
    }

    /// Items that are not expired, between two places.
    fn count(&self, after: i64, before: i64) -> Result<u64, StoreError> {
        let by = self.by;
        let mut select = self.db.prepare_cached(&format!(
            "SELECT COUNT(*) FROM pubsub_item
             WHERE node = ?1 AND published_at >= ?2 AND {by} > ?3 AND {by} < ?4"
        ))?;
        let bounds = params![self.node, self.horizon(), after, before];
        number_of(select.query_row(bounds, |row| row.get(0)))
    }

    fn place(&self, id: &str) -> Result<i64, PageError> {
        let by = self.by;
        let mut select = self
            .db
            .prepare_cached(&format!("SELECT {by} FROM pubsub_item WHERE node = ?1 AND id = ?2"))?;
        let found = select.query_row(params![self.node, id], |row| row.get(0)).optional()?;
        found.ok_or(PageError::UnknownItem)
    }

    /// The items next to a place, or from one end, the nearest first.
    fn walk(
        &self,
        direction: Direction,
        from: Option<i64>,
        skip: u64,
    ) -> Result<Vec<(i64, Item)>, StoreError> {
        let by = self.by;
        let (side, order, end) = match direction {
            Direction::Up => (">", "ASC", i64::MIN),
            Direction::Down => ("<", "DESC", i64::MAX),
        };
        let mut select = self.db.prepare_cached(&format!(
            "SELECT {by}, id, publisher, published_at, bytes, payload FROM pubsub_item
             WHERE node = ?1 AND published_at >= ?2 AND {by} {side} ?3
             ORDER BY {by} {order} LIMIT ?4 OFFSET ?5"
        ))?;
        let most = self.query.max.min(MAX_PAGE);
        let from = from.unwrap_or(end);
        let rows = select.query(params![self.node, self.horizon(), from, most, signed(skip)])?;
        collect(rows, self.query)
    }

    fn by_ids(&self, ids: &[Box<str>]) -> Result<Vec<(i64, Item)>, StoreError> {
        let by = self.by;
        let mut select = self.db.prepare_cached(&format!(
            "SELECT {by}, id, publisher, published_at, bytes, payload FROM pubsub_item
             WHERE node = ?1 AND published_at >= ?2 AND id = ?3"
        ))?;
        let mut found: Vec<(i64, Item)> = Vec::new();
        let mut bytes = 0;
        for id in ids {
            let rows = select.query(params![self.node, self.horizon(), id])?;
            for (place, item) in collect(rows, self.query)? {
                bytes += item.payload.as_ref().map_or(0, Bytes::len) as u64;
                let fits = bytes <= self.query.max_bytes || found.is_empty();
                let known = found.iter().any(|(known, _)| *known == place);
                if fits && !known && found.len() < self.query.max.min(MAX_PAGE) as usize {
                    found.push((place, item));
                }
            }
        }
        Ok(found)
    }
}

/// Reads rows as long as they fit into the page, and the first one in any case.
fn collect(mut rows: rusqlite::Rows<'_>, query: &Query) -> Result<Vec<(i64, Item)>, StoreError> {
    let mut items = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let (place, item) = read(row, query.ids_only)?;
        bytes += item.payload.as_ref().map_or(0, Bytes::len) as u64;
        if bytes > query.max_bytes && !items.is_empty() {
            break;
        }
        items.push((place, item));
    }
    Ok(items)
}

fn read(row: &Row<'_>, ids_only: bool) -> rusqlite::Result<(i64, Item)> {
    let payload = match ids_only {
        true => None,
        false => row.get::<_, Option<Vec<u8>>>(5)?.map(Bytes::from),
    };
    let item = Item { id: row.get(1)?, publisher: row.get(2)?, published: row.get(3)?, payload };
    Ok((row.get(0)?, item))
}

fn used(db: &Connection, account: AccountId) -> Result<u64, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT COALESCE(SUM(length(CAST(n.name AS BLOB)) + length(n.config) + ?2
             + (SELECT COALESCE(SUM(i.bytes), 0) FROM pubsub_item AS i WHERE i.node = n.id)), 0)
         FROM pubsub_node AS n WHERE n.account = ?1",
    )?;
    number_of(select.query_row(params![account.0, signed(OVERHEAD)], |row| row.get(0)))
}

/// What the nodes of a share have; nothing without one.
fn used_of(db: &Connection, account: AccountId, share: Option<&Share>) -> Result<u64, StoreError> {
    let Some(share) = share else { return Ok(0) };
    let mut select = db.prepare_cached(
        "SELECT COALESCE(SUM(length(CAST(n.name AS BLOB)) + length(n.config) + ?2
             + (SELECT COALESCE(SUM(i.bytes), 0) FROM pubsub_item AS i WHERE i.node = n.id)), 0)
         FROM pubsub_node AS n JOIN pubsub_affiliation AS a ON a.node = n.id
         WHERE n.account = ?1 AND a.jid = ?3 AND a.affiliation = ?4",
    )?;
    let whose = params![account.0, signed(OVERHEAD), share.jid, share.affiliation];
    number_of(select.query_row(whose, |row| row.get(0)))
}

fn create(
    db: &Connection,
    account: AccountId,
    name: &str,
    config: &[u8],
    at: Millis,
) -> Result<i64, StoreError> {
    db.prepare_cached(
        "INSERT INTO pubsub_node (account, name, config, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![account.0, name, config, at])?;
    Ok(db.last_insert_rowid())
}

fn number(db: &Connection, account: AccountId, name: &str) -> Result<Option<i64>, StoreError> {
    let mut select =
        db.prepare_cached("SELECT id FROM pubsub_node WHERE account = ?1 AND name = ?2")?;
    Ok(select.query_row(params![account.0, name], |row| row.get(0)).optional()?)
}

fn count(db: &Connection, node: i64) -> Result<u64, StoreError> {
    let mut select = db.prepare_cached("SELECT COUNT(*) FROM pubsub_item WHERE node = ?1")?;
    number_of(select.query_row([node], |row| row.get(0)))
}

/// Our numbers are far from the end of what SQLite can hold; what is not, stops there.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number_of(result: rusqlite::Result<i64>) -> Result<u64, StoreError> {
    Ok(unsigned(result?))
}
