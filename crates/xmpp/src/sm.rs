//! XEP-0198: Stream Management 1.6.3
//!
//! [`Sm`] counts what comes in and keeps what goes out until the peer has handled it. It belongs to
//! a session, not to a stream: a resumed session continues with it.
//!
//! Coming in: [`Sm::received`] gives each stanza a number, [`Sm::settled`] says that everything it
//! caused is durable, in any order. [`Sm::ack_value`] never counts past a stanza that is not
//! settled, because a server that acknowledges takes responsibility (§4).
//!
//! Going out: [`Sm::sent`] keeps a stanza, [`Sm::acknowledge`] lets it go, [`Sm::unacked`] is what
//! must be sent again after a resumption.

mod nonza;
mod snapshot;

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;

pub use nonza::{Enable, Enabled, MAX_ID_BYTES, Nonza, REQUEST, Resume, failed, write_ack};

use crate::error::{StreamCondition, StreamError};
use crate::ns;
use crate::time::Millis;
use crate::xml::Element;

/// Bounds of a session's queue, and when to ask the peer for acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Stanzas kept at most.
    pub stanzas: usize,
    /// Bytes kept at most; a single larger stanza fits an empty queue.
    pub bytes: usize,
    /// Ask after this many stanzas.
    pub ask_stanzas: usize,
    /// Ask after this many bytes.
    pub ask_bytes: usize,
    /// Ask when a stanza has waited this many milliseconds to be covered by a question.
    pub ask_millis: u64,
}

impl Limits {
    /// 500 stanzas or 1 MiB; ask every 16 stanzas or 64 KiB, at the latest after two seconds.
    pub const SESSION: Self = Self {
        stanzas: 500,
        bytes: 1024 * 1024,
        ask_stanzas: 16,
        ask_bytes: 64 * 1024,
        ask_millis: 2000,
    };
}

/// A stanza the peer has not handled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<M> {
    /// The stanza as it was written.
    pub bytes: Bytes,
    /// What the session remembers about it.
    pub meta: M,
}

/// The number of a stanza that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(u64);

/// The queue is full; the entry comes back. Resend elsewhere, or end the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full<M>(pub Entry<M>);

/// The peer says that it handled stanzas nobody sent (§6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{h} stanzas acknowledged, {sent} sent")]
pub struct HandledTooHigh {
    /// What the peer said.
    pub h: u32,
    /// What was sent.
    pub sent: u32,
}

impl HandledTooHigh {
    /// The error that ends the stream.
    #[must_use]
    pub fn stream_error(self) -> StreamError {
        let app = Element::new("handled-count-too-high", ns::SM)
            .with_attr("h", self.h.to_string())
            .with_attr("send-count", self.sent.to_string());
        StreamError::new(StreamCondition::UndefinedCondition).with_app(app)
    }
}

/// The counters and the queue of one session.
///
/// Counters are kept as 64 bits and told modulo 2^32 (§4).
#[derive(Clone, Debug)]
pub struct Sm<M> {
    limits: Limits,
    received: u64,
    /// Every stanza up to this number is settled.
    settled: u64,
    /// Settled ones after a gap.
    ahead: BTreeSet<u64>,
    acked: u64,
    queue: VecDeque<Entry<M>>,
    queue_bytes: usize,
    ask: Ask,
}

/// What was sent since the last question.
#[derive(Clone, Copy, Debug, Default)]
struct Ask {
    stanzas: usize,
    bytes: usize,
    since: Option<Millis>,
}

impl<M> Sm<M> {
    /// A session that begins: call it when `<enable/>` is answered, before any other stanza is
    /// written.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            received: 0,
            settled: 0,
            ahead: BTreeSet::new(),
            acked: 0,
            queue: VecDeque::new(),
            queue_bytes: 0,
            ask: Ask::default(),
        }
    }

    /// Counts a stanza that came in.
    pub fn received(&mut self) -> Seq {
        self.received += 1;
        Seq(self.received)
    }

    /// Everything the stanza caused is durable. Numbers that were never given, or were settled
    /// before, change nothing.
    pub fn settled(&mut self, seq: Seq) {
        if seq.0 <= self.settled || seq.0 > self.received {
            return;
        }
        if seq.0 != self.settled + 1 {
            self.ahead.insert(seq.0);
            return;
        }
        self.settled = seq.0;
        while self.ahead.remove(&(self.settled + 1)) {
            self.settled += 1;
        }
    }

    /// The session is resumed: what came in and was not settled will be sent again by the peer, and
    /// is counted then.
    pub fn rewind(&mut self) {
        self.received = self.settled;
        self.ahead.clear();
    }

    /// The value of `h`: how many stanzas are handled, without a gap.
    #[must_use]
    pub fn ack_value(&self) -> u32 {
        modulo(self.settled)
    }

    /// How many stanzas came in and are not settled, or are behind one that is not.
    #[must_use]
    pub fn unsettled(&self) -> u64 {
        self.received - self.settled
    }

    /// Keeps a stanza that is about to be written.
    ///
    /// # Errors
    /// [`Full`] when the queue has no room.
    pub fn sent(&mut self, now: Millis, bytes: Bytes, meta: M) -> Result<(), Full<M>> {
        let entry = Entry { bytes, meta };
        let size = entry.bytes.len();
        let fits = self.queue.is_empty() || self.queue_bytes + size <= self.limits.bytes;
        if !fits || self.queue.len() >= self.limits.stanzas {
            return Err(Full(entry));
        }
        self.queue_bytes += size;
        self.queue.push_back(entry);
        self.ask.stanzas += 1;
        self.ask.bytes += size;
        self.ask.since.get_or_insert(now);
        Ok(())
    }

    /// The peer has handled `h` stanzas. Gives those that were waiting for it, oldest first. A count
    /// below an earlier one says nothing new.
    ///
    /// # Errors
    /// [`HandledTooHigh`]: the stream must end.
    pub fn acknowledge(
        &mut self,
        h: u32,
    ) -> Result<impl Iterator<Item = Entry<M>> + use<M>, HandledTooHigh> {
        let distance = h.wrapping_sub(modulo(self.acked));
        let count = if distance > u32::MAX / 2 { 0 } else { distance as usize };
        if count > self.queue.len() {
            return Err(HandledTooHigh { h, sent: self.sent_count() });
        }
        self.acked += count as u64;
        let handled = if count == 0 {
            VecDeque::new()
        } else {
            // The room of what was handled goes with it: an idle session keeps no empty queue.
            let rest = self.queue.split_off(count);
            std::mem::replace(&mut self.queue, rest)
        };
        self.queue_bytes -= handled.iter().map(|entry| entry.bytes.len()).sum::<usize>();
        if self.queue.is_empty() {
            self.ask = Ask::default();
        }
        Ok(handled.into_iter())
    }

    /// How many stanzas were sent, modulo 2^32.
    #[must_use]
    pub fn sent_count(&self) -> u32 {
        modulo(self.acked + self.queue.len() as u64)
    }

    /// What the peer has not handled, oldest first. After a resumption, once its `h` has been
    /// [acknowledged](Self::acknowledge), all of it must be written again.
    pub fn unacked(&self) -> impl ExactSizeIterator<Item = &Entry<M>> {
        self.queue.iter()
    }

    /// The same when the session ends: each must go elsewhere or back to its sender.
    pub fn into_unacked(self) -> impl ExactSizeIterator<Item = Entry<M>> {
        self.queue.into_iter()
    }

    /// Bytes of the stanzas that are kept.
    #[must_use]
    pub fn queue_bytes(&self) -> usize {
        self.queue_bytes
    }

    /// Whether to write [`REQUEST`] now. Ask after each batch of stanzas, and at
    /// [`Sm::deadline`].
    #[must_use]
    pub fn request_due(&self, now: Millis) -> bool {
        self.ask.stanzas >= self.limits.ask_stanzas
            || self.ask.bytes >= self.limits.ask_bytes
            || self.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// [`REQUEST`] is being written.
    pub fn requested(&mut self) {
        self.ask = Ask::default();
    }

    /// When a request is due even if nothing more is sent.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        self.ask.since.map(|since| since.plus(self.limits.ask_millis))
    }
}

fn modulo(count: u64) -> u32 {
    (count & u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_000_000);

    fn small() -> Limits {
        Limits { stanzas: 4, bytes: 100, ask_stanzas: 3, ask_bytes: 50, ask_millis: 2000 }
    }

    fn send(sm: &mut Sm<u32>, number: u32) -> Result<(), Full<u32>> {
        sm.sent(NOW, Bytes::from(vec![b'x'; 10]), number)
    }

    fn handled(sm: &mut Sm<u32>, h: u32) -> Result<Vec<u32>, HandledTooHigh> {
        sm.acknowledge(h).map(|entries| entries.map(|entry| entry.meta).collect())
    }

    /// A session whose counters stand just before they wrap around.
    fn late() -> Sm<u32> {
        Sm { acked: u64::from(u32::MAX) - 1, ..Sm::new(small()) }
    }

    #[test]
    fn only_settled_stanzas_are_acknowledged_and_in_order() {
        let mut sm = Sm::<()>::new(small());
        let [one, two, three, four] = [(); 4].map(|()| sm.received());
        sm.settled(three);
        sm.settled(two);
        assert_eq!((sm.ack_value(), sm.unsettled()), (0, 4));
        sm.settled(one);
        assert_eq!((sm.ack_value(), sm.unsettled()), (3, 1));
        sm.settled(one);
        sm.settled(Seq(99));
        assert_eq!(sm.ack_value(), 3);
        sm.settled(four);
        assert_eq!((sm.ack_value(), sm.unsettled()), (4, 0));
        assert!(sm.ahead.is_empty());
    }

    #[test]
    fn what_is_acknowledged_is_let_go() {
        let mut sm = Sm::new(small());
        for number in 0..3 {
            send(&mut sm, number).unwrap();
        }
        assert_eq!(handled(&mut sm, 2), Ok(vec![0, 1]));
        assert_eq!(handled(&mut sm, 2), Ok(vec![]));
        assert_eq!((sm.unacked().len(), sm.queue_bytes(), sm.sent_count()), (1, 10, 3));
        assert_eq!(handled(&mut sm, 3), Ok(vec![2]));
        assert_eq!(sm.queue_bytes(), 0);
    }

    #[test]
    fn more_than_was_sent_cannot_be_acknowledged() {
        let mut sm = Sm::new(small());
        send(&mut sm, 0).unwrap();
        let error = handled(&mut sm, 2).unwrap_err();
        assert_eq!(error, HandledTooHigh { h: 2, sent: 1 });
        let app = error.stream_error().app.unwrap();
        assert_eq!((app.attr("h"), app.attr("send-count")), (Some("2"), Some("1")));
        assert_eq!(sm.unacked().len(), 1);
    }

    #[test]
    fn a_count_below_an_earlier_one_changes_nothing() {
        let mut sm = Sm::new(small());
        for number in 0..3 {
            send(&mut sm, number).unwrap();
        }
        handled(&mut sm, 2).unwrap();
        assert_eq!(handled(&mut sm, 1), Ok(vec![]));
        assert_eq!(sm.unacked().len(), 1);
    }

    #[test]
    fn counters_wrap_around() {
        let mut sm = late();
        for number in 0..4 {
            send(&mut sm, number).unwrap();
        }
        assert_eq!(sm.sent_count(), 2);
        assert_eq!(handled(&mut sm, u32::MAX), Ok(vec![0]));
        assert_eq!(handled(&mut sm, 0), Ok(vec![1]));
        assert_eq!(handled(&mut sm, 3), Err(HandledTooHigh { h: 3, sent: 2 }));
        assert_eq!(handled(&mut sm, 2), Ok(vec![2, 3]));

        let wrapped = u64::from(u32::MAX);
        let mut sm = Sm::<()> { received: wrapped, settled: wrapped, ..Sm::new(small()) };
        let seq = sm.received();
        assert_eq!(sm.ack_value(), u32::MAX);
        sm.settled(seq);
        assert_eq!(sm.ack_value(), 0);
    }

    #[test]
    fn a_full_queue_gives_the_stanza_back() {
        let mut sm = Sm::new(small());
        for number in 0..4 {
            send(&mut sm, number).unwrap();
        }
        assert_eq!(send(&mut sm, 4).unwrap_err().0.meta, 4);
        let mut sm = Sm::new(small());
        sm.sent(NOW, Bytes::from(vec![0; 1000]), 0).unwrap();
        assert!(send(&mut sm, 1).is_err(), "a large one fits alone");
        handled(&mut sm, 1).unwrap();
        send(&mut sm, 1).unwrap();
    }

    #[test]
    fn requests_are_due_by_number_by_size_and_by_time() {
        let mut sm = Sm::new(small());
        assert!(!sm.request_due(NOW) && sm.deadline().is_none());
        send(&mut sm, 0).unwrap();
        assert!(!sm.request_due(NOW.plus(1999)));
        assert_eq!(sm.deadline(), Some(NOW.plus(2000)));
        assert!(sm.request_due(NOW.plus(2000)));
        sm.requested();
        assert!(!sm.request_due(NOW.plus(9999)) && sm.deadline().is_none());
        for number in 1..4 {
            assert!(!sm.request_due(NOW));
            send(&mut sm, number).unwrap();
        }
        assert!(sm.request_due(NOW));
        handled(&mut sm, 4).unwrap();
        assert!(!sm.request_due(NOW), "nothing is left to ask about");
        sm.sent(NOW, Bytes::from(vec![0; 60]), 5).unwrap();
        assert!(sm.request_due(NOW));
    }

    #[test]
    fn a_snapshot_holds_everything_but_what_is_not_settled() {
        let mut sm = late();
        for number in 0..3 {
            send(&mut sm, number).unwrap();
        }
        let seq = sm.received();
        sm.settled(seq);
        sm.received();
        let write = |meta: &u32, out: &mut Vec<u8>| out.extend_from_slice(&meta.to_be_bytes());
        let read = |kept: &[u8]| Some(u32::from_be_bytes(kept.try_into().ok()?));
        let snapshot = Bytes::from(sm.snapshot(write));
        let mut restored = Sm::restore(small(), &snapshot, read).unwrap();
        assert_eq!((restored.ack_value(), restored.unsettled()), (1, 0));
        assert_eq!((restored.sent_count(), restored.queue_bytes()), (sm.sent_count(), 30));
        assert!(restored.unacked().eq(sm.unacked()));
        assert_eq!(handled(&mut restored, 0), Ok(vec![0, 1]));

        for length in 0..snapshot.len() {
            // Cut between two entries it is a shorter snapshot, anywhere else it is none.
            let entries = length.checked_sub(17).filter(|rest| rest % 22 == 0);
            let cut = Sm::restore(small(), &snapshot.slice(..length), read);
            assert_eq!(cut.map(|sm| sm.unacked().len()), entries.map(|rest| rest / 22));
        }
    }
}
