//! What the core cannot do itself: sockets, clocks, files.
//!
//! The core and its store live on a thread of their own (`core.rs`), because a step waits for the
//! disk. Connections and transfers are tasks of a small runtime beside it. Between them are bounded
//! queues: what a server sends waits in the network when the core is busy.
//!
//! When the store refuses a step, the core is dropped and built anew from a store that is opened
//! again, after a second at first and a minute at most; requests that were open then end with the
//! reason.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use client::effect::{TransferEvent, TransferId};
use client::store::Store;
use client::view::{Change, Notification, Outcome, Problem};
use client::{Command, Input, Options, Request};
use client_sqlite::OpenError;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

pub mod connect;
mod connection;
mod core;
pub mod dns;
pub mod files;
pub mod gcm;
pub mod http;
mod network;
pub mod socks;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod transfer;

pub use connect::Ways;

/// What the core of an account says.
#[derive(Debug)]
pub enum Output {
    /// Something is different.
    View(Change),
    /// All changes of a step were told: what was said so far fits together.
    Viewed,
    /// Something worth interrupting for.
    Notify(Notification),
    /// What a request wants to be sent is in the timeline, and on disk.
    Kept(u64),
    /// A request ended.
    Done(u64, Outcome),
    /// The store refuses; why, in words. The driver tries again.
    Storage(String),
    /// The store works again. The core was built anew from it: it tells everything once more, and has no
    /// windows open.
    Anew,
}

/// What a driver needs.
pub struct Config {
    /// Opens the store; called again after it failed.
    pub store: Box<dyn FnMut() -> Result<Box<dyn Store + Send>, OpenError> + Send>,
    /// Where the store is, for what is said when its disk is full.
    pub place: PathBuf,
    /// What the program is.
    pub options: Options,
    /// How connections are made.
    pub ways: Ways,
    /// Takes what the core says, on the core's thread: it must not wait for long.
    pub output: Box<dyn FnMut(Output) + Send>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("options", &self.options).finish_non_exhaustive()
    }
}

/// One account at work. Dropping it closes the connection and the store.
#[derive(Debug)]
pub struct Driver {
    inbox: mpsc::Sender<Message>,
    next: AtomicU64,
    thread: Option<JoinHandle<()>>,
    /// Ends after the thread that uses it.
    _runtime: Runtime,
}

/// What comes to the core's thread.
enum Message {
    /// From a connection; others than the newest are over.
    Link(u64, Box<Input>),
    Transfer(TransferId, TransferEvent),
    Request(Box<Request>),
    NetworkChanged,
    Stop,
}

impl Driver {
    /// Opens the store, builds the core, and connects if there is a login.
    ///
    /// # Errors
    /// The store cannot be opened, or the system gives no threads.
    pub fn start(config: Config) -> Result<Self, OpenError> {
        let access = |error: std::io::Error| OpenError::Access {
            path: PathBuf::new(),
            detail: error.to_string(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("network")
            .enable_all()
            .build()
            .map_err(access)?;
        let (inbox, messages) = mpsc::channel(MOST_MESSAGES);
        let core = core::Core::new(config, runtime.handle().clone(), inbox.clone())?;
        runtime.spawn(network::watch(inbox.clone()));
        let thread = std::thread::Builder::new()
            .name("core".to_owned())
            .spawn(move || core.run(messages))
            .map_err(access)?;
        let next = AtomicU64::new(1);
        Ok(Self { inbox, next, thread: Some(thread), _runtime: runtime })
    }

    /// Gives a command to the core; its end comes as [`Output::Done`] with the number that is
    /// returned. Must not be called on a thread of an asynchronous runtime.
    pub fn request(&self, command: Command) -> u64 {
        let number = self.number();
        self.submit(number, command);
        number
    }

    /// The same, without waiting: `None` when the core is too busy.
    pub fn try_request(&self, command: Command) -> Option<u64> {
        let number = self.number();
        let message = Message::Request(Box::new(Request { number, command }));
        self.inbox.try_send(message).ok().map(|()| number)
    }

    /// Gives a command to the core without waiting, with a number of the caller's: those that
    /// [`number`](Self::number) gives are below [`FIRST_OWN_NUMBER`]. `false` when the core is too
    /// busy.
    pub fn try_submit(&self, number: u64, command: Command) -> bool {
        let message = Message::Request(Box::new(Request { number, command }));
        self.inbox.try_send(message).is_ok()
    }

    /// A number for a request that will be [submitted](Self::submit).
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives a command to the core, with such a number. Must not be called on a thread of an
    /// asynchronous runtime.
    pub fn submit(&self, number: u64, command: Command) {
        // The thread takes messages as long as there is a driver.
        let _ = self.inbox.blocking_send(Message::Request(Box::new(Request { number, command })));
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.inbox.blocking_send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The end of requests that were open when the store failed.
fn storage_failed(reason: &str) -> Outcome {
    Outcome::Failed(Problem::Storage(reason.to_owned()))
}

/// The first of the numbers that callers choose themselves.
pub const FIRST_OWN_NUMBER: u64 = 1 << 48;
/// Messages that wait for the core; a connection stops reading while there are so many.
const MOST_MESSAGES: usize = 256;
