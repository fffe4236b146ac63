//! From an address to a bound session.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::{Context, Result, anyhow, bail};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use xmpp::jid::BareJid;
use xmpp::sasl::scram_client::{ClientKeys, Credential};
use xmpp::sasl::{Hash, Mechanism, Secret, TlsInfo};
use xmpp::sm;
use xmpp::stream::Out;
use xmpp::stream::client::{Established, Managed, Negotiation, Preference, Settings, Step};
use xmpp::xml::{Framing, Limits, Reader};

use crate::connection::{Connection, Frame, Secured};

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// At once (XEP-0368).
    Direct,
    /// After `<starttls/>` (RFC 6120 §5).
    StartTls,
}

/// A server to put load on.
#[derive(Clone)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its domain, also the name its certificate must have.
    pub domain: String,
    /// When TLS begins.
    pub tls: Tls,
    /// Whether it is our relay, which knows no SCRAM, presence, IQ or XEP-0198.
    pub relay: bool,
    /// The password of all accounts.
    pub password: String,
    connector: TlsConnector,
    web: TlsConnector,
    /// The keys of earlier logins: deriving them anew costs thousands of hashes,
    /// which would make the load generator the slower side.
    keys: Arc<Mutex<HashMap<String, ClientKeys>>>,
}

/// A bound session.
#[derive(Debug)]
pub struct Session {
    /// Its stream.
    pub connection: Connection<Secured>,
    /// What became of XEP-0198, where it was asked for.
    pub managed: Option<Managed>,
    /// Stanzas sent since stream management is on, for comparison with `h`.
    pub sent: u32,
}

/// What a session switches on after binding.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// XEP-0198 with resumption.
    pub stream_management: bool,
    /// Initial presence, and wait until the server has seen it.
    pub presence: bool,
}

impl Target {
    /// A target whose certificate is signed by (or is) the one in the PEM file `ca`.
    pub fn new(address: SocketAddr, domain: &str, ca: &Path, password: &str) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(ca);
        for certificate in certificates.with_context(|| format!("cannot read {}", ca.display()))? {
            roots.add(certificate?)?;
        }
        let mut config =
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        // A resumed handshake is cheaper; what is compared are full ones.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let web = TlsConnector::from(Arc::new(config.clone()));
        config.alpn_protocols = vec![b"xmpp-client".to_vec()];
        Ok(Self {
            address,
            domain: domain.to_owned(),
            tls: Tls::Direct,
            relay: false,
            password: password.to_owned(),
            connector: TlsConnector::from(Arc::new(config)),
            web,
            keys: Arc::default(),
        })
    }

    /// What makes TLS for HTTP, with the same trust.
    pub fn web_connector(&self) -> &TlsConnector {
        &self.web
    }

    /// The bare address of account `user`.
    pub fn bare(&self, user: &str) -> String {
        format!("{user}@{}", self.domain)
    }

    /// Connects, authenticates, binds `resource` and does what is wished.
    pub async fn log_in(&self, user: &str, resource: &str, wishes: Wishes) -> Result<Session> {
        self.return_to(user, resource, wishes, None).await
    }

    /// The same, but resumes the session `earlier` if it still exists.
    pub async fn return_to(
        &self,
        user: &str,
        resource: &str,
        wishes: Wishes,
        earlier: Option<sm::Resume>,
    ) -> Result<Session> {
        let context = || format!("login of {user} at {}", self.address);
        let mut settings = self.settings(user, resource, wishes)?;
        settings.resume.clone_from(&earlier);
        let (connection, established) = self.negotiate(settings).await.with_context(context)?;
        if let Some(keys) = established.keys {
            self.known()?.insert(user.to_owned(), keys);
        }
        let managed = established.managed;
        let mut session = Session { connection, managed, sent: 0 };
        if self.relay {
            return Ok(session);
        }
        if wishes.stream_management && session.managed.is_none() {
            bail!("{} has no stream management", self.address);
        }
        let handled = earlier.filter(|_| session.is_resumed()).map_or(0, |earlier| earlier.h);
        session.connection.count_from(handled);
        if wishes.presence && !session.is_resumed() {
            session.connection.send("<presence/>").await?;
            session.connection.barrier().await.with_context(context)?;
            session.sent += 2;
            if wishes.stream_management {
                // Nothing that came so far is kept for us any longer.
                session.connection.acknowledge().await?;
            }
        }
        Ok(session)
    }

    /// RFC 6120 only, one mechanism and no channel binding: what all servers
    /// that are compared can do. (Debian's two have no binding for TLS 1.3.)
    fn settings(&self, user: &str, resource: &str, wishes: Wishes) -> Result<Settings> {
        let password = Secret::new(self.password.clone());
        let mut settings = Settings::new(BareJid::new(&self.bare(user))?, password);
        if let Some(keys) = self.known()?.get(user) {
            settings.credential = Some(Credential::Keys(keys.clone()));
        }
        let mechanism = if self.relay { Mechanism::Plain } else { Mechanism::Scram(Hash::Sha1) };
        settings.mechanisms = vec![mechanism];
        settings.preference = Preference::Sasl;
        settings.channel_binding = false;
        settings.resource = Some(resource.to_owned());
        settings.bind.enable =
            wishes.stream_management.then_some(sm::Enable { resume: true, max: None });
        Ok(settings)
    }

    fn known(&self) -> Result<MutexGuard<'_, HashMap<String, ClientKeys>>> {
        self.keys.lock().map_err(|_| anyhow!("a login panicked"))
    }

    async fn negotiate(
        &self,
        settings: Settings,
    ) -> Result<(Connection<Secured>, Box<Established>)> {
        let (mut reader, mut out) = (Reader::new(Limits::SERVER, Framing::Tcp), Out::new());
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| anyhow!("no randomness: {error}"))?;
        let socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        let (mut connection, step) = match self.tls {
            Tls::Direct => {
                let (connection, info) = self.secure(socket).await?;
                (connection, Step::Read(Negotiation::start(settings, Some(info), seed, &mut out)))
            }
            Tls::StartTls => {
                let mut plain = Connection::new(socket);
                let step = Step::Read(Negotiation::start(settings, None, seed, &mut out));
                let Step::StartTls(pending) =
                    drive(&mut plain, &mut reader, step, &mut out).await?
                else {
                    bail!("the server wants no TLS");
                };
                let (connection, info) = self.secure(plain.into_inner()?).await?;
                (connection, pending.answer(info, &mut out))
            }
        };
        match drive(&mut connection, &mut reader, step, &mut out).await? {
            Step::Established(established) => Ok((connection, established)),
            _ => bail!("the server wants TLS inside TLS"),
        }
    }

    async fn secure(&self, socket: TcpStream) -> Result<(Connection<Secured>, TlsInfo)> {
        let name = ServerName::try_from(self.domain.clone())?;
        let stream = self.connector.connect(name, socket).await?;
        let version = stream.get_ref().1.protocol_version().map(u16::from);
        Ok((Connection::new(stream), TlsInfo { version, exporter: None, end_point: None }))
    }
}

impl Session {
    /// Whether it is the continuation of an earlier one.
    pub fn is_resumed(&self) -> bool {
        matches!(self.managed, Some(Managed::Resumed(_)))
    }
}

/// Feeds a negotiation until it wants something else than to read. It gets the
/// stream piece by piece, so that nothing of what follows is left in `reader`.
async fn drive<S>(
    connection: &mut Connection<S>,
    reader: &mut Reader,
    mut step: Step,
    out: &mut Out,
) -> Result<Step>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        if !out.is_empty() {
            connection.send(out.bytes()).await?;
        }
        out.apply(reader);
        let negotiation = match step {
            Step::Read(negotiation) => negotiation,
            Step::Failed(error) => return Err(error.into()),
            Step::StartTls(_) | Step::Established(_) => return Ok(step),
        };
        let event = loop {
            match connection.next().await? {
                Frame::Header(bytes) | Frame::Stanza(bytes) => reader.push(bytes),
                Frame::Close => bail!("the server closed the connection"),
            }
            if let Some(event) = reader.next()? {
                break event;
            }
        };
        step = negotiation.handle(event, out);
    }
}
