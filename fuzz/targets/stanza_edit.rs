//! An edited stanza is what the same changes make of its tree.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use xmpp::edit::Edit;
use xmpp::ns;
use xmpp::stanza::Stanza;
use xmpp::xml::{Element, Limits};

fuzz_target!(|data: &[u8]| {
    let [options, dropped, len, rest @ ..] = data else { return };
    let (value, text) = rest.split_at(usize::from(*len).min(rest.len()));
    let value = &*String::from_utf8_lossy(value);
    let Ok(stanza) = Stanza::parse(Bytes::copy_from_slice(text), &Limits::CLIENT) else { return };
    fuzz::pieces::check(&stanza);
    let mut tree = stanza.element();
    let mut edit = Edit::new(&stanza);
    for (bit, name) in ["from", "to", "id", "xml:lang"].into_iter().enumerate() {
        if options >> bit & 1 == 1 {
            tree.set_attr(name, value);
            edit = edit.attr(name, Some(value));
        }
    }
    if options & 16 != 0 {
        tree.remove_attr("type");
        edit = edit.attr("type", None);
    }
    let mut position = 0;
    tree.retain_children(|_| {
        position += 1;
        dropped >> ((position - 1) % 8) & 1 == 0
    });
    position = 0;
    edit = edit.drop_if(|_| {
        position += 1;
        dropped >> ((position - 1) % 8) & 1 == 1
    });
    if options & 32 != 0 {
        let added = Element::new("x", ns::OOB).with_text(value);
        edit = edit.append(added.to_bytes(&stanza.ns()));
        tree.push(added);
    }
    let unchanged = options & 63 == 0 && (stanza.children().count() == 0 || *dropped == 0);
    let edited = edit.stanza().expect("what we write is readable");
    fuzz::pieces::check(&edited);
    // Text on both sides of a dropped child becomes one node when it is read again, and characters
    // that XML does not have are replaced.
    let expected = Element::parse(&tree.to_bytes(""), &Limits::TRUSTED).expect("readable");
    assert_eq!(edited.element(), expected);
    assert!(!unchanged || edited.bytes() == stanza.bytes());
});
