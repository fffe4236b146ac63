//! XEP-0160: Best Practices for Handling Offline Messages 1.0.1
//!
//! Nothing is stored twice: a message for an account without a connected device is a row of its
//! archive that also waits. It stops waiting when a device has it.

use std::sync::Arc;

use bytes::Bytes;
use store::{
    StoreError,
    archive::{Append, Row, Unit},
};
use xmpp::{
    edit::Edit,
    error::{StreamCondition, StreamError},
    ext::delay::Delay,
    jid::{BareJid, Jid},
    stanza::Stanza,
    time::Millis,
    xml::Limits,
};

use super::{
    Extension, HookFuture, Inbound, Scope, SessionHooks, Spec,
    archive::{self, Flushing},
};
use crate::{
    account::{Account, AccountState},
    router::deliver,
    server::Server,
    session::{Session, frame::Frame, life},
};

/// Hands over what waited when a device comes online.
pub const EXTENSION: Extension = Extension {
    name: "offline",
    specs: &[
        Spec { xep: 160, version: "1.0.1", title: "Best Practices for Handling Offline Messages" },
        Spec { xep: 203, version: "2.0", title: "Delayed Delivery" },
    ],
    features: &[(Scope::Server, xmpp::ns::OFFLINE_FEATURE)],
    inbound: &[(Inbound::Deliver, deliver::deliver), (Inbound::Miss, deliver::missed)],
    session: SessionHooks {
        bound: Some(bound),
        takes_messages: Some(takes_messages),
        ..SessionHooks::NONE
    },
    ..Extension::NOTHING
};

/// Messages that are read from the store at a time.
const BATCH: u32 = 100;

/// A device was bound, and messages of its archive stay behind what may wait for it (ADR 33). When nothing does,
/// they need not.
fn bound<'a>(server: &'a Arc<Server>, session: &'a Arc<Session>) -> HookFuture<'a> {
    Box::pin(async move {
        let account = &session.account;
        let (newest, waits) = {
            let state = account.lock();
            if state.archive.waits_for_nothing() {
                return session.link().set_awaited_backlog(false);
            }
            (state.archive.newest(), state.archive.waits())
        };
        match pending(server, account, 0, 1).await {
            Ok(rows) if rows.is_empty() => {
                let mut state = account.lock();
                state.archive.none_waits(waits);
                if state.archive.newest() == newest {
                    session.link().set_awaited_backlog(false);
                }
            }
            Ok(_) => {}
            Err(error) => {
                server.store_failed("offline messages", &error);
            }
        }
    })
}

/// The device takes messages now: what waits is handed to it, unless another device is getting it.
fn takes_messages(state: &mut AccountState, session: &Arc<Session>) {
    if !busy(state) && session.link().takes() {
        begin(state, session);
    }
}

/// Whether a device that is there is getting what waits.
fn busy(state: &AccountState) -> bool {
    let flushing = state.archive.flushing.as_ref();
    let to = flushing.and_then(|flushing| {
        state.resources.iter().find(|resource| resource.session.number == flushing.session)
    });
    to.is_some_and(|resource| resource.session.link().takes())
}

/// Keeps a stanza for whichever device comes online next, and in no archive. The id of its row; `None` when
/// the store takes nothing.
pub fn keep(
    server: &Server,
    account: &Account,
    state: &mut AccountState,
    with: &BareJid,
    stanza: Bytes,
) -> Option<u64> {
    let id = archive::take_id(state);
    let row = row(server, account, state, with, (id, stanza));
    submit(server, std::iter::once(row).collect()).then_some(id)
}

/// A session is over, and its client has perhaps not got these messages, which no archive has: they wait, each
/// in the place that was set aside for it.
pub fn keep_left(
    server: &Server,
    account: &Account,
    state: &mut AccountState,
    left: Vec<(u64, Bytes)>,
) {
    if state.deleted {
        return;
    }
    let with = |stanza: &Bytes| {
        let stanza = Stanza::parse(stanza.clone(), &Limits::SERVER).ok()?;
        Some(Jid::new(&stanza.from()?).ok()?.to_bare())
    };
    let left = left.into_iter().filter_map(|left| Some((with(&left.1)?, left)));
    let unit: Unit = left.map(|(with, left)| row(server, account, state, &with, left)).collect();
    if !unit.is_empty() {
        submit(server, unit);
    }
}

fn row(
    server: &Server,
    account: &Account,
    state: &mut AccountState,
    with: &BareJid,
    (id, stanza): (u64, Bytes),
) -> Append {
    state.archive.begins_to_wait();
    // A device that is being given offline messages gets this one with them.
    if let Some(flushing) = state.archive.flushing.as_mut() {
        flushing.missed = flushing.missed.max(id);
    }
    Append {
        account: account.id,
        id,
        at: store::Millis(server.now().0),
        with: with.as_str().into(),
        resource: None,
        outgoing: false,
        origin_hash: None,
        pending: true,
        hidden: true,
        stanza,
    }
}

fn submit(server: &Server, unit: Unit) -> bool {
    let kept = server.store.archive.append(unit, None).is_ok();
    if !kept {
        tracing::warn!("the store takes nothing: somebody who is away misses a message");
    }
    kept
}

/// Starts to hand what waits to a session. What it was given already is not given again, so there is no harm in
/// beginning once more.
fn begin(state: &mut AccountState, session: &Session) {
    let flushing = Flushing { session: session.number, after: 0, round: 0, missed: 0 };
    let before = state.archive.flushing.replace(flushing);
    if let Some(before) = before.filter(|before| before.session != session.number) {
        let other = state.resources.iter().find(|r| r.session.number == before.session);
        if let Some(other) = other.filter(|other| other.session.link().lose_backlog()) {
            other.session.close(StreamError::new(StreamCondition::Reset));
        }
    }
    session.link().set_backlog(true);
    session.nudge();
}

/// A session has lost its connection: if offline messages were being handed to it, a device that is there
/// gets them.
pub fn interrupted(state: &mut AccountState, session: &Session) {
    if own(state, session).is_some() {
        begin_with_another(state);
    }
}

/// A session is over: if offline messages were being handed to it, another device gets the rest.
pub fn flush_ended(state: &mut AccountState, session: &Session) {
    if own(state, session).is_some() {
        state.archive.flushing = None;
        begin_with_another(state);
    }
}

/// A session is over whose client did not acknowledge what waits (again) now: a device that is there gets it.
pub fn left_behind(state: &mut AccountState) {
    if let Some(flushing) = state.archive.flushing.as_mut() {
        // Who is being given such messages begins anew: these may be older than where it stands.
        flushing.after = 0;
        flushing.round += 1;
    }
    if !busy(state) {
        begin_with_another(state);
    }
}

fn begin_with_another(state: &mut AccountState) {
    let ready = state.resources.iter().find(|resource| {
        resource.priority().is_some_and(|priority| priority >= 0) && resource.session.link().takes()
    });
    if let Some(next) = ready.map(|resource| resource.session.clone()) {
        begin(state, &next);
    }
}

/// Hands the next batch of offline messages to a session that has room for it. Called by the
/// connection's task, so that a full queue slows the handing over down and nothing else.
pub async fn hand_over(server: &Arc<Server>, session: &Arc<Session>) {
    let account = &session.account;
    let begun = {
        let mut state = account.lock();
        let newest = state.archive.newest();
        let Some(flushing) = own(&mut state, session) else {
            return session.link().set_backlog(false);
        };
        let Flushing { after, round, .. } = *flushing;
        Begun { epoch: session.link().epoch(), after, round, newest }
    };
    let rows = match pending(server, account, begun.after, BATCH).await {
        Ok(rows) => rows,
        Err(error) => {
            server.store_failed("offline messages", &error);
            // What comes meanwhile stays behind: it would hide from the client what is older.
            return session.link().put_off_backlog(server.now());
        }
    };
    let rows: Vec<_> = rows.into_iter().map(|row| (delayed(server, &row), row)).collect();
    let there = give(&mut account.lock(), session, begun, rows);
    life::delivered(server, account, there);
}

/// What waits for an account behind `after`, with all that was taken so far.
async fn pending(
    server: &Server,
    account: &Account,
    after: u64,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    account.submitted().await;
    server.store.archive.barrier().await?;
    server.store.archive.pending(account.id, after, limit).await
}

/// How things stood when the next batch for a session was read.
#[derive(Clone, Copy)]
struct Begun {
    /// The connection over which it gets it.
    epoch: u64,
    /// It was given everything up to this id.
    after: u64,
    /// How often it began anew.
    round: u64,
    /// The newest id that there was.
    newest: u64,
}

/// Queues what was read, as far as there is room. Returns the ids of those that the device finds in the archive,
/// which it reads by itself.
fn give(
    state: &mut AccountState,
    session: &Session,
    begun: Begun,
    rows: Vec<(Option<Bytes>, Row)>,
) -> Vec<u64> {
    let caught_up = state.resource(session).and_then(|resource| resource.caught_up);
    let mut there = Vec::new();
    let mut link = session.link();
    // Meanwhile the session may have ended, and another one may be getting the messages.
    let Some(flushing) = own(state, session) else {
        link.set_backlog(false);
        return there;
    };
    let stale = (flushing.after, flushing.round) != (begun.after, begun.round);
    if stale || link.epoch() != begun.epoch {
        // Another connection of this session hands them over, and may have told since what its client has.
        return there;
    }
    let given = link.given();
    let mut all = rows.len() < BATCH as usize;
    for (bytes, row) in rows {
        if row.id > begun.newest {
            // One that came since and is older than this may not be there yet.
            all = true;
            break;
        }
        // What came meanwhile was queued for it as well, and waits in case that it does not come back.
        let has = link.catch_up(row.id) || given.contains(&row.id);
        if !has && caught_up.is_some_and(|part| part.has(&row)) {
            there.push(row.id);
        } else if let Some(bytes) = bytes.filter(|_| !has) {
            if !link.has_room() {
                all = false;
                break;
            }
            let mut frame = Frame::message(bytes);
            frame.archived = Some(row.id);
            frame.pending = true;
            link.push_bulk(frame);
        }
        flushing.after = row.id;
    }
    if all {
        flushing.after = begun.newest;
    }
    // None was missed meanwhile: from here on messages are delivered as they come.
    if all && flushing.missed <= begun.newest {
        state.archive.flushing = None;
        link.set_backlog(false);
    }
    there
}

/// The handing over, if it is to this session.
fn own<'a>(state: &'a mut AccountState, session: &Session) -> Option<&'a mut Flushing> {
    state.archive.flushing.as_mut().filter(|flushing| flushing.session == session.number)
}

/// The message with the time when it came (XEP-0203).
fn delayed(server: &Server, row: &Row) -> Option<Bytes> {
    let stanza = Stanza::parse(row.stanza.clone(), &Limits::SERVER).ok()?;
    let mut delay = Vec::new();
    let from = Jid::new(server.domain()).ok()?;
    Delay::new(Millis(row.at.0)).with_from(from).write(&mut delay);
    Some(Edit::new(&stanza).append(delay).finish())
}

#[cfg(test)]
mod tests;
