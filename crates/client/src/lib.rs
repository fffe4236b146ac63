//! The core of every Clownfish client: one account, from bytes to what a person sees.
//!
//! No sockets, clocks, files or global randomness live here. A *driver* (the terminal's with tokio
//! and SQLite, the browser's with a WebSocket) feeds [`Input`]s and carries out [`Effect`]s, in
//! their order; a user interface gives [`Command`]s and shows [`view`]s. It never sees the model.
//!
//! # A step is a transaction
//!
//! Everything one input causes is written to the [`store`] in one transaction, and the effects are
//! handed out after it is committed. So bytes never leave before the ratchet step that made them is
//! on disk, a message is never acknowledged before it is kept, and a program that is killed at any
//! moment goes on from the last whole step. When the disk refuses, the step did not happen: the
//! driver drops the core and builds it anew from the store.
//!
//! # The way of a message
//!
//! ```text
//! in   bytes → reader → stanza, counted (XEP-0198) → who sent it, proven → unwrap (carbon, archive,
//!      OMEMO) → what it does (text, reaction, marker, …) → timeline row, conversation row → view
//! out  command → timeline row, queued → encrypted for every device → outbox → stream → ticks
//! ```

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod account;
pub mod command;
mod credentials;
mod cx;
pub mod effect;
mod features;
mod inbox;
mod incoming;
mod iq;
mod link;
mod machine;
mod omemo;
mod outbox;
mod pep;
mod promises;
mod rng;
pub mod store;
mod timeline;
mod timers;
mod verified;
pub mod view;

pub use command::{Command, PushSubscription, Request};
pub use credentials::Credentials;
pub use effect::{Effect, Input, Now};
pub use features::{features, specifications};
pub use machine::{Client, Options};
pub use omemo::fingerprint_link;
