//! The sections of `anemone.toml`, by subject. The comments there are the manual:
//! `anemone config --reference` prints them and `docs/config.md` is that output.

mod network;
mod people;
mod services;
mod watching;

pub use self::{
    network::{Acme, Challenge, Federation, Limits, Listen, Tls, TlsVersion},
    people::{
        Abuse, Contact, DataPolicy, FrontDoor, Inviters, Login, Outage, Policy, Reader,
        Registration, Web,
    },
    services::{
        Archive, Calls, Components, Creators, DefaultRoom, Pubsub, Push, Rooms, UnifiedPush, Upload,
    },
    watching::{Level, Log, LogFormat, Metrics},
};
