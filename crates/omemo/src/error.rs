//! What can go wrong with a session: one type per operation, one variant per cause.

use crate::curve::KeyError;
use crate::wire::WireError;

/// Why no session could be opened towards a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InitiationError {
    /// The bundle belongs to the other version of OMEMO.
    #[error("the bundle is for the other version of OMEMO")]
    Version,
    /// The bundle has another identity key than the device had so far. That is never an update:
    /// a device keeps its key for life.
    #[error("the device has another identity key than before")]
    IdentityChanged,
    /// None of the prekeys can be used, and a key exchange must use one.
    #[error("the bundle has no usable prekey")]
    NoPreKey,
    /// A key agreement failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why nothing could be encrypted for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// There is no session. Open one from the device's bundle.
    #[error("there is no session with the device")]
    NoSession,
    /// 2^32 messages without an answer. Open a new session.
    #[error("the sending chain is used up")]
    Exhausted,
    /// A key agreement failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why the content of a `<key/>` could not be decrypted. Nothing has changed.
///
/// None of these is a reason to open a new session without being asked (XEP-0384, "Security
/// Considerations").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecryptionError {
    /// Seen already: archive, carbon and live delivery overlap. To be ignored without a word
    /// (XEP-0384, "Business Rules"). Without a key nothing can be authenticated, so a forger can
    /// cause this as well; it gains no more by that than by dropping the message.
    #[error("the message has been decrypted before")]
    Duplicate,
    /// Its key is no longer kept, because its chain is gone or because there were more than
    /// [`MAX_SKIPPED_KEYS`](crate::MAX_SKIPPED_KEYS): seen already, or very late. Who knows what
    /// was seen can tell; what was not is lost, and its reader should be told.
    #[error("the key of the message is no longer kept")]
    Expired,
    /// The bytes make no sense.
    #[error(transparent)]
    Malformed(#[from] WireError),
    /// There is no session with the device, and this is no key exchange.
    #[error("there is no session with the device")]
    NoSession,
    /// A key exchange without a one-time prekey, which must be rejected.
    #[error("the key exchange uses no prekey")]
    NoPreKey,
    /// A key exchange with a prekey that is gone: used by another sender, or long ago.
    #[error("the key exchange uses prekey {id}, which is used up")]
    UsedPreKey {
        /// Its id.
        id: u32,
    },
    /// A key exchange with a prekey that this device never had.
    #[error("the key exchange uses prekey {id}, which never existed")]
    UnknownPreKey {
        /// Its id.
        id: u32,
    },
    /// A key exchange with a signed prekey that is gone or never existed.
    #[error("the key exchange uses signed prekey {id}, which is not known")]
    UnknownSignedPreKey {
        /// Its id.
        id: u32,
    },
    /// The key exchange has another identity key than the device had so far. That is never an
    /// update: a device keeps its key for life.
    #[error("the device has another identity key than before")]
    IdentityChanged,
    /// A public key is not one that an honest device can have.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The message was changed on its way, or is from a session that this device does not have.
    #[error("the message is not authentic for this session")]
    BadMac,
    /// More messages are missing before this one than are accepted.
    #[error("the message is {jump} ahead, more than is accepted")]
    TooFarAhead {
        /// By how many messages.
        jump: u32,
    },
}
