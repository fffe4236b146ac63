//! Sockets: listeners, TLS, connections.

pub mod tls;
