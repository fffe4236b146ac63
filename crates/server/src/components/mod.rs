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
    ns,
    time::Millis,
    xml::Element,
};

pub mod pending;
mod stream;

use self::pending::Pending;
pub use self::stream::serve;
use crate::{
    config::{Config, Permissions},
    ext::{block_lists, delegation, privilege},
    server::Server,
};

/// The components that are connected, by domain.
#[derive(Default)]
pub struct Components {
    links: RwLock<HashMap<Box<str>, Arc<Link>>>,
    /// Requests that wait for the answer of somebody else.
    pub pending: Pending,
}

/// The way to one connected component.
pub struct Link {
    /// Its domain.
    pub domain: Box<str>,
    /// Since when it has been connected.
    pub since: Millis,
    queue: Mutex<Queue>,
    wake: Notify,
    /// What it was told it may do.
    told: Mutex<Option<Permissions>>,
    /// Presence that it sees, for contacts of several accounts.
    pub shown: privilege::Shown,
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
        match self.links.read().get(domain) {
            Some(link) => link.push(bytes),
            None => Posted::Absent,
        }
    }

    /// The connected components.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Link>> {
        self.links.read().values().cloned().collect()
    }

    /// Whether the component of a domain is connected.
    #[must_use]
    pub fn connected(&self, domain: &str) -> bool {
        self.links.read().contains_key(domain)
    }

    /// A component proved its secret. An older connection of the same domain ends: its program has
    /// most likely been started anew.
    fn open(&self, domain: &str, since: Millis) -> Arc<Link> {
        let link = Arc::new(Link {
            domain: domain.into(),
            since,
            queue: Mutex::default(),
            wake: Notify::new(),
            told: Mutex::default(),
            shown: privilege::Shown::default(),
        });
        let old = self.links.write().insert(domain.into(), link.clone());
        if let Some(old) = old {
            old.close(StreamError::new(StreamCondition::Conflict));
        }
        link
    }

    /// The connection ended.
    fn close(&self, link: &Arc<Link>) {
        let mut links = self.links.write();
        if links.get(&link.domain).is_some_and(|current| Arc::ptr_eq(current, link)) {
            links.remove(&link.domain);
        }
    }
}

/// A component is there: it learns what it may do, and what it could have seen so far.
fn introduce(server: &Arc<Server>, link: &Link) {
    tell(server, link, &server.config());
    privilege::show_all(server, &link.domain);
    block_lists::returned(server, &link.domain);
}

/// Tells a component what it may do, if that is something new (XEP-0355 §4.2, XEP-0356 §4.2).
fn tell(server: &Server, link: &Link, config: &Config) {
    let permissions = config.components.permissions.of(&link.domain).cloned().unwrap_or_default();
    let before = link.told.lock().replace(permissions.clone());
    let (mut now, mut old) = (Vec::new(), Vec::new());
    for message in [privilege::announce, delegation::announce] {
        now.push(message(&permissions));
        old.push(message(&before.clone().unwrap_or_default()));
    }
    for (now, old) in now.into_iter().zip(old) {
        if now == old {
            continue;
        }
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", server.domain())
            .with_attr("to", &*link.domain)
            .with_attr("id", server.fresh_id())
            .with_child(now);
        link.push(message.to_bytes(ns::CLIENT));
    }
}

/// Another configuration is in force: components that may do something else now are told, those that
/// have no secret any more are ended.
pub fn reloaded(server: &Server) {
    let config = server.config();
    for link in server.components.all() {
        match config.components.hosts.contains(&link.domain) {
            true => tell(server, &link, &config),
            false => link.close(StreamError::new(StreamCondition::HostGone)),
        }
    }
}

/// Time passes for requests that wait.
pub fn tick(server: &Arc<Server>) {
    server.components.pending.give_up(server, None);
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
