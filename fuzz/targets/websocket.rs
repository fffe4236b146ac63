//! Whatever comes over a WebSocket, each message that goes back is one element (RFC 7395).

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| anemone::model::web::websocket(data));
