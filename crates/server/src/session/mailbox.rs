//! The queue between the router and one client's connection: bounded by items and bytes.

use std::collections::VecDeque;

use super::frame::{Frame, Urgency};

/// How much may wait for one client before it counts as too slow.
#[derive(Clone, Copy, Debug)]
pub struct MailboxLimits {
    /// Number of frames.
    pub frames: usize,
    /// Sum of their sizes in bytes.
    pub bytes: usize,
}

impl MailboxLimits {
    /// What waits for one client at most.
    pub const DEFAULT: Self = Self { frames: 2048, bytes: 4 * 1024 * 1024 };
}

/// The client does not read as fast as others write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// Frames in the order in which they will be written.
///
/// While the client is inactive (XEP-0352) frames that are not urgent stay in `held`; the first
/// urgent frame takes everything held along, so that the order of stanzas never changes. While it is
/// being given what waited for it (XEP-0160), messages of its archive stay in `later`: it gets none before an
/// older one.
#[derive(Debug)]
pub struct Mailbox {
    ready: VecDeque<Frame>,
    held: VecDeque<Frame>,
    later: VecDeque<Frame>,
    bytes: usize,
    later_bytes: usize,
    bulk: Bulk,
    inactive: bool,
    behind: bool,
    limits: MailboxLimits,
}

/// What belongs to large answers.
#[derive(Debug, Default)]
struct Bulk {
    frames: usize,
    bytes: usize,
}

impl Mailbox {
    /// An empty mailbox.
    #[must_use]
    pub fn new(limits: MailboxLimits) -> Self {
        Self {
            ready: VecDeque::new(),
            held: VecDeque::new(),
            later: VecDeque::new(),
            bytes: 0,
            later_bytes: 0,
            bulk: Bulk::default(),
            inactive: false,
            behind: false,
            limits,
        }
    }

    /// Appends a frame. Returns whether the writer should wake up.
    ///
    /// # Errors
    /// [`Overflow`] when the limits are reached; the frame was not taken.
    pub fn push(&mut self, frame: Frame) -> Result<bool, Overflow> {
        if self.behind && frame.archived.is_some() {
            self.admit(&frame)?;
            self.later_bytes += frame.bytes.len();
            self.later.push_back(frame);
            return Ok(false);
        }
        if self.inactive && !matches!(frame.urgency, Urgency::Now) {
            return self.hold(frame);
        }
        self.admit(&frame)?;
        self.release();
        self.ready.push_back(frame);
        Ok(true)
    }

    /// Takes the next frame to write.
    pub fn pop(&mut self) -> Option<Frame> {
        let frame = self.ready.pop_front()?;
        self.bytes -= frame.bytes.len();
        if frame.bulk {
            self.bulk.frames -= 1;
            self.bulk.bytes -= frame.bytes.len();
        }
        if self.ready.is_empty() && self.ready.capacity() > IDLE_CAPACITY {
            // An idle session keeps no memory of a busy hour.
            self.ready = VecDeque::new();
        }
        Some(frame)
    }

    /// Puts back what was taken last.
    pub fn unpop(&mut self, frame: Frame) {
        self.add(&frame);
        self.ready.push_front(frame);
    }

    /// Appends a frame of a large answer, for which there is room of its own: twice as many bytes, and no
    /// limit in number.
    ///
    /// # Errors
    /// [`Overflow`] when that is taken.
    pub fn push_bulk(&mut self, mut frame: Frame) -> Result<(), Overflow> {
        if self.bulk.bytes > self.limits.bytes.saturating_mul(2) {
            return Err(Overflow);
        }
        self.release();
        frame.bulk = true;
        self.add(&frame);
        self.ready.push_back(frame);
        Ok(())
    }

    fn add(&mut self, frame: &Frame) {
        self.bytes += frame.bytes.len();
        if frame.bulk {
            self.bulk.frames += 1;
            self.bulk.bytes += frame.bytes.len();
        }
    }

    /// Those that stay behind are ready up to the one with this id in the archive. Returns whether that one is
    /// among them.
    pub fn catch_up(&mut self, id: u64) -> bool {
        // They came in the order of their ids.
        let older = self.later.iter().take_while(|frame| frame.archived <= Some(id)).count();
        let mut reached = false;
        if older > 0 {
            self.release();
        }
        for frame in self.later.drain(..older) {
            reached = frame.archived == Some(id);
            self.later_bytes -= frame.bytes.len();
            self.ready.push_back(frame);
        }
        reached
    }

    /// Whether messages stay behind what [`Mailbox::push_bulk`] brings: from now on, or no longer. Those
    /// that did are ready then.
    pub fn set_behind(&mut self, behind: bool) {
        self.behind = behind;
        if !behind && !self.later.is_empty() {
            self.release();
            self.ready.append(&mut self.later);
            self.later = VecDeque::new();
            self.later_bytes = 0;
        }
    }

    /// Whether so much waits that it should be written before more is asked for.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        self.bytes - self.later_bytes > HEAVY
    }

    /// XEP-0352: the client became inactive, or active again. Returns whether there is now
    /// something to write.
    pub fn set_inactive(&mut self, inactive: bool) -> bool {
        self.inactive = inactive;
        if !inactive {
            self.release();
        }
        !self.ready.is_empty()
    }

    /// Whether the client said that it is inactive.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        self.inactive
    }

    /// Whether nothing waits to be written now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// The ids of the messages here that an archive keeps.
    pub fn archived(&self) -> impl Iterator<Item = u64> {
        let waiting = self.ready.iter().chain(&self.held).chain(&self.later);
        waiting.filter_map(|frame| frame.archived)
    }

    /// Whether messages stay behind what is to come before them.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// Whether some do.
    #[must_use]
    pub fn keeps_back(&self) -> bool {
        !self.later.is_empty()
    }

    /// Whether half of the limits are free: the mark up to which bulk senders (offline messages)
    /// may fill the mailbox.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.ready.len() + self.held.len() < self.limits.frames / 2
            && self.bytes - self.later_bytes < self.limits.bytes / 2
    }

    /// Moves what is held to what is ready and hands everything out, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = Frame> + use<> {
        self.set_behind(false);
        self.release();
        self.bytes = 0;
        self.bulk = Bulk::default();
        std::mem::take(&mut self.ready).into_iter()
    }

    fn hold(&mut self, frame: Frame) -> Result<bool, Overflow> {
        match frame.urgency {
            Urgency::Drop => return Ok(false),
            Urgency::Latest(_) => {
                if let Some(at) = self.held.iter().position(|old| old.urgency == frame.urgency)
                    && let Some(old) = self.held.remove(at)
                {
                    self.bytes -= old.bytes.len();
                }
            }
            Urgency::Hold | Urgency::Now => {}
        }
        self.admit(&frame)?;
        self.held.push_back(frame);
        // A phone that sleeps for a day must not lose its connection to a chatty roster: half of
        // the mailbox is enough waiting.
        if self.has_room() {
            return Ok(false);
        }
        self.release();
        Ok(true)
    }

    fn admit(&mut self, frame: &Frame) -> Result<(), Overflow> {
        let (own, bytes) = (self.bytes - self.bulk.bytes, frame.bytes.len());
        let frames = self.ready.len() + self.held.len() + self.later.len() - self.bulk.frames;
        // One frame larger than the whole limit is still a frame: it goes into an empty mailbox.
        if frames >= self.limits.frames || (own + bytes > self.limits.bytes && own > 0) {
            return Err(Overflow);
        }
        self.bytes += bytes;
        Ok(())
    }

    fn release(&mut self) {
        if !self.held.is_empty() {
            self.ready.append(&mut self.held);
            self.held = VecDeque::new();
        }
    }
}

/// Bytes that wait before a client's further requests are answered.
const HEAVY: usize = 256 * 1024;
/// Queue slots that an idle session may keep allocated.
const IDLE_CAPACITY: usize = 8;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(text: &'static str, urgency: Urgency) -> Frame {
        Frame::message(Bytes::from_static(text.as_bytes())).with_urgency(urgency)
    }

    fn texts(mailbox: &mut Mailbox) -> Vec<Bytes> {
        std::iter::from_fn(|| mailbox.pop()).map(|frame| frame.bytes).collect()
    }

    fn mailbox() -> Mailbox {
        Mailbox::new(MailboxLimits { frames: 8, bytes: 100 })
    }

    #[test]
    fn urgent_frames_take_held_ones_along_in_order() {
        let mut mailbox = mailbox();
        mailbox.set_inactive(true);
        assert_eq!(mailbox.push(frame("held", Urgency::Hold)), Ok(false));
        assert!(mailbox.is_empty());
        assert_eq!(mailbox.push(frame("now", Urgency::Now)), Ok(true));
        assert_eq!(texts(&mut mailbox), ["held", "now"]);
    }

    #[test]
    fn only_the_latest_presence_of_a_contact_is_held() {
        let mut mailbox = mailbox();
        mailbox.set_inactive(true);
        for text in ["one", "two", "three"] {
            mailbox.push(frame(text, Urgency::Latest(7))).unwrap();
        }
        mailbox.push(frame("other", Urgency::Latest(8))).unwrap();
        mailbox.push(frame("typing", Urgency::Drop)).unwrap();
        assert!(mailbox.set_inactive(false));
        assert_eq!(texts(&mut mailbox), ["three", "other"]);
    }

    #[test]
    fn a_full_mailbox_refuses_and_keeps_what_it_has() {
        let mut mailbox = mailbox();
        for _ in 0..8 {
            mailbox.push(frame("x", Urgency::Now)).unwrap();
        }
        assert_eq!(mailbox.push(frame("y", Urgency::Now)), Err(Overflow));
        assert_eq!(texts(&mut mailbox).len(), 8);
    }

    #[test]
    fn a_frame_above_the_byte_limit_fits_only_into_an_empty_mailbox() {
        let long: &'static str = Box::leak("z".repeat(200).into_boxed_str());
        let mut mailbox = mailbox();
        mailbox.push(frame(long, Urgency::Now)).unwrap();
        assert_eq!(mailbox.push(frame(long, Urgency::Now)), Err(Overflow));
    }

    #[test]
    fn held_frames_are_let_go_before_they_fill_the_mailbox() {
        let mut mailbox = mailbox();
        mailbox.set_inactive(true);
        let woken = (0..4).map(|_| mailbox.push(frame("p", Urgency::Hold)).unwrap());
        assert_eq!(woken.collect::<Vec<_>>(), [false, false, false, true]);
    }

    fn archived(text: &'static str, id: u64) -> Frame {
        Frame { archived: Some(id), ..frame(text, Urgency::Now) }
    }

    #[test]
    fn messages_of_the_archive_stay_behind_a_backlog_and_nothing_else_does() {
        let mut mailbox = Mailbox::new(MailboxLimits { frames: 4, bytes: 100 });
        mailbox.set_behind(true);
        for (text, id) in [("third", 3), ("fourth", 4)] {
            assert_eq!(mailbox.push(archived(text, id)), Ok(false));
        }
        assert!(mailbox.has_room(), "what stays behind holds up no backlog");
        mailbox.push_bulk(archived("first", 1)).unwrap();
        assert_eq!(mailbox.push(Frame::iq(Bytes::from_static(b"iq"))), Ok(true));
        assert_eq!(mailbox.push(frame("in a room", Urgency::Now)), Ok(true));
        assert_eq!(mailbox.push(archived("too much", 5)), Err(Overflow));
        assert_eq!(texts(&mut mailbox), ["first", "iq", "in a room"]);
        mailbox.push_bulk(archived("second", 2)).unwrap();
        mailbox.set_behind(false);
        assert_eq!(texts(&mut mailbox), ["second", "third", "fourth"]);
        assert!(mailbox.is_empty() && mailbox.has_room());
    }

    #[test]
    fn what_stays_behind_goes_when_it_is_its_turn() {
        let mut mailbox = mailbox();
        mailbox.set_behind(true);
        for (text, id) in [("2", 2), ("3", 3), ("5", 5)] {
            assert_eq!(mailbox.push(archived(text, id)), Ok(false));
        }
        assert!(!mailbox.catch_up(1) && mailbox.is_empty());
        assert!(mailbox.catch_up(2));
        assert!(!mailbox.catch_up(4));
        assert_eq!(texts(&mut mailbox), ["2", "3"]);
        assert!(mailbox.catch_up(5) && !mailbox.keeps_back());
        assert_eq!(texts(&mut mailbox), ["5"]);
        mailbox.set_behind(false);
        let long: &'static str = Box::leak("z".repeat(100).into_boxed_str());
        assert_eq!(mailbox.push(frame(long, Urgency::Now)), Ok(true), "all is free again");
    }

    #[test]
    fn a_large_answer_leaves_room_for_others() {
        let mut mailbox = Mailbox::new(MailboxLimits { frames: 2, bytes: 10 });
        for _ in 0..3 {
            mailbox.push_bulk(frame("a page", Urgency::Now)).unwrap();
        }
        assert_eq!(mailbox.push(frame("a word", Urgency::Now)), Ok(true));
        assert_eq!(mailbox.push(frame("more!", Urgency::Now)), Err(Overflow));
        for _ in 0..4 {
            let frame = mailbox.pop().unwrap();
            mailbox.unpop(frame);
            mailbox.pop().unwrap();
        }
        assert_eq!(mailbox.push(frame("0123456789", Urgency::Now)), Ok(true), "all is free again");
    }
}
