//! Unpredictable values from one seed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::sasl::{Hash, Secret};

/// A source of nonces and stream ids: HMAC of a counter, under a seed the driver took from the
/// system. Nobody who sees some of its output can guess the rest.
#[derive(Debug)]
pub(super) struct Nonces {
    seed: Secret,
    counter: u64,
}

impl Nonces {
    /// Starts from 32 random bytes that nothing else uses.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed: Secret::from(seed.to_vec()), counter: 0 }
    }

    /// 24 unpredictable bytes as 32 letters of base64.
    pub(super) fn next(&mut self) -> String {
        self.counter += 1;
        let bytes = Hash::Sha256.hmac(self.seed.expose(), &[&self.counter.to_be_bytes()]);
        BASE64_STANDARD.encode(bytes.split_at(24).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_differ_by_seed_and_position() {
        let (mut one, mut other) = (Nonces::new([1; 32]), Nonces::new([2; 32]));
        let first = one.next();
        assert_eq!(first.len(), 32);
        assert_ne!(first, one.next());
        assert_ne!(first, other.next());
    }
}
