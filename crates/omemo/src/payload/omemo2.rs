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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{count, known, sha256};

    #[test]
    fn a_payload_is_encrypted_and_decrypted_as_elsewhere() {
        let plaintext = "<envelope xmlns='urn:xmpp:sce:1'><content><body xmlns='jabber:client'>hi\
                         </body></content><rpad>AAAA</rpad><from jid='a@x'/></envelope>";
        assert_eq!(plaintext.len(), 134);
        let payload = encrypt_with(&Secret::copy_of(&count(0)), plaintext.as_bytes());
        let ciphertext = payload.ciphertext.unwrap();
        assert_eq!(ciphertext.len(), 144);
        assert_eq!(sha256(&ciphertext), known("payload.omemo2.ciphertext_sha256"));
        let (key, tag) = payload.key_material.as_bytes().split_at(32);
        assert_eq!(key, count::<32>(0));
        assert_eq!(tag, known("payload.omemo2.tag"));
        let opened = decrypt(payload.key_material.as_bytes(), &ciphertext).unwrap();
        assert_eq!(*opened, plaintext.as_bytes());
    }

    #[test]
    fn a_changed_payload_is_refused() {
        let payload = encrypt_with(&Secret::copy_of(&count(0)), b"wherefore");
        let (material, ciphertext) = (payload.key_material, payload.ciphertext.unwrap());
        for position in 0..ciphertext.len() {
            let mut changed = ciphertext.clone();
            changed[position] ^= 1;
            assert_eq!(decrypt(material.as_bytes(), &changed), Err(PayloadError::BadTag));
        }
        for position in 0..material.as_bytes().len() {
            let mut changed = material.as_bytes().to_vec();
            changed[position] ^= 0x80;
            assert_eq!(decrypt(&changed, &ciphertext), Err(PayloadError::BadTag));
        }
        for len in [0, 16, 32, 47, 49] {
            assert_eq!(decrypt(&vec![0; len], &ciphertext), Err(PayloadError::KeyLength(len)));
        }
    }
}
