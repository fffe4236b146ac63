//! The relay without sockets: the client is the one of the same crates.

use std::{
    cell::Cell,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use turn_client_proto::{
    api::{Transmit, TurnClientApi as _, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet},
    stun::{Instant as Moment, auth::Feature},
    types::{TransportType, TurnCredentials, prelude::DelayedTransmitBuild as _},
    udp::TurnClientUdp,
};
use zeroize::Zeroizing;

use super::machine::{Action, Family, Machine, NoRelay, Rules, hash};

const CLIENT: &str = "198.51.100.7:4000";
const SERVER: &str = "203.0.113.1:3478";
const RELAY: &str = "203.0.113.1:49152";
const REALM: &str = "verona.example";
/// How requests for more time, or for no more, begin (RFC 8656 §17).
const REFRESH: &[u8] = &[0x00, 0x04];
const PEER: &str = "192.0.2.9:5000";

/// `ada` with the password `lovelace`; nothing leads to 10.0.0.0/8.
struct World {
    allocations: Cell<usize>,
    /// Her name has ended.
    ended: Cell<bool>,
}

impl Rules for World {
    fn password(&self, name: &str) -> Option<Zeroizing<String>> {
        (name == "ada" && !self.ended.get()).then(|| Zeroizing::new("lovelace".to_owned()))
    }

    fn name_of(&self, wanted: &[u8; 32]) -> Option<String> {
        (*wanted == hash("ada", REALM)).then(|| "ada".to_owned())
    }

    fn may_allocate(&self, _name: &str) -> bool {
        self.allocations.get() > 0
    }

    fn may_reach(&self, peer: IpAddr) -> bool {
        !peer.to_string().starts_with("10.")
    }

    fn may_send(&self, peer: SocketAddr) -> bool {
        self.may_reach(peer.ip()) && peer.port() != 53
    }
}

/// Both ends, and what came of them.
struct Line {
    client: TurnClientUdp,
    machine: Machine,
    world: World,
    began: Instant,
    now: Instant,
    events: Vec<TurnEvent>,
    to_peers: Vec<(SocketAddr, Vec<u8>)>,
    from_peers: Vec<Vec<u8>>,
    released: usize,
    /// Every frame of the client, and of the relay.
    said: Vec<Vec<u8>>,
    heard: Vec<Vec<u8>>,
    /// What is said when an address is wanted.
    relay: Result<SocketAddr, NoRelay>,
}

impl Line {
    fn new(name: &str, password: &str) -> Self {
        Self::with(name, password, Feature::Disabled)
    }

    fn with(name: &str, password: &str, hidden: Feature) -> Self {
        let now = Instant::now();
        let mut config = TurnConfig::new(TurnCredentials::new(name, password));
        config.set_anonymous_username(hidden);
        Self {
            client: TurnClientUdp::allocate(address(CLIENT), address(SERVER), config),
            machine: Machine::new(REALM, address(CLIENT), now),
            world: World { allocations: Cell::new(1), ended: Cell::new(false) },
            began: now,
            now,
            events: Vec::new(),
            to_peers: Vec::new(),
            from_peers: Vec::new(),
            released: 0,
            said: Vec::new(),
            heard: Vec::new(),
            relay: Ok(address(RELAY)),
        }
    }

    fn moment(&self) -> Moment {
        Moment::ZERO + (self.now - self.began)
    }

    /// Carries everything until nobody has anything to say.
    fn run(&mut self) {
        // The client wants to be asked again before it has something to say.
        let mut silent = 0;
        while silent < 3 {
            let moment = self.moment();
            let wait = match self.client.poll(moment) {
                TurnPollRet::WaitUntil(until) => until.saturating_duration_since(moment),
                _ => Duration::ZERO,
            };
            silent += 1;
            while let Some(sent) = self.client.poll_transmit(self.moment()) {
                let frame = sent.data.build();
                self.say(&frame);
                silent = 0;
            }
            if wait < Duration::from_millis(100) {
                self.now += wait;
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
    }

    /// What the client would say now, which does not arrive.
    fn unsaid(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..8 {
            self.client.poll(self.moment());
            while let Some(sent) = self.client.poll_transmit(self.moment()) {
                frames.push(sent.data.build());
            }
            // It says one thing after the other.
            self.now += Duration::from_millis(100);
        }
        frames
    }

    fn say(&mut self, frame: &[u8]) {
        self.said.push(frame.to_vec());
        let actions = self.machine.from_client(frame, &self.world, self.now);
        self.act(actions);
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::ToClient(frame) => self.hear(&frame),
                Action::ToPeer { relay, peer, data } => {
                    assert_eq!(relay, address(RELAY));
                    self.to_peers.push((peer, data));
                }
                Action::Allocate(family) => {
                    assert_eq!(family, Family::V4);
                    let more = self.machine.allocated(family, self.relay, self.now);
                    self.act(more);
                }
                Action::Release(relay) => {
                    assert_eq!(relay, address(RELAY));
                    self.released += 1;
                }
            }
        }
    }

    fn hear(&mut self, frame: &[u8]) {
        self.heard.push(frame.to_vec());
        let transmit = Transmit::new(frame, TransportType::Udp, address(SERVER), address(CLIENT));
        let moment = self.moment();
        if let TurnRecvRet::PeerData(data) = self.client.recv(transmit, moment) {
            self.from_peers.push(data.data().to_vec());
        }
    }

    fn send(&mut self, peer: &str, data: &[u8]) {
        let moment = self.moment();
        let sent = self.client.send_to(TransportType::Udp, address(peer), data, moment);
        let frame = sent.unwrap().expect("a frame").data.build();
        self.say(&frame);
    }

    fn permit(&mut self, peer: &str) {
        let (ip, moment) = (address(peer).ip(), self.moment());
        self.client.create_permission(TransportType::Udp, ip, moment).unwrap();
        self.run();
    }

    fn has(&self, wanted: impl Fn(&TurnEvent) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    fn is_allocated(&self) -> bool {
        self.has(|event| matches!(event, TurnEvent::AllocationCreated(_, relay) if *relay == address(RELAY)))
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn packets_go_both_ways_as_messages_and_through_channels() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    assert!(line.is_allocated(), "{:?}", line.events);
    assert_eq!(line.machine.user(), Some("ada"));
    line.permit(PEER);
    line.send(PEER, b"hello");
    let back = line.machine.from_peer(address(RELAY), address(PEER), b"hi", line.now).unwrap();
    line.hear(&back);
    let moment = line.moment();
    line.client.bind_channel(TransportType::Udp, address(PEER), moment).unwrap();
    line.run();
    assert!(line.has(|event| matches!(event, TurnEvent::ChannelCreated(..))));
    line.send(PEER, b"shorter");
    let back = line.machine.from_peer(address(RELAY), address(PEER), b"yes", line.now).unwrap();
    assert_eq!(back[0] >> 6, 1, "data of a channel");
    line.hear(&back);
    let expected = [b"hello".to_vec(), b"shorter".to_vec()].map(|data| (address(PEER), data));
    assert_eq!(line.to_peers, expected);
    assert_eq!(line.from_peers, [b"hi".to_vec(), b"yes".to_vec()]);
}

#[test]
fn a_client_may_hide_its_name() {
    let mut line = Line::with("ada", "lovelace", Feature::Required);
    line.run();
    assert!(line.is_allocated());
    assert_eq!(line.machine.user(), Some("ada"));
    line.permit(PEER);
    line.send(PEER, b"hello");
    assert_eq!(line.to_peers.len(), 1);
}

#[test]
fn strangers_get_nothing_through() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    line.permit(PEER);
    let stranger = address("192.0.2.10:5000");
    assert_eq!(line.machine.from_peer(address(RELAY), stranger, b"hi", line.now), None);
}

#[test]
fn a_forged_password_gets_no_relay() {
    for (name, password) in [("ada", "byron"), ("eve", "lovelace"), ("", "")] {
        let mut line = Line::new(name, password);
        line.run();
        assert!(!line.is_allocated() && line.machine.user().is_none(), "{name}");
        assert!(!line.machine.is_relaying());
    }
}

#[test]
fn who_had_a_password_has_none_for_ever() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    assert!(line.is_allocated());
    line.world.ended.set(true);
    line.permit(PEER);
    let permitted = |event: &TurnEvent| matches!(event, TurnEvent::PermissionCreated(..));
    assert!(!line.has(permitted), "{:?}", line.events);
    line.world.ended.set(false);
    line.permit("192.0.2.10:5000");
    assert!(line.has(permitted), "{:?}", line.events);
}

#[test]
fn a_relay_ends_with_the_name_it_was_made_with() {
    for ended in [false, true] {
        let mut line = Line::new("ada", "lovelace");
        line.run();
        line.permit(PEER);
        line.world.ended.set(ended);
        for minute in 1..=60 {
            line.now += Duration::from_secs(60);
            line.run();
            let (actions, _) = line.machine.tick(line.now);
            line.act(actions);
            let packet = line.machine.from_peer(address(RELAY), address(PEER), b"hi", line.now);
            // A permission is for five minutes, and then it would have to be asked for again.
            assert!(minute < 6 || packet.is_none() == ended, "minute {minute}, ended: {ended}");
        }
        assert_eq!(line.released, usize::from(ended), "what was refused to be refreshed is over");
    }
}

#[test]
fn forbidden_peers_are_refused_and_nothing_is_sent_to_them() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    line.permit("10.0.0.1:80");
    assert!(line.has(|event| matches!(event, TurnEvent::PermissionCreateFailed(..))));
    assert_eq!(
        line.machine.from_peer(address(RELAY), address("10.0.0.1:80"), b"x", line.now),
        None
    );
    // A port that is closed while the address is open.
    line.permit(PEER);
    line.send("192.0.2.9:53", b"a question");
    assert!(line.to_peers.is_empty());
    let moment = line.moment();
    line.client.bind_channel(TransportType::Udp, address("192.0.2.9:53"), moment).unwrap();
    line.run();
    assert!(line.has(|event| matches!(event, TurnEvent::ChannelCreateFailed(..))));
}

#[test]
fn who_has_enough_gets_no_more() {
    let mut line = Line::new("ada", "lovelace");
    line.world.allocations.set(0);
    line.run();
    assert!(!line.is_allocated());
    assert!(line.has(|event| matches!(event, TurnEvent::AllocationCreateFailed(_))));
    let mut line = Line::new("ada", "lovelace");
    line.relay = Err(NoRelay::Full);
    line.run();
    assert!(!line.is_allocated() && !line.machine.is_relaying());
}

#[test]
fn an_answer_that_got_lost_is_given_again() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    assert!(line.is_allocated());
    line.permit(PEER);
    let (request, answer) = (line.said.pop().unwrap(), line.heard.pop().unwrap());
    let again = line.machine.from_client(&request, &line.world, line.now);
    assert_eq!(again, [Action::ToClient(answer)]);
}

#[test]
fn the_address_is_given_back_in_the_end() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    let moment = line.moment();
    line.client.delete(moment).unwrap();
    line.run();
    assert_eq!(line.released, 1);
    assert!(!line.machine.is_relaying());
    // And when nobody says that it is the end.
    let mut line = Line::new("ada", "lovelace");
    line.run();
    let (actions, wait) = line.machine.tick(line.now);
    assert!(actions.is_empty() && wait > Duration::from_secs(60));
    line.now += Duration::from_secs(1801);
    let (actions, _) = line.machine.tick(line.now);
    assert_eq!(actions, [Action::Release(address(RELAY))]);
}

#[test]
fn a_refresh_that_comes_after_the_end_brings_nothing_back() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    line.permit(PEER);
    line.now += Duration::from_secs(1750);
    let late = line.unsaid();
    assert!(late.iter().any(|frame| frame.starts_with(REFRESH)), "{late:?}");
    let moment = line.moment();
    line.client.delete(moment).unwrap();
    line.run();
    assert_eq!(line.released, 1);
    let end = line.said.last().cloned().unwrap();
    assert!(end.starts_with(REFRESH));
    // It was on its way meanwhile, and the end is said twice.
    for frame in late.iter().chain([&end]) {
        line.say(frame);
        assert!(!line.machine.is_relaying());
    }
    let packet = line.machine.from_peer(address(RELAY), address(PEER), b"hi", line.now);
    assert_eq!((line.released, packet), (1, None));
    let (actions, _) = line.machine.tick(line.now + Duration::from_secs(3600));
    assert!(actions.is_empty(), "{actions:?}");
}

#[test]
fn a_refresh_that_comes_before_the_end_does_not_undo_it() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    line.now += Duration::from_secs(1750);
    for frame in line.unsaid() {
        line.say(&frame);
    }
    assert!(line.machine.is_relaying());
    let moment = line.moment();
    line.client.delete(moment).unwrap();
    line.run();
    assert!(line.released == 1 && !line.machine.is_relaying());
    // The address is another client's now.
    let packet = line.machine.from_peer(address(RELAY), address(PEER), b"hi", line.now);
    assert_eq!(packet, None);
}

#[test]
fn peers_are_bounded() {
    let mut line = Line::new("ada", "lovelace");
    line.run();
    for last in 0..=64 {
        line.permit(&format!("192.0.2.{last}:5000"));
    }
    let refused = line.events.iter();
    let refused = refused.filter(|event| matches!(event, TurnEvent::PermissionCreateFailed(..)));
    assert_eq!(refused.count(), 1);
}

#[test]
fn whatever_comes_is_survived() {
    let world = World { allocations: Cell::new(1), ended: Cell::new(false) };
    let now = Instant::now();
    let mut machine = Machine::new(REALM, address(CLIENT), now);
    for length in 0..64_usize {
        for first in [0, 1, 0x40, 0x7f, 0x80, 0xff_u8] {
            let mut frame = vec![first; length];
            if let Some(low) = frame.get_mut(3) {
                *low = length.saturating_sub(20) as u8;
            }
            machine.from_client(&frame, &world, now);
        }
    }
    assert!(!machine.is_relaying());
}
