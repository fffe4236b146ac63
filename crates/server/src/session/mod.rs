//! A session: one bound resource (RFC 6120 §7). It outlives the connection it came over when the
//! client asked for resumption (XEP-0198).
//!
//! The session holds what concerns the way to its client: the mailbox, stream management, the
//! state of the connection. What others must know about the resource to route to it (priority,
//! carbons, …) stands in [`crate::account::Resource`], under the account's lock. Locks are always
//! taken in this order: account, then session.

pub mod frame;
pub mod life;
pub mod link;
pub mod mailbox;
pub mod resume;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::{Mutex, MutexGuard};
use store::{StoreError, archive::Ticket};
use tokio::sync::Notify;
use xmpp::{error::StreamError, jid::FullJid, stanza::Stanza, time::Millis};

use self::{
    frame::Frame,
    link::{Link, Phase},
};
use crate::account::Account;

/// One bound resource.
pub struct Session {
    /// Number of the session in this process; never reused.
    pub number: u64,
    /// Its full address.
    pub jid: FullJid,
    /// The account it belongs to.
    pub account: Arc<Account>,
    /// How and when it came to be.
    pub origin: Origin,
    full: Box<str>,
    link: Mutex<Link>,
    wake: Notify,
}

/// How a session came to be: what `anemone session list` shows.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// `tcp`, `tls`, `websocket` or `bosh`.
    pub transport: &'static str,
    /// The client's address, truncated as the log configuration wants it.
    pub address: String,
    /// SASL mechanism of the login.
    pub mechanism: String,
    /// Name of the client software, where it said so (XEP-0388 user agent).
    pub client: Option<String>,
    /// The client id of the FAST token that logged in, if one did.
    pub token: Option<String>,
    /// When the session was bound.
    pub since: Millis,
}

impl Session {
    /// A connected session for `jid`.
    #[must_use]
    pub fn new(jid: FullJid, account: Arc<Account>, origin: Origin, link: Link) -> Arc<Self> {
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let full = jid.as_str().into();
        Arc::new(Self {
            number,
            jid,
            account,
            origin,
            full,
            link: Mutex::new(link),
            wake: Notify::new(),
        })
    }

    /// The full address as text.
    #[must_use]
    pub fn full(&self) -> &str {
        &self.full
    }

    /// The resource part of the address.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.jid.resource().as_str()
    }

    /// Locks what concerns the connection.
    pub fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock()
    }

    /// Queues a frame for the client. A session whose mailbox is full loses its connection: the
    /// client comes back and catches up, which is better than memory without bound.
    pub fn deliver(&self, frame: Frame) {
        let wake = self.link().push(frame);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Queues a frame of an answer whose size has a bound of its own, such as a page of an archive.
    pub fn deliver_bulk(&self, frame: Frame) {
        let wake = self.link().push_bulk(frame);
        if wake {
            self.wake.notify_one();
        }
    }

    /// Asks the connection to end with a stream error.
    pub fn close(&self, error: StreamError) {
        self.link().close(error);
        self.wake.notify_one();
    }

    /// Wakes the connection's task to look at the link again.
    pub fn nudge(&self) {
        self.wake.notify_one();
    }

    /// Resolves when there may be something to do for the connection's task.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Whether a client is connected right now.
    #[must_use]
    pub fn connected(&self) -> bool {
        matches!(self.link().phase, Phase::Connected)
    }

    /// Whether messages reach its client now; see [`link::Link::reaches`].
    #[must_use]
    pub fn reaches(&self) -> bool {
        self.link().reaches()
    }

    /// Everything that stanza `tag` caused is done.
    pub fn settle(&self, tag: u64) {
        if self.link().settle(tag) {
            self.wake.notify_one();
        }
    }

    /// Stanza `tag` waits for the store; should it fail, `stanza` is answered with an error.
    pub fn expect(&self, tag: u64, stanza: &Stanza) {
        self.link().expect(tag, stanza.clone());
    }

    /// The store could not keep what stanza `tag` caused.
    pub fn failed(&self, tag: u64) {
        self.link().failed(tag);
        self.wake.notify_one();
    }

    /// Whether the session has ended and cannot be resumed.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.link().phase == Phase::Ended
    }
}

impl Ticket for Session {
    fn settled(&self, tag: u64, outcome: Result<(), &StoreError>) {
        match outcome {
            Ok(()) => self.settle(tag),
            Err(_) => self.failed(tag),
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("number", &self.number).finish_non_exhaustive()
    }
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);
