//! Several devices over a network that loses, repeats and reorders, and that crash at any step.
//!
//! What a device does is written down as a client should: state, then message; plaintext and
//! state at once. A crash forgets everything since. The oracle is the list of what was sent.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::{Bundle, DecryptionError, Device, DeviceId, Sessions, Version, wire};

#[derive(Clone, Copy, Debug)]
enum Event {
    /// Writes, opening a session if there is none, and crashes at a step or not at all.
    Send { from: usize, to: usize, crash: Option<Crash> },
    /// Opens a new session although there is one.
    Reopen { from: usize, to: usize },
    /// One of the messages under way arrives; it is gone afterwards unless it is repeated.
    Deliver { pick: usize, repeat: bool, crash: Option<Crash> },
    /// One is lost.
    Lose { pick: usize },
    /// Used prekeys are forgotten, new ones made, a week has passed or not.
    Maintain { device: usize, week: bool },
}

#[derive(Clone, Copy, Debug)]
enum Crash {
    /// Before the state was stored.
    Before,
    /// After that, but before the message was sent or acknowledged.
    After,
}

struct Party {
    device: Device,
    sessions: BTreeMap<usize, Sessions>,
    stored_device: Zeroizing<Vec<u8>>,
    stored_sessions: BTreeMap<usize, Zeroizing<Vec<u8>>>,
}

#[derive(Clone)]
struct Sent {
    from: usize,
    to: usize,
    bytes: Vec<u8>,
    text: u64,
}

struct World {
    version: Version,
    rng: ChaCha20Rng,
    now_ms: u64,
    parties: Vec<Party>,
    under_way: Vec<Sent>,
    texts: u64,
    /// Which texts were read and stored.
    read: Vec<u64>,
    /// No message key may ever be used for two messages that leave the device.
    used_keys: HashMap<(usize, usize, [u8; 32], u32), u64>,
}

impl World {
    fn new(version: Version, parties: usize, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let parties = (1..=parties as u32)
            .map(|id| {
                let device = Device::generate(DeviceId::new(id).unwrap(), 0, &mut rng);
                let stored_device = device.to_bytes();
                let (sessions, stored_sessions) = Default::default();
                Party { device, sessions, stored_device, stored_sessions }
            })
            .collect();
        Self {
            version,
            rng,
            now_ms: 0,
            parties,
            under_way: Vec::new(),
            texts: 0,
            read: Vec::new(),
            used_keys: HashMap::new(),
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Send { from, to, crash } => self.send(from, to, false, crash),
            Event::Reopen { from, to } => self.send(from, to, true, None),
            Event::Deliver { pick, repeat, crash } if !self.under_way.is_empty() => {
                let pick = pick % self.under_way.len();
                let sent = self.under_way[pick].clone();
                let acknowledged = self.deliver(&sent, crash);
                if acknowledged && !repeat {
                    self.under_way.swap_remove(pick);
                }
            }
            Event::Lose { pick } if !self.under_way.is_empty() => {
                self.under_way.swap_remove(pick % self.under_way.len());
            }
            Event::Deliver { .. } | Event::Lose { .. } => {}
            Event::Maintain { device, week } => {
                self.now_ms += if week { crate::SIGNED_PRE_KEY_PERIOD_MS } else { 0 };
                let party = &mut self.parties[device];
                party.device.forget_used_pre_keys();
                let _ = party.device.maintain(self.now_ms, &mut self.rng);
                party.stored_device = party.device.to_bytes();
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, reopen: bool, crash: Option<Crash>) {
        if from == to {
            return;
        }
        let parts = self.parties[to].device.bundle(self.version);
        let party = &mut self.parties[from];
        let fresh = || Sessions::new(self.version);
        let sessions = party.sessions.entry(to).or_insert_with(fresh);
        if reopen || !sessions.is_open() {
            let bundle = Bundle::verify(self.version, parts).unwrap();
            sessions.initiate(&party.device, &bundle, &mut self.rng).unwrap();
        }
        self.texts += 1;
        let text = self.texts;
        let encrypted = sessions.encrypt(&text.to_be_bytes(), &mut self.rng).unwrap();
        if let Some(Crash::Before) = crash {
            return self.crash(from);
        }
        party.stored_sessions.insert(to, encrypted.state);
        if let Some(Crash::After) = crash {
            return self.crash(from);
        }
        let bytes = encrypted.message.bytes;
        let header = match wire::parse(self.version, &bytes).unwrap() {
            wire::Element::KeyExchange(exchange) => exchange.message.header,
            wire::Element::Message(message) => message.header,
        };
        let key = (from, to, header.ratchet_key, header.counter);
        assert_eq!(self.used_keys.insert(key, text), None, "a message key was used twice");
        self.under_way.push(Sent { from, to, bytes, text });
    }

    /// Whether the receiver has acknowledged it.
    fn deliver(&mut self, sent: &Sent, crash: Option<Crash>) -> bool {
        let party = &mut self.parties[sent.to];
        let fresh = || Sessions::new(self.version);
        let sessions = party.sessions.entry(sent.from).or_insert_with(fresh);
        let before = (sessions.to_bytes(), party.device.to_bytes());
        let was_read = self.read.contains(&sent.text);
        match sessions.decrypt(&mut party.device, &sent.bytes) {
            Ok(read) => {
                assert!(!was_read, "a message was read twice");
                assert_eq!(*read.plaintext, sent.text.to_be_bytes());
                if let Some(Crash::Before) = crash {
                    self.crash(sent.to);
                    return false;
                }
                party.stored_sessions.insert(sent.from, read.state);
                party.stored_device = party.device.to_bytes();
                self.read.push(sent.text);
                if let Some(Crash::After) = crash {
                    self.crash(sent.to);
                    return false;
                }
            }
            Err(error) => {
                let after = (sessions.to_bytes(), party.device.to_bytes());
                assert!(before == after, "a failure changed the state");
                match error {
                    DecryptionError::Duplicate => {
                        assert!(was_read, "a new message was a duplicate")
                    }
                    DecryptionError::Expired
                    | DecryptionError::UsedPreKey { .. }
                    | DecryptionError::UnknownSignedPreKey { .. } => {}
                    _ => panic!("{error} for a message that is authentic"),
                }
            }
        }
        true
    }

    fn crash(&mut self, party: usize) {
        let party = &mut self.parties[party];
        party.device = Device::from_bytes(&party.stored_device).unwrap();
        party.sessions = party
            .stored_sessions
            .iter()
            .map(|(peer, state)| (*peer, Sessions::from_bytes(state).unwrap()))
            .collect();
    }

    /// After the storm: what is under way arrives, then everybody can write to everybody.
    fn settle(&mut self) {
        for sent in std::mem::take(&mut self.under_way) {
            assert!(self.deliver(&sent, None));
        }
        let parties = self.parties.len();
        for pair in 0..2 * parties * parties {
            let (from, to) = (pair / parties % parties, pair % parties);
            let arrives = self.send_and_deliver(from, to, false);
            // A key exchange that got lost may be for keys that are gone by now; then the user
            // has to open a new session.
            assert!(arrives || self.send_and_deliver(from, to, true), "they are out of step");
        }
    }

    fn send_and_deliver(&mut self, from: usize, to: usize, reopen: bool) -> bool {
        self.send(from, to, reopen, None);
        self.under_way.pop().is_none_or(|sent| {
            assert!(self.deliver(&sent, None));
            self.read.contains(&sent.text)
        })
    }
}

const PARTIES: usize = 3;

fn crash() -> impl Strategy<Value = Option<Crash>> {
    prop_oneof![8 => Just(None), 1 => Just(Some(Crash::Before)), 1 => Just(Some(Crash::After))]
}

fn event() -> impl Strategy<Value = Event> {
    let pair = || (0..PARTIES, 0..PARTIES);
    prop_oneof![
        10 => (pair(), crash()).prop_map(|((from, to), crash)| Event::Send { from, to, crash }),
        1 => pair().prop_map(|(from, to)| Event::Reopen { from, to }),
        10 => (any::<usize>(), prop::bool::weighted(0.2), crash())
            .prop_map(|(pick, repeat, crash)| Event::Deliver { pick, repeat, crash }),
        2 => any::<usize>().prop_map(|pick| Event::Lose { pick }),
        1 => (0..PARTIES, prop::bool::weighted(0.2))
            .prop_map(|(device, week)| Event::Maintain { device, week }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn devices_stay_in_step_whatever_the_network_does(
        legacy: bool,
        seed: u64,
        events in prop::collection::vec(event(), 0..120),
    ) {
        let version = if legacy { Version::Legacy } else { Version::Omemo2 };
        let mut world = World::new(version, PARTIES, seed);
        events.into_iter().for_each(|event| world.handle(event));
        world.settle();
    }
}
