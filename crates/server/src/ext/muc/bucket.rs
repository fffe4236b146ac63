//! How much one occupant, or all of a room together, may send.

use xmpp::time::Millis;

/// A bucket that fills by the second. The clock may stand still or jump.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// Thousandths of a message that were used and have not come back.
    used: u64,
    last: Millis,
}

impl Bucket {
    /// Takes one message out, if there is one: `rate` come back in a second, ten times as many may
    /// come at once. A rate of 0 is no limit.
    pub(super) fn take(&mut self, now: Millis, rate: u32) -> bool {
        if rate == 0 {
            return true;
        }
        let back = now.since(self.last).saturating_mul(rate.into());
        self.last = now;
        let used = self.used.saturating_sub(back);
        let full = u64::from(rate) * 10 * ONE;
        let taken = used + ONE <= full;
        self.used = if taken { used + ONE } else { used };
        taken
    }
}

const ONE: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_a_flood_is_not() {
        let mut bucket = Bucket::default();
        let taken = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(now, 2)).count();
        assert_eq!(taken(&mut bucket, Millis(1000)), 20);
        assert_eq!(taken(&mut bucket, Millis(2000)), 2);
        assert_eq!(taken(&mut bucket, Millis(500)), 0, "a clock that goes back gives nothing");
        assert_eq!(taken(&mut bucket, Millis(1_000_000)), 20);
        assert!((0..1000).all(|_| bucket.take(Millis(0), 0)));
    }
}
