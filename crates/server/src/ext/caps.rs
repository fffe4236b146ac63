//! XEP-0115: Entity Capabilities 1.6.0, of the clients
//!
//! The server wants to know one thing about a client: of which nodes it wants notifications
//! (XEP-0060 §9.2). It asks the client once for each hash and keeps the answer for everybody who
//! sends the same hash, if the answer has that hash. An answer that cannot be verified counts for
//! the one resource that gave it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use xmpp::{
    ext::{
        caps::{self, Caps},
        disco::Info,
        pubsub::NOTIFY_SUFFIX,
    },
    jid::Jid,
    ns,
    stanza::Stanza,
    xml::Element,
};

use super::{Extension, HookFuture, SessionHooks, pubsub};
use crate::{
    account::Account,
    s2s::presence::Question,
    server::Server,
    session::{Session, frame::Frame},
};

/// Learns what clients can do.
pub const EXTENSION: Extension = Extension {
    name: "caps",
    session: SessionHooks {
        presence: Some(on_presence),
        answer: Some(on_answer),
        ..SessionHooks::NONE
    },
    ..Extension::NOTHING
};

/// What a client said it can do, as far as the server cares.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// What the client announced when it gave this answer.
    source: Option<Source>,
    /// The nodes it wants notifications of, sorted.
    notify: Box<[Box<str>]>,
}

/// The attributes of `<c/>`.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    node: Box<str>,
    ver: Box<str>,
    hash: Option<Box<str>>,
}

/// Verified answers by hash, shared by all clients.
#[derive(Debug, Default)]
pub struct CapsCache(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    features: HashMap<Box<str>, Arc<Features>>,
    /// Hashes in order of arrival; the oldest makes room. One that is still in use comes back with
    /// the next client that sends it.
    order: VecDeque<Box<str>>,
}

impl Features {
    /// Reads an answer that `caps` announced.
    #[must_use]
    pub fn read(caps: &Caps, info: &Info) -> Self {
        let nodes = info.features.iter().filter_map(|feature| feature.strip_suffix(NOTIFY_SUFFIX));
        let mut notify: Vec<Box<str>> = nodes.take(MAX_NODES).map(Into::into).collect();
        notify.sort_unstable();
        notify.dedup();
        Self { source: Some(Source::of(caps)), notify: notify.into() }
    }

    /// Whether the client wants notifications of a node.
    #[must_use]
    pub fn wants(&self, node: &str) -> bool {
        self.notify.binary_search_by(|known| (**known).cmp(node)).is_ok()
    }

    /// The nodes that the client wants notifications of, to be kept over a restart of the server.
    pub fn wanted(&self) -> impl Iterator<Item = String> + '_ {
        self.notify.iter().map(|node| node.to_string())
    }

    /// What was kept over a restart; `None` when nothing was.
    #[must_use]
    pub fn recalled(wanted: Vec<String>) -> Option<Arc<Self>> {
        let mut notify: Vec<Box<str>> = wanted.into_iter().map(Into::into).collect();
        notify.sort_unstable();
        (!notify.is_empty()).then(|| Arc::new(Self { source: None, notify: notify.into() }))
    }

    /// Whether the client wants no notifications at all.
    #[must_use]
    pub fn wants_nothing(&self) -> bool {
        self.notify.is_empty()
    }

    /// What is wanted now and was not wanted before.
    #[must_use]
    fn beyond(self: &Arc<Self>, before: Option<&Self>) -> Arc<Self> {
        let Some(before) = before else { return self.clone() };
        let new = self.notify.iter().filter(|node| !before.wants(node));
        Arc::new(Self { source: None, notify: new.cloned().collect() })
    }
}

impl Source {
    fn of(caps: &Caps) -> Self {
        Self {
            node: caps.node.as_str().into(),
            ver: caps.ver.as_str().into(),
            hash: caps.hash.as_deref().map(Into::into),
        }
    }
}

impl CapsCache {
    /// What clients with this hash can do, if one of them said it.
    #[must_use]
    pub fn known(&self, caps: &Caps) -> Option<Arc<Features>> {
        if !caps.is_verifiable() {
            return None;
        }
        self.0.lock().features.get(caps.ver.as_str()).cloned()
    }

    /// Keeps a verified answer.
    fn keep(&self, caps: &Caps, features: &Arc<Features>) {
        let mut known = self.0.lock();
        let ver: Box<str> = caps.ver.as_str().into();
        if known.features.insert(ver.clone(), features.clone()).is_some() {
            return;
        }
        known.order.push_back(ver);
        if known.order.len() > MAX_HASHES
            && let Some(oldest) = known.order.pop_front()
        {
            known.features.remove(&oldest);
        }
    }
}

fn on_presence<'a>(
    server: &'a Arc<Server>,
    session: &'a Arc<Session>,
    first: bool,
) -> HookFuture<'a> {
    Box::pin(async move {
        let (announced, before) = {
            let mut state = session.account.lock();
            let Some(resource) = state.resource(session) else { return };
            if first {
                resource.features = None;
            }
            (
                announced(resource.available.as_ref().map(|now| &now.stanza)),
                resource.features.clone(),
            )
        };
        // A presence without capabilities says nothing new: some clients send them only once.
        let Some(caps) = announced else { return };
        if let Some(features) = server.caps.known(&caps) {
            return adopt(server, session, &features);
        }
        let source = Some(Source::of(&caps));
        if before.is_none_or(|before| before.source != source) {
            ask(server, session, &caps);
        }
    })
}

/// The capabilities in the presence of a resource.
fn announced(presence: Option<&Stanza>) -> Option<Caps> {
    Caps::parse(&presence?.child("c", ns::CAPS)?.element())
}

/// Asks a client what it can do (XEP-0115 §6.2).
fn ask(server: &Server, session: &Session, caps: &Caps) {
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("type", "get")
        .with_attr("id", format!("{ID_PREFIX}{}", server.fresh_id()))
        .with_attr("from", server.domain())
        .with_attr("to", session.full())
        .with_child(question(caps));
    session.deliver(Frame::iq(iq.to_bytes(ns::CLIENT)));
}

/// Takes the answer. What it answers is in the presence of the resource: if that changed
/// meanwhile, the hash does not fit and the answer to the next question will.
fn on_answer(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza) -> bool {
    if !stanza.id().is_some_and(|id| id.starts_with(ID_PREFIX)) {
        return false;
    }
    if stanza.type_().as_deref() != Some("result") {
        return true;
    }
    let info =
        stanza.child("query", ns::DISCO_INFO).and_then(|query| Info::parse(&query.element()));
    let caps = {
        let mut state = session.account.lock();
        let resource = state.resource(session);
        announced(resource.and_then(|resource| resource.available.as_ref()).map(|now| &now.stanza))
    };
    let (Some(info), Some(caps)) = (info, caps) else { return true };
    let features = Arc::new(Features::read(&caps, &info));
    match caps::verify(&caps, &info) {
        Ok(()) => server.caps.keep(&caps, &features),
        // XEP-0115 §5.4: good for this one address only.
        Err(error) => tracing::debug!(%error, "capabilities not verified"),
    }
    adopt(server, session, &features);
    true
}

/// The question to ask about capabilities.
#[must_use]
pub fn question(caps: &Caps) -> Element {
    Info::new().with_node(caps.disco_node()).to_element()
}

/// A client at another domain showed its presence to `account`: what it wants to hear of is looked
/// up, or asked for in the name of the account.
pub fn elsewhere(server: &Arc<Server>, account: &Arc<Account>, jid: &Jid, presence: &Stanza) {
    let Some(caps) = announced(Some(presence)) else { return };
    if let Some(features) = server.caps.known(&caps) {
        return adopt_elsewhere(server, account, jid, &features);
    }
    let source = Some(Source::of(&caps));
    let known = {
        let state = account.lock();
        let device = state.seen.of(&jid.to_bare()).iter().find(|device| device.jid == *jid);
        device.and_then(|device| device.features.clone())
    };
    if known.is_none_or(|known| known.source != source) {
        server.s2s.questions.ask(server, account, jid, &caps);
    }
}

/// A client at another domain said what it can do.
pub fn answered_elsewhere(server: &Arc<Server>, question: &Question, stanza: &Stanza) {
    let info =
        stanza.child("query", ns::DISCO_INFO).and_then(|query| Info::parse(&query.element()));
    let Some(info) = info.filter(|_| stanza.type_().as_deref() == Some("result")) else { return };
    let features = Arc::new(Features::read(&question.caps, &info));
    match caps::verify(&question.caps, &info) {
        Ok(()) => server.caps.keep(&question.caps, &features),
        Err(error) => tracing::debug!(%error, "capabilities not verified"),
    }
    adopt_elsewhere(server, &question.account, &question.jid, &features);
}

/// Sends a client at another domain the last items of the nodes that it did not want before.
fn adopt_elsewhere(
    server: &Arc<Server>,
    account: &Arc<Account>,
    jid: &Jid,
    features: &Arc<Features>,
) {
    let before = account.lock().seen.adopt(jid, features).flatten();
    let new = features.beyond(before.as_deref());
    if !new.wants_nothing() {
        pubsub::greet_elsewhere(server, account, jid, new);
    }
}

/// Gives a resource its features, and the last items of the nodes that it did not want before.
fn adopt(server: &Arc<Server>, session: &Arc<Session>, features: &Arc<Features>) {
    let before = {
        let mut state = session.account.lock();
        let Some(resource) = state.resource(session) else { return };
        resource.features.replace(features.clone())
    };
    let new = features.beyond(before.as_deref());
    if !new.wants_nothing() {
        pubsub::greet(server, session, new);
    }
}

/// The nodes that one client may want notifications of; more are ignored.
const MAX_NODES: usize = 200;

/// The hashes that are kept.
const MAX_HASHES: usize = 1000;

/// What the ids of questions begin with.
const ID_PREFIX: &str = "caps-";

#[cfg(test)]
mod tests {
    use super::*;

    fn info(features: &[&str]) -> Info {
        Info::new().with_features(features.iter().copied())
    }

    fn features(names: &[&str]) -> (Caps, Arc<Features>) {
        let info = info(names);
        let caps = Caps::of("https://client.example", &info);
        let features = Arc::new(Features::read(&caps, &info));
        (caps, features)
    }

    #[test]
    fn only_what_ends_in_notify_is_kept() {
        let (_, features) = features(&["urn:b+notify", "urn:a", "urn:a+notify"]);
        assert!(features.wants("urn:a") && features.wants("urn:b"));
        assert!(!features.wants("urn:a+notify") && !features.wants("urn:c"));
    }

    #[test]
    fn only_new_wishes_count_when_capabilities_change() {
        let (_, before) = features(&["urn:a+notify"]);
        let (_, after) = features(&["urn:a+notify", "urn:b+notify"]);
        let new = after.beyond(Some(&before));
        assert!(new.wants("urn:b") && !new.wants("urn:a"));
        assert!(after.beyond(Some(&after)).wants_nothing());
        assert!(after.beyond(None).wants("urn:a"));
    }

    #[test]
    fn wishes_survive_a_restart() {
        let (_, before) = features(&["urn:b+notify", "urn:a+notify"]);
        let after = Features::recalled(before.wanted().collect()).unwrap();
        assert!(before.beyond(Some(&after)).wants_nothing());
        assert_eq!(Features::recalled(Vec::new()), None);
    }

    #[test]
    fn the_cache_forgets_the_oldest() {
        let cache = CapsCache::default();
        let (first, known) = features(&["urn:0+notify"]);
        cache.keep(&first, &known);
        assert_eq!(cache.known(&first), Some(known));
        for number in 1..=MAX_HASHES {
            let (caps, known) = features(&[&format!("urn:{number}+notify")]);
            cache.keep(&caps, &known);
        }
        assert_eq!(cache.known(&first), None);
        let known = cache.0.lock();
        assert_eq!((known.features.len(), known.order.len()), (MAX_HASHES, MAX_HASHES));
    }

    #[test]
    fn an_unverifiable_announcement_is_never_looked_up() {
        let cache = CapsCache::default();
        let (mut caps, known) = features(&["urn:a+notify"]);
        cache.keep(&caps, &known);
        caps.hash = None;
        assert_eq!(cache.known(&caps), None);
    }
}
