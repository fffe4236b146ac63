//! Namespaces in XML 1.0: attributes, open elements and the prefixes in force

use std::borrow::Cow;

use smallvec::SmallVec;

use super::reference::{attribute_is, decode_attribute};
use super::scan::{NameAt, Span};
use super::{Bound, Limits, XmlError};
use crate::ns;

/// What surrounds the elements that are read: the open stream, or nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outer<'a> {
    /// Name of the open root as written, empty when there is none.
    pub(crate) root: &'a [u8],
    /// The default namespace.
    pub(crate) default: &'a str,
    /// The content namespace, which is read as `jabber:client`.
    pub(crate) content: &'a str,
    /// Declarations of prefixes.
    pub(crate) prefixes: &'a [Declared],
}

/// A declaration of a prefix around the input.
#[derive(Debug)]
pub(crate) struct Declared {
    prefix: String,
    namespace: String,
    fingerprint: u64,
}

impl Declared {
    pub(super) fn new(prefix: &str, namespace: &str) -> Declared {
        let fingerprint = fingerprint(namespace);
        Declared { prefix: prefix.to_owned(), namespace: namespace.to_owned(), fingerprint }
    }

    /// The namespace name.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }
}

impl Outer<'_> {
    /// Whether the content namespace is another one than `jabber:client`.
    #[inline]
    pub(super) fn is_foreign(&self) -> bool {
        self.content != ns::CLIENT
    }
}

/// An attribute other than a namespace declaration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttrAt {
    pub(crate) name: NameAt,
    pub(crate) value: Span,
}

/// A namespace declaration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binding {
    /// Empty for the default namespace.
    pub(super) prefix: Span,
    pub(super) value: Span,
    /// Where the white space before the declaration begins.
    pub(super) gap: u32,
    /// Of the namespace, unless it is the default one: attributes are never in that.
    fingerprint: u64,
}

/// An element that waits for its end tag.
#[derive(Clone, Copy, Debug)]
struct Open {
    name: NameAt,
    /// How many bindings there were around it.
    bindings: u32,
}

/// A namespace name, found in the input or around it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Namespace<'a> {
    Here(Span),
    Outside(&'a str),
}

impl<'a> Namespace<'a> {
    /// The namespace name itself.
    pub(super) fn decode(self, input: &'a [u8]) -> Cow<'a, str> {
        match self {
            Namespace::Here(span) => decode_attribute(span.of(input)),
            Namespace::Outside(name) => Cow::Borrowed(name),
        }
    }
}

/// What stands for a namespace where names are compared (FNV-1a). Namespace names may be long and
/// full of references; a peer that repeats them in every tag must not have them decoded each
/// time. Two that collide by design only make the peer's own stanza an error.
fn fingerprint(namespace: &str) -> u64 {
    namespace.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// What is known about names at the scanner's position.
#[derive(Debug, Default)]
pub(super) struct Names {
    attrs: Vec<AttrAt>,
    open: Vec<Open>,
    bindings: Vec<Binding>,
    /// First binding that the current tag declares.
    own: usize,
    /// The current tag is an empty-element tag whose bindings end with it.
    empty: bool,
    /// Attributes with a prefix other than `xml` in the current tag.
    prefixed: usize,
    /// A bit for every attribute name in the current tag, by its letters and length.
    seen: u64,
    elements: usize,
    /// Whether a prefix of the outer context was used.
    leans_on_outer: bool,
}

impl Names {
    /// Forgets everything about the last element, and large tables altogether.
    pub(super) fn reset(&mut self) {
        self.begin_tag();
        self.open.clear();
        self.bindings.clear();
        self.own = 0;
        self.empty = false;
        self.elements = 0;
        self.leans_on_outer = false;
        self.attrs.shrink_to(KEPT);
        self.open.shrink_to(KEPT);
        self.bindings.shrink_to(KEPT);
    }

    /// The attributes of the current tag, without declarations.
    pub(super) fn attrs(&self) -> &[AttrAt] {
        &self.attrs
    }

    /// The declarations of the current tag.
    pub(super) fn own_bindings(&self) -> &[Binding] {
        self.bindings.get(self.own..).unwrap_or_default()
    }

    /// Whether the current tag has attributes with a prefix other than `xml`.
    pub(super) fn has_prefixed_attrs(&self) -> bool {
        self.prefixed > 0
    }

    /// Open elements.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Elements so far.
    pub(super) fn elements(&self) -> usize {
        self.elements
    }

    /// Whether anything so far has a prefix that is declared around the input.
    pub(super) fn leans_on_outer(&self) -> bool {
        self.leans_on_outer
    }

    /// Name of the innermost open element.
    pub(super) fn innermost(&self) -> Option<NameAt> {
        self.open.last().map(|open| open.name)
    }

    pub(super) fn begin_tag(&mut self) {
        self.own = self.bindings.len();
        self.restart_tag();
    }

    /// Forgets the attributes of the current tag.
    pub(super) fn restart_tag(&mut self) {
        self.bindings.truncate(self.own);
        self.attrs.clear();
        self.prefixed = 0;
        self.seen = 0;
    }

    /// Adds an attribute or declaration to the current tag.
    pub(super) fn attribute(
        &mut self,
        input: &[u8],
        name: NameAt,
        value: Span,
        gap: usize,
        limits: &Limits,
    ) -> Result<(), XmlError> {
        let prefix = match (name.prefix_len, name.len) {
            (0, 5) if name.of(input) == b"xmlns" => Some(Span { start: name.start, len: 0 }),
            (5, _) if name.prefix(input) == b"xmlns" => {
                Some(Span { start: name.start + 6, len: u32::from(name.len) - 6 })
            }
            _ => None,
        };
        if let Some(prefix) = prefix {
            let gap = gap as u32;
            let binding = Binding { prefix, value, gap, fingerprint: 0 };
            return self.declaration(input, binding, limits);
        }
        self.refuse_duplicate(input, name)?;
        if self.attrs.len() >= limits.attributes {
            return Err(XmlError::Limit(Bound::Attributes));
        }
        if name.prefix_len > 0 && name.prefix(input) != b"xml" {
            self.prefixed += 1;
        }
        self.attrs.push(AttrAt { name, value });
        Ok(())
    }

    /// XML 1.0 §3.1: no attribute twice. The bits spare comparing names in nearly all cases.
    fn refuse_duplicate(&mut self, input: &[u8], name: NameAt) -> Result<(), XmlError> {
        let text = name.of(input);
        let first = text.first().copied().unwrap_or_default();
        let last = text.last().copied().unwrap_or_default();
        let bit = 1 << ((usize::from(first) + 4 * usize::from(last) + 7 * text.len()) % 64);
        if self.seen & bit != 0 && self.attrs.iter().any(|attr| attr.name.of(input) == text) {
            return Err(XmlError::AttributeTwice);
        }
        self.seen |= bit;
        Ok(())
    }

    fn declaration(
        &mut self,
        input: &[u8],
        mut binding: Binding,
        limits: &Limits,
    ) -> Result<(), XmlError> {
        let prefix = binding.prefix.of(input);
        if self.own_bindings().iter().any(|other| other.prefix.of(input) == prefix) {
            return Err(XmlError::AttributeTwice);
        }
        if self.bindings.len() >= limits.namespaces {
            return Err(XmlError::Limit(Bound::Namespaces));
        }
        if binding.value.len as usize > limits.name_bytes.saturating_mul(4) {
            return Err(XmlError::Limit(Bound::NameBytes));
        }
        let value = binding.value.of(input);
        // Namespaces in XML 1.0 §3: what may be bound to what.
        let allowed = match prefix {
            b"xmlns" => false,
            b"xml" => attribute_is(value, ns::XML),
            _ if attribute_is(value, ns::XML) || attribute_is(value, ns::XMLNS) => false,
            _ => prefix.is_empty() || !value.is_empty(),
        };
        if !allowed {
            return Err(XmlError::ReservedPrefix);
        }
        if !prefix.is_empty() {
            binding.fingerprint = fingerprint(&decode_attribute(value));
        }
        self.bindings.push(binding);
        Ok(())
    }

    /// Checks the names of the current tag and opens its element.
    pub(super) fn finish_tag(
        &mut self,
        input: &[u8],
        name: NameAt,
        empty: bool,
        limits: &Limits,
        outer: &Outer<'_>,
    ) -> Result<(), XmlError> {
        if name.prefix_len > 0 {
            self.require(input, name, outer)?;
        }
        if self.prefixed > 0 {
            self.check_prefixed(input, outer)?;
        }
        self.elements += 1;
        if self.open.len() >= limits.depth {
            return Err(XmlError::Limit(Bound::Depth));
        }
        self.empty = empty;
        if !empty {
            self.open.push(Open { name, bindings: self.own as u32 });
        }
        Ok(())
    }

    /// Every prefix is bound, and no two names are the same once prefixes are replaced by
    /// namespaces (Namespaces in XML 1.0 §6.3).
    fn check_prefixed(&mut self, input: &[u8], outer: &Outer<'_>) -> Result<(), XmlError> {
        let mut earlier: SmallVec<[(&[u8], u64); 8]> = SmallVec::new();
        for index in 0..self.attrs.len() {
            let Some(&AttrAt { name, .. }) = self.attrs.get(index) else { break };
            if name.prefix_len == 0 {
                continue;
            }
            let expanded = (name.local(input), self.require(input, name, outer)?);
            if earlier.contains(&expanded) {
                return Err(XmlError::AttributeTwice);
            }
            earlier.push(expanded);
        }
        Ok(())
    }

    /// The fingerprint of the namespace of a name with a prefix.
    fn require(&mut self, input: &[u8], name: NameAt, outer: &Outer<'_>) -> Result<u64, XmlError> {
        let prefix = name.prefix(input);
        let (namespace, fingerprint) =
            self.look_up(input, prefix, outer).ok_or(XmlError::UnboundPrefix)?;
        self.leans_on_outer |= matches!(namespace, Namespace::Outside(_)) && prefix != b"xml";
        Ok(fingerprint)
    }

    /// What a prefix is bound to; the empty one is always bound.
    pub(super) fn resolve<'a>(
        &self,
        input: &[u8],
        prefix: &[u8],
        outer: &Outer<'a>,
    ) -> Option<Namespace<'a>> {
        self.look_up(input, prefix, outer).map(|(namespace, _)| namespace)
    }

    fn look_up<'a>(
        &self,
        input: &[u8],
        prefix: &[u8],
        outer: &Outer<'a>,
    ) -> Option<(Namespace<'a>, u64)> {
        let here = self.bindings.iter().rev().find(|binding| binding.prefix.of(input) == prefix);
        match (here, prefix) {
            (Some(binding), _) => Some((Namespace::Here(binding.value), binding.fingerprint)),
            (None, b"") => Some((Namespace::Outside(outer.default), 0)),
            (None, b"xml") => Some((Namespace::Outside(ns::XML), 0)),
            (None, _) => {
                let mut outside = outer.prefixes.iter();
                let found = outside.find(|declared| declared.prefix.as_bytes() == prefix)?;
                Some((Namespace::Outside(&found.namespace), found.fingerprint))
            }
        }
    }

    /// Closes the innermost element; false when none is open.
    pub(super) fn end_element(&mut self) -> bool {
        let Some(open) = self.open.pop() else { return false };
        self.bindings.truncate(open.bindings as usize);
        self.own = self.bindings.len();
        true
    }

    /// The bindings of an empty element end before the next token.
    #[inline]
    pub(super) fn forget_empty_element(&mut self) {
        if self.empty {
            self.bindings.truncate(self.own);
            self.empty = false;
        }
    }

    /// Copies the names in use to `out` and lets them point there; the attributes of the current
    /// tag will follow, with everything from offset `from`.
    pub(super) fn compact(&mut self, input: &[u8], out: &mut Vec<u8>, from: usize) {
        for open in &mut self.open {
            let text = open.name.of(input);
            open.name.start = out.len() as u32;
            out.extend_from_slice(text);
        }
        for binding in &mut self.bindings {
            for span in [&mut binding.prefix, &mut binding.value] {
                let text = span.of(input);
                span.start = out.len() as u32;
                out.extend_from_slice(text);
            }
        }
        for attr in &mut self.attrs {
            attr.name.start = ((attr.name.start as usize + out.len()).saturating_sub(from)) as u32;
            attr.value.start =
                ((attr.value.start as usize + out.len()).saturating_sub(from)) as u32;
        }
    }
}

/// Table entries that are kept between elements.
const KEPT: usize = 16;
