//! What happens to stanzas that wait for another domain: they are read back from the store, or
//! returned to their senders.

use std::{future::ready, sync::Arc};

use bytes::Bytes;
use store::{AccountId, Fut};
use xmpp::{
    edit::Edit,
    error::{Condition, ErrorType, StanzaError},
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    time::Millis,
    xml::Limits,
};

use super::{
    Remote,
    outgoing::{Bounce, Entry, Input},
    refusals,
};
use crate::{
    account::{Account, AccountState, Resource},
    ext::{muc, offline},
    questions,
    router::resolve::{self, Target, resolve},
    server::Server,
    session::frame::Frame,
};

/// Reads the next parcels of a queue.
pub(super) async fn load(server: Arc<Server>, remote: Arc<Remote>, after: u64, limit: u32) {
    let pair = &remote.pair;
    let loaded = async {
        // What was sent a moment ago may still be on its way to disk.
        server.store.archive.barrier().await?;
        let (local, domain) = (pair.local.as_str().into(), pair.remote.as_str().into());
        server.store.outbox.load(local, domain, after, limit).await
    };
    let input = match loaded.await {
        Ok(parcels) => {
            let complete = parcels.len() < limit as usize;
            let entries = parcels.into_iter().map(|parcel| Entry {
                kind: kind(&parcel.stanza),
                bytes: parcel.stanza,
                parcel: Some(parcel.id),
                account: parcel.account,
                since: Millis(parcel.at.0),
            });
            Input::Loaded { entries: entries.collect(), complete }
        }
        Err(error) => {
            server.store_failed("outbox", &error);
            Input::LoadFailed
        }
    };
    remote.input(&server, input);
}

fn kind(stanza: &Bytes) -> Kind {
    if stanza.starts_with(b"<presence") { Kind::Presence } else { Kind::Message }
}

/// What the sender of a stanza is told for which there is no room.
#[must_use]
pub fn full() -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint)
        .with_type(ErrorType::Wait)
        .with_text("too much waits for other servers already; try again later")
}

/// What became of telling a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It is told, or nobody waits for that.
    Yes,
    /// It is told with this row of an archive, once that is on disk.
    With(AccountId, u64),
    /// Not yet: the store fails.
    No,
}

/// A stanza goes back to its sender. The future tells whether that is done with: whether it is on disk, and the
/// stanza no longer. `None` while the store fails: whoever asks tries again.
pub(super) async fn bounce<'a>(
    server: &'a Arc<Server>,
    entry: &Entry,
    why: Bounce,
) -> Option<Fut<'a, bool>> {
    if entry.parcel.is_some() && server.store.maintenance.health().is_degraded() {
        return None;
    }
    let told = match Stanza::parse(entry.bytes.clone(), &Limits::TRUSTED) {
        Ok(stanza) => {
            let lasting = entry.parcel.is_some()
                || matches!(why, Bounce::Absent | Bounce::TooLarge)
                || is_alert(&stanza);
            send_back(server, &stanza, &error(why), lasting).await
        }
        Err(_) => Told::Yes,
    };
    // After the error, in the order of the store's queue: a crash in between tells twice and never loses.
    let outbox = &server.store.outbox;
    let settled: Fut<'a, bool> = match (entry.parcel, told) {
        (_, Told::No) => return None,
        (None, _) => Box::pin(ready(Ok(true))),
        (Some(id), Told::With(account, row)) => outbox.returned(id, account, row),
        (Some(id), Told::Yes) => {
            let done = outbox.done(vec![id]);
            Box::pin(async move { done.await.map(|()| true) })
        }
    };
    server.metrics.s2s_bounced.increment();
    Some(settled)
}

/// Whether it is an alert of somebody's device, who is told when it does not arrive although it was not on disk.
/// What a node tells comes from no device, and nobody waits for it.
fn is_alert(stanza: &Stanza) -> bool {
    let of_device = |from: &str| Jid::new(from).is_ok_and(|from| from.resource().is_some());
    stanza.kind() == Kind::Message
        && stanza.type_().as_deref() == Some("headline")
        && stanza.from().is_some_and(|from| of_device(&from))
}

/// What the sender is told: what became of the stanza, and nothing of how the other server was looked for.
/// That is for the operator, since it tells which addresses and ports answer this server.
fn error(why: Bounce) -> StanzaError {
    let (condition, text) = match why {
        Bounce::Timeout => (Condition::RemoteServerTimeout, "the other server cannot be reached"),
        Bounce::NotFound => {
            (Condition::RemoteServerNotFound, "no server was found for this domain")
        }
        Bounce::Full => return full(),
        Bounce::Absent => {
            let text = "the service is not connected at the moment";
            let absent = StanzaError::new(Condition::ServiceUnavailable);
            return absent.with_type(ErrorType::Wait).with_text(text);
        }
        Bounce::TooLarge => {
            (Condition::PolicyViolation, "it is larger than the other server takes")
        }
    };
    StanzaError::new(condition).with_text(text)
}

/// Whether somebody waits to hear that a stanza did not arrive.
fn is_awaited(kind: Kind, type_: Option<&str>, lasting: bool) -> bool {
    match (kind, type_) {
        (_, Some("error")) => false,
        (Kind::Iq, type_) => matches!(type_, Some("get" | "set")),
        (Kind::Presence, type_) => type_ == Some("subscribe"),
        (Kind::Message, _) => lasting,
        (Kind::Other, _) => false,
    }
}

/// Tells the local sender of a stanza that it did not arrive. What nobody waits for is dropped:
/// errors, results, presence. `lasting` errors wait for the sender if it is not there.
async fn send_back(
    server: &Arc<Server>,
    stanza: &Stanza,
    error: &StanzaError,
    lasting: bool,
) -> Told {
    let type_ = stanza.type_();
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return Told::Yes };
    let Ok(sender) = Jid::new(&from) else { return Told::Yes };
    let of_room = matches!(resolve::service(server, &sender), Target::Rooms);
    // A room removes whom it cannot reach.
    let waits = lasting || of_room;
    if !is_awaited(stanza.kind(), type_.as_deref(), waits) {
        return Told::Yes;
    }
    // RFC 6120 §8.3.2: `by` says that the error is ours and not the other server's.
    let mut element = error.element();
    element.set_attr("by", server.domain());
    let reply = Edit::new(stanza)
        .from(&to)
        .to(&from)
        .attr("type", Some("error"))
        .drop_if(|_| true)
        .append(element.to_bytes(ns::CLIENT))
        .finish();
    let account = match resolve(server, &sender).await {
        Ok(Target::Account(account)) => account,
        Ok(target) => {
            answer_service(server, target, stanza.kind(), (&sender, &to), reply).await;
            return Told::Yes;
        }
        Err(error) => {
            server.store_failed("resolve", &error);
            return Told::No;
        }
    };
    match stanza.kind() {
        Kind::Message => return tell_of_message(server, &account, &sender, &to, reply).await,
        Kind::Presence => {
            for resource in &account.lock().resources {
                if resource.available.is_some() || resource.interested {
                    resource.session.deliver(Frame::presence(reply.clone()));
                }
            }
        }
        Kind::Iq | Kind::Other => answer_request(server, &account, (&sender, &to), reply),
    }
    Told::Yes
}

/// The error about a stanza of a part of this server, or of a component.
async fn answer_service(
    server: &Arc<Server>,
    target: Target,
    kind: Kind,
    (sender, to): (&Jid, &str),
    reply: Bytes,
) {
    let Ok(to) = Jid::new(to) else { return };
    // A component, or somebody elsewhere who wrote to one.
    if let Target::Remote = target {
        let local = to.domain().as_str();
        return match kind {
            Kind::Message => refusals::send(server, local, sender, reply, None),
            _ => server.s2s.post(server, local, sender, kind, reply),
        };
    }
    let Ok(reply) = Stanza::parse(reply, &Limits::TRUSTED) else { return };
    match target {
        Target::Rooms => {
            let unreached = muc::service::Sender::new(&to);
            Box::pin(muc::service::receive(server, unreached, sender, &reply)).await;
        }
        // A question of the server itself.
        Target::Server => {
            let _ = questions::answered(server, &to, &reply)
                || server.components.pending.answered(server, &to, &reply);
        }
        _ => {}
    }
}

/// The error about a request, to the device that asked or, for one of the account itself, to whoever in the
/// server did.
fn answer_request(
    server: &Arc<Server>,
    account: &Account,
    (sender, to): (&Jid, &str),
    reply: Bytes,
) {
    let Some(resource) = sender.resource() else {
        if let (Ok(to), Ok(reply)) = (Jid::new(to), Stanza::parse(reply, &Limits::TRUSTED)) {
            server.components.pending.answered(server, &to, &reply);
        }
        return;
    };
    let state = account.lock();
    let found = state.resources.iter().find(|r| r.session.resource() == resource.as_str());
    if let Some(resource) = found {
        resource.session.deliver(Frame::iq(reply));
    }
}

/// Brings the error about a message to whoever had sent it through a room, at once or when they are back.
pub async fn give_back(server: &Arc<Server>, to: &Jid, error: Bytes) {
    let Ok(stanza) = Stanza::parse(error.clone(), &Limits::TRUSTED) else { return };
    let Some(from) = stanza.from() else { return };
    match resolve(server, to).await {
        Ok(Target::Account(account)) => {
            // Nothing of it is on disk that could be told later: what failed is in the log.
            tell_of_message(server, &account, to, &from, error).await;
        }
        Ok(Target::Remote) => {
            let Ok(from) = Jid::new(&from) else { return };
            refusals::send(server, from.domain().as_str(), to, error, None);
        }
        _ => {}
    }
}

/// The device that sent it is told; if it is gone, those that are there; if none is, the next one. Nobody is while
/// the store takes nothing.
async fn tell_of_message(
    server: &Arc<Server>,
    account: &Arc<Account>,
    sender: &Jid,
    to: &str,
    reply: Bytes,
) -> Told {
    let Ok(with) = Jid::new(to).map(|to| to.to_bare()) else { return Told::Yes };
    for _ in 0..ATTEMPTS {
        // Many that come back at once wait for their turn. Others may be quicker once there is room.
        if let Some(room) = server.store.archive.room() {
            // When the store fails, keeping it says so.
            let _ = room.await;
        }
        let mut state = account.lock();
        // A device that is there may not come back to take it: it waits until one has it.
        if let Some(id) = offline::keep(server, account, &mut state, &with, reply.clone()) {
            hand_over(&state, sender, id, &reply);
            return Told::With(account.id, id);
        }
    }
    Told::No
}

/// Hands an error that waits as a row of the archive to the device that sent what it is about, or to those that
/// are there.
fn hand_over(state: &AccountState, sender: &Jid, id: u64, reply: &Bytes) {
    let name = sender.resource().map(|resource| resource.as_str());
    let mut there: Vec<&Resource> =
        state.resources.iter().filter(|resource| resource.session.connected()).collect();
    match there.iter().find(|resource| Some(resource.session.resource()) == name).copied() {
        Some(exact) => there = vec![exact],
        None => {
            let takes = |resource: &&Resource| resource.priority().is_some_and(|it| it >= 0);
            there.retain(takes);
        }
    }
    let flushing = state.archive.flushing.as_ref().map(|flushing| flushing.session);
    for session in there.iter().map(|resource| &resource.session) {
        // A device that is being given offline messages gets this one behind them, from the queue.
        if flushing != Some(session.number) {
            let mut frame = Frame::message(reply.clone());
            (frame.archived, frame.pending) = (Some(id), true);
            session.deliver(frame);
        }
    }
}

/// How often a row is offered to the store's queue before it is put off.
const ATTEMPTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Stage,
        net::wire::Output,
        session::{Origin, life},
    };

    #[test]
    fn who_sent_an_alert_is_told_that_it_did_not_arrive_and_no_node_is() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        let told = |from: &str, kind: &str| {
            let xml = format!("<message from='{from}' to='romeo@b.example' type='{kind}'/>");
            let (bytes, since) = (Bytes::from(xml), server.steady());
            let entry = Entry { bytes, kind: Kind::Message, parcel: None, account: None, since };
            stage.run(async {
                bounce(server, &entry, Bounce::Timeout).await.unwrap().await.unwrap();
                server.store.archive.barrier().await.unwrap();
                server.store.archive.pending(juliet.id, 0, u32::MAX).await.unwrap().len()
            })
        };
        assert_eq!(told("juliet@a.example/balcony", "chat"), 0, "she was typing");
        assert_eq!(told("juliet@a.example", "headline"), 0, "an event at her node");
        assert_eq!(told("juliet@a.example/balcony", "headline"), 1);
    }

    #[test]
    fn many_that_come_back_at_once_are_all_told_of() {
        let options = store::sqlite::Options { queue_items: 4, ..Default::default() };
        let stage = Stage::over("[federation]\nenabled = false\n", options);
        let (server, juliet) = (&stage.server, stage.juliet());
        let kept = stage.run(async {
            for number in 0..MANY {
                let xml = format!(
                    "<message from='juliet@a.example/x' to='romeo@b.example' id='{number}'/>"
                );
                let (bytes, since) = (Bytes::from(xml), server.steady());
                let kind = Kind::Message;
                let entry = Entry { bytes, kind, parcel: None, account: None, since };
                assert!(bounce(server, &entry, Bounce::Absent).await.is_some());
            }
            server.store.archive.barrier().await.unwrap();
            server.store.archive.pending(juliet.id, 0, u32::MAX).await.unwrap().len()
        });
        assert_eq!(kept, MANY);
    }

    #[test]
    fn what_comes_back_to_a_device_that_only_seems_to_be_there_waits() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        stage.run(async {
            let bound = life::bind(server, &juliet, Some("balcony"), Origin::default());
            let session = bound.await.unwrap();
            let xml = "<message from='juliet@a.example/balcony' to='romeo@b.example' id='1'/>";
            let (bytes, since, kind) = (Bytes::from(xml), server.steady(), Kind::Message);
            let entry = Entry { bytes, kind, parcel: Some(1), account: None, since };
            let settled = bounce(server, &entry, Bounce::Timeout).await.unwrap();
            assert_eq!(settled.await, Ok(true));
            let pending = server.store.archive.pending(juliet.id, 0, u32::MAX).await.unwrap();
            let mut out = Output::new(false, session.full());
            let written = session.link().write(server.steady(), &mut out, usize::MAX);
            assert_eq!(written.delivered, [pending[0].id], "and goes when the device has it");
        });
    }

    #[test]
    fn nobody_was_told_by_what_is_not_on_disk() {
        let faults = Arc::new(store::sqlite::Faults::default());
        let options = store::sqlite::Options { faults: Some(faults.clone()), ..Default::default() };
        let stage = Stage::over("", options);
        let (server, _juliet) = (&stage.server, stage.juliet());
        let xml = "<message from='juliet@a.example/x' to='romeo@b.example' id='1'/>";
        let (bytes, since, kind) = (Bytes::from(xml), server.steady(), Kind::Message);
        let entry = Entry { bytes, kind, parcel: Some(1), account: None, since };
        stage.run(async {
            faults.fail_commit(store::StoreError::Full);
            let settled = bounce(server, &entry, Bounce::Timeout).await.unwrap();
            assert_ne!(settled.await, Ok(true));
            faults.fail_commit(store::StoreError::Full);
            assert!(server.store.outbox.waiting().await.is_err());
            assert!(bounce(server, &entry, Bounce::Timeout).await.is_none(), "the disk is full");
            server.store.outbox.waiting().await.unwrap();
            let settled = bounce(server, &entry, Bounce::Timeout).await.unwrap();
            assert_eq!(settled.await, Ok(true));
        });
    }

    const MANY: usize = 200;
}
