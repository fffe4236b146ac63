//! XEP-0424: Message Retraction 0.4.2

use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{Feature, Flow, Spec, Stage, message, rooms, star};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, is_id};
use crate::outbox::{self, Outgoing};
use crate::store::{Content, Delivery, Encryption, Message, Reference, Version};
use crate::timeline;
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "retract",
    specs: &[Spec { number: "XEP-0424", version: "0.4.2" }],
    features: &[ns::RETRACT],
    message: &[(Stage::Amend, on_message)],
    command: Some(command),
    ..Feature::NOTHING
};

/// Takes an earlier message of the same sender back, or shows the trace that an archive kept of one.
fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    if let Some(element) = incoming.child("retract", ns::RETRACT)
        && element.child("moderated", ns::MODERATE).is_some()
    {
        return moderated(cx, incoming, element.attr("id").map(str::to_owned));
    }
    if incoming.child("retracted", ns::RETRACT).is_some() && !incoming.source.is_live() {
        message::show(cx, incoming, Content::Retracted)?;
        return Ok(Flow::Done);
    }
    let id = incoming.child("retract", ns::RETRACT).and_then(|retract| retract.attr("id"));
    let Some(id) = id.filter(|id| is_id(id)) else { return Ok(Flow::Next) };
    let reference = match incoming.room {
        true => Reference::Archive(id.to_owned()),
        false => Reference::Origin(incoming.sender.clone(), id.to_owned()),
    };
    match cx.store.find(&incoming.with, &reference)? {
        Some(original) if !may_take_back(&original, incoming) => return Ok(Flow::Next),
        Some(original) => apply(cx, original, incoming)?,
        None => later::keep(cx, incoming, id, What::Retract)?,
    }
    // The text beside it is for programs that cannot do this.
    Ok(Flow::Done)
}

/// XEP-0425 §5: moderators take a message of a room back. Nobody but the room itself can say so.
fn moderated(cx: &mut Cx<'_>, incoming: &Incoming, id: Option<String>) -> Step<Flow> {
    let Some(id) = id.filter(|id| is_id(id) && rooms::is_from_room(incoming)) else {
        return Ok(Flow::Done);
    };
    match cx.store.find(&incoming.with, &Reference::Archive(id.clone()))? {
        Some(original) => apply_moderation(cx, original)?,
        None => later::keep(cx, incoming, &id, What::Moderate)?,
    }
    Ok(Flow::Done)
}

fn may_take_back(original: &Message, incoming: &Incoming) -> bool {
    rooms::is_same_author(original, incoming)
        && !is_weaker(incoming.encryption, original.encryption)
}

/// Its author takes a message back, if it is theirs.
pub(crate) fn apply(cx: &mut Cx<'_>, original: Message, incoming: &Incoming) -> Step {
    if may_take_back(&original, incoming) { apply_moderation(cx, original) } else { Ok(()) }
}

/// A message is taken back.
pub(crate) fn apply_moderation(cx: &mut Cx<'_>, mut original: Message) -> Step {
    cx.forget_file(&original.content);
    take_back(&mut original);
    star::forget(cx, &original)?;
    timeline::save(cx, &original)
}

/// Whether somebody in between could have written it, who could not have written the original. The
/// older version of OMEMO leaves retractions and reactions in plain sight, so they can be without
/// protection there.
pub(crate) fn is_weaker(change: Encryption, original: Encryption) -> bool {
    let hides = |encryption| match encryption {
        Encryption::Omemo { version, .. } => version == Version::Omemo2,
        Encryption::None => false,
    };
    hides(original) && !hides(change)
}

fn take_back(message: &mut Message) {
    message.content = Content::Retracted;
    message.versions.clear();
    message.edits.clear();
    message.reactions.clear();
    message.reply = None;
    message.starred = false;
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::Retract(id) = command else { return Ok(Some(command)) };
    let Some(mut message) = cx.store.message(id)? else {
        cx.failed(number, Problem::Unknown("message"));
        return Ok(None);
    };
    // What nobody can have seen is not talked about: it is not sent at all.
    let here = match message.delivery.as_ref().filter(|_| message.own) {
        Some(Delivery::Queued) => !outbox::may_have_left(cx, id),
        Some(Delivery::Failed(_)) => message.stayed,
        _ => false,
    };
    if here {
        message::discard(cx, number, id)?;
        return Ok(None);
    }
    let (true, Some(origin)) = (message.own, rooms::reference(cx, &message)) else {
        let problem = Problem::Invalid("only own messages can be taken back".to_owned());
        cx.failed(number, problem);
        return Ok(None);
    };
    let before = message.clone();
    take_back(&mut message);
    timeline::save(cx, &message)?;
    let star = star::forget(cx, &message)?;
    let payload = vec![
        Element::new("retract", ns::RETRACT).with_attr("id", origin),
        Element::new("fallback", ns::FALLBACK).with_attr("for", ns::RETRACT),
        Element::new("body", ns::CLIENT).with_text(FALLBACK),
        Element::new("store", ns::HINTS),
    ];
    let outgoing = Outgoing::about(cx, &message, payload);
    cx.queue_then(outgoing, move |cx, result| match result {
        Ok(()) => {
            cx.forget_file(&before.content);
            cx.done(number, Outcome::Done);
            Ok(())
        }
        Err(reason) => {
            cx.failed(number, Problem::NotEncryptable(reason));
            timeline::revert(cx, &before)?;
            star::restore(cx, &before.conversation, star)
        }
    })?;
    Ok(None)
}

/// What programs show that cannot take messages back.
const FALLBACK: &str = "/me took back an earlier message, which this program cannot do.";
