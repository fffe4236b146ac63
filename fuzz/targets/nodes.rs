//! Whatever people do with nodes (XEP-0060): nobody reads what is not theirs, and nothing is half done.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| anemone::model::nodes::play(data));
