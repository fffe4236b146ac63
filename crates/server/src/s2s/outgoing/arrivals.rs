//! What has arrived on streams without stream management: the domain is asked something behind what was
//! written (XEP-0199). It handles what comes on a stream in its order (RFC 6120 §10.1), so its answer,
//! whichever, stands for all of that.

use xmpp::time::Millis;

use super::{Effect, Outgoing, tell_done};

/// A question that is answered when everything before it has arrived.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) id: String,
    /// How many of those that are not known to have arrived were written before it.
    pub(super) covers: usize,
    since: Millis,
}

/// How long the answer to such a question may take, in milliseconds.
pub(super) const ANSWER: u64 = 60_000;
impl Outgoing {
    /// Asks, with this id, whether what was written on a stream without management has arrived. `false`
    /// when there is nothing to ask, or the last question is not answered yet.
    pub fn ask(&mut self, now: Millis, carrier: u64, id: &str) -> bool {
        let wanted = self.carries(carrier)
            && self.sm.is_none()
            && self.question.is_none()
            && self.answers != Some(false)
            && self.unflushed.iter().any(|entry| entry.parcel.is_some());
        if wanted {
            let covers = self.unflushed.len();
            self.question = Some(Question { id: id.to_owned(), covers, since: now });
        }
        wanted
    }

    /// Whether this question is open.
    #[must_use]
    pub fn has_asked(&self, id: &str) -> bool {
        self.question.as_ref().is_some_and(|question| question.id == id)
    }

    /// Whether a question has waited for its answer for too long; and then, whether the domain usually
    /// answers, so that the stream must be dead.
    #[must_use]
    pub fn overdue(&self, now: Millis) -> Option<bool> {
        let question = self.question.as_ref()?;
        (now >= question.since.plus(ANSWER)).then_some(self.answers == Some(true))
    }

    /// The oldest of those that were written have arrived.
    pub(super) fn confirm(&mut self, count: usize, effects: &mut Vec<Effect>) {
        let count = count.min(self.unflushed.len());
        let done = self.unflushed.drain(..count).filter_map(|entry| entry.parcel).collect();
        // Nobody waits for the others.
        self.unflushed.retain(|entry| entry.parcel.is_some());
        self.recount();
        tell_done(done, effects);
        if !self.unflushed.is_empty() {
            effects.push(Effect::Wake);
        }
    }

    pub(super) fn recount(&mut self) {
        self.unflushed_bytes = self.unflushed.iter().map(|entry| entry.bytes.len()).sum();
    }
}
