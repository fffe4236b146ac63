//! A room, and people who believe what it tells them.
//!
//! [`play`] lets seven sessions of five people do to a [`Room`] whatever a [`Tape`] says. After each step
//! three pictures must agree: what the room knows, what each session was told of it, and what is stored
//! ([`check`]). [`acts`] are the things that people do.

mod acts;
mod check;

use std::collections::{BTreeMap, VecDeque};

use store::rooms::Affiliation as Row;
use xmpp::{
    ext::muc::{Affiliation, Role},
    jid::{BareJid, Jid},
    ns,
    stanza::Stanza,
    time::Millis,
    xml::{Element, Limits},
};

use super::{
    Input,
    kept::Kept,
    room::{Bounds, Effects, Room},
    settings::Settings,
};
use crate::{config::Config, model::Tape};

/// Lets people do what the tape says until it is over.
///
/// # Panics
/// When the room breaks one of its rules.
pub fn play(input: &[u8]) {
    let mut tape = Tape::new(input);
    let mut world = World::new(&mut tape);
    for _ in 0..MOST_STEPS {
        if tape.is_over() {
            break;
        }
        world.step(&mut tape);
    }
}

/// Submits a form to everything in a room that takes one.
///
/// # Panics
/// When the room breaks one of its rules.
pub fn submit(form: &Element) {
    let mut world = World::new(&mut Tape::new(&[0]));
    let join = "<presence><x xmlns='http://jabber.org/protocol/muc'/></presence>";
    let form = String::from_utf8_lossy(&form.to_bytes(ns::CLIENT)).into_owned();
    for who in [0, 2] {
        world.give(who, Some(["x", "", "y"][who]), join);
        for payload in [
            format!("<query xmlns='{}'>{form}</query>", ns::MUC_OWNER),
            format!("<query xmlns='{}'>{form}</query>", ns::REGISTER),
            format!(
                "<command xmlns='{}' node='urn:xmpp:hats:commands:create'>{form}</command>",
                ns::COMMANDS
            ),
            format!(
                "<command xmlns='{}' node='urn:xmpp:hats:commands:assign'>{form}</command>",
                ns::COMMANDS
            ),
        ] {
            world.give(who, None, &format!("<iq type='set' id='f'>{payload}</iq>"));
        }
        world.give(who, None, &format!("<message id='f'>{form}</message>"));
    }
}

/// The room and everybody around it.
struct World {
    room: Room,
    config: Config,
    now: Millis,
    sessions: Vec<Session>,
    stored: Stored,
    /// Requests between occupants that were passed on and wait for an answer.
    questions: VecDeque<Question>,
    /// Private messages and invitations, by what they were called, and who sent them.
    sendings: Vec<(String, Jid)>,
    /// The token that was given out last, whether it serves or not.
    token: Option<String>,
    /// Number of the last archived message.
    archived: u64,
    /// Numbers the stanzas.
    count: u64,
    /// Somebody has come in since the room was made.
    entered: bool,
}

/// One client, as it sees the room.
struct Session {
    jid: Jid,
    /// Its nickname, while it believes to be in the room.
    nick: Option<String>,
    /// Who is there, as it was told.
    seen: BTreeMap<String, Told>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    role: Role,
    affiliation: Affiliation,
}

/// What would be there after a restart.
struct Stored {
    kept: serde_json::Value,
    rows: BTreeMap<Box<str>, Row>,
}

struct Question {
    asker: usize,
    id: String,
    asked: usize,
    passed: String,
}

/// Who could see whose address before a step.
struct Before {
    non_anonymous: bool,
    keepers: Vec<bool>,
}

impl World {
    fn new(tape: &mut Tape<'_>) -> Self {
        let shown = tape.byte();
        let settings = match shown & 1 {
            0 => Settings::channel(),
            _ => Settings::default(),
        };
        let config = Config::for_domain("a.example").expect("a domain");
        let session = |text: &&str| Session {
            jid: Jid::new(text).expect("an address"),
            nick: None,
            seen: BTreeMap::new(),
        };
        let mut world = World {
            room: room(settings),
            config,
            now: Millis(1_000_000_000),
            sessions: SESSIONS.iter().map(session).collect(),
            stored: Stored { kept: serde_json::Value::Null, rows: BTreeMap::new() },
            questions: VecDeque::new(),
            sendings: Vec::new(),
            token: None,
            archived: 0,
            count: 0,
            entered: false,
        };
        world.found();
        world
    }

    /// The room is made as the service makes it.
    fn found(&mut self) {
        let owner = self.sessions[0].jid.to_bare();
        self.stored.rows.clear();
        let changes = self.room.found(&owner);
        self.stored.apply(&self.room, true, changes);
        self.archived = 0;
        self.entered = false;
        self.questions.clear();
    }

    /// It was destroyed: the next one gets the same address.
    fn found_again(&mut self) {
        self.room = room(Settings { members_only: false, ..Settings::default() });
        self.found();
    }

    /// Gives the room a stanza of one session, and holds what it does to the rules.
    fn give(&mut self, who: usize, nick: Option<&str>, xml: &str) -> Effects {
        let Ok(stanza) = Stanza::parse(xml.to_owned().into(), &Limits::CLIENT) else {
            return Vec::new();
        };
        self.give_stanza(who, nick, &stanza)
    }

    fn give_stanza(&mut self, who: usize, nick: Option<&str>, stanza: &Stanza) -> Effects {
        // What is not an address does not come in.
        let nick = match nick.map(xmpp::jid::resource_part) {
            None => None,
            Some(Ok(nick)) => Some(nick.as_str().to_owned()),
            Some(Err(_)) => return Vec::new(),
        };
        let before = self.before();
        let from = self.sessions[who].jid.clone();
        let mut out = Vec::new();
        let input = Input { from: &from, nick: nick.as_deref(), stanza, config: &self.config };
        self.room.handle(self.now, &input, &mut out);
        self.answered(who, nick.as_deref(), stanza, &out);
        self.settle(&before, &out);
        out
    }

    fn before(&self) -> Before {
        Before {
            non_anonymous: self.room.settings.non_anonymous,
            keepers: self.sessions.iter().map(|session| self.keeps_order(session)).collect(),
        }
    }

    /// Who may see the addresses of others wherever that is.
    fn keeps_order(&self, session: &Session) -> bool {
        self.room.role(&session.jid) == Role::Moderator
            || self.room.affiliation(&session.jid) >= Affiliation::Admin
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

impl Stored {
    fn apply(&mut self, room: &Room, state: bool, changes: Vec<super::affiliations::Change>) {
        // As the service does it.
        if state || !changes.is_empty() {
            self.kept = serde_json::to_value(room.kept()).expect("it can be written");
        }
        for (jid, row) in changes {
            match row {
                Some(row) => drop(self.rows.insert(jid, row)),
                None => drop(self.rows.remove(&jid)),
            }
        }
    }

    /// The room as it is read after a restart.
    fn load(&self) -> Room {
        let kept: Kept = serde_json::from_value(self.kept.clone()).expect("it can be read");
        Room::load(address(), kept, self.rows.values().cloned().collect(), BOUNDS, [7; 32])
    }
}

fn room(settings: Settings) -> Room {
    Room::new(address(), settings, BOUNDS, [7; 32])
}

fn address() -> BareJid {
    BareJid::new(ROOM).expect("an address")
}

const ROOM: &str = "room@rooms.a.example";
const BOUNDS: Bounds = Bounds { occupants: 5, answer_bytes: 4000, messages_per_second: 3 };
/// Two people with two devices each, and three with one.
const SESSIONS: [&str; 7] = [
    "a@a.example/1",
    "a@a.example/2",
    "b@a.example/1",
    "b@a.example/2",
    "c@b.example/1",
    "d@b.example/1",
    "e@c.example/1",
];
const MOST_STEPS: usize = 400;

#[cfg(test)]
mod tests {
    use crate::model;

    #[test]
    fn rooms_keep_their_promises_whatever_people_do() {
        for seed in 0..150 {
            super::play(&model::bytes(seed, 600));
        }
    }
}
