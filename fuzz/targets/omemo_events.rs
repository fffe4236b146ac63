//! Two devices over a bad network read each message once and stay in step.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let [options, input @ ..] = data {
        fuzz::omemo::events(*options, input);
    }
});
