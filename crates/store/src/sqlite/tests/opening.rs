//! Locks, versions, damage, unclean ends.

use std::path::Path;

use rusqlite::Connection;

use super::{Directory, close};
use crate::archive::{Paging, Query};
use crate::conformance::archive::message;
use crate::conformance::{account, block_on};
use crate::rooms::{Card, Select};
use crate::sqlite::{Options, open};
use crate::uploads::{FileId, Purpose, Usage};
use crate::{AccountId, Millis, OpenError, Store};

fn refused(path: &Path) -> OpenError {
    open(path, Options::default()).expect_err("it must not open")
}

/// Changes the closed database behind the store's back.
fn tamper(directory: &Directory, sql: &str) {
    let db = Connection::open(directory.database()).expect("opens");
    db.execute_batch(sql).expect("changed");
}

fn next_id(store: &Store, account: crate::AccountId) -> u64 {
    block_on(store.archive.tail(account, Millis(0))).expect("read").next
}

#[test]
fn a_second_instance_is_told_who_has_the_data() {
    let directory = Directory::new();
    let store = directory.open();
    let error = refused(&directory.database());
    assert!(matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())));
    close(store);
    close(directory.open());
}

#[test]
fn a_database_that_another_program_holds_is_called_locked() {
    let directory = Directory::new();
    close(directory.open());
    let other = Connection::open(directory.database()).expect("opens");
    other.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let error = refused(&directory.database());
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    drop(other);
    close(directory.open());
}

#[test]
fn dropping_the_store_lets_the_next_one_in() {
    let directory = Directory::new();
    let store = directory.open();
    block_on(account(&store, "juliet"));
    let other = store.clone();
    drop(store);
    assert_eq!(block_on(other.accounts.count()), Ok(1));
    drop(other);
    assert_eq!(block_on(directory.open().accounts.count()), Ok(1));
}

#[test]
fn a_newer_schema_is_refused_in_words() {
    let directory = Directory::new();
    close(directory.open());
    tamper(&directory, "PRAGMA user_version = 1000");
    let error = refused(&directory.database());
    assert!(matches!(error, OpenError::Newer { found: 1000, .. }));
    assert!(error.to_string().contains("newer version"));
}

#[test]
fn other_files_are_refused() {
    let directory = Directory::new();
    let path = directory.database();
    std::fs::write(&path, "Two households, both alike in dignity".repeat(100)).expect("written");
    assert!(matches!(refused(&path), OpenError::Foreign { .. }));
    std::fs::remove_file(&path).expect("removed");
    tamper(&directory, "CREATE TABLE other (a)");
    assert!(matches!(refused(&path), OpenError::Foreign { .. }));
    let text = std::fs::read(&path).expect("readable");
    assert!(text.starts_with(b"SQLite format 3"), "a foreign file was touched");
}

#[test]
fn an_empty_file_is_a_new_database() {
    let directory = Directory::new();
    std::fs::write(directory.database(), "").expect("written");
    assert_eq!(block_on(directory.open().accounts.count()), Ok(0));
}

#[test]
fn a_missing_directory_is_named() {
    let directory = Directory::new();
    let path = directory.path().join("nowhere").join("anemone.db");
    let error = refused(&path);
    assert!(matches!(error, OpenError::Access { .. }));
    assert!(error.to_string().contains("nowhere"));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let store = directory.open();
    block_on(account(&store, "juliet"));
    for file in std::fs::read_dir(directory.path()).expect("readable").flatten() {
        let mode = file.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.file_name());
    }
}

#[test]
fn damage_is_found_after_an_unclean_end() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    for id in 1..=200 {
        store.archive.append([message(juliet, id)].into_iter().collect(), None).expect("taken");
    }
    close(store);
    tamper(&directory, "UPDATE meta SET value = 0 WHERE key = 'clean'");
    let path = directory.database();
    let mut bytes = std::fs::read(&path).expect("readable");
    // A page in the middle, so that neither the header nor the schema is hit.
    let page = bytes.len() / 4096 / 2 * 4096;
    bytes[page..page + 200].fill(0xff);
    std::fs::write(&path, bytes).expect("written");
    let error = refused(&path);
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("restore the newest backup"));
}

#[test]
fn a_message_that_is_not_as_it_was_written_is_not_given_out() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    for id in 1..=5 {
        store.archive.append([message(juliet, id)].into_iter().collect(), None).expect("taken");
    }
    block_on(store.archive.set_pending(juliet, vec![1, 2, 3, 4, 5])).expect("set");
    close(store);
    // One bit of the second and of the third, and one from before there were sums.
    tamper(
        &directory,
        "UPDATE log SET stanza = CAST(replace(stanza, 'message', 'messagd') AS BLOB) WHERE seq IN (2, 3);
         UPDATE log SET sum = NULL WHERE seq = 5",
    );
    let store = directory.open();
    let ids = |rows: Vec<crate::archive::Row>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert!(!store.maintenance.health().is_damaged(), "nobody has read it");
    let query = |page, max| Query { page, max, ..Query::default() };
    let page = |query| block_on(store.archive.page(juliet, query)).expect("read");
    let first = page(query(Paging::First, 2));
    assert_eq!(
        (ids(first.rows), first.complete),
        (vec![1, 4], false),
        "a page is full all the same"
    );
    let last = page(query(Paging::Last, 4));
    assert_eq!((ids(last.rows), last.complete), (vec![1, 4, 5], true));
    let waiting = block_on(store.archive.pending(juliet, 0, 2)).expect("read");
    assert_eq!(ids(waiting), [1, 4]);
    assert!(store.maintenance.health().is_damaged());
    assert_eq!(block_on(store.maintenance.damaged()), Ok(2));
    assert_eq!(block_on(store.maintenance.check()), Ok(vec![]), "it can still be copied");
    close(store);
}

#[test]
fn only_an_unclean_end_begins_a_new_generation_of_ids() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    store.archive.append([message(juliet, 1)].into_iter().collect(), None).expect("taken");
    close(store);
    let store = directory.open();
    assert_eq!(next_id(&store, juliet), 2);
    close(store);
    for crash in 1..=3u64 {
        tamper(&directory, "UPDATE meta SET value = 0 WHERE key = 'clean'");
        let store = directory.open();
        assert_eq!(next_id(&store, juliet), (crash << 32) + 1);
        close(store);
    }
}

#[test]
fn the_index_is_completed_from_the_log() {
    let directory = Directory::new();
    let store = directory.open();
    let juliet = block_on(account(&store, "juliet"));
    for id in 1..=50 {
        store.archive.append([message(juliet, id)].into_iter().collect(), None).expect("taken");
    }
    block_on(store.archive.set_pending(juliet, vec![50])).expect("set");
    close(store);
    // As after a crash before anything was folded, with some rows folded and one delivered already.
    tamper(
        &directory,
        "UPDATE meta SET value = 1 WHERE key = 'folded'; DELETE FROM archive WHERE id <> 50",
    );
    let store = directory.open();
    let query = Query { max: 250, ..Query::default() };
    let page = block_on(store.archive.page(juliet, query)).expect("read");
    let ids: Vec<u64> = page.rows.iter().map(|row| row.id).collect();
    assert_eq!(ids, (1..=50).collect::<Vec<_>>());
    let waiting = block_on(store.archive.pending(juliet, 0, 10)).expect("read");
    assert_eq!(waiting.len(), 1, "a row in the index was overwritten from the log");
    assert_eq!(block_on(store.maintenance.check()), Ok(vec![]));
}

#[test]
fn files_from_before_they_were_counted_are_counted() {
    let directory = Directory::new();
    let store = directory.open();
    let (juliet, romeo) =
        block_on(async { (account(&store, "juliet").await, account(&store, "romeo").await) });
    close(store);
    let file = |id: u8, account: AccountId, size: u32, purpose: u8| {
        format!(
            "INSERT INTO upload VALUES (x'{}', {}, 'a', NULL, {size}, {purpose}, 1, 2, NULL, NULL);",
            format!("{id:02x}").repeat(16),
            account.0
        )
    };
    let seed = [
        BEFORE_CARDS.to_owned(),
        "DROP TRIGGER upload_came; DROP TRIGGER upload_went; DROP INDEX upload_own_slots;
         DROP TABLE upload_usage; PRAGMA user_version = 7;"
            .to_owned(),
        file(1, juliet, 10, 0),
        file(2, juliet, 20, 0),
        file(3, juliet, 40, 1),
        file(4, romeo, 80, 0),
    ];
    tamper(&directory, &seed.concat());
    let store = directory.open();
    let used = |account, purposes| block_on(store.uploads.usage(account, purposes));
    let both = vec![Purpose::Message, Purpose::Profile];
    assert_eq!(used(juliet, vec![Purpose::Message]), Ok(Usage { files: 2, bytes: 30 }));
    assert_eq!(used(juliet, both.clone()), Ok(Usage { files: 3, bytes: 70 }));
    assert_eq!(used(romeo, both.clone()), Ok(Usage { files: 1, bytes: 80 }));
    assert_eq!(block_on(store.uploads.delete(juliet, Some(vec![FileId([1; 16])]))), Ok(1));
    assert_eq!(used(juliet, both), Ok(Usage { files: 2, bytes: 60 }));
    let miscounted = |store: &Store| block_on(store.uploads.miscounted());
    assert_eq!(miscounted(&store), Ok(0));
    close(store);
    tamper(&directory, "UPDATE upload_usage SET bytes = bytes + 1 WHERE purpose = 1");
    let store = directory.open();
    assert_eq!(miscounted(&store), Ok(1));
    close(store);
    tamper(&directory, "DELETE FROM upload_usage");
    assert_eq!(miscounted(&directory.open()), Ok(2));
}

/// The database as it was before lists of rooms had a table of their own.
const BEFORE_CARDS: &str =
    "DROP TABLE archive_retention; DROP TABLE outbox_reached; DROP TABLE audit; DROP TABLE endpoint_message; DROP TABLE endpoint;
     DROP TABLE room_card;
     DROP INDEX room_affiliation_kind;
     ALTER TABLE log DROP COLUMN sum; PRAGMA user_version = 8;";

#[test]
fn rooms_of_an_older_version_are_in_lists() {
    let directory = Directory::new();
    close(directory.open());
    let room = |name: &str, state: &str| {
        format!(
            "INSERT INTO room (name, created_at, state) VALUES ('{name}', 5, CAST('{state}' AS BLOB));"
        )
    };
    let seed = [
        BEFORE_CARDS.to_owned(),
        room(
            "a",
            r#"{"settings":{"name":"Coven","public":true,"members_only":false,"persistent":false}}"#,
        ),
        room("b", r#"{"settings":{"public":true},"locked":true}"#),
        room("c", "{}"),
        room("d", "of whatever kind"),
    ];
    tamper(&directory, &seed.concat());
    let store = directory.open();
    let cards = block_on(store.rooms.list(false, Select::First, 9)).expect("read");
    let cards: Vec<(Box<str>, Card)> =
        cards.into_iter().map(|room| (room.name, room.card)).collect();
    let usual = Card {
        title: "".into(),
        public: false,
        members_only: true,
        persistent: true,
        kept_days: None,
    };
    let found = Card {
        title: "Coven".into(),
        public: true,
        members_only: false,
        persistent: false,
        kept_days: None,
    };
    let locked = Card { persistent: false, ..usual.clone() };
    let expected = [("a", found), ("b", locked), ("c", usual.clone()), ("d", usual)];
    assert_eq!(cards, expected.map(|(name, card)| (name.into(), card)));
    close(store);
}
