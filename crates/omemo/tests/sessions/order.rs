//! Messages that come late, or never, and sessions that stand in for each other.

use omemo::{
    DecryptionError, HEARTBEAT_COUNTER, MAX_ARCHIVED_SESSIONS, MAX_FORWARD_JUMP, MAX_SKIPPED_KEYS,
    Sessions, Version,
};

use crate::{Pair, bundle};

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
