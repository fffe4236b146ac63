//! Keys that were seen, and what is decided about them.

use std::collections::BTreeMap;

use xmpp::ext::trust_message::{KeyOwner, TrustMessage};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use crate::cx::{Cx, Step};
use crate::features::rooms;
use crate::outbox::{self, Outgoing};
use crate::store::{Content, Event, Identity, SessionKey, TrustLevel, Version};
use crate::timeline;
use crate::view::{Notification, Occasion};

use super::trust::{self, Book, Conclusion, Key};
use super::{lists, load_sessions, notes};

/// A device used this key, or published it. The decision about it comes back; a new key is decided
/// about here, and told to the user unless it is one of somebody's first.
pub(super) fn see(cx: &mut Cx<'_>, owner: &BareJid, device: u32, key: Key) -> Step<TrustLevel> {
    let known = cx.store.identities(owner)?;
    if is_mine(cx, owner, &key) {
        return Ok(TrustLevel::Verified);
    }
    if let Some(identity) = trust::find(&known, &key) {
        if !identity.devices.contains(&device) && identity.devices.len() < MAX_DEVICES_OF_A_KEY {
            let mut identity = identity.clone();
            identity.devices.push(device);
            cx.store.save_identity(owner, &identity)?;
        }
        return Ok(identity.trust);
    }
    if known.len() >= MAX_KEYS {
        return Ok(TrustLevel::Undecided);
    }
    let expected = cx.state.features.omemo.statements.expects(owner);
    let level = trust::first_sight(&known, expected, device);
    let first_seen = cx.time();
    let identity = Identity { key, devices: vec![device], trust: level, first_seen };
    cx.store.save_identity(owner, &identity)?;
    settle(cx)?;
    let level = self::level(cx, owner, &key)?.unwrap_or(level);
    let came_later = lists::take_new(cx, owner, device)?;
    let unlisted = !lists::active(cx, owner)?.contains(&device);
    // Of this account there is always one key: that of this device.
    let first = known.is_empty() && !expected && owner != cx.me;
    if came_later || (!first && (unlisted || level == TrustLevel::Undecided)) {
        announce(cx, owner, device, key, level)?;
    }
    show(cx, owner)?;
    Ok(level)
}

/// A device is listed now and was not before. If its key was seen earlier the user learns of it, and
/// it is not believed where a new one would not be.
pub(super) fn on_listed(cx: &mut Cx<'_>, owner: &BareJid, device: u32) -> Step {
    let known = cx.store.identities(owner)?;
    let expected = cx.state.features.omemo.statements.expects(owner);
    let verified = expected || known.iter().any(|it| it.trust == TrustLevel::Verified);
    for identity in known.into_iter().filter(|it| it.devices.contains(&device)) {
        if matches!(identity.trust, TrustLevel::Verified | TrustLevel::Distrusted) {
            continue;
        }
        let trust = if verified { TrustLevel::Undecided } else { identity.trust };
        let key = identity.key;
        if trust != identity.trust {
            cx.store.save_identity(owner, &Identity { trust, ..identity })?;
        }
        announce(cx, owner, device, key, trust)?;
    }
    Ok(())
}

/// The user compared a key of somebody that was not seen yet: what was believed without comparing is
/// not any more, and told.
pub(super) fn end_blind_trust(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    for identity in cx.store.identities(owner)? {
        if identity.trust != TrustLevel::Blind {
            continue;
        }
        set(cx, owner, &identity.key, TrustLevel::Undecided)?;
        for device in &identity.devices {
            announce(cx, owner, *device, identity.key, TrustLevel::Undecided)?;
        }
    }
    Ok(())
}

/// Tells the user of a new device, in the conversation with its owner.
fn announce(cx: &mut Cx<'_>, owner: &BareJid, device: u32, key: Key, level: TrustLevel) -> Step {
    let trusted = trust::may_read(level);
    let event = Event::NewDevice { owner: owner.clone(), device, key, trusted };
    // Who is known from rooms only is met there.
    let known = cx.state.features.timeline.conversations.contains_key(owner);
    let mut places = if known { Vec::new() } else { rooms::shared_with(cx, owner) };
    if places.is_empty() {
        places.push(owner.clone());
    }
    let mut id = None;
    for place in places {
        let mut message = timeline::blank(&place, owner, cx.moment());
        message.content = Content::Event(event.clone());
        id = Some(timeline::insert(cx, message, false)?);
    }
    if owner == cx.me {
        cx.notify(Notification {
            conversation: owner.clone(),
            occasion: Occasion::Said {
                title: "New device".to_owned(),
                text: format!(
                    "Device {device} was added to this account. If it is not yours, change the \
                     password and remove the device."
                ),
            },
            message: id,
        });
    }
    Ok(())
}

/// What is decided about a key.
pub(super) fn level(cx: &Cx<'_>, owner: &BareJid, key: &Key) -> Step<Option<TrustLevel>> {
    if is_mine(cx, owner, key) {
        return Ok(Some(TrustLevel::Verified));
    }
    Ok(trust::find(&cx.store.identities(owner)?, key).map(|identity| identity.trust))
}

fn is_mine(cx: &Cx<'_>, owner: &BareJid, key: &Key) -> bool {
    owner == cx.me && cx.state.features.omemo.key().is_some_and(|mine| trust::same(&mine, key))
}

/// The identities of everybody that statements are about.
struct Known(BTreeMap<BareJid, Vec<Identity>>);

impl Book for Known {
    fn level(&self, owner: &BareJid, key: &Key) -> Option<TrustLevel> {
        trust::find(self.0.get(owner)?, key).map(|identity| identity.trust)
    }
}

/// Draws the conclusions from what devices said, as far as it counts now.
pub(super) fn settle(cx: &mut Cx<'_>) -> Step {
    if !cx.state.features.omemo.statements.is_waiting() {
        return Ok(());
    }
    let mut known = BTreeMap::new();
    for owner in cx.state.features.omemo.statements.people() {
        let identities = cx.store.identities(&owner)?;
        known.insert(owner, identities);
    }
    let mine = cx.state.features.omemo.key();
    let statements = &mut cx.state.features.omemo.statements;
    let before = statements.clone();
    let conclusions = statements.settle(cx.me, mine.as_ref(), &Known(known));
    if *statements != before {
        notes::save_statements(cx)?;
    }
    for conclusion in &conclusions {
        set(cx, &conclusion.owner, &conclusion.key, conclusion.level)?;
    }
    introduce(cx, &conclusions)
}

/// Tells the devices of contacts that were just verified, because others vouch for them, which own
/// devices are right. So everybody gets to know everybody.
fn introduce(cx: &mut Cx<'_>, conclusions: &[Conclusion]) -> Step {
    let me = cx.me.clone();
    let mut contacts: Vec<&BareJid> = conclusions
        .iter()
        .filter(|it| it.level == TrustLevel::Verified && it.owner != me)
        .map(|it| &it.owner)
        .collect();
    contacts.dedup();
    if contacts.is_empty() {
        return Ok(());
    }
    let verified = verified(cx)?;
    let own = verified.into_iter().find(|(owner, _)| *owner == me);
    let Some((_, own)) = own else { return Ok(()) };
    for contact in contacts {
        let owner = KeyOwner { trust: own.clone(), ..KeyOwner::new(me.clone()) };
        tell(cx, contact.clone(), &TrustMessage::new(vec![owner]))?;
    }
    Ok(())
}

/// Sends a trust message to the verified devices of somebody.
fn tell(cx: &mut Cx<'_>, to: BareJid, message: &TrustMessage) -> Step {
    let id = cx.rng.id();
    let payload = vec![message.to_element()];
    cx.queue(Outgoing { to, message: None, id, payload, encrypted: true })
}

/// Keeps a decision.
fn set(cx: &mut Cx<'_>, owner: &BareJid, key: &Key, level: TrustLevel) -> Step {
    let identities = cx.store.identities(owner)?;
    let Some(identity) = trust::find(&identities, key) else { return Ok(()) };
    cx.store.save_identity(owner, &Identity { trust: level, ..identity.clone() })?;
    if level == TrustLevel::Distrusted {
        let with = Some(owner).filter(|owner| *owner != cx.me);
        for device in &identity.devices {
            outbox::on_distrusted(cx, with, *device)?;
        }
    }
    show(cx, owner)
}

/// What is shown of somebody's devices is different, and so may be who can read.
fn show(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    super::refresh_readers(cx, owner)?;
    super::commands::show_devices(cx, owner)?;
    cx.wake_outbox();
    Ok(())
}

/// The user decides about a key, and verified devices are told. False if the key is not known.
pub(super) fn decide(
    cx: &mut Cx<'_>,
    owner: &BareJid,
    key: &Key,
    decision: TrustLevel,
) -> Step<bool> {
    let Some(before) = self::level(cx, owner, key)? else { return Ok(false) };
    if is_mine(cx, owner, key) {
        return Ok(true);
    }
    let at = cx.moment();
    cx.state.features.omemo.statements.limit(at);
    cx.state.features.omemo.statements.decided_by_user(owner, key, at);
    notes::save_statements(cx)?;
    if before == decision {
        return Ok(true);
    }
    set(cx, owner, key, decision)?;
    settle(cx)?;
    let verified = verified(cx)?;
    let key = wire_form(cx, owner, key)?;
    let messages = match decision {
        TrustLevel::Verified => trust::after_verification(cx.me, owner, &key, &verified),
        TrustLevel::Distrusted => trust::after_distrust(cx.me, owner, &key, &verified),
        TrustLevel::Undecided | TrustLevel::Blind => Vec::new(),
    };
    for (to, message) in messages {
        tell(cx, to, &message)?;
    }
    Ok(true)
}

/// Takes what another device says about keys.
pub(super) fn hear(
    cx: &mut Cx<'_>,
    by: &BareJid,
    by_key: Key,
    message: &TrustMessage,
    time: Millis,
) -> Step {
    let (me, now) = (cx.me.clone(), cx.moment());
    cx.state.features.omemo.statements.limit(now);
    cx.state.features.omemo.statements.hear(&me, by, by_key, message, time);
    notes::save_statements(cx)?;
    settle(cx)
}

/// All verified keys, in the form in which they are published.
fn verified(cx: &Cx<'_>) -> Step<Vec<(BareJid, Vec<Key>)>> {
    let mut people: Vec<BareJid> = vec![cx.me.clone()];
    people.extend(cx.store.contacts()?.into_iter().map(|contact| contact.address));
    people.extend(cx.state.features.timeline.conversations.keys().cloned());
    people.sort_unstable();
    people.dedup();
    let mut verified = Vec::new();
    for owner in people {
        let mut keys = Vec::new();
        for identity in cx.store.identities(&owner)? {
            if identity.trust == TrustLevel::Verified {
                keys.push(wire_form(cx, &owner, &identity.key)?);
            }
        }
        if !keys.is_empty() {
            verified.push((owner, keys));
        }
    }
    Ok(verified)
}

/// A key with its sign bit, which is not known from the legacy version alone.
pub(super) fn wire_form(cx: &Cx<'_>, owner: &BareJid, key: &Key) -> Step<Key> {
    let identities = cx.store.identities(owner)?;
    let Some(identity) = trust::find(&identities, key) else { return Ok(*key) };
    for device in &identity.devices {
        let session =
            SessionKey { owner: owner.clone(), device: *device, version: Version::Omemo2 };
        let sessions = load_sessions(cx, &session)?;
        let theirs = sessions.identity().map(|theirs| *theirs.as_ed25519());
        if let Some(theirs) = theirs.filter(|theirs| trust::same(theirs, key)) {
            return Ok(theirs);
        }
    }
    Ok(identity.key)
}

/// Keys of one person that are remembered; a server could invent as many as it likes.
const MAX_KEYS: usize = 500;
/// Devices that are remembered with one key.
const MAX_DEVICES_OF_A_KEY: usize = 8;
