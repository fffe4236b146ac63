//! Reading a stream in pieces, with the rules that hold for everything that comes out.

use xmpp::stanza::Stanza;
use xmpp::xml::{Event, Framing, Limits, Reader, XmlError};

/// What a reader made of its input, in a form that can be compared.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One entry for each event.
    pub events: Vec<String>,
    /// What ended the reading.
    pub error: Option<XmlError>,
    /// Whether something incomplete was left.
    pub idle: bool,
}

/// Reads `input` in pieces of `size` bytes.
pub fn read(input: &[u8], size: usize, framing: Framing, limits: Limits) -> Outcome {
    let mut reader = Reader::new(limits, framing);
    let mut events = Vec::new();
    for piece in input.chunks(size.max(1)) {
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(None) => break,
                Ok(Some(event)) => events.push(describe(event, &limits)),
                Err(error) => return Outcome { events, error: Some(error), idle: true },
            }
        }
        let most = 2 * limits.element_bytes + size + 100_000;
        assert!(reader.unread() <= most, "{} bytes held", reader.unread());
    }
    Outcome { events, error: None, idle: reader.is_idle() }
}

fn describe(event: Event, limits: &Limits) -> String {
    match event {
        Event::Stanza(stanza) => {
            check(&stanza);
            assert!(stanza.bytes().len() <= limits.element_bytes);
            format!("stanza {:?}", stanza.bytes())
        }
        Event::Oversized(stanza) => {
            check(&stanza);
            assert_eq!(stanza.children().count(), 0);
            format!("oversized {:?}", stanza.bytes())
        }
        other => format!("{other:?}"),
    }
}

/// A stanza is its own canonical form, and table and tree say the same about it.
pub fn check(stanza: &Stanza) {
    let again = Stanza::parse(stanza.bytes().clone(), &Limits::TRUSTED).expect("readable");
    assert_eq!(again.bytes(), stanza.bytes(), "not canonical");
    let tree = stanza.element();
    assert_eq!(tree, again.element());
    assert!(stanza.is(tree.name(), tree.ns()));
    for (name, value) in tree.attrs() {
        assert_eq!(stanza.attr(name).as_deref(), Some(value));
    }
    assert_eq!(stanza.children().count(), tree.children().count());
    for (child, element) in stanza.children().zip(tree.children()) {
        assert_eq!(&child.element(), element);
        assert!(child.is(element.name(), element.ns()));
        assert_eq!(child.text(), element.text());
        for (name, value) in element.attrs() {
            assert_eq!(child.attr(name).as_deref(), Some(value));
        }
    }
}
