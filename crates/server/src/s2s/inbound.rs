//! What comes in on a stream of another server: which stanzas are done with, and what may be
//! acknowledged (XEP-0198).
//!
//! An [`Inbound`] outlives its connection when the peer may resume it.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use store::{StoreError, archive::Ticket};
use tokio::sync::Notify;
use xmpp::{
    sm::{self, Seq, Sm},
    stanza::Stanza,
    stream::s2s::receiving::Pair,
    time::Millis,
};

/// The receiving half of one stream, or of several that follow each other by resumption.
pub struct Inbound {
    /// Whose it is.
    pub pair: Pair,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    sm: Option<Sm<()>>,
    /// Stanzas that are not done with, oldest first.
    open: VecDeque<Open>,
    next_tag: u64,
    /// The peer asked for an acknowledgement when it had sent so many, each time once.
    asked: VecDeque<u64>,
    /// Stanzas that could not be stored.
    failed: Vec<Stanza>,
    epoch: u64,
    /// Since when no connection has it.
    detached: Option<Millis>,
}

#[derive(Debug)]
struct Open {
    tag: u64,
    seq: Option<Seq>,
    stanza: Option<Stanza>,
}

/// Questions of the peer that are remembered; more of them are one.
const MAX_ASKED: usize = 64;

impl Inbound {
    /// The receiving half of a new stream.
    #[must_use]
    pub fn new(pair: Pair) -> Arc<Self> {
        Arc::new(Self { pair, state: Mutex::default(), wake: Notify::new() })
    }

    /// Begins to count. `false` if it does already.
    pub fn enable(&self) -> bool {
        let mut state = self.state.lock();
        if state.sm.is_some() {
            return false;
        }
        // Nothing is sent by this half: the limits do not matter.
        state.sm = Some(Sm::new(sm::Limits::SESSION));
        true
    }

    /// Whether it counts.
    #[must_use]
    pub fn managed(&self) -> bool {
        self.state.lock().sm.is_some()
    }

    /// The number of the current connection.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.state.lock().epoch
    }

    /// Another connection takes over. Gives its number and how many stanzas are handled; what is
    /// not will be sent again.
    pub fn resume(&self) -> (u64, u32) {
        let mut state = self.state.lock();
        state.epoch += 1;
        state.detached = None;
        state.open.clear();
        state.asked.clear();
        let handled = state.sm.as_mut().map_or(0, |sm| {
            sm.rewind();
            sm.ack_value()
        });
        let epoch = state.epoch;
        drop(state);
        self.wake.notify_waiters();
        (epoch, handled)
    }

    /// How many stanzas are handled.
    #[must_use]
    pub fn handled(&self) -> u32 {
        self.state.lock().sm.as_ref().map_or(0, Sm::ack_value)
    }

    /// Connection `epoch` has ended.
    pub fn detach(&self, epoch: u64, now: Millis) {
        let mut state = self.state.lock();
        if state.epoch == epoch {
            state.detached = Some(now);
        }
    }

    /// Whether no connection has had it since before `moment`.
    #[must_use]
    pub fn abandoned(&self, moment: Millis) -> bool {
        self.state.lock().detached.is_some_and(|since| since <= moment)
    }

    /// A stanza came in over connection `epoch`; `None` when another one has taken over.
    pub fn receive(&self, epoch: u64) -> Option<u64> {
        let mut state = self.state.lock();
        if state.epoch != epoch {
            return None;
        }
        state.next_tag += 1;
        let tag = state.next_tag;
        let seq = state.sm.as_mut().map(Sm::received);
        state.open.push_back(Open { tag, seq, stanza: None });
        Some(tag)
    }

    /// Everything that stanza `tag` caused is done.
    pub fn settle(&self, tag: u64) {
        let mut state = self.state.lock();
        let Some(at) = state.open.iter().position(|open| open.tag == tag) else { return };
        let seq = state.open.remove(at).and_then(|open| open.seq);
        if let (Some(sm), Some(seq)) = (&mut state.sm, seq) {
            sm.settled(seq);
        }
        let due = state.ack_due();
        drop(state);
        if due {
            self.wake.notify_one();
        }
    }

    /// Stanza `tag` waits for the store; should that fail, `stanza` is answered with an error.
    pub fn expect(&self, tag: u64, stanza: &Stanza) {
        let mut state = self.state.lock();
        if let Some(open) = state.open.iter_mut().find(|open| open.tag == tag) {
            open.stanza = Some(stanza.clone());
        }
    }

    /// The stanzas whose senders must be told that they were not stored.
    pub fn take_failed(&self) -> Vec<Stanza> {
        std::mem::take(&mut self.state.lock().failed)
    }

    /// The peer asks for an acknowledgement.
    pub fn ask(&self) {
        let mut state = self.state.lock();
        let upto = state.next_tag;
        if state.asked.len() < MAX_ASKED {
            state.asked.push_back(upto);
        }
    }

    /// Writes the acknowledgement that is due, if one is.
    pub fn write_due(&self, out: &mut Vec<u8>) {
        let mut state = self.state.lock();
        if !state.ack_due() {
            return;
        }
        let oldest = state.open.front().map_or(u64::MAX, |open| open.tag);
        state.asked.retain(|upto| *upto >= oldest);
        if let Some(sm) = &state.sm {
            sm::write_ack(out, sm.ack_value());
        }
    }

    /// Writes an acknowledgement that nobody asked for: before a stream ends.
    pub fn write_ack(&self, out: &mut Vec<u8>) {
        if let Some(sm) = &self.state.lock().sm {
            sm::write_ack(out, sm.ack_value());
        }
    }

    /// Resolves when there may be something to write.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }
}

impl State {
    /// Everything that was sent before the oldest question is done with.
    fn ack_due(&self) -> bool {
        let oldest = self.open.front().map_or(u64::MAX, |open| open.tag);
        self.sm.is_some() && self.asked.front().is_some_and(|upto| *upto < oldest)
    }
}

impl Ticket for Inbound {
    fn settled(&self, tag: u64, outcome: Result<(), &StoreError>) {
        if outcome.is_err() {
            let mut state = self.state.lock();
            let open = state.open.iter_mut().find(|open| open.tag == tag);
            let stanza = open.and_then(|open| open.stanza.take());
            state.failed.extend(stanza);
            drop(state);
            self.wake.notify_one();
        }
        self.settle(tag);
    }
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("pair", &self.pair).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbound() -> Arc<Inbound> {
        let inbound = Inbound::new(Pair { local: "a.example".into(), remote: "b.example".into() });
        assert!(inbound.enable());
        assert!(!inbound.enable());
        inbound
    }

    fn due(inbound: &Inbound) -> String {
        let mut out = Vec::new();
        inbound.write_due(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn stanza() -> Stanza {
        Stanza::parse("<message id='1'/>".into(), &xmpp::xml::Limits::SERVER).unwrap()
    }

    #[test]
    fn an_answer_waits_for_what_was_sent_before_the_question_and_no_longer() {
        let inbound = inbound();
        let one = inbound.receive(0).unwrap();
        inbound.ask();
        let two = inbound.receive(0).unwrap();
        assert_eq!(due(&inbound), "");
        inbound.settle(one);
        assert_eq!(due(&inbound), "<a xmlns='urn:xmpp:sm:3' h='1'/>");
        assert_eq!(due(&inbound), "", "each question has one answer");
        inbound.ask();
        inbound.settle(two);
        assert_eq!(due(&inbound), "<a xmlns='urn:xmpp:sm:3' h='2'/>");
    }

    #[test]
    fn a_stanza_that_cannot_be_stored_is_handed_back() {
        let inbound = inbound();
        let tag = inbound.receive(0).unwrap();
        inbound.expect(tag, &stanza());
        inbound.settled(tag, Err(&StoreError::Full));
        let failed = inbound.take_failed();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].id().as_deref(), Some("1"));
        assert_eq!(inbound.handled(), 1);
    }

    #[test]
    fn a_connection_that_was_replaced_adds_nothing() {
        let inbound = inbound();
        let one = inbound.receive(0).unwrap();
        inbound.settle(one);
        inbound.receive(0).unwrap();
        assert_eq!(inbound.resume(), (1, 1));
        assert_eq!(inbound.receive(0), None);
        assert!(inbound.receive(1).is_some());
    }

    #[test]
    fn only_a_connection_that_is_still_the_current_one_leaves_it_alone() {
        let inbound = inbound();
        inbound.resume();
        inbound.detach(0, Millis(5));
        assert!(!inbound.abandoned(Millis(9)));
        inbound.detach(1, Millis(5));
        assert!(inbound.abandoned(Millis(5)) && !inbound.abandoned(Millis(4)));
    }
}
