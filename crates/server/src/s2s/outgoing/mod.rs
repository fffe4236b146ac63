//! What waits for one domain, as a state machine: whether to connect, what to write, what has
//! arrived, what goes back to its sender.
//!
//! [`Outgoing`] knows no socket, no clock and no store. [`super::Remote`] holds it under a lock,
//! hands it what happened and carries out the [`Effect`]s in order; the stream that carries it asks
//! it for bytes.
//!
//! Durable stanzas (messages, subscriptions) have a row in the store's outbox and stay there until
//! the other server has acknowledged them (XEP-0198), or, where it cannot do that, has answered a request
//! that was written after them (`arrivals` says what happens when it does not). When more of them wait
//! than fit into memory, the newer ones are read back from the store as the older ones leave. The others
//! (IQs, presence, what rooms say) are in memory alone: IQs are refused while the domain cannot be reached, the
//! others wait for a moment.

mod arrivals;
mod bounds;
mod rest;
mod returns;
mod stalls;
mod stored;
mod writing;

use std::collections::VecDeque;

use bytes::Bytes;
use store::AccountId;
use xmpp::{sm::Sm, stanza::Kind, time::Millis};

use self::arrivals::{Question, Silence};
pub use self::{bounds::Bounds, rest::Rest};
use super::holding::Held;

/// A stanza on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stanza as it is written.
    pub bytes: Bytes,
    /// Message, presence or iq.
    pub kind: Kind,
    /// Its row in the store's outbox, if it is durable.
    pub parcel: Option<u64>,
    /// Whose it is, if an account sent it.
    pub account: Option<AccountId>,
    /// Since when it waits.
    pub since: Millis,
}

/// Why a domain cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In words, for the operator.
    pub reason: String,
    /// There is no such domain, or it may not be talked to: waiting does not help.
    pub permanent: bool,
    /// Whoever waits for an answer does not learn how soon it was clear that there will be none.
    pub concealed: bool,
}

/// Why a stanza goes back to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounce {
    /// The domain could not be reached in time.
    Timeout,
    /// There is no such domain.
    NotFound,
    /// Too much waits for it.
    Full,
    /// It is an external component, and not connected.
    Absent,
    /// It is larger than the domain takes (XEP-0478).
    TooLarge,
}

/// Stream management of a stream that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Managed {
    /// The peer does not have it.
    Not,
    /// It begins.
    New,
    /// It goes on where the last stream ended: the peer handled so many.
    Resumed(u32),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody sends a stanza.
    Post(Entry),
    /// Somebody sends a stanza that is not durable while too much waits for all domains together.
    Refused(Entry),
    /// The store has parcels that are not in memory.
    Waiting {
        /// Up to this id.
        newest: u64,
        /// How much that is.
        held: Held,
    },
    /// The store gave the next parcels; `complete` when it had no more.
    Loaded {
        /// In order.
        entries: Vec<Entry>,
        /// There are no more with ids up to that of the newest when they were asked for.
        complete: bool,
    },
    /// The store could not be read.
    LoadFailed,
    /// The domain was heard of: it connected to us.
    Heard,
    /// The operator wants it to be looked for now.
    Try,
    /// The operator wants what waits to go back to its senders. Nothing while a stream carries the queue.
    GiveBack,
    /// The domain could not be reached.
    Failed(Failure),
    /// The domain says that it takes stanzas of at most so many bytes, or says nothing.
    Limited(Option<u64>),
    /// A stream carries the queue from now on.
    Opened {
        /// Its number.
        carrier: u64,
        /// Its stream management.
        managed: Managed,
    },
    /// The stream has ended.
    Lost {
        /// Its number.
        carrier: u64,
        /// Why, when that is a failure.
        failure: Option<Failure>,
    },
    /// The peer has handled so many stanzas.
    Acked {
        /// The stream's number.
        carrier: u64,
        /// The count.
        h: u32,
    },
    /// What was taken from the queue is in the hands of the system's network.
    Flushed {
        /// The stream's number.
        carrier: u64,
    },
    /// The domain has answered the question with this id: it has what was written before that.
    Answered(String),
    /// The question on this stream was not answered in time ([`Outgoing::answer_due`]).
    Silent {
        /// The stream's number.
        carrier: u64,
    },
    /// Time passes.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Open a stream; answer with `Opened` or `Failed`.
    Connect,
    /// Read the next parcels; answer with `Loaded` or `LoadFailed`.
    Load {
        /// Those after this id.
        after: u64,
        /// At most so many.
        limit: u32,
    },
    /// These have arrived.
    Done(Vec<u64>),
    /// Tell the sender of this stanza.
    Bounce(Entry, Bounce),
    /// The stream that carries the queue has something to write.
    Wake,
    /// The peer may have missed presence: tell it the current one.
    Refresh,
    /// The peer acknowledged what was never sent: end the stream.
    Broken,
}

/// Where the queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing to send, or about to connect.
    Idle,
    /// A stream is being opened.
    Connecting,
    /// A stream carries the queue.
    Online {
        /// Its number.
        carrier: u64,
    },
    /// It failed, and is tried again.
    Resting {
        /// At this time.
        until: Millis,
    },
}

/// The queue of one domain.
#[derive(Debug)]
pub struct Outgoing {
    bounds: Bounds,
    phase: Phase,
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    /// Bytes of the largest stanza that the domain takes, as far as it has said.
    largest: u64,
    /// Written and not known to have arrived, on a stream without management.
    unflushed: VecDeque<Entry>,
    unflushed_bytes: usize,
    /// What was asked last to learn that, and not answered yet.
    question: Option<Question>,
    /// Whether the domain answers such questions, as far as that is known.
    silence: Silence,
    /// Written and not acknowledged. Stays after a stream is lost, for resumption.
    sm: Option<Sm<Entry>>,
    /// When the peer acknowledged something, or the stream was opened.
    progress: Millis,
    /// A stream has ended because nothing was acknowledged, and nothing was since.
    stalled: bool,
    /// Everything in `sm` has to be written again.
    rewrite: bool,
    /// The newest parcel in memory or beyond.
    loaded: u64,
    /// The newest parcel there is.
    newest: u64,
    /// The newest parcel that goes back to its sender whatever happens.
    given_back: u64,
    /// Parcels in the store that are not in memory.
    beyond: Held,
    /// What is in memory alone and was posted behind them, each with the newest parcel before it.
    behind: VecDeque<(u64, Entry)>,
    behind_bytes: usize,
    loading: bool,
    /// The store could not be read: when to try again.
    load_again: Option<Millis>,
    /// The newest parcel there was when the store was last asked.
    asked: u64,
    failures: u32,
    failure: Option<Failure>,
    /// Since when the domain cannot be reached.
    failing_since: Option<Millis>,
    attempted: Millis,
    missed_presence: bool,
}

/// Longest pause between two attempts.
const LONGEST_REST: u64 = 5 * 60 * 1000;
/// A stanza that is posted ends a pause after this time.
const SHORTEST_REST: u64 = 10_000;

impl Outgoing {
    /// An empty queue.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            phase: Phase::Idle,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            largest: u64::MAX,
            unflushed: VecDeque::new(),
            unflushed_bytes: 0,
            question: None,
            silence: Silence::default(),
            sm: None,
            progress: Millis(0),
            stalled: false,
            rewrite: false,
            loaded: 0,
            newest: 0,
            given_back: 0,
            beyond: Held::default(),
            behind: VecDeque::new(),
            behind_bytes: 0,
            loading: false,
            load_again: None,
            asked: 0,
            failures: 0,
            failure: None,
            failing_since: None,
            attempted: Millis(0),
            missed_presence: false,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Why the last attempt failed, and since when none succeeded.
    #[must_use]
    pub fn failure(&self) -> Option<(&Failure, Millis)> {
        self.failure.as_ref().zip(self.failing_since)
    }

    /// Stanzas in memory that are not known to have arrived.
    #[must_use]
    pub fn len(&self) -> usize {
        let unacked = self.sm.as_ref().map_or(0, |sm| sm.unacked().len());
        self.waiting.len() + self.behind.len() + self.unflushed.len() + unacked
    }

    /// All that is not known to have arrived, in memory and in the store.
    #[must_use]
    pub fn held(&self) -> Held {
        let unacked = self.sm.as_ref().map_or(0, |sm| sm.queue_bytes());
        let bytes = self.waiting_bytes + self.behind_bytes + self.unflushed_bytes + unacked;
        self.beyond.plus(Held { stanzas: self.len() as u64, bytes: bytes as u64 })
    }

    /// What is in memory alone and not known to have arrived.
    pub fn fleeting(&self) -> impl Iterator<Item = &Entry> {
        let unacked = self.sm.iter().flat_map(Sm::unacked).map(|entry| &entry.meta);
        let written = unacked.chain(&self.unflushed);
        let behind = self.behind.iter().map(|(_, entry)| entry);
        written.chain(&self.waiting).chain(behind).filter(|entry| entry.parcel.is_none())
    }

    /// Whether nothing waits, in memory or in the store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held().stanzas == 0 && !self.spilled()
    }

    /// Whether the next stream can go on where the last one ended.
    #[must_use]
    pub fn resumable(&self) -> bool {
        self.sm.is_some()
    }

    /// The stream management of the stream that carries the queue.
    pub fn sm(&mut self) -> Option<&mut Sm<Entry>> {
        self.sm.as_mut()
    }

    /// When [`Input::Tick`] is due at the latest.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let rest = match self.phase {
            Phase::Resting { until } if !self.is_empty() => Some(until),
            _ => None,
        };
        let expiry = match self.phase {
            Phase::Online { .. } => self.stale(),
            _ => self.waiting.iter().filter_map(|entry| self.expiry(entry)).min(),
        };
        [rest, expiry, self.load_again].into_iter().flatten().min()
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Millis, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Post(entry) => self.post(now, entry, effects),
            Input::Refused(entry) => self.refuse(entry, effects),
            Input::Waiting { newest, held } => {
                self.newest = self.newest.max(newest);
                self.beyond = self.beyond.plus(held);
                self.go_on(now, effects);
            }
            Input::Loaded { entries, complete } => self.take_loaded(entries, complete, effects),
            // Not at once: whatever is wrong is so for everybody.
            Input::LoadFailed => self.load_again = Some(now.plus(SHORTEST_REST)),
            Input::Heard => {
                if let Phase::Resting { .. } = self.phase {
                    self.phase = Phase::Idle;
                }
            }
            Input::Try => {
                if let Phase::Idle | Phase::Resting { .. } = self.phase {
                    self.connect(now, effects);
                }
            }
            Input::GiveBack => self.give_back(effects),
            Input::Failed(failure) => self.failed(now, failure, effects),
            Input::Limited(bytes) => self.largest = bytes.unwrap_or(u64::MAX),
            Input::Opened { carrier, managed } => self.opened(now, carrier, managed, effects),
            Input::Lost { carrier, failure } => self.lost(now, carrier, failure, effects),
            Input::Acked { carrier, h } => self.acked(now, carrier, h, effects),
            Input::Flushed { carrier } if self.carries(carrier) && self.question.is_none() => {
                self.confirm(0, effects);
            }
            Input::Flushed { .. } => {}
            Input::Answered(id) => {
                if let Some(question) = self.question.take_if(|question| question.id == id) {
                    self.silence = Silence::None;
                    self.confirm(question.covers, effects);
                }
            }
            Input::Silent { carrier } => self.unanswered(now, carrier, effects),
            Input::Tick => {
                if self.load_again.take_if(|at| *at <= now).is_some() {
                    self.loading = false;
                }
                self.expire(now, effects);
            }
        }
        self.go_on(now, effects);
    }

    fn carries(&self, carrier: u64) -> bool {
        self.phase == Phase::Online { carrier }
    }

    fn post(&mut self, now: Millis, entry: Entry, effects: &mut Vec<Effect>) {
        let bytes = self.waiting_bytes + self.behind_bytes + entry.bytes.len();
        let room = self.waiting.len() + self.behind.len() < self.bounds.stanzas
            && bytes <= self.bounds.bytes;
        match entry.parcel {
            Some(parcel) => {
                // Behind what waits in the store, so that nothing overtakes it.
                let keep = room && !self.spilled();
                self.newest = self.newest.max(parcel);
                if keep {
                    self.loaded = parcel;
                    self.push(entry, effects);
                } else {
                    self.beyond = self.beyond.plus(Held::of(&entry));
                }
            }
            None if bytes > self.bounds.fleeting => self.refuse(entry, effects),
            None if self.spilled() => {
                self.behind_bytes += entry.bytes.len();
                self.behind.push_back((self.newest, entry));
            }
            None => self.push(entry, effects),
        }
        if let Phase::Resting { .. } = self.phase
            && now >= self.attempted.plus(SHORTEST_REST)
        {
            self.phase = Phase::Idle;
        }
    }

    fn push(&mut self, entry: Entry, effects: &mut Vec<Effect>) {
        if entry.parcel.is_some_and(|parcel| parcel <= self.given_back) {
            effects.push(Effect::Bounce(entry, Bounce::Timeout));
            return;
        }
        if entry.bytes.len() as u64 > self.largest {
            effects.push(Effect::Bounce(entry, Bounce::TooLarge));
            return;
        }
        self.waiting_bytes += entry.bytes.len();
        self.waiting.push_back(entry);
    }

    /// Whatever follows from how things stand now.
    fn go_on(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.load(effects);
        match self.phase {
            Phase::Idle if !self.is_empty() => self.connect(now, effects),
            Phase::Resting { until } if !self.is_empty() && now >= until => {
                self.connect(now, effects);
            }
            Phase::Online { carrier } if self.has_more(carrier) => effects.push(Effect::Wake),
            _ => {}
        }
    }

    fn connect(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.phase = Phase::Connecting;
        self.attempted = now;
        effects.push(Effect::Connect);
    }

    fn opened(&mut self, now: Millis, carrier: u64, managed: Managed, effects: &mut Vec<Effect>) {
        self.phase = Phase::Online { carrier };
        self.progress = now;
        self.failures = 0;
        self.failure = None;
        self.failing_since = None;
        if managed != Managed::Not {
            self.silence = Silence::None;
        }
        match managed {
            Managed::Resumed(h) => {
                self.rewrite = true;
                self.acked(now, carrier, h, effects);
            }
            Managed::New => {
                self.take_back();
                self.sm = Some(Sm::new(self.bounds.unacked));
            }
            Managed::Not => self.take_back(),
        }
        // They would end every stream that they are written to.
        let largest = self.largest;
        self.give_up(|entry| entry.bytes.len() as u64 > largest, Bounce::TooLarge, effects);
        if std::mem::take(&mut self.missed_presence) {
            effects.push(Effect::Refresh);
        }
    }

    /// What was written to a stream that is over goes to the front of the queue again.
    fn take_back(&mut self) {
        self.rewrite = false;
        self.question = None;
        let unacked = self.sm.take().map(Sm::into_unacked).into_iter().flatten();
        self.unflushed_bytes = 0;
        let written = unacked.map(|entry| entry.meta).chain(std::mem::take(&mut self.unflushed));
        let mut written: Vec<Entry> = written.collect();
        self.waiting_bytes += written.iter().map(|entry| entry.bytes.len()).sum::<usize>();
        while let Some(entry) = written.pop() {
            self.waiting.push_front(entry);
        }
    }

    fn lost(
        &mut self,
        now: Millis,
        carrier: u64,
        failure: Option<Failure>,
        effects: &mut Vec<Effect>,
    ) {
        if !self.carries(carrier) {
            return;
        }
        self.phase = Phase::Idle;
        // Those that may have arrived are not sent again where that cannot be recognised: an iq is
        // answered or not, and presence is out of date.
        self.unflushed.retain(|entry| entry.parcel.is_some());
        self.recount();
        self.question = None;
        match failure {
            Some(failure) => self.failed(now, failure, effects),
            None if self.sm.is_none() => self.take_back(),
            // Before the next stream is there, which may get nowhere again.
            None => self.expire(now, effects),
        }
    }

    fn failed(&mut self, now: Millis, failure: Failure, effects: &mut Vec<Effect>) {
        if let Phase::Online { .. } = self.phase {
            return;
        }
        if self.sm.is_none() {
            self.take_back();
        }
        self.failures = self.failures.saturating_add(1);
        let rest = (1000_u64 << self.failures.min(9)).min(LONGEST_REST);
        // Spread out, so that two servers that lost each other do not keep meeting halfway.
        let jitter = rest / 4 * (now.0 % 5) / 4;
        self.phase = Phase::Resting { until: now.plus(rest - rest / 4 + jitter) };
        let since = *self.failing_since.get_or_insert(now);
        let why = if failure.permanent { Bounce::NotFound } else { Bounce::Timeout };
        let (all, concealed) = (failure.permanent, failure.concealed);
        self.failure = Some(failure);
        if all {
            // Nothing was ever heard of a stream that could be resumed.
            self.take_back();
        }
        // Who asks wants to know at once. What is told can wait a moment, such as while a server starts anew.
        let lasts = all || now.since(since) >= self.bounds.patience;
        let over = |entry: &Entry| {
            entry.parcel.is_none() && !concealed && (lasts || entry.kind == Kind::Iq)
        };
        self.give_up(|entry| all || over(entry), why, effects);
    }
}

fn tell_done(parcels: Vec<u64>, effects: &mut Vec<Effect>) {
    if !parcels.is_empty() {
        effects.push(Effect::Done(parcels));
    }
}

#[cfg(any(test, feature = "model"))]
pub mod model;
#[cfg(test)]
mod tests;
