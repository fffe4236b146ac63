//! Somebody loses their account while they are being served, and what costs a client nothing.

use std::net::Ipv4Addr;

use turn_client_proto::{
    api::{Transmit, TurnClientApi as _, TurnConfig, TurnEvent, TurnPollRet},
    stun::{Instant as Moment, auth::Feature},
    types::{TransportType, TurnCredentials, prelude::DelayedTransmitBuild as _},
    udp::TurnClientUdp,
};

use super::*;
use crate::{
    config::Config,
    model::Stage,
    turn::{address::Found, dismiss},
};

const JULIET: &str = "juliet@a.example";
const CLIENT: &str = "198.51.100.7:4000";
const RELAY: &str = "203.0.113.1:3478";

/// When Juliet loses her account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// Her request is there, and nobody has looked at it.
    Asked,
    /// She has her allocation, and is being told.
    Answered,
    /// She gives her allocation back, and nobody has looked at that.
    GivesBack,
}

/// Juliet's client, whose time passes when it has nothing to say.
struct Client {
    server: Arc<Server>,
    client: TurnClientUdp,
    moment: Moment,
    when: When,
    said: usize,
    allocated: bool,
    refused: bool,
}

impl Client {
    fn look(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(..) => {
                    self.allocated = true;
                    match self.when {
                        When::Asked => {}
                        When::Answered => dismiss(&self.server, JULIET),
                        When::GivesBack => self.client.delete(self.moment).unwrap(),
                    }
                }
                TurnEvent::AllocationCreateFailed(_) => self.refused = true,
                _ => {}
            }
        }
    }
}

impl Line for &mut Client {
    async fn next(&mut self) -> Option<Vec<u8>> {
        // The client wants to be asked again before it has something to say.
        for _ in 0..8 {
            if let TurnPollRet::WaitUntil(until) = self.client.poll(self.moment) {
                let wait = until.saturating_duration_since(self.moment);
                if wait < Duration::from_secs(1) {
                    let later = self.moment + wait;
                    self.moment = later;
                }
            }
            self.look();
            if let Some(sent) = self.client.poll_transmit(self.moment) {
                self.said += 1;
                // The first request only asks which password is wanted.
                let asks = self.when == When::Asked && self.said == 2;
                if asks || (self.when == When::GivesBack && self.allocated) {
                    dismiss(&self.server, JULIET);
                }
                return Some(sent.data.build());
            }
        }
        match self.refused {
            true => None,
            // Nobody ends a relay that is there.
            false => std::future::pending().await,
        }
    }

    async fn send(&mut self, frame: Vec<u8>) -> bool {
        let [from, to] = [RELAY, CLIENT].map(address);
        let transmit = Transmit::new(frame, TransportType::Udp, from, to);
        let _ = self.client.recv(transmit, self.moment);
        self.look();
        true
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn session<L: Line>(stage: &Stage, line: L) -> Session<L> {
    let (server, now) = (stage.server.clone(), Instant::now());
    let Ok(admission) = server.gate.admit(address(CLIENT).ip()) else {
        panic!("there is no place")
    };
    Session {
        machine: Machine::new(server.domain(), address(CLIENT), now),
        line,
        admission,
        ports: Vec::new(),
        bytes: Bucket::new(server.config().turn.bytes_per_second, now),
        requests: Bucket::new(REQUESTS_PER_SECOND, now),
        strange: 0,
        began: now,
        idle_since: Some(now),
        server,
    }
}

/// Juliet wants an allocation, and loses her account. Returns whether she got one.
fn lose(when: When) -> bool {
    let stage = Stage::new();
    let server = &stage.server;
    server.turn.set_found(Found { addresses: vec![Ipv4Addr::LOCALHOST.into()], name: None });
    let code = credentials::code(&server.secret, JULIET);
    assert!(server.turn.admit(&code, server.turn.dismissals_so_far()));
    let expires = server.now().plus(3_600_000);
    let own = credentials::issue(&server.secret, JULIET, expires);
    let mut config = TurnConfig::new(TurnCredentials::new(&own.name, &own.password));
    config.set_anonymous_username(Feature::Disabled);
    let mut client = Client {
        server: server.clone(),
        client: TurnClientUdp::allocate(address(CLIENT), address(RELAY), config),
        moment: Moment::ZERO,
        when,
        said: 0,
        allocated: false,
        refused: false,
    };
    let mut session = session(&stage, &mut client);
    // What she has at the relay ends although her client stays.
    let ended =
        stage.run(async { timeout(Duration::from_secs(60), Box::pin(session.serve())).await });
    assert!(ended.is_ok(), "she is still relayed for");
    drop(session);
    assert_eq!(server.metrics.turn_relays.value(), 0);
    assert!(!server.turn.knows(&code));
    client.allocated
}

#[test]
fn whoever_loses_their_account_before_they_are_looked_up_gets_no_relay() {
    assert!(!lose(When::Asked));
}

#[test]
fn whoever_loses_their_account_while_they_are_answered_loses_the_relay() {
    assert!(lose(When::Answered));
}

#[test]
fn whoever_loses_their_account_while_they_give_back_the_relay_has_none() {
    assert!(lose(When::GivesBack));
}

/// A client that always has something to say.
struct Talkative;

impl Line for Talkative {
    async fn next(&mut self) -> Option<Vec<u8>> {
        Some(vec![0x40; 8])
    }

    async fn send(&mut self, _: Vec<u8>) -> bool {
        true
    }
}

#[test]
fn nothing_that_waits_is_heard_before_a_dismissal() {
    let stage = Stage::new();
    let server = &stage.server;
    let mut session = session(&stage, Talkative);
    let mut news =
        News { shutdown: server.shutdown.subscribe(), dismissals: server.turn.dismissals() };
    let deadline = Instant::now();
    for _ in 0..64 {
        dismiss(server, JULIET);
        let event = stage.run(session.event(&mut news, deadline, &mut []));
        assert!(matches!(event, Event::Dismissal));
    }
    let event = stage.run(session.event(&mut news, deadline + IDLE, &mut []));
    assert!(matches!(event, Event::Frame(_)), "what waited is heard afterwards");
}

#[test]
fn what_the_client_did_not_ask_for_takes_nothing_of_its_rate() {
    let stage = Stage::new();
    stage.server.set_config(Config::parse("domain = \"a.example\"").unwrap());
    let config = stage.server.config();
    assert!(config.limits.throttle);
    let mut session = session(&stage, Talkative);
    let (relay, peer) = (address("203.0.113.1:49152"), address("192.0.2.9:5000"));
    let data = vec![0; 60_000];
    let much = config.turn.bytes_per_second * 20 / data.len() as u64;
    for _ in 0..much {
        assert!(stage.run(session.packet(relay, peer, &data)));
    }
    assert!(session.bytes.has(config.turn.bytes_per_second * 10, session.began));
}
