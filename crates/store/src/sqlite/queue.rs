//! What waits for the writer: one queue, strictly first in, first out, bounded in items and bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use super::backup::CopyJob;
use crate::archive::{Ticket, Unit};
use crate::outbox::Parcel;
use crate::{AccountId, StoreError};

/// What a call needs to find in the archive's index before it runs (see `log.rs`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    /// It does not look there.
    Nothing,
    /// The rows of one account.
    Account(AccountId),
    /// All rows.
    All,
}

/// A write of any domain but the message path.
pub(super) trait Call: Send {
    /// What must be in the index.
    fn fold(&self) -> Fold;
    /// How much it keeps in memory until it has run.
    fn bytes(&self) -> usize;
    /// Does the work. On an error whatever it wrote is to be undone; with the environment's fault, if
    /// it is that.
    fn run(&mut self, db: &Connection) -> Result<(), Option<StoreError>>;
    /// Tells the caller, after the commit.
    fn settle(self: Box<Self>, outcome: Result<(), &StoreError>);
}

/// One thing to do.
pub(super) enum Job {
    /// A unit of messages and who is told.
    Append(Unit, Option<(Arc<dyn Ticket>, u64)>),
    /// A stanza for another domain, with the unit of messages that belongs to it.
    Send(Box<Parcel>, Unit, Option<(Arc<dyn Ticket>, u64)>),
    /// A write.
    Call(Box<dyn Call>),
    /// Tell when everything before is settled, with the rows of this account in the index.
    Sync(Option<AccountId>, oneshot::Sender<Result<(), StoreError>>),
    /// Empty the write-ahead log, so that nothing deleted is left in it.
    Scrub(oneshot::Sender<Result<bool, StoreError>>),
    /// Read on the writer's connection with the rows of this account in the index, and undo that: for
    /// when the device is full.
    Peek(AccountId, Box<dyn FnOnce(&Connection) + Send>),
    /// Copy the database while going on with the other jobs.
    Copy(CopyJob),
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Job::Append(unit, _) => bytes_of_unit(unit),
            Job::Send(parcel, unit, _) => bytes_of_unit(unit) + parcel.stanza.len() + ROW_BYTES,
            Job::Call(call) => call.bytes() + ROW_BYTES,
            _ => ROW_BYTES,
        }
    }

    /// It is part of the message path, whose queue has a bound of its own.
    fn is_message(&self) -> bool {
        matches!(self, Job::Append(..) | Job::Send(..))
    }

    /// Someone waits for the answer, so do not gather for it.
    fn is_urgent(&self) -> bool {
        !self.is_message()
    }
}

fn bytes_of_unit(unit: &Unit) -> usize {
    unit.iter().map(|row| row.stanza.len() + ROW_BYTES).sum()
}

/// What a row costs in the queue beside its stanza.
const ROW_BYTES: usize = 192;

/// What the writer found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Jobs.
    Batch,
    /// None for as long as it was willing to wait.
    Idle,
    /// None, and none will come.
    Closed,
}

/// The queue.
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// More than half full.
    pressed: AtomicBool,
    /// Told when it is no longer.
    room: Notify,
    max_items: usize,
    max_bytes: usize,
}

struct State {
    jobs: std::collections::VecDeque<Job>,
    /// Submitted and not settled, including what the writer is working on.
    items: usize,
    bytes: usize,
    submitted: u64,
    settled: u64,
    open: bool,
    /// Submitters wake the writer when this many jobs wait; `usize::MAX` while it is busy.
    wake_at: usize,
}

impl Queue {
    pub(super) fn new(max_items: usize, max_bytes: usize) -> Self {
        let state = State {
            jobs: Default::default(),
            items: 0,
            bytes: 0,
            submitted: 0,
            settled: 0,
            open: true,
            wake_at: usize::MAX,
        };
        Queue {
            state: Mutex::new(state),
            wake: Condvar::new(),
            pressed: AtomicBool::new(false),
            room: Notify::new(),
            max_items,
            max_bytes,
        }
    }

    /// Takes a job in, or drops it and says why.
    pub(super) fn push(&self, job: Job) -> Result<(), StoreError> {
        let bytes = job.bytes();
        let mut state = self.state.lock();
        if !state.open {
            return Err(StoreError::Closed);
        }
        // A single unit larger than the whole queue still has to get through when nothing waits.
        let full = if job.is_message() {
            state.items >= self.max_items || state.bytes + bytes > self.max_bytes
        } else {
            // Logins and reads get through when messages no longer do, up to a bound of their own.
            let heavy = bytes > ROW_BYTES && state.bytes + bytes > 2 * self.max_bytes;
            heavy || state.items >= 2 * self.max_items
        };
        if full && state.items > 0 {
            return Err(StoreError::Busy);
        }
        state.items += 1;
        state.bytes += bytes;
        state.submitted += 1;
        if self.is_half_full(&state) {
            self.pressed.store(true, Ordering::Relaxed);
        }
        let urgent = job.is_urgent() && state.wake_at != usize::MAX;
        state.jobs.push_back(job);
        if state.jobs.len() >= state.wake_at || urgent {
            state.wake_at = usize::MAX;
            drop(state);
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Moves up to `most` jobs into `batch`. Waits for the first as long as `patience` says (`None`:
    /// for ever) and, with `gather`, that much longer for more.
    pub(super) fn take(
        &self,
        batch: &mut Vec<Job>,
        most: usize,
        patience: Option<Duration>,
        gather: Option<Duration>,
    ) -> Taken {
        let mut state = self.state.lock();
        let deadline = patience.map(|patience| Instant::now() + patience);
        while state.jobs.is_empty() {
            if !state.open {
                return Taken::Closed;
            }
            state.wake_at = 1;
            let timed_out = match deadline {
                Some(deadline) => self.wake.wait_until(&mut state, deadline).timed_out(),
                None => {
                    self.wake.wait(&mut state);
                    false
                }
            };
            if timed_out && state.jobs.is_empty() && state.open {
                state.wake_at = usize::MAX;
                return Taken::Idle;
            }
        }
        if let Some(gather) = gather
            && state.jobs.len() < most
            && !state.jobs.iter().any(Job::is_urgent)
        {
            state.wake_at = most;
            self.wake.wait_for(&mut state, gather);
        }
        state.wake_at = usize::MAX;
        let count = state.jobs.len().min(most);
        batch.extend(state.jobs.drain(..count));
        Taken::Batch
    }

    /// Jobs were settled and no longer count against the bounds.
    pub(super) fn settled(&self, items: usize, bytes: usize) {
        let mut state = self.state.lock();
        state.items -= items;
        state.bytes -= bytes;
        state.settled += items as u64;
        if !self.is_half_full(&state) {
            self.relieve();
        }
    }

    fn is_half_full(&self, state: &State) -> bool {
        state.items > self.max_items / 2 || state.bytes > self.max_bytes / 2
    }

    fn relieve(&self) {
        if self.pressed.swap(false, Ordering::Relaxed) {
            self.room.notify_waiters();
        }
    }

    /// Whether the queue is more than half full.
    pub(super) fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed)
    }

    /// Waits until it is not.
    pub(super) async fn room(&self) {
        loop {
            let relieved = self.room.notified();
            if !self.is_pressed() {
                return;
            }
            relieved.await;
        }
    }

    /// The writer does something of its own that readers must wait for; ends with `settled(1, 0)`.
    pub(super) fn begin_chore(&self) {
        let mut state = self.state.lock();
        state.items += 1;
        state.submitted += 1;
    }

    /// When nothing that was submitted is unsettled: how much was. The same number twice means that
    /// the writer did nothing in between.
    pub(super) fn quiet(&self) -> Option<u64> {
        let state = self.state.lock();
        (state.settled == state.submitted).then_some(state.submitted)
    }

    /// Unsettled jobs and their bytes.
    pub(super) fn load(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.items, state.bytes)
    }

    /// The writer is gone: drops what waits, telling whoever can be told.
    pub(super) fn abandon(&self) {
        let jobs = std::mem::take(&mut self.state.lock().jobs);
        self.relieve();
        for job in jobs {
            match job {
                Job::Append(_, Some((ticket, tag))) | Job::Send(_, _, Some((ticket, tag))) => {
                    ticket.settled(tag, Err(&StoreError::Closed))
                }
                Job::Call(call) => call.settle(Err(&StoreError::Closed)),
                _ => {}
            }
        }
    }

    /// Takes no more; the writer finishes what is there.
    pub(super) fn close(&self) {
        self.state.lock().open = false;
        self.wake.notify_one();
    }
}

/// Bytes of a batch, for [`Queue::settled`].
pub(super) fn bytes_of(batch: &[Job]) -> usize {
    batch.iter().map(Job::bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        Job::Append(Unit::new(), None)
    }

    fn sync() -> Job {
        Job::Sync(None, oneshot::channel().0)
    }

    #[test]
    fn a_full_queue_takes_no_job_until_something_is_settled() {
        let queue = Queue::new(2, 1 << 20);
        assert!(queue.push(job()).is_ok());
        assert!(queue.push(job()).is_ok());
        assert!(matches!(queue.push(job()), Err(StoreError::Busy)));
        let mut batch = Vec::new();
        assert_eq!(queue.take(&mut batch, 10, None, None), Taken::Batch);
        assert_eq!(batch.len(), 2);
        assert!(matches!(queue.push(job()), Err(StoreError::Busy)));
        queue.settled(batch.len(), bytes_of(&batch));
        assert!(queue.push(job()).is_ok());
    }

    #[test]
    fn bytes_are_bounded_but_one_great_unit_gets_through() {
        let row = crate::conformance::archive::message(AccountId(1), 1);
        let unit = || Job::Append([row.clone()].into_iter().collect(), None);
        let queue = Queue::new(100, ROW_BYTES / 2);
        assert!(queue.push(unit()).is_ok());
        assert!(matches!(queue.push(unit()), Err(StoreError::Busy)));
        assert!(queue.push(sync()).is_ok());
    }

    #[test]
    fn a_large_call_counts_as_what_it_holds() {
        struct Heavy;
        impl Call for Heavy {
            fn fold(&self) -> Fold {
                Fold::Nothing
            }
            fn bytes(&self) -> usize {
                1000
            }
            fn run(&mut self, _: &Connection) -> Result<(), Option<StoreError>> {
                Ok(())
            }
            fn settle(self: Box<Self>, _: Result<(), &StoreError>) {}
        }
        let queue = Queue::new(100, 1500);
        let heavy = || Job::Call(Box::new(Heavy));
        assert!(queue.push(heavy()).is_ok() && queue.push(heavy()).is_ok());
        assert!(matches!(queue.push(heavy()), Err(StoreError::Busy)));
        assert!(queue.push(sync()).is_ok(), "what holds nothing gets through");
        let mut batch = Vec::new();
        queue.take(&mut batch, 10, None, None);
        queue.settled(batch.len(), bytes_of(&batch));
        assert_eq!(queue.load(), (0, 0));
    }

    #[tokio::test]
    async fn who_waits_for_room_gets_it_when_half_is_settled() {
        let queue = Arc::new(Queue::new(4, 1 << 20));
        assert!((0..2).all(|_| queue.push(job()).is_ok()));
        assert!(!queue.is_pressed());
        assert!(queue.push(job()).is_ok());
        assert!(queue.is_pressed());
        let other = queue.clone();
        let waiting = tokio::spawn(async move { other.room().await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let mut batch = Vec::new();
        queue.take(&mut batch, 1, None, None);
        queue.settled(1, bytes_of(&batch));
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_waits_for_a_writer_that_is_gone() {
        let queue = Queue::new(2, 1 << 20);
        assert!(queue.push(job()).is_ok() && queue.push(job()).is_ok());
        assert!(queue.is_pressed());
        queue.close();
        queue.abandon();
        queue.room().await;
    }

    #[test]
    fn other_jobs_have_a_bound_of_their_own() {
        let queue = Queue::new(2, 1 << 20);
        assert!(queue.push(job()).is_ok() && queue.push(job()).is_ok());
        assert!(matches!(queue.push(job()), Err(StoreError::Busy)));
        assert!(queue.push(sync()).is_ok() && queue.push(sync()).is_ok());
        assert!(matches!(queue.push(sync()), Err(StoreError::Busy)));
    }

    #[test]
    fn an_urgent_job_ends_the_gathering() {
        let queue = Arc::new(Queue::new(100, 1 << 20));
        assert!(queue.push(job()).is_ok());
        let other = queue.clone();
        let taker = std::thread::spawn(move || {
            let mut batch = Vec::new();
            other.take(&mut batch, 10, None, Some(Duration::from_secs(600)));
            batch.len()
        });
        while queue.state.lock().wake_at == usize::MAX {
            std::thread::yield_now();
        }
        assert!(queue.push(sync()).is_ok());
        assert_eq!(taker.join().unwrap(), 2);
    }

    #[test]
    fn a_closed_queue_is_drained_first() {
        let queue = Queue::new(100, 1 << 20);
        assert!(queue.push(job()).is_ok());
        queue.close();
        assert!(matches!(queue.push(job()), Err(StoreError::Closed)));
        let mut batch = Vec::new();
        assert_eq!(queue.take(&mut batch, 10, None, None), Taken::Batch);
        assert_eq!(queue.take(&mut batch, 10, None, None), Taken::Closed);
    }
}
