//! Slowing down whoever guesses passwords, without locking the owner of the account out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{Blind, address_of, network_of};

/// Failed logins of the last ten minutes, per account and network, per network, and per account.
#[derive(Debug)]
pub struct LoginThrottle {
    enabled: AtomicBool,
    blind: Blind,
    records: Mutex<Records>,
}

/// What to do with an attempt to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Check it at once.
    Proceed,
    /// Check it after this time.
    Wait(Duration),
    /// Answer `temporary-auth-failure` without checking: too many attempts wait already.
    Refuse,
}

#[derive(Debug, Default)]
struct Records {
    failures: HashMap<u64, Failures>,
    /// Account and address pairs that have logged in, and when last.
    known: HashMap<u64, Instant>,
}

#[derive(Debug)]
struct Failures {
    count: u32,
    /// When the count is forgotten.
    ends: Instant,
    /// The earliest time for the next attempt: attempts made side by side queue up here.
    next: Instant,
}

/// How patient to be with one kind of key.
#[derive(Clone, Copy)]
struct Patience {
    /// Failures without a delay.
    free: u32,
    /// The greatest delay.
    most: Duration,
}

impl LoginThrottle {
    /// A throttle that has seen nothing; one that never slows down when not `enabled`.
    pub fn new(enabled: bool) -> LoginThrottle {
        LoginThrottle {
            enabled: AtomicBool::new(enabled),
            blind: Blind::default(),
            records: Mutex::default(),
        }
    }

    /// Turns it on or off while the server runs.
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Relaxed);
    }

    /// What to do with an attempt on `account` (its name as the client gave it, known or not: the
    /// answer must not depend on whether it exists) from `ip`. Attempts with a token are not
    /// asked about: tokens cannot be guessed.
    pub fn before(&self, account: &str, ip: IpAddr, now: Instant) -> Verdict {
        if !self.enabled.load(Relaxed) {
            return Verdict::Proceed;
        }
        let mut records = self.records.lock();
        let is_known = records.known.contains_key(&self.known_key(account, ip));
        let mut wait = Duration::ZERO;
        for (key, patience) in self.keys(account, ip, is_known) {
            if let Some(failures) = records.failures.get_mut(&key) {
                wait = wait.max(failures.reserve(patience, now));
            }
        }
        match wait {
            Duration::ZERO => Verdict::Proceed,
            wait if wait <= LONGEST_QUEUE => Verdict::Wait(wait),
            _ => Verdict::Refuse,
        }
    }

    /// Notes a wrong password, or a name that does not exist.
    pub fn failed(&self, account: &str, ip: IpAddr, now: Instant) {
        if !self.enabled.load(Relaxed) {
            return;
        }
        let mut records = self.records.lock();
        for (key, patience) in self.keys(account, ip, false) {
            records.make_room(now);
            let fresh = Failures { count: 0, ends: now + MEMORY, next: now };
            let failures = records.failures.entry(key).or_insert(fresh);
            if failures.ends <= now {
                *failures = Failures { count: 0, ends: now + MEMORY, next: now };
            }
            failures.count = failures.count.saturating_add(1);
            failures.ends = now + MEMORY;
            failures.next = failures.next.max(now + patience.delay(failures.count));
        }
    }

    /// Notes a login: this address is one of the owner's from now on, and what was failed from it
    /// on this account is forgotten.
    pub fn succeeded(&self, account: &str, ip: IpAddr, now: Instant) {
        if !self.enabled.load(Relaxed) {
            return;
        }
        let mut records = self.records.lock();
        records.failures.remove(&self.blind.key(("pair", account, network_of(ip))));
        if records.known.len() >= MOST_RECORDS {
            records.known.retain(|_, last| now.saturating_duration_since(*last) < KNOWN_FOR);
            if records.known.len() >= MOST_RECORDS {
                records.known.clear();
            }
        }
        records.known.insert(self.known_key(account, ip), now);
    }

    fn known_key(&self, account: &str, ip: IpAddr) -> u64 {
        self.blind.key(("known", account, address_of(ip)))
    }

    /// The keys an attempt counts under. From an address that has logged in to the account before,
    /// only failures from there count, so that nobody elsewhere can keep the owner out.
    fn keys(
        &self,
        account: &str,
        ip: IpAddr,
        is_known: bool,
    ) -> impl Iterator<Item = (u64, Patience)> + use<> {
        let network = network_of(ip);
        let pair = (self.blind.key(("pair", account, network)), PAIR);
        // A loopback address stands for everybody behind a proxy.
        let network = (!ip.to_canonical().is_loopback() && !is_known)
            .then(|| (self.blind.key(("network", network)), NETWORK));
        let account = (!is_known).then(|| (self.blind.key(("account", account)), ACCOUNT));
        [Some(pair), network, account].into_iter().flatten()
    }
}

impl Failures {
    /// How long an attempt has to wait, which makes the one after it wait longer.
    fn reserve(&mut self, patience: Patience, now: Instant) -> Duration {
        if self.ends <= now || self.count < patience.free {
            return Duration::ZERO;
        }
        let wait = self.next.saturating_duration_since(now);
        if wait <= LONGEST_QUEUE {
            self.next = self.next.max(now) + patience.delay(self.count);
        }
        wait
    }
}

impl Patience {
    /// Nothing for the first failures, then half a second, doubling.
    fn delay(self, count: u32) -> Duration {
        match count.checked_sub(self.free) {
            Some(more) => (FIRST_DELAY * 2_u32.saturating_pow(more.min(10))).min(self.most),
            None => Duration::ZERO,
        }
    }
}

impl Records {
    /// Keeps the number of records bounded: those that ended go, and when that is not enough, the
    /// ones with the fewest failures.
    fn make_room(&mut self, now: Instant) {
        if self.failures.len() < MOST_RECORDS {
            return;
        }
        self.failures.retain(|_, failures| failures.ends > now);
        let mut fewest = 1;
        while self.failures.len() >= MOST_RECORDS {
            self.failures.retain(|_, failures| failures.count > fewest);
            fewest = fewest.saturating_mul(2);
        }
    }
}

const MEMORY: Duration = Duration::from_secs(10 * 60);
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// A client gives up on a login after about this time; the connection ends by itself soon after.
const LONGEST_QUEUE: Duration = Duration::from_secs(15);
const MOST_RECORDS: usize = 20_000;
const PAIR: Patience = Patience { free: 5, most: Duration::from_secs(10) };
const NETWORK: Patience = Patience { free: 30, most: Duration::from_secs(5) };
/// Guesses from many networks at one account.
const ACCOUNT: Patience = Patience { free: 50, most: Duration::from_secs(5) };

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn fail(throttle: &LoginThrottle, account: &str, from: &str, times: usize, now: Instant) {
        (0..times).for_each(|_| throttle.failed(account, ip(from), now));
    }

    #[test]
    fn five_mistakes_are_free_and_then_guessing_gets_slow() {
        let throttle = LoginThrottle::new(true);
        let now = Instant::now();
        fail(&throttle, "ada", "192.0.2.1", 4, now);
        assert_eq!(throttle.before("ada", ip("192.0.2.1"), now), Verdict::Proceed);
        fail(&throttle, "ada", "192.0.2.1", 4, now);
        let Verdict::Wait(first) = throttle.before("ada", ip("192.0.2.9"), now) else {
            panic!("the network must wait");
        };
        // An attempt made at the same time waits behind it.
        let Verdict::Wait(second) = throttle.before("ada", ip("192.0.2.1"), now) else {
            panic!("the second must wait, too");
        };
        assert!(second > first);
        let refused =
            (0..20).any(|_| throttle.before("ada", ip("192.0.2.1"), now) == Verdict::Refuse);
        assert!(refused);
        let later = now + MEMORY + LONGEST_QUEUE * 2;
        assert_eq!(throttle.before("ada", ip("192.0.2.1"), later), Verdict::Proceed);
    }

    #[test]
    fn others_cannot_keep_the_owner_out() {
        let throttle = LoginThrottle::new(true);
        let now = Instant::now();
        throttle.succeeded("ada", ip("198.51.100.7"), now);
        for network in 0..100 {
            fail(&throttle, "ada", &format!("10.0.{network}.1"), 10, now);
        }
        assert_eq!(throttle.before("ada", ip("198.51.100.7"), now), Verdict::Proceed);
        assert_ne!(throttle.before("ada", ip("203.0.113.1"), now), Verdict::Proceed);
        assert_eq!(throttle.before("bob", ip("203.0.113.1"), now), Verdict::Proceed);
    }

    #[test]
    fn a_network_that_tries_many_names_gets_slow() {
        let throttle = LoginThrottle::new(true);
        let now = Instant::now();
        for name in 0..40 {
            throttle.failed(&format!("user{name}"), ip("192.0.2.1"), now);
        }
        assert_ne!(throttle.before("new", ip("192.0.2.2"), now), Verdict::Proceed);
        assert_eq!(throttle.before("new", ip("198.51.100.1"), now), Verdict::Proceed);
    }

    #[test]
    fn a_success_forgives_and_a_test_bed_does_not_throttle() {
        let throttle = LoginThrottle::new(true);
        let now = Instant::now();
        fail(&throttle, "ada", "192.0.2.1", 6, now);
        throttle.succeeded("ada", ip("192.0.2.1"), now);
        assert_eq!(throttle.before("ada", ip("192.0.2.1"), now), Verdict::Proceed);
        let off = LoginThrottle::new(false);
        fail(&off, "ada", "192.0.2.1", 100, now);
        assert_eq!(off.before("ada", ip("192.0.2.1"), now), Verdict::Proceed);
    }

    #[test]
    fn a_flood_of_names_does_not_fill_the_memory() {
        let throttle = LoginThrottle::new(true);
        let now = Instant::now();
        for name in 0..MOST_RECORDS {
            throttle.failed(&name.to_string(), ip("192.0.2.1"), now);
        }
        assert!(throttle.records.lock().failures.len() <= MOST_RECORDS);
        assert_ne!(throttle.before("new", ip("192.0.2.1"), now), Verdict::Proceed);
    }
}
