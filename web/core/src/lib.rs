//! The core of Clownfish for the browser.
#![allow(missing_docs)]

pub mod page;
#[cfg(test)]
mod types;
