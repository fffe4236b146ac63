//! What a user can ask for about devices and trust.

use omemo::{Fingerprint, IdentityKey};
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::pep;
use crate::store::{DeviceEntry, TrustLevel, Version};
use crate::view::{self, Change, Outcome, Problem};

use super::lists::Ready;
use super::uri::Link;
use super::{VERSIONS, bundles, empty, identities, lists, notes, own, trust};

/// Requests for devices that wait until they are known.
pub(super) type Asked = Vec<(BareJid, u64)>;

/// Takes the commands about devices; looks at others that concern it.
pub(super) fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Trust { owner, key, level } => {
            let known = identities::decide(cx, &owner, &key, level)?;
            cx.done(number, if known { Outcome::Done } else { unknown_key() });
        }
        Command::Verify(link) => verify(cx, number, &link)?,
        Command::RemoveDevice(id) => remove(cx, number, id)?,
        Command::SetDeviceLabel(text) => {
            cx.state.features.omemo.label = own::label(&text);
            own::save(cx)?;
            show_devices(cx, &cx.me.clone())?;
            if cx.online() && lists::own_are_known(cx) {
                own::publish(cx, Version::Omemo2)?;
            }
            cx.done(number, Outcome::Done);
        }
        Command::Devices(owner) => ask(cx, number, owner)?,
        Command::RepairEncryption(owner) => {
            let outcome = match empty::repair(cx, &owner)? {
                0 => Outcome::Failed(Problem::Unknown("device")),
                _ => Outcome::Done,
            };
            cx.done(number, outcome);
        }
        command => return Ok(Some(command)),
    }
    Ok(None)
}

/// The user decided whether to encrypt to somebody; whatever they asked for is settled then.
pub(crate) fn decided(cx: &mut Cx<'_>, with: &BareJid) -> Step {
    let opted_out = &mut cx.state.features.omemo.notes.opted_out;
    let before = opted_out.len();
    opted_out.retain(|jid| jid != with);
    if opted_out.len() == before { Ok(()) } else { notes::save(cx) }
}

fn unknown_key() -> Outcome {
    Outcome::Failed(Problem::Unknown("key"))
}

/// Everything that a link says is verified. A key that was not seen yet is verified when it is.
fn verify(cx: &mut Cx<'_>, number: u64, link: &str) -> Step {
    let Some(link) = Link::parse(link) else {
        let problem = Problem::Invalid("this link has no fingerprints in it".to_owned());
        cx.failed(number, problem);
        return Ok(());
    };
    if cx.state.features.omemo.key().is_none() {
        let problem = "this device has no keys yet: try again when it is connected".to_owned();
        cx.failed(number, Problem::Invalid(problem));
        return Ok(());
    }
    if let Some(device) = contradicted(cx, &link)? {
        let problem = Problem::Invalid(format!(
            "device {device} of {} has another key than the link says: somebody may be in between",
            link.owner
        ));
        cx.failed(number, problem);
        return Ok(());
    }
    let mut count = 0;
    let mut unseen = false;
    for (_, fingerprint) in &link.right {
        let Some(key) = sign_zero(fingerprint) else { continue };
        count += 1;
        if !identities::decide(cx, &link.owner, &key, TrustLevel::Verified)? {
            unseen = true;
            expect(cx, &link.owner, key)?;
        }
    }
    for key in link.wrong.iter().filter_map(sign_zero) {
        identities::decide(cx, &link.owner, &key, TrustLevel::Distrusted)?;
    }
    if unseen {
        identities::end_blind_trust(cx, &link.owner)?;
    }
    if unseen && cx.online() && lists::ensure(cx, &link.owner)? == Ready::Yes {
        bundles::fetch_unknown(cx, &link.owner)?;
    }
    cx.done(number, Outcome::Verified(count));
    Ok(())
}

/// A device that the link names and that is known with another key.
fn contradicted(cx: &Cx<'_>, link: &Link) -> Step<Option<u32>> {
    let identities = cx.store.identities(&link.owner)?;
    for (device, fingerprint) in &link.right {
        let Some(device) = device else { continue };
        let mut keys = identities.iter().filter(|identity| identity.devices.contains(device));
        let mut any = false;
        let same = keys.any(|identity| {
            any = true;
            self::fingerprint(&identity.key) == Some(*fingerprint)
        });
        if any && !same {
            return Ok(Some(*device));
        }
    }
    Ok(None)
}

fn expect(cx: &mut Cx<'_>, owner: &BareJid, key: [u8; 32]) -> Step {
    let Some(mine) = cx.state.features.omemo.key() else { return Ok(()) };
    let (me, at) = (cx.me.clone(), cx.time());
    cx.state.features.omemo.statements.expect(&me, mine, owner.clone(), key, at);
    notes::save_statements(cx)
}

/// The key of a fingerprint; the sign bit, which the fingerprint lacks, does not matter here.
fn sign_zero(fingerprint: &Fingerprint) -> Option<[u8; 32]> {
    let mut prefixed = [5; 33];
    let [_, rest @ ..] = &mut prefixed;
    rest.copy_from_slice(fingerprint.as_bytes());
    let key = IdentityKey::from_prefixed_curve25519(&prefixed).ok()?;
    Some(*key.as_ed25519())
}

fn fingerprint(key: &[u8; 32]) -> Option<Fingerprint> {
    IdentityKey::from_ed25519(key).ok().map(|key| key.fingerprint())
}

/// Takes another own device out of the lists and removes its bundles.
fn remove(cx: &mut Cx<'_>, number: u64, id: u32) -> Step {
    if Some(id) == cx.state.features.omemo.device_id() {
        let problem = Problem::Invalid("this is the device in use; log out instead".to_owned());
        cx.failed(number, problem);
        return Ok(());
    }
    if !cx.online() || !lists::own_are_known(cx) {
        cx.failed(number, Problem::Timeout);
        return Ok(());
    }
    if !lists::active(cx, &cx.me.clone())?.contains(&id) {
        cx.failed(number, Problem::Unknown("device"));
        return Ok(());
    }
    own::unlist(cx, id, move |cx, answer| {
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })
}

/// Takes this device and its keys back, before it logs out for good. `then` is called when the
/// server has answered, or cannot be asked.
pub(crate) fn withdraw(
    cx: &mut Cx<'_>,
    then: impl FnOnce(&mut Cx<'_>) -> Step + Send + 'static,
) -> Step {
    let Some(id) = cx.state.features.omemo.device_id() else { return then(cx) };
    cx.state.features.omemo.own.withdrawn = true;
    own::unlist(cx, id, move |cx, _| then(cx))
}

/// Removes the bundles of a device. What is not there needs no removal.
pub(super) fn remove_bundles(
    cx: &mut Cx<'_>,
    id: u32,
    then: impl FnOnce(&mut Cx<'_>, &Answer) -> Step + Send + 'static,
) -> Step {
    pep::retract(cx, ns::OMEMO_BUNDLES, &id.to_string(), move |cx, _| {
        let node = xmpp::ext::omemo_legacy::bundle_node(id);
        let delete = Element::new("delete", ns::PUBSUB_OWNER).with_attr("node", node);
        let query = Element::new("pubsub", ns::PUBSUB_OWNER).with_child(delete);
        cx.iq_set(None, query, move |cx, _| then(cx, &Answer::Result(None)))
    })
}

/// A request for somebody's devices: answered when they and their keys are known.
fn ask(cx: &mut Cx<'_>, number: u64, owner: BareJid) -> Step {
    cx.state.features.omemo.asked.push((owner.clone(), number));
    if cx.online() {
        lists::ensure(cx, &owner)?;
        bundles::fetch_unknown(cx, &owner)?;
    }
    on_progress(cx, &owner)
}

/// Something about somebody's devices was answered: whoever waits for it may be told now.
pub(super) fn on_progress(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    if !cx.state.features.omemo.asked.iter().any(|(jid, _)| jid == owner) {
        return Ok(());
    }
    if cx.online() {
        if lists::is_fetching(cx, owner) {
            return Ok(());
        }
        bundles::fetch_unknown(cx, owner)?;
        if bundles::is_fetching(cx, owner) {
            return Ok(());
        }
    }
    let asked = std::mem::take(&mut cx.state.features.omemo.asked);
    let (now, later): (Asked, Asked) = asked.into_iter().partition(|(jid, _)| jid == owner);
    cx.state.features.omemo.asked.extend(later);
    let devices = devices(cx, owner)?;
    for (_, number) in now {
        cx.done(number, Outcome::Devices(devices.clone()));
    }
    Ok(())
}

/// Tells the user interface of somebody's devices, if there are any.
pub(super) fn show_devices(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    let devices = devices(cx, owner)?;
    if !devices.is_empty() {
        cx.view(Change::Devices(owner.clone(), devices));
    }
    Ok(())
}

/// Somebody's devices, those in use first.
fn devices(cx: &Cx<'_>, owner: &BareJid) -> Step<Vec<view::Device>> {
    let identities = cx.store.identities(owner)?;
    let mut devices: Vec<view::Device> = Vec::new();
    for version in VERSIONS {
        for entry in cx.store.device_list(owner, version)? {
            let device = match devices.iter_mut().position(|device| device.id == entry.id) {
                Some(at) => devices.get_mut(at),
                None => {
                    devices.push(device(cx, owner, entry.id, &identities)?);
                    devices.last_mut()
                }
            };
            if let Some(device) = device {
                add(device, version, &entry);
            }
        }
    }
    let this = cx.state.features.omemo.device_id().filter(|_| owner == cx.me);
    if let Some(id) = this.filter(|_| !devices.iter().any(|device| device.this)) {
        // Its key can be compared before the list with it is published.
        devices.push(device(cx, owner, id, &identities)?);
    }
    for device in &mut devices {
        let keys = identities.iter().filter(|identity| identity.devices.contains(&device.id));
        let first_seen = keys.map(|identity| identity.first_seen).min();
        device.unused = is_unused(device, first_seen, cx.time());
    }
    devices.sort_by_key(|device| (!device.this, !device.active, device.id));
    Ok(devices)
}

/// Whether a device is listed and nobody has heard of it for long: since its last message, or since
/// its key was first seen if there was none.
fn is_unused(device: &view::Device, first_seen: Option<Millis>, now: Millis) -> bool {
    let last = device.last_used.or(first_seen);
    let long_ago = last.is_some_and(|last| last <= now && now.since(last) >= UNUSED);
    device.active && !device.this && long_ago
}

fn device(
    cx: &Cx<'_>,
    owner: &BareJid,
    id: u32,
    known: &[crate::store::Identity],
) -> Step<view::Device> {
    let memory = &cx.state.features.omemo;
    let this = owner == cx.me && memory.device_id() == Some(id);
    let (key, trust) = if this {
        (memory.key(), TrustLevel::Verified)
    } else {
        // One that was slipped in does not hide the one that is trusted.
        let keys = known.iter().filter(|identity| identity.devices.contains(&id));
        let identity = keys.max_by_key(|it| (trust::may_read(it.trust), it.first_seen));
        // Labels are signed with the key as it is published.
        let key = identity.map(|it| identities::wire_form(cx, owner, &it.key)).transpose()?;
        (key, identity.map(|it| it.trust).unwrap_or_default())
    };
    let groups = |key| fingerprint(&key).map(|it| it.groups().collect::<Vec<_>>().join(" "));
    Ok(view::Device {
        id,
        this,
        label: memory.label.clone().filter(|_| this),
        versions: Vec::new(),
        key,
        fingerprint: key.and_then(groups),
        trust,
        active: false,
        last_used: None,
        unused: false,
    })
}

fn add(device: &mut view::Device, version: Version, entry: &DeviceEntry) {
    if entry.active {
        device.versions.push(version);
        device.active = true;
    }
    device.last_used = device.last_used.max(entry.last_used);
    // What the own one is called is known here first.
    if device.this {
        return;
    }
    if let Some((text, Some(signature))) = &entry.label {
        // A label counts only if the device itself signed it (XEP-0384, "Device list").
        let signed = device
            .key
            .and_then(|key| IdentityKey::from_ed25519(&key).ok())
            .zip(lists::decode(signature))
            .is_some_and(|(key, signature)| key.verify_label(text, &signature));
        if signed {
            device.label = Some(text.clone());
        }
    }
}

/// After so many milliseconds without a sign of life a device counts as unused: 90 days.
const UNUSED: u64 = 90 * 24 * 60 * 60 * 1000;
