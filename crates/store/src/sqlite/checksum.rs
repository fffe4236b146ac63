//! Whether a message is still what was written. SQLite notices damage to its own structures; a bit that flips
//! inside of a stanza would be given out as if somebody had written it, or break the stream of whoever reads it.

/// The number that is stored beside a stanza: CRC-32, which notices every damage within four bytes.
pub(super) fn checksum(stanza: &[u8]) -> i64 {
    i64::from(crc32fast::hash(stanza))
}

/// Whether a stanza is the one that had this sum. One from before there were sums is believed.
pub(super) fn is_intact(stanza: &[u8], sum: Option<i64>) -> bool {
    sum.is_none_or(|sum| sum == checksum(stanza))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_in_every_version() {
        assert_eq!(checksum(b""), 0);
        assert_eq!(checksum(b"<message/>"), 1_805_044_351);
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
