//! X3DH: the first secret of a session, from the keys in a bundle.

use zeroize::Zeroizing;

use crate::curve::{KeyError, PublicKey, SecretKey, SharedSecret};
use crate::primitives::hkdf;
use crate::root_key::RootKey;
use crate::version::Version;

/// The side that has a bundle and writes first.
pub(crate) struct Initiator<'a> {
    /// `IK_A`
    pub(crate) identity: &'a SecretKey,
    /// `EK_A`, drawn for this one exchange.
    pub(crate) ephemeral: &'a SecretKey,
    /// `IK_B`
    pub(crate) their_identity: &'a PublicKey,
    /// `SPK_B`
    pub(crate) their_signed_pre_key: &'a PublicKey,
    /// `OPK_B`
    pub(crate) their_pre_key: &'a PublicKey,
}

impl Initiator<'_> {
    pub(crate) fn agree(&self, version: Version) -> Result<RootKey, KeyError> {
        Ok(derive(
            version,
            [
                self.identity.agree(self.their_signed_pre_key)?,
                self.ephemeral.agree(self.their_identity)?,
                self.ephemeral.agree(self.their_signed_pre_key)?,
                self.ephemeral.agree(self.their_pre_key)?,
            ],
        ))
    }
}

/// The side whose bundle it was.
pub(crate) struct Responder<'a> {
    /// `IK_B`
    pub(crate) identity: &'a SecretKey,
    /// `SPK_B`
    pub(crate) signed_pre_key: &'a SecretKey,
    /// `OPK_B`
    pub(crate) pre_key: &'a SecretKey,
    /// `IK_A`
    pub(crate) their_identity: &'a PublicKey,
    /// `EK_A`
    pub(crate) their_ephemeral: &'a PublicKey,
}

impl Responder<'_> {
    pub(crate) fn agree(&self, version: Version) -> Result<RootKey, KeyError> {
        Ok(derive(
            version,
            [
                self.signed_pre_key.agree(self.their_identity)?,
                self.identity.agree(self.their_ephemeral)?,
                self.signed_pre_key.agree(self.their_ephemeral)?,
                self.pre_key.agree(self.their_ephemeral)?,
            ],
        ))
    }
}

/// `KDF(F || DH1 || DH2 || DH3 || DH4)` with a salt of zeros.
fn derive(version: Version, agreements: [SharedSecret; 4]) -> RootKey {
    // Reserved at once: a vector that grows leaves copies behind.
    let mut ikm = Zeroizing::new(Vec::with_capacity(32 * 5));
    ikm.extend_from_slice(&[0xff; 32]);
    agreements.iter().for_each(|shared| ikm.extend_from_slice(shared.as_bytes()));
    RootKey::new(hkdf(&[0; 32], &ikm, version.x3dh_info()))
}
