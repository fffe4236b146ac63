//! What the worker and the core say to each other: plain data, as JSON.
//!
//! Keys of files are here and not in what the page gets ([`crate::page`]).

use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::page::{Notice, Request};

/// What happened.
#[derive(Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// The worker is ready. If the account has credentials, a connection is made.
    Start,
    /// The WebSocket is open.
    Connected {
        /// Nobody on the way can read or change what goes over it.
        secure: bool,
    },
    /// One message of the WebSocket.
    Received { text: String },
    /// There is no connection any more, or none could be made.
    Disconnected {
        /// Why, in words; `None` when the worker closed it as it was told.
        reason: Option<String>,
    },
    /// There is another network, or the machine woke up.
    NetworkChanged,
    /// The moment of the deadline came.
    Tick,
    /// Take leave of the server and stay offline.
    Leave,
    /// The page wants something.
    Asked { request: Request },
    /// So many bytes of a file are through.
    Progress { transfer: u64, done: u64 },
    /// All of it.
    Finished {
        transfer: u64,
        /// Bytes of the file, decrypted.
        size: u64,
        /// SHA-256 of the bytes on the server, 64 hexadecimal digits.
        sha256: String,
    },
    /// A transfer ended, and why.
    Failed { transfer: u64, reason: String },
}

/// What the worker has to do, in order. All of it is safe to do: its cause is on disk.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Effect {
    /// Find the WebSocket of a domain and connect.
    Connect { domain: String },
    /// Send one message.
    Send { text: String },
    /// Close the connection after what was sent is written.
    Close,
    /// PUT a file that is here (XEP-0363 §4).
    Upload {
        transfer: u64,
        file: Sealed,
        url: String,
        headers: Vec<(String, String)>,
        /// How it is encrypted for its readers; `None` sends it as it is.
        cipher: Option<Cipher>,
    },
    /// GET a file and keep it.
    Download {
        transfer: u64,
        url: String,
        /// How it was encrypted.
        cipher: Option<Cipher>,
        /// More bytes than this are an error.
        most: u64,
        into: Sealed,
    },
    /// Stop a transfer and forget what there is of it.
    CancelTransfer { transfer: u64 },
    /// The message of a file is gone: remove the file.
    Forget { file: String },
    /// Tell the page.
    Tell { notice: Notice },
    /// Everything is removed from the store: remove the database, the files and the key.
    Wiped,
}

/// AES-256-GCM (NIST SP 800-38D); the tag follows the ciphertext.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Cipher {
    /// 64 hexadecimal digits.
    pub key: String,
    /// The nonce: 24 hexadecimal digits, 32 from old clients.
    pub iv: String,
}

/// A file in the origin's private files, encrypted with a key of its own.
#[derive(Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Sealed {
    /// Its name there.
    pub name: String,
    pub cipher: Cipher,
}

/// What the program is, for others to see where it may be seen.
#[derive(Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct Device {
    /// What the owner will recognise: `Firefox on Linux`.
    pub label: String,
    /// The kind of program, as service discovery names it: `web`, `phone`.
    pub kind: String,
}
