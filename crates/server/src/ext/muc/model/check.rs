//! What must be true after each step.

use std::collections::BTreeSet;

use xmpp::{
    error::StanzaError,
    ext::muc::{Affiliation, Item, Role},
    jid::BareJid,
    ns,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use super::{
    super::{
        affiliations::MOST_LISTED,
        history::MOST_LINES,
        requests::MOST_REQUESTS,
        room::{Effect, MOST_SENT},
        tokens::MOST_TOKENS,
    },
    BOUNDS, Before, ROOM, Told, World,
    acts::sent_to,
};

impl World {
    /// Every request has one answer, and every message reaches everybody or comes back.
    pub(super) fn answered(&self, who: usize, nick: Option<&str>, stanza: &Stanza, out: &[Effect]) {
        let from = &self.sessions[who].jid;
        let kind = stanza.type_().map(|kind| kind.into_owned()).unwrap_or_default();
        let told = || all(out).map(|(_, told)| told).filter(|told| !self.ends_question(told));
        let errors: Vec<Stanza> = told().filter(is_error).collect();
        // An answer with an error may be passed on from one occupant to all sessions of another.
        let passed_on = nick.is_some() && stanza.kind() != Kind::Presence;
        assert!(passed_on || errors.len() <= 1, "one stanza, several errors: {errors:?}");
        for error in
            errors.iter().filter(|error| !passed_on || error.from().as_deref() == Some(ROOM))
        {
            assert!(
                !matches!(kind.as_str(), "error" | "result"),
                "an error was answered: {error:?}"
            );
            assert_eq!(error.to().as_deref(), Some(from.as_str()));
            assert_eq!(error.id(), stanza.id());
            assert_eq!(error.kind(), stanza.kind());
            let element = error.child("error", ns::CLIENT).expect("an error says which").element();
            assert_eq!(element.attr("by"), Some(ROOM), "{error:?}");
            let _ = StanzaError::parse(&element);
        }
        if stanza.kind() == Kind::Iq && matches!(kind.as_str(), "get" | "set") {
            let iqs: Vec<Stanza> = told().filter(|told| told.kind() == Kind::Iq).collect();
            assert_eq!(iqs.len(), 1, "{stanza:?}: {iqs:?}");
            if matches!(iqs[0].type_().as_deref(), Some("result" | "error")) {
                assert_eq!(iqs[0].to().as_deref(), Some(from.as_str()));
                assert_eq!(iqs[0].id(), stanza.id());
            }
        }
        if stanza.kind() == Kind::Message && kind == "groupchat" && nick.is_none() {
            self.reflected(who, errors.is_empty(), out);
        }
    }

    /// Whether it says that nobody will answer what somebody had asked, because whoever was asked is not
    /// there any more.
    fn ends_question(&self, told: &Stanza) -> bool {
        told.kind() == Kind::Iq
            && is_error(told)
            && self.questions.iter().any(|question| {
                told.id().as_deref() == Some(question.id.as_str())
                    && told.to().as_deref() == Some(self.sessions[question.asker].jid.as_str())
                    && !self.room.contains(&self.sessions[question.asked].jid)
            })
    }

    /// A message to everybody reached every session once, in the order of the room; or its sender alone
    /// got it back.
    fn reflected(&self, who: usize, accepted: bool, out: &[Effect]) {
        let got = |session: &super::Session| {
            sent_to(out, &session.jid)
                .filter(|stanza| stanza.kind() == Kind::Message)
                .filter(|stanza| stanza.type_().as_deref() != Some("error"))
                .count()
        };
        let counts: Vec<usize> = self.sessions.iter().map(got).collect();
        let everybody: Vec<usize> =
            self.sessions.iter().map(|s| usize::from(self.room.contains(&s.jid))).collect();
        let alone: Vec<usize> = (0..counts.len()).map(|at| usize::from(at == who)).collect();
        match accepted {
            true => assert!(counts == everybody || counts == alone, "{counts:?} {everybody:?}"),
            false => assert_eq!(counts.iter().sum::<usize>(), 0, "refused, and reflected"),
        }
    }

    /// Tells everybody what they were sent, keeps what is to be stored, and compares.
    pub(super) fn settle(&mut self, before: &Before, out: &[Effect]) {
        let mut destroyed = false;
        for effect in out {
            match effect {
                Effect::Send { .. } | Effect::Error { .. } => {
                    let (to, kind, bytes) = effect.stanza().expect("a stanza");
                    let stanza = Stanza::parse(bytes, &Limits::CLIENT).expect("a stanza");
                    assert_eq!(stanza.kind(), kind);
                    assert_eq!(stanza.to().as_deref(), Some(to.as_str()));
                    let from = stanza.from().expect("from the room");
                    let bare = from.split('/').next();
                    assert_eq!(bare, Some(ROOM), "the room speaks for nobody else");
                    let who = self.index_of(to).expect("a stanza for nobody");
                    self.hear(who, &stanza, before);
                }
                Effect::Route { to, message, .. } => {
                    let stanza = Stanza::parse(message.clone(), &Limits::CLIENT).expect("a stanza");
                    assert_eq!(stanza.to().as_deref(), Some(to.as_str()));
                }
                Effect::Ask { to, request } => {
                    let stanza = Stanza::parse(request.clone(), &Limits::CLIENT).expect("a stanza");
                    assert_eq!(stanza.to().as_deref(), Some(to.as_str()));
                    assert_eq!(
                        stanza.from().as_deref().and_then(|it| it.split('/').next()),
                        Some(ROOM)
                    );
                }
                Effect::Return { to, message } => {
                    let stanza = Stanza::parse(message.clone(), &Limits::CLIENT).expect("a stanza");
                    assert_eq!(stanza.to().as_deref(), Some(to.as_str()));
                    assert!(is_error(&stanza), "{stanza:?}");
                }
                Effect::Archive(line) => {
                    assert!(line.id > self.archived, "the archive goes one way");
                    self.archived = line.id;
                    let stanza = Stanza::parse(line.stanza.clone(), &Limits::CLIENT);
                    let stanza = stanza.expect("a stanza");
                    let id = stanza.child("stanza-id", ns::STANZA_ID).expect("it has an id");
                    assert_eq!(id.attr("id").as_deref(), Some(line.id.to_string().as_str()));
                    assert_eq!(id.attr("by").as_deref(), Some(ROOM));
                }
                Effect::Save { state, changes } => {
                    self.stored.apply(&self.room, *state, changes.clone());
                }
                Effect::Wake { .. } | Effect::Retract { .. } => {}
                Effect::Destroy => destroyed = true,
            }
        }
        self.entered |= !self.room.is_empty();
        let over = self.entered
            && self.room.is_empty()
            && (self.room.locked || !self.room.settings.persistent);
        assert!(!over || destroyed, "an empty room that does not persist stays");
        if destroyed {
            assert!(self.room.is_empty(), "destroyed, and somebody is in it");
        }
        self.check_beliefs();
        if destroyed {
            return self.found_again();
        }
        self.check_room();
        self.check_stored();
    }

    /// One session gets a stanza.
    fn hear(&mut self, who: usize, stanza: &Stanza, before: &Before) {
        let tree = stanza.element();
        let x = tree.child("x", ns::MUC_USER);
        let codes = x.map(codes).unwrap_or_default();
        let own = codes.contains("110");
        let item = x.and_then(|x| x.child("item", ns::MUC_USER)).and_then(Item::parse);
        if let Some(item) = &item
            && item.jid.is_some()
            && !own
        {
            let session = &self.sessions[who];
            let may = self.room.settings.non_anonymous
                || before.non_anonymous
                || before.keepers[who]
                || session.believes_to_keep_order()
                || self.keeps_order(session);
            assert!(may, "{} is told an address: {stanza:?}", session.jid);
        }
        if stanza.kind() != Kind::Presence || is_error(stanza) {
            return;
        }
        let from = stanza.from().expect("from an occupant");
        let nick = from.split_once('/').expect("an occupant").1.to_owned();
        let item = item.expect("presence of an occupant says what it is");
        let session = &mut self.sessions[who];
        match stanza.type_().as_deref() {
            None => {
                let told = Told {
                    role: item.role.expect("a role"),
                    affiliation: item.affiliation.expect("an affiliation"),
                };
                assert_ne!(told.role, Role::None, "{stanza:?}");
                session.seen.insert(nick.clone(), told);
                if own {
                    session.nick = Some(nick);
                }
            }
            Some("unavailable") => {
                session.seen.remove(&nick);
                if own && !codes.contains("303") {
                    session.nick = None;
                    session.seen.clear();
                }
            }
            Some(other) => panic!("presence of type {other}"),
        }
    }

    /// What each session was told is how it is.
    fn check_beliefs(&self) {
        for session in &self.sessions {
            let known = self.room.nicks.get(&session.jid).map(|nick| &**nick);
            assert_eq!(session.nick.as_deref(), known, "{} believes so", session.jid);
            let Some(own) = known else { continue };
            for (nick, occupant) in &self.room.occupants {
                let visible = self.room.shows(occupant.role) || **nick == *own;
                let told = session.seen.get(&**nick);
                let true_one =
                    Told { role: occupant.role, affiliation: self.room.affiliation(&occupant.jid) };
                let expected = visible.then_some(&true_one);
                assert_eq!(told, expected, "{} of {nick}", session.jid);
            }
            for nick in session.seen.keys() {
                let there = self.room.occupants.contains_key(nick.as_str());
                assert!(there, "{} still sees {nick}", session.jid);
            }
        }
    }

    /// The room agrees with itself and keeps to its bounds.
    fn check_room(&self) {
        let room = &self.room;
        let mut sessions = 0;
        for (nick, occupant) in &room.occupants {
            assert!(!occupant.sessions.is_empty(), "{nick} has no session");
            assert_ne!(occupant.role, Role::None, "{nick} has no role");
            assert_eq!(room.role_of(nick), occupant.role);
            let affiliation = room.affiliation(&occupant.jid);
            assert_ne!(affiliation, Affiliation::Outcast, "{nick} is banned and here");
            assert!(
                affiliation < Affiliation::Admin || occupant.role == Role::Moderator,
                "{nick} keeps order and is {:?}",
                occupant.role
            );
            let member = affiliation >= Affiliation::Member || !room.settings.members_only;
            assert!(member, "{nick} is here and no member");
            let shown = || [true, false].map(|sees| room.shown_to(nick, occupant, sees));
            let kept = shown();
            occupant.shown.take();
            assert_eq!(kept, shown(), "{nick} is shown as it was");
            for visit in &occupant.sessions {
                sessions += 1;
                assert_eq!(visit.jid.to_bare(), occupant.jid, "two people called {nick}");
                assert_eq!(room.nicks.get(&visit.jid), Some(nick));
            }
            assert_eq!(*occupant.id, room.occupant_id(&occupant.jid));
            let alike = |other: &super::super::room::Occupant| other.like.matches(&occupant.like);
            let others = room.occupants.values().filter(|other| other.jid != occupant.jid);
            assert!(!others.into_iter().any(alike), "two people look like {nick}");
            let reserved = room.affiliations.owner_of(nick);
            let mine = reserved.is_none_or(|owner| *owner == occupant.jid);
            assert!(mine, "{nick} is reserved for {reserved:?}");
        }
        assert_eq!(sessions, room.nicks.len(), "a nickname without a session");
        assert!(sessions <= BOUNDS.occupants as usize + RESERVE, "{sessions} sessions");
        let listed = || room.affiliations.listed();
        let owners = listed().filter(|(_, e)| e.affiliation == Affiliation::Owner).count();
        assert!(owners > 0, "nobody owns the room");
        assert!(listed().count() <= MOST_LISTED);
        let nicks: Vec<_> = listed().filter_map(|(_, entry)| entry.nick.as_deref()).collect();
        let different: BTreeSet<_> = nicks.iter().collect();
        assert_eq!(nicks.len(), different.len(), "one nickname, two people: {nicks:?}");
        assert!(room.requests.len() <= MOST_REQUESTS);
        assert!(room.tokens.len() <= MOST_TOKENS);
        let belongs = |who: &BareJid| room.affiliation(&who.clone().into()) != Affiliation::None;
        assert!(!room.requests.people().any(|who| belongs(&who)), "decided, and still waiting");
        assert!(room.history.len() <= MOST_LINES);
        assert!(room.sent.len() <= MOST_SENT);
        assert!(room.next_id > self.archived);
    }

    /// A restart would find the room as it is.
    fn check_stored(&self) {
        let read = self.stored.load();
        let kept =
            |room: &super::Room| serde_json::to_value(room.kept()).expect("it can be written");
        assert_eq!(kept(&read), kept(&self.room), "what is stored is not what is");
        let lists = |room: &super::Room| {
            let all = room.affiliations.listed();
            all.map(|(jid, entry)| (jid.clone(), entry.clone())).collect::<Vec<_>>()
        };
        assert_eq!(lists(&read), lists(&self.room));
    }
}

fn all(out: &[Effect]) -> impl Iterator<Item = (Kind, Stanza)> + '_ {
    out.iter()
        .filter_map(Effect::stanza)
        .map(|(_, kind, bytes)| (kind, Stanza::parse(bytes, &Limits::TRUSTED).expect("a stanza")))
}

fn is_error(stanza: &Stanza) -> bool {
    stanza.type_().as_deref() == Some("error")
}

fn codes(x: &Element) -> BTreeSet<String> {
    let status = x.children().filter(|child| child.name() == "status");
    status.filter_map(|status| status.attr("code").map(str::to_owned)).collect()
}

impl super::Session {
    /// In the middle of a step that changes several things it may, although it could not before and
    /// cannot after it.
    fn believes_to_keep_order(&self) -> bool {
        let own = self.nick.as_ref().and_then(|nick| self.seen.get(nick));
        own.is_some_and(|told| told.role == Role::Moderator)
    }
}

/// Places that a full room has for who keeps order.
const RESERVE: usize = 5;
