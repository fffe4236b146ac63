//! How many connections there may be, from one address and before login.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{address_of, network_of};
use crate::{config::Limits, metrics::Metrics};

/// Counts connections and lets them in or not. One for all listeners of a server.
#[derive(Debug)]
pub struct Gate {
    limits: Mutex<Limits>,
    /// Connections that the system has room for.
    capacity: AtomicU64,
    counts: Mutex<Counts>,
    metrics: Arc<Metrics>,
}

/// Why a connection is not let in. There is nothing to say to it: it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many connections from its address or network.
    #[error("too many connections from this address")]
    Address,
    /// Too many from its address that have not logged in.
    #[error("too many connections from this address are not logged in")]
    Unauthenticated,
    /// There is no room for anybody.
    #[error("the system has no room for more connections")]
    Full,
}

/// A connection that was let in. Dropping it takes it out of the counts.
#[derive(Debug)]
pub struct Admission {
    gate: Arc<Gate>,
    address: IpAddr,
    network: IpAddr,
    counted: bool,
    /// Its number in the crowd, until it has logged in.
    waiting: Option<u64>,
    evicted: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Connections inside.
    all: u64,
    addresses: HashMap<IpAddr, Address>,
    networks: HashMap<IpAddr, u64>,
    /// Connections before login, in no order: a vector so that one can be drawn by lot.
    crowd: Vec<(u64, Arc<Notify>)>,
    /// Where in the vector each number is.
    places: HashMap<u64, usize>,
    next: u64,
    lot: u64,
}

#[derive(Debug, Default)]
struct Address {
    all: u64,
    unauthenticated: u64,
}

impl Gate {
    /// A gate with nobody inside.
    pub fn new(limits: &Limits, metrics: Arc<Metrics>) -> Arc<Gate> {
        let mut seed = [0; 8];
        // Without randomness the lot is predictable, and still no worse than any fixed choice.
        let _ = getrandom::fill(&mut seed);
        let counts = Counts { lot: u64::from_ne_bytes(seed) | 1, ..Counts::default() };
        let (limits, counts) = (Mutex::new(limits.clone()), Mutex::new(counts));
        Arc::new(Gate { limits, capacity: AtomicU64::new(u64::MAX), counts, metrics })
    }

    /// The system has room for so many connections. Those that have not logged in get half of that at most, so
    /// that whoever floods the server keeps nobody out who can log in.
    pub fn bound(&self, capacity: u64) {
        self.capacity.store(capacity, Ordering::Relaxed);
    }

    /// Changes the limits while the server runs. Connections inside stay.
    pub fn set_limits(&self, limits: &Limits) {
        *self.limits.lock() = limits.clone();
    }

    /// How many connections are inside, and how many of them have not logged in.
    pub fn inside(&self) -> (u64, u64) {
        let counts = self.counts.lock();
        (counts.all, counts.crowd.len() as u64)
    }

    /// Lets a connection in, or says why not. When all the places before login are taken, one of
    /// those connections, drawn by lot, has to make room: an attacker who holds most places loses
    /// most draws, and somebody who logs in within a second is rarely hit.
    ///
    /// # Errors
    /// When its address has too many connections already, or there is room for none. Loopback addresses are not
    /// counted: behind them are a reverse proxy or an onion service, that is, everybody.
    pub fn admit(self: &Arc<Self>, ip: IpAddr) -> Result<Admission, Refusal> {
        let limits = self.limits.lock().clone();
        let counted = limits.throttle && !ip.to_canonical().is_loopback();
        let (address, network) = (address_of(ip), network_of(ip));
        let capacity = self.capacity.load(Ordering::Relaxed);
        let mut counts = self.counts.lock();
        let full = counts.all >= capacity;
        if full {
            self.metrics.connections_refused.increment();
            if counts.evict() {
                self.metrics.connections_evicted.increment();
            }
            return Err(Refusal::Full);
        }
        if counted {
            let refused = counts.check(&limits, address, network);
            refused.inspect_err(|_| self.metrics.connections_refused.increment())?;
            let entry = counts.addresses.entry(address).or_default();
            entry.all += 1;
            entry.unauthenticated += 1;
            *counts.networks.entry(network).or_default() += 1;
        }
        let most = match limits.throttle {
            true => limits.unauthenticated_total.min(capacity / 2),
            false => capacity / 2,
        };
        if counts.crowd.len() as u64 >= most && counts.evict() {
            self.metrics.connections_evicted.increment();
        }
        let evicted = Arc::new(Notify::new());
        let number = counts.enter(evicted.clone());
        counts.all += 1;
        self.metrics.connections_accepted.increment();
        let gate = self.clone();
        Ok(Admission { gate, address, network, counted, waiting: Some(number), evicted })
    }
}

impl Admission {
    /// To be called when the connection has logged in: it is no longer one of the crowd. Tells
    /// whether it was one until now.
    pub fn authenticated(&mut self) -> bool {
        let Some(number) = self.waiting.take() else { return false };
        let mut counts = self.gate.counts.lock();
        counts.leave(number);
        if self.counted
            && let Some(entry) = counts.addresses.get_mut(&self.address)
        {
            entry.unauthenticated = entry.unauthenticated.saturating_sub(1);
        }
        true
    }

    /// The same as [`Admission::evicted`] for who does not hold the admission.
    pub fn eviction(&self) -> impl Future<Output = ()> + use<> {
        let evicted = self.evicted.clone();
        async move { evicted.notified().await }
    }

    /// Resolves when the connection has to make room for others and must be closed. Never resolves
    /// after [`Admission::authenticated`].
    pub async fn evicted(&self) {
        if self.waiting.is_none() {
            return std::future::pending().await;
        }
        self.evicted.notified().await;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.authenticated();
        let mut counts = self.gate.counts.lock();
        counts.all -= 1;
        if !self.counted {
            return;
        }
        if let Some(entry) = counts.addresses.get_mut(&self.address) {
            entry.all = entry.all.saturating_sub(1);
            if entry.all == 0 {
                counts.addresses.remove(&self.address);
            }
        }
        if let Some(entry) = counts.networks.get_mut(&self.network) {
            *entry = entry.saturating_sub(1);
            if *entry == 0 {
                counts.networks.remove(&self.network);
            }
        }
    }
}

impl Counts {
    fn check(&self, limits: &Limits, address: IpAddr, network: IpAddr) -> Result<(), Refusal> {
        let (all, unauthenticated) =
            self.addresses.get(&address).map_or((0, 0), |entry| (entry.all, entry.unauthenticated));
        let in_network = self.networks.get(&network).copied().unwrap_or(0);
        if all >= limits.connections_per_address || in_network >= limits.connections_per_network {
            return Err(Refusal::Address);
        }
        if unauthenticated >= limits.unauthenticated_per_address {
            return Err(Refusal::Unauthenticated);
        }
        Ok(())
    }

    fn enter(&mut self, evicted: Arc<Notify>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.places.insert(number, self.crowd.len());
        self.crowd.push((number, evicted));
        number
    }

    fn leave(&mut self, number: u64) {
        let Some(place) = self.places.remove(&number) else { return };
        self.crowd.swap_remove(place);
        if let Some((moved, _)) = self.crowd.get(place) {
            self.places.insert(*moved, place);
        }
    }

    /// Draws one of the crowd, tells it to go and gives its place away. `false` when there is nobody.
    fn evict(&mut self) -> bool {
        // xorshift: good enough a lot when nobody can see it.
        self.lot ^= self.lot << 13;
        self.lot ^= self.lot >> 7;
        self.lot ^= self.lot << 17;
        let place = usize::try_from(self.lot % self.crowd.len().max(1) as u64).unwrap_or(0);
        let Some((number, evicted)) = self.crowd.get(place) else { return false };
        let number = *number;
        // A permit is kept when nobody waits yet.
        evicted.notify_one();
        self.leave(number);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn gate(limits: Limits) -> Arc<Gate> {
        Gate::new(&limits, Arc::default())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_few_places_before_login_and_more_after_it() {
        let gate = gate(Limits {
            unauthenticated_per_address: 2,
            connections_per_address: 3,
            ..Limits::default()
        });
        let address = ip("192.0.2.1");
        let mut first = gate.admit(address).unwrap();
        let second = gate.admit(address).unwrap();
        assert_eq!(gate.admit(address).unwrap_err(), Refusal::Unauthenticated);
        assert!(gate.admit(ip("192.0.2.2")).is_ok());
        first.authenticated();
        let third = gate.admit(address).unwrap();
        drop(second);
        let fourth = gate.admit(address).unwrap();
        assert_eq!(gate.admit(address).unwrap_err(), Refusal::Address);
        drop((first, third, fourth));
        let counts = gate.counts.lock();
        assert!(counts.addresses.is_empty() && counts.networks.is_empty());
        assert!(counts.crowd.is_empty() && counts.places.is_empty());
        assert_eq!(counts.all, 0);
    }

    #[test]
    fn a_network_has_a_limit_of_its_own_and_loopback_has_none() {
        let limits = Limits {
            connections_per_network: 2,
            unauthenticated_per_address: 1,
            ..Limits::default()
        };
        let gate = gate(limits);
        let _one = gate.admit(ip("192.0.2.1")).unwrap();
        let _two = gate.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(gate.admit(ip("192.0.2.3")).unwrap_err(), Refusal::Address);
        let all: Vec<_> = (0..10).map(|_| gate.admit(ip("127.0.0.1")).unwrap()).collect();
        assert_eq!(all.len(), 10);
    }

    #[tokio::test]
    async fn a_full_crowd_makes_room_by_lot() {
        let gate = gate(Limits { unauthenticated_total: 3, ..Limits::default() });
        let inside: Vec<_> = (0..3).map(|_| gate.admit(ip("127.0.0.1")).unwrap()).collect();
        let newcomer = gate.admit(ip("127.0.0.1")).unwrap();
        assert_eq!(gate.counts.lock().crowd.len(), 3);
        assert_eq!(gate.inside(), (4, 3));
        let mut told = 0;
        for admission in &inside {
            let evicted = tokio::time::timeout(Duration::ZERO, admission.evicted()).await;
            told += usize::from(evicted.is_ok());
        }
        assert_eq!(told, 1);
        drop((inside, newcomer));
        assert!(gate.counts.lock().crowd.is_empty());
    }

    #[tokio::test]
    async fn where_the_system_has_little_room_strangers_get_half_of_it() {
        let gate = gate(Limits { throttle: false, ..Limits::default() });
        gate.bound(4);
        let mut inside: Vec<_> = (0..2).map(|_| gate.admit(ip("127.0.0.1")).unwrap()).collect();
        for one in &mut inside {
            one.authenticated();
        }
        let strangers: Vec<_> = (0..2).map(|_| gate.admit(ip("127.0.0.1")).unwrap()).collect();
        let evicted = async || {
            let mut evicted = 0;
            for stranger in &strangers {
                let told = tokio::time::timeout(Duration::ZERO, stranger.evicted()).await;
                evicted += usize::from(told.is_ok());
            }
            evicted
        };
        assert_eq!((gate.inside(), evicted().await), ((4, 2), 0));
        // There is no room before somebody has gone, and one of them has to.
        assert_eq!(gate.admit(ip("192.0.2.1")).unwrap_err(), Refusal::Full);
        assert_eq!((gate.inside(), evicted().await), ((4, 1), 1));
        drop(strangers);
        assert!(gate.admit(ip("192.0.2.1")).is_ok());
        inside.push(gate.admit(ip("192.0.2.1")).unwrap());
        inside.push(gate.admit(ip("192.0.2.1")).unwrap());
        for one in &mut inside {
            one.authenticated();
        }
        assert_eq!(gate.admit(ip("192.0.2.1")).unwrap_err(), Refusal::Full, "they stay");
        assert_eq!(gate.inside(), (4, 0));
    }

    #[tokio::test]
    async fn whoever_has_logged_in_is_not_evicted() {
        let gate = gate(Limits { unauthenticated_total: 1, ..Limits::default() });
        let mut inside = gate.admit(ip("127.0.0.1")).unwrap();
        inside.authenticated();
        let _newcomer = gate.admit(ip("127.0.0.1")).unwrap();
        assert!(tokio::time::timeout(Duration::ZERO, inside.evicted()).await.is_err());
    }
}
