//! XEP-0319: Last User Interaction in Presence 1.0.2
//!
//! Since when nobody looks is told only if the user allows it, and some minutes later: who goes from
//! one window to another does not tell it each time.

use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use super::{Feature, Spec, presence};
use crate::cx::{Cx, Step};
use crate::timers::TimerId;

pub(crate) const FEATURE: Feature = Feature {
    name: "idle",
    specs: &[Spec { number: "XEP-0319", version: "1.0.2" }],
    resumed: Some(on_resumed),
    ended: Some(on_ended),
    ..Feature::NOTHING
};

/// Whether somebody looks.
#[derive(Default)]
pub(crate) struct State {
    /// When somebody last did, by both clocks; `None` while somebody does.
    since: Option<(Millis, u64)>,
    timer: Option<TimerId>,
    /// The last presence says it.
    told: bool,
    /// Some presence of this session said it.
    ever: bool,
}

/// Somebody looks, or nobody does any more.
pub(crate) fn on_active(cx: &mut Cx<'_>, active: bool) -> Step {
    let now = (cx.time(), cx.now.steady);
    let state = &mut cx.state.features.idle;
    match (active, state.since) {
        (true, _) => state.since = None,
        (false, None) => state.since = Some(now),
        (false, Some(_)) => {}
    }
    update(cx)
}

/// Whether somebody looks at this device.
pub(crate) fn is_active(cx: &Cx<'_>) -> bool {
    cx.state.features.idle.since.is_none()
}

/// Tells contacts what is different, as far as they may know.
pub(crate) fn update(cx: &mut Cx<'_>) -> Step {
    if let Some(timer) = cx.state.features.idle.timer.take() {
        cx.cancel(timer);
    }
    if cx.online() && is_idle(cx).is_some() != cx.state.features.idle.told {
        presence::announce(cx);
    }
    let since = cx.state.features.idle.since.filter(|_| cx.state.features.privacy.idle);
    if let Some((_, since)) = since
        && let Some(rest) = since.saturating_add(AFTER).checked_sub(cx.now.steady)
        && rest > 0
    {
        let timer = cx.later(rest, |cx| {
            cx.state.features.idle.timer = None;
            update(cx)
        });
        cx.state.features.idle.timer = Some(timer);
    }
    Ok(())
}

/// Since when nobody looks, if contacts are told.
fn is_idle(cx: &Cx<'_>) -> Option<Millis> {
    let (time, since) = cx.state.features.idle.since?;
    let long = cx.now.steady.saturating_sub(since) >= AFTER;
    Some(time).filter(|_| long && cx.state.features.privacy.idle)
}

/// What presence that is about to be sent says of it.
pub(crate) fn element(cx: &mut Cx<'_>) -> Option<Element> {
    let since = is_idle(cx);
    let state = &mut cx.state.features.idle;
    state.told = since.is_some();
    state.ever |= state.told;
    Some(Element::new("idle", ns::IDLE).with_attr("since", since?.xep0082()))
}

/// Since when somebody's session says that nobody looks.
pub(crate) fn of(cx: &Cx<'_>, presence: &Element) -> Option<Millis> {
    let since = presence.child("idle", ns::IDLE)?.attr("since")?;
    // Nobody was last seen in the future: a clock is wrong.
    Some(Millis::parse_xep0082(since)?.min(cx.moment()))
}

/// What changed meanwhile, or was said while the connection broke, nobody heard.
fn on_resumed(cx: &mut Cx<'_>) -> Step {
    if cx.state.features.idle.ever {
        presence::announce(cx);
    }
    update(cx)
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    let state = &mut cx.state.features.idle;
    (state.told, state.ever) = (false, false);
    Ok(())
}

/// So many milliseconds after the last time somebody looked it is told ("Presence with Last
/// Interaction").
const AFTER: u64 = 5 * 60 * 1000;
