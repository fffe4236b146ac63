//! Opening a stream to another server: find it, connect, encrypt, prove who we are.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use rustls::pki_types::ServerName;
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    sync::SemaphorePermit,
    time::{Instant as Deadline, sleep_until, timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use xmpp::{
    sasl::Secret,
    stream::{
        Out,
        s2s::{
            dialback::Verdict,
            initiating::{Established, Negotiation, Purpose, Settings, Step, TlsPending},
            receiving::Pair,
        },
    },
    xml::{Framing, Limits, Reader},
};

use super::{
    Facts, Remote, dane, dialback, host_meta,
    inbound::Inbound,
    known::KnownBy,
    outgoing::{Failure, Input, Managed},
    policy, posh,
    race::Race,
    reached,
    resolve::{self, Place},
    stream::{Beginning, Stream},
};
use crate::{
    dns::Tlsa,
    limits::Pace,
    net::{
        listen::configure,
        wire::{Transport, read_into},
    },
    server::Server,
};

type Connection = Box<TlsStream<TcpStream>>;

/// A connection that was negotiated, for one purpose or the other.
enum Ready {
    Stanzas(Box<(Connection, Reader, Established, KnownBy)>),
    Verdict(Verdict),
}

/// Opens a stream for a queue and serves it until it ends.
pub(super) async fn run(server: Arc<Server>, remote: Arc<Remote>) {
    let Some(place) = place(&server, &remote).await else { return };
    let opened = Box::pin(open(&server, &remote.pair, Purpose::Stanzas)).await;
    drop(place);
    let (connection, reader, established, known_by) = match opened {
        Ok(Ready::Stanzas(opened)) => *opened,
        Ok(Ready::Verdict(_)) => return,
        Err(failure) => {
            let failure = reached::judged(&server, &remote.pair.remote, failure);
            server.metrics.s2s_failed.increment();
            let known = remote.lock().queue.failure().is_some();
            if known {
                tracing::debug!(remote = remote.pair.remote, reason = failure.reason, "s2s_failed");
            } else {
                tracing::info!(remote = remote.pair.remote, reason = failure.reason, "s2s_failed");
            }
            remote.input(&server, Input::Failed(failure));
            return;
        }
    };
    let facts = Facts {
        pair: remote.pair.clone(),
        incoming: false,
        proof: established.proof,
        known_by,
        bidi: established.bidi,
        managed: false,
        since: server.steady(),
        end: Arc::default(),
    };
    let place = server.s2s.streams.open(facts);
    let carrier = place.number();
    server.s2s.reached.note(&server, &remote.pair.remote);
    let mut stream = Stream {
        reader,
        transport: connection,
        place,
        pair: remote.pair.clone(),
        inbound: established.bidi.then(|| Inbound::new(remote.pair.clone())),
        epoch: 0,
        outbound: Some(remote.clone()),
        beginning: Beginning::Over,
        output: Vec::new(),
        pace: pace(&server),
        unpaid: (0, 0),
        busy: Instant::now(),
        unanswered: None,
        server: server.clone(),
    };
    remote.input(&server, Input::Limited(established.max_bytes));
    if established.sm {
        let session = {
            let mut state = remote.lock();
            let session = state.session.take().filter(|session| session.ours);
            state.session = session.filter(|_| state.queue.resumable());
            state.session.clone()
        };
        stream.ask_to_manage(session);
    } else {
        remote.lock().session = None;
        remote.input(&server, Input::Opened { carrier, managed: Managed::Not });
    }
    stream.run().await;
}

/// Waits until there is a place among those that look for other servers. `None` when nothing waits for this
/// one any more.
async fn place<'a>(server: &'a Arc<Server>, remote: &Arc<Remote>) -> Option<SemaphorePermit<'a>> {
    let attempts = &server.s2s.attempts;
    if let Ok(place) = attempts.try_acquire() {
        return Some(place);
    }
    let place = attempts.acquire().await.ok()?;
    if remote.lock().queue.is_empty() {
        let reason = "too many other servers were looked for at the same time";
        remote.input(server, Input::Failed(Failure::passing(reason)));
        return None;
    }
    Some(place)
}

/// Asks the server of `pair.remote` whether it made a key for our stream `id`.
///
/// # Errors
/// Why it cannot be asked.
pub(super) async fn verify(
    server: &Arc<Server>,
    pair: &Pair,
    id: String,
    key: String,
) -> Result<Verdict, Failure> {
    let moment = Deadline::now() + CONCEALED;
    let opened = Box::pin(open(server, pair, Purpose::Verify { id, key })).await;
    if opened.as_ref().is_err_and(|failure| failure.concealed) {
        sleep_until(moment).await;
    }
    match opened? {
        Ready::Verdict(verdict) => Ok(verdict),
        Ready::Stanzas(..) => Err(Failure::passing("the question was not asked")),
    }
}

/// The pace of one stream.
pub(super) fn pace(server: &Server) -> Pace {
    let config = server.config();
    let federation = &config.federation;
    let mut limits = config.limits.clone();
    limits.stanzas_per_second = federation.stanzas_per_second;
    limits.bytes_per_second = federation.bytes_per_second;
    Pace::new(&limits, Instant::now())
}

/// Bounds of what a server that is known may send.
pub(super) fn limits(server: &Server) -> Limits {
    let bytes = server.config().federation.stanza_bytes;
    Limits { element_bytes: usize::try_from(bytes).unwrap_or(usize::MAX), ..Limits::SERVER }
}

/// Tries the places of a domain until a stream is negotiated.
async fn open(server: &Arc<Server>, pair: &Pair, purpose: Purpose) -> Result<Ready, Failure> {
    let config = server.config();
    policy::permits(&config, &pair.remote)
        .map_err(|refused| Failure::permanent(refused.reason()))?;
    let listed = config.federation.hosts.contains(&pair.remote);
    let conceals = policy::conceals(&config, &pair.remote);
    let known = match conceals {
        // Before its web server is asked: whether somebody answers there is concealed as well.
        true => Some(resolve::places(&config, &pair.remote).await?),
        false => None,
    };
    let named = match listed {
        true => Vec::new(),
        false => host_meta::places(server, &pair.remote).await,
    };
    match Box::pin(first_of(server, pair, &named, listed, &purpose)).await {
        Ok(ready) => return Ok(ready),
        Err(Failure { reason, .. }) if !named.is_empty() => {
            tracing::debug!(remote = pair.remote, reason, "s2s_delegation_failed");
        }
        Err(_) => {}
    }
    let places = match known {
        Some(places) => places,
        None => resolve::places(&config, &pair.remote).await?,
    };
    let opened = Box::pin(first_of(server, pair, &places, listed, &purpose)).await;
    opened.map_err(|failure| if conceals { failure.concealed() } else { failure })
}

/// Tries places, those of one priority at the same time: a connection that does not lead to a stream makes
/// room for the next.
async fn first_of(
    server: &Arc<Server>,
    pair: &Pair,
    mut places: &[Place],
    listed: bool,
    purpose: &Purpose,
) -> Result<Ready, Failure> {
    let mut last = None;
    while !places.is_empty() {
        let (equals, rest) = resolve::equals(places);
        places = rest;
        // In `hosts` the operator says where to connect to, elsewhere whoever has the domain.
        let private = listed || server.config().federation.private_addresses;
        let mut race = Race::new(equals, private);
        loop {
            let (place, socket) = match race.next().await {
                Ok(connected) => connected,
                Err(failure) => {
                    // What somebody who was reached said tells more.
                    last.get_or_insert(failure);
                    break;
                }
            };
            match Box::pin(attempt(server, pair, place, socket, listed, purpose.clone())).await {
                Ok(ready) => return Ok(ready),
                // While one of them may work later, waiting helps.
                Err(failure) if failure.permanent && last.is_some() => {}
                Err(failure) => last = Some(failure),
            }
        }
    }
    Err(last.unwrap_or_else(|| Failure::passing("there is no place to try")))
}

async fn attempt(
    server: &Arc<Server>,
    pair: &Pair,
    place: &Place,
    socket: TcpStream,
    listed: bool,
    purpose: Purpose,
) -> Result<Ready, Failure> {
    let zone = dane::records(place).await?;
    if let Err(error) = configure(&socket) {
        tracing::debug!(%error, "cannot set socket options");
    }
    let deadline = Deadline::now() + server.config().limits.unauthenticated();
    let mut attempt = Attempt {
        server,
        pair,
        place,
        zone: &zone,
        listed,
        known_by: None,
        deadline,
        reader: Reader::new(Negotiation::LIMITS, Framing::Tcp),
        out: Out::new(),
    };
    let settings = attempt.settings(purpose);
    if place.tls {
        let connection = attempt.encrypt(socket, true).await?;
        let trusted = attempt.known_by.is_some();
        let started = Negotiation::start(settings, true, trusted, &mut attempt.out);
        return attempt.encrypted(connection, Step::Read(started)).await;
    }
    let mut socket = socket;
    let started = Negotiation::start(settings, false, false, &mut attempt.out);
    let pending = attempt.plain(&mut socket, started).await?;
    let connection = attempt.encrypt(socket, false).await?;
    let step = pending.answer(attempt.known_by.is_some(), &mut attempt.out);
    attempt.encrypted(connection, step).await
}

/// One connection on its way to a stream.
struct Attempt<'a> {
    server: &'a Arc<Server>,
    pair: &'a Pair,
    place: &'a Place,
    /// Which certificates the zone names for the place.
    zone: &'a [Tlsa],
    listed: bool,
    /// What the certificate there proved, if it did.
    known_by: Option<KnownBy>,
    deadline: Deadline,
    reader: Reader,
    out: Out,
}

impl Attempt<'_> {
    fn settings(&self, purpose: Purpose) -> Settings {
        let allowed = policy::dialback(&self.server.config(), &self.pair.remote);
        Settings {
            local: self.pair.local.clone(),
            remote: self.pair.remote.clone(),
            bidi: true,
            dialback: allowed.then(|| Secret::from(dialback::secret(self.server).to_vec())),
            purpose,
            reader_limits: limits(self.server),
        }
    }

    /// Until TLS is to be started.
    async fn plain(
        &mut self,
        socket: &mut TcpStream,
        started: Negotiation,
    ) -> Result<TlsPending, Failure> {
        match self.talk(socket, Step::Read(started)).await? {
            Step::StartTls(pending) => Ok(pending),
            _ => Err(Failure::passing("the other server skipped encryption")),
        }
    }

    /// The handshake. Finds out what the certificate proves; where dialback is not allowed, it has to
    /// prove that the peer is the domain.
    async fn encrypt(&mut self, socket: TcpStream, direct: bool) -> Result<Connection, Failure> {
        let domain = &self.pair.remote;
        let served = self.server.tls.current();
        let config = if direct { &served.s2s_out_direct } else { &served.s2s_out };
        let delegated = self.place.delegated.as_ref();
        let asked = delegated.map_or(domain.as_str(), |delegated| &delegated.sni);
        let ascii = idna::domain_to_ascii(asked).unwrap_or_default();
        let name = ServerName::try_from(ascii)
            .map_err(|_| Failure::permanent(format!("{domain} cannot stand in a certificate")))?;
        let handshake = TlsConnector::from(config.clone()).connect(name, socket);
        let limit = self.server.config().limits.handshake();
        let stream = match timeout(limit, handshake).await {
            Ok(Ok(stream)) => Box::new(stream),
            Ok(Err(error)) => {
                return Err(Failure::passing(format!("the TLS handshake failed: {error}")));
            }
            Err(_) => return Err(Failure::passing("the TLS handshake took too long")),
        };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let trust = self.server.s2s.trust.read().clone();
        let pinned = delegated.and_then(|delegated| delegated.pinned(chain));
        if pinned == Some(false) {
            return Err(Failure::passing(format!(
                "{} has another key than its domain says (host-meta)",
                self.place.host
            )));
        }
        // XEP-0487 §2.2 rule 1: valid for the name that was sent or for the domain, or pinned.
        let valid = |name: &str| trust.check(chain, name, self.listed, SystemTime::now());
        let check = || match pinned {
            Some(true) => Ok(KnownBy::HostMeta),
            _ => valid(domain)
                .map(|()| KnownBy::Certificate)
                .or_else(|reason| valid(asked).map(|()| KnownBy::HostMeta).map_err(|_| reason)),
        };
        let public = || check().map(drop);
        let mut proven = match dane::check(self.zone, chain, &[domain, &self.place.host], public) {
            dane::Verdict::Proven => Ok(KnownBy::Dane),
            dane::Verdict::Refuted => {
                return Err(Failure::passing(format!(
                    "{} has another certificate than its zone says (DANE)",
                    self.place.host
                )));
            }
            dane::Verdict::Silent => check(),
        };
        let chain: Vec<_> = chain.iter().map(|one| one.clone().into_owned()).collect();
        let unknown = proven.is_err() && !self.listed;
        if unknown && posh::vouches(self.server, domain, &chain).await {
            proven = Ok(KnownBy::Posh);
        }
        match proven {
            Ok(known_by) => {
                self.known_by = Some(known_by);
                Ok(stream)
            }
            Err(_) if policy::dialback(&self.server.config(), domain) => Ok(stream),
            Err(reason) => {
                Err(Failure::passing(format!("the other server is not trusted: {reason}")))
            }
        }
    }

    async fn encrypted(mut self, mut connection: Connection, step: Step) -> Result<Ready, Failure> {
        match self.talk(&mut connection, step).await? {
            Step::Established(established) => {
                let known_by = self.known_by.unwrap_or(KnownBy::Dialback);
                Ok(Ready::Stanzas(Box::new((connection, self.reader, established, known_by))))
            }
            Step::Verified(verdict) => {
                let _ = timeout_at(self.deadline, connection.shutdown()).await;
                Ok(Ready::Verdict(verdict))
            }
            _ => Err(Failure::passing("the other server wants encryption twice")),
        }
    }

    /// Feeds the negotiation until it wants something else than to read.
    async fn talk<T: Transport>(
        &mut self,
        transport: &mut T,
        mut step: Step,
    ) -> Result<Step, Failure> {
        loop {
            self.write(transport).await?;
            let negotiation = match step {
                Step::Read(negotiation) => negotiation,
                Step::Failed(error) => return Err(Failure::passing(error.to_string())),
                other => return Ok(other),
            };
            step = loop {
                match self.reader.next() {
                    Ok(Some(event)) => break negotiation.handle(event, &mut self.out),
                    Ok(None) => {}
                    Err(error) => {
                        return Err(Failure::passing(format!(
                            "what the other server sends is not XMPP: {error}"
                        )));
                    }
                }
                let read = timeout_at(self.deadline, read_into(transport, &mut self.reader)).await;
                match read {
                    Ok(Ok(0)) => {
                        return Err(Failure::passing("the other server closed the connection"));
                    }
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        return Err(Failure::passing(format!("the connection broke: {error}")));
                    }
                    Err(_) => return Err(Failure::passing("the other server takes too long")),
                }
            };
        }
    }

    async fn write<T: Transport>(&mut self, transport: &mut T) -> Result<(), Failure> {
        if !self.out.is_empty() {
            let writing = async {
                transport.write_all(self.out.bytes()).await?;
                transport.flush().await
            };
            let broken = |error| Failure::passing(format!("the connection broke: {error}"));
            timeout_at(self.deadline, writing)
                .await
                .map_err(|_| Failure::passing("the other server takes too long"))?
                .map_err(|error: std::io::Error| broken(error))?;
        }
        self.out.apply(&mut self.reader);
        Ok(())
    }
}

/// When a peer that wants a key verified hears of a failure that is concealed.
const CONCEALED: Duration = Duration::from_secs(30);
