//! The archive of a room (XEP-0313 §6), and messages that are taken back (XEP-0424, XEP-0425).

use std::sync::Arc;

use bytes::Bytes;
use store::{
    Millis as StoreMillis, StoreError,
    archive::{PageError, Paging, Query, Row, With},
    rooms::RoomId,
};
use xmpp::{
    edit::Edit,
    error::{Condition, ErrorType, StanzaError},
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::{Element, Limits},
};

use super::{
    carry::{deliver, finish, perform},
    history::MOST_LINES,
    room::Room,
    service::{Cell, Sender},
};
use crate::{
    ext::archive::query, iq::IqKind, router::facts::Facts, server::Server, session::frame::Frame,
};

/// Whether a request to a room is about its archive; the payload if so.
pub(super) fn concerns(stanza: &Stanza) -> Option<Element> {
    let request = stanza.kind() == Kind::Iq
        && matches!(stanza.type_().as_deref(), Some("get" | "set"))
        && stanza.id().is_some();
    let payload = stanza.children().next().filter(|_| request)?;
    let namespace = payload.ns();
    matches!(
        (payload.name(), namespace.as_ref()),
        ("query" | "metadata", ns::MAM) | ("moderate", ns::MODERATE)
    )
    .then(|| payload.element())
}

/// Answers such a request.
pub(super) async fn answer(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    sender: &Sender<'_>,
    stanza: &Stanza,
    payload: &Element,
) -> Result<(), StanzaError> {
    let get = stanza.type_().as_deref() == Some("get");
    let kind = if get { IqKind::Get } else { IqKind::Set };
    let answer = match (payload.name(), kind) {
        ("query", IqKind::Set) => Some(page(server, cell, sender, payload).await?),
        ("query", IqKind::Get) => {
            Some(Element::new("query", ns::MAM).with_child(query::form().to_element()))
        }
        ("metadata", _) => {
            may_read(cell, sender.jid)?;
            Some(query::metadata_element(server, cell.id.archive()).await?)
        }
        _ => {
            moderate(server, cell, sender, payload).await?;
            None
        }
    };
    let room = cell.lock().room.address().clone();
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("from", room.as_str())
        .with_attr("to", sender.jid.as_str())
        .with_attr("type", "result")
        .with_attr_opt("id", stanza.id())
        .with_children(answer);
    deliver(server, &Default::default(), sender, sender.jid, Frame::iq(iq.to_bytes(ns::CLIENT)));
    Ok(())
}

/// Returns whether the reader may see who wrote what.
fn may_read(cell: &Cell, reader: &Jid) -> Result<bool, StanzaError> {
    let state = cell.lock();
    match state.room.may_read(reader) {
        true => Ok(state.room.may_see_addresses(reader)),
        false => Err(StanzaError::new(Condition::Forbidden)),
    }
}

async fn page(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    sender: &Sender<'_>,
    payload: &Element,
) -> Result<Element, StanzaError> {
    if sender.acting.is_some() {
        // The messages of a page are no answer that a component could be brought (XEP-0356 §6.3).
        return Err(StanzaError::new(Condition::FeatureNotImplemented));
    }
    let sees = may_read(cell, sender.jid)?;
    let mut query = query::parse(payload)?;
    let room = cell.lock().room.address().clone();
    if let Some(with) = query.with.take() {
        query.with = written_by(with, &room, sender.jid, sees)?;
    }
    let archive = &server.store.archive;
    archive.barrier().await.map_err(|error| server.store_failed("archive", &error))?;
    let page = archive.page(cell.id.archive(), query).await.map_err(|error| match error {
        PageError::UnknownId(_) => StanzaError::new(Condition::ItemNotFound),
        PageError::Store(error) => server.store_failed("archive", &error),
    })?;
    let id = payload.attr("queryid");
    for row in &page.rows {
        let stanza = if sees { row.stanza.clone() } else { veiled(&row.stanza) };
        let row = Row { stanza, ..row.clone() };
        let result = query::result(sender.jid.as_str(), room.as_str(), id, &row);
        let frame = Frame::message(result);
        match sender.session {
            Some(session) => session.deliver_bulk(frame),
            None => deliver(server, &Default::default(), sender, sender.jid, frame),
        }
    }
    Ok(query::fin(&page, id))
}

/// XEP-0313 §4.1.1: who wrote it is asked for by a nickname in the room, or by a real address if that is no
/// secret: one's own, or where one sees addresses.
fn written_by(
    with: With,
    room: &BareJid,
    reader: &Jid,
    sees: bool,
) -> Result<Option<With>, StanzaError> {
    let bare = with.bare.as_deref().unwrap_or_default();
    if bare == room.as_str() {
        // Everything here comes from the room.
        return Ok(with.resource.map(|nick| With { bare: None, resource: Some(nick) }));
    }
    if !sees && bare != reader.to_bare().as_str() {
        let text = "who wrote what is not known to everybody in this room";
        return Err(StanzaError::new(Condition::Forbidden).with_text(text));
    }
    if with.resource.is_some() {
        let text = "the room knows who wrote, and not with which device";
        return Err(StanzaError::new(Condition::FeatureNotImplemented).with_text(text));
    }
    Ok(Some(with))
}

/// The message without the address of its sender.
fn veiled(stanza: &Bytes) -> Bytes {
    match Stanza::parse(stanza.clone(), &Limits::TRUSTED) {
        Ok(stanza) => Edit::new(&stanza).drop_if(|child| child.ns() == ns::MUC_USER).finish(),
        Err(_) => {
            debug_assert!(false, "the archive holds what the room wrote");
            Bytes::from_static(b"<message/>")
        }
    }
}

/// Reads into a room that was just loaded what its archive knows: the next id, what was sent lately,
/// and the last messages.
pub(super) async fn recall(
    server: &Arc<Server>,
    id: RoomId,
    room: &mut Room,
) -> Result<(), StoreError> {
    let archive = &server.store.archive;
    // The room may have been in memory a moment ago, with rows still on their way to disk.
    archive.barrier().await?;
    let since = StoreMillis(server.now().0.saturating_sub(REMEMBERED));
    let tail = archive.tail(id.archive(), since).await?;
    // A message that is kept nowhere has an id as well, which is not to be given again when the room was
    // forgotten, or made anew under its name.
    room.next_id = tail.next.max(server.now().0 << ID_BITS);
    for (origin, id) in tail.origins.into_iter().rev() {
        room.sent.note(origin, id);
    }
    let query = Query { page: Paging::Last, max: MOST_LINES as u32, ..Query::default() };
    let page = match archive.page(id.archive(), query).await {
        Ok(page) => page,
        Err(PageError::UnknownId(_)) => return Ok(()),
        Err(PageError::Store(error)) => return Err(error),
    };
    for row in page.rows {
        let bytes = veiled(&row.stanza);
        let Ok(stanza) = Stanza::parse(bytes.clone(), &Limits::TRUSTED) else { continue };
        let facts = Facts::read(&stanza);
        if facts.body || facts.encrypted {
            room.history.push(row.id, Millis(row.at.0), bytes);
        }
    }
    Ok(())
}

/// A moderator takes back what somebody wrote (XEP-0425 §4).
async fn moderate(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    sender: &Sender<'_>,
    payload: &Element,
) -> Result<(), StanzaError> {
    cell.lock().room.may_moderate(sender.jid)?;
    let unknown = || StanzaError::new(Condition::ItemNotFound);
    if payload.child("retract", ns::RETRACT).is_none() {
        return Err(StanzaError::new(Condition::FeatureNotImplemented));
    }
    let id: u64 = payload.attr("id").and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
    let shown = cell.lock().room.history.find(id).is_some();
    let found = find(server, cell, id).await;
    let found = found.map_err(|error| server.store_failed("archive", &error))?;
    if !shown && found.is_none() {
        return Err(unknown());
    }
    let reason = payload.child("reason", ns::MODERATE).map(Element::text);
    let (rest, tombstone) = {
        let mut state = cell.lock();
        if state.gone {
            return Err(unknown());
        }
        let mut out = Vec::new();
        let tombstone = state.room.moderate(server.now(), sender.jid, id, reason, &mut out)?;
        (perform(server, cell, &mut state, sender, out, None), tombstone)
    };
    // There is nothing of the room itself to be written.
    let _ = Box::pin(finish(server, cell, sender, rest)).await;
    let retracted = retract(server, cell, id, None, tombstone).await;
    retracted.map_err(|error| unstored(&error))
}

/// What a moderator is told whose wish is not on disk.
fn unstored(error: &StoreError) -> StanzaError {
    let condition = match error {
        StoreError::Full | StoreError::Busy | StoreError::Limit(_) => Condition::ResourceConstraint,
        _ => Condition::InternalServerError,
    };
    StanzaError::new(condition)
        .with_type(ErrorType::Wait)
        .with_text("the message is still in the archive; try again later")
}

/// Puts a tombstone in the place of a message, if it is there and `author`, when one is named, wrote
/// it.
///
/// # Errors
/// When the store could not be read or written; that was noted.
pub(super) async fn retract(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    id: u64,
    author: Option<&str>,
    tombstone: Element,
) -> Result<(), StoreError> {
    forget_shown(cell, id, author);
    let failed = |error: &StoreError| drop(server.store_failed("archive", error));
    let Some(row) = find(server, cell, id).await.inspect_err(failed)? else { return Ok(()) };
    let Ok(stanza) = Stanza::parse(row.stanza, &Limits::TRUSTED) else { return Ok(()) };
    let wrote = stanza.child("occupant-id", ns::OCCUPANT_ID);
    let wrote = wrote.and_then(|id| id.attr("id").map(|id| id.into_owned()));
    if author.is_some_and(|author| wrote.as_deref() != Some(author)) {
        return Ok(());
    }
    let stays =
        |namespace: &str| matches!(namespace, ns::OCCUPANT_ID | ns::MUC_USER | ns::STANZA_ID);
    let bytes = Edit::new(&stanza)
        .drop_if(|child| !stays(&child.ns()))
        .append(tombstone.to_bytes(ns::CLIENT))
        .finish();
    let replaced = server.store.archive.replace(cell.id.archive(), id, bytes).await;
    replaced.map(drop).inspect_err(failed)
}

/// Newcomers get a message no longer that was taken back, also where nothing is archived.
fn forget_shown(cell: &Cell, id: u64, author: Option<&str>) {
    let mut state = cell.lock();
    let is_theirs = |bytes: &Bytes| {
        let Ok(stanza) = Stanza::parse(bytes.clone(), &Limits::TRUSTED) else { return false };
        let wrote = stanza.child("occupant-id", ns::OCCUPANT_ID);
        let wrote = wrote.and_then(|id| id.attr("id").map(|id| id.into_owned()));
        author.is_none_or(|author| wrote.as_deref() == Some(author))
    };
    if state.room.history.find(id).is_some_and(is_theirs) {
        state.room.history.remove(id);
    }
}

async fn find(server: &Server, cell: &Cell, id: u64) -> Result<Option<Row>, StoreError> {
    let archive = &server.store.archive;
    archive.barrier().await?;
    let query = Query { ids: vec![id], max: 1, ..Query::default() };
    match archive.page(cell.id.archive(), query).await {
        Ok(page) => Ok(page.rows.into_iter().next()),
        Err(PageError::UnknownId(_)) => Ok(None),
        Err(PageError::Store(error)) => Err(error),
    }
}

/// Ids that a room may give in a millisecond.
const ID_BITS: u32 = 20;

/// How long a repeated sending is recognised.
const REMEMBERED: u64 = 7 * 24 * 60 * 60 * 1000;
