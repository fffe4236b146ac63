//! XEP-0280: Message Carbons 1.0.1

use bytes::Bytes;
use xmpp::{ext::forward, ns};

use super::{Extension, Inbound, IqContext, IqFuture, IqRoute, Outbound, Scope, Spec};
use crate::{
    iq::{Iq, IqKind},
    router::{
        facts::MessageType,
        pipeline::{Flow, Pass},
    },
    session::frame::Frame,
};

/// Copies what one device sends and receives to the account's other devices.
pub const EXTENSION: Extension = Extension {
    name: "carbons",
    specs: &[Spec { xep: 280, version: "1.0.1", title: "Message Carbons" }],
    features: &[(Scope::Server, ns::CARBONS), (Scope::Server, ns::CARBONS_RULES)],
    iq: &[route("enable", enable), route("disable", disable)],
    outbound: &[(Outbound::Copy, copy)],
    inbound: &[(Inbound::Copy, copy)],
    ..Extension::NOTHING
};

const fn route(name: &'static str, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Own, kind: Some(IqKind::Set), ns: ns::CARBONS, name, handler }
}

fn enable<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { switch(context, true) })
}

fn disable<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { switch(context, false) })
}

fn switch(context: &IqContext<'_>, on: bool) -> super::IqAnswer {
    let session = context.session()?;
    if let Some(resource) = session.account.lock().resource(session) {
        resource.carbons = on;
    }
    Ok(None)
}

/// Queues a copy for every device that wants copies and does not have the message already.
fn copy(pass: &mut Pass<'_>) -> Flow {
    if !eligible(pass) {
        return Flow::Continue;
    }
    let sender = pass.session.map(|session| session.number);
    let wants = |(at, resource): (usize, &crate::account::Resource)| {
        let has_it = pass.delivered.contains(&at) || Some(resource.session.number) == sender;
        (resource.carbons && !has_it).then_some(at)
    };
    let copies: Vec<usize> = pass.state.resources.iter().enumerate().filter_map(wants).collect();
    if copies.is_empty() {
        return Flow::Continue;
    }
    let outbound = pass.direction == crate::router::pipeline::Direction::Outbound;
    let form = pass.form();
    let wrapped =
        wrap(if outbound { "sent" } else { "received" }, pass.account.bare(), &form, pass);
    for at in copies {
        let session = pass.state.resources[at].session.clone();
        let mut frame = Frame::message(wrapped(session.full()));
        frame.archived = pass.archived.or(pass.place);
        // A device that has the copy has the message.
        frame.pending = pass.pending;
        pass.effects.frames.push((session, frame));
    }
    Flow::Continue
}

/// XEP-0280 §6.1, the rules announced as `urn:xmpp:carbons:rules:0`.
fn eligible(pass: &Pass<'_>) -> bool {
    let facts = pass.facts;
    if facts.private || facts.hints.no_copy || facts.forwarded {
        return false;
    }
    // A message to oneself reaches all own devices by itself; a carbon would double it.
    if pass.to_self() && pass.direction == crate::router::pipeline::Direction::Outbound {
        return false;
    }
    // The room itself gives private messages to every device that is in it.
    if facts.room
        && pass.direction == crate::router::pipeline::Direction::Inbound
        && pass.from.contains('/')
    {
        return false;
    }
    match facts.kind {
        MessageType::Chat | MessageType::Error => true,
        MessageType::Normal => facts.lasting() || facts.chat_state || facts.hints.store,
        MessageType::Groupchat | MessageType::Headline => false,
    }
}

/// A function that writes the carbon of `form` for a device.
fn wrap<'f>(
    direction: &'static str,
    bare: &'f str,
    form: &'f Bytes,
    pass: &Pass<'_>,
) -> impl Fn(&str) -> Bytes + use<'f> {
    let kind = pass.message.type_().map(std::borrow::Cow::into_owned);
    move |to: &str| {
        let mut xml = Vec::with_capacity(form.len() + 300);
        xml.extend_from_slice(b"<message from='");
        xmpp::xml::escape_into(&mut xml, bare);
        xml.extend_from_slice(b"' to='");
        xmpp::xml::escape_into(&mut xml, to);
        if let Some(kind) = &kind {
            // XEP-0280 §7: the wrapping message has the type of the original.
            xml.extend_from_slice(b"' type='");
            xmpp::xml::escape_into(&mut xml, kind);
        }
        xml.extend_from_slice(b"'><");
        xml.extend_from_slice(direction.as_bytes());
        xml.extend_from_slice(b" xmlns='urn:xmpp:carbons:2'>");
        forward::write_forwarded(&mut xml, form, None);
        xml.extend_from_slice(b"</");
        xml.extend_from_slice(direction.as_bytes());
        xml.extend_from_slice(b"></message>");
        Bytes::from(xml)
    }
}
