//! Pages of an archive (XEP-0313 §4, XEP-0059).
//!
//! A query walks the index rows of one account in order of id and stops when the page is full. A
//! filter that matches little looks at many narrow rows, some 0.1 µs each; that is what it costs to
//! keep appending free of further indexes (see `log.rs`).

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, Row as SqlRow, ToSql, named_params};

use super::checksum::is_intact;
use super::engine::failure;
use super::peer::PeerHash;
use super::refs::{HIDDEN, OUTGOING};
use super::values::unsigned;
use crate::archive::{MAX_IDS, MAX_PAGE, Page, PageError, Paging, Query, Row};
use crate::maintenance::Health;
use crate::{AccountId, Millis, StoreError};

failure!(PageError);

/// A page ends with the row that is too many.
const UNLIMITED: i64 = -1;
/// A page ends early when its stanzas have this many bytes.
pub(super) const MAX_PAGE_BYTES: usize = 4 << 20;
/// Counting looks at this many rows at most, about 0.1 ms; XEP-0059 §2.7 lets larger sets go
/// uncounted.
const MAX_COUNTED: i64 = 500;

const FORWARD: &str = "SELECT a.id, a.at, a.flags, l.stanza, l.sum
     FROM archive AS a CROSS JOIN log AS l ON l.seq = a.seq
     WHERE a.account = :account AND a.id > :low AND a.id < :high AND a.flags & 4 = 0
       AND (:peer IS NULL OR a.peer = :peer) AND (:resource IS NULL OR a.resource = :resource)
       AND a.at BETWEEN :start AND :end
     ORDER BY a.id LIMIT :limit";
const BACKWARD: &str = "SELECT a.id, a.at, a.flags, l.stanza, l.sum
     FROM archive AS a CROSS JOIN log AS l ON l.seq = a.seq
     WHERE a.account = :account AND a.id > :low AND a.id < :high AND a.flags & 4 = 0
       AND (:peer IS NULL OR a.peer = :peer) AND (:resource IS NULL OR a.resource = :resource)
       AND a.at BETWEEN :start AND :end
     ORDER BY a.id DESC LIMIT :limit";
const COUNT: &str = "SELECT count(*), ifnull(sum(
         flags & 4 = 0 AND (:peer IS NULL OR peer = :peer)
         AND (:resource IS NULL OR resource = :resource) AND at BETWEEN :start AND :end), 0)
     FROM (SELECT flags, peer, resource, at FROM archive
           WHERE account = :account AND id > :low AND id < :high LIMIT :limit)";
const EXISTS: &str = "SELECT 1 FROM archive WHERE account = ?1 AND id = ?2 AND flags & 4 = 0";

/// The conditions on an index row. `low` and `high` are exclusive.
#[derive(Clone, Copy)]
struct Filter {
    account: AccountId,
    low: i64,
    high: i64,
    peer: Option<i64>,
    resource: Option<i32>,
    start: i64,
    end: i64,
}

impl Filter {
    fn new(account: AccountId, query: &Query, hash: &PeerHash) -> Filter {
        let with = query.with.as_ref();
        let resource = with.and_then(|with| with.resource.as_deref());
        Filter {
            account,
            low: query.after_id.map_or(0, signed),
            high: query.before_id.map_or(i64::MAX, signed),
            peer: with.and_then(|with| with.bare.as_deref()).map(|bare| hash.bare(bare)),
            resource: resource.map(|resource| hash.resource(Some(resource))),
            start: query.start.map_or(i64::MIN, Millis::signed),
            end: query.end.map_or(i64::MAX, Millis::signed),
        }
    }

    fn above(mut self, id: i64) -> Filter {
        self.low = self.low.max(id);
        self
    }

    fn below(mut self, id: i64) -> Filter {
        self.high = self.high.min(id);
        self
    }

    fn only(self, id: i64) -> Filter {
        self.above(id - 1).below(id.saturating_add(1))
    }

    fn bind<T>(
        &self,
        limit: i64,
        run: impl FnOnce(&[(&str, &dyn ToSql)]) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        run(named_params! {
            ":account": self.account.0, ":low": self.low, ":high": self.high,
            ":peer": self.peer, ":resource": self.resource,
            ":start": self.start, ":end": self.end, ":limit": limit,
        })
    }

    /// How many rows match; `None` when too many would have to be looked at.
    fn count(&self, db: &Connection) -> rusqlite::Result<Option<u64>> {
        let mut select = db.prepare_cached(COUNT)?;
        let (seen, count): (i64, i64) = self.bind(MAX_COUNTED + 1, |values| {
            select.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))
        })?;
        Ok((seen <= MAX_COUNTED).then_some(unsigned(count)))
    }
}

fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// Where pages are read from.
pub(super) struct Source<'a> {
    pub(super) db: &'a Connection,
    pub(super) hash: &'a PeerHash,
    pub(super) health: &'a Health,
}

pub(super) fn page(
    source: &Source<'_>,
    account: AccountId,
    query: &Query,
) -> Result<Page, PageError> {
    let Source { db, hash, .. } = *source;
    let anchor = match query.page {
        Paging::After(id) | Paging::Before(id) => Some(id),
        Paging::First | Paging::Last => None,
    };
    for id in [query.after_id, query.before_id, anchor].into_iter().flatten() {
        require(db, account, id)?;
    }
    let filter = Filter::new(account, query, hash);
    let mut page = match query.ids.is_empty() {
        true => by_range(source, filter, query)?,
        false => by_ids(source, filter, query)?,
    };
    if query.flip {
        page.rows.reverse();
    }
    Ok(page)
}

fn require(db: &Connection, account: AccountId, id: u64) -> Result<(), PageError> {
    let found = db.prepare_cached(EXISTS)?.exists([account.0, signed(id)])?;
    if found { Ok(()) } else { Err(PageError::UnknownId(id)) }
}

/// Whether the page is counted from the newest row.
fn is_backward(query: &Query) -> bool {
    matches!(query.page, Paging::Before(_) | Paging::Last)
}

fn by_range(source: &Source<'_>, filter: Filter, query: &Query) -> Result<Page, PageError> {
    let Source { db, health, .. } = *source;
    let wanted = query.count || query.max == 0;
    let count = if wanted { filter.count(db)? } else { None };
    if query.max == 0 {
        return Ok(Page { complete: count == Some(0), count, ..Page::default() });
    }
    let bounded = match query.page {
        Paging::After(id) => filter.above(signed(id)),
        Paging::Before(id) => filter.below(signed(id)),
        Paging::First | Paging::Last => filter,
    };
    let backward = is_backward(query);
    let mut select = db.prepare_cached(if backward { BACKWARD } else { FORWARD })?;
    let max = query.max.min(MAX_PAGE);
    let (mut rows, complete) =
        bounded.bind(UNLIMITED, |values| read(&mut select, values, max as usize, health))?;
    if backward {
        rows.reverse();
    }
    let first_index = match (count, rows.first(), query.page) {
        (None, ..) | (_, None, _) => None,
        (Some(_), _, Paging::First) => Some(0),
        (Some(count), _, Paging::Last) => Some(count - rows.len() as u64),
        (Some(_), Some(first), _) => filter.below(signed(first.id)).count(db)?,
    };
    Ok(Page { rows, complete, count, first_index })
}

/// Every id must exist; those that match the rest of the query make up the result set.
fn by_ids(source: &Source<'_>, filter: Filter, query: &Query) -> Result<Page, PageError> {
    let Source { db, health, .. } = *source;
    if query.ids.len() > MAX_IDS {
        return Err(StoreError::Limit("ids of one query").into());
    }
    let mut ids = query.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    for id in &ids {
        require(db, filter.account, *id)?;
    }
    let mut matching = Vec::with_capacity(ids.len());
    for id in ids.into_iter().map(signed) {
        if filter.only(id).count(db)? == Some(1) {
            matching.push(id);
        }
    }
    let max = query.max.min(MAX_PAGE) as usize;
    let range = match query.page {
        Paging::After(id) => matching.partition_point(|other| *other <= signed(id))..matching.len(),
        Paging::Before(id) => 0..matching.partition_point(|other| *other < signed(id)),
        Paging::First | Paging::Last => 0..matching.len(),
    };
    let chosen = match is_backward(query) {
        true => range.start.max(range.end.saturating_sub(max))..range.end,
        false => range.start..range.end.min(range.start + max),
    };
    let mut rows = Vec::with_capacity(chosen.len());
    let mut select = db.prepare_cached(FORWARD)?;
    let mut bytes = 0;
    for id in &matching[chosen.clone()] {
        let (found, _) = filter.only(*id).bind(1, |values| read(&mut select, values, 1, health))?;
        bytes += found.iter().map(|row| row.stanza.len()).sum::<usize>();
        rows.extend(found);
        if bytes >= MAX_PAGE_BYTES {
            break;
        }
    }
    let complete = chosen == range && rows.len() == chosen.len();
    let count = (query.count || query.max == 0).then_some(matching.len() as u64);
    let first_index = count.filter(|_| !rows.is_empty()).map(|_| chosen.start as u64);
    Ok(Page { rows, complete, count, first_index })
}

/// Reads at most `max` rows, and says whether there were no more. What is not as it was written is left out:
/// nobody is given something that nobody wrote.
pub(super) fn read(
    select: &mut CachedStatement<'_>,
    values: &[(&str, &dyn ToSql)],
    max: usize,
    health: &Health,
) -> rusqlite::Result<(Vec<Row>, bool)> {
    let mut found = select.query(values)?;
    let mut rows: Vec<(Row, usize)> = Vec::with_capacity(max.min(64));
    let mut stanzas = Vec::new();
    let mut complete = true;
    while let Some(row) = found.next()? {
        if rows.len() == max || stanzas.len() >= MAX_PAGE_BYTES {
            complete = false;
            break;
        }
        let stanza = row.get_ref(3)?.as_blob()?;
        if !is_intact(stanza, row.get(4)?) {
            health.note_damage();
            tracing::error!(
                id = row.get::<_, i64>(0)?,
                "storage_damaged: a message is not given out"
            );
            continue;
        }
        rows.push((parse(row)?, stanzas.len()));
        stanzas.extend_from_slice(stanza);
    }
    let stanzas = Bytes::from(stanzas);
    let mut end = stanzas.len();
    for (row, start) in rows.iter_mut().rev() {
        row.stanza = stanzas.slice(*start..end);
        end = *start;
    }
    Ok((rows.into_iter().map(|(row, _)| row).collect(), complete))
}

fn parse(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let flags: u8 = row.get(2)?;
    Ok(Row {
        id: unsigned(row.get(0)?),
        at: row.get(1)?,
        outgoing: flags & OUTGOING != 0,
        hidden: flags & HIDDEN != 0,
        stanza: Bytes::new(),
    })
}
