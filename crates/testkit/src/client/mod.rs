//! An XMPP client for tests, which shares no code with the product.
//!
//! [`Connection`] sends any bytes at all and reads whatever comes; [`sasl`] and [`login`] log in;
//! [`Client`] puts them together for tests that only want a working session.

mod connection;
pub mod http;
pub mod login;
pub mod sasl;
pub(crate) mod session;
mod websocket;

pub use connection::{Connection, Incoming, PATIENCE, Trust};
pub use session::{Account, Client, Endpoint, Via};
