//! Questions to the resolver of this machine: which hosts serve a domain (RFC 2782), and which
//! certificates they have (RFC 6698).
//!
//! Addresses are looked up the way every program of the system does it; only services and
//! certificates need more than that.

use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
    time::Duration,
};

use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE, rdata::RData,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    sync::Semaphore,
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

/// Whom to ask: the name servers of this machine, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolver([Option<NameServer>; MOST_SERVERS]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NameServer {
    address: SocketAddr,
    /// Whether it can be believed that an answer was validated (DNSSEC): it is on this machine, or
    /// `/etc/resolv.conf` says `options trust-ad`. Anybody on the way from elsewhere could say so.
    trusted: bool,
}

impl Resolver {
    /// One name server, and whether what it says of validation is believed.
    #[must_use]
    pub fn at(address: SocketAddr, trusted: bool) -> Self {
        let mut servers = [None; MOST_SERVERS];
        servers[0] = Some(NameServer { address, trusted });
        Self(servers)
    }

    /// Whether one of the name servers is believed when it says that an answer was validated.
    #[must_use]
    pub fn is_trusted(self) -> bool {
        self.servers().any(|server| server.trusted)
    }

    fn servers(self) -> impl Iterator<Item = NameServer> {
        self.0.into_iter().flatten()
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, server) in self.servers().enumerate() {
            let between = if at == 0 { "" } else { ", " };
            write!(f, "{between}{}", server.address)?;
        }
        Ok(())
    }
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
    let (answer, server) = answer(resolver, &question(name, TYPE::SRV)?, patience).await?;
    Ok(Answer { secure: server.validated(&answer), value: targets(&answer)? })
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
    let (mut answer, server) = answer(resolver, &question, patience).await?;
    // The library takes no packet with a question for a type that it does not know. What was asked
    // is known, and that the answer repeats it.
    set_asked(&mut answer, question.len(), u16::from(TYPE::NULL));
    Ok(Answer { secure: server.validated(&answer), value: associations(&answer)? })
}

/// Changes the type in the one question of a packet, which ends at `end`.
pub(crate) fn set_asked(packet: &mut [u8], end: usize, kind: u16) {
    let place = end.checked_sub(4).and_then(|start| packet.get_mut(start..start + 2));
    if let Some(place) = place {
        place.copy_from_slice(&kind.to_be_bytes());
    }
}

impl NameServer {
    fn validated(self, answer: &[u8]) -> bool {
        const AUTHENTIC_DATA: u8 = 0x20;
        self.trusted && answer.get(3).is_some_and(|flags| flags & AUTHENTIC_DATA != 0)
    }

    /// Whether others need not be asked: it has answered, or it validates and finds that the answer is
    /// forged, which one that does not validate would never notice.
    fn is_last_word(self, answer: &[u8]) -> bool {
        const SERVER_FAILURE: u8 = 2;
        const NAME_ERROR: u8 = 3;
        match answer.get(3).map(|flags| flags & 0x0F) {
            Some(0 | NAME_ERROR) => true,
            Some(SERVER_FAILURE) => self.trusted,
            _ => false,
        }
    }
}

/// Whether the resolver is sure that a name does not exist.
///
/// # Errors
/// When the resolver does not answer or refuses to.
pub async fn is_missing(resolver: Resolver, name: &str, patience: Duration) -> io::Result<bool> {
    let (answer, _) = answer(resolver, &question(name, TYPE::A)?, patience).await?;
    targets(&answer).map(|found| found == Services::NoName)
}

/// Asks one name server after the other until one answers, and once more when none does. All of them
/// together have the patience that one alone would have.
async fn answer(
    resolver: Resolver,
    question: &[u8],
    patience: Duration,
) -> io::Result<(Vec<u8>, NameServer)> {
    let count = u32::try_from(resolver.servers().count()).unwrap_or(u32::MAX).max(1);
    let mut last = Err(io::Error::from(io::ErrorKind::TimedOut));
    for _ in 0..TRIES {
        for server in resolver.servers() {
            match timeout(patience / count, ask(server.address, question)).await {
                Ok(Ok(answer)) if server.is_last_word(&answer) => return Ok((answer, server)),
                Ok(Ok(answer)) => last = Ok((answer, server)),
                Ok(Err(error)) if last.is_err() => last = Err(error),
                Ok(Err(_)) | Err(_) => {}
            }
        }
        if last.is_ok() {
            break;
        }
    }
    last
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
    match timeout(patience, lookup(host, port)).await {
        Ok(Ok(found)) => found,
        _ => Vec::new(),
    }
}

/// The addresses of a host, however long that takes. Whoever stops waiting does not stop the search, which
/// the system does on a thread of its own: so that names whose servers do not answer cannot take all the
/// threads that passwords and files need as well, there are [`LOOKUPS`] at a time.
///
/// # Errors
/// What the system says.
pub async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(LOOKUPS)));
    if let Ok(ip) = host.parse() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let host = host.to_owned();
    let looking = async move {
        let found = tokio::net::lookup_host((host.as_str(), port)).await?;
        Ok::<Vec<SocketAddr>, io::Error>(found.collect())
    };
    to_its_end(&PLACES, looking).await
}

/// Does something that has a place until it is over, whether or not somebody still waits for it.
async fn to_its_end<T: Send + 'static>(
    places: &Arc<Semaphore>,
    work: impl Future<Output = io::Result<T>> + Send + 'static,
) -> io::Result<T> {
    let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
    let working = tokio::spawn(async move {
        let done = work.await;
        drop(place);
        done
    });
    working.await.map_err(io::Error::other)?
}

/// The resolver of this machine.
pub fn resolver() -> Option<Resolver> {
    nameserver(&fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn nameserver(resolv_conf: &str) -> Option<Resolver> {
    let addresses = resolv_conf.lines().filter_map(|line| {
        let address = line.strip_prefix("nameserver")?.trim();
        address.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53))
    });
    let options = resolv_conf.lines().filter_map(|line| line.strip_prefix("options"));
    let says = options.flat_map(str::split_whitespace).any(|option| option == "trust-ad");
    let mut servers = [None; MOST_SERVERS];
    for (place, address) in servers.iter_mut().zip(addresses) {
        *place = Some(NameServer { address, trusted: says || address.ip().is_loopback() });
    }
    servers[0].map(|_| Resolver(servers))
}

/// RFC 6698 §7.1.
const TLSA: TYPE = TYPE::Unknown(52);
/// Names whose addresses are looked up at a time: a quarter of the threads that there are for such work.
const LOOKUPS: usize = 128;
const TRIES: usize = 2;
/// Name servers that are asked, as other programs have it (resolv.conf(5)).
const MOST_SERVERS: usize = 3;
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

    impl Resolver {
        /// The same, from where nobody is believed.
        pub(crate) fn distrusted(self) -> Self {
            let [server, ..] = self.0;
            Self::at(server.unwrap().address, false)
        }
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
            Resolver::at(address, true)
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
        let resolver = Resolver::at(silent.local_addr().unwrap(), true);
        let patience = Duration::from_millis(5);
        let outcome = services(resolver, "_xmpp-client._tcp.example.org", patience).await;
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_search_that_nobody_waits_for_keeps_its_place() {
        let places = Arc::new(Semaphore::new(1));
        let (answer, late) = tokio::sync::oneshot::channel();
        let looking = to_its_end(&places, async move { late.await.map_err(io::Error::other) });
        assert!(timeout(Duration::from_millis(1), looking).await.is_err());
        assert_eq!(places.available_permits(), 0, "its thread is still there");
        answer.send(()).unwrap();
        to_its_end(&places, async { Ok(()) }).await.unwrap();
    }

    #[test]
    fn all_name_servers_of_the_system_are_known() {
        let text = "# a comment\nsearch example\nnameserver 2001:db8::53\nnameserver 192.0.2.1\n\
                    nameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        let resolver = nameserver(text).unwrap();
        assert_eq!(resolver.to_string(), "[2001:db8::53]:53, 192.0.2.1:53, 192.0.2.2:53");
        assert_eq!(nameserver("search example\n"), None);
    }

    #[test]
    fn a_resolver_is_trusted_on_this_machine_or_when_the_system_says_so() {
        let trusted = |text: &str| nameserver(text).unwrap().is_trusted();
        assert!(trusted("nameserver 127.0.0.53\noptions edns0\n"));
        assert!(trusted("nameserver 192.0.2.1\noptions edns0 trust-ad\n"));
        assert!(!trusted("nameserver 192.0.2.1\noptions edns0\n"));
    }

    /// A name server that answers everything with one code.
    async fn refusing(code: RCODE, trusted: bool) -> NameServer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut asked = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut asked).await {
                let mut packet = Packet::parse(&asked[..length]).unwrap().into_reply();
                *packet.rcode_mut() = code;
                socket.send_to(&packet.build_bytes_vec().unwrap(), from).await.unwrap();
            }
        });
        NameServer { address, trusted }
    }

    #[tokio::test]
    async fn who_does_not_answer_makes_room_for_the_next() {
        let target = Target { host: "chat.a.example".into(), port: 1, priority: 0, weight: 0 };
        let services = vec![("_xmpp-server._tcp.a.example".to_owned(), target.clone())];
        let zone = testing::Zone { services, certificates: Vec::new(), signed: false };
        let good = zone.serve().await.0[0];
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let silent = NameServer { address: silent.local_addr().unwrap(), trusted: true };
        let refusing_one = Some(refusing(RCODE::Refused, true).await);
        let ask = async |servers| {
            let patience = Duration::from_secs(3);
            super::services(Resolver(servers), "_xmpp-server._tcp.a.example", patience).await
        };
        let found = ask([Some(silent), refusing_one, good]).await.unwrap();
        assert_eq!(found.value, Services::Found(vec![target]));
        let none = ask([refusing_one, None, None]).await.unwrap_err();
        assert!(none.to_string().contains("Refused"), "{none}");

        let broken = async |trusted| Some(refusing(RCODE::ServerFailure, trusted).await);
        assert!(ask([broken(false).await, good, None]).await.is_ok());
        assert!(ask([broken(true).await, good, None]).await.is_err(), "it has found a forgery");
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
        let server = |trusted| NameServer { address, trusted };
        assert!(server(true).validated(&bytes) && !server(false).validated(&bytes));
        packet.remove_flags(PacketFlag::AUTHENTIC_DATA);
        let bytes = packet.build_bytes_vec().unwrap();
        assert!(!server(true).validated(&bytes));
    }
}
