//! UnifiedPush: addresses for the applications of a phone (<https://codeberg.org/iNPUTmice/up>)
//!
//! A client that takes notifications for the applications beside it asks for an address for each of them;
//! [`crate::http::unified_push`] takes what is posted there. It waits in the store until the device says that
//! the application has it, or until its time is over ([`Post::ttl`]).

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use parking_lot::Mutex;
use store::{
    Millis as StoreMillis, StoreError,
    endpoints::{Endpoint, EndpointId, Message, MessageId, Most, Waiting, Word},
};
use subtle::ConstantTimeEq as _;
use xmpp::{
    error::{Condition, StanzaError},
    ext::unified_push::{self, Name, Register},
    ns,
    stanza::Stanza,
    time::Millis,
    xml::Element,
};

use super::{Extension, HookFuture, IqContext, IqFuture, IqRoute, Scope, SessionHooks};
use crate::{
    invitation,
    iq::{Iq, IqKind},
    push::Reason,
    secret::{ServerSecret, mac},
    server::Server,
    session::{Session, frame::Frame},
};

/// Gives applications addresses.
pub const EXTENSION: Extension = Extension {
    name: "unified_push",
    offered: |config| config.unified_push.enabled,
    features: &[(Scope::Server, ns::UNIFIED_PUSH)],
    iq: &[IqRoute {
        scope: Scope::Server,
        kind: Some(IqKind::Set),
        ns: ns::UNIFIED_PUSH,
        name: "register",
        handler: register,
    }],
    session: SessionHooks {
        presence: Some(on_presence),
        answer: Some(on_answer),
        closed: Some(on_closed),
        ..SessionHooks::NONE
    },
    ..Extension::NOTHING
};

/// What the paths of addresses begin with.
pub const PATH: &str = "/push/";

/// Something that was posted to an address.
pub struct Post {
    /// How long it waits for the device; not at all when zero (RFC 8030 §5.2).
    pub ttl: Duration,
    /// One with the same topic that waits is replaced (RFC 8030 §5.4).
    pub topic: Option<Box<str>>,
    /// Whether a device that sleeps is woken for it (RFC 8030 §5.3).
    pub wakes: bool,
    /// What.
    pub payload: Bytes,
}

/// How far each session was sent what waits for its device. Only those to which something was sent.
#[derive(Default)]
pub struct Sending(Mutex<HashMap<u64, Progress>>);

#[derive(Default)]
struct Progress {
    /// Number of the last message.
    after: u64,
    /// Somebody is sending.
    busy: bool,
    /// There may be more than who is sending has seen.
    more: bool,
}

impl Sending {
    /// Begins to send, after which message; `None` when somebody does already, who goes on then.
    fn begin(&self, session: &Session) -> Option<u64> {
        let mut all = self.0.lock();
        // What has ended was forgotten, or is about to be.
        if session.ended() {
            return None;
        }
        let progress = all.entry(session.number).or_default();
        progress.more = progress.busy;
        if progress.busy {
            return None;
        }
        progress.busy = true;
        Some(progress.after)
    }

    /// Everything up to a message was sent. Returns whether to look again.
    fn reached(&self, session: &Session, after: u64) -> bool {
        let mut all = self.0.lock();
        let Some(progress) = all.get_mut(&session.number) else { return false };
        progress.after = after;
        progress.busy = std::mem::take(&mut progress.more);
        progress.busy
    }
}

fn register<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let (server, session) = (context.server, context.session()?);
        let Register { application, instance } = Register::parse(&iq.payload).ok_or_else(|| {
            StanzaError::new(Condition::BadRequest)
                .with_text("application and instance are SHA-256 hashes in base64")
        })?;
        let config = server.config();
        let (now, days) = (server.now(), config.unified_push.days * DAY);
        let endpoint = Endpoint {
            id: EndpointId(random()?),
            account: session.account.id,
            application: application.0,
            instance: instance.0,
            resource: session.resource().into(),
            expires: StoreMillis(now.0 + days),
        };
        let limit = config.unified_push.endpoints_per_account;
        let made = server.store.endpoints.register(endpoint, StoreMillis(now.0), limit).await;
        let id = made.map_err(|error| server.store_failed("endpoints", &error))?;
        // What waited for another device of the application is for this one now.
        let (shared, there) = (server.clone(), session.clone());
        context.finally(Box::pin(async move { send(&shared, &there) }));
        let origin = invitation::origin(&config, &server.ports());
        let address = format!("{origin}{PATH}{}", token(&server.secret, id));
        // Early enough that a device may be away for a while when the time has come.
        Ok(Some(unified_push::registered(&address, Millis(now.0 + days / 2))))
    })
}

fn random() -> Result<[u8; 16], StanzaError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StanzaError::new(Condition::InternalServerError))?;
    Ok(bytes)
}

/// The last part of an address. Whoever has the database alone cannot make it.
pub(crate) fn token(secret: &ServerSecret, id: EndpointId) -> String {
    URL_SAFE_NO_PAD.encode([id.0, proof(secret, id)].concat())
}

/// The address that a path names; `None` when this server never gave it out.
#[must_use]
pub fn id_in(secret: &ServerSecret, token: &str) -> Option<EndpointId> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
    let (id, given) = bytes.split_first_chunk::<16>()?;
    let id = EndpointId(*id);
    bool::from(proof(secret, id)[..].ct_eq(given)).then_some(id)
}

fn proof(secret: &ServerSecret, id: EndpointId) -> [u8; 16] {
    let mac = mac(&secret.derive("unified push"), &[&id.0]);
    mac.first_chunk().copied().unwrap_or_default()
}

/// Takes what was posted to an address, which belongs to the account of that name. Returns how long it
/// waits at most; `None` when the address has ended meanwhile.
///
/// # Errors
/// When the store failed.
pub async fn take(
    server: &Arc<Server>,
    endpoint: &Endpoint,
    name: &str,
    post: Post,
) -> Result<Option<Duration>, StoreError> {
    let session = session(server, name, &endpoint.resource);
    let connected = session.as_ref().is_some_and(|session| session.connected());
    if post.ttl.is_zero() && !connected {
        return Ok(Some(Duration::ZERO));
    }
    let ttl = post.ttl.min(LONGEST);
    let kept_for = u64::try_from(ttl.max(AT_HAND).as_millis()).unwrap_or(u64::MAX);
    let now = server.now();
    let id = random().map_err(|_| StoreError::Io("no random numbers".to_owned()))?;
    let message = Message {
        id: MessageId(id),
        endpoint: endpoint.id,
        topic: post.topic,
        expires: StoreMillis(now.0.saturating_add(kept_for)),
        payload: post.payload,
    };
    if !server.store.endpoints.keep(message, StoreMillis(now.0), MOST).await? {
        return Ok(None);
    }
    server.metrics.endpoint_messages.increment();
    if let Some(session) = session {
        send(server, &session);
    }
    if post.wakes && !connected {
        wake(server, name, &endpoint.resource);
    }
    Ok(Some(ttl))
}

fn session(server: &Server, name: &str, resource: &str) -> Option<Arc<Session>> {
    let account = server.accounts.loaded(name)?;
    let state = account.lock();
    let found = state.resources.iter().find(|one| one.session.resource() == resource);
    found.map(|one| one.session.clone())
}

/// A device with an app server (XEP-0357) comes back when it is told that something is there.
fn wake(server: &Server, name: &str, resource: &str) {
    for registration in server.pushes.of(name) {
        if *registration.resource == *resource {
            server.pushes.wake(&registration, Reason::Message, server.steady());
        }
    }
}

/// Sends a device what waits for it, unless it was sent in this session before.
fn send(server: &Arc<Server>, session: &Arc<Session>) {
    if let Some(after) = server.unified_push.begin(session) {
        tokio::spawn(send_after(server.clone(), session.clone(), after));
    }
}

async fn send_after(server: Arc<Server>, session: Arc<Session>, mut after: u64) {
    let (account, resource) = (session.account.id, session.resource());
    // What the device answered a moment ago is not sent again.
    if let Err(error) = server.store.archive.barrier().await {
        server.store_failed("endpoints", &error);
    }
    loop {
        let now = StoreMillis(server.now().0);
        let waiting = server.store.endpoints.waiting(account, resource, after, now, AT_ONCE).await;
        let waiting = waiting.unwrap_or_else(|error| {
            server.store_failed("endpoints", &error);
            Vec::new()
        });
        for message in &waiting {
            let bytes = request(server.domain(), session.full(), message).to_bytes(ns::CLIENT);
            session.deliver_bulk(Frame::iq(bytes));
            after = message.number;
        }
        if waiting.is_empty() && !server.unified_push.reached(&session, after) {
            return;
        }
    }
}

fn request(from: &str, to: &str, message: &Waiting) -> Element {
    let application = Name(message.application);
    let push = Register { application, instance: Name(message.instance) };
    Element::new("iq", ns::CLIENT)
        .with_attr("type", "set")
        .with_attr("from", from)
        .with_attr("to", to)
        .with_attr("id", format!("{MARK}{}", URL_SAFE_NO_PAD.encode(message.id.0)))
        .with_child(unified_push::push(push, &message.payload))
}

/// The device is there: it gets what waits.
pub fn greeted(server: &Arc<Server>, session: &Arc<Session>) {
    if server.config().unified_push.enabled {
        send(server, session);
    }
}

fn on_presence<'a>(
    server: &'a Arc<Server>,
    session: &'a Arc<Session>,
    first: bool,
) -> HookFuture<'a> {
    if first {
        greeted(server, session);
    }
    Box::pin(std::future::ready(()))
}

fn on_closed<'a>(server: &'a Arc<Server>, session: &'a Arc<Session>) -> HookFuture<'a> {
    server.unified_push.0.lock().remove(&session.number);
    Box::pin(std::future::ready(()))
}

/// The device's word about a message. What it could not pass on now waits for its next session.
fn on_answer(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza) -> bool {
    let Some(id) = stanza.id().and_then(|id| message_in(&id)) else { return false };
    let word = match stanza.type_().as_deref() {
        Some("result") => Word::Taken,
        _ => {
            let error = stanza.child("error", ns::CLIENT);
            match error.map(|error| StanzaError::parse(&error.element()).condition) {
                Some(Condition::ItemNotFound | Condition::FeatureNotImplemented) => Word::Unknown,
                _ => return true,
            }
        }
    };
    // Nobody waits for this: should it be lost, the message comes once more.
    let endpoints = &server.store.endpoints;
    drop(endpoints.answered(session.account.id, session.resource(), id, word));
    true
}

fn message_in(id: &str) -> Option<MessageId> {
    let id = URL_SAFE_NO_PAD.decode(id.strip_prefix(MARK)?).ok()?;
    id.try_into().ok().map(MessageId)
}

/// What the ids of our requests begin with.
const MARK: &str = "up-";
/// Messages that wait at most: to hundred they come to half a megabyte.
const MOST: Most = Most { of_endpoint: 20, of_account: 100 };
/// Messages read at a time.
const AT_ONCE: u32 = 20;
/// The longest that a message waits.
pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long a message that does not wait may be on its way.
const AT_HAND: Duration = Duration::from_secs(60);
const DAY: u64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_known_by_its_proof_and_says_nothing() {
        let secret = ServerSecret::new([1; 32]);
        let id = EndpointId([7; 16]);
        let token = token(&secret, id);
        assert_eq!(id_in(&secret, &token), Some(id));
        assert_eq!(id_in(&ServerSecret::new([2; 32]), &token), None);
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in [0, 15, 16, 31] {
            bytes[at] ^= 1;
            assert_eq!(id_in(&secret, &URL_SAFE_NO_PAD.encode(&bytes)), None, "{at}");
            bytes[at] ^= 1;
        }
        for bad in ["", "..", "é", &token[1..], &format!("{token}A"), &format!("{token}/x")] {
            assert_eq!(id_in(&secret, bad), None, "{bad}");
        }
    }

    #[test]
    fn our_requests_are_known_by_their_ids() {
        let waiting = Waiting {
            number: 1,
            id: MessageId([9; 16]),
            application: [1; 32],
            instance: [2; 32],
            payload: Bytes::from_static(&[0, 255]),
        };
        let iq = request("a.example", "juliet@a.example/phone", &waiting);
        assert_eq!(iq.attr("id").and_then(message_in), Some(waiting.id));
        let push = iq.child("push", ns::UNIFIED_PUSH).unwrap();
        assert_eq!(push.text(), "AP8=");
        for other in ["", "up-", "q-s1", "up-AAAA", "up-é", "CQkJCQkJCQkJCQkJCQkJCQ"] {
            assert_eq!(message_in(other), None, "{other}");
        }
    }
}
