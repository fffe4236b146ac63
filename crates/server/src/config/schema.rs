//! How a section of the configuration is declared: one macro makes the struct, its defaults, its
//! reader and its page in the manual from the same lines, so none of them can disagree.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    ops::{Range, RangeInclusive},
    path::PathBuf,
};

use toml::de::{DeTable, DeValue};

/// What is wrong with a configuration file at one place of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is: byte offsets into the text, or `None` when something is missing.
    pub span: Option<Range<usize>>,
    /// A sentence that says what is wrong and what is allowed.
    pub message: String,
}

impl Problem {
    pub(super) fn at(span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem { span: Some(span), message: message.into() }
    }

    pub(super) fn general(message: impl Into<String>) -> Problem {
        Problem { span: None, message: message.into() }
    }
}

/// One key of a section, as the manual shows it.
#[derive(Debug)]
pub struct Key {
    /// The name in the file.
    pub name: &'static str,
    /// Its documentation, line by line.
    pub docs: &'static [&'static str],
    /// What it accepts, in words.
    pub allowed: String,
    /// The default as it would be written in the file; `None` when the key is absent by default.
    pub default: Option<String>,
}

/// One section of the file, as the manual shows it.
#[derive(Debug)]
pub struct Chapter {
    /// The name in square brackets.
    pub name: &'static str,
    /// Its documentation, line by line.
    pub docs: &'static [&'static str],
    /// Its keys in the order of declaration.
    pub keys: Vec<Key>,
}

/// A type that can stand on the right of an equals sign.
pub(super) trait Value: Sized {
    /// What is accepted, in words that complete the sentence "`key` must be …".
    fn allowed() -> String;
    /// Reads a value; `Err` when it is not one of the allowed ones.
    fn read(value: &DeValue<'_>) -> Result<Self, ()>;
    /// The value as it would be written in the file.
    fn show(&self) -> Option<String>;
    /// Whether the number lies in `range`; other types have no range.
    fn within(&self, _range: &RangeInclusive<u64>) -> bool {
        true
    }
}

impl Value for bool {
    fn allowed() -> String {
        "true or false".to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        value.as_bool().ok_or(())
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for u64 {
    fn allowed() -> String {
        "a whole number".to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        let number = value.as_integer().ok_or(())?;
        u64::from_str_radix(number.as_str(), number.radix()).map_err(|_| ())
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn within(&self, range: &RangeInclusive<u64>) -> bool {
        range.contains(self)
    }
}

impl Value for String {
    fn allowed() -> String {
        "a text in quotes".to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        value.as_str().map(str::to_owned).ok_or(())
    }

    fn show(&self) -> Option<String> {
        Some(quote(self))
    }
}

impl Value for PathBuf {
    fn allowed() -> String {
        "a path in quotes; a relative one starts at the data directory".to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        let path = value.as_str().ok_or(())?;
        if path.is_empty() { Err(()) } else { Ok(PathBuf::from(path)) }
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string_lossy()))
    }
}

impl Value for SocketAddr {
    fn allowed() -> String {
        "an address with port, such as \"192.0.2.1:5222\" or \"[::]:5222\"".to_owned()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        value.as_str().and_then(|text| text.parse().ok()).ok_or(())
    }

    fn show(&self) -> Option<String> {
        Some(quote(&self.to_string()))
    }
}

impl<T: Value> Value for Option<T> {
    fn allowed() -> String {
        T::allowed()
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        T::read(value).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }

    fn within(&self, range: &RangeInclusive<u64>) -> bool {
        self.as_ref().is_none_or(|value| value.within(range))
    }
}

impl<T: Value> Value for Vec<T> {
    fn allowed() -> String {
        format!("a list in square brackets; each entry is {}", T::allowed())
    }

    fn read(value: &DeValue<'_>) -> Result<Self, ()> {
        let entries = value.as_array().ok_or(())?;
        entries.iter().map(|entry| T::read(entry.get_ref())).collect()
    }

    fn show(&self) -> Option<String> {
        let entries: Option<Vec<String>> = self.iter().map(T::show).collect();
        Some(format!("[{}]", entries?.join(", ")))
    }
}

/// A word out of a fixed few: declares the enum and its spellings at once.
macro_rules! choice {
    ($(#[doc = $doc:literal])* pub enum $Name:ident {
        $( $(#[doc = $variant_doc:literal])* $Variant:ident = $spelling:literal, )*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Name { $( $(#[doc = $variant_doc])* $Variant, )* }

        impl $Name {
            /// The spelling used in the configuration file.
            pub fn as_str(self) -> &'static str {
                match self { $( $Name::$Variant => $spelling, )* }
            }
        }

        impl $crate::config::schema::Value for $Name {
            fn allowed() -> String {
                $crate::config::schema::one_of(&[$( $spelling ),*])
            }

            fn read(value: &toml::de::DeValue<'_>) -> Result<Self, ()> {
                match value.as_str() {
                    $( Some($spelling) => Ok($Name::$Variant), )*
                    _ => Err(()),
                }
            }

            fn show(&self) -> Option<String> {
                Some($crate::config::schema::quote(self.as_str()))
            }
        }
    };
}

/// A section: declares the struct, its defaults, its reader and its chapter of the manual at once.
/// `in RANGE` limits a number.
macro_rules! section {
    ($(#[doc = $doc:literal])* pub struct $Name:ident as $section:literal {
        $( $(#[doc = $key_doc:literal])* pub $key:ident: $Type:ty = $default:expr
           $(, in $range:expr)?; )*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Name { $( $(#[doc = $key_doc])* pub $key: $Type, )* }

        impl Default for $Name {
            fn default() -> Self {
                $Name { $( $key: $default, )* }
            }
        }

        impl $Name {
            pub(in crate::config) fn chapter() -> $crate::config::schema::Chapter {
                let default = $Name::default();
                $crate::config::schema::Chapter {
                    name: $section,
                    docs: &[$( $doc ),*],
                    keys: vec![$( $crate::config::schema::key(
                        stringify!($key), &[$( $key_doc ),*], &default.$key,
                        None $( .or(Some($range)) )?,
                    ), )*],
                }
            }

            /// The section with what the file sets put over what it starts from.
            pub(in crate::config) fn read(
                mut self,
                reader: &mut $crate::config::schema::TableReader<'_, '_>,
            ) -> Self {
                let section = &mut self;
                $( reader.key(stringify!($key), &mut section.$key,
                              None $( .or(Some($range)) )?); )*
                self
            }

            /// The keys with their values as they would stand in the file.
            pub(in crate::config) fn show(&self) -> Vec<(&'static str, Option<String>)> {
                use $crate::config::schema::Value as _;
                vec![$( (stringify!($key), self.$key.show()), )*]
            }
        }
    };
}

pub(super) use {choice, section};

pub(super) fn key<T: Value>(
    name: &'static str,
    docs: &'static [&'static str],
    default: &T,
    range: Option<RangeInclusive<u64>>,
) -> Key {
    Key { name, docs, allowed: allowed::<T>(range.as_ref()), default: default.show() }
}

fn allowed<T: Value>(range: Option<&RangeInclusive<u64>>) -> String {
    match range {
        Some(range) => format!("{} from {} to {}", T::allowed(), range.start(), range.end()),
        None => T::allowed(),
    }
}

/// Reads one table, notes which keys it holds, and reports the ones nobody asked for.
pub(super) struct TableReader<'a, 'i> {
    table: &'a DeTable<'i>,
    /// The keys this table may have, filled while the section asks for them.
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
    /// Which keys the file set, by `section.key`.
    set: &'a mut BTreeMap<String, Range<usize>>,
    section: &'static str,
}

impl<'a, 'i> TableReader<'a, 'i> {
    pub(super) fn new(
        section: &'static str,
        table: &'a DeTable<'i>,
        problems: &'a mut Vec<Problem>,
        set: &'a mut BTreeMap<String, Range<usize>>,
    ) -> Self {
        TableReader { table, known: Vec::new(), problems, set, section }
    }

    /// Reads `name` into `slot`, or leaves the default there.
    pub(super) fn key<T: Value>(
        &mut self,
        name: &'static str,
        slot: &mut T,
        range: Option<RangeInclusive<u64>>,
    ) {
        self.known.push(name);
        let Some(value) = self.table.get(name) else { return };
        self.set.insert(path(self.section, name), value.span());
        match T::read(value.get_ref()) {
            Ok(read) if range.as_ref().is_none_or(|range| read.within(range)) => *slot = read,
            _ => self.problems.push(Problem::at(
                value.span(),
                format!("`{name}` must be {}", allowed::<T>(range.as_ref())),
            )),
        }
    }

    /// Reports every key of the table that is not one of the section's.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.known.contains(&name) {
                let place = format!("[{}]", self.section);
                self.problems.push(Problem::at(key.span(), unknown(name, &place, &self.known)));
            }
        }
    }
}

pub(super) fn path(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// The sentence for a key or section that does not exist.
pub(super) fn unknown(name: &str, place: &str, known: &[&str]) -> String {
    let mut message = format!("unknown key `{name}` in {place}");
    match nearest(name, known) {
        Some(near) => {
            let _ = write!(message, "; did you mean `{near}`?");
        }
        None => {
            let _ = write!(message, "; it may have: {}", known.join(", "));
        }
    }
    message
}

/// The known word closest to `name`, when it is close enough to be meant: up to a third of the
/// letters differ, or it is the same but for case, hyphens and underscores.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = name.to_lowercase().replace('-', "_");
    let best = known.iter().min_by_key(|word| distance(&name, word))?;
    (distance(&name, best) <= (best.len() / 3).max(1)).then_some(best)
}

/// Edits (insert, delete, replace a letter) that turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// A TOML basic string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest_one() {
        let known = ["c2s", "c2s_tls", "s2s", "s2s_tls", "https", "http"];
        assert_eq!(nearest("c2s_tsl", &known), Some("c2s_tls"));
        assert_eq!(nearest("C2S-TLS", &known), Some("c2s_tls"));
        assert_eq!(nearest("htps", &known), Some("https"));
        assert_eq!(nearest("database", &known), None);
    }

    #[test]
    fn a_quoted_text_is_a_toml_string() {
        assert_eq!(quote("a \"b\" \\ \u{7}"), r#""a \"b\" \\ \u0007""#);
    }
}
