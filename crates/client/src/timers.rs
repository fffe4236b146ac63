//! What happens later.

use std::collections::BTreeMap;

use crate::cx::{Cx, Step};

/// Called when the time has come.
pub(crate) type Then = Box<dyn FnOnce(&mut Cx<'_>) -> Step + Send>;

/// Names a timer, to stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId {
    at: u64,
    number: u64,
}

/// Timers, in the order in which they are due. They do not survive the process: whatever must
/// happen is begun again from the store.
#[derive(Default)]
pub(crate) struct Timers {
    due: BTreeMap<TimerId, Then>,
    count: u64,
}

impl Timers {
    /// Calls `then` at the moment `at` of the steady clock. Beyond [`MOST`] the timer is dropped.
    pub(crate) fn add(&mut self, at: u64, then: Then) -> TimerId {
        self.count += 1;
        let id = TimerId { at, number: self.count };
        if self.due.len() < MOST {
            self.due.insert(id, then);
        } else {
            debug_assert!(false, "too many timers");
        }
        id
    }

    pub(crate) fn cancel(&mut self, id: TimerId) {
        self.due.remove(&id);
    }

    /// Whether it is neither due nor cancelled, nor was dropped.
    pub(crate) fn waits(&self, id: TimerId) -> bool {
        self.due.contains_key(&id)
    }

    /// The next one that is due, taken out.
    pub(crate) fn pop(&mut self, now: u64) -> Option<Then> {
        let first = self.due.first_entry().filter(|entry| entry.key().at <= now)?;
        Some(first.remove())
    }

    pub(crate) fn deadline(&self) -> Option<u64> {
        self.due.keys().next().map(|id| id.at)
    }
}

/// More timers than this are a mistake of ours.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_in_the_order_of_their_time() {
        let mut timers = Timers::default();
        timers.add(20, Box::new(|_| Ok(())));
        let first = timers.add(10, Box::new(|_| Ok(())));
        assert_eq!(timers.deadline(), Some(10));
        assert!(timers.pop(9).is_none());
        assert!(timers.waits(first));
        timers.cancel(first);
        assert!(!timers.waits(first));
        assert_eq!(timers.deadline(), Some(20));
        assert!(timers.pop(20).is_some());
        assert!(timers.pop(u64::MAX).is_none());
    }
}
