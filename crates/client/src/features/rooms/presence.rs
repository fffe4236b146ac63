//! XEP-0045 §7: who is in a room, and what became of us

use std::collections::BTreeSet;

use xmpp::error::{Condition, StanzaError};
use xmpp::ext::muc::{Affiliation, Item, Role};
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Occupant, Phase, change, happenings, join, members, touch};
use crate::cx::{Cx, Step};
use crate::features::chat_states;
use crate::iq::describe;
use crate::store::Happened;
use crate::view::Problem;

/// Presence of a room that we are in, or enter. Nobody else can send it.
pub(super) fn on_presence(cx: &mut Cx<'_>, presence: &Element) -> Step {
    let Some(from) = presence.attr("from").and_then(|from| Jid::new(from).ok()) else {
        return Ok(());
    };
    let address = from.to_bare();
    let now = cx.now.steady;
    let Some(room) = cx.state.features.rooms.rooms.get_mut(&address) else { return Ok(()) };
    if !matches!(room.phase, Phase::Entering | Phase::In) {
        return Ok(());
    }
    room.heard = now;
    if presence.attr("type") == Some("error") {
        return on_error(cx, &address, presence);
    }
    let Some(nick) = from.resource().map(ToString::to_string) else { return Ok(()) };
    let x = presence.child("x", ns::MUC_USER);
    let statuses = x.into_iter().flat_map(Element::children);
    let codes: BTreeSet<u16> = statuses
        .filter(|child| child.is("status", ns::MUC_USER))
        .filter_map(|status| status.attr("code")?.parse().ok())
        .collect();
    let item = x.and_then(|x| x.child("item", ns::MUC_USER)).and_then(Item::parse);
    match presence.attr("type") {
        None => available(cx, &address, &nick, presence, item.unwrap_or_default(), &codes),
        Some("unavailable") => {
            let destroyed = x.and_then(|x| x.child("destroy", ns::MUC_USER)).is_some();
            unavailable(cx, &address, &nick, item.unwrap_or_default(), &codes, destroyed)
        }
        Some(_) => Ok(()),
    }
}

fn available(
    cx: &mut Cx<'_>,
    address: &BareJid,
    nick: &str,
    presence: &Element,
    item: Item,
    codes: &BTreeSet<u16>,
) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    let id = presence.child("occupant-id", ns::OCCUPANT_ID).and_then(|id| id.attr("id"));
    let id = id.filter(|id| room.has(ns::OCCUPANT_ID) && crate::incoming::is_id(id));
    let hats = presence.child("hats", ns::HATS);
    let hats = hats.into_iter().flat_map(Element::children);
    let titles = hats.filter(|hat| hat.is("hat", ns::HATS)).filter_map(|hat| hat.attr("title"));
    let occupant = Occupant {
        address: item.jid.as_ref().map(Jid::to_bare),
        id: id.map(str::to_owned),
        affiliation: item.affiliation.unwrap_or_default(),
        role: item.role.unwrap_or_default(),
        hats: titles.take(MAX_HATS).map(join::limited).collect(),
    };
    if room.occupants.len() >= MAX_OCCUPANTS && !room.occupants.contains_key(nick) {
        return Ok(());
    }
    let known = room.occupants.insert(nick.to_owned(), occupant.clone());
    if known.as_ref() != Some(&occupant) {
        touch(cx, address);
    }
    learn(cx, address, &occupant)?;
    noted(cx, address, nick, known.as_ref(), &occupant, codes)?;
    let own = codes.contains(&110);
    if !own {
        return Ok(());
    }
    if occupant.id.is_some() {
        let id = occupant.id.clone();
        change(cx, address, |kept| kept.id = id)?;
    }
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    if room.phase == Phase::Entering {
        return join::on_in(cx, address, nick, codes.contains(&201));
    }
    room.nick = Some(nick.to_owned());
    // Also when it is the same as before.
    join::end_renaming(cx, address, Ok(nick.to_owned()))
}

/// Somebody is there who was not, or is something else than before. While we come in the room tells who
/// is there.
fn noted(
    cx: &mut Cx<'_>,
    address: &BareJid,
    nick: &str,
    before: Option<&Occupant>,
    now: &Occupant,
    codes: &BTreeSet<u16>,
) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    if room.is_none_or(|room| room.phase != Phase::In) {
        return Ok(());
    }
    let what = match before {
        None if !codes.contains(&110) && happenings::tells_visits(cx, address) => Happened::Joined,
        // Where addresses are told, the lists of members say it.
        Some(before) if before.affiliation != now.affiliation && now.address.is_none() => {
            Happened::Affiliation(now.affiliation)
        }
        Some(before) if before.affiliation == now.affiliation && before.role != now.role => {
            Happened::Role(now.role)
        }
        None | Some(_) => return Ok(()),
    };
    happenings::note(cx, address, Some(nick.to_owned()), now.address.as_ref(), what)
}

/// What presence tells about somebody's address is remembered for messages of the past.
fn learn(cx: &mut Cx<'_>, address: &BareJid, occupant: &Occupant) -> Step {
    let Some(person) = &occupant.address else { return Ok(()) };
    let room = cx.state.features.rooms.rooms.get(address);
    if room.is_some_and(|room| room.kept.asked.contains(person)) {
        change(cx, address, |kept| kept.asked.retain(|asked| asked != person))?;
    }
    if let Some(id) = &occupant.id {
        let room = cx.state.features.rooms.rooms.get(address);
        let known = room.and_then(|room| room.kept.ids.get(id));
        if known != Some(person) {
            change(cx, address, |kept| {
                if kept.ids.len() < MAX_IDS || kept.ids.contains_key(id) {
                    kept.ids.insert(id.clone(), person.clone());
                }
            })?;
        }
    }
    members::learn(cx, address, person, occupant.affiliation)
}

fn unavailable(
    cx: &mut Cx<'_>,
    address: &BareJid,
    nick: &str,
    item: Item,
    codes: &BTreeSet<u16>,
    destroyed: bool,
) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    let gone = room.occupants.remove(nick);
    let own = codes.contains(&110) || room.nick.as_deref() == Some(nick);
    chat_states::forget(cx, address, Some(nick.to_owned()));
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    // §7.6: somebody goes on under another name.
    if codes.contains(&303) {
        if let (Some(new), Some(occupant)) = (item.nick, gone) {
            if own {
                room.nick = Some(new.clone());
            }
            let person = occupant.address.clone();
            room.occupants.insert(new.clone(), occupant);
            let what = Happened::Nick(join::limited(&new));
            happenings::note(cx, address, Some(nick.to_owned()), person.as_ref(), what)?;
        }
        touch(cx, address);
        return Ok(());
    }
    touch(cx, address);
    let person = item.jid.as_ref().map(Jid::to_bare).or(gone.and_then(|gone| gone.address));
    let reason = item.reason.map(|reason| join::limited(&reason)).filter(|text| !text.is_empty());
    if !own {
        let what = match () {
            () if codes.contains(&301) => Some(Happened::Banned(reason)),
            () if codes.contains(&307) => Some(Happened::PutOut(reason)),
            () if codes.contains(&321) && person.is_some() => None,
            () if happenings::tells_visits(cx, address) => Some(Happened::Left),
            () => None,
        };
        if let Some(what) = what {
            happenings::note(cx, address, Some(nick.to_owned()), person.as_ref(), what)?;
        }
        return match (person, item.affiliation) {
            (Some(person), Some(affiliation)) => members::learn(cx, address, &person, affiliation),
            _ => Ok(()),
        };
    }
    if let (Some(person), Some(affiliation)) = (person, item.affiliation) {
        members::learn(cx, address, &person, affiliation)?;
    }
    let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let words = match () {
        () if destroyed => "the room was destroyed",
        () if codes.contains(&301) => "you were banned from the room",
        () if codes.contains(&307) => "you were removed from the room",
        () if codes.contains(&321) => "you are not a member any more",
        () if codes.contains(&322) => "the room is for members only now",
        // The service goes down, or lost us: it may come back.
        () => return join::later(cx, address, join::SILENT),
    };
    join::refuse(cx, address, &format!("{words}{why}"))
}

/// Whether the room says that the secret of a link is no good any more (XEP-0488, "Using a token").
fn is_of_link(error: &StanzaError) -> bool {
    error.app.as_ref().is_some_and(|app| app.is("expired-token", ns::MUC_TOKENS))
}

/// §7.2: the room does not let us in.
fn on_error(cx: &mut Cx<'_>, address: &BareJid, presence: &Element) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    if room.is_none_or(|room| room.phase != Phase::Entering) {
        // A change of the nickname did not work; we are where we were.
        let error = presence.child("error", ns::CLIENT).map(StanzaError::parse);
        let reason = match error.as_ref().map(|error| error.condition) {
            Some(Condition::Conflict) => "somebody else has this nickname".to_owned(),
            Some(Condition::NotAcceptable) => "nicknames cannot be changed here".to_owned(),
            _ => error.as_ref().map_or_else(String::new, describe),
        };
        return join::end_renaming(cx, address, Err(Problem::Refused(reason)));
    }
    let with_secret = room.is_some_and(|room| room.kept.offered.is_some());
    let error = presence.child("error", ns::CLIENT).map(StanzaError::parse);
    let Some(error) = error else { return join::refuse(cx, address, "the room refuses") };
    let words = match error.condition {
        Condition::Conflict => return join::rename(cx, address),
        condition if join::is_passing(condition) => {
            return join::later(cx, address, &describe(&error));
        }
        Condition::NotAuthorized if is_of_link(&error) => {
            "this link is not valid any more; ask for another one".to_owned()
        }
        Condition::NotAuthorized if with_secret => {
            "this password or link is not valid any more".to_owned()
        }
        Condition::NotAuthorized => "the room wants a password".to_owned(),
        Condition::RegistrationRequired => {
            "only members may enter; one of them can invite you".to_owned()
        }
        Condition::Forbidden => "this account is banned there".to_owned(),
        Condition::ItemNotFound => "there is no such room".to_owned(),
        Condition::ServiceUnavailable => "the room is full".to_owned(),
        _ => describe(&error),
    };
    join::refuse(cx, address, &words)
}

/// Whether what somebody does in a room that we are in may be shown: they are there, are not blocked,
/// and are not this account.
pub(crate) fn may_be_heard(cx: &Cx<'_>, address: &BareJid, nick: &str) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    let Some(room) = room.filter(|room| room.phase == Phase::In) else { return false };
    let Some(occupant) = room.occupants.get(nick) else { return false };
    let contacts = &cx.state.features.roster.contacts;
    let contact = occupant.address.as_ref().and_then(|person| contacts.get(person));
    room.nick.as_deref() != Some(nick) && !contact.is_some_and(|contact| contact.blocked)
}

/// Whether a room learns that we are writing: a private group that is not large, in which we may
/// speak. What is said there goes to everybody in it.
pub(crate) fn may_tell_writing(cx: &Cx<'_>, address: &BareJid) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    let few = room.is_some_and(|room| {
        room.phase == Phase::In && room.kept.private && room.occupants.len() <= MAX_TOLD
    });
    few && matches!(own(cx, address).1, Role::Participant | Role::Moderator)
}

/// The affiliation and role of ours, while we are in.
pub(super) fn own(cx: &Cx<'_>, address: &BareJid) -> (Affiliation, Role) {
    let room = cx.state.features.rooms.rooms.get(address);
    let own = room.and_then(|room| room.occupants.get(room.nick.as_ref()?));
    own.map(|own| (own.affiliation, own.role)).unwrap_or_default()
}

/// More people are not told that somebody writes.
const MAX_TOLD: usize = 50;
/// People in one room, ids that are remembered, and hats of one person.
const MAX_OCCUPANTS: usize = 5000;
const MAX_IDS: usize = 2000;
const MAX_HATS: usize = 8;
