//! Backups, restoring, sizes, the write-ahead log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Directory, close};
use crate::archive::{Paging, Query};
use crate::conformance::archive::message;
use crate::conformance::{account, block_on};
use crate::maintenance::BackupError;
use crate::sqlite::{restore, verify};
use crate::{AccountId, Millis, OpenError, Store, StoreError};

fn append(store: &Store, account: AccountId, ids: std::ops::RangeInclusive<u64>) {
    for id in ids {
        let mut unit = [message(account, id)].into_iter().collect();
        while store.archive.append(std::mem::take(&mut unit), None).is_err() {
            block_on(store.archive.barrier()).expect("settled");
            unit = [message(account, id)].into_iter().collect();
        }
    }
}

fn count(store: &Store, account: AccountId) -> u64 {
    let (mut count, mut page) = (0, Paging::First);
    loop {
        let query = Query { page, max: 250, ..Query::default() };
        let found = block_on(store.archive.page(account, query)).expect("read");
        count += found.rows.len() as u64;
        match found.rows.last() {
            Some(row) if !found.complete => page = Paging::After(row.id),
            _ => return count,
        }
    }
}

#[test]
fn a_backup_is_made_while_messages_come() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    append(&store, juliet, 1..=10_000);
    let stop = Arc::new(AtomicBool::new(false));
    let durable = Arc::new(AtomicU64::new(0));
    let writing = {
        let (store, stop, durable) = (store.clone(), stop.clone(), durable.clone());
        std::thread::spawn(move || {
            let mut id = 10_000;
            while !stop.load(Ordering::Relaxed) {
                append(&store, juliet, id + 1..=id + 20);
                id += 20;
                block_on(store.archive.barrier()).expect("settled");
                durable.store(id, Ordering::Release);
            }
            id
        })
    };
    while durable.load(Ordering::Acquire) == 0 {
        std::thread::yield_now();
    }
    let before = durable.load(Ordering::Acquire);
    let steps = Arc::new(AtomicU64::new(0));
    let seen = steps.clone();
    let progress = Box::new(move |progress: crate::maintenance::Progress| {
        assert!(progress.done <= progress.total);
        seen.fetch_add(1, Ordering::Relaxed);
    });
    let path = directory.path().join("backup.db");
    let backup = block_on(store.maintenance.backup(path.clone(), progress)).expect("backed up");
    let after = durable.load(Ordering::Acquire) + 20;
    stop.store(true, Ordering::Relaxed);
    let last = writing.join().expect("written");
    assert!(steps.load(Ordering::Relaxed) > 1, "it was copied in one piece");
    assert!((before..=after).contains(&backup.messages), "{before} {backup:?} {after}");
    assert_eq!((backup.accounts, &backup.path), (1, &path));
    assert_eq!(verify(&path).expect("sound"), backup);
    assert_eq!(count(&store, juliet), last);
    let again = block_on(store.maintenance.backup(path.clone(), Box::new(|_| {})));
    assert_eq!(again, Err(BackupError::Exists(path)));
}

#[test]
fn a_backup_is_restored_and_its_ids_are_new() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    append(&store, juliet, 1..=100);
    let path = directory.path().join("backup.db");
    block_on(store.maintenance.backup(path.clone(), Box::new(|_| {}))).expect("backed up");
    append(&store, juliet, 101..=150);
    let used = restore(&path, &directory.database());
    assert!(matches!(used, Err(OpenError::InUse { .. })), "restored under a running server");
    close(store);
    let restored = restore(&path, &directory.database()).expect("restored");
    assert_eq!(restored.backup.messages, 100);
    let store = directory.open();
    assert_eq!(count(&store, juliet), 100);
    let next = block_on(store.archive.tail(juliet, Millis(0))).expect("read").next;
    assert!(next > 1 << 40, "id {next} may have been another message's after the backup");
    close(store);
    let previous = restored.previous.expect("kept");
    assert_eq!(verify(&previous).expect("sound").messages, 150);
    let twice = restore(&path, &directory.database()).expect("restored again");
    assert_ne!(twice.previous, Some(previous));
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    append(&store, juliet, 1..=500);
    let path = directory.path().join("backup.db");
    block_on(store.maintenance.backup(path.clone(), Box::new(|_| {}))).expect("backed up");
    close(store);
    let mut bytes = std::fs::read(&path).expect("readable");
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 100].fill(0xff);
    std::fs::write(&path, &bytes).expect("written");
    let refused = restore(&path, &directory.database());
    assert!(matches!(refused, Err(OpenError::Corrupt { .. })), "{refused:?}");
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&path, &bytes).expect("written");
    let refused = restore(&path, &directory.database());
    assert!(matches!(refused, Err(OpenError::Corrupt { .. })), "{refused:?}");
    let store = directory.open();
    assert_eq!(count(&store, juliet), 500);
}

#[test]
fn a_backup_that_cannot_be_written_says_so() {
    let directory = Directory::new();
    let store = directory.open();
    let path = directory.path().join("nowhere").join("backup.db");
    let refused = block_on(store.maintenance.backup(path, Box::new(|_| {})));
    assert!(matches!(refused, Err(BackupError::Target { .. })));
}

#[test]
fn the_log_stays_small_under_load() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    append(&store, juliet, 1..=60_000);
    block_on(store.archive.barrier()).expect("settled");
    let mut sizes = block_on(store.maintenance.sizes()).expect("read");
    // The writer takes a batch off its counters after it has told those who waited for it.
    while sizes.queued > 0 {
        std::thread::yield_now();
        sizes = block_on(store.maintenance.sizes()).expect("read");
    }
    // 8 MiB and the last transaction on top.
    assert!(sizes.log < 12 << 20, "{sizes:?}");
    assert!(sizes.database > 4 << 20, "{sizes:?}");
    assert_eq!((sizes.queued, sizes.accounts), (0, 1));
}

#[test]
fn rows_beyond_the_memory_bound_are_folded_on_the_way() {
    let directory = Directory::new();
    let store = directory.open();
    let mut accounts = Vec::new();
    for number in 0..50 {
        accounts.push(block_on(account(&store, &format!("account{number}"))));
    }
    for id in 1..=2000 {
        for pair in accounts.chunks(2) {
            let rows = || pair.iter().map(|account| message(*account, id)).collect();
            while store.archive.append(rows(), None).is_err() {
                block_on(store.archive.barrier()).expect("settled");
            }
        }
    }
    for account in accounts {
        assert_eq!(count(&store, account), 2000);
    }
    assert_eq!(block_on(store.maintenance.check()), Ok(vec![]));
}

#[test]
fn a_closed_store_refuses() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    append(&store, juliet, 1..=100);
    block_on(store.maintenance.close()).expect("closed");
    assert_eq!(block_on(store.accounts.count()), Err(StoreError::Closed));
    assert!(store.archive.append([message(juliet, 101)].into_iter().collect(), None).is_err());
    assert_eq!(count(&directory.open(), juliet), 100, "what was queued was not written");
}
