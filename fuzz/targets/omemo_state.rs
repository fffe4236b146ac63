//! Stored sessions and devices of any bytes are refused or written back as they are.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let [options, input @ ..] = data {
        fuzz::omemo::state(*options, input);
    }
});
