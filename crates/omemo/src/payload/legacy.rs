//! Payloads of `eu.siacs.conversations.axolotl`: AES-128-GCM (XEP-0384 0.3.0, "Sending a
//! message"). The ratchet carries the key and the tag.

use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::aes::Aes128;
use aes_gcm::{AesGcm, Tag};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{KeyMaterial, Payload, PayloadError};
use crate::secret::Secret;

pub(super) fn encrypt<R: CryptoRng + ?Sized>(plaintext: &[u8], rng: &mut R) -> Payload {
    let key = Secret::random(rng);
    let mut iv = [0; 12];
    rng.fill_bytes(&mut iv);
    encrypt_with(&key, iv, plaintext)
}

/// A key transport element with nothing to transport: the tag is that of the empty text.
pub(super) fn empty<R: CryptoRng + ?Sized>(rng: &mut R) -> Payload {
    Payload { ciphertext: None, ..encrypt(&[], rng) }
}

fn encrypt_with(key: &Secret<16>, iv: [u8; 12], plaintext: &[u8]) -> Payload {
    let mut ciphertext = plaintext.to_vec();
    let tag = seal(key.as_bytes(), &iv, &mut ciphertext);
    let key_material = KeyMaterial::concat(&[key.as_bytes(), &tag]);
    Payload { key_material, iv: Some(iv), ciphertext: Some(ciphertext) }
}

pub(super) fn decrypt(
    key_material: &[u8],
    iv: Option<&[u8]>,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PayloadError> {
    let (key, tag) = match key_material.split_at_checked(16) {
        Some((key, tag)) if tag.len() == 16 => (key, tag),
        Some((_, [])) => return Err(PayloadError::OutdatedSender),
        _ => return Err(PayloadError::KeyLength(key_material.len())),
    };
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    // Writers have used 12 bytes since 2019, and 16 before.
    let authentic = match iv.map(<[u8]>::len) {
        Some(12) => open::<U12>(key, iv.unwrap_or_default(), &mut plaintext, tag),
        Some(16) => open::<U16>(key, iv.unwrap_or_default(), &mut plaintext, tag),
        _ => return Err(PayloadError::Iv),
    };
    if authentic { Ok(plaintext) } else { Err(PayloadError::BadTag) }
}

#[expect(clippy::expect_used, reason = "fails from 64 GiB on, which no stanza has")]
fn seal(key: &[u8; 16], iv: &[u8; 12], text: &mut [u8]) -> Tag {
    AesGcm::<Aes128, U12>::new(key.into())
        .encrypt_in_place_detached(iv.into(), &[], text)
        .expect("a stanza is far below the limit of GCM")
}

/// Decrypts in place if the tag is right. The lengths of key, iv and tag have been checked.
fn open<N: ArrayLength<u8>>(key: &[u8], iv: &[u8], text: &mut [u8], tag: &[u8]) -> bool {
    AesGcm::<Aes128, N>::new(GenericArray::from_slice(key))
        .decrypt_in_place_detached(GenericArray::from_slice(iv), &[], text, tag.into())
        .is_ok()
}
