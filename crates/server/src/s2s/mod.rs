//! Other servers: RFC 6120 between servers, XEP-0198, XEP-0220, XEP-0288, XEP-0368.
//!
//! ```text
//! router ──► post, send ──► Remote { Outgoing } ──► Stream ──► the other server
//! router ◄── incoming ◄──── Stream ◄── Inbound (what may be acknowledged)
//! ```
//!
//! For each pair of domains there is one [`Remote`] with the queue of what goes there, an
//! [`outgoing::Outgoing`]. [`connect`] opens streams to other servers, [`accept`] takes theirs, and
//! [`stream`] serves both once they are negotiated. [`work`] carries out whatever a queue wants to be
//! done apart from writing.

pub mod accept;
pub mod connect;
pub mod dane;
pub mod dialback;
pub mod documents;
mod forgetting;
pub mod holding;
pub mod host_meta;
pub mod inbound;
pub mod incoming;
pub mod known;
pub mod operate;
pub mod outbox;
pub mod outgoing;
pub mod policy;
pub mod posh;
pub mod presence;
pub mod race;
pub mod reached;
pub mod refusals;
pub mod resolve;
pub mod status;
pub mod stream;
pub mod streams;
pub mod verify;
pub mod work;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard, RwLock};
use store::{
    AccountId,
    archive::{Busy, Ticket, Unit},
    outbox::Parcel,
};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use xmpp::{
    error::StanzaError, jid::Jid, stanza::Kind, stream::s2s::receiving::Pair, time::Millis,
};

pub use self::streams::Facts;
use self::{
    documents::Documents,
    holding::{Held, Holding},
    inbound::Inbound,
    outgoing::{Bounce, Bounds, Effect, Entry, Failure, Input, Managed, Outgoing, Phase},
    reached::Reached,
    streams::Streams,
    work::Work,
};
use crate::{components::Posted, config::Config, ext::muc::missed, limits::Paces, server::Server};

/// Everything about other servers.
pub struct Federation {
    remotes: Mutex<HashMap<Pair, Arc<Remote>>>,
    /// Receiving halves that a peer may resume, by the id it has for that.
    resumable: Mutex<HashMap<String, Arc<Inbound>>>,
    /// Streams that are open.
    pub streams: Arc<Streams>,
    /// The last reason why a domain was not let in.
    refusals: Mutex<HashMap<Pair, (String, Millis)>>,
    /// Questions to other servers that wait for their answers.
    pub questions: presence::Questions,
    /// Whom certificates are trusted from.
    pub trust: RwLock<Arc<verify::Trust>>,
    /// Certificates that domains name on their web servers.
    pub posh: Documents<posh::Fingerprint>,
    /// Where domains say that their servers are (XEP-0487).
    pub host_meta: Documents<resolve::Place>,
    /// Which domains there were streams with lately.
    pub reached: Reached,
    /// What waits for all other domains together.
    pub holding: Holding,
    /// Slows down all streams of a domain together.
    pub paces: Paces,
    bounds: Mutex<Bounds>,
    /// Places for those that look for another server.
    attempts: Semaphore,
    next_parcel: AtomicU64,
    /// Queues with work that nobody does yet.
    work: mpsc::UnboundedSender<Arc<Remote>>,
    waiting_work: Mutex<Option<mpsc::UnboundedReceiver<Arc<Remote>>>>,
}

/// One pair of domains: what goes from ours to the other.
pub struct Remote {
    /// The domains.
    pub pair: Pair,
    state: Mutex<State>,
    work: Work,
    wake: Notify,
    /// Told when something happened to the queue.
    tried: watch::Sender<()>,
}

/// What a [`Remote`] knows, under its lock.
pub struct State {
    /// What waits.
    pub queue: Outgoing,
    /// The managed session that `queue` counts in: its id at whoever gave it.
    pub session: Option<Managing>,
}

/// A managed session of a stream.
#[derive(Clone, Debug)]
pub struct Managing {
    /// The id it is resumed with.
    pub id: String,
    /// The peer gave the id, so that we may resume.
    pub ours: bool,
    /// What came in on it.
    pub inbound: Arc<Inbound>,
}

impl Federation {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (work, waiting_work) = mpsc::unbounded_channel();
        Self {
            remotes: Mutex::default(),
            resumable: Mutex::default(),
            streams: Arc::default(),
            refusals: Mutex::default(),
            questions: presence::Questions::default(),
            trust: RwLock::default(),
            posh: Documents::default(),
            host_meta: Documents::default(),
            reached: Reached::default(),
            holding: Holding::new(config),
            paces: Paces::new(
                config.federation.stanzas_per_second,
                config.federation.bytes_per_second,
            ),
            bounds: Mutex::new(Bounds::with_bounce(config.federation.bounce_seconds * 1000)),
            attempts: Semaphore::new(ATTEMPTS),
            next_parcel: AtomicU64::new(1),
            work,
            waiting_work: Mutex::new(Some(waiting_work)),
        }
    }

    /// The queue of a pair of domains.
    pub fn remote(&self, local: &str, remote: &str) -> Arc<Remote> {
        let pair = Pair { local: local.to_owned(), remote: remote.to_owned() };
        let mut remotes = self.remotes.lock();
        if let Some(found) = remotes.get(&pair) {
            return found.clone();
        }
        let queue = Outgoing::new(*self.bounds.lock());
        let remote = Arc::new(Remote {
            pair: pair.clone(),
            state: Mutex::new(State { queue, session: None }),
            work: Work::default(),
            wake: Notify::new(),
            tried: watch::Sender::new(()),
        });
        remotes.insert(pair, remote.clone());
        remote
    }

    /// Whether there is a queue for a pair of domains.
    #[must_use]
    pub fn knows(&self, local: &str, remote: &str) -> bool {
        let pair = Pair { local: local.to_owned(), remote: remote.to_owned() };
        self.remotes.lock().contains_key(&pair)
    }

    /// Somebody was not let in as `pair.remote`. Tells whether that is news: who knocks again and
    /// again is in the list, and in the log once.
    pub fn refused(&self, pair: &Pair, reason: &str, now: Millis) -> bool {
        let mut refusals = self.refusals.lock();
        if refusals.len() >= MAX_REFUSALS && !refusals.contains_key(pair) {
            let oldest = refusals.iter().min_by_key(|(_, (_, at))| *at);
            if let Some(oldest) = oldest.map(|(pair, _)| pair.clone()) {
                refusals.remove(&oldest);
            }
        }
        let before = refusals.insert(pair.clone(), (reason.to_owned(), now));
        before.is_none_or(|(known, _)| known != reason)
    }

    /// The peer may resume this receiving half.
    pub fn keep(&self, id: &str, inbound: &Arc<Inbound>) {
        self.resumable.lock().insert(id.to_owned(), inbound.clone());
    }

    /// The receiving half of an id, if it belongs to this pair.
    #[must_use]
    pub fn find(&self, id: &str, pair: &Pair) -> Option<Arc<Inbound>> {
        self.resumable.lock().get(id).filter(|inbound| inbound.pair == *pair).cloned()
    }

    /// The receiving half is over.
    pub fn forget(&self, inbound: &Arc<Inbound>) {
        self.resumable.lock().retain(|_, kept| !Arc::ptr_eq(kept, inbound));
    }

    /// Sends a stanza that is worth nothing later, such as presence or an iq: it is refused or
    /// dropped while the domain cannot be reached. Where it is not to be reached at all, whom a room said it
    /// to leaves the room.
    pub fn post(&self, server: &Server, local: &str, to: &Jid, kind: Kind, bytes: Bytes) {
        if policy::permits(&server.config(), to.domain().as_str()).is_err() {
            let entry = Entry { bytes, kind, parcel: None, account: None, since: server.steady() };
            missed::note(server, &entry, Bounce::NotFound);
            return;
        }
        if server.config().components.hosts.contains(to.domain().as_str()) {
            return self.to_component(server, local, to, kind, bytes);
        }
        let remote = self.remote(local, to.domain().as_str());
        if !self.holding.admits(remote.lock().queue.held(), bytes.len()) {
            return self.refuse(server, local, to, kind, bytes);
        }
        let entry = Entry { bytes, kind, parcel: None, account: None, since: server.steady() };
        remote.input(server, Input::Post(entry));
    }

    /// Gives a stanza back to its sender because too much waits already.
    pub fn refuse(&self, server: &Server, local: &str, to: &Jid, kind: Kind, bytes: Bytes) {
        let entry = Entry { bytes, kind, parcel: None, account: None, since: server.steady() };
        self.remote(local, to.domain().as_str()).input(server, Input::Refused(entry));
    }

    /// Whether a stanza of so many bytes for a domain may wait here.
    #[must_use]
    pub fn has_room(&self, local: &str, to: &Jid, bytes: usize) -> bool {
        let pair = Pair { local: local.to_owned(), remote: to.domain().as_str().to_owned() };
        let remote = self.remotes.lock().get(&pair).cloned();
        let held = remote.map(|remote| remote.lock().queue.held()).unwrap_or_default();
        self.holding.admits(held, bytes)
    }

    /// Sends a stanza that must arrive: it is on disk, together with the archive rows of `unit`,
    /// before `ticket` is told so.
    ///
    /// # Errors
    /// [`Unsent`] when the store takes nothing, or too much waits already; nothing was sent then.
    pub fn send(
        &self,
        server: &Server,
        letter: Durable<'_>,
        unit: Unit,
        ticket: Option<(Arc<dyn Ticket>, u64)>,
    ) -> Result<(), Unsent> {
        let Durable { local, to, kind, bytes, account } = letter;
        if server.config().components.hosts.contains(to.domain().as_str()) {
            match (unit.is_empty(), ticket) {
                (true, None) => {}
                (true, Some((ticket, tag))) => ticket.settled(tag, Ok(())),
                (false, ticket) => server.store.archive.append(unit, ticket)?,
            }
            self.to_component(server, local, to, kind, bytes);
            return Ok(());
        }
        let remote = self.remote(local, to.domain().as_str());
        let mut state = remote.state.lock();
        let before = state.queue.held();
        if !self.holding.admits(before, bytes.len()) {
            return Err(Unsent::Full);
        }
        // Under the lock: the order of the ids is the order of the queue.
        let id = self.next_parcel.fetch_add(1, Ordering::Relaxed);
        let now = server.steady();
        let parcel = Parcel {
            id,
            local: local.into(),
            remote: to.domain().as_str().into(),
            account,
            at: store::Millis(now.0),
            stanza: bytes.clone(),
        };
        server.store.outbox.send(parcel, unit, ticket)?;
        let entry = Entry { bytes, kind, parcel: Some(id), account, since: now };
        let mut effects = Vec::new();
        state.queue.handle(now, Input::Post(entry), &mut effects);
        self.holding.changed(before, state.queue.held());
        drop(state);
        remote.carry_out(server, effects);
        Ok(())
    }

    /// A domain has answered a request with this id. Tells whether a queue had asked.
    pub(super) fn answered(&self, server: &Server, pair: &Pair, id: &str) -> bool {
        let Some(remote) = self.remotes.lock().get(pair).cloned() else { return false };
        let asked = remote.lock().queue.has_asked(id);
        if asked {
            remote.input(server, Input::Answered(id.to_owned()));
        }
        asked
    }

    /// To an external component (XEP-0114): at once, or back to the sender.
    fn to_component(&self, server: &Server, local: &str, to: &Jid, kind: Kind, bytes: Bytes) {
        let why = match server.components.post(to.domain().as_str(), bytes.clone()) {
            Posted::Taken => return,
            Posted::Absent => Bounce::Absent,
            Posted::Full => Bounce::Full,
        };
        let remote = self.remote(local, to.domain().as_str());
        let entry = Entry { bytes, kind, parcel: None, account: None, since: server.steady() };
        self.want(server, &remote, Effect::Bounce(entry, why));
    }

    /// All queues.
    #[must_use]
    pub fn remotes(&self) -> Vec<Arc<Remote>> {
        self.remotes.lock().values().cloned().collect()
    }
}

/// A stanza that must arrive.
pub struct Durable<'a> {
    /// The domain it comes from.
    pub local: &'a str,
    /// Whom it is for.
    pub to: &'a Jid,
    /// Message or presence.
    pub kind: Kind,
    /// As it is written.
    pub bytes: Bytes,
    /// Whose it is, if an account sends it.
    pub account: Option<AccountId>,
}

/// Why a stanza that must arrive was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// Too much waits for this domain or for all (`[federation] waiting_stanzas`, `waiting_bytes`).
    #[error("too much waits for other servers")]
    Full,
    /// The store takes nothing.
    #[error(transparent)]
    Store(#[from] Busy),
}

impl Unsent {
    /// What the sender is told. A store that fails is counted and logged as `what`; that too much waits
    /// is nothing that is broken here.
    #[must_use]
    pub fn error(self, server: &Server, what: &'static str) -> StanzaError {
        match self {
            Unsent::Full => outbox::full(),
            Unsent::Store(busy) => server.store_failed(what, &busy.into()),
        }
    }
}

impl State {
    fn handle(&mut self, server: &Server, input: Input, effects: &mut Vec<Effect>) {
        let before = self.queue.held();
        self.queue.handle(server.steady(), input, effects);
        server.s2s.holding.changed(before, self.queue.held());
    }
}

impl Remote {
    /// Locks the queue.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Tells the queue what happened. Returns whether the stream that carries it must end, because
    /// the peer acknowledged what was never sent.
    pub fn input(self: &Arc<Self>, server: &Server, input: Input) -> bool {
        let mut effects = Vec::new();
        self.state.lock().handle(server, input, &mut effects);
        self.tried.send_replace(());
        self.carry_out(server, effects)
    }

    /// Stream `carrier` offers to carry the queue. Refused while another one does, or is about to.
    pub fn attach(
        self: &Arc<Self>,
        server: &Server,
        carrier: u64,
        session: Option<Managing>,
    ) -> bool {
        let mut effects = Vec::new();
        {
            let mut state = self.state.lock();
            if !matches!(state.queue.phase(), Phase::Idle | Phase::Resting { .. }) {
                return false;
            }
            let managed = if session.is_some() { Managed::New } else { Managed::Not };
            state.session = session;
            let opened = Input::Opened { carrier, managed };
            state.handle(server, opened, &mut effects);
        }
        self.tried.send_replace(());
        self.carry_out(server, effects);
        true
    }

    /// Resolves when the stream that carries the queue may have something to write.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    fn carry_out(self: &Arc<Self>, server: &Server, effects: Vec<Effect>) -> bool {
        let mut broken = false;
        for effect in effects {
            match effect {
                Effect::Wake => self.wake.notify_one(),
                Effect::Broken => broken = true,
                Effect::Done(ids) => {
                    // Nobody waits for this: should it be lost, they are sent once more, and the
                    // peer recognises them.
                    drop(server.store.outbox.done(ids));
                }
                other => server.s2s.want(server, self, other),
            }
        }
        broken
    }
}

/// Reads what waits from before the start. Called before anybody is served.
///
/// # Errors
/// When the store could not be read.
pub async fn restore(server: &Arc<Server>) -> Result<u64, store::StoreError> {
    let federation = &server.s2s;
    federation.reached.restore(server).await?;
    federation.next_parcel.store(server.store.outbox.next().await?, Ordering::Relaxed);
    let mut count = 0;
    for waiting in server.store.outbox.waiting().await? {
        count += waiting.count;
        let remote = federation.remote(&waiting.local, &waiting.remote);
        let held = Held { stanzas: waiting.count, bytes: waiting.bytes };
        remote.input(server, Input::Waiting { newest: waiting.newest, held });
    }
    Ok(count)
}

impl Failure {
    /// Something that may pass.
    #[must_use]
    pub fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), permanent: false, concealed: false }
    }

    /// Something that does not.
    #[must_use]
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), permanent: true, concealed: false }
    }

    /// The same, without anything that senders could learn from when it is told.
    #[must_use]
    pub fn concealed(self) -> Self {
        Self { permanent: false, concealed: true, ..self }
    }
}

/// How long a peer may resume a stream.
pub(crate) const RESUMABLE: Duration = Duration::from_secs(600);
/// Attempts to reach other servers at a time; each asks for names, web pages, and several connections.
const ATTEMPTS: usize = 64;
/// Domains whose refusal is remembered for the list.
const MAX_REFUSALS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_refused_again_for_the_same_reason_is_no_news() {
        let config = Config::parse("domain = \"capulet.example\"\n").unwrap();
        let federation = Federation::new(&config);
        let pair = |remote: &str| Pair { local: "capulet.example".into(), remote: remote.into() };
        let refused = |remote: &str, why| federation.refused(&pair(remote), why, Millis(0));
        assert!(refused("liar.example", "no certificate"));
        assert!(!refused("liar.example", "no certificate"));
        assert!(refused("liar.example", "expired"));
        assert!(refused("other.example", "expired"));
    }
}
