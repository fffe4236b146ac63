//! How far one registration is with its notifications. Knows no sockets and no clock.

use serde::{Deserialize, Serialize};
use xmpp::time::Millis;

/// Why a device is woken; later ones outrank earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody wants to be a contact.
    Request,
    /// A message, or an invitation, of somebody whom the account does not know.
    Stranger,
    /// A message in a room.
    Line,
    /// A message, or an invitation.
    Message,
    /// A call.
    Call,
}

impl Reason {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Request => "request",
            Reason::Stranger => "stranger",
            Reason::Line | Reason::Message => "message",
            Reason::Call => "call",
        }
    }

    /// The same for who carries it, and need not know what people are to each other.
    #[must_use]
    pub fn topic(self) -> &'static str {
        match self {
            Reason::Stranger => Reason::Message.as_str(),
            reason => reason.as_str(),
        }
    }

    /// For how many seconds it is worth telling.
    #[must_use]
    pub fn seconds(self) -> u64 {
        match self {
            Reason::Call => 60,
            Reason::Message | Reason::Line | Reason::Stranger | Reason::Request => 7 * 24 * 60 * 60,
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service took it.
    Arrived,
    /// It may work later.
    Later {
        /// Why not now, in words.
        why: String,
        /// Seconds the service asked to wait.
        after: Option<u64>,
    },
    /// Nobody is there any more: the registration ends.
    Gone(String),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing; the next [`Progress::wake`] starts anew.
    Over,
    /// Ask again in so many milliseconds.
    Wait(u64),
    /// Send this.
    Send(Reason),
}

/// The state of one registration.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// What is to be told, and since when.
    due: Option<(Reason, Millis)>,
    /// What is being told.
    sending: Option<(Reason, Millis)>,
    /// Somebody is at work on it.
    running: bool,
    /// Not before this moment.
    rest: Millis,
    failures: u32,
    problem: Option<String>,
    ended: bool,
}

impl Progress {
    /// Something is there. Returns whether somebody must begin to work on it.
    pub fn wake(&mut self, now: Millis, reason: Reason) -> bool {
        if self.ended {
            return false;
        }
        let old = self.due.map_or(reason, |(old, _)| old.max(reason));
        self.due = Some((old, now));
        !std::mem::replace(&mut self.running, true)
    }

    /// What whoever is at work does next.
    pub fn next(&mut self, now: Millis) -> Next {
        let age = |since: Millis| now.0.saturating_sub(since.0) / 1000;
        if let Some((reason @ Reason::Call, since)) = self.due
            && age(since) > reason.seconds()
        {
            // It no longer rings, but somebody called.
            self.due = Some((Reason::Message, since));
        }
        let due = self.due.filter(|(reason, since)| age(*since) <= reason.seconds());
        let Some((reason, _)) = due.filter(|_| !self.ended) else {
            self.due = None;
            self.running = false;
            return Next::Over;
        };
        if now < self.rest {
            return Next::Wait(self.rest.0 - now.0);
        }
        self.sending = self.due.take();
        Next::Send(reason)
    }

    /// What came while an attempt waited to begin goes along with it. Returns what it tells now.
    pub fn gather(&mut self) -> Option<Reason> {
        self.sending = joined(self.due.take(), self.sending);
        self.sending.map(|(reason, _)| reason)
    }

    /// The attempt ended. Returns whether the registration is over.
    pub fn settled(&mut self, now: Millis, outcome: Outcome) -> bool {
        let sent = self.sending.take();
        match outcome {
            Outcome::Arrived => {
                self.failures = 0;
                self.problem = None;
                self.rest = now.plus(SPACING);
                false
            }
            Outcome::Later { why, after } => {
                self.failures += 1;
                self.problem = Some(why);
                // What came meanwhile does not make the old one younger or less urgent.
                self.due = joined(self.due, sent);
                let pause = after.map(|seconds| seconds.min(LONGEST / 1000) * 1000);
                self.rest = now.plus(pause.unwrap_or(0).max(backoff(self.failures)));
                self.failures >= GIVE_UP
            }
            Outcome::Gone(why) => {
                self.problem = Some(why);
                true
            }
        }
    }

    /// What has not arrived yet, and since when it is there.
    #[must_use]
    pub fn unfinished(&self) -> Option<(Reason, Millis)> {
        joined(self.due, self.sending)
    }

    /// Whether an attempt is under way.
    #[cfg(test)]
    pub(super) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// The registration was replaced or removed.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Why the last attempt failed, in words.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Attempts in a row that failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// What happened later together with what happened before: as urgent as the more urgent one.
fn joined(
    later: Option<(Reason, Millis)>,
    before: Option<(Reason, Millis)>,
) -> Option<(Reason, Millis)> {
    match (later, before) {
        (Some((new, at)), Some((old, _))) => Some((new.max(old), at)),
        (new, old) => new.or(old),
    }
}

/// Milliseconds of rest after so many failures: 10 s, doubled each time, at most an hour.
fn backoff(failures: u32) -> u64 {
    let doubled = 10_000_u64.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(60 * 60 * 1000)
}

/// Milliseconds between two notifications of one registration: a busy hour is one picture on a
/// phone, not hundreds.
const SPACING: u64 = 3000;
/// Failures in a row after which a registration ends: most of a day.
const GIVE_UP: u32 = 24;
/// Milliseconds that a service can make us wait.
const LONGEST: u64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn what_is_on_its_way_is_unfinished_until_it_arrived() {
        let mut progress = Progress::default();
        assert_eq!(progress.unfinished(), None);
        progress.wake(NOW, Reason::Message);
        assert_eq!(progress.unfinished(), Some((Reason::Message, NOW)));
        assert_eq!(progress.next(NOW), Next::Send(Reason::Message));
        assert_eq!(progress.unfinished(), Some((Reason::Message, NOW)));
        progress.wake(NOW.plus(1), Reason::Request);
        assert_eq!(progress.unfinished(), Some((Reason::Message, NOW.plus(1))));
        progress.settled(NOW, Outcome::Arrived);
        assert_eq!(progress.unfinished(), Some((Reason::Request, NOW.plus(1))));
    }

    fn later(after: Option<u64>) -> Outcome {
        Outcome::Later { why: "busy".into(), after }
    }

    #[test]
    fn what_happens_meanwhile_is_one_more_notification() {
        let mut progress = Progress::default();
        assert!(progress.wake(NOW, Reason::Message));
        assert!(!progress.wake(NOW, Reason::Message), "somebody is at work already");
        assert_eq!(progress.next(NOW), Next::Send(Reason::Message));
        for reason in [Reason::Request, Reason::Call, Reason::Message] {
            assert!(!progress.wake(NOW, reason));
        }
        assert!(!progress.settled(NOW, Outcome::Arrived));
        assert_eq!(progress.next(NOW), Next::Wait(SPACING));
        assert_eq!(progress.next(NOW.plus(SPACING)), Next::Send(Reason::Call));
        progress.settled(NOW.plus(SPACING), Outcome::Arrived);
        assert_eq!(progress.next(NOW.plus(SPACING)), Next::Over);
        assert!(progress.wake(NOW, Reason::Message), "work was over");
    }

    #[test]
    fn what_happens_before_an_attempt_begins_goes_along_with_it() {
        let mut progress = Progress::default();
        progress.wake(NOW, Reason::Line);
        assert_eq!(progress.next(NOW), Next::Send(Reason::Line));
        assert_eq!(progress.gather(), Some(Reason::Line));
        progress.wake(NOW.plus(1), Reason::Call);
        assert_eq!(progress.gather(), Some(Reason::Call));
        assert_eq!(progress.unfinished(), Some((Reason::Call, NOW.plus(1))));
        progress.settled(NOW, Outcome::Arrived);
        assert_eq!(progress.next(NOW.plus(SPACING)), Next::Over);
    }

    #[test]
    fn failures_wait_longer_and_longer_and_end_the_registration_at_last() {
        let mut progress = Progress::default();
        let mut now = NOW;
        progress.wake(now, Reason::Message);
        let mut pauses = Vec::new();
        loop {
            match progress.next(now) {
                Next::Wait(pause) => {
                    pauses.push(pause);
                    now = now.plus(pause);
                }
                Next::Send(_) if progress.settled(now, later(None)) => break,
                Next::Send(_) => {}
                Next::Over => panic!("it is still worth telling"),
            }
        }
        assert_eq!(pauses.len(), GIVE_UP as usize - 1);
        assert_eq!(pauses.first(), Some(&10_000));
        assert_eq!(pauses.last(), Some(&3_600_000));
        assert!(pauses.is_sorted());
        assert_eq!(progress.problem(), Some("busy"));
    }

    #[test]
    fn a_service_can_ask_for_more_time_within_bounds() {
        let mut progress = Progress::default();
        progress.wake(NOW, Reason::Message);
        progress.next(NOW);
        progress.settled(NOW, later(Some(120)));
        assert_eq!(progress.next(NOW), Next::Wait(120_000));
        let then = NOW.plus(120_000);
        progress.next(then);
        progress.settled(then, later(Some(u64::MAX)));
        assert_eq!(progress.next(then), Next::Wait(LONGEST));
    }

    #[test]
    fn a_call_that_rings_no_longer_is_told_as_a_message_until_that_is_old_too() {
        let mut progress = Progress::default();
        progress.wake(NOW, Reason::Call);
        progress.next(NOW);
        progress.settled(NOW, later(None));
        let then = NOW.plus(61_000);
        assert_eq!(progress.next(then), Next::Send(Reason::Message));
        progress.settled(then, later(None));
        assert_eq!(progress.next(then.plus(8 * 24 * 60 * 60 * 1000)), Next::Over);
        assert!(progress.wake(then, Reason::Message), "work was over");
    }

    #[test]
    fn one_success_forgives_all_failures() {
        let mut progress = Progress::default();
        progress.wake(NOW, Reason::Message);
        progress.next(NOW);
        progress.settled(NOW, later(None));
        assert_eq!(progress.failures(), 1);
        progress.next(NOW.plus(10_000));
        progress.settled(NOW.plus(10_000), Outcome::Arrived);
        assert_eq!((progress.failures(), progress.problem()), (0, None));
    }

    #[test]
    fn an_ended_registration_sends_nothing() {
        let mut progress = Progress::default();
        progress.wake(NOW, Reason::Message);
        progress.end();
        assert_eq!(progress.next(NOW), Next::Over);
        assert!(!progress.wake(NOW, Reason::Message));
    }
}
