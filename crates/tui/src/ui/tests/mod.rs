//! The user interface as a whole: screens, keys, hostile text.

mod around;
mod erase;
mod escapes;
mod first;
mod kept;
mod keys;
mod links;
mod pictures;
mod rooms;
mod screens;
mod vim;
mod world;
