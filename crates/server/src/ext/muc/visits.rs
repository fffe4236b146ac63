//! Who is in the rooms while the server restarts: sessions that are resumed (XEP-0198) are still in
//! their rooms, and so is who is at another server and missed nothing.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use store::{StoreError, rooms::Select};
use xmpp::{ext::muc::Role, jid::Jid, stanza::Stanza, xml::Limits};

use super::{
    carry::change,
    missed::{self, take_out},
    room::{Effects, Occupant, Room, Visit},
    service::Sender,
    unsaved,
};
use crate::{server::Server, session::Session};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asleep {
    nick: String,
    role: String,
    sessions: Vec<(String, String)>,
    /// Those of them that missed something.
    #[serde(default)]
    missed: Vec<String>,
}

/// Puts on disk who is in the rooms. Called when their connections are closed.
///
/// # Errors
/// When the store could not be written: everybody will have to come in anew.
pub async fn hibernate(server: &Server) -> Result<(), StoreError> {
    unsaved::catch_up(server).await;
    let mut visits = Vec::new();
    let missed = missed::left(server);
    for cell in server.rooms.all() {
        let asleep = {
            let room = &cell.lock().room;
            let missed = missed.get(room.address());
            room.asleep(|jid| missed.is_some_and(|those| those.contains(jid)))
        };
        if !asleep.is_empty() {
            visits.push((cell.id, serde_json::to_vec(&asleep).unwrap_or_default().into()));
        }
    }
    server.store.rooms.hibernate(visits).await
}

/// Takes back from disk who was in the rooms. Whoever is not there any more has left, and rooms that
/// end with their last occupant end now.
///
/// # Errors
/// When the store could not be read.
pub async fn wake(server: &Arc<Server>) -> Result<(), StoreError> {
    for (name, visit) in server.store.rooms.wake().await? {
        let Ok(asleep) = serde_json::from_slice::<Vec<Asleep>>(&visit) else {
            tracing::warn!("it cannot be read who was in a room; everybody has to come in anew");
            continue;
        };
        let Some(cell) = server.rooms.load(server, &name).await? else { continue };
        let (mut gone, mut missed) = (Vec::new(), BTreeSet::new());
        for occupant in asleep {
            missed.extend(occupant.missed.iter().filter_map(|jid| Jid::new(jid).ok()));
            for (jid, presence) in occupant.sessions {
                let Ok(jid) = Jid::new(&jid) else { continue };
                let Ok(presence) = Stanza::parse(presence.into(), &Limits::SERVER) else {
                    continue;
                };
                let session = session(server, &jid).await?;
                let role = Role::parse(&occupant.role).unwrap_or_default();
                let mut state = cell.lock();
                state.room.put_back(&occupant.nick, role, jid.clone(), presence);
                match session {
                    Some(session) => drop(state.peers.insert(jid, session)),
                    None if jid.domain().as_str() == server.domain() => gone.push(jid),
                    None => {}
                }
            }
        }
        for jid in gone {
            let sender = Sender::new(&jid);
            let leave = |room: &mut Room, out: &mut Effects| {
                room.leave(&jid, None, out);
                Ok::<_, StoreError>(())
            };
            // What failed was noted.
            let _ = change(server, &cell, &sender, leave).await;
        }
        take_out(server, &cell, &missed).await;
    }
    // The lists of domains may have changed meanwhile.
    missed::reloaded(server);
    remove_left_over(server).await
}

/// The session of a full address, if it was resumable.
async fn session(server: &Arc<Server>, jid: &Jid) -> Result<Option<Arc<Session>>, StoreError> {
    let Some(account) = server.account(jid).await? else { return Ok(None) };
    let state = account.lock();
    let resource = jid.resource().map(|resource| resource.as_str());
    let found = state.resources.iter().find(|r| Some(r.session.resource()) == resource);
    Ok(found.map(|found| found.session.clone()))
}

/// Rooms that do not persist and that nobody is in: the server was killed.
async fn remove_left_over(server: &Arc<Server>) -> Result<(), StoreError> {
    let mut after: Option<Box<str>> = None;
    loop {
        let select = after.map_or(Select::First, Select::After);
        let page = server.store.rooms.list(false, select, PAGE).await?;
        for row in &page {
            if !row.card.persistent && server.rooms.find(&row.name).is_none() {
                server.store.rooms.delete(row.id).await?;
            }
        }
        match page.last() {
            Some(last) => after = Some(last.name.clone()),
            None => return Ok(()),
        }
    }
}

impl Room {
    pub(super) fn asleep(&self, missed: impl Fn(&Jid) -> bool) -> Vec<Asleep> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let visit = |visit: &Visit| (visit.jid.to_string(), text(&visit.presence));
        let occupants = self.occupants.iter().map(|(nick, occupant)| Asleep {
            nick: nick.to_string(),
            role: occupant.role.as_str().to_owned(),
            sessions: occupant.sessions.iter().map(visit).collect(),
            missed: {
                let those = occupant.sessions.iter().filter(|visit| missed(&visit.jid));
                those.map(|visit| visit.jid.to_string()).collect()
            },
        });
        occupants.collect()
    }

    /// Somebody is still in the room; nobody has to be told.
    fn put_back(&mut self, nick: &str, role: Role, jid: Jid, presence: Stanza) {
        let bare = jid.to_bare();
        let id = self.occupant_id(&bare);
        let new = || Occupant::new(nick, bare, role, id);
        let occupant = self.occupants.entry(nick.into()).or_insert_with(new);
        let presence = presence.bytes().clone();
        occupant.sessions.push(Visit { jid: jid.clone(), presence });
        occupant.shown.take();
        self.nicks.insert(jid, nick.into());
    }

    /// Everybody is back, as after a restart with every session resumed.
    #[cfg(any(test, feature = "model"))]
    pub(super) fn wake(&mut self, asleep: &[u8]) -> serde_json::Result<()> {
        for occupant in serde_json::from_slice::<Vec<Asleep>>(asleep)? {
            let role = Role::parse(&occupant.role).unwrap_or_default();
            for (jid, presence) in occupant.sessions {
                let jid = Jid::new(&jid).expect("an address");
                let presence = Stanza::parse(presence.into(), &Limits::SERVER).expect("a stanza");
                self.put_back(&occupant.nick, role, jid, presence);
            }
        }
        Ok(())
    }
}

const PAGE: u32 = 200;
