//! What is written to an open stream.

use bytes::Bytes;
use xmpp::ns;
use xmpp::sm;
use xmpp::stanza::write_standalone;
use xmpp::time::Millis;
use xmpp::xml::{Element, Framing};

use super::{Link, is_open};
use crate::cx::Cx;
use crate::effect::Effect;
use crate::store::QueuedId;

/// Asks which stanzas arrived.
pub(crate) fn ask(cx: &mut Cx<'_>) {
    let managed = cx.state.link.session.as_mut().and_then(|session| session.managed.as_mut());
    if let Some(managed) = managed {
        managed.sm.requested();
        write(cx, Bytes::from_static(sm::REQUEST));
    }
}

/// Tells the server whether somebody looks (XEP-0352).
pub(crate) fn set_active(cx: &mut Cx<'_>, active: bool) {
    if std::mem::replace(&mut cx.state.link.active, active) != active && cx.online() {
        send_activity(cx);
    }
}

pub(super) fn send_activity(cx: &mut Cx<'_>) {
    let offered = cx.state.link.session.as_ref().is_some_and(|one| one.offers("csi", ns::CSI));
    if offered {
        let name = if cx.state.link.active { "active" } else { "inactive" };
        let bytes = Element::new(name, ns::CSI).to_bytes(ns::CLIENT);
        write(cx, bytes);
    }
}

/// Writes a stanza of the session, and keeps it until the server has it. `row` is its row in the
/// outbox. False when it was not written.
pub(crate) fn send_stanza(cx: &mut Cx<'_>, bytes: Bytes, row: Option<QueuedId>) -> bool {
    if !is_open(&cx.state.link) {
        return false;
    }
    let now = Millis(cx.now.steady);
    let managed = cx.state.link.session.as_mut().and_then(|session| session.managed.as_mut());
    if let Some(managed) = managed
        && managed.sm.sent(now, bytes.clone(), row).is_err()
    {
        return false;
    }
    write(cx, bytes);
    true
}

/// Whether so many bytes can be sent now without the queue of unacknowledged stanzas overflowing.
pub(crate) fn has_room(cx: &Cx<'_>) -> bool {
    let session = cx.state.link.session.as_ref();
    session.and_then(|session| session.managed.as_ref()).is_none_or(|managed| {
        managed.sm.unacked().len() < OUTBOX_STANZAS && managed.sm.queue_bytes() < OUTBOX_BYTES
    })
}

/// Bytes of the largest stanza that the server takes: what it says (XEP-0478), or what is usual.
pub(crate) fn largest(cx: &Cx<'_>) -> usize {
    let features = cx.state.link.session.as_ref().and_then(|session| session.features.as_ref());
    let limits = features.and_then(|features| features.child("limits", ns::STREAM_LIMITS));
    let told = limits.and_then(|limits| limits.child("max-bytes", ns::STREAM_LIMITS));
    let told = told.and_then(|bytes| bytes.text().trim().parse::<usize>().ok());
    // Who says less means something else by it, such as no limit at all.
    let told = told.filter(|bytes| *bytes >= LEAST_BYTES);
    // A WebSocket names the namespace once more.
    told.unwrap_or(USUAL_BYTES).saturating_sub(64)
}

/// Writes a first-level element.
pub(super) fn write(cx: &mut Cx<'_>, bytes: Bytes) {
    let bytes = match cx.state.link.framing {
        Framing::Tcp => bytes,
        Framing::WebSocket => {
            let mut alone = Vec::with_capacity(bytes.len() + 24);
            write_standalone(&mut alone, &bytes);
            alone.into()
        }
    };
    cx.effects.push(Effect::Send(bytes));
}

/// The end of a step: acknowledgements are asked for when that is due.
pub(crate) fn finish_step(cx: &mut Cx<'_>) {
    let now = Millis(cx.now.steady);
    let managed = cx.state.link.session.as_ref().and_then(|session| session.managed.as_ref());
    if is_open(&cx.state.link) && managed.is_some_and(|managed| managed.sm.request_due(now)) {
        ask(cx);
    }
}

/// One write for what is sent in a row over TCP. WebSocket messages stay apart.
pub(crate) fn join_sends(link: &Link, effects: Vec<Effect>) -> Vec<Effect> {
    if link.framing == Framing::WebSocket {
        return effects;
    }
    let mut joined: Vec<Effect> = Vec::with_capacity(effects.len());
    let mut run: Vec<Bytes> = Vec::new();
    for effect in effects {
        match effect {
            Effect::Send(bytes) => run.push(bytes),
            other => {
                joined.extend(joined_run(&mut run));
                joined.push(other);
            }
        }
    }
    joined.extend(joined_run(&mut run));
    joined
}

fn joined_run(run: &mut Vec<Bytes>) -> Option<Effect> {
    let bytes = match run.len() {
        0 => return None,
        1 => run.pop()?,
        _ => run.concat().into(),
    };
    run.clear();
    Some(Effect::Send(bytes))
}

/// What servers take that do not say it.
const USUAL_BYTES: usize = 256 * 1024;
/// The smallest limit that a server may have (RFC 6120 §13.12).
const LEAST_BYTES: usize = 10_000;
/// How much of the outbox may be unacknowledged at once.
const OUTBOX_STANZAS: usize = 200;
const OUTBOX_BYTES: usize = 4 * 1024 * 1024;
