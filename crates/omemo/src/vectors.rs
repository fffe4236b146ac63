//! Known answers of other implementations, from the files in `tests/vectors`.

use sha2::{Digest, Sha256};

use crate::bundle::{Bundle, BundleError, BundleParts};
use crate::chain_key::ChainKey;
use crate::curve::{PublicKey, SecretKey, SharedSecret};
use crate::identity::IdentityKey;
use crate::message_key::MessageKey;
use crate::root_key::RootKey;
use crate::secret::Secret;
use crate::version::Version;
use crate::wire::{self, Element, Header, Opening};
use crate::x3dh::{Initiator, Responder};

/// The value of a name in `known_answers.txt`.
pub(crate) fn known(name: &str) -> Vec<u8> {
    let line = include_str!("../tests/vectors/known_answers.txt")
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    unhex(line.unwrap_or_else(|| panic!("there is no vector {name}")))
}

pub(crate) fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// `first`, `first + 1`, …
pub(crate) fn count<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|i| first + i as u8)
}

fn known_key(name: &str) -> PublicKey {
    PublicKey::from_bytes(&known(name)).unwrap()
}

fn identity(name: &str) -> IdentityKey {
    IdentityKey::from_prefixed_curve25519(&known_key(name).to_prefixed_bytes()).unwrap()
}

fn scalar(byte: u8) -> SecretKey {
    SecretKey::from_secret(Secret::copy_of(&[byte; 32]))
}

fn name(version: Version) -> &'static str {
    match version {
        Version::Legacy => "legacy",
        Version::Omemo2 => "omemo2",
    }
}

#[test]
fn a_chain_key_steps_as_elsewhere() {
    let (message_key, chain) = ChainKey::new(Secret::copy_of(&count(0)), 4).step().unwrap();
    assert_eq!(message_key.as_bytes(), known("chain.mk").as_slice());
    assert_eq!(chain.as_bytes(), known("chain.ck").as_slice());
    assert_eq!(chain.index(), 5);
}

#[test]
fn a_root_key_advances_as_elsewhere() {
    for version in Version::ALL {
        let shared = SharedSecret::for_test(&count(0x20));
        let (root, chain) = RootKey::new(Secret::copy_of(&count(0))).advance(version, &shared);
        assert_eq!(root.as_bytes(), known(&format!("root.{}.rk", name(version))).as_slice());
        assert_eq!(chain.as_bytes(), known(&format!("root.{}.ck", name(version))).as_slice());
    }
}

#[test]
fn x3dh_agrees_as_elsewhere_on_both_sides() {
    let publics = ["ik_a", "ik_b", "spk_b", "ek_a", "opk_b"].map(|key| format!("x3dh.{key}"));
    for (byte, name) in (1..).zip(&publics) {
        assert_eq!(scalar(byte).public_key(), known_key(name), "{name}");
    }
    let [ik_a, ik_b, spk_b, ek_a, opk_b] = publics.map(|name| known_key(&name));
    for version in Version::ALL {
        let initiator = Initiator {
            identity: &scalar(1),
            ephemeral: &scalar(4),
            their_identity: &ik_b,
            their_signed_pre_key: &spk_b,
            their_pre_key: &opk_b,
        };
        let responder = Responder {
            identity: &scalar(2),
            signed_pre_key: &scalar(3),
            pre_key: &scalar(5),
            their_identity: &ik_a,
            their_ephemeral: &ek_a,
        };
        let expected = known(&format!("x3dh.{}.sk", name(version)));
        assert_eq!(initiator.agree(version).unwrap().as_bytes(), expected.as_slice());
        assert_eq!(responder.agree(version).unwrap().as_bytes(), expected.as_slice());
    }
}

#[test]
fn an_identity_key_changes_its_form_as_elsewhere() {
    let from_legacy = identity("x3dh.ik_a");
    let mut ed25519 = known("identity.ik_a.sign0");
    assert_eq!(from_legacy.as_ed25519(), ed25519.as_slice());
    ed25519[31] = 0xe6;
    let with_sign = IdentityKey::from_ed25519(&ed25519).unwrap();
    assert_eq!(with_sign.fingerprint(), from_legacy.fingerprint());
    assert_ne!(with_sign, from_legacy);
    let fingerprint = "a4e09292b651c278b9772c569f5fa9bb13d906b46ab68c9df9dc2b4409f8a209";
    assert_eq!(with_sign.fingerprint().to_string(), fingerprint);
    assert_eq!(with_sign.fingerprint().groups().collect::<String>(), fingerprint);
    assert_eq!(with_sign.fingerprint().groups().nth(1).unwrap(), "b651c278");
}

/// Associated data of a message that A sends in a session that A opened.
fn associated_data(version: Version) -> Vec<u8> {
    let [a, b] = ["x3dh.ik_a", "x3dh.ik_b"].map(identity);
    match version {
        Version::Legacy => [a, b].map(|key| key.curve25519().to_prefixed_bytes()).concat(),
        Version::Omemo2 => [*a.as_ed25519(), *b.as_ed25519()].concat(),
    }
}

fn plaintext(version: Version) -> Vec<u8> {
    match version {
        Version::Legacy => count::<32>(0x40).to_vec(),
        Version::Omemo2 => count::<48>(0x40).to_vec(),
    }
}

#[test]
fn a_message_is_written_and_read_as_elsewhere() {
    for version in Version::ALL {
        let expected = known(&format!("message.{}", name(version)));
        let ek_a = *known_key("x3dh.ek_a").as_bytes();
        let header = Header { ratchet_key: ek_a, counter: 7, previous_counter: 0 };
        let ad = associated_data(version);
        let message_key = MessageKey::new(Secret::copy_of(&count(0)));
        let keys = message_key.expand(version);
        let ciphertext = keys.encrypt(&plaintext(version));
        let written = wire::write_message(version, &header, &ciphertext, |message| {
            keys.tag(&[ad.as_slice(), message])
        });
        assert_eq!(written, expected);

        let Ok(Element::Message(read)) = wire::parse(version, &expected) else {
            panic!("it is a message")
        };
        assert_eq!(read.header, header);
        let authenticated = [ad.as_slice(), read.authenticated];
        let opened = message_key.open(version, &authenticated, read.tag, read.ciphertext);
        assert_eq!(*opened.unwrap(), plaintext(version));
    }
}

#[test]
fn a_key_exchange_is_written_and_read_as_elsewhere() {
    for (version, len) in [(Version::Legacy, 175), (Version::Omemo2, 198)] {
        let message = known(&format!("message.{}", name(version)));
        let opening = Opening {
            pre_key_id: 9,
            signed_pre_key_id: 1,
            identity_key: &identity("x3dh.ik_a"),
            base_key: &known_key("x3dh.ek_a"),
        };
        let written = wire::write_key_exchange(version, &opening, &message);
        let mut expected = known(&format!("exchange.{}.head", name(version)));
        expected.extend_from_slice(&message);
        if version == Version::Legacy {
            expected.extend(known("exchange.legacy.tail"));
        }
        assert_eq!(written, expected);
        assert_eq!(written.len(), len);

        let Ok(Element::KeyExchange(read)) = wire::parse(version, &written) else {
            panic!("it is a key exchange")
        };
        assert_eq!((read.pre_key_id, read.signed_pre_key_id), (Some(9), 1));
        let read_identity = wire::parse_identity_key(version, read.identity_key).unwrap();
        assert_eq!(read_identity, *opening.identity_key);
        assert_eq!(read.base_key, *opening.base_key.as_bytes());
        assert_eq!(read.message.header.counter, 7);
    }
}

#[test]
fn signatures_are_judged_by_the_specification() {
    let cases = include_str!("../tests/vectors/signatures.txt");
    let cases = cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let spk = scalar(0x42).public_key();
    let expected = "132c442be010fbd57e72603328aa76e71fccc1503aae219327d14d9c9993f472";
    assert_eq!(spk.as_bytes()[..], unhex(expected));
    let mut count = 0;
    for line in cases {
        let [case, ik, spks, python_omemo, _, _] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let parts = BundleParts {
            identity_key: unhex(ik),
            signed_pre_key_id: 1,
            signed_pre_key: spk.as_bytes().to_vec(),
            signature: unhex(spks),
            pre_keys: vec![(1, spk.as_bytes().to_vec())],
        };
        // python-omemo is right by the text of XEP-0384 0.9.1 in each of these.
        let verified = Bundle::verify(Version::Omemo2, parts).map(|_| ());
        let expected = if python_omemo == "y" { Ok(()) } else { Err(BundleError::Signature) };
        assert_eq!(verified, expected, "case {case}");
        count += 1;
    }
    assert_eq!(count, 7);
}

#[test]
fn the_legacy_version_finds_the_sign_in_the_signature() {
    let cases = include_str!("../tests/vectors/signatures.txt");
    let case = |wanted: &str| {
        let line = cases.lines().find(|line| line.starts_with(wanted)).unwrap();
        let [_, ik, spks, _, _, _] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        (IdentityKey::from_ed25519(&unhex(ik)).unwrap(), unhex(spks))
    };
    let spk = scalar(0x42).public_key();
    let verify = |key: IdentityKey, message: &[u8], signature: &[u8]| {
        key.verify_xeddsa(message, signature.try_into().unwrap())
    };
    // The sign of the key does not count, that in the signature does.
    for (name, expected) in [("a ", false), ("b ", true), ("c ", true), ("f ", true)] {
        let (key, signature) = case(name);
        assert_eq!(verify(key, spk.as_bytes(), &signature), expected, "case {name}");
    }
    // What is signed in this version are the 33 bytes.
    let (key, mut signature) = case("e ");
    assert!(!verify(key, &spk.to_prefixed_bytes(), &signature));
    signature[63] |= 0x80;
    assert!(verify(key, &spk.to_prefixed_bytes(), &signature));
    assert!(!verify(key, spk.as_bytes(), &signature));
}

/// `payload::omemo2` compares the digest of a long ciphertext.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}
