//! How many sessions are begun with one person in a time
//!
//! Each uses up a prekey of theirs, and a list of devices can be as long as its owner, or a server in
//! between, wants it to be.

use std::collections::BTreeMap;

use xmpp::jid::BareJid;

/// Sessions begun with each person, since when on the steady clock.
#[derive(Default)]
pub(super) struct Pace(BTreeMap<BareJid, (u64, u32)>);

impl Pace {
    /// Whether another session with a device of somebody may be begun; if so, it counts.
    pub(super) fn may_begin(&mut self, owner: &BareJid, now: u64) -> bool {
        self.0.retain(|_, (since, _)| now.saturating_sub(*since) < PERIOD);
        if self.0.len() >= MAX_PEOPLE && !self.0.contains_key(owner) {
            return false;
        }
        let (_, count) = self.0.entry(owner.clone()).or_insert((now, 0));
        if *count >= MOST {
            return false;
        }
        *count += 1;
        true
    }
}

/// Sessions with one person in [`PERIOD`]: more than anybody has devices.
const MOST: u32 = 100;
/// Milliseconds: an hour.
const PERIOD: u64 = 60 * 60 * 1000;
/// People who are counted at once.
const MAX_PEOPLE: usize = 5000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_with_one_person_have_a_pace() {
        let mut pace = Pace::default();
        let [bob, carol] =
            ["bob@example.org", "carol@example.org"].map(|jid| BareJid::new(jid).unwrap());
        for _ in 0..MOST {
            assert!(pace.may_begin(&bob, 5));
        }
        assert!(!pace.may_begin(&bob, 5 + PERIOD - 1));
        assert!(pace.may_begin(&carol, 5));
        assert!(pace.may_begin(&bob, 5 + PERIOD));
    }
}
