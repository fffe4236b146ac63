//! What the encryption keeps besides keys: how far it got with what it has to do.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use crate::cx::{Cx, Step};
use crate::store::{Store, StoreError, Version};

use super::trust::Statements;

/// Messages that were read and left no row behind, as receipts do: the last [`SEEN`] of them. A
/// repeated one is recognised even when its ratchet has long moved on.
#[derive(Debug, Default)]
pub(super) struct Seen(VecDeque<u64>);

impl Seen {
    pub(super) fn load(store: &dyn Store) -> Step<Self> {
        let bytes = store.value(SEEN_NAME)?;
        let chunks = bytes.iter().flat_map(|bytes| bytes.chunks_exact(8));
        let words = chunks.filter_map(|chunk| Some(u64::from_be_bytes(chunk.try_into().ok()?)));
        Ok(Self(words.collect()))
    }

    pub(super) fn contains(&self, message: &[u8]) -> bool {
        self.0.contains(&hash(message))
    }

    pub(super) fn add(&mut self, store: &dyn Store, message: &[u8]) -> Step {
        if self.0.len() >= SEEN {
            self.0.pop_front();
        }
        self.0.push_back(hash(message));
        let bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_be_bytes()).collect();
        store.save_value(SEEN_NAME, Some(&bytes))
    }
}

/// FNV-1a: what is hashed is authentic, so nobody can look for collisions.
pub(super) fn hash(message: &[u8]) -> u64 {
    message.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// How far this device got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Notes {
    /// Counts the changes of this device's published keys.
    pub(super) revision: u64,
    /// Which revision is published, for `urn:xmpp:omemo:2` and the legacy version.
    pub(super) published: [u64; 2],
    /// Nodes whose configuration was seen to be right.
    pub(super) checked: Vec<String>,
    /// When the published bundles were last compared.
    pub(super) compared: Millis,
    /// Sessions that others began while what was missed was fetched: each gets an empty message.
    pub(super) answers: Vec<Session>,
    /// When the first of the used prekeys that are still kept was used.
    pub(super) used_since: Option<Millis>,
    /// When a session with a device of somebody was last replaced without being asked.
    pub(super) healed: Vec<(BareJid, Millis)>,
    /// Who asks for plain text, and the user has not decided.
    pub(super) opted_out: Vec<BareJid>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) owner: BareJid,
    pub(super) device: u32,
    pub(super) version: Version,
}

impl Notes {
    pub(super) fn load(store: &dyn Store) -> Step<Self> {
        load(store, NOTES)
    }

    /// Whether the current keys are published.
    pub(super) fn is_published(&self, version: Version) -> bool {
        let [omemo2, legacy] = self.published;
        let published = if version == Version::Omemo2 { omemo2 } else { legacy };
        self.revision != 0 && published == self.revision
    }

    pub(super) fn set_published(&mut self, version: Version, revision: u64) {
        let [omemo2, legacy] = &mut self.published;
        *(if version == Version::Omemo2 { omemo2 } else { legacy }) = revision;
    }

    /// Whether a session with somebody may be replaced without being asked; if so, it counts.
    pub(super) fn may_heal(&mut self, owner: &BareJid, now: Millis) -> bool {
        // A clock that was ahead must not keep sessions broken.
        let lately = |at: Millis| at <= now && now.since(at) < HEALING_PERIOD;
        if self.healed.iter().any(|(jid, at)| jid == owner && lately(*at)) {
            return false;
        }
        self.healed.retain(|(jid, _)| jid != owner);
        push_bounded(&mut self.healed, (owner.clone(), now), |(owner, _)| owner);
        true
    }

    pub(super) fn answer_later(&mut self, session: Session) {
        if !self.answers.contains(&session) {
            push_bounded(&mut self.answers, session, |session| &session.owner);
        }
    }

    pub(super) fn opt_out(&mut self, owner: &BareJid) {
        if !self.opted_out.contains(owner) {
            push_bounded(&mut self.opted_out, owner.clone(), |owner| owner);
        }
    }
}

/// Keeps the notes.
pub(super) fn save(cx: &Cx<'_>) -> Step {
    save_value(cx.store, NOTES, &cx.state.features.omemo.notes)
}

pub(super) fn load_statements(store: &dyn Store) -> Step<Statements> {
    load(store, STATEMENTS)
}

/// Keeps what was said about keys.
pub(super) fn save_statements(cx: &Cx<'_>) -> Step {
    save_value(cx.store, STATEMENTS, &cx.state.features.omemo.statements)
}

fn load<T: Default + serde::de::DeserializeOwned>(store: &dyn Store, name: &str) -> Step<T> {
    match store.value(name)? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| damaged(&error)),
        None => Ok(T::default()),
    }
}

fn save_value<T: Serialize>(store: &dyn Store, name: &str, value: &T) -> Step {
    let bytes = serde_json::to_vec(value).map_err(|error| damaged(&error))?;
    store.save_value(name, Some(&bytes))
}

fn damaged(error: &serde_json::Error) -> StoreError {
    StoreError::Damaged(error.to_string())
}

/// Adds an entry about somebody; the oldest make room for it.
fn push_bounded<T>(list: &mut Vec<T>, entry: T, owner: fn(&T) -> &BareJid) {
    list.push(entry);
    // Some characters of an address take two bytes in JSON.
    let size = |entry: &T| ENTRY_BYTES + 2 * owner(entry).as_str().len();
    let mut bytes: usize = list.iter().map(size).sum();
    while (list.len() > MOST || bytes > MOST_BYTES)
        && let Some(oldest) = list.first()
    {
        bytes -= size(oldest);
        list.remove(0);
    }
}

const NOTES: &str = "omemo";
const SEEN_NAME: &str = "omemo.seen";
/// Messages without a row that are recognised when they are repeated.
const SEEN: usize = 2048;
const STATEMENTS: &str = "omemo.statements";
/// Entries of one list.
const MOST: usize = 1000;
/// And at most so many bytes of it: the store takes values of 1 MiB, and there are three lists.
const MOST_BYTES: usize = 256 * 1024;
/// What an entry takes besides an address, at most.
const ENTRY_BYTES: usize = 100;
/// How long a session that was replaced without being asked has to do, in milliseconds: a day.
const HEALING_PERIOD: u64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn sessions_heal_by_themselves_once_a_day() {
        let mut notes = Notes::default();
        let bob = jid("bob@example.org");
        assert!(notes.may_heal(&bob, Millis(HEALING_PERIOD)));
        assert!(!notes.may_heal(&bob, Millis(2 * HEALING_PERIOD - 1)));
        assert!(notes.may_heal(&jid("carol@example.org"), Millis(HEALING_PERIOD)));
        assert!(notes.may_heal(&bob, Millis(2 * HEALING_PERIOD)));
        assert!(notes.may_heal(&bob, Millis(HEALING_PERIOD)));
    }

    #[test]
    fn nothing_is_published_before_there_are_keys() {
        let mut notes = Notes::default();
        assert!(!notes.is_published(Version::Omemo2));
        notes.revision = 1;
        notes.set_published(Version::Omemo2, 1);
        assert!(notes.is_published(Version::Omemo2));
        assert!(!notes.is_published(Version::Legacy));
    }

    #[test]
    fn many_people_with_long_addresses_fit_into_the_store() {
        let mut notes = Notes::default();
        for number in 0..MOST {
            let owner =
                jid(&format!("{number:\\>1000}@{}", ["b".repeat(60).as_str(); 4].join(".")));
            notes.opt_out(&owner);
            assert!(notes.may_heal(&owner, Millis(HEALING_PERIOD)));
            notes.answer_later(Session { owner, device: u32::MAX, version: Version::Omemo2 });
        }
        assert!(serde_json::to_vec(&notes).unwrap().len() < 1 << 20);
        assert!(notes.opted_out.len() > 100);
    }

    #[test]
    fn what_was_seen_survives_and_makes_room() {
        let store = crate::store::MemoryStore::new();
        let mut seen = Seen::load(&store).unwrap();
        for number in 0..=SEEN as u64 {
            seen.add(&store, &number.to_be_bytes()).unwrap();
        }
        let seen = Seen::load(&store).unwrap();
        assert!(!seen.contains(&0_u64.to_be_bytes()));
        assert!(seen.contains(&1_u64.to_be_bytes()) && seen.contains(&(SEEN as u64).to_be_bytes()));
    }

    #[test]
    fn notes_of_an_earlier_program_are_read() {
        assert_eq!(serde_json::from_str::<Notes>("{}").unwrap(), Notes::default());
    }
}
