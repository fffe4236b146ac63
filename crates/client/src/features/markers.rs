//! XEP-0333: Displayed Markers 1.0.0

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{Feature, Flow, Spec, Stage, caps, mds, receipts, rooms, roster};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, is_id};
use crate::outbox::Outgoing;
use crate::store::{Delivery, Encryption, Message, Position, Reached, Reference};
use crate::timeline;

pub(crate) const FEATURE: Feature = Feature {
    name: "markers",
    specs: &[Spec { number: "XEP-0333", version: "1.0.0" }],
    features: &[ns::CHAT_MARKERS],
    message: &[(Stage::Signal, on_message)],
    ..Feature::NOTHING
};

fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    if incoming.room {
        return Ok(Flow::Next);
    }
    let id = |name| {
        let element = incoming.child(name, ns::CHAT_MARKERS)?;
        element.attr("id").filter(|id| is_id(id)).map(str::to_owned)
    };
    // Earlier versions had markers that are receipts.
    if let Some(id) = id("received").filter(|_| !incoming.own) {
        receipts::on_receipt(cx, incoming, &id)?;
    }
    if let Some(id) = id("displayed").or_else(|| id("acknowledged")) {
        on_displayed(cx, incoming, id)?;
    }
    Ok(Flow::Next)
}

/// The own message of an id, among those that were written to somebody.
pub(super) fn own(cx: &Cx<'_>, with: &BareJid, id: &str) -> Step<Option<Message>> {
    cx.store.find(with, &Reference::Origin(cx.me.clone(), id.to_owned()))
}

/// Somebody has seen everything up to a message: the partner ours, or this account theirs on
/// another device.
fn on_displayed(cx: &mut Cx<'_>, incoming: &Incoming, id: String) -> Step {
    if incoming.own {
        let reference = Reference::Origin(incoming.with.clone(), id);
        if let Some(message) = cx.store.find(&incoming.with, &reference)? {
            timeline::mark_read(cx, &incoming.with, message.position)?;
        }
        return Ok(());
    }
    match own(cx, &incoming.with, &id)? {
        Some(message) => read(cx, &message, incoming),
        None => later::keep(cx, incoming, &id, What::Tick(Delivery::Read)),
    }
}

/// The partner has seen an own message, and those before it.
fn read(cx: &mut Cx<'_>, message: &Message, incoming: &Incoming) -> Step {
    let told = reached(cx, incoming, &Delivery::Read);
    timeline::reach(cx, message.id, Delivery::Read, &[told])?;
    timeline::spread(cx, message)
}

/// What was said about an own message that is only here now.
pub(crate) fn apply_later(
    cx: &mut Cx<'_>,
    message: &Message,
    incoming: &Incoming,
    delivery: Delivery,
) -> Step {
    match delivery {
        Delivery::Read => read(cx, message, incoming),
        delivery => {
            let told = reached(cx, incoming, &delivery);
            timeline::reach(cx, message.id, delivery, &[told])
        }
    }
}

/// Which device says that it has a message, or that it was seen there, and when it said it.
pub(super) fn reached(cx: &Cx<'_>, incoming: &Incoming, delivery: &Delivery) -> Reached {
    let resource = incoming.resource.clone().unwrap_or_default();
    let told = |what| Some(incoming.time).filter(|_| *delivery == what);
    Reached {
        device: match incoming.encryption {
            Encryption::Omemo { device, .. } => Some(device),
            Encryption::None => None,
        },
        program: caps::program(cx, &incoming.with, &resource),
        resource: resource.chars().take(MAX_RESOURCE_CHARS).collect(),
        delivered: told(Delivery::Delivered),
        read: told(Delivery::Read),
    }
}

/// Contacts who see our presence, and whoever we wrote to, learn what was delivered and read;
/// strangers do not (XEP-0184 §8).
pub(super) fn may_answer(cx: &Cx<'_>, address: &BareJid) -> bool {
    roster::sees_us(cx, address) || timeline::conversation(cx, address).accepted
}

/// Queues a signal that must arrive.
pub(super) fn signal(cx: &mut Cx<'_>, to: &BareJid, element: Element) -> Step {
    let encrypted = timeline::is_encrypted(cx, to);
    let id = cx.rng.id();
    let payload = vec![element, Element::new("store", ns::HINTS)];
    cx.queue(Outgoing { to: to.clone(), message: None, id, payload, encrypted })
}

/// The user has seen what stands behind one place and up to another: the own devices are told, and
/// the sender if they asked for it and may know.
pub(crate) fn on_read(
    cx: &mut Cx<'_>,
    address: &BareJid,
    after: Option<Position>,
    position: Position,
) -> Step {
    let until = Position(position.0.saturating_add(1));
    let seen = cx.store.before(address, Some(until), REACH)?;
    let mut new = seen.iter().rev().filter(|message| after.is_none_or(|at| message.position > at));
    // What is not markable is covered by the next marker; what happened asks for nothing.
    let wants = new.find_map(|message| message.wants.as_ref().filter(|wants| wants.marker));
    if let Some(id) = wants.map(|wants| wants.id.clone())
        && !rooms::is_room(cx, address)
        && cx.state.features.privacy.read
        && may_answer(cx, address)
    {
        let marker = Element::new("displayed", ns::CHAT_MARKERS).with_attr("id", id);
        signal(cx, address, marker)?;
    }
    mds::publish(cx, address)
}

/// How far back a marker reaches.
const REACH: usize = 100;
/// So much of a resource tells devices apart.
const MAX_RESOURCE_CHARS: usize = 100;
