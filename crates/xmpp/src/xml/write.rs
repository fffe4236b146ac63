//! Escaping: what makes text safe inside markup

/// Appends `text` so that it reads back as the same character data. Characters that XML cannot
/// express (XML 1.0 §2.2) become U+FFFD, so whatever text comes from the application, the
/// output is well-formed.
pub fn escape_into(out: &mut Vec<u8>, text: &str) {
    escape(out, text, text_entity);
}

/// Appends `value` so that it reads back as the same attribute value between quotes of either
/// kind. Line breaks and tabs are written as references, or they would come back as spaces
/// (XML 1.0 §3.3.3).
pub fn escape_attribute_into(out: &mut Vec<u8>, value: &str) {
    escape(out, value, attribute_entity);
}

fn escape(out: &mut Vec<u8>, text: &str, entity: fn(u8) -> Option<&'static [u8]>) {
    let mut rest = text.as_bytes();
    // The last byte of U+FFFE and U+FFFF tells them apart from the rest only together with the two
    // bytes before it, so the search is for the first.
    while let Some(at) = rest.iter().position(|&b| b == 0xEF || entity(b).is_some()) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (written, consumed) = match tail {
            [0xEF, 0xBF, 0xBE | 0xBF, ..] => (REPLACEMENT, 3),
            [0xEF, ..] => (b"\xEF".as_slice(), 1),
            [byte, ..] => (entity(*byte).unwrap_or_default(), 1),
            [] => break,
        };
        out.extend_from_slice(written);
        rest = tail.get(consumed..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn text_entity(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\r' => Some(b"&#xD;"),
        b'\t' | b'\n' => None,
        0..0x20 => Some(REPLACEMENT),
        _ => None,
    }
}

fn attribute_entity(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\'' => Some(b"&apos;"),
        b'"' => Some(b"&quot;"),
        b'\t' => Some(b"&#x9;"),
        b'\n' => Some(b"&#xA;"),
        b'\r' => Some(b"&#xD;"),
        0..0x20 => Some(REPLACEMENT),
        _ => None,
    }
}

/// U+FFFD in UTF-8.
const REPLACEMENT: &[u8] = b"\xEF\xBF\xBD";

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape_into(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markup_is_escaped_in_text() {
        assert_eq!(escaped("a<b>&\"'"), "a&lt;b&gt;&amp;\"'");
        assert_eq!(escaped("tab\tline\nreturn\r"), "tab\tline\nreturn&#xD;");
    }

    #[test]
    fn both_quotes_are_escaped_in_attributes() {
        let mut out = Vec::new();
        escape_attribute_into(&mut out, "'\"\n<");
        assert_eq!(out, b"&apos;&quot;&#xA;&lt;");
    }

    #[test]
    fn characters_outside_xml_are_replaced() {
        assert_eq!(
            escaped("\0\u{1}\u{FFFE}\u{FFFF}\u{FFFD}\u{F000}"),
            "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{F000}"
        );
    }
}
