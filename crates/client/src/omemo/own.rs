//! The keys of this device: made once, published in both versions, kept fresh, and published again
//! when somebody removed them.

use std::collections::VecDeque;

use omemo::{Device, DeviceId};
use xmpp::ext::pubsub::Item;
use xmpp::ext::{omemo_legacy, omemo2};
use xmpp::jid::BareJid;

use crate::cx::{Cx, Step};
use crate::iq::{Answer, describe};
use crate::pep::{self, Access, Options};
use crate::rng::Rng;
use crate::store::{OwnDevice, Version};

use super::{VERSIONS, identities, lists, nodes, notes, restored, wire};

/// How far the publication is in this session.
#[derive(Default)]
pub(super) struct Progress {
    /// A bundle is on its way, for `urn:xmpp:omemo:2` and the legacy version.
    bundles: [bool; 2],
    /// A list is on its way.
    lists: [bool; 2],
    /// When lists were repaired; on the steady clock.
    repairs: VecDeque<u64>,
    /// The user was told of a failure.
    pub(super) complained: bool,
    /// This device is being removed: it is not to be published again.
    pub(super) withdrawn: bool,
}

/// There is a new session: the own lists come first, since the number of a new device must not be
/// in them.
pub(super) fn online(cx: &mut Cx<'_>) -> Step {
    fetch_lists(cx)?;
    restored::online(cx)?;
    daily(cx)
}

fn fetch_lists(cx: &mut Cx<'_>) -> Step {
    let me = cx.me.clone();
    for version in VERSIONS {
        lists::fetch(cx, &me, version)?;
    }
    Ok(())
}

/// Once a day the signed prekey may have to be replaced.
fn daily(cx: &mut Cx<'_>) -> Step {
    if let Some(timer) = cx.state.features.omemo.daily.take() {
        cx.cancel(timer);
    }
    let timer = cx.later(DAY, |cx| {
        if cx.online() {
            on_list(cx)?;
            daily(cx)?;
        }
        Ok(())
    });
    cx.state.features.omemo.daily = Some(timer);
    Ok(())
}

/// One of the own lists could not be fetched: there was no answer, or the server refused.
pub(super) fn on_list_lost(cx: &mut Cx<'_>, owner: &BareJid, refused: bool) -> Step {
    if owner == cx.me {
        if refused {
            nodes::complain(cx, "questions for the list of devices", "an error")?;
        }
        cx.later(RETRY, |cx| {
            if cx.online() && !lists::own_are_known(cx) { fetch_lists(cx) } else { Ok(()) }
        });
    }
    Ok(())
}

/// One of the own lists was told: once both are known everything that is not as it should be is
/// put right.
pub(super) fn on_list(cx: &mut Cx<'_>) -> Step {
    identities::settle(cx)?;
    if !cx.online() || !lists::own_are_known(cx) || cx.state.features.omemo.own.withdrawn {
        return Ok(());
    }
    make(cx)?;
    maintain(cx)?;
    compare(cx)?;
    for version in VERSIONS {
        publish(cx, version)?;
    }
    own_keys(cx)
}

/// The keys of new own devices are fetched at once, so that the user learns of them.
fn own_keys(cx: &mut Cx<'_>) -> Step {
    let me = cx.me.clone();
    super::bundles::fetch_unknown(cx, &me)
}

/// Makes the keys, with a number that no device of this account has.
fn make(cx: &mut Cx<'_>) -> Step {
    if cx.state.features.omemo.device.is_some() {
        return Ok(());
    }
    let mut taken = Vec::new();
    for version in VERSIONS {
        let entries = cx.store.device_list(cx.me, version)?;
        taken.extend(entries.into_iter().map(|entry| entry.id));
    }
    let device = Device::generate(free(cx.rng, &taken), cx.time().0, cx.rng);
    let label = label(&cx.options.device);
    let memory = &mut cx.state.features.omemo;
    (memory.device, memory.label) = (Some(device), label);
    changed(cx)?;
    let me = cx.me.clone();
    super::commands::show_devices(cx, &me)?;
    crate::account::show(cx)
}

/// A number that no device has.
fn free(rng: &mut Rng, taken: &[u32]) -> DeviceId {
    loop {
        let id = DeviceId::random(rng);
        if !taken.contains(&id.to_u32()) {
            return id;
        }
    }
}

/// A label that can be signed.
pub(super) fn label(text: &str) -> Option<String> {
    let mut label: String = text.trim().chars().take(omemo::MAX_LABEL_CHARS).collect();
    // What has the length of a key is not signed.
    while matches!(label.len(), 32 | 33) {
        label.pop();
    }
    (!label.is_empty()).then_some(label)
}

/// Keeps this device after its keys changed; they have to be published.
pub(super) fn changed(cx: &mut Cx<'_>) -> Step {
    let revision = &mut cx.state.features.omemo.notes.revision;
    *revision = revision.saturating_add(1);
    notes::save(cx)?;
    save(cx)
}

/// Keeps this device.
pub(super) fn save(cx: &Cx<'_>) -> Step {
    let memory = &cx.state.features.omemo;
    let Some(device) = &memory.device else { return Ok(()) };
    let (id, keys, label) = (device.id().to_u32(), device.to_bytes(), memory.label.clone());
    cx.store.save_own_device(&OwnDevice { id, keys, label })
}

/// Refills the prekeys and replaces the signed one when it is time.
pub(super) fn maintain(cx: &mut Cx<'_>) -> Step {
    let (now, steady) = (cx.time().0, cx.now.steady);
    let memory = &mut cx.state.features.omemo;
    let Some(device) = &mut memory.device else { return Ok(()) };
    // A clock that jumps to and fro would replace it each time, and soon nobody could use the one
    // that they fetched.
    let lately = memory.rotated.is_some_and(|at| steady.saturating_sub(at) < DAY);
    let changes = if lately {
        omemo::Changes { signed_pre_key: false, pre_keys: device.refill(cx.rng) }
    } else {
        device.maintain(now, cx.rng)
    };
    if changes.signed_pre_key {
        memory.rotated = Some(steady);
    }
    if changes.any() { changed(cx) } else { Ok(()) }
}

/// Looks once a day whether the published bundles are still there and still this device's.
fn compare(cx: &mut Cx<'_>) -> Step {
    let now = cx.time();
    let memory = &mut cx.state.features.omemo;
    let Some(id) = memory.device_id() else { return Ok(()) };
    if now.since(memory.notes.compared) < DAY && memory.notes.compared <= now {
        return Ok(());
    }
    memory.notes.compared = now;
    notes::save(cx)?;
    let me = cx.me.clone();
    for version in VERSIONS {
        if !cx.state.features.omemo.notes.is_published(version) {
            continue;
        }
        let (node, item) = super::bundles::place(version, id);
        let wanted = item.clone();
        pep::items(cx, &me, &node, &[&wanted], move |cx, items| {
            let published = match items {
                pep::Items::Some(event) => super::bundles::parse(version, &event, &item),
                pep::Items::None => None,
                pep::Items::Unreachable | pep::Items::Lost => return Ok(()),
            };
            let memory = &mut cx.state.features.omemo;
            let own = memory.device.as_ref().map(|device| device.bundle(wire(version)));
            if published != own {
                memory.notes.set_published(version, 0);
                notes::save(cx)?;
                publish(cx, version)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Publishes what is not published yet: the bundle first, then the list that leads to it.
pub(super) fn publish(cx: &mut Cx<'_>, version: Version) -> Step {
    let memory = &mut cx.state.features.omemo;
    let Some(device) = memory.device.as_ref().filter(|_| !memory.own.withdrawn) else {
        return Ok(());
    };
    if memory.notes.is_published(version) {
        return publish_list(cx, version);
    }
    let revision = memory.notes.revision;
    let id = device.id().to_u32();
    let payload = nodes::bundle_element(version, device.bundle(wire(version)));
    if std::mem::replace(slot(&mut memory.own.bundles, version), true) || !cx.online() {
        return Ok(());
    }
    let Some(payload) = payload else { return Ok(()) };
    let (node, item) = super::bundles::place(version, id);
    let options = Options { access: Access::Open, many: version == Version::Omemo2 };
    let item = Item::new(item).with_payload(payload);
    let place = node.clone();
    pep::publish(cx, &node, item, options, move |cx, answer| {
        let memory = &mut cx.state.features.omemo;
        *slot(&mut memory.own.bundles, version) = false;
        match answer {
            Answer::Result(_) => {
                memory.notes.set_published(version, revision);
                notes::save(cx)?;
                nodes::check(cx, place, options)?;
                publish(cx, version)
            }
            Answer::Error(error) => nodes::complain(cx, "this device's keys", &describe(&error)),
            Answer::Lost => Ok(()),
        }
    })
}

/// Publishes the list with this device in it, if it is not there.
fn publish_list(cx: &mut Cx<'_>, version: Version) -> Step {
    let Some(id) = cx.state.features.omemo.device_id() else { return Ok(()) };
    let mut list = published_list(cx, version)?;
    let own = own_entry(cx, version, id);
    match list.iter_mut().find(|device| device.id == id) {
        Some(device) if *device == own => return Ok(()),
        Some(device) => *device = own,
        None => list.push(own),
    }
    if *slot(&mut cx.state.features.omemo.own.lists, version) {
        // The answer to what is on its way leads here again.
        return Ok(());
    }
    if !may_repair(cx) {
        return nodes::complain(cx, "the list of devices", "another program keeps changing it");
    }
    send_list(cx, version, &list, |_, _| Ok(()))
}

/// What is published now.
fn published_list(cx: &Cx<'_>, version: Version) -> Step<Vec<omemo2::Device>> {
    let entries = cx.store.device_list(cx.me, version)?;
    let active = entries.into_iter().filter(|entry| entry.active);
    Ok(active
        .map(|entry| {
            let label = entry.label.and_then(|(text, signature)| {
                let signature = lists::decode(&signature?)?;
                Some(omemo2::Label { text, signature })
            });
            omemo2::Device { id: entry.id, label }
        })
        .collect())
}

/// This device, as it stands in the list.
fn own_entry(cx: &Cx<'_>, version: Version, id: u32) -> omemo2::Device {
    let memory = &cx.state.features.omemo;
    let keys = memory.device.as_ref().map(Device::identity_key_pair);
    let label = memory.label.as_ref().filter(|_| version == Version::Omemo2);
    let label = label.zip(keys).and_then(|(text, keys)| {
        let signature = keys.sign_label(text).ok()?;
        Some(omemo2::Label { text: text.clone(), signature })
    });
    omemo2::Device { id, label }
}

/// A list that is changed again and again by somebody else is left alone after a while.
fn may_repair(cx: &mut Cx<'_>) -> bool {
    let now = cx.now.steady;
    let repairs = &mut cx.state.features.omemo.own.repairs;
    while repairs.front().is_some_and(|at| now.saturating_sub(*at) > REPAIR_PERIOD) {
        repairs.pop_front();
    }
    if repairs.len() >= MAX_REPAIRS {
        return false;
    }
    repairs.push_back(now);
    true
}

/// Publishes a list.
pub(super) fn send_list(
    cx: &mut Cx<'_>,
    version: Version,
    list: &[omemo2::Device],
    then: impl FnOnce(&mut Cx<'_>, &Answer) -> Step + Send + 'static,
) -> Step {
    let sending = slot(&mut cx.state.features.omemo.own.lists, version);
    if std::mem::replace(sending, true) {
        return then(cx, &Answer::Lost);
    }
    let payload = match version {
        Version::Omemo2 => omemo2::Devices(list.to_vec()).to_element(),
        Version::Legacy => {
            omemo_legacy::DeviceList(list.iter().map(|device| device.id).collect()).to_element()
        }
    };
    let options = Options { access: Access::Open, many: false };
    let node = lists::node(version);
    let item = Item::new("current").with_payload(payload);
    let list = list.to_vec();
    pep::publish(cx, node, item, options, move |cx, answer| {
        *slot(&mut cx.state.features.omemo.own.lists, version) = false;
        match &answer {
            Answer::Result(_) => {
                nodes::check(cx, node.to_owned(), options)?;
                let me = cx.me.clone();
                lists::apply(cx, &me, version, list)?;
            }
            Answer::Error(error) => nodes::complain(cx, "the list of devices", &describe(error))?,
            Answer::Lost => {}
        }
        then(cx, &answer)
    })
}

/// Takes a device out of both lists, and removes its bundles.
pub(super) fn unlist(
    cx: &mut Cx<'_>,
    id: u32,
    then: impl FnOnce(&mut Cx<'_>, &Answer) -> Step + Send + 'static,
) -> Step {
    unlist_version(cx, Version::Omemo2, id, move |cx, first| {
        let failed = first.problem().is_some();
        let first = first.clone();
        unlist_version(cx, Version::Legacy, id, move |cx, second| {
            if failed || second.problem().is_some() {
                return then(cx, if failed { &first } else { second });
            }
            super::commands::remove_bundles(cx, id, then)
        })
    })
}

fn unlist_version(
    cx: &mut Cx<'_>,
    version: Version,
    id: u32,
    then: impl FnOnce(&mut Cx<'_>, &Answer) -> Step + Send + 'static,
) -> Step {
    let mut list = published_list(cx, version)?;
    let before = list.len();
    list.retain(|device| device.id != id);
    if list.len() == before {
        return then(cx, &Answer::Result(None));
    }
    send_list(cx, version, &list, then)
}

fn slot(slots: &mut [bool; 2], version: Version) -> &mut bool {
    let [omemo2, legacy] = slots;
    if version == Version::Omemo2 { omemo2 } else { legacy }
}

const DAY: u64 = 24 * 60 * 60 * 1000;
/// After how many milliseconds own lists that could not be fetched are asked for again.
const RETRY: u64 = 30_000;
/// How often a list is put right in [`REPAIR_PERIOD`].
const MAX_REPAIRS: usize = 6;
/// Milliseconds.
const REPAIR_PERIOD: u64 = 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_device_takes_no_number_that_is_taken() {
        let drawn = |taken: &[u32]| free(&mut Rng::new([3; 32]), taken).to_u32();
        let first = drawn(&[]);
        let second = drawn(&[first]);
        assert_ne!(first, second);
        assert!(![first, second].contains(&drawn(&[first, second])));
    }
}
