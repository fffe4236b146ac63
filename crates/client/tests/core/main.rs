//! The core against a small server in memory.

mod account;
#[cfg(not(target_family = "wasm"))]
mod agree;
mod archive;
mod authority;
mod bookmarks;
#[path = "../canaries/mod.rs"]
mod canaries;
mod canary;
mod clock;
mod deleted;
mod elsewhere;
mod features;
mod files;
mod happenings;
mod invitations;
mod login;
mod look;
mod messages;
mod mistaken;
mod muc;
mod notify;
mod poison;
mod privacy;
mod promises;
mod push;
mod receipts;
mod requests;
mod rooms;
mod senders;
mod server;
mod steps;
mod strangers;
#[cfg(not(target_family = "wasm"))]
mod twins;
mod typing;
mod way;
mod windows;
mod world;
