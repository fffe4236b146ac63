//! What the operator sees of other servers: who is connected, what waits, what fails and why.

use xmpp::time::Millis;

use super::{Facts, outgoing::Phase};
use crate::{
    admin::{RemoteDomain, RemoteStream},
    server::Server,
};

/// All domains that were talked to lately, in order of name.
pub async fn list(server: &Server) -> Result<Vec<RemoteDomain>, store::StoreError> {
    let federation = &server.s2s;
    let mut found = std::collections::BTreeMap::new();
    let stored = server.store.outbox.waiting().await?;
    let stored = stored.iter().map(|waiting| (&*waiting.local, &*waiting.remote, waiting));
    for (local, remote, waiting) in stored {
        let domain = entry(&mut found, local, remote);
        domain.waiting = waiting.count;
        domain.waiting_bytes = waiting.bytes;
        domain.oldest_seconds = Some(seconds(server, Millis(waiting.since.0)));
    }
    for remote in federation.remotes() {
        let state = remote.lock();
        let domain = entry(&mut found, &remote.pair.local, &remote.pair.remote);
        let held = state.queue.held();
        domain.waiting = domain.waiting.max(held.stanzas);
        domain.waiting_bytes = domain.waiting_bytes.max(held.bytes);
        domain.full = !federation.holding.admits(held, 0);
        domain.state = match state.queue.phase() {
            Phase::Idle => "idle",
            Phase::Connecting => "connecting",
            Phase::Online { .. } => "connected",
            Phase::Resting { .. } => "failing",
        }
        .to_owned();
        domain.silent = state.queue.is_silent();
        if let Some((failure, since)) = state.queue.failure() {
            domain.problem = Some(failure.reason.clone());
            domain.failing_seconds = Some(seconds(server, since));
        }
    }
    for (pair, (reason, at)) in federation.refusals.lock().iter() {
        let domain = entry(&mut found, &pair.local, &pair.remote);
        domain.refused = Some(reason.clone());
        domain.refused_seconds = Some(seconds(server, *at));
    }
    for facts in &federation.streams.all() {
        let domain = entry(&mut found, &facts.pair.local, &facts.pair.remote);
        domain.streams.push(describe(server, facts));
    }
    Ok(found.into_values().collect())
}

/// Counts for Prometheus.
pub fn observe(server: &Server) {
    let streams = server.s2s.streams.all();
    let incoming = streams.iter().filter(|facts| facts.incoming).count();
    let outgoing = streams.len() - incoming;
    let (held, most) = (server.s2s.holding.held(), server.s2s.holding.most());
    let clamped = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    server.metrics.s2s_incoming.set(clamped(incoming as u64));
    server.metrics.s2s_outgoing.set(clamped(outgoing as u64));
    server.metrics.s2s_waiting.set(clamped(held.stanzas));
    server.metrics.s2s_waiting_most.set(clamped(most.stanzas));
    server.metrics.s2s_waiting_bytes.set(clamped(held.bytes));
    server.metrics.s2s_waiting_bytes_most.set(clamped(most.bytes));
}

fn entry<'a>(
    found: &'a mut std::collections::BTreeMap<(String, String), RemoteDomain>,
    local: &str,
    remote: &str,
) -> &'a mut RemoteDomain {
    let key = (remote.to_owned(), local.to_owned());
    found.entry(key).or_insert_with(|| RemoteDomain {
        domain: remote.to_owned(),
        from: local.to_owned(),
        state: "idle".to_owned(),
        ..RemoteDomain::default()
    })
}

fn describe(server: &Server, facts: &Facts) -> RemoteStream {
    RemoteStream {
        direction: if facts.incoming { "incoming" } else { "outgoing" }.to_owned(),
        proof: facts.proof.name().to_owned(),
        known_by: facts.known_by.name().to_owned(),
        both_ways: facts.bidi,
        managed: facts.managed,
        seconds: seconds(server, facts.since),
    }
}

fn seconds(server: &Server, since: Millis) -> u64 {
    server.steady().0.saturating_sub(since.0) / 1000
}
