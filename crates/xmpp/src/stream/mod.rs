//! RFC 6120 §4: stream negotiation, as state machines
//!
//! [`server`] and [`client`] take what a [`Reader`] found and give bytes to write, until a session
//! is established. They own no socket: the driver reads, writes, encrypts and looks accounts up,
//! and the machines tell it when. RFC 7395 framing differs only in how streams are opened and
//! closed and in where one message ends.

pub mod client;
mod header;
mod nonce;
mod out;
pub mod s2s;
pub mod server;

pub use out::Out;

pub use crate::sasl::TlsInfo;

#[cfg(doc)]
use crate::xml::Reader;
