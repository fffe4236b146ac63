//! Streams of other servers, from the first byte until they are negotiated.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use rustls::pki_types::CertificateDer;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    time::{Instant as Deadline, sleep_until, timeout, timeout_at},
};
use tokio_rustls::server::TlsStream;
use xmpp::{
    error::{StreamCondition, StreamError},
    stream::{
        Out,
        s2s::receiving::{
            Established, Negotiation, Pair, Settings, Step, Terms, TlsPending, Waiting,
        },
        server::StreamLimits,
    },
    xml::{Event, Framing, Limits, Reader},
};

use super::{
    Facts, connect, dane, dialback, host_meta,
    inbound::Inbound,
    known::KnownBy,
    outgoing::Input,
    policy, posh,
    stream::{Beginning, Stream},
};
use crate::{
    config::Config,
    net::{
        conn::Peer,
        listen::{down, handshake},
        wire::{Transport, read_into},
    },
    server::Server,
};

/// Bytes that a server may send before it has proven who it is.
const BUDGET: usize = 32 * 1024;

/// What is offered to other servers.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    let bytes =
        |bytes: usize| StreamLimits { max_bytes: u32::try_from(bytes).ok(), idle_seconds: None };
    let most = usize::try_from(config.federation.stanza_bytes).unwrap_or(usize::MAX);
    let mut domains = vec![config.domain.clone()];
    domains.extend(config.virtual_hosts().into_iter().map(|(name, _)| name));
    Settings {
        domains,
        lang: "en".into(),
        stream_management: true,
        bidi: true,
        limits_before: bytes(Limits::BEFORE_AUTH.element_bytes),
        limits_after: bytes(most),
        reader_limits: Limits { element_bytes: most, ..Limits::SERVER },
    }
}

/// A connection that begins in plain text.
pub async fn plain(server: Arc<Server>, mut stream: TcpStream, mut peer: Peer) {
    let Some(mut driver) = Driver::new(&server, Vec::new()) else { return };
    let first = driver.first(false);
    let Outcome::StartTls(waiting) = driver.run(&mut stream, &mut peer, first).await else {
        return;
    };
    driver.reader.discard_unread();
    let tls = server.tls.current();
    let Some(mut stream) = handshake(&server, &tls.s2s, stream, &peer).await else { return };
    driver.chain = chain(&stream);
    let mut out = Out::new();
    let step = waiting.answer(&mut out);
    out.apply(&mut driver.reader);
    if let Outcome::Ready(established) = driver.run(&mut stream, &mut peer, step).await {
        serve(server, stream, driver, established, peer).await;
    }
}

/// A connection that is encrypted from the start (XEP-0368).
pub async fn direct(server: Arc<Server>, mut stream: Box<TlsStream<TcpStream>>, mut peer: Peer) {
    let Some(mut driver) = Driver::new(&server, chain(&stream)) else { return };
    let first = driver.first(true);
    if let Outcome::Ready(established) = driver.run(&mut stream, &mut peer, first).await {
        serve(server, stream, driver, established, peer).await;
    }
}

fn chain(stream: &TlsStream<TcpStream>) -> Vec<CertificateDer<'static>> {
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    chain.iter().map(|certificate| certificate.clone().into_owned()).collect()
}

async fn serve(
    server: Arc<Server>,
    mut transport: Box<TlsStream<TcpStream>>,
    driver: Driver,
    established: Established,
    mut peer: Peer,
) {
    peer.admission.authenticated();
    let Established { pair, proof, bidi, .. } = established;
    let since = server.steady();
    let known_by = KnownBy::of(proof, driver.known_by);
    let (incoming, managed) = (true, false);
    let end = Arc::default();
    let facts = Facts { pair: pair.clone(), incoming, proof, known_by, bidi, managed, since, end };
    let most = server.config().federation.streams_per_domain;
    let Some(place) = server.s2s.streams.admit(facts, most) else {
        return turn_away(&server, &pair, &mut transport).await;
    };
    server.s2s.reached.note(&server, &pair.remote);
    let remote = server.s2s.remote(&pair.local, &pair.remote);
    // It is there: whatever waits for it need not wait any longer.
    remote.input(&server, Input::Heard);
    let stream = Stream {
        reader: driver.reader,
        transport,
        place,
        inbound: Some(Inbound::new(pair.clone())),
        epoch: 0,
        outbound: bidi.then_some(remote),
        beginning: if bidi { Beginning::Waiting(Instant::now()) } else { Beginning::Over },
        output: Vec::new(),
        pace: connect::pace(&server),
        unpaid: (0, 0),
        busy: Instant::now(),
        unanswered: None,
        pair,
        server,
    };
    stream.run().await;
}

/// A domain has too many streams already. It is told, and so is the operator.
async fn turn_away(server: &Server, pair: &Pair, transport: &mut TlsStream<TcpStream>) {
    let reason = "it has too many streams open to this server";
    server.metrics.s2s_refused.increment();
    if server.s2s.refused(pair, reason, server.steady()) {
        tracing::info!(remote = pair.remote, reason, "s2s_refused");
    }
    let error = StreamError::new(StreamCondition::ResourceConstraint);
    let error = error.with_text("too many streams of this domain").to_bytes();
    let goodbye = [&error[..], b"</stream:stream>"].concat();
    let writing = async {
        transport.write_all(&goodbye).await?;
        transport.shutdown().await
    };
    let _ = timeout(server.config().limits.handshake(), writing).await;
}

/// How a negotiation ended.
enum Outcome {
    StartTls(Waiting<TlsPending>),
    Ready(Established),
    Closed,
}

/// A stream on its way to being known.
struct Driver {
    server: Arc<Server>,
    reader: Reader,
    deadline: Deadline,
    read: usize,
    /// The certificates that the peer showed.
    chain: Vec<CertificateDer<'static>>,
    /// What they prove, if they do.
    known_by: Option<KnownBy>,
    seed: [u8; 32],
}

impl Driver {
    fn new(server: &Arc<Server>, chain: Vec<CertificateDer<'static>>) -> Option<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).ok()?;
        Some(Self {
            server: server.clone(),
            reader: Reader::new(Limits::BEFORE_AUTH, Framing::Tcp),
            deadline: Deadline::now() + server.config().limits.unauthenticated(),
            read: 0,
            chain,
            known_by: None,
            seed,
        })
    }

    fn first(&mut self, encrypted: bool) -> Step {
        let settings = self.server.s2s_settings();
        Step::Read(Negotiation::new(settings, encrypted, self.seed))
    }

    async fn run<T: Transport>(
        &mut self,
        transport: &mut T,
        peer: &mut Peer,
        mut step: Step,
    ) -> Outcome {
        let mut out = Out::new();
        loop {
            if self.write(transport, &mut out).await.is_err() {
                return Outcome::Closed;
            }
            step = match step {
                Step::Read(negotiation) => match self.event(transport, peer).await {
                    Ok(event) => negotiation.handle(event, &mut out),
                    Err(Some(error)) => {
                        negotiation.fail(error, &mut out);
                        Step::Closed(None)
                    }
                    Err(None) => return Outcome::Closed,
                },
                Step::StartTls(waiting) => return Outcome::StartTls(waiting),
                Step::Identify(pair, waiting) => match self.identify(&pair).await {
                    Ok(terms) => waiting.answer(terms, &mut out),
                    Err(error) => {
                        waiting.fail(error, &mut out);
                        Step::Closed(None)
                    }
                },
                Step::Check(claim, id, waiting) => {
                    let checking = dialback::check(&self.server, claim, id);
                    match timeout_at(self.deadline, checking).await {
                        Ok(verdict) => waiting.answer(&verdict, &mut out),
                        Err(_) => {
                            let late = StreamCondition::RemoteConnectionFailed;
                            waiting.fail(StreamError::new(late), &mut out);
                            Step::Closed(None)
                        }
                    }
                }
                Step::Vouch(claim, waiting) => {
                    let verdict = dialback::vouch(&self.server, &claim);
                    let valid = verdict == xmpp::stream::s2s::dialback::Verdict::Valid;
                    waiting.answer(valid, &mut out)
                }
                Step::Established(established) => return Outcome::Ready(established),
                Step::Closed(_) => {
                    let _ = self.write(transport, &mut out).await;
                    let _ = timeout_at(self.deadline, transport.shutdown()).await;
                    return Outcome::Closed;
                }
            };
        }
    }

    /// What the certificate proves, and what the operator allows.
    async fn identify(&mut self, pair: &Pair) -> Result<Terms, StreamError> {
        let config = self.server.config();
        // A component's domain is spoken for by who knows its secret, and has its permissions.
        if config.components.hosts.contains(&pair.remote) {
            let error = StreamError::new(StreamCondition::PolicyViolation);
            return Err(error.with_text("a component of this server has this domain"));
        }
        if let Err(refused) = policy::permits(&config, &pair.remote) {
            let error = StreamError::new(StreamCondition::PolicyViolation);
            return Err(error.with_text(refused.reason()));
        }
        let trust = self.server.s2s.trust.read().clone();
        let listed = config.federation.hosts.contains(&pair.remote);
        let named = |name: &str| trust.check(&self.chain, name, listed, SystemTime::now());
        let checked = named(&pair.remote);
        let (server, domain, chain) = (&self.server, &pair.remote, &self.chain);
        self.known_by = match checked.is_ok() {
            true => Some(KnownBy::Certificate),
            // Nobody is asked about a peer that shows no certificate, who may have no connection with
            // the domain it names at all.
            false if listed || chain.is_empty() => None,
            false if dane::vouches(domain, chain).await => Some(KnownBy::Dane),
            false
                if host_meta::vouches(server, domain, chain, |name| named(name).is_ok()).await =>
            {
                Some(KnownBy::HostMeta)
            }
            false if posh::vouches(server, domain, chain).await => Some(KnownBy::Posh),
            false => None,
        };
        let dialback = policy::dialback(&config, &pair.remote);
        if let (Err(reason), None, false) = (&checked, self.known_by, dialback) {
            let reason = format!("it connected and was not let in: {reason}");
            self.server.metrics.s2s_refused.increment();
            if self.server.s2s.refused(pair, &reason, self.server.steady()) {
                tracing::info!(remote = pair.remote, reason, "s2s_refused");
            }
        }
        Ok(Terms { certificate: self.known_by.is_some(), dialback })
    }

    /// The next event, the error to end the stream with, or nothing when the peer is gone.
    async fn event<T: Transport>(
        &mut self,
        transport: &mut T,
        peer: &mut Peer,
    ) -> Result<Event, Option<StreamError>> {
        let mut shutdown = self.server.shutdown.subscribe();
        loop {
            match self.reader.next() {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => return Err(Some(StreamError::new(error.stream_condition()))),
            }
            let end = |condition| Err(Some(StreamError::new(condition)));
            let read = tokio::select! {
                read = read_into(transport, &mut self.reader) => read,
                () = sleep_until(self.deadline) => {
                    self.server.metrics.login_timeouts.increment();
                    return end(StreamCondition::ConnectionTimeout);
                }
                () = peer.admission.evicted() => return end(StreamCondition::ResourceConstraint),
                () = down(&mut shutdown) => return end(StreamCondition::SystemShutdown),
            };
            match read {
                Ok(0) | Err(_) => return Err(None),
                Ok(length) => self.read += length,
            }
            if self.read > BUDGET {
                return end(StreamCondition::PolicyViolation);
            }
        }
    }

    async fn write<T: Transport>(
        &mut self,
        transport: &mut T,
        out: &mut Out,
    ) -> std::io::Result<()> {
        if !out.is_empty() {
            let writing = async {
                transport.write_all(out.bytes()).await?;
                transport.flush().await
            };
            timeout(self.server.config().limits.handshake(), writing).await??;
        }
        out.apply(&mut self.reader);
        Ok(())
    }
}
