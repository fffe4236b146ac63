//! The server's own certificate authority, for operators without a certificate of a public one.
//! Clients that trust `ca.pem` then trust every certificate the server makes for itself.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};

use super::{TlsError, certificate};
use crate::{config::Home, files};

/// Makes sure that the data directory holds an authority and a certificate for `domain`, and for the names
/// `below` it, that are good for a while; makes or renews what is not. Tells whether anything was written.
///
/// # Errors
/// When files cannot be read or written, in words.
pub fn ensure(
    home: &Home,
    domain: &str,
    below: &[String],
    now: SystemTime,
) -> Result<bool, TlsError> {
    let authority = home.authority();
    if !authority.try_exists().map_err(|error| TlsError::io(&authority, &error))?
        || !is_authority_for(&authority, domain, now)?
    {
        make_authority(home, domain, now)?;
    } else if is_good(&home.certificate(), domain, below, now) {
        return Ok(false);
    }
    make_certificate(home, authority_params(domain, now)?, (domain, below), now)?;
    Ok(true)
}

/// Whether the authority in the file may sign for the domain and is not about to expire. It is
/// another one's when the operator corrected the domain after `anemone init`.
fn is_authority_for(path: &Path, domain: &str, now: SystemTime) -> Result<bool, TlsError> {
    let facts = certificate::inspect(path)?;
    Ok(facts.subject == authority_name(domain) && facts.remaining(now) > RENEW_BEFORE)
}

fn authority_name(domain: &str) -> String {
    format!("Anemone at {domain}")
}

/// Whether the certificate in the file is for the domain and the names below it, is valid already, and will be for
/// another month. One that is not valid yet was made while the clock was ahead.
fn is_good(path: &Path, domain: &str, below: &[String], now: SystemTime) -> bool {
    let lasting = certificate::inspect(path)
        .is_ok_and(|facts| facts.not_before <= now && facts.remaining(now) > RENEW_BEFORE);
    let mut names = std::iter::once(domain).chain(below.iter().map(String::as_str));
    lasting && names.all(|name| certificate::covers(path, name).unwrap_or(false))
}

fn make_authority(home: &Home, domain: &str, now: SystemTime) -> Result<(), TlsError> {
    let key = KeyPair::generate().map_err(TlsError::generation)?;
    let params = authority_params(domain, now)?;
    let certificate = params.self_signed(&key).map_err(TlsError::generation)?;
    write(&home.authority_key(), key.serialize_pem().as_bytes(), files::write_private)?;
    write(&home.authority(), certificate.pem().as_bytes(), files::write_public)
}

fn make_certificate(
    home: &Home,
    authority: CertificateParams,
    (domain, below): (&str, &[String]),
    now: SystemTime,
) -> Result<(), TlsError> {
    let path = home.authority_key();
    let pem = fs::read_to_string(&path).map_err(|error| TlsError::io(&path, &error))?;
    let authority_key = KeyPair::from_pem(&pem).map_err(|_| TlsError::NoKey(path))?;
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().map_err(TlsError::generation)?;
    let params = certificate_params(domain, below, now)?;
    let certificate = params.signed_by(&key, &issuer).map_err(TlsError::generation)?;
    write(&home.certificate_key(), key.serialize_pem().as_bytes(), files::write_private)?;
    write(&home.certificate(), certificate.pem().as_bytes(), files::write_public)
}

fn write(
    path: &Path,
    content: &[u8],
    how: fn(&Path, &[u8]) -> std::io::Result<()>,
) -> Result<(), TlsError> {
    how(path, content).map_err(|error| TlsError::io(path, &error))
}

/// A certificate for `other`, signed with the authority of `domain`: what a thief of its key could
/// make.
#[cfg(test)]
pub(super) fn forge(home: &Home, domain: &str, other: &str, now: SystemTime) {
    make_certificate(home, authority_params(domain, now).unwrap(), (other, &[]), now).unwrap();
}

/// An authority that can vouch for this domain and nothing else, so that trusting it gives nobody
/// a way to pose as other sites.
fn authority_params(domain: &str, now: SystemTime) -> Result<CertificateParams, TlsError> {
    let ascii = ascii(domain)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, authority_name(domain));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let mut permitted = vec![GeneralSubtree::DnsName(ascii)];
    permitted.extend(
        addresses(domain).into_iter().map(|address| GeneralSubtree::IpAddress(only(address))),
    );
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() });
    params.not_before = (now - CLOCK_TOLERANCE).into();
    params.not_after = (now + AUTHORITY_LIFETIME).into();
    Ok(params)
}

/// A server certificate with the domain as DNS name and as the XMPP address of RFC 6120
/// §13.7.1.4, and with the names below it as DNS names. The SRV name of RFC 4985 is left out: it must
/// be an IA5String, which the library cannot write, and a client that knows it accepts the DNS name as well.
fn certificate_params(
    domain: &str,
    below: &[String],
    now: SystemTime,
) -> Result<CertificateParams, TlsError> {
    let dns = ascii(domain)?.try_into().map_err(TlsError::generation)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, domain);
    params.subject_alt_names = vec![
        SanType::DnsName(dns),
        SanType::OtherName((ID_ON_XMPP_ADDR.to_vec(), domain.to_owned().into())),
    ];
    for name in below {
        let name = ascii(name)?.try_into().map_err(TlsError::generation)?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.subject_alt_names.extend(addresses(domain).into_iter().map(SanType::IpAddress));
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = (now - CLOCK_TOLERANCE).into();
    params.not_after = (now + CERTIFICATE_LIFETIME).into();
    Ok(params)
}

/// The addresses a trial server on this machine is also reached by.
fn addresses(domain: &str) -> Vec<IpAddr> {
    match domain {
        "localhost" => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        _ => Vec::new(),
    }
}

fn only(address: IpAddr) -> CidrSubnet {
    CidrSubnet::from_addr_prefix(address, if address.is_ipv4() { 32 } else { 128 })
}

fn ascii(domain: &str) -> Result<String, TlsError> {
    idna::domain_to_ascii(domain).map_err(|_| TlsError::Domain(domain.to_owned()))
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const AUTHORITY_LIFETIME: Duration = DAY.saturating_mul(3650);
/// Some systems refuse certificates that are valid for more than 398 days.
const CERTIFICATE_LIFETIME: Duration = DAY.saturating_mul(365);
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// Clients whose clock is a little behind still accept a new certificate.
const CLOCK_TOLERANCE: Duration = DAY;
/// id-on-xmppAddr, RFC 6120 §13.7.1.4.
const ID_ON_XMPP_ADDR: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 8, 5];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_once_and_private_ones_are_private() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let now = SystemTime::now();
        assert!(ensure(&home, "example.org", &[], now).unwrap());
        assert!(!ensure(&home, "example.org", &[], now).unwrap());
        assert!(!files::readable_by_all(&home.authority_key()).unwrap());
        assert!(!files::readable_by_all(&home.certificate_key()).unwrap());
        assert!(certificate::covers(&home.certificate(), "example.org").unwrap());
        assert!(!certificate::covers(&home.certificate(), "sub.example.org").unwrap());
    }

    #[test]
    fn a_clock_that_was_ahead_leaves_no_certificate_that_nobody_accepts() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let now = SystemTime::now();
        ensure(&home, "example.org", &[], now).unwrap();
        let authority = fs::read(home.authority()).unwrap();
        assert!(ensure(&home, "example.org", &[], now + DAY * 400).unwrap(), "it ran out");
        assert!(ensure(&home, "example.org", &[], now).unwrap(), "that one is not valid yet");
        assert!(certificate::inspect(&home.certificate()).unwrap().not_before <= now);
        assert!(!ensure(&home, "example.org", &[], now).unwrap());
        assert_eq!(fs::read(home.authority()).unwrap(), authority, "clients go on trusting it");
    }

    #[test]
    fn names_below_the_domain_are_in_the_certificate() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let now = SystemTime::now();
        ensure(&home, "example.org", &[], now).unwrap();
        let authority = fs::read(home.authority()).unwrap();
        let below = ["conference.example.org".to_owned()];
        assert!(ensure(&home, "example.org", &below, now).unwrap(), "it lacks one");
        assert!(!ensure(&home, "example.org", &below, now).unwrap());
        for name in ["example.org", "conference.example.org"] {
            assert!(certificate::covers(&home.certificate(), name).unwrap(), "{name}");
        }
        assert_eq!(fs::read(home.authority()).unwrap(), authority);
    }

    #[test]
    fn a_corrected_domain_gets_a_new_authority() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        ensure(&home, "exmaple.org", &[], SystemTime::now()).unwrap();
        assert!(ensure(&home, "example.org", &[], SystemTime::now()).unwrap());
        assert!(certificate::covers(&home.certificate(), "example.org").unwrap());
        let authority = certificate::inspect(&home.authority()).unwrap();
        assert_eq!(authority.subject, "Anemone at example.org");
    }
}
