//! What the fuzz targets share: reading in pieces, and comparing with another reader.

pub mod compare;
pub mod negotiation;
pub mod omemo;
pub mod pieces;
pub mod s2s;
