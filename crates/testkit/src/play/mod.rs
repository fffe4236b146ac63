//! Plays: scripts of clients, what they send and what they must receive.

mod actor;
mod caps;
mod entrance;
pub mod matching;
pub mod parse;
pub mod pattern;
pub mod library;
mod report;
pub mod script;
mod stage;
pub mod template;

pub use parse::parse;
pub use script::Play;
pub use stage::perform;
