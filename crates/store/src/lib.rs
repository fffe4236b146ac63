//! What Anemone keeps on disk: narrow traits, the SQLite backend, and the suite every backend must pass.
//!
//! # Shape
//!
//! One file per domain: `src/<domain>.rs` holds a trait of at most about eight methods and the rows
//! it speaks of, `src/sqlite/<domain>.rs` implements it, `src/conformance/<domain>.rs` says what an
//! implementation must do, as ordinary async functions over the trait. Rows are domain types; ids and
//! times are given by the caller, the store reads no clock. Addresses are stored as given: the caller
//! normalises them (RFC 7622) before they come here.
//!
//! Every write is durable when its future resolves with `Ok`: the transaction is committed and the
//! log is synced. All writes of all domains run in the order they were submitted, so a read that is
//! started after a write resolved sees it.
//!
//! # Adding a domain
//!
//! 1. `src/<domain>.rs`: the trait (`Send + Sync`, methods return [`Fut`]) and its row types, and a
//!    `pub mod` line and a field of [`Store`] here.
//! 2. `src/sqlite/migrations/NNNN_<what>.sql`: the tables, and one line at the end of the list in
//!    `src/sqlite/schema.rs`. Never edit a migration that has been released. Tables of an account
//!    have `account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE` as the first column of
//!    their key, so that deleting an account needs no further code.
//! 3. `src/sqlite/<domain>.rs`: `struct <Domain>(Arc<Engine>)`; reads are
//!    `self.0.read(move |db| …)`, writes `self.0.write(move |db| …)`. A write closure runs inside a
//!    savepoint of the writer's current batch: return `Err` and nothing of it stays. Use
//!    `prepare_cached` and static SQL only. One line in `src/sqlite/mod.rs` makes the field.
//! 4. `src/conformance/<domain>.rs`: behaviour as `pub async fn …(store: &Store)` and one line each in
//!    the `cases!` list of `src/conformance/mod.rs`; they then run on disk and in memory.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub mod accounts;
pub mod archive;
pub mod audit;
pub mod blocks;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod documents;
pub mod endpoints;
mod error;
pub mod invites;
pub mod maintenance;
pub mod outbox;
pub mod prefs;
pub mod pubsub;
pub mod push;
pub mod requests;
pub mod retentions;
pub mod rooms;
pub mod roster;
pub mod sessions;
pub mod sqlite;
pub mod tokens;
pub mod uploads;

pub use error::{OpenError, StoreError};

/// What every asynchronous method of a storage trait returns. The work is submitted when the method
/// is called, not when the future is first polled; dropping the future does not take the work back.
/// No runtime is needed to poll it.
pub type Fut<'a, T, E = StoreError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// A local account. Numbers are never used twice, not even after an account is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub i64);

impl AccountId {
    /// The pubsub service of the server, which owns nodes as accounts do. It is in no list of
    /// accounts and has nothing but nodes.
    pub const PUBSUB: Self = Self(0);
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since the Unix epoch, given by the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// Bytes that must not be printed and are wiped when dropped: keys of credentials and tokens.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct SecretBytes(pub Vec<u8>);

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// Everything the server keeps, one field per domain. Opened by [`sqlite::open`]; dropping the last
/// clone closes the database cleanly, and [`maintenance::Maintenance::close`] waits for that.
#[derive(Clone)]
pub struct Store {
    /// Who may log in, and with which keys.
    pub accounts: Arc<dyn accounts::Accounts>,
    /// Contacts and subscription requests (RFC 6121).
    pub roster: Arc<dyn roster::Roster>,
    /// Blocked addresses (XEP-0191).
    pub blocks: Arc<dyn blocks::Blocks>,
    /// What an account wants archived (XEP-0441).
    pub prefs: Arc<dyn prefs::Prefs>,
    /// Messages (XEP-0313) and those waiting for an offline account (XEP-0160).
    pub archive: Arc<dyn archive::Archive>,
    /// How long single archives are kept.
    pub retentions: Arc<dyn retentions::Retentions>,
    /// Stanzas for other domains.
    pub outbox: Arc<dyn outbox::Outbox>,
    /// Small private documents by key (XEP-0049, XEP-0054 …).
    pub documents: Arc<dyn documents::Documents>,
    /// Nodes and their items (XEP-0060).
    pub pubsub: Arc<dyn pubsub::Pubsub>,
    /// Where devices want to be woken (XEP-0357).
    pub push: Arc<dyn push::Push>,
    /// Addresses of applications (UnifiedPush), and what was posted to them.
    pub endpoints: Arc<dyn endpoints::Endpoints>,
    /// Uploaded files (XEP-0363), without their bytes.
    pub uploads: Arc<dyn uploads::Uploads>,
    /// Rooms (XEP-0045); their messages are in the archive.
    pub rooms: Arc<dyn rooms::Rooms>,
    /// Login tokens of devices (XEP-0484).
    pub tokens: Arc<dyn tokens::Tokens>,
    /// Invitations (XEP-0401, XEP-0379, XEP-0445).
    pub invites: Arc<dyn invites::Invites>,
    /// Requests for an account from the front door's form.
    pub requests: Arc<dyn requests::Requests>,
    /// What administrators did.
    pub audit: Arc<dyn audit::Audit>,
    /// Sessions that outlive a restart (XEP-0198).
    pub sessions: Arc<dyn sessions::Sessions>,
    /// Backup, checks, sizes, closing.
    pub maintenance: Arc<dyn maintenance::Maintenance>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}
