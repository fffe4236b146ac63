//! XEP-0184: Message Delivery Receipts 1.4.0, XEP-0333: Displayed Markers 1.0.0

use std::collections::BTreeMap;

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{Feature, Flow, Spec, Stage, mds, rooms, roster};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source, is_id};
use crate::outbox::Outgoing;
use crate::store::{Delivery, Message, Position, Reference};
use crate::timeline;

pub(crate) const FEATURE: Feature = Feature {
    name: "markers",
    specs: &[
        Spec { number: "XEP-0184", version: "1.4.0" },
        Spec { number: "XEP-0333", version: "1.0.0" },
    ],
    features: &[ns::RECEIPTS, ns::CHAT_MARKERS],
    message: &[(Stage::Signal, on_message)],
    caught_up: Some(on_caught_up),
    ended: Some(on_ended),
    ..Feature::NOTHING
};

/// What is remembered of the receipts while missed messages are fetched.
#[derive(Default)]
pub(crate) struct State {
    /// How many were sent to whom.
    sent: BTreeMap<BareJid, u32>,
    /// The newest message of whom many came, which stands for those before it.
    held: BTreeMap<BareJid, String>,
}

/// The id by which a message wants to be acknowledged, if it does.
pub(crate) fn wanted(incoming: &Incoming) -> Option<String> {
    let wants = incoming.child("request", ns::RECEIPTS).is_some()
        || incoming.child("markable", ns::CHAT_MARKERS).is_some();
    incoming.id.clone().filter(|_| wants && !incoming.own)
}

fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    if incoming.room {
        return Ok(Flow::Next);
    }
    let id = |name, ns| {
        let element = incoming.child(name, ns)?;
        element.attr("id").filter(|id| is_id(id)).map(str::to_owned)
    };
    let receipt = id("received", ns::RECEIPTS).or_else(|| id("received", ns::CHAT_MARKERS));
    let displayed =
        id("displayed", ns::CHAT_MARKERS).or_else(|| id("acknowledged", ns::CHAT_MARKERS));
    if let Some(id) = receipt.filter(|_| !incoming.own) {
        on_receipt(cx, incoming, id)?;
    }
    if let Some(id) = displayed {
        on_displayed(cx, incoming, id)?;
    }
    acknowledge(cx, incoming)?;
    Ok(Flow::Next)
}

/// A device of the recipient has an own message. Only the conversation's partner can say so: the
/// message is looked for among those that were written to them.
fn on_receipt(cx: &mut Cx<'_>, incoming: &Incoming, id: String) -> Step {
    match own(cx, &incoming.with, &id)? {
        Some(message) => timeline::raise(cx, message.id, Delivery::Delivered),
        None => later::keep(cx, incoming, &id, What::Tick(Delivery::Delivered)),
    }
}

fn own(cx: &Cx<'_>, with: &BareJid, id: &str) -> Step<Option<Message>> {
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
        Some(message) => read(cx, &message),
        None => later::keep(cx, incoming, &id, What::Tick(Delivery::Read)),
    }
}

/// The partner has seen an own message, and those before it.
fn read(cx: &mut Cx<'_>, message: &Message) -> Step {
    timeline::raise(cx, message.id, Delivery::Read)?;
    timeline::spread(cx, message)
}

/// What was said about an own message that is only here now.
pub(crate) fn apply_later(cx: &mut Cx<'_>, message: &Message, delivery: Delivery) -> Step {
    match delivery {
        Delivery::Read => read(cx, message),
        delivery => timeline::raise(cx, message.id, delivery),
    }
}

/// Tells the sender that the message is here, if they may know that we are. What is undecryptable
/// has not arrived.
fn acknowledge(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    let Some(id) = incoming.id.clone() else { return Ok(()) };
    let asked = incoming.child("request", ns::RECEIPTS).is_some();
    let new = matches!(incoming.source, Source::Live | Source::CatchUp);
    if !asked || !new || incoming.own || !may_answer(cx, &incoming.with) {
        return Ok(());
    }
    if incoming.source == Source::CatchUp && !cx.state.link.caught_up {
        let State { sent, held } = &mut cx.state.features.markers;
        let count = sent.entry(incoming.with.clone()).or_default();
        *count += 1;
        if *count > MOST_MISSED {
            held.insert(incoming.with.clone(), id);
            return Ok(());
        }
    }
    receipt(cx, &incoming.with, id)
}

fn receipt(cx: &mut Cx<'_>, to: &BareJid, id: String) -> Step {
    signal(cx, to, Element::new("received", ns::RECEIPTS).with_attr("id", id))
}

/// After a long absence the last message of each stands for all but the first: an answer to each of
/// thousands would take as long as reading them, here and at their senders'.
fn on_caught_up(cx: &mut Cx<'_>) -> Step {
    for (to, id) in std::mem::take(&mut cx.state.features.markers).held {
        receipt(cx, &to, id)?;
    }
    Ok(())
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    cx.state.features.markers = State::default();
    Ok(())
}

/// Contacts who see our presence, and whoever we wrote to, learn what was delivered and read;
/// strangers do not (XEP-0184 §8).
fn may_answer(cx: &Cx<'_>, address: &BareJid) -> bool {
    roster::sees_us(cx, address) || timeline::conversation(cx, address).accepted
}

/// Queues a signal that must arrive.
fn signal(cx: &mut Cx<'_>, to: &BareJid, element: Element) -> Step {
    let encrypted = timeline::is_encrypted(cx, to);
    let id = cx.rng.id();
    let payload = vec![element, Element::new("store", ns::HINTS)];
    cx.queue(Outgoing { to: to.clone(), message: None, id, payload, encrypted })
}

/// The user has seen everything up to a position: the own devices are told, and the sender if they
/// may know.
pub(crate) fn on_read(cx: &mut Cx<'_>, address: &BareJid, position: Position) -> Step {
    let until = Position(position.0.saturating_add(1));
    let seen = cx.store.before(address, Some(until), REACH)?;
    let latest = seen.iter().rev().find(|message| !message.own);
    if let Some(id) = latest.and_then(|message| message.wants.clone())
        && !rooms::is_room(cx, address)
        && cx.state.features.privacy.read
        && may_answer(cx, address)
    {
        let marker = Element::new("displayed", ns::CHAT_MARKERS).with_attr("id", id);
        signal(cx, address, marker)?;
    }
    mds::publish(cx, address)
}

/// Missed messages of one sender that are acknowledged one by one.
const MOST_MISSED: u32 = 20;
/// How far back a marker reaches.
const REACH: usize = 100;
