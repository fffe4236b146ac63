//! XML 1.0 §4.1 and §4.6: references, and the text that markup stands for

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::XmlError;
use super::chars::is_char;

/// Length of the reference that `input` begins with, `&` and `;` included; `None` when the input
/// ends within it.
///
/// # Errors
///
/// Anything but the five predefined entities and references to allowed characters: RFC 6120 §11.1
/// forbids other entities.
pub(super) fn reference_len(input: &[u8]) -> Result<Option<usize>, XmlError> {
    match input.get(1) {
        None => Ok(None),
        Some(b'#') => character_reference(input).map(|found| found.map(|(len, _)| len)),
        Some(byte) if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..) => {
            entity_reference(input).map(|found| found.map(|(len, _)| len))
        }
        Some(_) => Err(XmlError::Ampersand),
    }
}

/// One of the predefined entities: length and character.
fn entity_reference(input: &[u8]) -> Result<Option<(usize, char)>, XmlError> {
    for (name, character) in ENTITIES {
        if input.starts_with(name) {
            return Ok(Some((name.len(), character)));
        }
        if name.starts_with(input) {
            return Ok(None);
        }
    }
    Err(XmlError::Entity)
}

/// A numeric reference: length and character.
fn character_reference(input: &[u8]) -> Result<Option<(usize, char)>, XmlError> {
    let (radix, digits_at) = match input.get(2) {
        None => return Ok(None),
        Some(b'x') => (16, 3),
        Some(_) => (10, 2),
    };
    let mut code: u32 = 0;
    for (index, &byte) in input.iter().enumerate().skip(digits_at) {
        if index > LONGEST_REFERENCE {
            break;
        }
        match char::from(byte).to_digit(radix) {
            Some(digit) => code = code.saturating_mul(radix).saturating_add(digit),
            None if byte == b';' && index > digits_at => {
                let character = char::from_u32(code).filter(|_| is_char(code));
                return Ok(Some((index + 1, character.ok_or(XmlError::Character)?)));
            }
            None => return Err(XmlError::CharacterReference),
        }
    }
    if input.len() > LONGEST_REFERENCE { Err(XmlError::CharacterReference) } else { Ok(None) }
}

/// The text that validated character data stands for: references resolved, line ends unified
/// (XML 1.0 §2.11).
pub(crate) fn decode_text(raw: &[u8]) -> Cow<'_, str> {
    match memchr2(b'&', b'\r', raw) {
        None => Cow::Borrowed(utf8(raw)),
        Some(_) => Cow::Owned(decode(raw, false)),
    }
}

/// The value that a validated attribute stands for: references resolved, white space characters
/// become spaces (XML 1.0 §3.3.3).
pub(crate) fn decode_attribute(raw: &[u8]) -> Cow<'_, str> {
    if needs_decoding(raw) { Cow::Owned(decode(raw, true)) } else { Cow::Borrowed(utf8(raw)) }
}

/// Whether a validated attribute stands for `value`, without decoding in the usual case.
#[inline]
pub(crate) fn attribute_is(raw: &[u8], value: &str) -> bool {
    match (raw.first(), value.as_bytes().first()) {
        // The first byte tells most apart, unless it is a reference or white space.
        (Some(first), Some(other)) if first != other && *first != b'&' && *first > b' ' => false,
        _ => raw == value.as_bytes() || (needs_decoding(raw) && decode(raw, true) == value),
    }
}

#[inline]
fn needs_decoding(raw: &[u8]) -> bool {
    raw.iter().fold(false, |found, &byte| found | (byte == b'&') | (byte < b' '))
}

/// The text of a CDATA section: line ends unified, nothing resolved.
pub(super) fn decode_cdata(raw: &[u8]) -> Cow<'_, str> {
    match memchr(b'\r', raw) {
        None => Cow::Borrowed(utf8(raw)),
        Some(_) => Cow::Owned(utf8(raw).replace("\r\n", "\n").replace('\r', "\n")),
    }
}

/// Validated bytes as a string.
#[inline]
pub(crate) fn utf8(raw: &[u8]) -> &str {
    std::str::from_utf8(raw).unwrap_or_default()
}

fn decode(raw: &[u8], attribute: bool) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'&' || byte < b' ') {
        let (plain, tail) = rest.split_at(at);
        out.push_str(utf8(plain));
        let (character, len) = match tail {
            [b'&', b'#', ..] => found(character_reference(tail)),
            [b'&', ..] => found(entity_reference(tail)),
            _ if attribute => (' ', line_end_len(tail).unwrap_or(1)),
            [b'\t', ..] => ('\t', 1),
            _ => ('\n', line_end_len(tail).unwrap_or(1)),
        };
        out.push(character);
        rest = tail.get(len..).unwrap_or_default();
    }
    out.push_str(utf8(rest));
    out
}

/// Length of a line end: `\n`, `\r` and `\r\n` are one each.
fn line_end_len(input: &[u8]) -> Option<usize> {
    match input {
        [b'\r', b'\n', ..] => Some(2),
        [b'\r' | b'\n', ..] => Some(1),
        _ => None,
    }
}

/// The input was validated, so the fallback is never seen.
fn found(reference: Result<Option<(usize, char)>, XmlError>) -> (char, usize) {
    match reference {
        Ok(Some((len, character))) => (character, len),
        _ => (char::REPLACEMENT_CHARACTER, 1),
    }
}

/// The predefined entities (XML 1.0 §4.6).
const ENTITIES: [(&[u8], char); 5] =
    [(b"&lt;", '<'), (b"&gt;", '>'), (b"&amp;", '&'), (b"&apos;", '\''), (b"&quot;", '"')];

/// Bytes of a character reference before its semicolon; leading zeros have no use beyond this.
const LONGEST_REFERENCE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_entities_and_characters_are_resolved() {
        assert_eq!(decode_text(b"&lt;&gt;&amp;&apos;&quot;"), "<>&'\"");
        assert_eq!(decode_text(b"&#65;&#x42;&#x1F980;"), "AB\u{1F980}");
        assert_eq!(decode_attribute(b"a&#10;b\tc\r\nd"), "a\nb c d");
        assert_eq!(decode_text(b"a\r\nb\rc\n\td"), "a\nb\nc\n\td");
        assert_eq!(decode_cdata(b"&lt;\r\n\r"), "&lt;\n\n");
    }

    #[test]
    fn references_cut_short_ask_for_more() {
        for text in ["&apos;", "&quot;", "&#x1F980;", "&#65;"] {
            for len in 1..text.len() {
                assert_eq!(reference_len(&text.as_bytes()[..len]), Ok(None), "{text} {len}");
            }
            assert_eq!(reference_len(text.as_bytes()), Ok(Some(text.len())));
        }
    }

    #[test]
    fn other_references_are_refused() {
        for text in ["& ", "&;", "&&", "&1;"] {
            let error = XmlError::Ampersand;
            assert_eq!(reference_len(text.as_bytes()), Err(error), "{text}");
        }
        for text in ["&nbsp;", "&ltt;", "&xxe;", "&lt ", "&_;"] {
            let error = XmlError::Entity;
            assert_eq!(reference_len(text.as_bytes()), Err(error), "{text}");
        }
        for text in ["&#;", "&#x;", "&#x-1;", "&#12a;", "&#X41;", "&#00000000000000000065;"] {
            assert_eq!(reference_len(text.as_bytes()), Err(XmlError::CharacterReference), "{text}");
        }
        for text in ["&#0;", "&#8;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&#99999999999;"] {
            assert_eq!(reference_len(text.as_bytes()), Err(XmlError::Character), "{text}");
        }
    }
}
