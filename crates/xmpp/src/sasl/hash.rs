//! The hash functions of SCRAM and HT, as values.

use std::fmt;
use std::ops::Deref;

use hmac::digest::core_api::BlockSizeUser;
use hmac::digest::{Key, KeyInit};
use hmac::{Mac, SimpleHmac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A hash function. Ordered by strength, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hash {
    /// SHA-1, RFC 5802. Broken for signatures, not for HMAC; kept for old clients.
    Sha1,
    /// SHA-256, RFC 7677.
    Sha256,
    /// SHA-512, draft-melnikov-scram-sha-512.
    Sha512,
}

impl Hash {
    /// All of them, weakest first.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The name used in mechanism names: `SHA-1`, `SHA-256`, `SHA-512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Length of its output in bytes.
    #[must_use]
    pub fn output_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// `H(data)`.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Digest {
        match self {
            Self::Sha1 => Digest::copy(<Sha1 as sha1::Digest>::digest(data).as_slice()),
            Self::Sha256 => Digest::copy(<Sha256 as sha1::Digest>::digest(data).as_slice()),
            Self::Sha512 => Digest::copy(<Sha512 as sha1::Digest>::digest(data).as_slice()),
        }
    }

    /// `HMAC(key, parts[0] || parts[1] || …)`.
    #[must_use]
    pub fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Digest {
        match self {
            Self::Sha1 => hmac_with::<Sha1>(key, parts),
            Self::Sha256 => hmac_with::<Sha256>(key, parts),
            Self::Sha512 => hmac_with::<Sha512>(key, parts),
        }
    }

    /// `Hi(password, salt, iterations)` of RFC 5802 §2.2, which is PBKDF2. Costs CPU time in
    /// proportion to `iterations`: run it where blocking is allowed.
    #[must_use]
    pub fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32) -> Digest {
        let mut out = Digest { bytes: [0; MAX_BYTES], len: self.output_bytes() };
        let (key, _) = out.bytes.split_at_mut(out.len);
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, key),
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, key),
            Self::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, key),
        }
        out
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The output of a hash function. Often a key, so treated as one: not printed, compared in constant
/// time, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Digest {
    bytes: [u8; MAX_BYTES],
    len: usize,
}

impl Digest {
    /// Reads a stored digest; `None` if it does not have the length of `hash`'s output.
    #[must_use]
    pub fn from_slice(hash: Hash, bytes: &[u8]) -> Option<Self> {
        (bytes.len() == hash.output_bytes()).then(|| Self::copy(bytes))
    }

    /// Each byte combined with the byte of `other` at the same place.
    pub(super) fn xor(mut self, other: &[u8]) -> Self {
        for (byte, other) in self.bytes.iter_mut().zip(other) {
            *byte ^= other;
        }
        self
    }

    /// Copies at most 64 bytes.
    fn copy(bytes: &[u8]) -> Self {
        let mut digest = Self { bytes: [0; MAX_BYTES], len: bytes.len().min(MAX_BYTES) };
        for (to, from) in digest.bytes.iter_mut().zip(bytes) {
            *to = *from;
        }
        digest
    }
}

impl Deref for Digest {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.split_at(self.len).0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref().ct_eq(other.as_ref()).into()
    }
}

impl Eq for Digest {}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// HMAC with the key brought to block length here, which `new_from_slice` would do as well but with
/// an error to handle that cannot occur.
fn hmac_with<D>(key: &[u8], parts: &[&[u8]]) -> Digest
where
    D: sha1::Digest + BlockSizeUser,
{
    let mut block = Key::<SimpleHmac<D>>::default();
    let hashed;
    let key = if key.len() > block.len() {
        hashed = D::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = <SimpleHmac<D> as KeyInit>::new(&block);
    for part in parts {
        mac.update(part);
    }
    block.as_mut_slice().zeroize();
    Digest::copy(mac.finalize().into_bytes().as_slice())
}

/// SHA-512 has the longest output.
const MAX_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn hmac_follows_rfc_4231() {
        assert_eq!(
            hex(&Hash::Sha256.hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long_key = [0xaa; 131];
        let data = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(&Hash::Sha256.hmac(&long_key, &[data])),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
        assert!(
            hex(&Hash::Sha512.hmac(&long_key, &[data])).starts_with("80b24263c7c1a3ebb71493c1")
        );
    }

    #[test]
    fn pbkdf2_follows_rfc_6070() {
        assert_eq!(
            hex(&Hash::Sha1.pbkdf2(b"password", b"salt", 4096)),
            "4b007901b765489abead49d926f721d065a429c1"
        );
    }

    #[test]
    fn digests_of_the_wrong_length_are_not_read() {
        assert!(Digest::from_slice(Hash::Sha256, &[0; 20]).is_none());
        assert!(Digest::from_slice(Hash::Sha256, &[0; 32]).is_some());
    }

    #[test]
    fn debug_output_does_not_show_the_bytes() {
        assert_eq!(format!("{:?}", Hash::Sha1.digest(b"pencil")), "Digest(…)");
    }
}
