//! XEP-0492: Chat notification settings 0.2.0
//!
//! The setting of a room stands in its entry in the list of rooms (XEP-0402), where other programs
//! look for it. People have no entry there; theirs are items of a private node of the account, one
//! each. What is muted for some hours only is so on one device.
//!
//! What the user chose here is written until the server has it, and until then nothing that comes
//! from there counts.

use std::collections::{BTreeMap, BTreeSet};

use xmpp::ext::notify::{Identity, Notify as Setting, read, write};
use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event;
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec, bookmarks, rooms, server};
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::pep::{self, Access, Items, Options};
use crate::store::{Conversation, Mute, Notify, Store, StoreError};
use crate::timeline;
use crate::verified::{PersonalEvent, Verified};

pub(crate) const FEATURE: Feature = Feature {
    name: "notify",
    specs: &[Spec { number: "XEP-0492", version: "0.2.0" }],
    notify: &[CHATS],
    online: Some(on_online),
    events: &[(CHATS, on_event)],
    ..Feature::NOTHING
};

/// Conversations whose setting was changed here, and is not on the server yet.
#[derive(Default)]
pub(crate) struct State {
    pending: BTreeSet<BareJid>,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let pending = match store.value(NAME)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| StoreError::Damaged(format!("what notifies: {error}")))?,
            None => BTreeSet::new(),
        };
        Ok(Self { pending })
    }
}

/// What a conversation's settings are for other programs.
fn setting(cx: &Cx<'_>, conversation: &Conversation) -> Setting {
    match (conversation.mute, conversation.notify) {
        (Mute::Forever, _) => Setting::Never,
        _ if !conversation.room => Setting::Always,
        (_, Notify::All) => Setting::Always,
        (_, Notify::Mentions) => Setting::OnMention,
        // "Business Rules": what is assumed where nothing was chosen.
        (_, Notify::Usual) if rooms::is_private(cx, &conversation.address) => Setting::Always,
        (_, Notify::Usual) => Setting::OnMention,
    }
}

/// The user chose something: other devices learn of it.
pub(crate) fn changed(cx: &mut Cx<'_>, before: &Conversation) -> Step {
    let address = &before.address;
    let after = timeline::conversation(cx, address);
    let pending = &cx.state.features.notify.pending;
    if setting(cx, before) == setting(cx, &after) || pending.len() >= MOST {
        return Ok(());
    }
    cx.state.features.notify.pending.insert(address.clone());
    save(cx)?;
    flush(cx, |_, one| one == address)
}

/// Writes what the server does not have, of those that are meant.
fn flush(cx: &mut Cx<'_>, meant: impl Fn(&Cx<'_>, &BareJid) -> bool) -> Step {
    if !cx.online() {
        return Ok(());
    }
    for address in cx.state.features.notify.pending.clone() {
        if !meant(cx, &address) {
            continue;
        }
        if !server::offers(cx, ns::PUBSUB_PUBLISH_OPTIONS) {
            // Others could see it: it stays on this device.
            done(cx, &address)?;
            continue;
        }
        let conversation = timeline::conversation(cx, &address);
        let wanted = setting(cx, &conversation);
        if told(cx, &address) == Some(wanted) {
            done(cx, &address)?;
            continue;
        }
        let then = {
            let address = address.clone();
            move |cx: &mut Cx<'_>, answer: Answer| {
                let conversation = timeline::conversation(cx, &address);
                // Without an answer it is written again in the next session.
                if answer == Answer::Lost || setting(cx, &conversation) != wanted {
                    return Ok(());
                }
                done(cx, &address)
            }
        };
        if conversation.room {
            let kind = cx.options.kind.clone();
            let new = move |old: Option<&Element>| write(old, identity(&kind), wanted);
            bookmarks::extend(cx, &address, ELEMENT, new, then)?;
            continue;
        }
        let chat = Element::new("chat", CHATS).with_attr("jid", address.as_str());
        let chat = chat.with_child(write(None, identity(&cx.options.kind), wanted));
        let item = Item::new(address.to_string()).with_payload(chat);
        pep::publish(cx, CHATS, item, Options { access: Access::Private, many: true }, then)?;
    }
    Ok(())
}

fn identity(kind: &str) -> Identity<'_> {
    Identity { category: "client", kind }
}

fn on_online(cx: &mut Cx<'_>) -> Step {
    let me = cx.me.clone();
    pep::items(cx, &me, CHATS, &[], |cx, items| {
        if let Items::Some(items) = items {
            on_event(cx, &items)?;
        }
        // The list of rooms is read by itself: `on_bookmarks`.
        flush(cx, |cx, address| !rooms::is_room(cx, address))
    })
}

/// Another device chose something for a person. Nobody else's word counts.
fn on_event(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step {
    let Event::Items(_, items) = &event.event else { return Ok(()) };
    if event.owner != *cx.me {
        return Ok(());
    }
    for item in items.iter().take(MOST) {
        let address = item.id.as_deref().and_then(|id| BareJid::new(id).ok());
        let chat = item.payload().filter(|payload| payload.is("chat", CHATS));
        let notify = chat.and_then(|chat| chat.child(ELEMENT.0, ELEMENT.1));
        let told = notify.and_then(|notify| read(notify, identity(&cx.options.kind)));
        if let (Some(address), Some(told)) = (address, told)
            && !rooms::is_room(cx, &address)
        {
            apply(cx, &address, told)?;
        }
    }
    Ok(())
}

/// The list of rooms was read, or is different.
pub(crate) fn on_bookmarks(cx: &mut Cx<'_>, before: &BTreeMap<BareJid, Element>) -> Step {
    for bookmark in bookmarks::all(cx) {
        let room = &bookmark.room;
        match told(cx, room) {
            Some(told) => apply(cx, room, told)?,
            None if before.get(room).and_then(|old| in_payload(cx, old)).is_some() => {
                forget(cx, room)?;
            }
            None => {}
        }
    }
    flush(cx, |cx, address| bookmarks::get(cx, address).is_some())
}

/// A room was entered: what was chosen elsewhere counts from the beginning.
pub(crate) fn on_entered(cx: &mut Cx<'_>, room: &BareJid) -> Step {
    match told(cx, room) {
        Some(told) => apply(cx, room, told),
        None => Ok(()),
    }
}

/// What the list of rooms says of one.
fn told(cx: &Cx<'_>, room: &BareJid) -> Option<Setting> {
    in_payload(cx, bookmarks::payload(cx, room)?)
}

fn in_payload(cx: &Cx<'_>, payload: &Element) -> Option<Setting> {
    let extensions = payload.child("extensions", ns::BOOKMARKS)?;
    read(extensions.child(ELEMENT.0, ELEMENT.1)?, identity(&cx.options.kind))
}

/// What was chosen elsewhere is so here.
fn apply(cx: &mut Cx<'_>, address: &BareJid, told: Setting) -> Step {
    let mut conversation = timeline::conversation(cx, address);
    if cx.state.features.notify.pending.contains(address) || setting(cx, &conversation) == told {
        return Ok(());
    }
    if !cx.state.features.timeline.conversations.contains_key(address) {
        // A room has a conversation when it was entered. One with a person is only noted.
        if rooms::is_room(cx, address) || bookmarks::get(cx, address).is_some() {
            return Ok(());
        }
        conversation.shown = false;
    }
    match told {
        Setting::Never => conversation.mute = Mute::Forever,
        _ if conversation.mute == Mute::Forever => conversation.mute = Mute::No,
        _ => {}
    }
    match told {
        Setting::Always if conversation.room => conversation.notify = Notify::All,
        Setting::OnMention if conversation.room => conversation.notify = Notify::Mentions,
        _ => {}
    }
    timeline::save_conversation(cx, conversation)
}

/// Nothing is chosen any more.
fn forget(cx: &mut Cx<'_>, room: &BareJid) -> Step {
    let known = cx.state.features.timeline.conversations.get(room).cloned();
    let pending = cx.state.features.notify.pending.contains(room);
    let Some(mut conversation) = known.filter(|_| !pending) else { return Ok(()) };
    if conversation.mute == Mute::Forever {
        conversation.mute = Mute::No;
    }
    conversation.notify = Notify::Usual;
    timeline::save_conversation(cx, conversation)
}

fn done(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if cx.state.features.notify.pending.remove(address) { save(cx) } else { Ok(()) }
}

fn save(cx: &Cx<'_>) -> Step {
    let pending = &cx.state.features.notify.pending;
    let bytes = serde_json::to_vec(pending).map_err(|error| StoreError::Io(error.to_string()))?;
    cx.store.save_value(NAME, Some(bytes.as_slice()).filter(|_| !pending.is_empty()))
}

/// The private node with the settings of conversations with people.
const CHATS: &str = "urn:clownfish:chats:0";
/// The element with the settings.
const ELEMENT: (&str, &str) = ("notify", ns::NOTIFICATION_SETTINGS);
/// The name under which it is stored what the server does not have.
const NAME: &str = "notify";
/// Conversations that are written or read at once.
const MOST: usize = 1000;
