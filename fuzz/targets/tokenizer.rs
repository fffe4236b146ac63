//! A stream means the same in whatever pieces it arrives, and every stanza in it is sound.

#![no_main]

use fuzz::pieces::read;
use libfuzzer_sys::fuzz_target;
use xmpp::xml::{Framing, Limits};

fuzz_target!(|data: &[u8]| {
    let [options, size, input @ ..] = data else { return };
    let framing = if options & 1 == 0 { Framing::Tcp } else { Framing::WebSocket };
    let small = Limits { element_bytes: 200, elements: 6, ..Limits::CLIENT };
    let limits = match options >> 1 & 3 {
        0 => Limits::CLIENT,
        1 => small,
        2 => Limits { depth: 3, attributes: 2, namespaces: 2, name_bytes: 8, ..small },
        _ => Limits::BEFORE_AUTH,
    };
    let whole = read(input, input.len(), framing, limits);
    let pieces = read(input, usize::from(*size), framing, limits);
    assert_eq!(whole, pieces);
});
