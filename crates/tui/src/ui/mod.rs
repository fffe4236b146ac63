//! The terminal user interface.

pub mod printable;
