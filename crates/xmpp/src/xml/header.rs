//! RFC 6120 §4.7 and §11.4: what a stream begins with

use super::chars::is_space;
use super::names::{Declared, Outer};
use super::reference::{decode_attribute, utf8};
use super::scan::Scanner;
use super::{Element, XmlError};
use crate::ns;

/// The attributes of the element that opens a stream (RFC 6120 §4.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamHeader {
    /// Whom the stream is for.
    pub to: Option<String>,
    /// Who opens it.
    pub from: Option<String>,
    /// The stream's id, given by the receiving side.
    pub id: Option<String>,
    /// The XMPP version; missing before XMPP 1.0.
    pub version: Option<String>,
    /// The default language.
    pub lang: Option<String>,
    /// The content namespace: the default namespace of the header; over WebSocket `jabber:client`.
    pub ns: String,
}

/// What the open stream says about the elements in it.
#[derive(Debug, Default)]
pub(super) struct Context {
    root: Box<[u8]>,
    default: Box<str>,
    content: Box<str>,
    prefixes: Box<[Declared]>,
}

impl Context {
    /// What surrounds WebSocket messages: nothing.
    pub(super) fn websocket() -> Context {
        Context { content: ns::CLIENT.into(), ..Context::default() }
    }

    /// As names are looked up.
    pub(super) fn outer(&self) -> Outer<'_> {
        Outer {
            root: &self.root,
            default: &self.default,
            content: &self.content,
            prefixes: &self.prefixes,
        }
    }
}

/// Reads the header that the scanner found last.
///
/// # Errors
///
/// It is not `stream` in the streams namespace.
pub(super) fn stream_header(
    scanner: &Scanner,
    input: &[u8],
) -> Result<(StreamHeader, Context), XmlError> {
    let (names, name) = (&scanner.names, scanner.tag.name);
    let outer = Outer::default();
    let namespace = names.resolve(input, name.prefix(input), &outer);
    if namespace.is_none_or(|found| found.decode(input) != ns::STREAM) {
        return Err(XmlError::StreamNamespace);
    }
    if name.local(input) != b"stream" {
        return Err(XmlError::NotAStream);
    }
    let mut context = Context { root: name.of(input).into(), ..Context::default() };
    let mut prefixes = Vec::new();
    for binding in names.own_bindings() {
        let value = decode_attribute(binding.value.of(input)).into_owned();
        match binding.prefix.len {
            0 => context.default = value.into(),
            _ => prefixes.push(Declared::new(utf8(binding.prefix.of(input)), &value)),
        }
    }
    context.prefixes = prefixes.into();
    context.content = content_namespace(&context).into();
    let attr = |name: &str| {
        let found = names.attrs().iter().find(|attr| attr.name.of(input) == name.as_bytes());
        found.map(|attr| decode_attribute(attr.value.of(input)).into_owned())
    };
    let header = StreamHeader {
        to: attr("to"),
        from: attr("from"),
        id: attr("id"),
        version: attr("version"),
        lang: attr("xml:lang"),
        ns: context.content.to_string(),
    };
    Ok((header, context))
}

/// RFC 6120 §4.8.3: the content namespace is the default namespace, or has a prefix, or is
/// declared by every stanza.
fn content_namespace(context: &Context) -> &str {
    let known = [ns::CLIENT, ns::SERVER, ns::COMPONENT];
    match &*context.default {
        "" | ns::STREAM => {
            let mut bound = context.prefixes.iter().map(Declared::namespace);
            bound.find(|namespace| known.contains(namespace)).unwrap_or(ns::CLIENT)
        }
        default => default,
    }
}

/// The header in an `<open/>` element (RFC 7395 §3.4).
pub(super) fn websocket_header(open: &Element) -> StreamHeader {
    let attr = |name| open.attr(name).map(str::to_owned);
    StreamHeader {
        to: attr("to"),
        from: attr("from"),
        id: attr("id"),
        version: attr("version"),
        lang: attr("xml:lang"),
        ns: ns::CLIENT.to_owned(),
    }
}

/// Length of the XML declaration that `input` begins with, 0 when there is none; `None` when more
/// is needed to tell.
///
/// # Errors
///
/// It announces something other than XML 1.0 in UTF-8 (RFC 6120 §11.5, §11.6), or it is a
/// processing instruction.
pub(super) fn declaration_len(input: &[u8]) -> Result<Option<usize>, XmlError> {
    const START: &[u8] = b"<?xml";
    if START.starts_with(input) {
        return Ok(if input.is_empty() { Some(0) } else { None });
    }
    let Some(rest) = input.strip_prefix(START) else { return Ok(Some(0)) };
    match rest.first() {
        Some(&byte) if is_space(byte) => {}
        _ => return Err(XmlError::ProcessingInstruction),
    }
    let window = rest.get(..LONGEST_DECLARATION).unwrap_or(rest);
    match window.windows(2).position(|pair| pair == b"?>") {
        Some(end) => {
            check_declaration(window.get(..end).unwrap_or_default())?;
            Ok(Some(START.len() + end + 2))
        }
        None if rest.len() >= LONGEST_DECLARATION => Err(XmlError::Declaration),
        None => Ok(None),
    }
}

/// XML 1.0 §2.8: version, then encoding and standalone if wanted, in this order.
fn check_declaration(inside: &[u8]) -> Result<(), XmlError> {
    let mut rest = std::str::from_utf8(inside).map_err(|_| XmlError::Encoding)?;
    let version = pseudo_attribute(&mut rest, "version")?;
    if version.is_none_or(|version| version != "1.0") {
        return Err(XmlError::Declaration);
    }
    let encoding = pseudo_attribute(&mut rest, "encoding")?;
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("utf-8")) {
        return Err(XmlError::Encoding);
    }
    let standalone = pseudo_attribute(&mut rest, "standalone")?;
    if standalone.is_some_and(|standalone| !matches!(standalone, "yes" | "no")) {
        return Err(XmlError::Declaration);
    }
    let done = rest.trim_start_matches(SPACE).is_empty();
    if done { Ok(()) } else { Err(XmlError::Declaration) }
}

/// Takes `name="value"` with the white space before it from the front of `rest`, if it is there.
fn pseudo_attribute<'a>(rest: &mut &'a str, name: &str) -> Result<Option<&'a str>, XmlError> {
    let trimmed = rest.trim_start_matches(SPACE);
    let Some(tail) = trimmed.strip_prefix(name) else { return Ok(None) };
    if trimmed.len() == rest.len() {
        return Err(XmlError::Declaration);
    }
    let tail = tail.trim_start_matches(SPACE).strip_prefix('=').ok_or(XmlError::Declaration)?;
    let tail = tail.trim_start_matches(SPACE);
    let quote = tail.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
    let quote = quote.ok_or(XmlError::Declaration)?;
    let (value, tail) = tail
        .strip_prefix(quote)
        .and_then(|tail| tail.split_once(quote))
        .ok_or(XmlError::Declaration)?;
    *rest = tail;
    Ok(Some(value))
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Bytes of an XML declaration after `<?xml`.
const LONGEST_DECLARATION: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_of_utf_8_are_accepted() {
        for text in [
            "<?xml version='1.0'?>",
            "<?xml version=\"1.0\" encoding='utf-8' ?>",
            "<?xml\tversion = '1.0'\nencoding=\"UTF-8\" standalone='yes'?>",
        ] {
            let input = format!("{text}<a/>");
            assert_eq!(declaration_len(input.as_bytes()), Ok(Some(text.len())), "{text}");
            for len in 1..text.len() {
                assert_eq!(declaration_len(&text.as_bytes()[..len]), Ok(None), "{text} {len}");
            }
        }
        assert_eq!(declaration_len(b"<a/>"), Ok(Some(0)));
    }

    #[test]
    fn other_declarations_are_refused() {
        for text in [
            "<?xml ?>",
            "<?xml version='1.1'?>",
            "<?xml encoding='UTF-8'?>",
            "<?xml version='1.0'encoding='UTF-8'?>",
            "<?xml version='1.0' standalone='maybe'?>",
            "<?xml version='1.0' encoding='UTF-8' version='1.0'?>",
            "<?xml version='1.0\" encoding='UTF-8'?>",
        ] {
            assert_eq!(declaration_len(text.as_bytes()), Err(XmlError::Declaration), "{text}");
        }
        let latin = "<?xml version='1.0' encoding='ISO-8859-1'?>";
        assert_eq!(declaration_len(latin.as_bytes()), Err(XmlError::Encoding));
        let long = format!("<?xml version='1.0'{}", " ".repeat(300));
        assert_eq!(declaration_len(long.as_bytes()), Err(XmlError::Declaration));
        let other = XmlError::ProcessingInstruction;
        assert_eq!(declaration_len(b"<?xml-stylesheet href='x'?>"), Err(other));
    }
}
