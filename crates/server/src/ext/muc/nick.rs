//! Which nicknames people take for the same (XEP-0045 §7.2.8 and §13.6).
//!
//! An address is prepared before it gets here: compatible characters are one, and most of what nobody
//! sees is gone (RFC 7622). What is left differs for a machine and often not for whoever reads it.

use unicode_security::confusable_detection::skeleton;

/// What a nickname looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Likeness {
    /// Whatever its case.
    folded: Box<str>,
    /// As it is drawn: a capital i is a small l.
    drawn: Box<str>,
}

impl Likeness {
    /// Whether two nicknames are one to whoever reads them. Case, spaces around and between words, letters of
    /// other scripts and what cannot be seen make no difference (RFC 8266 §2.4, UTS #39 §4).
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.folded == other.folded || self.drawn == other.drawn
    }
}

/// What a nickname looks like; `None` when nothing can be seen of it at all.
pub(super) fn likeness(nick: &str) -> Option<Likeness> {
    let visible: String = nick.chars().filter(|c| !is_unseen(*c)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let plain = words.join(" ");
    let drawn: String = skeleton(&plain).collect();
    // Some letters look like capitals only, such as a zero.
    let folded = skeleton(&plain.to_lowercase()).collect::<String>().to_lowercase();
    (!drawn.is_empty()).then(|| Likeness { folded: folded.into(), drawn: drawn.into() })
}

/// Letters without a shape, and marks that only change how others are drawn: what has the property
/// `Default_Ignorable_Code_Point` in Unicode and is not left to unassigned letters, and the empty Braille
/// pattern.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{34F}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        likeness(one).unwrap().matches(&likeness(other).unwrap())
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (one, other) in [
            ("thirdwitch", "ThirdWitch"),
            ("thirdwitch", " thirdwitch "),
            ("third witch", "third  witch"),
            // The second has two Cyrillic letters.
            ("hecate", "h\u{435}c\u{430}te"),
            ("hecate", "hec\u{FE0F}ate"),
            ("hecate", "hec\u{1160}ate"),
            ("Ill", "lIl"),
            ("O'Brien", "0\u{2019}brien"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
        for (one, other) in
            [("n1", "n2"), ("hecate", "hécate"), ("a b", "ab"), ("ball", "bail"), ("🐈", "🐕")]
        {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn nobody_is_called_nothing() {
        for nick in ["", " ", "   ", "\u{1160}", "\u{2800} \u{FE0F}"] {
            assert_eq!(likeness(nick), None, "{nick:?}");
        }
    }
}
