//! A queue, the store behind it, and a domain that can be reached now and then.
//!
//! [`play`] posts, connects, loses, acknowledges and waits as a [`Tape`] says; in the end the domain can
//! be reached. Then every durable stanza has arrived, or went back to its sender, and those that arrived
//! did so in their order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use xmpp::{sm, stanza::Kind, time::Millis};

use super::{
    Bounce, Bounds, Effect, Entry, Failure, Input, Managed, Outgoing, Phase, arrivals::Silence,
};
use crate::model::Tape;

/// Lets happen what the tape says until it is over.
///
/// # Panics
/// When something is lost, doubled on one stream, or out of order.
pub fn play(input: &[u8]) {
    let mut tape = Tape::new(input);
    let mut world = World::new();
    for _ in 0..MOST_STEPS {
        if tape.is_over() {
            break;
        }
        world.step(&mut tape);
    }
    world.end();
}

struct World {
    queue: Outgoing,
    now: Millis,
    /// The outbox on disk.
    stored: BTreeMap<u64, Entry>,
    posted: u64,
    /// Reads of the store that are under way: what it gave, and whether that was all.
    loads: VecDeque<(Vec<Entry>, bool)>,
    connecting: bool,
    carrier: u64,
    /// Whether the stream has stream management.
    managed: bool,
    /// What the peer has handled on the session it knows.
    handled: u32,
    /// Durable stanzas as they came to the peer, the first time.
    arrived: Vec<u64>,
    known: BTreeSet<u64>,
    bounced: BTreeSet<u64>,
    /// Stanzas on their way to the peer, and questions whether they have arrived.
    wire: VecDeque<Vec<u8>>,
    asked: u64,
    /// Questions that the peer has answered.
    answers: VecDeque<String>,
}

impl World {
    fn new() -> Self {
        Self {
            queue: Outgoing::new(BOUNDS),
            now: Millis(1_000_000),
            stored: BTreeMap::new(),
            posted: 0,
            loads: VecDeque::new(),
            connecting: false,
            carrier: 0,
            managed: false,
            handled: 0,
            arrived: Vec::new(),
            known: BTreeSet::new(),
            bounced: BTreeSet::new(),
            wire: VecDeque::new(),
            asked: 0,
            answers: VecDeque::new(),
        }
    }

    fn step(&mut self, tape: &mut Tape<'_>) {
        match tape.below(19) {
            0..=3 => self.post(tape),
            4 | 5 => self.connected(tape),
            6 if self.connecting => self.failed(tape.chance(8)),
            7 => self.lost(tape.chance(2)),
            8 | 9 => self.write(tape.below(8) * 40),
            10 => self.peer_reads(tape.below(4)),
            11 => self.acknowledge(),
            12 => self.flush(),
            13 => self.load(tape.chance(6)),
            14 => {
                self.now = self.now.plus(1 << tape.below(18));
                self.input(Input::Tick);
            }
            15 => self.input(Input::Heard),
            16 => self.input(Input::Try),
            17 if tape.chance(4) => self.input(Input::GiveBack),
            _ => self.silence(),
        }
    }

    fn input(&mut self, input: Input) {
        let mut effects = Vec::new();
        self.queue.handle(self.now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Connect => {
                    assert!(!self.connecting, "connecting twice");
                    self.connecting = true;
                }
                Effect::Load { after, limit } => {
                    let found: Vec<Entry> =
                        self.stored.range(after + 1..).map(|(_, entry)| entry.clone()).collect();
                    let complete = found.len() < limit as usize;
                    let entries = found.into_iter().take(limit as usize).collect();
                    self.loads.push_back((entries, complete));
                    assert_eq!(self.loads.len(), 1, "reading twice at a time");
                }
                Effect::Done(parcels) => {
                    for parcel in parcels {
                        assert!(self.known.contains(&parcel), "{parcel} has not arrived");
                        assert!(self.stored.remove(&parcel).is_some(), "{parcel} is done twice");
                    }
                }
                Effect::Bounce(entry, why) => {
                    assert!(entry.parcel.is_none() || why != Bounce::Full, "it has its place");
                    if let Some(parcel) = entry.parcel {
                        assert!(self.stored.remove(&parcel).is_some(), "{parcel} goes back twice");
                        self.bounced.insert(parcel);
                    }
                }
                Effect::Wake | Effect::Refresh => {}
                Effect::Broken => panic!("the peer acknowledges what it got"),
            }
        }
        // All that is in memory beside what was read at once and what is not acknowledged.
        let most = BOUNDS.stanzas + BOUNDS.unacked.stanzas + super::stored::BATCH as usize;
        let fleeting = self.queue.fleeting().count();
        assert!(
            self.queue.len() - fleeting <= most + BOUNDS.stanzas,
            "{} in memory",
            self.queue.len()
        );
        let bytes: usize = self.queue.fleeting().map(|entry| entry.bytes.len()).sum();
        assert!(bytes <= BOUNDS.fleeting + BOUNDS.unacked.bytes, "{bytes} in memory alone");
    }

    fn post(&mut self, tape: &mut Tape<'_>) {
        let durable = !tape.chance(3);
        let parcel = durable.then(|| {
            self.posted += 1;
            self.posted
        });
        let name = parcel.unwrap_or(0);
        let padding = " ".repeat(tape.below(3) * 20);
        let entry = Entry {
            bytes: format!("<message id='{name}'{padding}/>").into(),
            kind: if durable { Kind::Message } else { Kind::Iq },
            parcel,
            account: None,
            since: self.now,
        };
        if let Some(parcel) = parcel {
            self.stored.insert(parcel, entry.clone());
        }
        self.input(Input::Post(entry));
    }

    fn connected(&mut self, tape: &mut Tape<'_>) {
        if !std::mem::take(&mut self.connecting) {
            return;
        }
        self.carrier += 1;
        self.wire.clear();
        self.answers.clear();
        let resumes = self.managed && self.queue.resumable() && !tape.chance(3);
        let managed = match (resumes, tape.chance(4)) {
            (true, _) => Managed::Resumed(self.handled),
            (false, true) => Managed::Not,
            (false, false) => Managed::New,
        };
        if !resumes {
            self.handled = 0;
        }
        self.managed = managed != Managed::Not;
        self.input(Input::Opened { carrier: self.carrier, managed });
    }

    fn failed(&mut self, permanent: bool) {
        self.connecting = false;
        let failure = Failure { permanent, ..Failure::passing("x") };
        self.input(Input::Failed(failure));
    }

    fn lost(&mut self, failed: bool) {
        if !matches!(self.queue.phase(), Phase::Online { .. }) {
            return;
        }
        self.wire.clear();
        self.answers.clear();
        let failure = failed.then(|| Failure::passing("x"));
        self.input(Input::Lost { carrier: self.carrier, failure });
    }

    fn write(&mut self, most: usize) {
        let mut out = Vec::new();
        let kinds = self.queue.write(self.now, self.carrier, &mut out, most);
        let text = String::from_utf8(out).expect("text");
        let stanzas: Vec<&str> =
            text.split_inclusive("/>").filter(|one| one.starts_with("<message")).collect();
        assert_eq!(stanzas.len(), kinds.len(), "{text}");
        self.wire.extend(stanzas.iter().map(|stanza| stanza.as_bytes().to_vec()));
        self.asked += 1;
        let question = format!("?{}", self.asked);
        if self.queue.ask(self.now, self.carrier, &question) {
            self.wire.push_back(question.into_bytes());
        }
    }

    fn peer_reads(&mut self, most: usize) {
        for _ in 0..most {
            let Some(stanza) = self.wire.pop_front() else { return };
            let text = String::from_utf8(stanza).expect("text");
            if text.starts_with('?') {
                self.answers.push_back(text);
                continue;
            }
            self.handled += 1;
            let id = text.split('\'').nth(1).expect("an id");
            let parcel: u64 = id.parse().expect("a number");
            if parcel > 0 && self.known.insert(parcel) {
                let last = self.arrived.last().copied().unwrap_or(0);
                assert!(parcel > last, "{parcel} comes after {last}");
                self.arrived.push(parcel);
            }
        }
    }

    fn acknowledge(&mut self) {
        if self.managed {
            self.input(Input::Acked { carrier: self.carrier, h: self.handled });
        } else if let Some(answer) = self.answers.pop_front() {
            self.input(Input::Answered(answer));
        }
    }

    /// No answer comes back: the first time because the network has failed, and from then on because the
    /// domain, which has read the question, cannot answer.
    fn silence(&mut self) {
        let Phase::Online { carrier } = self.queue.phase() else { return };
        let Some(due) = self.queue.answer_due() else { return };
        self.now = self.now.max(due);
        if self.queue.silence != Silence::None {
            while self.wire.iter().any(|one| one.starts_with(b"?")) {
                self.peer_reads(1);
            }
        }
        // What was written behind the question is lost with the stream.
        self.answers.clear();
        self.wire.clear();
        self.input(Input::Silent { carrier });
        let failure = Failure::passing("x");
        self.input(Input::Lost { carrier, failure: Some(failure) });
    }

    /// Without stream management, the network has taken what was written.
    fn flush(&mut self) {
        if !self.managed && matches!(self.queue.phase(), Phase::Online { .. }) {
            self.input(Input::Flushed { carrier: self.carrier });
        }
    }

    fn load(&mut self, fails: bool) {
        let Some((entries, complete)) = self.loads.pop_front() else { return };
        match fails {
            true => self.input(Input::LoadFailed),
            false => self.input(Input::Loaded { entries, complete }),
        }
    }

    /// The domain can be reached, and nothing gets in the way any more.
    fn end(&mut self) {
        for _ in 0..ENOUGH {
            if self.queue.is_empty() && self.stored.is_empty() {
                break;
            }
            self.now = self.now.plus(1000);
            self.load(false);
            self.input(Input::Tick);
            if self.connecting {
                self.connected(&mut Tape::new(&[]));
            }
            self.write(10_000);
            self.peer_reads(usize::MAX);
            self.acknowledge();
            self.flush();
        }
        assert!(self.stored.is_empty(), "forgotten: {:?}", self.stored.keys());
        assert!(self.queue.is_empty());
        for parcel in 1..=self.posted {
            let known = self.known.contains(&parcel) || self.bounced.contains(&parcel);
            assert!(known, "{parcel} is nowhere");
        }
    }
}

const BOUNDS: Bounds = Bounds {
    stanzas: 6,
    bytes: 400,
    fleeting: 800,
    unacked: sm::Limits { stanzas: 5, bytes: 300, ..sm::Limits::SESSION },
    bounce: 100_000,
    patience: 5_000,
};
const MOST_STEPS: usize = 1000;
const ENOUGH: usize = 2000;

#[cfg(test)]
mod tests {
    use crate::model;

    #[test]
    fn nothing_is_lost_or_overtaken_on_its_way_to_another_domain() {
        for seed in 0..1000 {
            super::play(&model::bytes(seed, 500));
        }
    }
}
