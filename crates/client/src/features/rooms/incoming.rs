//! A message of a room: who wrote it, and what proves that

use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, Room, change, happenings, join, members};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source, is_id};
use crate::store::{Happened, Message, Occupant, Reference};
use crate::timeline;

/// A message of type `groupchat`, live or from the room's archive; `None` when it is of no room that
/// we are in, or says nothing but what the room is now.
///
/// Who wrote it is what the room says: in live messages by the presence of the occupant, in archived
/// ones by the `<item/>` that the archive adds (XEP-0313, "MUC Archives"), in both by the id where
/// the room guards those (XEP-0421).
pub(crate) fn of(cx: &mut Cx<'_>, message: &Element, source: Source) -> Step<Option<Incoming>> {
    let Some(from) = message.attr("from").and_then(|from| Jid::new(from).ok()) else {
        return Ok(None);
    };
    let address = from.to_bare();
    let now = cx.now.steady;
    let Some(room) = cx.state.features.rooms.rooms.get_mut(&address) else { return Ok(None) };
    if room.phase != Phase::In {
        return Ok(None);
    }
    room.heard = now;
    let nick = from.resource().map(ToString::to_string);
    if nick.is_none() && source == Source::Live {
        announced(cx, &address, message)?;
    }
    let body = message.child("body", ns::CLIENT).is_some();
    if let Some(subject) = message.child("subject", ns::CLIENT).filter(|_| !body) {
        if source == Source::Live {
            let subject = Some(join::limited(&subject.text())).filter(|text| !text.is_empty());
            talked_about(cx, &address, nick, subject)?;
        }
        return Ok(None);
    }
    let author = author(cx, &address, nick, message, source)?;
    let Some(mut incoming) = Incoming::of_room(message, &address, source, cx.moment()) else {
        return Ok(None);
    };
    incoming.sender = author.sender;
    incoming.own = author.own;
    incoming.unique = author.own;
    incoming.occupant = author.occupant;
    let room = cx.state.features.rooms.rooms.get(&address);
    if source == Source::Live && room.is_some_and(Room::makes_ids) {
        incoming.archive_id = incoming.stanza_id(&address);
    }
    Ok(Some(incoming))
}

/// What is talked about, also from now on.
fn talked_about(
    cx: &mut Cx<'_>,
    address: &BareJid,
    nick: Option<String>,
    subject: Option<String>,
) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Ok(()) };
    let new = room.kept.subject_told && room.kept.subject != subject;
    let person = nick.as_ref().and_then(|nick| room.occupants.get(nick)?.address.clone());
    change(cx, address, |kept| {
        kept.subject_told = true;
        kept.subject.clone_from(&subject);
    })?;
    if !new {
        return Ok(());
    }
    happenings::note(cx, address, nick, person.as_ref(), Happened::Subject(subject))
}

/// What the room itself tells everybody: it is configured anew (§10.2.1), or somebody who is not
/// there has another affiliation.
fn announced(cx: &mut Cx<'_>, address: &BareJid, message: &Element) -> Step {
    let Some(x) = message.child("x", ns::MUC_USER) else { return Ok(()) };
    if x.children().any(|child| child.is("status", ns::MUC_USER)) {
        join::refresh(cx, address)?;
    }
    let items = x.children().filter(|child| child.is("item", ns::MUC_USER));
    for item in items.filter_map(xmpp::ext::muc::Item::parse) {
        if let (Some(person), Some(affiliation)) = (item.jid, item.affiliation) {
            members::learn(cx, address, &person.to_bare(), affiliation)?;
        }
    }
    Ok(())
}

struct Author {
    sender: BareJid,
    own: bool,
    occupant: Option<Occupant>,
}

fn author(
    cx: &Cx<'_>,
    address: &BareJid,
    nick: Option<String>,
    message: &Element,
    source: Source,
) -> Step<Author> {
    let nobody = Author { sender: address.clone(), own: false, occupant: None };
    let room = cx.state.features.rooms.rooms.get(address);
    let (Some(room), Some(nick)) = (room, nick) else { return Ok(nobody) };
    let id = message.child("occupant-id", ns::OCCUPANT_ID).and_then(|id| id.attr("id"));
    let id = id.filter(|id| room.has(ns::OCCUPANT_ID) && is_id(id)).map(str::to_owned);
    let live = source == Source::Live;
    let told = match live {
        true => room.occupants.get(&nick).and_then(|occupant| occupant.address.clone()),
        false => archived_address(room, message),
    };
    let person = told.or_else(|| room.kept.ids.get(id.as_ref()?).cloned());
    let own = match (&person, &id, &room.kept.id) {
        (Some(person), ..) => person == cx.me,
        (None, Some(id), Some(own)) => id == own,
        // A room that proves nothing: live, the nickname is ours alone; later, it is ours if we
        // know that we wrote it.
        (None, ..) if live => room.nick.as_ref() == Some(&nick),
        (None, ..) => is_known_as_own(cx, address, message)?,
    };
    let sender = if own { cx.me.clone() } else { person.unwrap_or_else(|| address.clone()) };
    Ok(Author { sender, own, occupant: Some(Occupant { nick, id }) })
}

/// The address that the archive added. Archives remove what others write there (XEP-0313, "MUC
/// message spoofing").
fn archived_address(room: &Room, message: &Element) -> Option<BareJid> {
    let x = message.child("x", ns::MUC_USER).filter(|_| room.has(ns::MAM))?;
    let item = xmpp::ext::muc::Item::parse(x.child("item", ns::MUC_USER)?)?;
    item.jid.map(|jid| jid.to_bare())
}

fn is_known_as_own(cx: &Cx<'_>, address: &BareJid, message: &Element) -> Step<bool> {
    let Some(id) = message.attr("id").filter(|id| is_id(id)) else { return Ok(false) };
    let reference = Reference::Origin(cx.me.clone(), id.to_owned());
    Ok(cx.store.find(address, &reference)?.is_some())
}

/// Whether the room itself speaks, and nobody in it.
pub(crate) fn is_from_room(incoming: &Incoming) -> bool {
    incoming.room && incoming.occupant.is_none() && incoming.sender == incoming.with
}

/// Whether who wrote a message may change it: it is the same person, and that is proven.
pub(crate) fn is_same_author(message: &Message, incoming: &Incoming) -> bool {
    if message.own || incoming.own {
        return message.own && incoming.own;
    }
    if message.sender != incoming.sender {
        return false;
    }
    // Where addresses are hidden everybody has that of the room.
    if !incoming.room || incoming.sender != incoming.with {
        return true;
    }
    let id = |occupant: &Option<Occupant>| occupant.as_ref().and_then(|one| one.id.clone());
    let (one, other) = (id(&message.occupant), id(&incoming.occupant));
    one.is_some() && one == other
}

/// Whether a text names us, by the nickname that the room calls us.
pub(crate) fn mentions_us(cx: &Cx<'_>, address: &BareJid, text: &str) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    let Some(nick) = room.and_then(|room| room.nick.clone()) else { return false };
    let (text, nick) = (text.to_lowercase(), nick.to_lowercase());
    let of_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    !nick.is_empty()
        && text.match_indices(&nick).any(|(at, _)| {
            let (before, rest) = text.split_at(at);
            let after = rest.get(nick.len()..).unwrap_or_default();
            !of_word(before.chars().next_back()) && !of_word(after.chars().next())
        })
}

/// The id by which others refer to a message: in a room the one that the room gave it (XEP-0424,
/// XEP-0444 and XEP-0461, business rules), elsewhere that of its sender.
pub(crate) fn reference(cx: &Cx<'_>, message: &Message) -> Option<String> {
    let room = timeline::conversation(cx, &message.conversation).room;
    if room { message.archive_id.clone() } else { message.origin_id.clone() }
}
