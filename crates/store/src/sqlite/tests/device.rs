//! What happens when the device fails (G9), with faults on demand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Directory;
use crate::archive::{Append, Query, Ticket};
use crate::conformance::archive::message;
use crate::conformance::{account, block_on};
use crate::sqlite::{Faults, Options};
use crate::{AccountId, Store, StoreError};

/// Collects outcomes.
#[derive(Default)]
struct Outcomes(Mutex<Vec<Result<(), StoreError>>>);

impl Ticket for Outcomes {
    fn settled(&self, _: u64, outcome: Result<(), &StoreError>) {
        self.0.lock().push(outcome.map_err(Clone::clone));
    }
}

struct Bed {
    store: Store,
    faults: Arc<Faults>,
    reports: Arc<Mutex<Vec<StoreError>>>,
    outcomes: Arc<Outcomes>,
    _directory: Directory,
}

impl Bed {
    fn new() -> Bed {
        let directory = Directory::new();
        let faults = Arc::new(Faults::default());
        let reports = Arc::new(Mutex::new(Vec::new()));
        let report = reports.clone();
        let options = Options {
            faults: Some(faults.clone()),
            on_fatal: Some(Arc::new(move |error| report.lock().push(error.clone()))),
            ..Options::default()
        };
        let store = directory.open_with(options);
        Bed { store, faults, reports, outcomes: Arc::default(), _directory: directory }
    }

    fn append(&self, row: Append) {
        let unit = [row].into_iter().collect();
        self.store.archive.append(unit, Some((self.outcomes.clone(), 0))).expect("taken");
    }

    /// Appends and waits. Returns the outcome.
    fn append_one(&self, row: Append) -> Result<(), StoreError> {
        self.append(row);
        let _ = block_on(self.store.archive.barrier());
        self.outcomes.0.lock().pop().expect("the ticket was told")
    }

    fn ids(&self, account: AccountId) -> Vec<u64> {
        let query = Query { max: 250, ..Query::default() };
        let page = block_on(self.store.archive.page(account, query)).expect("reads go on");
        page.rows.iter().map(|row| row.id).collect()
    }

    fn wait_until_healthy(&self) -> Duration {
        let started = Instant::now();
        while self.store.maintenance.health().is_degraded() {
            assert!(started.elapsed() < Duration::from_secs(60), "it never recovered");
            std::thread::sleep(Duration::from_millis(5));
        }
        started.elapsed()
    }
}

fn large(account: AccountId, id: u64) -> Append {
    Append { stanza: vec![b'x'; 20_000].into(), ..message(account, id) }
}

#[test]
fn a_full_disk_refuses_messages_and_recovers_by_itself() {
    let bed = Bed::new();
    let juliet = block_on(account(&bed.store, "juliet"));
    assert_eq!(bed.append_one(large(juliet, 1)), Ok(()));
    bed.faults.limit_pages(1);
    assert_eq!(bed.append_one(large(juliet, 2)), Err(StoreError::Full));
    assert!(bed.store.maintenance.health().is_degraded());
    assert_eq!(bed.append_one(large(juliet, 3)), Err(StoreError::Full));
    assert_eq!(bed.ids(juliet), [1], "reads stay");
    bed.faults.limit_pages(0);
    bed.wait_until_healthy();
    // The refused id was never durable, so it may be given again.
    assert_eq!(bed.append_one(large(juliet, 2)), Ok(()));
    assert_eq!(bed.ids(juliet), [1, 2]);
    assert!(bed.reports.lock().is_empty(), "a full disk is not a reason to exit");
}

#[test]
fn a_failed_commit_fails_every_unit_of_it_and_nothing_else() {
    let bed = Bed::new();
    let juliet = block_on(account(&bed.store, "juliet"));
    assert_eq!(bed.append_one(message(juliet, 1)), Ok(()));
    let broken = StoreError::Io("broken".to_owned());
    bed.faults.fail_commit(broken.clone());
    assert_eq!(bed.append_one(message(juliet, 2)), Err(broken));
    assert!(bed.store.maintenance.health().is_degraded());
    assert_eq!(bed.append_one(message(juliet, 3)), Ok(()), "the next batch is tried");
    assert!(!bed.store.maintenance.health().is_degraded(), "a commit proves the device");
    assert_eq!(bed.ids(juliet), [1, 3]);
    let next = block_on(bed.store.archive.tail(juliet, crate::Millis(0))).expect("read").next;
    assert_eq!(next, 4);
}

#[test]
fn rows_that_wait_for_the_index_survive_a_rollback() {
    let bed = Bed::new();
    let juliet = block_on(account(&bed.store, "juliet"));
    for id in 1..=20 {
        assert_eq!(bed.append_one(message(juliet, id)), Ok(()));
    }
    bed.faults.fail_commit(StoreError::Io("broken".to_owned()));
    assert!(bed.append_one(message(juliet, 21)).is_err());
    // A read puts the rows into the index. That commit fails as well, and the read does not.
    bed.faults.fail_commit(StoreError::Io("broken".to_owned()));
    assert_eq!(bed.ids(juliet), (1..=20).collect::<Vec<_>>());
    assert_eq!(bed.ids(juliet), (1..=20).collect::<Vec<_>>());
    assert_eq!(bed.append_one(message(juliet, 22)), Ok(()));
    assert_eq!(block_on(bed.store.maintenance.check()), Ok(vec![]));
}

#[test]
fn a_call_that_fails_does_not_fail_its_neighbours() {
    let bed = Bed::new();
    let juliet = block_on(account(&bed.store, "juliet"));
    // Submitted together, so that they share a transaction whenever the writer is slower than this.
    bed.append(message(juliet, 1));
    let refused = bed.store.documents.save(juliet, "a", "too large".into(), 1);
    bed.append(message(AccountId(77), 1));
    let taken = bed.store.accounts.create(crate::conformance::new_account("juliet"));
    bed.append(message(juliet, 2));
    assert!(block_on(refused).is_err());
    assert!(block_on(taken).is_err());
    block_on(bed.store.archive.barrier()).expect("settled");
    let outcomes: Vec<bool> = bed.outcomes.0.lock().iter().map(Result::is_ok).collect();
    assert_eq!(outcomes, [true, false, true]);
    assert!(!bed.store.maintenance.health().is_degraded());
    assert_eq!(bed.ids(juliet), [1, 2]);
}

#[test]
fn a_failed_sync_is_reported_and_nothing_is_promised_any_more() {
    let bed = Bed::new();
    let juliet = block_on(account(&bed.store, "juliet"));
    let fatal = StoreError::Fatal("fsync".to_owned());
    bed.faults.fail_commit(fatal.clone());
    assert_eq!(bed.append_one(message(juliet, 1)), Err(fatal.clone()));
    assert_eq!(bed.append_one(message(juliet, 2)), Err(fatal.clone()));
    assert_eq!(
        block_on(bed.store.accounts.change(juliet, crate::accounts::Change::Admin(true))),
        Err(fatal.clone())
    );
    assert_eq!(*bed.reports.lock(), [fatal]);
    assert!(bed.store.maintenance.health().is_degraded());
}

#[test]
fn the_queue_pushes_back_instead_of_growing() {
    /// Holds the writer in the ticket until it is let go.
    struct Gate(Mutex<()>);
    impl Ticket for Gate {
        fn settled(&self, _: u64, _: Result<(), &StoreError>) {
            drop(self.0.lock());
        }
    }
    let directory = Directory::new();
    let store = directory.open_with(Options { queue_items: 8, ..Options::default() });
    let juliet = block_on(account(&store, "juliet"));
    let gate = Arc::new(Gate(Mutex::new(())));
    let held = gate.0.lock();
    let mut taken = 0;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) && taken < 100 {
        let unit = [message(juliet, taken + 1)].into_iter().collect();
        if store.archive.append(unit, Some((gate.clone(), 0))).is_err() {
            break;
        }
        taken += 1;
    }
    assert!((7..100).contains(&taken), "{taken} units were taken");
    let late = store.archive.barrier();
    drop(held);
    block_on(late).expect("a barrier is taken when messages are not");
    let last = block_on(store.archive.ends(juliet)).expect("read").expect("not empty").1;
    assert_eq!(last.id, taken);
}

/// The same with a device that is really full. Where to find a small one is told by the environment,
/// because making one takes privileges: `mount -t tmpfs -o size=32m none DIR`.
#[test]
fn a_small_volume_fills_up_and_recovers_within_five_seconds() {
    let Some(volume) = std::env::var_os("ANEMONE_SMALL_VOLUME") else { return };
    let volume = std::path::PathBuf::from(volume);
    let (path, ballast) = (volume.join("anemone.db"), volume.join("ballast"));
    let store = crate::sqlite::open(&path, Options::default()).expect("opens");
    let juliet = block_on(account(&store, "juliet"));
    std::fs::write(&ballast, vec![1; 8 << 20]).expect("the volume has 8 MiB to spare");
    let (mut id, mut durable) = (0, 0);
    while !store.maintenance.health().is_degraded() {
        id += 1;
        let outcomes = Arc::new(Outcomes::default());
        let unit = [large(juliet, id)].into_iter().collect();
        store.archive.append(unit, Some((outcomes.clone(), id))).expect("taken");
        let _ = block_on(store.archive.barrier());
        if outcomes.0.lock().pop().expect("told").is_ok() {
            durable = id;
        }
    }
    let newest = || block_on(store.archive.ends(juliet)).map(|ends| ends.expect("not empty").1.id);
    assert_eq!(newest(), Ok(durable), "reads stay");
    std::fs::remove_file(&ballast).expect("removed");
    let started = Instant::now();
    while store.maintenance.health().is_degraded() {
        assert!(started.elapsed() < Duration::from_secs(5), "it did not recover in time");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(newest(), Ok(durable), "what was durable stays, what was refused does not appear");
    block_on(store.documents.save(juliet, "vcard", "x".into(), 100)).expect("writes go on");
    assert_eq!(block_on(store.maintenance.check()), Ok(vec![]));
}
