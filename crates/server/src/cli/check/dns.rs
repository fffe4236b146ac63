//! What the domain name system says about the domain: RFC 6120 §3.2, XEP-0368. A few questions to
//! the resolver of this machine, in a few seconds at most.

use std::{collections::BTreeSet, io, net::SocketAddr, time::Duration};

use rustls::pki_types::CertificateDer;

use super::Findings;
use crate::{
    config::{Config, Home, Service},
    dns::{self, Resolver, Services, Target},
    net::tls::{Files, certificate::read_chain},
    s2s::dane,
};

pub(super) async fn look(home: &Home, config: &Config, findings: &mut Findings) {
    let Ok(domain) = idna::domain_to_ascii(&config.domain) else { return };
    if is_private(&domain) {
        return findings.good("dns", format!("{domain} is a name for this network, not looked up"));
    }
    let Some(resolver) = dns::resolver() else {
        return findings.warning(
            "dns",
            "this machine has no resolver in /etc/resolv.conf",
            "check the records of the domain from another machine",
        );
    };
    let mut places = BTreeSet::new();
    for (services, for_clients) in [(CLIENTS, true), (SERVERS, false)] {
        if !for_clients && !config.federates() {
            continue;
        }
        match by_records(config, resolver, services, &domain, findings).await {
            Ok(found) if found.is_empty() && for_clients => {
                without_records(config, &domain, findings).await;
            }
            Ok(found) if found.is_empty() => {
                by_address(config, &domain, "its people", findings).await;
            }
            Ok(found) => places.extend(found.into_iter().map(|target| (target.host, target.port))),
            Err(error) => {
                return findings.warning(
                    "dns",
                    format!("the resolver {resolver} does not answer: {error}"),
                    "check the network of this machine, or the records from another one",
                );
            }
        }
    }
    if config.federates() {
        for (name, what) in config.virtual_hosts() {
            virtual_host(config, resolver, &name, what, findings).await;
        }
    }
    // What cannot be read was said about the certificate.
    if let Ok(chain) = read_chain(&Files::of(config, home).certificate) {
        named_certificates(resolver, &config.domain, &chain, places, findings).await;
    }
}

/// The records of a domain for some services, compared with where the server listens.
async fn by_records(
    config: &Config,
    resolver: Resolver,
    services: [(Service, &str); 2],
    domain: &str,
    findings: &mut Findings,
) -> io::Result<Vec<Target>> {
    let mut all = Vec::new();
    for (service, label) in services {
        let label = format!("{label}._tcp.{domain}");
        let found = dns::services(resolver, &label, PATIENCE).await?;
        let targets = targets(found.value);
        compare(config, service, &label, &targets, findings).await;
        all.extend(targets);
    }
    Ok(all)
}

/// Whether other servers find a service of this one by its name.
async fn virtual_host(
    config: &Config,
    resolver: Resolver,
    name: &str,
    what: &str,
    findings: &mut Findings,
) {
    let Ok(name) = idna::domain_to_ascii(name) else { return };
    let found = by_records(config, resolver, SERVERS, &name, findings).await;
    match found {
        Ok(found) if found.is_empty() => by_address(config, &name, what, findings).await,
        Ok(_) => {}
        Err(error) => findings.warning(
            "dns",
            format!("the resolver {resolver} does not say where {name} is: {error}"),
            "check the network of this machine, or the records from another one",
        ),
    }
}

/// Without records for them, other servers look for the address of the domain and port 5269.
async fn by_address(config: &Config, name: &str, what: &str, findings: &mut Findings) {
    let usual = config.listen.s2s.iter().any(|address| address.port() == 5269);
    match dns::addresses(name, 5269, PATIENCE).await.first() {
        Some(address) if usual => findings.good(
            "dns",
            format!("other servers find {name} ({what}) at {} port 5269", address.ip()),
        ),
        _ => findings.warning(
            "dns",
            format!("other servers do not find {name} ({what})"),
            "make the records that `anemone dns` prints",
        ),
    }
}

/// Whether the zone names the certificate that is served, where it names any (DANE): other servers
/// refuse one that it does not name.
async fn named_certificates(
    resolver: Resolver,
    domain: &str,
    chain: &[CertificateDer<'_>],
    places: BTreeSet<(String, u16)>,
    findings: &mut Findings,
) {
    for (host, port) in places {
        let answer = dns::certificates(resolver, &host, port, PATIENCE).await;
        let records = answer.map(|answer| answer.value).unwrap_or_default();
        // Whether public authorities trust it is another matter.
        let verdict = dane::check(&records, chain, &[domain, &host], || Ok(()));
        let record = format!("the TLSA record of _{port}._tcp.{host}");
        match verdict {
            dane::Verdict::Proven => {
                findings.good("dns", format!("{record} names the certificate"))
            }
            dane::Verdict::Refuted => findings.problem(
                "dns",
                format!("{record} names another certificate: other servers refuse this one"),
                "let the zone say what `anemone dns` prints",
            ),
            dane::Verdict::Silent => {}
        }
    }
}

/// Whether the records of one service lead to where the server listens.
async fn compare(
    config: &Config,
    service: Service,
    label: &str,
    targets: &[Target],
    findings: &mut Findings,
) {
    let ports: Vec<u16> = config
        .listeners()
        .iter()
        .filter(|listener| listener.service == service)
        .map(|listener| listener.address.port())
        .collect();
    for target in targets {
        let Target { host, port, .. } = target;
        let text = format!("{label} leads to {host} port {port}");
        if !ports.contains(port) {
            let fix =
                format!("let the record say one of the ports in `{service}`, or forward the port");
            findings.warning("dns", format!("{text}, which this server does not listen on"), fix);
        } else if dns::addresses(host, *port, PATIENCE).await.is_empty() {
            findings.problem(
                "dns",
                format!("{text}, which has no address"),
                format!("give {host} an A or AAAA record"),
            );
        } else {
            findings.good("dns", text);
        }
    }
}

/// Without SRV records, clients look for the domain's own address and port 5222.
async fn without_records(config: &Config, domain: &str, findings: &mut Findings) {
    let usual = config.listen.c2s.iter().any(|address| address.port() == 5222);
    let found = dns::addresses(domain, 5222, PATIENCE).await;
    match (found.first(), usual) {
        (Some(address), true) => findings.good(
            "dns",
            format!("there are no SRV records; clients use {} port 5222", address.ip()),
        ),
        (Some(_), false) => findings.problem(
            "dns",
            "there are no SRV records, and `c2s` does not have port 5222",
            records(config, domain),
        ),
        (None, _) => findings.problem(
            "dns",
            format!("{domain} has neither SRV records nor an address: nobody can find the server"),
            records(config, domain),
        ),
    }
}

/// The records to be made.
fn records(config: &Config, domain: &str) -> String {
    let mut lines = vec![format!("make these records (HOST is the name of this machine):")];
    let listen = &config.listen;
    let mut services = vec![(&listen.c2s, "_xmpp-client"), (&listen.c2s_tls, "_xmpps-client")];
    if config.federates() {
        services.extend([(&listen.s2s, "_xmpp-server"), (&listen.s2s_tls, "_xmpps-server")]);
    }
    for (addresses, label) in services {
        let port = addresses.first().map(SocketAddr::port);
        lines.extend(
            port.map(|port| format!("{label}._tcp.{domain}. 3600 IN SRV 0 5 {port} HOST.")),
        );
    }
    lines.join("\n")
}

/// The servers that exist: one without a host says that the service is not offered.
fn targets(found: Services) -> Vec<Target> {
    match found {
        Services::Found(mut targets) => {
            targets.retain(|target| !target.host.is_empty());
            targets
        }
        Services::NoName => Vec::new(),
    }
}

/// Names that are not in the public domain name system (RFC 6761, RFC 6762, RFC 8375, RFC 9476).
fn is_private(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or(domain);
    !domain.contains('.')
        || matches!(last, "localhost" | "local" | "test" | "invalid" | "internal" | "alt")
        || domain.ends_with(".home.arpa")
}

const CLIENTS: [(Service, &str); 2] =
    [(Service::C2s, "_xmpp-client"), (Service::C2sTls, "_xmpps-client")];
const SERVERS: [(Service, &str); 2] =
    [(Service::S2s, "_xmpp-server"), (Service::S2sTls, "_xmpps-server")];
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::{super::Level, *};
    use crate::dns::{Tlsa, testing::Zone};

    #[test]
    fn names_of_this_network_are_not_looked_up() {
        assert!(is_private("localhost") && is_private("chat.local") && is_private("nas"));
        assert!(!is_private("example.org"));
    }

    #[tokio::test]
    async fn a_zone_that_names_another_certificate_is_a_problem() {
        let certificate = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()]).unwrap();
        let chain = [certificate.cert.der().clone()];
        let digest = ring::digest::digest(&ring::digest::SHA256, &chain[0]).as_ref().to_vec();
        let named = |data| Tlsa { usage: 3, selector: 0, matching: 1, data };
        let zone = Zone {
            services: Vec::new(),
            certificates: vec![
                ("_5222._tcp.a.example".into(), named(digest)),
                ("_5269._tcp.a.example".into(), named(vec![7; 32])),
            ],
            signed: false,
        };
        let resolver = zone.serve().await;
        let places = [5222, 5223, 5269].map(|port| ("a.example".to_owned(), port));
        let mut findings = Findings::default();
        named_certificates(resolver, "a.example", &chain, places.into(), &mut findings).await;
        let found: Vec<_> = findings.0.iter().map(|one| (one.level, one.text.as_str())).collect();
        let [(Level::Good, good), (Level::Problem, problem)] = found[..] else {
            panic!("{found:?}");
        };
        assert!(good.contains("_5222._tcp.a.example names the certificate"), "{good}");
        assert!(problem.contains("_5269._tcp.a.example names another"), "{problem}");
    }

    #[tokio::test]
    async fn each_service_is_looked_up_by_its_own_records() {
        let leads_to =
            |host: &str, port| Target { host: host.into(), port, priority: 0, weight: 5 };
        let zone = Zone {
            services: vec![
                ("_xmpp-client._tcp.a.example".into(), leads_to("localhost", 5222)),
                ("_xmpps-client._tcp.a.example".into(), leads_to("localhost", 443)),
                ("_xmpp-server._tcp.a.example".into(), leads_to("localhost", 5269)),
                ("_xmpp-server._tcp.rooms.a.example".into(), leads_to("localhost", 25269)),
            ],
            certificates: Vec::new(),
            signed: false,
        };
        let resolver = zone.serve().await;
        let config = Config::parse("domain = \"a.example\"").unwrap();
        let mut findings = Findings::default();
        for (services, name, found) in [
            (CLIENTS, "a.example", 2),
            (SERVERS, "a.example", 1),
            (SERVERS, "rooms.a.example", 1),
            (SERVERS, "pubsub.a.example", 0),
        ] {
            let targets = by_records(&config, resolver, services, name, &mut findings).await;
            assert_eq!(targets.unwrap().len(), found, "{name}");
        }
        let elsewhere = "which this server does not listen on";
        let said: Vec<_> = findings.0.iter().map(|one| (one.level, one.text.as_str())).collect();
        let expected = [
            (Level::Good, "_xmpp-client._tcp.a.example leads to localhost port 5222".to_owned()),
            (
                Level::Warning,
                format!("_xmpps-client._tcp.a.example leads to localhost port 443, {elsewhere}"),
            ),
            (Level::Good, "_xmpp-server._tcp.a.example leads to localhost port 5269".to_owned()),
            (
                Level::Warning,
                format!(
                    "_xmpp-server._tcp.rooms.a.example leads to localhost port 25269, {elsewhere}"
                ),
            ),
        ];
        assert_eq!(said, expected.each_ref().map(|(level, text)| (*level, text.as_str())));
    }

    #[tokio::test]
    async fn a_resolver_that_does_not_answer_for_a_service_is_told() {
        // Nobody listens where somebody just did.
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let resolver = Resolver::at(socket.local_addr().unwrap(), true);
        drop(socket);
        let config = Config::parse("domain = \"a.example\"").unwrap();
        let mut findings = Findings::default();
        virtual_host(&config, resolver, "rooms.a.example", "rooms", &mut findings).await;
        let [found] = findings.0.as_slice() else { panic!("nothing is said") };
        assert!(found.level == Level::Warning && found.text.contains("rooms.a.example"));
    }

    #[tokio::test]
    async fn other_servers_find_a_domain_without_records_at_its_address() {
        let look = async |listen: &str| {
            let config = Config::parse(&format!("domain = \"a.example\"\n{listen}")).unwrap();
            let mut findings = Findings::default();
            by_address(&config, "localhost", "its people", &mut findings).await;
            findings.0.remove(0)
        };
        let usual = look("").await;
        assert!(usual.level == Level::Good && usual.text.ends_with("port 5269"), "{}", usual.text);
        let other = look("[listen]\ns2s = [\"[::]:15269\"]\n").await;
        assert!(
            other.level == Level::Warning && other.text.contains("its people"),
            "{}",
            other.text
        );
    }
}
