//! Sockets: listeners, TLS, connections.

pub mod address;
pub mod conn;
pub mod listen;
pub mod negotiate;
pub mod tls;
pub mod wire;
pub mod ws;
pub mod ws_gate;
