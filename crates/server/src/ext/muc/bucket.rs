//! How much one occupant, or all of a room together, may send.

use std::collections::HashMap;

use xmpp::{
    jid::{BareJid, Jid},
    time::Millis,
};

/// A bucket that fills by the second. The clock may stand still or jump.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// Thousandths of a message that were used and have not come back.
    used: u64,
    last: Millis,
}

impl Bucket {
    /// Whether there is one to take out.
    fn has(&self, now: Millis, rate: u32) -> bool {
        let mut copy = *self;
        copy.take(now, rate)
    }

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

/// What everybody may do who was active lately. It stays when somebody leaves: whoever comes again at once,
/// or with another device, begins nothing anew.
#[derive(Debug, Default)]
pub(super) struct Paces {
    people: HashMap<BareJid, Pace>,
    /// When those who were silent were forgotten last.
    swept: Millis,
}

#[derive(Debug, Default)]
struct Pace {
    bucket: Bucket,
    /// For those who become members and are invited.
    invitations: Bucket,
    /// For what is asked of others.
    questions: Bucket,
    /// When slow mode lets the next message through.
    next_message: Millis,
}

impl Paces {
    /// Whether somebody's bucket has one, as far as is known. Keeps nothing of whoever asks.
    pub(super) fn has(&self, who: &Jid, now: Millis, rate: u32) -> bool {
        self.people.get(&who.to_bare()).is_none_or(|pace| pace.bucket.has(now, rate))
    }

    /// Takes one out of somebody's bucket, if there is one. Newcomers get nothing while more people are
    /// active than can be counted, unless the room has them on its lists (`listed`).
    pub(super) fn take(&mut self, who: &Jid, listed: bool, now: Millis, rate: u32) -> bool {
        self.of(who, listed, now).is_some_and(|pace| pace.bucket.take(now, rate))
    }

    /// Takes one out of the bucket of somebody who makes others members, if there is one.
    pub(super) fn take_invitation(&mut self, who: &Jid, now: Millis, rate: u32) -> bool {
        self.of(who, true, now).is_some_and(|pace| pace.invitations.take(now, rate))
    }

    /// Takes one out of the bucket of somebody who asks others, if there is one.
    pub(super) fn take_question(
        &mut self,
        who: &Jid,
        listed: bool,
        now: Millis,
        rate: u32,
    ) -> bool {
        self.of(who, listed, now).is_some_and(|pace| pace.questions.take(now, rate))
    }

    /// Whether slow mode lets a message of somebody through; the next one then has to wait so many
    /// seconds.
    pub(super) fn take_turn(&mut self, who: &Jid, listed: bool, now: Millis, seconds: u64) -> bool {
        let pace = self.of(who, listed, now);
        // A moment that is further away was set while the clock was ahead.
        let is_turn = |pace: &&mut Pace| {
            now >= pace.next_message || pace.next_message > now.plus(seconds * 1000)
        };
        let Some(pace) = pace.filter(is_turn) else {
            return false;
        };
        pace.next_message = now.plus(seconds * 1000);
        true
    }

    fn of(&mut self, who: &Jid, listed: bool, now: Millis) -> Option<&mut Pace> {
        let who = who.to_bare();
        if self.people.len() >= MOST_PEOPLE && !self.people.contains_key(&who) {
            self.sweep(now);
            if self.people.len() >= MOST_PEOPLE && !listed {
                return None;
            }
        }
        Some(self.people.entry(who).or_default())
    }

    /// Forgets who was silent, once in a while: a crowd that is refused shall not cost this every time.
    fn sweep(&mut self, now: Millis) {
        if now >= self.swept && now.since(self.swept) < SWEEP_AFTER {
            return;
        }
        self.swept = now;
        // After this time a bucket is full, as a new one is.
        let filling = |bucket: &Bucket| now.since(bucket.last) < FULL_AFTER;
        self.people.retain(|_, pace| {
            filling(&pace.bucket)
                || filling(&pace.invitations)
                || filling(&pace.questions)
                || now < pace.next_message
        });
    }
}

const ONE: u64 = 1000;
const FULL_AFTER: u64 = 10_000;
const SWEEP_AFTER: u64 = 1000;
const MOST_PEOPLE: usize = 5000;

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

    #[test]
    fn slow_mode_holds_for_whoever_comes_again() {
        let mut paces = Paces::default();
        let jid = Jid::new("a@x.example/1").unwrap();
        assert!(paces.take_turn(&jid, false, Millis(1000), 30));
        assert!(!paces.take_turn(&Jid::new("a@x.example/2").unwrap(), false, Millis(30_999), 30));
        assert!(paces.take_turn(&jid, false, Millis(31_000), 30));
        let ahead = Millis(365 * 24 * 60 * 60 * 1000);
        assert!(paces.take_turn(&jid, false, ahead, 30));
        assert!(
            paces.take_turn(&jid, false, Millis(62_000), 30),
            "the clock was ahead for a moment"
        );
        assert!(!paces.take_turn(&jid, false, Millis(63_000), 30));
    }

    #[test]
    fn everybody_has_one_bucket_and_there_are_never_too_many() {
        let mut paces = Paces::default();
        let jid = |text: &str| Jid::new(text).unwrap();
        assert!((0..10).all(|_| paces.take(&jid("a@x.example/1"), false, Millis(1), 1)));
        assert!(!paces.take(&jid("a@x.example/2"), false, Millis(1), 1), "the same person");
        assert!(paces.take(&jid("b@x.example/1"), false, Millis(1), 1));
        for number in 2..MOST_PEOPLE {
            assert!(paces.take(&jid(&format!("{number}@x.example")), false, Millis(1), 1));
        }
        assert!(!paces.take(&jid("late@x.example"), false, Millis(9_000), 1));
        assert!(paces.take(&jid("member@x.example"), true, Millis(9_000), 1), "who belongs here");
        assert!(paces.has(&jid("late@x.example"), Millis(9_000), 1));
        assert!(
            !paces.people.contains_key(&jid("late@x.example").to_bare()),
            "asking keeps nothing"
        );
        assert!(paces.take(&jid("b@x.example"), false, Millis(9_000), 1), "who is known goes on");
        assert!((0..9).all(|_| paces.take(&jid("b@x.example"), false, Millis(9_000), 1)));
        assert!(!paces.has(&jid("b@x.example"), Millis(9_000), 1));
        assert!(paces.take(&jid("late@x.example"), false, Millis(11_000), 1));
        assert_eq!(paces.people.len(), 3, "who was silent is forgotten");
    }
}
