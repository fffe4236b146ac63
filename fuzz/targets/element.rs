//! The tree of a document is the one another reader finds, and survives being written.

#![no_main]

use fuzz::compare::{is_comparable, rxml};
use libfuzzer_sys::fuzz_target;
use xmpp::ns;
use xmpp::stanza::Stanza;
use xmpp::xml::{Element, Limits, XmlError};

fuzz_target!(|data: &[u8]| {
    let limits = Limits { depth: 200, name_bytes: 1 << 16, ..Limits::TRUSTED };
    let ours = Element::parse(data, &limits);
    if is_comparable(data) {
        match (&ours, rxml(data)) {
            (Ok(ours), Some(theirs)) => theirs.must_equal(ours),
            // rxml 0.14 lets a namespace be declared twice.
            (Err(_), None) | (Err(XmlError::AttributeTwice), Some(_)) => {}
            (ours, theirs) => panic!("ours {ours:?}, theirs {theirs:?}"),
        }
    }
    let Ok(element) = ours else { return };
    for parent in ["", ns::CLIENT, element.ns()] {
        let written = element.to_bytes(parent);
        if parent.is_empty() {
            assert_eq!(Element::parse(&written, &Limits::TRUSTED).as_ref(), Ok(&element));
        }
        let stanza = Stanza::parse(written, &Limits::TRUSTED).expect("what we write is readable");
        fuzz::pieces::check(&stanza);
    }
});
