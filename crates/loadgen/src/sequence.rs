//! Proof that nothing was lost, doubled or reordered.

use std::collections::BTreeSet;
use std::ops::AddAssign;

/// What one receiver saw of the messages one sender numbered 0, 1, 2, …
#[derive(Debug, Default)]
pub struct Sequence {
    next: u64,
    missing: BTreeSet<u64>,
    verdict: Verdict,
}

impl Sequence {
    /// Notes that message `number` arrived.
    pub fn arrived(&mut self, number: u64) {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            self.verdict.delivered += 1;
        } else if self.missing.remove(&number) {
            self.verdict.delivered += 1;
            self.verdict.reordered += 1;
        } else {
            self.verdict.doubled += 1;
        }
    }

    /// Notes that a message came with another content than was sent.
    pub fn damaged(&mut self) {
        self.verdict.damaged += 1;
    }

    /// How many different messages have arrived.
    pub fn delivered(&self) -> u64 {
        self.verdict.delivered
    }

    /// The verdict, `sent` being how many messages the sender wrote.
    pub fn verdict(&self, sent: u64) -> Verdict {
        Verdict { sent, lost: sent.saturating_sub(self.verdict.delivered), ..self.verdict }
    }
}

/// Counts of messages sent, delivered, and of everything that must not happen.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Messages the senders wrote.
    pub sent: u64,
    /// Different messages that arrived.
    pub delivered: u64,
    /// Messages that did not arrive.
    pub lost: u64,
    /// Arrivals of a message that had arrived before.
    pub doubled: u64,
    /// Messages that arrived after one that was sent later.
    pub reordered: u64,
    /// Messages whose payload was not what was sent.
    pub damaged: u64,
}

impl Verdict {
    /// How many violations there were.
    pub fn violations(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.damaged
    }
}

impl AddAssign for Verdict {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.damaged += other.damaged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(sent: u64, arrivals: &[u64]) -> Verdict {
        let mut sequence = Sequence::default();
        arrivals.iter().for_each(|&number| sequence.arrived(number));
        sequence.verdict(sent)
    }

    #[test]
    fn a_complete_sequence_has_no_violation() {
        let verdict = verdict(4, &[0, 1, 2, 3]);
        assert_eq!((verdict.delivered, verdict.violations()), (4, 0));
    }

    #[test]
    fn a_gap_and_a_missing_tail_are_losses() {
        assert_eq!(verdict(4, &[0, 2, 3]).lost, 1);
        assert_eq!(verdict(4, &[0, 1]).lost, 2);
        assert_eq!(verdict(4, &[]).lost, 4);
    }

    #[test]
    fn a_late_message_is_reordered_and_not_lost() {
        let verdict = verdict(3, &[0, 2, 1]);
        assert_eq!((verdict.reordered, verdict.lost, verdict.doubled), (1, 0, 0));
    }

    #[test]
    fn a_second_copy_is_a_double_even_when_it_comes_late() {
        let verdict = verdict(3, &[0, 1, 1, 2, 0]);
        assert_eq!((verdict.doubled, verdict.lost, verdict.reordered), (2, 0, 0));
    }
}
