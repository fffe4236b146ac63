//! Bundles: whose they are, which of their prekeys are used, and how long those are kept.

use omemo::{
    Bundle, BundleError, DecryptionError, Device, InitiationError, PRE_KEYS,
    SIGNED_PRE_KEY_PERIOD_MS, Sessions, Version,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::{NOW_MS, Pair, bundle, device};

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
