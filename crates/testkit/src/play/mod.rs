//! Plays: scripts of clients, what they send and what they must receive.

mod actor;
mod backstage;
mod caps;
mod cast;
mod component;
mod entrance;
mod foreign;
pub mod library;
mod login;
pub mod matching;
mod page;
pub mod parse;
pub mod pattern;
mod report;
mod rooms;
pub mod script;
mod stage;
pub mod template;
mod together;
mod traffic;
mod watch;

pub use parse::parse;
pub use script::Play;
pub use stage::perform;
