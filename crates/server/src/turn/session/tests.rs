//! Somebody loses their account while their allocation is being made.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering},
};

use turn_client_proto::{
    api::{Transmit, TurnClientApi as _, TurnConfig, TurnEvent},
    stun::Instant as Moment,
    types::{TransportType, TurnCredentials, prelude::DelayedTransmitBuild as _},
    udp::TurnClientUdp,
};

use super::*;
use crate::{
    model::Stage,
    turn::{address::Found, dismiss},
};

const JULIET: &str = "juliet@a.example";
const CLIENT: &str = "198.51.100.7:4000";
const RELAY: &str = "203.0.113.1:3478";

/// When Juliet loses her account.
enum When {
    /// Her request is there, and nobody has looked at it.
    Asked,
    /// She has her allocation, and is being told.
    Answered,
    /// Somebody else does it, and learns that her request is there.
    Elsewhere(Arc<AtomicBool>),
}

/// Juliet's client.
struct Client {
    server: Arc<Server>,
    client: TurnClientUdp,
    began: Instant,
    when: When,
    said: usize,
    allocated: Arc<AtomicBool>,
    refused: bool,
}

impl Client {
    fn moment(&self) -> Moment {
        Moment::ZERO + self.began.elapsed()
    }

    fn look(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                TurnEvent::AllocationCreated(..) => self.allocated.store(true, Ordering::Relaxed),
                TurnEvent::AllocationCreateFailed(_) => self.refused = true,
                _ => {}
            }
        }
    }
}

impl Line for Client {
    async fn next(&mut self) -> Option<Vec<u8>> {
        // The client wants to be asked again before it has something to say.
        for _ in 0..3 {
            let _ = self.client.poll(self.moment());
            self.look();
            if let Some(sent) = self.client.poll_transmit(self.moment()) {
                self.said += 1;
                match &self.when {
                    // The first request only asks which password is wanted.
                    When::Asked if self.said == 2 => dismiss(&self.server, JULIET),
                    When::Elsewhere(asked) if self.said == 2 => {
                        asked.store(true, Ordering::Release)
                    }
                    _ => {}
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
        let [from, to] = [RELAY, CLIENT].map(|text| text.parse().unwrap());
        let moment = self.moment();
        let _ = self.client.recv(Transmit::new(frame, TransportType::Udp, from, to), moment);
        self.look();
        if matches!(self.when, When::Answered) && self.allocated.load(Ordering::Relaxed) {
            dismiss(&self.server, JULIET);
        }
        true
    }
}

/// Juliet wants an allocation, and loses her account. Returns whether she got one.
fn lose(stage: &Stage, when: When) -> bool {
    let server = &stage.server;
    server.turn.set_found(Found { addresses: vec![Ipv4Addr::LOCALHOST.into()], name: None });
    let code = credentials::code(&server.secret, JULIET);
    assert!(server.turn.admit(&code, server.turn.dismissals_so_far()));
    let expires = server.now().plus(3_600_000);
    let own = credentials::issue(&server.secret, JULIET, expires);
    let config = TurnConfig::new(TurnCredentials::new(&own.name, &own.password));
    let [client, relay] = [CLIENT, RELAY].map(|text| text.parse::<SocketAddr>().unwrap());
    let allocated = Arc::new(AtomicBool::new(false));
    let line = Client {
        server: server.clone(),
        client: TurnClientUdp::allocate(client, relay, config),
        began: Instant::now(),
        when,
        said: 0,
        allocated: allocated.clone(),
        refused: false,
    };
    let Ok(admission) = server.gate.admit(client.ip()) else { panic!("there is no place") };
    let session = Box::pin(run(server.clone(), client, admission, line));
    // What she has at the relay ends although her client stays.
    let ended = stage.run(async { timeout(Duration::from_secs(60), session).await });
    assert!(ended.is_ok(), "she is still relayed for");
    assert_eq!(server.metrics.turn_relays.value(), 0);
    assert!(!server.turn.knows(&code));
    allocated.load(Ordering::Relaxed)
}

#[test]
fn whoever_loses_their_account_before_they_are_looked_up_gets_no_relay() {
    assert!(!lose(&Stage::new(), When::Asked));
}

#[test]
fn whoever_loses_their_account_while_they_are_answered_loses_the_relay() {
    assert!(lose(&Stage::new(), When::Answered));
}

#[test]
fn whoever_loses_their_account_at_any_moment_has_no_relay_afterwards() {
    let stage = Stage::new();
    for round in 0..100 {
        let asked = Arc::new(AtomicBool::new(false));
        let (server, seen) = (stage.server.clone(), asked.clone());
        let operator = std::thread::spawn(move || {
            while !seen.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            for _ in 0..round * 200 {
                std::hint::spin_loop();
            }
            dismiss(&server, JULIET);
        });
        lose(&stage, When::Elsewhere(asked));
        operator.join().unwrap();
    }
}
