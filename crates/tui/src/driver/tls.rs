//! TLS: whom to trust, and why not.
//!
//! A certificate is trusted because an authority of this machine (or of a file the user named)
//! vouches for it, or because the user pinned exactly this one. There is no third way. What is wrong
//! with one is said in words, with the fingerprint that would pin it.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use client::effect::Lost;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    ProtocolVersion, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, DecodePem};
use xmpp::stream::TlsInfo;

/// Whom to trust.
#[derive(Clone)]
pub struct Trust {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("authorities", &self.roots.len()).finish()
    }
}

/// The application protocols of XEP-0368 §2.
const ALPN_XMPP: &[u8] = b"xmpp-client";

impl Trust {
    /// The authorities that this machine trusts.
    #[must_use]
    pub fn system() -> Self {
        let mut roots = RootCertStore::empty();
        // Some machines have certificates that nobody can read any more; the others count.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::of(roots)
    }

    /// The authorities of a PEM file, and no others.
    ///
    /// # Errors
    /// The file cannot be read, or there is no certificate in it; in words.
    pub fn file(path: &Path) -> Result<Self, String> {
        let wrong = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.is_empty() {
            return Err(wrong(&"there is no certificate in it"));
        }
        Ok(Self::of(roots))
    }

    fn of(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Self { provider, roots: Arc::new(roots) }
    }

    /// Starts TLS on a connection. The certificate must be for `domain`, or be the pinned one.
    ///
    /// # Errors
    /// The certificate is not to be trusted, or there is no TLS at the other end.
    pub async fn connect<S>(
        &self,
        stream: S,
        domain: &str,
        pinned: Option<Pinned>,
        protocol: Protocol,
    ) -> Result<TlsStream<S>, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let name = ServerName::try_from(domain.to_owned())
            .map_err(|_| Failure::Broken(format!("{domain} is no name a certificate can have")))?;
        let verifier = Arc::new(Verifier::new(self, pinned)?);
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::Broken(error.to_string()))?;
        let mut config = config
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Verifier>::clone(&verifier))
            .with_no_client_auth();
        config.alpn_protocols = match protocol {
            Protocol::DirectXmpp => vec![ALPN_XMPP.to_vec()],
            Protocol::Http => vec![b"http/1.1".to_vec()],
            Protocol::StartTls => Vec::new(),
        };
        match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
            Ok(stream) => Ok(stream),
            Err(error) => Err(match verifier.refusal() {
                Some((problem, fingerprint)) => Failure::Certificate { problem, fingerprint },
                None => Failure::Broken(error.to_string()),
            }),
        }
    }
}

/// What is spoken over the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// XMPP, with TLS from the first byte (XEP-0368).
    DirectXmpp,
    /// XMPP, after STARTTLS (RFC 6120 §5).
    StartTls,
    /// HTTP/1.1.
    Http,
}

/// Why there is no TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The certificate is not one to trust.
    #[error("{problem}")]
    Certificate {
        /// What is wrong with it.
        problem: String,
        /// SHA-256 of it.
        fingerprint: [u8; 32],
    },
    /// The other side does not speak TLS, or went away.
    #[error("{0}")]
    Broken(String),
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Certificate { problem, fingerprint } => {
                Lost::Certificate { problem, fingerprint }
            }
            Failure::Broken(reason) => Lost::Network(reason),
        }
    }
}

/// A certificate that is trusted without any authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// SHA-256 of it.
    pub sha256: [u8; 32],
    /// No other is trusted there, whoever vouches for it.
    pub only: bool,
}

impl Pinned {
    /// For the server of the account: the user decided for this certificate.
    #[must_use]
    pub fn only(sha256: [u8; 32]) -> Self {
        Self { sha256, only: true }
    }
}

/// Looks at certificates, and remembers why one was refused.
#[derive(Debug)]
struct Verifier {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    pinned: Option<Pinned>,
    refusal: Mutex<Option<(String, [u8; 32])>>,
}

impl Verifier {
    fn new(trust: &Trust, pinned: Option<Pinned>) -> Result<Self, Failure> {
        // Without authorities there is nothing to ask; a pinned certificate can still be known.
        let authorities = match trust.roots.is_empty() {
            true => None,
            false => Some(
                WebPkiServerVerifier::builder_with_provider(
                    Arc::clone(&trust.roots),
                    Arc::clone(&trust.provider),
                )
                .build()
                .map_err(|error| Failure::Broken(error.to_string()))?,
            ),
        };
        let provider = Arc::clone(&trust.provider);
        Ok(Self { authorities, provider, pinned, refusal: Mutex::new(None) })
    }

    fn refusal(&self) -> Option<(String, [u8; 32])> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let fingerprint = fingerprint(end_entity);
        if self.pinned.is_some_and(|pinned| pinned.sha256 == fingerprint) {
            return Ok(ServerCertVerified::assertion());
        }
        let only = self.pinned.is_some_and(|pinned| pinned.only);
        let verdict = match &self.authorities {
            // Whoever pinned one trusts no other: an authority may have been tricked.
            _ if only => Err(Error::General("it is not the pinned one".into())),
            Some(authorities) => authorities.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        verdict.inspect_err(|error| {
            let name = server_name.to_str();
            let problem = match only {
                true => "the server has another certificate than the pinned one. Either it was \
                            renewed, or somebody stands in between"
                    .to_owned(),
                false => explain(error, &name),
            };
            let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
            *refusal = Some((problem, fingerprint));
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What is wrong with a certificate, for somebody who has to decide what to do.
fn explain(error: &Error, name: &str) -> String {
    let Error::InvalidCertificate(error) = error else {
        return format!("the certificate of {name} cannot be used: {error}");
    };
    match error {
        CertificateError::UnknownIssuer => format!(
            "nobody whom this machine trusts vouches for the certificate of {name}: the server made \
             it itself, or somebody stands in between"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the certificate is for another name than {name}")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => format!(
            "the certificate of {name} has expired; if it has not, the clock of this machine is wrong"
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => format!(
            "the certificate of {name} is not valid yet; if it is, the clock of this machine is wrong"
        ),
        CertificateError::Revoked => format!("the certificate of {name} was revoked"),
        other => format!("the certificate of {name} cannot be used: {other}"),
    }
}

/// SHA-256 of a certificate.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate).into()
}

/// What channel binding needs to know of a connection.
#[must_use]
pub fn facts(connection: &ClientConnection) -> TlsInfo {
    let version = connection.protocol_version();
    let mut exporter = None;
    // RFC 9266 §4.2: below 1.3 only with the extended master secret, which is not told here.
    if version == Some(ProtocolVersion::TLSv1_3) {
        let bytes =
            connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]));
        exporter = bytes.ok();
    }
    let certificate = connection.peer_certificates().and_then(<[_]>::first);
    TlsInfo {
        version: version.map(u16::from),
        exporter,
        end_point: certificate.map(|certificate| end_point(certificate)),
    }
}

/// RFC 5929 §4.1: the certificate, hashed with the hash function of its signature; SHA-256 in place
/// of older ones, and where the signature has none of its own.
fn end_point(certificate: &[u8]) -> Vec<u8> {
    let algorithm = Certificate::from_der(certificate).ok();
    match algorithm.map(|certificate| certificate.signature_algorithm().oid) {
        Some(ECDSA_SHA_384 | RSA_SHA_384) => Sha384::digest(certificate).to_vec(),
        Some(ECDSA_SHA_512 | RSA_SHA_512) => Sha512::digest(certificate).to_vec(),
        _ => Sha256::digest(certificate).to_vec(),
    }
}

/// A certificate's fingerprint as people compare it.
#[must_use]
pub fn shown(fingerprint: &[u8; 32]) -> String {
    let pairs: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// The fingerprint of the first certificate of a PEM text.
#[must_use]
pub fn fingerprint_of_pem(pem: &[u8]) -> Option<[u8; 32]> {
    Certificate::from_pem(pem).ok()?;
    CertificateDer::from_pem_slice(pem).ok().map(|certificate| fingerprint(&certificate))
}

const ECDSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const RSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    struct Server {
        certificate: CertificateDer<'static>,
        acceptor: TlsAcceptor,
        authority: String,
    }

    fn server(name: &str) -> Server {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([name.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Server {
            certificate: leaf.der().clone(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            authority: authority.pem(),
        }
    }

    fn trusting(pem: &str) -> Trust {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), pem).unwrap();
        Trust::file(file.path()).unwrap()
    }

    async fn attempt(
        server: &Server,
        trust: &Trust,
        domain: &str,
        pinned: Option<Pinned>,
    ) -> Result<TlsInfo, Failure> {
        let (near, far) = tokio::io::duplex(16 * 1024);
        let accepting = server.acceptor.accept(far);
        let connecting = trust.connect(near, domain, pinned, Protocol::DirectXmpp);
        let (_, connected) = tokio::join!(accepting, connecting);
        Ok(facts(connected?.get_ref().1))
    }

    #[tokio::test]
    async fn an_authority_that_was_named_is_trusted_for_the_right_name() {
        let server = server("example.org");
        let trust = trusting(&server.authority);
        let facts = attempt(&server, &trust, "example.org", None).await.unwrap();
        assert_eq!(facts.version, Some(0x0304));
        assert!(facts.exporter.is_some());
        assert_eq!(facts.end_point, Some(Sha256::digest(&server.certificate).to_vec()));
        let other = attempt(&server, &trust, "example.com", None).await.unwrap_err();
        let Failure::Certificate { problem, fingerprint: told } = other else { panic!("{other}") };
        assert!(problem.contains("another name"), "{problem}");
        assert_eq!(told, fingerprint(&server.certificate));
    }

    #[tokio::test]
    async fn a_certificate_nobody_vouches_for_can_be_pinned_and_only_that_one() {
        let (known, other) = (server("example.org"), server("example.org"));
        let trust = Trust::of(RootCertStore::empty());
        let refused = attempt(&known, &trust, "example.org", None).await.unwrap_err();
        let Failure::Certificate { fingerprint, .. } = refused else { panic!("{refused}") };
        attempt(&known, &trust, "example.org", Some(Pinned::only(fingerprint))).await.unwrap();
        let replaced = attempt(&other, &trust, "example.org", Some(Pinned::only(fingerprint)))
            .await
            .unwrap_err();
        assert!(replaced.to_string().contains("pinned"), "{replaced}");
        // Not even one that an authority vouches for.
        let trust = trusting(&other.authority);
        attempt(&other, &trust, "example.org", None).await.unwrap();
        attempt(&other, &trust, "example.org", Some(Pinned::only(fingerprint))).await.unwrap_err();
        // Elsewhere it counts as well, and authorities decide as they do without it.
        let also = Some(Pinned { sha256: fingerprint, only: false });
        attempt(&other, &trust, "example.org", also).await.unwrap();
        attempt(&known, &trust, "example.org", also).await.unwrap();
        let stranger = server("example.org");
        let refused = attempt(&stranger, &trust, "example.org", also).await.unwrap_err();
        assert!(!refused.to_string().contains("pinned"), "{refused}");
    }

    #[tokio::test]
    async fn a_server_without_tls_is_no_certificate_problem() {
        use tokio::io::AsyncWriteExt;
        let (near, mut far) = tokio::io::duplex(16 * 1024);
        far.write_all(b"<stream:error/>").await.unwrap();
        let trust = Trust::of(RootCertStore::empty());
        let failed = trust.connect(near, "example.org", None, Protocol::DirectXmpp).await;
        assert!(matches!(failed.map(drop), Err(Failure::Broken(_))));
    }
}
