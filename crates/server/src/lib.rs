//! A private XMPP server that one person can run for family, friends or a club.
//!
//! `ARCHITECTURE.md` shows the way of a message through these modules. The short of it: [`net`]
//! turns sockets into stanzas, [`session`] is one device, [`account`] one person, [`router`] and
//! [`iq`] decide who gets what, [`ext`] holds one file for each extension of the protocol.

pub mod account;
pub mod acme;
pub mod admin;
pub mod auth;
pub mod bytestreams;
pub mod calendar;
pub mod cli;
pub mod components;
pub mod config;
pub mod dns;
pub mod ext;
pub mod fetch;
pub mod files;
pub mod host;
pub mod housekeeping;
pub mod http;
pub mod im;
pub mod invitation;
pub mod iq;
pub mod limits;
pub mod log;
pub mod metrics;
#[cfg(any(test, feature = "model"))]
pub mod model;
pub mod moving;
pub mod net;
pub mod password;
pub mod privacy;
pub mod push;
pub mod questions;
pub mod router;
pub mod s2s;
pub mod secret;
pub mod serve;
pub mod server;
pub mod session;
pub mod turn;
