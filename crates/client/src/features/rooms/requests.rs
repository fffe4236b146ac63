//! XEP-0045 §7.10 and §9.9: people who ask to become members, and what admins say to that

use xmpp::error::{Condition, StanzaError};
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::muc::Affiliation;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, Room, change, join, presence, touch};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::iq::{Answer, describe};
use crate::store::{Content, Event};
use crate::timeline;
use crate::view::{self, Outcome, Problem};

/// Somebody who asks, as the room tells. It tells again when an admin comes in, so nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// As the room names it, and as it is shown.
    nick: String,
    shown: String,
    person: Option<BareJid>,
    words: Option<String>,
}

impl Request {
    fn is(&self, nick: &str, person: Option<&BareJid>) -> bool {
        self.shown == nick && self.person.as_ref() == person
    }
}

/// An answer that the room has not taken yet.
pub(super) struct Decision {
    number: u64,
    /// The id of the message.
    id: String,
    request: Request,
}

/// Asks to become a member, under a nickname or the one that is wanted there.
pub(super) fn ask(
    cx: &mut Cx<'_>,
    number: u64,
    room: BareJid,
    nick: Option<String>,
    words: Option<String>,
) -> Step {
    if let Some(nick) = nick {
        change(cx, &room, |kept| kept.nick = Some(nick))?;
    }
    registration(cx, number, room, move |cx, room, query| {
        let nick = join::wanted_nick(cx, &room);
        let form = Form::child_of(query).and_then(|form| filled(&form, &nick, words.as_deref()));
        let Some(form) = form else {
            let problem = "the room wants to know more than a name".to_owned();
            cx.failed(number, Problem::Unsupported(problem));
            return Ok(());
        };
        submit(cx, number, room, form, 0)
    })
}

/// Looks at the form of a room. Who is a member meanwhile goes in instead.
fn registration(
    cx: &mut Cx<'_>,
    number: u64,
    room: BareJid,
    then: impl FnOnce(&mut Cx<'_>, BareJid, &Element) -> Step + Send + 'static,
) -> Step {
    let query = Element::new("query", ns::REGISTER);
    cx.iq_get(Some(Jid::from(room.clone())), query, move |cx, answer| {
        let Some(query) = answer.payload("query", ns::REGISTER) else {
            cx.failed(number, refusal(&answer));
            return Ok(());
        };
        if query.child("registered", ns::REGISTER).is_none() {
            return then(cx, room, query);
        }
        change(cx, &room, |kept| kept.applied = None)?;
        cx.done(number, Outcome::Done);
        join::enter_again(cx, &room)
    })
}

/// Sends the form; with another nickname when it is somebody else's.
fn submit(cx: &mut Cx<'_>, number: u64, room: BareJid, form: Form, tries: usize) -> Step {
    let query = Element::new("query", ns::REGISTER).with_child(form.to_element());
    cx.iq_set(Some(Jid::from(room.clone())), query, move |cx, answer| {
        let taken =
            matches!(&answer, Answer::Error(error) if error.condition == Condition::Conflict);
        if taken && tries < join::MAX_SUFFIX {
            return submit(cx, number, room, renamed(form), tries + 1);
        }
        if answer.problem().is_some() {
            cx.failed(number, refusal(&answer));
            return Ok(());
        }
        // Who was a member without a nickname has it now, and asks nobody.
        registration(cx, number, room, move |cx, room, _| {
            let now = cx.time().0;
            change(cx, &room, |kept| {
                kept.wanted = true;
                kept.applied = Some(now);
                kept.proven = true;
            })?;
            cx.done(number, Outcome::Done);
            Ok(())
        })
    })
}

fn renamed(mut form: Form) -> Form {
    for field in form.fields.iter_mut().filter(|field| field.var.as_deref() == Some(NICK)) {
        for nick in &mut field.values {
            nick.push('_');
        }
    }
    form
}

/// Takes back that this account asked.
pub(super) fn withdraw(cx: &mut Cx<'_>, number: u64, room: BareJid) -> Step {
    let known = cx.state.features.rooms.rooms.get(&room);
    // Inside it would end the membership.
    if known.is_none_or(|known| known.kept.applied.is_none() || known.phase == Phase::In) {
        cx.failed(number, Problem::Unknown("request"));
        return Ok(());
    }
    let remove = Element::new("remove", ns::REGISTER);
    let query = Element::new("query", ns::REGISTER).with_child(remove);
    cx.iq_set(Some(Jid::from(room.clone())), query, move |cx, answer| {
        if let Some(problem) = answer.problem() {
            cx.failed(number, problem);
            return Ok(());
        }
        change(cx, &room, |kept| kept.applied = None)?;
        cx.done(number, Outcome::Done);
        Ok(())
    })
}

/// The form with a nickname and some words; `None` if it demands more than that.
fn filled(form: &Form, nick: &str, words: Option<&str>) -> Option<Form> {
    let mut demanded = form.fields.iter().filter(|field| field.required);
    if !demanded.all(|field| field.var.as_deref() == Some(NICK)) {
        return None;
    }
    let submit = Form::typed(FormType::Submit, ns::MUC_REGISTER);
    let submit = submit.with_field(Field::untyped(NICK).with_value(nick));
    let words = words.filter(|text| form.field(WORDS).is_some() && !text.trim().is_empty());
    let words = words.map(|text| Field::untyped(WORDS).with_value(text.trim()));
    Some(words.into_iter().fold(submit, Form::with_field))
}

fn refusal(answer: &Answer) -> Problem {
    let condition = match answer {
        Answer::Error(error) => Some(error.condition),
        _ => None,
    };
    match condition {
        Some(Condition::Conflict) => Problem::Refused("this nickname is taken".to_owned()),
        Some(
            Condition::NotAllowed
            | Condition::ServiceUnavailable
            | Condition::FeatureNotImplemented,
        ) => Problem::Refused("this room lets nobody in who asks".to_owned()),
        _ => answer.problem().unwrap_or(Problem::Timeout),
    }
}

/// A form of a room about somebody who asks. Says whether it was one.
pub(super) fn on_message(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let of_room = incoming.resource.is_none() && !incoming.own && incoming.source == Source::Live;
    let form = incoming.child("x", ns::DATA_FORMS).filter(|_| of_room).and_then(Form::parse);
    let is_request = |form: &Form| {
        let registers = form.form_type() == Some(ns::MUC_REGISTER);
        registers && form.kind == FormType::Form && form.field(ALLOW).is_some()
    };
    let Some(form) = form.filter(is_request) else { return Ok(false) };
    let Some(request) = request(&form) else { return Ok(true) };
    let Some(room) = cx.state.features.rooms.rooms.get_mut(&incoming.with) else { return Ok(true) };
    if !matches!(room.phase, Phase::Entering | Phase::In) {
        return Ok(true);
    }
    let again = |one: &Request| {
        let alike = request.person.is_some() && one.person == request.person;
        alike || one.nick == request.nick || one.shown == request.shown
    };
    room.requests.retain(|one| !again(one));
    if room.requests.len() < MOST {
        room.requests.push(request.clone());
    }
    touch(cx, &incoming.with);
    tell(cx, &incoming.with, &request)?;
    Ok(true)
}

fn request(form: &Form) -> Option<Request> {
    let nick = form.value(NICK).filter(|nick| nick.len() <= MAX_NICK_BYTES)?;
    let words = form.field(WORDS).map(|field| join::limited(&field.text()));
    let request = Request {
        nick: nick.to_owned(),
        shown: join::limited(nick),
        person: form.value(WHO).and_then(|who| BareJid::new(who).ok()),
        words: words.filter(|words| !words.is_empty()),
    };
    (!request.shown.is_empty()).then_some(request)
}

/// Tells who may decide that somebody asks, once: the room tells it with every visit.
fn tell(cx: &mut Cx<'_>, address: &BareJid, request: &Request) -> Step {
    let one = (request.shown.clone(), request.person.clone());
    let room = cx.state.features.rooms.rooms.get(address);
    let told = room.is_none_or(|room| room.kept.told.contains(&one));
    if told || presence::own(cx, address).0 < Affiliation::Admin {
        return Ok(());
    }
    let (nick, person) = one.clone();
    change(cx, address, |kept| {
        if kept.told.len() >= MOST {
            kept.told.remove(0);
        }
        kept.told.push(one);
    })?;
    let mut message = timeline::blank(address, address, cx.moment());
    message.content = Content::Event(Event::Asks { nick, address: person });
    let id = timeline::insert(cx, message, true)?;
    if let Some(message) = cx.store.message(id)? {
        let title = super::name(cx, address).unwrap_or_else(|| address.to_string());
        timeline::notify_as(cx, &message, title)?;
    }
    Ok(())
}

/// Those that are not answered, for who may answer. Whoever is a member meanwhile was let in by another
/// admin.
pub(super) fn show(room: &Room, own: Affiliation) -> Vec<view::JoinRequest> {
    if own < Affiliation::Admin {
        return Vec::new();
    }
    let is_member = |person: &BareJid| room.kept.members.iter().any(|(one, _)| one == person);
    let waiting = room.requests.iter().filter(|one| !one.person.as_ref().is_some_and(is_member));
    let shown = waiting.map(|one| view::JoinRequest {
        nick: one.shown.clone(),
        address: one.person.clone(),
        words: one.words.clone(),
    });
    shown.collect()
}

/// Lets somebody in who asks, or does not. The room says only when it does not do it: what is asked of it
/// behind the answer, it answers when it has taken that.
pub(super) fn answer(
    cx: &mut Cx<'_>,
    number: u64,
    room: &BareJid,
    (nick, person): (&str, Option<&BareJid>),
    allow: bool,
) -> Step {
    let id = cx.rng.id();
    let known = cx.state.features.rooms.rooms.get_mut(room);
    let asked = known.and_then(|known| {
        let at = known.requests.iter().position(|one| one.is(nick, person))?;
        let request = known.requests.remove(at);
        known.decisions.push(Decision { number, id: id.clone(), request: request.clone() });
        Some(request)
    });
    let Some(asked) = asked else {
        cx.failed(number, Problem::Unknown("request"));
        return Ok(());
    };
    let who = asked.person.map(|person| Field::untyped(WHO).with_value(person.as_str()));
    let form = Form::typed(FormType::Submit, ns::MUC_REGISTER);
    let form = who.into_iter().fold(form, Form::with_field);
    let form = form
        .with_field(Field::untyped(NICK).with_value(asked.nick))
        .with_field(Field::untyped(ALLOW).with_bool(allow));
    let message = Element::new("message", ns::CLIENT)
        .with_attr("to", room.to_string())
        .with_attr("id", id)
        .with_child(form.to_element());
    cx.send(&message);
    touch(cx, room);
    let address = room.clone();
    let query = Element::new("query", ns::DISCO_INFO);
    cx.iq_get(Some(Jid::from(room.clone())), query, move |cx, answer| {
        let problem = answer.problem();
        end(cx, &address, |one| one.number == number, problem)
    })
}

/// A message came back. Says whether it was an answer to somebody who asks.
pub(super) fn on_bounced(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let room = cx.state.features.rooms.rooms.get(&incoming.with);
    let of_room = incoming.resource.is_none() && !incoming.own && incoming.source == Source::Live;
    let Some(id) = incoming.id.clone().filter(|_| of_room) else { return Ok(false) };
    if !room.is_some_and(|room| room.decisions.iter().any(|one| one.id == id)) {
        return Ok(false);
    }
    let error = incoming.child("error", ns::CLIENT).map(StanzaError::parse);
    let problem = match error {
        Some(error) if error.condition == Condition::ItemNotFound => Problem::Unknown("request"),
        Some(error) => Problem::Refused(describe(&error)),
        None => Problem::Refused(String::new()),
    };
    end(cx, &incoming.with, |one| one.id == id, Some(problem))?;
    Ok(true)
}

/// The room has taken an answer, or has not: then it waits again, unless it is gone.
fn end(
    cx: &mut Cx<'_>,
    address: &BareJid,
    is: impl Fn(&Decision) -> bool,
    problem: Option<Problem>,
) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    let Some(at) = room.decisions.iter().position(is) else { return Ok(()) };
    let Decision { number, request, .. } = room.decisions.remove(at);
    let gone = matches!(problem, None | Some(Problem::Unknown(_)));
    let told = room.requests.iter().any(|one| one.nick == request.nick);
    if !gone && !told && room.phase == Phase::In {
        room.requests.push(request.clone());
    }
    if gone {
        let one = (request.shown, request.person);
        change(cx, address, |kept| kept.told.retain(|told| *told != one))?;
    }
    cx.done(number, problem.map_or(Outcome::Done, Outcome::Failed));
    touch(cx, address);
    Ok(())
}

/// Fields of the forms (§15.5.3); who asks is one of Anemone's own.
const NICK: &str = "muc#register_roomnick";
const WORDS: &str = "muc#register_faqentry";
const ALLOW: &str = "muc#register_allow";
const WHO: &str = "x-register_jid";
/// Requests of one room that are shown, or were told, and the longest nickname in one.
const MOST: usize = 100;
const MAX_NICK_BYTES: usize = 1023;
