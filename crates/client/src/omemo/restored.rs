//! A profile that was put back to an older state, by a backup or a copied folder: noticed, and no
//! key used twice.
//!
//! A ratchet that goes on from an older state encrypts with keys that were used before. Nothing in
//! the state itself tells. Two things outside of it do:
//!
//! - *The count of sessions.* With every session this device counts one up, in its store and then in
//!   a private node of the account. A store that counts less than the server was put back.
//! - *The archive.* It shows what this device sent. What this device encrypted and does not know,
//!   it sent in a future that was taken back.
//!
//! Nothing is encrypted before both were looked at once after the program started. If the profile
//! was put back, all sessions are forgotten: the next message to each device begins a new one.

use std::collections::{BTreeSet, VecDeque};

use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event as NodeEvent;
use xmpp::jid::BareJid;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};
use crate::features::{archive, rooms};
use crate::incoming::{Incoming, Source};
use crate::pep::{self, Access, Items, Options};
use crate::store::{Content, Event, SessionKey, Store};
use crate::timeline;
use crate::view::{Notification, Occasion};

use super::{VERSIONS, notes, own};

/// What is known of it.
#[derive(Default)]
pub(super) struct Watch {
    /// The count was compared since the program started.
    counted: bool,
    /// The archive was read since then, as far as it can be.
    read: bool,
    /// The sessions were replaced since the program started: those that there are now are new.
    replaced: bool,
    /// The ids of the last stanzas that were encrypted, with a [`MARK`] where the archive was read to
    /// its end; `None` before any were noted.
    sent: Option<VecDeque<u64>>,
}

impl Watch {
    pub(super) fn load(store: &dyn Store) -> Step<Self> {
        let sent = store.value(SENT)?.map(|bytes| {
            let words = bytes.chunks_exact(8).filter_map(|word| word.try_into().ok());
            words.map(u64::from_be_bytes).collect()
        });
        Ok(Self { sent, ..Self::default() })
    }
}

/// Whether it is known that ratchets can go on.
pub(super) fn is_checked(cx: &Cx<'_>) -> bool {
    let watch = &cx.state.features.omemo.watch;
    watch.counted && watch.read
}

/// There is a new session: compares the counts, and counts it.
pub(super) fn online(cx: &mut Cx<'_>) -> Step {
    let Some(device) = cx.state.features.omemo.device_id() else {
        // What has no keys yet cannot use any of them twice.
        cx.state.features.omemo.watch.counted = true;
        return Ok(());
    };
    let (me, id) = (cx.me.clone(), device.to_string());
    pep::items(cx, &me, NODE, &[&id.clone()], move |cx, items| {
        let published = match &items {
            Items::Some(event) => match &event.event {
                NodeEvent::Items(_, items) => items.iter().find_map(|item| count_in(item, &id)),
                _ => None,
            },
            Items::None => None,
            // What cannot be asked cannot be compared.
            Items::Unreachable | Items::Lost => return counted(cx),
        };
        let known = cx.store.value(COUNT)?.and_then(|bytes| bytes.first_chunk().copied());
        let known = known.map_or(0, u64::from_be_bytes);
        if published.is_some_and(|published| published > known) {
            replace_sessions(cx)?;
        }
        let next = known.max(published.unwrap_or(0)).saturating_add(1);
        // First here, then there: what is here is never less than what is there.
        cx.store.save_value(COUNT, Some(&next.to_be_bytes()))?;
        let payload = Element::new("sessions", NODE).with_attr("count", next.to_string());
        let item = Item::new(id).with_payload(payload);
        let options = Options { access: Access::Private, many: true };
        pep::publish(cx, NODE, item, options, |_, _| Ok(()))?;
        counted(cx)
    })
}

fn count_in(item: &Item, id: &str) -> Option<u64> {
    let payload = item.payload().filter(|payload| payload.is("sessions", NODE))?;
    payload.attr("count").filter(|_| item.id.as_deref() == Some(id))?.parse().ok()
}

fn counted(cx: &mut Cx<'_>) -> Step {
    cx.state.features.omemo.watch.counted = true;
    cx.wake_outbox();
    Ok(())
}

/// The archive holds nothing more that could tell something, or does not answer.
pub(super) fn read(cx: &mut Cx<'_>) -> Step {
    let watch = &mut cx.state.features.omemo.watch;
    watch.read = true;
    if watch.sent.is_none() {
        watch.sent = Some(VecDeque::new());
        cx.store.save_value(SENT, Some(&[]))?;
    }
    cx.wake_outbox();
    Ok(())
}

/// A stanza was encrypted, and will be in the archive.
pub(super) fn sent(cx: &mut Cx<'_>, id: &str) -> Step {
    let Some(sent) = &mut cx.state.features.omemo.watch.sent else { return Ok(()) };
    push(sent, notes::hash(id.as_bytes()));
    save(cx)
}

/// The archive was read to its end.
pub(super) fn mark(cx: &mut Cx<'_>) -> Step {
    let Some(sent) = &mut cx.state.features.omemo.watch.sent else { return Ok(()) };
    if sent.back().is_none_or(|last| *last == MARK) {
        return Ok(());
    }
    sent.retain(|word| *word != MARK);
    push(sent, MARK);
    save(cx)
}

fn push(sent: &mut VecDeque<u64>, word: u64) {
    if sent.len() >= MOST {
        sent.pop_front();
    }
    sent.push_back(word);
}

fn save(cx: &Cx<'_>) -> Step {
    let sent = cx.state.features.omemo.watch.sent.iter().flatten();
    let bytes: Vec<u8> = sent.flat_map(|word| word.to_be_bytes()).collect();
    cx.store.save_value(SENT, Some(&bytes))
}

/// Something that this device encrypted comes back and is no row of the timeline: is it known?
pub(super) fn came_back(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    let watch = &cx.state.features.omemo.watch;
    let Some(sent) = watch.sent.as_ref().filter(|_| !watch.replaced) else { return Ok(()) };
    // Of what is old, or read again by its time, not every id is remembered.
    if incoming.source == Source::Older || archive::reads_again(cx) {
        return Ok(());
    }
    // So much was sent since the archive was read that the first of it is forgotten.
    if sent.len() >= MOST && !sent.contains(&MARK) {
        return Ok(());
    }
    let ids = incoming.id.iter().chain(&incoming.origin_id);
    let mut ids = ids.map(|id| notes::hash(id.as_bytes()));
    if ids.any(|id| sent.contains(&id)) { Ok(()) } else { replace_sessions(cx) }
}

/// Forgets all sessions, so that no key of theirs is used again, and tells the user.
fn replace_sessions(cx: &mut Cx<'_>) -> Step {
    cx.state.features.omemo.watch.replaced = true;
    let mut people: BTreeSet<BareJid> = BTreeSet::from([cx.me.clone()]);
    people.extend(cx.store.contacts()?.into_iter().map(|contact| contact.address));
    people.extend(cx.state.features.timeline.conversations.keys().cloned());
    for room in cx.state.features.rooms.rooms.keys() {
        people.extend(rooms::others(cx, room));
    }
    for owner in people {
        for version in VERSIONS {
            for entry in cx.store.device_list(&owner, version)? {
                let key = SessionKey { owner: owner.clone(), device: entry.id, version };
                cx.store.save_session(&key, None)?;
            }
        }
    }
    let memory = &mut cx.state.features.omemo;
    memory.answering.clear();
    // Others begin sessions with what is published: that must be what is here.
    for version in VERSIONS {
        memory.notes.set_published(version, 0);
    }
    memory.notes.healed.clear();
    notes::save(cx)?;
    if cx.online() {
        own::on_list(cx)?;
    }
    tell(cx)
}

fn tell(cx: &mut Cx<'_>) -> Step {
    let me = cx.me.clone();
    let mut message = timeline::blank(&me, &me, cx.moment());
    message.content = Content::Event(Event::Restored);
    let id = timeline::insert(cx, message, false)?;
    cx.notify(Notification {
        conversation: me,
        occasion: Occasion::Said {
            title: "This profile is older than it was".to_owned(),
            text: "It was put back to an earlier state. All encrypted sessions are begun anew; \
                   messages that others sent meanwhile may not be readable."
                .to_owned(),
        },
        message: Some(id),
    });
    Ok(())
}

/// The private node with the count of each device of this program.
const NODE: &str = "urn:clownfish:sessions:0";
/// The names under which the count and the last ids are stored.
const COUNT: &str = "omemo.sessions";
const SENT: &str = "omemo.sent";
/// Ids that are remembered: many more than are sent between two readings of the archive.
const MOST: usize = 512;
/// Stands between them where the archive was read; no hash of an id but by the rarest chance.
const MARK: u64 = 0;
