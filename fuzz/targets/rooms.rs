//! Whatever people do in a room: it, what they were told and what is stored agree.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| anemone::model::rooms::play(data));
