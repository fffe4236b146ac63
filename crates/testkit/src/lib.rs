//! What tests of a server need: an XMPP client that can also misbehave, plays, and servers to run them on.

pub mod client;
pub mod conformance;
pub mod play;
pub mod target;
pub mod tree;
