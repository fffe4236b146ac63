//! Plays: scripts of clients, what they send and what they must receive.

pub mod matching;
pub mod parse;
pub mod pattern;
pub mod script;
pub mod template;
