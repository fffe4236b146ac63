//! What the operator does with rooms.

use std::sync::Arc;

use store::StoreError;
use xmpp::{
    error::StanzaError,
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    carry::{finish, perform},
    making,
    service::Sender,
    settings::Settings,
};
use crate::server::Server;

/// Makes a room for an owner, ready to be entered.
///
/// # Errors
/// `conflict` when there is one of that name, or when the store failed.
pub async fn create(
    server: &Arc<Server>,
    name: &str,
    owner: &BareJid,
    public: bool,
    title: Option<String>,
) -> Result<(), StanzaError> {
    let mut settings = if public { Settings::channel() } else { Settings::default() };
    settings.name = title.unwrap_or_default();
    making::found(server, name, owner, settings).await
}

/// Ends a room for good. Everybody in it is told. `false` when there was none.
///
/// # Errors
/// When the store could not be read, or the room could not be removed from it.
pub async fn destroy(
    server: &Arc<Server>,
    name: &str,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let Some(cell) = server.rooms.load(server, name).await? else { return Ok(false) };
    let reason = reason.map(|text| Element::new("reason", ns::MUC_OWNER).with_text(text));
    let wish = Element::new("destroy", ns::MUC_OWNER).with_children(reason);
    let Ok(nobody) = Jid::new(server.domain()) else { return Ok(false) };
    let sender = Sender::new(&nobody);
    let rest = {
        let mut state = cell.lock();
        if state.gone {
            return Ok(false);
        }
        let mut out = Vec::new();
        state.room.destroy(&wish, &mut out);
        perform(server, &cell, &mut state, &sender, out, None)
    };
    finish(server, &cell, &sender, rest).await?;
    Ok(true)
}

/// How many people are in a room now.
#[must_use]
pub fn occupants(server: &Server, name: &str) -> usize {
    server.rooms.find(name).map_or(0, |cell| cell.lock().room.occupants.len())
}
