//! Which domains are remembered for which nothing waits: why they could not be reached is for the
//! operator's list, and some missed presence.

use std::sync::Arc;

use xmpp::time::Millis;

use super::{Federation, outgoing::Rest};

/// Forgets queues in which nothing waits. What went wrong is remembered for a while, of so many domains
/// that the list can be read.
pub(super) fn forget_idle(federation: &Federation, now: Millis) {
    let mut remotes = federation.remotes.lock();
    let crowded = remotes.len() > MOST_FAILING;
    let mut failing = Vec::new();
    remotes.retain(|pair, remote| {
        if Arc::strong_count(remote) > 1 || remote.work.is_behind() {
            return true;
        }
        let state = remote.lock();
        let Some(rest) = state.queue.rest() else { return true };
        let kept_for = match rest {
            Rest::Nothing => return false,
            Rest::Failure { .. } => FAILURE_KEPT,
            Rest::Presence { .. } => PRESENCE_KEPT,
        };
        if crowded {
            failing.push((rest, pair.clone()));
        }
        rest.since().is_none_or(|since| now.since(since) < kept_for)
    });
    failing.retain(|(_, pair)| remotes.contains_key(pair));
    let excess = failing.len().saturating_sub(MOST_FAILING);
    failing.sort_by_key(|(rest, _)| *rest);
    for (_, pair) in failing.drain(..excess) {
        remotes.remove(&pair);
    }
}

/// Domains for which nothing waits whose failure is remembered, and for how many milliseconds after the last
/// attempt: longer where presence was lost, which the domain is to hear of when it is back.
const MOST_FAILING: usize = 500;
const FAILURE_KEPT: u64 = 60 * 60 * 1000;
const PRESENCE_KEPT: u64 = 24 * FAILURE_KEPT;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use xmpp::stanza::Kind;

    use super::*;
    use crate::{
        config::Config,
        s2s::outgoing::{Entry, Failure, Input},
    };

    #[test]
    fn domains_that_failed_are_forgotten_after_a_while_and_never_too_many() {
        let config = Config::parse("domain = \"capulet.example\"\n").unwrap();
        let federation = Federation::new(&config);
        let fail = |name: &str, at: u64, kind: Kind| {
            let (remote, at) = (federation.remote("capulet.example", name), Millis(at));
            let bytes = Bytes::from_static(b"<x/>");
            let entry = Entry { bytes, kind, parcel: None, account: None, since: at };
            let (mut state, mut effects) = (remote.lock(), Vec::new());
            state.queue.handle(at, Input::Post(entry), &mut effects);
            state.queue.handle(at, Input::Failed(Failure::passing("away")), &mut effects);
            state.queue.handle(at.plus(30_000), Input::Tick, &mut effects);
        };
        for number in 0..600 {
            fail(&format!("x{number}.example"), 1000 + number, Kind::Iq);
        }
        fail("friend.example", 1, Kind::Presence);
        let (now, known) = (Millis(2000), |name: &str| federation.knows("capulet.example", name));
        forget_idle(&federation, now);
        assert_eq!(federation.remotes().len(), MOST_FAILING);
        assert!(known("x599.example") && known("friend.example") && !known("x0.example"));
        forget_idle(&federation, now.plus(FAILURE_KEPT));
        assert_eq!(federation.remotes().len(), 1);
        assert!(known("friend.example"), "it missed presence");
        forget_idle(&federation, now.plus(PRESENCE_KEPT));
        assert!(federation.remotes().is_empty());
    }
}
