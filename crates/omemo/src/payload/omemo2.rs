//! Payloads of `urn:xmpp:omemo:2`: AES-256-CBC with HMAC-SHA-256 (XEP-0384 0.9.1, "Message
//! Encryption"). The ratchet carries the key and the truncated HMAC.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{KeyMaterial, Payload, PayloadError};
use crate::primitives::{CbcHmac, tag_matches};
use crate::secret::Secret;

pub(super) fn encrypt<R: CryptoRng + ?Sized>(plaintext: &[u8], rng: &mut R) -> Payload {
    encrypt_with(&Secret::random(rng), plaintext)
}

/// 32 zero bytes stand in for key and tag.
pub(super) fn empty() -> Payload {
    Payload { key_material: KeyMaterial::concat(&[&[0; 32]]), iv: None, ciphertext: None }
}

fn encrypt_with(key: &Secret<32>, plaintext: &[u8]) -> Payload {
    let keys = CbcHmac::derive(key.as_bytes(), INFO);
    let ciphertext = keys.encrypt(plaintext);
    let tag = keys.tag(&[&ciphertext]);
    let tag = tag.as_bytes().first_chunk::<TAG_LEN>().map_or(&[][..], |tag| tag);
    let key_material = KeyMaterial::concat(&[key.as_bytes(), tag]);
    Payload { key_material, iv: None, ciphertext: Some(ciphertext) }
}

pub(super) fn decrypt(
    key_material: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    let (key, tag) = match key_material.split_at_checked(32) {
        Some((key, tag)) if tag.len() == TAG_LEN => (key, tag),
        _ => return Err(PayloadError::KeyLength(key_material.len())),
    };
    let keys = CbcHmac::derive(key, INFO);
    if !tag_matches(&keys.tag(&[ciphertext]), tag) {
        return Err(PayloadError::BadTag);
    }
    keys.decrypt(ciphertext).ok_or(PayloadError::BadTag)
}

const INFO: &[u8] = b"OMEMO Payload";

/// Bytes of the truncated HMAC.
const TAG_LEN: usize = 16;
