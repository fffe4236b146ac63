//! What the occupants of a room have seen and heard.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::Notify;

use crate::connection::{Incoming, complaint, excerpt};
use crate::histogram::Histogram;
use crate::payload::{Stamp, clock, is_intact};
use crate::scan;
use crate::sequence::{Sequence, Verdict};

/// All occupants together.
pub(super) struct Audience {
    room: String,
    occupants: Vec<Occupant>,
    flows: Vec<Flow>,
    /// Pairs of occupants of which the first knows of the second.
    known: AtomicU64,
    stopped: AtomicBool,
    delays: Mutex<Histogram>,
}

/// What a sender has written, and what became of it.
#[derive(Default)]
pub(super) struct Flow {
    /// Messages written.
    pub sent: AtomicU64,
    /// Copies of them that have arrived, of all occupants.
    pub copies: AtomicU64,
    /// A message has arrived everywhere, or the run is over.
    pub wake: Notify,
}

#[derive(Default)]
struct Occupant {
    /// Its own presence came, which the room sends last.
    inside: Notify,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// For each occupant, how often its presence came.
    presences: Vec<u32>,
    /// For each flow, what came of it.
    heard: Vec<Sequence>,
}

/// The nickname of an occupant.
pub(super) fn nick(number: usize) -> String {
    format!("n{number}")
}

impl Audience {
    pub(super) fn new(room: &str, occupants: usize, flows: usize) -> Self {
        let occupant = || {
            let log = Log {
                presences: vec![0; occupants],
                heard: (0..flows).map(|_| Sequence::default()).collect(),
            };
            Occupant { inside: Notify::new(), log: Mutex::new(log) }
        };
        Self {
            room: room.to_owned(),
            occupants: (0..occupants).map(|_| occupant()).collect(),
            flows: (0..flows).map(|_| Flow::default()).collect(),
            known: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            delays: Mutex::default(),
        }
    }

    pub(super) fn room(&self) -> &str {
        &self.room
    }

    pub(super) fn flows(&self) -> &[Flow] {
        &self.flows
    }

    pub(super) fn size(&self) -> u64 {
        self.occupants.len() as u64
    }

    /// Copies that were sent and have not arrived.
    pub(super) fn under_way(&self, flow: &Flow) -> u64 {
        (flow.sent.load(Relaxed) * self.size()).saturating_sub(flow.copies.load(Relaxed))
    }

    /// No sender writes any more.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Relaxed);
        self.flows.iter().for_each(|flow| flow.wake.notify_one());
    }

    pub(super) fn has_stopped(&self) -> bool {
        self.stopped.load(Relaxed)
    }

    /// Whether everybody knows of everybody.
    pub(super) fn is_complete(&self) -> bool {
        self.known.load(Relaxed) == self.size() * self.size()
    }

    /// Waits until an occupant has come in.
    pub(super) async fn is_inside(&self, number: usize) -> Result<()> {
        self.occupant(number)?.inside.notified().await;
        Ok(())
    }

    /// Reads what one occupant gets, for ever.
    pub(super) async fn listen(&self, number: usize, mut reader: Incoming) -> Result<()> {
        loop {
            let stanza = reader.stanza().await?;
            if scan::is_element(stanza, "message") {
                self.heard(number, stanza)?;
            } else if scan::is_element(stanza, "presence") {
                self.seen(number, stanza)?;
            }
        }
    }

    /// Notes that occupant `number` got the presence of occupant `other`.
    pub(super) fn entered(&self, number: usize, other: usize) -> Result<()> {
        let mut log = self.log(number)?;
        let count = log.presences.get_mut(other).context("a stranger is in the room")?;
        *count += 1;
        if *count == 1 {
            self.known.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    fn seen(&self, number: usize, stanza: &[u8]) -> Result<()> {
        let from = scan::attribute(stanza, "from").unwrap_or_default();
        let Some(nick) = from.strip_prefix(self.room.as_bytes()) else {
            // Somebody's own presence outside of the room.
            return Ok(());
        };
        if nick.is_empty() {
            // The room's own, with its capabilities.
            return Ok(());
        }
        if matches!(scan::attribute(stanza, "type"), Some(b"error" | b"unavailable")) {
            bail!("nobody is to leave the room: {}", excerpt(stanza));
        }
        let other = nick.strip_prefix(b"/n").and_then(|digits| std::str::from_utf8(digits).ok());
        let other = other.and_then(|digits| digits.parse().ok());
        let other = other.with_context(|| format!("who is this? {}", excerpt(stanza)))?;
        self.entered(number, other)?;
        if other == number {
            self.occupant(number)?.inside.notify_one();
        }
        Ok(())
    }

    fn heard(&self, number: usize, stanza: &[u8]) -> Result<()> {
        if scan::attribute(stanza, "type") == Some(b"error") {
            bail!("a message came back: {}", complaint(stanza));
        }
        // What the room itself says, such as its subject, has none.
        let Some(stamp) = Stamp::find(stanza) else { return Ok(()) };
        let flow = self.flows.get(stamp.flow as usize).context("an unexpected message")?;
        let mut log = self.log(number)?;
        let sequence = log.heard.get_mut(stamp.flow as usize).context("an unexpected message")?;
        let before = sequence.delivered();
        sequence.arrived(stamp.number);
        if !is_intact(stanza) {
            sequence.damaged();
        }
        if sequence.delivered() > before {
            let copies = flow.copies.fetch_add(1, Relaxed) + 1;
            if copies.is_multiple_of(self.size()) {
                flow.wake.notify_one();
            }
        }
        drop(log);
        let delay = clock().saturating_sub(stamp.sent);
        self.delays.lock().map_err(poisoned)?.record(delay);
        Ok(())
    }

    /// How long copies took.
    pub(super) fn delays(&self) -> Result<Histogram> {
        Ok(self.delays.lock().map_err(poisoned)?.clone())
    }

    /// What became of the messages, a copy being one.
    pub(super) fn messages(&self) -> Result<Verdict> {
        let mut verdict = Verdict::default();
        for number in 0..self.occupants.len() {
            let log = self.log(number)?;
            for (flow, sequence) in self.flows.iter().zip(&log.heard) {
                verdict += sequence.verdict(flow.sent.load(Relaxed));
            }
        }
        Ok(verdict)
    }

    /// What became of the presences with which everybody came in.
    pub(super) fn presences(&self) -> Result<Verdict> {
        let mut verdict = Verdict { sent: self.size() * self.size(), ..Verdict::default() };
        for number in 0..self.occupants.len() {
            for &count in &self.log(number)?.presences {
                verdict.delivered += u64::from(count.min(1));
                verdict.doubled += u64::from(count.saturating_sub(1));
            }
        }
        verdict.lost = verdict.sent - verdict.delivered;
        Ok(verdict)
    }

    fn occupant(&self, number: usize) -> Result<&Occupant> {
        self.occupants.get(number).context("no such occupant")
    }

    fn log(&self, number: usize) -> Result<MutexGuard<'_, Log>> {
        self.occupant(number)?.log.lock().map_err(poisoned)
    }
}

fn poisoned<T>(_: T) -> anyhow::Error {
    anyhow!("an occupant panicked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Template;

    fn presence(of: usize) -> Vec<u8> {
        format!("<presence from='r@c/{}'/>", nick(of)).into_bytes()
    }

    #[test]
    fn everybody_must_know_of_everybody_once() {
        let audience = Audience::new("r@c", 2, 1);
        for (who, of) in [(0, 0), (0, 1), (1, 1)] {
            audience.seen(who, &presence(of)).unwrap();
        }
        assert!(!audience.is_complete());
        assert_eq!(audience.presences().unwrap().lost, 1);
        audience.seen(1, &presence(0)).unwrap();
        assert!(audience.is_complete());
        audience.seen(1, &presence(0)).unwrap();
        let verdict = audience.presences().unwrap();
        assert_eq!((verdict.lost, verdict.doubled), (0, 1));
        assert!(audience.seen(1, &presence(2)).is_err());
        assert!(audience.seen(1, b"<presence from='r@c/n0' type='unavailable'/>").is_err());
        audience.seen(1, b"<presence from='u1@localhost/load'/>").unwrap();
        audience.seen(1, b"<presence from='r@c'/>").unwrap();
    }

    #[test]
    fn copies_are_counted_for_each_occupant() {
        let audience = Audience::new("r@c", 2, 1);
        let mut template = Template::to_room("r@c", 0);
        audience.flows[0].sent.store(2, Relaxed);
        for (who, number) in [(0, 0), (1, 0), (0, 1), (0, 1)] {
            audience.heard(who, template.stamped(number)).unwrap();
        }
        assert_eq!(audience.under_way(&audience.flows[0]), 1);
        let verdict = audience.messages().unwrap();
        assert_eq!((verdict.sent, verdict.lost, verdict.doubled), (4, 1, 1));
        assert!(audience.heard(0, b"<message type='error' from='r@c'/>").is_err());
        audience.heard(0, b"<message from='r@c'><subject/></message>").unwrap();
    }
}
