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
    /// What the room calls this account, while it is in it.
    pub nick: Option<String>,
    pub state: RoomState,
    /// Who invited this account, while that is not answered.
    pub invited_by: Option<String>,
    /// For members only, and they know each other's addresses: what is written can be encrypted.
    pub private: bool,
    /// What this account is in it, while it is in it.
    pub affiliation: Affiliation,
    /// What it may do.
    pub role: Role,
    /// Who is there, then the members who are not, as far as the room tells.
    pub members: Vec<Member>,
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
