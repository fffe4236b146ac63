//! Rooms, in the words of the page, and the page's words for what somebody is in them.

use client::store::{Happened, Happening};
use client::view;

use crate::page;

/// Translates a room.
pub(crate) fn room(room: view::Room) -> page::Room {
    page::Room {
        address: room.address.to_string(),
        name: room.name,
        subject: room.subject,
        avatar: room.avatar,
        nick: room.nick,
        state: match room.state {
            view::RoomState::Out => page::RoomState::Out,
            view::RoomState::Invited => page::RoomState::Invited,
            view::RoomState::Entering => page::RoomState::Entering,
            view::RoomState::In => page::RoomState::In,
            view::RoomState::Refused(reason) => page::RoomState::Refused { reason },
        },
        invited_by: room.invited_by.map(|by| by.to_string()),
        private: room.private,
        links: room.links,
        requests: room.requests.into_iter().map(request).collect(),
        asked: room.asked.map(|at| at.0),
        affiliation: affiliation(room.affiliation),
        role: role(room.role),
        members: room.members.into_iter().map(member).collect(),
    }
}

fn member(member: view::Member) -> page::Member {
    page::Member {
        nick: member.nick,
        address: member.address.map(|address| address.to_string()),
        affiliation: affiliation(member.affiliation),
        role: role(member.role),
        hats: member.hats,
    }
}

fn request(one: view::JoinRequest) -> page::JoinRequest {
    let address = one.address.map(|address| address.to_string());
    page::JoinRequest { nick: one.nick, address, words: one.words }
}

/// Translates a link.
pub(crate) fn link(link: view::RoomLink) -> page::RoomLink {
    page::RoomLink { link: link.link, seconds: link.seconds, uses: link.uses }
}

/// Translates what happened in a room.
pub(crate) fn happening(one: Happening) -> page::Happening {
    page::Happening {
        time: one.time.0,
        nick: one.nick,
        address: one.address.map(|address| address.to_string()),
        what: match one.what {
            Happened::Joined => page::Happened::Joined,
            Happened::Left => page::Happened::Left,
            Happened::Removed => page::Happened::Removed,
            Happened::PutOut(reason) => page::Happened::PutOut { reason },
            Happened::Banned(reason) => page::Happened::Banned { reason },
            Happened::Affiliation(now) => {
                page::Happened::Affiliation { affiliation: affiliation(now) }
            }
            Happened::Role(now) => page::Happened::Role { role: role(now) },
            Happened::Nick(nick) => page::Happened::Nick { nick },
            Happened::Subject(subject) => page::Happened::Subject { subject },
            Happened::Name(name) => page::Happened::Name { name },
            Happened::Picture => page::Happened::Picture,
        },
    }
}

fn affiliation(affiliation: view::Affiliation) -> page::Affiliation {
    match affiliation {
        view::Affiliation::Outcast => page::Affiliation::Outcast,
        view::Affiliation::None => page::Affiliation::None,
        view::Affiliation::Member => page::Affiliation::Member,
        view::Affiliation::Admin => page::Affiliation::Admin,
        view::Affiliation::Owner => page::Affiliation::Owner,
    }
}

fn role(role: view::Role) -> page::Role {
    match role {
        view::Role::None => page::Role::None,
        view::Role::Visitor => page::Role::Visitor,
        view::Role::Participant => page::Role::Participant,
        view::Role::Moderator => page::Role::Moderator,
    }
}

/// What the page wants somebody to be.
pub(crate) fn affiliation_of(affiliation: page::Affiliation) -> view::Affiliation {
    match affiliation {
        page::Affiliation::Outcast => view::Affiliation::Outcast,
        page::Affiliation::None => view::Affiliation::None,
        page::Affiliation::Member => view::Affiliation::Member,
        page::Affiliation::Admin => view::Affiliation::Admin,
        page::Affiliation::Owner => view::Affiliation::Owner,
    }
}

/// What the page wants somebody to be allowed.
pub(crate) fn role_of(role: page::Role) -> view::Role {
    match role {
        page::Role::None => view::Role::None,
        page::Role::Visitor => view::Role::Visitor,
        page::Role::Participant => view::Role::Participant,
        page::Role::Moderator => view::Role::Moderator,
    }
}
