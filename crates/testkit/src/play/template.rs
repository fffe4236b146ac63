//! Text with placeholders in braces: filled in before sending, matched after receiving.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::tree::escape;

/// Names and their values: the cast, the accounts, what was captured.
pub type Variables = BTreeMap<String, String>;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// `{name}`
    Value(String),
    /// `{capture name}`
    Capture(String),
    /// `{any}`
    Any,
    /// `{maybe}` and `{maybe text}`: the text, or anything; or no attribute at all.
    Maybe(Option<String>),
    /// `{not name}`
    Not(String),
    /// `{one of a|b}`
    OneOf(Vec<String>),
    /// `{number}`
    Number,
    /// `{time}`: XEP-0082 date and time in UTC.
    Time,
    /// `{nul}`
    Nul,
    /// `{repeat 3 text}`
    Repeat(usize, Template),
    /// `{base64 text}`
    Base64(Template),
}

impl Template {
    /// Reads a text with placeholders; `{{` and `}}` are literal braces.
    ///
    /// # Errors
    /// A sentence when a brace is not closed or a placeholder makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if after.starts_with(brace) {
                literal.push_str(brace);
                rest = &after[1..];
                continue;
            }
            if brace == "}" {
                return Err("a } without its {; write }} for the character itself".into());
            }
            let end = closing_brace(after)
                .ok_or("a { without its }; write {{ for the character itself")?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(placeholder(&after[..end])?);
            rest = &after[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Template(parts))
    }

    /// The text to send. Values are escaped for XML if `escaped`; literals never are.
    ///
    /// # Errors
    /// A sentence when a name has no value or a placeholder only makes sense in an expectation.
    pub fn expand(&self, variables: &Variables, escaped: bool) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Value(name) => {
                    let value = lookup(variables, name)?;
                    out.push_str(&if escaped { escape(value) } else { value.to_owned() });
                }
                Part::Nul => out.push('\0'),
                Part::Repeat(count, inner) => {
                    out.push_str(&inner.expand(variables, escaped)?.repeat(*count));
                }
                Part::Base64(inner) => {
                    out.push_str(&BASE64_STANDARD.encode(inner.expand(variables, false)?));
                }
                other => return Err(format!("{other:?} can be expected but not sent")),
            }
        }
        Ok(out)
    }

    /// Compares a received text and adds what it captures to `variables`.
    ///
    /// # Errors
    /// A sentence saying how the text differs.
    pub fn compare(&self, text: &str, variables: &mut Variables) -> Result<(), String> {
        for part in &self.0 {
            if let Part::Value(name) | Part::Not(name) = part
                && !self.captures(name)
            {
                lookup(variables, name)?;
            }
        }
        let mut captured = variables.clone();
        if matches(&self.0, text, &mut captured) {
            *variables = captured;
            return Ok(());
        }
        Err(format!("is \"{}\", expected \"{}\"", text, self.shown(variables)))
    }

    /// True if a missing attribute satisfies the template.
    pub fn allows_absence(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Maybe(_)])
    }

    fn captures(&self, name: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Capture(captured) if captured == name))
    }

    /// The template for people to read, known values filled in.
    pub fn shown(&self, variables: &Variables) -> String {
        let show = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Value(name) => {
                variables.get(name).cloned().unwrap_or_else(|| format!("{{{name}}}"))
            }
            Part::Capture(name) => format!("{{capture {name}}}"),
            Part::Any => "{any}".into(),
            Part::Maybe(None) => "{maybe}".into(),
            Part::Maybe(Some(text)) => format!("{{maybe {text}}}"),
            Part::Not(name) => format!("{{not {name}}}"),
            Part::OneOf(choices) => format!("{{one of {}}}", choices.join("|")),
            Part::Number => "{number}".into(),
            Part::Time => "{time}".into(),
            Part::Nul => "{nul}".into(),
            Part::Repeat(count, inner) => format!("{{repeat {count} {}}}", inner.shown(variables)),
            Part::Base64(inner) => format!("{{base64 {}}}", inner.shown(variables)),
        };
        self.0.iter().map(show).collect()
    }
}

fn lookup<'a>(variables: &'a Variables, name: &str) -> Result<&'a str, String> {
    variables.get(name).map(String::as_str).ok_or_else(|| {
        let known: Vec<_> = variables.keys().map(String::as_str).collect();
        format!("nothing is called {{{name}}}; known names: {}", known.join(", "))
    })
}

/// The offset of the brace that closes a placeholder whose inside may hold others.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn placeholder(inside: &str) -> Result<Part, String> {
    match inside {
        "any" => return Ok(Part::Any),
        "maybe" => return Ok(Part::Maybe(None)),
        "number" => return Ok(Part::Number),
        "time" => return Ok(Part::Time),
        "nul" => return Ok(Part::Nul),
        "" => return Err("empty braces".into()),
        _ => {}
    }
    if let Some(text) = inside.strip_prefix("maybe ") {
        return Ok(Part::Maybe(Some(text.to_owned())));
    }
    if let Some(name) = inside.strip_prefix("capture ") {
        return Ok(Part::Capture(name.trim().into()));
    }
    if let Some(name) = inside.strip_prefix("not ") {
        return Ok(Part::Not(name.trim().into()));
    }
    if let Some(choices) = inside.strip_prefix("one of ") {
        return Ok(Part::OneOf(choices.split('|').map(str::to_owned).collect()));
    }
    if let Some(text) = inside.strip_prefix("base64 ") {
        return Ok(Part::Base64(Template::parse(text)?));
    }
    if let Some(rest) = inside.strip_prefix("repeat ") {
        let (count, text) = rest.split_once(' ').ok_or("{repeat} needs a number and a text")?;
        let count = count.parse().map_err(|_| format!("{count} is not a number"))?;
        return Ok(Part::Repeat(count, Template::parse(text)?));
    }
    if inside.contains('{') {
        return Err(format!("{{{inside}}} is not a placeholder"));
    }
    Ok(Part::Value(inside.into()))
}

fn matches(parts: &[Part], text: &str, variables: &mut Variables) -> bool {
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    let fixed = match first {
        Part::Literal(literal) => Some(literal.clone()),
        Part::Value(name) => match variables.get(name) {
            Some(value) => Some(value.clone()),
            None => return false,
        },
        Part::Nul => Some("\0".into()),
        Part::Repeat(..) | Part::Base64(_) => {
            match Template(vec![first.clone()]).expand(variables, false) {
                Ok(value) => Some(value),
                Err(_) => return false,
            }
        }
        _ => None,
    };
    if let Some(fixed) = fixed {
        return text.strip_prefix(&fixed).is_some_and(|text| matches(rest, text, variables));
    }
    // Shortest first, except that the last placeholder has to take everything.
    let from = if rest.is_empty() { text.len() } else { 0 };
    let cuts = (from..=text.len()).filter(|at| text.is_char_boundary(*at));
    for cut in cuts {
        let (taken, remaining) = text.split_at(cut);
        if !accepts(first, taken, variables) {
            continue;
        }
        let mut attempt = variables.clone();
        if let Part::Capture(name) = first {
            attempt.insert(name.clone(), taken.to_owned());
        }
        if matches(rest, remaining, &mut attempt) {
            *variables = attempt;
            return true;
        }
    }
    false
}

fn accepts(part: &Part, text: &str, variables: &Variables) -> bool {
    match part {
        Part::Any | Part::Maybe(None) => true,
        Part::Maybe(Some(wanted)) => wanted == text,
        Part::Capture(_) => !text.is_empty(),
        Part::Not(name) => variables.get(name).is_some_and(|value| value != text),
        Part::OneOf(choices) => choices.iter().any(|choice| choice == text),
        Part::Number => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        Part::Time => is_utc_time(text),
        _ => false,
    }
}

/// XEP-0082 §3.2: `CCYY-MM-DDThh:mm:ss[.sss]Z`; stamps of servers are in UTC.
fn is_utc_time(text: &str) -> bool {
    let Some((whole, fraction)) =
        text.strip_suffix('Z').map(|t| t.split_once('.').unwrap_or((t, "0")))
    else {
        return false;
    };
    let shape: String = whole.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00T00:00:00"
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables::from([("romeo".into(), "romeo@verona.example".into())])
    }

    fn compare(template: &str, text: &str) -> Option<Variables> {
        let mut variables = variables();
        Template::parse(template).unwrap().compare(text, &mut variables).ok().map(|()| variables)
    }

    #[test]
    fn values_are_filled_in_and_escaped() {
        let mut variables = variables();
        variables.insert("odd".into(), "a'b".into());
        let template = Template::parse("{romeo}/{odd} {{x}} {repeat 3 ab}").unwrap();
        let text = template.expand(&variables, true).unwrap();
        assert_eq!(text, "romeo@verona.example/a&apos;b {x} ababab");
    }

    #[test]
    fn placeholders_nest() {
        let template = Template::parse("{base64 {nul}a{nul}b}").unwrap();
        assert_eq!(template.expand(&variables(), true).unwrap(), "AGEAYg==");
    }

    #[test]
    fn a_capture_is_remembered() {
        let variables =
            compare("{romeo}/{capture resource}", "romeo@verona.example/orchard").unwrap();
        assert_eq!(variables["resource"], "orchard");
    }

    #[test]
    fn a_capture_takes_at_least_one_character() {
        assert!(compare("{romeo}/{capture resource}", "romeo@verona.example/").is_none());
    }

    #[test]
    fn choices_numbers_and_times_are_checked() {
        assert!(compare("{one of cancel|auth}", "auth").is_some());
        assert!(compare("{one of cancel|auth}", "wait").is_none());
        assert!(compare("{number}", "12").is_some());
        assert!(compare("{number}", "1x").is_none());
        assert!(compare("{time}", "2024-05-05T12:00:01.5Z").is_some());
        assert!(compare("{time}", "2024-05-05T12:00:01+01:00").is_none());
        assert!(compare("{not romeo}", "juliet").is_some());
    }

    #[test]
    fn unknown_names_and_open_braces_are_explained() {
        assert!(Template::parse("{romeo").is_err());
        let error = Template::parse("{rome}").unwrap().expand(&variables(), true).unwrap_err();
        assert!(error.contains("known names: romeo"), "{error}");
    }
}
