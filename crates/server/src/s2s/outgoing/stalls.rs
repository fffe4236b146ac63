//! A domain that is there, has stream management, and acknowledges nothing new.
//!
//! The first time its stream counts as lost: what it may have missed is written once more on the next. When it
//! gets nowhere there either, its answers that it is there are enough, and nothing is repeated, until what it
//! was sent has waited for its time and goes back to its senders.

use xmpp::time::Millis;

use super::{Bounce, Effect, Entry, Outgoing, Phase, arrivals::ANSWER, tell_done};

impl Outgoing {
    /// How many of those that were written on a stream with management are not acknowledged.
    #[must_use]
    pub fn unacked(&self) -> usize {
        self.sm.as_ref().map_or(0, |sm| sm.unacked().len())
    }

    /// Nothing was acknowledged for long, so that the stream ends.
    pub fn note_stall(&mut self) {
        self.stalled = true;
    }

    /// Whether a stream has ended because of that, and nothing was acknowledged since.
    #[must_use]
    pub fn has_stalled(&self) -> bool {
        self.stalled
    }

    /// The peer has handled so many.
    pub(super) fn acked(&mut self, now: Millis, carrier: u64, h: u32, effects: &mut Vec<Effect>) {
        if !self.carries(carrier) {
            return;
        }
        let Some(sm) = &mut self.sm else { return };
        match sm.acknowledge(h) {
            Ok(handled) => {
                let handled: Vec<_> = handled.collect();
                if !handled.is_empty() {
                    self.progress = now;
                    self.stalled = false;
                }
                let parcels = handled.into_iter().filter_map(|entry| entry.meta.parcel);
                tell_done(parcels.collect(), effects);
            }
            Err(_) => effects.push(Effect::Broken),
        }
    }

    /// When the oldest durable stanza goes back although a stream is there. What was sent late has its time
    /// to be acknowledged all the same.
    pub(super) fn stale(&self) -> Option<Millis> {
        let unacked = self.sm.as_ref()?.unacked().map(|entry| &entry.meta);
        let oldest = unacked.chain(&self.waiting).find(|entry| entry.parcel.is_some())?;
        let written = self.progress.max(oldest.since);
        Some(oldest.since.plus(self.bounds.bounce).max(written.plus(ANSWER)))
    }

    /// Gives back what has waited for too long although a stream carries the queue, which it does no longer.
    pub(super) fn expire_online(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.stale().is_none_or(|at| at > now) {
            return;
        }
        self.phase = Phase::Idle;
        self.take_back();
        // The stream looks around, and ends.
        effects.push(Effect::Wake);
        let bounce = self.bounds.bounce;
        let over = |entry: &Entry| entry.parcel.is_some() && entry.since.plus(bounce) <= now;
        self.give_up(over, Bounce::Timeout, effects);
    }
}
