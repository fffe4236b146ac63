//! Occupants elsewhere who missed something: what a room said could not be brought to their server, or
//! could not wait for it. They are taken out of the room (XEP-0045 §11.1), so that they know, and the others
//! do: they come in anew and read what they missed. A gap that nobody knows of would be worse.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use store::StoreError;
use tokio::sync::Notify;
use xmpp::{
    jid::{BareJid, Jid},
    stanza::{Kind, Stanza},
    xml::Limits,
};

use super::{
    carry::change,
    room::{Effect, Effects, Room},
    service::{Cell, Sender},
};
use crate::{
    config::Config,
    s2s::{
        outgoing::{Bounce, Entry},
        policy,
    },
    server::Server,
};

/// Who has to be taken out of which room. Everybody is in it once, however much they missed.
#[derive(Default)]
pub struct Missed {
    who: Mutex<HashMap<BareJid, BTreeSet<Jid>>>,
    /// Some may be at domains that are talked to no more.
    denied: AtomicBool,
    wake: Notify,
}

impl Missed {
    /// Resolves when somebody has to be taken out.
    pub async fn noted(&self) {
        self.wake.notified().await;
    }

    fn add(&self, (room, occupant): (BareJid, Jid)) {
        self.who.lock().entry(room).or_default().insert(occupant);
        self.wake.notify_one();
    }

    fn take(&self) -> HashMap<BareJid, BTreeSet<Jid>> {
        mem::take(&mut *self.who.lock())
    }
}

/// A stanza does not arrive, or may not be sent any more. Tells whether it was one that everybody in a room gets,
/// so that nobody else has to be told. Called with rooms locked.
pub fn note(server: &Server, entry: &Entry, why: Bounce) -> bool {
    // Whoever comes in anew gets it once more, and it would not be smaller.
    if why == Bounce::TooLarge {
        return false;
    }
    let Some(line) = line(server, entry) else { return false };
    server.rooms.missed.add(line);
    true
}

/// The room and the occupant, if a stanza is one that a room says to everybody in it.
fn line(server: &Server, entry: &Entry) -> Option<(BareJid, Jid)> {
    let wanted = entry.parcel.is_none() && matches!(entry.kind, Kind::Message | Kind::Presence);
    let stanza = wanted.then(|| Stanza::parse(entry.bytes.clone(), &Limits::TRUSTED).ok())??;
    let to_all = matches!(
        (stanza.kind(), stanza.type_().as_deref()),
        (Kind::Message, Some("groupchat")) | (Kind::Presence, None | Some("unavailable"))
    );
    let from = stanza.from().filter(|_| to_all)?;
    let from = Jid::new(&from).ok()?;
    let config = server.config();
    let of_room = config.rooms.enabled
        && config.rooms.is_at(from.domain().as_str(), server.domain())
        && from.node().is_some();
    of_room.then(|| Some((from.to_bare(), Jid::new(&stanza.to()?).ok()?))).flatten()
}

/// Other domains may be talked to than before: whoever is at one that is not has missed something from now on.
pub fn reloaded(server: &Server) {
    let missed = &server.rooms.missed;
    missed.denied.store(true, Ordering::Release);
    missed.wake.notify_one();
}

/// Notes who is in a room and at a domain that is not talked to.
async fn look_for_denied(server: &Arc<Server>) {
    let config = server.config();
    let mut denied = HashMap::new();
    for cell in server.rooms.all() {
        {
            let state = cell.lock();
            let (room, missed) = (state.room.address(), &server.rooms.missed);
            let lost = state.room.nicks.keys().filter(|jid| is_denied(&config, jid, &mut denied));
            lost.for_each(|jid| missed.add((room.clone(), jid.clone())));
        }
        // Others have their turn.
        tokio::task::yield_now().await;
    }
}

/// Whether somebody is at a domain that is not talked to, with what is known of domains already.
fn is_denied(config: &Config, jid: &Jid, known: &mut HashMap<Box<str>, bool>) -> bool {
    let domain = jid.domain().as_str();
    if domain == config.domain {
        return false;
    }
    if let Some(denied) = known.get(domain) {
        return *denied;
    }
    let denied = policy::permits(config, domain).is_err();
    known.insert(domain.into(), denied);
    denied
}

/// Takes out of their rooms who missed something.
pub async fn work_off(server: Arc<Server>) {
    if server.rooms.missed.denied.swap(false, Ordering::AcqRel) {
        look_for_denied(&server).await;
    }
    for (room, occupants) in server.rooms.missed.take() {
        let Some(name) = room.node() else { continue };
        // Rooms that somebody is in are in memory.
        let Some(cell) = server.rooms.find(name.as_str()) else { continue };
        take_out(&server, &cell, &occupants).await;
    }
}

/// Takes these out of a room.
pub(super) async fn take_out(server: &Arc<Server>, cell: &Arc<Cell>, occupants: &BTreeSet<Jid>) {
    let Some(one) = occupants.first() else { return };
    let sender = Sender::new(one);
    let drop_out = |room: &mut Room, out: &mut Effects| {
        room.drop_out_all(occupants, out);
        Ok::<_, StoreError>(())
    };
    // What failed was noted, and is tried again.
    let _ = change(server, cell, &sender, drop_out).await;
}

/// Who is in each room and would miss something if the server ended now: what was said to them is in memory
/// alone. Called when the connections are closed.
pub(super) fn left(server: &Server) -> HashMap<BareJid, BTreeSet<Jid>> {
    let mut all = server.rooms.missed.take();
    let service = server.config().rooms.address(server.domain());
    for entry in server.rooms.abroad.waiting(server) {
        if let Some((room, occupant)) = line(server, &entry) {
            all.entry(room).or_default().insert(occupant);
        }
    }
    for remote in server.s2s.remotes() {
        if remote.pair.local != service {
            continue;
        }
        let lines: Vec<_> =
            remote.lock().queue.fleeting().filter_map(|entry| line(server, entry)).collect();
        for (room, occupant) in lines {
            all.entry(room).or_default().insert(occupant);
        }
    }
    all
}

impl Room {
    /// Removes several who cannot be reached. What the room tells of one of them is nothing to the others:
    /// each hears that it is out, and nothing before that.
    pub(super) fn drop_out_all(&mut self, occupants: &BTreeSet<Jid>, out: &mut Effects) {
        let mut caused = Vec::new();
        for jid in occupants {
            self.drop_out(jid, &mut caused);
        }
        self.end_questions(&mut caused);
        let mut told = HashSet::new();
        let mut kept: Effects = Vec::with_capacity(caused.len());
        for effect in caused.into_iter().rev() {
            let repeats = match &effect {
                Effect::Send { to, .. } if occupants.contains(to) => !told.insert(to.clone()),
                _ => false,
            };
            if !repeats {
                kept.push(effect);
            }
        }
        out.extend(kept.into_iter().rev());
    }
}
