//! Addresses in texts that can be opened.

/// A part of a text, and the address that it is.
pub(crate) struct Part<'a> {
    pub(crate) text: &'a str,
    pub(crate) link: bool,
}

/// How an address begins, and whether what follows can be the rest of it.
type Scheme = (&'static str, fn(&str) -> bool);

/// Schemes that may be opened from a message, with how it must go on. Nothing that runs or reads
/// anything here: no `javascript:`, `data:`, `file:`, `blob:`.
const SCHEMES: [Scheme; 6] = [
    ("https://", is_authority),
    ("http://", is_authority),
    ("xmpp:", |rest| rest.starts_with(char::is_alphanumeric)),
    ("mailto:", |rest| rest.starts_with(char::is_alphanumeric)),
    ("tel:", |rest| rest.trim_start_matches('+').starts_with(|c: char| c.is_ascii_digit())),
    ("geo:", |rest| rest.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit())),
];

fn is_authority(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphanumeric() || c == '[')
}

/// Longer addresses are text.
const MAX_BYTES: usize = 2048;

/// What begins with a scheme: so many bytes, of which so many are the address. They are looked at
/// once, also when they are none.
struct Run {
    length: usize,
    link: usize,
}

/// Takes a text apart into addresses and what is between them. Takes time in proportion to its
/// length.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut plain, mut at) = (0, 0);
    let mut before: Option<char> = None;
    while let Some(rest) = text.get(at..)
        && let Some(letter) = rest.chars().next()
    {
        // An address does not begin within a word.
        let begins = before.is_none_or(|before| !before.is_alphanumeric());
        let run = if begins && letter.is_ascii_alphabetic() { address(rest) } else { None };
        match run {
            Some(run) if run.link > 0 => {
                let link = rest.get(..run.link).unwrap_or_default();
                push(&mut parts, text.get(plain..at).unwrap_or_default(), false);
                push(&mut parts, link, true);
                before = link.chars().next_back();
                at += run.link;
                plain = at;
            }
            Some(run) => {
                before = rest.get(..run.length).and_then(|run| run.chars().next_back());
                at += run.length;
            }
            None => {
                before = Some(letter);
                at += letter.len_utf8();
            }
        }
    }
    push(&mut parts, text.get(plain..).unwrap_or_default(), false);
    parts
}

fn push<'a>(parts: &mut Vec<Part<'a>>, text: &'a str, link: bool) {
    if !text.is_empty() {
        parts.push(Part { text, link });
    }
}

/// The address that a text begins with, and what looks like one.
fn address(text: &str) -> Option<Run> {
    let (scheme, begins) = SCHEMES.iter().find(|(scheme, _)| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })?;
    let rest = text.get(scheme.len()..).filter(|rest| begins(rest))?;
    let end = rest.find(ends).unwrap_or(rest.len());
    let length = scheme.len() + end;
    let rest = if length <= MAX_BYTES { trimmed(rest.get(..end)?) } else { "" };
    let whole = begins(rest) && (*scheme != "mailto:" || rest.contains('@'));
    Some(Run { length, link: if whole { scheme.len() + rest.len() } else { 0 } })
}

/// What no address holds (RFC 3986 §2, appendix C), and marks that could turn its direction.
fn ends(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '\\' | '{' | '}' | '|' | '^')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// Without the marks of the sentence around it: `(see https://example.org/a_(b).)`
fn trimmed(mut text: &str) -> &str {
    while let Some(last) = text.chars().next_back() {
        let belongs = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' | '…' | '»' | '”' => {
                false
            }
            ')' => balanced(text, '(', ')'),
            ']' => balanced(text, '[', ']'),
            _ => true,
        };
        if belongs {
            break;
        }
        text = text.strip_suffix(last).unwrap_or_default();
    }
    text
}

fn balanced(text: &str, open: char, close: char) -> bool {
    text.matches(open).count() >= text.matches(close).count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        let whole: String = parts(text).iter().map(|part| part.text).collect();
        assert_eq!(whole, text);
        parts(text).into_iter().filter(|part| part.link).map(|part| part.text).collect()
    }

    #[test]
    fn addresses_are_found_without_the_sentence_around_them() {
        assert_eq!(links("see https://example.org/a?b=c#d."), ["https://example.org/a?b=c#d"]);
        assert_eq!(links("(https://example.org/a_(b))"), ["https://example.org/a_(b)"]);
        assert_eq!(links("HTTP://example.org, or"), ["HTTP://example.org"]);
        assert_eq!(links("<https://example.org>"), ["https://example.org"]);
        assert_eq!(links("https://[::1]:5443/"), ["https://[::1]:5443/"]);
        assert_eq!(links("https://пример.example/я"), ["https://пример.example/я"]);
        assert_eq!(
            links("xmpp:juliet@example.org?message mailto:a@example.org tel:+49123 geo:-1,2"),
            ["xmpp:juliet@example.org?message", "mailto:a@example.org", "tel:+49123", "geo:-1,2"]
        );
    }

    #[test]
    fn other_schemes_are_text() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,a",
            "file:///etc/passwd",
            "blob:https",
            "https://",
            "https:// example.org",
            "xhttps",
            "tel:me",
            "mailto:nobody",
            "vbscript:x",
            "",
        ] {
            assert_eq!(links(text), [""; 0], "{text}");
        }
        // Within a word nothing begins.
        assert_eq!(links("javascript:https://example.org"), ["https://example.org"]);
        assert_eq!(links("ahttps://example.org"), [""; 0]);
    }

    #[test]
    fn marks_that_turn_the_direction_end_an_address() {
        assert_eq!(links("https://example.org/\u{202e}gpj"), ["https://example.org/"]);
    }

    #[test]
    fn long_texts_take_no_longer_than_their_length() {
        let text = format!("https://example.org/{}", ")".repeat(200_000));
        assert_eq!(links(&text).len(), 0);
        for piece in ["https://a", "mailto:a", "tel:1", "xmpp:", "https://"] {
            links(&piece.repeat(50_000));
        }
    }
}
