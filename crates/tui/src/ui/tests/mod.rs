//! The user interface as a whole: screens, keys, hostile text.

mod escapes;
mod keys;
mod screens;
mod world;
