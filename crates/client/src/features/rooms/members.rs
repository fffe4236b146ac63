//! XEP-0045 §9.5: the lists of members, and changes of them

use std::collections::BTreeSet;

use xmpp::ext::muc::{Affiliation, Item, Role};
use xmpp::ext::rsm;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, Room, change, happenings};
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::omemo;
use crate::view;

/// The lists that make the members of a room.
const LISTS: [Affiliation; 3] = [Affiliation::Owner, Affiliation::Admin, Affiliation::Member];

/// Fetches the lists. Rooms that do not show them leave what presence tells.
pub(super) fn fetch(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    if room.is_none_or(|room| room.phase != Phase::In) {
        return Ok(());
    }
    fetch_list(cx, address.clone(), (0, None), Vec::new())
}

/// Fetches the list of a number, from the beginning or after somebody whom a page of it ended with.
fn fetch_list(
    cx: &mut Cx<'_>,
    address: BareJid,
    (at, after): (usize, Option<String>),
    mut found: Vec<(BareJid, String)>,
) -> Step {
    let Some(affiliation) = LISTS.get(at) else { return replace(cx, &address, found) };
    let item = Item { affiliation: Some(*affiliation), ..Item::default() };
    let page = after.clone().map(|after| {
        let position = rsm::Position::After(after);
        rsm::Request { position, ..rsm::Request::default() }.to_element()
    });
    let query = Element::new("query", ns::MUC_ADMIN)
        .with_child(item.to_element(ns::MUC_ADMIN))
        .with_children(page);
    cx.iq_get(Some(Jid::from(address.clone())), query, move |cx, answer| {
        let Some(query) = answer.payload("query", ns::MUC_ADMIN) else {
            // Half a list is worse than the one that is known.
            return told(cx, &address);
        };
        let items: Vec<Item> = query.children().filter_map(Item::parse).collect();
        let next = next(query, items.len()).filter(|next| after.as_ref() != Some(next));
        let items = items.into_iter();
        let told = items.filter_map(|item| Some((item.jid?.to_bare(), item.affiliation?)));
        let told = told.map(|(jid, affiliation)| (jid, affiliation.as_str().to_owned()));
        let room = MAX_MEMBERS.saturating_sub(found.len());
        found.extend(told.take(room));
        match next.filter(|_| found.len() < MAX_MEMBERS) {
            Some(next) => fetch_list(cx, address, (at, Some(next)), found),
            None => fetch_list(cx, address, (at + 1, None), found),
        }
    })
}

/// What the next page comes after, if there is one: a long list comes in pages, asked for or not.
fn next(query: &Element, items: usize) -> Option<String> {
    let page = rsm::Response::child_of(query)?;
    let before = page.first.and_then(|(_, index)| index);
    let complete = before.zip(page.count).is_some_and(|(before, count)| before + items >= count);
    page.last.filter(|_| !complete)
}

fn replace(cx: &mut Cx<'_>, address: &BareJid, members: Vec<(BareJid, String)>) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Ok(()) };
    let before = room.kept.members.clone();
    let changes = changes(&before, &members);
    change(cx, address, |kept| kept.members = members)?;
    for (person, before, after) in changes {
        happenings::affiliated(cx, address, &person, before, after)?;
    }
    change(cx, address, |kept| kept.listed = true)?;
    told(cx, address)
}

/// Who has another affiliation in the second list than in the first.
fn changes(
    before: &[(BareJid, String)],
    after: &[(BareJid, String)],
) -> Vec<(BareJid, Affiliation, Affiliation)> {
    let of = |list: &[(BareJid, String)], person: &BareJid| {
        let found = list.iter().find(|(one, _)| one == person);
        found.and_then(|(_, name)| Affiliation::parse(name)).unwrap_or_default()
    };
    let all: BTreeSet<&BareJid> = before.iter().chain(after).map(|(person, _)| person).collect();
    let all = all.into_iter().map(|one| (one.clone(), of(before, one), of(after, one)));
    all.filter(|(_, before, after)| before != after).collect()
}

fn told(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if let Some(room) = cx.state.features.rooms.rooms.get_mut(address) {
        room.members_told = room.phase == Phase::In;
    }
    changed(cx, address)
}

/// Who can read what is written is different.
fn changed(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    cx.wake_outbox();
    omemo::look_at(cx, address)
}

/// The room told the affiliation of somebody.
pub(super) fn learn(
    cx: &mut Cx<'_>,
    address: &BareJid,
    person: &BareJid,
    affiliation: Affiliation,
) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Ok(()) };
    let known = room.kept.members.iter().find(|(member, _)| member == person);
    let known = known.and_then(|(_, name)| Affiliation::parse(name)).unwrap_or_default();
    let member = affiliation >= Affiliation::Member;
    if known == affiliation || (!member && known < Affiliation::Member) {
        return Ok(());
    }
    change(cx, address, |kept| {
        kept.members.retain(|(member, _)| member != person);
        if member && kept.members.len() < MAX_MEMBERS {
            kept.members.push((person.clone(), affiliation.as_str().to_owned()));
        }
    })?;
    happenings::affiliated(cx, address, person, known, affiliation)?;
    changed(cx, address)
}

/// Everybody else who may read what is written in a private room: its members, and who is in it.
pub(crate) fn others(cx: &Cx<'_>, address: &BareJid) -> Vec<BareJid> {
    let Some(room) = cx.state.features.rooms.rooms.get(address) else { return Vec::new() };
    let present = room.occupants.values().filter_map(|occupant| occupant.address.clone());
    let members = room.kept.members.iter().map(|(member, _)| member.clone());
    let mut all: BTreeSet<BareJid> = members.chain(present).collect();
    all.remove(cx.me);
    all.into_iter().collect()
}

/// Everybody, for a user interface: who is there first.
pub(super) fn show(room: &Room) -> Vec<view::Member> {
    let present = room.occupants.iter().map(|(nick, occupant)| view::Member {
        nick: Some(nick.clone()),
        address: occupant.address.clone(),
        affiliation: occupant.affiliation,
        role: occupant.role,
        hats: occupant.hats.clone(),
    });
    let mut all: Vec<view::Member> = present.collect();
    let there: BTreeSet<BareJid> = all.iter().filter_map(|member| member.address.clone()).collect();
    let absent = room.kept.members.iter().filter(|(member, _)| !there.contains(member));
    all.extend(absent.map(|(member, affiliation)| view::Member {
        nick: None,
        address: Some(member.clone()),
        affiliation: Affiliation::parse(affiliation).unwrap_or_default(),
        role: Role::None,
        hats: Vec::new(),
    }));
    all
}

/// Changes what somebody is in the room (§9.3 and further), and calls `then` with the answer.
pub(super) fn set(
    cx: &mut Cx<'_>,
    address: &BareJid,
    item: &Item,
    then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
) -> Step {
    let query = Element::new("query", ns::MUC_ADMIN).with_child(item.to_element(ns::MUC_ADMIN));
    cx.iq_set(Some(Jid::from(address.clone())), query, then)
}

/// Members of one room that are remembered.
const MAX_MEMBERS: usize = 1000;
