//! Whatever a client of the relay for calls sends: frames come out as they went in, and nothing reaches a peer that it may not reach.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| fuzz::relay::client(data));
