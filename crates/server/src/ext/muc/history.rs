//! The last messages of a room, for whoever comes in (XEP-0045 §7.2.13).

use std::collections::VecDeque;

use bytes::Bytes;
use xmpp::{
    ext::{delay::Delay, muc},
    jid::{BareJid, Jid},
    stanza::Stanza,
    time::Millis,
    xml::Limits,
};

/// One message as it was reflected, without recipient.
#[derive(Clone, Debug)]
struct Line {
    id: u64,
    at: Millis,
    bytes: Bytes,
}

/// The last messages, bounded in number and bytes.
#[derive(Debug, Default)]
pub struct History {
    lines: VecDeque<Line>,
    bytes: usize,
}

impl History {
    /// Adds a message.
    pub fn push(&mut self, id: u64, at: Millis, bytes: Bytes) {
        self.bytes += bytes.len();
        self.lines.push_back(Line { id, at, bytes });
        while self.lines.len() > MOST_LINES || self.bytes > MOST_BYTES {
            let Some(old) = self.lines.pop_front() else { break };
            self.bytes -= old.bytes.len();
        }
    }

    /// How many messages there are.
    #[cfg(any(test, feature = "model"))]
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// A message that newcomers would get.
    #[must_use]
    pub fn find(&self, id: u64) -> Option<&Bytes> {
        self.lines.iter().find(|line| line.id == id).map(|line| &line.bytes)
    }

    /// Forgets a message that was retracted.
    pub fn remove(&mut self, id: u64) {
        self.lines.retain(|line| line.id != id);
        self.bytes = self.lines.iter().map(|line| line.bytes.len()).sum();
    }

    /// What a newcomer gets: the newest messages that fit into what it asks for and what the room
    /// allows, oldest first, each with the time at which it was sent.
    #[must_use]
    pub fn choose(
        &self,
        (room, reader): (&BareJid, &Jid),
        most: u32,
        wish: muc::History,
        now: Millis,
    ) -> Vec<Bytes> {
        let seconds = wish.seconds.map(|s| Millis(now.0.saturating_sub(s.saturating_mul(1000))));
        let since = seconds.into_iter().chain(wish.since).max();
        let most = wish.max_stanzas.map_or(u64::from(most), |wanted| wanted.min(most.into()));
        let mut room_left = wish.max_chars.unwrap_or(u64::MAX);
        // §7.2.14: characters of complete stanzas, and their recipient is part of them.
        let addressed = reader.as_str().chars().count() + " to=''".len();
        let mut chosen = Vec::new();
        for line in self.lines.iter().rev() {
            if chosen.len() as u64 >= most || since.is_some_and(|since| line.at < since) {
                break;
            }
            let bytes = stamped(line, room);
            let characters = bytes.iter().filter(|byte| !is_continuation(**byte)).count();
            let length = (characters + addressed) as u64;
            let Some(rest) = room_left.checked_sub(length) else { break };
            room_left = rest;
            chosen.push(bytes);
        }
        chosen.reverse();
        chosen
    }
}

/// Whether a byte of UTF-8 continues a character.
fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

fn stamped(line: &Line, room: &BareJid) -> Bytes {
    stamp(&line.bytes, room, line.at)
}

/// A stanza of the past with the time at which it was sent (XEP-0203).
#[must_use]
pub fn stamp(bytes: &Bytes, room: &BareJid, at: Millis) -> Bytes {
    let mut delay = Vec::new();
    Delay::new(at).with_from(room.clone()).write(&mut delay);
    match Stanza::parse(bytes.clone(), &Limits::TRUSTED) {
        Ok(stanza) => xmpp::edit::Edit::new(&stanza).append(delay).finish(),
        Err(_) => {
            debug_assert!(false, "the room keeps what it wrote itself");
            bytes.clone()
        }
    }
}

/// What is kept in memory.
pub const MOST_LINES: usize = 50;
const MOST_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(count: u64) -> History {
        let mut history = History::default();
        for id in 1..=count {
            let text = format!("<message from='a@b.example/c' id='{id}'><body>x</body></message>");
            history.push(id, Millis(id * 1000), text.into());
        }
        history
    }

    fn ids(history: &History, most: u32, wish: muc::History) -> Vec<String> {
        let room = BareJid::new("a@b.example").unwrap();
        let reader = Jid::new("d@e.example/f").unwrap();
        let chosen = history.choose((&room, &reader), most, wish, Millis(10_000));
        let parse = |bytes: Bytes| Stanza::parse(bytes, &Limits::TRUSTED).unwrap();
        chosen.into_iter().map(|bytes| parse(bytes).id().unwrap().into_owned()).collect()
    }

    #[test]
    fn the_newest_that_fit_come_in_order() {
        let history = filled(10);
        let wish = muc::History::default;
        assert_eq!(ids(&history, 3, wish()), ["8", "9", "10"]);
        assert_eq!(ids(&history, 3, muc::History { max_stanzas: Some(1), ..wish() }), ["10"]);
        assert_eq!(
            ids(&history, 20, muc::History { seconds: Some(2), ..wish() }),
            ["8", "9", "10"]
        );
        assert_eq!(ids(&history, 20, muc::History { since: Some(Millis(9500)), ..wish() }), ["10"]);
        assert!(ids(&history, 20, muc::History { max_chars: Some(0), ..wish() }).is_empty());
        assert_eq!(ids(&history, 20, muc::History { max_chars: Some(200), ..wish() }), ["10"]);
        let huge = muc::History { seconds: Some(u64::MAX), ..wish() };
        assert_eq!(ids(&history, 20, huge).len(), 10);
    }

    #[test]
    fn memory_is_bounded_and_a_retracted_line_is_gone() {
        let mut history = filled(MOST_LINES as u64 + 10);
        assert_eq!(history.lines.len(), MOST_LINES);
        history.remove(60);
        assert_eq!(ids(&history, 1, muc::History::default()), ["59"]);
        for id in 100..110 {
            history.push(id, Millis(0), vec![b'x'; MOST_BYTES / 4].into());
        }
        assert!(history.bytes <= MOST_BYTES && history.lines.len() <= 4);
    }
}
