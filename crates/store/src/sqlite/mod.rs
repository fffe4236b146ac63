//! The SQLite backend.
//!
//! One thread writes, a few read (`writer.rs`, `readers.rs`), all with connections of their own to one
//! file in WAL mode. `engine.rs` is the handle the domains have; `log.rs` is the message path.

use std::path::Path;
use std::sync::{Arc, mpsc};

use parking_lot::Mutex;
use rusqlite::Connection;

use crate::maintenance::Health;
use crate::{OpenError, Store, StoreError};

mod accounts;
mod archive;
mod audit;
mod backup;
mod blocks;
mod checksum;
mod connect;
mod documents;
mod endpoints;
mod engine;
mod error;
mod faults;
mod invites;
mod log;
mod maintenance;
mod outbox;
mod page;
mod peer;
mod prefs;
mod pubsub;
mod push;
mod queue;
mod readers;
mod refs;
mod requests;
mod retentions;
mod rooms;
mod roster;
mod schema;
mod sessions;
#[cfg(test)]
mod tests;
mod tokens;
mod uploads;
mod values;
mod wal;
mod writer;

pub use backup::{Restored, restore, verify};
pub use faults::Faults;

use engine::Engine;
use peer::PeerHash;
use queue::Queue;
use readers::Readers;
use writer::{Shared, Writer};

/// Called on a thread of the store; must not block for long nor use the store.
pub type OnFatal = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// How to open.
#[derive(Clone)]
pub struct Options {
    /// Reading threads; each has its own connection. 0: as many as fits the machine.
    pub readers: usize,
    /// Most units and other writes that may wait for the writer.
    pub queue_items: usize,
    /// Most bytes of stanzas that may wait for the writer.
    pub queue_bytes: usize,
    /// Told when the process must exit ([`StoreError::Fatal`]) or damage was found while serving
    /// ([`StoreError::Corrupt`]).
    pub on_fatal: Option<OnFatal>,
    /// Faults on demand, for tests.
    pub faults: Option<Arc<Faults>>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            readers: 0,
            queue_items: 16_384,
            queue_bytes: 64 << 20,
            on_fatal: None,
            faults: None,
        }
    }
}

/// Most reading threads when [`Options::readers`] is 0.
const MAX_READERS: usize = 4;

/// Opens or creates the database at `path` and takes the lock beside it (`path` with `.lock`).
///
/// # Errors
/// See [`OpenError`]; nothing is left locked.
pub fn open(path: &Path, options: Options) -> Result<Store, OpenError> {
    let lock = connect::lock(path)?;
    let db = connect::writer(path)?;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let count = if options.readers == 0 { cores.clamp(2, MAX_READERS) } else { options.readers };
    let readers = Readers::start(path, count).map_err(|error| connect::refused(path, error))?;
    start(db, Some(readers), Some((path, lock)), options)
        .map_err(|error| connect::refused(path, error))
}

/// A database that lives in memory, for tests and trials: the same engine without a file.
///
/// # Errors
/// See [`OpenError`].
pub fn open_in_memory(options: Options) -> Result<Store, OpenError> {
    let path = Path::new(":memory:");
    connect::memory()
        .map_err(StoreError::from)
        .and_then(|db| start(db, None, None, options))
        .map_err(|error| connect::refused(path, error))
}

fn start(
    db: Connection,
    readers: Option<Readers>,
    file: Option<(&Path, std::fs::File)>,
    options: Options,
) -> Result<Store, StoreError> {
    let key: Vec<u8> = db
        .query_row("SELECT value FROM meta WHERE key = 'secret'", [], |row| row.get(0))
        .map_err(StoreError::from)?;
    let hash = PeerHash::new(&key);
    let shared = Arc::new(Shared {
        queue: Queue::new(options.queue_items.max(1), options.queue_bytes.max(1)),
        health: Health::default(),
        faults: options.faults,
        on_fatal: options.on_fatal,
        unfolded: Default::default(),
    });
    // Not tokio's: a store is also opened from within a runtime.
    let (ready, started) = mpsc::sync_channel(1);
    let thread = {
        let (shared, hash) = (shared.clone(), hash.clone());
        std::thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || serve(db, &shared, hash, ready))
            .map_err(|error| StoreError::Io(error.to_string()))?
    };
    let (path, lock) = match file {
        Some((path, lock)) => (Some(path.to_owned()), Some(lock)),
        None => (None, None),
    };
    let engine =
        Engine { shared, readers, writer: Mutex::new(Some(thread)), path, lock: Mutex::new(lock) };
    started.recv().unwrap_or(Err(StoreError::Closed))?;
    Ok(assemble(&Arc::new(engine), hash))
}

/// The writer's thread.
fn serve(
    mut db: Connection,
    shared: &Shared,
    hash: PeerHash,
    ready: mpsc::SyncSender<Result<(), StoreError>>,
) {
    if let Err(error) = wal::watch(&mut db) {
        return drop(ready.send(Err(error.into())));
    }
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        match Writer::new(&db, shared, hash) {
            Ok(mut writer) => {
                drop(ready.send(Ok(())));
                writer.run();
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    }));
    if done.is_err() {
        // A mistake of ours. Nothing more can be written; whoever waits is told by the dropped
        // channels, and the process should start again.
        shared.queue.close();
        shared.health.set_degraded(true);
        shared.report(&StoreError::Fatal("the writing thread panicked".to_owned()));
        shared.queue.abandon();
    }
}

fn assemble(engine: &Arc<Engine>, hash: PeerHash) -> Store {
    Store {
        accounts: Arc::new(accounts::Sqlite(engine.clone())),
        roster: Arc::new(roster::Sqlite(engine.clone())),
        blocks: Arc::new(blocks::Sqlite(engine.clone())),
        prefs: Arc::new(prefs::Sqlite(engine.clone())),
        archive: Arc::new(archive::Sqlite { engine: engine.clone(), hash }),
        retentions: Arc::new(retentions::Sqlite(engine.clone())),
        outbox: Arc::new(outbox::Sqlite(engine.clone())),
        documents: Arc::new(documents::Sqlite(engine.clone())),
        pubsub: Arc::new(pubsub::Sqlite(engine.clone())),
        tokens: Arc::new(tokens::Sqlite(engine.clone())),
        push: Arc::new(push::Sqlite(engine.clone())),
        endpoints: Arc::new(endpoints::Sqlite(engine.clone())),
        rooms: Arc::new(rooms::Sqlite(engine.clone())),
        uploads: Arc::new(uploads::Sqlite(engine.clone())),
        invites: Arc::new(invites::Sqlite(engine.clone())),
        requests: Arc::new(requests::Sqlite(engine.clone())),
        audit: Arc::new(audit::Sqlite(engine.clone())),
        sessions: Arc::new(sessions::Sqlite(engine.clone())),
        maintenance: Arc::new(maintenance::Sqlite(engine.clone())),
    }
}
