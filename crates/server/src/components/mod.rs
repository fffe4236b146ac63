//! External components (XEP-0114): programs of the operator that serve a domain of their own, such
//! as gateways to other networks.
//!
//! To the rest of the server a component's domain is another server's, except that what is for it
//! goes to its connection, and at once or not at all.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use xmpp::{
    error::{StreamCondition, StreamError},
    time::Millis,
};

mod stream;

pub use self::stream::serve;

/// The components that are connected, by domain.
#[derive(Default)]
pub struct Components(RwLock<HashMap<Box<str>, Arc<Link>>>);

/// The way to one connected component.
pub struct Link {
    /// Its domain.
    pub domain: Box<str>,
    /// Since when it has been connected.
    pub since: Millis,
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    bytes: usize,
    closing: Option<StreamError>,
}

/// What became of a stanza for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It waits to be written.
    Taken,
    /// The component is not connected.
    Absent,
    /// Too much waits for it.
    Full,
}

impl Components {
    /// Hands a stanza to the component of a domain. Its root has no namespace of its own.
    pub fn post(&self, domain: &str, bytes: Bytes) -> Posted {
        match self.0.read().get(domain) {
            Some(link) => link.push(bytes),
            None => Posted::Absent,
        }
    }

    /// The connected components.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Link>> {
        self.0.read().values().cloned().collect()
    }

    /// Whether the component of a domain is connected.
    #[must_use]
    pub fn connected(&self, domain: &str) -> bool {
        self.0.read().contains_key(domain)
    }

    /// A component proved its secret. An older connection of the same domain ends: its program has
    /// most likely been started anew.
    fn open(&self, domain: &str, since: Millis) -> Arc<Link> {
        let link = Arc::new(Link {
            domain: domain.into(),
            since,
            queue: Mutex::default(),
            wake: Notify::new(),
        });
        let old = self.0.write().insert(domain.into(), link.clone());
        if let Some(old) = old {
            old.close(StreamError::new(StreamCondition::Conflict));
        }
        link
    }

    /// The connection ended.
    fn close(&self, link: &Arc<Link>) {
        let mut links = self.0.write();
        if links.get(&link.domain).is_some_and(|current| Arc::ptr_eq(current, link)) {
            links.remove(&link.domain);
        }
    }
}

impl Link {
    fn push(&self, bytes: Bytes) -> Posted {
        let mut queue = self.queue.lock();
        if queue.frames.len() >= MOST_FRAMES || queue.bytes + bytes.len() > MOST_BYTES {
            return Posted::Full;
        }
        queue.bytes += bytes.len();
        queue.frames.push_back(bytes);
        drop(queue);
        self.wake.notify_one();
        Posted::Taken
    }

    /// Takes what waits, up to a good deal of bytes.
    fn take(&self, out: &mut Vec<u8>) {
        let mut queue = self.queue.lock();
        while out.len() < WRITE_SIZE {
            let Some(frame) = queue.frames.pop_front() else { break };
            queue.bytes -= frame.len();
            out.extend_from_slice(&frame);
        }
    }

    fn has_more(&self) -> bool {
        !self.queue.lock().frames.is_empty()
    }

    /// Stanzas that wait for it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.lock().frames.len()
    }

    fn close(&self, error: StreamError) {
        self.queue.lock().closing = Some(error);
        self.wake.notify_one();
    }

    fn closing(&self) -> Option<StreamError> {
        self.queue.lock().closing.take()
    }

    async fn woken(&self) {
        self.wake.notified().await;
    }
}

/// What waits for one component at most.
const MOST_FRAMES: usize = 10_000;
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Bytes written at a time.
const WRITE_SIZE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Bytes {
        Bytes::from_static(b"<message/>")
    }

    #[test]
    fn what_is_for_a_component_waits_in_order_and_within_bounds() {
        let components = Components::default();
        assert_eq!(components.post("irc.example", frame()), Posted::Absent);
        let link = components.open("irc.example", Millis(1));
        for _ in 0..MOST_FRAMES {
            assert_eq!(components.post("irc.example", frame()), Posted::Taken);
        }
        assert_eq!(components.post("irc.example", frame()), Posted::Full);
        let mut out = Vec::new();
        link.take(&mut out);
        assert!(out.starts_with(b"<message/><message/>"));
        assert_eq!(components.post("irc.example", frame()), Posted::Taken);
    }

    #[test]
    fn a_program_that_was_started_anew_takes_over() {
        let components = Components::default();
        let old = components.open("irc.example", Millis(1));
        let new = components.open("irc.example", Millis(2));
        assert!(old.closing().is_some() && new.closing().is_none());
        components.close(&old);
        assert!(components.connected("irc.example"), "the end of the old one changes nothing");
        components.close(&new);
        assert!(!components.connected("irc.example"));
    }
}
