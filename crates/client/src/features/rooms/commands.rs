//! What a user can ask for about rooms

use xmpp::ext::muc::{Affiliation, Item};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, change, config, create, invite, join, links, members, presence, requests};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::features::bookmarks;
use crate::iq::Answer;
use crate::store::MessageId;
use crate::view::{Outcome, Problem};

pub(super) fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::CreateRoom { room, name, public, people } => {
            let wanted = create::Wanted { number, address: room, name, public, people };
            create::begin(cx, wanted)?;
        }
        Command::JoinRoom { room, nick, password } => enter(cx, number, &room, nick, password)?,
        Command::LeaveRoom(room) => {
            if known(cx, number, &room) {
                invite::decline(cx, &room)?;
                join::leave(cx, &room)?;
                bookmarks::leave(cx, &room)?;
                cx.done(number, Outcome::Done);
            }
        }
        Command::DestroyRoom(room, reason) => {
            if inside(cx, number, &room) {
                create::destroy(cx, number, &room, reason.as_deref())?;
            }
        }
        Command::InviteToRoom { room, person, reason } => {
            if inside(cx, number, &room) {
                invite_person(cx, number, &room, person, reason)?;
            }
        }
        Command::SetAffiliation { room, person, affiliation, reason } => {
            if inside(cx, number, &room) {
                let jid = Some(Jid::from(person.clone()));
                let affiliation = Some(affiliation);
                set(cx, number, &room, Item { jid, affiliation, reason, ..Item::default() })?;
            }
        }
        Command::SetRole { room, nick, role, reason } => {
            if inside(cx, number, &room) {
                let (nick, role) = (Some(nick), Some(role));
                set(cx, number, &room, Item { nick, role, reason, ..Item::default() })?;
            }
        }
        Command::SetRoomName(room, name) => {
            if inside(cx, number, &room) {
                config::rename(cx, number, &room, &name)?;
            }
        }
        Command::SetRoomAvatar(room, png) => {
            if inside(cx, number, &room) {
                config::set_picture(cx, number, &room, png)?;
            }
        }
        Command::SetSubject(room, text) => {
            if inside(cx, number, &room) {
                let subject = Element::new("subject", ns::CLIENT).with_text(text);
                send(cx, &room, subject);
                cx.done(number, Outcome::Done);
            }
        }
        Command::SetRoomNick(room, nick) => rename(cx, number, &room, &nick)?,
        Command::Moderate(id, reason) => moderate(cx, number, id, reason)?,
        command => return who_comes_in(cx, number, command),
    }
    Ok(None)
}

/// Links to a room, and who asks to be let in.
fn who_comes_in(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::RoomLink { room, seconds } => {
            if inside(cx, number, &room) {
                links::make(cx, number, room, seconds)?;
            }
        }
        Command::RoomLinks(room) => {
            if inside(cx, number, &room) {
                links::list(cx, number, room)?;
            }
        }
        Command::AskToJoin { room, nick, words } => {
            requests::ask(cx, number, room, nick, words)?;
        }
        Command::WithdrawJoinRequest(room) => requests::withdraw(cx, number, room)?,
        Command::AnswerJoinRequest { room, nick, person, allow } => {
            if inside(cx, number, &room) {
                requests::answer(cx, number, &room, (&nick, person.as_ref()), allow)?;
            }
        }
        Command::RevokeRoomLinks(room) => {
            if inside(cx, number, &room) {
                links::revoke(cx, number, room)?;
            }
        }
        command => return Ok(Some(command)),
    }
    Ok(None)
}

fn known(cx: &mut Cx<'_>, number: u64, room: &BareJid) -> bool {
    let known = super::is_room(cx, room);
    if !known {
        cx.failed(number, Problem::Unknown("room"));
    }
    known
}

fn inside(cx: &mut Cx<'_>, number: u64, room: &BareJid) -> bool {
    let inside = super::is_room(cx, room) && super::is_ready(cx, room);
    if !inside {
        cx.failed(number, Problem::Invalid("you are not in this room".to_owned()));
    }
    inside
}

fn enter(
    cx: &mut Cx<'_>,
    number: u64,
    room: &BareJid,
    nick: Option<String>,
    password: Option<xmpp::sasl::Secret>,
) -> Step {
    // What is known as a person does not become a room. Who only looked whether somebody is there
    // does not know anybody yet.
    let known = cx.state.features.timeline.conversations.get(room);
    let talked = known.is_some_and(|known| !known.room && known.latest.is_some());
    let contact = cx.state.features.roster.contacts.get(room);
    if talked || contact.is_some_and(|contact| contact.in_roster) || room == cx.me {
        cx.failed(number, Problem::Invalid("this is the address of a person".to_owned()));
        return Ok(());
    }
    let password = password.and_then(|password| password.expose_str().map(str::to_owned));
    let known = cx.state.features.rooms.rooms.get(room);
    // Who is in needs none.
    let password = password.filter(|_| known.is_none_or(|known| known.phase != Phase::In));
    change(cx, room, |kept| {
        kept.wanted = true;
        kept.nick = nick.or(kept.nick.take());
        kept.offered = password.or(kept.offered.take());
    })?;
    let Some(known) = cx.state.features.rooms.rooms.get_mut(room) else {
        cx.failed(number, Problem::Invalid("there are too many rooms".to_owned()));
        return Ok(());
    };
    if known.phase == Phase::In {
        cx.done(number, Outcome::Room(room.clone()));
        return Ok(());
    }
    if let Some(earlier) = known.request.replace(number) {
        cx.failed(earlier, Problem::Cancelled);
    }
    join::enter(cx, room)
}

/// In a room for members only whoever is invited becomes one, if we may make members.
fn invite_person(
    cx: &mut Cx<'_>,
    number: u64,
    room: &BareJid,
    person: BareJid,
    reason: Option<String>,
) -> Step {
    let (affiliation, _) = presence::own(cx, room);
    if !super::is_private(cx, room) || affiliation < Affiliation::Admin {
        invite::send(cx, room, &person, reason.as_deref())?;
        cx.done(number, Outcome::Done);
        return Ok(());
    }
    let jid = Some(Jid::from(person.clone()));
    let item = Item { jid, affiliation: Some(Affiliation::Member), ..Item::default() };
    let address = room.clone();
    members::set(cx, room, &item, move |cx, answer| {
        if let Answer::Result(_) = answer {
            members::learn(cx, &address, &person, Affiliation::Member)?;
            invite::send(cx, &address, &person, reason.as_deref())?;
        }
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}

fn set(cx: &mut Cx<'_>, number: u64, room: &BareJid, item: Item) -> Step {
    let address = room.clone();
    let told = item.jid.as_ref().map(Jid::to_bare).zip(item.affiliation);
    members::set(cx, room, &item, move |cx, answer| {
        if let (Answer::Result(_), Some((person, affiliation))) = (&answer, told) {
            members::learn(cx, &address, &person, affiliation)?;
        }
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}

fn rename(cx: &mut Cx<'_>, number: u64, room: &BareJid, nick: &str) -> Step {
    if !inside(cx, number, room) {
        return Ok(());
    }
    let Ok(to) = room.with_resource_str(nick) else {
        cx.failed(number, Problem::Invalid("this nickname cannot be used".to_owned()));
        return Ok(());
    };
    join::end_renaming(cx, room, Err(Problem::Cancelled))?;
    if let Some(known) = cx.state.features.rooms.rooms.get_mut(room) {
        known.renaming = Some(number);
    }
    cx.send(&Element::new("presence", ns::CLIENT).with_attr("to", to.to_string()));
    let room = room.clone();
    cx.later(RENAME_TIMEOUT, move |cx| {
        let known = cx.state.features.rooms.rooms.get(&room);
        match known.is_some_and(|known| known.renaming == Some(number)) {
            true => join::end_renaming(cx, &room, Err(Problem::Timeout)),
            false => Ok(()),
        }
    });
    Ok(())
}

fn send(cx: &mut Cx<'_>, room: &BareJid, payload: Element) {
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", "groupchat")
        .with_attr("to", room.to_string())
        .with_attr("id", cx.rng.id())
        .with_child(payload);
    cx.send(&message);
}

/// XEP-0425 §4: asks the room to take a message of somebody else back. What follows comes from the
/// room.
fn moderate(cx: &mut Cx<'_>, number: u64, id: MessageId, reason: Option<String>) -> Step {
    let Some(message) = cx.store.message(id)? else {
        cx.failed(number, Problem::Unknown("message"));
        return Ok(());
    };
    let room = message.conversation;
    if !inside(cx, number, &room) {
        return Ok(());
    }
    let Some(stanza) = message.archive_id else {
        cx.failed(number, Problem::Invalid("the room gave this message no id".to_owned()));
        return Ok(());
    };
    let reason = reason.map(|text| Element::new("reason", ns::MODERATE).with_text(text));
    let moderate = Element::new("moderate", ns::MODERATE)
        .with_attr("id", stanza)
        .with_child(Element::new("retract", ns::RETRACT))
        .with_children(reason);
    cx.iq_for(number, Some(Jid::from(room)), moderate)
}

/// How long a room may take to call us something else, in milliseconds.
const RENAME_TIMEOUT: u64 = 30_000;
