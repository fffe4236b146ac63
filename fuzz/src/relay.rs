//! One client of the relay for calls, and the rules that it is under.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::OnceLock,
    time::{Duration, Instant},
};

use anemone::turn::{
    frames::{Frames, MOST_BYTES, pad},
    machine::{Action, Machine, Rules, hash},
};
use zeroize::Zeroizing;

const REALM: &str = "a.example";
const NAME: &str = "1:juliet";

/// Cuts a connection into frames and gives them to the machine; the first byte says in what pieces.
pub fn client(data: &[u8]) {
    let Some((size, input)) = data.split_first() else { return };
    let whole = cut(input, input.len());
    assert_eq!(whole, cut(input, usize::from(*size)), "the network decides what a frame is");
    let mut again = Vec::new();
    for frame in &whole.0 {
        let mut padded = frame.clone();
        pad(&mut padded);
        again.extend(padded);
    }
    assert!(again.len() <= input.len() && whole.0.iter().all(|frame| frame.len() <= MOST_BYTES));
    assert_eq!(cut(&again, again.len()).0, whole.0);
    drive(&whole.0);
}

fn cut(input: &[u8], size: usize) -> (Vec<Vec<u8>>, bool) {
    let (mut frames, mut found) = (Frames::default(), Vec::new());
    for piece in input.chunks(size.max(1)) {
        frames.push(piece);
        loop {
            match frames.cut() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(_) => return (found, true),
            }
        }
    }
    (found, false)
}

fn drive(frames: &[Vec<u8>]) {
    // The machine only adds to it.
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let began = *BEGAN.get_or_init(Instant::now);
    let client = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 4000));
    let mut machine = Machine::new(REALM, client, began);
    let mut port = 50_000;
    for (at, frame) in frames.iter().take(64).enumerate() {
        let now = began + Duration::from_secs(10 * at as u64);
        let mut actions = machine.from_client(frame, &Strict, now);
        let mut turns = 0;
        while let Some(action) = actions.pop() {
            turns += 1;
            assert!(turns < 100, "one frame, and no end");
            match action {
                Action::ToClient(frame) => assert!(frame.len() <= MOST_BYTES),
                Action::ToPeer { peer, .. } => {
                    assert!(machine.user().is_some(), "a stranger reaches {peer}");
                    assert!(Strict.may_send(peer), "{peer}");
                }
                Action::Allocate(family) => {
                    assert!(machine.user().is_some(), "a stranger gets a place");
                    port += 1;
                    let relay = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), port));
                    actions.extend(machine.allocated(family, Ok(relay), now));
                }
                Action::Release(_) => {}
            }
        }
        let peer = SocketAddr::from((Ipv4Addr::new(198, 51, 100, 1), 9));
        let relay = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), port));
        let _ = machine.from_peer(relay, peer, b"data", now);
        let _ = machine.tick(now);
    }
}

/// One name with a password, and one network.
struct Strict;

impl Rules for Strict {
    fn password(&self, name: &str) -> Option<Zeroizing<String>> {
        (name == NAME).then(|| Zeroizing::new("p".to_owned()))
    }

    fn name_of(&self, hashed: &[u8; 32]) -> Option<String> {
        (*hashed == hash(NAME, REALM)).then(|| NAME.to_owned())
    }

    fn may_allocate(&self, _: &str) -> bool {
        true
    }

    fn may_reach(&self, peer: IpAddr) -> bool {
        matches!(peer, IpAddr::V4(peer) if peer.octets()[0] == 198)
    }

    fn may_send(&self, peer: SocketAddr) -> bool {
        self.may_reach(peer.ip()) && peer.port() > 1
    }
}
