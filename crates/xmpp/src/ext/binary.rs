//! Base64 in payloads: white space is allowed, length is bounded before anything is decoded.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// RFC 4648 §4; read also without padding, as some clients leave it out.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 as it is sent.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    ENGINE.encode(bytes)
}

/// The bytes; `None` when there are more than `most`, or the text is not base64.
pub(super) fn decode(text: &str, most: usize) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if packed.len() / 4 > most / 3 + 1 {
        return None;
    }
    ENGINE.decode(packed).ok().filter(|bytes| bytes.len() <= most)
}

/// Exactly `N` bytes.
pub(super) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text, N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_and_missing_padding_are_accepted() {
        assert_eq!(decode(" aGVs\n\tbG8= ", 5), Some(b"hello".to_vec()));
        assert_eq!(decode("aGVsbG8", 5), Some(b"hello".to_vec()));
        assert_eq!(decode_array(&encode(b"hello")), Some(*b"hello"));
    }

    #[test]
    fn other_lengths_and_rubbish_are_refused() {
        assert_eq!(decode("aGVsbG8=", 4), None);
        assert_eq!(decode(&"A".repeat(4000), 5), None);
        assert_eq!(decode("a*b=", 9), None);
        assert_eq!(decode_array::<4>("aGVsbG8="), None);
    }
}
