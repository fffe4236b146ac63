//! XEP-0444: Message Reactions 0.2.1

use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{Feature, Flow, Spec, Stage, retract, rooms};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source, is_id};
use crate::outbox::Outgoing;
use crate::store::{Message, Reaction, Reference};
use crate::timeline::{self, changes};
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
    // Whoever is in between could otherwise put a nod under any question.
    if retract::is_weaker(incoming.encryption, message.encryption) {
        return Ok(());
    }
    let mark = changes::mark(cx, incoming)?;
    let by = Reaction {
        sender: incoming.sender.clone(),
        occupant: incoming.occupant.clone(),
        emoji,
        time: incoming.time,
        mark: mark.clone(),
        earlier: Vec::new(),
    };
    if !changes::react(&mut message, by) {
        return Ok(());
    }
    changes::save_changed(cx, &message, &incoming.sender, &mark, incoming.source)
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
    let emoji = set(emoji.into_iter());
    let children = emoji.iter().map(|one| Element::new("reaction", ns::REACTIONS).with_text(one));
    let payload = vec![
        Element::new("reactions", ns::REACTIONS).with_attr("id", origin).with_children(children),
        Element::new("store", ns::HINTS),
    ];
    let outgoing = Outgoing::about(cx, &message, payload);
    let (stanza, time) = (outgoing.id.clone(), cx.moment());
    let (mark, me) = (changes::own_mark(cx, &stanza)?, cx.me.clone());
    let (sender, occupant, earlier) = (me.clone(), None, Vec::new());
    let by = Reaction { sender, occupant, emoji, time, mark: mark.clone(), earlier };
    changes::react(&mut message, by);
    changes::save_changed(cx, &message, &me, &mark, Source::Live)?;
    cx.queue_then(outgoing, move |cx, result| match result {
        Ok(()) => {
            cx.done(number, Outcome::Done);
            Ok(())
        }
        Err(reason) => {
            cx.failed(number, Problem::NotEncryptable(reason));
            let Some(mut message) = cx.store.message(id)? else { return Ok(()) };
            changes::undo_reaction(&mut message, &me, &stanza);
            timeline::save(cx, &message)
        }
    })?;
    Ok(None)
}

/// Reactions of one person to one message, and the length of one.
const MAX_EMOJI: usize = 20;
const MAX_EMOJI_BYTES: usize = 64;
