//! One client connection: TLS where it is to be started, negotiation, then the life of the session
//! as long as the connection lasts.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant as Deadline, sleep, timeout},
};
use tokio_rustls::server::TlsStream;
use xmpp::{
    error::{Condition, StanzaError, StreamCondition, StreamError},
    ns,
    sm::{self, Nonza},
    stanza::{Kind, Stanza},
    stream::{
        Out, TlsInfo,
        server::{Established, Negotiation, Session as Outcome, Step},
    },
    xml::{Element, Event, Framing, Limits, Reader},
};

use super::{
    listen::{handshake, tls_info},
    negotiate::{Driver, Outcome as Negotiated},
    wire::{Output, Transport, read_into},
};
use crate::{
    ext::{archive, offline},
    im::presence,
    iq,
    limits::{Admission, Pace},
    push,
    router::message,
    server::Server,
    session::{
        Session, life,
        link::{Parting, Phase},
        resume,
    },
};

/// Where a connection comes from.
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Its place among the counted connections.
    pub admission: Admission,
    /// `tcp`, `tls`, `websocket` or `bosh`.
    pub transport: &'static str,
    /// What channel binding needs, on encrypted connections.
    pub info: Option<TlsInfo>,
}

/// A client that has logged in, over one of the byte streams.
pub enum Client {
    /// Without TLS: on loopback, where the operator allows it.
    Plain(Box<Connection<TcpStream>>),
    /// With TLS from the start, or after STARTTLS.
    Encrypted(Box<Connection<Encrypted>>),
}

/// A TLS connection. Boxed, because it is moved from future to future on its way.
pub type Encrypted = Box<TlsStream<TcpStream>>;

impl Client {
    /// Serves the client until its connection ends.
    pub async fn run(&mut self) {
        match self {
            Self::Plain(connection) => connection.run().await,
            Self::Encrypted(connection) => connection.run().await,
        }
    }
}

/// A connection that begins in plain text (RFC 6120 §5), up to its session.
pub async fn plain(server: Arc<Server>, mut stream: TcpStream, mut peer: Peer) -> Option<Client> {
    let mut begin = Begin::new(&server, Framing::Tcp, None);
    let first = begin.first_step(&server)?;
    match begin.negotiate(&server, &mut stream, &mut peer, first).await {
        Negotiated::Closed => None,
        Negotiated::Ready(established, session) => {
            let connection = begin.finish(server, stream, peer, &established, session);
            Some(Client::Plain(connection))
        }
        Negotiated::StartTls(waiting) => {
            // RFC 6120 §5.4.3.3: whatever came in plain text after <starttls/> is not to be trusted.
            begin.reader.discard_unread();
            let tls = server.tls.current();
            let mut stream = handshake(&server, &tls.starttls, stream, &peer).await?;
            let mut out = Out::new();
            let step = waiting.answer(tls_info(&stream, &tls), &mut out);
            out.apply(&mut begin.reader);
            match begin.negotiate(&server, &mut stream, &mut peer, step).await {
                Negotiated::Ready(established, session) => {
                    let connection = begin.finish(server, stream, peer, &established, session);
                    Some(Client::Encrypted(connection))
                }
                _ => None,
            }
        }
    }
}

/// A connection that needs no STARTTLS, up to its session: direct TLS (XEP-0368), or a WebSocket.
pub async fn established<T: Transport>(
    server: Arc<Server>,
    mut stream: T,
    mut peer: Peer,
    framing: Framing,
) -> Option<Box<Connection<T>>> {
    let mut begin = Begin::new(&server, framing, peer.info.take());
    let first = begin.first_step(&server)?;
    match begin.negotiate(&server, &mut stream, &mut peer, first).await {
        Negotiated::Ready(established, session) => {
            Some(begin.finish(server, stream, peer, &established, session))
        }
        _ => None,
    }
}

/// A connection before its session.
struct Begin {
    reader: Reader,
    framing: Framing,
    deadline: Deadline,
    read: usize,
    info: Option<TlsInfo>,
    /// Number of this connection among those of the session that it leads to.
    epoch: u64,
}

impl Begin {
    fn new(server: &Server, framing: Framing, info: Option<TlsInfo>) -> Self {
        Self {
            reader: Reader::new(Limits::BEFORE_AUTH, framing),
            framing,
            deadline: Deadline::now() + server.config().limits.unauthenticated(),
            read: 0,
            info,
            epoch: 0,
        }
    }

    fn first_step(&mut self, server: &Server) -> Option<Step> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).ok()?;
        let settings = server.stream_settings();
        let negotiation = Negotiation::new(settings, self.framing, self.info.take(), seed);
        Some(Step::Read(negotiation))
    }

    async fn negotiate<T: Transport>(
        &mut self,
        server: &Arc<Server>,
        transport: &mut T,
        peer: &mut Peer,
        step: Step,
    ) -> Negotiated {
        let mut driver = Driver {
            server,
            transport,
            reader: &mut self.reader,
            peer,
            deadline: self.deadline,
            read: &mut self.read,
            websocket: matches!(self.framing, Framing::WebSocket),
            tokens: Vec::new(),
            session: None,
            epoch: 0,
        };
        // Boxed: the memory of the negotiation is given back when it is over.
        let outcome = Box::pin(driver.run(step)).await;
        self.epoch = driver.epoch;
        if let Some(session) = driver.session.take() {
            // There is a session and its client never learned of it.
            part(server, &session, self.epoch, true).await;
        }
        outcome
    }

    /// The connection of a session. On the heap, so that it is in one place only, whichever futures
    /// it goes through.
    fn finish<T: Transport>(
        self,
        server: Arc<Server>,
        mut transport: T,
        peer: Peer,
        established: &Established,
        session: Arc<Session>,
    ) -> Box<Connection<T>> {
        transport.admitted();
        let websocket = matches!(self.framing, Framing::WebSocket);
        Box::new(Connection {
            pace: Pace::new(&server.config().limits, Instant::now()),
            unpaid: (0, 0),
            output: Output::new(websocket, session.full()),
            server,
            transport,
            reader: self.reader,
            session,
            epoch: self.epoch,
            resumed: matches!(established.session, Outcome::Resumed { .. }),
            websocket,
            _admission: peer.admission,
        })
    }
}

/// A connection with a session.
pub struct Connection<T> {
    server: Arc<Server>,
    transport: T,
    reader: Reader,
    output: Output,
    session: Arc<Session>,
    epoch: u64,
    pace: Pace,
    /// Stanzas and bytes that were read and not counted yet.
    unpaid: (u64, u64),
    resumed: bool,
    websocket: bool,
    /// Counted as long as the connection lasts.
    _admission: Admission,
}

/// Why a connection ended.
enum End {
    /// The client closed its stream: the session is over.
    Closed,
    /// The connection was lost: the session may be resumed.
    Lost,
    /// The session goes on over another connection.
    Replaced,
    /// We end the stream; the session may be resumed if the server is only shutting down.
    Error(StreamError),
}

impl<T: Transport> Connection<T> {
    /// Serves the client until the connection ends.
    pub async fn run(&mut self) {
        if self.resumed {
            self.session.link().rewrite(&mut self.output);
        }
        let end = self.serve().await;
        // Boxed, like all that is rare: an idle connection has no room set aside for it.
        Box::pin(self.finish(end)).await;
    }

    /// Reads and writes until the connection ends.
    async fn serve(&mut self) -> End {
        loop {
            // What the client sent so far is handled before anything is written, so that answers
            // and acknowledgements leave in one packet.
            if let Err(end) = self.handle_events().await {
                return end;
            }
            if let Err(end) = self.write().await {
                return end;
            }
            if let Err(end) = self.paced().await {
                return end;
            }
            let deadline = self.session.link().deadline();
            tokio::select! {
                biased;
                read = read_into(&mut self.transport, &mut self.reader) => match read {
                    Err(error) if error.kind() == ErrorKind::QuotaExceeded => {
                        return End::Error(StreamError::new(StreamCondition::PolicyViolation));
                    }
                    Ok(0) | Err(_) => return End::Lost,
                    Ok(length) => self.received(length),
                },
                () = self.session.woken() => {}
                () = until(&self.server, deadline), if deadline.is_some() => {}
            }
        }
    }

    fn received(&mut self, bytes: usize) {
        self.server.metrics.bytes_received.add(bytes as u64);
        self.unpaid.1 += bytes as u64;
    }

    /// Leaves the socket alone for a while when what was read was too much.
    async fn paced(&mut self) -> Result<(), End> {
        let mut pause = self.due();
        while pause > Duration::ZERO {
            let started = Instant::now();
            tokio::select! {
                () = sleep(pause) => return Ok(()),
                () = self.session.woken() => self.write().await?,
            }
            pause = pause.saturating_sub(started.elapsed());
        }
        Ok(())
    }

    /// How long the socket is to be left alone, because of what this connection and all of its account sent.
    fn due(&mut self) -> Duration {
        let read = std::mem::take(&mut self.unpaid);
        let metrics = &self.server.metrics;
        let (own, all) =
            self.server.paces.both(self.session.account.id, &mut self.pace, read, Instant::now());
        for (pause, counter) in [(own, &metrics.pauses_connection), (all, &metrics.pauses_account)]
        {
            if !pause.is_zero() {
                counter.increment();
            }
        }
        own.max(all)
    }

    /// Takes no further message while the store has more than enough to do: the load then slows
    /// its senders, over TCP, and none of their messages is refused. Others' are still written.
    async fn await_room(&mut self) -> Result<(), End> {
        let server = self.server.clone();
        let Some(mut room) = server.store.archive.room() else { return Ok(()) };
        loop {
            tokio::select! {
                _ = &mut room => return Ok(()),
                () = self.session.woken() => self.write().await?,
            }
        }
    }

    async fn handle_events(&mut self) -> Result<(), End> {
        loop {
            match self.reader.next() {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Stanza(stanza))) => {
                    self.unpaid.0 += 1;
                    if stanza.kind() == Kind::Message {
                        self.await_room().await?;
                    }
                    self.handle(stanza).await?;
                    // Many small requests can have large answers.
                    let heavy = self.session.link().is_heavy();
                    if heavy {
                        self.write().await?;
                    }
                }
                Ok(Some(Event::Oversized(head))) => self.oversized(&head)?,
                Ok(Some(Event::Close)) => return Err(End::Closed),
                Ok(Some(Event::Open(_))) => {
                    // RFC 6120 §4.3.3: after the session is bound there is nothing to restart for.
                    return Err(End::Error(StreamError::new(StreamCondition::BadFormat)));
                }
                Err(error) => {
                    self.server.metrics.errors_peer.increment();
                    return Err(End::Error(StreamError::new(error.stream_condition())));
                }
            }
        }
    }

    async fn handle(&mut self, stanza: Stanza) -> Result<(), End> {
        if stanza.kind() == Kind::Other {
            return self.nonza(&stanza);
        }
        if !self.addressed_by_itself(&stanza) {
            // RFC 6120 §8.1.2.1: a client speaks for nobody but itself.
            return Err(End::Error(StreamError::new(StreamCondition::InvalidFrom)));
        }
        let tag = self.session.link().receive(self.epoch).ok_or(End::Replaced)?;
        let (server, session) = (&self.server, &self.session);
        match stanza.kind() {
            Kind::Message => {
                server.metrics.messages_received.increment();
                // Whoever converses without presence has no reason to wait for others' messages.
                session.link().stop_awaiting();
                message::route(server, session, &stanza, tag).await;
            }
            Kind::Presence => {
                server.metrics.presence_received.increment();
                Box::pin(presence::route(server, session, &stanza)).await;
                session.settle(tag);
            }
            Kind::Iq | Kind::Other => {
                server.metrics.iq_received.increment();
                Box::pin(iq::route(server, session, &stanza)).await;
                session.settle(tag);
            }
        }
        Ok(())
    }

    fn addressed_by_itself(&self, stanza: &Stanza) -> bool {
        match stanza.from() {
            None => true,
            Some(from) => {
                *from == *self.session.full()
                    || *from == *self.session.account.bare()
                    || xmpp::jid::Jid::new(&from).is_ok_and(|jid| {
                        jid == self.session.jid || jid == *self.session.account.jid()
                    })
            }
        }
    }

    /// Stream management (XEP-0198) and client state (XEP-0352).
    fn nonza(&mut self, stanza: &Stanza) -> Result<(), End> {
        match (stanza.name(), stanza.ns().as_ref()) {
            ("active", ns::CSI) => self.session.link().set_inactive(false),
            ("inactive", ns::CSI) => self.session.link().set_inactive(true),
            (_, ns::SM) => return self.stream_management(stanza),
            _ => {
                let condition = StreamCondition::UnsupportedStanzaType;
                return Err(End::Error(StreamError::new(condition)));
            }
        }
        Ok(())
    }

    fn stream_management(&mut self, stanza: &Stanza) -> Result<(), End> {
        let mut link = self.session.link();
        let enabled = link.sm().is_some();
        match Nonza::parse(stanza) {
            Some(Nonza::Request) if enabled => link.ask(),
            Some(Nonza::Ack(h)) if enabled => {
                let acknowledged = link.acknowledge(h);
                drop(link);
                let ids = acknowledged.map_err(|error| End::Error(error.stream_error()))?;
                life::delivered(&self.server, &self.session.account, ids);
            }
            Some(Nonza::Enable(enable)) => {
                drop(link);
                let answer = enable_sm(&self.server, &self.session, &enable);
                self.element(&answer);
            }
            // §3: nothing may be said about acknowledgements that were not enabled, and a session
            // that is bound has nothing to resume.
            _ => {
                drop(link);
                self.element(&sm::failed(Condition::UnexpectedRequest, None));
            }
        }
        Ok(())
    }

    /// A stanza over the limit: its sender is told, the stream goes on (contract of XEP-0478).
    fn oversized(&mut self, head: &Stanza) -> Result<(), End> {
        self.server.metrics.errors_peer.increment();
        let tag = self.session.link().receive(self.epoch).ok_or(End::Replaced)?;
        let error = StanzaError::new(Condition::PolicyViolation)
            .with_text("the stanza is larger than this server allows");
        match head.kind() {
            Kind::Message => message::bounce(&self.session, head, &error),
            Kind::Iq => iq::refuse(&self.session, head, &error),
            Kind::Presence | Kind::Other => {}
        }
        self.session.settle(tag);
        Ok(())
    }

    /// Writes what waits, until nothing does.
    async fn write(&mut self) -> Result<(), End> {
        loop {
            let (written, failed) = {
                let mut link = self.session.link();
                if link.epoch() != self.epoch || link.phase == Phase::Ended {
                    return match link.closing() {
                        Some(error) => Err(End::Error(error)),
                        None => Err(End::Replaced),
                    };
                }
                let failed = link.take_failed();
                let written = link.write(self.server.now(), &mut self.output, WRITE_SIZE);
                (written, failed)
            };
            for stanza in &failed {
                archive::forget(&self.server, &self.session, stanza);
                let error = StanzaError::new(Condition::ResourceConstraint)
                    .with_text("the message could not be stored; try again later");
                message::bounce(&self.session, stanza, &error);
            }
            self.server.metrics.bytes_sent.add(self.output.len() as u64);
            self.server.metrics.sent(&written.stanzas);
            if self.output.flush(&mut self.transport).await.is_err() {
                return Err(End::Lost);
            }
            life::delivered(&self.server, &self.session.account, written.delivered);
            let wants = self.session.link().wants_backlog();
            if wants {
                offline::hand_over(&self.server, &self.session).await;
            }
            let mut link = self.session.link();
            if !link.has_more() && !link.wants_backlog() {
                return match link.closing() {
                    Some(error) => {
                        if error.condition == StreamCondition::ResourceConstraint {
                            self.server.metrics.queue_overflows.increment();
                        }
                        Err(End::Error(error))
                    }
                    None => Ok(()),
                };
            }
        }
    }

    fn element(&mut self, element: &Element) {
        let parent = if self.websocket { "" } else { ns::CLIENT };
        self.output.element(&element.to_bytes(parent));
    }

    /// Says goodbye as far as there is somebody to hear it, and ends or keeps the session.
    async fn finish(&mut self, end: End) {
        let shutdown = *self.server.shutdown.borrow();
        let lost = matches!(end, End::Lost);
        let (error, keep) = match end {
            End::Closed => (None, false),
            End::Lost => (None, true),
            End::Replaced => (Some(StreamError::new(StreamCondition::Conflict)), true),
            End::Error(error) => {
                let keep = shutdown && error.condition == StreamCondition::SystemShutdown;
                (Some(error), keep)
            }
        };
        let now = self.server.now();
        let current = self.session.link().epoch() == self.epoch;
        if current && !lost {
            // Acknowledgements that are due are still written: they save the client a repetition.
            self.session.link().write(now, &mut self.output, WRITE_SIZE);
        }
        part(&self.server, &self.session, self.epoch, keep).await;
        self.close(error).await;
    }

    async fn close(&mut self, error: Option<StreamError>) {
        let goodbye = async {
            if let Some(error) = error {
                self.output.element(&error.to_bytes());
            }
            let close: &[u8] = if self.websocket {
                b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
            } else {
                b"</stream:stream>"
            };
            self.output.element(close);
            self.output.flush(&mut self.transport).await?;
            self.transport.shutdown().await
        };
        // A client that does not read does not get to keep the connection.
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

/// Connection `epoch` of a session has ended: the session waits for its client if it may, and ends
/// otherwise.
async fn part(server: &Arc<Server>, session: &Arc<Session>, epoch: u64, keep: bool) {
    let (parting, owed) = {
        let mut link = session.link();
        let owed = link.owes_messages();
        (link.detach(epoch, server.now(), keep), owed)
    };
    if owed && parting != Parting::Replaced {
        push::left(server, session);
    }
    if parting == Parting::Waits {
        offline::interrupted(&mut session.account.lock(), session);
    }
    if parting == Parting::Ends {
        life::end(server, session).await;
    }
}

/// Answers `<enable/>` (XEP-0198 §3).
pub fn enable_sm(server: &Server, session: &Arc<Session>, enable: &sm::Enable) -> Element {
    if !session.link().enable_sm(server.sm_limits()) {
        return sm::failed(Condition::UnexpectedRequest, None);
    }
    let mut enabled = sm::Enabled { id: None, max: None, location: None };
    if enable.resume
        && let Ok(id) = resume::fresh_id()
    {
        session.link().set_resumption(&id);
        server.resumable.insert(&id, session.clone());
        let seconds = server.config().limits.resume().as_secs();
        enabled.max = u32::try_from(seconds).ok();
        enabled.id = Some(id);
    }
    enabled.element()
}

async fn until(server: &Server, deadline: Option<xmpp::time::Millis>) {
    let now = server.now();
    let pause = deadline.map_or(0, |deadline| deadline.0.saturating_sub(now.0));
    sleep(Duration::from_millis(pause)).await;
}

/// XML that is written at a time, so that a large queue does not become a large buffer.
const WRITE_SIZE: usize = 64 * 1024;
/// How long a connection may take to hear why it ends.
const GOODBYE: Duration = Duration::from_secs(5);
