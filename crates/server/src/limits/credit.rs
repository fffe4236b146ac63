//! Counting bytes that the server writes to many because of one, in bounded memory.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::Blind;

/// What may be used ahead of time, per key: so much comes back every second, ten seconds of that may be
/// used at once, and the last use may go beyond. What something costs is often known only when it is
/// done; whoever then owes too much does nothing more until that has come back.
#[derive(Debug)]
pub struct Credit {
    rate: AtomicU64,
    blind: Blind,
    debts: Mutex<HashMap<u64, Debt>>,
}

#[derive(Debug, Clone, Copy)]
struct Debt {
    owed: u64,
    at: Instant,
}

impl Debt {
    fn left(self, rate: u64, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.at).as_millis();
        let back = u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_mul(rate) / 1000;
        self.owed.saturating_sub(back)
    }
}

impl Credit {
    /// Nobody owes anything, and so much comes back in a second.
    pub fn new(rate: u64) -> Credit {
        Credit { rate: AtomicU64::new(rate), blind: Blind::default(), debts: Mutex::default() }
    }

    /// Changes how much comes back while the server runs. What is owed stays owed.
    pub fn set_rate(&self, rate: u64) {
        self.rate.store(rate, Relaxed);
    }

    /// Whether a key may go on. `times` is how many times as much as others it may use. Also `false`
    /// for a key of which nothing is known while more keys owe something than fit in memory.
    pub fn has(&self, key: impl Hash, times: u64, now: Instant) -> bool {
        let (key, rate) = (self.blind.key(key), self.rate(times));
        let mut debts = self.debts.lock();
        match debts.get(&key) {
            Some(debt) => debt.left(rate, now) <= rate.saturating_mul(RESERVE_SECONDS),
            None => has_room(&mut debts, now),
        }
    }

    /// Counts what a key has used.
    pub fn spend(&self, key: impl Hash, times: u64, amount: u64, now: Instant) {
        let (key, rate) = (self.blind.key(key), self.rate(times));
        let mut debts = self.debts.lock();
        if !debts.contains_key(&key) && !has_room(&mut debts, now) {
            return;
        }
        let debt = debts.entry(key).or_insert(Debt { owed: 0, at: now });
        *debt = Debt { owed: debt.left(rate, now).saturating_add(amount), at: now };
    }

    fn rate(&self, times: u64) -> u64 {
        self.rate.load(Relaxed).saturating_mul(times)
    }
}

/// Whether one more can be counted. Who used nothing for a long time is forgotten when there is none.
fn has_room(debts: &mut HashMap<u64, Debt>, now: Instant) -> bool {
    if debts.len() >= MOST_KEYS {
        debts.retain(|_, debt| now.saturating_duration_since(debt.at) < FORGET_AFTER);
    }
    debts.len() < MOST_KEYS
}

const RESERVE_SECONDS: u64 = 10;
const MOST_KEYS: usize = 20_000;
/// Most of what is owed has come back by then. Counts only while there is no room for others.
const FORGET_AFTER: Duration = Duration::from_secs(10 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_may_go_beyond_and_has_to_come_back() {
        let credit = Credit::new(100);
        let now = Instant::now();
        let later = |seconds| now + Duration::from_secs(seconds);
        credit.spend("a", 1, 1000, now);
        assert!(credit.has("a", 1, now), "ten seconds at once");
        credit.spend("a", 1, 5000, now);
        assert!(!credit.has("a", 1, later(49)));
        assert!(credit.has("a", 1, later(50)));
        assert!(credit.has("b", 1, now), "the others");
        credit.spend("b", 20, 20_000, now);
        assert!(credit.has("b", 20, now), "who may use more");
        credit.set_rate(200);
        assert!(credit.has("a", 1, later(25)), "at another rate");
    }

    #[test]
    fn a_flood_of_keys_does_not_fill_the_memory() {
        let credit = Credit::new(1);
        let now = Instant::now();
        for key in 0..=MOST_KEYS {
            credit.spend(key, 1, 1, now);
        }
        assert_eq!(credit.debts.lock().len(), MOST_KEYS);
        assert!(!credit.has(usize::MAX, 1, now) && credit.has(0_usize, 1, now));
        assert!(credit.has(usize::MAX, 1, now + FORGET_AFTER));
        assert!(credit.debts.lock().is_empty());
    }
}
