//! The way from a session to its client: mailbox, stream management, and whether anybody is there.
//!
//! [`Link`] knows no socket. The connection's task asks it what to write; the router and the store
//! tell it what happened.

use std::collections::{HashSet, VecDeque};

use xmpp::{
    error::StreamError,
    sm::{self, Entry, HandledTooHigh, Seq, Sm},
    stanza::{Kind, Stanza},
    time::Millis,
};

use super::{
    frame::{Copies, Frame},
    mailbox::{Mailbox, MailboxLimits},
};
use crate::{metrics::Stanzas, net::wire::Output};

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A client is connected.
    Connected,
    /// The connection was lost; the client may resume until the session is given up.
    Detached {
        /// Since when.
        since: Millis,
    },
    /// Over for good.
    Ended,
}

/// What a session remembers of a stanza that its client has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Message, presence or iq.
    pub kind: Kind,
    /// Its id in the account's archive.
    pub archived: Option<u64>,
    /// Whether it also waits in the offline queue.
    pub pending: bool,
    /// Whether its bytes have no recipient; see [`Frame::shared`].
    pub shared: bool,
    /// Whether no archive has it; see [`Frame::unkept`].
    pub unkept: bool,
    /// The devices that were given the same message.
    pub copies: Copies,
}

impl From<&Frame> for Sent {
    fn from(frame: &Frame) -> Self {
        let Frame { kind, archived, pending, shared, unkept, .. } = *frame;
        Sent { kind, archived, pending, shared, unkept, copies: frame.copies.clone() }
    }
}

/// The state of the way to the client.
#[derive(Debug)]
pub struct Link {
    /// Where the session stands.
    pub phase: Phase,
    mailbox: Mailbox,
    sm: Option<Sm<Sent>>,
    /// Counts connections: a task whose number is not this one has been replaced by a resumption.
    epoch: u64,
    /// Stanzas of the client that are not done with, oldest first.
    open: VecDeque<Open>,
    next_tag: u64,
    /// The client asked for an acknowledgement after these stanzas, each time once.
    asked: VecDeque<u64>,
    /// Stanzas that the store could not keep: their sender must learn of it.
    failed: Vec<Stanza>,
    closing: Option<StreamError>,
    /// Offline messages wait to be handed over as the mailbox empties.
    backlog: bool,
    /// Not before this moment, since the store did not give them.
    retry: Option<Millis>,
    /// The client was bound and has not said whether it takes messages; at this moment that is taken for a no.
    awaited: Option<Millis>,
    /// A frame was lost because the mailbox was full: the session must not be resumed, since its
    /// client would never know. It is given nothing more, and catches up in a new one.
    broken: bool,
    /// The frame that was lost.
    refused: Option<Entry<Sent>>,
    /// Under which id the client may resume.
    resumption: Option<Box<str>>,
    /// The resend queue is full: nothing more is written until the client acknowledges.
    blocked: bool,
    /// The session is about to end: it can no longer be resumed.
    ending: bool,
    /// Somebody has begun to end it, and nobody else needs to.
    ended: bool,
}

/// A stanza that came in and whose effects are not all on disk yet.
#[derive(Debug)]
struct Open {
    tag: u64,
    seq: Option<Seq>,
    stanza: Option<Stanza>,
}

/// What becomes of a session when a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It is over and has to be ended.
    Ends,
    /// It goes on over another connection, or is being ended by somebody else.
    Replaced,
    /// It waits for its client.
    Waits,
}

/// What was written, as far as others must know.
#[derive(Debug, Default)]
pub struct Written {
    /// Offline messages that the client has for sure, or as surely as can be known.
    pub delivered: Vec<u64>,
    /// Stanzas written, by kind.
    pub stanzas: Stanzas,
}

impl Link {
    /// The link of a session that was just bound.
    #[must_use]
    pub fn new(limits: MailboxLimits) -> Self {
        Self {
            phase: Phase::Connected,
            mailbox: Mailbox::new(limits),
            sm: None,
            epoch: 0,
            open: VecDeque::new(),
            next_tag: 1,
            asked: VecDeque::new(),
            failed: Vec::new(),
            closing: None,
            backlog: false,
            retry: None,
            awaited: None,
            broken: false,
            refused: None,
            resumption: None,
            blocked: false,
            ending: false,
            ended: false,
        }
    }

    /// A link that waits for its client: a session of before a restart.
    #[must_use]
    pub fn detached(limits: MailboxLimits, sm: Sm<Sent>, since: Millis) -> Self {
        Self { phase: Phase::Detached { since }, sm: Some(sm), ..Self::new(limits) }
    }

    /// Number of the current connection.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Stream management, once it is enabled.
    pub fn sm(&mut self) -> Option<&mut Sm<Sent>> {
        self.sm.as_mut()
    }

    /// Enables stream management. `false` if it was enabled already.
    pub fn enable_sm(&mut self, limits: sm::Limits) -> bool {
        if self.sm.is_some() {
            return false;
        }
        self.sm = Some(Sm::new(limits));
        true
    }

    /// Queues a frame. Returns whether the connection's task should wake up.
    pub fn push(&mut self, frame: Frame) -> bool {
        if self.phase == Phase::Ended || self.broken {
            // Then it waits, unless another device is given it.
            let _ = frame.copies.lost();
            return false;
        }
        let entry = Entry { bytes: frame.bytes.clone(), meta: Sent::from(&frame) };
        match self.mailbox.push(frame) {
            Ok(wake) => wake && self.phase == Phase::Connected,
            Err(_) => {
                self.refused = Some(entry);
                self.overflow()
            }
        }
    }

    /// Queues a frame of an answer whose size has a bound of its own, such as a page of an archive.
    pub fn push_bulk(&mut self, frame: Frame) -> bool {
        if self.phase == Phase::Ended || self.broken {
            return false;
        }
        match self.mailbox.push_bulk(frame) {
            Ok(()) => self.phase == Phase::Connected,
            Err(_) => self.overflow(),
        }
    }

    /// XEP-0352: the client says whether anybody is looking at it.
    pub fn set_inactive(&mut self, inactive: bool) {
        self.mailbox.set_inactive(inactive);
    }

    /// Whether bulk senders may add to the mailbox: there is room in it and in the resend queue.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let unacked = self.sm.as_ref().map_or(0, |sm| sm.unacked().len());
        let free = !self.blocked && !self.broken && unacked < BACKLOG_UNACKED;
        free && self.mailbox.has_room()
    }

    /// The client was bound. Until it says whether it takes messages, but not beyond `moment`, those of its
    /// archive stay behind what may have waited for it.
    pub fn await_presence(&mut self, moment: Millis) {
        self.awaited = Some(moment);
        self.mailbox.set_behind(true);
    }

    /// Whether a message waits that the client would get before those of now, should it take messages.
    pub fn set_awaited_backlog(&mut self, waits: bool) {
        if self.awaited.is_some() && !self.backlog {
            self.mailbox.set_behind(waits);
        }
    }

    /// The client has said whether it takes messages, or goes on without.
    pub fn stop_awaiting(&mut self) {
        self.set_awaited_backlog(false);
        self.awaited = None;
    }

    /// Offline messages are there to be handed over, or no longer. Meanwhile other messages wait behind
    /// them.
    pub fn set_backlog(&mut self, backlog: bool) {
        self.backlog = backlog;
        self.retry = None;
        self.mailbox.set_behind(backlog || self.broken);
    }

    /// The store did not give the offline messages: it is asked again later.
    pub fn put_off_backlog(&mut self, now: Millis) {
        self.retry = Some(now.plus(BACKLOG_RETRY));
    }

    /// Its offline messages are handed to somebody else: should the client come back, it begins anew and
    /// reads what it missed; what is newer stays behind that. Returns whether it came back already, so that its
    /// connection has to end.
    pub fn lose_backlog(&mut self) -> bool {
        let had = std::mem::take(&mut self.backlog);
        self.broken |= had;
        had && self.phase == Phase::Connected
    }

    /// The message with this id, one of those that wait, is next for the client. Messages that stayed behind and
    /// are older go before it. Returns whether it is among them.
    pub fn catch_up(&mut self, id: u64) -> bool {
        self.mailbox.catch_up(id)
    }

    /// Ids of the messages of the archive that the client was given, as far as it has not acknowledged them.
    #[must_use]
    pub fn given(&self) -> HashSet<u64> {
        let unacked = self.sm.iter().flat_map(|sm| sm.unacked());
        unacked.filter_map(|entry| entry.meta.archived).chain(self.mailbox.archived()).collect()
    }

    /// Whether messages reach the client now: it is connected, and they do not stay behind what had waited.
    #[must_use]
    pub fn reaches(&self) -> bool {
        self.takes() && !self.mailbox.is_behind()
    }

    /// Whether the client is connected, and nothing of its was lost.
    #[must_use]
    pub fn takes(&self) -> bool {
        self.phase == Phase::Connected && !self.broken
    }

    /// Whether offline messages wait and there is room for them.
    #[must_use]
    pub fn wants_backlog(&self) -> bool {
        let due = self.backlog && self.retry.is_none();
        due && self.phase == Phase::Connected && self.has_room()
    }

    /// The id under which the client may resume, once it was given one.
    #[must_use]
    pub fn resumption(&self) -> Option<&str> {
        self.resumption.as_deref()
    }

    /// The client was given an id to resume with.
    pub fn set_resumption(&mut self, id: &str) {
        self.resumption = Some(id.into());
    }

    /// Whether the client may resume: it asked for that, and nothing of its was lost.
    #[must_use]
    pub fn resumable(&self) -> bool {
        let over = self.broken || self.ending || self.phase == Phase::Ended;
        self.resumption.is_some() && !over
    }

    /// Whether the client is connected, or was until after `moment`, and may resume.
    #[must_use]
    pub fn alive(&self, moment: Millis) -> bool {
        match self.phase {
            Phase::Connected => true,
            Phase::Detached { since } => since > moment && !self.broken,
            Phase::Ended => false,
        }
    }

    /// Whether the client said that nobody looks at it.
    #[must_use]
    pub fn inactive(&self) -> bool {
        self.mailbox.is_inactive()
    }

    /// Counts a stanza that came in over connection `epoch`. The number is used to tell later that
    /// it is done with. `None` when the session has gone on without that connection: its client
    /// sends the stanza again.
    pub fn receive(&mut self, epoch: u64) -> Option<u64> {
        if self.epoch != epoch || self.phase != Phase::Connected {
            return None;
        }
        let tag = self.next_tag;
        self.next_tag += 1;
        let seq = self.sm.as_mut().map(Sm::received);
        self.open.push_back(Open { tag, seq, stanza: None });
        Some(tag)
    }

    /// Stanza `tag` waits for the store; should that fail, `stanza` is answered with an error.
    pub fn expect(&mut self, tag: u64, stanza: Stanza) {
        if let Some(open) = self.open.iter_mut().rev().find(|open| open.tag == tag) {
            open.stanza = Some(stanza);
        }
    }

    /// Everything that stanza `tag` caused is done. Returns whether an acknowledgement is due now.
    pub fn settle(&mut self, tag: u64) -> bool {
        let Some(at) = self.open.iter().position(|open| open.tag == tag) else { return false };
        let open = self.open.remove(at);
        if let (Some(sm), Some(seq)) = (self.sm.as_mut(), open.and_then(|open| open.seq)) {
            sm.settled(seq);
        }
        self.ack_due()
    }

    /// The store could not keep what stanza `tag` caused. It is answered with an error, and with
    /// that it is done with.
    pub fn failed(&mut self, tag: u64) {
        let open = self.open.iter_mut().find(|open| open.tag == tag);
        if let Some(stanza) = open.and_then(|open| open.stanza.take()) {
            self.failed.push(stanza);
        }
        self.settle(tag);
    }

    /// The stanzas to be answered with errors since the last call.
    pub fn take_failed(&mut self) -> Vec<Stanza> {
        std::mem::take(&mut self.failed)
    }

    /// The client asks how many of its stanzas were handled (`<r/>`). The answer is written when
    /// everything up to here is on disk.
    pub fn ask(&mut self) {
        if self.asked.len() >= MAX_QUESTIONS {
            // A client that asks far ahead of its answers gets one answer for the last two.
            self.asked.pop_back();
        }
        self.asked.push_back(self.next_tag - 1);
    }

    /// The client acknowledges `h` stanzas. Returns the offline messages among them.
    ///
    /// # Errors
    /// When that is more than were sent; the stream must end.
    pub fn acknowledge(&mut self, h: u32) -> Result<Vec<u64>, HandledTooHigh> {
        let Some(sm) = self.sm.as_mut() else { return Ok(Vec::new()) };
        let handled = sm.acknowledge(h)?;
        self.blocked = false;
        let handled = handled.inspect(|entry| entry.meta.copies.arrived());
        Ok(handled.filter_map(|entry| entry.meta.archived.filter(|_| entry.meta.pending)).collect())
    }

    /// Asks the connection's task to end with an error.
    pub fn close(&mut self, error: StreamError) {
        self.closing.get_or_insert(error);
    }

    /// The error to end with, if that was asked for.
    pub fn closing(&mut self) -> Option<StreamError> {
        self.closing.take()
    }

    /// Moves what waits into `out`, up to `budget` bytes, together with due acknowledgements.
    pub fn write(&mut self, now: Millis, out: &mut Output, budget: usize) -> Written {
        let mut written = Written::default();
        if self.awaited.is_some_and(|moment| moment <= now) {
            self.stop_awaiting();
        }
        self.retry = self.retry.filter(|moment| *moment > now);
        let before = std::mem::take(&mut self.blocked);
        while out.len() < budget {
            let Some(frame) = self.mailbox.pop() else { break };
            if !self.track(now, &frame) {
                // The client must acknowledge before it gets more: the resend queue is bounded.
                self.mailbox.unpop(frame);
                self.blocked = true;
                break;
            }
            if self.sm.is_none() {
                frame.copies.arrived();
                written.delivered.extend(frame.archived.filter(|_| frame.pending));
            }
            written.stanzas.count(frame.kind);
            out.frame(&frame);
        }
        self.write_ack(out);
        let full = self.blocked && !before;
        if let Some(sm) = self.sm.as_mut().filter(|sm| full || sm.request_due(now)) {
            sm.requested();
            out.element(sm::REQUEST);
        }
        written
    }

    /// Whether so much waits that it should be written before more is asked for.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        self.mailbox.is_heavy() && !self.blocked
    }

    /// Whether there is more to write right now.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.mailbox.is_empty() && !self.blocked
    }

    /// When the connection's task must look again although nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let ask = self.sm.as_ref().and_then(Sm::deadline);
        let awaited = self.awaited.filter(|_| self.mailbox.keeps_back());
        let retry = self.retry.filter(|_| self.backlog);
        [ask, awaited, retry].into_iter().flatten().min()
    }

    /// Connection `epoch` is gone. Says what becomes of the session; `keep` when its client may
    /// come back.
    pub fn detach(&mut self, epoch: u64, now: Millis, keep: bool) -> Parting {
        if self.epoch != epoch || self.phase != Phase::Connected {
            return Parting::Replaced;
        }
        if keep && self.resumable() {
            self.phase = Phase::Detached { since: now };
            return Parting::Waits;
        }
        self.ending = true;
        Parting::Ends
    }

    /// Somebody wants to end the session, if `condition` still holds. `true` for the first who
    /// does: from then on nobody can resume it.
    pub fn begin_end(&mut self, condition: impl Fn(&Self) -> bool) -> bool {
        let first = self.phase != Phase::Ended && !self.ended && condition(self);
        if first {
            self.ending = true;
            self.ended = true;
        }
        first
    }

    /// XEP-0198 §5: the client is back, on another connection, and has handled `h` stanzas. Returns
    /// the offline messages among them; what was not handled is then written by [`Link::rewrite`].
    /// The client counts as active until it says otherwise (XEP-0352 §3).
    ///
    /// # Errors
    /// When `h` is more than was ever sent.
    pub fn resume(&mut self, h: u32) -> Result<Vec<u64>, HandledTooHigh> {
        let delivered = self.acknowledge(h)?;
        self.phase = Phase::Connected;
        self.epoch += 1;
        // What is not settled now was not told to the client, which sends it again: those are the
        // ones that count. Should the first sending still reach the disk, the archive knows it.
        if let Some(sm) = self.sm.as_mut() {
            sm.rewind();
        }
        for open in &mut self.open {
            open.seq = None;
        }
        self.asked.clear();
        self.closing = None;
        self.mailbox.set_inactive(false);
        Ok(delivered)
    }

    /// Writes again what the client did not handle on the connection before.
    pub fn rewrite(&mut self, out: &mut Output) {
        let Some(sm) = self.sm.as_mut() else { return };
        for entry in sm.unacked() {
            let (kind, shared) = (entry.meta.kind, entry.meta.shared);
            out.frame(&Frame { kind, shared, ..Frame::nonza(entry.bytes.clone()) });
        }
        if sm.unacked().len() > 0 {
            sm.requested();
            out.element(sm::REQUEST);
        }
    }

    /// Whether the client has not acknowledged a message that its account's archive keeps, or was
    /// not even given it.
    #[must_use]
    pub fn owes_messages(&self) -> bool {
        let mut unacked = self.sm.iter().flat_map(|sm| sm.unacked().map(|entry| &entry.meta));
        unacked.any(|sent| sent.kind == Kind::Message && sent.archived.is_some())
            || self.mailbox.archived().next().is_some()
    }

    /// Ends the session for good. Returns what its client never got or never acknowledged.
    pub fn end(&mut self) -> Vec<Entry<Sent>> {
        self.phase = Phase::Ended;
        let unacked = self.sm.take().into_iter().flat_map(Sm::into_unacked);
        unacked.chain(self.mailbox.drain().map(entry)).chain(self.refused.take()).collect()
    }

    /// Ends the session for a restart. Returns what its client has not handled, and stream
    /// management for a snapshot, with everything that was never written among what was sent; none
    /// when the session cannot be resumed.
    pub fn hibernate(&mut self, now: Millis) -> (Vec<Entry<Sent>>, Option<Sm<Sent>>) {
        // What waited for it and was not handed over yet comes with a new session.
        let resumable = self.resumable() && !self.mailbox.is_behind();
        self.phase = Phase::Ended;
        let mut sm = self.sm.take();
        let mut unhandled: Vec<_> = sm.iter().flat_map(|sm| sm.unacked().cloned()).collect();
        let mut whole = true;
        for entry in self.mailbox.drain().filter(Frame::counted).map(entry) {
            unhandled.push(entry.clone());
            let Entry { bytes, meta } = entry;
            whole &= sm.as_mut().is_some_and(|sm| sm.sent(now, bytes, meta).is_ok());
        }
        unhandled.extend(self.refused.take());
        (unhandled, sm.filter(|_| resumable && whole))
    }

    fn track(&mut self, now: Millis, frame: &Frame) -> bool {
        let Some(sm) = self.sm.as_mut().filter(|_| frame.counted()) else { return true };
        sm.sent(now, frame.bytes.clone(), Sent::from(frame)).is_ok()
    }

    fn write_ack(&mut self, out: &mut Output) {
        while self.ack_due() {
            self.asked.pop_front();
            let Some(sm) = &self.sm else { continue };
            let mut ack = Vec::with_capacity(48);
            sm::write_ack(&mut ack, sm.ack_value());
            out.element(&ack);
        }
    }

    fn ack_due(&self) -> bool {
        let oldest = self.open.front().map_or(u64::MAX, |open| open.tag);
        self.asked.front().is_some_and(|asked| oldest > *asked)
    }

    fn overflow(&mut self) -> bool {
        let condition = xmpp::error::StreamCondition::ResourceConstraint;
        self.close(StreamError::new(condition).with_text("too much waits to be read"));
        self.broken = true;
        true
    }
}

fn entry(frame: Frame) -> Entry<Sent> {
    Entry { meta: Sent::from(&frame), bytes: frame.bytes }
}

/// Unacknowledged stanzas up to which offline messages are added.
const BACKLOG_UNACKED: usize = 200;
/// Milliseconds after which offline messages are read again that could not be read.
const BACKLOG_RETRY: u64 = 5000;
/// Questions of a client that wait for the disk.
const MAX_QUESTIONS: usize = 64;

#[cfg(test)]
mod tests;
