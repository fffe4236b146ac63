//! Where things are in the bytes of a stanza
//!
//! The table is filled while the tokenizer passes, so that routing never looks at the text again.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::chars::valid_len;
use super::names::{AttrAt, Namespace, Outer};
use super::reference::attribute_is;
use super::scan::{NameAt, Scanner, Span, Token};
use super::{Bound, Limits, XmlError};
use crate::ns;
use crate::stanza::Kind;

/// The table of one stanza. Offsets count from its first byte.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) kind: Kind,
    pub(crate) name: NameAt,
    /// The value of the root's own default namespace; `None` for `jabber:client`.
    pub(crate) ns: Option<Span>,
    /// Attributes of the root, without declarations.
    pub(crate) attrs: SmallVec<[AttrAt; 6]>,
    pub(crate) children: SmallVec<[ChildAt; 8]>,
    /// Where the root's start tag ends.
    pub(crate) head_end: u32,
    /// Where the root's end tag begins; the end of the bytes for an empty-element tag.
    pub(crate) tail: u32,
    /// Whether the bytes have the form that [`crate::stanza::Stanza`] promises.
    canonical: bool,
    /// The declaration of `jabber:client` on the root, which that form does not have.
    redundant: Option<Span>,
}

/// A first-level child.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildAt {
    pub(crate) start: u32,
    /// Where its start tag ends.
    pub(crate) head_end: u32,
    pub(crate) end: u32,
    pub(crate) name: NameAt,
    /// The value of the declaration that gives it its namespace; `None` when that is the root's.
    pub(crate) ns: Option<Span>,
}

impl Index {
    /// The table of nothing.
    pub(super) fn empty() -> Index {
        Index {
            kind: Kind::Other,
            name: NameAt::default(),
            ns: None,
            attrs: SmallVec::new(),
            children: SmallVec::new(),
            head_end: 0,
            tail: 0,
            canonical: true,
            redundant: None,
        }
    }

    /// Takes note of a token.
    #[inline]
    pub(super) fn token(
        &mut self,
        token: Token,
        scanner: &Scanner,
        input: &[u8],
        outer: &Outer<'_>,
    ) {
        match (token, scanner.names.depth()) {
            (Token::Start, 1) | (Token::Empty, 0) => return self.root(scanner, input, outer),
            (Token::Start, 2) | (Token::Empty, 1) => self.child(scanner, input),
            (Token::End, 1) => self.child_end(scanner),
            (Token::End, 0) => self.tail = scanner.tag.start as u32,
            _ => {}
        }
        // An inner declaration of another content namespace must become jabber:client too.
        if outer.is_foreign() && matches!(token, Token::Start | Token::Empty) {
            let bindings = scanner.names.own_bindings();
            let content = |span: Span| attribute_is(span.of(input), outer.content);
            self.canonical &= !bindings.iter().any(|binding| content(binding.value));
        }
    }

    fn child_end(&mut self, scanner: &Scanner) {
        if let Some(child) = self.children.last_mut() {
            child.end = scanner.pos() as u32;
        }
    }

    /// Begins with the root's start tag.
    fn root(&mut self, scanner: &Scanner, input: &[u8], outer: &Outer<'_>) {
        let names = &scanner.names;
        let mut canonical = scanner.tag.name.prefix_len == 0 && !names.has_prefixed_attrs();
        let mut own = None;
        let mut redundant = None;
        for binding in names.own_bindings() {
            if binding.prefix.len > 0 {
                canonical = false;
                continue;
            }
            let value = binding.value.of(input);
            if attribute_is(value, ns::CLIENT) || attribute_is(value, outer.content) {
                let end = binding.value.end() as u32 + 1;
                redundant = Some(Span { start: binding.gap, len: end - binding.gap });
            } else {
                own = Some(binding.value);
            }
        }
        let in_client = own.is_none();
        canonical &= !in_client || redundant.is_some() || outer.default == outer.content;
        let end = scanner.pos() as u32;
        *self = Index {
            kind: if in_client { Kind::of(scanner.tag.name.of(input)) } else { Kind::Other },
            name: scanner.tag.name,
            ns: own,
            attrs: SmallVec::from_slice(names.attrs()),
            children: SmallVec::new(),
            head_end: end,
            tail: end,
            canonical,
            redundant,
        };
    }

    fn child(&mut self, scanner: &Scanner, input: &[u8]) {
        let name = scanner.tag.name;
        let mut own = scanner.names.own_bindings().iter();
        let binding = match name.prefix_len {
            0 => own.find(|binding| binding.prefix.len == 0),
            _ => own.find(|binding| binding.prefix.of(input) == name.prefix(input)),
        };
        self.canonical &= binding.is_some() || name.prefix_len == 0;
        let end = scanner.pos() as u32;
        self.children.push(ChildAt {
            start: scanner.tag.start as u32,
            head_end: end,
            end,
            name,
            ns: binding.map(|binding| binding.value),
        });
    }

    /// Whether the bytes have the promised form, asked when the element is complete.
    pub(super) fn form(&self, scanner: &Scanner) -> Form {
        match (self.canonical && !scanner.names.leans_on_outer(), self.redundant) {
            (true, None) => Form::Canonical,
            (true, Some(part)) => Form::Without(part),
            (false, _) => Form::Foreign,
        }
    }
}

/// How the bytes of an element relate to the form that a stanza promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// They have it.
    Canonical,
    /// They have it without this part.
    Without(Span),
    /// They must be written anew.
    Foreign,
}

impl Index {
    /// Finds where things are in the element that `input` begins with; says in which form it is
    /// and how long.
    pub(crate) fn scan(
        input: &[u8],
        limits: &Limits,
        outer: &Outer<'_>,
    ) -> Result<(Index, Form, usize), XmlError> {
        if input.first() != Some(&b'<') {
            return Err(XmlError::Incomplete);
        }
        let (valid, fault) = valid_len(input);
        let within = input.get(..valid.min(limits.element_bytes)).unwrap_or_default();
        let mut scanner = Scanner::new();
        let mut index = Index::empty();
        while let Some(token) = scanner.next(within, limits, outer)? {
            index.token(token, &scanner, within, outer);
            if scanner.names.elements() > limits.elements {
                return Err(XmlError::Limit(Bound::Elements));
            }
            if scanner.names.depth() == 0 {
                let form = index.form(&scanner);
                return Ok((index, form, scanner.pos()));
            }
        }
        Err(if within.len() < valid {
            XmlError::Limit(Bound::ElementBytes)
        } else {
            fault.unwrap_or(XmlError::Incomplete)
        })
    }

    /// The same element with its attributes and nothing inside.
    pub(crate) fn without_content(&self, bytes: &[u8]) -> (Vec<u8>, Index) {
        let head = bytes.get(..self.head_end as usize).unwrap_or_default();
        let open = head.strip_suffix(b"/>").or(head.strip_suffix(b">")).unwrap_or(head);
        let bytes = [open, b"/>"].concat();
        let end = bytes.len() as u32;
        let index = Index { children: SmallVec::new(), head_end: end, tail: end, ..self.clone() };
        (bytes, index)
    }

    /// Moves everything behind `part` to the front by its length.
    pub(crate) fn cut(&mut self, part: Span) {
        let moved = |offset: &mut u32| {
            if *offset > part.start {
                *offset = offset.saturating_sub(part.len);
            }
        };
        for attr in &mut self.attrs {
            moved(&mut attr.name.start);
            moved(&mut attr.value.start);
        }
        for child in &mut self.children {
            moved(&mut child.start);
            moved(&mut child.head_end);
            moved(&mut child.end);
            moved(&mut child.name.start);
            if let Some(namespace) = &mut child.ns {
                moved(&mut namespace.start);
            }
        }
        moved(&mut self.head_end);
        moved(&mut self.tail);
    }

    /// Whether the root is in this namespace.
    #[inline]
    pub(crate) fn is_in(&self, bytes: &[u8], ns: &str) -> bool {
        match self.ns {
            None => ns == crate::ns::CLIENT,
            Some(span) => attribute_is(span.of(bytes), ns),
        }
    }

    /// The namespace of the root.
    pub(crate) fn namespace<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        match self.ns {
            None => Cow::Borrowed(ns::CLIENT),
            Some(span) => Namespace::Here(span).decode(bytes),
        }
    }
}
