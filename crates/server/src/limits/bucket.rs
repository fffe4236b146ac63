//! Token buckets: how much may pass per second, with a reserve of ten seconds for bursts.

use std::time::{Duration, Instant};

use crate::config::Limits;

/// A bucket that fills at a steady rate. What was read already is taken out of it even when it gets
/// below empty ([`Bucket::take`]); what can still be refused is taken or not ([`Bucket::pass`]).
#[derive(Debug, Clone)]
pub struct Bucket {
    per_second: u64,
    /// Thousandths of a unit, so that a slow rate fills smoothly.
    level: i64,
    filled: Instant,
}

/// The pace of one connection: stanzas and bytes. About 70 bytes of memory.
#[derive(Debug, Clone)]
pub struct Pace(Option<Box<(Bucket, Bucket)>>);

impl Bucket {
    /// A full bucket.
    pub fn new(per_second: u64, now: Instant) -> Bucket {
        let mut bucket = Bucket { per_second, level: 0, filled: now };
        bucket.level = bucket.capacity();
        bucket
    }

    /// Takes `amount` out. Returns how long to wait before taking more; zero when there is enough.
    pub fn take(&mut self, amount: u64, now: Instant) -> Duration {
        self.fill(now);
        self.level = self.level.saturating_sub(thousandths(amount));
        match u64::try_from(self.level) {
            Ok(_) => Duration::ZERO,
            Err(_) => Duration::from_millis(self.level.unsigned_abs() / self.per_second.max(1) + 1),
        }
    }

    /// Takes `amount` out if there is so much. Whatever is refused costs nothing, so that a flood does
    /// not shut others out for longer than it lasts.
    pub fn pass(&mut self, amount: u64, now: Instant) -> bool {
        let passes = self.has(amount, now);
        if passes {
            self.level -= thousandths(amount);
        }
        passes
    }

    /// Whether `amount` is there.
    pub fn has(&mut self, amount: u64, now: Instant) -> bool {
        self.fill(now);
        self.level >= thousandths(amount)
    }

    /// Changes how much comes in. What is in it stays, as far as it fits.
    pub fn set_rate(&mut self, per_second: u64) {
        self.per_second = per_second;
    }

    /// Whether nothing is missing in it.
    pub fn is_full(&self, now: Instant) -> bool {
        let mut bucket = self.clone();
        bucket.take(0, now);
        bucket.level >= bucket.capacity()
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled).as_millis();
        let gain = u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_mul(self.per_second);
        let gain = i64::try_from(gain).unwrap_or(i64::MAX);
        self.filled = now;
        self.level = self.level.saturating_add(gain).min(self.capacity());
    }

    fn capacity(&self) -> i64 {
        i64::try_from(self.per_second.saturating_mul(RESERVE_SECONDS * 1000)).unwrap_or(i64::MAX)
    }
}

impl Pace {
    /// The pace of a new connection.
    pub fn new(limits: &Limits, now: Instant) -> Pace {
        Pace(limits.throttle.then(|| {
            Box::new((
                Bucket::new(limits.stanzas_per_second, now),
                Bucket::new(limits.bytes_per_second, now),
            ))
        }))
    }

    /// Whether it counts at all.
    pub fn is_bounded(&self) -> bool {
        self.0.is_some()
    }

    /// Counts what was read. Returns how long to leave the socket unread; zero normally.
    pub fn read(&mut self, stanzas: u64, bytes: u64, now: Instant) -> Duration {
        match &mut self.0 {
            Some(buckets) => buckets.0.take(stanzas, now).max(buckets.1.take(bytes, now)),
            None => Duration::ZERO,
        }
    }
}

fn thousandths(amount: u64) -> i64 {
    i64::try_from(amount.saturating_mul(1000)).unwrap_or(i64::MAX)
}

const RESERVE_SECONDS: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_more_has_to_wait_for_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        assert_eq!(bucket.take(1000, start), Duration::ZERO);
        let wait = bucket.take(50, start);
        assert!(wait >= Duration::from_millis(500) && wait < Duration::from_millis(510));
        assert_eq!(bucket.take(0, start + wait), Duration::ZERO);
        let much_later = start + Duration::from_secs(3600);
        assert_eq!(bucket.take(1000, much_later), Duration::ZERO);
        assert!(bucket.take(1, much_later) > Duration::ZERO);
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        assert!(bucket.pass(1000, start));
        assert!((0..1_000_000).all(|_| !bucket.pass(1, start)), "a flood");
        let later = start + Duration::from_millis(10);
        assert!(bucket.pass(1, later) && !bucket.pass(1, later), "the rate goes on");
        assert!(!bucket.pass(u64::MAX, start + Duration::from_secs(3600)));
    }

    #[test]
    fn a_test_bed_has_no_pace() {
        let limits = Limits { throttle: false, ..Limits::default() };
        let mut pace = Pace::new(&limits, Instant::now());
        assert_eq!(pace.read(u64::MAX, u64::MAX, Instant::now()), Duration::ZERO);
    }
}
