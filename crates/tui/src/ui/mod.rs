//! The terminal user interface: state and drawing without a terminal.
//!
//! [`App`] takes [`Event`]s and answers with [`Action`]s; [`draw`] puts it on a screen. A runtime
//! reads keys, talks with the cores of the accounts, and carries the actions out.

pub mod app;
pub mod clock;
pub mod colour;
pub mod commands;
pub mod draw;
pub mod editor;
pub mod event;
pub mod fuzzy;
pub mod happenings;
pub mod keys;
pub mod mirror;
pub mod overlay;
pub mod panes;
pub mod pictures;
pub mod printable;
pub mod room_link;
pub mod rooms;
#[cfg(test)]
mod sample;
pub mod settings;
pub mod styling;
#[cfg(test)]
mod tests;
pub mod text;
pub mod theme;
pub mod timeline;
pub mod vim;
pub mod words;

pub use app::App;
pub use draw::draw;
pub use event::{Action, Event};
