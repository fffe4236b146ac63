//! Whatever happens between two servers: what waits for the other one is not lost and not overtaken.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| anemone::model::outbox::play(data));
