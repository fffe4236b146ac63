//! Whether a message is still what was written. SQLite notices damage to its own structures; a bit that flips
//! inside of a stanza would be given out as if somebody had written it, or break the stream of whoever reads it.

/// The number that is stored beside a stanza. Whatever happens to one of its eight bytes at a time is noticed:
/// every step turns different words into different sums, and different sums into different ones.
pub(super) fn checksum(stanza: &[u8]) -> i64 {
    let (words, rest) = stanza.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    let sum = words.fold(stanza.len() as u64, |sum, word| {
        (sum.rotate_left(29) ^ word).wrapping_mul(MULTIPLIER)
    });
    sum as i64
}

/// Whether a stanza is the one that had this sum. One from before there were sums is believed.
pub(super) fn is_intact(stanza: &[u8], sum: Option<i64>) -> bool {
    sum.is_none_or(|sum| sum == checksum(stanza))
}

/// Odd, so that nothing is lost, and without a pattern: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_in_every_version() {
        assert_eq!(checksum(b""), 0);
        assert_eq!(checksum(b"<message/>"), 6_834_258_111_552_252_551);
    }

    #[test]
    fn every_bit_counts_and_so_does_the_length() {
        let stanza = b"<message><body>What light through yonder window breaks?</body></message>";
        let sum = checksum(stanza);
        for bit in 0..stanza.len() * 8 {
            let mut flipped = stanza.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_intact(&flipped, Some(sum)), "bit {bit}");
        }
        assert_ne!(checksum(b"<a/>"), checksum(b"<a/>\0"));
        assert!(is_intact(b"<a/>", None), "from before there were sums");
    }
}
