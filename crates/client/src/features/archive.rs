//! XEP-0313: Message Archive Management 1.1.3
//!
//! The archive of the account decides what there is and in which order. Three things keep this
//! device in step with it:
//!
//! - *Catching up*: a new session asks for everything after the newest id from which on nothing is
//!   missing, page by page, the oldest first. Each page is kept as it arrives; its last id is kept
//!   when it is complete. Whoever is killed in between asks for the same page again, and what was
//!   there is recognised.
//! - *Going along*: what arrives live moves that id on.
//! - *Settling*: what this device sends has no id and no certain place until the archive tells. So
//!   the id stays before it, and shortly after the server has it, the stretch is read once: when
//!   nothing more is said for a moment, and in talk that never pauses every now and then, so that
//!   whoever is killed has little to read again.
//!
//! Positions are reserved when a page is asked for: what arrives live meanwhile stands behind it,
//! and moves to its place when a later page holds it.

use std::collections::BTreeMap;

use xmpp::error::{Condition, ErrorType, StanzaError};
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::rsm;
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use super::{Feature, Spec, rooms};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::iq::Answer;
use crate::store::{ArchiveState, Content, Event, Position, Reference, Store};
use crate::timeline;
use crate::timers::TimerId;
use crate::verified::{ArchiveResult, Verified};
use crate::view::{Outcome, Problem};
use crate::{inbox, link};

pub(crate) const FEATURE: Feature = Feature {
    name: "archive",
    specs: &[
        Spec { number: "XEP-0313", version: "1.1.3" },
        Spec { number: "XEP-0059", version: "1.0" },
    ],
    online: Some(on_online),
    resumed: Some(on_resumed),
    ended: Some(on_ended),
    ..Feature::NOTHING
};

/// What is remembered of the archive.
#[derive(Default)]
pub(crate) struct State {
    /// How far it is known.
    known: ArchiveState,
    /// Queries that are running, by their id.
    queries: BTreeMap<String, Query>,
    /// A query that goes forward is running.
    forward: bool,
    /// The newest id that arrived live since that began and was not among the results.
    live: Option<String>,
    /// Messages were sent or copied whose ids are not known.
    unsettled: bool,
    settle: Option<TimerId>,
    /// Since when their places have been waited for; on the steady clock.
    unsettled_since: Option<u64>,
    /// The archive forgot where this device was: what is missing, if anything is, stands here.
    gap: Option<Position>,
    /// The last question was not answered as it should be: what was missed is not here.
    behind: bool,
    /// When the archive got the last message that it gave out: by the server's clock, the only one
    /// that it can be asked by. What arrived live since then came later.
    time: Option<Millis>,
}

struct Query {
    /// What the results are.
    source: Source,
    /// Where the next result stands.
    next: Position,
    /// When the archive got the last result.
    time: Option<Millis>,
    /// The id after which results were asked for.
    after: Option<String>,
    /// So many results may still come.
    left: u64,
    /// The last result.
    last: Option<String>,
    /// More came than were asked for.
    surplus: bool,
    /// What is known already stays where it is: all of it …
    before: bool,
    /// … or what the archive got up to then.
    until: Option<Millis>,
}

impl State {
    pub(crate) fn load(store: &dyn Store, me: Option<&BareJid>) -> Step<Self> {
        let Some(me) = me else { return Ok(Self::default()) };
        let time = store.value(TIME)?.and_then(|bytes| bytes.first_chunk().copied());
        Ok(Self {
            known: store.archive(me)?,
            time: time.map(|bytes| Millis(u64::from_be_bytes(bytes))),
            ..Self::default()
        })
    }
}

fn on_online(cx: &mut Cx<'_>) -> Step {
    forward(cx)
}

/// Nothing was lost, but a query may have been: the answers of a session that goes on still come,
/// and those of one that was caught up need none.
fn on_resumed(cx: &mut Cx<'_>) -> Step {
    let archive = &cx.state.features.archive;
    if archive.unsettled && archive.settle.is_none() {
        return unsettle(cx, SETTLE);
    }
    if cx.state.link.caught_up || archive.forward {
        return Ok(());
    }
    forward(cx)
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    let archive = &mut cx.state.features.archive;
    archive.queries.clear();
    archive.forward = false;
    archive.live = None;
    archive.unsettled = false;
    archive.unsettled_since = None;
    archive.gap = None;
    set_behind(cx, false);
    timeline::forget_moves(cx);
    let archive = &mut cx.state.features.archive;
    if let Some(timer) = archive.settle.take() {
        cx.cancel(timer);
    }
    Ok(())
}

/// Asks for the next page after what is known, or for the last one if nothing is.
fn forward(cx: &mut Cx<'_>) -> Step {
    let known = &cx.state.features.archive.known;
    let position = match &known.newest {
        Some(newest) => rsm::Position::After(newest.clone()),
        // It was empty when this device began.
        None if known.complete => rsm::Position::First,
        None => rsm::Position::Last,
    };
    ask_forward(cx, position, None)
}

fn ask_forward(cx: &mut Cx<'_>, position: rsm::Position, start: Option<Millis>) -> Step {
    cx.state.features.archive.forward = true;
    // What was written before this device existed is history, not news.
    let first = matches!(position, rsm::Position::Last);
    let source = if first { Source::Older } else { Source::CatchUp };
    let next = timeline::reserve(cx, PAGE)?;
    ask(cx, source, next, position, Filter { start, with: None }, move |cx, query, answer| {
        on_forward(cx, &query, answer, first)
    })
}

/// Which messages are asked for.
struct Filter {
    start: Option<Millis>,
    with: Option<BareJid>,
}

fn ask(
    cx: &mut Cx<'_>,
    source: Source,
    next: Position,
    position: rsm::Position,
    filter: Filter,
    then: impl FnOnce(&mut Cx<'_>, Query, Answer) -> Step + Send + 'static,
) -> Step {
    let id = cx.rng.id();
    let mut form = Form::typed(FormType::Submit, ns::MAM);
    if let Some(start) = filter.start.filter(|start| start.0 > 0) {
        form = form.with_field(Field::untyped("start").with_value(start.xep0082()));
    }
    if let Some(with) = &filter.with {
        form = form.with_field(Field::untyped("with").with_value(with.to_string()));
    }
    let after = match &position {
        rsm::Position::After(id) => Some(id.clone()),
        _ => None,
    };
    let before = filter.with.is_some();
    // From the beginning of time on, everything is read again.
    let until = filter.start.map(|start| if start.0 == 0 { ALL_TIME } else { start.plus(DAY) });
    let page = rsm::Request { max: usize::try_from(PAGE).ok(), position };
    let element = Element::new("query", ns::MAM)
        .with_attr("queryid", &id)
        .with_child(form.to_element())
        .with_child(page.to_element());
    let query = Query {
        source,
        next,
        time: None,
        after,
        left: PAGE,
        last: None,
        surplus: false,
        before,
        until,
    };
    cx.state.features.archive.queries.insert(id.clone(), query);
    cx.iq_set(None, element, move |cx, answer| {
        match cx.state.features.archive.queries.remove(&id) {
            Some(query) => then(cx, query, answer),
            None => Ok(()),
        }
    })
}

/// A message from the archive. Only what was asked for counts.
pub(crate) fn on_result(cx: &mut Cx<'_>, result: &Verified<ArchiveResult>) -> Step {
    let archive = &mut cx.state.features.archive;
    let Some(query) = archive.queries.get_mut(&result.query) else { return Ok(()) };
    let Some(left) = query.left.checked_sub(1) else {
        query.surplus = true;
        return Ok(());
    };
    query.left = left;
    query.last = Some(result.id.clone());
    let (position, source) = (query.next, query.source);
    let reread = query.until.zip(result.time).is_some_and(|(until, time)| time <= until);
    let stays = query.before || reread;
    query.next = Position(position.0.saturating_add(1));
    query.time = result.time.or(query.time);
    if archive.live.as_ref() == Some(&result.id) {
        archive.live = None;
    }
    let now = cx.moment();
    let Some(mut incoming) = Incoming::new(&result.message, cx.me, source, now) else {
        return Ok(());
    };
    incoming.archive_id = Some(result.id.clone());
    incoming.position = Some(position);
    // The own server's word, also where the clock here was set back.
    incoming.time = result.time.unwrap_or(incoming.time);
    let known = timeline::is_known(cx, &incoming)?;
    if known && stays {
        incoming.position = None;
    }
    let (with, time) = (incoming.with.clone(), incoming.time);
    inbox::receive(cx, incoming)?;
    if source == Source::CatchUp {
        mark_gap(cx, &with, &result.id, time, known)?;
    }
    Ok(())
}

/// Shows where messages may be missing: before the first new one, unless what came before it is
/// known.
fn mark_gap(cx: &mut Cx<'_>, with: &BareJid, id: &str, time: Millis, known: bool) -> Step {
    let Some(gap) = cx.state.features.archive.gap else { return Ok(()) };
    let reference = Reference::Archive(id.to_owned());
    if !known && cx.store.find(with, &reference)?.is_none() {
        // It says nothing that is shown.
        return Ok(());
    }
    cx.state.features.archive.gap = None;
    if !known {
        let mut message = timeline::blank(with, with, time);
        message.position = gap;
        message.content = Content::Event(Event::Gap);
        timeline::insert(cx, message, false)?;
    }
    Ok(())
}

fn on_forward(cx: &mut Cx<'_>, query: &Query, answer: Answer, first: bool) -> Step {
    cx.state.features.archive.forward = false;
    let fin = answer.payload("fin", ns::MAM);
    let Some(fin) = fin else {
        timeline::forget_moves(cx);
        return match answer {
            // The archive no longer has that message.
            Answer::Error(error)
                if error.condition == Condition::ItemNotFound && query.after.is_some() =>
            {
                from_time(cx)
            }
            // There is no archive: what arrives is all there is.
            Answer::Error(error) if is_absent(&error) => link::on_caught_up(cx),
            // Something may be missing until it answers.
            Answer::Error(_) | Answer::Result(_) | Answer::Lost => {
                crate::omemo::archive_is_silent(cx)?;
                set_behind(cx, true);
                unsettle(cx, RETRY)
            }
        };
    };
    set_behind(cx, false);
    let page = rsm::Response::child_of(fin).unwrap_or_default();
    let complete = fin.attr("complete").is_some_and(|value| matches!(value, "true" | "1"));
    let archive = &mut cx.state.features.archive;
    if first {
        archive.known.oldest = page.first.as_ref().map(|(id, _)| id.clone());
        archive.known.complete = complete || page.first.is_none();
    }
    let last = if query.surplus { query.last.clone() } else { page.last };
    // An archive that does not get on is not asked without end.
    let advances = query.left < PAGE && last.is_some() && last != query.after;
    let more = advances && (query.surplus || !first && !complete);
    if let Some(last) = last {
        archive.known.newest = Some(last);
        archive.time = query.time.or(archive.time);
    }
    if more {
        save(cx)?;
        return forward(cx);
    }
    archive.gap = None;
    timeline::end_moves(cx)?;
    crate::omemo::archive_is_read(cx)?;
    let archive = &mut cx.state.features.archive;
    let live = archive.live.take();
    let settled = !archive.unsettled && !cx.state.outbox.in_flight();
    if let Some(live) = live.filter(|_| settled) {
        archive.known.newest = Some(live);
    }
    save(cx)?;
    link::on_caught_up(cx)
}

fn set_behind(cx: &mut Cx<'_>, behind: bool) {
    let archive = &mut cx.state.features.archive;
    if std::mem::replace(&mut archive.behind, behind) != behind {
        timeline::touch_all(cx);
    }
}

/// Whether what was written in a conversation while this device was away is not here, because the
/// archive did not answer as it should.
pub(crate) fn is_behind(cx: &Cx<'_>, address: &BareJid) -> bool {
    match rooms::is_room(cx, address) {
        true => rooms::is_behind(cx, address),
        false => cx.state.features.archive.behind,
    }
}

/// Asks now for what was missed, where that did not work before.
pub(crate) fn catch_up(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if !cx.online() || !is_behind(cx, address) {
        return Ok(());
    }
    if rooms::is_room(cx, address) {
        return rooms::again(cx, address);
    }
    if cx.state.features.archive.forward {
        return Ok(());
    }
    set_behind(cx, false);
    unsettle(cx, 0)
}

/// The archive no longer has the newest message that is known: goes on from the last time that it
/// told. A server's clock is put right now and then: a day more of what is known is read again.
fn from_time(cx: &mut Cx<'_>) -> Step {
    let archive = &cx.state.features.archive;
    // Where this device was there from the beginning and it told no time yet, all of it is read.
    let start = match (archive.time, archive.known.complete) {
        (Some(time), _) => Millis(time.min(cx.time()).0.saturating_sub(DAY)),
        (None, true) => Millis(0),
        (None, false) => return ask_forward(cx, rsm::Position::Last, None),
    };
    cx.state.features.archive.gap = Some(timeline::reserve(cx, 1)?);
    ask_forward(cx, rsm::Position::First, Some(start))
}

/// The last moment that the archive told; the beginning of time before it did.
pub(crate) fn told(cx: &Cx<'_>) -> Millis {
    cx.state.features.archive.time.unwrap_or_default()
}

/// Whether a stretch that was read before is read again, because the archive forgot where this
/// device was.
pub(crate) fn reads_again(cx: &Cx<'_>) -> bool {
    cx.state.features.archive.queries.values().any(|query| query.until.is_some())
}

/// Whether what the archive got then stands in a stretch that was read before, and is read again.
pub(crate) fn is_read_again(cx: &Cx<'_>, time: Millis) -> bool {
    let mut queries = cx.state.features.archive.queries.values();
    queries.any(|query| query.until.is_some_and(|until| time <= until))
}

/// The account was made just now: there is nothing in its archive that is not news.
pub(crate) fn on_registered(cx: &mut Cx<'_>) -> Step {
    cx.state.features.archive.known.complete = true;
    save(cx)
}

/// The user deleted what was in the archive, here or with the device that tells of it: it begins anew,
/// with what that device tells, and nothing is missing that was wanted.
pub(crate) fn on_emptied(cx: &mut Cx<'_>, told: Option<&Incoming>) -> Step {
    let archive = &mut cx.state.features.archive;
    match told.map(|told| told.source) {
        Some(Source::Older) => return Ok(()),
        // The page that it is in moves on by itself.
        Some(Source::CatchUp) => {}
        Some(Source::Live | Source::Carbon) | None => {
            archive.known.newest = told.and_then(|told| told.archive_id.clone());
        }
    }
    archive.known.oldest = None;
    archive.known.complete = true;
    archive.gap = None;
    save(cx)
}

/// Whether an error says that the account has no archive, and that asking again is of no use.
fn is_absent(error: &StanzaError) -> bool {
    let condition =
        matches!(error.condition, Condition::FeatureNotImplemented | Condition::ServiceUnavailable);
    condition && error.kind == ErrorType::Cancel
}

fn save(cx: &mut Cx<'_>) -> Step {
    let archive = &cx.state.features.archive;
    cx.store.save_archive(cx.me, &archive.known)?;
    let time = archive.time.map(|time| time.0.to_be_bytes());
    cx.store.save_value(TIME, time.as_ref().map(<[u8; 8]>::as_slice))
}

/// Whether what was missed, or has no certain place, is being read.
pub(crate) fn is_reading(cx: &Cx<'_>) -> bool {
    cx.state.features.archive.forward
}

/// A message came, from wherever: if it is new, nothing is missing up to its id.
pub(crate) fn saw(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    if !incoming.source.is_live() {
        return Ok(());
    }
    let Some(id) = &incoming.archive_id else {
        return if incoming.own && incoming.source == Source::Carbon {
            unsettle(cx, SETTLE)
        } else {
            Ok(())
        };
    };
    let archive = &mut cx.state.features.archive;
    if archive.forward {
        archive.live = Some(id.clone());
        return Ok(());
    }
    // A message of this device may already stand before this one: it is not skipped.
    if !cx.state.link.caught_up || archive.unsettled || cx.state.outbox.in_flight() {
        return Ok(());
    }
    archive.known.newest = Some(id.clone());
    save(cx)
}

/// A message of this device is in the archive now.
pub(crate) fn on_sent(cx: &mut Cx<'_>) -> Step {
    unsettle(cx, SETTLE)
}

/// There are messages whose place is not known: read it once nothing more happens for so many
/// milliseconds, or things have happened for [`SETTLE_AT_MOST`].
fn unsettle(cx: &mut Cx<'_>, milliseconds: u64) -> Step {
    let now = cx.now.steady;
    let archive = &mut cx.state.features.archive;
    archive.unsettled = true;
    let since = *archive.unsettled_since.get_or_insert(now);
    let left = since.saturating_add(SETTLE_AT_MOST).saturating_sub(now);
    if let Some(timer) = archive.settle.take() {
        cx.cancel(timer);
    }
    let timer = cx.later(milliseconds.min(left), settle);
    cx.state.features.archive.settle = Some(timer);
    Ok(())
}

fn settle(cx: &mut Cx<'_>) -> Step {
    cx.state.features.archive.settle = None;
    cx.state.features.archive.unsettled_since = None;
    if !cx.online() {
        // The session reads the stretch when it goes on, as the next one does.
        return Ok(());
    }
    if cx.state.features.archive.forward {
        return unsettle(cx, SETTLE);
    }
    cx.state.features.archive.unsettled = false;
    forward(cx)
}

/// How far the archive of one conversation is known.
fn of_conversation(cx: &Cx<'_>, address: &BareJid) -> Step<ArchiveState> {
    if address == cx.me { Ok(ArchiveState::default()) } else { cx.store.archive(address) }
}

/// Whether there is nothing older of this conversation on the server, or nothing that is wanted here.
pub(crate) fn is_complete(cx: &Cx<'_>, address: &BareJid) -> Step<bool> {
    if timeline::is_cleared(cx, address) {
        return Ok(true);
    }
    if rooms::is_room(cx, address) {
        return Ok(cx.store.archive(address)?.complete);
    }
    let all = cx.state.features.archive.known.complete;
    Ok(all || address == cx.me || of_conversation(cx, address)?.complete)
}

/// Fetches an older page of one conversation for its window.
pub(crate) fn older(cx: &mut Cx<'_>, number: u64, address: &BareJid) -> Step {
    if rooms::is_room(cx, address) {
        return rooms::older(cx, number, address);
    }
    if !cx.online() {
        cx.failed(number, Problem::Timeout);
        return Ok(());
    }
    let oldest = match of_conversation(cx, address)?.oldest {
        Some(oldest) => Some(oldest),
        None => {
            let first = cx.store.after(address, Position(0), FIRST_FEW)?;
            first.into_iter().find_map(|message| message.archive_id)
        }
    };
    let position = oldest.map_or(rsm::Position::Last, rsm::Position::Before);
    let next = timeline::reserve_before(cx, PAGE)?;
    let filter = Filter { start: None, with: Some(address.clone()) };
    let address = address.clone();
    ask(cx, Source::Older, next, position, filter, move |cx, _, answer| {
        on_older(cx, number, &address, next, &answer)
    })
}

pub(crate) fn on_older(
    cx: &mut Cx<'_>,
    number: u64,
    address: &BareJid,
    from: Position,
    answer: &Answer,
) -> Step {
    let fin = answer.payload("fin", ns::MAM);
    // What goes from an archive goes from its beginning: where the oldest that is known is gone, nothing
    // older is left.
    let gone = matches!(answer, Answer::Error(error) if error.condition == Condition::ItemNotFound);
    if fin.is_none() && !gone {
        let problem = answer.problem().unwrap_or(Problem::Timeout);
        cx.failed(number, problem);
        return Ok(());
    }
    let page = fin.and_then(rsm::Response::child_of).unwrap_or_default();
    let complete = fin.and_then(|fin| fin.attr("complete"));
    let mut known = of_conversation(cx, address)?;
    known.complete = page.first.is_none() || matches!(complete, Some("true" | "1"));
    known.oldest = page.first.map(|(id, _)| id).or(known.oldest);
    cx.store.save_archive(address, &known)?;
    let until = Position(from.0.saturating_add(PAGE));
    timeline::spread_to_older(cx, address, from, until)?;
    let messages = cx.store.before(address, Some(until), usize::try_from(PAGE).unwrap_or(0))?;
    timeline::show_older(cx, address, messages)?;
    cx.done(number, Outcome::Done);
    Ok(())
}

/// The name under which the time of the newest message is stored.
const TIME: &str = "archive-time";
/// Results in a page. Positions are reserved for as many.
pub(crate) const PAGE: u64 = 100;
/// Later than anything.
const ALL_TIME: Millis = Millis(u64::MAX);
/// Milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;
/// Among so many oldest messages one has an id of the archive.
const FIRST_FEW: usize = 50;
/// After a query that failed, and after the last message without an id: milliseconds.
const RETRY: u64 = 10_000;
const SETTLE: u64 = 2_500;
/// After the first message without an id, whatever happens: milliseconds.
const SETTLE_AT_MOST: u64 = 10_000;
