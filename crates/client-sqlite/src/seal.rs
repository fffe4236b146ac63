//! Sealing rows and hiding what they are looked up by.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use client::store::{Result, StoreError};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A key of 32 bytes.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// The form of sealed bytes: this number, the nonce, ciphertext and tag.
const FORM: u8 = 1;
const NONCE: usize = 24;
/// Bytes of a keyed hash that are kept.
pub(crate) const TAG: usize = 16;

/// A key nobody has.
pub(crate) fn random_key() -> Result<Key> {
    let mut key = Zeroizing::new([0; 32]);
    fill(&mut *key)?;
    Ok(key)
}

pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| StoreError::Io(format!("no randomness: {error}")))
}

/// Seals and opens with one data key.
pub(crate) struct Sealer {
    /// To be protected in another way.
    #[cfg(not(target_family = "wasm"))]
    data_key: Key,
    cipher: XChaCha20Poly1305,
    hide: Key,
}

impl Sealer {
    pub(crate) fn new(data_key: &Key) -> Self {
        let derive = |purpose: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            // 32 bytes are a length that HKDF gives.
            let given = Hkdf::<Sha256>::new(None, &data_key[..]).expand(purpose, &mut *key);
            debug_assert!(given.is_ok());
            key
        };
        let cipher = XChaCha20Poly1305::new((&*derive(b"clownfish rows")).into());
        Self {
            #[cfg(not(target_family = "wasm"))]
            data_key: data_key.clone(),
            cipher,
            hide: derive(b"clownfish lookups"),
        }
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn data_key(&self) -> &Key {
        &self.data_key
    }

    /// Encrypts the value of a row.
    pub(crate) fn seal(&self, place: &Place, value: &[u8]) -> Result<Vec<u8>> {
        seal(&self.cipher, &place.0, value)
    }

    /// Decrypts the value of a row.
    pub(crate) fn open(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        open(&self.cipher, &place.0, sealed).ok_or_else(|| {
            StoreError::Damaged("a row does not open with this account's key".into())
        })
    }

    /// A name that says nothing, the same for the same parts.
    pub(crate) fn hide(&self, kind: &str, parts: &[&[u8]]) -> [u8; TAG] {
        let mut tag = [0; TAG];
        // HMAC takes keys of every length.
        if let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.hide[..]) {
            mac.update(&Place::of(kind, parts).0);
            for (to, from) in tag.iter_mut().zip(mac.finalize().into_bytes()) {
                *to = from;
            }
        }
        tag
    }
}

/// Where a row stands, written so that two places are never the same bytes.
pub(crate) struct Place(Vec<u8>);

impl Place {
    pub(crate) fn of(table: &str, columns: &[&[u8]]) -> Self {
        let mut bytes = Vec::with_capacity(64);
        for part in std::iter::once(&table.as_bytes()).chain(columns) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        Self(bytes)
    }
}

/// Encrypts with a key of its own: the data key in its file.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn wrap(key: &Key, place: &Place, value: &[u8]) -> Result<Vec<u8>> {
    seal(&XChaCha20Poly1305::new((&**key).into()), &place.0, value)
}

/// The reverse of [`wrap`]; `None` when it is another key, or damaged.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn unwrap(key: &Key, place: &Place, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    open(&XChaCha20Poly1305::new((&**key).into()), &place.0, sealed)
}

fn seal(cipher: &XChaCha20Poly1305, place: &[u8], value: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    fill(&mut nonce)?;
    let sealed = cipher
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: value, aad: place })
        .map_err(|_| StoreError::Io("a value is too large to be sealed".into()))?;
    let mut bytes = Vec::with_capacity(1 + NONCE + sealed.len());
    bytes.push(FORM);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

fn open(cipher: &XChaCha20Poly1305, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (&form, rest) = sealed.split_first()?;
    let (nonce, ciphertext) = rest.split_at_checked(NONCE)?;
    if form != FORM {
        return None;
    }
    let payload = Payload { msg: ciphertext, aad: place };
    cipher.decrypt(XNonce::from_slice(nonce), payload).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&Zeroizing::new([byte; 32]))
    }

    #[test]
    fn a_row_opens_only_in_its_place_and_with_its_key() {
        let place = Place::of("item", &[b"a", b"b"]);
        let sealed = sealer(1).seal(&place, b"value").unwrap();
        assert_eq!(**sealer(1).open(&place, &sealed).unwrap(), *b"value");
        for other in [Place::of("item", &[b"ab", b""]), Place::of("message", &[b"a", b"b"])] {
            sealer(1).open(&other, &sealed).unwrap_err();
        }
        sealer(2).open(&place, &sealed).unwrap_err();
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 1;
            sealer(1).open(&place, &forged).unwrap_err();
            sealer(1).open(&place, &sealed[..at]).unwrap_err();
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_to_the_same_bytes() {
        let place = Place::of("item", &[]);
        let sealer = sealer(1);
        assert_ne!(sealer.seal(&place, b"a").unwrap(), sealer.seal(&place, b"a").unwrap());
    }

    #[test]
    fn a_hidden_name_depends_on_key_kind_and_parts() {
        let name = sealer(1).hide("contact", &[b"romeo", b""]);
        assert_eq!(name, sealer(1).hide("contact", &[b"romeo", b""]));
        assert_ne!(name, sealer(1).hide("contact", &[b"rome", b"o"]));
        assert_ne!(name, sealer(1).hide("conversation", &[b"romeo", b""]));
        assert_ne!(name, sealer(2).hide("contact", &[b"romeo", b""]));
    }
}
