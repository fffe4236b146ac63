//! RFC 6120 §3.2.1, XEP-0368: the servers that a domain names for its accounts.
//!
//! Only SRV records are asked for here; addresses of hosts come from the system, which knows about
//! `/etc/hosts` and local names. A full resolver library would be some forty crates for these two
//! questions. The server asks more (certificates, whether answers were validated) and asks one resolver
//! that it may trust; what both have in common is a question and a loop, which are no crate of their own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// A server named for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Lower ones are tried first.
    pub priority: u16,
    /// How often it comes before others of its priority.
    pub weight: u16,
}

/// What a domain says about a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// These servers; none when there are no records.
    Servers(Vec<Service>),
    /// The domain has no such service: the record `.` (RFC 2782).
    None,
}

/// Asks the resolvers of this machine, one after the other.
///
/// # Errors
/// None of them answers.
pub async fn services(name: &str) -> io::Result<Answer> {
    // A machine without the file has a resolver on itself (resolv.conf(5)).
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    ask_all(&resolvers(&text), name, PATIENCE).await
}

async fn ask_all(resolvers: &[SocketAddr], name: &str, patience: Duration) -> io::Result<Answer> {
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for _ in 0..TRIES {
        for resolver in resolvers {
            let id = getrandom::u32().map_err(|_| io::Error::other("no randomness"))? as u16;
            match timeout(patience, ask(*resolver, id, name)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
            }
        }
    }
    Err(last)
}

/// Asks over UDP, and again over TCP when the answer does not fit.
async fn ask(resolver: SocketAddr, id: u16, name: &str) -> io::Result<Answer> {
    let question = question(id, name)?;
    let local: SocketAddr = match resolver {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(resolver).await?;
    socket.send(&question).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        // Anything that is not the answer to this question is somebody else's.
        let Some(read) = read_answer(answer.get(..length).unwrap_or_default(), id, name) else {
            continue;
        };
        return match read? {
            Read::Whole(answer) => Ok(answer),
            Read::Cut => ask_tcp(resolver, &question, id, name).await,
        };
    }
}

async fn ask_tcp(resolver: SocketAddr, question: &[u8], id: u16, name: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(resolver).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(question).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    match read_answer(&answer, id, name) {
        Some(Ok(Read::Whole(answer))) => Ok(answer),
        Some(Err(error)) => Err(error),
        Some(Ok(Read::Cut)) | None => Err(io::Error::other("the answer makes no sense")),
    }
}

fn question(id: u16, name: &str) -> io::Result<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(name).map_err(io::Error::other)?;
    let kind = QTYPE::TYPE(TYPE::SRV);
    packet.questions.push(Question::new(name, kind, QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().map_err(io::Error::other)
}

enum Read {
    Whole(Answer),
    /// It did not fit.
    Cut,
}

/// `None` when it is not the answer to this question.
fn read_answer(bytes: &[u8], id: u16, name: &str) -> Option<io::Result<Read>> {
    let packet = Packet::parse(bytes).ok()?;
    let asked = packet.questions.first().map(|question| question.qname.to_string());
    if packet.id() != id || !asked.is_some_and(|asked| asked.eq_ignore_ascii_case(name)) {
        return None;
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Some(Ok(Read::Cut));
    }
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        other => return Some(Err(io::Error::other(format!("the resolver says {other:?}")))),
    }
    let services: Vec<Service> = packet
        .answers
        .iter()
        .filter_map(|record| match &record.rdata {
            RData::SRV(service) => Some(Service {
                host: service.target.to_string(),
                port: service.port,
                priority: service.priority,
                weight: service.weight,
            }),
            _ => None,
        })
        .take(MOST_SERVERS)
        .collect();
    let none = services.len() == 1 && services.iter().all(|service| service.host.is_empty());
    let servers = services.into_iter().filter(|service| !service.host.is_empty()).collect();
    Some(Ok(Read::Whole(if none { Answer::None } else { Answer::Servers(servers) })))
}

/// The addresses in the file; the machine itself when there are none.
fn resolvers(resolv_conf: &str) -> Vec<SocketAddr> {
    let named = resolv_conf.lines().filter_map(|line| {
        let address = line.strip_prefix("nameserver")?.split_whitespace().next()?;
        // A scope (`fe80::1%eth0`) is only known to the system's own resolver.
        address.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53))
    });
    let named: Vec<SocketAddr> = named.take(MOST_RESOLVERS).collect();
    if named.is_empty() { vec![([127, 0, 0, 1], 53).into()] } else { named }
}

/// Names that are not in the public domain name system (RFC 6761, RFC 6762, RFC 8375, RFC 9476):
/// there is nobody to be asked about them.
#[must_use]
pub fn is_private(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or(domain);
    !domain.contains('.')
        || domain.parse::<IpAddr>().is_ok()
        || matches!(last, "localhost" | "local" | "test" | "invalid" | "internal" | "alt")
        || domain.ends_with(".home.arpa")
}

const PATIENCE: Duration = Duration::from_secs(3);
const TRIES: usize = 2;
const MOST_RESOLVERS: usize = 3;
/// More servers than this are not tried.
const MOST_SERVERS: usize = 16;

#[cfg(test)]
mod tests {
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::SRV;

    use super::*;

    const NAME: &str = "_xmpps-client._tcp.example.org";

    fn answer(id: u16, targets: &[&str]) -> Vec<u8> {
        let mut packet = Packet::new_reply(id);
        let name = || Name::new(NAME).unwrap();
        let kind = QTYPE::TYPE(TYPE::SRV);
        packet.questions.push(Question::new(name(), kind, QCLASS::CLASS(CLASS::IN), false));
        for target in targets {
            let target = Name::new(target).unwrap();
            let service = SRV { priority: 1, weight: 5, port: 5223, target };
            let record = ResourceRecord::new(name(), CLASS::IN, 60, RData::SRV(service));
            packet.answers.push(record);
        }
        packet.build_bytes_vec().unwrap()
    }

    #[test]
    fn answers_to_other_questions_do_not_count() {
        let bytes = answer(7, &["chat.example.org"]);
        assert!(read_answer(&bytes, 8, NAME).is_none());
        assert!(read_answer(&bytes, 7, "_xmpp-client._tcp.example.org").is_none());
        assert!(read_answer(b"nonsense", 7, NAME).is_none());
        assert!(matches!(read_answer(&bytes, 7, NAME), Some(Ok(Read::Whole(Answer::Servers(_))))));
    }

    #[test]
    fn a_dot_says_that_there_is_no_service() {
        let read = |targets: &[&str]| match read_answer(&answer(7, targets), 7, NAME) {
            Some(Ok(Read::Whole(answer))) => answer,
            _ => panic!("an answer"),
        };
        assert_eq!(read(&["."]), Answer::None);
        assert_eq!(read(&[]), Answer::Servers(vec![]));
        let host = "chat.example.org".to_owned();
        let service = Service { host, port: 5223, priority: 1, weight: 5 };
        assert_eq!(read(&["chat.example.org"]), Answer::Servers(vec![service]));
    }

    #[tokio::test]
    async fn the_next_resolver_is_asked_when_one_is_silent() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let working = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addresses = [silent.local_addr().unwrap(), working.local_addr().unwrap()];
        let serve = async {
            let mut question = [0; 512];
            let (length, from) = working.recv_from(&mut question).await.unwrap();
            let id = Packet::parse(&question[..length]).unwrap().id();
            working.send_to(&answer(id, &["a.example.org"]), from).await.unwrap();
        };
        let asking = ask_all(&addresses, NAME, Duration::from_millis(50));
        let (found, ()) = tokio::join!(asking, serve);
        assert!(matches!(found.unwrap(), Answer::Servers(servers) if servers.len() == 1));
    }

    #[test]
    fn resolvers_are_read_from_the_system() {
        let text = "# one\nsearch example\nnameserver 2001:db8::53\nnameserver 192.0.2.1 # two\n";
        let expected = ["[2001:db8::53]:53".parse().unwrap(), "192.0.2.1:53".parse().unwrap()];
        assert_eq!(resolvers(text), expected);
        assert_eq!(resolvers(""), ["127.0.0.1:53".parse().unwrap()]);
    }

    #[test]
    fn names_of_this_network_are_not_looked_up() {
        assert!(is_private("localhost") && is_private("chat.local") && is_private("nas"));
        assert!(is_private("192.0.2.1") && !is_private("example.org"));
    }
}
