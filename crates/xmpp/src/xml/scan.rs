//! XML 1.0 and Namespaces in XML 1.0, as far as RFC 6120 §11 allows them: the tokenizer
//!
//! [`Scanner`] walks through one element. It may stop at any byte and go on when there are more:
//! all it keeps is where it is, so a byte is looked at once or twice, however the input is cut, and
//! the outcome does not depend on it. All offsets count from the beginning of the input, which the
//! caller keeps in one piece. The input must hold nothing but characters that XML allows:
//! [`super::chars::valid_len`] says how far that is so.

mod tag;

use memchr::{memchr, memchr3};

use super::chars::space_len;
use super::names::{Names, Outer};
use super::reference::reference_len;
use super::{Limits, XmlError};

/// A part of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, len: end.saturating_sub(start) as u32 }
    }

    /// First offset after the span.
    #[inline]
    pub(crate) fn end(self) -> usize {
        self.start as usize + self.len as usize
    }

    /// The bytes of the span.
    #[inline]
    pub(crate) fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start as usize..self.end()).unwrap_or_default()
    }
}

/// A name as written, with the length of its prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameAt {
    pub(crate) start: u32,
    pub(crate) len: u16,
    /// 0 without a prefix.
    pub(crate) prefix_len: u16,
}

impl NameAt {
    /// The whole name.
    #[inline]
    pub(crate) fn of(self, input: &[u8]) -> &[u8] {
        Span { start: self.start, len: u32::from(self.len) }.of(input)
    }

    /// The prefix without colon.
    #[inline]
    pub(crate) fn prefix(self, input: &[u8]) -> &[u8] {
        Span { start: self.start, len: u32::from(self.prefix_len) }.of(input)
    }

    /// The name without prefix and colon.
    #[inline]
    pub(crate) fn local(self, input: &[u8]) -> &[u8] {
        match self.prefix_len {
            0 => self.of(input),
            prefix => self.of(input).get(usize::from(prefix) + 1..).unwrap_or_default(),
        }
    }
}

/// What the scanner found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A start tag; its parts are in [`Scanner::tag`] and [`Scanner::names`].
    Start,
    /// An empty-element tag; no end follows.
    Empty,
    /// An end tag.
    End,
    /// The end tag of the element around, such as `</stream:stream>`.
    OuterEnd,
    /// Character data with references.
    Text(Span),
    /// The inside of a CDATA section.
    Cdata(Span),
}

/// Where the scanner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Between tags.
    Content,
    /// In the name of a start tag.
    TagName,
    /// After a name or value in a start tag, where another attribute needs white space first.
    TagGap,
    /// In a start tag after white space.
    TagSpace,
    AttrName,
    /// After the name of an attribute.
    Equals,
    /// After the equals sign.
    Quote,
    Value(u8),
    /// After the name of an end tag.
    EndTag,
    Cdata,
}

/// The tag that was found last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tag {
    pub(super) start: usize,
    pub(super) name: NameAt,
}

/// The tokenizer.
#[derive(Debug)]
pub(super) struct Scanner {
    at: At,
    /// Everything before is done.
    pos: usize,
    /// Beginning of the name, value or text that `pos` is in.
    mark: usize,
    /// Prefix length of the name that `pos` is in.
    prefix_len: usize,
    /// Where the white space before the current attribute begins.
    gap: usize,
    /// Name of the current attribute.
    attr_name: NameAt,
    pub(super) tag: Tag,
    pub(super) names: Names,
}

/// Why scanning stops for the moment: a fault or the end of the input.
enum Stop {
    More,
    Fault(XmlError),
}

impl From<XmlError> for Stop {
    fn from(error: XmlError) -> Stop {
        Stop::Fault(error)
    }
}

impl Scanner {
    pub(super) fn new() -> Scanner {
        Scanner {
            at: At::Content,
            pos: 0,
            mark: 0,
            prefix_len: 0,
            gap: 0,
            attr_name: NameAt::default(),
            tag: Tag::default(),
            names: Names::default(),
        }
    }

    /// Expects a new element, at offset 0.
    pub(super) fn reset(&mut self) {
        self.at = At::Content;
        self.pos = 0;
        self.mark = 0;
        self.names.reset();
    }

    /// Offset of the first byte after the last token.
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// The next token, `None` when the input ends before it does.
    pub(super) fn next(
        &mut self,
        input: &[u8],
        limits: &Limits,
        outer: &Outer<'_>,
    ) -> Result<Option<Token>, XmlError> {
        self.names.forget_empty_element();
        match self.token(input, limits, outer) {
            Ok(token) => Ok(Some(token)),
            Err(Stop::More) => Ok(None),
            Err(Stop::Fault(error)) => Err(error),
        }
    }

    fn token(&mut self, input: &[u8], limits: &Limits, outer: &Outer<'_>) -> Result<Token, Stop> {
        if self.at == At::Content {
            if let Some(text) = self.text(input)? {
                return Ok(Token::Text(text));
            }
            self.markup(input, outer)?;
        }
        match self.at {
            At::EndTag => self.end_tag(input),
            At::Cdata => self.cdata(input),
            _ => self.start_tag(input, limits, outer),
        }
    }

    /// Character data up to the next tag; `None` when there is none. Stays before the tag.
    fn text(&mut self, input: &[u8]) -> Result<Option<Span>, Stop> {
        // Most tags follow another tag.
        if self.mark == self.pos && input.get(self.pos) == Some(&b'<') {
            return Ok(None);
        }
        loop {
            let rest = input.get(self.pos..).unwrap_or_default();
            let Some(at) = memchr3(b'<', b'&', b']', rest) else {
                self.pos = input.len();
                return Err(Stop::More);
            };
            self.pos += at;
            let rest = rest.get(at..).unwrap_or_default();
            self.pos += match rest {
                [b'&', ..] => reference_len(rest)?.ok_or(Stop::More)?,
                [b']', b']', b'>', ..] => {
                    return Err(XmlError::CdataEnd.into());
                }
                [b']'] | [b']', b']'] => return Err(Stop::More),
                [b']', ..] => 1,
                _ => break,
            };
        }
        let text = Span::new(self.mark, self.pos);
        self.mark = self.pos;
        Ok((text.len > 0).then_some(text))
    }

    /// Finds out what begins with `<`.
    fn markup(&mut self, input: &[u8], outer: &Outer<'_>) -> Result<(), Stop> {
        let rest = input.get(self.pos + 1..).unwrap_or_default();
        match rest {
            [] => Err(Stop::More),
            [b'/', name @ ..] => self.end_tag_name(input, name, outer),
            [b'!', ..] => self.cdata_start(rest),
            [b'?', ..] => Err(XmlError::ProcessingInstruction.into()),
            _ => {
                self.tag = Tag { start: self.pos, name: NameAt::default() };
                self.names.begin_tag();
                self.pos += 1;
                self.begin_name(At::TagName);
                Ok(())
            }
        }
    }

    fn cdata_start(&mut self, rest: &[u8]) -> Result<(), Stop> {
        const START: &[u8] = b"![CDATA[";
        if rest.starts_with(START) {
            if self.names.depth() == 0 {
                return Err(XmlError::TextOutside.into());
            }
            self.pos += 1 + START.len();
            self.mark = self.pos;
            self.at = At::Cdata;
            return Ok(());
        }
        if START.starts_with(rest) {
            return Err(Stop::More);
        }
        Err(XmlError::Comment.into())
    }

    fn cdata(&mut self, input: &[u8]) -> Result<Token, Stop> {
        loop {
            let rest = input.get(self.pos..).unwrap_or_default();
            let Some(at) = memchr(b']', rest) else {
                self.pos = input.len();
                return Err(Stop::More);
            };
            self.pos += at;
            match rest.get(at..).unwrap_or_default() {
                [_, b']', b'>', ..] => break,
                [_] | [_, b']'] => return Err(Stop::More),
                _ => self.pos += 1,
            }
        }
        let text = Span::new(self.mark, self.pos);
        self.pos += 3;
        self.content_again();
        Ok(Token::Cdata(text))
    }

    /// Only the name of the innermost open element may follow `</`.
    fn end_tag_name(&mut self, input: &[u8], name: &[u8], outer: &Outer<'_>) -> Result<(), Stop> {
        let expected = match self.names.innermost() {
            Some(open) => open.of(input),
            None if outer.root.is_empty() => return Err(XmlError::EndTag.into()),
            None => outer.root,
        };
        if name.starts_with(expected) {
            self.tag.start = self.pos;
            self.pos += 2 + expected.len();
            self.at = At::EndTag;
            return Ok(());
        }
        Err(if expected.starts_with(name) { Stop::More } else { XmlError::EndTag.into() })
    }

    fn end_tag(&mut self, input: &[u8]) -> Result<Token, Stop> {
        if self.after_space(input)? != b'>' {
            return Err(XmlError::EndTag.into());
        }
        self.pos += 1;
        self.content_again();
        Ok(if self.names.end_element() { Token::End } else { Token::OuterEnd })
    }

    /// Passes white space and shows the byte after it.
    fn after_space(&mut self, input: &[u8]) -> Result<u8, Stop> {
        let rest = input.get(self.pos..).unwrap_or_default();
        self.pos += space_len(rest);
        input.get(self.pos).copied().ok_or(Stop::More)
    }

    fn content_again(&mut self) {
        self.at = At::Content;
        self.mark = self.pos;
    }

    /// Copies to `out` only what is still needed of the input and counts offsets from its
    /// beginning from now on. Text that was passed is not needed.
    pub(super) fn compact(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let in_tag = !matches!(self.at, At::Content | At::Cdata | At::EndTag);
        let from = if in_tag { self.tag.start } else { self.pos };
        self.names.compact(input, out, from);
        let shift = |offset: usize| (offset + out.len()).saturating_sub(from);
        self.mark = shift(self.mark.max(from));
        self.pos = shift(self.pos);
        self.gap = shift(self.gap.max(from));
        self.tag.start = shift(self.tag.start.max(from));
        self.tag.name.start = shift((self.tag.name.start as usize).max(from)) as u32;
        self.attr_name.start = shift((self.attr_name.start as usize).max(from)) as u32;
        out.extend_from_slice(input.get(from..).unwrap_or_default());
    }

    /// How much of the input is only kept because it was not compacted yet.
    pub(super) fn passed(&self) -> usize {
        let in_tag = !matches!(self.at, At::Content | At::Cdata | At::EndTag);
        if in_tag { self.tag.start } else { self.pos }
    }
}
