//! XEP-0384: OMEMO Encryption 0.9.1 and 0.3.0: who can read what is written, and what was written
//!
//! ```text
//! own.rs         the keys of this device, their publication and repair
//! nodes.rs       what is in the nodes, and who may read them
//! lists.rs       whose devices there are: fetched, and told by events
//! bundles.rs     what is needed to begin a session with a device
//! identities.rs  keys that were seen, what is decided about them, what others say about them
//! trust.rs       whom to believe; pure
//! encrypt.rs     what is sent, for each device that may read it
//! pace.rs        how many sessions are begun in a time
//! empty.rs       messages without content that keep sessions going
//! restored.rs    profiles that were put back to an older state
//! decrypt.rs     what arrives
//! commands.rs    what a user can ask for
//! ```
//!
//! A ratchet is stored in the step that makes the bytes, or takes them apart, so no key is used
//! twice and no message is lost.

mod bundles;
mod commands;
mod decrypt;
mod empty;
mod encrypt;
mod identities;
mod lists;
mod nodes;
mod notes;
mod own;
mod pace;
mod restored;
pub(crate) mod trust;
pub(crate) mod uri;

use std::collections::{BTreeMap, BTreeSet};

use xmpp::jid::BareJid;
use xmpp::ns;

use crate::cx::{Cx, Step};
use crate::features::{Feature, Spec, Stage, rooms};
use crate::store::{Identity, SessionKey, Store, StoreError, TrustLevel, Version};
use crate::timers::TimerId;
use crate::view::Readers;

pub(crate) use commands::{decided, withdraw};
pub use uri::fingerprint_link;

/// Both versions of OMEMO, with the trust between devices.
pub(crate) const FEATURE: Feature = Feature {
    name: "OMEMO Encryption",
    specs: &[
        Spec { number: "XEP-0384", version: "0.9.1" },
        Spec { number: "XEP-0420", version: "0.5.0" },
        Spec { number: "XEP-0380", version: "0.4.0" },
        Spec { number: "XEP-0434", version: "0.6.0" },
        Spec { number: "XEP-0450", version: "0.4.0" },
    ],
    features: &[ns::ENCRYPTION],
    notify: &[ns::OMEMO_DEVICES, ns::OMEMO_LEGACY_DEVICES],
    online: Some(own::online),
    ended: Some(ended),
    caught_up: Some(empty::caught_up),
    events: &[(ns::OMEMO_DEVICES, lists::on_event), (ns::OMEMO_LEGACY_DEVICES, lists::on_event)],
    message: &[(Stage::Decrypt, decrypt::on_message)],
    protect: Some(encrypt::protect),
    command: Some(commands::command),
    ..Feature::NOTHING
};

/// Both versions, the preferred one first.
const VERSIONS: [Version; 2] = [Version::Omemo2, Version::Legacy];

/// What is remembered while the program runs.
#[derive(Default)]
pub(crate) struct Memory {
    /// The keys of this device, once it has some.
    device: Option<omemo::Device>,
    /// What the others of this account see of this device.
    label: Option<String>,
    notes: notes::Notes,
    statements: trust::Statements,
    seen: notes::Seen,
    own: own::Progress,
    pace: pace::Pace,
    watch: restored::Watch,
    /// When the first of the used prekeys that are still kept was used, if that was in this run of the
    /// program; on the steady clock.
    used_since: Option<u64>,
    /// When this run of the program replaced the signed prekey; on the steady clock.
    rotated: Option<u64>,
    /// When the keys are looked after next.
    daily: Option<TimerId>,
    lists: BTreeMap<BareJid, lists::Known>,
    bundles: bundles::Cache,
    /// Sessions for which an empty message is queued.
    answering: BTreeSet<(BareJid, u32, Version)>,
    /// Requests that wait for devices and their keys.
    asked: commands::Asked,
}

impl Memory {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let mut memory = Self {
            notes: notes::Notes::load(store)?,
            statements: notes::load_statements(store)?,
            seen: notes::Seen::load(store)?,
            watch: restored::Watch::load(store)?,
            ..Self::default()
        };
        if let Some(own) = store.own_device()? {
            let device = omemo::Device::from_bytes(&own.keys);
            let device = device.map_err(|error| StoreError::Damaged(error.to_string()))?;
            (memory.device, memory.label) = (Some(device), own.label);
        }
        Ok(memory)
    }

    /// The number of this device.
    pub(crate) fn device_id(&self) -> Option<u32> {
        self.device.as_ref().map(|device| device.id().to_u32())
    }

    /// The key of this device.
    fn key(&self) -> Option<trust::Key> {
        self.device.as_ref().map(|device| *device.identity().as_ed25519())
    }
}

/// What was asked for in the session that ended is asked for again in the next one.
fn ended(cx: &mut Cx<'_>) -> Step {
    let memory = &mut cx.state.features.omemo;
    memory.own = own::Progress::default();
    memory.lists.clear();
    memory.bundles.session_ended();
    Ok(())
}

/// The archive does not answer: what it could tell of this device is not waited for.
pub(crate) fn archive_is_silent(cx: &mut Cx<'_>) -> Step {
    restored::read(cx)
}

/// Everything in the archive is here: what is sent from now on is all that can still come back.
pub(crate) fn archive_is_read(cx: &mut Cx<'_>) -> Step {
    restored::mark(cx)
}

/// The conversation with somebody is looked at: see to it that their devices are known, and tell
/// who could read what is written. The server of a stranger who wrote is not asked before they are
/// accepted or answered: they would see that somebody is there.
pub(crate) fn look_at(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    if cx.online() && (!rooms::is_room(cx, owner) || rooms::is_private(cx, owner)) {
        let kept = crate::timeline::conversation(cx, owner);
        let wrote = kept.latest.is_some() || kept.cleared.is_some();
        let mut people = audience(cx, owner);
        people.retain(|person| person != cx.me);
        for person in people {
            if !wrote || empty::may_know(cx, &person)? {
                lists::ensure(cx, &person)?;
            }
        }
    }
    refresh_readers(cx, owner)
}

/// Whose devices get what is written to somebody, besides the own ones: theirs, or in a room those
/// of everybody else in it.
fn audience(cx: &Cx<'_>, with: &BareJid) -> Vec<BareJid> {
    if rooms::is_room(cx, with) { rooms::others(cx, with) } else { vec![with.clone()] }
}

/// Who could read what is written to somebody may be different.
fn refresh_readers(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    for with in std::iter::once(owner.clone()).chain(rooms::shared_with(cx, owner)) {
        let readers = readers(cx, &with)?;
        crate::timeline::set_readers(cx, &with, readers);
    }
    Ok(())
}

/// Who can read what is written to somebody. A device whose key was not fetched yet counts as it
/// would when it is.
fn readers(cx: &Cx<'_>, with: &BareJid) -> Step<Readers> {
    let mut readers = Readers { verified: true, ..Readers::default() };
    let mut owners = audience(cx, with);
    owners.retain(|owner| owner != cx.me);
    owners.push(cx.me.clone());
    let this = cx.state.features.omemo.device_id();
    for owner in owners {
        let own = owner == *cx.me;
        let identities = cx.store.identities(&owner)?;
        let expected = cx.state.features.omemo.statements.expects(&owner);
        for device in lists::active(cx, &owner)? {
            if own && Some(device) == this {
                continue;
            }
            let level = match level_in_use(cx, &owner, device, &identities)? {
                Some(level) => level,
                None => identities
                    .iter()
                    .filter(|identity| identity.devices.contains(&device))
                    .map(|identity| identity.trust)
                    .max_by_key(|level| trust::may_read(*level))
                    .unwrap_or_else(|| trust::first_sight(&identities, expected, device)),
            };
            let broken = cx.state.features.omemo.bundles.is_broken_everywhere(&owner, device);
            let open = has_session(cx, &owner, device)?;
            if !trust::may_read(level) || (broken && !open) {
                readers.left_out = readers.left_out.saturating_add(1);
            } else if own {
                readers.own = readers.own.saturating_add(1);
            } else {
                readers.theirs = readers.theirs.saturating_add(1);
                readers.verified &= level == TrustLevel::Verified;
            }
        }
    }
    readers.verified &= readers.theirs > 0;
    Ok(readers)
}

/// What is decided about the key that a message to the device is encrypted for: that of its session,
/// or else of its bundle, in the version that is taken. `None` when there is neither.
fn level_in_use(
    cx: &Cx<'_>,
    owner: &BareJid,
    device: u32,
    identities: &[Identity],
) -> Step<Option<TrustLevel>> {
    let mut level = None;
    for version in VERSIONS {
        if !lists::is_active(cx, owner, version, device)? {
            continue;
        }
        let key = SessionKey { owner: owner.clone(), device, version };
        let sessions = load_sessions(cx, &key)?;
        let session = sessions.identity().map(|identity| *identity.as_ed25519());
        let used = session.or_else(|| cx.state.features.omemo.bundles.identity(&key));
        let found = used.and_then(|used| trust::find(identities, &used)).map(|it| it.trust);
        if found.is_some_and(trust::may_read) {
            return Ok(found);
        }
        level = level.or(found);
    }
    Ok(level)
}

fn has_session(cx: &Cx<'_>, owner: &BareJid, device: u32) -> Step<bool> {
    for version in VERSIONS {
        let key = SessionKey { owner: owner.clone(), device, version };
        if cx.store.session(&key)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The sessions with a device; without any if there is no record.
fn load_sessions(cx: &Cx<'_>, key: &SessionKey) -> Step<omemo::Sessions> {
    match cx.store.session(key)? {
        Some(record) => omemo::Sessions::from_bytes(&record)
            .map_err(|error| StoreError::Damaged(error.to_string())),
        None => Ok(omemo::Sessions::new(wire(key.version))),
    }
}

/// The version, as the crate of the ratchets calls it.
fn wire(version: Version) -> omemo::Version {
    match version {
        Version::Legacy => omemo::Version::Legacy,
        Version::Omemo2 => omemo::Version::Omemo2,
    }
}
