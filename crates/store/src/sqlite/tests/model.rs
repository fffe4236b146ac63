//! Thousands of random steps, each compared with lists in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Directory;
use crate::archive::{Append, Clear, Paging, Query, Ticket, With};
use crate::conformance::archive::message;
use crate::conformance::{account, block_on};
use crate::sqlite::{Faults, Options};
use crate::{AccountId, Millis, Store, StoreError};

const ACCOUNTS: usize = 4;
const PEERS: [&str; 3] = ["romeo@x.example", "nurse@x.example", "paris@x.example"];

/// A generator that gives the same steps every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

#[derive(Default)]
struct Outcomes(Mutex<Vec<bool>>);

impl Ticket for Outcomes {
    fn settled(&self, _: u64, outcome: Result<(), &StoreError>) {
        self.0.lock().push(outcome.is_ok());
    }
}

struct World {
    directory: Directory,
    faults: Arc<Faults>,
    store: Option<Store>,
    random: Random,
    accounts: Vec<AccountId>,
    next: Vec<u64>,
    archives: Vec<BTreeMap<u64, Append>>,
}

impl World {
    fn new(seed: u64) -> World {
        let (directory, faults) = (Directory::new(), Arc::new(Faults::default()));
        let mut world = World {
            directory,
            faults,
            store: None,
            random: Random(seed),
            accounts: Vec::new(),
            next: vec![1; ACCOUNTS],
            archives: vec![BTreeMap::new(); ACCOUNTS],
        };
        world.open();
        for number in 0..ACCOUNTS {
            let id = block_on(account(world.store(), &format!("account{number}")));
            world.accounts.push(id);
        }
        world
    }

    fn open(&mut self) {
        self.store = None;
        let options = Options { faults: Some(self.faults.clone()), ..Options::default() };
        self.store = Some(self.directory.open_with(options));
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("open")
    }

    fn row(&mut self, archive: usize, stanza: &str) -> Append {
        let id = self.next[archive];
        self.next[archive] += 1 + u64::from(self.random.one_in(9));
        let pending = self.random.one_in(4);
        Append {
            at: Millis(self.random.below(1000) as u64),
            with: PEERS[self.random.below(PEERS.len())].into(),
            resource: self.random.one_in(2).then(|| "orchard".into()),
            outgoing: self.random.one_in(2),
            pending,
            hidden: pending && self.random.one_in(3),
            stanza: stanza.to_owned().into(),
            ..message(self.accounts[archive], id)
        }
    }

    /// A burst of units, some submitted in the wrong order, perhaps with a commit that fails.
    fn append(&mut self) {
        let mut units = Vec::new();
        for number in 0..self.random.below(30) + 1 {
            let stanza = "x".repeat(self.random.below(300) + number);
            let (one, other) = (self.random.below(ACCOUNTS), self.random.below(ACCOUNTS));
            let mut rows = vec![(one, self.row(one, &stanza)), (other, self.row(other, &stanza))];
            if self.random.one_in(2) {
                let at = rows[0].1.at;
                rows[1].1.at = at;
            }
            units.push(rows);
        }
        if self.random.one_in(3) {
            let (one, other) = (self.random.below(units.len()), self.random.below(units.len()));
            units.swap(one, other);
        }
        if self.random.one_in(10) {
            self.faults.fail_commit(StoreError::Io("broken".to_owned()));
        }
        let outcomes = Arc::new(Outcomes::default());
        for rows in &units {
            let unit = rows.iter().map(|(_, row)| row.clone()).collect();
            self.store().archive.append(unit, Some((outcomes.clone(), 0))).expect("taken");
        }
        let _ = block_on(self.store().archive.barrier());
        let outcomes = std::mem::take(&mut *outcomes.0.lock());
        for (rows, kept) in units.into_iter().zip(outcomes) {
            for (archive, row) in rows.into_iter().filter(|_| kept) {
                self.archives[archive].insert(row.id, row);
            }
        }
    }

    fn deliver(&mut self) {
        let archive = self.random.below(ACCOUNTS);
        let account = self.accounts[archive];
        let limit = self.random.below(20) as u32 + 1;
        let found = block_on(self.store().archive.pending(account, 0, limit)).expect("read");
        let rows = &mut self.archives[archive];
        let waiting = rows.values().filter(|row| row.pending).take(limit as usize);
        let expected: Vec<(u64, bool)> = waiting.map(|row| (row.id, row.hidden)).collect();
        let found: Vec<(u64, bool)> = found.iter().map(|row| (row.id, row.hidden)).collect();
        assert_eq!(found, expected);
        let Some((last, _)) = found.last().copied() else { return };
        for (id, hidden) in found {
            match hidden {
                true => drop(rows.remove(&id)),
                false => rows.get_mut(&id).expect("there").pending = false,
            }
        }
        let cleared = block_on(self.store().archive.clear_pending(account, Clear::UpTo(last)));
        cleared.expect("cleared");
    }

    fn remove(&mut self) {
        if self.random.one_in(2) {
            let before = Millis(self.random.below(300) as u64);
            block_on(self.store().archive.expire(before, u64::MAX)).expect("expired");
            for rows in &mut self.archives {
                rows.retain(|_, row| row.at >= before);
            }
        } else {
            let archive = self.random.below(ACCOUNTS);
            let removed = block_on(self.store().archive.purge(self.accounts[archive]));
            let rows = &mut self.archives[archive];
            let before = rows.len();
            rows.retain(|_, row| row.pending);
            assert_eq!(removed, Ok((before - rows.len()) as u64));
        }
    }

    fn query(&mut self, archive: usize) -> Query {
        let visible: Vec<u64> =
            self.archives[archive].values().filter(|row| !row.hidden).map(|row| row.id).collect();
        let random = &mut self.random;
        let mut id = |chances| {
            let pick = !visible.is_empty() && random.one_in(chances);
            pick.then(|| visible[random.below(visible.len())])
        };
        let (after_id, before_id) = (id(4), id(4));
        let page = match (id(2), id(1)) {
            (None, _) | (_, None) => [Paging::First, Paging::Last][random.below(2)],
            (Some(id), _) => [Paging::After(id), Paging::Before(id)][random.below(2)],
        };
        let bare = PEERS[random.below(PEERS.len())].into();
        let bare = (!random.one_in(5)).then_some(bare);
        let resource = random.one_in(2).then(|| "orchard".into());
        Query {
            with: random.one_in(2).then_some(With { bare, resource }),
            start: random.one_in(3).then(|| Millis(random.below(1000) as u64)),
            end: random.one_in(3).then(|| Millis(random.below(1000) as u64)),
            after_id,
            before_id,
            page,
            max: random.below(40) as u32 + 1,
            flip: random.one_in(4),
            count: random.one_in(2),
            ids: Vec::new(),
        }
    }

    fn look(&mut self) {
        let archive = self.random.below(ACCOUNTS);
        let query = self.query(archive);
        let account = self.accounts[archive];
        let page = block_on(self.store().archive.page(account, query.clone())).expect("read");
        let matching: Vec<&Append> =
            self.archives[archive].values().filter(|row| matches(row, &query)).collect();
        let bounded: Vec<&Append> = matching
            .iter()
            .copied()
            .filter(|row| match query.page {
                Paging::After(id) => row.id > id,
                Paging::Before(id) => row.id < id,
                Paging::First | Paging::Last => true,
            })
            .collect();
        let max = (query.max as usize).min(bounded.len());
        let mut expected = match query.page {
            Paging::First | Paging::After(_) => bounded[..max].to_vec(),
            Paging::Before(_) | Paging::Last => bounded[bounded.len() - max..].to_vec(),
        };
        assert_eq!(page.complete, max == bounded.len(), "{query:?}");
        if let (Some(count), Some(first)) = (page.count, expected.first()) {
            let index = matching.iter().filter(|row| row.id < first.id).count();
            assert_eq!(count, matching.len() as u64, "{query:?}");
            assert_eq!(page.first_index, Some(index as u64), "{query:?}");
        }
        if query.flip {
            expected.reverse();
        }
        assert_eq!(page.rows.len(), expected.len(), "{query:?}");
        for (found, expected) in page.rows.iter().zip(expected) {
            assert_eq!((found.id, found.at), (expected.id, expected.at), "{query:?}");
            assert_eq!((found.outgoing, &found.stanza), (expected.outgoing, &expected.stanza));
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..40 => self.append(),
            40..85 => self.look(),
            85..95 => self.deliver(),
            95..99 => self.remove(),
            _ => {
                self.open();
                let archive = self.random.below(ACCOUNTS);
                let account = self.accounts[archive];
                let tail = block_on(self.store().archive.tail(account, Millis(0))).expect("read");
                let last = self.archives[archive].keys().last().copied().unwrap_or(0);
                assert!((last + 1..=self.next[archive]).contains(&tail.next), "{tail:?}");
            }
        }
    }
}

fn matches(row: &Append, query: &Query) -> bool {
    let with = query.with.as_ref().is_none_or(|with| {
        let resource = with.resource.is_none() || with.resource == row.resource;
        with.bare.as_ref().is_none_or(|bare| *bare == row.with) && resource
    });
    !row.hidden
        && with
        && query.start.is_none_or(|start| row.at >= start)
        && query.end.is_none_or(|end| row.at <= end)
        && query.after_id.is_none_or(|id| row.id > id)
        && query.before_id.is_none_or(|id| row.id < id)
}

#[test]
fn random_steps_agree_with_lists_in_memory() {
    for seed in 1..=4 {
        let mut world = World::new(seed);
        for _ in 0..600 {
            world.step();
        }
        let store = world.store.take().expect("open");
        assert_eq!(block_on(store.maintenance.check()), Ok(vec![]), "seed {seed}");
    }
}
