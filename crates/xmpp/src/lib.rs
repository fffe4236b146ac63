//! XMPP without sockets, clocks or files: XML, stanzas, stream negotiation, SASL, stream management.

// Whatever a peer sends: input never panics.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod edit;
pub mod error;
pub mod ext;
pub mod jid;
pub mod ns;
pub mod sasl;
#[cfg(feature = "serde")]
mod serde_impls;
pub mod sm;
pub mod stanza;
pub mod stream;
pub mod time;
pub mod xml;
