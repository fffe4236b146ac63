//! The lines of rooms that wait to be looked at. Rooms take turns, a few people at a time, so that a room
//! with thousands of members does not keep the others waiting.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::rooms::{Line, Person};

/// What waits, in bounded memory.
#[derive(Default)]
pub(super) struct Turns {
    waiting: Mutex<Waiting>,
    something: Notify,
}

#[derive(Default)]
struct Waiting {
    rooms: HashMap<Arc<str>, Room>,
    /// Whose turn is next. Each room that has something is in it once.
    order: VecDeque<Arc<str>>,
    /// The rooms by what they take up.
    sizes: BTreeSet<(usize, Arc<str>)>,
    bytes: usize,
}

#[derive(Default)]
struct Room {
    lines: VecDeque<Line>,
    bytes: usize,
}

impl Turns {
    /// A line waits from now on. While too much waits, the room that takes up most loses what came last.
    pub(super) fn put(&self, line: Line) {
        self.waiting.lock().put(line, MOST_BYTES);
        self.something.notify_one();
    }

    /// The next line, for some of its people.
    pub(super) async fn next(&self) -> Line {
        loop {
            if let Some(line) = self.take() {
                return line;
            }
            self.something.notified().await;
        }
    }

    /// Whether there is something nobody has begun to look at.
    #[cfg(test)]
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.lock().order.is_empty()
    }

    fn take(&self) -> Option<Line> {
        let mut waiting = self.waiting.lock();
        let line = waiting.take();
        if !waiting.order.is_empty() {
            // For whoever else looks after them.
            self.something.notify_one();
        }
        line
    }
}

impl Waiting {
    fn put(&mut self, line: Line, most: usize) {
        let name: Arc<str> = line.room.as_str().into();
        if !self.rooms.contains_key(&name) {
            self.order.push_back(name.clone());
        }
        let size = size(&line);
        self.change(&name, |room| {
            room.lines.push_back(line);
            room.bytes += size;
        });
        while self.bytes > most
            && let Some((_, greediest)) = self.sizes.last().cloned()
        {
            let has_more = self.change(&greediest, |room| {
                let dropped = room.lines.pop_back();
                room.bytes -= dropped.as_ref().map_or(0, self::size);
            });
            if !has_more {
                self.order.retain(|other| *other != greediest);
            }
        }
    }

    /// Some people of the line whose turn it is. Its room comes last from then on.
    fn take(&mut self) -> Option<Line> {
        let name = self.order.pop_front()?;
        let mut taken = None;
        let has_more = self.change(&name, |room| {
            let Some(line) = room.lines.front_mut() else { return };
            let people = line.people.split_off(line.people.len().saturating_sub(AT_A_TIME));
            room.bytes -= people.iter().map(size_of_person).sum::<usize>();
            taken = Some(Line { people, ..line.for_others() });
            if line.people.is_empty() {
                room.bytes -= size(line);
                room.lines.pop_front();
            }
        });
        if has_more {
            self.order.push_back(name);
        }
        taken
    }

    /// Changes what waits of a room, and keeps account of it. Returns whether something still waits.
    fn change(&mut self, name: &Arc<str>, change: impl FnOnce(&mut Room)) -> bool {
        let mut room = self.rooms.remove(name).unwrap_or_default();
        self.sizes.remove(&(room.bytes, name.clone()));
        self.bytes -= room.bytes;
        change(&mut room);
        self.bytes += room.bytes;
        if room.lines.is_empty() {
            return false;
        }
        self.sizes.insert((room.bytes, name.clone()));
        self.rooms.insert(name.clone(), room);
        true
    }
}

/// What a line takes up, about.
fn size(line: &Line) -> usize {
    let text = line.text.as_deref().map_or(0, str::len) + line.room.as_str().len();
    OVERHEAD + text + line.people.iter().map(size_of_person).sum::<usize>()
}

fn size_of_person(person: &Person) -> usize {
    let (nick, resource) = (person.nick.as_deref(), person.resource.as_deref());
    let text = person.name.len() + nick.map_or(0, str::len) + resource.map_or(0, str::len);
    size_of::<Person>() + text
}

/// People that are looked at before it is another room's turn.
const AT_A_TIME: usize = 16;
/// Bytes of lines that wait.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of a line without its people and its text.
const OVERHEAD: usize = 512;

#[cfg(test)]
mod tests {
    use xmpp::jid::BareJid;

    use super::*;

    fn line(room: &str, people: usize) -> Line {
        let person =
            |number| Person { name: format!("p{number}").into(), nick: None, resource: None };
        Line {
            room: BareJid::new(&format!("{room}@conference.a.example")).unwrap(),
            private: true,
            text: Some("hello".into()),
            people: (0..people).map(person).collect(),
        }
    }

    fn room(line: &Line) -> &str {
        line.room.as_str().split('@').next().unwrap_or_default()
    }

    fn rest(mut waiting: Waiting) -> Vec<(String, usize)> {
        let mut all = Vec::new();
        while let Some(line) = waiting.take() {
            all.push((room(&line).to_owned(), line.people.len()));
        }
        assert_eq!((waiting.bytes, waiting.sizes.len(), waiting.rooms.len()), (0, 0, 0));
        all
    }

    #[test]
    fn rooms_take_turns_and_everybody_is_looked_at_once() {
        let mut waiting = Waiting::default();
        for line in [line("busy", 40), line("busy", 10), line("quiet", 1), line("other", 20)] {
            waiting.put(line, MOST_BYTES);
        }
        let expected = [
            ("busy", 16),
            ("quiet", 1),
            ("other", 16),
            ("busy", 16),
            ("other", 4),
            ("busy", 8),
            ("busy", 10),
        ];
        assert_eq!(rest(waiting), expected.map(|(room, people)| (room.to_owned(), people)));
    }

    #[test]
    fn the_room_that_takes_up_most_loses_what_came_last() {
        let mut waiting = Waiting::default();
        let most = 5 * size(&line("busy", 10));
        waiting.put(line("quiet", 1), most);
        for _ in 0..10 {
            waiting.put(line("busy", 10), most);
        }
        waiting.put(line("other", 2), most);
        assert!(waiting.bytes <= most);
        let left = rest(waiting);
        let of = |name: &str| left.iter().filter(|(room, _)| room == name).count();
        assert_eq!((of("quiet"), of("busy"), of("other")), (1, 3, 1));
    }
}
