//! The message path: append stanzas to the log, let the index follow.
//!
//! Two tables (see `migrations/0001_initial.sql`). `log` has every stanza once, in the order of
//! arrival, with the archive rows that point to it; `archive` has the narrow rows that queries need,
//! clustered by account and id. A commit that answers a sender writes the log alone: only its last
//! pages change, however many accounts are busy. The index rows of a commit would each lie in a page
//! of their own; they are kept in memory, account by account, and folded into the index when enough of
//! one account can share a page, when somebody reads that archive, or when nothing else is to do.
//! After a crash they are read back from the log, from [`Log::folded`] on.
//!
//! Measured with 1.2 KB stanzas, each in two of 1,000 archives, batches of 256, tmpfs, CPU per row and
//! bytes of write-ahead log per row:
//!
//! | layout | 4 KiB pages | 16 KiB pages |
//! |---|---|---|
//! | one WITHOUT ROWID table (account, id) | 64 µs, 14.7 KB | 57 µs, 35.6 KB |
//! | one rowid table, account and id in the rowid | 32 µs, 12.4 KB | 39 µs, 29.2 KB |
//! | stanza shared by both rows, index written at once | 14 µs, 5.4 KB | 18 µs, 13.3 KB |
//! | the same with an index by correspondent | 29 µs, 9.3 KB | 35 µs, 22.3 KB |
//! | log and lazy index | 6 µs, 1.5 KB | 7 µs, 2.8 KB |

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, Statement, params};

use super::checksum::checksum;
use super::peer::PeerHash;
use super::refs::{HAS_ORIGIN, HIDDEN, OUTGOING, PENDING, Ref, parse_refs};
use crate::archive::{Append, MAX_ID, Unit};
use crate::{AccountId, StoreError};

/// Beyond this many rows not in the index, each batch folds about as many as it adds. Bounds the
/// memory (2 MB) and what is read back after a crash (twice as many rows, some 40 MB of log). Twice
/// as many would save another 1.5 µs per row, half as many cost 2 µs.
const FOLD_ABOVE: usize = 32_768;
/// Ids of this many accounts are remembered.
const MAX_LAST: usize = 65_536;

/// A row not in the index yet.
#[derive(Clone, Copy, Debug)]
struct Unfolded {
    id: i64,
    at: i64,
    peer: i64,
    origin: i64,
    seq: i64,
    resource: i32,
    flags: u8,
}

/// The rows not in the index, by account. The writer changes it, everybody may look.
#[derive(Clone, Default)]
pub(super) struct SharedRows(Arc<Mutex<Rows>>);

#[derive(Default)]
struct Rows {
    by_account: HashMap<i64, Vec<Unfolded>>,
    /// After a rollback it is unknown which rows are missing, until they have been read back.
    known: bool,
}

impl SharedRows {
    /// The account has no rows outside the index, or they are being put there.
    pub(super) fn is_folded(&self, account: AccountId) -> bool {
        let rows = self.0.lock();
        rows.known && !rows.by_account.contains_key(&account.0)
    }
}

/// The writer's view of log and index, within its transaction. After a rollback there is
/// [`Log::distrust`] to call, before each transaction [`Log::trust`].
pub(super) struct Log<'c> {
    db: &'c Connection,
    hash: PeerHash,
    insert_log: Statement<'c>,
    insert_row: Statement<'c>,
    next_seq: i64,
    unfolded: SharedRows,
    waiting: usize,
    /// Accounts still to be folded in this round.
    round: VecDeque<i64>,
    /// Newest id of each account, as far as known.
    last: HashMap<i64, i64>,
    refs: Vec<u8>,
}

impl<'c> Log<'c> {
    /// Prepares; [`Log::trust`] follows.
    pub(super) fn new(
        db: &'c Connection,
        hash: PeerHash,
        unfolded: SharedRows,
    ) -> Result<Self, StoreError> {
        Ok(Log {
            db,
            hash,
            insert_log: db.prepare(
                "INSERT INTO log (seq, at, refs, stanza, sum) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            insert_row: db.prepare(
                "INSERT OR IGNORE INTO archive (account, id, at, flags, peer, resource, origin, seq)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            next_seq: 1,
            unfolded,
            waiting: 0,
            round: VecDeque::new(),
            last: HashMap::new(),
            refs: Vec::new(),
        })
    }

    /// Memory no longer agrees with the disk.
    pub(super) fn distrust(&mut self) {
        self.unfolded.0.lock().known = false;
    }

    /// Makes memory agree with the disk again, if it does not: reads back what may not be in the
    /// index.
    pub(super) fn trust(&mut self) -> Result<(), StoreError> {
        if !self.unfolded.0.lock().known {
            self.reload()?;
            self.unfolded.0.lock().known = true;
        }
        Ok(())
    }

    fn reload(&mut self) -> Result<(), StoreError> {
        self.unfolded.0.lock().by_account.clear();
        self.round.clear();
        self.last.clear();
        self.waiting = 0;
        let folded = self.folded()?;
        self.next_seq = folded;
        let mut select = self.db.prepare("SELECT seq, at, refs FROM log WHERE seq >= ?1")?;
        let mut rows = select.query([folded])?;
        while let Some(row) = rows.next()? {
            let (seq, at) = (row.get(0)?, row.get(1)?);
            for entry in parse_refs(row.get_ref(2)?.as_blob().unwrap_or_default())? {
                self.remember(&entry, at, seq);
            }
            self.next_seq = seq + 1;
        }
        Ok(())
    }

    /// The first log row that may have references outside the index.
    fn folded(&self) -> Result<i64, StoreError> {
        let mut select = self.db.prepare("SELECT value FROM meta WHERE key = 'folded'")?;
        Ok(select.query_row([], |row| row.get(0))?)
    }

    /// Rows not in the index.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    fn remember(&mut self, entry: &Ref, at: i64, seq: i64) {
        let Ref { account, id, peer, resource, flags, origin } = *entry;
        let row = Unfolded { id, at, peer, origin, seq, resource, flags };
        self.unfolded.0.lock().by_account.entry(account).or_default().push(row);
        self.waiting += 1;
    }

    /// Appends a unit. Whatever can be wrong with the rows is found before anything is written, so a
    /// refused unit leaves no trace; any other error means that the transaction must be rolled back.
    pub(super) fn append(&mut self, unit: &Unit) -> Result<(), StoreError> {
        self.admit(unit)?;
        let mut first = 0;
        while first < unit.len() {
            let mut end = first + 1;
            while end < unit.len() && shares_stanza(&unit[first], &unit[end]) {
                end += 1;
            }
            self.insert(&unit[first..end])?;
            first = end;
        }
        Ok(())
    }

    /// Ids must be new and accounts exist. Ids nearly always grow; those of units that overtook each
    /// other on their way here do not, and are looked for.
    fn admit(&mut self, unit: &Unit) -> Result<(), StoreError> {
        for (index, row) in unit.iter().enumerate() {
            let twice = unit[..index]
                .iter()
                .any(|other| (other.account, other.id) == (row.account, row.id));
            let behind = row.id as i64 <= self.last_id(row.account)?;
            if row.id == 0
                || row.id > MAX_ID
                || twice
                || (behind && self.is_taken(row.account, row.id)?)
            {
                let reason = format!("archive id {} of {} is not new", row.id, row.account);
                return Err(StoreError::Conflict(reason));
            }
        }
        for row in unit {
            let last = self.last.entry(row.account.0).or_default();
            *last = (*last).max(row.id as i64);
        }
        Ok(())
    }

    /// Whether there is a row of this id. One that was removed does not count: a unit that was
    /// overtaken may arrive when those that overtook it are gone.
    fn is_taken(&self, account: AccountId, id: u64) -> Result<bool, StoreError> {
        let id = id as i64;
        let waits = |rows: &Vec<Unfolded>| rows.iter().any(|row| row.id == id);
        if self.unfolded.0.lock().by_account.get(&account.0).is_some_and(waits) {
            return Ok(true);
        }
        let select = "SELECT 1 FROM archive WHERE account = ?1 AND id = ?2";
        Ok(self.db.prepare_cached(select)?.exists([account.0, id])?)
    }

    fn last_id(&mut self, account: AccountId) -> Result<i64, StoreError> {
        if let Some(last) = self.last.get(&account.0) {
            return Ok(*last);
        }
        let mut select = self.db.prepare_cached(
            "SELECT max(ifnull((SELECT max(id) FROM archive WHERE account = ?1), 0),
                        ifnull((SELECT next - 1 FROM archive_floor WHERE account = ?1), 0))
             FROM (SELECT id FROM account WHERE id = ?1
                   UNION ALL SELECT id FROM room WHERE id = -?1)",
        )?;
        let mut rows = select.query([account.0])?;
        let Some(row) = rows.next()? else {
            return Err(StoreError::Conflict(format!("there is no account {account}")));
        };
        let indexed: i64 = row.get(0)?;
        let waiting =
            self.unfolded.0.lock().by_account.get(&account.0).and_then(|rows| newest(rows));
        if self.last.len() >= MAX_LAST {
            self.last.clear();
        }
        let last = waiting.map_or(indexed, |id| id.max(indexed));
        self.last.insert(account.0, last);
        Ok(last)
    }

    /// One log row for rows that share a stanza.
    fn insert(&mut self, rows: &[Append]) -> Result<(), StoreError> {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.refs.clear();
        let at = rows[0].at.0 as i64;
        for row in rows {
            let entry = self.entry(row);
            entry.write(&mut self.refs);
            self.remember(&entry, at, seq);
        }
        let stanza = rows[0].stanza.as_ref();
        self.insert_log.execute(params![seq, at, self.refs, stanza, checksum(stanza)])?;
        Ok(())
    }

    fn entry(&self, row: &Append) -> Ref {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        Ref {
            account: row.account.0,
            id: row.id as i64,
            peer: self.hash.bare(&row.with),
            resource: self.hash.resource(row.resource.as_deref()),
            flags: flag(row.outgoing, OUTGOING)
                | flag(row.pending, PENDING)
                | flag(row.hidden, HIDDEN)
                | flag(row.origin_hash.is_some(), HAS_ORIGIN),
            origin: row.origin_hash.unwrap_or_default() as i64,
        }
    }

    /// Whether the account has rows outside the index.
    pub(super) fn is_folded(&self, account: AccountId) -> bool {
        self.unfolded.is_folded(account)
    }

    /// Puts the rows of one account into the index.
    pub(super) fn fold(&mut self, account: AccountId) -> Result<usize, StoreError> {
        let rows = self.index(account)?;
        self.unfolded.0.lock().by_account.remove(&account.0);
        self.waiting -= rows;
        Ok(rows)
    }

    /// The same in a transaction that will be rolled back: nothing is forgotten.
    pub(super) fn index(&mut self, account: AccountId) -> Result<usize, StoreError> {
        let unfolded = self.unfolded.0.lock();
        let rows = unfolded.by_account.get(&account.0).map_or(&[][..], |rows| rows);
        for row in rows {
            let origin = (row.flags & HAS_ORIGIN != 0).then_some(row.origin);
            let flags = row.flags & !HAS_ORIGIN;
            let values =
                params![account.0, row.id, row.at, flags, row.peer, row.resource, origin, row.seq];
            self.insert_row.execute(values)?;
        }
        Ok(rows.len())
    }

    /// Puts all rows into the index.
    pub(super) fn fold_all(&mut self) -> Result<(), StoreError> {
        for account in self.accounts() {
            self.fold(AccountId(account))?;
        }
        self.round.clear();
        self.note_folded(self.next_seq)
    }

    /// Keeps pace with a batch that appended `added` rows.
    pub(super) fn fold_some(&mut self, added: usize) -> Result<(), StoreError> {
        let mut todo = if self.waiting > FOLD_ABOVE { added + added / 4 } else { 0 };
        while todo > 0 && self.waiting > 0 {
            let Some(account) = self.round.pop_front() else {
                self.start_round()?;
                continue;
            };
            todo = todo.saturating_sub(self.fold(AccountId(account))?);
        }
        Ok(())
    }

    /// A round visits every account once, in the order of the index, so that the rows of small
    /// accounts share pages too.
    fn start_round(&mut self) -> Result<(), StoreError> {
        let first = {
            let rows = self.unfolded.0.lock();
            rows.by_account.values().filter_map(|rows| rows.first()).map(|row| row.seq).min()
        };
        self.note_folded(first.unwrap_or(self.next_seq))?;
        self.round = self.accounts().into();
        Ok(())
    }

    fn accounts(&self) -> Vec<i64> {
        let mut accounts: Vec<i64> = self.unfolded.0.lock().by_account.keys().copied().collect();
        accounts.sort_unstable();
        accounts
    }

    fn note_folded(&self, seq: i64) -> Result<(), StoreError> {
        self.db
            .prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'folded'")?
            .execute([seq])?;
        Ok(())
    }

    /// Someone else changed the rows of this account, or the account itself.
    pub(super) fn forget(&mut self, account: AccountId) {
        self.last.remove(&account.0);
    }
}

/// Greatest id among rows that are not in the index.
fn newest(rows: &[Unfolded]) -> Option<i64> {
    rows.iter().map(|row| row.id).max()
}

/// Rows of one unit that are kept as one log row.
fn shares_stanza(one: &Append, other: &Append) -> bool {
    one.at == other.at && one.stanza == other.stanza
}
