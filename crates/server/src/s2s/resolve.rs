//! Where the server of a domain is: fixed addresses of the configuration, SRV records, or the
//! domain itself (RFC 6120 §3.2, XEP-0368).

use std::{io, net::IpAddr, time::Duration};

use super::{host_meta::Delegation, outgoing::Failure};
use crate::{
    config::{Config, Host},
    dns::{self, Answer, Resolver, Services, Target},
};

/// A place where a server may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS from the first byte (XEP-0368).
    pub tls: bool,
    /// The records that lead there are signed and were validated (DNSSEC).
    pub signed: bool,
    /// Lower ones are tried first, equals at the same time.
    pub priority: u16,
    /// The domain's web server named it (XEP-0487).
    pub delegated: Option<Delegation>,
}

/// The places to try for a domain, in order.
///
/// # Errors
/// When there are none.
pub async fn places(config: &Config, domain: &str) -> Result<Vec<Place>, Failure> {
    if let Some(Host { host, port, tls }) = config.federation.hosts.get(domain) {
        let (host, port, tls) = (host.clone(), *port, *tls);
        let (signed, priority, delegated) = (false, 0, None);
        return Ok(vec![Place { host, port, tls, signed, priority, delegated }]);
    }
    let Some(resolver) = dns::resolver() else {
        return Err(Failure::passing("this machine has no resolver in /etc/resolv.conf"));
    };
    named(resolver, domain).await
}

/// The places that a resolver knows for a domain, in order.
///
/// # Errors
/// When there are none.
pub async fn named(resolver: Resolver, domain: &str) -> Result<Vec<Place>, Failure> {
    let ascii = idna::domain_to_ascii(domain)
        .map_err(|_| Failure::permanent(format!("{domain} is no name that can be looked up")))?;
    if ascii.parse::<IpAddr>().is_ok() || ascii.starts_with('[') {
        return Err(Failure::permanent("addresses of machines are not domains"));
    }
    let name = |service: &str| format!("_{service}._tcp.{ascii}");
    let (secure, plain) = (name("xmpps-server"), name("xmpp-server"));
    let (secure, plain) = tokio::join!(
        dns::services(resolver, &secure, PATIENCE),
        dns::services(resolver, &plain, PATIENCE)
    );
    let broken = |error: io::Error| {
        Failure::passing(format!("the servers of {domain} cannot be looked up: {error}"))
    };
    let (secure, plain) = one_will_do(secure, plain).map_err(broken)?;
    let places = choose(&ascii, secure, plain, random)?;
    // Only a domain without records leads to itself; whoever mistyped it wants to know at once.
    if places.iter().all(|place| place.host == ascii)
        && dns::addresses(&ascii, 5269, PATIENCE).await.is_empty()
        && matches!(dns::is_missing(resolver, &ascii, PATIENCE).await, Ok(true))
    {
        return Err(Failure::permanent(format!("there is no domain {domain}")));
    }
    Ok(places)
}

/// What was found for both services. A name server that fails for one of them does not matter when the other one
/// says where to go.
fn one_will_do(
    secure: io::Result<Answer<Services>>,
    plain: io::Result<Answer<Services>>,
) -> io::Result<(Answer<Services>, Answer<Services>)> {
    let leads = |answer: &Answer<Services>| match &answer.value {
        Services::Found(targets) => targets.iter().any(|target| !target.host.is_empty()),
        Services::NoName => false,
    };
    let nothing = || Answer { value: Services::Found(Vec::new()), secure: false };
    match (secure, plain) {
        (Ok(secure), Err(_)) if leads(&secure) => Ok((secure, nothing())),
        (Err(_), Ok(plain)) if leads(&plain) => Ok((nothing(), plain)),
        (secure, plain) => Ok((secure?, plain?)),
    }
}

/// What the records of a service have in common.
#[derive(Clone, Copy)]
struct Way {
    tls: bool,
    signed: bool,
}

/// The order of RFC 2782, with both services as one (XEP-0368 §5).
fn choose(
    domain: &str,
    secure: Answer<Services>,
    plain: Answer<Services>,
    random: impl Fn() -> u32,
) -> Result<Vec<Place>, Failure> {
    let found = |services: Answer<Services>, tls: bool| match services.value {
        Services::Found(targets) => {
            let way = Way { tls, signed: services.secure };
            targets.into_iter().map(|target| (target, way)).collect::<Vec<_>>()
        }
        Services::NoName => Vec::new(),
    };
    let signed = secure.secure && plain.secure;
    let mut all = found(secure, true);
    all.extend(found(plain, false));
    if all.is_empty() {
        let (host, priority, delegated) = (domain.to_owned(), 0, None);
        return Ok(vec![Place { host, port: 5269, tls: false, signed, priority, delegated }]);
    }
    // A target that is the root says that the service is not offered.
    all.retain(|(target, _)| !target.host.is_empty());
    if all.is_empty() {
        return Err(Failure::permanent(format!("{domain} offers no XMPP server")));
    }
    all.sort_by_key(|(target, _)| target.priority);
    let mut places = Vec::new();
    while let Some(priority) = all.first().map(|(target, _)| target.priority) {
        let equals = all.iter().take_while(|(target, _)| target.priority == priority).count();
        let mut equals: Vec<(Target, Way)> = all.drain(..equals).collect();
        while !equals.is_empty() {
            let (Target { host, port, .. }, Way { tls, signed }) =
                equals.swap_remove(draw(&equals, random()));
            places.push(Place { host, port, tls, signed, priority, delegated: None });
        }
    }
    Ok(places)
}

/// One of several targets, each with the chance that its weight gives it.
fn draw(targets: &[(Target, Way)], random: u32) -> usize {
    let weight = |target: &Target| u64::from(target.weight) + 1;
    let sum: u64 = targets.iter().map(|(target, _)| weight(target)).sum();
    let mut at = u64::from(random) % sum.max(1);
    for (index, (target, _)) in targets.iter().enumerate() {
        match at.checked_sub(weight(target)) {
            Some(rest) => at = rest,
            None => return index,
        }
    }
    0
}

pub(super) fn random() -> u32 {
    getrandom::u32().unwrap_or_default()
}

/// The places with the priority of the first, and the others.
#[must_use]
pub fn equals(places: &[Place]) -> (&[Place], &[Place]) {
    let first = places.first().map(|place| place.priority);
    let end = places.iter().position(|place| Some(place.priority) != first);
    places.split_at(end.unwrap_or(places.len()))
}

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn nowhere() -> Place {
        let (priority, delegated) = (0, None);
        Place { host: String::new(), port: 0, tls: false, signed: false, priority, delegated }
    }

    fn target(host: &str, priority: u16, weight: u16) -> Target {
        Target { host: host.into(), port: 5269, priority, weight }
    }

    fn found(targets: Vec<Target>) -> Answer<Services> {
        Answer { value: Services::Found(targets), secure: false }
    }

    fn hosts(places: &[Place]) -> Vec<(&str, bool)> {
        places.iter().map(|place| (place.host.as_str(), place.tls)).collect()
    }

    #[test]
    fn priorities_hold_across_both_services_and_weights_within_them() {
        let secure = found(vec![target("b", 10, 0), target("d", 20, 0)]);
        let plain = found(vec![target("a", 5, 0), target("c", 10, 5)]);
        let first = choose("x.example", secure.clone(), plain.clone(), || 0).unwrap();
        assert_eq!(hosts(&first), [("a", false), ("b", true), ("c", false), ("d", true)]);
        let heavy = choose("x.example", secure, plain, || 3).unwrap();
        assert_eq!(hosts(&heavy), [("a", false), ("c", false), ("b", true), ("d", true)]);
    }

    #[test]
    fn a_name_server_that_fails_for_one_service_does_not_matter_when_the_other_is_found() {
        let failed = || Err(io::Error::other("the resolver says ServerFailure"));
        let leading = || Ok(found(vec![target("a", 0, 0)]));
        let (secure, plain) = one_will_do(failed(), leading()).unwrap();
        assert_eq!(hosts(&choose("x.example", secure, plain, || 0).unwrap()), [("a", false)]);
        let (secure, plain) = one_will_do(leading(), failed()).unwrap();
        assert_eq!(hosts(&choose("x.example", secure, plain, || 0).unwrap()), [("a", true)]);
        for useless in [found(Vec::new()), found(vec![target("", 0, 0)])] {
            assert!(one_will_do(Ok(useless.clone()), failed()).is_err());
            assert!(one_will_do(failed(), Ok(useless)).is_err(), "it may be there after all");
        }
    }

    #[test]
    fn places_of_one_priority_are_equals() {
        let secure = found(vec![target("b", 10, 0), target("d", 20, 0)]);
        let plain = found(vec![target("a", 5, 0), target("c", 10, 5)]);
        let places = choose("x.example", secure, plain, || 0).unwrap();
        let (first, rest) = equals(&places);
        assert_eq!(hosts(first), [("a", false)]);
        let (second, rest) = equals(rest);
        assert_eq!(hosts(second), [("b", true), ("c", false)]);
        assert_eq!(hosts(rest), [("d", true)]);
        assert!(equals(&[]).0.is_empty());
    }

    #[test]
    fn a_domain_without_records_is_its_own_server_and_one_with_a_dot_has_none() {
        let nothing = || found(Vec::new());
        let no_name = Answer { value: Services::NoName, secure: false };
        let place = choose("x.example", nothing(), no_name, || 0).unwrap();
        let itself = Place { host: "x.example".into(), port: 5269, ..nowhere() };
        assert_eq!(place, [itself]);
        let root = found(vec![target("", 0, 0)]);
        assert!(choose("x.example", nothing(), root.clone(), || 0).unwrap_err().permanent);
        let one = found(vec![target("a", 0, 0)]);
        assert_eq!(choose("x.example", one, root, || 0).unwrap().len(), 1);
    }

    #[test]
    fn places_are_signed_as_their_records_are() {
        let signed = |one| Answer { secure: true, ..one };
        let (b, a) = (vec![target("b", 10, 0)], vec![target("a", 5, 0)]);
        let places = choose("x.example", signed(found(b)), found(a), || 0).unwrap();
        assert_eq!(places.iter().map(|place| place.signed).collect::<Vec<_>>(), [false, true]);
        let none = || found(Vec::new());
        let half = choose("x.example", signed(none()), none(), || 0).unwrap();
        assert!(!half[0].signed);
        assert!(choose("x.example", signed(none()), signed(none()), || 0).unwrap()[0].signed);
    }
}
