//! Changing a stanza without building a tree
//!
//! An [`Edit`] lists changes to a [`Stanza`]; [`Edit::finish`] writes a fresh start tag, the
//! untouched text of the remaining children, and what was appended.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::stanza::{Child, Stanza};
use crate::xml::{Limits, XmlError, escape_attribute_into};

/// Changes to be made to a stanza.
#[derive(Clone, Debug)]
pub struct Edit<'a> {
    stanza: &'a Stanza,
    /// Attributes to set or remove, each name once.
    attrs: SmallVec<[(&'a str, Option<&'a str>); 4]>,
    /// Positions of the children to drop, ascending, each once.
    dropped: SmallVec<[u32; 8]>,
    appended: Vec<u8>,
}

impl<'a> Edit<'a> {
    /// No change yet.
    pub fn new(stanza: &'a Stanza) -> Edit<'a> {
        Edit { stanza, attrs: SmallVec::new(), dropped: SmallVec::new(), appended: Vec::new() }
    }

    /// Sets `from`.
    #[must_use]
    pub fn from(self, value: &'a str) -> Edit<'a> {
        self.attr("from", Some(value))
    }

    /// Sets `to`.
    #[must_use]
    pub fn to(self, value: &'a str) -> Edit<'a> {
        self.attr("to", Some(value))
    }

    /// Sets `id`.
    #[must_use]
    pub fn id(self, value: &'a str) -> Edit<'a> {
        self.attr("id", Some(value))
    }

    /// Sets or removes an attribute of the root.
    #[must_use]
    pub fn attr(mut self, name: &'a str, value: Option<&'a str>) -> Edit<'a> {
        match self.attrs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, change)) => *change = value,
            None => self.attrs.push((name, value)),
        }
        self
    }

    /// Drops the first-level children for which `drop` is true.
    #[must_use]
    pub fn drop_if(mut self, mut drop: impl FnMut(&Child<'_>) -> bool) -> Edit<'a> {
        for (position, child) in (0..).zip(self.stanza.children()) {
            if drop(&child)
                && let Err(at) = self.dropped.binary_search(&position)
            {
                self.dropped.insert(at, position);
            }
        }
        self
    }

    /// Appends serialised elements as last children. They must be well-formed where the default
    /// namespace is that of the stanza.
    #[must_use]
    pub fn append(mut self, xml: impl AsRef<[u8]>) -> Edit<'a> {
        self.appended.extend_from_slice(xml.as_ref());
        self
    }

    /// The changed stanza, serialised.
    pub fn finish(self) -> Bytes {
        if self.attrs.is_empty() && self.dropped.is_empty() && self.appended.is_empty() {
            return self.stanza.bytes().clone();
        }
        let (bytes, index) = (self.stanza.bytes(), self.stanza.index());
        let added: usize = self.attrs.iter().map(|(name, value)| added_len(name, *value)).sum();
        let mut out = Vec::with_capacity(bytes.len() + self.appended.len() + added + 16);
        self.write_attributes(&mut out);
        let content = self.kept_content();
        if content.iter().all(|part| part.is_empty()) && self.appended.is_empty() {
            out.extend_from_slice(b"/>");
        } else {
            out.push(b'>');
            for part in content {
                out.extend_from_slice(part);
            }
            out.extend_from_slice(&self.appended);
            out.extend_from_slice(b"</");
            out.extend_from_slice(index.name.of(bytes));
            out.push(b'>');
        }
        out.into()
    }

    /// The changed stanza with its table, for more reading or editing.
    ///
    /// # Errors
    ///
    /// What was appended is not well-formed.
    pub fn stanza(self) -> Result<Stanza, XmlError> {
        Stanza::parse(self.finish(), &Limits::TRUSTED)
    }

    /// The start tag without its end.
    fn write_attributes(&self, out: &mut Vec<u8>) {
        let (bytes, index) = (self.stanza.bytes(), self.stanza.index());
        out.push(b'<');
        out.extend_from_slice(index.name.of(bytes));
        if let Some(namespace) = index.ns {
            write_raw(out, b"xmlns", bytes, namespace.start, namespace.end());
        }
        for attr in &index.attrs {
            let name = attr.name.of(bytes);
            match self.attrs.iter().find(|(changed, _)| changed.as_bytes() == name) {
                Some((name, value)) => write_value(out, name, *value),
                None => write_raw(out, name, bytes, attr.value.start, attr.value.end()),
            }
        }
        for (name, value) in &self.attrs {
            if !index.attrs.iter().any(|attr| attr.name.of(bytes) == name.as_bytes()) {
                write_value(out, name, *value);
            }
        }
    }

    /// The parts of the content that stay.
    fn kept_content(&self) -> SmallVec<[&'a [u8]; 8]> {
        let (bytes, index) = (self.stanza.bytes(), self.stanza.index());
        let mut parts = SmallVec::new();
        let mut from = index.head_end;
        for &position in &self.dropped {
            if let Some(child) = index.children.get(position as usize) {
                parts.push(bytes.get(from as usize..child.start as usize).unwrap_or_default());
                from = child.end;
            }
        }
        parts.push(bytes.get(from as usize..index.tail as usize).unwrap_or_default());
        parts
    }
}

/// Appends an attribute with the quotes and references it came with.
fn write_raw(out: &mut Vec<u8>, name: &[u8], bytes: &[u8], start: u32, end: usize) {
    out.push(b' ');
    out.extend_from_slice(name);
    out.push(b'=');
    out.extend_from_slice(bytes.get((start as usize).saturating_sub(1)..=end).unwrap_or_default());
}

/// Appends an attribute, if it has a value.
fn write_value(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape_attribute_into(out, value);
    out.push(b'\'');
}

fn added_len(name: &str, value: Option<&str>) -> usize {
    value.map_or(0, |value| name.len() + value.len() + 4)
}
