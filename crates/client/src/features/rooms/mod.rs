//! XEP-0045: Multi-User Chat 1.35.5, from the side of a person in rooms
//!
//! ```text
//! mod.rs        what is known of rooms, and what is kept
//! join.rs       entering, staying (XEP-0410), leaving
//! presence.rs   who is in a room, and what became of us
//! incoming.rs   a message of a room: who wrote it, and what proves that
//! archive.rs    what was missed, from the room's own archive (XEP-0313)
//! members.rs    the lists of members, and changes of them
//! create.rs     making a room, and destroying it
//! config.rs     its name and its picture (XEP-0486)
//! happenings.rs what stands between the messages: who came, who went, what changed
//! links.rs      links that make whoever follows them a member (XEP-0488)
//! mistaken.rs   what was taken for a room and is none
//! requests.rs   people who ask to become members (XEP-0045 §7.10, §9.9)
//! invite.rs     invitations, both kinds (XEP-0045 §7.8, XEP-0249)
//! commands.rs   what a user can ask for
//! ```
//!
//! A room is a conversation whose messages have an order and ids of the room's own. Nothing that
//! arrives is believed to be of a room unless this account entered it, or asked it.

mod archive;
mod commands;
mod config;
mod create;
mod happenings;
mod incoming;
mod invite;
mod join;
mod links;
mod members;
mod mistaken;
mod presence;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xmpp::ext::muc::{Affiliation, Role};
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::time::Millis;

use super::{Feature, Spec, Stage, bookmarks};
use crate::cx::{Cx, Step};
use crate::incoming::Incoming;
use crate::store::{EncryptionMode, MAX_VALUE_BYTES, MessageId, Position, Store, StoreError};
use crate::timeline;
use crate::timers::TimerId;
use crate::view::{self, Change};

pub(crate) use archive::{again, is_behind, older, on_result, saw};
pub(crate) use incoming::{is_from_room, is_same_author, mentions_us, of as message, reference};
pub(crate) use invite::{is_mediated, on_mediated};
pub(crate) use join::{limited, on_bookmarks};
pub(crate) use members::others;
pub(crate) use mistaken::{is_of_person, on_contact};
pub(crate) use presence::{may_be_heard, may_tell_writing};

pub(crate) const FEATURE: Feature = Feature {
    name: "rooms",
    specs: &[
        Spec { number: "XEP-0045", version: "1.35.5" },
        Spec { number: "XEP-0249", version: "1.2" },
        Spec { number: "XEP-0317", version: "0.3.1" },
        Spec { number: "XEP-0410", version: "1.1.0" },
        Spec { number: "XEP-0421", version: "1.0.1" },
        Spec { number: "XEP-0425", version: "0.3.0" },
        Spec { number: "XEP-0486", version: "0.1.0" },
        Spec { number: "XEP-0488", version: "0.1.0" },
    ],
    features: &[ns::MUC, ns::CONFERENCE],
    online: Some(join::on_online),
    resumed: Some(join::on_resumed),
    ended: Some(join::on_ended),
    presence: Some(presence::on_presence),
    message: &[(Stage::Amend, invite::on_direct), (Stage::Amend, invite::on_answered)],
    command: Some(commands::command),
    ..Feature::NOTHING
};

/// What is known of rooms.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) rooms: BTreeMap<BareJid, Room>,
    /// Which are to be shown anew at the end of the step, and which are to be kept.
    dirty: BTreeSet<BareJid>,
    unsaved: BTreeSet<BareJid>,
    /// Where rooms can be made.
    service: Option<BareJid>,
    /// Questions about that without an answer; `None` before the first of a session.
    searching: Option<usize>,
    /// Rooms to be made when that is known.
    unplaced: Vec<create::Wanted>,
    queries: archive::Queries,
    /// The next look at rooms that are silent.
    watch: Option<TimerId>,
}

/// One room.
pub(crate) struct Room {
    pub(crate) kept: Kept,
    phase: Phase,
    /// What the room says it can do; empty while that is not known.
    features: BTreeSet<String>,
    /// Who is in it, by their nicknames.
    occupants: BTreeMap<String, Occupant>,
    /// The own nickname, as the room calls us.
    nick: Option<String>,
    /// Its lists of members were read in this visit, or are not for us.
    members_told: bool,
    /// Nothing is missing from its archive.
    pub(crate) caught_up: bool,
    /// The archive did not answer as it should: what was missed is not here yet.
    pub(crate) behind: bool,
    /// What happened while the archive is read, in its rows: it comes after what was missed.
    happened: Vec<MessageId>,
    /// When that is asked again.
    retry: Option<TimerId>,
    /// The request that ends when we are in.
    request: Option<u64>,
    /// The request that ends when we have another nickname.
    renaming: Option<u64>,
    /// What is put behind the wanted nickname, because others have it.
    suffix: String,
    /// When that is given up, or tried again.
    trial: Option<TimerId>,
    /// When an invitation last made us try again, on the steady clock.
    called: Option<u64>,
    /// Counts the tries to enter, so that an answer to an earlier one is recognised.
    tries: u32,
    /// When the room was last heard, on the steady clock.
    heard: u64,
    /// Who asks to become a member.
    requests: Vec<requests::Request>,
    /// What was answered to some of them, while that is on its way.
    decisions: Vec<requests::Decision>,
    /// It is being made by us, with these members.
    making: Option<create::Making>,
}

/// Where we are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Out,
    Entering,
    In,
    /// The room, or its server, refuses; why, in words.
    Refused(String),
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Occupant {
    address: Option<BareJid>,
    id: Option<String>,
    affiliation: Affiliation,
    role: Role,
    hats: Vec<String>,
}

/// What is kept of a room. It may hold a password.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// The user wants to be in it.
    pub(crate) wanted: bool,
    nick: Option<String>,
    /// What let us in where a password is wanted.
    password: Option<String>,
    /// What somebody gave to enter with: a password that was not tried yet, or the secret of a link. It
    /// serves for one entry.
    offered: Option<String>,
    /// What the room calls itself.
    name: Option<String>,
    subject: Option<String>,
    /// The room told its subject, or that it has none.
    subject_told: bool,
    /// SHA-1 of its picture.
    avatar: Option<String>,
    /// The room told its picture, or that it has none.
    picture_told: bool,
    /// Members only and not anonymous: what is written can be encrypted for all who may read it.
    private: bool,
    /// Everybody may enter.
    open: bool,
    /// Members do not learn each other's addresses.
    anonymous: bool,
    /// Where the messages begin that came while we were in it.
    since: Option<Position>,
    /// Everybody with an affiliation, with its name.
    members: Vec<(BareJid, String)>,
    /// They were all told once: who is new among them has become one since.
    listed: bool,
    /// The ids of occupants whose addresses were told.
    ids: BTreeMap<String, BareJid>,
    /// Our own id.
    id: Option<String>,
    /// Who invited us, while that is not answered.
    invited: Option<BareJid>,
    /// The address by which the room knows them, if it passed the invitation on.
    inviter: Option<String>,
    /// Whom we invited, the oldest first, while they have not come or declined.
    asked: Vec<BareJid>,
    /// When this account asked to become a member, while that is not decided; in milliseconds.
    applied: Option<u64>,
    /// Who asked to become a member, as was told: nickname and address, the oldest first.
    told: Vec<(String, Option<BareJid>)>,
    /// We were in it.
    entered: bool,
    /// It said itself that it is a room.
    proven: bool,
}

impl Kept {
    fn bytes(&self) -> Step<zeroize::Zeroizing<Vec<u8>>> {
        let bytes = serde_json::to_vec(self).map(zeroize::Zeroizing::new);
        bytes.map_err(|error| StoreError::Io(error.to_string()))
    }

    /// Without what the room tells again, of which it told more than can be kept.
    fn lean(&self) -> Self {
        let (members, ids, told) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { members, listed: false, ids, told, ..self.clone() }
    }
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let mut state = Self::default();
        let list = store.value(LIST)?.unwrap_or_default();
        for room in String::from_utf8_lossy(&list).lines() {
            let Ok(address) = BareJid::new(room) else { continue };
            let Some(bytes) = store.value(&name_of(&address))? else { continue };
            let kept: Kept = serde_json::from_slice(&bytes)
                .map_err(|error| StoreError::Damaged(format!("a room: {:?}", error.classify())))?;
            state.rooms.insert(address, Room::new(kept));
        }
        Ok(state)
    }
}

impl Room {
    fn new(kept: Kept) -> Self {
        Self {
            kept,
            phase: Phase::Out,
            features: BTreeSet::new(),
            occupants: BTreeMap::new(),
            nick: None,
            members_told: false,
            caught_up: false,
            behind: false,
            happened: Vec::new(),
            retry: None,
            request: None,
            renaming: None,
            suffix: String::new(),
            trial: None,
            called: None,
            tries: 0,
            heard: 0,
            requests: Vec::new(),
            decisions: Vec::new(),
            making: None,
        }
    }

    fn has(&self, feature: &str) -> bool {
        self.features.contains(feature)
    }

    /// Whether its `<stanza-id/>`s are its own: it removes those of others (XEP-0359 §6, XEP-0313).
    fn makes_ids(&self) -> bool {
        self.has(ns::STANZA_ID) || self.has(ns::MAM)
    }
}

/// Whether an address is a room in which this account is, was, or was invited.
pub(crate) fn is_room(cx: &Cx<'_>, address: &BareJid) -> bool {
    cx.state.features.rooms.rooms.contains_key(address)
}

/// Whether messages can be written to a room now. Anything else is no room.
pub(crate) fn is_ready(cx: &Cx<'_>, address: &BareJid) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    room.is_none_or(|room| room.phase == Phase::In)
}

/// Why nothing can be written to a room, when waiting does not help.
pub(crate) fn refusal(cx: &Cx<'_>, address: &BareJid) -> Option<String> {
    let room = cx.state.features.rooms.rooms.get(address)?;
    match &room.phase {
        Phase::Refused(reason) => Some(reason.clone()),
        Phase::Out if !room.kept.wanted => Some("you are not in this room".to_owned()),
        Phase::Out | Phase::Entering | Phase::In => None,
    }
}

/// Whether the members of a room are known as well as it tells them. Anything else is no room.
pub(crate) fn are_members_known(cx: &Cx<'_>, address: &BareJid) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    room.is_none_or(|room| room.members_told)
}

/// Whether everything that was sent earlier, and arrived in the room, is known.
pub(crate) fn is_caught_up(cx: &Cx<'_>, address: &BareJid) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    room.is_none_or(|room| room.caught_up)
}

/// Whether what is written there can be encrypted: every reader is known.
pub(crate) fn is_private(cx: &Cx<'_>, address: &BareJid) -> bool {
    cx.state.features.rooms.rooms.get(address).is_some_and(|room| room.kept.private)
}

/// The rooms with somebody in them, as far as addresses are known.
pub(crate) fn shared_with(cx: &Cx<'_>, person: &BareJid) -> Vec<BareJid> {
    let rooms = cx.state.features.rooms.rooms.iter().filter(|(_, room)| {
        room.kept.wanted && room.kept.members.iter().any(|(member, _)| member == person)
    });
    rooms.map(|(address, _)| address.clone()).collect()
}

/// Whether an address is a room in which the user wants to be.
pub(crate) fn is_wanted(cx: &Cx<'_>, address: &BareJid) -> bool {
    cx.state.features.rooms.rooms.get(address).is_some_and(|room| room.kept.wanted)
}

/// Somebody asks, in a room that is known to be one.
pub(crate) fn is_invitation(cx: &Cx<'_>, address: &BareJid) -> bool {
    let room = cx.state.features.rooms.rooms.get(address);
    room.is_some_and(|room| room.kept.invited.is_some() && !room.kept.wanted)
}

/// What a room tells this account apart from what is said there, or an own message to it.
pub(crate) fn aside(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    if requests::on_message(cx, incoming)? { Ok(()) } else { invite::on_own(cx, incoming) }
}

/// A message that came back. Says whether it was none of the timeline.
pub(crate) fn on_bounced(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    requests::on_bounced(cx, incoming)
}

/// What to call a room: what the user calls it, what it calls itself, or its address.
pub(crate) fn name(cx: &Cx<'_>, address: &BareJid) -> Option<String> {
    let room = cx.state.features.rooms.rooms.get(address)?;
    let own = bookmarks::get(cx, address).and_then(|bookmark| bookmark.name);
    let name = own.filter(|name| !name.trim().is_empty()).or_else(|| room.kept.name.clone());
    Some(name.unwrap_or_else(|| match address.node() {
        Some(local) => local.to_string(),
        None => address.to_string(),
    }))
}

/// The address of an occupant, as replies name them (XEP-0461).
pub(crate) fn occupant_address(room: &BareJid, nick: &str) -> Option<String> {
    room.with_resource_str(nick).ok().map(|jid| jid.to_string())
}

/// Changes what is kept of a room, which is made known if it was not.
fn change(cx: &mut Cx<'_>, address: &BareJid, change: impl FnOnce(&mut Kept)) -> Step {
    let rooms = &mut cx.state.features.rooms.rooms;
    let new = !rooms.contains_key(address);
    if new && rooms.len() >= MOST {
        return Ok(());
    }
    let room = rooms.entry(address.clone()).or_insert_with(|| Room::new(Kept::default()));
    change(&mut room.kept);
    cx.state.features.rooms.unsaved.insert(address.clone());
    if new {
        save_list(cx)?;
    }
    touch(cx, address);
    Ok(())
}

/// Keeps which rooms there are.
fn save_list(cx: &Cx<'_>) -> Step {
    let rooms = cx.state.features.rooms.rooms.keys();
    let list = rooms.map(|address| format!("{address}\n")).collect::<String>();
    cx.store.save_value(LIST, Some(list.as_bytes()))
}

/// Keeps what the step changed.
fn save(cx: &mut Cx<'_>) -> Step {
    for address in std::mem::take(&mut cx.state.features.rooms.unsaved) {
        let Some(room) = cx.state.features.rooms.rooms.get(&address) else { continue };
        let bytes = match room.kept.bytes()? {
            // The step would fail, and so would the one after it, and no device could begin again.
            bytes if bytes.len() > MAX_VALUE_BYTES => room.kept.lean().bytes()?,
            bytes => bytes,
        };
        cx.store.save_value(&name_of(&address), Some(&bytes))?;
    }
    Ok(())
}

fn name_of(address: &BareJid) -> String {
    format!("room {address}")
}

/// What is shown of a room is different.
fn touch(cx: &mut Cx<'_>, address: &BareJid) {
    cx.state.features.rooms.dirty.insert(address.clone());
    timeline::touch(cx, address);
}

/// A conversation with a room begins: what is written there is encrypted if everybody who reads it
/// is known, and as readable as the room is if not. It stays so until the user decides.
fn begin_conversation(cx: &mut Cx<'_>, address: &BareJid, first: bool, private: bool) -> Step {
    let mut conversation = timeline::conversation(cx, address);
    let before = conversation.clone();
    let known = cx.state.features.timeline.conversations.contains_key(address);
    conversation.room = true;
    conversation.accepted = true;
    if first && !private {
        conversation.encryption = EncryptionMode::Plain;
    }
    if known && conversation == before {
        return Ok(());
    }
    timeline::save_conversation(cx, conversation)
}

/// Keeps and shows the rooms that are different after the step.
pub(crate) fn finish_step(cx: &mut Cx<'_>) -> Step {
    save(cx)?;
    for address in std::mem::take(&mut cx.state.features.rooms.dirty) {
        // Who is in a room is told when all of them are known, not once for each.
        let room = cx.state.features.rooms.rooms.get(&address);
        if room.is_some_and(|one| one.phase == Phase::Entering && !one.occupants.is_empty()) {
            continue;
        }
        if let Some(room) = show(cx, &address) {
            cx.view(Change::Room(Box::new(room)));
        }
    }
    Ok(())
}

/// All rooms, for a user interface that knows nothing yet.
pub(crate) fn overview(cx: &Cx<'_>) -> Vec<Change> {
    let rooms = cx.state.features.rooms.rooms.keys();
    rooms.filter_map(|address| show(cx, address)).map(|room| Change::Room(Box::new(room))).collect()
}

fn show(cx: &Cx<'_>, address: &BareJid) -> Option<view::Room> {
    let room = cx.state.features.rooms.rooms.get(address)?;
    let own = room.nick.as_ref().and_then(|nick| room.occupants.get(nick));
    let affiliation = own.map(|own| own.affiliation).unwrap_or_default();
    Some(view::Room {
        address: address.clone(),
        name: name(cx, address)?,
        subject: room.kept.subject.clone(),
        avatar: room.kept.avatar.clone(),
        nick: room.nick.clone(),
        state: match &room.phase {
            Phase::Out if room.kept.invited.is_some() && !room.kept.wanted => {
                view::RoomState::Invited
            }
            Phase::Out => view::RoomState::Out,
            Phase::Entering => view::RoomState::Entering,
            Phase::In => view::RoomState::In,
            Phase::Refused(reason) => view::RoomState::Refused(reason.clone()),
        },
        invited_by: room.kept.invited.clone(),
        private: room.kept.private,
        open: room.kept.open,
        anonymous: room.kept.anonymous,
        links: links::offered(room, affiliation),
        requests: requests::show(room, affiliation),
        asked: room.kept.applied.map(Millis),
        since: room.kept.since,
        affiliation,
        role: own.map(|own| own.role).unwrap_or_default(),
        members: members::show(room),
    })
}

/// The names under which rooms are stored.
const LIST: &str = "rooms";
/// Rooms that are known.
const MOST: usize = 500;
