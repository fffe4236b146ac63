//! Another device of the account in use
//!
//! Whoever writes or reads on one device sees there what comes in: the others wait a moment with a
//! notification, and leave it out when the message was seen meanwhile (XEP-0280 "Interaction with
//! Chat States"; ADR 28). Nothing is held while somebody looks at this device. What is held is in
//! memory only; the driver knows it, to show it when it is stopped meanwhile.

use std::collections::BTreeMap;

use xmpp::ns;
use xmpp::xml::Element;

use super::idle;
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::store::{Content, Message, MessageId};
use crate::timeline;
use crate::timers::TimerId;

/// What is known of the other devices.
#[derive(Default)]
pub(crate) struct State {
    /// When one of them was last in use, by the steady clock.
    used: Option<u64>,
    /// Messages whose notification waits.
    held: BTreeMap<MessageId, Held>,
    timer: Option<TimerId>,
}

struct Held {
    /// Until then, by the steady clock.
    until: u64,
    title: String,
}

/// Another device is in use now: the account's own server says so.
pub(crate) fn is_used(cx: &mut Cx<'_>) {
    cx.state.features.elsewhere.used = Some(cx.now.steady);
}

/// A message as far as it can be read. A copy of what another device sent shows that somebody is
/// there, unless programs send such a thing by themselves.
pub(crate) fn on_message(cx: &mut Cx<'_>, incoming: &Incoming) {
    let copy = incoming.own && incoming.source == Source::Carbon && !incoming.error;
    if copy && incoming.undecryptable.is_none() && incoming.content.iter().any(is_by_hand) {
        is_used(cx);
    }
}

fn is_by_hand(child: &Element) -> bool {
    child.is("body", ns::CLIENT)
        || child.is("reactions", ns::REACTIONS)
        || child.is("retract", ns::RETRACT)
        || child.is("displayed", ns::CHAT_MARKERS)
        || child.is("composing", ns::CHAT_STATES)
        || child.is("active", ns::CHAT_STATES)
}

/// Whether the notification of a message waits. It is shown later, unless the message was seen by
/// then.
pub(crate) fn holds(cx: &mut Cx<'_>, message: &Message, title: &str) -> bool {
    let now = cx.now.steady;
    let state = &cx.state.features.elsewhere;
    let used = state.used.is_some_and(|used| now.saturating_sub(used) < IN_USE);
    if !used || state.held.len() >= MOST || idle::is_active(cx) {
        return false;
    }
    let held = Held { until: now.saturating_add(HOLD), title: title.to_owned() };
    cx.state.features.elsewhere.held.insert(message.id, held);
    wait(cx);
    if let Some(notification) = timeline::notification(cx, message, title.to_owned()) {
        cx.held(notification);
    }
    true
}

/// Somebody looks at this device: nothing waits any more.
pub(crate) fn on_active(cx: &mut Cx<'_>) -> Step {
    release(cx, u64::MAX)
}

/// Shows what has waited until now.
fn release(cx: &mut Cx<'_>, now: u64) -> Step {
    let held = std::mem::take(&mut cx.state.features.elsewhere.held);
    let (due, rest): (BTreeMap<_, _>, _) = held.into_iter().partition(|(_, one)| one.until <= now);
    cx.state.features.elsewhere.held = rest;
    wait(cx);
    for (id, held) in due {
        let message = cx.store.message(id)?;
        if let Some(message) = message.filter(|one| one.content != Content::Retracted) {
            timeline::notify_now(cx, &message, held.title)?;
        }
    }
    Ok(())
}

/// Sets the timer for what waits the shortest.
fn wait(cx: &mut Cx<'_>) {
    if let Some(timer) = cx.state.features.elsewhere.timer.take() {
        cx.cancel(timer);
    }
    let next = cx.state.features.elsewhere.held.values().map(|held| held.until).min();
    let Some(next) = next else { return };
    let timer = cx.later(next.saturating_sub(cx.now.steady), |cx| {
        cx.state.features.elsewhere.timer = None;
        release(cx, cx.now.steady)
    });
    cx.state.features.elsewhere.timer = Some(timer);
}

/// So many milliseconds after the last sign of somebody a device is taken to be in use.
const IN_USE: u64 = 60_000;
/// Milliseconds in which a message can be seen on the device that is in use.
const HOLD: u64 = 15_000;
/// Messages that wait at once; what is more is shown right away.
const MOST: usize = 1000;
