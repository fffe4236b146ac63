//! A bundle is accepted only with the keys that its device has signed.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let [options, input @ ..] = data {
        fuzz::omemo::bundle(*options, input);
    }
});
