//! An XMPP client for tests, which shares no code with the product.
//!
//! [`Connection`] sends any bytes at all and reads whatever comes; [`sasl`] and [`login`] log in;
//! [`Client`] puts them together for tests that only want a working session.

mod connection;
pub mod http;
pub mod login;
mod peer;
pub mod sasl;
pub(crate) mod session;
mod websocket;

pub use connection::{Connection, Identity, Incoming, PATIENCE, Trust};
pub use peer::Peer;
pub use session::{Account, Client, Endpoint, Via};
