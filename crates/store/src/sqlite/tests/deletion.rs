//! Deletion is real (G13): what is removed cannot be found in the files.

use super::{Directory, close};
use crate::archive::{Append, Clear, Unit};
use crate::conformance::archive::message;
use crate::conformance::{account, block_on};
use crate::roster::{Change, Item};
use crate::{AccountId, Millis, Store};

/// Stands in everything that is to disappear.
const MARK: &str = "WITHTHYBLACKSAILS";

fn marked(account: AccountId, id: u64, length: usize) -> Append {
    let padding = MARK.repeat(length / MARK.len() + 1);
    Append {
        stanza: format!("<message id='{id}'><body>{padding}</body></message>").into(),
        ..message(account, id)
    }
}

fn plain(account: AccountId, id: u64, length: usize) -> Append {
    Append { stanza: vec![b'.'; length].into(), ..message(account, id) }
}

/// Stanzas of all sizes: within a page, over several, and in between.
fn length(id: u64) -> usize {
    (id as usize * 677) % 9000 + 10
}

fn append(store: &Store, rows: impl IntoIterator<Item = Append>) {
    let unit: Unit = rows.into_iter().collect();
    store.archive.append(unit, None).expect("taken");
}

/// How often the mark stands in any file of the directory.
fn marks(directory: &Directory) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(directory.path()).expect("readable").flatten() {
        let bytes = std::fs::read(file.path()).expect("readable");
        let count = bytes.windows(MARK.len()).filter(|window| *window == MARK.as_bytes()).count();
        if count > 0 {
            found.push((file.file_name().to_string_lossy().into_owned(), count));
        }
    }
    found
}

#[test]
fn a_deleted_account_leaves_nothing_in_the_files() {
    let directory = Directory::new();
    let store = directory.open();
    let (romeo, juliet) = (block_on(account(&store, "romeo")), block_on(account(&store, "juliet")));
    for id in 1..=400 {
        // Neighbours in the same pages stay, some stanzas belong to both until the other goes too.
        append(&store, [marked(juliet, id, length(id))]);
        append(&store, [plain(romeo, id, length(id + 7))]);
    }
    let friend =
        Item { name: Some(MARK.repeat(20).into()), jid: "a@b.example".into(), ..Item::default() };
    block_on(store.roster.apply(juliet, vec![Change::Put(friend)])).expect("put");
    let card = MARK.repeat(500).into();
    block_on(store.documents.save(juliet, MARK, card, 1 << 20)).expect("saved");
    block_on(store.archive.barrier()).expect("settled");
    assert_ne!(marks(&directory), [], "the test would prove nothing");
    assert_eq!(block_on(store.accounts.delete(juliet, Millis(0))), Ok(true));
    close(store);
    assert_eq!(marks(&directory), []);
    let store = directory.open();
    assert_eq!(block_on(store.archive.ends(romeo)).expect("read").expect("not empty").1.id, 400);
}

#[test]
fn a_deletion_needs_no_restart_to_reach_the_files() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    for id in 1..=100 {
        append(&store, [marked(juliet, id, length(id))]);
    }
    assert_eq!(block_on(store.archive.purge(juliet)), Ok(100));
    assert_eq!(marks(&copied(&directory)), []);
}

/// Reading the files of an open store would drop SQLite's locks on them in this process; a copy made by another
/// process does not.
fn copied(directory: &Directory) -> Directory {
    let copy = Directory::new();
    let copied = std::process::Command::new("cp")
        .arg(directory.database())
        .arg(format!("{}-wal", directory.database().display()))
        .arg(copy.path())
        .status();
    assert!(copied.is_ok_and(|status| status.success()));
    copy
}

#[test]
fn what_is_too_old_leaves_the_files_when_they_are_scrubbed() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    for id in 1..=100 {
        append(&store, [marked(juliet, id, length(id))]);
    }
    let log = || block_on(store.maintenance.sizes()).expect("read").log;
    assert_eq!(block_on(store.archive.expire(Millis(u64::MAX), 500)), Ok(100));
    assert!(log() > 0, "many portions are not each scrubbed");
    assert_eq!(block_on(store.maintenance.scrub()), Ok(true));
    assert_eq!(log(), 0);
    assert_eq!(marks(&copied(&directory)), []);
}

#[test]
fn retention_removes_stanzas_that_both_sides_had() {
    let directory = Directory::new();
    let store = directory.open();
    let (romeo, juliet) = (block_on(account(&store, "romeo")), block_on(account(&store, "juliet")));
    for id in 1..=600 {
        let of = |account| match id <= 300 {
            true => marked(account, id, length(id)),
            false => plain(account, id, length(id)),
        };
        append(&store, [of(romeo), of(juliet)]);
    }
    assert_eq!(block_on(store.archive.expire(Millis(301_000), 10_000)), Ok(600));
    close(store);
    assert_eq!(marks(&directory), []);
}

#[test]
fn the_last_reference_takes_the_stanza_with_it() {
    let directory = Directory::new();
    let store = directory.open();
    let (romeo, juliet) = (block_on(account(&store, "romeo")), block_on(account(&store, "juliet")));
    let waiting = |account, id| Append { pending: true, hidden: true, ..marked(account, id, 3000) };
    for id in 1..=50 {
        append(&store, [marked(romeo, id, 3000), waiting(juliet, id)]);
    }
    block_on(store.archive.purge(romeo)).expect("purged");
    assert_eq!(block_on(store.archive.pending(juliet, 0, 100)).expect("read").len(), 50);
    block_on(store.archive.clear_pending(juliet, Clear::UpTo(50))).expect("cleared");
    close(store);
    assert_eq!(marks(&directory), []);
}

#[test]
fn freed_pages_are_given_back() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    for id in 1..=300 {
        append(&store, [marked(juliet, id, 8000)]);
    }
    block_on(store.archive.purge(juliet)).expect("purged");
    let full = block_on(store.maintenance.sizes()).expect("read");
    assert!(full.free > 1 << 20, "{full:?}");
    let given = block_on(store.maintenance.compact()).expect("compacted");
    let small = block_on(store.maintenance.sizes()).expect("read");
    assert_eq!((small.free, small.database + given), (0, full.database));
    close(store);
    let length = std::fs::metadata(directory.database()).expect("there").len();
    assert_eq!(length, small.database);
}
