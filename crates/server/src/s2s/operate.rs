//! What the operator does with other servers: looks for one now, gives back what waits for one, ends its
//! streams.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{
    Remote,
    outgoing::{Input, Phase},
    policy,
};
use crate::server::Server;

/// What came of looking for another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// There is a stream, and how this server knows the other one.
    Connected(String),
    /// Why not, in words.
    Failed(String),
    /// It takes longer than anybody wants to wait here; the list will tell.
    Pending,
}

/// Looks for another server now, whenever it would have been tried again, and waits for what comes of it.
pub async fn attempt(server: &Arc<Server>, domain: &str) -> Tried {
    let config = server.config();
    if config.components.hosts.contains(domain) {
        let words = "it is a component of this server, which connects by itself";
        return Tried::Failed(words.to_owned());
    }
    if config.serves(domain) {
        return Tried::Failed("it is this server".to_owned());
    }
    if let Err(refused) = policy::permits(&config, domain) {
        return Tried::Failed(refused.reason().to_owned());
    }
    let remote = server.s2s.remote(server.domain(), domain);
    // Before the attempt, so that nothing is missed.
    let mut tried = remote.tried.subscribe();
    remote.input(server, Input::Try);
    let over = async {
        while remote.lock().queue.phase() == Phase::Connecting {
            if tried.changed().await.is_err() {
                return;
            }
        }
    };
    if timeout(PATIENCE, over).await.is_err() {
        return Tried::Pending;
    }
    came_of(server, &remote)
}

fn came_of(server: &Server, remote: &Remote) -> Tried {
    let (phase, failure) = {
        let state = remote.lock();
        let failure = state.queue.failure().map(|(failure, _)| failure.reason.clone());
        (state.queue.phase(), failure)
    };
    match (phase, failure) {
        (Phase::Online { carrier }, _) => {
            let known_by = server.s2s.streams.of(carrier).map(|facts| facts.known_by);
            let known_by = known_by.map_or("a stream", |known_by| known_by.name());
            Tried::Connected(known_by.to_owned())
        }
        (_, Some(reason)) => Tried::Failed(reason),
        // It ended as soon as it was there.
        (_, None) => Tried::Failed("the other server closed the connection".to_owned()),
    }
}

/// Gives what waits for a domain back to its senders. Returns how many stanzas go back; nothing for a domain
/// that there is a stream to, where they are on their way.
pub fn give_back(server: &Server, domain: &str) -> Option<u64> {
    let remotes = of(server, domain);
    let online = |remote: &Arc<Remote>| matches!(remote.lock().queue.phase(), Phase::Online { .. });
    if remotes.iter().any(online) {
        return None;
    }
    Some(remotes.iter().map(|remote| remote.give_back(server)).sum())
}

impl Remote {
    /// Gives back what waits here, and counts it while nothing can come between.
    fn give_back(self: &Arc<Self>, server: &Server) -> u64 {
        let mut effects = Vec::new();
        let count = {
            let mut state = self.lock();
            let count = state.queue.returnable();
            state.handle(server, Input::GiveBack, &mut effects);
            count
        };
        self.carry_out(server, effects);
        count
    }
}

/// Ends the streams of a domain, of both directions. Returns how many there were.
pub fn end_streams(server: &Server, domain: &str) -> usize {
    let streams = server.s2s.streams.all();
    let own = streams.iter().filter(|facts| facts.pair.remote == domain);
    own.inspect(|facts| facts.end.notify_one()).count()
}

fn of(server: &Server, domain: &str) -> Vec<Arc<Remote>> {
    let mut remotes = server.s2s.remotes();
    remotes.retain(|remote| remote.pair.remote == domain);
    remotes
}

/// How long somebody waits for an attempt. A browser's connection lasts a little longer.
const PATIENCE: Duration = Duration::from_secs(20);
