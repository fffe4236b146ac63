//! XEP-0384 between real cores, over a server that lives in the test.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../canaries/mod.rs"]
mod canaries;
mod canary;
mod clock;
mod envelopes;
mod evil;
mod flow;
mod injected;
mod mixed;
mod quirks;
mod repair;
mod restored;
mod server;
mod stars;
mod storm;
mod twins;
mod verified;
mod waiting;
mod world;
