//! XEP-0160: Best Practices for Handling Offline Messages 1.0.1
//!
//! Nothing is stored twice: a message for an account without a connected device is a row of its
//! archive that also waits. It stops waiting when a device has it.

use std::sync::Arc;

use bytes::Bytes;
use store::archive::{Append, Row, Unit};
use xmpp::{
    edit::Edit,
    error::{StreamCondition, StreamError},
    ext::delay::Delay,
    jid::BareJid,
    stanza::Stanza,
    time::Millis,
    xml::Limits,
};

use super::{
    Extension, Inbound, Scope, SessionHooks, Spec,
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
    session: SessionHooks { takes_messages: Some(takes_messages), ..SessionHooks::NONE },
    ..Extension::NOTHING
};

/// Messages that are read from the store at a time.
const BATCH: u32 = 100;

/// The device takes messages now: what waits is handed to it, unless another device is getting it.
fn takes_messages(state: &mut AccountState, session: &Arc<Session>) {
    let busy = state.archive.flushing.as_ref().is_some_and(|flushing| {
        let other = state.resources.iter().find(|r| r.session.number == flushing.session);
        other.is_some_and(|other| other.session.connected())
    });
    if !busy {
        begin(state, session);
    }
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
    let row = Append {
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
    };
    let unit: Unit = std::iter::once(row).collect();
    if server.store.archive.append(unit, None).is_err() {
        tracing::warn!("the store takes nothing: somebody who is away misses a message");
        return None;
    }
    // A device that is being given offline messages gets this one behind them.
    if let Some(flushing) = state.archive.flushing.as_mut() {
        flushing.kept.push(id);
    }
    Some(id)
}

/// Starts to hand what waits to a session, or goes on with it.
fn begin(state: &mut AccountState, session: &Session) {
    let upto = state.archive.newest();
    let Some(after) = state.resource(session).map(|resource| resource.handed) else { return };
    let flushing = Flushing { session: session.number, after, upto, kept: Vec::new() };
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

fn begin_with_another(state: &mut AccountState) {
    let ready = state.resources.iter().find(|resource| {
        resource.priority().is_some_and(|priority| priority >= 0) && resource.session.connected()
    });
    if let Some(next) = ready.map(|resource| resource.session.clone()) {
        begin(state, &next);
    }
}

/// Hands the next batch of offline messages to a session that has room for it. Called by the
/// connection's task, so that a full queue slows the handing over down and nothing else.
pub async fn hand_over(server: &Arc<Server>, session: &Arc<Session>) {
    let account = &session.account;
    let here = own(&mut account.lock(), session)
        .map(|flushing| (flushing.after, flushing.kept.last().copied().unwrap_or(0)));
    let Some((after, newest)) = here else { return session.link().set_backlog(false) };
    account.submitted().await;
    if let Err(error) = server.store.archive.barrier().await {
        server.store_failed("offline messages", &error);
    }
    let rows = match server.store.archive.pending(account.id, after, BATCH).await {
        Ok(rows) => rows,
        Err(error) => {
            server.store_failed("offline messages", &error);
            let mut state = account.lock();
            if own(&mut state, session).is_some() {
                state.archive.flushing = None;
            }
            return session.link().set_backlog(false);
        }
    };
    // With all of them the device has what was kept before they were read.
    let end = (rows.len() < BATCH as usize).then_some(newest);
    let rows: Vec<_> = rows.into_iter().map(|row| (delayed(server, &row), row)).collect();
    let there = give(&mut account.lock(), session, after, rows, end);
    life::delivered(server, account, there);
}

/// Queues what was read behind `after`, as far as there is room; `end` is there when that was all, and the
/// newest id that was kept. Returns the ids of those that the device finds in the archive, which it reads by
/// itself.
fn give(
    state: &mut AccountState,
    session: &Session,
    after: u64,
    rows: Vec<(Option<Bytes>, Row)>,
    mut end: Option<u64>,
) -> Vec<u64> {
    let caught_up = state.resource(session).and_then(|resource| resource.caught_up);
    let mut there = Vec::new();
    let mut link = session.link();
    // Meanwhile the session may have ended, and another one may be getting the messages.
    let Some(flushing) = own(state, session) else {
        link.set_backlog(false);
        return there;
    };
    if flushing.after != after {
        // Another connection of this session has handed them over.
        return there;
    }
    for (bytes, row) in rows {
        // What came meanwhile was queued for it as well, and waits in case that it does not come back.
        let wanted = row.id <= flushing.upto || flushing.kept.contains(&row.id);
        if caught_up.is_some_and(|part| part.has(&row)) {
            there.push(row.id);
        } else if let Some(bytes) = bytes.filter(|_| wanted) {
            if !link.has_room() {
                end = None;
                break;
            }
            let mut frame = Frame::message(bytes);
            frame.archived = Some(row.id);
            frame.pending = true;
            link.push_bulk(frame);
        }
        flushing.after = row.id;
    }
    flushing.after = flushing.after.max(end.unwrap_or(0));
    let handed = flushing.after;
    // None was kept meanwhile: from here on messages are delivered as they come.
    if end.is_some() && flushing.kept.iter().all(|id| *id <= handed) {
        state.archive.flushing = None;
        link.set_backlog(false);
    }
    drop(link);
    if let Some(resource) = state.resource(session) {
        resource.handed = handed;
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
    let from = xmpp::jid::Jid::new(server.domain()).ok()?;
    Delay::new(Millis(row.at.0)).with_from(from).write(&mut delay);
    Some(Edit::new(&stanza).append(delay).finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{account::CaughtUp, im::presence::Available, model::Stage, session::Origin};

    /// A row that waits, and the id it has.
    fn waits(stage: &Stage, juliet: &Account) -> u64 {
        let mut state = juliet.lock();
        let id = archive::take_id(&mut state);
        let row = Append {
            account: juliet.id,
            id,
            at: store::Millis(stage.server.now().0),
            with: "romeo@b.example".into(),
            resource: None,
            outgoing: false,
            origin_hash: None,
            pending: true,
            hidden: false,
            stanza: format!("<message from='romeo@b.example/x' id='{id}'><body>a</body></message>")
                .into(),
        };
        stage.server.store.archive.append(std::iter::once(row).collect(), None).unwrap();
        id
    }

    fn bind(stage: &Stage, juliet: &Arc<Account>, resource: &str) -> Arc<Session> {
        stage.run(life::bind(&stage.server, juliet, Some(resource), Origin::default())).unwrap()
    }

    /// A device that asks for what is newer than the newest that it has would never get the older one.
    #[test]
    fn nothing_overtakes_what_had_waited() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        let session = bind(&stage, &juliet, "phone");
        let (first, second) = (waits(&stage, &juliet), waits(&stage, &juliet));
        begin(&mut juliet.lock(), &session);
        // Another device of hers writes something, and somebody writes to her.
        let later = [(); 2].map(|()| {
            let mut frame = Frame::message("<message/>".into());
            frame.archived = Some(archive::take_id(&mut juliet.lock()));
            session.deliver(frame.clone());
            frame.archived
        });
        assert!(!session.link().has_more(), "not yet");
        stage.run(hand_over(&stage.server, &session));
        let sent = session.link().end();
        let order: Vec<_> = sent.iter().map(|sent| sent.archived).collect();
        assert_eq!(order, [Some(first), Some(second), later[0], later[1]]);
    }

    #[test]
    fn a_device_whose_messages_go_to_another_one_begins_anew() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        let (phone, desk) = (bind(&stage, &juliet, "phone"), bind(&stage, &juliet, "desk"));
        waits(&stage, &juliet);
        begin(&mut juliet.lock(), &phone);
        phone.link().set_resumption("x");
        let epoch = phone.link().epoch();
        phone.link().detach(epoch, stage.server.now(), true);
        assert!(phone.link().resumable());
        begin(&mut juliet.lock(), &desk);
        assert!(!phone.link().resumable(), "it would never know what it missed");
        stage.run(hand_over(&stage.server, &desk));
        assert_eq!(desk.link().end().len(), 1);
    }

    #[test]
    fn what_is_older_than_what_a_device_reads_is_handed_over() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        let session = bind(&stage, &juliet, "phone");
        let (old, read) = (waits(&stage, &juliet), waits(&stage, &juliet));
        let part = |after, upto| CaughtUp { after, ..CaughtUp::to(upto) };
        let reads = part(old, read).and(part(read, read));
        assert_eq!(reads, part(old, read), "the next page of the same");
        assert_eq!(reads.and(part(read + 5, read + 9)).after, read + 5, "something else");
        juliet.lock().resource(&session).unwrap().caught_up = Some(reads);
        begin(&mut juliet.lock(), &session);
        stage.run(hand_over(&stage.server, &session));
        let sent = session.link().end();
        let ids: Vec<_> = sent.iter().map(|sent| sent.archived).collect();
        assert_eq!(ids, [Some(old)]);
    }

    #[test]
    fn two_connections_of_a_session_hand_over_once() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        let session = bind(&stage, &juliet, "phone");
        let first = waits(&stage, &juliet);
        begin(&mut juliet.lock(), &session);
        let server = &stage.server;
        stage.run(async { tokio::join!(hand_over(server, &session), hand_over(server, &session)) });
        let ids: Vec<_> = session.link().end().iter().map(|sent| sent.archived).collect();
        assert_eq!(ids, [Some(first)]);
    }

    #[test]
    fn who_is_there_gets_what_a_device_was_given_that_is_cut_off() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        let (phone, desk) = (bind(&stage, &juliet, "phone"), bind(&stage, &juliet, "desk"));
        let first = waits(&stage, &juliet);
        begin(&mut juliet.lock(), &phone);
        phone.link().set_resumption("x");
        let epoch = phone.link().epoch();
        phone.link().detach(epoch, stage.server.now(), true);
        interrupted(&mut juliet.lock(), &phone);
        assert!(phone.link().resumable(), "nobody else is there");
        let stanza = Stanza::parse("<presence/>".into(), &Limits::CLIENT).unwrap();
        let available = Available { stanza, priority: 0 };
        juliet.lock().resource(&desk).unwrap().available = Some(available);
        interrupted(&mut juliet.lock(), &phone);
        assert!(!phone.link().resumable());
        stage.run(hand_over(&stage.server, &desk));
        let ids: Vec<_> = desk.link().end().iter().map(|sent| sent.archived).collect();
        assert_eq!(ids, [Some(first)]);
    }

    #[test]
    fn what_was_kept_meanwhile_comes_behind_the_rest_and_ends_it() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        let session = bind(&stage, &juliet, "phone");
        let first = waits(&stage, &juliet);
        begin(&mut juliet.lock(), &session);
        let romeo = BareJid::new("romeo@b.example").unwrap();
        let stanza = Bytes::from_static(b"<message from='romeo@b.example' type='error'/>");
        let kept = keep(&stage.server, &juliet, &mut juliet.lock(), &romeo, stanza);
        // One that was queued for it as well, since it had no connection then.
        let queued = waits(&stage, &juliet);
        stage.run(hand_over(&stage.server, &session));
        assert!(!session.link().has_backlog());
        let ids: Vec<_> = session.link().end().iter().map(|sent| sent.archived).collect();
        assert_eq!(ids, [Some(first), kept], "and not {queued}");
    }
}
