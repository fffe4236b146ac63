//! XEP-0355: Namespace Delegation 0.5, the mode of the operator
//!
//! `"answer NAMESPACE"` in `[components.permissions]` gives requests of that namespace to a component:
//! those for the server and for the bare addresses of accounts, whoever asks. What the component
//! answers goes to who asked, as if the server had said it.

use std::sync::Arc;

use bytes::Bytes;
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    ext::forward,
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use super::{Extension, Scope, Spec};
use crate::{
    components::pending::{Origin, Purpose},
    config::Permissions,
    server::Server,
    session::frame::Frame,
};

/// Lets components answer instead of the server.
pub const EXTENSION: Extension = Extension {
    name: "delegation",
    specs: &[Spec { xep: 355, version: "0.5", title: "Namespace Delegation" }],
    offered: |config| !config.components.hosts.is_empty(),
    features: &[(Scope::Server, ns::DELEGATION)],
    ..Extension::NOTHING
};

/// What a component answers, as it is told (XEP-0355 §4.2).
#[must_use]
pub fn announce(permissions: &Permissions) -> Element {
    let delegated = permissions
        .delegated
        .iter()
        .map(|ns| Element::new("delegated", ns::DELEGATION).with_attr("namespace", ns.as_str()));
    Element::new("delegation", ns::DELEGATION).with_children(delegated)
}

/// Gives a request to the component that answers its namespace. `false` when the server answers it
/// itself, as it does whatever that component asks.
///
/// `request` is for the server or for a bare address; its `from` is the true one.
///
/// # Errors
/// When the component is not there.
pub fn delegate(
    server: &Arc<Server>,
    origin: &Origin,
    request: &Stanza,
) -> Result<bool, StanzaError> {
    let config = server.config();
    if config.components.permissions.is_empty() {
        return Ok(false);
    }
    let Some(payload) = request.children().next() else { return Ok(false) };
    let Some(domain) = config.components.permissions.delegate(&payload.ns()) else {
        return Ok(false);
    };
    if matches!(origin, Origin::Remote(from) if from.domain().as_str() == domain) {
        return Ok(false);
    }
    let unavailable = || StanzaError::new(Condition::ServiceUnavailable);
    let to = Jid::new(domain).map_err(|_| unavailable())?;
    if !server.components.connected(domain) {
        return Err(unavailable());
    }
    let id = server.fresh_id();
    let bytes = wrap(server, domain, &id, request.bytes());
    let purpose = Purpose::Delegated { origin: origin.clone(), request: request.clone() };
    let added = server.components.pending.add(server, id, to.clone(), purpose);
    added.map_err(|_| StanzaError::new(Condition::ResourceConstraint))?;
    server.s2s.post(server, server.domain(), &to, Kind::Iq, bytes);
    Ok(true)
}

fn wrap(server: &Server, domain: &str, id: &str, request: &Bytes) -> Bytes {
    let mut carried = b"<delegation xmlns='urn:xmpp:delegation:2'>".to_vec();
    forward::write_forwarded(&mut carried, request, None);
    carried.extend_from_slice(b"</delegation>");
    let outer = Element::new("iq", ns::CLIENT)
        .with_attr("type", "set")
        .with_attr("id", id)
        .with_attr("from", server.domain())
        .with_attr("to", domain);
    match Stanza::parse(outer.to_bytes(ns::CLIENT), &Limits::TRUSTED) {
        Ok(outer) => Edit::new(&outer).append(carried).finish(),
        Err(_) => outer.to_bytes(ns::CLIENT),
    }
}

/// The component answered.
pub fn answered(server: &Server, origin: &Origin, request: &Stanza, answer: &Stanza) {
    let inner = answer.child("delegation", ns::DELEGATION).and_then(|delegation| {
        let forwarded = delegation.element().child("forwarded", ns::FORWARD)?.clone();
        forwarded.into_children().find(|child| child.name() == "iq")
    });
    match inner.and_then(|inner| accept(server, request, inner)) {
        Some(answer) if answer_is(&answer, request) => deliver(server, origin, &answer),
        // XEP-0355 §4.3: whatever is wrong with it.
        _ => unanswered(server, origin, request),
    }
}

/// XEP-0355 §4.3: it answers this request, and nothing else. Whoever asked sees the address that was
/// asked, whether the component wrote it or not.
fn accept(server: &Server, request: &Stanza, mut answer: Element) -> Option<Element> {
    answer.move_ns(ns::COMPONENT, &ns::CLIENT.into());
    let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
        (Some(one), Some(other)) => Jid::new(one).ok() == Jid::new(other).ok(),
        (one, other) => one == other,
    };
    let (asker, asked) = (request.from(), request.to());
    // A request without an address is for the account that made it, or for the server.
    let own = asker.as_deref().and_then(|from| Jid::new(from).ok()).map(|from| from.to_bare());
    let by = answer.attr("from").map(str::to_owned);
    let speaks = match asked.as_deref() {
        Some(asked) => by.is_none() || same(by.as_deref(), Some(asked)),
        None => by.is_none_or(|by| {
            by == server.domain() || own.is_some_and(|own| same(Some(&by), Some(own.as_str())))
        }),
    };
    let meant = same(answer.attr("to"), asker.as_deref());
    for (name, address) in [("from", &asked), ("to", &asker)] {
        if let Some(address) = address {
            answer.set_attr(name, &**address);
        }
    }
    (answer.ns() == ns::CLIENT && speaks && meant).then_some(answer)
}

fn answer_is(answer: &Element, request: &Stanza) -> bool {
    answer.attr("type") == Some("result") && answer.attr("id") == request.id().as_deref()
}

/// The component did not answer, or said what it may not.
pub fn unanswered(server: &Server, origin: &Origin, request: &Stanza) {
    let mut reply = request.reply("error");
    reply.push(StanzaError::new(Condition::ServiceUnavailable).element());
    deliver(server, origin, &reply);
}

fn deliver(server: &Server, origin: &Origin, answer: &Element) {
    let bytes = answer.to_bytes(ns::CLIENT);
    match origin {
        Origin::Session(session) => session.deliver(Frame::iq(bytes)),
        Origin::Remote(jid) => server.s2s.post(server, server.domain(), jid, Kind::Iq, bytes),
    }
}
