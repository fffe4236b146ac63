//! Load generator, TLS relay, peer runner and crash checker behind `make bench`.
//!
//! The clients here are made for speed, not for chatting: they count tags
//! instead of parsing XML ([`scan`]) and patch a prepared message instead of
//! writing one ([`payload`]). Every mode numbers its messages and proves that
//! none was lost, doubled or reordered ([`sequence`]); a server that is fast
//! and wrong is not fast. What the server used is read from the kernel's own
//! accounting ([`procfs`]).

pub mod bench;
pub mod cli;
pub mod connection;
pub mod crash;
pub mod crowd;
pub mod feed;
pub mod histogram;
pub mod http;
pub mod login;
pub mod mam;
pub mod mode;
pub mod payload;
pub mod peer;
pub mod procfs;
pub mod relay;
pub mod report;
pub mod scan;
pub mod sequence;
