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
        let rest = self.queue.split_off(count);
        let handled = std::mem::replace(&mut self.queue, rest);
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
