//! Rooms, in the words of the page, and the page's words for what somebody is in them.

use client::view;

use crate::page;

/// Translates a room.
pub(crate) fn room(room: view::Room) -> page::Room {
    page::Room {
        address: room.address.to_string(),
        name: room.name,
        subject: room.subject,
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
