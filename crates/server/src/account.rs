//! A local account in memory, and the cache of all accounts that are in use.
//!
//! An account is loaded when somebody needs it and stays while it has sessions or visitors. There
//! is never more than one [`Account`] for a name: archive ids are counted in it.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard, RwLock};
use store::{AccountId, StoreError};
use xmpp::jid::BareJid;

use crate::{
    config::Config,
    ext::{archive::ArchiveState, avatar::Photo, blocking::Blocks, last, moved, pubsub},
    im::{presence::Available, roster::Roster},
    s2s::presence::Seen,
    server::Server,
    session::Session,
};

/// A local account that somebody uses.
pub struct Account {
    /// Its number in the store.
    pub id: AccountId,
    jid: BareJid,
    bare: Box<str>,
    state: Mutex<AccountState>,
    /// Held while the roster changes: memory, store and pushes keep one order.
    pub roster_gate: tokio::sync::Mutex<()>,
    /// Messages that have an archive id and are not yet submitted to the store.
    pub unsubmitted: AtomicU32,
    /// Its nodes (XEP-0163), read when they are first needed.
    pub pubsub: pubsub::Nodes,
}

/// What changes about an account. Everything here is read and written under one lock that is
/// never held across an await, and never together with another account's.
pub struct AccountState {
    /// Its bound resources, connected or waiting to be resumed.
    pub resources: Vec<Resource>,
    /// Its contacts.
    pub roster: Roster,
    /// Whom it does not want to hear (XEP-0191).
    pub blocks: Blocks,
    /// Counter and preferences of its archive (XEP-0313).
    pub archive: ArchiveState,
    /// What is known of its avatar (XEP-0398).
    pub photo: Photo,
    /// The devices of contacts at other domains whose presence it sees.
    pub seen: Seen,
    /// The day of its last login, in days since 1970, as far as the store knows it.
    pub last_login: Option<u64>,
    /// The old addresses of contacts who say that they moved, while that is being verified (XEP-0283).
    pub moves: Vec<BareJid>,
    /// Where its owner is now, while nobody can log in to it (XEP-0283).
    pub moved: Option<BareJid>,
    /// The account was deleted: nothing may be written for it any more.
    pub deleted: bool,
}

/// What others must know about a bound resource to route to it.
pub struct Resource {
    /// Its session.
    pub session: Arc<Session>,
    /// The presence it broadcast, while it is available.
    pub available: Option<Available>,
    /// XEP-0280: wants copies.
    pub carbons: bool,
    /// Asked for the roster, so it gets roster pushes (RFC 6121 §2.1.6).
    pub interested: bool,
    /// Asked for the blocklist, so it gets block pushes (XEP-0191 §3.2).
    pub block_pushes: bool,
    /// The part of its archive that it reads by itself: it needs no offline messages from there
    /// (XEP-0160 §3).
    pub caught_up: Option<CaughtUp>,
    /// Full or bare addresses that got directed presence (RFC 6121 §4.6.3).
    pub directed: Vec<xmpp::jid::Jid>,
    /// What its client can do (XEP-0115), once that is known.
    pub features: Option<Arc<crate::ext::caps::Features>>,
}

/// What a device reads in its archive by itself, from an older end to a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// Not including this id.
    pub after: u64,
    /// Received at or after this time.
    pub start: store::Millis,
    /// Including this id, once it has read all the pages.
    pub upto: u64,
    /// Where the last page ended that it was given.
    pub reached: u64,
}

impl CaughtUp {
    /// All that is there up to this id.
    #[must_use]
    pub fn to(upto: u64) -> Self {
        Self { after: 0, start: store::Millis(0), upto, reached: upto }
    }

    /// With what it read now: the next page, or something else.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        let goes_on =
            self.after <= next.after && next.after <= self.reached && self.start.0 <= next.start.0;
        match goes_on {
            true => Self { upto: next.upto, reached: next.reached, ..self },
            false => next,
        }
    }

    /// Whether a row is among that.
    #[must_use]
    pub fn has(&self, row: &store::archive::Row) -> bool {
        !row.hidden && row.id > self.after && row.id <= self.upto && row.at.0 >= self.start.0
    }
}

impl Resource {
    /// A resource that was just bound.
    #[must_use]
    pub fn new(session: Arc<Session>) -> Self {
        Self {
            session,
            available: None,
            carbons: false,
            interested: false,
            block_pushes: false,
            caught_up: None,
            directed: Vec::new(),
            features: None,
        }
    }

    /// Its priority, while it is available.
    #[must_use]
    pub fn priority(&self) -> Option<i8> {
        self.available.as_ref().map(|presence| presence.priority)
    }
}

impl Account {
    /// The pubsub service as the owner of nodes: it has an address and nothing else.
    #[must_use]
    pub fn pubsub(config: &Config) -> Arc<Self> {
        let address = config.pubsub.address(&config.domain);
        // The configuration was checked; a domain is a bare address.
        let jid = BareJid::new(&address).unwrap_or_else(|_| unreachable!("{address}"));
        let state = AccountState {
            resources: Vec::new(),
            roster: Roster::default(),
            blocks: Blocks::default(),
            archive: ArchiveState::default(),
            photo: Photo::default(),
            seen: Seen::default(),
            last_login: None,
            moves: Vec::new(),
            moved: None,
            deleted: false,
        };
        Arc::new(Account::with(AccountId::PUBSUB, jid, state))
    }

    fn with(id: AccountId, jid: BareJid, state: AccountState) -> Self {
        Account {
            id,
            bare: jid.as_str().into(),
            jid,
            state: Mutex::new(state),
            roster_gate: tokio::sync::Mutex::default(),
            unsubmitted: AtomicU32::new(0),
            pubsub: pubsub::Nodes::default(),
        }
    }

    /// Its bare address.
    #[must_use]
    pub fn jid(&self) -> &BareJid {
        &self.jid
    }

    /// Its bare address as text.
    #[must_use]
    pub fn bare(&self) -> &str {
        &self.bare
    }

    /// Its name: the local part of the address.
    #[must_use]
    pub fn name(&self) -> &str {
        self.bare.split('@').next().unwrap_or_default()
    }

    /// Resolves when every message that has an archive id was submitted to the store. That takes
    /// another task a moment; a read of the archive that is to see them waits for it, and then for
    /// the store's `barrier`.
    pub async fn submitted(&self) {
        while self.unsubmitted.load(Ordering::Acquire) > 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Locks its state.
    pub fn lock(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock()
    }
}

impl AccountState {
    /// The resource of a session.
    pub fn resource(&mut self, session: &Session) -> Option<&mut Resource> {
        self.resources.iter_mut().find(|resource| resource.session.number == session.number)
    }
}

/// The accounts in memory.
#[derive(Default)]
pub struct Accounts {
    loaded: RwLock<HashMap<Box<str>, Arc<Account>>>,
    /// One of them, by the name, is held while an account is loaded, so that it is loaded once.
    loading: [tokio::sync::Mutex<()>; LOADING],
    hasher: RandomState,
}

impl Accounts {
    /// The account called `name`, if it is in memory.
    #[must_use]
    pub fn loaded(&self, name: &str) -> Option<Arc<Account>> {
        self.loaded.read().get(name).cloned()
    }

    /// The account called `name`, read from the store unless it is in memory; `None` when there
    /// is no such account.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn load(
        &self,
        server: &Server,
        name: &str,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        if let Some(account) = self.loaded(name) {
            return Ok(Some(account));
        }
        let _one_at_a_time = self.gate(name).lock().await;
        if let Some(account) = self.loaded(name) {
            return Ok(Some(account));
        }
        let Some(row) = server.store.accounts.by_name(name).await? else { return Ok(None) };
        let Ok(jid) = server.address(name) else { return Ok(None) };
        let (roster, blocks, archive) = tokio::try_join!(
            Roster::load(&server.store, row.id),
            Blocks::load(&server.store, row.id),
            ArchiveState::load(&server.store, row.id, server.now()),
        )?;
        let state = AccountState {
            resources: Vec::new(),
            roster,
            blocks,
            archive,
            photo: Photo::default(),
            seen: Seen::default(),
            last_login: row.last_login.map(|at| at.0 / last::DAY),
            moves: Vec::new(),
            moved: None,
            deleted: false,
        };
        let account = Arc::new(Account::with(row.id, jid, state));
        if row.disabled {
            account.lock().moved = moved::stated(server, &account).await?;
        }
        self.loaded.write().insert(name.into(), account.clone());
        Ok(Some(account))
    }

    /// What is held while an account of this name is loaded.
    fn gate(&self, name: &str) -> &tokio::sync::Mutex<()> {
        let place = usize::try_from(self.hasher.hash_one(name) % LOADING as u64).unwrap_or(0);
        &self.loading[place]
    }

    /// As if it took long to load an account of this name.
    #[cfg(test)]
    pub async fn hold(&self, name: &str) -> tokio::sync::MutexGuard<'_, ()> {
        self.gate(name).lock().await
    }

    /// Forgets accounts without sessions that nobody is looking at. Called by the sweeper.
    pub fn forget_idle(&self) {
        // Under the write lock nobody can get a new reference from the map, so a count of one
        // means that the map holds the only one.
        self.loaded.write().retain(|_, account| {
            Arc::strong_count(account) > 1 || !account.lock().resources.is_empty()
        });
    }

    /// Takes an account that is being deleted out of the cache.
    pub fn remove(&self, name: &str) -> Option<Arc<Account>> {
        self.loaded.write().remove(name)
    }

    /// Every account in memory.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Account>> {
        self.loaded.read().values().cloned().collect()
    }
}

/// Accounts that are loaded at the same time, at most.
const LOADING: usize = 32;
