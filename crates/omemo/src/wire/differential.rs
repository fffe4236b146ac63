//! Our reader beside `prost`: whatever the bytes, both say the same.
//!
//! Ours refuses more: a known field twice, groups, and keys or tags of the wrong length.

use proptest::prelude::*;
use prost::Message as _;

use super::{Element, Message, WireError, parse};
use crate::version::Version;

#[derive(Clone, PartialEq, prost::Message)]
struct OmemoMessage {
    #[prost(uint32, optional, tag = "1")]
    n: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    pn: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    dh_pub: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ciphertext: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OmemoAuthenticatedMessage {
    #[prost(bytes = "vec", optional, tag = "1")]
    mac: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    message: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct OmemoKeyExchange {
    #[prost(uint32, optional, tag = "1")]
    pk_id: Option<u32>,
    #[prost(uint32, optional, tag = "2")]
    spk_id: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "3")]
    ik: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    ek: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    message: Option<Vec<u8>>,
}

/// Both readers of a message. If one refuses, the other has to have a reason not to.
fn compare_message(bytes: &[u8], ours: Result<Message<'_>, WireError>) {
    let theirs = OmemoAuthenticatedMessage::decode(bytes).ok();
    let inner = theirs
        .as_ref()
        .and_then(|outer| OmemoMessage::decode(outer.message.as_deref().unwrap_or_default()).ok());
    match ours {
        Ok(ours) => {
            let (theirs, inner) = (theirs.unwrap(), inner.unwrap());
            assert_eq!(theirs.mac.as_deref(), Some(ours.tag));
            assert_eq!(theirs.message.as_deref(), Some(ours.authenticated));
            assert_eq!(inner.n, Some(ours.header.counter));
            assert_eq!(inner.pn, Some(ours.header.previous_counter));
            assert_eq!(inner.dh_pub.as_deref(), Some(&ours.header.ratchet_key[..]));
            assert_eq!(inner.ciphertext.as_deref(), Some(ours.ciphertext));
        }
        Err(WireError::Missing(_) | WireError::Field(_)) => {
            let complete = theirs.zip(inner).is_some_and(|(outer, inner)| {
                outer.mac.is_some_and(|mac| mac.len() == 16)
                    && inner.dh_pub.is_some_and(|key| key.len() == 32)
                    && inner.n.and(inner.pn).is_some()
                    && inner.ciphertext.is_some()
            });
            assert!(!complete);
        }
        // A group, or a type that ours knows and prost knows as well.
        Err(WireError::Duplicate(_) | WireError::Type(_)) => {}
        Err(_) => assert!(theirs.is_none() || inner.is_none()),
    }
}

fn compare(bytes: &[u8]) {
    match parse(Version::Omemo2, bytes) {
        Ok(Element::Message(message)) => compare_message(bytes, Ok(message)),
        Ok(Element::KeyExchange(ours)) => {
            let theirs = OmemoKeyExchange::decode(bytes).unwrap();
            assert_eq!(theirs.pk_id, ours.pre_key_id);
            assert_eq!(theirs.spk_id, Some(ours.signed_pre_key_id));
            assert_eq!(theirs.ik.as_deref(), Some(ours.identity_key));
            assert_eq!(theirs.ek.as_deref(), Some(&ours.base_key[..]));
            compare_message(&theirs.message.unwrap(), Ok(ours.message));
        }
        Err(error) if matches!(bytes.first(), Some(0x0a | 0x12)) => {
            compare_message(bytes, Err(error));
        }
        Err(WireError::Truncated | WireError::Number) => {
            let outer = OmemoKeyExchange::decode(bytes).ok();
            let message = outer.and_then(|outer| outer.message);
            let message = message.and_then(|message| {
                OmemoAuthenticatedMessage::decode(message.as_slice()).ok()?.message
            });
            assert!(message.is_none_or(|inner| OmemoMessage::decode(&inner[..]).is_err()));
        }
        Err(_) => {}
    }
}

/// A field of any kind, often a known one.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![Just(32_usize), Just(16), Just(33), 0..40_usize];
    prop_oneof![
        4 => (1..7_u8, any::<u32>()).prop_map(|(field, value)| {
            let mut out = Vec::new();
            super::protobuf::write_number(&mut out, field, value);
            out
        }),
        4 => (1..7_u8, key, any::<u8>()).prop_map(|(field, len, byte)| {
            let mut out = Vec::new();
            super::protobuf::write_bytes(&mut out, field, &vec![byte; len]);
            out
        }),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ]
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(field(), 0..7).prop_map(|fields| fields.concat())
}

fn valid_message() -> Vec<u8> {
    let mut message = crate::vectors::known("message.omemo2");
    message.truncate(124);
    message
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn messages_of_random_fields_are_read_as_prost_reads_them(bytes in message()) {
        compare(&bytes);
    }

    #[test]
    fn messages_within_messages_are_read_as_prost_reads_them(
        inner in message(), outer in message(), swap: bool,
    ) {
        let mut authenticated = Vec::new();
        super::protobuf::write_bytes(&mut authenticated, 1, &[7; 16]);
        super::protobuf::write_bytes(&mut authenticated, 2, &inner);
        compare(&authenticated);
        let mut exchange = if swap { Vec::new() } else { outer.clone() };
        super::protobuf::write_bytes(&mut exchange, 5, &authenticated);
        exchange.extend(if swap { outer } else { Vec::new() });
        compare(&exchange);
    }

    #[test]
    fn valid_messages_that_were_changed_are_read_as_prost_reads_them(
        position in 0..124_usize, byte: u8, cut in 0..124_usize,
    ) {
        let mut bytes = valid_message();
        bytes[position] = byte;
        compare(&bytes);
        compare(&bytes[..cut]);
    }
}

#[test]
fn a_message_of_prost_is_read() {
    let inner = OmemoMessage {
        n: Some(3),
        pn: Some(u32::MAX),
        dh_pub: Some(vec![9; 32]),
        ciphertext: Some(vec![1; 48]),
    };
    let message = inner.encode_to_vec();
    let outer = OmemoAuthenticatedMessage { mac: Some(vec![2; 16]), message: Some(message) };
    let exchange = OmemoKeyExchange {
        pk_id: Some(0),
        spk_id: Some(1),
        ik: Some(vec![3; 32]),
        ek: Some(vec![4; 32]),
        message: Some(outer.encode_to_vec()),
    };
    for bytes in [outer.encode_to_vec(), exchange.encode_to_vec()] {
        assert!(parse(Version::Omemo2, &bytes).is_ok());
        compare(&bytes);
    }
}
