//! The first connection that succeeds (RFC 8305): among all addresses of all places that a domain names with
//! the same priority. One that does not answer costs a moment, whichever place it belongs to.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{outgoing::Failure, resolve::Place};
use crate::{dns, net::address::permitted};

/// Places that are as good as each other, on the way to a connection with one of them.
pub struct Race<'a> {
    places: &'a [Place],
    /// Whether addresses that are not public are permitted.
    private: bool,
    /// Places whose addresses are being looked up.
    lookups: JoinSet<(usize, Vec<SocketAddr>)>,
    /// How many places had their turn with that.
    begun: usize,
    /// Addresses that were not tried yet, in the order of their places.
    waiting: VecDeque<Lane>,
    attempts: JoinSet<(Lane, io::Result<TcpStream>)>,
    /// What is being tried.
    running: Vec<Lane>,
    /// Why the last one failed.
    failure: Option<Failure>,
}

/// One address of one place.
type Lane = (usize, SocketAddr);

impl<'a> Race<'a> {
    /// Begins to look up the addresses of the places.
    #[must_use]
    pub fn new(places: &'a [Place], private: bool) -> Self {
        let mut race = Self {
            places,
            private,
            lookups: JoinSet::new(),
            begun: 0,
            waiting: VecDeque::new(),
            attempts: JoinSet::new(),
            running: Vec::new(),
            failure: None,
        };
        (0..LOOKUPS).for_each(|_| race.look_up());
        race
    }

    /// Looks up the addresses of one more place.
    fn look_up(&mut self) {
        let at = self.begun;
        let Some(place) = self.places.get(at) else { return };
        self.begun += 1;
        let (host, port) = (place.host.clone(), place.port);
        self.lookups.spawn(async move { (at, dns::addresses(&host, port, LOOKUP).await) });
    }

    /// The next connection. Who cannot do with it asks again, and gets one with another address.
    ///
    /// # Errors
    /// Why there is none, or none any more.
    pub async fn next(&mut self) -> Result<(&'a Place, TcpStream), Failure> {
        let deadline = Instant::now() + CONNECT;
        // A name that is found late loses its turn.
        let mut turn = Instant::now() + HEAD_START;
        loop {
            let ready = self.running.is_empty() && self.lookups.is_empty();
            if ready || turn <= Instant::now() {
                self.start();
                turn = Instant::now() + HEAD_START;
            }
            let idle = self.waiting.is_empty();
            if idle && self.running.is_empty() && self.lookups.is_empty() {
                let none = || Failure::passing("there is no place to try");
                return Err(self.failure.take().unwrap_or_else(none));
            }
            tokio::select! {
                Some(found) = self.lookups.join_next(), if !self.lookups.is_empty() => {
                    if let Ok((at, addresses)) = found {
                        self.found(at, addresses);
                    }
                    self.look_up();
                }
                Some(ended) = self.attempts.join_next(), if !self.attempts.is_empty() => {
                    // A task that is not aborted ends by itself.
                    let Ok((lane, outcome)) = ended else { continue };
                    self.running.retain(|one| *one != lane);
                    match outcome {
                        Ok(stream) => return Ok((self.won(lane), stream)),
                        Err(error) => {
                            self.failed(lane, &error);
                            turn = Instant::now();
                        }
                    }
                }
                () = sleep_until(turn), if !idle => {}
                () = sleep_until(deadline) => return Err(self.silent()),
            }
        }
    }

    /// Tries one more.
    fn start(&mut self) {
        let Some(lane) = self.waiting.pop_front() else { return };
        self.running.push(lane);
        self.attempts.spawn(async move { (lane, TcpStream::connect(lane.1).await) });
    }

    /// The addresses of a place are known.
    fn found(&mut self, at: usize, addresses: Vec<SocketAddr>) {
        let Some(Place { host, .. }) = self.places.get(at) else { return };
        let Some(first) = addresses.first().map(SocketAddr::ip) else {
            self.failure.get_or_insert(Failure::passing(format!("{host} has no address")));
            return;
        };
        // Whoever controls a domain must not find out through this server what it alone can reach.
        let mut addresses = interleaved(permitted(addresses, self.private).collect());
        if addresses.is_empty() {
            let failure = Failure::permanent(format!(
                "{host} leads to {first}, which is not a public address (`private_addresses` in \
                 [federation] permits it)"
            ));
            self.failure.get_or_insert(failure);
            return;
        }
        addresses.truncate(MOST_ADDRESSES);
        let behind = self.waiting.iter().position(|(other, _)| *other > at);
        let behind = behind.unwrap_or(self.waiting.len());
        let rest = self.waiting.split_off(behind);
        self.waiting.extend(addresses.into_iter().map(|address| (at, address)));
        self.waiting.extend(rest);
    }

    /// The others wait until it turns out whether this one will do (RFC 8305 §5).
    fn won(&mut self, (at, _): Lane) -> &'a Place {
        self.attempts = JoinSet::new();
        for lane in self.running.drain(..).rev() {
            self.waiting.push_front(lane);
        }
        &self.places[at]
    }

    fn failed(&mut self, (_, address): Lane, error: &io::Error) {
        self.failure =
            Some(Failure::passing(format!("no connection to {address}: {}", words(error))));
    }

    /// Nobody has answered for long; whoever asks again begins with those that were not tried.
    fn silent(&mut self) -> Failure {
        self.attempts = JoinSet::new();
        let silent = self.running.drain(..).next();
        let place = silent.and_then(|(at, _)| self.places.get(at));
        let Some(Place { host, port, .. }) = place else {
            return Failure::passing("the addresses of its servers cannot be looked up");
        };
        Failure::passing(format!("{host} port {port} does not answer"))
    }
}

/// RFC 8305 §4: addresses of the two families take turns, IPv6 first.
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let (six, four): (Vec<_>, Vec<_>) = addresses.into_iter().partition(SocketAddr::is_ipv6);
    let mut all = VecDeque::new();
    let (mut six, mut four) = (six.into_iter(), four.into_iter());
    loop {
        let before = all.len();
        all.extend(six.next());
        all.extend(four.next());
        if all.len() == before {
            return all;
        }
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no way to that network".to_owned()
        }
        io::ErrorKind::TimedOut => "it does not answer".to_owned(),
        _ => error.to_string(),
    }
}

/// How long the addresses of a place are looked up.
const LOOKUP: Duration = Duration::from_secs(5);
/// Places of one domain that are looked up at a time, whoever has it and however many it names.
const LOOKUPS: usize = 8;
/// How long nobody may answer.
const CONNECT: Duration = Duration::from_secs(20);
/// RFC 8305 §5.
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of one place that are tried.
const MOST_ADDRESSES: usize = 8;

#[cfg(test)]
mod tests {
    use socket2::{Domain, Socket, Type};
    use tokio::net::TcpListener;

    use super::*;

    fn place(address: SocketAddr) -> Place {
        let host = address.ip().to_string();
        Place {
            host,
            port: address.port(),
            tls: false,
            signed: false,
            priority: 0,
            delegated: None,
        }
    }

    async fn open() -> (TcpListener, Place) {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = place(door.local_addr().unwrap());
        (door, place)
    }

    /// A door whose queue is full: what knocks is not heard, and not sent away.
    struct Silent(Socket, Vec<Socket>);

    impl Silent {
        fn new() -> (Self, Place) {
            let door = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            door.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
            door.listen(0).unwrap();
            let address = door.local_addr().unwrap();
            let knock = || {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                socket.set_nonblocking(true).unwrap();
                let _ = socket.connect(&address);
                socket
            };
            let queue = (0..4).map(|_| knock()).collect();
            (Self(door, queue), place(address.as_socket().unwrap()))
        }
    }

    #[test]
    fn families_take_turns() {
        let all = ["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1"];
        let all = interleaved(all.iter().map(|address| address.parse().unwrap()).collect());
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all, ["[2001:db8::1]:1", "192.0.2.1:1", "192.0.2.2:1"]);
    }

    #[tokio::test]
    async fn a_place_that_swallows_packets_does_not_hold_up_the_next() {
        let ((silent, first), (_door, second)) = (Silent::new(), open().await);
        let places = [first, second.clone()];
        let (place, _) = Race::new(&places, true).next().await.unwrap();
        assert_eq!(*place, second, "{} others knock", silent.1.len());
        assert!(silent.0.local_addr().is_ok(), "and the door is still there");
    }

    #[tokio::test]
    async fn when_one_will_not_do_the_others_are_tried() {
        let ((_one, first), (_other, second)) = (open().await, open().await);
        let closed = place("127.0.0.1:1".parse().unwrap());
        let places = [first.clone(), closed, second.clone()];
        let mut race = Race::new(&places, true);
        let mut reached =
            vec![race.next().await.unwrap().0.port, race.next().await.unwrap().0.port];
        reached.sort_unstable();
        let mut expected = [first.port, second.port];
        expected.sort_unstable();
        assert_eq!(reached, expected);
        assert!(race.next().await.unwrap_err().reason.contains("nothing listens there"));
    }

    #[tokio::test]
    async fn what_leads_to_a_private_address_is_not_connected_to() {
        let (_door, open) = open().await;
        for host in ["127.0.0.1", "::ffff:127.0.0.1", "localhost"] {
            let places = [Place { host: host.into(), ..open.clone() }];
            let refused = Race::new(&places, false).next().await.unwrap_err();
            assert!(refused.permanent, "{refused:?}");
            assert!(refused.reason.contains("not a public address"), "{refused:?}");
        }
        assert!(Race::new(&[open], true).next().await.is_ok());
        assert!(!Race::new(&[], true).next().await.unwrap_err().permanent);
    }
}
