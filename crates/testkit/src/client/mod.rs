//! An XMPP client for tests, which shares no code with the product.
//!
//! [`Connection`] sends any bytes at all and reads whatever comes; [`sasl`] logs in; [`Client`] puts both
//! together for tests that only want a working session.

mod connection;
pub mod http;
pub mod sasl;
mod websocket;

pub use connection::{Connection, Incoming, PATIENCE, Trust};
