//! XEP-0045 §7.10 and §9.9: people who ask to become members, and what admins say to that

use xmpp::error::Condition;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::muc::Affiliation;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, Room, change, join, touch};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::iq::Answer;
use crate::view::{self, Outcome, Problem};

/// Somebody who asks, as the room tells. It tells again when an admin comes in, so nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    nick: String,
    person: Option<BareJid>,
    words: Option<String>,
}

/// Asks to become a member, under the nickname that is wanted there.
pub(super) fn ask(cx: &mut Cx<'_>, number: u64, room: BareJid, words: Option<String>) -> Step {
    let query = Element::new("query", ns::REGISTER);
    cx.iq_get(Some(Jid::from(room.clone())), query, move |cx, answer| {
        let Some(query) = answer.payload("query", ns::REGISTER) else {
            cx.failed(number, refusal(&answer));
            return Ok(());
        };
        if query.child("registered", ns::REGISTER).is_some() {
            cx.done(number, Outcome::Done);
            return join::enter_again(cx, &room);
        }
        let nick = join::wanted_nick(cx, &room);
        let Some(form) = Form::child_of(query).and_then(|form| filled(&form, &nick, words)) else {
            let problem = "the room wants to know more than a name".to_owned();
            cx.failed(number, Problem::Unsupported(problem));
            return Ok(());
        };
        let query = Element::new("query", ns::REGISTER).with_child(form.to_element());
        cx.iq_set(Some(Jid::from(room.clone())), query, move |cx, answer| {
            if answer.problem().is_some() {
                cx.failed(number, refusal(&answer));
                return Ok(());
            }
            let now = cx.time().0;
            change(cx, &room, |kept| kept.applied = Some(now))?;
            cx.done(number, Outcome::Done);
            Ok(())
        })
    })
}

/// The form with a nickname and some words; `None` if it demands more than that.
fn filled(form: &Form, nick: &str, words: Option<String>) -> Option<Form> {
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
pub(super) fn on_message(cx: &mut Cx<'_>, incoming: &Incoming) -> bool {
    let of_room = incoming.resource.is_none() && !incoming.own && incoming.source == Source::Live;
    let form = incoming.child("x", ns::DATA_FORMS).filter(|_| of_room).and_then(Form::parse);
    let is_request = |form: &Form| {
        let registers = form.form_type() == Some(ns::MUC_REGISTER);
        registers && form.kind == FormType::Form && form.field(ALLOW).is_some()
    };
    let Some(form) = form.filter(is_request) else { return false };
    let Some(room) = cx.state.features.rooms.rooms.get_mut(&incoming.with) else { return true };
    let nick = form.value(NICK).filter(|nick| nick.len() <= MAX_NICK_BYTES);
    let (Some(nick), Phase::Entering | Phase::In) = (nick, &room.phase) else { return true };
    let words = form.field(WORDS).map(|field| join::limited(&field.text()));
    let request = Request {
        nick: nick.to_owned(),
        person: form.value(WHO).and_then(|who| BareJid::new(who).ok()),
        words: words.filter(|words| !words.is_empty()),
    };
    let same = |one: &Request| one.nick == request.nick && one.person == request.person;
    room.requests.retain(|one| !same(one));
    if room.requests.len() < MOST {
        room.requests.push(request);
    }
    touch(cx, &incoming.with);
    true
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
        nick: one.nick.clone(),
        address: one.person.clone(),
        words: one.words.clone(),
    });
    shown.collect()
}

/// Lets somebody in who asks, or does not.
pub(super) fn answer(cx: &mut Cx<'_>, number: u64, room: &BareJid, nick: &str, allow: bool) {
    let known = cx.state.features.rooms.rooms.get_mut(room);
    let asked = known.and_then(|known| {
        let at = known.requests.iter().position(|one| one.nick == nick)?;
        Some(known.requests.remove(at))
    });
    let Some(asked) = asked else {
        cx.failed(number, Problem::Unknown("request"));
        return;
    };
    let who = asked.person.map(|person| Field::untyped(WHO).with_value(person.as_str()));
    let form = Form::typed(FormType::Submit, ns::MUC_REGISTER);
    let form = who.into_iter().fold(form, Form::with_field);
    let form = form
        .with_field(Field::untyped(NICK).with_value(asked.nick))
        .with_field(Field::untyped(ALLOW).with_bool(allow));
    let message = Element::new("message", ns::CLIENT)
        .with_attr("to", room.to_string())
        .with_attr("id", cx.rng.id())
        .with_child(form.to_element());
    cx.send(&message);
    touch(cx, room);
    cx.done(number, Outcome::Done);
}

/// Fields of the forms (§15.5.3); who asks is one of Anemone's own.
const NICK: &str = "muc#register_roomnick";
const WORDS: &str = "muc#register_faqentry";
const ALLOW: &str = "muc#register_allow";
const WHO: &str = "x-register_jid";
/// Requests of one room that are shown, and the longest nickname in one.
const MOST: usize = 100;
const MAX_NICK_BYTES: usize = 1023;
