//! Invitations: through the room (XEP-0045 §7.8.2), and from person to person (XEP-0249)
//!
//! Whoever has several devices answers on one of them. The others learn of it from a message to the
//! own account, encrypted for them ([`ANSWERS`]): it stands behind the invitation in the archive, so
//! those that were away read both in their order. The specifications know no answer that the own
//! devices get: what a person sent is declined in silence, and a refusal that goes to the room is not
//! copied by every server. One that is, by whatever program, counts as well.

use xmpp::ext::hints::Hint;
use xmpp::ext::muc::{Affiliation, Item};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{change, join, members, presence};
use crate::cx::{Cx, Step};
use crate::features::{Flow, roster};
use crate::incoming::{Incoming, Source};
use crate::iq::Answer;
use crate::outbox::Outgoing;
use crate::store::{Content, Encryption, Event};
use crate::timeline;

/// Invites somebody both ways: through the room, which lets them in, and directly, for rooms whose
/// invitations do not get through.
pub(super) fn send(
    cx: &mut Cx<'_>,
    room: &BareJid,
    person: &BareJid,
    reason: Option<&str>,
) -> Step {
    change(cx, room, |kept| {
        kept.asked.retain(|known| known != person);
        if kept.asked.len() >= MAX_ASKED {
            kept.asked.remove(0);
        }
        kept.asked.push(person.clone());
    })?;
    let text = reason.map(|text| Element::new("reason", ns::MUC_USER).with_text(text));
    let invite = Element::new("invite", ns::MUC_USER)
        .with_attr("to", person.to_string())
        .with_children(text);
    let mediated = Element::new("message", ns::CLIENT)
        .with_attr("to", room.to_string())
        .with_attr("id", cx.rng.id())
        .with_child(Element::new("x", ns::MUC_USER).with_child(invite));
    cx.send(&mediated);
    let direct = Element::new("message", ns::CLIENT)
        .with_attr("to", person.to_string())
        .with_attr("id", cx.rng.id())
        .with_child(Element::new("x", ns::CONFERENCE).with_attr("jid", room.to_string()))
        .with_child(Hint::Store.to_element());
    cx.send(&direct);
    Ok(())
}

/// Whether a message is an invitation that a room passes on, or its refusal.
pub(crate) fn is_mediated(incoming: &Incoming) -> bool {
    // What occupants whisper comes from the room as well, with their nicknames.
    let here = incoming.resource.is_none() && !incoming.own && !incoming.room && !incoming.error;
    let x = incoming.child("x", ns::MUC_USER).filter(|_| here);
    x.is_some_and(|x| {
        ["invite", "decline"].iter().any(|name| x.child(name, ns::MUC_USER).is_some())
    })
}

/// An invitation that a room passes on, or that somebody declines one. Who is said to have done it is
/// what the room says.
pub(crate) fn on_mediated(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    let Some(x) = incoming.child("x", ns::MUC_USER) else { return Ok(()) };
    let invite = x.child("invite", ns::MUC_USER);
    let Some(passed) = invite.or_else(|| x.child("decline", ns::MUC_USER)) else { return Ok(()) };
    let by = passed.attr("from").and_then(|by| Jid::new(by).ok());
    let Some(by) = by.filter(|_| incoming.source != Source::Older) else { return Ok(()) };
    let room = &incoming.with;
    let reason = passed.child("reason", ns::MUC_USER).map(Element::text);
    if invite.is_none() {
        return declined(cx, room, by.to_bare(), reason);
    }
    let password = x.child("password", ns::MUC_USER).map(Element::text);
    if incoming.source != Source::CatchUp {
        join::on_called(cx, room)?;
    }
    invited(cx, room, by.to_bare(), reason, password)?;
    // Also when it came from the person before: the room is told of a refusal.
    if super::is_invitation(cx, room) {
        change(cx, room, |kept| kept.inviter = Some(by.to_string()))?;
    }
    Ok(())
}

/// Tells who invited us that we do not come, if the room passed the invitation on. What a person
/// sent is declined in silence (XEP-0249 §2).
pub(super) fn decline(cx: &mut Cx<'_>, room: &BareJid) -> Step {
    if !super::is_invitation(cx, room) {
        return Ok(());
    }
    let mut inviter = None;
    change(cx, room, |kept| inviter = kept.inviter.take())?;
    tell_devices(cx, room)?;
    let Some(inviter) = inviter else { return Ok(()) };
    let decline = Element::new("decline", ns::MUC_USER).with_attr("to", inviter);
    let message = Element::new("message", ns::CLIENT)
        .with_attr("to", room.to_string())
        .with_attr("id", cx.rng.id())
        .with_child(Element::new("x", ns::MUC_USER).with_child(decline))
        .with_child(Hint::Store.to_element());
    cx.send(&message);
    Ok(())
}

/// Tells the other devices of this account that the invitation to a room was answered.
pub(super) fn tell_devices(cx: &mut Cx<'_>, room: &BareJid) -> Step {
    let (to, id) = (cx.me.clone(), cx.rng.id());
    let answered = Element::new("answered", ANSWERS).with_attr("room", room.to_string());
    cx.queue(Outgoing { to, message: None, id, payload: vec![answered], encrypted: true })
}

/// Another device of this account answered an invitation.
pub(super) fn on_answered(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let Some(answered) = incoming.child("answered", ANSWERS) else { return Ok(Flow::Next) };
    let room = answered.attr("room").and_then(|room| BareJid::new(room).ok());
    // In plain text it could be from the server, which does not decide what was answered.
    let ours = incoming.own && incoming.with == *cx.me;
    let ours = ours && matches!(incoming.encryption, Encryption::Omemo { .. });
    if let Some(room) = room.filter(|_| ours) {
        forget(cx, &room, incoming.source)?;
    }
    Ok(Flow::Done)
}

/// A refusal that another device of this account sent to a room.
pub(super) fn on_own(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    let x = incoming.child("x", ns::MUC_USER).filter(|_| incoming.own && !incoming.error);
    if x.is_some_and(|x| x.child("decline", ns::MUC_USER).is_some()) {
        forget(cx, &incoming.with, incoming.source)?;
    }
    Ok(())
}

/// The invitation is open no more, and was seen.
fn forget(cx: &mut Cx<'_>, room: &BareJid, source: Source) -> Step {
    let known = cx.state.features.rooms.rooms.get(room);
    if source == Source::Older || known.is_none_or(|known| known.kept.invited.is_none()) {
        return Ok(());
    }
    change(cx, room, |kept| {
        kept.invited = None;
        kept.inviter = None;
    })?;
    let last = timeline::conversation(cx, room).order;
    timeline::mark_read(cx, room, last)?;
    Ok(())
}

/// Somebody does not come. Whom we made a member for it is none any more: nothing is encrypted for
/// who does not want to read it.
fn declined(cx: &mut Cx<'_>, room: &BareJid, by: BareJid, reason: Option<String>) -> Step {
    let Some(known) = cx.state.features.rooms.rooms.get(room) else { return Ok(()) };
    let present = known.occupants.values().any(|one| one.address.as_ref() == Some(&by));
    let asked = known.kept.asked.contains(&by);
    let member = known.kept.members.iter().find(|(member, _)| *member == by);
    let affiliation = member.and_then(|(_, name)| Affiliation::parse(name)).unwrap_or_default();
    // Nobody else was invited by this account, as far as this device can know.
    let expected = asked || (known.kept.private && affiliation == Affiliation::Member);
    if !known.kept.wanted || present || !expected {
        return Ok(());
    }
    change(cx, room, |kept| kept.asked.retain(|person| *person != by))?;
    let mut message = timeline::blank(room, &by, cx.moment());
    let reason = reason.map(|reason| join::limited(&reason)).filter(|reason| !reason.is_empty());
    message.content = Content::Event(Event::Declined { by: by.clone(), reason });
    let id = timeline::insert(cx, message, true)?;
    if let Some(message) = cx.store.message(id)? {
        let title = roster::name(cx, &by);
        timeline::notify_as(cx, &message, title)?;
    }
    let admin = presence::own(cx, room).0 >= Affiliation::Admin;
    if !asked || !admin || affiliation != Affiliation::Member || !super::is_private(cx, room) {
        return Ok(());
    }
    let (jid, affiliation) = (Some(Jid::from(by.clone())), Some(Affiliation::None));
    let item = Item { jid, affiliation, ..Item::default() };
    let address = room.clone();
    members::set(cx, room, &item, move |cx, answer| match answer {
        Answer::Result(_) => members::learn(cx, &address, &by, Affiliation::None),
        Answer::Error(_) | Answer::Lost => Ok(()),
    })
}

/// An invitation from a person.
pub(super) fn on_direct(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let Some(x) = incoming.child("x", ns::CONFERENCE) else { return Ok(Flow::Next) };
    if incoming.own || incoming.room || incoming.source == Source::Older {
        return Ok(Flow::Next);
    }
    let room = x.attr("jid").and_then(|jid| BareJid::new(jid).ok());
    let Some(room) = room else { return Ok(Flow::Next) };
    let text = |name: &str| x.attr(name).map(str::to_owned);
    invited(cx, &room, incoming.sender.clone(), text("reason"), text("password"))?;
    // The text beside it is for programs that do not know invitations.
    Ok(Flow::Done)
}

/// Shows an invitation once, in the conversation that the room would be.
fn invited(
    cx: &mut Cx<'_>,
    room: &BareJid,
    by: BareJid,
    reason: Option<String>,
    password: Option<String>,
) -> Step {
    let known = cx.state.features.rooms.rooms.get(room);
    if known.is_some_and(|known| known.kept.wanted || known.kept.invited.is_some()) || room == cx.me
    {
        return Ok(());
    }
    // A conversation with a person does not become a room because somebody says so.
    let conversations = &cx.state.features.timeline.conversations;
    if conversations.get(room).is_some_and(|known| !known.room)
        || cx.state.features.roster.contacts.get(room).is_some_and(|contact| contact.in_roster)
    {
        return Ok(());
    }
    let friend = cx.state.features.roster.contacts.get(&by).is_some_and(|one| one.in_roster);
    let waiting = cx.state.features.rooms.rooms.values();
    let waiting = waiting.filter(|room| room.kept.invited.is_some()).count();
    if !friend && waiting >= MAX_INVITATIONS {
        return Ok(());
    }
    let password = password.filter(|text| text.len() <= MAX_PASSWORD_BYTES);
    change(cx, room, |kept| {
        kept.invited = Some(by.clone());
        kept.offered = password.or(kept.offered.take());
    })?;
    let mut conversation = timeline::conversation(cx, room);
    conversation.room = true;
    timeline::save_conversation(cx, conversation)?;
    let mut message = timeline::blank(room, &by, cx.moment());
    let reason = reason.map(|reason| join::limited(&reason)).filter(|reason| !reason.is_empty());
    message.content = Content::Event(Event::Invited { by: by.clone(), reason });
    let id = timeline::insert(cx, message, true)?;
    // What the room is called, the invitation does not say. A stranger's room is not asked: it would
    // learn that somebody is there.
    if friend && cx.online() {
        join::look_from_outside(cx, room)?;
    }
    // Strangers do not interrupt.
    if friend && let Some(message) = cx.store.message(id)? {
        let title = roster::name(cx, &by);
        timeline::notify_as(cx, &message, title)?;
    }
    Ok(())
}

/// The namespace of what own devices tell each other of invitations. It leaves encrypted only.
const ANSWERS: &str = "urn:clownfish:invitations:0";
/// Invitations of strangers that wait at once.
const MAX_INVITATIONS: usize = 20;
const MAX_PASSWORD_BYTES: usize = 1024;
/// People whose answers to invitations to one room are waited for.
const MAX_ASKED: usize = 200;
