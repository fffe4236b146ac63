//! Durations in buckets whose width is at most 1/64 of their value.

use std::time::Duration;

/// A histogram of durations from a nanosecond to centuries.
///
/// Values below 128 ns are exact; above, a bucket is at most 1.6 % wide, so a
/// quantile is at most that much too high. Recording is a few instructions.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: u128,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let counts = vec![0; bucket(u64::MAX) + 1];
        Self { counts, total: 0, sum: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.sum += u128::from(nanos);
        self.max = self.max.max(nanos);
    }

    /// Adds everything `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }

    /// How many durations were counted.
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The longest duration, exact.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The mean, exact to the nanosecond; zero when nothing was counted.
    pub fn mean(&self) -> Duration {
        let mean = self.sum.checked_div(u128::from(self.total)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The duration that a share `q` (0 to 1) of all did not exceed: the upper
    /// edge of its bucket, never more than the maximum.
    pub fn quantile(&self, q: f64) -> Duration {
        // Counts are far below 2^52, so the product is exact enough.
        let rank = ((self.total as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_edge(index).min(self.max));
            }
        }
        self.max()
    }
}

/// Sub-buckets per power of two, as a power of two.
const SUB_BITS: u32 = 6;

fn bucket(nanos: u64) -> usize {
    let magnitude = (u64::BITS - nanos.leading_zeros()).saturating_sub(SUB_BITS + 1);
    ((magnitude as usize) << SUB_BITS) + (nanos >> magnitude) as usize
}

fn upper_edge(index: usize) -> u64 {
    // The first two groups have width one; group g holds values v << (g - 1).
    let magnitude = (index >> SUB_BITS).saturating_sub(1);
    let leading = (index - (magnitude << SUB_BITS)) as u64;
    ((u128::from(leading) + 1) << magnitude).saturating_sub(1).min(u128::from(u64::MAX)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, (1u64 << shift) | 5] {
                let index = bucket(value);
                assert!(upper_edge(index) >= value, "{value}");
                assert!(index == 0 || upper_edge(index - 1) < value, "{value}");
                assert!(upper_edge(index) - value <= value / 64, "{value}");
            }
        }
        assert_eq!(upper_edge(bucket(u64::MAX)), u64::MAX);
    }

    #[test]
    fn quantiles_of_a_known_distribution_are_within_two_percent() {
        let mut histogram = Histogram::default();
        (1..=10_000).for_each(|micros| histogram.record(Duration::from_micros(micros)));
        for (q, expected) in [(0.5, 5_000.0), (0.9, 9_000.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let found = histogram.quantile(q).as_nanos() as f64 / 1_000.0;
            assert!((found - expected).abs() / expected < 0.02, "{q}: {found}");
        }
        assert_eq!(histogram.max(), Duration::from_millis(10));
        assert_eq!(histogram.mean(), Duration::from_nanos(5_000_500));
    }

    #[test]
    fn merging_counts_both() {
        let (mut one, mut two) = (Histogram::default(), Histogram::default());
        one.record(Duration::from_nanos(10));
        two.record(Duration::from_nanos(1_000));
        one.merge(&two);
        assert_eq!(
            (one.len(), one.quantile(0.5), one.max().as_nanos()),
            (2, Duration::from_nanos(10), 1_000)
        );
    }

    #[test]
    fn an_empty_histogram_is_all_zero() {
        let empty = Histogram::default();
        assert!(empty.is_empty() && empty.quantile(0.99).is_zero() && empty.mean().is_zero());
    }
}
