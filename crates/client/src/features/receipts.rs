//! XEP-0184: Message Delivery Receipts 1.4.0
//!
//! A receipt says of one message that it is on a device of its recipient, and nothing of those before
//! it: they may be on another device, or on none. So each message is answered by itself, and what a
//! receipt says is spread to no other message (a displayed marker is; see
//! [`ticks`](crate::timeline)).
//!
//! After a long absence there may be thousands to be answered. The first few of each sender are
//! answered at once; for the others it is noted where they stand in the timeline, and they are
//! answered a few at a time when everything is here. That is stored: whoever ends the program in
//! between owes the rest the next time. One stretch is kept for each sender, and with each message
//! whether it is still to be answered: a stretch may hold some that were answered at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{Feature, Flow, Spec, Stage, markers};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source, is_id};
use crate::store::{Content, Delivery, Position, Store, StoreError, Wants};
use crate::timeline;
use crate::timers::TimerId;

pub(crate) const FEATURE: Feature = Feature {
    name: "receipts",
    specs: &[Spec { number: "XEP-0184", version: "1.4.0" }],
    features: &[ns::RECEIPTS],
    resumed: Some(begin),
    ended: Some(on_ended),
    caught_up: Some(on_caught_up),
    message: &[(Stage::Signal, on_message)],
    ..Feature::NOTHING
};

/// What is remembered of receipts.
#[derive(Default)]
pub(crate) struct State {
    /// How many were sent to whom at once, while missed messages are fetched.
    sent: BTreeMap<BareJid, u32>,
    /// Which messages are not answered yet, by who wrote them. It is stored.
    owed: BTreeMap<BareJid, Owed>,
    timer: Option<TimerId>,
}

/// A stretch of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owed {
    /// What stands here and before is answered.
    after: Position,
    /// The last one that is to be.
    until: Position,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let owed = match store.value(NAME)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                StoreError::Damaged(format!("receipts: {:?}", error.classify()))
            })?,
            None => BTreeMap::new(),
        };
        Ok(Self { owed, ..Self::default() })
    }
}

fn save(cx: &Cx<'_>) -> Step {
    let owed = &cx.state.features.receipts.owed;
    let bytes = serde_json::to_vec(owed).map_err(|error| StoreError::Io(error.to_string()))?;
    cx.store.save_value(NAME, Some(bytes.as_slice()).filter(|_| !owed.is_empty()))
}

fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let theirs = !incoming.room && !incoming.own;
    let received = incoming.child("received", ns::RECEIPTS).filter(|_| theirs);
    let id = received.and_then(|received| received.attr("id")).filter(|id| is_id(id));
    if let Some(id) = id.map(str::to_owned) {
        on_receipt(cx, incoming, &id)?;
    }
    if !theirs || !acknowledge(cx, incoming)? {
        // What was answered, or never will be, is not kept with the message as something to be done.
        incoming.content.retain(|child| !child.is("request", ns::RECEIPTS));
    }
    Ok(Flow::Next)
}

/// A device of the recipient has an own message. Only the conversation's partner can say so: the
/// message is looked for among those that were written to them.
pub(super) fn on_receipt(cx: &mut Cx<'_>, incoming: &Incoming, id: &str) -> Step {
    match markers::own(cx, &incoming.with, id)? {
        Some(message) => {
            let told = markers::reached(cx, incoming, &Delivery::Delivered);
            timeline::reach(cx, message.id, Delivery::Delivered, &[told])
        }
        None => later::keep(cx, incoming, id, What::Tick(Delivery::Delivered)),
    }
}

/// Tells the sender that the message is here, if they may know that we are. What is undecryptable
/// has not arrived. Says whether that is to be done later.
fn acknowledge(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let Some(id) = incoming.id.clone() else { return Ok(false) };
    let asked = incoming.child("request", ns::RECEIPTS).is_some();
    let new = matches!(incoming.source, Source::Live | Source::CatchUp);
    if !asked || !new || !markers::may_answer(cx, &incoming.with) {
        return Ok(false);
    }
    if let Some(position) = incoming.position.filter(|_| !cx.state.link.caught_up) {
        let State { sent, owed, .. } = &mut cx.state.features.receipts;
        let count = sent.entry(incoming.with.clone()).or_default();
        *count = count.saturating_add(1);
        let room = owed.len() < MOST_PEOPLE || owed.contains_key(&incoming.with);
        if *count > AT_ONCE && room {
            owe(cx, &incoming.with, position)?;
            return Ok(true);
        }
    }
    receipt(cx, &incoming.with, id)?;
    Ok(false)
}

/// What a message asks for that was not done when it came, and the id by which.
pub(super) fn wanted(incoming: &Incoming) -> Option<Wants> {
    let id = incoming.id.clone().filter(|_| !incoming.own)?;
    let receipt = incoming.child("request", ns::RECEIPTS).is_some();
    let marker = incoming.child("markable", ns::CHAT_MARKERS).is_some();
    (receipt || marker).then_some(Wants { id, receipt, marker })
}

fn receipt(cx: &mut Cx<'_>, to: &BareJid, id: String) -> Step {
    markers::signal(cx, to, Element::new("received", ns::RECEIPTS).with_attr("id", id))
}

/// A message is answered later.
fn owe(cx: &mut Cx<'_>, to: &BareJid, position: Position) -> Step {
    let before = Position(position.0.saturating_sub(1));
    let owed = &mut cx.state.features.receipts.owed;
    let owed = owed.entry(to.clone()).or_insert(Owed { after: before, until: position });
    owed.after = owed.after.min(before);
    owed.until = owed.until.max(position);
    save(cx)
}

/// Everything is here. Of very many the newest are answered.
fn on_caught_up(cx: &mut Cx<'_>) -> Step {
    cx.state.features.receipts.sent.clear();
    for (address, owed) in cx.state.features.receipts.owed.clone() {
        let behind = Position(owed.until.0.saturating_add(1));
        let newest = cx.store.before(&address, Some(behind), LONGEST)?;
        let Some(oldest) = newest.first().map(|message| message.position) else { continue };
        if let Some(owed) = cx.state.features.receipts.owed.get_mut(&address) {
            owed.after = owed.after.max(Position(oldest.0.saturating_sub(1)));
        }
    }
    begin(cx)
}

/// Goes on with what is owed, a moment later.
fn begin(cx: &mut Cx<'_>) -> Step {
    let idle = cx.state.features.receipts.timer.is_none();
    let ready = cx.online() && cx.state.link.caught_up;
    if idle && ready && !cx.state.features.receipts.owed.is_empty() {
        let timer = cx.later(PACE, |cx| {
            cx.state.features.receipts.timer = None;
            answer_some(cx)?;
            begin(cx)
        });
        cx.state.features.receipts.timer = Some(timer);
    }
    Ok(())
}

fn answer_some(cx: &mut Cx<'_>) -> Step {
    let mut left = AT_A_TIME;
    for (address, owed) in cx.state.features.receipts.owed.clone() {
        if left == 0 || !cx.online() || cx.state.outbox.is_full() {
            break;
        }
        let rows = cx.store.after(&address, owed.after, left)?;
        let (looked_at, last) = (rows.len(), rows.last().map(|row| row.position));
        let mut after = owed.after;
        for mut row in rows.into_iter().filter(|row| row.position <= owed.until && !row.own) {
            let readable = !matches!(row.content, Content::Undecryptable(_));
            if cx.state.outbox.is_full() {
                cx.state.features.receipts.owed.insert(address, Owed { after, ..owed });
                return save(cx);
            }
            after = row.position;
            if let Some(wants) = row.wants.as_mut().filter(|wants| wants.receipt && readable)
                && markers::may_answer(cx, &address)
            {
                wants.receipt = false;
                let id = wants.id.clone();
                cx.store.save_message(&row)?;
                receipt(cx, &address, id)?;
            }
        }
        let all = &mut cx.state.features.receipts.owed;
        match last.filter(|last| looked_at == left && *last < owed.until) {
            Some(last) => drop(all.insert(address, Owed { after: last, ..owed })),
            None => drop(all.remove(&address)),
        }
        left = left.saturating_sub(looked_at);
    }
    save(cx)
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    cx.state.features.receipts.sent.clear();
    if let Some(timer) = cx.state.features.receipts.timer.take() {
        cx.cancel(timer);
    }
    Ok(())
}

/// The name under which it is stored what is owed.
const NAME: &str = "receipts";
/// Missed messages of one sender that are answered at once.
const AT_ONCE: u32 = 20;
/// Of one sender so many missed messages are answered at most, the newest.
const LONGEST: usize = 1000;
/// Senders to whom receipts are owed; those of others are answered at once.
const MOST_PEOPLE: usize = 1000;
/// So many messages are looked at …
const AT_A_TIME: usize = 20;
/// … each so many milliseconds.
const PACE: u64 = 2_000;
