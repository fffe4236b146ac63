//! What people do to a room.

use std::fmt::Write as _;

use bytes::Bytes;
use xmpp::{
    ext::muc::Role,
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::Limits,
};

use super::{
    super::room::{Effect, Room},
    Question, ROOM, SESSIONS, World,
};
use crate::model::Tape;

impl World {
    pub(super) fn step(&mut self, tape: &mut Tape<'_>) {
        let act = tape.below(30);
        let who = tape.below(SESSIONS.len());
        self.now = self.now.plus(100);
        match act {
            0..=4 => self.join(who, tape),
            5 => drop(self.leave(who)),
            6 => {
                let show = tape.one_of(&["away", "dnd", "xa"]);
                let xml = format!("<presence><show>{show}</show></presence>");
                let nick = self.nick_of(who);
                drop(self.give(who, nick.as_deref(), &xml));
            }
            7 => drop(self.give(who, Some(tape.one_of(NICKS)), "<presence/>")),
            8 | 9 => self.say(who, tape),
            10 => {
                let id = self.next();
                let xml = format!(
                    "<message type='groupchat' id='s{id}'><subject>{id}</subject></message>"
                );
                drop(self.give(who, None, &xml));
            }
            11 => {
                let id = self.next();
                let xml = format!("<message type='chat' id='p{id}'><body>x</body></message>");
                drop(self.give(who, Some(tape.one_of(NICKS)), &xml));
                self.sendings.push((format!("p{id}"), self.sessions[who].jid.clone()));
            }
            12..=14 => self.administer(who, tape),
            15 | 16 => self.configure(who, tape),
            17 => self.own(who, tape),
            18 => self.register(who, tape),
            19 => match tape.chance(2) {
                true => self.invite(who, tape),
                false => self.tokens(who, tape),
            },
            20 => match tape.chance(2) {
                true => self.voice(who, tape),
                false => self.decide_registration(who, tape),
            },
            21 => self.ask_occupant(who, tape),
            22 => self.answer_occupant(tape),
            23 => self.look(who, tape),
            24 => self.hats(who, tape),
            25 => self.bounce(who, tape),
            26 => self.moderate(who, tape),
            27 => self.restart(),
            28 => self.forget(who, tape),
            _ => self.anything(who, tape),
        }
    }

    /// The nickname that a session has, as it knows it.
    fn nick_of(&self, who: usize) -> Option<String> {
        self.sessions[who].nick.clone().or(Some("x".into()))
    }

    fn leave(&mut self, who: usize) -> Vec<Effect> {
        let nick = self.nick_of(who);
        self.give(who, nick.as_deref(), "<presence type='unavailable'/>")
    }

    fn join(&mut self, who: usize, tape: &mut Tape<'_>) {
        let nick = tape.one_of(NICKS);
        let inside = match tape.below(6) {
            0 => "<password>secret</password>",
            1 => "<history maxstanzas='0'/>",
            2 => "<history seconds='60' maxchars='1000'/>",
            3 => "<mav xmlns='urn:xmpp:muc:affiliations:1'/>",
            4 => "<mav xmlns='urn:xmpp:muc:affiliations:1' since='1'/>",
            _ => match self.token.clone() {
                Some(token) => &format!("<password>{token}</password>"),
                None => "<password>wrong</password>",
            },
        };
        let xml = format!("<presence><x xmlns='{}'>{inside}</x></presence>", ns::MUC);
        self.give(who, Some(nick), &xml);
    }

    fn say(&mut self, who: usize, tape: &mut Tape<'_>) {
        let id = self.next();
        // Now and then the same again, as after a lost connection.
        let origin = tape.below(200);
        let extra = match tape.below(8) {
            0 => "<no-store xmlns='urn:xmpp:hints'/>",
            1 => "<stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.a.example' id='1'/>",
            2 => "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>",
            3 => "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>",
            4 => "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x>",
            _ => "",
        };
        let xml = format!(
            "<message type='groupchat' id='g{id}'><body>x</body>{extra}\
             <origin-id xmlns='urn:xmpp:sid:0' id='o{origin}'/></message>"
        );
        self.give(who, None, &xml);
        self.now = self.now.plus(200 * tape.below(4) as u64);
    }

    /// Roles and affiliations, up to three at once.
    fn administer(&mut self, who: usize, tape: &mut Tape<'_>) {
        let mut items = String::new();
        for _ in 0..=tape.below(3) {
            let whom = match tape.below(4) {
                0 => format!("jid='{}'", tape.one_of(PEOPLE)),
                3 => format!("jid='{}' nick='{}'", tape.one_of(PEOPLE), tape.one_of(NICKS)),
                1 => format!("nick='{}'", tape.one_of(NICKS)),
                _ => format!("jid='{}'", SESSIONS[tape.below(SESSIONS.len())]),
            };
            let what = match tape.below(2) {
                0 => format!("role='{}'", tape.one_of(ROLES)),
                _ => format!("affiliation='{}'", tape.one_of(AFFILIATIONS)),
            };
            let _ = write!(items, "<item {whom} {what}/>");
        }
        self.ask(who, "set", &format!("<query xmlns='{}'>{items}</query>", ns::MUC_ADMIN));
    }

    /// A form with some of the fields.
    fn configure(&mut self, who: usize, tape: &mut Tape<'_>) {
        let mut fields = String::new();
        for _ in 0..=tape.below(4) {
            let (var, values) = FIELDS[tape.below(FIELDS.len())];
            let _ = write!(fields, "<field var='{var}'>");
            let _ = write!(fields, "<value>{}</value>", tape.one_of(values));
            if var == BROADCAST {
                let _ = write!(fields, "<value>{}</value>", tape.one_of(values));
            }
            fields.push_str("</field>");
        }
        for var in ["muc#roomconfig_roomowners", "muc#roomconfig_roomadmins"] {
            if tape.chance(8) {
                let _ = write!(fields, "<field var='{var}'>");
                let chosen = tape.byte();
                let people = PEOPLE.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
                for (_, jid) in people {
                    let _ = write!(fields, "<value>{jid}</value>");
                }
                fields.push_str("</field>");
            }
        }
        let kind = if tape.chance(16) { "cancel" } else { "submit" };
        let payload = format!(
            "<query xmlns='{}'><x xmlns='jabber:x:data' type='{kind}'>{fields}</x></query>",
            ns::MUC_OWNER
        );
        self.ask(who, "set", &payload);
    }

    fn own(&mut self, who: usize, tape: &mut Tape<'_>) {
        let (kind, payload) = match tape.below(6) {
            0 => ("set", "<destroy jid='other@rooms.a.example'><reason>x</reason></destroy>"),
            1 => ("set", ""),
            _ => ("get", ""),
        };
        self.ask(who, kind, &format!("<query xmlns='{}'>{payload}</query>", ns::MUC_OWNER));
    }

    fn register(&mut self, who: usize, tape: &mut Tape<'_>) {
        let nick = tape.one_of(NICKS);
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'><field var='muc#register_roomnick'>\
             <value>{nick}</value></field></x>"
        );
        let (kind, payload) = match tape.below(4) {
            0 => ("get", String::new()),
            1 => ("set", "<remove/>".to_owned()),
            _ => ("set", form),
        };
        let registers = payload.starts_with("<x");
        let out =
            self.ask(who, kind, &format!("<query xmlns='{}'>{payload}</query>", ns::REGISTER));
        let accepted = out.iter().any(|effect| {
            let stanza = effect.stanza();
            stanza.is_some_and(|(_, kind, bytes)| kind == Kind::Iq && is_result(bytes))
        });
        if registers && accepted {
            let bare = self.sessions[who].jid.to_bare();
            let entry = self.room.affiliations.entry(&bare);
            let reserved = entry.and_then(|entry| entry.nick.as_deref());
            let asked = self.room.requests.of(&bare).map(|request| request.nick.as_str());
            let promised = reserved.or(asked);
            assert_eq!(promised, Some(nick), "{bare} was told that the nickname is theirs");
        }
    }

    fn invite(&mut self, who: usize, tape: &mut Tape<'_>) {
        let whom = tape.one_of(PEOPLE);
        let inside = match tape.below(3) {
            0 => format!("<decline to='{whom}'/>"),
            _ => format!("<invite to='{whom}'><reason>x</reason></invite>"),
        };
        let id = format!("i{}", self.next());
        let x = format!("<x xmlns='{}'>{inside}</x>", ns::MUC_USER);
        self.give(who, None, &format!("<message id='{id}'>{x}</message>"));
        self.sendings.push((id, self.sessions[who].jid.clone()));
    }

    /// Somebody asks for a link, or takes one back.
    fn tokens(&mut self, who: usize, tape: &mut Tape<'_>) {
        let tag = |name: &str, rest: &str| format!("<{name} xmlns='{}'{rest}", ns::MUC_TOKENS);
        let known = self.token.clone().unwrap_or_default();
        let (kind, payload) = match tape.below(6) {
            0 => ("get", tag("tokens", "/>")),
            1 => ("set", tag("revoke", &format!(">{known}</revoke>"))),
            2 => ("set", tag("request", " counter='1'/>")),
            3 => ("set", tag("request", " delay='1' counter='x'/>")),
            _ => ("set", tag("request", " delay='5' counter='2'/>")),
        };
        let out = self.ask(who, kind, &payload);
        for (_, _, bytes) in out.iter().filter_map(Effect::stanza) {
            let stanza = Stanza::parse(bytes, &Limits::TRUSTED).expect("a stanza");
            if let Some(token) = stanza.child("token", ns::MUC_TOKENS) {
                self.token = Some(token.text().into_owned());
            }
        }
    }

    /// Somebody answers a request, or what may be one.
    fn decide_registration(&mut self, who: usize, tape: &mut Tape<'_>) {
        let nick = tape.one_of(NICKS);
        let whom = match tape.chance(2) {
            true => format!(
                "<field var='x-register_jid'><value>{}</value></field>",
                tape.one_of(PEOPLE)
            ),
            false => String::new(),
        };
        let allow = tape.one_of(&["1", "1", "0", "perhaps"]);
        let xml = format!(
            "<message id='d'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>{}</value></field><field var='muc#register_roomnick'><value>{nick}</value></field>\
             {whom}<field var='muc#register_allow'><value>{allow}</value></field></x></message>",
            ns::MUC_REGISTER
        );
        self.give(who, None, &xml);
    }

    fn voice(&mut self, who: usize, tape: &mut Tape<'_>) {
        let nick = tape.one_of(NICKS);
        let allow = match tape.below(3) {
            0 => "",
            1 => "<field var='muc#request_allow'><value>true</value></field>",
            _ => "<field var='muc#request_allow'><value>0</value></field>",
        };
        let xml = format!(
            "<message id='v'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>{}</value></field><field var='muc#roomnick'><value>{nick}</value></field>{allow}\
             </x></message>",
            ns::MUC_REQUEST
        );
        self.give(who, None, &xml);
    }

    /// A request to an occupant: itself, or somebody else.
    fn ask_occupant(&mut self, who: usize, tape: &mut Tape<'_>) {
        let id = format!("q{}", self.next());
        let nick = match tape.chance(2) {
            true => self.nick_of(who).unwrap_or_default(),
            false => tape.one_of(NICKS).to_owned(),
        };
        let payload = match tape.below(2) {
            0 => "<ping xmlns='urn:xmpp:ping'/>",
            _ => "<query xmlns='jabber:iq:version'/>",
        };
        let xml = format!("<iq type='get' id='{id}'>{payload}</iq>");
        let inside = self.room.contains(&self.sessions[who].jid);
        let out = self.give(who, Some(&nick), &xml);
        let passed = out.iter().filter_map(Effect::stanza).find_map(|(to, _, bytes)| {
            let stanza = Stanza::parse(bytes, &Limits::TRUSTED).ok()?;
            let asks = matches!(stanza.type_().as_deref(), Some("get" | "set"));
            let id = stanza.id()?.into_owned();
            asks.then(|| (to.clone(), id))
        });
        let Some((to, passed)) = passed else { return };
        assert!(inside, "a stranger's request was passed on");
        let asked = self.index_of(&to).expect("one of the sessions");
        self.questions.push_back(Question { asker: who, id, asked, passed });
    }

    /// Who was asked answers; only who was asked may.
    fn answer_occupant(&mut self, tape: &mut Tape<'_>) {
        let Some(question) = self.questions.pop_front() else { return };
        let Some(nick) = self.sessions[question.asker].nick.clone() else { return };
        let right = !tape.chance(3);
        let by = if right { question.asked } else { (question.asked + 2) % SESSIONS.len() };
        let xml = format!("<iq type='result' id='{}'/>", question.passed);
        let inside = self.room.contains(&self.sessions[by].jid);
        let out = self.give(by, Some(&nick), &xml);
        let got: Vec<String> = sent_to(&out, &self.sessions[question.asker].jid)
            .filter_map(|stanza| stanza.id().map(|id| id.into_owned()))
            .collect();
        match right && inside {
            true => assert!(got.is_empty() || got == [question.id], "{got:?}"),
            false => assert!(got.is_empty(), "an answer of somebody who was not asked"),
        }
    }

    /// Requests that change nothing.
    fn look(&mut self, who: usize, tape: &mut Tape<'_>) {
        let payload = match tape.below(9) {
            0 => format!("<query xmlns='{}'/>", ns::DISCO_INFO),
            1 => format!("<query xmlns='{}' node='x-roomuser-item'/>", ns::DISCO_INFO),
            2 => format!("<query xmlns='{}'/>", ns::DISCO_ITEMS),
            3 => "<ping xmlns='urn:xmpp:ping'/>".to_owned(),
            4 => format!("<vCard xmlns='{}'/>", ns::VCARD),
            5 => format!("<query xmlns='{}' node='{}'/>", ns::DISCO_ITEMS, ns::COMMANDS),
            6 => "<query xmlns='jabber:iq:version'/>".to_owned(),
            7 => {
                let role = tape.one_of(ROLES);
                format!("<query xmlns='{}'><item role='{role}'/></query>", ns::MUC_ADMIN)
            }
            _ => {
                let affiliation = tape.one_of(AFFILIATIONS);
                let item = format!("<item affiliation='{affiliation}'/>");
                format!("<query xmlns='{}'>{item}</query>", ns::MUC_ADMIN)
            }
        };
        let kept = serde_json::to_value(self.room.kept()).expect("it can be written");
        self.ask(who, "get", &payload);
        let after = serde_json::to_value(self.room.kept()).expect("it can be written");
        assert_eq!(kept, after, "looking changed something");
    }

    fn hats(&mut self, who: usize, tape: &mut Tape<'_>) {
        if tape.chance(4) {
            let vcard = "<PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO>";
            let inside = if tape.chance(3) { "" } else { vcard };
            self.ask(who, "set", &format!("<vCard xmlns='{}'>{inside}</vCard>", ns::VCARD));
            return;
        }
        let name =
            tape.one_of(&["create", "destroy", "list", "assign", "unassign", "list-assigned"]);
        let (uri, jid) = (tape.one_of(&["u:1", "u:2", ""]), tape.one_of(PEOPLE));
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'>\
             <field var='hats#uri'><value>{uri}</value></field>\
             <field var='hats#title'><value>x</value></field>\
             <field var='hats#jid'><value>{jid}</value></field></x>"
        );
        let form = if tape.chance(4) { "" } else { &form };
        let command = format!(
            "<command xmlns='{}' node='urn:xmpp:hats:commands:{name}'>{form}</command>",
            ns::COMMANDS
        );
        self.ask(who, "set", &command);
    }

    /// Something could not be delivered. Whoever is told had sent it.
    fn bounce(&mut self, who: usize, tape: &mut Tape<'_>) {
        let name = tape.one_of(&["presence", "message"]);
        let condition = tape.one_of(&["gone", "recipient-unavailable", "conflict", "bad-request"]);
        let sent = self.sendings.get(tape.below(self.sendings.len() + 1));
        let id = sent.map_or_else(|| "e".to_owned(), |(id, _)| id.clone());
        let invite = match tape.below(3) {
            0 => {
                format!("<x xmlns='{}'><invite from='{}'/></x>", ns::MUC_USER, tape.one_of(PEOPLE))
            }
            _ => String::new(),
        };
        let xml = format!(
            "<{name} type='error' id='{id}'>{invite}<error type='cancel'>\
             <{condition} xmlns='{}'/></error></{name}>",
            ns::STANZA_ERRORS
        );
        let out = self.give(who, tape.chance(2).then_some("x"), &xml);
        let told = out.iter().filter_map(|effect| match effect {
            Effect::Return { to, .. } => Some(to),
            _ => {
                let (to, _, bytes) = effect.stanza()?;
                let stanza = Stanza::parse(bytes, &Limits::TRUSTED).expect("a stanza");
                (stanza.type_().as_deref() == Some("error")).then_some(to)
            }
        });
        for to in told {
            let sent = self.sendings.iter().any(|(sent, by)| *sent == id && by == to);
            assert!(sent, "{to} hears that {id} came back, and sent nothing");
        }
    }

    /// XEP-0425, which reaches the room after the archive knows whose message it is.
    fn moderate(&mut self, who: usize, tape: &mut Tape<'_>) {
        let (from, now) = (self.sessions[who].jid.clone(), self.now);
        let (before, mut out) = (self.before(), Vec::new());
        let may = self.room.may_moderate(&from).is_ok();
        let id = tape.byte().into();
        let done = self.room.moderate(now, &from, id, Some("x".into()), &mut out);
        assert_eq!(done.is_ok(), may);
        self.settle(&before, &out);
    }

    /// The server stops and starts again; the sessions are resumed.
    fn restart(&mut self) {
        let asleep = serde_json::to_vec(&self.room.asleep(|_| false)).expect("it can be written");
        let next = self.room.next_id;
        self.room = self.stored.load();
        self.room.next_id = next;
        self.room.wake(&asleep).expect("it can be read");
        self.questions.clear();
        let before = self.before();
        self.settle(&before, &Vec::new());
    }

    /// An account is deleted: its sessions end, and then it is forgotten.
    fn forget(&mut self, who: usize, tape: &mut Tape<'_>) {
        if !tape.chance(4) {
            return;
        }
        let bare = self.sessions[who].jid.to_bare();
        for session in 0..SESSIONS.len() {
            if self.sessions[session].jid.to_bare() == bare {
                self.leave(session);
            }
        }
        let (before, mut out) = (self.before(), Vec::new());
        self.room.forget(&bare, &mut out);
        self.settle(&before, &out);
        assert!(self.room.affiliations.entry(&bare).is_none_or(|_| self.room.is_empty()));
    }

    /// A stanza that nobody thought of.
    fn anything(&mut self, who: usize, tape: &mut Tape<'_>) {
        let nick = tape.chance(2).then(|| tape.one_of(NICKS));
        let bytes = tape.piece().to_vec();
        if let Ok(stanza) = Stanza::parse(bytes.into(), &Limits::CLIENT) {
            self.give_stanza(who, nick, &stanza);
        }
        self.now = Millis(self.now.0 + 10_000);
    }

    /// A request to the room itself.
    fn ask(&mut self, who: usize, kind: &str, payload: &str) -> Vec<Effect> {
        let id = self.next();
        self.give(who, None, &format!("<iq type='{kind}' id='r{id}'>{payload}</iq>"))
    }

    pub(super) fn index_of(&self, jid: &Jid) -> Option<usize> {
        self.sessions.iter().position(|session| session.jid == *jid)
    }
}

/// The stanzas for one address.
pub(super) fn sent_to<'a>(out: &'a [Effect], jid: &'a Jid) -> impl Iterator<Item = Stanza> + 'a {
    let stanzas = out.iter().filter_map(Effect::stanza).filter(move |(to, ..)| *to == jid);
    stanzas.map(|(_, _, bytes)| Stanza::parse(bytes, &Limits::TRUSTED).expect("a stanza"))
}

/// Whether a request was answered with a result.
fn is_result(bytes: Bytes) -> bool {
    let stanza = Stanza::parse(bytes, &Limits::TRUSTED).expect("a stanza");
    stanza.type_().as_deref() == Some("result")
}

impl Room {
    /// The role of whoever has a nickname.
    pub(super) fn role_of(&self, nick: &str) -> Role {
        self.occupants.get(nick).map_or(Role::None, |occupant| occupant.role)
    }
}

const NICKS: &[&str] = &["x", "y", "z", "é", "a b", "X"];
const PEOPLE: &[&str] =
    &["a@a.example", "b@a.example", "c@b.example", "d@b.example", "e@c.example", "b.example", ROOM];
const ROLES: &[&str] = &["none", "visitor", "participant", "moderator"];
const AFFILIATIONS: &[&str] = &["none", "outcast", "member", "admin", "owner"];
const BROADCAST: &str = "muc#roomconfig_presencebroadcast";
const FLAG: &[&str] = &["0", "1"];
const FIELDS: &[(&str, &[&str])] = &[
    ("muc#roomconfig_persistentroom", FLAG),
    ("muc#roomconfig_membersonly", FLAG),
    ("muc#roomconfig_membersonly", &["0"]),
    ("muc#roomconfig_moderatedroom", FLAG),
    ("muc#roomconfig_passwordprotectedroom", FLAG),
    ("muc#roomconfig_passwordprotectedroom", &["0"]),
    ("muc#roomconfig_roomsecret", &["secret", ""]),
    ("muc#roomconfig_whois", &["anyone", "moderators"]),
    ("muc#roomconfig_changesubject", FLAG),
    ("muc#roomconfig_allowinvites", FLAG),
    ("x-roomconfig_membership_requests", FLAG),
    ("x-roomconfig_membership_requests", &["1"]),
    ("muc#roomconfig_allowpm", &["anyone", "participants", "moderators", "none", "kings"]),
    ("muc#roomconfig_maxusers", &["none", "2", "many", ""]),
    ("muc#roomconfig_enablearchiving", FLAG),
    ("muc#roomconfig_slow_mode_duration", &["0", "0", "1", "-1"]),
    ("muc#maxhistoryfetch", &["0", "10", "99999999999"]),
    (BROADCAST, &["moderator", "participant", "visitor", "none"]),
];
