//! Randomness from one seed.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{CryptoRng, RngCore, SeedableRng};

/// The only source of randomness: seeded by the driver from the system, the same again in tests.
pub(crate) struct Rng(ChaCha20Rng);

impl Rng {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// Unpredictable bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number below `end`; 0 if that is 0. The bias is below 2⁻³².
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let wide = self.0.next_u64() % u64::from(end.max(1));
        u32::try_from(wide).unwrap_or(0)
    }

    /// A name that nobody can guess: 128 bits as 32 hexadecimal digits.
    pub(crate) fn id(&mut self) -> String {
        use std::fmt::Write;
        self.bytes::<16>().iter().fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// A random UUID (RFC 9562 §5.4).
    pub(crate) fn uuid(&mut self) -> String {
        let mut id = self.id();
        id.replace_range(12..13, "4");
        id.replace_range(16..17, "a");
        for at in [8, 13, 18, 23] {
            id.insert(at, '-');
        }
        id
    }
}

impl RngCore for Rng {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
}

impl CryptoRng for Rng {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let id = Rng::new([1; 32]).uuid();
        assert_eq!(id.len(), 36);
        assert_eq!((id.get(14..15), id.get(19..20)), (Some("4"), Some("a")));
        assert_ne!(id, Rng::new([2; 32]).uuid());
    }

    #[test]
    fn numbers_are_below_their_end() {
        let mut rng = Rng::new([3; 32]);
        assert!((0..100).all(|_| rng.below(7) < 7));
        assert_eq!(rng.below(0), 0);
    }
}
