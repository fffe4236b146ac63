//! The service at `conference.DOMAIN`: finds the room of an address, gives it what comes in, and does
//! what it says, in its order and under its lock, so that everybody in a room and its archive see one
//! order. Locks are taken in this order: room, account, session.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use store::{StoreError, archive::Ticket, rooms::RoomId};
use xmpp::{
    error::{Condition, StanzaError},
    ext::muc::Affiliation,
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
};

use super::{
    Input,
    abroad::Abroad,
    archive,
    carry::{deliver_all, finish, perform},
    directory,
    kept::Kept,
    making,
    missed::Missed,
    moved,
    room::{Bounds, Room, refuse, wait},
    spread,
    unsaved::{Unsaved, cannot_store, lasts},
};
use crate::{components::pending::Acting, ext::pages, server::Server, session::Session};

/// The rooms in memory.
#[derive(Default)]
pub struct Rooms {
    /// Occupants elsewhere who missed something.
    pub missed: Missed,
    /// What is for other servers and waits for the disk.
    pub abroad: Abroad,
    pub(super) loaded: RwLock<HashMap<Box<str>, Arc<Cell>>>,
    /// One of them, by the name, is held while a room is read or made, so that there is never more than
    /// one of a name.
    loading: [tokio::sync::Mutex<()>; LOADING],
    hasher: RandomState,
}

/// A room in memory.
pub struct Cell {
    /// Its number in the store.
    pub id: RoomId,
    pub(super) name: Box<str>,
    state: Mutex<State>,
}

/// What changes about it.
pub struct State {
    /// The machine.
    pub room: Room,
    /// The sessions of this server that are in it.
    pub(super) peers: HashMap<Jid, Arc<Session>>,
    /// It was destroyed: whoever still holds it looks again.
    pub(super) gone: bool,
    /// What of it could not be written to the store.
    pub(super) unsaved: Unsaved,
}

/// Who sent something, and how the server can reach them.
pub struct Sender<'a> {
    /// The full address; proven.
    pub jid: &'a Jid,
    /// The session, when it is one of this server.
    pub session: Option<&'a Arc<Session>>,
    /// Who waits for what was sent to be on disk.
    pub ticket: Option<(Arc<dyn Ticket>, u64)>,
    /// The component that asks for an account (XEP-0356), which gets the answer.
    pub acting: Option<&'a Acting>,
}

impl<'a> Sender<'a> {
    /// Somebody who is reached by their address alone.
    #[must_use]
    pub fn new(jid: &'a Jid) -> Sender<'a> {
        Sender { jid, session: None, ticket: None, acting: None }
    }
}

/// Takes a stanza for the service or one of its rooms.
pub async fn receive(server: &Arc<Server>, mut sender: Sender<'_>, to: &Jid, stanza: &Stanza) {
    let mut ticket = sender.ticket.take();
    let outcome = match to.node() {
        None => directory::answer(server, &sender, to, stanza).await,
        Some(name) => enter(server, &sender, name.as_str(), to, stanza, &mut ticket).await,
    };
    let mut out = Vec::new();
    if let Err(error) = outcome {
        refuse(&to.to_bare(), sender.jid, stanza, &error, &mut out);
    }
    deliver_all(server, &sender, out, ticket);
}

/// Gives a stanza to the room of a name. A ticket that is left afterwards has nothing to wait for.
async fn enter(
    server: &Arc<Server>,
    sender: &Sender<'_>,
    name: &str,
    to: &Jid,
    stanza: &Stanza,
    ticket: &mut Option<Waiting>,
) -> Result<(), StanzaError> {
    // Each time around, somebody else had just destroyed the room that was found.
    for _ in 0..TRIES {
        let Some(cell) = find_or_make(server, sender, name, to, stanza).await? else {
            // Who leaves a room that is gone has left.
            let leaves = stanza.kind() == Kind::Presence && stanza.type_().is_some();
            return match leaves {
                true => Ok(()),
                false => Err(StanzaError::new(Condition::ItemNotFound)),
            };
        };
        let (gone, hidden) = {
            let state = cell.lock();
            (state.gone, state.room.hides_from(sender.jid))
        };
        if gone {
            continue;
        }
        if to.resource().is_none()
            && !hidden
            && let Some(payload) = archive::concerns(stanza)
        {
            if payload.name() == "moderate" && server.health.is_degraded() {
                return Err(cannot_store());
            }
            return archive::answer(server, &cell, sender, stanza, &payload).await;
        }
        match give(server, &cell, sender, to, stanza, ticket.take()).await {
            Ok(()) => return Ok(()),
            Err(back) => *ticket = back,
        }
    }
    Err(wait(Condition::ResourceConstraint, "this room is made and destroyed all the time"))
}

/// The room that a stanza is for, made if somebody comes into one that does not exist.
async fn find_or_make(
    server: &Arc<Server>,
    sender: &Sender<'_>,
    name: &str,
    to: &Jid,
    stanza: &Stanza,
) -> Result<Option<Arc<Cell>>, StanzaError> {
    let joins = stanza.kind() == Kind::Presence
        && stanza.type_().is_none()
        && to.resource().is_some()
        && stanza.child("x", ns::MUC).is_some();
    let found = server.rooms.load(server, name).await;
    match found.map_err(|error| server.store_failed("rooms", &error))? {
        Some(cell) => Ok(Some(cell)),
        None if joins => making::create(server, sender, to).await.map(Some),
        None => Ok(None),
    }
}

/// Gives a stanza to its room. When that was destroyed meanwhile, it comes back with who waits for it.
pub(super) async fn give(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    sender: &Sender<'_>,
    to: &Jid,
    stanza: &Stanza,
    ticket: Option<Waiting>,
) -> Result<(), Option<Waiting>> {
    if server.health.is_degraded() && lasts(stanza, to) {
        let mut out = Vec::new();
        refuse(&to.to_bare(), sender.jid, stanza, &cannot_store(), &mut out);
        deliver_all(server, sender, out, ticket);
        return Ok(());
    }
    let config = server.config();
    let nick = to.resource().map(|nick| nick.as_str());
    let input = Input { from: sender.jid, nick, stanza, config: &config };
    let rest = {
        let mut state = cell.state.lock();
        if state.gone {
            return Err(ticket);
        }
        state.room.set_bounds(bounds(server));
        let mut out = Vec::new();
        match spread::admit(server, &state.room, sender.jid, stanza) {
            Ok(()) => state.room.handle(server.now(), &input, &mut out),
            Err(error) => refuse(&to.to_bare(), sender.jid, stanza, &error, &mut out),
        }
        spread::count(server, &state.room, sender.jid, &out);
        perform(server, cell, &mut state, sender, out, ticket.map(|ticket| (ticket, stanza)))
    };
    // Whoever sent it was told what became of it.
    let _ = finish(server, cell, sender, rest).await;
    Ok(())
}

/// Who is told when something is on disk.
type Waiting = (Arc<dyn Ticket>, u64);

impl Rooms {
    /// The room of a name, read from the store unless it is in memory.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn load(
        &self,
        server: &Arc<Server>,
        name: &str,
    ) -> Result<Option<Arc<Cell>>, StoreError> {
        if let Some(cell) = self.find(name) {
            return Ok(Some(cell));
        }
        let _one_at_a_time = self.gate(name).lock().await;
        if let Some(cell) = self.find(name) {
            return Ok(Some(cell));
        }
        if server.store.rooms.by_name(name).await?.is_none() {
            return Ok(None);
        }
        // It may have been in memory a moment ago, with what changed last, or its end, on their way to
        // disk.
        server.store.archive.barrier().await?;
        let Some(row) = server.store.rooms.by_name(name).await? else { return Ok(None) };
        let Some(jid) = address(server, name) else { return Ok(None) };
        let kept: Kept = serde_json::from_slice(&row.state)
            .map_err(|error| StoreError::Corrupt(format!("room {name}: {error}")))?;
        let rows = server.store.rooms.affiliations(row.id).await?;
        let salt = salt(server, &jid, row.id);
        let mut room = Room::load(jid, kept, rows, bounds(server), salt);
        archive::recall(server, row.id, &mut room).await?;
        Ok(Some(self.insert(row.id, name, room)))
    }

    /// The room of a name, if it is in memory.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Arc<Cell>> {
        self.loaded.read().get(name).cloned()
    }

    /// Every room in memory.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Cell>> {
        self.loaded.read().values().cloned().collect()
    }

    /// Forgets rooms that nobody is in and nobody looks at.
    pub fn forget_idle(&self) {
        self.loaded.write().retain(|_, cell| {
            // Under the write lock nobody can get a new reference from the map.
            if Arc::strong_count(cell) > 1 {
                return true;
            }
            let state = cell.state.lock();
            !state.room.is_empty() || !state.unsaved.is_empty()
        });
    }

    /// What is held while a room of this name is read or made.
    pub(super) fn gate(&self, name: &str) -> &tokio::sync::Mutex<()> {
        let place = usize::try_from(self.hasher.hash_one(name) % LOADING as u64).unwrap_or(0);
        &self.loading[place]
    }

    pub(super) fn insert(&self, id: RoomId, name: &str, room: Room) -> Arc<Cell> {
        let state = State { room, peers: HashMap::new(), gone: false, unsaved: Unsaved::default() };
        let cell = Arc::new(Cell { id, name: name.into(), state: Mutex::new(state) });
        self.loaded.write().insert(name.into(), cell.clone());
        cell
    }
}

impl Cell {
    /// Locks the room.
    pub fn lock(&self) -> parking_lot::MutexGuard<'_, State> {
        self.state.lock()
    }
}

pub(super) fn bounds(server: &Server) -> Bounds {
    let config = server.config();
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Bounds {
        occupants: small(config.rooms.occupants_per_room),
        answer_bytes: pages::room(&config),
        messages_per_second: match config.limits.throttle {
            true => small(config.rooms.messages_per_second),
            false => 0,
        },
    }
}

/// The address of a room.
pub(super) fn address(server: &Server, name: &str) -> Option<BareJid> {
    let service = server.config().rooms.address(server.domain());
    BareJid::new(&format!("{name}@{service}")).ok()
}

pub(super) fn salt(server: &Server, jid: &BareJid, id: RoomId) -> [u8; 32] {
    moved::salt(&server.secret, jid, id)
}

impl Room {
    /// Whether a full address is in the room.
    pub(super) fn contains(&self, jid: &Jid) -> bool {
        self.nicks.contains_key(jid)
    }

    /// How many sessions are in the room.
    pub(super) fn sessions(&self) -> usize {
        self.nicks.len()
    }

    /// The room's address.
    pub(super) fn address(&self) -> &BareJid {
        &self.jid
    }

    fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    pub(super) fn forget_origin(&mut self, origin: u64) {
        self.sent.forget(origin);
    }

    /// Nobody has to configure it before others come in.
    pub(super) fn unlock(&mut self) {
        self.locked = false;
    }

    /// Its first owner.
    pub(super) fn found(&mut self, owner: &BareJid) -> Vec<super::affiliations::Change> {
        self.affiliations.set(owner, Affiliation::Owner, None)
    }
}

/// Rooms that are read or made at the same time, at most.
const LOADING: usize = 32;
/// How often a stanza looks for a room that is gone again when it has been found.
const TRIES: usize = 5;
