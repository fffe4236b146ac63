//! Bundles: the public keys with which a session can be opened towards a device.

use rand_core::CryptoRng;

use crate::curve::{KeyError, PublicKey};
use crate::identity::IdentityKey;
use crate::version::Version;
use crate::wire;

/// The most prekeys that are read from a bundle.
pub const MAX_BUNDLE_PRE_KEYS: usize = 500;

/// A bundle as it stands in XML, base64 decoded: what our device publishes, what a peer claims.
///
/// | field | `urn:xmpp:omemo:2` | `eu.siacs.conversations.axolotl` |
/// |---|---|---|
/// | `identity_key` | `<ik/>` | `<identityKey/>` |
/// | `signed_pre_key_id` | `<spk id=''/>` | `<signedPreKeyPublic signedPreKeyId=''/>` |
/// | `signed_pre_key` | `<spk/>` | `<signedPreKeyPublic/>` |
/// | `signature` | `<spks/>` | `<signedPreKeySignature/>` |
/// | `pre_keys` | `<pk id=''/>` | `<preKeyPublic preKeyId=''/>` |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleParts {
    /// The identity key: 32 bytes in Ed25519 form, or 33 in Curve25519 form.
    pub identity_key: Vec<u8>,
    /// The id of the signed prekey.
    pub signed_pre_key_id: u32,
    /// The signed prekey: 32 bytes, or 33.
    pub signed_pre_key: Vec<u8>,
    /// Its signature by the identity key, 64 bytes.
    pub signature: Vec<u8>,
    /// The ids of the prekeys and the keys: 32 bytes, or 33.
    pub pre_keys: Vec<(u32, Vec<u8>)>,
}

/// The verified bundle of a peer's device.
///
/// A value proves that the signed prekey belongs to the identity key. It does not prove whose
/// identity key that is: compare [`Bundle::identity`] with what is trusted before you use it.
#[derive(Clone, Debug)]
pub struct Bundle {
    version: Version,
    identity: IdentityKey,
    signed_pre_key_id: u32,
    signed_pre_key: PublicKey,
    pre_keys: Vec<(u32, Vec<u8>)>,
}

/// A prekey that was chosen from a bundle.
pub(crate) struct ChosenPreKey {
    pub(crate) id: u32,
    pub(crate) key: PublicKey,
}

impl Bundle {
    /// Verifies what a peer has published.
    ///
    /// One of the prekeys must be usable. The others are looked at when one is needed: they are not
    /// signed, and a bad one among a hundred does no harm.
    ///
    /// # Errors
    ///
    /// A key or the signature is not right, or there are no usable prekeys or far too many.
    pub fn verify(version: Version, parts: BundleParts) -> Result<Self, BundleError> {
        let identity = wire::parse_identity_key(version, &parts.identity_key)
            .map_err(BundleError::IdentityKey)?;
        let signed_pre_key = wire::parse_public_key(version, &parts.signed_pre_key)
            .map_err(BundleError::SignedPreKey)?;
        let signature =
            parts.signature.as_slice().try_into().map_err(|_| BundleError::Signature)?;
        // What is signed are the bytes on the wire: with the type byte in the legacy version.
        let authentic = match version {
            Version::Legacy => identity.verify_xeddsa(&parts.signed_pre_key, signature),
            Version::Omemo2 => identity.verify(&parts.signed_pre_key, signature),
        };
        if !authentic {
            return Err(BundleError::Signature);
        }
        match parts.pre_keys.len() {
            0 => return Err(BundleError::NoPreKeys),
            1..=MAX_BUNDLE_PRE_KEYS => {}
            _ => return Err(BundleError::TooManyPreKeys),
        }
        let (signed_pre_key_id, pre_keys) = (parts.signed_pre_key_id, parts.pre_keys);
        let usable = |(id, key): &(u32, Vec<u8>)| {
            (*id != 0 || version == Version::Legacy) && wire::parse_public_key(version, key).is_ok()
        };
        if !pre_keys.iter().any(usable) {
            return Err(BundleError::NoPreKeys);
        }
        Ok(Self { version, identity, signed_pre_key_id, signed_pre_key, pre_keys })
    }

    /// Which OMEMO it is for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The identity key of the device. In the legacy version its sign is not known and taken as 0.
    pub fn identity(&self) -> &IdentityKey {
        &self.identity
    }

    pub(crate) fn signed_pre_key(&self) -> (u32, &PublicKey) {
        (self.signed_pre_key_id, &self.signed_pre_key)
    }

    /// Draws one of the usable prekeys.
    ///
    /// Widespread libraries read prekey id 0 as "no prekey" and come to another secret. So it is
    /// never used for `urn:xmpp:omemo:2`, whose ids begin at 1, and otherwise only for want of
    /// another.
    pub(crate) fn choose_pre_key<R: CryptoRng + ?Sized>(
        &self,
        rng: &mut R,
    ) -> Option<ChosenPreKey> {
        let (zero, mut candidates): (Vec<_>, Vec<_>) =
            self.pre_keys.iter().partition(|(id, _)| *id == 0);
        while !candidates.is_empty() {
            // At most 500 of them: how far this is from uniform cannot be measured.
            let position = rng.next_u64() % candidates.len() as u64;
            let (id, key) = candidates.swap_remove(usize::try_from(position).unwrap_or(0));
            if let Ok(key) = wire::parse_public_key(self.version, key) {
                return Some(ChosenPreKey { id: *id, key });
            }
        }
        let mut zero = zero.into_iter().filter(|_| self.version == Version::Legacy);
        zero.find_map(|(id, key)| {
            let key = wire::parse_public_key(self.version, key).ok()?;
            Some(ChosenPreKey { id: *id, key })
        })
    }
}

/// Why a bundle cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The identity key is not a key.
    #[error("the identity key: {0}")]
    IdentityKey(#[source] KeyError),
    /// The signed prekey is not a key.
    #[error("the signed prekey: {0}")]
    SignedPreKey(#[source] KeyError),
    /// The signature of the signed prekey is not by the identity key.
    #[error("the signed prekey is not signed by the identity key")]
    Signature,
    /// There are no usable prekeys. A key exchange has to use one.
    #[error("the bundle has no usable prekeys")]
    NoPreKeys,
    /// More than [`MAX_BUNDLE_PRE_KEYS`].
    #[error("the bundle has more than {MAX_BUNDLE_PRE_KEYS} prekeys")]
    TooManyPreKeys,
}
