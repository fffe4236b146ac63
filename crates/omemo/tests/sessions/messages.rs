//! Sessions are opened, their messages are read once, and what is no message changes nothing.

use omemo::{DecryptionError, Device, EncryptionError, Sessions, StateError, Version};

use crate::Pair;

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
