//! A small owned tree of elements, for payloads
//!
//! The message path does not use it: see [`crate::stanza::Stanza`] and [`crate::edit::Edit`].

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::write::{escape_attribute_into, escape_into};
use crate::ns;

/// An element with its namespace, attributes and content.
///
/// Attributes are addressed by the name they have without a namespace; `xml:lang` and other names
/// with the predefined prefix `xml` are addressed with that prefix. Names given to builders are
/// the program's own: they must be XML names.
#[derive(Clone, Debug, Eq)]
pub struct Element {
    name: String,
    ns: Arc<str>,
    attrs: Vec<Attribute>,
    nodes: Vec<Node>,
}

/// Content of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Character data, references resolved.
    Text(String),
}

/// An attribute; `ns` is there when its name has a prefix other than `xml`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    ns: Option<Arc<str>>,
    name: String,
    value: String,
}

impl Element {
    /// An empty element. An empty `ns` means no namespace.
    pub fn new(name: impl Into<String>, ns: impl Into<Arc<str>>) -> Element {
        Element { name: name.into(), ns: ns.into(), attrs: Vec::new(), nodes: Vec::new() }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn with_attr(mut self, name: impl Into<String>, value: impl Into<String>) -> Element {
        self.set_attr(name, value);
        self
    }

    /// Sets an attribute when there is a value.
    #[must_use]
    pub fn with_attr_opt(
        mut self,
        name: impl Into<String>,
        value: Option<impl Into<String>>,
    ) -> Element {
        if let Some(value) = value {
            self.set_attr(name, value);
        }
        self
    }

    /// Appends a child.
    #[must_use]
    pub fn with_child(mut self, child: Element) -> Element {
        self.push(child);
        self
    }

    /// Appends children.
    #[must_use]
    pub fn with_children(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.nodes.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Appends text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Element {
        self.push_text(text);
        self
    }

    /// Sets an attribute, replacing one of the same name.
    pub fn set_attr(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.attrs.iter_mut().find(|attr| attr.ns.is_none() && attr.name == name) {
            Some(attr) => attr.value = value,
            None => self.attrs.push(Attribute { ns: None, name, value }),
        }
    }

    /// Removes an attribute, if it is there.
    pub fn remove_attr(&mut self, name: &str) {
        self.attrs.retain(|attr| attr.ns.is_some() || attr.name != name);
    }

    /// Puts the element and what is in it into namespace `to`, as far as it was in `from`: the same
    /// stanza has other namespaces on the streams of clients and of components.
    pub fn move_ns(&mut self, from: &str, to: &Arc<str>) {
        if &*self.ns == from {
            self.ns = to.clone();
        }
        for child in self.children_mut() {
            child.move_ns(from, to);
        }
    }

    /// Appends a child.
    pub fn push(&mut self, child: Element) {
        self.nodes.push(Node::Element(child));
    }

    /// Appends text; adjacent texts become one.
    pub fn push_text(&mut self, text: impl Into<String>) {
        let text = text.into();
        match self.nodes.last_mut() {
            _ if text.is_empty() => {}
            Some(Node::Text(last)) => last.push_str(&text),
            _ => self.nodes.push(Node::Text(text)),
        }
    }

    /// The name without prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace name, empty for none.
    pub fn ns(&self) -> &str {
        &self.ns
    }

    /// Whether the element has this name and namespace.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name == name && &*self.ns == ns
    }

    /// The value of an attribute.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attr_in(None, name)
    }

    /// The value of an attribute in a namespace.
    pub fn attr_ns(&self, name: &str, ns: &str) -> Option<&str> {
        self.attr_in(Some(ns), name)
    }

    fn attr_in(&self, ns: Option<&str>, name: &str) -> Option<&str> {
        let found = self.attrs.iter().find(|attr| attr.name == name && attr.ns.as_deref() == ns);
        found.map(|attr| attr.value.as_str())
    }

    /// Names and values of the attributes without a namespace, and of those with prefix `xml`.
    pub fn attrs(&self) -> impl Iterator<Item = (&str, &str)> {
        let plain = self.attrs.iter().filter(|attr| attr.ns.is_none());
        plain.map(|attr| (attr.name.as_str(), attr.value.as_str()))
    }

    /// The content in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The child elements in order.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &Element> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            Node::Text(_) => None,
        })
    }

    /// The child elements in order, to be changed in place.
    pub fn children_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Element> {
        self.nodes.iter_mut().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            Node::Text(_) => None,
        })
    }

    /// Takes the child elements out; text is dropped.
    pub fn into_children(mut self) -> impl DoubleEndedIterator<Item = Element> {
        std::mem::take(&mut self.nodes).into_iter().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            Node::Text(_) => None,
        })
    }

    /// Keeps only the child elements that `keep` accepts; text stays.
    pub fn retain_children(&mut self, mut keep: impl FnMut(&Element) -> bool) {
        self.nodes.retain(|node| match node {
            Node::Element(child) => keep(child),
            Node::Text(_) => true,
        });
    }

    /// The first child with this name and namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<&Element> {
        self.children().find(|child| child.is(name, ns))
    }

    /// The first child element.
    pub fn first_child(&self) -> Option<&Element> {
        self.children().next()
    }

    /// The text directly inside the element, joined.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for node in &self.nodes {
            if let Node::Text(part) = node {
                text.push_str(part);
            }
        }
        text
    }

    /// Appends the serialised element. `parent_ns` is the default namespace where the bytes will
    /// stand; a declaration is written only where the namespace differs. Stanzas and their parts
    /// are written with `jabber:client`, elements that stand alone with the empty string.
    pub fn write(&self, out: &mut Vec<u8>, parent_ns: &str) {
        self.write_up_to(out, parent_ns, usize::MAX);
    }

    /// Writes until `out` is longer than `most` bytes; false when that happened.
    pub(crate) fn write_up_to(&self, out: &mut Vec<u8>, parent_ns: &str, most: usize) -> bool {
        let mut open: SmallVec<[(&Element, std::slice::Iter<'_, Node>); 8]> = SmallVec::new();
        self.write_start(out, parent_ns);
        if !self.nodes.is_empty() {
            open.push((self, self.nodes.iter()));
        }
        while let Some((element, nodes)) = open.last_mut() {
            match nodes.next() {
                Some(Node::Text(text)) => escape_into(out, text),
                Some(Node::Element(child)) => {
                    child.write_start(out, &element.ns);
                    if !child.nodes.is_empty() {
                        open.push((child, child.nodes.iter()));
                    }
                }
                None => {
                    out.extend_from_slice(b"</");
                    out.extend_from_slice(element.name.as_bytes());
                    out.push(b'>');
                    open.pop();
                }
            }
            if out.len() > most {
                return false;
            }
        }
        out.len() <= most
    }

    /// The serialised element: see [`Element::write`].
    pub fn to_bytes(&self, parent_ns: &str) -> Bytes {
        let mut out = Vec::with_capacity(256);
        self.write(&mut out, parent_ns);
        out.into()
    }

    /// Appends the start tag, or an empty-element tag when there is no content.
    fn write_start(&self, out: &mut Vec<u8>, parent_ns: &str) {
        out.push(b'<');
        out.extend_from_slice(self.name.as_bytes());
        if &*self.ns != parent_ns {
            write_attribute(out, "xmlns", &self.ns);
        }
        for (index, attr) in self.attrs.iter().enumerate() {
            match &attr.ns {
                None => write_attribute(out, &attr.name, &attr.value),
                Some(ns) => {
                    let prefix = format!("ns{index}");
                    write_attribute(out, &format!("xmlns:{prefix}"), ns);
                    write_attribute(out, &format!("{prefix}:{}", attr.name), &attr.value);
                }
            }
        }
        out.extend_from_slice(if self.nodes.is_empty() { b"/>" } else { b">" });
    }

    /// Adds an attribute as the tokenizer found it. Prefix `xml` stays part of the name.
    pub(super) fn push_attr(&mut self, ns: Option<Arc<str>>, name: &str, value: String) {
        let attr = match ns {
            Some(ns) if &*ns == ns::XML => {
                Attribute { ns: None, name: format!("xml:{name}"), value }
            }
            ns => Attribute { ns, name: name.to_owned(), value },
        };
        self.attrs.push(attr);
    }

    /// Drops the attributes that need a prefix of their own.
    pub(crate) fn drop_foreign_attrs(&mut self) {
        self.attrs.retain(|attr| attr.ns.is_none());
    }
}

impl PartialEq for Element {
    /// The order of attributes has no meaning (XML 1.0 §3.1).
    fn eq(&self, other: &Element) -> bool {
        self.name == other.name
            && self.ns == other.ns
            && self.attrs.len() == other.attrs.len()
            && self.attrs.iter().all(|attr| other.attrs.contains(attr))
            && self.nodes == other.nodes
    }
}

impl Drop for Element {
    /// Takes deep trees apart level by level, so that the call stack stays flat.
    fn drop(&mut self) {
        if self.children().all(|child| child.nodes.is_empty()) {
            return;
        }
        let mut rest = std::mem::take(&mut self.nodes);
        while let Some(node) = rest.pop() {
            if let Node::Element(mut child) = node {
                rest.append(&mut child.nodes);
            }
        }
    }
}

fn write_attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape_attribute_into(out, value);
    out.push(b'\'');
}
