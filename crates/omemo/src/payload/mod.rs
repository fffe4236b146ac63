//! The payload of a stanza: encrypted once, for all devices. Its key goes to each of them through
//! the [`Sessions`](crate::Sessions).

mod legacy;
mod omemo2;

use std::fmt;

use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::version::Version;

/// An encrypted payload, or an empty message.
#[derive(Debug)]
pub struct Payload {
    /// What each device gets through its session.
    pub key_material: KeyMaterial,
    /// The content of `<iv/>`, in the legacy version.
    pub iv: Option<[u8; 12]>,
    /// The content of `<payload/>`; `None` in an empty message, which has no such element.
    pub ciphertext: Option<Vec<u8>>,
}

/// The key of a payload, with its authentication tag: secret.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyMaterial(Vec<u8>);

impl KeyMaterial {
    /// To be given to [`Sessions::encrypt`](crate::Sessions::encrypt).
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The parts one after the other, without a copy left behind.
    fn concat(parts: &[&[u8]]) -> Self {
        Self(parts.concat())
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial([secret])")
    }
}

/// Encrypts a payload: the text of `<body/>` in the legacy version, an `<envelope/>` of XEP-0420
/// in `urn:xmpp:omemo:2`.
pub fn encrypt<R: CryptoRng + ?Sized>(version: Version, plaintext: &[u8], rng: &mut R) -> Payload {
    match version {
        Version::Legacy => legacy::encrypt(plaintext, rng),
        Version::Omemo2 => omemo2::encrypt(plaintext, rng),
    }
}

/// An empty message: it only moves the ratchet on.
pub fn empty<R: CryptoRng + ?Sized>(version: Version, rng: &mut R) -> Payload {
    match version {
        Version::Legacy => legacy::empty(rng),
        Version::Omemo2 => omemo2::empty(),
    }
}

/// Decrypts a payload. `key_material` is the plaintext of the `<key/>`, `iv` the content of
/// `<iv/>`, which `urn:xmpp:omemo:2` does not have and ignores.
///
/// An empty message has no payload, so there is nothing to call this for.
///
/// # Errors
///
/// See [`PayloadError`].
pub fn decrypt(
    version: Version,
    key_material: &[u8],
    iv: Option<&[u8]>,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    match version {
        Version::Legacy => legacy::decrypt(key_material, iv, ciphertext),
        Version::Omemo2 => omemo2::decrypt(key_material, ciphertext),
    }
}

/// Why a payload could not be decrypted although its key could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The key material has not the length that it should have.
    #[error("the key material has {0} bytes")]
    KeyLength(usize),
    /// The sender left the tag in the payload, as was done before 2017: then each recipient could
    /// have written it. Its client is out of date.
    #[error("the sender's client is out of date: the payload is not authenticated for each device")]
    OutdatedSender,
    /// The legacy version needs an `<iv/>` of 12 or 16 bytes.
    #[error("the initialisation vector is missing or neither 12 nor 16 bytes long")]
    Iv,
    /// The payload does not belong to the key.
    #[error("the payload is not authentic")]
    BadTag,
}
