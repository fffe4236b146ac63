//! Whatever a server sends, a negotiation answers readable XML and no domain gets in without a proof.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    match data {
        [side, options, input @ ..] if side & 1 == 0 => fuzz::s2s::receiving(*options, input),
        [_, options, input @ ..] => fuzz::s2s::initiating(*options, input),
        _ => {}
    }
});
