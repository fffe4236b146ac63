//! How much may wait for all other domains together, in memory and on disk.

use parking_lot::Mutex;

use super::outgoing::Entry;
use crate::config::Config;

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Stanzas.
    pub stanzas: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Held {
    pub(super) fn of(entry: &Entry) -> Self {
        Self { stanzas: 1, bytes: entry.bytes.len() as u64 }
    }

    /// With more.
    #[must_use]
    pub fn plus(self, more: Self) -> Self {
        Self { stanzas: self.stanzas + more.stanzas, bytes: self.bytes + more.bytes }
    }

    /// Without some of it.
    pub(super) fn minus(self, less: Self) -> Self {
        Self {
            stanzas: self.stanzas.saturating_sub(less.stanzas),
            bytes: self.bytes.saturating_sub(less.bytes),
        }
    }
}

/// What waits, and how much of it there may be.
#[derive(Debug)]
pub struct Holding(Mutex<State>);

#[derive(Debug)]
struct State {
    held: Held,
    most: Held,
}

impl Holding {
    /// Nothing waits yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self(Mutex::new(State { held: Held::default(), most: most(config) }))
    }

    /// What waits for all domains.
    #[must_use]
    pub fn held(&self) -> Held {
        self.0.lock().held
    }

    /// The most that may wait for all domains.
    #[must_use]
    pub fn most(&self) -> Held {
        self.0.lock().most
    }

    /// Takes the bounds of the configuration as it is now.
    pub(super) fn bound(&self, config: &Config) {
        self.0.lock().most = most(config);
    }

    /// Whether a stanza of so many bytes may wait for a domain for which so much waits already. One
    /// domain has a quarter of the room, so that a dead one does not take it from the others.
    pub(super) fn admits(&self, domain: Held, bytes: usize) -> bool {
        let state = self.0.lock();
        let one = Held { stanzas: 1, bytes: bytes as u64 };
        let fits = |held: Held, share: u64| {
            let with = held.plus(one);
            with.stanzas <= state.most.stanzas / share && with.bytes <= state.most.bytes / share
        };
        fits(state.held, 1) && fits(domain, SHARES)
    }

    /// The queue of a domain has changed.
    pub(super) fn changed(&self, before: Held, after: Held) {
        if before != after {
            let mut state = self.0.lock();
            state.held = state.held.plus(after).minus(before);
        }
    }
}

fn most(config: &Config) -> Held {
    let federation = &config.federation;
    Held { stanzas: federation.waiting_stanzas, bytes: federation.waiting_bytes }
}

const SHARES: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn held(stanzas: u64, bytes: u64) -> Held {
        Held { stanzas, bytes }
    }

    #[test]
    fn all_domains_have_a_bound_and_one_has_a_quarter_of_it() {
        let text = "domain = \"a.example\"\n[federation]\nwaiting_stanzas = 1000\n";
        let holding = Holding::new(&Config::parse(text).unwrap());
        let share = holding.most().bytes / SHARES;
        assert!(holding.admits(held(249, 0), 10));
        assert!(!holding.admits(held(250, 0), 10));
        assert!(holding.admits(held(1, share - 10), 10));
        assert!(!holding.admits(held(1, share - 9), 10));
        holding.changed(held(0, 0), held(250, 100));
        holding.changed(held(0, 0), held(749, 0));
        assert_eq!(holding.held(), held(999, 100));
        assert!(holding.admits(held(0, 0), 10));
        holding.changed(held(749, 0), held(750, 0));
        assert!(!holding.admits(held(0, 0), 10), "full for everybody");
        holding.changed(held(250, 100), held(0, 0));
        assert!(holding.admits(held(0, 0), 10));
    }

    #[test]
    fn other_bounds_count_at_once() {
        let config = |bytes: u64| {
            let text = format!("domain = \"a.example\"\n[federation]\nwaiting_bytes = {bytes}\n");
            Config::parse(&text).unwrap()
        };
        let holding = Holding::new(&config(1_048_576));
        assert!(!holding.admits(held(0, 0), 300_000));
        holding.bound(&config(4_194_304));
        assert!(holding.admits(held(0, 0), 300_000));
    }
}
