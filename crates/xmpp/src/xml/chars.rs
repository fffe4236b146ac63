//! XML 1.0 §2.2 and §2.3: characters and names, found in bytes

use super::XmlError;

/// Length of the longest prefix that needs no attention: ASCII other than control characters and
/// the three `stops`.
#[inline]
pub(super) fn plain_len(input: &[u8], stops: [u8; 3]) -> usize {
    let mut len = 0;
    let (blocks, _) = input.as_chunks::<32>();
    for block in blocks {
        if block.iter().fold(false, |found, &byte| found | needs_attention(byte, stops)) {
            break;
        }
        len += 32;
    }
    let (words, tail) = input.get(len..).unwrap_or_default().as_chunks::<8>();
    for word in words {
        let found = attention_bits(u64::from_le_bytes(*word), stops);
        if found != 0 {
            return len + (found.trailing_zeros() / 8) as usize;
        }
        len += 8;
    }
    len + tail.iter().take_while(|&&byte| !needs_attention(byte, stops)).count()
}

/// Signed, both control characters and bytes above ASCII are below the space.
#[inline]
fn needs_attention(byte: u8, stops: [u8; 3]) -> bool {
    let [a, b, c] = stops;
    (byte as i8) < 0x20 || byte == a || byte == b || byte == c
}

/// The highest bit of every byte that needs attention. Bits above the lowest one set may be wrong,
/// because the subtractions borrow; only the lowest is used.
#[inline]
fn attention_bits(word: u64, stops: [u8; 3]) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let zero = |x: u64| x.wrapping_sub(ONES) & !x;
    let [a, b, c] = stops.map(|stop| zero(word ^ (ONES * u64::from(stop))));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (word | control | a | b | c) & HIGHS
}

/// A character above ASCII at the beginning of `input`: its code point and its length in bytes.
/// `None` when the input ends within it.
pub(super) fn multibyte(input: &[u8]) -> Result<Option<(u32, usize)>, XmlError> {
    let &[first, ref rest @ ..] = input else { return Ok(None) };
    // The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF.
    let (len, low, high) = match first {
        0xC2..=0xDF => (2, 0x80, 0xBF),
        0xE0 => (3, 0xA0, 0xBF),
        0xED => (3, 0x80, 0x9F),
        0xE1..=0xEF => (3, 0x80, 0xBF),
        0xF0 => (4, 0x90, 0xBF),
        0xF1..=0xF3 => (4, 0x80, 0xBF),
        0xF4 => (4, 0x80, 0x8F),
        _ => return Err(XmlError::Encoding),
    };
    let mut code = u32::from(first) & (0x7F >> len);
    let mut range = low..=high;
    for index in 0..len - 1 {
        let Some(byte) = rest.get(index) else { return Ok(None) };
        if !range.contains(byte) {
            return Err(XmlError::Encoding);
        }
        range = 0x80..=0xBF;
        code = code << 6 | u32::from(byte & 0x3F);
    }
    Ok(Some((code, len)))
}

/// A character above ASCII in content, as its length; `None` when the input ends within it.
pub(super) fn content_char(input: &[u8]) -> Result<Option<usize>, XmlError> {
    match multibyte(input)? {
        Some((0xFFFE | 0xFFFF, _)) => Err(FORBIDDEN),
        Some((_, len)) => Ok(Some(len)),
        None => Ok(None),
    }
}

/// Whether a code point may stand in a document (XML 1.0 §2.2).
pub(super) fn is_char(code: u32) -> bool {
    matches!(code, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
}

/// White space (XML 1.0 §2.3).
#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Length of the white space `input` begins with.
#[inline]
pub(super) fn space_len(input: &[u8]) -> usize {
    input.iter().take_while(|&&byte| is_space(byte)).count()
}

/// What a byte can be in a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NameByte {
    /// A letter or underscore.
    Start,
    /// A digit, hyphen or full stop: not at the beginning.
    Inner,
    /// Separates prefix and local part.
    Colon,
    /// Part of a character above ASCII.
    Multibyte,
    /// Not part of a name.
    No,
}

/// Classifies a byte for names.
#[inline]
pub(super) fn name_byte(byte: u8) -> NameByte {
    NAME_BYTES.get(usize::from(byte)).copied().unwrap_or(NameByte::No)
}

static NAME_BYTES: [NameByte; 256] = {
    let mut table = [NameByte::No; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => NameByte::Start,
            b'0'..=b'9' | b'-' | b'.' => NameByte::Inner,
            b':' => NameByte::Colon,
            0x80.. => NameByte::Multibyte,
            _ => NameByte::No,
        };
        byte += 1;
    }
    table
};

/// Whether a code point above ASCII may begin a name (XML 1.0 §2.3).
pub(super) fn is_name_start(code: u32) -> bool {
    matches!(code,
        0xC0..=0xD6 | 0xD8..=0xF6 | 0xF8..=0x2FF | 0x370..=0x37D | 0x37F..=0x1FFF
        | 0x200C..=0x200D | 0x2070..=0x218F | 0x2C00..=0x2FEF | 0x3001..=0xD7FF
        | 0xF900..=0xFDCF | 0xFDF0..=0xFFFD | 0x1_0000..=0xE_FFFF)
}

/// Whether a code point above ASCII may continue a name (XML 1.0 §2.3).
pub(super) fn is_name_char(code: u32) -> bool {
    is_name_start(code) || matches!(code, 0xB7 | 0x300..=0x36F | 0x203F..=0x2040)
}

/// The error for characters that XML does not allow.
pub(super) const FORBIDDEN: XmlError = XmlError::NotWellFormed("forbidden character");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_ends_at_the_first_byte_that_needs_attention() {
        let stops = [b'<', b'&', b']'];
        for byte in 0..=255_u8 {
            let stop = byte < 0x20 || byte >= 0x80 || stops.contains(&byte);
            for at in 0..80 {
                let mut input = vec![b'x'; 100];
                input[at] = byte;
                let expected = if stop { at } else { 100 };
                assert_eq!(plain_len(&input, stops), expected, "byte {byte} at {at}");
                input[at + 1] = 0;
                assert_eq!(plain_len(&input, stops), if stop { at } else { at + 1 });
            }
        }
    }

    #[test]
    fn multibyte_agrees_with_the_standard_library() {
        for first in 0x80..=255_u8 {
            for second in [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0] {
                let input = [first, second, 0x80, 0xBF, b'x'];
                let expected = (2..=4).find_map(|len| {
                    let text = std::str::from_utf8(&input[..len]).ok()?;
                    Some((u32::from(text.chars().next()?), text.chars().next()?.len_utf8()))
                });
                match multibyte(&input) {
                    Ok(found) => assert_eq!(found, expected, "{input:x?}"),
                    Err(_) => assert_eq!(expected, None, "{input:x?}"),
                }
            }
        }
    }

    #[test]
    fn a_character_cut_short_asks_for_more() {
        for text in ["\u{e9}", "\u{20ac}", "\u{1f980}"] {
            for len in 1..text.len() {
                assert_eq!(multibyte(&text.as_bytes()[..len]), Ok(None));
            }
        }
    }
}
