//! TLS 1.2 and 1.3 with rustls: the certificate, its exchange while the server runs, and what
//! SCRAM needs to bind a login to the connection (RFC 5929, RFC 9266).

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use parking_lot::RwLock;
use rustls::{
    ClientConfig, ServerConfig, ServerConnection, SignatureScheme,
    client::{ResolvesClientCert, Resumption},
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};

pub use self::certificate::Facts;
use crate::{
    acme::{self, challenges::Challenges},
    config::{Config, Home, TlsVersion},
    s2s::verify::AnyCertificate,
};

pub mod authority;
pub mod certificate;

/// The TLS side of all listeners. Shared by them; cheap to ask for what is served now.
#[derive(Debug)]
pub struct Tls {
    files: RwLock<Files>,
    served: RwLock<Arc<Served>>,
    home: Home,
    domain: String,
    /// What the server's own certificate is for beside the domain.
    below: RwLock<Vec<String>>,
    challenges: Arc<Challenges>,
}

/// What is served at one moment. A connection takes it once and keeps it, so that the certificate
/// its client saw and the channel binding computed from it stay together across a reload.
#[derive(Debug)]
pub struct Served {
    /// For STARTTLS: without ALPN, since RFC 6120 clients do not speak of it.
    pub starttls: Arc<ServerConfig>,
    /// For clients' direct TLS: ALPN `xmpp-client` (XEP-0368), or none.
    pub direct: Arc<ServerConfig>,
    /// For the web: ALPN `http/1.1`, or none. Clients may speak XMPP there as well, by ALPN
    /// `xmpp-client`, where a network lets nothing but the web pass; other servers, by ALPN `xmpp-server`, are
    /// served as on their own port.
    pub https: Arc<ServerConfig>,
    /// For clients of the relay for calls: ALPN `stun.turn` (RFC 7443), or none.
    pub turn: Arc<ServerConfig>,
    /// For other servers that start with STARTTLS: asks for their certificate.
    pub s2s: Arc<ServerConfig>,
    /// For other servers' direct TLS: ALPN `xmpp-server` (XEP-0368), or none.
    pub s2s_direct: Arc<ServerConfig>,
    /// For connections to other servers that start with STARTTLS: shows this certificate.
    pub s2s_out: Arc<ClientConfig>,
    /// For connections to other servers with direct TLS.
    pub s2s_out_direct: Arc<ClientConfig>,
    /// What the certificate says, with the value of `tls-server-end-point`.
    pub facts: Facts,
}

/// The files that the served certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The chain.
    pub certificate: PathBuf,
    /// Its key; with an authority (`acme/`) it is in the same file.
    pub key: PathBuf,
    /// Whether the server makes and renews them.
    pub own: bool,
    /// The oldest version of TLS that clients may use.
    oldest: TlsVersion,
    /// When they were changed last, as far as known.
    stamp: [Option<SystemTime>; 2],
}

/// Why there is no certificate to serve. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, in words.
        reason: String,
    },
    /// A file cannot be read or written, for a reason only the system knows.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The certificate file holds no certificate.
    #[error(
        "{}: there is no certificate in it; it must hold the chain in PEM (\"-----BEGIN \
         CERTIFICATE-----\"), the server's own first", .0.display()
    )]
    NoCertificate(PathBuf),
    /// The first certificate cannot be understood.
    #[error("{}: the first certificate in it is damaged", .0.display())]
    BadCertificate(PathBuf),
    /// The key file holds no private key.
    #[error(
        "{}: there is no private key in it; it must hold one in PEM without a passphrase \
         (\"-----BEGIN PRIVATE KEY-----\")", .0.display()
    )]
    NoKey(PathBuf),
    /// The key is of a kind that TLS does not use here.
    #[error("{}: keys of this kind are not supported; use ECDSA P-256, Ed25519 or RSA", .0.display())]
    KeyKind(PathBuf),
    /// Certificate and key are not a pair.
    #[error(
        "{} does not belong to {}: make both from the same request, or set the paths in [tls] to \
         files that belong together", key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The domain cannot stand in a certificate.
    #[error("`{0}` cannot stand in a certificate")]
    Domain(String),
    /// Making a key or a certificate failed.
    #[error("making a certificate failed: {0}")]
    Generation(String),
    /// The TLS library refused the certificate.
    #[error("the certificate cannot be used: {0}")]
    Refused(#[from] rustls::Error),
}

impl TlsError {
    fn io(path: &Path, error: &std::io::Error) -> TlsError {
        TlsError::Io { path: path.into(), reason: error.to_string() }
    }

    fn generation(error: rcgen::Error) -> TlsError {
        TlsError::Generation(error.to_string())
    }
}

impl Tls {
    /// Loads the configured certificate, or the server's own one, which is made or renewed when
    /// there is need.
    ///
    /// # Errors
    /// When there is nothing to serve; the message says what to do.
    pub fn open(config: &Config, home: &Home, now: SystemTime) -> Result<Tls, TlsError> {
        let mut files = Files::of(config, home);
        let below = below(config);
        if files.own {
            authority::ensure(home, &config.domain, &below, now)?;
        }
        files.stamp = files.stamp();
        let challenges = Arc::new(Challenges::default());
        let served = RwLock::new(Arc::new(files.load(&challenges)?));
        let (home, domain) = (home.clone(), config.domain.clone());
        let (files, below) = (RwLock::new(files), RwLock::new(below));
        Ok(Tls { files, served, home, domain, below, challenges })
    }

    /// What a certificate authority asks to be shown.
    pub fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// What a new connection is served.
    pub fn current(&self) -> Arc<Served> {
        self.served.read().clone()
    }

    /// Loads the certificate again, from the paths of a configuration read again. Connections that
    /// are open keep theirs.
    ///
    /// # Errors
    /// As [`Tls::open`]; what was served before is served on.
    pub fn reload(&self, config: &Config, now: SystemTime) -> Result<(), TlsError> {
        self.replace(Files::of(config, &self.home), below(config), now)
    }

    /// To be called every minute: renews the server's own certificate when its time comes, and
    /// loads one that was changed by others. Tells whether another one is served now.
    ///
    /// # Errors
    /// As [`Tls::reload`]. A certificate that cannot be used is not tried again until it changes.
    pub fn refresh(&self, now: SystemTime) -> Result<bool, TlsError> {
        let (files, below) = (self.files.read().clone(), self.below.read().clone());
        let renewed = files.own && authority::ensure(&self.home, &self.domain, &below, now)?;
        if !renewed && files.stamp() == files.stamp {
            return Ok(false);
        }
        self.files.write().stamp = files.stamp();
        self.replace(files, below, now).map(|()| true)
    }

    fn replace(
        &self,
        mut files: Files,
        below: Vec<String>,
        now: SystemTime,
    ) -> Result<(), TlsError> {
        if files.own {
            authority::ensure(&self.home, &self.domain, &below, now)?;
        }
        // Taken before the files are read: a change while reading is seen as a change.
        files.stamp = files.stamp();
        let served = files.load(&self.challenges)?;
        *self.files.write() = files;
        *self.below.write() = below;
        *self.served.write() = Arc::new(served);
        Ok(())
    }
}

/// The names below the domain at which the server has something for other servers. Its own authority vouches for
/// nothing else.
#[must_use]
pub fn below(config: &Config) -> Vec<String> {
    let end = format!(".{}", config.domain);
    let names = config.virtual_hosts().into_iter().map(|(name, _)| name);
    let names = names.chain(config.files_host()).filter(|name| name.ends_with(&end));
    if config.federates() { names.collect() } else { Vec::new() }
}

impl Files {
    /// Those of the configuration, of the authority, or the server's own.
    #[must_use]
    pub fn of(config: &Config, home: &Home) -> Files {
        let oldest = config.tls.oldest;
        match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Files {
                certificate: home.resolve(certificate),
                key: home.resolve(key),
                own: false,
                oldest,
                stamp: [None; 2],
            },
            _ if config.acme.enabled && home.acme_certificate().exists() => Files {
                certificate: home.acme_certificate(),
                key: home.acme_certificate(),
                own: false,
                oldest,
                stamp: [None; 2],
            },
            _ => Files {
                certificate: home.certificate(),
                key: home.certificate_key(),
                own: true,
                oldest,
                stamp: [None; 2],
            },
        }
    }

    fn stamp(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key]
            .map(|path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
    }

    fn load(&self, challenges: &Arc<Challenges>) -> Result<Served, TlsError> {
        let loaded = certificate::load(&self.certificate, &self.key)?;
        Served::new(loaded.key, loaded.facts, challenges.clone(), self.oldest)
    }
}

impl Served {
    fn new(
        key: CertifiedKey,
        facts: Facts,
        challenges: Arc<Challenges>,
        oldest: TlsVersion,
    ) -> Result<Served, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let one = Arc::new(OneCertificate { key: Arc::new(key), challenges });
        let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
        let of_clients = match oldest {
            TlsVersion::V12 => &versions[..],
            TlsVersion::V13 => &versions[..1],
        };
        let any = AnyCertificate::new(provider.clone());
        let mut between = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)?
            .with_client_cert_verifier(any.clone())
            .with_cert_resolver(one.clone());
        between.require_ems = true;
        // Streams between servers are few and long: their certificates are looked at each time.
        between.session_storage = Arc::new(NoServerSessionStorage {});
        between.send_tls13_tickets = 0;
        let mut out = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)?
            .dangerous()
            .with_custom_certificate_verifier(any)
            .with_client_cert_resolver(one.clone());
        out.resumption = Resumption::disabled();
        let mut out_direct = out.clone();
        out_direct.alpn_protocols = vec![ALPN_XMPP_SERVER.to_vec()];
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(of_clients)?
            .with_no_client_auth()
            .with_cert_resolver(one);
        // RFC 9266 §4.2: `tls-exporter` is unique in TLS 1.2 only with the extended master secret.
        config.require_ems = true;
        // Tickets cost the server no memory. Their keys change every six hours, and with the
        // certificate: `tls-server-end-point` of a resumed session must be the current one's.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = rustls::crypto::ring::Ticketer::new()?;
        config.send_tls13_tickets = 1;
        let with_alpn = |config: &ServerConfig, protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Arc::new(config)
        };
        Ok(Served {
            starttls: with_alpn(&config, &[]),
            direct: with_alpn(&config, &[ALPN_XMPP_CLIENT]),
            https: with_alpn(
                &config,
                &[ALPN_HTTP, ALPN_XMPP_CLIENT, acme::ALPN, crate::turn::ALPN],
            ),
            turn: with_alpn(&config, &[crate::turn::ALPN]),
            s2s: with_alpn(&between, &[]),
            s2s_direct: with_alpn(&between, &[ALPN_XMPP_SERVER]),
            s2s_out: Arc::new(out),
            s2s_out_direct: Arc::new(out_direct),
            facts,
        })
    }

    /// The value of the channel binding `tls-server-end-point` (RFC 5929 §4).
    pub fn end_point(&self) -> &[u8] {
        &self.facts.end_point
    }
}

/// The value of the channel binding `tls-exporter` (RFC 9266 §2) of a connection whose handshake
/// is complete; `None` before that.
pub fn exporter(connection: &ServerConnection) -> Option<[u8; 32]> {
    connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok()
}

/// ALPN of clients' direct TLS (XEP-0368).
pub const ALPN_XMPP_CLIENT: &[u8] = b"xmpp-client";
/// ALPN of servers' direct TLS (XEP-0368).
pub const ALPN_XMPP_SERVER: &[u8] = b"xmpp-server";
/// ALPN of the web. HTTP/2 is left out: WebSocket over it (RFC 8441) has few clients.
pub const ALPN_HTTP: &[u8] = b"http/1.1";

/// The server has one domain, so it has one certificate whatever name the client asks for; only to a
/// certificate authority that checks a name it shows what that asks for.
struct OneCertificate {
    key: Arc<CertifiedKey>,
    challenges: Arc<Challenges>,
}

impl ResolvesServerCert for OneCertificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.alpn().is_some_and(|mut protocols| protocols.any(|name| name == acme::ALPN)) {
            true => self.challenges.certificate(hello.server_name()),
            false => Some(self.key.clone()),
        }
    }
}

impl ResolvesClientCert for OneCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.key.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl std::fmt::Debug for OneCertificate {
    /// The key stays out of logs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("OneCertificate(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use rustls::{
        ClientConnection, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    };
    use sha2::{Digest as _, Sha256};

    use super::*;

    struct Trial {
        config: Config,
        home: Home,
        _directory: tempfile::TempDir,
    }

    fn trial(domain: &str) -> Trial {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        Trial { config: Config::for_domain(domain).unwrap(), home, _directory: directory }
    }

    fn client(home: &Home, name: &str, alpn: &[&[u8]]) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(home.authority()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        ClientConnection::new(Arc::new(config), name).unwrap()
    }

    /// Lets both ends talk until the handshake is over.
    fn shake(
        client: &mut ClientConnection,
        server: &mut ServerConnection,
    ) -> Result<(), rustls::Error> {
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            wire.clear();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn a_client_that_trusts_the_authority_logs_in_and_both_ends_compute_the_same_binding() {
        for domain in ["localhost", "bücher.example"] {
            let trial = trial(domain);
            let tls = Tls::open(&trial.config, &trial.home, SystemTime::now()).unwrap();
            let served = tls.current();
            let ascii = idna::domain_to_ascii(domain).unwrap();
            let mut client = client(&trial.home, &ascii, &[ALPN_XMPP_CLIENT]);
            let mut server = ServerConnection::new(served.direct.clone()).unwrap();
            assert_eq!(exporter(&server), None);
            shake(&mut client, &mut server).unwrap();
            assert_eq!(server.alpn_protocol(), Some(ALPN_XMPP_CLIENT));
            let theirs = client
                .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
                .unwrap();
            assert_eq!(exporter(&server), Some(theirs));
            let leaf = &client.peer_certificates().unwrap()[0];
            assert_eq!(served.end_point(), Sha256::digest(leaf).as_slice());
        }
    }

    #[test]
    fn the_operator_says_how_old_the_encryption_of_clients_may_be() {
        let old = |served: &Arc<ServerConfig>, home: &Home| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let mut client = client(home, "localhost", &[]);
            let config = ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&rustls::version::TLS12])
                .unwrap()
                .dangerous()
                .with_custom_certificate_verifier(AnyCertificate::new(Arc::new(
                    rustls::crypto::ring::default_provider(),
                )))
                .with_no_client_auth();
            let name = ServerName::try_from("localhost").unwrap();
            let mut server = ServerConnection::new(served.clone()).unwrap();
            shake(&mut client, &mut server).unwrap();
            let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
            let mut server = ServerConnection::new(served.clone()).unwrap();
            shake(&mut client, &mut server).is_ok()
        };
        for (oldest, expected) in [("1.2", true), ("1.3", false)] {
            let text = format!("domain = \"localhost\"\n[tls]\noldest = \"{oldest}\"\n");
            let trial = Trial { config: Config::parse(&text).unwrap(), ..trial("localhost") };
            let tls = Tls::open(&trial.config, &trial.home, SystemTime::now()).unwrap();
            let served = tls.current();
            for clients in [&served.starttls, &served.direct, &served.https] {
                assert_eq!(old(clients, &trial.home), expected, "{oldest}");
            }
            assert!(old(&served.s2s, &trial.home), "other servers");
        }
    }

    #[test]
    fn other_servers_that_trust_the_authority_trust_its_rooms() {
        let trial = trial("bücher.example");
        let tls = Tls::open(&trial.config, &trial.home, SystemTime::now()).unwrap();
        for name in ["conference.bücher.example", "pubsub.bücher.example"] {
            let mut client = client(&trial.home, &idna::domain_to_ascii(name).unwrap(), &[]);
            let mut server = ServerConnection::new(tls.current().starttls.clone()).unwrap();
            shake(&mut client, &mut server).unwrap();
        }
        let text = "domain = \"bücher.example\"\n[rooms]\naddress = \"rooms.bücher.example\"\n\
                    [pubsub]\naddress = \"pubsub.example\"\n";
        let moved = Config::parse(text).unwrap();
        assert_eq!(below(&moved), ["rooms.bücher.example"], "and for nothing elsewhere");
        tls.reload(&moved, SystemTime::now()).unwrap();
        assert!(tls.current().facts.names.contains(&"rooms.xn--bcher-kva.example".to_owned()));
        assert!(below(&Config::for_domain("localhost").unwrap()).is_empty(), "it keeps to itself");
    }

    #[test]
    fn the_authority_vouches_for_its_own_domain_alone() {
        let trial = trial("example.org");
        Tls::open(&trial.config, &trial.home, SystemTime::now()).unwrap();
        authority::forge(&trial.home, "example.org", "bank.example", SystemTime::now());
        let stolen = Files::of(&trial.config, &trial.home).load(&Arc::default()).unwrap();
        let mut client = client(&trial.home, "bank.example", &[]);
        let mut server = ServerConnection::new(stolen.starttls.clone()).unwrap();
        let error = shake(&mut client, &mut server).unwrap_err().to_string();
        assert!(error.contains("NameConstraintViolation"), "{error}");
    }

    #[test]
    fn a_certificate_near_its_end_is_renewed_while_the_server_runs() {
        let trial = trial("localhost");
        let start = SystemTime::now();
        let tls = Tls::open(&trial.config, &trial.home, start).unwrap();
        let before = tls.current();
        assert!(!tls.refresh(start).unwrap());
        let later = start + Duration::from_secs(340 * 24 * 60 * 60);
        assert!(tls.refresh(later).unwrap());
        assert_ne!(tls.current().end_point(), before.end_point());
        assert!(tls.current().facts.not_after > before.facts.not_after);
        assert!(!tls.refresh(later).unwrap());
    }

    #[test]
    fn a_changed_certificate_is_served_and_a_broken_one_is_not() {
        let trial = trial("localhost");
        let own = Tls::open(&trial.config, &trial.home, SystemTime::now()).unwrap();
        for (from, to) in [("server.pem", "c.pem"), ("server.key", "k.pem")] {
            fs::copy(trial.home.path().join(from), trial.home.path().join(to)).unwrap();
        }
        let text = "domain = \"localhost\"\n[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
        let config = Config::parse(text).unwrap();
        let tls = Tls::open(&config, &trial.home, SystemTime::now()).unwrap();
        assert_eq!(tls.current().end_point(), own.current().end_point());
        let old = tls.current();

        fs::write(trial.home.path().join("c.pem"), "nonsense").unwrap();
        let error = tls.refresh(SystemTime::now()).unwrap_err().to_string();
        assert!(error.contains("c.pem: there is no certificate in it"), "{error}");
        assert_eq!(tls.current().end_point(), old.end_point());
        assert!(!tls.refresh(SystemTime::now()).unwrap(), "reported once");
        assert!(tls.reload(&config, SystemTime::now()).is_err());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_in_words() {
        let one = trial("localhost");
        let two = trial("localhost");
        Tls::open(&one.config, &one.home, SystemTime::now()).unwrap();
        Tls::open(&two.config, &two.home, SystemTime::now()).unwrap();
        fs::copy(two.home.certificate_key(), one.home.certificate_key()).unwrap();
        let error = Tls::open(&one.config, &one.home, SystemTime::now()).unwrap_err().to_string();
        assert!(error.contains("does not belong to"), "{error}");
        fs::remove_file(one.home.certificate_key()).unwrap();
        let error = Tls::open(&one.config, &one.home, SystemTime::now()).unwrap_err().to_string();
        assert!(error.contains("there is no such file"), "{error}");
    }

    #[test]
    fn the_channel_binding_hash_is_the_one_of_the_signature() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let facts = Facts::of(&der).unwrap();
        assert_eq!(facts.end_point, sha2::Sha384::digest(&der).to_vec());
        assert_eq!(facts.names, ["localhost"]);
    }

    #[test]
    fn no_key_appears_in_debug_output() {
        let trial = trial("localhost");
        let tls = Tls::open(&trial.config, &trial.home, SystemTime::now()).unwrap();
        let text = format!("{tls:?}");
        assert!(text.contains("OneCertificate(..)"), "{text}");
        assert!(!text.contains("PrivateKey") && !text.contains("SigningKey"), "{text}");
    }
}
