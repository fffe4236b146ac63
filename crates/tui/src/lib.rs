//! Clownfish in the terminal.

pub mod cli;
pub mod disk;
pub mod driver;
pub mod failure;
pub mod host;
pub mod keyring;
pub mod picture;
pub mod port;
pub mod profile;
pub mod terminal;
pub mod twin;
pub mod ui;
