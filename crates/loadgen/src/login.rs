//! From an address to a bound session.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use xmpp::sasl::downgrade::Advertised;
use xmpp::sasl::scram_client::{Binding, Client, ClientKeys, Credential};
use xmpp::sasl::{Hash, Secret};

use crate::connection::{Connection, Secured, excerpt};
use crate::scan;

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
    /// Whether it is our relay, which knows no presence, IQ or XEP-0198.
    pub relay: bool,
    /// The password of all accounts.
    pub password: String,
    connector: TlsConnector,
    keys: Arc<Mutex<HashMap<String, ClientKeys>>>,
}

/// A bound session.
#[derive(Debug)]
pub struct Session {
    /// Its stream.
    pub connection: Connection<Secured>,
    /// Its full address.
    pub jid: String,
    /// The XEP-0198 resumption id, when stream management is on.
    pub resumption: Option<String>,
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
        for certificate in CertificateDer::pem_file_iter(ca).with_context(|| format!("cannot read {}", ca.display()))? {
            roots.add(certificate?)?;
        }
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        // A resumed handshake is cheaper; what is compared are full ones.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"xmpp-client".to_vec()];
        Ok(Self {
            address,
            domain: domain.to_owned(),
            tls: Tls::Direct,
            relay: false,
            password: password.to_owned(),
            connector: TlsConnector::from(Arc::new(config)),
            keys: Arc::default(),
        })
    }

    /// The bare address of account `user`.
    pub fn bare(&self, user: &str) -> String {
        format!("{user}@{}", self.domain)
    }

    /// Connects, authenticates, binds `resource` and does what is wished.
    pub async fn log_in(&self, user: &str, resource: &str, wishes: Wishes) -> Result<Session> {
        self.try_log_in(user, resource, wishes)
            .await
            .with_context(|| format!("login of {user} at {}", self.address))
    }

    async fn try_log_in(&self, user: &str, resource: &str, wishes: Wishes) -> Result<Session> {
        let (mut connection, _) = self.authenticate(user).await?;
        let jid = bind(&mut connection, resource).await?;
        let mut session = Session { connection, jid, resumption: None, sent: 0 };
        if self.relay {
            return Ok(session);
        }
        if wishes.stream_management {
            session.resumption = Some(enable(&mut session.connection).await?);
        }
        if wishes.presence {
            session.connection.send("<presence/>").await?;
            session.connection.barrier().await?;
            session.sent += 2;
        }
        Ok(session)
    }

    /// Connects and authenticates; returns the restarted stream and its features.
    pub async fn authenticate(&self, user: &str) -> Result<(Connection<Secured>, String)> {
        let mut connection = self.connect().await?;
        let features = connection.open(&self.domain).await?;
        if self.relay || !features.contains("SCRAM-SHA-") {
            self.plain(&mut connection, user).await?;
        } else {
            self.scram(&mut connection, &features, user).await?;
        }
        let features = connection.open(&self.domain).await?;
        Ok((connection, features))
    }

    /// Connects and secures the stream; nothing is said on it yet.
    pub async fn connect(&self) -> Result<Connection<Secured>> {
        let mut socket = TcpStream::connect(self.address).await?;
        socket.set_nodelay(true)?;
        if self.tls == Tls::StartTls {
            let mut plain = Connection::new(socket);
            plain.open(&self.domain).await?;
            plain.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
            let answer = plain.stanza().await?;
            if !scan::is_element(answer, "proceed") {
                bail!("no STARTTLS: {}", excerpt(answer));
            }
            socket = plain.into_inner()?;
        }
        let name = ServerName::try_from(self.domain.clone())?;
        Ok(Connection::new(self.connector.connect(name, socket).await?))
    }

    /// SCRAM-SHA-1, which every server has, else SCRAM-SHA-256: the same
    /// mechanism for all that are compared. No channel binding either: Debian's
    /// two offer none over TLS 1.3.
    async fn scram(&self, connection: &mut Connection<Secured>, features: &str, user: &str) -> Result<()> {
        let hash = if features.contains("SCRAM-SHA-1<") { Hash::Sha1 } else { Hash::Sha256 };
        let mut random = [0; 18];
        getrandom::fill(&mut random).map_err(|error| anyhow!("no randomness: {error}"))?;
        let client = Client::new(hash, Binding::Unsupported, user, None, &STANDARD.encode(random));
        connection.send(auth(&format!("SCRAM-{}", hash.name()), &client.first())).await?;
        let challenge = sasl_text(connection.stanza().await?, "challenge")?;
        let credential = self.credential(user)?;
        let (answer, verifier, keys) = client.respond(challenge.as_bytes(), &credential, &advertised(features))?;
        connection.send(format!("<response xmlns='{SASL}'>{}</response>", STANDARD.encode(answer))).await?;
        verifier.verify(sasl_text(connection.stanza().await?, "success")?.as_bytes())?;
        self.known()?.insert(user.to_owned(), keys);
        Ok(())
    }

    /// The keys of an earlier login: deriving them anew costs thousands of
    /// hashes, which would make the load generator the slower side.
    fn credential(&self, user: &str) -> Result<Credential> {
        Ok(match self.known()?.get(user) {
            Some(keys) => Credential::Keys(keys.clone()),
            None => Credential::Password(Secret::new(self.password.clone())),
        })
    }

    fn known(&self) -> Result<MutexGuard<'_, HashMap<String, ClientKeys>>> {
        self.keys.lock().map_err(|_| anyhow!("a login panicked"))
    }

    async fn plain(&self, connection: &mut Connection<Secured>, user: &str) -> Result<()> {
        connection.send(auth("PLAIN", &format!("\0{user}\0{}", self.password))).await?;
        sasl_text(connection.stanza().await?, "success").map(drop)
    }
}

/// Binds a resource (RFC 6120 §7); returns the full address.
pub async fn bind(connection: &mut Connection<Secured>, resource: &str) -> Result<String> {
    let request = format!(
        "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
         <resource>{resource}</resource></bind></iq>"
    );
    let answer = connection.request("bind", request).await?;
    match scan::between(answer.as_bytes(), b"<jid>", b"</jid>") {
        Some(jid) => Ok(text(jid)),
        None => bail!("bind failed: {answer}"),
    }
}

/// Enables stream management (XEP-0198 §3); returns the resumption id.
pub async fn enable(connection: &mut Connection<Secured>) -> Result<String> {
    connection.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>").await?;
    let answer = connection.stanza().await?;
    if !scan::is_element(answer, "enabled") {
        bail!("no stream management: {}", excerpt(answer));
    }
    let id = scan::attribute(answer, "id").context("stream management without resumption")?;
    let id = text(id);
    connection.count_from(0);
    Ok(id)
}

/// What the server offers, as SCRAM's downgrade protection (XEP-0474) needs it.
fn advertised(features: &str) -> Advertised {
    let part = |start: &str, end: &str| features.split_once(start).and_then(|(_, rest)| rest.split_once(end));
    let mechanisms = part("<mechanisms", "</mechanisms>").map_or("", |(inside, _)| inside);
    let bindings = part("<sasl-channel-binding", "</sasl-channel-binding>").map(|(inside, _)| {
        let elements = inside.split("<channel-binding").skip(1);
        elements.filter_map(|element| scan::attribute(element.as_bytes(), "type")).map(text).collect()
    });
    let names = mechanisms.split("<mechanism>").skip(1).filter_map(|rest| rest.split_once('<'));
    Advertised { mechanisms: names.map(|(name, _)| name.to_owned()).collect(), bindings, tls_version: None }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn auth(mechanism: &str, initial: &str) -> String {
    format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{}</auth>", STANDARD.encode(initial))
}

fn sasl_text(stanza: &[u8], expected: &str) -> Result<String> {
    if !scan::is_element(stanza, expected) {
        bail!("authentication failed: {}", excerpt(stanza));
    }
    let text = scan::between(stanza, b">", b"<").unwrap_or_default();
    Ok(String::from_utf8(STANDARD.decode(text)?)?)
}

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_classic_mechanisms_are_counted_as_advertised() {
        let features = "<stream:features><mechanisms xmlns='x'><mechanism>SCRAM-SHA-1</mechanism>\
            <mechanism>PLAIN</mechanism></mechanisms><authentication xmlns='urn:xmpp:sasl:2'>\
            <mechanism>SCRAM-SHA-256</mechanism></authentication><sasl-channel-binding xmlns='y'>\
            <channel-binding type='tls-exporter'/></sasl-channel-binding></stream:features>";
        let advertised = advertised(features);
        assert_eq!(advertised.mechanisms, ["SCRAM-SHA-1", "PLAIN"]);
        assert_eq!(advertised.bindings, Some(vec!["tls-exporter".to_owned()]));
    }
}
