//! Start tags: names and attributes

use memchr::memchr3;

use super::{At, NameAt, Scanner, Span, Stop, Token};
use crate::xml::chars::{self, begins_name, is_space, name_len, space_len};
use crate::xml::names::Outer;
use crate::xml::reference::reference_len;
use crate::xml::{Bound, Limits, XmlError};

impl Scanner {
    /// The rest of a start tag, which may be as long as a whole element at most.
    pub(super) fn start_tag(
        &mut self,
        input: &[u8],
        limits: &Limits,
        outer: &Outer<'_>,
    ) -> Result<Token, Stop> {
        let end = self.tag.start.saturating_add(limits.element_bytes);
        let within = input.get(..end).unwrap_or(input);
        let parts = match self.usual_tag(within, limits)? {
            Some(empty) => Ok(empty),
            None => self.tag_parts(within, limits),
        };
        match parts {
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

    /// A tag as nearly all of them are: complete, in ASCII, one space before each attribute, no
    /// references. Says whether it is an empty-element tag; `None` means that it is another kind
    /// of tag and [`Scanner::tag_parts`] has to read it. What both accept is the same.
    fn usual_tag(&mut self, input: &[u8], limits: &Limits) -> Result<Option<bool>, Stop> {
        if self.at != At::TagName || self.pos != self.mark {
            return Ok(None);
        }
        let Some(name) = usual_name(input, self.pos, limits) else { return Ok(None) };
        let mut end = self.pos + usize::from(name.len);
        let empty = loop {
            let (attr, value) = match input.get(end..).unwrap_or_default() {
                [b'>', ..] => break false,
                [b'/', b'>', ..] => break true,
                [b' ', ..] => match usual_attribute(input, end + 1, limits) {
                    Some(found) => found,
                    None => return Ok(self.unusual_tag()),
                },
                _ => return Ok(self.unusual_tag()),
            };
            self.names.attribute(input, attr, value, end, limits)?;
            end = value.end() + 1;
        };
        self.tag.name = name;
        self.pos = end + if empty { 2 } else { 1 };
        Ok(Some(empty))
    }

    /// Forgets the attributes so far: they will be read again, this once.
    fn unusual_tag(&mut self) -> Option<bool> {
        self.names.restart_tag();
        None
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
                        return Err(XmlError::Value.into());
                    }
                    self.pos += 1;
                    self.at = At::Quote;
                }
                At::Quote => {
                    let quote = self.after_space(input)?;
                    if quote != b'\'' && quote != b'"' {
                        return Err(XmlError::Value.into());
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
            _ => Err(XmlError::StartTag.into()),
        }
    }

    pub(super) fn begin_name(&mut self, at: At) {
        self.at = at;
        self.mark = self.pos;
        self.prefix_len = 0;
    }

    /// A name with at most one colon, neither first nor last (Namespaces in XML 1.0 §4).
    fn name(&mut self, input: &[u8], limits: &Limits) -> Result<NameAt, Stop> {
        loop {
            let rest = input.get(self.pos..).unwrap_or_default();
            let len = self.pos - self.mark;
            let first = len == 0 || (self.prefix_len > 0 && len == self.prefix_len + 1);
            let byte = *rest.first().ok_or(Stop::More)?;
            self.pos += match byte {
                0x80.. => match chars::multibyte(rest)?.ok_or(Stop::More)? {
                    (code, len) if chars::is_name_start(code) => len,
                    (code, len) if chars::is_name_char(code) && !first => len,
                    _ => return Err(XmlError::Name.into()),
                },
                _ if first && !begins_name(byte) => return Err(XmlError::Name.into()),
                b':' if self.prefix_len > 0 => return Err(XmlError::Name.into()),
                b':' => {
                    self.prefix_len = len;
                    1
                }
                _ => match name_len(rest) {
                    0 => break,
                    len => len,
                },
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
            let Some(at) = memchr3(quote, b'<', b'&', rest) else {
                self.pos = input.len();
                return Err(Stop::More);
            };
            self.pos += at;
            let rest = rest.get(at..).unwrap_or_default();
            self.pos += match rest {
                [b'&', ..] => reference_len(rest)?.ok_or(Stop::More)?,
                [b'<', ..] => return Err(XmlError::Value.into()),
                _ => break,
            };
        }
        let value = Span::new(self.mark, self.pos);
        self.pos += 1;
        Ok(value)
    }
}

/// An ASCII name with at most one colon.
#[inline]
fn usual_name(input: &[u8], start: usize, limits: &Limits) -> Option<NameAt> {
    let rest = input.get(start..)?;
    let mut len = usual_part(rest)?;
    let mut prefix_len = 0;
    if rest.get(len) == Some(&b':') {
        prefix_len = len;
        len += 1 + usual_part(rest.get(len + 1..)?)?;
    }
    (len <= limits.name_bytes.min(LONGEST_NAME)).then_some(NameAt {
        start: start as u32,
        len: len as u16,
        prefix_len: prefix_len as u16,
    })
}

/// Length of the prefix or local part of a name; it must be ASCII and end within the input.
#[inline]
fn usual_part(rest: &[u8]) -> Option<usize> {
    let len = name_len(rest);
    let complete = rest.get(len).is_some_and(u8::is_ascii);
    (complete && begins_name(*rest.first()?)).then_some(len)
}

/// `name='value'` without references.
#[inline]
fn usual_attribute(input: &[u8], start: usize, limits: &Limits) -> Option<(NameAt, Span)> {
    let name = usual_name(input, start, limits)?;
    let (quote, rest) = match input.get(start + usize::from(name.len)..)? {
        [b'=', quote @ (b'\'' | b'"'), rest @ ..] => (*quote, rest),
        _ => return None,
    };
    let len = memchr3(quote, b'<', b'&', rest)?;
    let value_start = start + usize::from(name.len) + 2;
    (rest.get(len) == Some(&quote)).then_some((name, Span::new(value_start, value_start + len)))
}

/// Names are counted in 16 bits.
const LONGEST_NAME: usize = u16::MAX as usize;
