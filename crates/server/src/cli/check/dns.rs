//! What the domain name system says about the domain: RFC 6120 §3.2, XEP-0368. A few questions to
//! the resolver of this machine, in a few seconds at most.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE, rdata::RData,
};
use tokio::{net::UdpSocket, time::timeout};

use super::Findings;
use crate::config::{Config, Service};

/// A server named for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
}

pub(super) async fn look(config: &Config, findings: &mut Findings) {
    let Ok(domain) = idna::domain_to_ascii(&config.domain) else { return };
    if is_private(&domain) {
        return findings.good("dns", format!("{domain} is a name for this network, not looked up"));
    }
    let Some(resolver) = resolver() else {
        return findings.warning(
            "dns",
            "this machine has no resolver in /etc/resolv.conf",
            "check the records of the domain from another machine",
        );
    };
    let mut named = false;
    for (service, label) in [(Service::C2s, "_xmpp-client"), (Service::C2sTls, "_xmpps-client")] {
        match services(resolver, &format!("{label}._tcp.{domain}"), PATIENCE).await {
            Ok(targets) => {
                named |= !targets.is_empty();
                compare(config, service, label, &targets, findings).await;
            }
            Err(error) => {
                return findings.warning(
                    "dns",
                    format!("the resolver {resolver} does not answer: {error}"),
                    "check the network of this machine, or the records from another one",
                );
            }
        }
    }
    if !named {
        without_records(config, &domain, findings).await;
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
        let Target { host, port } = target;
        let text = format!("{label}._tcp leads to {host} port {port}");
        if !ports.contains(port) {
            let fix =
                format!("let the record say one of the ports in `{service}`, or forward the port");
            findings.warning("dns", format!("{text}, which this server does not listen on"), fix);
        } else if addresses(host, *port).await.is_empty() {
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
    let found = addresses(domain, 5222).await;
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
    for (addresses, label) in
        [(&config.listen.c2s, "_xmpp-client"), (&config.listen.c2s_tls, "_xmpps-client")]
    {
        let port = addresses.first().map(SocketAddr::port);
        lines.extend(
            port.map(|port| format!("{label}._tcp.{domain}. 3600 IN SRV 0 5 {port} HOST.")),
        );
    }
    lines.join("\n")
}

/// The servers named for a service; an answer "." says that there is none.
async fn services(resolver: SocketAddr, name: &str, patience: Duration) -> io::Result<Vec<Target>> {
    let question = question(name)?;
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for _ in 0..TRIES {
        match timeout(patience, ask(resolver, &question)).await {
            Ok(Ok(answer)) => return targets(&answer),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    Err(last)
}

async fn ask(resolver: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let local: SocketAddr = match resolver {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(resolver).await?;
    socket.send(question).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        // The number of the question; anything else is not the answer to it.
        if answer.get(..2) == question.get(..2) {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

fn question(name: &str) -> io::Result<Vec<u8>> {
    let id = getrandom::u32().unwrap_or(0x5eed) as u16;
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(io::Error::other)?;
    packet.questions.push(Question::new(
        name,
        QTYPE::TYPE(TYPE::SRV),
        QCLASS::CLASS(CLASS::IN),
        false,
    ));
    packet.build_bytes_vec().map_err(io::Error::other)
}

fn targets(answer: &[u8]) -> io::Result<Vec<Target>> {
    let packet = Packet::parse(answer).map_err(io::Error::other)?;
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        other => return Err(io::Error::other(format!("{other:?}"))),
    }
    let records = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::SRV(service) => {
            Some(Target { host: service.target.to_string(), port: service.port })
        }
        _ => None,
    });
    Ok(records.filter(|target| !target.host.is_empty()).collect())
}

/// The addresses of a host, from whatever this machine asks.
async fn addresses(host: &str, port: u16) -> Vec<SocketAddr> {
    match timeout(PATIENCE, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        _ => Vec::new(),
    }
}

fn resolver() -> Option<SocketAddr> {
    nameserver(&fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn nameserver(resolv_conf: &str) -> Option<SocketAddr> {
    resolv_conf.lines().find_map(|line| {
        let address = line.strip_prefix("nameserver")?.trim();
        address.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53))
    })
}

/// Names that are not in the public domain name system (RFC 6761, RFC 6762, RFC 8375, RFC 9476).
fn is_private(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or(domain);
    !domain.contains('.')
        || matches!(last, "localhost" | "local" | "test" | "invalid" | "internal" | "alt")
        || domain.ends_with(".home.arpa")
}

const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 2;

#[cfg(test)]
mod tests {
    use simple_dns::{ResourceRecord, rdata::SRV};

    use super::*;

    #[test]
    fn an_answer_names_its_servers_and_a_refusal_is_an_error() {
        let mut packet = Packet::new_reply(7);
        let target = Name::new("chat.example.org").unwrap();
        let service = SRV { priority: 0, weight: 5, port: 5222, target };
        packet.answers.push(ResourceRecord::new(
            Name::new("_xmpp-client._tcp.example.org").unwrap(),
            CLASS::IN,
            60,
            RData::SRV(service),
        ));
        let bytes = packet.build_bytes_vec().unwrap();
        let expected = Target { host: "chat.example.org".to_owned(), port: 5222 };
        assert_eq!(targets(&bytes).unwrap(), [expected]);
        let mut refused = Packet::new_reply(7);
        *refused.rcode_mut() = RCODE::Refused;
        assert!(targets(&refused.build_bytes_vec().unwrap()).is_err());
        assert!(targets(b"nonsense").is_err());
    }

    #[tokio::test]
    async fn a_resolver_that_says_nothing_does_not_hold_us_up() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        let patience = Duration::from_millis(5);
        let outcome = services(address, "_xmpp-client._tcp.example.org", patience).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_first_name_server_is_asked() {
        let text = "# a comment\nsearch example\nnameserver 2001:db8::53\nnameserver 192.0.2.1\n";
        assert_eq!(nameserver(text), Some("[2001:db8::53]:53".parse().unwrap()));
        assert_eq!(nameserver("search example\n"), None);
    }

    #[test]
    fn names_of_this_network_are_not_looked_up() {
        assert!(is_private("localhost") && is_private("chat.local") && is_private("nas"));
        assert!(!is_private("example.org"));
    }
}
