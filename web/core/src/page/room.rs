//! Rooms (XEP-0045), as people see them.

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// A room in which this account is, was, or is invited.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Room {
    pub address: String,
    pub name: String,
    /// What is talked about.
    pub subject: Option<String>,
    /// Names its picture for `picture()`.
    pub avatar: Option<String>,
    /// What the room calls this account, while it is in it.
    pub nick: Option<String>,
    pub state: RoomState,
    /// Who invited this account, while that is not answered.
    pub invited_by: Option<String>,
    /// For members only, and they know each other's addresses: what is written can be encrypted.
    pub private: bool,
    /// It gives this account links that make whoever follows them a member.
    pub links: bool,
    /// Who asks to become a member, for who decides about that.
    pub requests: Vec<JoinRequest>,
    /// When this account asked to become a member, while that is not decided as far as is known.
    pub asked: Option<u64>,
    /// What this account is in it, while it is in it.
    pub affiliation: Affiliation,
    /// What it may do.
    pub role: Role,
    /// Who is there, then the members who are not, as far as the room tells.
    pub members: Vec<Member>,
}

/// Somebody who asks to become a member of a room.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct JoinRequest {
    /// The nickname they want; with the address it names the request.
    pub nick: String,
    /// Their address, where the room tells it.
    pub address: Option<String>,
    /// What they say of themselves.
    pub words: Option<String>,
}

/// A link that makes whoever follows it a member of a room.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct RoomLink {
    pub link: String,
    /// How long it is good for yet, in seconds, if the room tells.
    pub seconds: Option<u64>,
    /// How many may come with it yet; everybody if the room tells no number.
    pub uses: Option<u64>,
}

/// Whether this account is in a room.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RoomState {
    Out,
    Invited,
    Entering,
    In,
    /// The room refuses, or put it out; why, in words.
    Refused {
        reason: String,
    },
}

/// Somebody in a room, or with a right to be in it.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The nickname; `None` when they are not there.
    pub nick: Option<String>,
    /// The address, where the room tells it.
    pub address: Option<String>,
    pub affiliation: Affiliation,
    pub role: Role,
    /// Titles that the room gives them (XEP-0317).
    pub hats: Vec<String>,
}

/// A lasting relation to a room (XEP-0045 §5.2).
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum Affiliation {
    /// Banned.
    Outcast,
    None,
    Member,
    Admin,
    Owner,
}

/// What somebody may do during a visit (XEP-0045 §5.1).
#[derive(Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Not in the room.
    None,
    Visitor,
    Participant,
    Moderator,
}

/// One thing that happened in a room.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Happening {
    pub time: u64,
    /// What the room calls whom it is about, as far as is known.
    pub nick: Option<String>,
    /// Their address, where the room tells it.
    pub address: Option<String>,
    pub what: Happened,
}

/// What happened.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Happened {
    /// They came in, or became one of a private group.
    Joined,
    Left,
    /// They are not one of a private group any more.
    Removed,
    PutOut {
        reason: Option<String>,
    },
    Banned {
        reason: Option<String>,
    },
    Affiliation {
        affiliation: Affiliation,
    },
    Role {
        role: Role,
    },
    /// They go on under this name.
    Nick {
        nick: String,
    },
    Subject {
        subject: Option<String>,
    },
    /// The room is called so now.
    Name {
        name: String,
    },
    /// The room has another picture, or none any more.
    Picture,
}
