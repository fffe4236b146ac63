//! What keeping a record of what administrators did means.

use crate::audit::{Entry, EntryHash, NewEntry};
use crate::{Millis, Store};

fn entry(subject: &str, at: u64) -> NewEntry {
    NewEntry {
        at: Millis(at),
        door: "web".into(),
        actor: "ada@example.org".into(),
        command: "account delete".into(),
        subject: subject.into(),
        outcome: "done".into(),
    }
}

async fn numbers(store: &Store) -> Vec<i64> {
    let all = store.audit.oldest(None, 100).await.expect("read");
    all.iter().map(|entry| entry.number).collect()
}

/// Every entry has the hash of the one before, and its own.
pub async fn entries_are_a_chain(store: &Store) {
    let mut before: Option<Entry> = None;
    for at in 1..=5 {
        let stored = store.audit.append(entry("romeo@example.org", at)).await.expect("written");
        assert!(stored.is_genuine());
        match &before {
            None => assert_eq!((stored.number, stored.previous), (1, EntryHash::default())),
            Some(before) => assert!(stored.follows(before)),
        }
        before = Some(stored);
    }
    let forwards = store.audit.oldest(None, 10).await.expect("read");
    assert_eq!(forwards.last(), before.as_ref());
    let mut backwards = store.audit.newest(None, 10).await.expect("read");
    backwards.reverse();
    assert_eq!(forwards, backwards);
    let page = store.audit.newest(Some(4), 2).await.expect("read");
    assert_eq!(page.iter().map(|entry| entry.number).collect::<Vec<_>>(), [3, 2]);
    let page = store.audit.oldest(Some(4), 2).await.expect("read");
    assert_eq!(page.iter().map(|entry| entry.number).collect::<Vec<_>>(), [5]);
    let mut changed = forwards[2].clone();
    changed.entry.actor = "eve@example.org".into();
    assert!(!changed.is_genuine());
    let mut moved = forwards[2].clone();
    (moved.entry.command, moved.entry.subject) =
        ("account deleter".into(), "omeo@example.org".into());
    assert!(!moved.is_genuine());
    assert!(!forwards[3].follows(&forwards[1]));
}

/// The beginning goes, the last one stays, and the chain goes on from it.
pub async fn old_entries_go_from_the_beginning(store: &Store) {
    // The clock went back once.
    for at in [1, 2, 9, 3, 10] {
        store.audit.append(entry("romeo@example.org", at)).await.expect("written");
    }
    assert_eq!(store.audit.expire(Millis(5)).await, Ok(2));
    assert_eq!(numbers(store).await, [3, 4, 5]);
    assert_eq!(store.audit.expire(Millis(100)).await, Ok(2));
    assert_eq!(numbers(store).await, [5]);
    let last = store.audit.newest(None, 1).await.expect("read").remove(0);
    let next = store.audit.append(entry("juliet@example.org", 11)).await.expect("written");
    assert!(next.follows(&last) && last.is_genuine());
    assert_eq!(store.audit.about("juliet@example.org").await, Ok(1));
    assert_eq!(store.audit.about("ada@example.org").await, Ok(2));
    assert_eq!(store.audit.about("nobody@example.org").await, Ok(0));
}

/// Beside others, with a role or with a device; not as a part of another address.
pub async fn entries_are_about_everybody_they_name(store: &Store) {
    for subject in [
        "romeo@example.org",
        "romeo@example.org, an administrator",
        "hall@rooms.example.org, romeo@example.org: owner",
        "hall@rooms.example.org, of romeo@example.org",
        "romeo@example.org/orchard",
        "juliet@example.org, to romeo@example.org",
        "xromeo@example.org",
        "romeo@example.org.example",
        "r_meo@example.org",
        "",
    ] {
        store.audit.append(entry(subject, 1)).await.expect("written");
    }
    assert_eq!(store.audit.about("romeo@example.org").await, Ok(6));
    assert_eq!(store.audit.about("r_meo@example.org").await, Ok(1));
    assert_eq!(store.audit.about("juliet@example.org").await, Ok(1));
    assert_eq!(store.audit.about("%").await, Ok(0));
}
