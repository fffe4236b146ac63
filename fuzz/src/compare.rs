//! Comparing with the crate rxml, which reads the same restricted XML.

use rxml::{Event, Options, Parse, Parser, WithOptions};
use xmpp::xml::Element;

/// Reads a document with rxml; `None` when it is refused or incomplete.
pub fn rxml(mut input: &[u8]) -> Option<Tree> {
    let options = Options { max_token_length: input.len() + 1, ..Options::default() };
    let mut parser = Parser::with_options(options);
    let mut open: Vec<Tree> = Vec::new();
    let mut root = None;
    while let Some(event) = parser.parse(&mut input, true).ok()? {
        match event {
            Event::XmlDeclaration(..) => {}
            Event::StartElement(_, (ns, name), attrs) => open.push(Tree {
                ns: ns.to_string(),
                name: name.to_string(),
                attrs: attrs
                    .into_iter()
                    .map(|((ns, name), value)| (ns.to_string(), name.to_string(), value))
                    .collect(),
                nodes: Vec::new(),
            }),
            Event::Text(_, text) => match open.last_mut()?.nodes.last_mut() {
                Some(Node::Text(last)) => last.push_str(&text),
                _ => open.last_mut()?.nodes.push(Node::Text(text)),
            },
            Event::EndElement(_) => {
                let element = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.nodes.push(Node::Element(element)),
                    None => root = Some(element),
                }
            }
        }
    }
    root
}

/// What rxml found.
#[derive(Debug)]
pub struct Tree {
    ns: String,
    name: String,
    attrs: Vec<(String, String, String)>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Element(Tree),
    Text(String),
}

impl Tree {
    /// Panics when `element` says anything else.
    pub fn must_equal(&self, element: &Element) {
        assert_eq!((self.name.as_str(), self.ns.as_str()), (element.name(), element.ns()));
        for (ns, name, value) in &self.attrs {
            let ours = match ns.as_str() {
                "" => element.attr(name),
                xmpp::ns::XML => element.attr(&format!("xml:{name}")),
                ns => element.attr_ns(name, ns),
            };
            assert_eq!(ours, Some(value.as_str()), "attribute {name}");
        }
        let plain = |ns: &str| ns.is_empty() || ns == xmpp::ns::XML;
        let theirs = self.attrs.iter().filter(|(ns, ..)| plain(ns)).count();
        assert_eq!(theirs, element.attrs().count());
        let mut nodes =
            self.nodes.iter().filter(|node| !matches!(node, Node::Text(t) if t.is_empty()));
        for ours in element.nodes() {
            match (nodes.next(), ours) {
                (Some(Node::Element(theirs)), xmpp::xml::Node::Element(ours)) => {
                    theirs.must_equal(ours);
                }
                (Some(Node::Text(theirs)), xmpp::xml::Node::Text(ours)) => assert_eq!(theirs, ours),
                (theirs, ours) => panic!("{theirs:?} is not {ours:?}"),
            }
        }
        assert!(nodes.next().is_none());
    }
}

/// Whether the two readers agree on every rule that matters for the input: rxml 0.14 refuses some
/// carriage returns and forgets to unify others, and allows no white space at the beginning.
pub fn is_comparable(input: &[u8]) -> bool {
    input.starts_with(b"<") && !input.contains(&b'\r')
}
