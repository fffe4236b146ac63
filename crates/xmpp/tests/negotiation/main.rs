//! Both sides of a stream's negotiation against each other and against hostile peers.

mod downgrade;
mod errors;
mod fast;
mod house;
mod mechanisms;
mod pair;
mod register;
mod sessions;
mod upgrade;
mod wire;
