//! A chain key: each step yields the key of one message and the next chain key.

use crate::message_key::MessageKey;
use crate::primitives::hmac;
use crate::secret::Secret;

/// `CK` of the Double Ratchet, with the number of the message whose key it yields next.
#[derive(Clone, Debug)]
pub(crate) struct ChainKey {
    key: Secret<32>,
    index: u32,
}

impl ChainKey {
    pub(crate) fn new(key: Secret<32>, index: u32) -> Self {
        Self { key, index }
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The counter of the next message.
    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    /// `KDF_CK(ck)`: the key of message [`ChainKey::index`], and the chain after it. `None` at the
    /// end of a chain of 2^32 - 1 messages.
    pub(crate) fn step(&self) -> Option<(MessageKey, Self)> {
        let index = self.index.checked_add(1)?;
        let key = MessageKey::new(hmac(self.key.as_bytes(), &[&[0x01]]));
        Some((key, Self { key: hmac(self.key.as_bytes(), &[&[0x02]]), index }))
    }
}
