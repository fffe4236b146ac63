//! What the operator does with rooms.

use std::sync::Arc;

use store::StoreError;
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Field, Form, FormType},
        muc::Affiliation,
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    carry::{finish, perform},
    kept::Kept,
    making,
    room::{Effects, Room},
    service::Sender,
    settings::{self, Settings},
};
use crate::{admin::RoomSettings, server::Server};

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

/// Sets somebody's affiliation, as an owner would (XEP-0045 §9, §10). `false` when there is no such room.
///
/// # Errors
/// `conflict` when no owner would be left, or when the store failed.
pub async fn affiliate(
    server: &Arc<Server>,
    name: &str,
    (jid, affiliation): (&BareJid, Affiliation),
    reason: Option<&str>,
) -> Result<bool, StanzaError> {
    let now = server.now();
    change(server, name, |room, from, out| {
        room.affiliate(now, from, (jid, affiliation), reason, out)
    })
    .await
}

/// Changes how a room is meant to be used, as an owner's form would (§10.2). `false` when there is no
/// such room.
///
/// # Errors
/// `not-acceptable` for what cannot be, or when the store failed.
pub async fn configure(
    server: &Arc<Server>,
    name: &str,
    wish: &RoomSettings,
) -> Result<bool, StanzaError> {
    let form = form(wish);
    change(server, name, |room, _, out| room.configure(&form, out)).await
}

/// How a room is meant to be used, from what is stored of it.
#[must_use]
pub fn settings(stored: &[u8]) -> Option<RoomSettings> {
    let kept: Kept = serde_json::from_slice(stored).ok()?;
    let settings = kept.settings;
    Some(RoomSettings {
        title: Some(settings.name),
        description: Some(settings.description),
        public: Some(settings.public),
        members_only: Some(settings.members_only),
        moderated: Some(settings.moderated),
        archived: Some(settings.archived),
    })
}

/// The form with what is to be changed.
fn form(wish: &RoomSettings) -> Form {
    let text = |var: &str, value: &Option<String>| {
        value.as_deref().map(|value| Field::untyped(var).with_value(value))
    };
    let flag = |var: &str, value: Option<bool>| {
        value.map(|value| Field::untyped(var).with_value(if value { "1" } else { "0" }))
    };
    let fields = [
        text(settings::NAME, &wish.title),
        text(settings::DESCRIPTION, &wish.description),
        flag(settings::PUBLIC, wish.public),
        flag(settings::MEMBERS_ONLY, wish.members_only),
        flag(settings::MODERATED, wish.moderated),
        flag(settings::ARCHIVING, wish.archived),
    ];
    let form = Form::typed(FormType::Submit, ns::MUC_ROOM_CONFIG);
    fields.into_iter().flatten().fold(form, Form::with_field)
}

/// Changes a room in memory, tells those who are in it, and waits until it is on disk.
async fn change(
    server: &Arc<Server>,
    name: &str,
    what: impl FnOnce(&mut Room, &Jid, &mut Effects) -> Result<(), StanzaError>,
) -> Result<bool, StanzaError> {
    let failed = |error| server.store_failed("rooms", &error);
    let Some(cell) = server.rooms.load(server, name).await.map_err(failed)? else {
        return Ok(false);
    };
    let nobody =
        Jid::new(server.domain()).map_err(|_| StanzaError::new(Condition::JidMalformed))?;
    let sender = Sender::new(&nobody);
    let rest = {
        let mut state = cell.lock();
        if state.gone {
            return Ok(false);
        }
        let mut out = Vec::new();
        what(&mut state.room, &nobody, &mut out)?;
        perform(server, &cell, &mut state, &sender, out, None)
    };
    finish(server, &cell, &sender, rest).await.map_err(failed)?;
    Ok(true)
}

/// How many people are in a room now.
#[must_use]
pub fn occupants(server: &Server, name: &str) -> usize {
    server.rooms.find(name).map_or(0, |cell| cell.lock().room.occupants.len())
}
