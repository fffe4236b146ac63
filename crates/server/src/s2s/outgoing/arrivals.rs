//! What has arrived on streams without stream management: the domain is asked something behind what was
//! written (XEP-0199). It handles what comes on a stream in its order (RFC 6120 §10.1), so its answer,
//! whichever, stands for all of that.
//!
//! When no answer comes, the network may have failed, or the domain cannot reach us to answer. So the first
//! time the stream counts as lost, and everything is written once more on the next. When that one, which was
//! opened since and took the bytes, brings no answer either, what the question covers counts as arrived:
//! nobody gets more than one repetition. It goes on like that until there is an answer.

use xmpp::time::Millis;

use super::{Effect, Failure, Outgoing, tell_done};

/// A question that is answered when everything before it has arrived.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) id: String,
    /// How many of those that are not known to have arrived were written before it.
    pub(super) covers: usize,
    since: Millis,
}

/// Whether a domain leaves questions unanswered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Silence {
    /// It answers, or was not asked yet.
    #[default]
    None,
    /// A stream ended because of it.
    Once,
    /// On the next stream there was no answer either.
    Lasting,
}

/// How long the answer to such a question may take, in milliseconds.
pub(super) const ANSWER: u64 = 60_000;
/// The same for a domain that has not answered on two streams, so that it still gets its messages in
/// reasonable time: no more is written at a time than may be lost.
pub(super) const SILENT_ANSWER: u64 = 10_000;

impl Outgoing {
    /// Asks, with this id, whether what was written on a stream without management has arrived. `false`
    /// when there is nothing to ask, or the last question is not answered yet.
    pub fn ask(&mut self, now: Millis, carrier: u64, id: &str) -> bool {
        let wanted = self.carries(carrier)
            && self.sm.is_none()
            && self.question.is_none()
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

    /// When the open question counts as unanswered, which [`super::Input::Silent`] then has to tell.
    #[must_use]
    pub fn answer_due(&self) -> Option<Millis> {
        let patience = if self.is_silent() { SILENT_ANSWER } else { ANSWER };
        self.question.as_ref().map(|question| question.since.plus(patience))
    }

    /// Whether what is written counts as arrived although the domain answers nothing.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silence == Silence::Lasting
    }

    /// The open question was not answered in time.
    pub(super) fn unanswered(&mut self, now: Millis, carrier: u64, effects: &mut Vec<Effect>) {
        if !self.carries(carrier) {
            return;
        }
        let Some(question) = self.question.take() else { return };
        match self.silence {
            Silence::None => {
                self.silence = Silence::Once;
                self.lost(now, carrier, Some(Failure::passing(UNANSWERED)), effects);
            }
            Silence::Once | Silence::Lasting => {
                self.silence = Silence::Lasting;
                self.confirm(question.covers, effects);
            }
        }
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

const UNANSWERED: &str = "it did not answer whether what was sent has arrived";
