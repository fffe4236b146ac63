//! What rooms tell other servers leaves when the line that it is about is on disk.
//!
//! Somebody of this server whose message was shown and then lost with the process is sent no
//! acknowledgement (XEP-0198), and sends it again. Whoever writes from elsewhere has nothing but the
//! reflection (XEP-0045 §7.4): what they were shown is in the archive. The order stays: whatever a room has
//! to tell other servers meanwhile waits behind it.

use std::{collections::HashMap, mem, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;
use xmpp::{jid::Jid, stanza::Kind};

use crate::{
    s2s::outgoing::{Bounds, Entry},
    server::Server,
};

/// What waits for the disk, in order, of all rooms.
#[derive(Default)]
pub struct Abroad {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    letters: Vec<Letter>,
    /// Their bytes, by domain.
    bytes: HashMap<Box<str>, usize>,
    /// Rooms that have handed a line to the store and are about to tell it.
    holds: usize,
    /// Somebody waits for the disk, and sends what waits then.
    at_work: bool,
}

#[derive(Clone)]
struct Letter {
    to: Jid,
    kind: Kind,
    bytes: Bytes,
}

/// Until it is dropped, everything for other servers waits for the disk.
pub(super) struct Hold<'a>(&'a Abroad);

impl Abroad {
    /// A line was handed to the store; what is sent from now on is about it.
    pub(super) fn hold(&self) -> Hold<'_> {
        self.state.lock().holds += 1;
        Hold(self)
    }

    /// Resolves when something waits.
    pub async fn noted(&self) {
        self.wake.notified().await;
    }

    /// What waits here, as the queues of other servers have it.
    pub(super) fn waiting(&self, server: &Server) -> Vec<Entry> {
        let now = server.now();
        let entry = |letter: &Letter| Entry {
            bytes: letter.bytes.clone(),
            kind: letter.kind,
            parcel: None,
            account: None,
            since: now,
        };
        self.state.lock().letters.iter().map(entry).collect()
    }
}

impl State {
    /// The oldest letters are in the queues of their servers.
    fn sent(&mut self, count: usize) {
        for letter in self.letters.drain(..count) {
            if let Some(bytes) = self.bytes.get_mut(letter.to.domain().as_str()) {
                *bytes -= letter.bytes.len();
            }
        }
        if self.letters.is_empty() {
            self.bytes = HashMap::new();
        }
    }

    /// Keeps a letter, as long as there is room for its domain: as much as in the queue that it goes to, so
    /// that what one domain is told takes none from another.
    fn keep(&mut self, letter: Letter) -> Result<(), Letter> {
        let bytes = self.bytes.entry(letter.to.domain().as_str().into()).or_default();
        if *bytes + letter.bytes.len() > MOST_BYTES {
            return Err(letter);
        }
        *bytes += letter.bytes.len();
        self.letters.push(letter);
        Ok(())
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.holds -= 1;
        if !state.letters.is_empty() && !state.at_work {
            self.0.wake.notify_one();
        }
    }
}

/// Sends a stanza of a room to another server: at once, or behind what waits for the disk. What finds no
/// place there goes the way of everything that does not arrive.
pub(super) fn send(server: &Server, to: &Jid, kind: Kind, bytes: Bytes) {
    let mut state = server.rooms.abroad.state.lock();
    let waits = state.holds > 0 || state.at_work || !state.letters.is_empty();
    let service = server.config().rooms.address(server.domain());
    if !waits {
        drop(state);
        return server.s2s.post(server, &service, to, kind, bytes);
    }
    let refused = state.keep(Letter { to: to.clone(), kind, bytes }).err();
    drop(state);
    if let Some(letter) = refused {
        server.s2s.refuse(server, &service, to, kind, letter.bytes);
    }
}

/// Sends what waits, as often as the disk has it, until nothing does.
pub async fn work_off(server: Arc<Server>) {
    let abroad = &server.rooms.abroad;
    if mem::replace(&mut abroad.state.lock().at_work, true) {
        return;
    }
    loop {
        let letters = {
            let mut state = abroad.state.lock();
            state.at_work = !state.letters.is_empty();
            state.letters.clone()
        };
        if letters.is_empty() {
            return;
        }
        // Every line was handed to the store before what is told of it came here. One that could not be
        // written was shown in this house as well, and its author hears of it.
        let _ = server.store.archive.barrier().await;
        let service = server.config().rooms.address(server.domain());
        for Letter { to, kind, bytes } in &letters {
            server.s2s.post(&server, &service, to, *kind, bytes.clone());
        }
        abroad.state.lock().sent(letters.len());
    }
}

/// Bytes that wait for the disk for one domain.
const MOST_BYTES: usize = Bounds::FLEETING;
