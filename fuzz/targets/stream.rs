//! Whatever a peer sends, a negotiation answers readable XML and nobody gets in without a proof.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    match data {
        [side, options, input @ ..] if side & 1 == 0 => fuzz::negotiation::server(*options, input),
        [_, options, input @ ..] => fuzz::negotiation::client(*options, input),
        _ => {}
    }
});
