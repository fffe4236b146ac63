//! From bytes to [`Element`]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::chars::{space_len, valid_len};
use super::header::declaration_len;
use super::names::{Namespace, Outer};
use super::reference::{decode_attribute, decode_cdata, decode_text, utf8};
use super::scan::{Scanner, Token};
use super::{Bound, Element, Limits, XmlError};
use crate::ns;

impl Element {
    /// Reads one element that stands alone, with white space and an XML declaration around it at
    /// most.
    ///
    /// # Errors
    ///
    /// The bytes are not one element of restricted XML within the limits.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Element, XmlError> {
        let (valid, fault) = valid_len(bytes);
        let text = bytes.get(..valid).unwrap_or_default();
        match (parse_valid(text, limits), fault) {
            (Ok(_) | Err(XmlError::Incomplete), Some(fault)) => Err(fault),
            (Ok(_), None) if valid < bytes.len() => Err(XmlError::Encoding),
            (result, _) => result,
        }
    }
}

fn parse_valid(text: &[u8], limits: &Limits) -> Result<Element, XmlError> {
    let declaration = declaration_len(text)?.ok_or(XmlError::Incomplete)?;
    let rest = text.get(declaration..).unwrap_or_default();
    let rest = rest.get(space_len(rest)..).unwrap_or_default();
    let (element, len) = build(rest, limits, &Outer::default())?;
    let rest = rest.get(len..).unwrap_or_default();
    if space_len(rest) < rest.len() {
        return Err(XmlError::TrailingData);
    }
    Ok(element)
}

/// Builds the element that `input`, which must be valid characters, begins with; says how long it
/// is. The content namespace becomes `jabber:client`.
pub(crate) fn build(
    input: &[u8],
    limits: &Limits,
    outer: &Outer<'_>,
) -> Result<(Element, usize), XmlError> {
    if input.first().is_some_and(|&byte| byte != b'<') {
        return Err(XmlError::TextOutside);
    }
    let within = input.get(..limits.element_bytes).unwrap_or(input);
    let mut scanner = Scanner::new();
    let mut builder = Builder { input, outer, open: Vec::new(), known: BTreeMap::new() };
    loop {
        let Some(token) = scanner.next(within, limits, outer)? else {
            let cut = within.len() < input.len();
            return Err(if cut {
                XmlError::Limit(Bound::ElementBytes)
            } else {
                XmlError::Incomplete
            });
        };
        if scanner.names.elements() > limits.elements {
            return Err(XmlError::Limit(Bound::Elements));
        }
        if let Some(element) = builder.token(token, &scanner) {
            return Ok((element, scanner.pos()));
        }
    }
}

/// The elements that are open.
struct Builder<'a> {
    input: &'a [u8],
    outer: &'a Outer<'a>,
    open: Vec<Level>,
    /// Namespaces that a prefix stood for, by where they are: shared by all names that use them,
    /// so that a long one costs memory once.
    known: BTreeMap<(bool, usize), Arc<str>>,
}

struct Level {
    element: Element,
    /// The default namespace inside.
    default: Arc<str>,
}

impl Builder<'_> {
    /// Takes a token; returns the root when it is complete.
    fn token(&mut self, token: Token, scanner: &Scanner) -> Option<Element> {
        match token {
            Token::Start => {
                let level = self.level(scanner);
                self.open.push(level);
                None
            }
            Token::Empty => {
                let element = self.level(scanner).element;
                self.complete(element)
            }
            Token::End | Token::OuterEnd => {
                let element = self.open.pop()?.element;
                self.complete(element)
            }
            Token::Text(span) => self.text(decode_text(span.of(self.input))),
            Token::Cdata(span) => self.text(decode_cdata(span.of(self.input))),
        }
    }

    fn text(&mut self, text: Cow<'_, str>) -> Option<Element> {
        if let Some(level) = self.open.last_mut() {
            level.element.push_text(text);
        }
        None
    }

    fn complete(&mut self, element: Element) -> Option<Element> {
        match self.open.last_mut() {
            Some(parent) => {
                parent.element.push(element);
                None
            }
            None => Some(element),
        }
    }

    /// The element whose start tag the scanner found last.
    fn level(&mut self, scanner: &Scanner) -> Level {
        let (input, name) = (self.input, scanner.tag.name);
        let bindings = scanner.names.own_bindings();
        let default = match bindings.iter().find(|binding| binding.prefix.len == 0) {
            Some(binding) => self.shared(decode_attribute(binding.value.of(input))),
            None => match self.open.last() {
                Some(parent) => parent.default.clone(),
                None => self.shared(Cow::Borrowed(self.outer.default)),
            },
        };
        let namespace = match name.prefix_len {
            0 => default.clone(),
            _ => self.resolve(scanner, name.prefix(input)),
        };
        let mut element = Element::new(utf8(name.local(input)), namespace);
        for attr in scanner.names.attrs() {
            let namespace =
                (attr.name.prefix_len > 0).then(|| self.resolve(scanner, attr.name.prefix(input)));
            let value = decode_attribute(attr.value.of(input)).into_owned();
            element.push_attr(namespace, utf8(attr.name.local(input)), value);
        }
        Level { element, default }
    }

    fn resolve(&mut self, scanner: &Scanner, prefix: &[u8]) -> Arc<str> {
        let Some(namespace) = scanner.names.resolve(self.input, prefix, self.outer) else {
            return Arc::from("");
        };
        let place = match namespace {
            Namespace::Here(span) => (true, span.start as usize),
            Namespace::Outside(name) => (false, name.as_ptr() as usize),
        };
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let shared = self.shared(namespace.decode(self.input));
        self.known.insert(place, shared.clone());
        shared
    }

    fn shared(&self, namespace: Cow<'_, str>) -> Arc<str> {
        if !namespace.is_empty() && namespace == self.outer.content {
            return Arc::from(ns::CLIENT);
        }
        Arc::from(namespace)
    }
}
