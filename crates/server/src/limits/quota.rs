//! Counting events of one kind per key in a span of time, in bounded memory.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{Blind, network_of};

/// At most so many events per key in a span that starts with the first of them. For things that
/// people do now and then: forms, registrations, invitations.
#[derive(Debug)]
pub struct Quota {
    limit: AtomicU64,
    span: Duration,
    blind: Blind,
    counts: Mutex<HashMap<u64, Count>>,
}

#[derive(Debug)]
struct Count {
    events: u64,
    ends: Instant,
}

impl Quota {
    /// `limit` events per key in each `span`.
    pub fn new(limit: u64, span: Duration) -> Quota {
        Quota {
            limit: AtomicU64::new(limit),
            span,
            blind: Blind::default(),
            counts: Mutex::default(),
        }
    }

    /// Changes how many while the server runs. What was counted stays counted.
    pub fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Relaxed);
    }

    /// Counts an event of `key`. `false` when the key has used up what it may: the event must then
    /// be refused. Also `false` for new keys while more keys are counted than fit in memory.
    pub fn take(&self, key: impl Hash, now: Instant) -> bool {
        self.take_many(key, 1, now)
    }

    /// As [`Quota::take`], for so many events at once. What is refused is not counted.
    pub fn take_many(&self, key: impl Hash, amount: u64, now: Instant) -> bool {
        self.take_of(key, amount, self.limit.load(Relaxed), now)
    }

    fn take_of(&self, key: impl Hash, amount: u64, limit: u64, now: Instant) -> bool {
        let key = self.blind.key(key);
        let mut counts = self.counts.lock();
        if counts.len() >= MOST_KEYS && !counts.contains_key(&key) {
            counts.retain(|_, count| count.ends > now);
            if counts.len() >= MOST_KEYS {
                return false;
            }
        }
        let count = counts.entry(key).or_insert(Count { events: 0, ends: now + self.span });
        if count.ends <= now {
            *count = Count { events: 0, ends: now + self.span };
        }
        let events = count.events.saturating_add(amount);
        let fits = events <= limit;
        if fits {
            count.events = events;
        }
        fits
    }

    /// As [`Quota::take`], for everybody in the network of an address. A loopback address stands for everybody
    /// behind a proxy, who are as many as several networks.
    pub fn take_network(&self, ip: IpAddr, now: Instant) -> bool {
        let limit = self.limit.load(Relaxed);
        match ip.to_canonical().is_loopback() {
            true => self.take_of(network_of(ip), 1, limit.saturating_mul(CROWD), now),
            false => self.take(network_of(ip), now),
        }
    }
}

const MOST_KEYS: usize = 20_000;
/// Networks that the visitors of one proxy come from at a time.
const CROWD: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_own_count_and_begins_anew_after_the_span() {
        let quota = Quota::new(2, Duration::from_secs(60));
        let now = Instant::now();
        assert!(quota.take("a", now) && quota.take("a", now));
        assert!(!quota.take("a", now));
        assert!(quota.take("b", now));
        assert!(quota.take("a", now + Duration::from_secs(61)));
    }

    #[test]
    fn many_at_once_are_taken_whole_or_not() {
        let quota = Quota::new(10, Duration::from_secs(60));
        let now = Instant::now();
        assert!(quota.take_many("a", 8, now));
        assert!(!quota.take_many("a", 3, now));
        assert!(quota.take_many("a", 2, now) && !quota.take("a", now));
    }

    #[test]
    fn whoever_comes_through_a_proxy_is_one_of_many() {
        let quota = Quota::new(2, Duration::from_secs(60));
        let (now, ip) = (Instant::now(), |text: &str| text.parse::<IpAddr>().unwrap());
        let taken = |address| (0..100).filter(|_| quota.take_network(ip(address), now)).count();
        assert_eq!(taken("192.0.2.1"), 2);
        assert_eq!(taken("192.0.2.2"), 0, "the same network");
        assert_eq!(taken("127.0.0.1"), 2 * CROWD as usize);
        assert_eq!(taken("::1"), 2 * CROWD as usize);
    }

    #[test]
    fn a_flood_of_keys_does_not_fill_the_memory() {
        let quota = Quota::new(1, Duration::from_secs(60));
        let now = Instant::now();
        for key in 0..MOST_KEYS {
            assert!(quota.take(key, now));
        }
        assert!(!quota.take(usize::MAX, now));
        assert!(quota.take(usize::MAX, now + Duration::from_secs(61)));
        assert!(quota.counts.lock().len() <= MOST_KEYS);
    }
}
