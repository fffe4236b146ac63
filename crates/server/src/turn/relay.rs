//! What all clients of the relay share: its addresses, the ports that are taken, who has how many.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use tokio::{net::UdpSocket, sync::watch};
use xmpp::time::Millis;
use zeroize::Zeroizing;

use super::{
    address::{self, Found, unspecified},
    check::Tried,
    credentials,
    machine::{self, Family, NoRelay, Rules},
};
use crate::{net::address::is_public, server::Server};

/// The state of the relay. A field of the server.
#[derive(Debug, Default)]
pub struct Relay {
    found: RwLock<Arc<Found>>,
    /// Names that were given out, by the hashes that clients may send in their place, each with its
    /// end. A name cannot be told from its hash otherwise.
    hidden: Mutex<HashMap<[u8; 32], Given>>,
    /// The codes of people whose passwords are good: passwords are kept nowhere, so nothing of them can
    /// be deleted when their account goes.
    known: RwLock<HashSet<Box<str>>>,
    /// Counts how often somebody was to be taken out of it.
    dismissed: watch::Sender<u64>,
    taken: Mutex<Taken>,
    /// Whether it works, as far as that was tried.
    tried: Mutex<Tried>,
}

/// A name that was given out.
#[derive(Debug)]
struct Given {
    name: Box<str>,
    expires: Millis,
}

#[derive(Debug, Default)]
struct Taken {
    /// Kind of address (IPv6 or not) and port.
    ports: BTreeSet<(bool, u16)>,
    /// How many each person has.
    people: HashMap<Box<str>, u64>,
}

impl Relay {
    /// Where the relay is.
    #[must_use]
    pub fn found(&self) -> Arc<Found> {
        self.found.read().clone()
    }

    /// Notes where it is. Relays that are in use stay.
    pub fn set_found(&self, found: Found) {
        *self.found.write() = Arc::new(found);
    }

    /// Whether it works, as far as that was tried.
    #[must_use]
    pub fn tried(&self) -> Tried {
        self.tried.lock().clone()
    }

    /// Notes whether it works.
    pub fn set_tried(&self, found: Tried) {
        *self.tried.lock() = found;
    }

    /// How many dismissals there were. Whoever is to be admitted is looked up after this was asked.
    #[must_use]
    pub fn dismissals_so_far(&self) -> u64 {
        *self.dismissed.borrow()
    }

    /// From now on the passwords of a person are good, of whom it was found after `dismissals` that they
    /// may be. `false` when somebody was dismissed since: that may have been them, and they are to be
    /// looked up again.
    #[must_use]
    pub fn admit(&self, person: &str, dismissals: u64) -> bool {
        if self.known.read().contains(person) {
            return true;
        }
        let mut known = self.known.write();
        let current = self.dismissals_so_far() == dismissals;
        if current {
            known.insert(person.into());
        }
        current
    }

    /// From now on they are not, and what the person has at the relay ends.
    pub fn dismiss(&self, person: &str) {
        // Under the lock: whoever is admitted after this was looked up after it.
        let mut known = self.known.write();
        known.remove(person);
        self.dismissed.send_modify(|count| *count += 1);
    }

    /// Whether the passwords of a person are good.
    #[must_use]
    pub fn knows(&self, person: &str) -> bool {
        self.known.read().contains(person)
    }

    /// Changes when somebody was dismissed.
    #[must_use]
    pub fn dismissals(&self) -> watch::Receiver<u64> {
        self.dismissed.subscribe()
    }

    /// Notes a name that was given out until `expires`.
    pub fn remember(&self, name: &str, realm: &str, expires: Millis, now: Millis) {
        let mut hidden = self.hidden.lock();
        if hidden.len() >= MOST_HIDDEN {
            hidden.retain(|_, given| given.expires > now);
        }
        if hidden.len() < MOST_HIDDEN {
            hidden.insert(machine::hash(name, realm), Given { name: name.into(), expires });
        }
    }

    fn is_taken(&self, v6: bool, port: u16) -> bool {
        self.taken.lock().ports.contains(&(v6, port))
    }
}

/// One address of the relay that a client uses. Given back when dropped.
pub struct Port {
    /// The address as others see it.
    pub outside: SocketAddr,
    socket: UdpSocket,
    person: Box<str>,
    server: Arc<Server>,
}

impl Port {
    /// Takes a free one. `name` is the client's.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(server: &Arc<Server>, name: &str, family: Family) -> Result<Port, NoRelay> {
        let v6 = family == Family::V6;
        let ip = server.turn.found().of(v6).ok_or(NoRelay::Family)?;
        let config = server.config();
        let edge = |port: u64| u16::try_from(port).unwrap_or(u16::MAX);
        let (first, last) = (edge(config.turn.first_port), edge(config.turn.last_port));
        let count = last.saturating_sub(first).saturating_add(1);
        // A port that is not easily guessed (RFC 8656 §7.2).
        let start = getrandom::u32().map_err(|_| NoRelay::Full)? as u16 % count;
        let inside = if address::is_local(ip) { ip } else { unspecified(v6) };
        let person: Box<str> = credentials::person(name).into();
        for step in 0..count {
            let port =
                first + (u32::from(start) + u32::from(step)).rem_euclid(u32::from(count)) as u16;
            if !server.turn.taken.lock().ports.insert((v6, port)) {
                continue;
            }
            match open(SocketAddr::new(inside, port)) {
                Ok(socket) => {
                    *server.turn.taken.lock().people.entry(person.clone()).or_default() += 1;
                    server.metrics.turn_relays.increment();
                    let outside = SocketAddr::new(ip, port);
                    return Ok(Port { outside, socket, person, server: server.clone() });
                }
                // Another program has that port.
                Err(_) => {
                    server.turn.taken.lock().ports.remove(&(v6, port));
                }
            }
        }
        Err(NoRelay::Full)
    }

    /// Resolves when there is a packet.
    pub async fn readable(&self) {
        // An error is found when reading.
        let _ = self.socket.readable().await;
    }

    /// The next packet, if there is one, and where it came from as others see it. What the network
    /// says of packets that were sent before is left aside.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        let (length, from) = self.socket.try_recv_from(buffer).ok()?;
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        Some((length, self.seen_from_outside(from)))
    }

    /// Sends a packet, or loses it: that is what packets do.
    pub fn send(&self, peer: SocketAddr, data: &[u8]) {
        let _ = self.socket.try_send_to(data, self.seen_from_inside(peer));
    }

    /// Two clients of the relay meet inside of it, also behind a router that would not let a packet
    /// out and in again.
    fn seen_from_inside(&self, peer: SocketAddr) -> SocketAddr {
        let relay = &self.server.turn;
        if !relay.found().contains(peer.ip()) || !relay.is_taken(peer.is_ipv6(), peer.port()) {
            return peer;
        }
        SocketAddr::new(self.meeting_point(), peer.port())
    }

    fn seen_from_outside(&self, from: SocketAddr) -> SocketAddr {
        let relay = &self.server.turn;
        let from_relay =
            from.ip() == self.meeting_point() && relay.is_taken(from.is_ipv6(), from.port());
        match relay.found().of(from.is_ipv6()).filter(|_| from_relay) {
            Some(outside) => SocketAddr::new(outside, from.port()),
            None => from,
        }
    }

    /// Where the sockets of the relay reach each other.
    fn meeting_point(&self) -> IpAddr {
        match self.socket.local_addr().map(|own| own.ip()) {
            Ok(own) if !own.is_unspecified() => own,
            _ if self.outside.is_ipv6() => std::net::Ipv6Addr::LOCALHOST.into(),
            _ => std::net::Ipv4Addr::LOCALHOST.into(),
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let mut taken = self.server.turn.taken.lock();
        taken.ports.remove(&(self.outside.is_ipv6(), self.outside.port()));
        if let Some(count) = taken.people.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                taken.people.remove(&self.person);
            }
        }
        self.server.metrics.turn_relays.decrement();
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let domain = if address.is_ipv6() { socket2::Domain::IPV6 } else { socket2::Domain::IPV4 };
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
    if address.is_ipv6() {
        // The same port of IPv4 is another one.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

impl Rules for Server {
    fn password(&self, name: &str) -> Option<Zeroizing<String>> {
        let password = credentials::password(&self.secret, name, self.now());
        password.filter(|_| self.turn.knows(credentials::person(name)))
    }

    fn name_of(&self, hash: &[u8; 32]) -> Option<String> {
        self.turn.hidden.lock().get(hash).map(|given| given.name.to_string())
    }

    fn may_allocate(&self, name: &str) -> bool {
        let taken = self.turn.taken.lock();
        let count = taken.people.get(credentials::person(name)).copied().unwrap_or(0);
        count < self.config().turn.relays_per_account
    }

    fn may_reach(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        // The relay's own address: two of its clients may meet there.
        self.is_permitted(peer)
            || self.turn.found().contains(peer)
            || (is_public(peer) && !address::is_local(peer))
    }

    fn may_send(&self, peer: SocketAddr) -> bool {
        let ip = peer.ip().to_canonical();
        let is_door = self.is_door(peer.port());
        if self.turn.found().contains(ip) {
            let is_relay = self.turn.is_taken(ip.is_ipv6(), peer.port());
            return is_relay || (self.is_permitted(ip) && !is_door);
        }
        // Nothing leads from the relay to the doors of this server, whatever the operator permits.
        if is_door && address::is_local(ip) {
            return false;
        }
        self.is_permitted(ip) || is_public(ip)
    }
}

impl Server {
    /// Whether the operator lets the relay reach an address that is not public.
    fn is_permitted(&self, ip: IpAddr) -> bool {
        self.config().turn.private_networks.iter().any(|network| network.contains(ip))
    }
}

/// Names whose hashes are known. Who sends one of another name is asked for the password again.
const MOST_HIDDEN: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_looked_up_before_a_dismissal_is_not_admitted_after_it() {
        let relay = Relay::default();
        let before = relay.dismissals_so_far();
        // She asks for a password, and her account is deleted before it is made.
        relay.dismiss("ada");
        assert!(!relay.admit("ada", before) && !relay.knows("ada"));
        let after = relay.dismissals_so_far();
        assert!(relay.admit("eve", after) && relay.knows("eve"));
        relay.dismiss("ada");
        assert!(relay.admit("eve", after), "who is known stays known");
    }
}
