//! Elements as a test client sees them, read by an XML parser that is not the product's own.
//!
//! A fault shared by our writer and our reader would be invisible to a client built on our reader.
//! So test clients read with `rxml`, a strict namespace-aware parser that knows nothing of ours:
//! whatever the server sends has to be well-formed in somebody else's eyes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rxml::error::EndOrError;
use rxml::parser::WithOptions;
use rxml::{Event, Parse};

/// The namespace of XMPP stream headers, stream errors and stream features.
pub const STREAMS: &str = "http://etherx.jabber.org/streams";

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// An XML element with everything below it. Prefixes are resolved and gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Local name.
    pub name: String,
    /// Namespace; empty when there is none.
    pub ns: String,
    /// Attributes by name. `xml:lang` keeps its prefix, other namespaces are written `{ns}name`.
    pub attributes: BTreeMap<String, String>,
    /// Child elements and text in document order.
    pub nodes: Vec<Node>,
}

/// One child of a [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Tree),
    /// Character data, unescaped.
    Text(String),
}

impl Tree {
    /// True if the element has this local name and namespace.
    pub fn is(&self, name: &str, ns: &str) -> bool {
        self.name == name && self.ns == ns
    }

    /// The value of an attribute.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Child elements in document order.
    pub fn children(&self) -> impl Iterator<Item = &Tree> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(tree) => Some(tree),
            Node::Text(_) => None,
        })
    }

    /// The first child element of this name and namespace.
    pub fn child(&self, name: &str, ns: &str) -> Option<&Tree> {
        self.children().find(|child| child.is(name, ns))
    }

    /// The element's own text, without that of its children.
    pub fn text(&self) -> String {
        let parts = self.nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        parts.collect()
    }

    /// The element as indented XML for people to read.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.write_pretty(&mut out, 0, "jabber:client");
        out
    }

    fn write_pretty(&self, out: &mut String, depth: usize, parent_ns: &str) {
        let indent = "  ".repeat(depth);
        let name =
            if self.ns == STREAMS { format!("stream:{}", self.name) } else { self.name.clone() };
        let inherited = if self.ns == STREAMS { parent_ns } else { &self.ns };
        let _ = write!(out, "{indent}<{name}");
        if inherited != parent_ns {
            let _ = write!(out, " xmlns=\"{}\"", escape(inherited));
        }
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", escape(value));
        }
        if self.nodes.is_empty() {
            out.push_str("/>\n");
            return;
        }
        if let [Node::Text(text)] = self.nodes.as_slice() {
            let _ = writeln!(out, ">{}</{name}>", escape(&shorten(text)));
            return;
        }
        out.push_str(">\n");
        for node in &self.nodes {
            match node {
                Node::Element(tree) => tree.write_pretty(out, depth + 1, inherited),
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(text) => {
                    let _ = writeln!(out, "{indent}  {}", escape(&shorten(text)));
                }
            }
        }
        let _ = writeln!(out, "{indent}</{name}>");
    }
}

/// Escapes text for use as character data or inside a double-quoted attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

/// Long texts (oversize tests send hundreds of kilobytes) are cut where people read them.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 600;
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let cut = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}… ({} bytes)", &text[..cut], text.len())
}

/// How XML documents follow one another on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// RFC 6120: one document whose root is the stream, its children are the elements.
    Stream,
    /// RFC 7395: every element is a document of its own.
    Documents,
}

/// What a reader found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The XML declaration `<?xml version='1.0'?>`.
    Declaration,
    /// The stream's start tag.
    Header(Tree),
    /// A complete element.
    Element(Tree),
    /// `</stream:stream>`.
    Close,
}

/// Reads elements from bytes in whatever pieces they arrive.
pub struct Reader {
    parser: rxml::Parser,
    framing: Framing,
    buffer: Vec<u8>,
    consumed: usize,
    header_seen: bool,
    open: Vec<Tree>,
}

impl Reader {
    /// A reader at the start of a stream.
    pub fn new(framing: Framing) -> Self {
        Reader {
            parser: parser(),
            framing,
            buffer: Vec::new(),
            consumed: 0,
            header_seen: false,
            open: Vec::new(),
        }
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Expects a new stream; bytes not read yet belong to it.
    pub fn restart(&mut self) {
        self.parser = parser();
        self.header_seen = false;
        self.open.clear();
    }

    /// The next complete piece, `None` when more bytes are needed.
    ///
    /// # Errors
    /// A sentence naming the fault when the bytes are not the XML a client may be sent.
    pub fn read(&mut self) -> Result<Option<Found>, String> {
        loop {
            let mut rest = &self.buffer[self.consumed..];
            let before = rest.len();
            let event = self.parser.parse(&mut rest, false);
            self.consumed += before - rest.len();
            let event = match event {
                Err(EndOrError::NeedMoreData) => return Ok(None),
                Err(EndOrError::Error(error)) => return Err(error.to_string()),
                Ok(None) => return Ok(None),
                Ok(Some(event)) => event,
            };
            if let Some(found) = self.take(event)? {
                return Ok(Some(found));
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<Option<Found>, String> {
        match event {
            Event::XmlDeclaration(..) => Ok(Some(Found::Declaration)),
            Event::StartElement(_, name, attributes) => Ok(self.start(element(name, attributes))),
            Event::Text(_, text) => {
                match self.open.last_mut() {
                    Some(parent) => append_text(parent, text),
                    // Whitespace between stanzas is a keep-alive, RFC 6120 §4.6.1.
                    None if text.trim().is_empty() => {}
                    None => return Err(format!("text outside of any element: {text:?}")),
                }
                Ok(None)
            }
            Event::EndElement(_) => Ok(self.end()),
        }
    }

    fn start(&mut self, tree: Tree) -> Option<Found> {
        if self.framing == Framing::Stream && !self.header_seen {
            self.header_seen = true;
            return Some(Found::Header(tree));
        }
        self.open.push(tree);
        None
    }

    fn end(&mut self) -> Option<Found> {
        let Some(done) = self.open.pop() else { return Some(Found::Close) };
        if let Some(parent) = self.open.last_mut() {
            parent.nodes.push(Node::Element(done));
            return None;
        }
        if self.framing == Framing::Documents {
            self.parser = parser();
        }
        Some(Found::Element(done))
    }
}

fn parser() -> rxml::Parser {
    // Servers may send attributes as long as a whole stanza.
    let options = rxml::Options { max_token_length: 4 << 20, ..rxml::Options::default() };
    rxml::Parser::with_options(options)
}

fn element(name: (rxml::Namespace<'static>, rxml::NcName), attributes: rxml::AttrMap) -> Tree {
    let attributes = attributes.into_iter().map(|((ns, name), value)| {
        let name = match ns.as_str() {
            "" => name.to_string(),
            XML_NAMESPACE => format!("xml:{name}"),
            other => format!("{{{other}}}{name}"),
        };
        (name, value)
    });
    Tree {
        name: name.1.to_string(),
        ns: name.0.to_string(),
        attributes: attributes.collect(),
        nodes: Vec::new(),
    }
}

fn append_text(parent: &mut Tree, text: String) {
    match parent.nodes.last_mut() {
        Some(Node::Text(last)) => last.push_str(&text),
        _ => parent.nodes.push(Node::Text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(framing: Framing, pieces: &[&str]) -> Vec<Found> {
        let mut reader = Reader::new(framing);
        let mut found = Vec::new();
        for piece in pieces {
            reader.push(piece.as_bytes());
            while let Some(next) = reader.read().unwrap() {
                found.push(next);
            }
        }
        found
    }

    #[test]
    fn a_stream_is_read_in_pieces() {
        let found = read_all(
            Framing::Stream,
            &[
                "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stre",
                "am='http://etherx.jabber.org/streams' id='1'> <message><bo",
                "dy>a&amp;b</body></message></stream:stream>",
            ],
        );
        assert_eq!(found.len(), 4);
        assert_eq!(found[0], Found::Declaration);
        assert!(matches!(&found[1], Found::Header(header) if header.is("stream", STREAMS)));
        let Found::Element(message) = &found[2] else { panic!("{found:?}") };
        assert_eq!(message.child("body", "jabber:client").unwrap().text(), "a&b");
        assert_eq!(found[3], Found::Close);
    }

    #[test]
    fn websocket_documents_stand_alone() {
        let found = read_all(
            Framing::Documents,
            &[
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
                "<iq xmlns='jabber:client' type='get'><a/></iq>",
            ],
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn an_undeclared_prefix_is_an_error() {
        let mut reader = Reader::new(Framing::Documents);
        reader.push(b"<a:b/>");
        assert!(reader.read().is_err());
    }
}
