//! The terminal user interface.

pub mod colour;
pub mod printable;
pub mod text;
