//! The socket that clients without a connection share. An address in a packet may be forged, so what
//! strangers can cause here is counted: by network, and all together.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{net::UdpSocket, sync::mpsc};

use super::{
    frames::MOST_BYTES,
    machine,
    session::{self, Packets},
};
use crate::{
    limits::{Bucket, Gate, Quota},
    net::listen::down,
    server::Server,
};

/// Serves until the server goes down.
pub async fn serve(server: Arc<Server>, socket: UdpSocket) {
    let mut door = Door::new(server.clone(), Arc::new(socket));
    let mut shutdown = server.shutdown.subscribe();
    let mut buffer = vec![0; MOST_BYTES];
    loop {
        let received = tokio::select! {
            received = door.socket.recv_from(&mut buffer) => received,
            () = down(&mut shutdown) => return,
        };
        // Errors tell of packets that were sent before and did not arrive.
        if let Ok((length, from)) = received
            && let Some(packet) = buffer.get(..length)
        {
            door.packet(packet, from);
        }
    }
}

struct Door {
    server: Arc<Server>,
    socket: Arc<UdpSocket>,
    sessions: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
    /// Clients without a password make room for each other here, apart from connections: their
    /// addresses may be forged.
    gate: Arc<Gate>,
    strangers: Quota,
    all_strangers: Bucket,
}

impl Door {
    fn new(server: Arc<Server>, socket: Arc<UdpSocket>) -> Self {
        Self {
            socket,
            sessions: HashMap::new(),
            // Its numbers are not those of connections.
            gate: Gate::new(&server.config().limits, Arc::default()),
            strangers: Quota::new(STRANGERS, STRANGERS_SPAN),
            all_strangers: Bucket::new(ALL_STRANGERS_PER_SECOND, Instant::now()),
            server,
        }
    }

    fn packet(&mut self, packet: &[u8], from: SocketAddr) {
        if let Some(session) = self.sessions.get(&from) {
            match session.try_send(packet.to_vec()) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    self.server.metrics.turn_dropped.increment();
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    self.sessions.remove(&from);
                }
            }
        }
        self.stranger(packet, from);
    }

    /// A packet from where nobody was known until now. The answer is at most a few times as long as
    /// the packet, and there are not many.
    fn stranger(&mut self, packet: &[u8], from: SocketAddr) {
        let now = Instant::now();
        let client = SocketAddr::new(from.ip().to_canonical(), from.port());
        if !machine::is_request(packet) || client.port() == 0 || !self.admits(client, now) {
            return;
        }
        if let Some(answer) = machine::binding(packet, client) {
            let _ = self.socket.try_send_to(&answer, from);
            return;
        }
        self.sessions.retain(|_, session| !session.is_closed());
        if self.sessions.len() >= MOST_SESSIONS {
            self.server.metrics.turn_dropped.increment();
            return;
        }
        let Ok(admission) = self.gate.admit(client.ip()) else { return };
        let (sender, inbox) = mpsc::channel(WAITING);
        // The queue is new and takes one.
        let _ = sender.try_send(packet.to_vec());
        self.sessions.insert(from, sender);
        let line = Packets { socket: self.socket.clone(), client: from, inbox };
        tokio::spawn(session::run(self.server.clone(), client, admission, line));
    }

    fn admits(&mut self, client: SocketAddr, now: Instant) -> bool {
        if !self.server.config().limits.throttle {
            return true;
        }
        // What one network sends beyond its share takes nothing of everybody's.
        let admitted = self.all_strangers.has(1, now)
            && self.strangers.take_network(client.ip(), now)
            && self.all_strangers.pass(1, now);
        if !admitted {
            self.server.metrics.turn_dropped.increment();
        }
        admitted
    }
}

/// Packets that wait for one client's task.
const WAITING: usize = 64;
const MOST_SESSIONS: usize = 8192;
/// Packets of one network (IPv4 /24, IPv6 /48) that are looked at without a password.
const STRANGERS: u64 = 200;
const STRANGERS_SPAN: Duration = Duration::from_secs(10);
const ALL_STRANGERS_PER_SECOND: u64 = 1000;
