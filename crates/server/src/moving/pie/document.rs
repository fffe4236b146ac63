//! Large XML documents, read a piece at a time: the elements that hold others are entered, the others
//! are taken whole.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use quick_xml::{
    NsReader,
    escape::unescape,
    events::{BytesStart, Event},
    name::ResolveResult,
};
use xmpp::xml::Element;

use crate::moving::Trouble;

/// What comes next where elements are entered.
pub(super) enum Token {
    /// A start tag, as an element without content. It is to be entered, or read with
    /// [`Document::rest`].
    Open(Element),
    /// The end of the element that was entered last.
    Close,
    /// The end of the document.
    End,
}

/// A document.
pub(super) struct Document {
    reader: NsReader<Bounded<BufReader<File>>>,
    buffer: Vec<u8>,
    /// Elements that are open.
    depth: usize,
    name: String,
}

impl Document {
    pub(super) fn open(path: &Path) -> Result<Document, Trouble> {
        let file = File::open(path).map_err(|error| Trouble::file(path, &error))?;
        let mut reader =
            NsReader::from_reader(Bounded { inner: BufReader::new(file), left: LARGEST });
        // Then an empty element is a start and an end.
        reader.config_mut().expand_empty_elements = true;
        Ok(Document { reader, buffer: Vec::new(), depth: 0, name: path.display().to_string() })
    }

    /// The next tag.
    pub(super) fn next(&mut self) -> Result<Token, Trouble> {
        loop {
            self.reader.get_mut().left = LARGEST;
            match self.event()? {
                Read1::Open(element) => return Ok(Token::Open(element)),
                Read1::Close => return Ok(Token::Close),
                Read1::End => return Ok(Token::End),
                Read1::Text(_) => {}
            }
        }
    }

    /// The element of the start tag that came last, with its content.
    pub(super) fn rest(&mut self, start: Element) -> Result<Element, Trouble> {
        let mut open = vec![start];
        loop {
            match self.event()? {
                Read1::Open(element) if open.len() < DEPTH => open.push(element),
                Read1::Open(_) => return Err(self.wrong("too many elements in elements")),
                Read1::Text(text) => {
                    if let Some(innermost) = open.last_mut() {
                        innermost.push_text(text);
                    }
                }
                Read1::Close => {
                    let Some(done) = open.pop() else { return Err(self.wrong("an end too many")) };
                    match open.last_mut() {
                        Some(outer) => outer.push(done),
                        None => return Ok(done),
                    }
                }
                Read1::End => return Err(self.wrong("it ends in the middle")),
            }
        }
    }

    /// The next event; the parser itself counts elements in elements no further than 65,535.
    fn event(&mut self) -> Result<Read1, Trouble> {
        let event = self.read()?;
        match event {
            Read1::Open(_) if self.depth >= DEEPEST => {
                return Err(self.wrong("too many elements in elements"));
            }
            Read1::Open(_) => self.depth += 1,
            Read1::Close => self.depth = self.depth.saturating_sub(1),
            Read1::Text(_) | Read1::End => {}
        }
        Ok(event)
    }

    fn read(&mut self) -> Result<Read1, Trouble> {
        loop {
            self.buffer.clear();
            let name = &self.name;
            let at = self.reader.buffer_position();
            let wrong = |error: &dyn std::fmt::Display| {
                Trouble::unreadable(format!("{name} is no XML at byte {at}: {error}"))
            };
            let read = self.reader.read_event_into(&mut self.buffer);
            let read = match read.map_err(|error| wrong(&error))? {
                Event::Start(start) => Read1::Open(
                    element(&self.reader, &start).ok_or_else(|| wrong(&"a tag makes no sense"))?,
                ),
                Event::End(_) => Read1::Close,
                Event::Text(text) => {
                    let text = text.decode().map_err(|error| wrong(&error))?;
                    Read1::Text(unescape(&text).map_err(|error| wrong(&error))?.into_owned())
                }
                Event::CData(data) => {
                    let text = data.decode().map_err(|error| wrong(&error))?;
                    Read1::Text(text.into_owned())
                }
                Event::GeneralRef(reference) => {
                    let name = reference.decode().map_err(|error| wrong(&error))?;
                    let text = format!("&{name};");
                    Read1::Text(unescape(&text).map_err(|error| wrong(&error))?.into_owned())
                }
                Event::DocType(_) => return Err(wrong(&"a document type is not allowed")),
                Event::Eof => Read1::End,
                Event::Empty(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) => continue,
            };
            return Ok(read);
        }
    }

    fn wrong(&self, why: &str) -> Trouble {
        let at = self.reader.buffer_position();
        Trouble::unreadable(format!("{} cannot be read at byte {at}: {why}", self.name))
    }
}

enum Read1 {
    Open(Element),
    Close,
    Text(String),
    End,
}

fn element<R>(reader: &NsReader<R>, start: &BytesStart<'_>) -> Option<Element> {
    let (namespace, local) = reader.resolver().resolve_element(start.name());
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => std::str::from_utf8(namespace.into_inner()).ok()?,
        ResolveResult::Unbound => "",
        ResolveResult::Unknown(_) => return None,
    };
    let mut element = Element::new(std::str::from_utf8(local.into_inner()).ok()?, namespace);
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let name = std::str::from_utf8(attribute.key.into_inner()).ok()?;
        let value = unescape(std::str::from_utf8(&attribute.value).ok()?).ok()?.into_owned();
        // Attributes of other namespaces do not exist in XMPP but for those of XML.
        if name != "xmlns" && (!name.contains(':') || name.starts_with("xml:")) {
            attributes.push((name.to_owned(), value));
        }
    }
    for (name, value) in attributes {
        element.set_attr(name, value);
    }
    Some(element)
}

/// Bytes from a file, but not more than allowed at a time: an element without an end must not fill the
/// memory.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(to.len());
        to[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an element is too large"));
        }
        let available = self.inner.fill_buf()?;
        Ok(&available[..available.len().min(self.left)])
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.inner.consume(count);
    }
}

/// Elements in elements, passed over ones among them.
const DEEPEST: usize = 1000;
/// Bytes of one element that is taken whole.
const LARGEST: usize = 16 * 1024 * 1024;
/// Elements in elements.
const DEPTH: usize = 100;
