//! The handle that every domain has: hand a closure to the readers or to the writer.

use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::{Call, Fold, Job};
use super::readers::Readers;
use super::writer::Shared;
use crate::{AccountId, Fut, StoreError};

/// Errors of closures: one enum per operation, each with room for the environment's fault.
pub(super) trait Failure: From<StoreError> + From<rusqlite::Error> + Send + 'static {
    /// The environment's fault, if that is what it is.
    fn store(&self) -> Option<&StoreError>;
}

impl Failure for StoreError {
    fn store(&self) -> Option<&StoreError> {
        Some(self)
    }
}

/// Makes an error enum with a `Store` variant fit for closures.
macro_rules! failure {
    ($error:ty) => {
        impl From<rusqlite::Error> for $error {
            fn from(error: rusqlite::Error) -> Self {
                Self::Store(error.into())
            }
        }

        impl $crate::sqlite::engine::Failure for $error {
            fn store(&self) -> Option<&$crate::StoreError> {
                match self {
                    Self::Store(error) => Some(error),
                    _ => None,
                }
            }
        }
    };
}
pub(super) use failure;

/// One open database.
pub(super) struct Engine {
    pub(super) shared: Arc<Shared>,
    /// None in memory, where there is one connection only: the writer reads.
    pub(super) readers: Option<Readers>,
    pub(super) writer: Mutex<Option<JoinHandle<()>>>,
    pub(super) path: Option<std::path::PathBuf>,
    /// Held until the last connection is closed.
    pub(super) lock: Mutex<Option<std::fs::File>>,
}

impl Engine {
    /// Reads. Statements see the same snapshot only within `read_snapshot`.
    pub(super) fn read<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Fut<'static, T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        let Some(readers) = &self.readers else { return self.write(work) };
        let (tell, told) = oneshot::channel();
        let shared = self.shared.clone();
        let job = move |db: &Connection| {
            let done = work(db);
            if let Err(error) = &done
                && let Some(error @ StoreError::Corrupt(_)) = error.store()
            {
                shared.report(error);
            }
            drop(tell.send(done));
        };
        match readers.push(Box::new(job)) {
            Ok(()) => answer(told),
            Err(error) => refuse(error),
        }
    }

    /// Reads with several statements that must agree with each other.
    pub(super) fn read_snapshot<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Fut<'static, T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        if self.readers.is_none() {
            return self.write(work);
        }
        self.read(move |db| {
            db.prepare_cached("BEGIN")?.execute([])?;
            let done = work(db);
            db.prepare_cached("COMMIT")?.execute([])?;
            done
        })
    }

    /// Writes, in a savepoint of the writer's transaction.
    pub(super) fn write<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Fut<'static, T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        self.write_call(Fold::Nothing, 0, work)
    }

    /// Writes what takes so many bytes of memory until it is written.
    pub(super) fn write_sized<T, E>(
        &self,
        bytes: usize,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Fut<'static, T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        self.write_call(Fold::Nothing, bytes, work)
    }

    /// Writes with part of the archive's index made complete before.
    pub(super) fn write_folded<T, E>(
        &self,
        fold: Fold,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Fut<'static, T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        self.write_call(fold, 0, work)
    }

    fn write_call<T, E>(
        &self,
        fold: Fold,
        bytes: usize,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Fut<'static, T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        let (tell, told) = oneshot::channel();
        let call = Closure { fold, bytes, work: Some(work), done: None, tell };
        match self.shared.queue.push(Job::Call(Box::new(call))) {
            Ok(()) => answer(told),
            Err(error) => refuse(error),
        }
    }

    /// Resolves when everything submitted before is settled and this account's rows can be read.
    pub(super) fn sync(&self, account: Option<AccountId>) -> Fut<'static, ()> {
        // Rows enter this map and leave it before their commit, so the map is to be believed only while
        // the writer does nothing: when nothing was unsettled, nor submitted, before and after the look.
        let quiet = self.shared.queue.quiet();
        let folded = account.is_none_or(|account| self.shared.unfolded.is_folded(account));
        if folded && quiet.is_some() && self.shared.queue.quiet() == quiet {
            return Box::pin(std::future::ready(Ok(())));
        }
        self.submit(|tell| Job::Sync(account, tell))
    }

    /// Reads an archive, with everything in it that was submitted before. Reads go on when the device
    /// is full (G9): what then cannot be put into the index is put there for this read alone.
    pub(super) fn read_archive<T, E>(
        &self,
        account: AccountId,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Fut<'_, T, E>
    where
        T: Send + 'static,
        E: Failure,
    {
        let synced = self.sync(Some(account));
        Box::pin(async move {
            match synced.await {
                Ok(()) => self.read_snapshot(work).await,
                Err(StoreError::Full | StoreError::Io(_)) => {
                    self.submit(|tell| {
                        Job::Peek(account, Box::new(move |db| drop(tell.send(work(db)))))
                    })
                    .await
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Submits a job that tells its outcome.
    pub(super) fn submit<T: Send + 'static, E: Failure>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Job,
    ) -> Fut<'static, T, E> {
        let (tell, told) = oneshot::channel();
        match self.shared.queue.push(job(tell)) {
            Ok(()) => answer(told),
            Err(error) => refuse(error),
        }
    }

    /// Ends both kinds of threads. Waits for them, unless called from one of them.
    pub(super) fn close(&self) {
        self.shared.queue.close();
        if let Some(readers) = &self.readers {
            readers.close();
        }
        let writer = self.writer.lock().take();
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != here()) {
            let _ = writer.join();
        }
        self.lock.lock().take();
    }
}

fn here() -> std::thread::ThreadId {
    std::thread::current().id()
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

fn answer<T, E>(told: oneshot::Receiver<Result<T, E>>) -> Fut<'static, T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    Box::pin(async move { told.await.unwrap_or_else(|_| Err(StoreError::Closed.into())) })
}

fn refuse<T, E>(error: StoreError) -> Fut<'static, T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    Box::pin(std::future::ready(Err(error.into())))
}

struct Closure<W, T, E> {
    fold: Fold,
    bytes: usize,
    work: Option<W>,
    done: Option<Result<T, E>>,
    tell: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Call for Closure<W, T, E>
where
    W: FnOnce(&Connection) -> Result<T, E> + Send,
    T: Send,
    E: Failure,
{
    fn fold(&self) -> Fold {
        self.fold
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run(&mut self, db: &Connection) -> Result<(), Option<StoreError>> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let done = work(db);
        let outcome = match &done {
            Ok(_) => Ok(()),
            Err(error) => Err(error.store().cloned()),
        };
        self.done = Some(done);
        outcome
    }

    fn settle(self: Box<Self>, outcome: Result<(), &StoreError>) {
        let done = match outcome {
            Err(error) => Err(error.clone().into()),
            Ok(()) => self.done.unwrap_or_else(|| Err(StoreError::Closed.into())),
        };
        drop(self.tell.send(done));
    }
}
