//! RFC 6121: rosters, subscriptions and presence.

pub mod invited;
pub mod presence;
pub mod requests;
pub mod roster;
pub mod subscribing;
pub mod subscription;
