//! What keeping single archives longer or shorter than others means.

use super::account;
use super::archive::message;
use crate::archive::{Append, Before, Clear, Query};
use crate::retentions::Retention;
use crate::{AccountId, Millis, Store};

fn said(archive: AccountId, days: Option<u32>, own: Option<u32>) -> Retention {
    Retention { archive, days, own }
}

async fn expire(store: &Store, before: u64) -> u64 {
    store.archive.expire(Millis(before), 100).await.expect("expired")
}

fn before(moment: u64) -> Before {
    Before { delivered: Millis(moment), pending: Millis(moment) }
}

async fn expire_one(store: &Store, archive: AccountId, moment: u64) -> u64 {
    store.archive.expire_one(archive, before(moment), 100).await.expect("expired")
}

async fn kept(store: &Store, archive: AccountId) -> Vec<u64> {
    let query = Query { max: 100, ..Query::default() };
    let page = store.archive.page(archive, query).await.expect("read");
    page.rows.iter().map(|row| row.id).collect()
}

/// Operator and account say it apart from each other.
pub async fn what_was_said_is_kept(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    let retentions = &store.retentions;
    retentions.set(juliet, None).await.expect("set");
    retentions.choose(juliet, None).await.expect("chosen");
    assert_eq!(retentions.list().await, Ok(Vec::new()));
    retentions.set(romeo, Some(0)).await.expect("set");
    retentions.choose(juliet, Some(7)).await.expect("chosen");
    retentions.set(juliet, Some(90)).await.expect("set");
    assert_eq!(retentions.of(juliet).await, Ok(said(juliet, Some(90), Some(7))));
    retentions.choose(juliet, None).await.expect("chosen");
    retentions.set(romeo, None).await.expect("set");
    let all = vec![said(juliet, Some(90), None), said(romeo, None, None)];
    assert_eq!(retentions.list().await, Ok(all), "who was apart once is looked after apart");
    assert_eq!(store.accounts.delete(juliet, Millis(0)).await, Ok(true));
    assert_eq!(retentions.list().await, Ok(vec![said(romeo, None, None)]));
    retentions.set(juliet, Some(7)).await.expect("set");
    retentions.choose(juliet, Some(7)).await.expect("chosen");
    retentions.set(AccountId(-juliet.0), Some(7)).await.expect("set");
    assert_eq!(retentions.list().await, Ok(vec![said(romeo, None, None)]), "nobody has them");
}

/// Although both sides have the same stanza.
pub async fn an_archive_with_a_retention_of_its_own_keeps_to_it(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    for id in 1..=10 {
        let unit = [message(juliet, id), message(romeo, id)].into_iter().collect();
        store.archive.append(unit, None).expect("the queue has room");
    }
    store.retentions.set(juliet, Some(0)).await.expect("set");
    assert_eq!(expire(store, 5001).await, 5);
    assert_eq!(kept(store, romeo).await, [6, 7, 8, 9, 10]);
    assert_eq!(kept(store, juliet).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(expire(store, 5001).await, 0);
    assert_eq!(expire_one(store, juliet, 3001).await, 3);
    assert_eq!(expire_one(store, juliet, 7001).await, 4);
    assert_eq!(kept(store, juliet).await, [8, 9, 10]);
    assert_eq!(kept(store, romeo).await, [6, 7, 8, 9, 10], "the other side has its copy");
    store.retentions.set(juliet, None).await.expect("set");
    assert_eq!(expire(store, u64::MAX).await, 5);
    assert_eq!(kept(store, juliet).await, [8, 9, 10], "what was apart is looked after apart");
    assert_eq!(expire_one(store, juliet, u64::MAX).await, 3);
    assert_eq!(store.maintenance.check().await, Ok(Vec::new()));
}

/// Many rows go in short transactions, and no more than asked for.
pub async fn much_of_one_archive_goes_in_portions(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=700 {
        store.archive.append([message(juliet, id)].into_iter().collect(), None).expect("room");
    }
    store.retentions.choose(juliet, Some(1)).await.expect("chosen");
    let some = store.archive.expire_one(juliet, before(600_001), 300).await.expect("expired");
    assert!((300..600).contains(&some), "{some}");
    assert_eq!(expire_one(store, juliet, 600_001).await + some, 600);
    assert_eq!(kept(store, juliet).await, (601..=700).collect::<Vec<_>>());
}

/// What no device has yet has a time of its own, until one has it.
pub async fn what_waits_for_a_device_is_kept_apart(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=6 {
        let pending = id % 2 == 0;
        let unit = [Append { pending, ..message(juliet, id) }].into_iter().collect();
        store.archive.append(unit, None).expect("the queue has room");
    }
    store.retentions.choose(juliet, Some(1)).await.expect("chosen");
    let before = Before { delivered: Millis(5001), pending: Millis(3001) };
    assert_eq!(store.archive.expire_one(juliet, before, 100).await, Ok(4));
    assert_eq!(kept(store, juliet).await, [4, 6]);
    assert_eq!(store.archive.clear_pending(juliet, Clear::UpTo(4)).await, Ok(1));
    assert_eq!(store.archive.expire_one(juliet, before, 100).await, Ok(1));
    assert_eq!(kept(store, juliet).await, [6]);
}
