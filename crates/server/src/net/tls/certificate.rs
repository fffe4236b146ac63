//! What a certificate says: its names, its time, and its hash for channel binding.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustls::{
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::{
    Certificate,
    der::{
        Decode as _, SliceReader, TagNumber,
        asn1::{ContextSpecific, ObjectIdentifier},
    },
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::Name,
    spki::AlgorithmIdentifierOwned,
};

use super::TlsError;

/// The facts of a certificate that the server and its operator care about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The common name of its subject, empty when there is none.
    pub subject: String,
    /// The DNS names and IP addresses it is for.
    pub names: Vec<String>,
    /// When it begins to be valid.
    pub not_before: SystemTime,
    /// When it stops being valid.
    pub not_after: SystemTime,
    /// The value of the channel binding `tls-server-end-point`.
    pub end_point: Vec<u8>,
    /// The SHA-256 of the certificate, as people compare it: pairs of hex digits with colons.
    pub fingerprint: String,
}

impl Facts {
    /// Reads them from a certificate in DER.
    pub(super) fn of(der: &[u8]) -> Option<Facts> {
        let certificate = Certificate::from_der(der).ok()?;
        let body = certificate.tbs_certificate();
        let names = body
            .get_extension::<SubjectAltName>()
            .ok()
            .flatten()
            .map_or(Vec::new(), |(_, names)| names.0.iter().filter_map(name).collect());
        let algorithm = certificate.signature_algorithm();
        Some(Facts {
            subject: common_name(body.subject()),
            names,
            not_before: body.validity().not_before.to_system_time(),
            not_after: body.validity().not_after.to_system_time(),
            end_point: end_point(der, algorithm),
            fingerprint: fingerprint(&Sha256::digest(der)),
        })
    }

    /// How long it is still valid; zero when it has expired.
    pub fn remaining(&self, now: SystemTime) -> Duration {
        self.not_after.duration_since(now).unwrap_or_default()
    }

    /// The day it expires, as `2031-05-17`.
    pub fn expiry_day(&self) -> String {
        day(self.not_after)
    }
}

/// A certificate with its key, ready to be served, and what it says.
pub(super) struct Loaded {
    pub(super) key: CertifiedKey,
    pub(super) facts: Facts,
}

/// Reads a chain and its key, and makes sure that they belong together.
///
/// # Errors
/// In words, whatever is wrong with the files.
pub(super) fn load(certificate: &Path, key: &Path) -> Result<Loaded, TlsError> {
    let chain = read_chain(certificate)?;
    let pem = read(key)?;
    let key_der = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey(key.into()))?;
    let signer = any_supported_type(&key_der).map_err(|_| TlsError::KeyKind(key.into()))?;
    let leaf = chain.first().ok_or_else(|| TlsError::NoCertificate(certificate.into()))?;
    let facts = Facts::of(leaf).ok_or_else(|| TlsError::BadCertificate(certificate.into()))?;
    let key_pair = CertifiedKey::new(chain, signer);
    match key_pair.keys_match() {
        // A key whose public half cannot be computed is tried as it is.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(Loaded { key: key_pair, facts })
        }
        Err(_) => Err(TlsError::Mismatch { certificate: certificate.into(), key: key.into() }),
    }
}

/// The facts of a certificate that can be served with its key.
///
/// # Errors
/// In words, whatever is wrong with the files.
pub fn verify(certificate: &Path, key: &Path) -> Result<Facts, TlsError> {
    load(certificate, key).map(|loaded| loaded.facts)
}

/// Reads the facts of the first certificate of a file.
///
/// # Errors
/// When the file holds none.
pub fn inspect(certificate: &Path) -> Result<Facts, TlsError> {
    let chain = read_chain(certificate)?;
    let leaf = chain.first().ok_or_else(|| TlsError::NoCertificate(certificate.into()))?;
    Facts::of(leaf).ok_or_else(|| TlsError::BadCertificate(certificate.into()))
}

/// Whether a client that looks for `domain` accepts the names of the certificate in the file.
///
/// # Errors
/// When the file holds no certificate.
pub fn covers(certificate: &Path, domain: &str) -> Result<bool, TlsError> {
    let chain = read_chain(certificate)?;
    let leaf = chain.first().ok_or_else(|| TlsError::NoCertificate(certificate.into()))?;
    let leaf = rustls::server::ParsedCertificate::try_from(leaf)
        .map_err(|_| TlsError::BadCertificate(certificate.into()))?;
    let Ok(ascii) = idna::domain_to_ascii(domain) else { return Ok(false) };
    let Ok(name) = ServerName::try_from(ascii) else { return Ok(false) };
    Ok(rustls::client::verify_server_name(&leaf, &name).is_ok())
}

/// The SHA-256 of the public key of the first certificate of a file, in hexadecimal digits: the
/// data of a TLSA record with the parameters `3 1 1` (RFC 6698 §2.1).
///
/// # Errors
/// When the file holds no certificate.
pub fn key_digest(certificate: &Path) -> Result<String, TlsError> {
    use x509_cert::der::Encode as _;
    let chain = read_chain(certificate)?;
    let bad = || TlsError::BadCertificate(certificate.into());
    let leaf = chain.first().ok_or_else(|| TlsError::NoCertificate(certificate.into()))?;
    let leaf = Certificate::from_der(leaf).map_err(|_| bad())?;
    let key = leaf.tbs_certificate().subject_public_key_info().to_der().map_err(|_| bad())?;
    Ok(Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The certificates of a file, that of the server first; at least one.
///
/// # Errors
/// When the file holds none.
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(TlsError::NoCertificate(path.into())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::Unreadable {
        path: PathBuf::from(path),
        reason: match error.kind() {
            io::ErrorKind::NotFound => {
                "there is no such file; look at `certificate` and `key` in [tls]".to_owned()
            }
            io::ErrorKind::PermissionDenied => {
                "the server may not read it; make it readable for the user it runs as".to_owned()
            }
            _ => error.to_string(),
        },
    })
}

fn common_name(subject: &Name) -> String {
    let text = subject.iter().find(|part| part.oid == COMMON_NAME).map(|part| &part.value);
    text.map_or(String::new(), |text| String::from_utf8_lossy(text.value()).into_owned())
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            let four = <[u8; 4]>::try_from(octets).map(std::net::IpAddr::from);
            let sixteen = <[u8; 16]>::try_from(octets).map(std::net::IpAddr::from);
            four.or(sixteen).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// RFC 5929 §4.1: the hash of the certificate with the hash function of its signature, SHA-256
/// instead of MD5 and SHA-1. A signature without one of the known functions (Ed25519) leaves the
/// binding undefined there; SHA-256 is what the field computes.
fn end_point(der: &[u8], algorithm: &AlgorithmIdentifierOwned) -> Vec<u8> {
    let mut oid = algorithm.oid;
    if oid == RSASSA_PSS {
        oid = pss_hash(algorithm).unwrap_or(SHA_256);
    }
    match oid {
        SHA_384 | RSA_SHA_384 | ECDSA_SHA_384 => Sha384::digest(der).to_vec(),
        SHA_512 | RSA_SHA_512 | ECDSA_SHA_512 => Sha512::digest(der).to_vec(),
        _ => Sha256::digest(der).to_vec(),
    }
}

/// The hash function among the parameters of RSASSA-PSS (RFC 4055 §3.1): the field `[0]`.
fn pss_hash(algorithm: &AlgorithmIdentifierOwned) -> Option<ObjectIdentifier> {
    let parameters = algorithm.parameters.as_ref()?;
    let mut fields = SliceReader::new(parameters.value()).ok()?;
    let hash: Option<ContextSpecific<AlgorithmIdentifierOwned>> =
        ContextSpecific::decode_explicit(&mut fields, TagNumber(0)).ok()?;
    hash.map(|hash| hash.value.oid)
}

fn fingerprint(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The day of a time in UTC, as `2031-05-17`.
pub(crate) fn day(time: SystemTime) -> String {
    let elapsed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = x509_cert::der::DateTime::from_unix_duration(elapsed);
    date.map_or_else(
        |_| "after the year 9999".to_owned(),
        |date| format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()),
    )
}

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const RSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
