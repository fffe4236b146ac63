//! A private XMPP server that one person can run for family, friends or a club.

pub mod config;
pub mod files;
pub mod net;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod secret;
