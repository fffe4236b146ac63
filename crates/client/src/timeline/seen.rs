//! Messages that were seen before: what is new about them, and where they stand now.

use super::{
    changes, conversation, deleted, moves, reserve, save, save_conversation, ticks, windows,
};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::store::{Delivery, Encryption, Message, Position, Reference, SessionKey};

/// A message, or a change of one, that was seen before gets what is new about it: its id and place in
/// the archive. Says whether it was.
pub(crate) fn recognise(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    match known(cx, incoming)? {
        Some(known) => learn(cx, known, incoming).map(|()| true),
        None => Ok(changes::recognise(cx, incoming)? || deleted::recognise(cx, incoming)?),
    }
}

/// The same for a message whose encryption shows that it was read before: then the message of that id
/// and device is the same one, whatever the program that sent it does with ids.
pub(crate) fn recognise_repeated(
    cx: &mut Cx<'_>,
    incoming: &Incoming,
    session: &SessionKey,
) -> Step<bool> {
    let Some(id) = &incoming.origin_id else { return Ok(false) };
    let reference = Reference::Origin(incoming.sender.clone(), id.clone());
    let known = cx.store.find(&incoming.with, &reference)?.filter(|known| {
        matches!(known.encryption, Encryption::Omemo { version, device, .. }
            if version == session.version && device == session.device)
    });
    let Some(known) = known else { return Ok(false) };
    learn(cx, known, incoming)?;
    Ok(true)
}

fn learn(cx: &mut Cx<'_>, mut known: Message, incoming: &Incoming) -> Step {
    let mut changed = false;
    // A room gives everybody what it got: it is there.
    if incoming.room && known.own && known.delivery.as_ref().is_some_and(is_on_its_way) {
        known.delivery = Some(Delivery::Delivered);
        changed = true;
        // In the order that counts: what others wrote in between came before it.
        let last = conversation(cx, &known.conversation).order <= known.position;
        if incoming.source == Source::Live && incoming.position.is_none() && !last {
            to_the_end(cx, &mut known)?;
        }
    }
    let copy = known.archive_id.is_some()
        && incoming.archive_id.is_some()
        && known.archive_id != incoming.archive_id;
    // Who sends a message again without saying so has it in the archive twice. The first place
    // counts, so that it stands there on every device, whichever copy it saw.
    if copy && incoming.position.is_none_or(|position| position >= known.position) {
        return if changed { save(cx, &known) } else { Ok(()) };
    }
    if incoming.archive_id.is_some() && known.archive_id != incoming.archive_id {
        known.archive_id.clone_from(&incoming.archive_id);
        changed = true;
    }
    // Nothing was written after the archive got it: the clock here was ahead.
    let archived = matches!(incoming.source, Source::CatchUp | Source::Older);
    if archived && incoming.archive_id.is_some() && incoming.time < known.time {
        known.time = incoming.time;
        changed = true;
    }
    if let Some(position) = incoming.position.filter(|position| *position != known.position) {
        let before = std::mem::replace(&mut known.position, position);
        changed = true;
        if known.own {
            ticks::note(cx, &known.conversation, position)?;
        }
        moved(cx, &known, before)?;
    }
    if changed { save(cx, &known) } else { Ok(()) }
}

/// An own message stands where its room has it. The row itself is written by the caller.
fn to_the_end(cx: &mut Cx<'_>, message: &mut Message) -> Step {
    let before = std::mem::replace(&mut message.position, reserve(cx, 1)?);
    windows::on_moved(cx, message, before);
    let mut conversation = conversation(cx, &message.conversation);
    conversation.order = message.position;
    conversation.latest = Some(message.id);
    // It does not drag along what came in between and was not seen.
    if conversation.unread == 0 {
        conversation.read_up_to = conversation.read_up_to.max(Some(message.position));
    }
    save_conversation(cx, conversation)
}

fn is_on_its_way(delivery: &Delivery) -> bool {
    matches!(delivery, Delivery::Queued | Delivery::Sent | Delivery::Failed(_))
}

/// Whether a message, or a change of one, was seen before.
pub(crate) fn is_known(cx: &Cx<'_>, incoming: &Incoming) -> Step<bool> {
    Ok(known(cx, incoming)?.is_some()
        || changes::is_known(cx, incoming)?
        || deleted::is_deleted(cx, incoming)?)
}

fn known(cx: &Cx<'_>, incoming: &Incoming) -> Step<Option<Message>> {
    if let Some(id) = &incoming.archive_id {
        let reference = Reference::Archive(id.clone());
        if let Some(known) = cx.store.find(&incoming.with, &reference)? {
            return Ok(Some(known));
        }
    }
    let Some(id) = &incoming.origin_id else { return Ok(None) };
    let reference = Reference::Origin(incoming.sender.clone(), id.clone());
    let known = cx.store.find(&incoming.with, &reference)?;
    // Some programs count the ids of their stanzas from 1 each time they start.
    Ok(known.filter(|known| {
        let both = known.archive_id.is_some() && incoming.archive_id.is_some();
        incoming.unique || !both
    }))
}

/// A message stands elsewhere now: what was seen, and which is the latest, may be different.
fn moved(cx: &mut Cx<'_>, message: &Message, before: Position) -> Step {
    windows::on_moved(cx, message, before);
    let moves = moves(cx, &message.conversation);
    if before > moves.seen {
        moves.not_seen(message.position);
    }
    // What moves in front of others must not drag those along that were not seen.
    let free = moves.unseen.is_none_or(|unseen| message.position < unseen);
    let seen = before <= moves.seen && free;
    let mut conversation = conversation(cx, &message.conversation);
    if seen && conversation.read_up_to.is_none_or(|mark| message.position > mark) {
        conversation.read_up_to = Some(message.position);
    }
    if conversation.latest == Some(message.id) || message.position > conversation.order {
        // The row itself is written by the caller; until then the store has it where it was.
        let newest = cx.store.before(&message.conversation, None, 2)?;
        let others = newest.iter().filter(|one| one.id != message.id);
        let (mut order, mut latest) = (message.position, message.id);
        for other in others.filter(|other| other.position > message.position) {
            (order, latest) = (other.position, other.id);
        }
        conversation.order = order;
        conversation.latest = Some(latest);
    }
    save_conversation(cx, conversation)
}
