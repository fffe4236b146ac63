//! The one thread that writes: takes what waits, writes it in one transaction, commits, tells.
//!
//! Each turn is one transaction of up to [`BATCH`] jobs (group commit): one sync for all of them. A job
//! that fails alone is undone alone, by a savepoint, or, for units of messages, by being checked before
//! anything is written. When the device fails, the transaction is rolled back and every job of it is
//! told so; the next turn tries again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::backup::CopyJob;
use super::faults::Faults;
use super::log::{Log, SharedRows};
use super::peer::PeerHash;
use super::queue::{Call, Fold, Job, Queue, Taken, bytes_of};
use super::{OnFatal, outbox, wal};
use crate::archive::Unit;
use crate::maintenance::Health;
use crate::outbox::Parcel;
use crate::{AccountId, StoreError};

/// Most jobs in one transaction.
const BATCH: usize = 256;
/// How long a turn waits for more jobs while load is high. On a device with slow syncs the queue fills
/// by itself during the commit; this is for those with fast ones, where a transaction per message
/// costs 19 µs per row instead of 8.
const GATHER: Duration = Duration::from_millis(4);
/// Load is high above this many jobs per second: gathering then makes batches of at least four.
const HIGH_LOAD: f64 = 1000.0;
/// Over how long the load is measured.
const LOAD_WINDOW: Duration = Duration::from_millis(20);
/// After this long without jobs the index is completed and the write-ahead log copied back.
const IDLE: Duration = Duration::from_secs(5);
/// How often a failed device is tried again (G9: recovery within 5 s).
const PROBE: Duration = Duration::from_millis(500);
/// What a probe writes. More than the pages that are free anyway, less than anyone would miss.
const PROBE_BYTES: i32 = 256 << 10;

/// What the writer shares with the rest.
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) health: Health,
    pub(super) faults: Option<Arc<Faults>>,
    pub(super) on_fatal: Option<OnFatal>,
    /// Archive rows that are not in the index.
    pub(super) unfolded: SharedRows,
}

impl Shared {
    pub(super) fn report(&self, error: &StoreError) {
        tracing::error!(%error, "storage_fatal");
        if let Some(on_fatal) = &self.on_fatal {
            on_fatal(error);
        }
    }
}

/// How a batch is to be committed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effort {
    /// It writes nothing.
    Nothing,
    /// It only moves rows from the log to the index, which a crash may undo: no sync.
    Derived,
    /// It must be on disk afterwards.
    Durable,
}

/// The thread's state.
pub(super) struct Writer<'c> {
    db: &'c Connection,
    shared: &'c Shared,
    log: Log<'c>,
    dead: Option<StoreError>,
    load: Load,
    page_limit: u32,
    /// Something deleted may still stand in the write-ahead log.
    scrub_due: bool,
    outcomes: Vec<Result<(), StoreError>>,
}

impl<'c> Writer<'c> {
    pub(super) fn new(
        db: &'c Connection,
        shared: &'c Shared,
        hash: PeerHash,
    ) -> Result<Self, StoreError> {
        let mut log = Log::new(db, hash, shared.unfolded.clone())?;
        log.trust()?;
        let load = Load { since: Instant::now(), jobs: 0, high: false };
        let outcomes = Vec::with_capacity(BATCH);
        Ok(Writer { db, shared, log, dead: None, load, page_limit: 0, scrub_due: false, outcomes })
    }

    /// Runs until the queue is closed and empty. Leaves a complete index and an empty log behind, if
    /// the device lets it.
    pub(super) fn run(&mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let degraded = self.shared.health.is_degraded() && self.dead.is_none();
            let due = self.log.waiting() > 0 || self.scrub_due || wal::is_dirty();
            let chores = self.dead.is_none() && due;
            let patience = if degraded { Some(PROBE) } else { chores.then_some(IDLE) };
            match self.turn(&mut batch, patience) {
                Taken::Idle if degraded => self.probe(),
                Taken::Idle => self.rest(),
                Taken::Batch => {}
                Taken::Closed => break,
            }
        }
        if self.dead.is_none() {
            self.rest();
            self.leave();
        }
    }

    /// Takes and settles one batch.
    pub(super) fn turn(&mut self, batch: &mut Vec<Job>, patience: Option<Duration>) -> Taken {
        let gather = (self.load.high && patience != Some(Duration::ZERO)).then_some(GATHER);
        let taken = self.shared.queue.take(batch, BATCH, patience, gather);
        if taken == Taken::Batch {
            self.load.note(batch.len());
            self.write(batch);
            self.tidy(wal::keep_bounded);
        }
        taken
    }

    fn write(&mut self, batch: &mut Vec<Job>) {
        let (items, bytes) = (batch.len(), bytes_of(batch));
        self.outcomes.clear();
        let committed = match &self.dead {
            Some(error) => Err(error.clone()),
            None => self.transaction(batch),
        };
        match &committed {
            Err(error) => self.failed(error),
            Ok(Effort::Durable) if self.shared.health.set_degraded(false) => {
                tracing::warn!("storage_recovered");
            }
            Ok(_) => {}
        }
        let mut copies = Vec::new();
        let outcomes = std::mem::take(&mut self.outcomes);
        for (index, job) in batch.drain(..).enumerate() {
            let own = outcomes.get(index).unwrap_or(&Ok(()));
            let outcome = committed.as_ref().and(own.as_ref()).map(|_| ());
            copies.extend(self.settle(job, outcome));
        }
        self.outcomes = outcomes;
        // Not earlier: whoever finds the queue settled may rely on every ticket having been told.
        self.shared.queue.settled(items, bytes);
        for copy in copies {
            self.copy(copy);
        }
    }

    /// Tells the outcome. A copy is handed back: it takes long and comes last.
    fn settle(&mut self, job: Job, outcome: Result<(), &StoreError>) -> Option<CopyJob> {
        match job {
            Job::Append(_, Some((ticket, tag))) | Job::Send(_, _, Some((ticket, tag))) => {
                ticket.settled(tag, outcome);
            }
            Job::Append(_, None) | Job::Send(_, _, None) => {}
            Job::Call(call) => call.settle(outcome),
            Job::Sync(_, tell) => drop(tell.send(outcome.map_err(Clone::clone))),
            Job::Scrub(tell) => {
                let scrubbed = outcome.map_err(Clone::clone).and_then(|()| self.scrub());
                drop(tell.send(scrubbed));
            }
            Job::Peek(account, read) => {
                if let Err(error) = self.peek(account, read) {
                    tracing::debug!(%error, "storage_peek_failed");
                }
            }
            Job::Copy(copy) => return Some(copy),
        }
        None
    }

    /// One turn's transaction. On an error nothing of it stays.
    fn transaction(&mut self, batch: &mut [Job]) -> Result<Effort, StoreError> {
        self.obey_page_limit()?;
        self.log.trust()?;
        let effort = batch.iter().map(|job| self.effort(job)).max_by_key(|effort| *effort as u8);
        let effort = effort.unwrap_or(Effort::Nothing);
        match effort {
            Effort::Nothing => return Ok(effort),
            Effort::Derived => self.db.execute_batch("PRAGMA synchronous = NORMAL")?,
            Effort::Durable => {}
        }
        let done = self.attempt(batch);
        if done.is_err() {
            self.roll_back();
        }
        if effort == Effort::Derived {
            self.db.execute_batch("PRAGMA synchronous = FULL")?;
        }
        done.map(|()| effort)
    }

    fn effort(&self, job: &Job) -> Effort {
        match job {
            Job::Append(..) | Job::Send(..) | Job::Call(_) => Effort::Durable,
            Job::Sync(Some(account), _) if !self.log.is_folded(*account) => Effort::Derived,
            Job::Sync(..) | Job::Scrub(_) | Job::Peek(..) | Job::Copy(_) => Effort::Nothing,
        }
    }

    fn attempt(&mut self, batch: &mut [Job]) -> Result<(), StoreError> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut rows = 0;
        for job in batch {
            let outcome = match job {
                Job::Append(unit, _) => {
                    rows += unit.len();
                    self.log.append(unit)
                }
                Job::Send(parcel, unit, _) => {
                    rows += unit.len();
                    self.send(parcel, unit)
                }
                Job::Call(call) => self.call(call.as_mut()),
                Job::Sync(Some(account), _) => self.log.fold(*account).map(|_| ()),
                Job::Sync(None, _) | Job::Scrub(_) | Job::Peek(..) | Job::Copy(_) => Ok(()),
            };
            if let Err(error) = &outcome
                && (error.is_environment() || self.db.is_autocommit())
            {
                return outcome;
            }
            self.outcomes.push(outcome);
        }
        self.log.fold_some(rows)?;
        if let Some(faults) = &self.shared.faults {
            faults.before_commit()?;
        }
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// A parcel and its unit, or neither.
    fn send(&mut self, parcel: &Parcel, unit: &Unit) -> Result<(), StoreError> {
        outbox::insert(self.db, parcel)?;
        let appended = self.log.append(unit);
        if let Err(error) = &appended
            && !error.is_environment()
        {
            // A refused unit left no trace; nor does its parcel.
            outbox::take_back(self.db, parcel.id)?;
        }
        appended
    }

    fn call(&mut self, call: &mut dyn Call) -> Result<(), StoreError> {
        match call.fold() {
            Fold::Nothing => {}
            Fold::Account(account) => {
                self.log.fold(account)?;
                self.log.forget(account);
            }
            Fold::All => self.log.fold_all()?,
        }
        self.db.prepare_cached("SAVEPOINT job")?.execute([])?;
        let done = call.run(self.db);
        if let Err(Some(error)) = &done
            && (error.is_environment() || self.db.is_autocommit())
        {
            return Err(error.clone());
        }
        if done.is_err() {
            self.db.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        self.db.prepare_cached("RELEASE job")?.execute([])?;
        Ok(())
    }

    /// Reads what could not be committed: the index is completed in the page cache only.
    fn peek(
        &mut self,
        account: AccountId,
        read: impl FnOnce(&Connection),
    ) -> Result<(), StoreError> {
        self.log.trust()?;
        self.db.prepare_cached("BEGIN")?.execute([])?;
        let ready = self.log.index(account);
        if ready.is_ok() {
            read(self.db);
        }
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        ready.map(|_| ())
    }

    /// The device did not do what it should.
    fn failed(&mut self, error: &StoreError) {
        if self.shared.health.set_degraded(true) {
            tracing::warn!(%error, "storage_degraded");
        }
        let fatal = matches!(error, StoreError::Fatal(_));
        if fatal && self.dead.is_none() {
            self.dead = Some(error.clone());
            self.shared.report(error);
        } else if matches!(error, StoreError::Corrupt(_)) {
            self.shared.report(error);
        }
    }

    /// Does something that is not part of a batch.
    fn tidy(&mut self, chore: impl FnOnce(&Connection) -> Result<(), StoreError>) {
        if self.dead.is_some() {
            return;
        }
        if let Err(error) = chore(self.db) {
            self.failed(&error);
        }
    }

    /// Completes the index and copies the write-ahead log back.
    fn rest(&mut self) {
        self.shared.queue.begin_chore();
        let folded = self.chore(|writer| writer.log.fold_all());
        self.shared.queue.settled(1, 0);
        match folded {
            Ok(()) if self.scrub_due => drop(self.scrub()),
            Ok(()) => self.tidy(wal::checkpoint),
            Err(error) => self.failed(&error),
        }
    }

    /// Empties the write-ahead log; when a reader is in the way, again later.
    fn scrub(&mut self) -> Result<bool, StoreError> {
        let scrubbed = wal::scrub(self.db);
        self.scrub_due = !matches!(scrubbed, Ok(true));
        if let Err(error) = &scrubbed {
            self.failed(error);
        }
        scrubbed
    }

    /// Whether the device works again, found out by writing something of a size.
    fn probe(&mut self) {
        let probed = self.chore(|writer| {
            let sql = "INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', zeroblob(?1))";
            writer.db.prepare_cached(sql)?.execute([PROBE_BYTES])?;
            Ok(())
        });
        let cleared = probed.and_then(|()| {
            self.chore(|writer| {
                writer.db.execute_batch("DELETE FROM meta WHERE key = 'probe'").map_err(Into::into)
            })
        });
        match cleared {
            Ok(()) if self.shared.health.set_degraded(false) => {
                tracing::warn!("storage_recovered");
            }
            Ok(()) => {}
            Err(error) => self.failed(&error),
        }
    }

    /// A transaction of the writer's own.
    fn chore(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.obey_page_limit()?;
        self.log.trust()?;
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let done = work(self).and_then(|()| {
            self.shared.faults.as_ref().map_or(Ok(()), |faults| faults.before_commit())?;
            self.db.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        });
        if done.is_err() {
            self.roll_back();
        }
        done
    }

    fn roll_back(&mut self) {
        if !self.db.is_autocommit() {
            // Should even this fail, the next BEGIN does, and everything is told so.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        self.log.distrust();
    }

    /// Closes: the next start need not check anything.
    fn leave(&mut self) {
        let left = self.chore(|writer| {
            let sql = "UPDATE meta SET value = 1 WHERE key = 'clean'";
            writer.db.execute_batch(sql).map_err(Into::into)
        });
        if let Err(error) = left.and_then(|()| wal::scrub(self.db).map(|_| ())) {
            tracing::warn!(%error, "storage_closed_uncleanly");
        }
    }

    /// Copies the database while the other jobs go on. SQLite copies pages written meanwhile through
    /// this connection again by itself, so the copy never has to start over.
    fn copy(&mut self, copy: CopyJob) {
        let db = self.db;
        let mut batch = Vec::with_capacity(BATCH);
        copy.run(db, || self.turn(&mut batch, Some(Duration::ZERO)) != Taken::Closed);
    }

    fn obey_page_limit(&mut self) -> Result<(), StoreError> {
        let Some(faults) = &self.shared.faults else { return Ok(()) };
        let limit = faults.page_limit();
        if limit != self.page_limit {
            let pages = if limit == 0 { u32::MAX - 1 } else { limit };
            self.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
            self.page_limit = limit;
        }
        Ok(())
    }
}

/// How many jobs come per second.
struct Load {
    since: Instant,
    jobs: usize,
    high: bool,
}

impl Load {
    fn note(&mut self, jobs: usize) {
        self.jobs += jobs;
        let elapsed = self.since.elapsed();
        if elapsed >= LOAD_WINDOW {
            self.high = self.jobs as f64 / elapsed.as_secs_f64() >= HIGH_LOAD;
            self.jobs = 0;
            self.since = Instant::now();
        }
    }
}
