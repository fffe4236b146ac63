//! XEP-0490: Message Displayed Synchronization 1.0.1

use std::collections::{BTreeMap, BTreeSet};

use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event;
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec, elsewhere, rooms};
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::pep::{self, Access, Items, Options};
use crate::store::{Message, Position, Reference, Store, StoreError};
use crate::timeline;
use crate::timers::TimerId;
use crate::verified::{PersonalEvent, Verified};

pub(crate) const FEATURE: Feature = Feature {
    name: "mds",
    specs: &[Spec { number: "XEP-0490", version: "1.0.1" }],
    features: &[],
    notify: &[ns::MDS],
    online: Some(on_online),
    events: &[(ns::MDS, on_event)],
    ..Feature::NOTHING
};

/// What other devices have seen.
#[derive(Default)]
pub(crate) struct State {
    /// Ids of messages that are not here yet.
    awaited: BTreeMap<BareJid, String>,
    /// Where the user has seen something that is to be published, once they stop scrolling. It is
    /// stored until the server has it.
    pending: BTreeSet<BareJid>,
    timer: Option<TimerId>,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let pending = match store.value(NAME)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| StoreError::Damaged(format!("what was seen: {error}")))?,
            None => BTreeSet::new(),
        };
        Ok(Self { pending, ..Self::default() })
    }
}

fn on_online(cx: &mut Cx<'_>) -> Step {
    let me = cx.me.clone();
    pep::items(cx, &me, ns::MDS, &[], |cx, items| {
        if let Items::Some(items) = items {
            take(cx, &items)?;
        }
        // What others have seen meanwhile is known now, and not undone.
        flush(cx)
    })
}

/// Something was seen, on this device or on another one: then somebody is there. What comes while a
/// session begins may be old.
fn on_event(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step {
    if take(cx, event)? && cx.state.link.caught_up {
        elsewhere::is_used(cx);
    }
    Ok(())
}

/// Another device of this account has seen something. Nobody else's word counts. Says whether it is
/// more than what was known.
fn take(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step<bool> {
    let Event::Items(_, items) = &event.event else { return Ok(false) };
    if event.owner != *cx.me {
        return Ok(false);
    }
    let mut new = false;
    for item in items {
        let Some((address, id)) = parse(cx, item) else { continue };
        let reference = Reference::Archive(id.clone());
        match cx.store.find(&address, &reference)? {
            Some(message) => {
                new |= timeline::mark_read(cx, &address, message.position)?;
            }
            None => {
                let awaited = &mut cx.state.features.mds.awaited;
                if awaited.len() < MOST || awaited.contains_key(&address) {
                    new |= awaited.insert(address, id.clone()) != Some(id);
                }
            }
        }
    }
    Ok(new)
}

fn parse(cx: &Cx<'_>, item: &Item) -> Option<(BareJid, String)> {
    let displayed = item.payload()?;
    let id = displayed.child("stanza-id", ns::STANZA_ID)?;
    let by = id.attr("by").and_then(|by| BareJid::new(by).ok())?;
    let address = BareJid::new(item.id.as_deref()?).ok()?;
    let fits = by == *archive_of(cx, &address);
    let id = id.attr("id").filter(|_| fits && displayed.is("displayed", ns::MDS))?;
    Some((address, id.to_owned()))
}

/// In a conversation of two the archive is the account's own, in a room that of the room.
fn archive_of<'a>(cx: &'a Cx<'_>, address: &'a BareJid) -> &'a BareJid {
    if rooms::is_room(cx, address) { address } else { cx.me }
}

/// A message is here now: perhaps it is the one that was seen elsewhere.
pub(crate) fn on_message(cx: &mut Cx<'_>, message: &Message) -> Step {
    let awaited = &mut cx.state.features.mds.awaited;
    let seen = awaited.get(&message.conversation);
    if seen.is_some() && seen == message.archive_id.as_ref() {
        awaited.remove(&message.conversation);
        timeline::mark_read(cx, &message.conversation, message.position)?;
    }
    Ok(())
}

/// Tells the own devices what was seen, a moment later.
pub(crate) fn publish(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let mds = &mut cx.state.features.mds;
    if mds.pending.len() < MOST && mds.pending.insert(address.clone()) {
        save(cx)?;
    }
    let mds = &mut cx.state.features.mds;
    if mds.timer.is_none() {
        let timer = cx.later(DELAY, |cx| {
            cx.state.features.mds.timer = None;
            flush(cx)
        });
        cx.state.features.mds.timer = Some(timer);
    }
    Ok(())
}

fn flush(cx: &mut Cx<'_>) -> Step {
    if !cx.online() {
        return Ok(());
    }
    for address in cx.state.features.mds.pending.clone() {
        let Some(id) = seen(cx, &address)? else {
            done(cx, &address)?;
            continue;
        };
        let stanza_id = Element::new("stanza-id", ns::STANZA_ID)
            .with_attr("by", archive_of(cx, &address).to_string())
            .with_attr("id", &id);
        let displayed = Element::new("displayed", ns::MDS).with_child(stanza_id);
        let item = Item::new(address.to_string()).with_payload(displayed);
        let options = Options { access: Access::Private, many: true };
        let published = id;
        pep::publish(cx, ns::MDS, item, options, move |cx, answer| {
            // Without an answer it is published again in the next session.
            if answer == Answer::Lost || seen(cx, &address)?.as_ref() != Some(&published) {
                return Ok(());
            }
            done(cx, &address)
        })?;
    }
    Ok(())
}

/// The last message that was seen, by its id in the archive.
fn seen(cx: &Cx<'_>, address: &BareJid) -> Step<Option<String>> {
    let read = timeline::conversation(cx, address).read_up_to;
    let until = read.map(|position| Position(position.0.saturating_add(1)));
    let Some(until) = until else { return Ok(None) };
    let messages = cx.store.before(address, Some(until), REACH)?;
    Ok(messages.into_iter().rev().find_map(|message| message.archive_id))
}

fn done(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if cx.state.features.mds.pending.remove(address) { save(cx) } else { Ok(()) }
}

fn save(cx: &Cx<'_>) -> Step {
    let pending = &cx.state.features.mds.pending;
    let bytes = serde_json::to_vec(pending).map_err(|error| StoreError::Io(error.to_string()))?;
    cx.store.save_value(NAME, Some(bytes.as_slice()).filter(|_| !pending.is_empty()))
}

/// The name under which it is stored where something was seen.
const NAME: &str = "mds";
/// So many messages back there is one that the archive knows.
const REACH: usize = 100;

/// Conversations whose seen message is awaited.
const MOST: usize = 1000;
/// Milliseconds.
const DELAY: u64 = 1000;
