//! What stands between the messages of a room: who came and went, what somebody is now, what it is
//! called and what is talked about
//!
//! Happenings with no message between them are one row, so that a room where much happens and little
//! is said stays small. They are what this device saw: nothing of it is in an archive.

use xmpp::ext::muc::Affiliation;
use xmpp::jid::BareJid;

use crate::cx::{Cx, Step};
use crate::store::{Content, Event, Happened, Happening};
use crate::timeline;

/// Notes what happened to somebody.
pub(super) fn note(
    cx: &mut Cx<'_>,
    address: &BareJid,
    nick: Option<String>,
    person: Option<&BareJid>,
    what: Happened,
) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    if room.is_none_or(|room| !room.kept.entered || !room.kept.wanted) {
        return Ok(());
    }
    let reads = room.is_some_and(|room| !room.caught_up);
    let now = cx.moment();
    let one = Happening { time: now, nick, address: person.cloned(), what };
    let newest = cx.store.before(address, None, 1)?.pop();
    // What was missed will stand between it and what happened before.
    let newest =
        newest.filter(|row| !reads || room.is_some_and(|room| room.happened.contains(&row.id)));
    if let Some(mut message) = newest
        && let Content::Event(Event::Room(all)) = &mut message.content
    {
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(one);
        message.time = now;
        return timeline::save(cx, &message);
    }
    let mut message = timeline::blank(address, address, now);
    message.content = Content::Event(Event::Room(vec![one]));
    let id = timeline::note(cx, message)?;
    if let Some(room) = cx.state.features.rooms.rooms.get_mut(address).filter(|_| reads)
        && room.happened.len() < MOST_ROWS
    {
        room.happened.push(id);
    }
    Ok(())
}

/// A page of the archive is asked for: what it brings was said before what happened since we came in.
/// What is said meanwhile is in one of the pages too.
pub(super) fn give_way(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    for id in room.map(|room| room.happened.clone()).unwrap_or_default() {
        timeline::note_again(cx, id)?;
    }
    Ok(())
}

/// Notes something about the room itself.
pub(super) fn of_room(cx: &mut Cx<'_>, address: &BareJid, what: Happened) -> Step {
    note(cx, address, None, None, what)
}

/// Whether it is noted who comes in and goes out: in a private group everybody stays a member while
/// their devices sleep, and in a large channel nobody wants to know.
pub(super) fn tells_visits(cx: &Cx<'_>, address: &BareJid) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    room.is_some_and(|room| !room.kept.private && room.occupants.len() <= FEW)
}

/// Notes that somebody has another relation to the room. What a private group had been told before
/// all of its members were known is no change.
pub(super) fn affiliated(
    cx: &mut Cx<'_>,
    address: &BareJid,
    person: &BareJid,
    before: Affiliation,
    after: Affiliation,
) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Ok(()) };
    if !room.kept.listed || before == after {
        return Ok(());
    }
    let nick = room.occupants.iter().find(|(_, one)| one.address.as_ref() == Some(person));
    let nick = nick.map(|(nick, _)| nick.clone());
    let what = match (room.kept.private, before, after) {
        (_, _, Affiliation::Outcast) => return Ok(()),
        (true, Affiliation::None | Affiliation::Outcast, Affiliation::Member) => Happened::Joined,
        (true, _, Affiliation::None) => Happened::Removed,
        _ => Happened::Affiliation(after),
    };
    note(cx, address, nick, Some(person), what)
}

/// Happenings in one row; older ones make room.
const MOST: usize = 100;
/// Rows that give way to what was missed.
const MOST_ROWS: usize = 100;
/// In larger channels visits are not noted.
const FEW: usize = 40;
