//! XEP-0085: Chat State Notifications 2.1

use std::collections::{BTreeMap, BTreeSet};

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Flow, Spec, Stage, caps, roster};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::timeline;
use crate::timers::TimerId;

pub(crate) const FEATURE: Feature = Feature {
    name: "chat states",
    specs: &[Spec { number: "XEP-0085", version: "2.1" }],
    features: &[ns::CHAT_STATES],
    ended: Some(on_ended),
    message: &[(Stage::Signal, on_message)],
    ..Feature::NOTHING
};

/// Who writes.
#[derive(Default)]
pub(crate) struct State {
    /// When others are taken to have stopped.
    theirs: BTreeMap<BareJid, TimerId>,
    /// Who was told that this account writes, until when.
    ours: BTreeMap<BareJid, TimerId>,
    /// Who used chat states: others get none.
    known: BTreeSet<BareJid>,
}

fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let state = incoming.content.iter().find(|child| child.ns() == ns::CHAT_STATES);
    let live = !incoming.own && !incoming.room && incoming.source == Source::Live;
    let Some(state) = state.filter(|_| live) else {
        return Ok(Flow::Next);
    };
    let with = incoming.with.clone();
    // Nobody sees that strangers write.
    let known = cx.state.features.timeline.conversations.contains_key(&with);
    let composing = known && state.name() == "composing";
    if cx.state.features.chat_states.known.len() < MOST {
        cx.state.features.chat_states.known.insert(with.clone());
    }
    stop_timer(cx, &with);
    let composing = composing && cx.state.features.chat_states.theirs.len() < MOST;
    timeline::set_typing(cx, &with, composing);
    if composing {
        let address = with.clone();
        let timer = cx.later(THEIRS, move |cx| {
            cx.state.features.chat_states.theirs.remove(&address);
            timeline::set_typing(cx, &address, false);
            Ok(())
        });
        cx.state.features.chat_states.theirs.insert(with, timer);
    }
    Ok(Flow::Next)
}

fn stop_timer(cx: &mut Cx<'_>, address: &BareJid) {
    if let Some(timer) = cx.state.features.chat_states.theirs.remove(address) {
        cx.cancel(timer);
    }
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    let states = std::mem::take(&mut cx.state.features.chat_states);
    for timer in states.theirs.values().chain(states.ours.values()) {
        cx.cancel(*timer);
    }
    for address in states.theirs.into_keys() {
        timeline::set_typing(cx, &address, false);
    }
    Ok(())
}

/// The user changed what is being written.
pub(crate) fn on_draft(cx: &mut Cx<'_>, address: &BareJid, draft: &str) -> Step {
    let told = cx.state.features.chat_states.ours.contains_key(address);
    match (draft.is_empty(), told) {
        (false, false) if may_tell(cx, address) => {
            send(cx, address, "composing");
            let stopped = address.clone();
            let timer = cx.later(OURS, move |cx| {
                if cx.state.features.chat_states.ours.remove(&stopped).is_some() {
                    send(cx, &stopped, "paused");
                }
                Ok(())
            });
            cx.state.features.chat_states.ours.insert(address.clone(), timer);
        }
        (true, true) => {
            on_sent(cx, address);
            send(cx, address, "active");
        }
        _ => {}
    }
    Ok(())
}

/// Whoever was told that this account writes is told that it does not.
pub(crate) fn stop(cx: &mut Cx<'_>) {
    for (address, timer) in std::mem::take(&mut cx.state.features.chat_states.ours) {
        cx.cancel(timer);
        send(cx, &address, "active");
    }
}

/// A message was sent, which says that nothing is being written any more.
pub(crate) fn on_sent(cx: &mut Cx<'_>, address: &BareJid) {
    if let Some(timer) = cx.state.features.chat_states.ours.remove(address) {
        cx.cancel(timer);
    }
}

/// Those who see our presence, and can do something with it (XEP-0085 §5.1).
fn may_tell(cx: &Cx<'_>, address: &BareJid) -> bool {
    let known = cx.state.features.chat_states.known.contains(address);
    let shown = cx.state.features.privacy.typing;
    shown && roster::sees_us(cx, address) && (known || caps::supports(cx, address, ns::CHAT_STATES))
}

/// A state is worth nothing later: it is not queued. It goes in plain sight in encrypted
/// conversations as well; ADR 24 says what encrypting it would cost, and what it would hide.
fn send(cx: &mut Cx<'_>, to: &BareJid, state: &str) {
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", "chat")
        .with_attr("to", to.to_string())
        .with_child(Element::new(state, ns::CHAT_STATES))
        .with_child(Element::new("no-store", ns::HINTS));
    cx.send(&message);
}

/// After so many milliseconds without news, others have stopped, and so have we.
const THEIRS: u64 = 60_000;
const OURS: u64 = 30_000;
/// Conversations that are followed.
const MOST: usize = 1000;
