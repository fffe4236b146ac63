//! Whose devices there are.

use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event;
use xmpp::ext::{omemo_legacy, omemo2};
use xmpp::jid::BareJid;
use xmpp::ns;

use crate::cx::{Cx, Step};
use crate::pep::{self, Items};
use crate::store::{DeviceEntry, Version};
use crate::verified::{PersonalEvent, Verified};

use super::{VERSIONS, identities, own};

/// What is known of somebody's lists in this session.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known([List; 2]);

#[derive(Clone, Copy, Debug, Default)]
struct List {
    /// When it was told, by an answer or an event; on the steady clock.
    told: Option<u64>,
    /// The server tells of changes.
    events: bool,
    fetching: bool,
    /// It could not be fetched; not again before this moment.
    failed_until: Option<u64>,
    /// That was because the owner's server cannot be reached.
    unreachable: bool,
}

impl Known {
    fn list(&mut self, version: Version) -> &mut List {
        let [omemo2, legacy] = &mut self.0;
        if version == Version::Omemo2 { omemo2 } else { legacy }
    }
}

/// Whether somebody's lists can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// They are known, or at least those of an earlier session are.
    Yes,
    /// They are being fetched.
    Soon,
    /// The owner's server cannot be reached, and nothing is known from before.
    Unreachable,
}

/// Sees to it that somebody's lists are known.
pub(super) fn ensure(cx: &mut Cx<'_>, owner: &BareJid) -> Step<Ready> {
    let now = cx.now.steady;
    let mut ready = Ready::Yes;
    for version in VERSIONS {
        let list = *known(cx, owner).list(version);
        let fresh = list.events || list.told.is_some_and(|at| now.saturating_sub(at) < MAX_AGE);
        if fresh {
            continue;
        }
        if list.failed_until.is_some_and(|until| until > now) {
            if ready == Ready::Yes {
                ready = if list.unreachable { Ready::Unreachable } else { Ready::Soon };
            }
            continue;
        }
        fetch(cx, owner, version)?;
        // What was just answered, because there is no session, is not waited for.
        if known(cx, owner).list(version).fetching {
            ready = Ready::Soon;
        }
    }
    // What is known from an earlier session is better than nothing.
    if ready != Ready::Yes && !is_fetching(cx, owner) && !active(cx, owner)?.is_empty() {
        return Ok(Ready::Yes);
    }
    Ok(ready)
}

fn known<'a>(cx: &'a mut Cx<'_>, owner: &BareJid) -> &'a mut Known {
    let lists = &mut cx.state.features.omemo.lists;
    if lists.len() >= MAX_OWNERS && !lists.contains_key(owner) {
        // Everything waits for the own lists.
        if let Some(other) = lists.keys().find(|known| *known != cx.me).cloned() {
            lists.remove(&other);
        }
    }
    lists.entry(owner.clone()).or_default()
}

/// Whether both own lists were told in this session.
pub(super) fn own_are_known(cx: &mut Cx<'_>) -> bool {
    let me = cx.me.clone();
    let known = known(cx, &me);
    VERSIONS.into_iter().all(|version| known.list(version).told.is_some())
}

/// Whether somebody's lists are being fetched.
pub(super) fn is_fetching(cx: &mut Cx<'_>, owner: &BareJid) -> bool {
    let known = known(cx, owner);
    VERSIONS.into_iter().any(|version| known.list(version).fetching)
}

/// Fetches a list, unless that is under way.
pub(super) fn fetch(cx: &mut Cx<'_>, owner: &BareJid, version: Version) -> Step {
    let list = known(cx, owner).list(version);
    if std::mem::replace(&mut list.fetching, true) {
        return Ok(());
    }
    let asked = owner.clone();
    pep::items(cx, owner, node(version), &[], move |cx, items| {
        let owner = &asked;
        let now = cx.now.steady;
        let list = known(cx, owner).list(version);
        list.fetching = false;
        match items {
            Items::Some(event) => {
                let Event::Items(_, items) = &event.event else { return Ok(()) };
                // A list that cannot be read says nothing; what was known stays.
                match parse(version, items) {
                    Some(devices) => apply(cx, owner, version, devices)?,
                    None => {
                        list.told = Some(now);
                        if owner == cx.me {
                            own::on_list(cx)?;
                        }
                    }
                }
            }
            Items::None => apply(cx, owner, version, Vec::new())?,
            Items::Unreachable | Items::Lost => {
                let refused = matches!(items, Items::Unreachable);
                list.unreachable = refused;
                list.failed_until = Some(now.saturating_add(RETRY));
                cx.later(RETRY, |cx| {
                    cx.wake_outbox();
                    Ok(())
                });
                own::on_list_lost(cx, owner, refused)?;
            }
        }
        cx.wake_outbox();
        super::commands::on_progress(cx, owner)
    })
}

/// Looks for devices of somebody who has none that can read, but not all the time. It is not relied on
/// that their server tells: it may not know yet that it should.
pub(super) fn look_again(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    for version in VERSIONS {
        fetch_again(cx, owner, version)?;
    }
    Ok(())
}

/// Fetches the list of somebody who used a device that is not in it, but not all the time.
pub(super) fn fetch_again(cx: &mut Cx<'_>, owner: &BareJid, version: Version) -> Step {
    let now = cx.now.steady;
    let told = known(cx, owner).list(version).told;
    if told.is_some_and(|at| now.saturating_sub(at) < REFETCH) || !cx.online() {
        return Ok(());
    }
    fetch(cx, owner, version)
}

/// The list of this account, of a contact or of somebody with whom there is a conversation, told by
/// an event; it comes from the owner. Nobody else's is kept.
pub(super) fn on_event(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step {
    let (node, devices) = match &event.event {
        Event::Items(node, items) => (node, items.as_slice()),
        Event::Purge(node) | Event::Delete(node, _) => (node, [].as_slice()),
        // The item that others replace is retracted by some servers when it is replaced.
        _ => return Ok(()),
    };
    let Some(version) = VERSIONS.into_iter().find(|version| self::node(*version) == node) else {
        return Ok(());
    };
    // An event without items says that there is a node, not that there are no devices.
    if devices.is_empty() && matches!(event.event, Event::Items(..)) {
        return Ok(());
    }
    let Some(devices) = parse(version, devices) else { return Ok(()) };
    if !concerns_us(cx, &event.owner)? {
        return Ok(());
    }
    apply(cx, &event.owner, version, devices)
}

fn concerns_us(cx: &Cx<'_>, owner: &BareJid) -> Step<bool> {
    if owner == cx.me || cx.state.features.timeline.conversations.contains_key(owner) {
        return Ok(true);
    }
    Ok(cx.store.contacts()?.iter().any(|contact| contact.address == *owner))
}

/// The devices in the newest item; `None` when it cannot be read.
fn parse(version: Version, items: &[Item]) -> Option<Vec<omemo2::Device>> {
    let current = items.iter().find(|item| item.id.as_deref() == Some("current"));
    let Some(item) = current.or_else(|| items.last()) else { return Some(Vec::new()) };
    let payload = item.payload()?;
    match version {
        Version::Omemo2 => omemo2::Devices::parse(payload).map(|list| list.0),
        Version::Legacy => {
            let list = omemo_legacy::DeviceList::parse(payload)?;
            Some(list.0.into_iter().map(|id| omemo2::Device { id, label: None }).collect())
        }
    }
}

/// Takes over what a list says.
pub(super) fn apply(
    cx: &mut Cx<'_>,
    owner: &BareJid,
    version: Version,
    devices: Vec<omemo2::Device>,
) -> Step {
    let now = cx.now.steady;
    let events = owner_tells(cx, owner)?;
    let list = known(cx, owner).list(version);
    (list.told, list.events) = (Some(now), events);
    let before = cx.store.device_list(owner, version)?;
    let mut entries = before.clone();
    for entry in &mut entries {
        entry.active = false;
    }
    let (known_before, active_before) = (known_numbers(cx, owner)?, active(cx, owner)?);
    let this = cx.state.features.omemo.device_id().filter(|_| owner == cx.me);
    let mut appeared = Vec::new();
    for device in devices {
        let label = device.label.map(|label| (label.text, Some(encode(&label.signature))));
        // With the first device of somebody there is nothing to compare.
        let others = known_before.iter().any(|known| *known != device.id);
        if others && Some(device.id) != this && !active_before.contains(&device.id) {
            appeared.push(device.id);
        }
        match entries.iter_mut().find(|entry| entry.id == device.id) {
            Some(entry) => {
                entry.active = true;
                entry.label = label;
            }
            None => {
                let (id, last_used) = (device.id, None);
                entries.push(DeviceEntry { id, active: true, label, last_used, new: false });
            }
        }
    }
    let identities = cx.store.identities(owner)?;
    for entry in entries.iter_mut().filter(|entry| appeared.contains(&entry.id)) {
        entry.new = !identities.iter().any(|identity| identity.devices.contains(&entry.id));
    }
    forget_oldest(&mut entries);
    if entries != before {
        cx.store.save_device_list(owner, version, &entries)?;
        for device in appeared {
            identities::on_listed(cx, owner, device)?;
        }
        super::refresh_readers(cx, owner)?;
        super::commands::show_devices(cx, owner)?;
        cx.wake_outbox();
    }
    if owner == cx.me { own::on_list(cx) } else { identities::settle(cx) }
}

/// Whether a device appeared later than others and the user was not told; they are now.
pub(super) fn take_new(cx: &Cx<'_>, owner: &BareJid, device: u32) -> Step<bool> {
    let mut any = false;
    for version in VERSIONS {
        let mut entries = cx.store.device_list(owner, version)?;
        let marked = entries.iter_mut().find(|entry| entry.new && entry.id == device);
        if let Some(entry) = marked {
            (entry.new, any) = (false, true);
            cx.store.save_device_list(owner, version, &entries)?;
        }
    }
    Ok(any)
}

/// All devices that were ever in one of somebody's lists.
fn known_numbers(cx: &Cx<'_>, owner: &BareJid) -> Step<Vec<u32>> {
    let mut known = Vec::new();
    for version in VERSIONS {
        let entries = cx.store.device_list(owner, version)?;
        known.extend(entries.into_iter().map(|entry| entry.id));
    }
    Ok(known)
}

/// Whether the owner's server tells us of changes: of our own, and of those whose presence we see.
fn owner_tells(cx: &Cx<'_>, owner: &BareJid) -> Step<bool> {
    use crate::store::Subscription;
    if owner == cx.me {
        return Ok(true);
    }
    let contacts = cx.store.contacts()?;
    let contact = contacts.iter().find(|contact| contact.address == *owner);
    Ok(contact.is_some_and(|contact| {
        matches!(contact.subscription, Subscription::To | Subscription::Both)
    }))
}

/// Devices that are gone are remembered for their labels and last use, but not for ever.
fn forget_oldest(entries: &mut Vec<DeviceEntry>) {
    while entries.len() > MAX_ENTRIES {
        let gone = entries.iter().enumerate().filter(|(_, entry)| !entry.active);
        let oldest = gone.min_by_key(|(_, entry)| entry.last_used).map(|(at, _)| at);
        let Some(at) = oldest else { break };
        entries.remove(at);
    }
}

/// A device was heard of.
pub(super) fn used(cx: &mut Cx<'_>, owner: &BareJid, version: Version, device: u32) -> Step {
    let mut entries = cx.store.device_list(owner, version)?;
    let now = cx.time();
    match entries.iter_mut().find(|entry| entry.id == device) {
        // Days are enough to tell which devices are still in use.
        // A clock that was ahead must not make it look used for as long as it was.
        Some(entry)
            if entry.last_used.is_some_and(|at| at <= now && now.since(at) < LAST_USE_STEP) =>
        {
            return Ok(());
        }
        Some(entry) => entry.last_used = Some(now),
        None => {
            let last_used = Some(now);
            let (id, label) = (device, None);
            entries.push(DeviceEntry { id, active: false, label, last_used, new: false });
        }
    }
    forget_oldest(&mut entries);
    cx.store.save_device_list(owner, version, &entries)
}

/// Whether the list names the device now.
pub(super) fn is_active(cx: &Cx<'_>, owner: &BareJid, version: Version, device: u32) -> Step<bool> {
    let entries = cx.store.device_list(owner, version)?;
    Ok(entries.iter().any(|entry| entry.active && entry.id == device))
}

/// The devices in either list now, in the order of their numbers.
pub(super) fn active(cx: &Cx<'_>, owner: &BareJid) -> Step<Vec<u32>> {
    let mut devices = Vec::new();
    for version in VERSIONS {
        let entries = cx.store.device_list(owner, version)?;
        devices.extend(entries.iter().filter(|entry| entry.active).map(|entry| entry.id));
    }
    devices.sort_unstable();
    devices.dedup();
    Ok(devices)
}

/// The node of the list.
pub(super) fn node(version: Version) -> &'static str {
    match version {
        Version::Omemo2 => ns::OMEMO_DEVICES,
        Version::Legacy => ns::OMEMO_LEGACY_DEVICES,
    }
}

fn encode(signature: &[u8; 64]) -> String {
    use std::fmt::Write;
    signature.iter().fold(String::with_capacity(128), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads a signature as it is kept with a label.
pub(super) fn decode(text: &str) -> Option<[u8; 64]> {
    let mut bytes = [0; 64];
    if text.len() != 128 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// How long a list counts that nobody tells changes of, in milliseconds: two hours.
const MAX_AGE: u64 = 2 * 60 * 60 * 1000;
/// After how many milliseconds a list that could not be fetched is asked for again.
const RETRY: u64 = 60_000;
/// How often a list is fetched because of a device that is not in it, in milliseconds.
const REFETCH: u64 = 10 * 60 * 1000;
/// How exactly the last use of a device is known, in milliseconds: an hour.
const LAST_USE_STEP: u64 = 60 * 60 * 1000;
/// Devices that are remembered of one account and version.
const MAX_ENTRIES: usize = 2 * omemo2::MAX_DEVICES;
/// Accounts whose lists are followed at once.
const MAX_OWNERS: usize = 2000;
