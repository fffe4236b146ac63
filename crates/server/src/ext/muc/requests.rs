//! Strangers who ask to belong to a room for members, and what its admins say to that (XEP-0045 §9.9).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Field, FieldType, Form, FormType},
        muc::Affiliation,
    },
    jid::{BareJid, Jid},
    ns,
    stanza::Kind,
    time::Millis,
    xml::Element,
};

use super::{
    admin::is_of,
    announce::News,
    nick::likeness,
    room::{Effect, Effects, Room, error, send},
};

/// Requests that no admin has answered, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Requests {
    waiting: Vec<Request>,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Request {
    jid: String,
    pub(super) nick: String,
    /// What they say of themselves, by the field of the form.
    said: BTreeMap<String, String>,
    /// When.
    at: u64,
}

impl Request {
    /// What somebody filled in.
    pub(super) fn new(who: &BareJid, nick: &str, form: &Form, now: Millis) -> Self {
        let said = |(var, ..): &(&str, FieldType, &str)| {
            let text = form.field(var)?.text();
            let text: String = text.chars().take(LONGEST).collect();
            (!text.is_empty()).then(|| ((*var).to_owned(), text))
        };
        let said = FIELDS.iter().filter_map(said).collect();
        Request { jid: who.to_string(), nick: nick.to_owned(), said, at: now.0 }
    }

    fn is_of(&self, who: &BareJid) -> bool {
        self.jid == who.as_str()
    }

    /// The person, whatever stands for them.
    fn jid(&self) -> Option<BareJid> {
        BareJid::new(&self.jid).ok()
    }
}

impl Requests {
    /// What somebody asked for.
    pub(super) fn of(&self, who: &BareJid) -> Option<&Request> {
        self.waiting.iter().find(|request| request.is_of(who))
    }

    /// How many wait.
    #[cfg(any(test, feature = "model"))]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Who waits.
    #[cfg(any(test, feature = "model"))]
    pub(super) fn people(&self) -> impl Iterator<Item = BareJid> {
        self.waiting.iter().filter_map(Request::jid)
    }

    /// Forgets those of an address, which may stand for everybody of a domain. Returns whether there were any.
    pub(super) fn forget(&mut self, who: &BareJid) -> bool {
        let before = self.waiting.len();
        let is_theirs = |request: &Request| request.jid().is_none_or(|jid| is_of(&jid, who));
        self.waiting.retain(|request| !request.is_of(who) && !is_theirs(request));
        self.waiting.len() < before
    }

    /// Puts a request in the place of an earlier one of the same person.
    fn note(&mut self, request: Request) {
        self.waiting.retain(|other| other.jid != request.jid);
        self.waiting.push(request);
    }

    /// Those that nobody answered for long are over, and what they asked for is free.
    pub(super) fn expire(&mut self, now: Millis) {
        self.waiting.retain(|request| now.since(Millis(request.at)) < LONGEST_WAIT);
    }

    /// Whether another one fits. One domain, unless it is `local`, gets a part of the places.
    fn has_room_for(&self, who: &BareJid, local: &str) -> bool {
        if self.of(who).is_some() {
            return true;
        }
        let jids = self.waiting.iter().filter_map(Request::jid);
        let alike = jids.filter(|jid| jid.domain() == who.domain()).count();
        let is_local = who.domain().as_str() == local;
        self.waiting.len() < MOST_REQUESTS && (is_local || alike < MOST_REQUESTS / 5)
    }
}

/// The form of a registration, or of a request for one, with what was filled in before.
pub(super) fn form(asks: bool, earlier: Option<&Request>) -> Form {
    let nick = Field::new(NICK, FieldType::TextSingle).with_label("Nickname").with_required();
    let nick = match earlier {
        Some(request) => nick.with_value(&request.nick),
        None => nick,
    };
    let form = Form::typed(FormType::Form, ns::MUC_REGISTER)
        .with_title("Registration with the room")
        .with_field(nick);
    match asks {
        true => with_what_was_said(form, earlier),
        false => form,
    }
}

fn with_what_was_said(form: Form, request: Option<&Request>) -> Form {
    FIELDS.iter().fold(form, |form, (var, kind, label)| {
        let field = Field::new(*var, *kind).with_label(*label);
        let said = request.and_then(|request| request.said.get(*var));
        form.with_field(match said {
            Some(text) if *kind == FieldType::TextMulti => field.with_values(text.lines()),
            Some(text) => field.with_value(text),
            None => field,
        })
    })
}

impl Room {
    /// Somebody asks to become a member: admins who are here are told now, others when they come.
    pub(super) fn ask_to_register(
        &mut self,
        local: &str,
        from: &Jid,
        request: Request,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        if !self.requests.has_room_for(&from.to_bare(), local) {
            let text = "too many people ask to become members of this room";
            return Err(error(Condition::ResourceConstraint, text));
        }
        let message = self.approval(&request);
        self.requests.note(request);
        out.push(Effect::Save { state: true, changes: Vec::new() });
        let admins = self.nicks.keys().filter(|jid| self.decides(jid));
        out.extend(admins.map(|admin| send(admin, Kind::Message, &message)));
        Ok(())
    }

    /// A name that somebody else asks for is taken until that is decided.
    pub(super) fn nick_is_asked_for(&self, who: &BareJid, nick: &str) -> bool {
        let Some(like) = likeness(nick) else { return false };
        let others = self.requests.waiting.iter().filter(|request| !request.is_of(who));
        others.into_iter().any(|r| likeness(&r.nick).is_some_and(|other| other.matches(&like)))
    }

    /// An admin comes: what waits for them is told.
    pub(super) fn tell_requests(&mut self, now: Millis, to: &Jid, out: &mut Effects) {
        if self.decides(to) {
            self.requests.expire(now);
            let messages = self.requests.waiting.iter().map(|request| self.approval(request));
            out.extend(messages.map(|message| send(to, Kind::Message, &message)));
        }
    }

    /// Whoever may make members decides about those who want to be.
    fn decides(&self, who: &Jid) -> bool {
        self.affiliation(who) >= Affiliation::Admin
    }

    /// The form in which admins approve.
    fn approval(&self, request: &Request) -> Bytes {
        let nick = Field::new(NICK, FieldType::TextSingle).with_label("Desired nickname");
        let form = Form::typed(FormType::Form, ns::MUC_REGISTER)
            .with_title("Registration request")
            .with_instructions("Somebody asks to become a member of this room.")
            .with_field(
                Field::new(WHO, FieldType::JidSingle).with_label("Who").with_value(&request.jid),
            )
            .with_field(nick.with_value(&request.nick));
        let form = with_what_was_said(form, Some(request)).with_field(
            Field::new(ALLOW, FieldType::Boolean)
                .with_label("Allow this person to register with the room?")
                .with_bool(false),
        );
        Element::new("message", ns::CLIENT)
            .with_attr("from", self.jid.as_str())
            .with_child(form.to_element())
            .to_bytes(ns::CLIENT)
    }

    /// An admin answers. A form without an answer leaves the request as it is.
    pub(super) fn decide_registration(
        &mut self,
        now: Millis,
        (from, local): (&Jid, &str),
        form: &Form,
        out: &mut Effects,
    ) -> Result<(), StanzaError> {
        if !self.decides(from) {
            return Err(error(Condition::Forbidden, "only admins decide about that"));
        }
        if form.kind == FormType::Cancel {
            return Ok(());
        }
        let allows = form.boolean(ALLOW).filter(|_| form.kind == FormType::Submit);
        let allows = allows.ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
        let is_named = |request: &&Request| match (form.value(WHO), form.value(NICK)) {
            (Some(who), nick) => request.jid == who && nick.is_none_or(|nick| nick == request.nick),
            (None, nick) => nick == Some(&request.nick),
        };
        let named = self.requests.waiting.iter().find(is_named);
        let request = named.filter(|request| now.since(Millis(request.at)) < LONGEST_WAIT).cloned();
        let gone = || error(Condition::ItemNotFound, "nobody waits who asked for that");
        let request = request.ok_or_else(gone)?;
        let who = request.jid().ok_or_else(gone)?;
        if allows {
            self.has_room_to_register(&who, local)?;
            self.nick_is_free_for(&who, &request.nick)?;
        }
        self.forget_requests(&who, out);
        if allows {
            self.become_member(&who, &request.nick, out);
            let inside = self.occupants.values().any(|occupant| occupant.jid == who);
            if self.settings.members_only && !inside {
                self.invite_member(now, from, &who, None, out);
            }
        }
        Ok(())
    }

    /// Makes a member, whose nickname it is from now on.
    pub(super) fn become_member(&mut self, who: &BareJid, nick: &str, out: &mut Effects) {
        self.set_affiliation(who, Affiliation::Member, News::default(), out);
        let changes = self.affiliations.reserve(who, Some(nick.to_owned()));
        out.push(Effect::Save { state: false, changes });
    }

    /// Nothing is left to be decided about an address, or about those of a domain.
    pub(super) fn forget_requests(&mut self, who: &BareJid, out: &mut Effects) {
        if self.requests.forget(who) {
            out.push(Effect::Save { state: true, changes: Vec::new() });
        }
    }
}

pub(super) const NICK: &str = "muc#register_roomnick";
const ALLOW: &str = "muc#register_allow";
/// The form of the specification does not say whose request it is.
const WHO: &str = "x-register_jid";
/// What people may say of themselves.
const FIELDS: [(&str, FieldType, &str); 5] = [
    ("muc#register_first", FieldType::TextSingle, "Given name"),
    ("muc#register_last", FieldType::TextSingle, "Family name"),
    ("muc#register_email", FieldType::TextSingle, "Email address"),
    ("muc#register_url", FieldType::TextSingle, "A web page"),
    ("muc#register_faqentry", FieldType::TextMulti, "About you"),
];
/// Requests of one room, and characters of an answer.
pub(super) const MOST_REQUESTS: usize = 50;
const LONGEST: usize = 200;
/// After 30 days a request is over.
const LONGEST_WAIT: u64 = 30 * 24 * 60 * 60 * 1000;
