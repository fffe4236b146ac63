//! The pace of everybody together who speaks for one account, or for one other domain: more connections
//! are no way to send more.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{Blind, Bucket, Pace};

/// Stanzas and bytes per second, by key. A key has twice what one connection may have. It is kept until
/// its buckets are full again, so that connecting anew is no way to begin anew.
#[derive(Debug)]
pub struct Paces {
    stanzas: AtomicU64,
    bytes: AtomicU64,
    blind: Blind,
    buckets: Mutex<HashMap<u64, (Bucket, Bucket)>>,
}

impl Paces {
    /// For connections that may each have so many stanzas and bytes per second.
    pub fn new(stanzas: u64, bytes: u64) -> Paces {
        let paces = Paces {
            stanzas: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            blind: Blind::default(),
            buckets: Mutex::default(),
        };
        paces.set_rates(stanzas, bytes);
        paces
    }

    /// Changes what one connection may have while the server runs.
    pub fn set_rates(&self, stanzas: u64, bytes: u64) {
        self.stanzas.store(stanzas.saturating_mul(SHARE), Relaxed);
        self.bytes.store(bytes.saturating_mul(SHARE), Relaxed);
    }

    /// Counts the stanzas and bytes that a connection of `key` has read, for itself and for all of them together.
    /// Returns how long each of the two has it leave its socket unread; a connection without a pace is not counted.
    pub fn both(
        &self,
        key: impl Hash,
        own: &mut Pace,
        (stanzas, bytes): (u64, u64),
        now: Instant,
    ) -> (Duration, Duration) {
        if bytes == 0 || !own.is_bounded() {
            return (Duration::ZERO, Duration::ZERO);
        }
        let stanzas = stanzas.max(1);
        (own.read(stanzas, bytes, now), self.read(key, stanzas, bytes, now))
    }

    /// Counts what one of the connections of `key` has read. Returns how long it must leave its socket
    /// unread; zero normally. While more keys are counted than fit in memory, others have only the pace
    /// of their connections.
    fn read(&self, key: impl Hash, stanzas: u64, bytes: u64, now: Instant) -> Duration {
        let key = self.blind.key(key);
        let rates = (self.stanzas.load(Relaxed), self.bytes.load(Relaxed));
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MOST_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, (stanzas, bytes)| !(stanzas.is_full(now) && bytes.is_full(now)));
            if buckets.len() >= MOST_KEYS {
                return Duration::ZERO;
            }
        }
        let full = || (Bucket::new(rates.0, now), Bucket::new(rates.1, now));
        let (first, second) = buckets.entry(key).or_insert_with(full);
        first.set_rate(rates.0);
        second.set_rate(rates.1);
        first.take(stanzas, now).max(second.take(bytes, now))
    }
}

/// How many times as much as one of its connections a key may have.
const SHARE: u64 = 2;
const MOST_KEYS: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_share_what_their_account_has() {
        let paces = Paces::new(10, 1000);
        let now = Instant::now();
        assert_eq!(paces.read("a", 200, 0, now), Duration::ZERO, "ten seconds of two connections");
        assert!(paces.read("a", 1, 0, now) > Duration::ZERO);
        assert!(paces.read("a", 0, 0, now) > Duration::ZERO, "the others wait as well");
        assert_eq!(paces.read("b", 1, 1, now), Duration::ZERO);
        assert!(
            paces.read("b", 0, 20_000, now) > Duration::ZERO,
            "bytes have a bound of their own"
        );
        assert_eq!(paces.read("a", 0, 0, now + Duration::from_secs(1)), Duration::ZERO);
        paces.set_rates(1, 1000);
        assert!(paces.read("a", 21, 0, now + Duration::from_secs(60)) > Duration::ZERO);
    }

    #[test]
    fn a_flood_of_keys_does_not_fill_the_memory() {
        let paces = Paces::new(1, 1);
        let now = Instant::now();
        for key in 0..MOST_KEYS {
            paces.read(key, 30, 0, now);
        }
        assert_eq!(paces.read(usize::MAX, 30, 0, now), Duration::ZERO);
        assert!(paces.read(0_usize, 0, 0, now) > Duration::ZERO, "who is counted stays counted");
        assert_eq!(paces.buckets.lock().len(), MOST_KEYS);
        paces.read(usize::MAX, 0, 0, now + Duration::from_secs(60));
        assert_eq!(paces.buckets.lock().len(), 1, "who has paid is forgotten");
    }
}
