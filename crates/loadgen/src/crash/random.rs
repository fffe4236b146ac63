//! Reproducible decisions.

use std::time::Duration;

/// SplitMix64: a sequence that its seed determines. Good enough to choose
/// moments, useless for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Whether something happens that has a chance of `percent` in 100.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    /// A duration between two.
    pub fn between(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let share = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        shortest + longest.saturating_sub(shortest).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_everything() {
        let (mut one, mut two, mut other) = (Random::new(7), Random::new(7), Random::new(8));
        let first: Vec<u64> = (0..5).map(|_| one.bits()).collect();
        assert_eq!(first, (0..5).map(|_| two.bits()).collect::<Vec<_>>());
        assert_ne!(first, (0..5).map(|_| other.bits()).collect::<Vec<_>>());
    }

    #[test]
    fn durations_stay_between_their_bounds() {
        let (shortest, longest) = (Duration::from_millis(200), Duration::from_secs(5));
        let mut random = Random::new(1);
        for _ in 0..1000 {
            let chosen = random.between(shortest, longest);
            assert!(shortest <= chosen && chosen <= longest);
        }
    }
}
