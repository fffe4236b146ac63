//! Whatever is asked over HTTP, the server answers and does not fail.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| anemone::model::web::requests(data));
