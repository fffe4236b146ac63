//! One client of the relay with its sockets: what the machine wants done is done here.

use std::{
    future::Future,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::UdpSocket,
    sync::{mpsc, watch},
    time::{sleep_until, timeout},
};

use super::{
    credentials,
    frames::{Frames, MOST_BYTES, pad},
    machine::{self, Action, Machine},
    relay::Port,
};
use crate::{
    limits::{Admission, Bucket},
    net::listen::down,
    server::Server,
};

/// The way between a client and the relay, a frame at a time.
pub trait Line: Send {
    /// The next frame; nothing when there will be none.
    fn next(&mut self) -> impl Future<Output = Option<Vec<u8>>> + Send;
    /// Sends a frame. `false` when the client is gone.
    fn send(&mut self, frame: Vec<u8>) -> impl Future<Output = bool> + Send;
}

/// A client that comes over UDP.
pub struct Packets {
    /// The socket that all such clients share.
    pub socket: Arc<UdpSocket>,
    /// Where the client is, in the form of that socket.
    pub client: SocketAddr,
    /// What the client sent.
    pub inbox: mpsc::Receiver<Vec<u8>>,
}

impl Line for Packets {
    async fn next(&mut self) -> Option<Vec<u8>> {
        self.inbox.recv().await
    }

    async fn send(&mut self, frame: Vec<u8>) -> bool {
        // A packet that cannot be sent is lost as others are.
        let _ = self.socket.try_send_to(&frame, self.client);
        true
    }
}

/// A client that has a connection, with or without TLS.
pub struct Connection<S> {
    stream: S,
    frames: Frames,
}

impl<S> Connection<S> {
    /// Frames over a stream.
    pub fn new(stream: S) -> Self {
        Self { stream, frames: Frames::default() }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Line for Connection<S> {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(frame) = self.frames.cut().ok()? {
                return Some(frame);
            }
            let mut piece = [0; 2048];
            match self.stream.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.frames.push(piece.get(..length)?),
            }
        }
    }

    async fn send(&mut self, mut frame: Vec<u8>) -> bool {
        pad(&mut frame);
        let sent = async {
            self.stream.write_all(&frame).await?;
            self.stream.flush().await
        };
        matches!(timeout(UNREAD, sent).await, Ok(Ok(())))
    }
}

/// Serves a client until it is gone, has had its time, or the server goes down.
pub async fn run(server: Arc<Server>, client: SocketAddr, admission: Admission, line: impl Line) {
    let now = Instant::now();
    let config = server.config();
    let machine = Machine::new(server.domain(), client, now);
    let mut session = Session {
        machine,
        line,
        admission,
        ports: Vec::new(),
        bytes: Bucket::new(config.turn.bytes_per_second, now),
        requests: Bucket::new(REQUESTS_PER_SECOND, now),
        strange: 0,
        began: now,
        idle_since: Some(now),
        server,
    };
    session.serve().await;
}

struct Session<L> {
    server: Arc<Server>,
    machine: Machine,
    line: L,
    admission: Admission,
    /// The client's addresses at the relay: one of each kind at most.
    ports: Vec<Port>,
    /// What may still pass.
    bytes: Bucket,
    /// Requests that may still be made.
    requests: Bucket,
    /// Frames of a client that has not proven its password.
    strange: u32,
    began: Instant,
    /// Since when there has been no relay.
    idle_since: Option<Instant>,
}

/// What concerns all clients.
struct News {
    shutdown: watch::Receiver<bool>,
    dismissals: watch::Receiver<u64>,
}

/// What happened.
enum Event {
    Frame(Vec<u8>),
    Packet {
        relay: SocketAddr,
        peer: SocketAddr,
        length: usize,
    },
    Time,
    /// Somebody has no account any more.
    Dismissal,
    End,
}

impl<L: Line> Session<L> {
    async fn serve(&mut self) {
        let mut news = News {
            shutdown: self.server.shutdown.subscribe(),
            dismissals: self.server.turn.dismissals(),
        };
        let mut buffer = Vec::new();
        loop {
            if !self.ports.is_empty() {
                // A client that has nothing yet costs no more than it must.
                buffer.resize(MOST_BYTES, 0);
            }
            let (actions, wait) = self.machine.tick(Instant::now());
            if !self.act(actions).await {
                return;
            }
            let Some(deadline) = self.deadline(wait) else { return };
            let event = self.event(&mut news, deadline, &mut buffer).await;
            let goes_on = match event {
                Event::Frame(frame) => self.frame(&frame).await,
                Event::Packet { relay, peer, length } => {
                    let data = buffer.get(..length).unwrap_or_default();
                    self.packet(relay, peer, data).await
                }
                Event::Time => true,
                Event::Dismissal => self.is_welcome(),
                Event::End => false,
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Waits for the next thing to happen.
    async fn event(&mut self, news: &mut News, deadline: Instant, buffer: &mut [u8]) -> Event {
        let Self { line, ports, admission, .. } = self;
        let traffic = async {
            tokio::select! {
                frame = line.next() => frame.map_or(Event::End, Event::Frame),
                packet = receive(ports, buffer) => packet,
                () = sleep_until(deadline.into()) => Event::Time,
            }
        };
        tokio::select! {
            // First: nothing that waits is relayed for somebody who is no longer welcome.
            biased;
            Ok(()) = news.dismissals.changed() => Event::Dismissal,
            () = admission.evicted() => Event::End,
            () = down(&mut news.shutdown) => Event::End,
            event = traffic => event,
        }
    }

    /// Whether the account of the client may still use the relay. A password that has ended meanwhile is
    /// good for what was allocated with it.
    fn is_welcome(&self) -> bool {
        let user = self.machine.user();
        user.is_none_or(|name| self.server.turn.knows(credentials::person(name)))
    }

    /// When to look again; nothing when the client has had its time.
    fn deadline(&self, wait: Duration) -> Option<Instant> {
        let now = Instant::now();
        let idle = match self.machine.user() {
            Some(_) => IDLE,
            None => self.server.config().limits.unauthenticated(),
        };
        let end = match self.idle_since {
            Some(since) => since + idle,
            None => self.began + LONGEST,
        };
        (end > now).then(|| end.min(now + wait.max(SHORTEST_WAIT)))
    }

    async fn frame(&mut self, frame: &[u8]) -> bool {
        let now = Instant::now();
        let throttle = self.server.config().limits.throttle;
        let passes = match machine::is_request(frame) {
            true => self.requests.pass(1, now),
            false => self.bytes.pass(frame.len() as u64, now),
        };
        if throttle && !passes {
            self.server.metrics.turn_dropped.increment();
            return true;
        }
        let actions = self.machine.from_client(frame, &*self.server, now);
        match self.machine.user() {
            Some(_) => drop(self.admission.authenticated()),
            None if self.strange < MOST_STRANGE => self.strange += 1,
            // Its address may be forged, and what is answered goes to somebody else.
            None => return false,
        }
        self.act(actions).await
    }

    async fn packet(&mut self, relay: SocketAddr, peer: SocketAddr, data: &[u8]) -> bool {
        let now = Instant::now();
        // Nothing that the client did not ask for counts as its own: anybody may send to the port.
        let Some(frame) = self.machine.from_peer(relay, peer, data, now) else { return true };
        let throttle = self.server.config().limits.throttle;
        if throttle && !self.bytes.pass(data.len() as u64, now) {
            self.server.metrics.turn_dropped.increment();
            return true;
        }
        self.server.metrics.turn_bytes.add(data.len() as u64);
        self.line.send(frame).await
    }

    async fn act(&mut self, actions: Vec<Action>) -> bool {
        let mut waiting: std::collections::VecDeque<Action> = actions.into();
        while let Some(action) = waiting.pop_front() {
            match action {
                Action::ToClient(frame) => {
                    if !self.line.send(frame).await {
                        return false;
                    }
                }
                Action::ToPeer { relay, peer, data } => {
                    if let Some(port) = self.ports.iter().find(|port| port.outside == relay) {
                        port.send(peer, &data);
                        self.server.metrics.turn_bytes.add(data.len() as u64);
                    }
                }
                Action::Allocate(family) => {
                    let name = self.machine.user().unwrap_or_default().to_owned();
                    let outcome = Port::take(&self.server, &name, family).map(|port| {
                        let outside = port.outside;
                        self.ports.push(port);
                        outside
                    });
                    if outcome.is_err() {
                        self.server.metrics.turn_refused.increment();
                    }
                    waiting.extend(self.machine.allocated(family, outcome, Instant::now()));
                }
                Action::Release(relay) => self.ports.retain(|port| port.outside != relay),
            }
        }
        self.idle_since = match self.ports.is_empty() {
            true => self.idle_since.or_else(|| Some(Instant::now())),
            false => None,
        };
        true
    }
}

/// The next packet for any of the client's addresses.
async fn receive(ports: &[Port], buffer: &mut [u8]) -> Event {
    loop {
        let port = match ports {
            [] => return std::future::pending().await,
            [port] => {
                port.readable().await;
                port
            }
            [first, second, ..] => tokio::select! {
                () = first.readable() => first,
                () = second.readable() => second,
            },
        };
        if let Some((length, peer)) = port.receive(buffer) {
            return Event::Packet { relay: port.outside, peer, length };
        }
    }
}

/// How long a connection may leave unread what it was sent.
const UNREAD: Duration = Duration::from_secs(10);
/// How long a client that has proven its password may be without a relay.
const IDLE: Duration = Duration::from_secs(60);
/// Nobody has a relay for longer than this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const SHORTEST_WAIT: Duration = Duration::from_millis(20);
/// Allocations, permissions, channels and their refreshes of one client.
const REQUESTS_PER_SECOND: u64 = 10;
/// Frames of a client that does not say who it is: enough to ask, to be asked for the password, and
/// to say everything again a few times.
const MOST_STRANGE: u32 = 16;

#[cfg(test)]
mod tests;
