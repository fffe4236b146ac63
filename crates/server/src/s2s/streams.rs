//! The streams with other servers that are open, and how many each domain has.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;
use xmpp::{
    stream::s2s::{Proof, receiving::Pair},
    time::Millis,
};

use super::known::KnownBy;

/// What is known of an open stream.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Whose it is.
    pub pair: Pair,
    /// We were connected to.
    pub incoming: bool,
    /// How the initiating side proved who it is.
    pub proof: Proof,
    /// How this server knows the other one.
    pub known_by: KnownBy,
    /// Stanzas go both ways.
    pub bidi: bool,
    /// Both sides acknowledge.
    pub managed: bool,
    /// Since when.
    pub since: Millis,
    /// Told when the operator wants it to end.
    pub end: Arc<Notify>,
}

/// The streams that are open.
#[derive(Debug, Default)]
pub struct Streams(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Facts>,
    last: u64,
}

/// An open stream: it is one as long as this is there.
#[derive(Debug)]
pub struct Place {
    streams: Arc<Streams>,
    number: u64,
}

impl Streams {
    /// Notes an open stream.
    pub fn open(self: &Arc<Self>, facts: Facts) -> Place {
        self.take(&mut self.0.lock(), facts)
    }

    /// Notes an open stream of another domain, unless it has `most` already.
    pub fn admit(self: &Arc<Self>, facts: Facts, most: u64) -> Option<Place> {
        let domain = &facts.pair.remote;
        // Counted and taken under one lock: those who come at the same moment see each other.
        let mut open = self.0.lock();
        let own = open.by_number.values().filter(|one| one.incoming && one.pair.remote == *domain);
        let full = own.count() as u64 >= most;
        (!full).then(|| self.take(&mut open, facts))
    }

    fn take(self: &Arc<Self>, open: &mut Open, facts: Facts) -> Place {
        open.last += 1;
        let number = open.last;
        let (remote, proof) = (&facts.pair.remote, facts.known_by.name());
        tracing::debug!(remote, number, facts.incoming, proof, facts.bidi, "s2s_opened");
        open.by_number.insert(number, facts);
        Place { streams: self.clone(), number }
    }

    /// What is known of all of them.
    #[must_use]
    pub fn all(&self) -> Vec<Facts> {
        self.0.lock().by_number.values().cloned().collect()
    }

    /// What is known of the one with a number.
    #[must_use]
    pub fn of(&self, number: u64) -> Option<Facts> {
        self.0.lock().by_number.get(&number).cloned()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().by_number.is_empty()
    }
}

impl Place {
    /// The number of the stream.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What is told when the operator wants the stream to end.
    #[must_use]
    pub fn ending(&self) -> Arc<Notify> {
        let open = self.streams.0.lock();
        open.by_number.get(&self.number).map(|facts| facts.end.clone()).unwrap_or_default()
    }

    /// Changes what is known of the stream.
    pub fn note(&self, change: impl FnOnce(&mut Facts)) {
        self.streams.0.lock().by_number.get_mut(&self.number).map(change);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.0.lock().by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    fn facts(remote: &str, incoming: bool) -> Facts {
        Facts {
            pair: Pair { local: "capulet.example".into(), remote: remote.into() },
            incoming,
            proof: Proof::Certificate,
            known_by: KnownBy::Certificate,
            bidi: false,
            managed: false,
            since: Millis(0),
            end: Arc::default(),
        }
    }

    #[test]
    fn of_those_who_come_at_the_same_moment_no_more_than_allowed_come_in() {
        const MOST: usize = 7;
        for _ in 0..50 {
            let streams = Arc::new(Streams::default());
            let start = Barrier::new(MOST + 1);
            let places: Vec<Option<Place>> = thread::scope(|scope| {
                let come = || {
                    start.wait();
                    streams.admit(facts("montague.example", true), MOST as u64)
                };
                let all: Vec<_> = (0..=MOST).map(|_| scope.spawn(come)).collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            assert_eq!(places.iter().flatten().count(), MOST);
            drop(places);
            assert!(streams.is_empty());
        }
    }

    #[test]
    fn a_place_is_free_again_when_its_stream_has_ended() {
        let streams = Arc::new(Streams::default());
        let first = streams.admit(facts("montague.example", true), 1);
        assert!(first.is_some());
        assert!(streams.admit(facts("montague.example", true), 1).is_none());
        // Others, and what this server opens itself, are not counted.
        let other = streams.admit(facts("escalus.example", true), 1);
        let own = streams.open(facts("montague.example", false));
        assert!(other.is_some() && streams.all().len() == 3);
        own.note(|facts| facts.managed = true);
        assert!(streams.all().iter().any(|facts| facts.managed && !facts.incoming));
        drop(first);
        assert!(streams.admit(facts("montague.example", true), 1).is_some());
    }
}
