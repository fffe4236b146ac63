//! What happens to stanzas that wait for another domain: they are read back from the store, or
//! returned to their senders.

use std::sync::Arc;

use bytes::Bytes;
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
};
use crate::{
    account::Account,
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

/// A stanza goes back to its sender. One whose sender cannot be told, because the store fails, stays on disk:
/// after the next start it is sent, or goes back.
pub(super) async fn bounce(server: &Arc<Server>, entry: Entry, why: Bounce) {
    server.metrics.s2s_bounced.increment();
    let mut told = true;
    if let Ok(stanza) = Stanza::parse(entry.bytes.clone(), &Limits::TRUSTED) {
        let lasting = entry.parcel.is_some()
            || matches!(why, Bounce::Absent | Bounce::TooLarge)
            || is_alert(&stanza);
        told = send_back(server, &stanza, &error(why), lasting).await;
    }
    if let Some(id) = entry.parcel.filter(|_| told) {
        // After the error, in the order of the store's queue: a crash in between tells twice and
        // never loses.
        drop(server.store.outbox.done(vec![id]));
    }
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
/// errors, results, presence. `lasting` errors wait for the sender if it is not there. Returns whether that is
/// done with; it is not while the store fails.
async fn send_back(
    server: &Arc<Server>,
    stanza: &Stanza,
    error: &StanzaError,
    lasting: bool,
) -> bool {
    let type_ = stanza.type_();
    let (Some(from), Some(to)) = (stanza.from(), stanza.to()) else { return true };
    let Ok(sender) = Jid::new(&from) else { return true };
    let of_room = matches!(resolve::service(server, &sender), Target::Rooms);
    // A room removes whom it cannot reach.
    let waits = lasting || of_room;
    if !is_awaited(stanza.kind(), type_.as_deref(), waits) {
        return true;
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
            return true;
        }
        Err(error) => {
            server.store_failed("resolve", &error);
            return false;
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
    true
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
        return server.s2s.post(server, to.domain().as_str(), sender, kind, reply);
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
            server.s2s.post(server, from.domain().as_str(), to, Kind::Message, error);
        }
        _ => {}
    }
}

/// The device that sent it is told; if it is gone, those that are there; if none is, the next one. `false` when
/// nobody is and the store takes nothing.
async fn tell_of_message(
    server: &Arc<Server>,
    account: &Arc<Account>,
    sender: &Jid,
    to: &str,
    reply: Bytes,
) -> bool {
    // Many that come back at once wait for their turn, so that none of them is refused.
    if let Some(room) = server.store.archive.room() {
        // When the store fails, keeping it says so.
        let _ = room.await;
    }
    let mut state = account.lock();
    let name = sender.resource().map(|resource| resource.as_str());
    let exact = state
        .resources
        .iter()
        .find(|resource| Some(resource.session.resource()) == name && resource.session.connected());
    if let Some(resource) = exact {
        resource.session.deliver(Frame::message(reply));
        return true;
    }
    let mut told = false;
    let present = state.resources.iter().filter(|resource| {
        resource.priority().is_some_and(|priority| priority >= 0) && resource.session.connected()
    });
    for resource in present {
        resource.session.deliver(Frame::message(reply.clone()));
        told = true;
    }
    let Some(with) = Jid::new(to).ok().map(|to| to.to_bare()).filter(|_| !told) else {
        return true;
    };
    offline::keep(server, account, &mut state, &with, reply).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;

    #[test]
    fn who_sent_an_alert_is_told_that_it_did_not_arrive_and_no_node_is() {
        let stage = Stage::new();
        let (server, juliet) = (&stage.server, stage.juliet());
        let told = |from: &str, kind: &str| {
            let xml = format!("<message from='{from}' to='romeo@b.example' type='{kind}'/>");
            let (bytes, since) = (Bytes::from(xml), server.now());
            let entry = Entry { bytes, kind: Kind::Message, parcel: None, account: None, since };
            stage.run(async {
                bounce(server, entry, Bounce::Timeout).await;
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
                let (bytes, since) = (Bytes::from(xml), server.now());
                let kind = Kind::Message;
                let entry = Entry { bytes, kind, parcel: None, account: None, since };
                bounce(server, entry, Bounce::Absent).await;
            }
            server.store.archive.barrier().await.unwrap();
            server.store.archive.pending(juliet.id, 0, u32::MAX).await.unwrap().len()
        });
        assert_eq!(kept, MANY);
    }

    const MANY: usize = 200;
}
