//! XEP-0308: Last Message Correction 1.2.1

use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{Feature, Flow, Spec, Stage, message, rooms, star};
use crate::command::{Command, MAX_TEXT_BYTES};
use crate::cx::{Cx, Step};
use crate::effect::Effect;
use crate::incoming::{Incoming, Source, is_id};
use crate::outbox::{self, Outgoing};
use crate::store::{Content, Delivery, Encryption, Mark, Message, MessageId, Reference};
use crate::timeline::{self, changes};
use crate::view::{Change, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "correct",
    specs: &[Spec { number: "XEP-0308", version: "1.2.1" }],
    features: &[ns::CORRECT],
    message: &[(Stage::Amend, on_message)],
    command: Some(command),
    ..Feature::NOTHING
};

/// Replaces the text of an earlier message of the same sender. What corrects nothing that is known
/// is a message of its own.
fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let id = incoming.child("replace", ns::CORRECT).and_then(|replace| replace.attr("id"));
    let Some(id) = id.filter(|id| is_id(id)) else { return Ok(Flow::Next) };
    let Some(text) = incoming.body() else { return Ok(Flow::Next) };
    let reference = Reference::Origin(incoming.sender.clone(), id.to_owned());
    let Some(original) = cx.store.find(&incoming.with, &reference)? else {
        let deleted = timeline::is_about_deleted(cx, incoming, id)?;
        return Ok(if deleted { Flow::Done } else { Flow::Next });
    };
    if !may_correct(&original, incoming) {
        return Ok(Flow::Next);
    }
    let mark = changes::mark(cx, incoming)?;
    apply(cx, original, incoming, text, mark)?;
    Ok(Flow::Done)
}

/// Whether somebody may replace the text of a message.
fn may_correct(original: &Message, incoming: &Incoming) -> bool {
    // Whoever is in between could otherwise rewrite what was protected.
    let weaker = original.encryption != Encryption::None && incoming.encryption == Encryption::None;
    !weaker && rooms::is_same_author(original, incoming)
}

/// Replaces the text of a message.
fn apply(
    cx: &mut Cx<'_>,
    mut original: Message,
    incoming: &Incoming,
    text: String,
    mark: Mark,
) -> Step {
    if !matches!(original.content, Content::Text(_)) {
        return Ok(());
    }
    let text = match &original.reply {
        Some(reply) => super::reply::without_fallback(incoming, reply, &text),
        None => text,
    };
    if changes::correct(&mut original, mark.clone(), incoming.time, message::limited(text)) {
        original.encryption = incoming.encryption;
    }
    changes::save_changed(cx, &original, &incoming.sender, &mark, incoming.source)
}

/// A correction of something that is not here was shown as a message of its own.
pub(crate) fn keep_for_later(cx: &mut Cx<'_>, incoming: &Incoming, row: MessageId) -> Step {
    let id = incoming.child("replace", ns::CORRECT).and_then(|replace| replace.attr("id"));
    let (Some(id), Some(text)) = (id.filter(|id| is_id(id)), incoming.body()) else {
        return Ok(());
    };
    let reference = Reference::Origin(incoming.sender.clone(), id.to_owned());
    if cx.store.find(&incoming.with, &reference)?.is_some() {
        return Ok(());
    }
    later::keep(cx, incoming, id, What::Correct(message::limited(text), row))
}

/// What it corrects is here now: the message of its own goes.
pub(crate) fn apply_later(
    cx: &mut Cx<'_>,
    original: Message,
    incoming: &Incoming,
    text: String,
    row: MessageId,
) -> Step {
    if original.id == row || !may_correct(&original, incoming) {
        return Ok(());
    }
    let Some(shown) = cx.store.message(row)? else { return Ok(()) };
    let id = original.id;
    apply(cx, original, incoming, text, changes::mark_of_row(&shown))?;
    star::on_corrected(cx, &shown, id)?;
    timeline::remove(cx, &shown)?;
    cx.view(Change::MessageRemoved(shown.conversation, row));
    Ok(())
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::Correct(id, text) = command else { return Ok(Some(command)) };
    if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES {
        let problem = format!("a message has 1 to {MAX_TEXT_BYTES} bytes");
        cx.failed(number, Problem::Invalid(problem));
        return Ok(None);
    }
    match cx.store.message(id)? {
        Some(message) if message.own && matches!(message.content, Content::Text(_)) => {
            correct(cx, number, id, message, text)?;
        }
        Some(_) => {
            let problem = Problem::Invalid("only own texts can be corrected".to_owned());
            cx.failed(number, problem);
        }
        None => cx.failed(number, Problem::Unknown("message")),
    }
    Ok(None)
}

fn correct(
    cx: &mut Cx<'_>,
    number: u64,
    id: MessageId,
    mut message: Message,
    text: String,
) -> Step {
    // What nobody has seen yet is simply another message.
    if matches!(message.delivery, Some(Delivery::Queued | Delivery::Failed(_)))
        && !outbox::may_have_left(cx, id)
    {
        message.content = Content::Text(text);
        message::renew(cx, &mut message);
        timeline::save(cx, &message)?;
        timeline::expect(cx, id, number);
        return message::submit(cx, id);
    }
    let Some(origin) = message.origin_id.clone() else {
        cx.failed(number, Problem::Invalid("this message has no id".to_owned()));
        return Ok(());
    };
    let encrypted = timeline::is_protected(cx, &message);
    let mut payload = super::reply::payload(cx, &message, &text, encrypted)?;
    payload.push(Element::new("replace", ns::CORRECT).with_attr("id", origin));
    payload.push(Element::new("store", ns::HINTS));
    let outgoing = Outgoing::about(cx, &message, payload);
    cx.effects.push(Effect::Kept(number, id));
    let (stanza, time) = (outgoing.id.clone(), cx.moment());
    let (mark, me) = (changes::own_mark(cx, &stanza)?, cx.me.clone());
    changes::correct(&mut message, mark.clone(), time, text);
    changes::save_changed(cx, &message, &me, &mark, Source::Live)?;
    cx.queue_then(outgoing, move |cx, result| match result {
        Ok(()) => {
            cx.done(number, crate::view::Outcome::Done);
            Ok(())
        }
        Err(reason) => {
            cx.failed(number, Problem::NotEncryptable(reason));
            let Some(mut message) = cx.store.message(id)? else { return Ok(()) };
            changes::undo_correction(&mut message, &stanza);
            timeline::save(cx, &message)
        }
    })
}
