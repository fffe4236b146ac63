//! Finding the server of a domain and connecting to it.
//!
//! Direct TLS comes before STARTTLS, records of one priority in random order by weight, addresses of
//! both families race (RFC 8305). Through a proxy nothing is looked up here: the proxy gets names.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use client::effect::{Lost, Target};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

use super::dns::{self, Answer, Service};
use super::socks::Proxy;
use super::tls::{Failure, Pinned, Protocol, Trust};

/// How connections are made.
#[derive(Clone, Debug)]
pub struct Ways {
    /// Whom to trust.
    pub trust: Trust,
    /// Everything goes through it.
    pub proxy: Option<Proxy>,
    /// Keeps the circuits of different accounts apart where the proxy can.
    pub isolation: String,
}

/// A connection to a server.
#[derive(Debug)]
pub enum Connection {
    /// TLS from the first byte.
    Direct(Box<TlsStream<TcpStream>>),
    /// No TLS yet.
    Plain(TcpStream),
}

/// One way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    host: String,
    port: u16,
    direct: bool,
}

/// Finds the server of a target and connects.
///
/// # Errors
/// Why there is no connection. A certificate that is not to be trusted ends the search: another way
/// to the same server would not make it better.
pub async fn connect(ways: &Ways, target: &Target) -> Result<Connection, Lost> {
    let candidates = candidates(ways, target).await.map_err(Lost::Network)?;
    let mut reasons = Vec::new();
    for candidate in &candidates {
        match timeout(ONE_WAY, attempt(ways, target, candidate)).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(Failure::Certificate { problem, fingerprint })) => {
                return Err(Lost::Certificate { problem, fingerprint });
            }
            Ok(Err(Failure::Broken(reason))) => reasons.push(reason),
            Err(_) => reasons.push(format!("{} does not answer", candidate.host)),
        }
    }
    reasons.dedup();
    Err(Lost::Network(reasons.join("; ")))
}

async fn attempt(
    ways: &Ways,
    target: &Target,
    candidate: &Candidate,
) -> Result<Connection, Failure> {
    let Candidate { host, port, direct } = candidate;
    let stream = open(ways, host, *port)
        .await
        .map_err(|error| Failure::Broken(format!("{host} port {port}: {error}")))?;
    if !direct {
        return Ok(Connection::Plain(stream));
    }
    let protocol = Protocol::DirectXmpp;
    let pinned = target.pinned.map(Pinned::only);
    let secure = ways.trust.connect(stream, &target.domain, pinned, protocol).await?;
    Ok(Connection::Direct(Box::new(secure)))
}

/// A TCP connection to a host, through the proxy if there is one.
///
/// # Errors
/// The host has no address, or none of them answers.
pub async fn open(ways: &Ways, host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = match &ways.proxy {
        Some(proxy) => proxy.connect(host, port, &ways.isolation).await?,
        None => {
            let found = tokio::net::lookup_host((host, port)).await;
            let found = found.map_err(|_| io::Error::other("there is no such host"))?;
            race(interleave(found.collect())).await?
        }
    };
    stream.set_nodelay(true)?;
    // The kernel finds a dead peer while nothing is sent; while something is, the core does.
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

/// RFC 8305 §4: one family after the other, beginning with the system's first choice.
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (same, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut other = other.into_iter();
    let mut mixed = Vec::new();
    for address in same {
        mixed.push(address);
        mixed.extend(other.next());
    }
    mixed.extend(other);
    mixed.truncate(MOST_ADDRESSES);
    mixed
}

/// RFC 8305 §5: the next address is tried when the last one failed or has had its head start.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut racing = JoinSet::new();
    let mut waiting = addresses.into_iter();
    let mut last = io::Error::other("there is no address");
    loop {
        let more = match waiting.next() {
            Some(address) => {
                racing.spawn(TcpStream::connect(address));
                true
            }
            None => false,
        };
        let head_start = Instant::now() + HEAD_START;
        tokio::select! {
            ended = racing.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => last = error,
                Some(Err(error)) => last = io::Error::other(error),
                None => return Err(last),
            },
            () = tokio::time::sleep_until(head_start), if more => {}
        }
    }
}

/// The ways to a server, the best first.
async fn candidates(ways: &Ways, target: &Target) -> Result<Vec<Candidate>, String> {
    if let Some(server) = &target.server {
        return named(server);
    }
    let domain = idna::domain_to_ascii(&target.domain)
        .map_err(|_| format!("{} is no domain", target.domain))?;
    if ways.proxy.is_some() || dns::is_private(&domain) {
        // SRV records cannot be asked for through a proxy.
        return Ok(usual(&domain, ways.proxy.is_some()));
    }
    let (direct_name, plain_name) =
        (format!("_xmpps-client._tcp.{domain}"), format!("_xmpp-client._tcp.{domain}"));
    let (direct, plain) = tokio::join!(dns::services(&direct_name), dns::services(&plain_name));
    let direct = match direct {
        Ok(Answer::Servers(servers)) => servers,
        Ok(Answer::None) | Err(_) => Vec::new(),
    };
    match plain {
        Ok(Answer::None) if direct.is_empty() => {
            Err(format!("{domain} says that it has no chat server for accounts"))
        }
        Ok(Answer::Servers(plain)) if !(plain.is_empty() && direct.is_empty()) => {
            Ok(order(direct, plain))
        }
        Ok(Answer::Servers(_)) => Ok(usual(&domain, false)),
        Ok(Answer::None) => Ok(order(direct, Vec::new())),
        // A resolver that knows no SRV records may still know the host.
        Err(_) if direct.is_empty() => Ok(usual(&domain, false)),
        Err(_) => Ok(order(direct, Vec::new())),
    }
}

/// Without records: RFC 6120 §3.2.2, and the port that direct TLS usually has.
fn usual(domain: &str, direct: bool) -> Vec<Candidate> {
    let host = domain.to_owned();
    let mut ways = vec![Candidate { host: host.clone(), port: 5222, direct: false }];
    if direct {
        ways.insert(0, Candidate { host, port: 5223, direct: true });
    }
    ways
}

/// An address the user gave, `host:port` or only a host. Which of both kinds of TLS is spoken on a
/// port is found out by trying, except on those that are registered for one of them.
fn named(server: &str) -> Result<Vec<Candidate>, String> {
    let wrong = || format!("{server:?} is no server; write it like chat.example.org:5222");
    let (host, port) = match server.parse::<IpAddr>() {
        Ok(_) => (server, None),
        Err(_) => match server.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().map_err(|_| wrong())?)),
            None => (server, None),
        },
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(wrong());
    }
    let way = |port, direct| Candidate { host: host.clone(), port, direct };
    Ok(match port {
        None => vec![way(5223, true), way(5222, false)],
        Some(5222) => vec![way(5222, false)],
        Some(port @ (443 | 5223)) => vec![way(port, true)],
        Some(port) => vec![way(port, true), way(port, false)],
    })
}

/// XEP-0368 §3: both kinds as one list. Within a priority direct TLS is first, then the weights
/// decide (RFC 2782).
fn order(direct: Vec<Service>, plain: Vec<Service>) -> Vec<Candidate> {
    let marked = |services: Vec<Service>, direct: bool| {
        services.into_iter().map(move |service| {
            // A larger weight makes a small number likely; 0 comes last.
            let random = f64::from(getrandom::u32().unwrap_or(1).max(1)) / f64::from(u32::MAX);
            let rank = -random.ln() / (f64::from(service.weight) + 0.01);
            (service.priority, !direct, rank, service, direct)
        })
    };
    let mut all: Vec<_> = marked(direct, true).chain(marked(plain, false)).collect();
    all.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    let candidate = |(_, _, _, service, direct): (u16, bool, f64, Service, bool)| Candidate {
        host: service.host,
        port: service.port,
        direct,
    };
    all.into_iter().map(candidate).collect()
}

/// How long one server may take, TLS included.
const ONE_WAY: Duration = Duration::from_secs(15);
/// RFC 8305 §8, the recommended delay.
const HEAD_START: Duration = Duration::from_millis(250);
const MOST_ADDRESSES: usize = 10;
const KEEPALIVE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn service(host: &str, priority: u16, weight: u16) -> Service {
        Service { host: host.into(), port: 1, priority, weight }
    }

    #[test]
    fn priorities_come_first_and_direct_tls_within_them() {
        let ordered = order(
            vec![service("direct-late", 20, 0), service("direct", 10, 0)],
            vec![service("plain-early", 5, 0), service("plain", 10, 50)],
        );
        let hosts: Vec<&str> = ordered.iter().map(|way| way.host.as_str()).collect();
        assert_eq!(hosts, ["plain-early", "direct", "plain", "direct-late"]);
        assert!(ordered[1].direct && !ordered[2].direct);
    }

    #[test]
    fn heavy_servers_are_mostly_first() {
        let first = || order(vec![], vec![service("heavy", 1, 90), service("light", 1, 10)]);
        let heavy = (0..1000).filter(|_| first()[0].host == "heavy").count();
        assert!((800..980).contains(&heavy), "{heavy}");
    }

    #[test]
    fn a_named_server_is_read() {
        let kinds = |text: &str| -> Vec<(u16, bool)> {
            named(text).unwrap().iter().map(|way| (way.port, way.direct)).collect()
        };
        assert_eq!(kinds("chat.example.org"), [(5223, true), (5222, false)]);
        assert_eq!(kinds("chat.example.org:5222"), [(5222, false)]);
        assert_eq!(kinds("[::1]:443"), [(443, true)]);
        assert_eq!(kinds("::1"), [(5223, true), (5222, false)]);
        assert_eq!(kinds("localhost:40000"), [(40000, true), (40000, false)]);
        assert_eq!(named("[::1]:443").unwrap()[0].host, "::1");
        named("host:port").unwrap_err();
        named(":5222").unwrap_err();
    }

    #[test]
    fn families_take_turns() {
        let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"];
        let addresses = addresses.map(|text| text.parse().unwrap()).to_vec();
        let mixed: Vec<String> = interleave(addresses).iter().map(ToString::to_string).collect();
        assert_eq!(mixed, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hold_up_the_next() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refused = closed.local_addr().unwrap();
        drop(closed);
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = open.local_addr().unwrap();
        let stream = race(vec![refused, address]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        race(vec![refused]).await.unwrap_err();
        race(vec![]).await.unwrap_err();
    }
}
