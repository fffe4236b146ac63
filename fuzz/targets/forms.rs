//! Every data form survives being written, and whoever takes one takes any.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| anemone::model::forms::play(data));
