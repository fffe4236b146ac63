//! Questions to the resolver of this machine: which hosts serve a domain (RFC 2782), and which
//! certificates they have (RFC 6698).
//!
//! Addresses are looked up the way every program of the system does it; only services and
//! certificates need more than that.

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

/// A certificate, or an authority, of a service (RFC 6698 §2.1): its four fields as they stand in
/// the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tlsa {
    /// What the certificate is to the service.
    pub usage: u8,
    /// Which part of it `data` is about.
    pub selector: u8,
    /// How `data` was made of that part.
    pub matching: u8,
    /// The part, or a digest of it.
    pub data: Vec<u8>,
}

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolver {
    /// Where it is.
    pub address: SocketAddr,
    /// Whether it can be believed that an answer was validated (DNSSEC): it is on this machine, or
    /// `/etc/resolv.conf` says `options trust-ad`. Anybody on the way from elsewhere could say so.
    pub trusted: bool,
}

/// An answer, and whether a resolver that is trusted has validated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// The zones it comes from are signed, and the signatures are right (RFC 4035 §3.2.3).
    pub secure: bool,
}

/// The servers named for a service; a target without a host says that there is none.
///
/// # Errors
/// When the resolver does not answer or refuses to.
pub async fn services(
    resolver: Resolver,
    name: &str,
    patience: Duration,
) -> io::Result<Answer<Services>> {
    let answer = answer(resolver.address, &question(name, TYPE::SRV)?, patience).await?;
    Ok(Answer { secure: validated(resolver, &answer), value: targets(&answer)? })
}

/// The certificates named for a port of a host; none when there is no record.
///
/// # Errors
/// When the resolver does not answer or refuses to.
pub async fn certificates(
    resolver: Resolver,
    host: &str,
    port: u16,
    patience: Duration,
) -> io::Result<Answer<Vec<Tlsa>>> {
    let question = question(&format!("_{port}._tcp.{host}"), TLSA)?;
    let mut answer = answer(resolver.address, &question, patience).await?;
    // The library takes no packet with a question for a type that it does not know. What was asked
    // is known, and that the answer repeats it.
    set_asked(&mut answer, question.len(), u16::from(TYPE::NULL));
    Ok(Answer { secure: validated(resolver, &answer), value: associations(&answer)? })
}

/// Changes the type in the one question of a packet, which ends at `end`.
pub(crate) fn set_asked(packet: &mut [u8], end: usize, kind: u16) {
    let place = end.checked_sub(4).and_then(|start| packet.get_mut(start..start + 2));
    if let Some(place) = place {
        place.copy_from_slice(&kind.to_be_bytes());
    }
}

fn validated(resolver: Resolver, answer: &[u8]) -> bool {
    const AUTHENTIC_DATA: u8 = 0x20;
    resolver.trusted && answer.get(3).is_some_and(|flags| flags & AUTHENTIC_DATA != 0)
}

/// Whether the resolver is sure that a name does not exist.
///
/// # Errors
/// When the resolver does not answer or refuses to.
pub async fn is_missing(resolver: Resolver, name: &str, patience: Duration) -> io::Result<bool> {
    let answer = answer(resolver.address, &question(name, TYPE::A)?, patience).await?;
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
    // The second: tell us whether you have validated it (RFC 6840 §5.7).
    packet.set_flags(PacketFlag::RECURSION_DESIRED | PacketFlag::AUTHENTIC_DATA);
    let name = Name::new(name).map_err(io::Error::other)?;
    packet.questions.push(Question::new(name, QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().map_err(io::Error::other)
}

/// An answer that is one; nothing when the name does not exist.
fn parse(answer: &[u8]) -> io::Result<Option<Packet<'_>>> {
    let packet = Packet::parse(answer).map_err(io::Error::other)?;
    match packet.rcode() {
        RCODE::NoError => Ok(Some(packet)),
        RCODE::NameError => Ok(None),
        other => Err(io::Error::other(format!("the resolver says {other:?}"))),
    }
}

fn associations(answer: &[u8]) -> io::Result<Vec<Tlsa>> {
    let Some(packet) = parse(answer)? else { return Ok(Vec::new()) };
    let records = packet.answers.iter().filter_map(|record| match &record.rdata {
        RData::NULL(kind, data) if TYPE::from(*kind) == TLSA => match data.get_data() {
            [usage, selector, matching, data @ ..] => {
                let (usage, selector, matching) = (*usage, *selector, *matching);
                Some(Tlsa { usage, selector, matching, data: data.to_vec() })
            }
            _ => None,
        },
        _ => None,
    });
    Ok(records.take(MOST_TARGETS).collect())
}

fn targets(answer: &[u8]) -> io::Result<Services> {
    let Some(packet) = parse(answer)? else { return Ok(Services::NoName) };
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
pub fn resolver() -> Option<Resolver> {
    nameserver(&fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn nameserver(resolv_conf: &str) -> Option<Resolver> {
    let address = resolv_conf.lines().find_map(|line| {
        let address = line.strip_prefix("nameserver")?.trim();
        address.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53))
    })?;
    let options = resolv_conf.lines().filter_map(|line| line.strip_prefix("options"));
    let says = options.flat_map(str::split_whitespace).any(|option| option == "trust-ad");
    Some(Resolver { address, trusted: says || address.ip().is_loopback() })
}

/// RFC 6698 §7.1.
const TLSA: TYPE = TYPE::Unknown(52);
const TRIES: usize = 2;
/// More servers than this are not tried.
const MOST_TARGETS: usize = 32;

/// A resolver for tests, on this machine.
#[cfg(test)]
pub(crate) mod testing {
    use simple_dns::{
        CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord, TYPE,
        rdata::{NULL, RData, SRV},
    };
    use tokio::net::UdpSocket;

    use super::{Resolver, Target, Tlsa, set_asked};

    /// What it knows; of other names it says that they do not exist.
    #[derive(Clone)]
    pub(crate) struct Zone {
        /// Servers by the name of the service.
        pub(crate) services: Vec<(String, Target)>,
        /// Certificates by the name of the port.
        pub(crate) certificates: Vec<(String, Tlsa)>,
        /// Whether it says that it has validated its answers.
        pub(crate) signed: bool,
    }

    impl Zone {
        /// Answers until the test is over.
        pub(crate) async fn serve(self) -> Resolver {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = socket.local_addr().unwrap();
            tokio::spawn(async move {
                let mut asked = [0; 512];
                while let Ok((length, from)) = socket.recv_from(&mut asked).await {
                    socket.send_to(&self.answer(&asked[..length]), from).await.unwrap();
                }
            });
            Resolver { address, trusted: true }
        }

        fn answer(&self, question: &[u8]) -> Vec<u8> {
            let asked = u16::from_be_bytes(question[question.len() - 4..][..2].try_into().unwrap());
            let mut known = question.to_vec();
            set_asked(&mut known, question.len(), u16::from(TYPE::NULL));
            let mut packet = Packet::parse(&known).unwrap().into_reply();
            if self.signed {
                packet.set_flags(PacketFlag::AUTHENTIC_DATA);
            }
            let name = packet.questions[0].qname.clone();
            let mut bytes = Vec::new();
            match self.record(&name.to_string(), &mut bytes) {
                Some(data) => packet.answers.push(ResourceRecord::new(name, CLASS::IN, 60, data)),
                None => *packet.rcode_mut() = RCODE::NameError,
            }
            let mut bytes = packet.build_bytes_vec().unwrap();
            set_asked(&mut bytes, question.len(), asked);
            bytes
        }

        fn record<'a>(&'a self, name: &str, bytes: &'a mut Vec<u8>) -> Option<RData<'a>> {
            let service = self.services.iter().find(|(service, _)| service == name);
            if let Some((_, Target { host, port, priority, weight })) = service {
                let target = Name::new(host).unwrap();
                let (port, priority, weight) = (*port, *priority, *weight);
                return Some(RData::SRV(SRV { priority, weight, port, target }));
            }
            let (_, record) = self.certificates.iter().find(|(port, _)| port == name)?;
            bytes.extend([record.usage, record.selector, record.matching]);
            bytes.extend(&record.data);
            Some(RData::NULL(52, NULL::new(bytes).unwrap()))
        }
    }
}

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
        let resolver = Resolver { address: silent.local_addr().unwrap(), trusted: true };
        let patience = Duration::from_millis(5);
        let outcome = services(resolver, "_xmpp-client._tcp.example.org", patience).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_first_name_server_is_asked() {
        let text = "# a comment\nsearch example\nnameserver 2001:db8::53\nnameserver 192.0.2.1\n";
        let address = "[2001:db8::53]:53".parse().unwrap();
        assert_eq!(nameserver(text), Some(Resolver { address, trusted: false }));
        assert_eq!(nameserver("search example\n"), None);
    }

    #[test]
    fn a_resolver_is_trusted_on_this_machine_or_when_the_system_says_so() {
        let trusted = |text: &str| nameserver(text).unwrap().trusted;
        assert!(trusted("nameserver 127.0.0.53\noptions edns0\n"));
        assert!(trusted("nameserver 192.0.2.1\noptions edns0 trust-ad\n"));
        assert!(!trusted("nameserver 192.0.2.1\noptions edns0\n"));
    }

    #[test]
    fn certificates_stand_in_an_answer_that_is_believed_from_the_trusted_alone() {
        let mut packet = Packet::new_reply(7);
        packet.set_flags(PacketFlag::AUTHENTIC_DATA);
        for data in [&[3, 1, 1, 0xAA, 0xBB][..], &[3, 1]] {
            packet.answers.push(ResourceRecord::new(
                Name::new("_5269._tcp.chat.example.org").unwrap(),
                CLASS::IN,
                60,
                RData::NULL(52, simple_dns::rdata::NULL::new(data).unwrap()),
            ));
        }
        let bytes = packet.build_bytes_vec().unwrap();
        let expected = Tlsa { usage: 3, selector: 1, matching: 1, data: vec![0xAA, 0xBB] };
        assert_eq!(associations(&bytes).unwrap(), [expected]);
        let address = "192.0.2.1:53".parse().unwrap();
        assert!(validated(Resolver { address, trusted: true }, &bytes));
        assert!(!validated(Resolver { address, trusted: false }, &bytes));
        packet.remove_flags(PacketFlag::AUTHENTIC_DATA);
        let bytes = packet.build_bytes_vec().unwrap();
        assert!(!validated(Resolver { address, trusted: true }, &bytes));
    }
}
