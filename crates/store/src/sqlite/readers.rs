//! The reading threads, each with a connection of its own.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::connect;
use crate::StoreError;

/// Most reads that may wait.
const MAX_WAITING: usize = 8192;

type Read = Box<dyn FnOnce(&Connection) + Send>;

struct State {
    reads: VecDeque<Read>,
    open: bool,
}

struct Inbox {
    state: Mutex<State>,
    wake: Condvar,
}

/// The pool.
pub(super) struct Readers {
    inbox: Arc<Inbox>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    pub(super) fn start(path: &Path, count: usize) -> rusqlite::Result<Self> {
        let state = Mutex::new(State { reads: VecDeque::new(), open: true });
        let inbox = Arc::new(Inbox { state, wake: Condvar::new() });
        let readers = Readers { inbox, threads: Mutex::new(Vec::new()) };
        for number in 0..count {
            let db = connect::reader(path)?;
            let inbox = readers.inbox.clone();
            let name = format!("store-read-{number}");
            let thread = std::thread::Builder::new().name(name).spawn(move || inbox.serve(&db));
            match thread {
                Ok(thread) => readers.threads.lock().push(thread),
                Err(error) => return Err(rusqlite::Error::ToSqlConversionFailure(error.into())),
            }
        }
        Ok(readers)
    }

    pub(super) fn push(&self, read: Read) -> Result<(), StoreError> {
        let mut state = self.inbox.state.lock();
        if !state.open {
            return Err(StoreError::Closed);
        }
        if state.reads.len() >= MAX_WAITING {
            return Err(StoreError::Busy);
        }
        state.reads.push_back(read);
        drop(state);
        self.inbox.wake.notify_one();
        Ok(())
    }

    /// Finishes what waits and ends the threads.
    pub(super) fn close(&self) {
        self.inbox.state.lock().open = false;
        self.inbox.wake.notify_all();
        let here = std::thread::current().id();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            if thread.thread().id() != here {
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inbox {
    fn serve(&self, db: &Connection) {
        while let Some(read) = self.next() {
            // A read that panics is a mistake of ours and must not take the others' thread with it.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(db)));
            if done.is_err() && !db.is_autocommit() {
                let _ = db.execute_batch("ROLLBACK");
            }
        }
    }

    fn next(&self) -> Option<Read> {
        let mut state = self.state.lock();
        loop {
            if let Some(read) = state.reads.pop_front() {
                return Some(read);
            }
            if !state.open {
                return None;
            }
            self.wake.wait(&mut state);
        }
    }
}
