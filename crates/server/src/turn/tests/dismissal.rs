//! Somebody loses the account while a relay of theirs is in use.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle};
use turn_client_proto::{
    api::{Transmit, TurnClientApi as _, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet},
    stun::Instant as Moment,
    types::{TransportType, TurnCredentials, prelude::DelayedTransmitBuild as _},
    udp::TurnClientUdp,
};
use xmpp::jid::Jid;

use super::{CLIENT, SERVER, address};
use crate::{
    auth::removal,
    limits::Gate,
    model::Stage,
    server::Server,
    turn::{
        self,
        address::Found,
        credentials::{self, Credentials},
        session::{self, Line},
    },
};

const JULIET: &str = "juliet@a.example";

/// The way between both, in memory.
struct Wire {
    inbox: mpsc::UnboundedReceiver<Vec<u8>>,
    outbox: mpsc::UnboundedSender<Vec<u8>>,
}

impl Line for Wire {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.inbox.recv().await
    }

    async fn send(&mut self, frame: Vec<u8>) -> bool {
        self.outbox.send(frame).is_ok()
    }
}

/// A client, and what serves it.
struct Call {
    client: TurnClientUdp,
    began: Instant,
    say: mpsc::UnboundedSender<Vec<u8>>,
    hear: mpsc::UnboundedReceiver<Vec<u8>>,
    session: JoinHandle<()>,
}

impl Call {
    fn new(server: &Arc<Server>, made: &Credentials) -> Self {
        let config = TurnConfig::new(TurnCredentials::new(&made.name, &made.password));
        let (say, inbox) = mpsc::unbounded_channel();
        let (outbox, hear) = mpsc::unbounded_channel();
        let gate = Gate::new(&server.config().limits, Arc::default());
        let admission = gate.admit(address(CLIENT).ip()).unwrap();
        let wire = Wire { inbox, outbox };
        Self {
            client: TurnClientUdp::allocate(address(CLIENT), address(SERVER), config),
            began: Instant::now(),
            say,
            hear,
            session: tokio::spawn(session::run(server.clone(), address(CLIENT), admission, wire)),
        }
    }

    fn moment(&self) -> Moment {
        Moment::ZERO + self.began.elapsed()
    }

    /// Carries frames until something happened that was waited for.
    async fn until<T>(&mut self, wanted: impl Fn(&TurnEvent) -> Option<T>) -> T {
        loop {
            while let Some(event) = self.client.poll_event() {
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
            let moment = self.moment();
            let wait = match self.client.poll(moment) {
                TurnPollRet::WaitUntil(until) => until.saturating_duration_since(moment),
                _ => Duration::ZERO,
            };
            while let Some(sent) = self.client.poll_transmit(self.moment()) {
                self.say.send(sent.data.build()).expect("a session");
            }
            if let Ok(frame) = tokio::time::timeout(wait, self.hear.recv()).await {
                self.take(&frame.expect("a session"));
            }
        }
    }

    /// What a frame brings from a peer.
    fn take(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let transmit = Transmit::new(frame, TransportType::Udp, address(SERVER), address(CLIENT));
        match self.client.recv(transmit, self.moment()) {
            TurnRecvRet::PeerData(data) => Some(data.data().to_vec()),
            _ => None,
        }
    }

    /// Gets a relay that lets somebody on this machine through.
    async fn relay(&mut self) -> SocketAddr {
        let relay = self.until(|event| match event {
            TurnEvent::AllocationCreated(_, relay) => Some(*relay),
            _ => None,
        });
        let relay = relay.await;
        let (here, moment) = (Ipv4Addr::LOCALHOST.into(), self.moment());
        self.client.create_permission(TransportType::Udp, here, moment).unwrap();
        self.until(|event| matches!(event, TurnEvent::PermissionCreated(..)).then_some(())).await;
        relay
    }
}

/// A server whose relay is on this machine, and a password for its account.
fn stage() -> (Stage, Credentials) {
    let stage = Stage::new();
    let server = &stage.server;
    server.turn.set_found(Found { addresses: vec![Ipv4Addr::LOCALHOST.into()], name: None });
    let made = credentials::issue(&server.secret, JULIET, server.now().plus(3_600_000));
    let before = server.turn.dismissals_so_far();
    assert!(server.turn.admit(credentials::person(&made.name), before));
    (stage, made)
}

#[test]
fn nothing_that_waits_is_relayed_for_somebody_who_was_dismissed() {
    let (stage, made) = stage();
    let server = stage.server.clone();
    stage.run(async {
        let mut call = Call::new(&server, &made);
        let relay = call.relay().await;
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        peer.send_to(b"before", relay).await.unwrap();
        let frame = call.hear.recv().await.unwrap();
        assert_eq!(call.take(&frame).as_deref(), Some(&b"before"[..]));
        // Both wait when the session looks again.
        for _ in 0..50 {
            peer.try_send_to(b"after", relay).unwrap();
        }
        turn::dismiss(&server, JULIET);
        call.session.await.unwrap();
        assert_eq!(call.hear.recv().await, None);
        UdpSocket::bind(relay).await.expect("the address is free again");
    });
}

#[test]
fn who_deletes_the_account_has_no_relay_left_and_gets_no_other() {
    let (stage, made) = stage();
    let server = stage.server.clone();
    stage.run(async {
        let mut call = Call::new(&server, &made);
        let relay = call.relay().await;
        let jid = Jid::new(JULIET).unwrap();
        let account = server.account(&jid).await.unwrap().unwrap();
        removal::delete(&server, &account, None).await;
        call.session.await.unwrap();
        UdpSocket::bind(relay).await.expect("the address is free again");
        let mut again = Call::new(&server, &made);
        let refused = |event: &TurnEvent| match event {
            TurnEvent::AllocationCreateFailed(_) => Some(true),
            TurnEvent::AllocationCreated(..) => Some(false),
            _ => None,
        };
        assert!(again.until(refused).await);
    });
}
