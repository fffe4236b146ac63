//! However a client of the proxy for files says it, only the name of a stream lets it in.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::socks::greeting(data));
