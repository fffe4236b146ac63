//! New rooms (XEP-0045 §10.1).

use std::sync::Arc;

use store::{
    AccountId, Millis as StoreMillis,
    rooms::{CreateError, NewRoom},
};
use xmpp::{
    error::{Condition, StanzaError},
    jid::{BareJid, Jid},
};

use super::{
    archive,
    room::Room,
    service::{Cell, Sender, address, bounds, salt},
    settings::Settings,
};
use crate::{
    config::{Creators, DefaultRoom},
    server::Server,
};

/// Makes a room for whoever comes first (§10.1).
pub(super) async fn create(
    server: &Arc<Server>,
    sender: &Sender<'_>,
    to: &Jid,
) -> Result<Arc<Cell>, StanzaError> {
    let forbidden = |text: &str| Err(StanzaError::new(Condition::NotAllowed).with_text(text));
    let config = server.config();
    let Some(session) = sender.session else {
        return forbidden("rooms are made by people of this server");
    };
    let failed = |error| server.store_failed("rooms", &error);
    let admin = match config.rooms.creators {
        Creators::Everyone => true,
        Creators::Nobody => false,
        Creators::Admins => {
            let row = server.store.accounts.by_id(session.account.id).await.map_err(failed)?;
            row.is_some_and(|row| row.admin)
        }
    };
    if !admin {
        return forbidden("you may not make rooms here");
    }
    let name = to.node().map(|name| name.as_str().to_owned()).unwrap_or_default();
    let jid = to.to_bare();
    let settings = match config.rooms.default {
        DefaultRoom::Group => Settings::default(),
        DefaultRoom::Channel => Settings::channel(),
    };
    let _one_at_a_time = server.rooms.gate(&name).lock().await;
    if let Some(cell) = server.rooms.find(&name) {
        return Ok(cell);
    }
    let room = Room::new(jid, settings, bounds(server), [0; 32]);
    make(server, &name, room, session.account.jid(), Some(session.account.id)).await
}

/// Makes a room for an owner, which nobody has to configure first.
///
/// # Errors
/// `conflict` when there is one of that name, or when the store failed.
pub(super) async fn found(
    server: &Arc<Server>,
    name: &str,
    owner: &BareJid,
    settings: Settings,
) -> Result<(), StanzaError> {
    let jid = address(server, name).ok_or_else(|| StanzaError::new(Condition::JidMalformed))?;
    let _one_at_a_time = server.rooms.gate(name).lock().await;
    if server.rooms.find(name).is_some() {
        return Err(StanzaError::new(Condition::Conflict));
    }
    let mut room = Room::new(jid, settings, bounds(server), [0; 32]);
    room.unlock();
    make(server, name, room, owner, None).await.map(drop)
}

/// Keeps a new room. The caller holds the gate of its name.
async fn make(
    server: &Arc<Server>,
    name: &str,
    mut room: Room,
    owner: &BareJid,
    creator: Option<AccountId>,
) -> Result<Arc<Cell>, StanzaError> {
    let failed = |error| server.store_failed("rooms", &error);
    let config = server.config();
    let jid = room.address().clone();
    let lists = room.found(owner);
    let (state, card) = room.kept().stored();
    let new = NewRoom {
        name: name.into(),
        creator,
        created: StoreMillis(server.now().0),
        state,
        card,
        affiliations: lists.into_iter().filter_map(|(_, entry)| entry).collect(),
    };
    let made = server.store.rooms.create(new, config.rooms.rooms_per_account).await;
    let id = made.map_err(|error| match error {
        CreateError::Limit => StanzaError::new(Condition::ResourceConstraint)
            .with_text("you have made as many rooms as this server allows"),
        CreateError::Exists => StanzaError::new(Condition::Conflict),
        CreateError::Store(error) => failed(error),
    })?;
    room.set_salt(salt(server, &jid, id));
    archive::recall(server, id, &mut room).await.map_err(failed)?;
    Ok(server.rooms.insert(id, name, room))
}
