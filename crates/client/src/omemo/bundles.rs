//! What is needed to begin a session with a device: fetched just before, verified, used once.

use std::collections::BTreeMap;

use omemo::{Bundle, BundleParts};
use xmpp::ext::pubsub::event::Event;
use xmpp::ext::{omemo_legacy, omemo2};
use xmpp::jid::BareJid;
use xmpp::ns;

use crate::cx::{Cx, Step};
use crate::pep::{self, Items};
use crate::store::{SessionKey, Version};
use crate::verified::{PersonalEvent, Verified};

use super::{VERSIONS, identities, lists, wire};

/// Bundles that were fetched, are being fetched, or could not be used.
#[derive(Default)]
pub(super) struct Cache {
    entries: BTreeMap<(BareJid, u32, Version), Entry>,
}

enum Entry {
    Fetching,
    /// Fetched at this moment of the steady clock.
    Fetched(Box<Bundle>, u64),
    /// There is none that can be used; not asked for again before this moment.
    Broken {
        until: u64,
        tries: u32,
        why: Why,
    },
}

/// Why a bundle cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// There was no answer: in the next session there may be one.
    Lost,
    /// None is published, or none yet.
    Unpublished,
    /// It is not what it should be.
    Wrong,
}

impl Why {
    fn found(self) -> Found {
        if self == Self::Wrong { Found::Broken } else { Found::Missing }
    }
}

/// What there is of a bundle.
pub(super) enum Found {
    /// It can be used.
    Bundle(Box<Bundle>),
    /// It is being fetched.
    Soon,
    /// There is none, or none was told; there may be one later.
    Missing,
    /// There is none that can be used.
    Broken,
}

impl Cache {
    /// What was being fetched is not coming any more, and what was lost is asked for again.
    pub(super) fn session_ended(&mut self) {
        self.entries.retain(|_, entry| {
            !matches!(entry, Entry::Fetching | Entry::Broken { why: Why::Lost, .. })
        });
    }

    /// The key in a bundle that is here.
    pub(super) fn identity(&self, key: &SessionKey) -> Option<[u8; 32]> {
        match self.entries.get(&(key.owner.clone(), key.device, key.version))? {
            Entry::Fetched(bundle, _) => Some(*bundle.identity().as_ed25519()),
            Entry::Fetching | Entry::Broken { .. } => None,
        }
    }

    fn fetching(&self) -> usize {
        self.entries.values().filter(|entry| matches!(entry, Entry::Fetching)).count()
    }

    /// Whether a device is listed but cannot be written to for the first time.
    pub(super) fn is_broken_everywhere(&self, owner: &BareJid, device: u32) -> bool {
        let of = |version| self.entries.get(&(owner.clone(), device, version));
        let tried = VERSIONS.into_iter().filter_map(of);
        let mut any = false;
        for entry in tried {
            any = true;
            if !matches!(entry, Entry::Broken { .. }) {
                return false;
            }
        }
        any
    }

    /// Forgets a bundle: a prekey of it was used.
    pub(super) fn forget(&mut self, key: &SessionKey) {
        self.entries.remove(&(key.owner.clone(), key.device, key.version));
    }

    fn put(&mut self, key: &SessionKey, entry: Entry) {
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.retain(|_, entry| matches!(entry, Entry::Fetching));
        }
        self.entries.insert((key.owner.clone(), key.device, key.version), entry);
    }
}

/// The bundle of a device; it is fetched if it is not here.
pub(super) fn find(cx: &mut Cx<'_>, key: &SessionKey) -> Step<Found> {
    let now = cx.now.steady;
    let place = (key.owner.clone(), key.device, key.version);
    let tries = match cx.state.features.omemo.bundles.entries.get(&place) {
        Some(Entry::Fetching) => return Ok(Found::Soon),
        Some(Entry::Fetched(bundle, at)) if now.saturating_sub(*at) < MAX_AGE => {
            return Ok(Found::Bundle(bundle.clone()));
        }
        Some(Entry::Broken { until, why, .. }) if *until > now => return Ok(why.found()),
        Some(Entry::Broken { tries, .. }) => *tries,
        Some(Entry::Fetched(..)) | None => 0,
    };
    if cx.state.features.omemo.bundles.fetching() >= MAX_FETCHING {
        // What is being fetched wakes the outbox, which asks again.
        return Ok(Found::Soon);
    }
    fetch(cx, key.clone(), tries)?;
    // Without a session the answer is there already.
    match cx.state.features.omemo.bundles.entries.get(&place) {
        Some(Entry::Fetching) => Ok(Found::Soon),
        Some(Entry::Fetched(bundle, _)) => Ok(Found::Bundle(bundle.clone())),
        Some(Entry::Broken { why, .. }) => Ok(why.found()),
        None => Ok(Found::Soon),
    }
}

/// Fetches the bundles of devices whose keys are not known, to show them to the user.
pub(super) fn fetch_unknown(cx: &mut Cx<'_>, owner: &BareJid) -> Step {
    if !cx.online() {
        return Ok(());
    }
    let identities = cx.store.identities(owner)?;
    let this = cx.state.features.omemo.device_id().filter(|_| owner == cx.me);
    for device in lists::active(cx, owner)? {
        let known = identities.iter().any(|identity| identity.devices.contains(&device));
        if known || Some(device) == this {
            continue;
        }
        for version in VERSIONS {
            let key = SessionKey { owner: owner.clone(), device, version };
            if lists::is_active(cx, owner, version, device)? {
                find(cx, &key)?;
                break;
            }
        }
    }
    Ok(())
}

/// Whether bundles of somebody are being fetched.
pub(super) fn is_fetching(cx: &Cx<'_>, owner: &BareJid) -> bool {
    let entries = &cx.state.features.omemo.bundles.entries;
    entries.iter().any(|((jid, ..), entry)| jid == owner && matches!(entry, Entry::Fetching))
}

fn fetch(cx: &mut Cx<'_>, key: SessionKey, tries: u32) -> Step {
    cx.state.features.omemo.bundles.put(&key, Entry::Fetching);
    let (node, item) = place(key.version, key.device);
    let owner = key.owner.clone();
    // The legacy node holds one item, whatever its id.
    let id = item.clone();
    let ids: &[&str] = if key.version == Version::Omemo2 { &[&id] } else { &[] };
    pep::items(cx, &owner, &node, ids, move |cx, items| {
        let event = match items {
            Items::Some(event) if !is_empty(&event) => event,
            Items::Some(_) | Items::None => {
                return on_bundle(cx, &key, Err(Why::Unpublished), tries);
            }
            Items::Unreachable | Items::Lost => return on_lost(cx, &key, tries),
        };
        let parts = parse(key.version, &event, &item);
        let bundle = parts.and_then(|parts| Bundle::verify(wire(key.version), parts).ok());
        on_bundle(cx, &key, bundle.ok_or(Why::Wrong), tries)
    })
}

/// There was no answer: messages go on without the device, and it is tried again soon.
fn on_lost(cx: &mut Cx<'_>, key: &SessionKey, tries: u32) -> Step {
    let cache = &mut cx.state.features.omemo.bundles;
    if crate::link::is_open(&cx.state.link) {
        let until = cx.now.steady.saturating_add(RETRY);
        cache.put(key, Entry::Broken { until, tries, why: Why::Lost });
        cx.wake_outbox();
    } else {
        cache.forget(key);
    }
    super::commands::on_progress(cx, &key.owner)
}

fn is_empty(event: &Verified<PersonalEvent>) -> bool {
    matches!(&event.event, Event::Items(_, items) if items.is_empty())
}

fn on_bundle(cx: &mut Cx<'_>, key: &SessionKey, bundle: Result<Bundle, Why>, tries: u32) -> Step {
    let now = cx.now.steady;
    match bundle {
        Ok(bundle) => {
            let identity = *bundle.identity().as_ed25519();
            let entry = Entry::Fetched(Box::new(bundle), now);
            cx.state.features.omemo.bundles.put(key, entry);
            identities::see(cx, &key.owner, key.device, identity)?;
        }
        Err(why) => {
            let wait = match (why, tries) {
                // Some programs publish the list of their devices before the keys.
                (Why::Unpublished, 0) => RETRY,
                _ => FIRST_PAUSE.saturating_mul(1 << tries.min(6)),
            };
            let (until, tries) = (now.saturating_add(wait), tries.saturating_add(1));
            let entry = Entry::Broken { until, tries, why };
            cx.state.features.omemo.bundles.put(key, entry);
        }
    }
    super::refresh_readers(cx, &key.owner)?;
    cx.wake_outbox();
    super::commands::on_progress(cx, &key.owner)
}

/// Node and item of a device's bundle.
pub(super) fn place(version: Version, device: u32) -> (String, String) {
    match version {
        Version::Omemo2 => (ns::OMEMO_BUNDLES.to_owned(), device.to_string()),
        Version::Legacy => (omemo_legacy::bundle_node(device), "current".to_owned()),
    }
}

/// The bundle in a node's items.
pub(super) fn parse(
    version: Version,
    event: &Verified<PersonalEvent>,
    item: &str,
) -> Option<BundleParts> {
    let Event::Items(_, items) = &event.event else { return None };
    match version {
        Version::Omemo2 => {
            let item = items.iter().find(|one| one.id.as_deref() == Some(item))?;
            let bundle = omemo2::Bundle::parse(item.payload()?)?;
            let pre_keys = bundle.prekeys.into_iter().map(|(id, key)| (id, key.to_vec()));
            Some(BundleParts {
                identity_key: bundle.identity.to_vec(),
                signed_pre_key_id: bundle.signed_prekey.0,
                signed_pre_key: bundle.signed_prekey.1.to_vec(),
                signature: bundle.signature.to_vec(),
                pre_keys: pre_keys.collect(),
            })
        }
        Version::Legacy => {
            let bundle =
                items.iter().rev().find_map(|item| omemo_legacy::Bundle::parse(item.payload()?))?;
            let pre_keys = bundle.prekeys.into_iter().map(|(id, key)| (id, key.to_vec()));
            Some(BundleParts {
                identity_key: bundle.identity.to_vec(),
                signed_pre_key_id: bundle.signed_prekey.0,
                signed_pre_key: bundle.signed_prekey.1.to_vec(),
                signature: bundle.signature.to_vec(),
                pre_keys: pre_keys.collect(),
            })
        }
    }
}

/// Bundles that are fetched at once; the others wait for these.
const MAX_FETCHING: usize = 16;
/// How long a bundle is used after it was fetched, in milliseconds. Its prekeys are used up by
/// others meanwhile.
const MAX_AGE: u64 = 10 * 60 * 1000;
/// How long a bundle that cannot be used is not asked for, at first; in milliseconds. Doubled each
/// time up to 64 times that.
const FIRST_PAUSE: u64 = 10 * 60 * 1000;
/// How long a bundle is not asked for again when there was no answer, in milliseconds.
const RETRY: u64 = 60_000;
/// Bundles that are remembered.
const MAX_ENTRIES: usize = 1000;
