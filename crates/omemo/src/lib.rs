//! OMEMO (XEP-0384) in both versions that are in use, `urn:xmpp:omemo:2` and
//! `eu.siacs.conversations.axolotl`, over one implementation of X3DH and the Double Ratchet.
//!
//! The crate knows no XML, no network, no storage, no clock and no random number generator of its
//! own: bytes, milliseconds and a [`CryptoRng`](rand_core::CryptoRng) are arguments. It builds for
//! `wasm32`.
//!
//! # The parts
//!
//! - [`Device`] is our own device: identity key, signed prekeys, prekeys. It gives the bundles to
//!   publish, one per [`Version`], from the same keys.
//! - [`Bundle`] is what a peer's device has published, verified.
//! - [`Sessions`] is the state that belongs to one device of a peer, in one version.
//! - [`payload`] encrypts the content of a stanza once; the small key of it then goes through the
//!   [`Sessions`] of each device.
//!
//! Whom to trust is not decided here. What a client needs for it is the [`Fingerprint`] of an
//! [`IdentityKey`]: trust belongs to the pair of bare JID and fingerprint, never to a device id.
//! Ask before [`Sessions::encrypt`], and show whose message [`Decrypted::identity`] says it was.
//!
//! # A message from one device to another
//!
//! ```
//! use omemo::{Bundle, Device, DeviceId, Sessions, Version, payload};
//! # use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//! # let mut rng = ChaCha20Rng::from_seed([7; 32]);
//! # let now_ms = 1_800_000_000_000;
//! # fn store(_: &[u8]) {}
//! # fn send(_: &[u8]) {}
//! let version = Version::Omemo2;
//! let romeo = Device::generate(DeviceId::random(&mut rng), now_ms, &mut rng);
//! let mut juliet = Device::generate(DeviceId::random(&mut rng), now_ms, &mut rng);
//!
//! // Romeo has fetched Juliet's bundle, verifies it and trusts her identity key.
//! let bundle = Bundle::verify(version, juliet.bundle(version))?;
//! let mut to_juliet = Sessions::new(version);
//! to_juliet.initiate(&romeo, &bundle, &mut rng)?;
//!
//! // The payload is encrypted once, its key for each device. The state is stored, and then the
//! // message is sent.
//! let sent = payload::encrypt(version, b"<envelope xmlns='urn:xmpp:sce:1'/>", &mut rng);
//! let encrypted = to_juliet.encrypt(sent.key_material.as_bytes(), &mut rng)?;
//! store(&encrypted.state);
//! send(&encrypted.message.bytes);
//!
//! // Juliet's first message from this device opens a session and uses up a prekey. She stores the
//! // session, the device and the plaintext at once.
//! let mut to_romeo = Sessions::new(version);
//! let received = to_romeo.decrypt(&mut juliet, &encrypted.message.bytes)?;
//! assert!(received.new_session && received.used_pre_key.is_some());
//! assert_eq!(received.identity, *romeo.identity());
//! let ciphertext = sent.ciphertext.as_deref().unwrap_or_default();
//! let text = payload::decrypt(version, &received.plaintext, None, ciphertext)?;
//! store(&received.state);
//! store(&juliet.to_bytes());
//! assert_eq!(*text, b"<envelope xmlns='urn:xmpp:sce:1'/>");
//!
//! // Not while catching up with an archive: then it waits for the end.
//! juliet.forget_used_pre_keys();
//! if juliet.maintain(now_ms, &mut rng).any() {
//!     // Store the device and publish both bundles.
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! - Operations that fail change nothing. A forged message costs neither state nor, its limits
//!   being checked first, noticeable time.
//! - Keys of others are points of the prime-order group in canonical encoding, or they are
//!   refused; signatures are verified strictly.
//! - Every key exchange uses a one-time prekey.
//! - Secrets are wiped when dropped, not printed, compared in constant time.
//!
//! What is not promised: secrecy from who has the device, or from who replaced the first identity
//! key that was ever trusted; there is no protection against quantum computers.

// Whatever a peer sends: input never panics.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bundle;
mod chain_key;
mod curve;
mod device;
mod error;
mod identity;
mod message_key;
pub mod payload;
mod primitives;
mod ratchet;
mod root_key;
mod secret;
mod session;
mod sessions;
#[cfg(test)]
mod simulation;
mod state;
#[cfg(test)]
mod vectors;
mod version;
mod wire;
mod x3dh;
mod xeddsa;

pub use bundle::{Bundle, BundleError, BundleParts, MAX_BUNDLE_PRE_KEYS};
pub use curve::{KeyError, PublicKey};
pub use device::{
    Changes, Device, DeviceId, MAX_OLD_SIGNED_PRE_KEYS, MAX_USED_PRE_KEYS, PRE_KEYS,
    SIGNED_PRE_KEY_PERIOD_MS,
};
pub use error::{DecryptionError, EncryptionError, InitiationError};
pub use identity::{Fingerprint, IdentityKey, IdentityKeyPair, LabelError, MAX_LABEL_CHARS};
pub use ratchet::{HEARTBEAT_COUNTER, MAX_FORWARD_JUMP, MAX_RECEIVING_CHAINS, MAX_SKIPPED_KEYS};
pub use session::KeyMessage;
pub use sessions::{Decrypted, Encrypted, MAX_ARCHIVED_SESSIONS, Sessions};
pub use state::StateError;
pub use version::Version;
pub use wire::{MAX_KEY_MESSAGE_LEN, WireError};
