//! Invitations: through the room (XEP-0045 §7.8.2), and from person to person (XEP-0249)

use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{change, join};
use crate::cx::{Cx, Step};
use crate::features::{Flow, roster};
use crate::incoming::{Incoming, Source};
use crate::store::{Content, Event};
use crate::timeline;

/// Invites somebody both ways: through the room, which lets them in, and directly, for rooms whose
/// invitations do not get through.
pub(super) fn send(cx: &mut Cx<'_>, room: &BareJid, person: &BareJid, reason: Option<&str>) {
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
        .with_child(Element::new("x", ns::CONFERENCE).with_attr("jid", room.to_string()));
    cx.send(&direct);
}

/// An invitation that a room passes on; `false` when the message is none. Who is said to have
/// invited is what the room says.
pub(crate) fn on_mediated(cx: &mut Cx<'_>, message: &Element) -> Step<bool> {
    let x = message.child("x", ns::MUC_USER);
    let Some((x, invite)) = x.and_then(|x| Some((x, x.child("invite", ns::MUC_USER)?))) else {
        return Ok(false);
    };
    let from = message.attr("from").and_then(|from| BareJid::new(from).ok());
    let by = invite.attr("from").and_then(|by| Jid::new(by).ok()).map(|by| by.to_bare());
    if let (Some(room), Some(by)) = (from, by)
        && message.attr("type") != Some("error")
    {
        let reason = invite.child("reason", ns::MUC_USER).map(Element::text);
        let password = x.child("password", ns::MUC_USER).map(Element::text);
        invited(cx, &room, by, reason, password)?;
    }
    Ok(true)
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
        kept.password = password.or(kept.password.take());
    })?;
    let mut conversation = timeline::conversation(cx, room);
    conversation.room = true;
    timeline::save_conversation(cx, conversation)?;
    let mut message = timeline::blank(room, &by, cx.time());
    let reason = reason.map(|reason| join::limited(&reason)).filter(|reason| !reason.is_empty());
    message.content = Content::Event(Event::Invited { by: by.clone(), reason });
    let id = timeline::insert(cx, message, true)?;
    // Strangers do not interrupt.
    if friend && let Some(message) = cx.store.message(id)? {
        let title = roster::name(cx, &by);
        timeline::notify_as(cx, &message, title);
    }
    Ok(())
}

/// Invitations of strangers that wait at once.
const MAX_INVITATIONS: usize = 20;
const MAX_PASSWORD_BYTES: usize = 1024;
