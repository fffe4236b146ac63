//! Text from outside, made safe for a terminal.
//!
//! Everything a person did not type on this keyboard passes [`Printable`]: no control character
//! and no escape sequence is left in it, so it can neither move the cursor nor reach the clipboard
//! or the title; and text that runs from right to left is isolated, so that it cannot reorder what
//! stands beside it.

use std::borrow::Cow;
use std::fmt;

use unicode_security::MixedScript as _;
use xmpp::jid::BareJid;

/// Text that can be put on a terminal as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Printable(String);

impl Printable {
    /// A single line: line breaks and tabs become spaces.
    #[must_use]
    pub fn line(text: &str) -> Printable {
        Printable(isolated(&clean(text, ' ')))
    }

    /// Several lines, each isolated by itself. Line breaks of every kind become `\n`.
    #[must_use]
    pub fn block(text: &str) -> Printable {
        let cleaned = clean(text, '\n');
        Printable(cleaned.split('\n').map(isolated).collect::<Vec<_>>().join("\n"))
    }

    /// An address. A part that mixes alphabets, as look-alikes do, is shown in Punycode
    /// (Unicode Technical Standard 39 §5.1).
    #[must_use]
    pub fn address(address: &BareJid) -> Printable {
        let domain = address.domain().as_str();
        let domain = match domain.split('.').all(|label| label.is_single_script()) {
            true => Cow::Borrowed(domain),
            false => idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::EMPTY)
                .unwrap_or_else(|_| Cow::Owned(domain.escape_unicode().to_string())),
        };
        match address.node() {
            None => Printable::line(&domain),
            Some(node) if node.as_str().is_single_script() => {
                Printable::line(&format!("{node}@{domain}"))
            }
            Some(node) => {
                let node = idna::punycode::encode_str(node.as_str()).map_or_else(
                    || node.as_str().escape_unicode().to_string(),
                    |p| format!("xn--{p}"),
                );
                Printable::line(&format!("{node}@{domain}"))
            }
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a character may not stand in foreign text.
#[must_use]
pub fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Marks, embeddings, overrides and isolates of the bidirectional algorithm.
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Invisible: they hide differences, and terminals disagree about their width.
            | '\u{AD}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{2065}'
            | '\u{206A}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E001F}' | '\u{E0080}'..='\u{E0FFF}'
        )
}

/// Drops what is forbidden; `line_break` stands for every kind of line break.
fn clean(text: &str, line_break: char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                out.push(line_break);
            }
            '\t' => out.push_str("  "),
            forbidden if is_forbidden(forbidden) => {}
            mark if unicode_width::UnicodeWidthChar::width(mark) == Some(0) => {
                marks += 1;
                if marks <= MOST_MARKS && !out.is_empty() {
                    out.push(mark);
                }
                continue;
            }
            plain => out.push(plain),
        }
        marks = 0;
    }
    out
}

/// Surrounds a line that runs from right to left somewhere with FIRST STRONG ISOLATE and POP
/// DIRECTIONAL ISOLATE (UAX 9 §2.4).
fn isolated(line: &str) -> String {
    match line.chars().any(is_right_to_left) {
        true => format!("{FIRST_STRONG_ISOLATE}{line}{POP_ISOLATE}"),
        false => line.to_owned(),
    }
}

/// Whether a character is of a script that runs from right to left, by its block.
#[must_use]
pub fn is_right_to_left(character: char) -> bool {
    matches!(
        character,
        '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}'
    )
}

/// Opens an isolate.
pub const FIRST_STRONG_ISOLATE: char = '\u{2068}';
/// Closes an isolate.
pub const POP_ISOLATE: char = '\u{2069}';
/// More marks on one letter than any language needs would draw over other lines.
const MOST_MARKS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_loses_its_escape() {
        assert_eq!(Printable::line("\x1b]52;c;ZXZpbA==\x07hi").as_str(), "]52;c;ZXZpbA==hi");
        assert_eq!(Printable::line("a\u{9b}31mb").as_str(), "a31mb");
    }

    #[test]
    fn line_breaks_become_spaces_in_a_line_and_newlines_in_a_block() {
        let text = "a\r\nb\rc\u{2028}d\te";
        assert_eq!(Printable::line(text).as_str(), "a b c d  e");
        assert_eq!(Printable::block(text).as_str(), "a\nb\nc\nd  e");
    }

    #[test]
    fn overrides_are_dropped_and_right_to_left_text_is_isolated() {
        assert_eq!(Printable::line("\u{202E}gpj.exe").as_str(), "gpj.exe");
        assert_eq!(Printable::line("שלום 12").as_str(), "\u{2068}שלום 12\u{2069}");
        assert_eq!(Printable::block("שלום\nhi").as_str(), "\u{2068}שלום\u{2069}\nhi");
    }

    #[test]
    fn emoji_and_accents_stay_and_towers_of_marks_are_cut() {
        for text in ["👩‍👩‍👧", "👍🏽", "e\u{301}", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم"]
        {
            assert!(Printable::line(text).as_str().contains(text), "{text}");
        }
        let tower = format!("a{}", "\u{301}".repeat(100));
        assert_eq!(Printable::line(&tower).as_str().chars().count(), 1 + MOST_MARKS);
    }

    #[test]
    fn an_address_of_mixed_alphabets_is_shown_in_punycode() {
        let plain: BareJid = "juliet@capulet.example".parse().unwrap();
        assert_eq!(Printable::address(&plain).as_str(), "juliet@capulet.example");
        // The second letter of the domain is Cyrillic.
        let forged: BareJid = "juliet@c\u{430}pulet.example".parse().unwrap();
        assert!(Printable::address(&forged).as_str().starts_with("juliet@xn--"));
        let forged: BareJid = "juli\u{435}t@capulet.example".parse().unwrap();
        assert!(Printable::address(&forged).as_str().starts_with("xn--"));
        let japanese: BareJid = "さくら@東京.example".parse().unwrap();
        assert_eq!(Printable::address(&japanese).as_str(), "さくら@東京.example");
    }
}
