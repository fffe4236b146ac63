//! XEP-0160: Best Practices for Handling Offline Messages 1.0.1
//!
//! Nothing is stored twice: a message for an account without a connected device is a row of its
//! archive that also waits. It stops waiting when a device has it.

use std::sync::Arc;

use bytes::Bytes;
use store::archive::{Append, Row, Unit};
use xmpp::{
    edit::Edit, ext::delay::Delay, jid::BareJid, stanza::Stanza, time::Millis, xml::Limits,
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
    session: SessionHooks { available: Some(available), ..SessionHooks::NONE },
    ..Extension::NOTHING
};

/// Messages that are read from the store at a time.
const BATCH: u32 = 100;

/// The device takes messages now: what waits is handed to it, unless another device is getting it.
fn available<'a>(server: &'a Arc<Server>, session: &'a Arc<Session>) -> HookFuture<'a> {
    let _ = server;
    Box::pin(async move {
        let mut state = session.account.lock();
        let busy = state.archive.flushing.is_some_and(|flushing| {
            let other = state.resources.iter().find(|r| r.session.number == flushing.session);
            other.is_some_and(|other| other.session.connected())
        });
        if !busy {
            begin(&mut state, session);
        }
    })
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
        flushing.newest = id;
    }
    Some(id)
}

/// Starts to hand what waits to a session.
fn begin(state: &mut AccountState, session: &Session) {
    let newest = state.archive.newest();
    // Whoever reads the archive by itself (XEP-0386 §5) may have done so before the next message comes.
    if let Some(read) = state.resource(session).and_then(|it| it.caught_up.as_mut()) {
        read.upto = read.upto.min(newest);
    }
    let flushing = Flushing { session: session.number, after: 0, upto: newest, newest };
    let before = state.archive.flushing.replace(flushing);
    if let Some(before) = before.filter(|before| before.session != session.number) {
        let other = state.resources.iter().find(|r| r.session.number == before.session);
        other.inspect(|other| other.session.link().lose_backlog());
    }
    session.link().set_backlog(true);
    session.nudge();
}

/// A session is over: if offline messages were being handed to it, another device gets the rest.
pub fn flush_ended(state: &mut AccountState, session: &Session) {
    if state.archive.flushing.is_none_or(|flushing| flushing.session != session.number) {
        return;
    }
    state.archive.flushing = None;
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
    let flushing = own(&mut account.lock(), session).copied();
    let Some(flushing) = flushing else { return session.link().set_backlog(false) };
    let caught_up = account.lock().resource(session).and_then(|resource| resource.caught_up);
    account.submitted().await;
    if let Err(error) = server.store.archive.barrier().await {
        server.store_failed("offline messages", &error);
    }
    let archive = &server.store.archive;
    let rows = match archive.pending(account.id, flushing.after, BATCH).await {
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
    let last = rows.last().map_or(flushing.newest, |row| row.id);
    // A device that reads the archive by itself finds everything there but what is hidden.
    let (there, missing): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| caught_up.is_some_and(|part| part.has(row)));
    life::delivered(server, account, there.iter().map(|row| row.id).collect());
    // What came meanwhile was queued for it as well, and waits in case that it does not come back.
    for row in missing.iter().filter(|row| row.hidden || row.id <= flushing.upto) {
        let Some(bytes) = delayed(server, row) else { continue };
        let mut frame = Frame::message(bytes);
        frame.archived = Some(row.id);
        frame.pending = true;
        session.deliver_bulk(frame);
    }
    let mut state = account.lock();
    // Meanwhile the session may have ended, and another one may be getting the messages.
    let Some(flushing) = own(&mut state, session) else {
        return session.link().set_backlog(false);
    };
    flushing.after = last;
    if flushing.after >= flushing.newest {
        // Nothing came meanwhile: from here on messages are delivered as they come.
        state.archive.flushing = None;
        session.link().set_backlog(false);
    }
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
    use crate::{account::CaughtUp, model::Stage, session::Origin};

    /// Its client may have read the archive before: nobody else has that message for it.
    #[test]
    fn what_comes_while_messages_are_handed_over_is_not_left_to_the_archive() {
        let stage = Stage::new();
        let juliet = stage.juliet();
        let bound = life::bind(&stage.server, &juliet, Some("phone"), Origin::default());
        let session = stage.run(bound).unwrap();
        let mut state = juliet.lock();
        let before = archive::take_id(&mut state);
        state.resource(&session).unwrap().caught_up = Some(CaughtUp::to(u64::MAX));
        begin(&mut state, &session);
        let later = archive::take_id(&mut state);
        let read = state.resource(&session).unwrap().caught_up.unwrap().upto;
        assert!(read >= before && read < later, "{before} <= {read} < {later}");
    }

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
        let part = |after, upto| CaughtUp { after, upto, ..CaughtUp::to(0) };
        let reads = part(old, read).and(part(read, read));
        assert_eq!(reads, part(old, read), "the next page of the same");
        juliet.lock().resource(&session).unwrap().caught_up = Some(reads);
        begin(&mut juliet.lock(), &session);
        stage.run(hand_over(&stage.server, &session));
        let sent = session.link().end();
        let ids: Vec<_> = sent.iter().map(|sent| sent.archived).collect();
        assert_eq!(ids, [Some(old)]);
    }
}
