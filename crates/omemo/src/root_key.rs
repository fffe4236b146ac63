//! The root key: mixed with each new agreement, it yields a new root key and a chain key.

use crate::chain_key::ChainKey;
use crate::curve::SharedSecret;
use crate::primitives::hkdf;
use crate::secret::Secret;
use crate::version::Version;

/// `RK` of the Double Ratchet.
#[derive(Clone, Debug)]
pub(crate) struct RootKey(Secret<32>);

impl RootKey {
    pub(crate) fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// `KDF_RK(rk, dh_out)`: the root key is the salt, the agreement the input.
    pub(crate) fn advance(&self, version: Version, shared: &SharedSecret) -> (Self, ChainKey) {
        let okm = hkdf::<64>(self.0.as_bytes(), shared.as_bytes(), version.root_info());
        let mut root = Secret::zero();
        let mut chain = Secret::zero();
        let targets = root.as_mut().iter_mut().chain(chain.as_mut());
        targets.zip(okm.as_bytes()).for_each(|(target, byte)| *target = *byte);
        (Self(root), ChainKey::new(chain, 0))
    }
}
