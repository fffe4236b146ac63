//! XML 1.0 and Namespaces in XML 1.0, as far as RFC 6120 §11 allows them: the tokenizer
//!
//! [`Scanner`] walks through one element. It may stop at any byte and go on when there are more:
//! all it keeps is where it is, so no byte is looked at twice, except the few of a character or
//! reference that was cut. All offsets count from the beginning of the input, which the caller
//! keeps in one piece. What the outcome is does not depend on how the input was cut.

use super::chars::{
    self, FORBIDDEN, NameByte, content_char, is_space, name_byte, plain_len, space_len,
};
use super::names::{Names, Outer};
use super::reference::reference_len;
use super::{Bound, Limits, XmlError};

/// A part of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Span {
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
            At::Content | At::Cdata => self.cdata(input),
            At::EndTag => self.end_tag(input),
            _ => self.start_tag(input, limits, outer),
        }
    }

    /// Character data up to the next tag; `None` when there is none. Stays before the tag.
    fn text(&mut self, input: &[u8]) -> Result<Option<Span>, Stop> {
        loop {
            let rest = input.get(self.pos..).unwrap_or_default();
            let plain = plain_len(rest, [b'<', b'&', b']']);
            self.pos += plain;
            let rest = rest.get(plain..).unwrap_or_default();
            self.pos += match rest {
                [] => return Err(Stop::More),
                [b'<', ..] => break,
                [b'&', ..] => reference_len(rest)?.ok_or(Stop::More)?,
                [b']', b']', b'>', ..] => {
                    return Err(XmlError::NotWellFormed("]]> in character data").into());
                }
                [b']'] | [b']', b']'] => return Err(Stop::More),
                [b']' | b'\t' | b'\n' | b'\r', ..] => 1,
                [0x80..=0xFF, ..] => content_char(rest)?.ok_or(Stop::More)?,
                _ => return Err(FORBIDDEN.into()),
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
            [b'?', ..] => Err(XmlError::Restricted("processing instruction").into()),
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
                return Err(XmlError::NotWellFormed("text outside of an element").into());
            }
            self.pos += 1 + START.len();
            self.mark = self.pos;
            self.at = At::Cdata;
            return Ok(());
        }
        if START.starts_with(rest) {
            return Err(Stop::More);
        }
        Err(XmlError::Restricted("comment or document type").into())
    }

    fn cdata(&mut self, input: &[u8]) -> Result<Token, Stop> {
        loop {
            let rest = input.get(self.pos..).unwrap_or_default();
            let plain = plain_len(rest, [b']'; 3]);
            self.pos += plain;
            let rest = rest.get(plain..).unwrap_or_default();
            self.pos += match rest {
                [] | [b']'] | [b']', b']'] => return Err(Stop::More),
                [b']', b']', b'>', ..] => break,
                [b']' | b'\t' | b'\n' | b'\r', ..] => 1,
                [0x80..=0xFF, ..] => content_char(rest)?.ok_or(Stop::More)?,
                _ => return Err(FORBIDDEN.into()),
            };
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
            None if outer.root.is_empty() => return Err(UNOPENED.into()),
            None => outer.root,
        };
        if name.starts_with(expected) {
            self.tag.start = self.pos;
            self.pos += 2 + expected.len();
            self.at = At::EndTag;
            return Ok(());
        }
        Err(if expected.starts_with(name) { Stop::More } else { UNOPENED.into() })
    }

    fn end_tag(&mut self, input: &[u8]) -> Result<Token, Stop> {
        if self.after_space(input)? != b'>' {
            return Err(UNOPENED.into());
        }
        self.pos += 1;
        self.content_again();
        Ok(if self.names.end_element() { Token::End } else { Token::OuterEnd })
    }

    /// The rest of a start tag, which may be as long as a whole element at most.
    fn start_tag(
        &mut self,
        input: &[u8],
        limits: &Limits,
        outer: &Outer<'_>,
    ) -> Result<Token, Stop> {
        let end = self.tag.start.saturating_add(limits.element_bytes);
        let within = input.get(..end).unwrap_or(input);
        match self.tag_parts(within, limits) {
            Ok(empty) => {
                self.names.finish_tag(input, self.tag.name, empty, limits, outer)?;
                self.content_again();
                Ok(if empty { Token::Empty } else { Token::Start })
            }
            Err(Stop::More) if input.len() > end => {
                Err(XmlError::Limit(Bound::ElementBytes).into())
            }
            Err(stop) => Err(stop),
        }
    }

    /// Name and attributes up to the closing bracket; says whether it is an empty-element tag.
    fn tag_parts(&mut self, input: &[u8], limits: &Limits) -> Result<bool, Stop> {
        loop {
            match self.at {
                At::TagName => {
                    self.tag.name = self.name(input, limits)?;
                    self.at = At::TagGap;
                }
                At::TagGap | At::TagSpace => {
                    if let Some(empty) = self.tag_gap(input)? {
                        return Ok(empty);
                    }
                }
                At::AttrName => {
                    self.attr_name = self.name(input, limits)?;
                    self.at = At::Equals;
                }
                At::Equals => {
                    if self.after_space(input)? != b'=' {
                        return Err(XmlError::NotWellFormed("attribute without value").into());
                    }
                    self.pos += 1;
                    self.at = At::Quote;
                }
                At::Quote => {
                    let quote = self.after_space(input)?;
                    if quote != b'\'' && quote != b'"' {
                        return Err(XmlError::NotWellFormed("value without quotes").into());
                    }
                    self.pos += 1;
                    self.mark = self.pos;
                    self.at = At::Value(quote);
                }
                At::Value(quote) => {
                    let value = self.value(input, quote)?;
                    self.names.attribute(input, self.attr_name, value, self.gap, limits)?;
                    self.at = At::TagGap;
                }
                At::Content | At::Cdata | At::EndTag => return Err(Stop::More),
            }
        }
    }

    /// Between the parts of a start tag: its end, or the beginning of an attribute.
    fn tag_gap(&mut self, input: &[u8]) -> Result<Option<bool>, Stop> {
        let rest = input.get(self.pos..).unwrap_or_default();
        if self.at == At::TagGap {
            self.gap = self.pos;
        }
        match *rest {
            [] => Err(Stop::More),
            [b'>', ..] => {
                self.pos += 1;
                Ok(Some(false))
            }
            [b'/'] => Err(Stop::More),
            [b'/', b'>', ..] => {
                self.pos += 2;
                Ok(Some(true))
            }
            [byte, ..] if is_space(byte) => {
                self.pos += space_len(rest);
                self.at = At::TagSpace;
                Ok(None)
            }
            _ if self.at == At::TagSpace => {
                self.begin_name(At::AttrName);
                Ok(None)
            }
            _ => Err(XmlError::NotWellFormed("start tag").into()),
        }
    }

    fn begin_name(&mut self, at: At) {
        self.at = at;
        self.mark = self.pos;
        self.prefix_len = 0;
    }

    /// A name with at most one colon, neither first nor last (Namespaces in XML 1.0 §4).
    fn name(&mut self, input: &[u8], limits: &Limits) -> Result<NameAt, Stop> {
        const BAD_NAME: XmlError = XmlError::NotWellFormed("name");
        loop {
            let rest = input.get(self.pos..).unwrap_or_default();
            let len = self.pos - self.mark;
            let first = len == 0 || (self.prefix_len > 0 && len == self.prefix_len + 1);
            let byte = *rest.first().ok_or(Stop::More)?;
            self.pos += match name_byte(byte) {
                NameByte::Start => 1,
                NameByte::Inner if !first => 1,
                NameByte::Colon if !first && self.prefix_len == 0 => {
                    self.prefix_len = len;
                    1
                }
                NameByte::Multibyte => match chars::multibyte(rest)?.ok_or(Stop::More)? {
                    (code, len) if chars::is_name_start(code) => len,
                    (code, len) if chars::is_name_char(code) && !first => len,
                    _ => return Err(BAD_NAME.into()),
                },
                NameByte::No if !first => break,
                _ => return Err(BAD_NAME.into()),
            };
            if self.pos - self.mark > limits.name_bytes.min(LONGEST_NAME) {
                return Err(XmlError::Limit(Bound::NameBytes).into());
            }
        }
        Ok(NameAt {
            start: self.mark as u32,
            len: (self.pos - self.mark) as u16,
            prefix_len: self.prefix_len as u16,
        })
    }

    /// An attribute value up to its quote, which is passed.
    fn value(&mut self, input: &[u8], quote: u8) -> Result<Span, Stop> {
        loop {
            let rest = input.get(self.pos..).unwrap_or_default();
            let plain = plain_len(rest, [quote, b'<', b'&']);
            self.pos += plain;
            let rest = rest.get(plain..).unwrap_or_default();
            self.pos += match rest {
                [] => return Err(Stop::More),
                [byte, ..] if *byte == quote => break,
                [b'&', ..] => reference_len(rest)?.ok_or(Stop::More)?,
                [b'\t' | b'\n' | b'\r', ..] => 1,
                [0x80..=0xFF, ..] => content_char(rest)?.ok_or(Stop::More)?,
                [b'<', ..] => return Err(XmlError::NotWellFormed("< in a value").into()),
                _ => return Err(FORBIDDEN.into()),
            };
        }
        let value = Span::new(self.mark, self.pos);
        self.pos += 1;
        Ok(value)
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

/// Names are counted in 16 bits.
const LONGEST_NAME: usize = u16::MAX as usize;

const UNOPENED: XmlError = XmlError::NotWellFormed("end tag does not match");
