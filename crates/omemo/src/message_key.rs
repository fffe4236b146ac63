//! A message key: encrypts one message, once.

use zeroize::Zeroizing;

use crate::primitives::{CbcHmac, tag_matches};
use crate::secret::Secret;
use crate::version::Version;

/// `MK` of the Double Ratchet.
#[derive(Clone, Debug)]
pub(crate) struct MessageKey(Secret<32>);

impl MessageKey {
    pub(crate) fn new(key: Secret<32>) -> Self {
        Self(key)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The keys that encrypt and authenticate.
    pub(crate) fn expand(&self, version: Version) -> CbcHmac {
        CbcHmac::derive(self.0.as_bytes(), version.message_key_info())
    }

    /// Compares the tag over `authenticated`, then decrypts. `None` if either is wrong.
    pub(crate) fn open(
        &self,
        version: Version,
        authenticated: &[&[u8]],
        tag: &[u8],
        ciphertext: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let keys = self.expand(version);
        if tag.len() != version.tag_len() || !tag_matches(&keys.tag(authenticated), tag) {
            return None;
        }
        keys.decrypt(ciphertext)
    }
}
