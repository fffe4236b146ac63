//! The bytes inside `<key/>`: a ratchet message, alone or within a key exchange.

#[cfg(test)]
mod differential;
mod legacy;
mod omemo2;
mod protobuf;

pub use protobuf::WireError;

use crate::curve::{KeyError, PublicKey};
use crate::identity::IdentityKey;
use crate::secret::Secret;
use crate::version::Version;

/// The most bytes of a `<key/>` that are looked at. An honest one has about 200.
pub const MAX_KEY_MESSAGE_LEN: usize = 2048;

/// What a `<key/>` holds.
#[derive(Debug)]
pub(crate) enum Element<'a> {
    KeyExchange(KeyExchange<'a>),
    Message(Message<'a>),
}

/// `OMEMOKeyExchange`, called `PreKeySignalMessage` in the legacy version.
#[derive(Debug)]
pub(crate) struct KeyExchange<'a> {
    /// Absent where the sender used no one-time prekey, or cannot write zero.
    pub(crate) pre_key_id: Option<u32>,
    pub(crate) signed_pre_key_id: u32,
    /// The identity key as it stands on the wire.
    pub(crate) identity_key: &'a [u8],
    /// The ephemeral key `ek`, without a type byte.
    pub(crate) base_key: [u8; 32],
    pub(crate) message: Message<'a>,
}

/// `OMEMOAuthenticatedMessage` with the `OMEMOMessage` in it, or `SignalMessage`.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) header: Header,
    pub(crate) ciphertext: &'a [u8],
    /// What the tag covers besides the associated data: bytes as they were received, because
    /// writing them anew may give others.
    pub(crate) authenticated: &'a [u8],
    pub(crate) tag: &'a [u8],
}

/// The header of the Double Ratchet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// `DHs.public`, not checked yet: only a key that begins a new chain needs to be.
    pub(crate) ratchet_key: [u8; 32],
    /// `N`
    pub(crate) counter: u32,
    /// `PN`
    pub(crate) previous_counter: u32,
}

/// What a key exchange says besides the message; kept until the peer has answered.
pub(crate) struct Opening<'a> {
    pub(crate) pre_key_id: u32,
    pub(crate) signed_pre_key_id: u32,
    pub(crate) identity_key: &'a IdentityKey,
    pub(crate) base_key: &'a PublicKey,
}

/// Reads a `<key/>`. Whether it is a key exchange is seen from the bytes, because senders do not
/// agree on when to set the attribute that says so.
pub(crate) fn parse(version: Version, bytes: &[u8]) -> Result<Element<'_>, WireError> {
    if bytes.len() > MAX_KEY_MESSAGE_LEN {
        return Err(WireError::TooLong);
    }
    match version {
        Version::Legacy => legacy::parse(bytes),
        Version::Omemo2 => omemo2::parse(bytes),
    }
}

/// Writes a message; `tag` computes the whole HMAC over the bytes that it is given.
pub(crate) fn write_message(
    version: Version,
    header: &Header,
    ciphertext: &[u8],
    tag: impl FnOnce(&[u8]) -> Secret<32>,
) -> Vec<u8> {
    match version {
        Version::Legacy => legacy::write_message(header, ciphertext, tag),
        Version::Omemo2 => omemo2::write_message(header, ciphertext, tag),
    }
}

/// Wraps a message that [`write_message`] wrote into a key exchange.
pub(crate) fn write_key_exchange(
    version: Version,
    opening: &Opening<'_>,
    message: &[u8],
) -> Vec<u8> {
    match version {
        Version::Legacy => legacy::write_key_exchange(opening, message),
        Version::Omemo2 => omemo2::write_key_exchange(opening, message),
    }
}

/// Reads an identity key as `version` writes it.
pub(crate) fn parse_identity_key(version: Version, bytes: &[u8]) -> Result<IdentityKey, KeyError> {
    match version {
        Version::Legacy => IdentityKey::from_prefixed_curve25519(bytes),
        Version::Omemo2 => IdentityKey::from_ed25519(bytes),
    }
}

/// Reads any other public key as `version` writes it.
pub(crate) fn parse_public_key(version: Version, bytes: &[u8]) -> Result<PublicKey, KeyError> {
    match version {
        Version::Legacy => PublicKey::from_prefixed_bytes(bytes),
        Version::Omemo2 => PublicKey::from_bytes(bytes),
    }
}
