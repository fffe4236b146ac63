//! The suite that every store must pass, run by a worker on the store of the browser.

use std::path::Path;

use client::store::Store;
use client::store::conformance::CASES;
use client_sqlite::SqliteStore;
use wasm_bindgen::prelude::*;

use crate::browser::VFS;

/// The names of all cases.
#[wasm_bindgen]
#[must_use]
pub fn conformance_cases() -> Vec<String> {
    CASES.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Runs one case on an empty store. What is wrong is a panic.
///
/// # Errors
/// The store cannot be opened or emptied.
#[wasm_bindgen]
pub fn conformance_case(name: &str) -> Result<(), JsError> {
    let store = SqliteStore::open_with_key(Path::new("conformance.db"), Some(VFS), &[7; 32])?;
    store.wipe()?;
    for (_, case) in CASES.iter().filter(|(known, _)| *known == name) {
        case(&store);
    }
    Ok(())
}
