//! Whether a certificate proves that a peer is a domain: RFC 6120 §13.7, RFC 6125, RFC 9525,
//! XEP-0178.
//!
//! Only subject alternative names count, never the common name. A certificate that is good for
//! TLS servers is good here, whichever side connects: public authorities no longer issue any other.

use std::{path::Path, sync::Arc, time::SystemTime};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore,
    SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    server::{
        ParsedCertificate,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use x509_cert::{
    Certificate,
    der::{
        Decode as _,
        asn1::{ObjectIdentifier, Utf8StringRef},
    },
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::{
    config::{Config, Home},
    fetch,
};

/// Whom certificates are trusted from.
#[derive(Debug)]
pub struct Trust {
    /// The authorities of this system.
    public: RootCertStore,
    /// Those and the operator's own, for domains in `[federation.hosts]`.
    private: RootCertStore,
    /// For web servers, with those of this system; nothing when there is no federation.
    pub(super) web: Option<Arc<ClientConfig>>,
}

impl Default for Trust {
    /// Trusts nobody.
    fn default() -> Self {
        Self { public: RootCertStore::empty(), private: RootCertStore::empty(), web: None }
    }
}

impl Trust {
    /// Loads the authorities of the system and those in the configuration.
    ///
    /// # Errors
    /// A sentence about a file of the configuration that cannot be used.
    pub fn load(config: &Config, home: &Home) -> Result<Trust, String> {
        let mut public = RootCertStore::empty();
        if config.federates() {
            let found = rustls_native_certs::load_native_certs();
            public.add_parsable_certificates(found.certs);
        }
        let mut private = public.clone();
        for path in &config.federation.trust {
            add_authorities(&mut private, &home.resolve(path))?;
        }
        let web = fetch::tls(public.clone())?;
        let web = config.federates().then(|| Arc::new(web));
        Ok(Trust { public, private, web })
    }

    /// Whether there is no authority at all for domains that are not in `[federation.hosts]`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.public.is_empty()
    }

    /// Whether a chain proves that its owner is `domain`.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn check(
        &self,
        chain: &[CertificateDer<'_>],
        domain: &str,
        listed: bool,
        now: SystemTime,
    ) -> Result<(), String> {
        let roots = if listed { &self.private } else { &self.public };
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Err("it shows no certificate".to_owned());
        };
        let parsed = signed(leaf, intermediates, roots, now).map_err(|error| reason(&error))?;
        if names(&parsed, leaf, domain) {
            Ok(())
        } else {
            Err(format!("its certificate is not for {domain}"))
        }
    }
}

/// Adds the certificates of a file in PEM to those that are trusted.
///
/// # Errors
/// A sentence when there is none, or one cannot be used.
pub fn add_authorities(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let bad = |reason: String| format!("{}: {reason}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
    let mut any = false;
    for certificate in found {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        any = true;
    }
    if any { Ok(()) } else { Err(bad("there is no certificate in it".to_owned())) }
}

/// A certificate that leads to one of `roots`, whatever names it has.
///
/// # Errors
/// When it does not, or not now.
pub(super) fn signed<'a>(
    leaf: &'a CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    roots: &RootCertStore,
    now: SystemTime,
) -> Result<ParsedCertificate<'a>, rustls::Error> {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let parsed = ParsedCertificate::try_from(leaf)?;
    verify_server_cert_signed_by_trust_anchor(
        &parsed,
        roots,
        intermediates,
        UnixTime::since_unix_epoch(since),
        ring::default_provider().signature_verification_algorithms.all,
    )?;
    Ok(parsed)
}

/// Whether a certificate names a domain: as a DNS name, as an XMPP address, or as the name of an
/// XMPP service (RFC 6120 §13.7.1.2.1).
pub(super) fn names(parsed: &ParsedCertificate<'_>, der: &[u8], domain: &str) -> bool {
    let ascii = idna::domain_to_ascii(domain).unwrap_or_default();
    let dns = ServerName::try_from(ascii.as_str());
    dns.is_ok_and(|name| verify_server_name(parsed, &name).is_ok())
        || other_names(der).iter().any(|(kind, name)| match *kind {
            XMPP_ADDRESS => jid::DomainPart::new(name).is_ok_and(|name| name.as_str() == domain),
            _ => name.strip_prefix("_xmpp-server.").is_some_and(|name| name == ascii),
        })
}

/// The names of a certificate that are neither DNS names nor addresses of other kinds.
fn other_names(der: &[u8]) -> Vec<(ObjectIdentifier, String)> {
    let Ok(certificate) = Certificate::from_der(der) else { return Vec::new() };
    let found = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let Ok(Some((_, names))) = found else { return Vec::new() };
    let text = |name: &GeneralName| match name {
        GeneralName::OtherName(other) if other.type_id == XMPP_ADDRESS => {
            let text = other.value.decode_as::<Utf8StringRef<'_>>().ok()?;
            Some((other.type_id, text.as_str().to_owned()))
        }
        GeneralName::OtherName(other) if other.type_id == SERVICE_NAME => {
            // An IA5String, whose letters are those of ASCII.
            let text = String::from_utf8(other.value.value().to_vec()).ok()?;
            Some((other.type_id, text.to_lowercase()))
        }
        _ => None,
    };
    names.0.iter().filter_map(text).collect()
}

/// `id-on-xmppAddr` (RFC 6120 §13.7.1.4).
const XMPP_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.5");
/// `id-on-dnsSRV` (RFC 4985).
const SERVICE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.7");

fn reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is from an authority that is not trusted here".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has expired".to_owned(),
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet; look at the clocks".to_owned(),
        error => format!("its certificate cannot be used: {error}"),
    }
}

/// Takes any certificate during the handshake, as long as the peer holds its key. Whether it names
/// the domain is decided when the stream says which domain that is.
#[derive(Debug)]
pub struct AnyCertificate(Arc<CryptoProvider>);

impl AnyCertificate {
    /// For the handshakes of one provider.
    #[must_use]
    pub fn new(provider: Arc<CryptoProvider>) -> Arc<Self> {
        Arc::new(Self(provider))
    }
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for AnyCertificate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{
        BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
        KeyPair, SanType,
    };

    use super::*;

    struct Authority {
        issuer: Issuer<'static, KeyPair>,
        trust: Trust,
    }

    fn authority() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Each has a name of its own, as those in the world have.
        let number = format!("{:?}", key.public_key_raw());
        params.distinguished_name.push(DnType::CommonName, &number[..60]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let trust = Trust { private: roots, ..Trust::default() };
        Authority { issuer: Issuer::new(params, key), trust }
    }

    fn issue(
        authority: &Authority,
        change: impl FnOnce(&mut CertificateParams),
    ) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        change(&mut params);
        params.signed_by(&key, &authority.issuer).unwrap().der().clone()
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    fn check(
        authority: &Authority,
        leaf: &CertificateDer<'static>,
        domain: &str,
    ) -> Result<(), String> {
        authority.trust.check(std::slice::from_ref(leaf), domain, true, SystemTime::now())
    }

    #[test]
    fn alternative_names_count_and_the_common_name_does_not() {
        let authority = authority();
        let good = issue(&authority, |params| params.subject_alt_names = vec![dns("a.example")]);
        assert_eq!(check(&authority, &good, "a.example"), Ok(()));
        assert!(check(&authority, &good, "b.example").unwrap_err().contains("not for b.example"));
        let common = issue(&authority, |params| {
            params.distinguished_name.push(DnType::CommonName, "a.example");
        });
        assert!(check(&authority, &common, "a.example").is_err());
        let wild = issue(&authority, |params| params.subject_alt_names = vec![dns("*.a.example")]);
        assert_eq!(check(&authority, &wild, "rooms.a.example"), Ok(()));
        assert!(check(&authority, &wild, "a.example").is_err());
    }

    #[test]
    fn xmpp_addresses_are_names() {
        let authority = authority();
        let other = |text: &str| {
            SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 5], text.to_owned().into()))
        };
        let named = issue(&authority, |params| params.subject_alt_names = vec![other("a.example")]);
        assert_eq!(check(&authority, &named, "a.example"), Ok(()));
        assert!(check(&authority, &named, "b.example").is_err());
    }

    #[test]
    fn server_certificates_are_good_for_both_sides() {
        let authority = authority();
        let issue = |usage: ExtendedKeyUsagePurpose| {
            issue(&authority, |params| {
                params.subject_alt_names = vec![dns("a.example")];
                params.extended_key_usages = vec![usage];
            })
        };
        let server = issue(ExtendedKeyUsagePurpose::ServerAuth);
        assert_eq!(check(&authority, &server, "a.example"), Ok(()));
        let mail = issue(ExtendedKeyUsagePurpose::EmailProtection);
        assert!(check(&authority, &mail, "a.example").is_err());
    }

    #[test]
    fn strangers_and_the_past_are_refused_in_words() {
        let (ours, theirs) = (authority(), authority());
        let foreign = issue(&theirs, |params| params.subject_alt_names = vec![dns("a.example")]);
        assert!(check(&ours, &foreign, "a.example").unwrap_err().contains("not trusted"));
        let old = issue(&ours, |params| {
            params.subject_alt_names = vec![dns("a.example")];
            params.not_after = (SystemTime::now() - Duration::from_secs(60)).into();
        });
        assert!(check(&ours, &old, "a.example").unwrap_err().contains("expired"));
        assert!(ours.trust.check(&[], "a.example", true, SystemTime::now()).is_err());
        let good = issue(&ours, |params| params.subject_alt_names = vec![dns("a.example")]);
        let unlisted = ours.trust.check(&[good], "a.example", false, SystemTime::now());
        assert!(unlisted.is_err(), "the operator's own authorities are for listed hosts alone");
    }
}
