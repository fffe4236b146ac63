//! RFC 6120 §8: stanzas, as bytes with an index
//!
//! A [`Stanza`] is the text of one first-level element and a table of where its attributes and
//! first-level children are. Routing reads the table; the text travels on as it came.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use memchr::{memchr, memrchr};

use crate::ns;
use crate::xml::{
    Bound, ChildAt, Element, Form, Index, Limits, Outer, XmlError, attribute_is, build,
    decode_attribute, decode_text, utf8,
};

/// What a first-level element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `<message/>`
    Message,
    /// `<presence/>`
    Presence,
    /// `<iq/>`
    Iq,
    /// Anything else: elements of stream management, SASL and other negotiation.
    Other,
}

impl Kind {
    /// The kind of an element in `jabber:client`.
    pub(crate) fn of(name: &[u8]) -> Kind {
        match name {
            b"message" => Kind::Message,
            b"presence" => Kind::Presence,
            b"iq" => Kind::Iq,
            _ => Kind::Other,
        }
    }
}

/// One complete first-level element.
///
/// The bytes stand alone where the default namespace is `jabber:client`: the root has no prefix
/// and declares no namespace, except a default namespace of its own when it is not in
/// `jabber:client`; every child declares the prefixes it uses. Whatever came in another form was
/// written anew when it was read (attributes of the root that need a prefix, which XMPP does not
/// have, are lost then). The content namespaces of servers and components are read as
/// `jabber:client`.
///
/// Cloning is cheap: bytes and table are shared.
#[derive(Clone, Debug)]
pub struct Stanza {
    bytes: Bytes,
    index: Arc<Index>,
}

/// A first-level child of a stanza.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    stanza: &'a Stanza,
    at: &'a ChildAt,
}

impl Stanza {
    /// Reads one first-level element where the default namespace is `jabber:client`. The bytes
    /// are kept without copying when they already have the form that a stanza has.
    ///
    /// # Errors
    ///
    /// The bytes are not exactly one element of restricted XML within the limits.
    pub fn parse(bytes: Bytes, limits: &Limits) -> Result<Stanza, XmlError> {
        let (index, form, len) = Index::scan(&bytes, limits, &CLIENT)?;
        if len < bytes.len() {
            return Err(XmlError::TrailingData);
        }
        match form {
            Form::Canonical => Ok(Stanza { bytes, index: Arc::new(index) }),
            _ => Stanza::assemble(&bytes, index, form, &CLIENT, limits.element_bytes),
        }
    }

    /// Copies an element that was checked, in the form that a stanza has.
    ///
    /// # Errors
    ///
    /// Writing it anew takes more than `most` bytes, because namespaces have to be repeated.
    pub(crate) fn assemble(
        element: &[u8],
        mut index: Index,
        form: Form,
        outer: &Outer<'_>,
        most: usize,
    ) -> Result<Stanza, XmlError> {
        let bytes = match form {
            Form::Canonical => Bytes::copy_from_slice(element),
            Form::Without(part) => {
                index.cut(part);
                let before = element.get(..part.start as usize).unwrap_or_default();
                let after = element.get(part.end()..).unwrap_or_default();
                Bytes::from([before, after].concat())
            }
            Form::Foreign => {
                let (mut tree, _) = build(element, &Limits::TRUSTED, outer)?;
                tree.drop_foreign_attrs();
                let mut out = Vec::with_capacity(element.len());
                if !tree.write_up_to(&mut out, ns::CLIENT, most) {
                    return Err(XmlError::Limit(Bound::ElementBytes));
                }
                index = Index::scan(&out, &Limits::TRUSTED, &CLIENT)?.0;
                Bytes::copy_from_slice(&out)
            }
        };
        Ok(Stanza { bytes, index: Arc::new(index) })
    }

    /// What the element is. Elements named like a stanza in another namespace are not stanzas.
    pub fn kind(&self) -> Kind {
        self.index.kind
    }

    /// The name of the element.
    pub fn name(&self) -> &str {
        match self.index.kind {
            Kind::Message => "message",
            Kind::Presence => "presence",
            Kind::Iq => "iq",
            Kind::Other => utf8(self.index.name.of(&self.bytes)),
        }
    }

    /// The namespace of the element; `jabber:client` for stanzas.
    pub fn ns(&self) -> Cow<'_, str> {
        self.index.namespace(&self.bytes)
    }

    /// Whether the element has this name and namespace.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.index.name.of(&self.bytes) == name.as_bytes() && self.index.is_in(&self.bytes, ns)
    }

    /// The `to` attribute.
    pub fn to(&self) -> Option<Cow<'_, str>> {
        self.attr("to")
    }

    /// The `from` attribute.
    pub fn from(&self) -> Option<Cow<'_, str>> {
        self.attr("from")
    }

    /// The `id` attribute.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.attr("id")
    }

    /// The `type` attribute.
    pub fn type_(&self) -> Option<Cow<'_, str>> {
        self.attr("type")
    }

    /// The `xml:lang` attribute.
    pub fn lang(&self) -> Option<Cow<'_, str>> {
        self.attr("xml:lang")
    }

    /// The value of an attribute of the root, references resolved.
    pub fn attr(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut attrs = self.index.attrs.iter();
        let found = attrs.find(|attr| attr.name.of(&self.bytes) == name.as_bytes())?;
        Some(decode_attribute(found.value.of(&self.bytes)))
    }

    /// The first-level children in order.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = Child<'_>> + ExactSizeIterator {
        self.index.children.iter().map(|at| Child { stanza: self, at })
    }

    /// The first child with this name and namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(name, ns))
    }

    /// The serialised element.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The element as a tree.
    pub fn element(&self) -> Element {
        match build(&self.bytes, &Limits::TRUSTED, &CLIENT) {
            Ok((element, _)) => element,
            Err(_) => Element::new(self.name(), &*self.ns()),
        }
    }

    /// An element of the same name that goes back to the sender: addresses swapped, same id, the
    /// given type. It has no content.
    pub fn reply(&self, type_: &str) -> Element {
        Element::new(self.name(), &*self.ns())
            .with_attr_opt("from", self.to())
            .with_attr_opt("to", self.from())
            .with_attr_opt("id", self.id())
            .with_attr("type", type_)
    }

    /// The table.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }
}

impl<'a> Child<'a> {
    /// The name without prefix.
    pub fn name(&self) -> &'a str {
        utf8(self.at.name.local(&self.stanza.bytes))
    }

    /// The namespace name.
    pub fn ns(&self) -> Cow<'a, str> {
        match self.at.ns {
            None => self.stanza.ns(),
            Some(span) => decode_attribute(span.of(&self.stanza.bytes)),
        }
    }

    /// Whether the child has this name and namespace.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.at.name.local(&self.stanza.bytes) == name.as_bytes()
            && match self.at.ns {
                None => self.stanza.index.is_in(&self.stanza.bytes, ns),
                Some(span) => attribute_is(span.of(&self.stanza.bytes), ns),
            }
    }

    /// The serialised child. It stands alone where the default namespace is that of the stanza.
    pub fn raw(&self) -> &'a [u8] {
        self.part(self.at.start, self.at.end)
    }

    /// The value of an attribute, references resolved.
    pub fn attr(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest =
            self.part(self.at.name.start + u32::from(self.at.name.len), self.at.head_end);
        while let Some((found, value, tail)) = next_attribute(rest) {
            if found == name.as_bytes() {
                return Some(decode_attribute(value));
            }
            rest = tail;
        }
        None
    }

    /// The child as a tree.
    pub fn element(&self) -> Element {
        let ns = self.stanza.ns();
        let outer = Outer { default: &ns, content: ns::CLIENT, ..Outer::default() };
        match build(self.raw(), &Limits::TRUSTED, &outer) {
            Ok((element, _)) => element,
            Err(_) => Element::new(self.name(), &*self.ns()),
        }
    }

    /// The text directly inside the child, joined, references resolved.
    pub fn text(&self) -> Cow<'a, str> {
        let inside = self.part(self.at.head_end, self.at.end);
        match memchr(b'<', inside) {
            None => Cow::Borrowed(""),
            // The only tag after plain text is the end tag.
            Some(at) if memrchr(b'<', inside) == Some(at) => {
                decode_text(inside.get(..at).unwrap_or_default())
            }
            Some(_) => Cow::Owned(self.element().text()),
        }
    }

    fn part(&self, start: u32, end: u32) -> &'a [u8] {
        self.stanza.bytes.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// Appends a serialised stanza so that it stands alone: as the root of a WebSocket message, or
/// inside an element that is not in `jabber:client`. The bytes are those of a [`Stanza`] or
/// [`crate::edit::Edit`].
pub fn write_standalone(out: &mut Vec<u8>, stanza: &[u8]) {
    let name_end = stanza.iter().position(|byte| b" \t\r\n/>".contains(byte)).unwrap_or(0);
    let (name, rest) = stanza.split_at_checked(name_end).unwrap_or((stanza, b""));
    out.extend_from_slice(name);
    if !declares_default(rest) {
        out.extend_from_slice(b" xmlns='jabber:client'");
    }
    out.extend_from_slice(rest);
}

/// Whether a start tag, from after its name, declares a default namespace.
fn declares_default(mut rest: &[u8]) -> bool {
    while let Some((name, _, tail)) = next_attribute(rest) {
        if name == b"xmlns" {
            return true;
        }
        rest = tail;
    }
    false
}

/// Name, value and rest of a start tag that was checked, from after a name or value.
fn next_attribute(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let rest = rest.trim_ascii_start();
    let name_end = rest.iter().position(|byte| b" \t\r\n=/>".contains(byte))?;
    let (name, rest) = rest.split_at_checked(name_end)?;
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, rest) = rest.split_first()?;
    let (value, rest) = rest.split_at_checked(memchr(quote, rest)?)?;
    Some((name, value, rest.get(1..)?))
}

/// Where stanzas stand.
const CLIENT: Outer<'static> =
    Outer { root: b"", default: ns::CLIENT, content: ns::CLIENT, prefixes: &[] };
