//! Two and three devices with one another, through the public interface, in both versions.

use omemo::{
    Bundle, BundleError, DecryptionError, Device, DeviceId, EncryptionError, HEARTBEAT_COUNTER,
    InitiationError, MAX_ARCHIVED_SESSIONS, MAX_FORWARD_JUMP, MAX_SKIPPED_KEYS, PRE_KEYS,
    SIGNED_PRE_KEY_PERIOD_MS, Sessions, StateError, Version,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const NOW_MS: u64 = 1_800_000_000_000;

/// Romeo's and Juliet's devices and what each has of the other.
struct Pair {
    version: Version,
    rng: ChaCha20Rng,
    romeo: Device,
    juliet: Device,
    to_juliet: Sessions,
    to_romeo: Sessions,
}

impl Pair {
    /// Romeo has opened a session; Juliet does not know yet.
    fn new(version: Version) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(version as u64);
        let [romeo, juliet] = [1, 2].map(|id| device(id, &mut rng));
        let mut pair = Self {
            version,
            rng,
            romeo,
            juliet,
            to_juliet: Sessions::new(version),
            to_romeo: Sessions::new(version),
        };
        pair.romeo_initiates();
        pair
    }

    /// Both have written in the session.
    fn confirmed(version: Version) -> Self {
        let mut pair = Self::new(version);
        let message = pair.romeo_writes(b"romeo");
        assert_eq!(pair.juliet_reads(&message).unwrap(), b"romeo");
        let message = pair.juliet_writes(b"juliet");
        assert_eq!(pair.romeo_reads(&message).unwrap(), b"juliet");
        pair
    }

    fn romeo_initiates(&mut self) {
        let bundle = bundle(&self.juliet, self.version);
        self.to_juliet.initiate(&self.romeo, &bundle, &mut self.rng).unwrap();
    }

    fn romeo_writes(&mut self, text: &[u8]) -> Vec<u8> {
        self.to_juliet.encrypt(text, &mut self.rng).unwrap().message.bytes
    }

    fn juliet_writes(&mut self, text: &[u8]) -> Vec<u8> {
        self.to_romeo.encrypt(text, &mut self.rng).unwrap().message.bytes
    }

    fn juliet_reads(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DecryptionError> {
        self.to_romeo.decrypt(&mut self.juliet, bytes).map(|read| read.plaintext.to_vec())
    }

    fn romeo_reads(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DecryptionError> {
        self.to_juliet.decrypt(&mut self.romeo, bytes).map(|read| read.plaintext.to_vec())
    }
}

fn device(id: u32, rng: &mut ChaCha20Rng) -> Device {
    Device::generate(DeviceId::new(id).unwrap(), NOW_MS, rng)
}

fn bundle(device: &Device, version: Version) -> Bundle {
    Bundle::verify(version, device.bundle(version)).unwrap()
}

#[test]
fn a_session_is_opened_answered_and_used_both_ways() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        for _ in 0..3 {
            let first = pair.to_juliet.encrypt(b"one", &mut pair.rng).unwrap();
            assert!(first.message.key_exchange, "until there is an answer");
            assert!(!pair.to_juliet.is_confirmed());
            let read = pair.to_romeo.decrypt(&mut pair.juliet, &first.message.bytes).unwrap();
            assert_eq!(*read.plaintext, b"one");
            assert_eq!(read.identity.fingerprint(), pair.romeo.identity().fingerprint());
        }
        let answer = pair.to_romeo.encrypt(b"two", &mut pair.rng).unwrap();
        assert!(!answer.message.key_exchange);
        let read = pair.to_juliet.decrypt(&mut pair.romeo, &answer.message.bytes).unwrap();
        assert!(!read.new_session && read.used_pre_key.is_none());
        assert!(pair.to_juliet.is_confirmed());
        for _ in 0..20 {
            let message = pair.romeo_writes(b"three");
            assert_eq!(pair.juliet_reads(&message).unwrap(), b"three");
            let message = pair.juliet_writes(b"four");
            assert_eq!(pair.romeo_reads(&message).unwrap(), b"four");
        }
    }
}

#[test]
fn every_state_that_is_returned_can_be_read_again() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        for _ in 0..4 {
            let sent = pair.to_juliet.encrypt(b"to", &mut pair.rng).unwrap();
            pair.to_juliet = Sessions::from_bytes(&sent.state).unwrap();
            assert_eq!(pair.to_juliet.to_bytes(), sent.state);
            let read = pair.to_romeo.decrypt(&mut pair.juliet, &sent.message.bytes).unwrap();
            pair.to_romeo = Sessions::from_bytes(&read.state).unwrap();
            pair.juliet = Device::from_bytes(&pair.juliet.to_bytes()).unwrap();
            assert_eq!(pair.to_romeo.to_bytes(), read.state);
            let answer = pair.juliet_writes(b"fro");
            assert_eq!(pair.romeo_reads(&answer).unwrap(), b"fro");
        }
        assert_eq!(pair.to_juliet.generation(), 9);
        assert_eq!(pair.to_romeo.generation(), 8);
    }
}

#[test]
fn damaged_or_newer_state_is_an_error() {
    let pair = Pair::confirmed(Version::Omemo2);
    let state = pair.to_juliet.to_bytes();
    for len in 0..state.len() {
        assert!(Sessions::from_bytes(&state[..len]).is_err());
    }
    let longer = [&state[..], &[0]].concat();
    assert_eq!(Sessions::from_bytes(&longer).unwrap_err(), StateError::Length);
    let mut newer = state.to_vec();
    newer[0] = 3;
    assert_eq!(Sessions::from_bytes(&newer).unwrap_err(), StateError::Format(3));
    let state = pair.romeo.to_bytes();
    for len in 0..state.len() {
        assert!(Device::from_bytes(&state[..len]).is_err());
    }
}

#[test]
fn a_message_is_read_once_in_whatever_order() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let texts: Vec<[u8; 1]> = (0..20).map(|number| [number]).collect();
        let messages: Vec<_> = texts.iter().map(|text| pair.romeo_writes(text)).collect();
        for step in [7, 3, 1] {
            for (message, text) in messages.iter().zip(&texts).rev().step_by(step) {
                match pair.juliet_reads(message) {
                    Ok(read) => assert_eq!(read, text),
                    Err(error) => assert_eq!(error, DecryptionError::Duplicate),
                }
                assert_eq!(pair.juliet_reads(message), Err(DecryptionError::Duplicate));
            }
        }
        assert!(messages.iter().all(|message| pair.juliet_reads(message).is_err()));
    }
}

#[test]
fn a_repeated_key_exchange_is_recognised() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        let [one, two] = [b"one", b"two"].map(|text| pair.romeo_writes(text));
        assert_eq!(pair.juliet_reads(&two).unwrap(), b"two");
        assert!(pair.juliet.forget_used_pre_keys());
        assert!(!pair.juliet.forget_used_pre_keys());
        // The prekey is gone, the session is not.
        let read = pair.to_romeo.decrypt(&mut pair.juliet, &one).unwrap();
        assert!(!read.new_session && read.used_pre_key.is_none());
        assert_eq!(pair.juliet_reads(&one), Err(DecryptionError::Duplicate));
    }
}

#[test]
fn a_changed_byte_is_noticed_and_changes_nothing() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        let exchange = pair.romeo_writes(b"a key of some 32 bytes in length");
        assert_nothing_changed_passes(&mut pair, &exchange);
        assert!(pair.juliet_reads(&exchange).is_ok());
        let answer = pair.juliet_writes(b"answer");
        assert!(pair.romeo_reads(&answer).is_ok());
        // Now a message without a key exchange, with which a new chain begins, and one within it.
        for _ in 0..2 {
            let message = pair.romeo_writes(b"a key of some 32 bytes in length");
            assert_nothing_changed_passes(&mut pair, &message);
            assert!(pair.juliet_reads(&message).is_ok());
        }
    }
}

fn assert_nothing_changed_passes(pair: &mut Pair, message: &[u8]) {
    let before = (pair.to_romeo.to_bytes(), pair.juliet.to_bytes());
    for position in 0..message.len() {
        for bit in 0..8 {
            let mut changed = message.to_vec();
            changed[position] ^= 1 << bit;
            assert!(pair.juliet_reads(&changed).is_err());
        }
        assert!(pair.juliet_reads(&message[..position]).is_err());
    }
    assert!(before == (pair.to_romeo.to_bytes(), pair.juliet.to_bytes()));
}

#[test]
fn garbage_opens_no_session() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let message = pair.romeo_writes(b"still here");
        let before = pair.to_romeo.to_bytes();
        for number in 0..10_000_usize {
            let mut garbage = message.clone();
            let position = number % garbage.len();
            garbage[position] = garbage[position].wrapping_add((1 + number % 255) as u8);
            assert!(pair.juliet_reads(&garbage).is_err());
        }
        assert!(pair.to_romeo.to_bytes() == before);
        assert_eq!(pair.juliet_reads(&message).unwrap(), b"still here");
    }
}

#[test]
fn a_jump_is_accepted_up_to_the_limit() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let first = pair.romeo_writes(b"first");
        assert!(pair.juliet_reads(&first).is_ok());
        let skipped: Vec<_> = (0..MAX_FORWARD_JUMP).map(|_| pair.romeo_writes(b"late")).collect();
        let at_limit = pair.romeo_writes(b"at the limit");
        let beyond = pair.romeo_writes(b"beyond");
        let error = DecryptionError::TooFarAhead { jump: MAX_FORWARD_JUMP + 1 };
        assert_eq!(pair.juliet_reads(&beyond), Err(error));
        assert_eq!(pair.juliet_reads(&at_limit).unwrap(), b"at the limit");
        assert_eq!(pair.juliet_reads(&beyond).unwrap(), b"beyond");
        assert!(skipped.iter().all(|message| pair.juliet_reads(message).is_ok()));
    }
}

#[test]
fn skipped_keys_make_room_for_newer_ones() {
    let mut pair = Pair::confirmed(Version::Omemo2);
    let lost: Vec<_> = (0..MAX_SKIPPED_KEYS + 10).map(|_| pair.romeo_writes(b"lost")).collect();
    let half = pair.romeo_writes(b"half");
    // Two jumps, because one alone is below the limit of a jump.
    assert!(pair.juliet_reads(&lost[500]).is_ok());
    assert!(pair.juliet_reads(&half).is_ok());
    let readable = lost.iter().filter(|message| pair.juliet_reads(message).is_ok()).count();
    assert_eq!(readable, MAX_SKIPPED_KEYS);
    // What made room was never read, and is not taken for something that was: not by a later
    // program either, nor by one that has the state from a program that did not note it.
    for _ in 0..2 {
        for lost in &lost[..9] {
            assert_eq!(pair.juliet_reads(lost), Err(DecryptionError::Expired));
        }
        assert_eq!(pair.juliet_reads(&lost[9]), Err(DecryptionError::Duplicate));
        assert_eq!(pair.juliet_reads(&half), Err(DecryptionError::Duplicate));
        pair.to_romeo = Sessions::from_bytes(&pair.to_romeo.to_bytes()).unwrap();
    }
}

/// The state as format 1 had it: without the four bytes at the end of each receiving chain.
fn in_format_1(state: &[u8]) -> Vec<u8> {
    const RECEIVING: usize = 1 + 1 + 8 + 4 + 3 * 32 + 1 + 32 + (1 + 32 + 4);
    const CHAIN: usize = 32 + 32 + 4 + 1;
    let mut state = state.to_vec();
    state[0] = 1;
    let chains = state[RECEIVING];
    for chain in 0..usize::from(chains) {
        let end = RECEIVING + 4 + (chain + 1) * CHAIN;
        state.drain(end..end + 4);
    }
    state
}

#[test]
fn a_state_that_does_not_say_what_made_room_is_not_believed_to_know() {
    for (count, error) in
        [(1, DecryptionError::Duplicate), (MAX_SKIPPED_KEYS, DecryptionError::Expired)]
    {
        let mut pair = Pair::confirmed(Version::Omemo2);
        let first = pair.romeo_writes(b"first");
        assert!(pair.juliet_reads(&first).is_ok());
        let late: Vec<_> = (0..count).map(|_| pair.romeo_writes(b"late")).collect();
        let last = pair.romeo_writes(b"last");
        assert!(pair.juliet_reads(&last).is_ok());
        pair.to_romeo = Sessions::from_bytes(&in_format_1(&pair.to_romeo.to_bytes())).unwrap();
        assert_eq!(pair.juliet_reads(&first), Err(error));
        assert!(late.iter().all(|message| pair.juliet_reads(message).is_ok()));
        assert_eq!(pair.juliet_reads(&last), Err(DecryptionError::Duplicate));
    }
}

#[test]
fn late_messages_of_earlier_chains_are_read() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let mut late = Vec::new();
        for _ in 0..8 {
            late.push(pair.romeo_writes(b"late"));
            let message = pair.romeo_writes(b"in time");
            assert!(pair.juliet_reads(&message).is_ok());
            // As libsignal does, which counts the previous chain one too low, this one was never
            // announced as skipped; its key was kept because a later one came first.
            let end = pair.romeo_writes(b"end of the chain");
            late.push(end);
            let answer = pair.juliet_writes(b"turn");
            assert!(pair.romeo_reads(&answer).is_ok());
        }
        let read: Vec<_> = late.iter().map(|message| pair.juliet_reads(message)).collect();
        // The beginning of each chain was skipped, and its key kept.
        assert!(read.iter().step_by(2).all(Result::is_ok));
        // Of the end of a chain nothing is known once the chain is gone.
        let ends: Vec<_> = read.iter().skip(1).step_by(2).collect();
        assert!(ends[..3].iter().all(|end| **end == Err(DecryptionError::Expired)));
        assert!(ends[3..].iter().all(|end| end.is_ok()));
    }
}

#[test]
fn skipped_keys_are_not_kept_forever() {
    let mut pair = Pair::confirmed(Version::Omemo2);
    let late = pair.romeo_writes(b"late");
    let turns = |pair: &mut Pair, count| {
        for _ in 0..count {
            let message = pair.romeo_writes(b"in time");
            assert!(pair.juliet_reads(&message).is_ok());
            let answer = pair.juliet_writes(b"turn");
            assert!(pair.romeo_reads(&answer).is_ok());
        }
    };
    turns(&mut pair, 44);
    let kept = pair.to_romeo.to_bytes();
    assert_eq!(pair.juliet_reads(&late).unwrap(), b"late");
    pair.to_romeo = Sessions::from_bytes(&kept).unwrap();
    turns(&mut pair, 2);
    assert!(pair.juliet_reads(&late).is_err());
}

#[test]
fn sessions_opened_at_the_same_time_become_one() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        let bundle = bundle(&pair.romeo, version);
        pair.to_romeo.initiate(&pair.juliet, &bundle, &mut pair.rng).unwrap();
        let from_romeo = pair.romeo_writes(b"romeo");
        let from_juliet = pair.juliet_writes(b"juliet");
        assert_eq!(pair.juliet_reads(&from_romeo).unwrap(), b"romeo");
        assert_eq!(pair.romeo_reads(&from_juliet).unwrap(), b"juliet");
        for _ in 0..3 {
            let message = pair.romeo_writes(b"one");
            assert_eq!(pair.juliet_reads(&message).unwrap(), b"one");
            let message = pair.juliet_writes(b"two");
            assert_eq!(pair.romeo_reads(&message).unwrap(), b"two");
        }
        assert!(pair.to_juliet.is_confirmed() && pair.to_romeo.is_confirmed());
    }
}

#[test]
fn late_messages_of_a_replaced_session_are_read() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let late = pair.romeo_writes(b"late");
        pair.romeo_initiates();
        let message = pair.to_juliet.encrypt(b"anew", &mut pair.rng).unwrap().message;
        assert!(message.key_exchange);
        let read = pair.to_romeo.decrypt(&mut pair.juliet, &message.bytes).unwrap();
        assert!(read.new_session && read.used_pre_key.is_some());
        assert_eq!(pair.juliet_reads(&late).unwrap(), b"late");
    }
}

#[test]
fn the_archive_of_sessions_is_bounded() {
    let mut pair = Pair::confirmed(Version::Omemo2);
    let oldest = pair.romeo_writes(b"oldest");
    let mut sizes = Vec::new();
    for _ in 0..MAX_ARCHIVED_SESSIONS + 5 {
        pair.romeo_initiates();
        let message = pair.romeo_writes(b"anew");
        assert!(pair.juliet_reads(&message).is_ok());
        sizes.push(pair.to_romeo.to_bytes().len());
    }
    assert_eq!(sizes[sizes.len() - 5..].iter().max(), sizes[sizes.len() - 5..].iter().min());
    assert!(pair.juliet_reads(&oldest).is_err());
}

#[test]
fn a_long_chain_of_the_peer_is_answered_once() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let mut needs = Vec::new();
        for _ in 0..60 {
            let message = pair.romeo_writes(b"again");
            let read = pair.to_romeo.decrypt(&mut pair.juliet, &message).unwrap();
            needs.push(read.needs_heartbeat);
            if read.needs_heartbeat {
                pair.to_romeo = Sessions::from_bytes(&read.state).unwrap();
                assert!(pair.to_romeo.needs_heartbeat());
                // It gets lost, and is not repeated for the same ratchet key.
                let _ = pair.juliet_writes(b"heartbeat");
                assert!(!pair.to_romeo.needs_heartbeat());
            }
        }
        assert_eq!(needs.iter().position(|need| *need), Some(HEARTBEAT_COUNTER as usize));
        assert_eq!(needs.iter().filter(|need| **need).count(), 1);
        let answer = pair.juliet_writes(b"answer");
        assert!(pair.romeo_reads(&answer).is_ok());
        let message = pair.romeo_writes(b"new chain");
        assert!(pair.juliet_reads(&message).is_ok());
        assert!(!pair.to_romeo.needs_heartbeat());
    }
}

#[test]
fn another_identity_key_is_never_an_update() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let mut rng = ChaCha20Rng::seed_from_u64(99);
        let impostor = device(1, &mut rng);
        let mut to_juliet = Sessions::new(version);
        to_juliet.initiate(&impostor, &bundle(&pair.juliet, version), &mut rng).unwrap();
        let message = to_juliet.encrypt(b"believe me", &mut rng).unwrap().message.bytes;
        let before = (pair.to_romeo.to_bytes(), pair.juliet.to_bytes());
        assert_eq!(pair.juliet_reads(&message), Err(DecryptionError::IdentityChanged));
        let initiated = pair.to_romeo.initiate(&pair.juliet, &bundle(&impostor, version), &mut rng);
        assert_eq!(initiated, Err(InitiationError::IdentityChanged));
        assert!(before == (pair.to_romeo.to_bytes(), pair.juliet.to_bytes()));
    }
}

#[test]
fn a_bundle_of_mixed_parts_is_refused() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let [one, two] = [1, 2].map(|id| device(id, &mut rng));
    for version in Version::ALL {
        let [one, two] = [&one, &two].map(|device| device.bundle(version));
        assert!(Bundle::verify(version, one.clone()).is_ok());
        let mut mixed = one.clone();
        mixed.identity_key.clone_from(&two.identity_key);
        assert_eq!(Bundle::verify(version, mixed).unwrap_err(), BundleError::Signature);
        let mut mixed = one.clone();
        mixed.signed_pre_key.clone_from(&two.signed_pre_key);
        assert_eq!(Bundle::verify(version, mixed).unwrap_err(), BundleError::Signature);
        let mut mixed = one.clone();
        mixed.signature.clone_from(&two.signature);
        assert_eq!(Bundle::verify(version, mixed).unwrap_err(), BundleError::Signature);
        let mut none = one.clone();
        none.pre_keys.clear();
        assert_eq!(Bundle::verify(version, none).unwrap_err(), BundleError::NoPreKeys);
        let other = if version == Version::Legacy { Version::Omemo2 } else { Version::Legacy };
        assert!(Bundle::verify(other, one.clone()).is_err());
        let bundle = Bundle::verify(version, one).unwrap();
        let initiated = Sessions::new(other).initiate(&device(3, &mut rng), &bundle, &mut rng);
        assert_eq!(initiated, Err(InitiationError::Version));
    }
}

#[test]
fn prekey_zero_and_broken_prekeys_are_avoided() {
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let [romeo, juliet] = [1, 2].map(|id| device(id, &mut rng));
    for version in Version::ALL {
        let mut parts = juliet.bundle(version);
        parts.pre_keys.truncate(2);
        parts.pre_keys[0].0 = 0;
        let good = parts.pre_keys[1].1.clone();
        for _ in 0..20 {
            let bundle = Bundle::verify(version, parts.clone()).unwrap();
            assert!(Sessions::new(version).initiate(&romeo, &bundle, &mut rng).is_ok());
        }
        let mut broken = parts.clone();
        broken.pre_keys[1].1 = vec![0; good.len()];
        parts.pre_keys.truncate(1);
        for parts in [broken.clone(), parts] {
            // Some legacy clients publish ids from 0 on and may have no other left.
            match Bundle::verify(version, parts) {
                Ok(bundle) => {
                    assert_eq!(version, Version::Legacy);
                    assert!(Sessions::new(version).initiate(&romeo, &bundle, &mut rng).is_ok());
                }
                Err(error) => {
                    assert_eq!((version, error), (Version::Omemo2, BundleError::NoPreKeys));
                }
            }
        }
        broken.pre_keys.remove(0);
        assert_eq!(Bundle::verify(version, broken).unwrap_err(), BundleError::NoPreKeys);
    }
}

#[test]
fn two_senders_with_the_same_prekey_are_both_read_during_catch_up() {
    for version in Version::ALL {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let mut juliet = device(1, &mut rng);
        let mut parts = juliet.bundle(version);
        parts.pre_keys.truncate(1);
        let bundle = Bundle::verify(version, parts).unwrap();
        let messages = [2, 3, 4].map(|id| {
            let mut sessions = Sessions::new(version);
            sessions.initiate(&device(id, &mut rng), &bundle, &mut rng).unwrap();
            sessions.encrypt(b"hello", &mut rng).unwrap().message.bytes
        });
        let one = Sessions::new(version).decrypt(&mut juliet, &messages[0]).unwrap();
        assert_eq!(one.used_pre_key, Some(1));
        assert!(juliet.bundle(version).pre_keys.iter().all(|(id, _)| *id != 1));
        let two = Sessions::new(version).decrypt(&mut juliet, &messages[1]).unwrap();
        assert!(two.new_session);
        assert_eq!(two.used_pre_key, None, "it had been used already");
        juliet.forget_used_pre_keys();
        let three = Sessions::new(version).decrypt(&mut juliet, &messages[2]);
        assert_eq!(three.err(), Some(DecryptionError::UsedPreKey { id: 1 }));
    }
}

#[test]
fn two_hundred_key_exchanges_arrive_in_one_catch_up() {
    let version = Version::Omemo2;
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut juliet = device(1, &mut rng);
    let bundle = bundle(&juliet, version);
    let romeo = device(2, &mut rng);
    for _ in 0..200 {
        let mut to_juliet = Sessions::new(version);
        to_juliet.initiate(&romeo, &bundle, &mut rng).unwrap();
        let message = to_juliet.encrypt(b"hello", &mut rng).unwrap().message.bytes;
        assert!(Sessions::new(version).decrypt(&mut juliet, &message).is_ok());
    }
    let left = juliet.bundle(version).pre_keys.len();
    let changes = juliet.maintain(NOW_MS, &mut rng);
    assert_eq!(changes.pre_keys, PRE_KEYS - left);
    assert!(changes.any() && !changes.signed_pre_key);
    assert_eq!(juliet.bundle(version).pre_keys.len(), PRE_KEYS);
    assert!(!juliet.maintain(NOW_MS, &mut rng).any());
}

#[test]
fn the_signed_prekey_rotates_weekly_and_three_old_ones_are_kept() {
    for version in Version::ALL {
        let mut pair = Pair::new(version);
        let first = pair.romeo_writes(b"first");
        let old = pair.juliet.bundle(version);
        let mut now_ms = NOW_MS;
        let period = SIGNED_PRE_KEY_PERIOD_MS;
        assert!(!pair.juliet.maintain(now_ms + period - 1, &mut pair.rng).signed_pre_key);
        now_ms += period;
        assert!(pair.juliet.maintain(now_ms, &mut pair.rng).signed_pre_key);
        let new = pair.juliet.bundle(version);
        assert_ne!(new.signed_pre_key_id, old.signed_pre_key_id);
        assert_ne!(new.signed_pre_key, old.signed_pre_key);
        assert!(Bundle::verify(version, new).is_ok());
        let before = pair.to_romeo.to_bytes();
        // A clock that jumps forth and back.
        for now_ms in [NOW_MS, now_ms, NOW_MS] {
            pair.juliet = Device::from_bytes(&pair.juliet.to_bytes()).unwrap();
            pair.to_romeo = Sessions::from_bytes(&before).unwrap();
            assert!(pair.juliet_reads(&first).is_ok());
            assert!(pair.juliet.maintain(now_ms, &mut pair.rng).signed_pre_key);
        }
        pair.to_romeo = Sessions::from_bytes(&before).unwrap();
        let unknown = DecryptionError::UnknownSignedPreKey { id: old.signed_pre_key_id };
        assert_eq!(pair.juliet_reads(&first), Err(unknown));
        // A clock that had been years ahead does not stop the rotation.
        assert!(pair.juliet.maintain(NOW_MS + 100 * period, &mut pair.rng).signed_pre_key);
        assert!(pair.juliet.maintain(NOW_MS, &mut pair.rng).signed_pre_key);
    }
}

#[test]
fn without_a_session_nothing_is_encrypted_or_read() {
    for version in Version::ALL {
        let mut pair = Pair::confirmed(version);
        let message = pair.romeo_writes(b"hello");
        let mut sessions = Sessions::new(version);
        assert!(!sessions.is_open() && sessions.identity().is_none());
        let encrypted = sessions.encrypt(b"hello", &mut pair.rng);
        assert_eq!(encrypted.err(), Some(EncryptionError::NoSession));
        let decrypted = sessions.decrypt(&mut pair.juliet, &message);
        assert_eq!(decrypted.err(), Some(DecryptionError::NoSession));
    }
}

#[test]
fn a_device_and_a_session_print_no_secret() {
    let mut pair = Pair::confirmed(Version::Legacy);
    // Root key, our ratchet key and the chain keys of both directions.
    let printed = format!("{:?}", pair.to_romeo);
    assert_eq!(printed.matches("Secret").count(), printed.matches("SecretKey([secret])").count());
    assert_eq!(printed.matches("[secret]").count(), 4);
    let expected = format!(
        "Device {{ id: DeviceId(1), identity: IdentityKey({}), .. }}",
        pair.romeo.identity().fingerprint()
    );
    assert_eq!(format!("{:?}", pair.romeo), expected);
    let encrypted = pair.to_juliet.encrypt(b"a secret", &mut pair.rng).unwrap();
    assert!(!format!("{encrypted:?}").contains("97, 32, 115"));
    let decrypted = pair.to_romeo.decrypt(&mut pair.juliet, &encrypted.message.bytes).unwrap();
    assert!(!format!("{decrypted:?}").contains("97, 32, 115"));
}
