//! XEP-0313, "MUC Archives": the room's own archive, which decides what there is in it and in which order

use std::collections::BTreeMap;

use xmpp::error::{Condition, ErrorType, StanzaError};
use xmpp::ext::form::{Form, FormType};
use xmpp::ext::rsm;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use super::{Phase, happenings};
use crate::cx::{Cx, Step};
use crate::inbox;
use crate::incoming::{Incoming, Source};
use crate::iq::Answer;
use crate::store::{ArchiveState, Content, Event, Position};
use crate::timeline;
use crate::verified::{ArchiveResult, Verified};
use crate::view::Problem;

/// Queries that are running, by their id.
#[derive(Default)]
pub(crate) struct Queries(BTreeMap<String, Query>);

impl Queries {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

struct Query {
    room: BareJid,
    source: Source,
    /// Where the next result stands.
    next: Position,
    after: Option<String>,
    /// It is the first page that was ever asked for: what was there before us.
    first: bool,
    /// So many results may still come.
    left: u64,
}

/// Asks for what was missed: all after what is known, or the newest page if nothing is.
pub(super) fn forward(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    let Some(room) = room.filter(|room| room.phase == Phase::In) else { return Ok(()) };
    let (archived, began) = (room.has(ns::MAM), room.kept.since.is_some());
    if !began {
        let since = timeline::reserve(cx, 0)?;
        super::change(cx, address, |kept| kept.since = Some(since))?;
    }
    if !archived {
        return caught_up(cx, address);
    }
    let known = cx.store.archive(address)?;
    let (position, source) = match known.newest {
        Some(newest) => (rsm::Position::After(newest), Source::CatchUp),
        // It was empty when we came.
        None if known.complete => (rsm::Position::First, Source::CatchUp),
        None => (rsm::Position::Last, Source::Older),
    };
    let next = timeline::reserve(cx, PAGE)?;
    happenings::give_way(cx, address)?;
    if position == rsm::Position::Last {
        // What this page brings was there before us.
        let since = Position(next.0.saturating_add(PAGE));
        super::change(cx, address, |kept| kept.since = Some(since))?;
    }
    ask(cx, address, source, position, next, |cx, query, answer| on_forward(cx, &query, &answer))
}

fn ask(
    cx: &mut Cx<'_>,
    address: &BareJid,
    source: Source,
    position: rsm::Position,
    next: Position,
    then: impl FnOnce(&mut Cx<'_>, Query, Answer) -> Step + Send + 'static,
) -> Step {
    let id = cx.rng.id();
    let after = match &position {
        rsm::Position::After(id) => Some(id.clone()),
        _ => None,
    };
    let first = position == rsm::Position::Last;
    let page = rsm::Request { max: usize::try_from(PAGE).ok(), position };
    let element = Element::new("query", ns::MAM)
        .with_attr("queryid", &id)
        .with_child(Form::typed(FormType::Submit, ns::MAM).to_element())
        .with_child(page.to_element());
    let room = address.clone();
    let query = Query { room, source, next, after, first, left: PAGE };
    cx.state.features.rooms.queries.0.insert(id.clone(), query);
    cx.iq_set(Some(Jid::from(address.clone())), element, move |cx, answer| {
        match cx.state.features.rooms.queries.0.remove(&id) {
            Some(query) => then(cx, query, answer),
            None => Ok(()),
        }
    })
}

/// A message from a room's archive. Only what that room was asked for counts.
pub(crate) fn on_result(cx: &mut Cx<'_>, result: &Verified<ArchiveResult>) -> Step {
    let queries = &mut cx.state.features.rooms.queries;
    let Some(query) = queries.0.get_mut(&result.query) else { return Ok(()) };
    let from = result.message.attr("from").and_then(|from| Jid::new(from).ok());
    let of_room = from.is_some_and(|from| from.to_bare() == query.room);
    if result.archive != query.room || !of_room {
        return Ok(());
    }
    let Some(left) = query.left.checked_sub(1) else { return Ok(()) };
    query.left = left;
    let (position, source) = (query.next, query.source);
    query.next = Position(position.0.saturating_add(1));
    if result.message.attr("type") != Some("groupchat") {
        return Ok(());
    }
    let now = cx.moment();
    let Some(mut incoming) = super::message(cx, &result.message, source)? else { return Ok(()) };
    incoming.archive_id = Some(result.id.clone());
    incoming.time = result.time.filter(|time| *time <= now).unwrap_or(incoming.time);
    let known = timeline::is_known(cx, &incoming)?;
    // What was read before stays where it is.
    incoming.position = (!known || source == Source::CatchUp).then_some(position);
    inbox::receive(cx, incoming)
}

fn on_forward(cx: &mut Cx<'_>, query: &Query, answer: &Answer) -> Step {
    let address = &query.room;
    let Some(fin) = answer.payload("fin", ns::MAM) else {
        timeline::end_moves_of(cx, address);
        return match answer {
            Answer::Error(error)
                if error.condition == Condition::ItemNotFound && query.after.is_some() =>
            {
                forgotten(cx, address)
            }
            // The archive is not for us: what arrives is all there is.
            Answer::Error(error) if is_final(error) => caught_up(cx, address),
            Answer::Error(_) | Answer::Result(_) | Answer::Lost => fall_behind(cx, address),
        };
    };
    let page = rsm::Response::child_of(fin).unwrap_or_default();
    let complete = fin.attr("complete").is_some_and(|value| matches!(value, "true" | "1"));
    let mut known = cx.store.archive(address)?;
    if query.first {
        known.oldest = page.first.as_ref().map(|(id, _)| id.clone());
        known.complete = complete || page.first.is_none();
    }
    let advances = query.left < PAGE && page.last.is_some() && page.last != query.after;
    known.newest = page.last.or(known.newest);
    cx.store.save_archive(address, &known)?;
    if advances && !query.first && !complete {
        return forward(cx, address);
    }
    timeline::end_moves_of(cx, address);
    caught_up(cx, address)
}

/// The archive no longer has the newest message that is known: begins anew, and shows where
/// something may be missing.
fn forgotten(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    cx.store.save_archive(address, &ArchiveState::default())?;
    let mut message = timeline::blank(address, address, cx.moment());
    message.content = Content::Event(Event::Gap);
    timeline::insert(cx, message, false)?;
    forward(cx, address)
}

/// Whether asking again is of no use.
fn is_final(error: &StanzaError) -> bool {
    matches!(
        error.condition,
        Condition::FeatureNotImplemented
            | Condition::Forbidden
            | Condition::ItemNotFound
            | Condition::NotAllowed
            | Condition::NotAuthorized
            | Condition::RegistrationRequired
    ) || error.condition == Condition::ServiceUnavailable && error.kind == ErrorType::Cancel
}

/// What was missed is not here, and says so; asks again later.
fn fall_behind(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    room.behind = true;
    if let Some(timer) = room.retry.take() {
        cx.cancel(timer);
    }
    timeline::touch(cx, address);
    let room = address.clone();
    let timer =
        cx.later(RETRY, move |cx| if is_behind(cx, &room) { again(cx, &room) } else { Ok(()) });
    if let Some(room) = cx.state.features.rooms.rooms.get_mut(address) {
        room.retry = Some(timer);
    }
    Ok(())
}

/// Whether what was missed is not here, because the archive did not answer as it should.
pub(crate) fn is_behind(cx: &Cx<'_>, address: &BareJid) -> bool {
    cx.state.features.rooms.rooms.get(address).is_some_and(|room| room.behind)
}

/// Asks once more for what was missed.
pub(crate) fn again(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let Some(room) = cx.state.features.rooms.rooms.get_mut(address) else { return Ok(()) };
    room.behind = false;
    timeline::touch(cx, address);
    forward(cx, address)
}

fn caught_up(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if let Some(room) = cx.state.features.rooms.rooms.get_mut(address) {
        room.caught_up = true;
        room.happened.clear();
    }
    cx.wake_outbox();
    Ok(())
}

/// A message came live: nothing is missing up to its id, once everything before it is here.
pub(crate) fn saw(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    let Some(id) = incoming.archive_id.clone().filter(|_| incoming.source == Source::Live) else {
        return Ok(());
    };
    if !super::is_caught_up(cx, &incoming.with) {
        return Ok(());
    }
    let mut known = cx.store.archive(&incoming.with)?;
    known.newest = Some(id);
    cx.store.save_archive(&incoming.with, &known)
}

/// Fetches an older page for the room's window.
pub(crate) fn older(cx: &mut Cx<'_>, number: u64, address: &BareJid) -> Step {
    let room = cx.state.features.rooms.rooms.get(address);
    if !cx.online() || room.is_none_or(|room| room.phase != Phase::In || !room.has(ns::MAM)) {
        cx.failed(number, Problem::Timeout);
        return Ok(());
    }
    let oldest = cx.store.archive(address)?.oldest;
    let position = oldest.map_or(rsm::Position::Last, rsm::Position::Before);
    let next = timeline::reserve_before(cx, PAGE)?;
    ask(cx, address, Source::Older, position, next, move |cx, query, answer| {
        crate::features::archive::on_older(cx, number, &query.room, next, &answer)
    })
}

/// Results in a page.
const PAGE: u64 = crate::features::archive::PAGE;
/// After a question without an answer, in milliseconds.
const RETRY: u64 = 30_000;
