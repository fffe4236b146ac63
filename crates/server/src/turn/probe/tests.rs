//! The relay at the other end is the one of the server, without sockets.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use zeroize::Zeroizing;

use super::*;
use crate::turn::machine::{Action, Machine, Rules};

const OWN: &str = "198.51.100.7:4000";
const SERVER: &str = "203.0.113.1:3478";
const RELAY: &str = "203.0.113.1:49152";
const PEER: &str = "192.0.2.9:5000";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// `ada` with the password `lovelace` may do everything.
struct World;

impl Rules for World {
    fn password(&self, name: &str) -> Option<Zeroizing<String>> {
        (name == "ada").then(|| Zeroizing::new("lovelace".to_owned()))
    }

    fn name_of(&self, _: &[u8; 32]) -> Option<String> {
        None
    }

    fn may_allocate(&self, _: &str) -> bool {
        true
    }

    fn may_reach(&self, _: IpAddr) -> bool {
        true
    }

    fn may_send(&self, _: SocketAddr) -> bool {
        true
    }
}

/// A way on which packets of others come first: the relay hears what was sent when nothing else is left
/// for the client to take.
struct Slow {
    relay: Machine,
    sent: VecDeque<Vec<u8>>,
    coming: VecDeque<Vec<u8>>,
    released: Arc<AtomicUsize>,
}

impl Slow {
    fn hear(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::ToClient(frame) => self.coming.push_back(frame),
                Action::ToPeer { .. } => {}
                Action::Allocate(family) => {
                    let more = self.relay.allocated(family, Ok(address(RELAY)), Instant::now());
                    self.hear(more);
                }
                Action::Release(_) => drop(self.released.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }

    fn packet(&mut self, data: &[u8]) {
        let now = Instant::now();
        let frame = self.relay.from_peer(address(RELAY), address(PEER), data, now);
        self.coming.push_back(frame.expect("a permitted packet"));
    }
}

impl Line for Slow {
    async fn next(&mut self) -> Option<Vec<u8>> {
        while self.coming.is_empty() {
            let Some(frame) = self.sent.pop_front() else { return std::future::pending().await };
            let actions = self.relay.from_client(&frame, &World, Instant::now());
            self.hear(actions);
        }
        self.coming.pop_front()
    }

    async fn send(&mut self, frame: Vec<u8>) -> bool {
        self.sent.push_back(frame);
        true
    }
}

async fn probe() -> (Probe<Slow>, Arc<AtomicUsize>) {
    let released = Arc::new(AtomicUsize::new(0));
    let slow = Slow {
        relay: Machine::new("verona.example", address(OWN), Instant::now()),
        sent: VecDeque::new(),
        coming: VecDeque::new(),
        released: released.clone(),
    };
    let way = (slow, address(OWN));
    let probe = Probe::allocate(way, address(SERVER), "ada", "lovelace").await;
    (probe.expect("an address"), released)
}

#[tokio::test]
async fn an_address_is_given_back_when_the_relay_has_heard_of_it() {
    let (mut probe, released) = probe().await;
    assert_eq!(probe.relay(), address(RELAY));
    probe.permit(address(PEER).ip()).await.unwrap();
    for late in [&b"one"[..], b"two", b"three"] {
        probe.line.packet(late);
    }
    probe.end().await.unwrap();
    assert_eq!(released.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_was_asked_before_is_not_taken_for_the_answer() {
    let (mut probe, released) = probe().await;
    let moment = probe.moment();
    // Its answer comes first, and says nothing of the address.
    let peer = address(PEER).ip();
    probe.client.create_permission(TransportType::Udp, peer, moment).unwrap();
    probe.flush().await.unwrap();
    probe.end().await.unwrap();
    assert_eq!(released.load(Ordering::Relaxed), 1);
}
