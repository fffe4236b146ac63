//! What can be measured, one mode per file.

pub mod archive;
pub mod chat;
pub mod idle;
pub mod latency;
pub mod login;
pub mod offline;
pub mod presence;
pub mod rooms;
pub mod upload;
