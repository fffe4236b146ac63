//! Random elements in random notations: whatever the notation, the meaning is the same, and
//! whatever the pieces, the outcome is the same.
//!
//! Every case prints its seed when it fails; the seeds are fixed, so a failure can be repeated.

use bytes::Bytes;
use xmpp::edit::Edit;
use xmpp::ns;
use xmpp::stanza::Stanza;
use xmpp::xml::{Element, Event, Framing, Limits, Node, Reader};

/// A small generator of random numbers (xorshift).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const NAMES: [&str; 6] = ["a", "body", "x-1", "_y.z", "élan", "xmlnsish"];
const SPACES: [&str; 4] = ["", "urn:x", "urn:a&b", "jabber:client"];
const TEXTS: [&str; 9] = [
    "",
    " ",
    "plain",
    "<&>'\"",
    "]]>",
    "tab\tline\n",
    "\r",
    "Приве́т 🦀",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

/// A random element of at most `depth` levels.
fn element(random: &mut Random, depth: usize) -> Element {
    let mut element = Element::new(random.pick(&NAMES), random.pick(&SPACES));
    for _ in 0..random.below(4) {
        element.set_attr(random.pick(&["to", "id", "xml:lang", "é"]), random.pick(&TEXTS));
    }
    for _ in 0..random.below(5) {
        if depth > 1 && !random.one_in(3) {
            element.push(self::element(random, depth - 1));
        } else {
            element.push_text(random.pick(&TEXTS));
        }
    }
    element
}

/// Writes an element in one of the many ways that mean the same. `default` is the default
/// namespace where it will stand.
fn write(random: &mut Random, element: &Element, default: &str, out: &mut String) {
    let prefixed = !element.ns().is_empty() && random.one_in(3);
    let prefix = random.pick(&["p", "q", "ns0"]);
    let name =
        if prefixed { format!("{prefix}:{}", element.name()) } else { element.name().to_owned() };
    let mut attrs: Vec<(String, String)> =
        element.attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if prefixed {
        attrs.push((format!("xmlns:{prefix}"), element.ns().to_owned()));
    } else if default != element.ns() || random.one_in(4) {
        attrs.push(("xmlns".to_owned(), element.ns().to_owned()));
    }
    out.push_str(&format!("<{name}"));
    while !attrs.is_empty() {
        let (name, value) = attrs.swap_remove(random.below(attrs.len()));
        let quote = random.pick(&["'", "\""]);
        let space = random.pick(&[" ", " ", "\n  "]);
        let equals = random.pick(&["=", "=", " = "]);
        out.push_str(&format!(
            "{space}{name}{equals}{quote}{}{quote}",
            escaped(random, &value, true)
        ));
    }
    out.push_str(random.pick(&["", "", " "]));
    if element.nodes().is_empty() && random.one_in(2) {
        out.push_str("/>");
        return;
    }
    out.push('>');
    let inner = if prefixed { default } else { element.ns() };
    for node in element.nodes() {
        match node {
            Node::Element(child) => write(random, child, inner, out),
            Node::Text(text) if random.one_in(3) && !text.contains('\r') => {
                out.push_str(&format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>")));
            }
            Node::Text(text) => out.push_str(&escaped(random, text, false)),
        }
    }
    out.push_str(&format!("</{name}{}>", random.pick(&["", "", "\t"])));
}

fn escaped(random: &mut Random, text: &str, attribute: bool) -> String {
    let must = |c: char| "<&>'\"\r".contains(c) || (attribute && c < ' ');
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' if random.one_in(2) => out.push_str("&lt;"),
            _ if must(c) || random.one_in(10) => out.push_str(&format!("&#{};", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// What a reader makes of a stream that arrives in random pieces.
fn outcome(random: &mut Random, stream: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(Limits::CLIENT, Framing::Tcp);
    let mut outcome = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let most = if random.one_in(2) { 8 } else { 4096 };
        let size = 1 + random.below(rest.len().min(most));
        let (piece, tail) = rest.split_at(size);
        rest = tail;
        reader.push(piece);
        loop {
            match reader.next() {
                Ok(None) => break,
                Ok(Some(Event::Stanza(stanza))) => outcome.push(format!("{:?}", stanza.bytes())),
                Ok(Some(event)) => outcome.push(format!("{event:?}")),
                Err(error) => {
                    outcome.push(error.to_string());
                    return outcome;
                }
            }
        }
    }
    outcome
}

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams'>";

#[test]
fn every_notation_of_an_element_means_the_same() {
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let element = element(&mut random, 5);
        let mut text = String::new();
        write(&mut random, &element, ns::CLIENT, &mut text);
        let stanza = Stanza::parse(Bytes::from(text.clone()), &Limits::CLIENT);
        let stanza = stanza.unwrap_or_else(|error| panic!("seed {seed}: {error} in {text}"));
        assert_eq!(stanza.element(), element, "seed {seed}: {text}");
        let again = Stanza::parse(stanza.bytes().clone(), &Limits::CLIENT).unwrap();
        assert_eq!(again.bytes(), stanza.bytes(), "seed {seed}: {text}");
        for (child, expected) in stanza.children().zip(element.children()) {
            assert_eq!(child.element(), *expected, "seed {seed}: {text}");
            assert_eq!(child.text(), expected.text(), "seed {seed}: {text}");
        }
    }
}

#[test]
fn an_edit_does_what_the_tree_would_do() {
    for seed in 0..2000 {
        let mut random = Random::new(seed);
        let mut element = element(&mut random, 3);
        let mut text = String::new();
        write(&mut random, &element, ns::CLIENT, &mut text);
        let stanza = Stanza::parse(Bytes::from(text.clone()), &Limits::CLIENT).unwrap();
        let value = random.pick(&TEXTS);
        let edited = Edit::new(&stanza)
            .from(value)
            .to(value)
            .attr("xml:lang", None)
            .drop_if(|child| child.name() == "body")
            .append(Element::new("new", "urn:new").to_bytes(""))
            .stanza()
            .unwrap_or_else(|error| panic!("seed {seed}: {error} in {text}"));
        element.set_attr("from", value);
        element.set_attr("to", value);
        element.remove_attr("xml:lang");
        element.retain_children(|child| child.name() != "body");
        element.push(Element::new("new", "urn:new"));
        let expected = Element::parse(&element.to_bytes(""), &Limits::CLIENT).unwrap();
        assert_eq!(edited.element(), expected, "seed {seed}: {text}");
    }
}

#[test]
fn damaged_streams_end_the_same_way_in_any_pieces() {
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let mut text = HEADER.to_owned();
        for _ in 0..3 {
            let element = element(&mut random, 3);
            write(&mut random, &element, ns::CLIENT, &mut text);
        }
        let mut stream = text.into_bytes();
        for _ in 0..random.below(3) {
            let at = random.below(stream.len());
            match random.below(3) {
                0 => stream[at] ^= 1 << random.below(8),
                1 => drop(stream.remove(at)),
                _ => stream.insert(at, b"<>&'\"/ :]\xC3\0"[random.below(11)]),
            }
        }
        let first = outcome(&mut random, &stream);
        for _ in 0..4 {
            let text = String::from_utf8_lossy(&stream);
            assert_eq!(outcome(&mut random, &stream), first, "seed {seed}: {text}");
        }
    }
}
