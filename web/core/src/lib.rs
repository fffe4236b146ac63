//! The core of Clownfish for the browser.
//!
//! [`Engine`] is the core of one account with its words translated: events of the worker in,
//! effects for the worker out, both plain data. It knows no browser, and is tested without one. In a
//! browser `browser` exports it to the worker of the page, with its store in the origin's private
//! files (`app/src/core/driver.ts`).
#![allow(missing_docs)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod ask;
#[cfg(target_family = "wasm")]
pub mod browser;
#[cfg(all(target_family = "wasm", feature = "conformance"))]
pub mod conformance;
mod engine;
mod files;
mod hex;
mod links;
pub mod page;
pub mod qr;
mod show;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod types;
pub mod worker;

pub use engine::{Engine, Random};
