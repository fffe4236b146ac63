//! XML 1.0 §2.2 and §2.3: characters and names, found in bytes

use memchr::memchr_iter;

use super::XmlError;

/// How much of `input` consists of characters that XML allows, and why it is not all: `None` when
/// only the end of the last character is missing.
///
/// The tokenizer sees nothing else, so it need not look at every byte itself.
pub(super) fn valid_len(input: &[u8]) -> (usize, Option<XmlError>) {
    let (blocks, _) = input.as_chunks::<32>();
    let plain = 32 * blocks.iter().take_while(|block| is_plain(*block)).count();
    let rest = input.get(plain..).unwrap_or_default();
    if is_plain(rest) {
        return (input.len(), None);
    }
    let (utf8, error) = match std::str::from_utf8(rest) {
        Ok(_) => (rest, None),
        Err(error) => (
            rest.get(..error.valid_up_to()).unwrap_or_default(),
            error.error_len().map(|_| XmlError::Encoding),
        ),
    };
    match forbidden(utf8) {
        Some(at) => (plain + at, Some(XmlError::Character)),
        None => (plain + utf8.len(), error),
    }
}

/// Whether all bytes are ASCII other than control characters, as nearly all traffic is. Signed,
/// both kinds of exception are below the space. Written so that the compiler takes many at once.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |found, &byte| found | ((byte as i8) < 0x20))
}

/// Where the first control character or U+FFFE or U+FFFF is.
fn forbidden(utf8: &[u8]) -> Option<usize> {
    let control = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    let mut first = None;
    if utf8.iter().fold(false, |found, &byte| found | control(byte)) {
        first = utf8.iter().position(|&byte| control(byte));
    }
    let before = utf8.get(..first.unwrap_or(utf8.len())).unwrap_or_default();
    let mut starts = memchr_iter(0xEF, before);
    let noncharacter =
        starts.find(|&at| matches!(before.get(at..), Some([_, 0xBF, 0xBE | 0xBF, ..])));
    noncharacter.or(first)
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

/// Length of the ASCII letters, digits, underscores, hyphens and full stops `input` begins with.
#[inline]
pub(super) fn name_len(input: &[u8]) -> usize {
    let in_name = |byte: u8| IN_NAME.get(usize::from(byte)).copied().unwrap_or(false);
    input.iter().take_while(|&&byte| in_name(byte)).count()
}

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time")]
static IN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.');
        byte += 1;
    }
    table
};

/// Whether an ASCII byte may begin a name.
#[inline]
pub(super) fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_forbidden_byte_ends_what_is_valid() {
        for byte in 0..0x20_u8 {
            for at in 0..80 {
                let mut input = vec![b'x'; 100];
                input[at] = byte;
                let allowed = matches!(byte, b'\t' | b'\n' | b'\r');
                let expected = if allowed { (100, None) } else { (at, Some(XmlError::Character)) };
                assert_eq!(valid_len(&input), expected, "byte {byte} at {at}");
                input[at + 1] = 0;
                let expected = if allowed { at + 1 } else { at };
                assert_eq!(valid_len(&input), (expected, Some(XmlError::Character)));
                input[at + 1] = 0xFF;
                let error = if allowed { XmlError::Encoding } else { XmlError::Character };
                assert_eq!(valid_len(&input), (expected, Some(error)));
            }
        }
    }

    #[test]
    fn noncharacters_are_forbidden() {
        for (text, expected) in [
            ("ab\u{FFFE}", (2, Some(XmlError::Character))),
            ("ab\u{FFFF}\u{1}", (2, Some(XmlError::Character))),
            ("a\u{1}\u{FFFF}", (1, Some(XmlError::Character))),
            ("a\u{FFFD}\u{F000}\u{1FFFE}", (11, None)),
        ] {
            assert_eq!(valid_len(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_character_cut_short_is_not_valid_yet() {
        let text = "x\u{e9}\u{20ac}\u{1f980}";
        for len in 0..=text.len() {
            let valid = (0..=len).rev().find(|&end| text.is_char_boundary(end)).unwrap();
            assert_eq!(valid_len(&text.as_bytes()[..len]), (valid, None));
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
