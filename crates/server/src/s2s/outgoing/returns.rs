//! What goes back to its sender: what there is no room for, what has waited for too long, what the domain
//! does not take.

use std::collections::VecDeque;

use xmpp::{stanza::Kind, time::Millis};

use super::{Bounce, Bounds, Effect, Entry, Outgoing, Phase};

impl Outgoing {
    /// There is no room for it.
    pub(super) fn refuse(&mut self, entry: Entry, effects: &mut Vec<Effect>) {
        self.missed_presence |= entry.kind == Kind::Presence;
        effects.push(Effect::Bounce(entry, Bounce::Full));
    }

    /// How many stanzas [`super::Input::GiveBack`] would give back: none of those that were written to a stream
    /// that is there, or that may go on with the next one.
    #[must_use]
    pub fn returnable(&self) -> u64 {
        match self.phase {
            Phase::Online { .. } => 0,
            Phase::Connecting => self.held().stanzas - self.unacked() as u64,
            _ => self.held().stanzas,
        }
    }

    /// All that waits goes back, what is in the store alone as it is read.
    pub(super) fn give_back(&mut self, effects: &mut Vec<Effect>) {
        match self.phase {
            Phase::Online { .. } => return,
            // The stream that is being opened may go on where the last one ended.
            Phase::Connecting if self.resumable() => {}
            _ => self.take_back(),
        }
        self.given_back = self.newest;
        self.give_up(|_| true, Bounce::Timeout, effects);
    }

    /// Refuses those that have waited for too long.
    pub(super) fn expire(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if let Phase::Online { .. } = self.phase {
            return self.expire_online(now, effects);
        }
        let behind = self.behind.iter().map(|(_, entry)| entry);
        let expiries = self.waiting.iter().chain(behind).filter_map(|entry| self.expiry(entry));
        if expiries.clone().all(|expiry| expiry > now) && !self.unacked_expired(now) {
            return;
        }
        if self.unacked_expired(now) {
            self.take_back();
        }
        let bounds = self.bounds;
        let over = |entry: &Entry| expiry(&bounds, entry).is_some_and(|expiry| expiry <= now);
        self.give_up(over, Bounce::Timeout, effects);
    }

    fn unacked_expired(&self, now: Millis) -> bool {
        let oldest = self.sm.as_ref().and_then(|sm| sm.unacked().next());
        oldest.and_then(|entry| self.expiry(&entry.meta)).is_some_and(|expiry| expiry <= now)
    }

    pub(super) fn expiry(&self, entry: &Entry) -> Option<Millis> {
        expiry(&self.bounds, entry)
    }

    /// Takes those out of the queue that `which` says, and tells their senders.
    pub(super) fn give_up(
        &mut self,
        which: impl Fn(&Entry) -> bool,
        why: Bounce,
        effects: &mut Vec<Effect>,
    ) {
        let (over, rest): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(&which);
        self.waiting = rest;
        let (late, rest) =
            std::mem::take(&mut self.behind).into_iter().partition(|(_, entry)| which(entry));
        self.behind = rest;
        self.waiting_bytes = self.waiting.iter().map(|entry| entry.bytes.len()).sum();
        self.behind_bytes = self.behind.iter().map(|(_, entry)| entry.bytes.len()).sum();
        let late: VecDeque<(u64, Entry)> = late;
        for entry in over.into_iter().chain(late.into_iter().map(|(_, entry)| entry)) {
            self.missed_presence |= entry.kind == Kind::Presence && entry.parcel.is_none();
            effects.push(Effect::Bounce(entry, why));
        }
    }
}

fn expiry(bounds: &Bounds, entry: &Entry) -> Option<Millis> {
    let patience = if entry.parcel.is_some() { bounds.bounce } else { bounds.patience };
    Some(entry.since.plus(patience))
}
