//! Clownfish in the terminal.

pub mod ui;
