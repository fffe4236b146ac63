//! What the fuzz targets call and share: machines driven by bytes, reading in pieces, another reader.

pub mod compare;
pub mod negotiation;
pub mod omemo;
pub mod pieces;
pub mod relay;
pub mod s2s;
pub mod socks;
