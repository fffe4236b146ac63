//! Whatever is in a `<key/>`, it is authentic or nothing changes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let [options, input @ ..] = data {
        fuzz::omemo::message(*options, input);
    }
});
