//! What the operator does with rooms.

use std::sync::Arc;

use store::StoreError;
use xmpp::{
    error::StanzaError,
    ext::{
        form::{Field, Form, FormType},
        muc::Affiliation,
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    carry,
    kept::Kept,
    making,
    room::{Effects, Room},
    service::Sender,
    settings::{self, Settings},
};
use crate::{admin::RoomSettings, server::Server};

/// Why a room is as it was.
#[derive(Debug)]
pub enum ChangeError {
    /// The room does not take the change.
    Refused(StanzaError),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

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
    let reason = reason.map(|text| Element::new("reason", ns::MUC_OWNER).with_text(text));
    let wish = Element::new("destroy", ns::MUC_OWNER).with_children(reason);
    change(server, name, |room, _, out| {
        room.destroy(&wish, out);
        Ok(())
    })
    .await
}

/// Sets somebody's affiliation, as an owner would (XEP-0045 §9, §10). `false` when there is no such room.
///
/// # Errors
/// When no owner would be left, or the store failed.
pub async fn affiliate(
    server: &Arc<Server>,
    name: &str,
    (jid, affiliation): (&BareJid, Affiliation),
    reason: Option<&str>,
) -> Result<bool, ChangeError> {
    let now = server.now();
    change(server, name, |room, from, out| {
        let done = room.affiliate(now, from, (jid, affiliation), reason, out);
        done.map_err(ChangeError::Refused)
    })
    .await
}

/// Changes how a room is meant to be used, as an owner's form would (§10.2). `false` when there is no
/// such room.
///
/// # Errors
/// For what cannot be, or when the store failed.
pub async fn configure(
    server: &Arc<Server>,
    name: &str,
    wish: &RoomSettings,
) -> Result<bool, ChangeError> {
    let form = form(wish);
    change(server, name, |room, _, out| room.configure(&form, out).map_err(ChangeError::Refused))
        .await
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

/// Changes a room in the name of the server. `false` when there is none.
async fn change<E: From<StoreError>>(
    server: &Arc<Server>,
    name: &str,
    what: impl FnOnce(&mut Room, &Jid, &mut Effects) -> Result<(), E>,
) -> Result<bool, E> {
    let Some(cell) = server.rooms.load(server, name).await? else { return Ok(false) };
    let Ok(nobody) = Jid::new(server.domain()) else { return Ok(false) };
    let sender = Sender::new(&nobody);
    carry::change(server, &cell, &sender, |room, out| what(room, &nobody, out)).await
}

/// How many people are in a room now.
#[must_use]
pub fn occupants(server: &Server, name: &str) -> usize {
    server.rooms.find(name).map_or(0, |cell| cell.lock().room.occupants.len())
}
