//! Where stanzas end in a stream of bytes.
//!
//! The load generator reads many times more than it needs to understand: to
//! count a message it must know where it ends and what its `id` is, and
//! nothing else. So this scanner only counts tags. It does not validate; the
//! servers it talks to do that.

use memchr::{memchr, memchr3, memmem};

/// What stands at the beginning of the buffer, and how many bytes it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The stream header `<stream:stream …>`, with the XML declaration before it.
    Header(usize),
    /// One complete first-level element, with white space before it.
    Stanza(usize),
    /// `</stream:stream>`.
    Close(usize),
}

/// Something the scanner does not expect from an XMPP server: a comment, a
/// DTD, or a closing tag too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unexpected;

/// Resumable search for the end of the next piece.
///
/// The caller hands in the same unread bytes again with more behind them; the
/// scanner remembers how far it came. After a [`Piece`] the caller drops that
/// many bytes and the scanner starts over.
#[derive(Debug, Default)]
pub struct Scanner {
    depth: usize,
    position: usize,
}

impl Scanner {
    /// The piece at the start of `bytes`, or `None` when it is not complete.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Option<Piece>, Unexpected> {
        while let Some(start) = find(bytes, self.position, b'<') {
            let Some(tag) = tag_at(bytes, start)? else {
                self.position = start;
                return Ok(None);
            };
            self.position = tag.end;
            let piece = match tag.kind {
                Kind::Instruction => None,
                Kind::Open if self.depth == 0 && is_stream(&bytes[start + 1..tag.end]) => {
                    Some(Piece::Header(tag.end))
                }
                Kind::Open => {
                    self.depth += 1;
                    None
                }
                Kind::Empty => (self.depth == 0).then_some(Piece::Stanza(tag.end)),
                Kind::Close if self.depth == 0 => {
                    if !is_stream(&bytes[start + 2..tag.end]) {
                        return Err(Unexpected);
                    }
                    Some(Piece::Close(tag.end))
                }
                Kind::Close => {
                    self.depth -= 1;
                    (self.depth == 0).then_some(Piece::Stanza(tag.end))
                }
            };
            if piece.is_some() {
                self.position = 0;
                return Ok(piece);
            }
        }
        self.position = bytes.len();
        Ok(None)
    }
}

/// The text between `start` and the next `end` after it.
pub fn between<'a>(bytes: &'a [u8], start: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    let from = memmem::find(bytes, start)? + start.len();
    let length = memmem::find(&bytes[from..], end)?;
    Some(&bytes[from..from + length])
}

/// The value of the first attribute `name` anywhere in `bytes`, still escaped.
///
/// `name` is preceded by white space, so `id` does not find `stanza-id`.
pub fn attribute<'a>(bytes: &'a [u8], name: &str) -> Option<&'a [u8]> {
    memmem::find_iter(bytes, name.as_bytes()).find_map(|at| {
        let before = at.checked_sub(1).map(|i| bytes[i])?;
        let rest = bytes[at + name.len()..].strip_prefix(b"=")?;
        let (&quote, value) = rest.split_first()?;
        if !before.is_ascii_whitespace() || (quote != b'\'' && quote != b'"') {
            return None;
        }
        memchr(quote, value).map(|end| &value[..end])
    })
}

/// Whether the element that starts at the first `<` of `bytes` is called `name`.
pub fn is_element(bytes: &[u8], name: &str) -> bool {
    let Some(start) = memchr(b'<', bytes) else { return false };
    let Some(rest) = bytes[start + 1..].strip_prefix(name.as_bytes()) else { return false };
    matches!(rest.first(), Some(b' ' | b'>' | b'/' | b'\t' | b'\n' | b'\r'))
}

enum Kind {
    Open,
    Empty,
    Close,
    Instruction,
}

struct Tag {
    kind: Kind,
    end: usize,
}

/// The tag whose `<` is at `start`, or `None` when its end has not come yet.
fn tag_at(bytes: &[u8], start: usize) -> Result<Option<Tag>, Unexpected> {
    let Some(&first) = bytes.get(start + 1) else { return Ok(None) };
    match first {
        b'!' => Err(Unexpected),
        b'?' => Ok(memmem::find(&bytes[start..], b"?>")
            .map(|at| Tag { kind: Kind::Instruction, end: start + at + 2 })),
        b'/' => Ok(find(bytes, start, b'>').map(|at| Tag { kind: Kind::Close, end: at + 1 })),
        _ => Ok(end_of_start_tag(bytes, start + 1).map(|at| {
            let kind = if bytes[at - 1] == b'/' { Kind::Empty } else { Kind::Open };
            Tag { kind, end: at + 1 }
        })),
    }
}

/// The `>` that closes a start tag; `>` is allowed inside attribute values.
fn end_of_start_tag(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr3(b'>', b'\'', b'"', &bytes[from..])?;
        if bytes[at] == b'>' {
            return Some(at);
        }
        from = find(bytes, at + 1, bytes[at])? + 1;
    }
}

fn find(bytes: &[u8], from: usize, needle: u8) -> Option<usize> {
    memchr(needle, bytes.get(from..)?).map(|at| from + at)
}

fn is_stream(after_bracket: &[u8]) -> bool {
    after_bracket.starts_with(b"stream:stream")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(bytes: &[u8], chunk: usize) -> Vec<String> {
        let mut scanner = Scanner::default();
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        for part in bytes.chunks(chunk) {
            buffer.extend_from_slice(part);
            while let Some(piece) = scanner.next(&buffer).unwrap() {
                let (Piece::Header(end) | Piece::Stanza(end) | Piece::Close(end)) = piece;
                found.push(String::from_utf8(buffer.drain(..end).collect()).unwrap());
            }
        }
        found
    }

    const STREAM: &[u8] = b"<?xml version='1.0'?><stream:stream to='>' id=\"a'b\">\
        <message id='1'><body a='/>'>x</body><e/></message>\n<r xmlns='urn:xmpp:sm:3'/>\
        <iq><q><q>&lt;</q></q></iq></stream:stream>";

    #[test]
    fn stanzas_are_found_whatever_the_chunks() {
        let whole = pieces(STREAM, STREAM.len());
        assert_eq!(whole.len(), 5);
        assert_eq!(whole[1], "<message id='1'><body a='/>'>x</body><e/></message>");
        assert_eq!(whole[2], "\n<r xmlns='urn:xmpp:sm:3'/>");
        assert_eq!(whole[4], "</stream:stream>");
        for chunk in 1..STREAM.len() {
            assert_eq!(pieces(STREAM, chunk), whole);
        }
    }

    #[test]
    fn a_closing_tag_too_many_and_a_comment_are_refused() {
        assert_eq!(Scanner::default().next(b"</message>"), Err(Unexpected));
        assert_eq!(Scanner::default().next(b"<!-- x -->"), Err(Unexpected));
    }

    #[test]
    fn attributes_are_found_by_their_whole_name() {
        let stanza =
            b"<message stanza-id='no' xid='no' id=\"yes\" to='a'><x id='later'/></message>";
        assert_eq!(attribute(stanza, "id"), Some(&b"yes"[..]));
        assert_eq!(attribute(stanza, "to"), Some(&b"a"[..]));
        assert_eq!(attribute(stanza, "from"), None);
    }

    #[test]
    fn element_names_are_compared_whole() {
        assert!(is_element(b" <a h='1'/>", "a"));
        assert!(!is_element(b"<auth/>", "a"));
        assert!(is_element(b"<r/>", "r"));
    }
}
