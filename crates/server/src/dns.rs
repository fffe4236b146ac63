//! Questions to the resolver of this machine: which hosts serve a domain (RFC 2782).
//!
//! Addresses are looked up the way every program of the system does it; only services need more
//! than that.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE, rdata::RData,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// A server named for a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host; empty where the domain says that it does not offer the service.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Lower ones are tried first.
    pub priority: u16,
    /// Among equals, the share of connections.
    pub weight: u16,
}

/// What a domain says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Services {
    /// These servers; none when there is no record.
    Found(Vec<Target>),
    /// The name does not exist, nor anything below it.
    NoName,
}

/// The servers named for a service; a target without a host says that there is none.
///
/// # Errors
/// When the resolver does not answer or refuses to.
pub async fn services(
    resolver: SocketAddr,
    name: &str,
    patience: Duration,
) -> io::Result<Services> {
    targets(&answer(resolver, &question(name, TYPE::SRV)?, patience).await?)
}

/// Whether the resolver is sure that a name does not exist.
///
/// # Errors
/// When the resolver does not answer or refuses to.
pub async fn is_missing(resolver: SocketAddr, name: &str, patience: Duration) -> io::Result<bool> {
    let answer = answer(resolver, &question(name, TYPE::A)?, patience).await?;
    targets(&answer).map(|found| found == Services::NoName)
}

/// Asks, and once more when nothing comes.
async fn answer(resolver: SocketAddr, question: &[u8], patience: Duration) -> io::Result<Vec<u8>> {
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for _ in 0..TRIES {
        match timeout(patience, ask(resolver, question)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    Err(last)
}

/// Asks over UDP, and over TCP when the answer does not fit.
async fn ask(resolver: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let local: SocketAddr = match resolver {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    // A socket for each question: its port is a number that a forger has to guess.
    let socket = UdpSocket::bind(local).await?;
    socket.connect(resolver).await?;
    socket.send(question).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        // The number of the question, and the question; anything else is not the answer to it.
        if answer.get(..length).is_some_and(|answer| answers(answer, question)) {
            answer.truncate(length);
            break;
        }
    }
    let truncated = answer.get(2).is_some_and(|flags| flags & 2 != 0);
    if truncated { ask_over_tcp(resolver, question).await } else { Ok(answer) }
}

async fn ask_over_tcp(resolver: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(resolver).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    if answers(&answer, question) { Ok(answer) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Whether a packet answers a question: the same number and the same name, without regard to the
/// case of letters.
fn answers(answer: &[u8], question: &[u8]) -> bool {
    const HEADER: usize = 12;
    let name = question.get(HEADER..).unwrap_or_default();
    answer.get(..2) == question.get(..2)
        && answer
            .get(HEADER..HEADER + name.len())
            .is_some_and(|repeated| repeated.eq_ignore_ascii_case(name))
}

fn question(name: &str, kind: TYPE) -> io::Result<Vec<u8>> {
    let id = getrandom::u32().map_err(io::Error::other)? as u16;
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(io::Error::other)?;
    packet.questions.push(Question::new(name, QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().map_err(io::Error::other)
}

fn targets(answer: &[u8]) -> io::Result<Services> {
    let packet = Packet::parse(answer).map_err(io::Error::other)?;
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Ok(Services::NoName),
        other => return Err(io::Error::other(format!("the resolver says {other:?}"))),
    }
    let records = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::SRV(service) => Some(Target {
            host: service.target.to_string(),
            port: service.port,
            priority: service.priority,
            weight: service.weight,
        }),
        _ => None,
    });
    Ok(Services::Found(records.take(MOST_TARGETS).collect()))
}

/// The addresses of a host, from whatever this machine asks.
pub async fn addresses(host: &str, port: u16, patience: Duration) -> Vec<SocketAddr> {
    match timeout(patience, tokio::net::lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect(),
        _ => Vec::new(),
    }
}

/// The resolver of this machine.
pub fn resolver() -> Option<SocketAddr> {
    nameserver(&fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn nameserver(resolv_conf: &str) -> Option<SocketAddr> {
    resolv_conf.lines().find_map(|line| {
        let address = line.strip_prefix("nameserver")?.trim();
        address.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53))
    })
}

const TRIES: usize = 2;
/// More servers than this are not tried.
const MOST_TARGETS: usize = 32;

#[cfg(test)]
mod tests {
    use simple_dns::{ResourceRecord, rdata::SRV};

    use super::*;

    #[test]
    fn an_answer_names_its_servers_and_a_refusal_is_an_error() {
        let mut packet = Packet::new_reply(7);
        let target = Name::new("chat.example.org").unwrap();
        let service = SRV { priority: 3, weight: 5, port: 5222, target };
        packet.answers.push(ResourceRecord::new(
            Name::new("_xmpp-client._tcp.example.org").unwrap(),
            CLASS::IN,
            60,
            RData::SRV(service),
        ));
        let bytes = packet.build_bytes_vec().unwrap();
        let host = "chat.example.org".to_owned();
        let expected = Target { host, port: 5222, priority: 3, weight: 5 };
        assert_eq!(targets(&bytes).unwrap(), Services::Found(vec![expected]));
        let mut refused = Packet::new_reply(7);
        *refused.rcode_mut() = RCODE::Refused;
        assert!(targets(&refused.build_bytes_vec().unwrap()).is_err());
        *refused.rcode_mut() = RCODE::NameError;
        assert_eq!(targets(&refused.build_bytes_vec().unwrap()).unwrap(), Services::NoName);
        assert!(targets(b"nonsense").is_err());
    }

    #[test]
    fn an_answer_repeats_number_and_name_of_the_question() {
        let asked = question("_xmpp-server._tcp.example.org", TYPE::SRV).unwrap();
        let mut answer = asked.clone();
        assert!(answers(&answer, &asked));
        answer.make_ascii_uppercase();
        answer[..12].copy_from_slice(&asked[..12]);
        assert!(answers(&answer, &asked));
        answer[0] ^= 1;
        assert!(!answers(&answer, &asked));
        let other = question("_xmpp-server._tcp.example.net", TYPE::SRV).unwrap();
        assert!(!answers(&other, &asked));
        assert!(!answers(&asked[..12], &asked));
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
}
