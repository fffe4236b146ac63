//! Moving in and out: what other servers kept becomes this server's, and an account becomes a file that
//! other servers read (XEP-0227).
//!
//! A source is read by a thread of its own, which hands over one [`record::Record`] after the other
//! through a short queue; [`intake::Intake`] writes them into the store. So memory is bounded however
//! large an archive is. Nothing is overwritten, and what is there already is not added again: an import
//! that was interrupted is run once more.

mod ejabberd;
mod intake;
mod pie;
mod prosody;
mod record;
mod report;
mod shelf;
mod sqlite;
mod table;
mod vcard;

use std::{io, path::PathBuf};

use bytes::Bytes;
use store::Store;
use tokio::sync::mpsc;
use xmpp::{
    sasl::{Hash, MAX_ITERATIONS, ScramKeys},
    stanza::Stanza,
    xml::{Element, Limits},
};

pub use self::report::{Report, Skips};
use self::{intake::Intake, record::Record};
use crate::{
    admin::{Fault, FaultCode},
    config::Config,
    secret::ServerSecret,
};

/// Where everything comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Prosody's data directory, or its SQLite database.
    Prosody(PathBuf),
    /// A file of XEP-0227 as `ejabberdctl export_piefxis` writes it, or ejabberd's SQLite database.
    Ejabberd(PathBuf),
    /// A file of XEP-0227 with one account, whatever its domain was.
    Account(PathBuf),
}

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Write nothing.
    pub dry_run: bool,
    /// The name of the account, for [`Source::Account`]; as in the file when absent.
    pub name: Option<String>,
}

/// How far an import is: whose things are being taken, and how many records there were so far.
pub type Progress<'a> = &'a (dyn Fn(&str, u64) + Sync);

/// Takes everything in. The store must be this process's alone: a running server would not see what was
/// written behind its back.
///
/// When the source cannot be read to its end, or the store cannot be written, what was taken until then
/// stays: the report says what that is, and the fault why it is not all.
pub async fn import(
    store: &Store,
    config: &Config,
    secret: &ServerSecret,
    source: Source,
    wish: Wish,
    progress: Progress<'_>,
) -> (Report, Result<(), Fault>) {
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let single = matches!(source, Source::Account(_));
    let place = Place {
        domain: config.domain.clone(),
        rooms: config.rooms.address(&config.domain),
        pubsub: config.pubsub.enabled.then(|| config.pubsub.address(&config.domain)),
    };
    let reader = tokio::task::spawn_blocking(move || {
        let mut out = Out { sender: &sender };
        read(&source, &place, &mut out)
    });
    let mut intake = Intake::new(store, config, secret, wish, single);
    let mut count = 0;
    let mut failed = None;
    while let Some(record) = receiver.recv().await {
        count += 1;
        if let Err(fault) = intake.take(record).await {
            failed = Some(fault);
            break;
        }
        if count % TELL_EVERY == 0 {
            progress(intake.whose(), count);
        }
    }
    drop(receiver);
    let read = match reader.await {
        Ok(Ok(()) | Err(Trouble::Stopped)) => Ok(()),
        Ok(Err(Trouble::Unreadable(words) | Trouble::Damaged(words))) => {
            Err(Fault::new(FaultCode::Invalid, words))
        }
        Err(_) => Err(Fault::new(FaultCode::Storage, "reading broke off")),
    };
    let (report, ended) = intake.finish().await;
    (report, failed.map_or(Ok(()), Err).and(ended).and(read))
}

/// Keys of a password as a source has them. `None` when they make no sense, or when each login with them
/// would cost more than a client does for it.
fn keys(
    hash: Hash,
    iterations: u32,
    salt: Vec<u8>,
    stored: &[u8],
    server: &[u8],
) -> Option<ScramKeys> {
    let keys = ScramKeys::from_parts(hash, iterations, salt, stored, server);
    keys.filter(|keys| keys.iterations <= MAX_ITERATIONS)
}

/// Writes an account into a file of XEP-0227.
///
/// # Errors
/// When the store cannot be read, or the file cannot be written.
pub async fn export(
    store: &Store,
    config: &Config,
    account: &store::accounts::Account,
    out: &mut (dyn io::Write + Send),
) -> Result<u64, ExportError> {
    pie::write(store, config, account, out).await
}

/// Why an account was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] io::Error),
}

fn read(source: &Source, place: &Place, out: &mut Out<'_>) -> Result<(), Trouble> {
    match source {
        Source::Prosody(path) => prosody::read(path, place, out),
        Source::Ejabberd(path) if is_sqlite(path)? => ejabberd::read(path, place, out),
        Source::Ejabberd(path) => pie::read(path, Some(&place.domain), out),
        Source::Account(path) => pie::read(path, None, out),
    }
}

/// The addresses at which things have a place here.
#[derive(Debug)]
struct Place {
    domain: String,
    /// The service of rooms.
    rooms: String,
    /// The service for publishing, where there is one.
    pubsub: Option<String>,
}

impl Place {
    /// Nodes of a service for publishing that has another address.
    fn no_service(&self, whose: &str, nodes: usize) -> Record {
        let why = match &self.pubsub {
            Some(address) => format!(
                "nodes of this server are at {address}; set `address` in [pubsub] to where they were, \
                 and run this again"
            ),
            None => "there is no service for publishing; enable [pubsub]".to_owned(),
        };
        Record::skipped(format!("{whose}: {nodes} nodes"), why)
    }
}

fn is_sqlite(path: &std::path::Path) -> Result<bool, Trouble> {
    use io::Read as _;
    let mut head = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| Trouble::file(path, &error))?;
    let read = file.take(MAGIC.len() as u64).read_to_end(&mut head);
    read.map_err(|error| Trouble::file(path, &error))?;
    Ok(head == MAGIC)
}

/// A stanza as archives keep it: what declares no namespace is in that of clients.
fn stanza(bytes: &[u8]) -> Option<Element> {
    let stanza = Stanza::parse(Bytes::copy_from_slice(bytes), &Limits::TRUSTED);
    stanza.ok().map(|stanza| stanza.element())
}

/// Where a source puts what it reads.
struct Out<'a> {
    sender: &'a mpsc::Sender<Record>,
}

impl Out<'_> {
    /// Hands a record over; waits while there are too many.
    fn give(&mut self, record: Record) -> Result<(), Trouble> {
        self.sender.blocking_send(record).map_err(|_| Trouble::Stopped)
    }
}

/// Why a source was not read to its end.
#[derive(Debug)]
enum Trouble {
    /// Nobody takes what it reads.
    Stopped,
    /// It cannot be read, in words.
    Unreadable(String),
    /// One row of a database makes no sense, in words; others may.
    Damaged(String),
}

impl Trouble {
    fn unreadable(words: impl Into<String>) -> Trouble {
        Trouble::Unreadable(words.into())
    }

    fn file(path: &std::path::Path, error: &io::Error) -> Trouble {
        Trouble::Unreadable(format!("{} cannot be read: {error}", path.display()))
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Unreadable(error.to_string())
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        use rusqlite::Error;
        let words = format!("the database cannot be read: {error}");
        match error {
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..) => Trouble::Damaged(words),
            _ => Trouble::Unreadable(words),
        }
    }
}

/// Records between the thread that reads and the one that writes. The largest has some megabytes.
const QUEUE: usize = 16;
const TELL_EVERY: u64 = 500;
/// Why keys are not taken.
const BAD_KEYS: &str = "keys of a password that make no sense";
const MAGIC: &[u8] = b"SQLite format 3\0";
