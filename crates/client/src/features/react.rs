//! XEP-0444: Message Reactions 0.2.1

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{Feature, Flow, Spec, Stage, rooms};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, is_id};
use crate::outbox::Outgoing;
use crate::store::{Content, Message, Reaction, Reference};
use crate::timeline;
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "react",
    specs: &[Spec { number: "XEP-0444", version: "0.2.1" }],
    features: &[ns::REACTIONS],
    message: &[(Stage::Amend, on_message)],
    command: Some(command),
    ..Feature::NOTHING
};

/// The whole set of somebody's reactions to a message of either side.
fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let Some(reactions) = incoming.child("reactions", ns::REACTIONS) else {
        return Ok(Flow::Next);
    };
    let Some(id) = reactions.attr("id").filter(|id| is_id(id)) else { return Ok(Flow::Done) };
    let children = reactions.children().filter(|child| child.is("reaction", ns::REACTIONS));
    let emoji = set(children.map(Element::text));
    match target(cx, incoming, id)? {
        Some(message) => apply(cx, message, incoming, emoji)?,
        None => later::keep(cx, incoming, id, What::React(emoji))?,
    }
    Ok(Flow::Done)
}

/// Keeps somebody's reactions to a message.
pub(crate) fn apply(
    cx: &mut Cx<'_>,
    mut message: Message,
    incoming: &Incoming,
    emoji: Vec<String>,
) -> Step {
    let by = Reaction {
        sender: incoming.sender.clone(),
        occupant: incoming.occupant.clone(),
        emoji,
        time: incoming.time,
    };
    if react(&mut message, by) { timeline::save(cx, &message) } else { Ok(()) }
}

/// The message it is about: of either side, or the one that a room gave this id.
fn target(cx: &Cx<'_>, incoming: &Incoming, id: &str) -> Step<Option<Message>> {
    if incoming.room {
        return cx.store.find(&incoming.with, &Reference::Archive(id.to_owned()));
    }
    for author in [cx.me, &incoming.with] {
        let reference = Reference::Origin(author.clone(), id.to_owned());
        if let Some(message) = cx.store.find(&incoming.with, &reference)? {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

/// Each once, and no more than can be shown.
fn set(emoji: impl Iterator<Item = String>) -> Vec<String> {
    let mut set: Vec<String> = Vec::new();
    for one in emoji.map(|one| one.trim().to_owned()) {
        let fits = !one.is_empty() && one.len() <= MAX_EMOJI_BYTES && set.len() < MAX_EMOJI;
        if fits && !set.contains(&one) {
            set.push(one);
        }
    }
    set
}

/// Replaces somebody's reactions, unless they are older than what is known. An empty set stays as a
/// mark of its time.
fn react(message: &mut Message, by: Reaction) -> bool {
    if message.content == Content::Retracted || message.reactions.len() >= MAX_PEOPLE {
        return false;
    }
    match message.reactions.iter_mut().find(|one| is_same(one, &by, &message.conversation)) {
        Some(known) if known.time > by.time => return false,
        Some(known) => *known = by,
        None => message.reactions.push(by),
    }
    true
}

/// Whether two reactions are of one person. Where a room hides addresses everybody has that of the
/// room; those are told apart by their ids, or else by their names.
fn is_same(one: &Reaction, other: &Reaction, conversation: &BareJid) -> bool {
    if one.sender != other.sender || one.sender != *conversation {
        return one.sender == other.sender;
    }
    match (&one.occupant, &other.occupant) {
        (Some(one), Some(other)) => match (&one.id, &other.id) {
            (None, None) => one.nick == other.nick,
            (one, other) => one == other,
        },
        (one, other) => one == other,
    }
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::React(id, emoji) = command else { return Ok(Some(command)) };
    let Some(mut message) = cx.store.message(id)? else {
        cx.failed(number, Problem::Unknown("message"));
        return Ok(None);
    };
    let Some(origin) = rooms::reference(cx, &message) else {
        cx.failed(number, Problem::Invalid("this message has no id".to_owned()));
        return Ok(None);
    };
    let before = message.clone();
    let emoji = set(emoji.into_iter());
    let time = cx.time();
    let (sender, occupant) = (cx.me.clone(), None);
    react(&mut message, Reaction { sender, occupant, emoji: emoji.clone(), time });
    timeline::save(cx, &message)?;
    let children =
        emoji.into_iter().map(|one| Element::new("reaction", ns::REACTIONS).with_text(one));
    let payload = vec![
        Element::new("reactions", ns::REACTIONS).with_attr("id", origin).with_children(children),
        Element::new("store", ns::HINTS),
    ];
    let outgoing = Outgoing::about(cx, &message.conversation, payload);
    cx.queue_then(outgoing, move |cx, result| match result {
        Ok(()) => {
            cx.done(number, Outcome::Done);
            Ok(())
        }
        Err(reason) => {
            cx.failed(number, Problem::NotEncryptable(reason));
            timeline::revert(cx, &before)
        }
    })?;
    Ok(None)
}

/// Reactions of one person to one message, and the length of one.
const MAX_EMOJI: usize = 20;
const MAX_EMOJI_BYTES: usize = 64;
/// People who react to one message.
const MAX_PEOPLE: usize = 1000;
