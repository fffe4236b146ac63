//! Whom to believe: blind trust before verification, and XEP-0450: Automatic Trust Management 0.4.0
//!
//! Nothing here reads or writes; it only decides. Trust belongs to the pair of an address and an
//! identity key, never to the number of a device.

use serde::{Deserialize, Serialize};
use xmpp::ext::trust_message::{KeyOwner, TrustMessage};
use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::time::Millis;

use crate::store::{Identity, TrustLevel};

/// An identity key in Ed25519 form.
pub(crate) type Key = [u8; 32];

/// Whether two keys are the same. The sign bit does not count: the legacy version does not carry
/// it, people do not compare it, and only the owner of one can use the other.
pub(crate) fn same(one: &Key, other: &Key) -> bool {
    let [one_rest @ .., one_last] = one;
    let [other_rest @ .., other_last] = other;
    one_rest == other_rest && (one_last ^ other_last) & 0x7f == 0
}

/// The entry of a key.
pub(crate) fn find<'a>(identities: &'a [Identity], key: &Key) -> Option<&'a Identity> {
    identities.iter().find(|identity| same(&identity.key, key))
}

/// The decision about a key that is seen for the first time, on a device of this number.
///
/// It is believed, unless another key of the same person is verified, or was compared and is still
/// `expected`: then the person, or one of their verified devices, has to vouch for it. A device that
/// suddenly has another key is not believed either, since no honest device changes its key.
pub(crate) fn first_sight(known: &[Identity], expected: bool, device: u32) -> TrustLevel {
    let verified = expected || known.iter().any(|it| it.trust == TrustLevel::Verified);
    let replaced = known.iter().any(|identity| identity.devices.contains(&device));
    if verified || replaced { TrustLevel::Undecided } else { TrustLevel::Blind }
}

/// Whether a device with such a key gets messages.
pub(crate) fn may_read(level: TrustLevel) -> bool {
    matches!(level, TrustLevel::Blind | TrustLevel::Verified)
}

/// What is known of everybody's keys.
pub(crate) trait Book {
    /// The decision about a key, if the key was seen.
    fn level(&self, owner: &BareJid, key: &Key) -> Option<TrustLevel>;
}

/// A decision that follows from what a verified device said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    /// Whose key.
    pub(crate) owner: BareJid,
    /// The key.
    pub(crate) key: Key,
    /// The decision.
    pub(crate) level: TrustLevel,
}

/// What a device said about a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Statement {
    by: BareJid,
    by_key: Key,
    owner: BareJid,
    key: Key,
    trust: bool,
    time: Millis,
    /// The user of this device compared the key; it makes room for nothing that others say.
    #[serde(default)]
    expected: bool,
}

impl Statement {
    /// What it takes in the store, at most: some characters of addresses take two bytes in JSON.
    fn bytes(&self) -> usize {
        ENTRY_BYTES + 2 * (self.by.as_str().len() + self.owner.as_str().len())
    }
}

/// When a key was last decided about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Decided {
    owner: BareJid,
    key: Key,
    time: Millis,
}

/// What was said about keys and does not count yet: because who said it is not verified, or
/// because the key has not been seen (XEP-0450, "Implementation Notes").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statements {
    waiting: Vec<Statement>,
    decided: Vec<Decided>,
}

impl Statements {
    /// Notes a trust message. A contact's device speaks about keys of that contact only, an own
    /// device about all keys; whatever else it says is ignored.
    pub(crate) fn hear(
        &mut self,
        me: &BareJid,
        by: &BareJid,
        by_key: Key,
        message: &TrustMessage,
        time: Millis,
    ) {
        if message.usage != ns::AUTOMATIC_TRUST || message.encryption != ns::OMEMO {
            return;
        }
        for owner in message.owners.iter().filter(|owner| by == me || owner.jid == *by) {
            let trusted = owner.trust.iter().map(|key| (key, true));
            let distrusted = owner.distrust.iter().map(|key| (key, false));
            for (key, trust) in trusted.chain(distrusted) {
                let (by, owner) = (by.clone(), owner.jid.clone());
                let expected = false;
                self.add(Statement { by, by_key, owner, key: *key, trust, time, expected });
            }
        }
    }

    /// Nothing was said or decided later than `now`: the clock was ahead then, and must not make it
    /// outweigh what comes after it.
    pub(crate) fn limit(&mut self, now: Millis) {
        let times = self.waiting.iter_mut().map(|statement| &mut statement.time);
        let times = times.chain(self.decided.iter_mut().map(|decided| &mut decided.time));
        times.for_each(|time| *time = (*time).min(now));
    }

    /// Expects a key that the user compared before it was seen: see [`Statements::settle`].
    pub(crate) fn expect(&mut self, me: &BareJid, mine: Key, owner: BareJid, key: Key, at: Millis) {
        let (by, by_key, trust, time, expected) = (me.clone(), mine, true, at, true);
        self.add(Statement { by, by_key, owner, key, trust, time, expected });
    }

    /// Whether the user compared a key of somebody that was not seen yet.
    pub(crate) fn expects(&self, owner: &BareJid) -> bool {
        self.waiting.iter().any(|statement| statement.expected && statement.owner == *owner)
    }

    fn add(&mut self, statement: Statement) {
        // The newest word of a device about a key replaces what it said before.
        let about = |old: &Statement| {
            old.by == statement.by
                && same(&old.by_key, &statement.by_key)
                && old.owner == statement.owner
                && same(&old.key, &statement.key)
        };
        if self.waiting.iter().any(|old| about(old) && old.time > statement.time) {
            return;
        }
        self.waiting.retain(|old| !about(old));
        let from_same =
            |old: &Statement| old.by == statement.by && old.expected == statement.expected;
        if self.waiting.iter().filter(|old| from_same(old)).count() >= MAX_WAITING_OF_ONE
            && let Some(oldest) = self.waiting.iter().position(from_same)
        {
            self.waiting.remove(oldest);
        }
        let mut bytes: usize = self.waiting.iter().chain([&statement]).map(Statement::bytes).sum();
        while self.waiting.len() >= MAX_WAITING || bytes > MAX_WAITING_BYTES {
            let oldest = self.waiting.iter().position(|old| !old.expected).unwrap_or(0);
            let Some(old) = self.waiting.get(oldest) else { break };
            bytes -= old.bytes();
            self.waiting.remove(oldest);
        }
        self.waiting.push(statement);
    }

    /// The user decided about a key. What was said before that no longer counts.
    pub(crate) fn decided_by_user(&mut self, owner: &BareJid, key: &Key, at: Millis) {
        self.waiting.retain(|old| !(old.owner == *owner && same(&old.key, key) && old.time <= at));
        self.remember(owner, key, at);
    }

    /// Whether something waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Everybody who said something or of whom something was said.
    pub(crate) fn people(&self) -> std::collections::BTreeSet<BareJid> {
        let people = self.waiting.iter().flat_map(|statement| [&statement.by, &statement.owner]);
        people.cloned().collect()
    }

    /// Takes out what counts now: said by a verified device, about a key that was seen. One
    /// decision can make further statements count. Call it whenever a key was seen, a decision was
    /// made or a trust message came. `mine` is the key of this device.
    pub(crate) fn settle(
        &mut self,
        me: &BareJid,
        mine: Option<&Key>,
        book: &impl Book,
    ) -> Vec<Conclusion> {
        let mut conclusions: Vec<Conclusion> = Vec::new();
        loop {
            let level = |owner: &BareJid, key: &Key| {
                let concluded = conclusions.iter().rev();
                let mut concluded = concluded.filter(|it| it.owner == *owner && same(&it.key, key));
                concluded.next().map(|it| it.level).or_else(|| book.level(owner, key))
            };
            let counts = |statement: &Statement| {
                let this_device =
                    statement.by == *me && mine.is_some_and(|mine| same(mine, &statement.by_key));
                let verified = this_device
                    || level(&statement.by, &statement.by_key) == Some(TrustLevel::Verified);
                verified && level(&statement.owner, &statement.key).is_some()
            };
            let Some(at) = self.waiting.iter().position(counts) else { break };
            let statement = self.waiting.remove(at);
            let wanted =
                if statement.trust { TrustLevel::Verified } else { TrustLevel::Distrusted };
            let now = level(&statement.owner, &statement.key);
            if self.is_outdated(&statement) {
                continue;
            }
            self.remember(&statement.owner, &statement.key, statement.time);
            if now != Some(wanted) {
                let Statement { owner, key, .. } = statement;
                conclusions.push(Conclusion { owner, key, level: wanted });
            }
        }
        conclusions
    }

    fn is_outdated(&self, statement: &Statement) -> bool {
        self.decided.iter().any(|decided| {
            decided.owner == statement.owner
                && same(&decided.key, &statement.key)
                && decided.time > statement.time
        })
    }

    fn remember(&mut self, owner: &BareJid, key: &Key, time: Millis) {
        self.decided.retain(|old| !(old.owner == *owner && same(&old.key, key)));
        self.decided.push(Decided { owner: owner.clone(), key: *key, time });
        let size = |decided: &Decided| ENTRY_BYTES + 2 * decided.owner.as_str().len();
        let mut bytes: usize = self.decided.iter().map(size).sum();
        while (self.decided.len() > MAX_DECIDED || bytes > MAX_DECIDED_BYTES)
            && let Some(oldest) = self.decided.first()
        {
            bytes -= size(oldest);
            self.decided.remove(0);
        }
    }
}

/// Trust messages to be sent: to whom, and what they say. They are for verified devices only.
pub(crate) type Messages = Vec<(BareJid, TrustMessage)>;

/// All verified keys, by owner. The key of this device is not among them.
pub(crate) type Verified = [(BareJid, Vec<Key>)];

/// What to tell after the user verified a key (XEP-0450, "Authenticating the Key of …").
pub(crate) fn after_verification(
    me: &BareJid,
    owner: &BareJid,
    key: &Key,
    verified: &Verified,
) -> Messages {
    let others = || verified.iter().filter(|(jid, _)| jid != me);
    let own = verified.iter().filter(|(jid, _)| jid == me).flat_map(|(_, keys)| keys);
    let own: Vec<Key> = own.filter(|own| !(owner == me && same(own, key))).copied().collect();
    let about_key = TrustMessage::new(vec![trusting(owner, vec![*key])]);
    let mut messages = Vec::new();
    if owner == me {
        // The new device is told about everybody, everybody about the new device.
        messages.extend(
            others()
                .filter(|(_, keys)| !keys.is_empty())
                .map(|(jid, _)| (jid.clone(), about_key.clone())),
        );
        let mut owners = Vec::new();
        if !own.is_empty() {
            messages.push((me.clone(), about_key));
            owners.push(trusting(me, own));
        }
        owners.extend(
            others()
                .filter(|(_, keys)| !keys.is_empty())
                .map(|(jid, keys)| trusting(jid, keys.clone())),
        );
        if !owners.is_empty() {
            messages.push((me.clone(), TrustMessage::new(owners)));
        }
    } else if !own.is_empty() {
        messages.push((me.clone(), about_key));
        messages.push((owner.clone(), TrustMessage::new(vec![trusting(me, own)])));
    }
    messages
}

/// What to tell after the user distrusted a key (XEP-0450, "Distrusting the Key of …").
pub(crate) fn after_distrust(
    me: &BareJid,
    owner: &BareJid,
    key: &Key,
    verified: &Verified,
) -> Messages {
    let mut owners = KeyOwner::new(owner.clone());
    owners.distrust.push(*key);
    let message = TrustMessage::new(vec![owners]);
    verified
        .iter()
        .filter(|(jid, keys)| !keys.is_empty() && (jid == me || owner == me))
        .map(|(jid, _)| (jid.clone(), message.clone()))
        .collect()
}

fn trusting(owner: &BareJid, trust: Vec<Key>) -> KeyOwner {
    KeyOwner { trust, ..KeyOwner::new(owner.clone()) }
}

/// Statements that wait, in all.
const MAX_WAITING: usize = 1000;
/// And their bytes in the store, which takes values of 1 MiB.
const MAX_WAITING_BYTES: usize = 600 * 1024;
/// Statements that wait and come from one address.
const MAX_WAITING_OF_ONE: usize = 100;
/// Keys of which the time of the last decision is known.
const MAX_DECIDED: usize = 1000;
/// And their bytes in the store.
const MAX_DECIDED_BYTES: usize = 400 * 1024;
/// What an entry takes besides addresses, at most: two keys, each as a list of numbers.
const ENTRY_BYTES: usize = 400;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Keys(BTreeMap<(BareJid, Key), TrustLevel>);

    impl Book for Keys {
        fn level(&self, owner: &BareJid, key: &Key) -> Option<TrustLevel> {
            self.0.iter().find(|((jid, other), _)| jid == owner && same(other, key)).map(|it| *it.1)
        }
    }

    fn jid(name: &str) -> BareJid {
        BareJid::new(&format!("{name}@example.org")).unwrap()
    }

    fn keys(levels: &[(&str, u8, TrustLevel)]) -> Keys {
        Keys(levels.iter().map(|(name, key, level)| ((jid(name), [*key; 32]), *level)).collect())
    }

    fn identity(key: u8, device: u32, trust: TrustLevel) -> Identity {
        Identity { key: [key; 32], devices: vec![device], trust, first_seen: Millis(0) }
    }

    fn says(owner: &str, trust: &[u8], distrust: &[u8]) -> TrustMessage {
        let keys = |keys: &[u8]| keys.iter().map(|key| [*key; 32]).collect();
        let (trust, distrust) = (keys(trust), keys(distrust));
        TrustMessage::new(vec![KeyOwner { jid: jid(owner), trust, distrust }])
    }

    fn hear(statements: &mut Statements, by: (&str, u8), message: &TrustMessage, time: u64) {
        statements.hear(&jid("alice"), &jid(by.0), [by.1; 32], message, Millis(time));
    }

    fn settle(statements: &mut Statements, book: &Keys) -> Vec<(BareJid, u8, TrustLevel)> {
        let conclusions = statements.settle(&jid("alice"), Some(&[1; 32]), book);
        conclusions.into_iter().map(|it| (it.owner, it.key[0], it.level)).collect()
    }

    use TrustLevel::{Blind, Distrusted, Undecided, Verified};

    #[test]
    fn keys_are_believed_until_one_is_verified() {
        assert_eq!(first_sight(&[], false, 1), Blind);
        assert_eq!(first_sight(&[identity(1, 1, Blind)], false, 2), Blind);
        assert_eq!(first_sight(&[identity(1, 1, Verified)], false, 2), Undecided);
        assert_eq!(first_sight(&[identity(1, 1, Distrusted)], false, 2), Blind);
        assert_eq!(first_sight(&[], true, 1), Undecided);
    }

    #[test]
    fn another_key_on_a_known_device_is_not_believed() {
        assert_eq!(first_sight(&[identity(1, 1, Blind)], false, 1), Undecided);
        assert_eq!(first_sight(&[identity(1, 1, Distrusted)], false, 1), Undecided);
    }

    #[test]
    fn the_sign_bit_makes_no_other_key() {
        let mut other = [3; 32];
        other[31] |= 0x80;
        assert!(same(&[3; 32], &other));
        other[31] ^= 1;
        assert!(!same(&[3; 32], &other));
        assert_eq!(find(&[identity(3, 1, Blind)], &[4; 32]), None);
    }

    #[test]
    fn a_verified_device_vouches_for_the_keys_of_its_owner() {
        let mut statements = Statements::default();
        hear(&mut statements, ("bob", 10), &says("bob", &[11], &[12]), 5);
        let book = keys(&[("bob", 10, Verified), ("bob", 11, Undecided), ("bob", 12, Blind)]);
        assert_eq!(
            settle(&mut statements, &book),
            [(jid("bob"), 11, Verified), (jid("bob"), 12, Distrusted)]
        );
        assert!(!statements.is_waiting());
    }

    #[test]
    fn nobody_vouches_for_the_keys_of_others_but_own_devices() {
        let mut statements = Statements::default();
        hear(&mut statements, ("bob", 10), &says("carol", &[20], &[]), 5);
        hear(&mut statements, ("bob", 10), &says("alice", &[2], &[]), 5);
        assert!(!statements.is_waiting());
        hear(&mut statements, ("alice", 2), &says("carol", &[20], &[]), 5);
        let book = keys(&[("alice", 2, Verified), ("carol", 20, Blind)]);
        assert_eq!(settle(&mut statements, &book), [(jid("carol"), 20, Verified)]);
    }

    #[test]
    fn what_an_unverified_device_says_waits_until_it_is_verified() {
        let mut statements = Statements::default();
        hear(&mut statements, ("bob", 10), &says("bob", &[11], &[]), 5);
        for level in [Blind, Undecided, Distrusted] {
            let book = keys(&[("bob", 10, level), ("bob", 11, Blind)]);
            assert_eq!(settle(&mut statements, &book), []);
        }
        let book = keys(&[("bob", 10, Verified), ("bob", 11, Blind)]);
        assert_eq!(settle(&mut statements, &book), [(jid("bob"), 11, Verified)]);
    }

    #[test]
    fn what_is_said_about_an_unknown_key_waits_until_it_is_seen() {
        let mut statements = Statements::default();
        hear(&mut statements, ("bob", 10), &says("bob", &[11], &[]), 5);
        assert_eq!(settle(&mut statements, &keys(&[("bob", 10, Verified)])), []);
        let book = keys(&[("bob", 10, Verified), ("bob", 11, Undecided)]);
        assert_eq!(settle(&mut statements, &book), [(jid("bob"), 11, Verified)]);
    }

    #[test]
    fn one_conclusion_leads_to_the_next() {
        let mut statements = Statements::default();
        hear(&mut statements, ("bob", 11), &says("bob", &[12], &[]), 6);
        hear(&mut statements, ("bob", 10), &says("bob", &[11], &[]), 5);
        let book = keys(&[("bob", 10, Verified), ("bob", 11, Blind), ("bob", 12, Blind)]);
        assert_eq!(
            settle(&mut statements, &book),
            [(jid("bob"), 11, Verified), (jid("bob"), 12, Verified)]
        );
    }

    #[test]
    fn the_newest_word_counts_whatever_the_order_of_arrival() {
        let book = keys(&[("bob", 10, Verified), ("bob", 11, Blind)]);
        let mut statements = Statements::default();
        hear(&mut statements, ("bob", 10), &says("bob", &[], &[11]), 9);
        assert_eq!(settle(&mut statements, &book), [(jid("bob"), 11, Distrusted)]);
        let book = keys(&[("bob", 10, Verified), ("bob", 11, Distrusted)]);
        hear(&mut statements, ("bob", 10), &says("bob", &[11], &[]), 5);
        assert_eq!(settle(&mut statements, &book), []);
        assert!(!statements.is_waiting());
    }

    #[test]
    fn the_user_has_the_last_word() {
        let mut statements = Statements::default();
        hear(&mut statements, ("bob", 10), &says("bob", &[11], &[]), 5);
        statements.decided_by_user(&jid("bob"), &[11; 32], Millis(7));
        hear(&mut statements, ("bob", 10), &says("bob", &[11], &[]), 6);
        let book = keys(&[("bob", 10, Verified), ("bob", 11, Distrusted)]);
        assert_eq!(settle(&mut statements, &book), []);
    }

    #[test]
    fn a_key_that_was_compared_before_it_was_seen_is_verified_then() {
        let mut statements = Statements::default();
        statements.expect(&jid("alice"), [1; 32], jid("bob"), [10; 32], Millis(5));
        assert_eq!(settle(&mut statements, &keys(&[])), []);
        assert!(statements.expects(&jid("bob")) && !statements.expects(&jid("carol")));
        let book = keys(&[("bob", 10, Blind)]);
        assert_eq!(settle(&mut statements, &book), [(jid("bob"), 10, Verified)]);
    }

    #[test]
    fn other_usages_and_encryptions_are_ignored() {
        let mut statements = Statements::default();
        let message = TrustMessage { usage: "urn:x".into(), ..says("bob", &[11], &[]) };
        hear(&mut statements, ("bob", 10), &message, 5);
        let message = TrustMessage { encryption: "urn:x".into(), ..says("bob", &[11], &[]) };
        hear(&mut statements, ("bob", 10), &message, 5);
        assert!(!statements.is_waiting());
    }

    #[test]
    fn a_talkative_contact_pushes_out_only_their_own_words() {
        let mut statements = Statements::default();
        hear(&mut statements, ("carol", 30), &says("carol", &[31], &[]), 5);
        let many: Vec<u8> = (0..=255).collect();
        hear(&mut statements, ("bob", 10), &says("bob", &many, &[]), 5);
        assert_eq!(statements.waiting.len(), 1 + MAX_WAITING_OF_ONE);
        assert_eq!(statements.waiting[0].by, jid("carol"));
    }

    #[test]
    fn what_strangers_say_fits_into_the_store() {
        let mut statements = Statements::default();
        let many: Vec<u8> = (0..=255).collect();
        for number in 0..20 {
            let local = format!("{number:\\>1000}");
            let name = BareJid::new(&format!("{local}@{}", ["b".repeat(60).as_str(); 4].join(".")));
            let name = name.unwrap();
            let message = says("x", &many, &[]);
            let mut owner = message.owners[0].clone();
            owner.jid = name.clone();
            let message = TrustMessage::new(vec![owner]);
            statements.hear(&jid("alice"), &name, [255; 32], &message, Millis(u64::MAX));
            (0..100).for_each(|key| statements.remember(&name, &[key; 32], Millis(u64::MAX)));
        }
        assert!(statements.is_waiting());
        assert!(serde_json::to_vec(&statements).unwrap().len() < 1 << 20);
    }

    #[test]
    fn nobody_pushes_out_what_the_user_compared() {
        let mut statements = Statements::default();
        statements.expect(&jid("alice"), [1; 32], jid("bob"), [10; 32], Millis(5));
        for number in 0..20 {
            let many: Vec<u8> = (0..=255).collect();
            let name = format!("mallory{number}");
            hear(&mut statements, (&name, 66), &says(&name, &many, &[]), 6);
        }
        assert!(statements.expects(&jid("bob")));
    }

    type Said = (String, Vec<(String, Vec<u8>, Vec<u8>)>);

    fn said(messages: &Messages) -> Vec<Said> {
        let keys = |keys: &[Key]| keys.iter().map(|key| key[0]).collect();
        let owner = |owner: &KeyOwner| {
            (owner.jid.as_str().to_owned(), keys(&owner.trust), keys(&owner.distrust))
        };
        let line = |(to, message): &(BareJid, TrustMessage)| {
            (to.as_str().to_owned(), message.owners.iter().map(owner).collect())
        };
        messages.iter().map(line).collect()
    }

    /// The examples of XEP-0450: Alice has A1 (this one), A2 and A3, Bob has B1.
    #[test]
    fn verifying_a_contact_tells_own_devices_and_that_contact() {
        let verified = [(jid("alice"), vec![[2; 32]]), (jid("bob"), vec![[10; 32]])];
        let messages = after_verification(&jid("alice"), &jid("bob"), &[10; 32], &verified);
        let (alice, bob) = ("alice@example.org".to_owned(), "bob@example.org".to_owned());
        assert_eq!(
            said(&messages),
            [
                (alice.clone(), vec![(bob.clone(), vec![10], vec![])]),
                (bob, vec![(alice, vec![2], vec![])]),
            ]
        );
    }

    #[test]
    fn verifying_an_own_device_tells_everybody_and_that_device() {
        let verified = [(jid("alice"), vec![[2; 32], [3; 32]]), (jid("bob"), vec![[10; 32]])];
        let messages = after_verification(&jid("alice"), &jid("alice"), &[3; 32], &verified);
        let (alice, bob) = ("alice@example.org".to_owned(), "bob@example.org".to_owned());
        assert_eq!(
            said(&messages),
            [
                (bob.clone(), vec![(alice.clone(), vec![3], vec![])]),
                (alice.clone(), vec![(alice.clone(), vec![3], vec![])]),
                (alice.clone(), vec![(alice, vec![2], vec![]), (bob, vec![10], vec![])]),
            ]
        );
    }

    #[test]
    fn distrust_is_told_to_whom_it_concerns() {
        let verified = [(jid("alice"), vec![[2; 32]]), (jid("bob"), vec![[10; 32]])];
        let to = |owner: &str, key: u8| -> Vec<String> {
            let messages = after_distrust(&jid("alice"), &jid(owner), &[key; 32], &verified);
            said(&messages).into_iter().map(|(to, _)| to).collect()
        };
        assert_eq!(to("alice", 3), ["alice@example.org", "bob@example.org"]);
        assert_eq!(to("bob", 11), ["alice@example.org"]);
    }

    #[test]
    fn without_another_verified_device_there_is_nobody_to_tell() {
        let verified = [(jid("bob"), vec![[10; 32]])];
        assert_eq!(after_verification(&jid("alice"), &jid("bob"), &[10; 32], &verified), []);
    }
}
