//! What was taken for a room because somebody said so, and is none.
//!
//! Anybody can invite to any address, and addresses are mistyped. Until this account was in a room, or the room
//! answered as rooms do, the address may be a person's: what they write is theirs, and is shown.

use xmpp::jid::BareJid;
use xmpp::ns;

use super::{Room, name_of, save_list};
use crate::cx::{Cx, Step};
use crate::features::bookmarks;
use crate::incoming::Incoming;
use crate::store::{Content, Event};
use crate::timeline;
use crate::view::{Change, Problem};

/// Whether it is known that this is a room.
pub(super) fn is_proven(cx: &Cx<'_>, address: &BareJid) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    room.is_some_and(|room| room.kept.entered || room.kept.proven)
}

/// Whether somebody writes from what was taken for a room. Then it is none from now on.
pub(crate) fn is_of_person(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let encrypted = |namespace| incoming.child("encrypted", namespace).is_some();
    let speaks = incoming.body().is_some() || encrypted(ns::OMEMO) || encrypted(ns::OMEMO_LEGACY);
    let of_room =
        [ns::MUC_USER, ns::DATA_FORMS].iter().any(|one| incoming.child("x", one).is_some());
    if !speaks || of_room {
        return Ok(false);
    }
    forget_mistaken(cx, &incoming.with)
}

/// Somebody is a contact: no room is.
pub(crate) fn on_contact(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    forget_mistaken(cx, address).map(drop)
}

/// Forgets what was taken for a room, if nothing says that it is one. Says whether it did.
fn forget_mistaken(cx: &mut Cx<'_>, address: &BareJid) -> Step<bool> {
    let room = cx.state.features.rooms.rooms.get(address);
    // Of those in the list another device knows better, and one that is being made was never seen.
    let kept = bookmarks::get(cx, address).is_some();
    if kept || is_proven(cx, address) || room.is_none_or(|room| room.making.is_some()) {
        return Ok(false);
    }
    forget(cx, address)?;
    Ok(true)
}

/// It did not work to enter: what nobody ever saw, and nothing was said about, is not remembered.
pub(super) fn forget_if_nothing(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let nothing = |room: &Room| room.kept.invited.is_none() && room.kept.applied.is_none();
    let room = cx.state.features.rooms.rooms.get(address);
    let talked = cx.state.features.timeline.conversations.get(address);
    let talked = talked.is_some_and(|talked| talked.latest.is_some());
    let listed = bookmarks::get(cx, address).is_some();
    if is_proven(cx, address) || talked || listed || !room.is_some_and(nothing) {
        return Ok(());
    }
    forget(cx, address)
}

fn forget(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let Some(mut room) = cx.state.features.rooms.rooms.remove(address) else { return Ok(()) };
    if let Some(number) = room.request.take() {
        cx.failed(number, Problem::Refused("there is no such room".to_owned()));
    }
    for timer in [room.trial.take(), room.retry.take()].into_iter().flatten() {
        cx.cancel(timer);
    }
    let rooms = &mut cx.state.features.rooms;
    rooms.unsaved.remove(address);
    rooms.dirty.remove(address);
    save_list(cx)?;
    cx.store.save_value(&name_of(address), None)?;
    cx.view(Change::RoomRemoved(address.clone()));
    if !cx.state.features.timeline.conversations.contains_key(address) {
        return Ok(());
    }
    let mut invitations = 0;
    for message in cx.store.before(address, None, FEW)? {
        if matches!(message.content, Content::Event(Event::Invited { .. })) {
            timeline::remove(cx, &message)?;
            cx.view(Change::MessageRemoved(address.clone(), message.id));
            invitations += 1;
        }
    }
    let mut conversation = timeline::conversation(cx, address);
    conversation.room = false;
    conversation.unread = conversation.unread.saturating_sub(invitations);
    timeline::save_conversation(cx, conversation)
}

/// Rows at the end of a conversation among which its invitation is looked for.
const FEW: usize = 20;
