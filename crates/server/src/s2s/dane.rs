//! Which certificates the signed zone of a domain names for its servers: DANE (RFC 6698, RFC 7671)
//! for services that are found by SRV records (RFC 7673).
//!
//! Nothing here is asked or believed unless the records that lead to a server, and those that name
//! its certificates, were validated by a resolver that is trusted ([`dns::Resolver::trusted`]).

use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, SHA512, digest};
use rustls::{RootCertStore, pki_types::CertificateDer};
use tokio::time::timeout;
use x509_cert::{
    Certificate,
    der::{Decode as _, Encode as _},
};

use super::{
    outgoing::Failure,
    resolve::{self, Place},
    verify::{names, signed},
};
use crate::dns::{self, Resolver, Tlsa};

/// What a zone says about a chain of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It names them.
    Proven,
    /// It names others.
    Refuted,
    /// Nothing that could be used.
    Silent,
}

/// The certificates that are named for a place; none unless its records and theirs are signed.
///
/// # Errors
/// When they cannot be looked up: somebody who can only suppress records must not get through
/// without them (RFC 7673 §3.3).
pub async fn records(place: &Place) -> Result<Vec<Tlsa>, Failure> {
    match dns::resolver() {
        Some(resolver) => asked(resolver, place).await,
        None => Ok(Vec::new()),
    }
}

async fn asked(resolver: Resolver, place: &Place) -> Result<Vec<Tlsa>, Failure> {
    if !place.signed {
        return Ok(Vec::new());
    }
    let answer = dns::certificates(resolver, &place.host, place.port, PATIENCE).await;
    let answer = answer.map_err(|error| {
        let host = &place.host;
        Failure::passing(format!("the certificates of {host} cannot be looked up: {error}"))
    })?;
    Ok(if answer.secure { answer.value } else { Vec::new() })
}

/// Whether the zone of a domain names the certificate of somebody who connected.
pub async fn vouches(domain: &str, chain: &[CertificateDer<'_>]) -> bool {
    match dns::resolver() {
        Some(resolver) if resolver.is_trusted() => {
            let asking = names_one(resolver, domain, chain);
            timeout(PATIENCE, asking).await.unwrap_or(false)
        }
        _ => false,
    }
}

async fn names_one(resolver: Resolver, domain: &str, chain: &[CertificateDer<'_>]) -> bool {
    let places = resolve::named(resolver, domain).await.unwrap_or_default();
    for place in places.iter().filter(|place| place.signed).take(MOST_PLACES) {
        let records = asked(resolver, place).await.unwrap_or_default();
        // Of an authority it would need to be known which it is; that is `Trust::check`.
        let untrusted = || Err(String::new());
        if check(&records, chain, &[domain, &place.host], untrusted) == Verdict::Proven {
            return true;
        }
    }
    false
}

/// Holds the chain of a server against what its zone names. `hosts` are the names that it may have
/// where a record is about an authority; `public` tells whether public authorities trust it.
pub fn check(
    records: &[Tlsa],
    chain: &[CertificateDer<'_>],
    hosts: &[&str],
    public: impl Fn() -> Result<(), String>,
) -> Verdict {
    let mut verdict = Verdict::Silent;
    let Some((leaf, intermediates)) = chain.split_first() else { return verdict };
    for record in records.iter().filter(|record| is_usable(record)) {
        let proven = match record.usage {
            // Names and dates do not count: the zone has both (RFC 7671 §5.1).
            DANE_EE => matches(record, leaf),
            DANE_TA => {
                let anchors = anchors(record, chain);
                anchors.iter().any(|anchor| is_signed_by(leaf, intermediates, anchor, hosts))
            }
            PKIX_EE => matches(record, leaf) && public().is_ok(),
            // An authority that is not shown cannot be compared: the record says nothing then. One
            // that is shown has to have signed, since anybody can show it.
            _ => {
                let anchors = anchors(record, chain);
                if anchors.is_empty() {
                    continue;
                }
                anchors.iter().any(|anchor| is_signed_by(leaf, intermediates, anchor, hosts))
                    && public().is_ok()
            }
        };
        if proven {
            return Verdict::Proven;
        }
        verdict = Verdict::Refuted;
    }
    verdict
}

/// Whether a record is one of those that are defined; others are as if they were not there.
fn is_usable(record: &Tlsa) -> bool {
    let right_size = match record.matching {
        WHOLE => !record.data.is_empty(),
        WITH_SHA256 => record.data.len() == 32,
        WITH_SHA512 => record.data.len() == 64,
        _ => false,
    };
    right_size && record.usage <= DANE_EE && record.selector <= PUBLIC_KEY
}

fn matches(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let part = match record.selector {
        PUBLIC_KEY => public_key(certificate),
        _ => Some(certificate.to_vec()),
    };
    part.is_some_and(|part| match record.matching {
        WITH_SHA256 => digest(&SHA256, &part).as_ref() == record.data,
        WITH_SHA512 => digest(&SHA512, &part).as_ref() == record.data,
        _ => part == record.data,
    })
}

/// The public key of a certificate, as it stands in it.
pub(super) fn public_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    certificate.tbs_certificate().subject_public_key_info().to_der().ok()
}

/// The authorities that a record names: those of the chain, or the one that stands in the record.
fn anchors(record: &Tlsa, chain: &[CertificateDer<'_>]) -> Vec<CertificateDer<'static>> {
    let shown = chain.iter().skip(1).filter(|one| matches(record, one));
    let mut anchors: Vec<_> = shown.map(|one| one.clone().into_owned()).collect();
    if record.matching == WHOLE && record.selector != PUBLIC_KEY {
        anchors.push(CertificateDer::from(record.data.clone()));
    }
    anchors
}

fn is_signed_by(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    anchor: &CertificateDer<'static>,
    hosts: &[&str],
) -> bool {
    let mut roots = RootCertStore::empty();
    if roots.add(anchor.clone()).is_err() {
        return false;
    }
    signed(leaf, intermediates, &roots, SystemTime::now())
        .is_ok_and(|parsed| hosts.iter().any(|host| names(&parsed, leaf, host)))
}

// RFC 7218: the words for the numbers of RFC 6698 §2.1. What is below PKIX_EE is PKIX-TA.
const PKIX_EE: u8 = 1;
const DANE_TA: u8 = 2;
const DANE_EE: u8 = 3;
const PUBLIC_KEY: u8 = 1;
const WHOLE: u8 = 0;
const WITH_SHA256: u8 = 1;
const WITH_SHA512: u8 = 2;

/// For one question, and for all that are asked about somebody who connected.
const PATIENCE: Duration = Duration::from_secs(5);
/// Servers of a domain that are asked about then.
const MOST_PLACES: usize = 4;

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use tokio::net::UdpSocket;

    use super::*;
    use crate::dns::{Target, testing::Zone};

    /// The certificate of a server, and the one it is signed with.
    fn chain(name: &str) -> Vec<CertificateDer<'static>> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        vec![params.signed_by(&key, &issuer).unwrap().der().clone(), root]
    }

    fn record(usage: u8, selector: u8, matching: u8, certificate: &CertificateDer<'_>) -> Tlsa {
        let part = match selector {
            PUBLIC_KEY => public_key(certificate).unwrap(),
            _ => certificate.to_vec(),
        };
        let data = match matching {
            WITH_SHA256 => digest(&SHA256, &part).as_ref().to_vec(),
            WITH_SHA512 => digest(&SHA512, &part).as_ref().to_vec(),
            _ => part,
        };
        Tlsa { usage, selector, matching, data }
    }

    fn said(records: &[Tlsa], chain: &[CertificateDer<'_>], public: bool) -> Verdict {
        let public = || if public { Ok(()) } else { Err(String::new()) };
        check(records, chain, &["a.example", "host.example"], public)
    }

    #[test]
    fn a_certificate_is_named_in_every_form() {
        let (ours, theirs) = (chain("elsewhere.example"), chain("a.example"));
        for (selector, matching) in (0..=1).flat_map(|one| (0..=2).map(move |two| (one, two))) {
            let named = [record(DANE_EE, selector, matching, &ours[0])];
            assert_eq!(said(&named, &ours, false), Verdict::Proven);
            assert_eq!(said(&named, &theirs, true), Verdict::Refuted);
        }
        let both = [record(DANE_EE, 1, 1, &theirs[0]), record(DANE_EE, 1, 1, &ours[0])];
        assert_eq!(said(&both, &ours, false), Verdict::Proven, "one of several is enough");
    }

    #[test]
    fn an_authority_that_is_named_has_to_have_signed_for_the_name() {
        let ours = chain("host.example");
        let named = record(DANE_TA, 1, 1, &ours[1]);
        assert_eq!(said(std::slice::from_ref(&named), &ours, false), Verdict::Proven);
        let mut other = chain("host.example");
        other.push(ours[1].clone());
        assert_eq!(said(&[named], &other, false), Verdict::Refuted, "it did not sign this one");
        let stranger = chain("b.example");
        let named = record(DANE_TA, 0, 1, &stranger[1]);
        assert_eq!(said(&[named], &stranger, false), Verdict::Refuted, "of another name");
        let whole = record(DANE_TA, 0, 0, &ours[1]);
        assert_eq!(said(&[whole], &ours[..1], false), Verdict::Proven, "it need not be shown");
    }

    #[test]
    fn two_usages_want_public_authorities_as_well() {
        let ours = chain("a.example");
        for named in [record(PKIX_EE, 1, 1, &ours[0]), record(0, 1, 1, &ours[1])] {
            assert_eq!(said(std::slice::from_ref(&named), &ours, true), Verdict::Proven);
            assert_eq!(said(&[named], &ours, false), Verdict::Refuted);
        }
    }

    #[test]
    fn an_authority_that_is_only_shown_proves_nothing() {
        let (ours, theirs) = (chain("a.example"), chain("a.example"));
        let named = [record(0, 0, 1, &ours[1])];
        let shown = [theirs[0].clone(), theirs[1].clone(), ours[1].clone()];
        assert_eq!(said(&named, &shown, true), Verdict::Refuted);
        assert_eq!(said(&named, &theirs, true), Verdict::Silent, "it cannot be compared");
    }

    #[test]
    fn what_is_not_defined_says_nothing() {
        let ours = chain("a.example");
        let good = record(DANE_EE, 1, 1, &ours[0]);
        let strange = [
            Tlsa { usage: 4, ..good.clone() },
            Tlsa { selector: 2, ..good.clone() },
            Tlsa { matching: 3, ..good.clone() },
            Tlsa { data: good.data[..31].to_vec(), ..good.clone() },
        ];
        assert_eq!(said(&strange, &ours, false), Verdict::Silent);
        assert_eq!(said(&[], &ours, true), Verdict::Silent);
        assert_eq!(said(&[good], &[], true), Verdict::Silent);
    }

    /// A resolver with the zone of `a.example`: its server is `host.example`, with this record.
    async fn resolver(record: &Tlsa, signed: bool) -> Resolver {
        let server = Target { host: "host.example".into(), port: 5269, priority: 0, weight: 0 };
        let zone = Zone {
            services: vec![("_xmpp-server._tcp.a.example".into(), server)],
            certificates: vec![("_5269._tcp.host.example".into(), record.clone())],
            signed,
        };
        zone.serve().await
    }

    #[tokio::test]
    async fn whoever_connects_is_vouched_for_by_a_signed_zone_alone() {
        let (ours, theirs) = (chain("a.example"), chain("a.example"));
        let named = record(DANE_EE, 1, 1, &ours[0]);
        let signed = resolver(&named, true).await;
        assert!(names_one(signed, "a.example", &ours).await);
        assert!(!names_one(signed, "a.example", &theirs).await);
        assert!(!names_one(signed, "b.example", &ours).await);
        let unsigned = resolver(&named, false).await;
        assert!(!names_one(unsigned, "a.example", &ours).await);
        let afar = signed.distrusted();
        assert!(!names_one(afar, "a.example", &ours).await);
    }

    #[tokio::test]
    async fn a_place_whose_certificates_cannot_be_looked_up_is_not_connected_to() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let resolver = Resolver::at(silent.local_addr().unwrap(), true);
        drop(silent);
        let place = |signed| Place {
            host: "h.example".into(),
            port: 5269,
            tls: false,
            signed,
            priority: 0,
            delegated: None,
        };
        assert!(asked(resolver, &place(true)).await.is_err());
        assert_eq!(asked(resolver, &place(false)).await.unwrap(), []);
    }
}
