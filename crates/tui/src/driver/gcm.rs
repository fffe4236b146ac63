//! AES-256-GCM in pieces (NIST SP 800-38D), for files that are larger than memory (XEP-0454 §3).
//!
//! The `aes-gcm` crate wants the whole text at once. This is the same composition of the same
//! crates: counter mode and GHASH. What [`Gcm::open`] returns is not authenticated before
//! [`Gcm::is_genuine`]: the caller keeps it out of sight until then.

use aes::Aes256;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockEncrypt, KeyInit, KeyIvInit, StreamCipher};
use client::effect::FileKey;
use ctr::Ctr32BE;
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;

/// Bytes of the tag at the end.
pub const TAG: usize = 16;
/// The longest text under one nonce: NIST SP 800-38D §5.2.1.1.
pub const MOST_BYTES: u64 = (1 << 36) - 32;

const BLOCK: usize = 16;

/// One file on its way through the cipher.
pub struct Gcm {
    stream: Ctr32BE<Aes256>,
    hash: GHash,
    /// Ciphertext that does not fill a block yet.
    rest: Vec<u8>,
    length: u64,
    mask: [u8; BLOCK],
}

impl Gcm {
    /// Begins. `None` when the nonce is empty.
    #[must_use]
    pub fn new(key: &FileKey) -> Option<Self> {
        let cipher = Aes256::new(GenericArray::from_slice(&key.key));
        let mut subkey = GenericArray::from([0; BLOCK]);
        cipher.encrypt_block(&mut subkey);
        let first = first_counter(&subkey, &key.iv)?;
        let mut stream =
            Ctr32BE::<Aes256>::new(GenericArray::from_slice(&key.key), &GenericArray::from(first));
        let mut mask = [0; BLOCK];
        stream.apply_keystream(&mut mask);
        Some(Self { stream, hash: GHash::new(&subkey), rest: Vec::new(), length: 0, mask })
    }

    /// Encrypts the next piece in place.
    pub fn seal(&mut self, piece: &mut [u8]) {
        self.stream.apply_keystream(piece);
        self.count(piece);
    }

    /// Decrypts the next piece in place.
    pub fn open(&mut self, piece: &mut [u8]) {
        self.count(piece);
        self.stream.apply_keystream(piece);
    }

    /// The tag over everything.
    #[must_use]
    pub fn tag(mut self) -> [u8; TAG] {
        if !self.rest.is_empty() {
            self.hash.update_padded(&self.rest);
        }
        let mut lengths = [0; BLOCK];
        let (_, bits) = lengths.split_at_mut(8);
        bits.copy_from_slice(&self.length.saturating_mul(8).to_be_bytes());
        self.hash.update(&[GenericArray::from(lengths)]);
        let mut tag = self.mask;
        for (to, from) in tag.iter_mut().zip(self.hash.finalize()) {
            *to ^= from;
        }
        tag
    }

    /// Whether the tag is that of everything that was opened.
    #[must_use]
    pub fn is_genuine(self, tag: &[u8]) -> bool {
        self.tag().ct_eq(tag).into()
    }

    fn count(&mut self, ciphertext: &[u8]) {
        self.length = self.length.saturating_add(ciphertext.len() as u64);
        self.rest.extend_from_slice(ciphertext);
        let whole = self.rest.len() - self.rest.len() % BLOCK;
        self.hash.update_padded(self.rest.get(..whole).unwrap_or_default());
        self.rest.drain(..whole);
    }
}

/// NIST SP 800-38D §7.1, step 2.
fn first_counter(
    subkey: &GenericArray<u8, aes::cipher::consts::U16>,
    iv: &[u8],
) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    if iv.is_empty() {
        return None;
    }
    if iv.len() == 12 {
        for (to, from) in block.iter_mut().zip(iv.iter().chain(&[0, 0, 0, 1])) {
            *to = *from;
        }
        return Some(block);
    }
    let mut hash = GHash::new(subkey);
    hash.update_padded(iv);
    let (_, bits) = block.split_at_mut(8);
    bits.copy_from_slice(&(iv.len() as u64 * 8).to_be_bytes());
    hash.update(&[GenericArray::from(block)]);
    Some(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use aes_gcm::aead::Aead;
    use aes_gcm::aes::Aes256;
    use aes_gcm::{AesGcm, KeyInit};

    use super::*;

    fn key(iv: usize) -> FileKey {
        FileKey { key: [7; 32], iv: (1..=iv as u8).collect() }
    }

    fn reference(key: &FileKey, text: &[u8]) -> Vec<u8> {
        let bytes = GenericArray::from_slice(&key.key);
        match key.iv.len() {
            12 => aes_gcm::Aes256Gcm::new(bytes)
                .encrypt(GenericArray::from_slice(&key.iv), text)
                .unwrap(),
            _ => AesGcm::<Aes256, aes::cipher::consts::U16>::new(bytes)
                .encrypt(GenericArray::from_slice(&key.iv), text)
                .unwrap(),
        }
    }

    #[test]
    fn pieces_make_the_same_as_the_whole() {
        for iv in [12, 16] {
            for length in [0, 1, 15, 16, 17, 1000] {
                let text: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
                for piece in [1, 7, 16, 64, 2000] {
                    let mut sealing = Gcm::new(&key(iv)).unwrap();
                    let mut sealed = text.clone();
                    sealed.chunks_mut(piece).for_each(|piece| sealing.seal(piece));
                    sealed.extend(sealing.tag());
                    assert_eq!(sealed, reference(&key(iv), &text), "{iv} {length} {piece}");
                    let mut opening = Gcm::new(&key(iv)).unwrap();
                    let tag = sealed.split_off(length);
                    sealed.chunks_mut(piece).for_each(|piece| opening.open(piece));
                    assert!(opening.is_genuine(&tag));
                    assert_eq!(sealed, text);
                }
            }
        }
    }

    #[test]
    fn a_changed_bit_is_noticed() {
        let mut sealed = reference(&key(12), b"the text");
        sealed[3] ^= 1;
        let tag = sealed.split_off(8);
        let mut opening = Gcm::new(&key(12)).unwrap();
        opening.open(&mut sealed);
        assert!(!opening.is_genuine(&tag));
        assert!(Gcm::new(&key(0)).is_none());
    }
}
