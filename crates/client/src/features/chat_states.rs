//! XEP-0085: Chat State Notifications 2.1

use std::collections::{BTreeMap, BTreeSet};

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Flow, Spec, Stage, caps, rooms, roster};
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

/// Somebody who may write: the partner of a conversation, or in a room whoever it calls that.
type Writer = (BareJid, Option<String>);

/// Who writes.
#[derive(Default)]
pub(crate) struct State {
    /// Those who write, in the order in which they began.
    writing: BTreeMap<BareJid, Vec<Option<String>>>,
    /// When others are taken to have stopped.
    theirs: BTreeMap<Writer, TimerId>,
    /// Who was told that this account writes, until when.
    ours: BTreeMap<BareJid, TimerId>,
    /// Who used chat states: others get none.
    known: BTreeSet<BareJid>,
}

fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let state = incoming.content.iter().find(|child| child.ns() == ns::CHAT_STATES);
    let live = !incoming.own && incoming.source == Source::Live;
    let Some(state) = state.filter(|_| live) else {
        return Ok(Flow::Next);
    };
    let composing = state.name() == "composing";
    let states = &mut cx.state.features.chat_states;
    if !incoming.room && states.known.len() < MOST {
        states.known.insert(incoming.with.clone());
    }
    let Some(writer) = writer(cx, incoming) else { return Ok(Flow::Next) };
    stop_timer(cx, &writer);
    // Nobody sees that strangers write.
    let known = cx.state.features.timeline.conversations.contains_key(&writer.0);
    let theirs = &cx.state.features.chat_states.theirs;
    let there = theirs.keys().filter(|one| one.0 == writer.0).count();
    let composing = composing && known && theirs.len() < MOST && there < MOST_IN_ROOM;
    set_typing(cx, &writer.0, writer.1.as_deref(), composing);
    if composing {
        let stopped = writer.clone();
        let timer = cx.later(THEIRS, move |cx| {
            cx.state.features.chat_states.theirs.remove(&stopped);
            set_typing(cx, &stopped.0, stopped.1.as_deref(), false);
            Ok(())
        });
        cx.state.features.chat_states.theirs.insert(writer, timer);
    }
    Ok(Flow::Next)
}

/// Whose state it is. In a room it is somebody who is there and not blocked.
fn writer(cx: &Cx<'_>, incoming: &Incoming) -> Option<Writer> {
    let with = incoming.with.clone();
    if !incoming.room {
        return Some((with, None));
    }
    let nick = &incoming.occupant.as_ref()?.nick;
    rooms::may_be_heard(cx, &with, nick).then(|| (with, Some(nick.clone())))
}

/// Whoever said something does not write it any more.
pub(crate) fn on_said(cx: &mut Cx<'_>, incoming: &Incoming) {
    if incoming.own {
        return;
    }
    let nick = incoming.occupant.as_ref().map(|occupant| occupant.nick.clone());
    forget(cx, &incoming.with, nick);
}

/// Somebody is not in a room any more, or not under this name.
pub(crate) fn forget(cx: &mut Cx<'_>, address: &BareJid, nick: Option<String>) {
    let writer = (address.clone(), nick);
    stop_timer(cx, &writer);
    set_typing(cx, address, writer.1.as_deref(), false);
}

fn set_typing(cx: &mut Cx<'_>, address: &BareJid, nick: Option<&str>, typing: bool) {
    let all = &mut cx.state.features.chat_states.writing;
    let known = all.get(address).is_some_and(|all| all.iter().any(|one| one.as_deref() == nick));
    if known == typing {
        return;
    }
    let here = all.entry(address.clone()).or_default();
    if typing {
        here.push(nick.map(str::to_owned));
    } else {
        here.retain(|one| one.as_deref() != nick);
    }
    if here.is_empty() {
        all.remove(address);
    }
    timeline::touch(cx, address);
}

/// Who writes in a conversation, by name.
pub(crate) fn writers(cx: &Cx<'_>, address: &BareJid) -> Vec<String> {
    let writers = cx.state.features.chat_states.writing.get(address).into_iter().flatten();
    writers
        .filter_map(|nick| match nick {
            None => Some(roster::name(cx, address)),
            Some(nick) => rooms::may_be_heard(cx, address, nick).then(|| nick.clone()),
        })
        .collect()
}

fn stop_timer(cx: &mut Cx<'_>, writer: &Writer) {
    if let Some(timer) = cx.state.features.chat_states.theirs.remove(writer) {
        cx.cancel(timer);
    }
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    let states = std::mem::take(&mut cx.state.features.chat_states);
    for timer in states.theirs.values().chain(states.ours.values()) {
        cx.cancel(*timer);
    }
    for address in states.writing.into_keys() {
        timeline::touch(cx, &address);
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

/// Those who see our presence, and can do something with it (XEP-0085 §5.1); and a private group that
/// is not large.
fn may_tell(cx: &Cx<'_>, address: &BareJid) -> bool {
    if !cx.state.features.privacy.typing {
        return false;
    }
    if rooms::is_room(cx, address) {
        return rooms::may_tell_writing(cx, address);
    }
    let known = cx.state.features.chat_states.known.contains(address);
    roster::sees_us(cx, address) && (known || caps::supports(cx, address, ns::CHAT_STATES))
}

/// Whether a message that is sent there says that nothing is being written any more.
pub(crate) fn goes_with_messages(cx: &Cx<'_>, address: &BareJid) -> bool {
    cx.state.features.privacy.typing
        && (!rooms::is_room(cx, address) || rooms::is_private(cx, address))
}

/// A state is worth nothing later: it is not queued. It goes in plain sight in encrypted
/// conversations as well; ADR 24 says what encrypting it would cost, and what it would hide.
fn send(cx: &mut Cx<'_>, to: &BareJid, state: &str) {
    let kind = if rooms::is_room(cx, to) { "groupchat" } else { "chat" };
    let message = Element::new("message", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr("to", to.to_string())
        .with_child(Element::new(state, ns::CHAT_STATES))
        .with_child(Element::new("no-store", ns::HINTS));
    cx.send(&message);
}

/// After so many milliseconds without news, others have stopped, and so have we.
const THEIRS: u64 = 60_000;
const OURS: u64 = 30_000;
/// People who are followed, in all and in one room.
const MOST: usize = 1000;
const MOST_IN_ROOM: usize = 20;
