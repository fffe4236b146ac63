//! XEdDSA signatures as the legacy version has them (libsignal's variant).
//!
//! The signer is known by its Curve25519 key, which has no sign; the sign bit of its Ed25519 form
//! travels in the top bit of the signature's last byte. The signed bytes of a prekey are its 33
//! bytes on the wire. A device whose Ed25519 form has sign 0, as ours have, needs no algorithm of
//! its own to sign: its plain Ed25519 signature is one of these.

use curve25519_dalek::montgomery::MontgomeryPoint;
use ed25519_dalek::{Signature, VerifyingKey};

use crate::curve::PublicKey;

/// Verifies strictly, like [`IdentityKey::verify`](crate::IdentityKey::verify), with the key of
/// the sign that the signature names.
pub(crate) fn verify(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let mut signature = *signature;
    let [.., last] = &mut signature;
    let sign = *last >> 7;
    *last &= 0x7f;
    let Some(point) = MontgomeryPoint(*key.as_bytes()).to_edwards(sign) else { return false };
    VerifyingKey::from(point).verify_strict(message, &Signature::from_bytes(&signature)).is_ok()
}
