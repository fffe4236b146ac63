//! What the worker of the page calls.

use std::path::Path;

use client::Now;
use client::store::StoreError;
use client_sqlite::{OpenError, SqliteStore};
use serde::Serialize;
use sqlite_wasm_vfs::sahpool::{OpfsSAHPoolCfgBuilder, install};
use wasm_bindgen::prelude::*;
use xmpp::time::Millis;
use zeroize::Zeroizing;

use crate::{Engine, qr};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn error(text: &str);

    /// `Error` of JavaScript, with a name that tells the worker what kind it is.
    #[wasm_bindgen(js_name = Error)]
    type Named;
    #[wasm_bindgen(constructor, js_class = "Error")]
    fn new(message: &str) -> Named;
    #[wasm_bindgen(method, setter, js_class = "Error")]
    fn set_name(this: &Named, name: &str);
}

/// Where a panic was; what it says may quote a message.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error(&format!("the core of Clownfish broke at {place}"));
    }));
}

/// Makes the folder of the origin's private files ready in which databases are kept. Only one
/// worker can have it.
///
/// # Errors
/// Another worker has it, or the browser has no such files.
#[wasm_bindgen]
pub async fn install_storage(folder: String) -> Result<(), JsError> {
    let config = OpfsSAHPoolCfgBuilder::new().vfs_name(VFS).directory(&folder).build();
    install::<sqlite_wasm_rs::WasmOsCallback>(&config, false).await.map_err(refused)?;
    Ok(())
}

/// One account at work.
#[wasm_bindgen]
pub struct Core(Engine);

#[wasm_bindgen]
impl Core {
    /// Opens the store that [`install_storage`] made ready, or makes it. `data_key` are 32 bytes,
    /// `device` is a `Device` as JSON.
    ///
    /// # Errors
    /// The store cannot be opened; why, in words. An error of the name `Damaged` says that it opened
    /// and cannot be read, `Newer` that a newer version of the app wrote it.
    #[wasm_bindgen(constructor)]
    pub fn open(data_key: Vec<u8>, device: &str) -> Result<Core, JsValue> {
        let data_key = Zeroizing::new(data_key);
        let key = data_key.first_chunk().ok_or_else(|| refused("the data key is too short"))?;
        let store = SqliteStore::open_with_key(Path::new(DATABASE), Some(VFS), key);
        let store = store.map_err(|error| match &error {
            OpenError::Damaged { .. } => named("Damaged", &error),
            OpenError::Newer { .. } => named("Newer", &error),
            _ => named("Error", &error),
        })?;
        let device = serde_json::from_str(device).map_err(refused)?;
        let random = || {
            let mut bytes = [0; 60];
            getrandom::fill(&mut bytes).ok().map(|()| bytes)
        };
        let engine = Engine::new(Box::new(store), device, Box::new(random));
        Ok(Core(engine.map_err(|error| match &error {
            StoreError::Damaged(_) => named("Damaged", &error),
            _ => named("Error", &error),
        })?))
    }

    /// Takes events (an array of `Event`, as JSON) as one step; returns effects (an array of
    /// `Effect`, as JSON). `wall` are milliseconds since 1970, `steady` those of a clock that never
    /// goes back.
    ///
    /// # Errors
    /// The store refuses: none of the events happened. Drop this core and open another.
    pub fn handle(&mut self, wall: f64, steady: f64, events: &str) -> Result<String, JsError> {
        let now = Now { wall: Millis(wall as u64), steady: steady as u64 };
        let effects = self.0.handle(now, serde_json::from_str(events)?)?;
        json(&effects)
    }

    /// The moment of the steady clock at which `tick` is wanted.
    #[must_use]
    pub fn deadline(&self) -> Option<f64> {
        self.0.deadline().map(|at| at as f64)
    }

    /// A place for a file that the page gives: a `Sealed` as JSON.
    ///
    /// # Errors
    /// Never, as long as there is memory.
    pub fn give(&mut self) -> Result<String, JsError> {
        json(&self.0.give())
    }

    /// The file that the page calls so: a `Sealed` as JSON, or null.
    ///
    /// # Errors
    /// Never, as long as there is memory.
    pub fn file(&self, name: &str) -> Result<String, JsError> {
        json(&self.0.file(name))
    }

    /// The bytes of a picture that an account or a contact names.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn picture(&self, avatar: &str) -> Result<Option<Vec<u8>>, JsError> {
        Ok(self.0.picture(avatar)?)
    }
}

/// A text as a QR code: one byte for each square, row by row, 1 is dark. Nothing when it is too
/// long.
#[wasm_bindgen]
#[must_use]
pub fn qr_code(text: &str) -> Option<Vec<u8>> {
    qr::encode(text).map(|(_, dark)| dark)
}

/// The texts of the QR codes in a picture, as its four bytes for each point.
#[wasm_bindgen]
#[must_use]
pub fn qr_scan(width: u32, height: u32, rgba: &[u8]) -> Vec<String> {
    qr::scan(width as usize, height as usize, rgba)
}

fn json(value: &impl Serialize) -> Result<String, JsError> {
    Ok(serde_json::to_string(value)?)
}

fn named(name: &str, error: &impl ToString) -> JsValue {
    let made = Named::new(&error.to_string());
    made.set_name(name);
    made.into()
}

fn refused(error: impl ToString) -> JsError {
    JsError::new(&error.to_string())
}

/// The name of the private files among SQLite's file systems.
pub(crate) const VFS: &str = "private";
/// The database of the account.
const DATABASE: &str = "account.db";
