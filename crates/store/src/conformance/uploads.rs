//! What keeping uploaded files means.

use super::{account, missing};
use crate::uploads::{Budget, File, FileId, Place, Purpose, ReserveError, Select, Usage};
use crate::{AccountId, Millis, Store};

const BUDGET: Budget = Budget { bytes: 1000, files: 5, slots: 3 };

fn slot(account: AccountId, id: u8, size: u64) -> File {
    File {
        id: FileId([id; 16]),
        account,
        name: "balcony.jpg".into(),
        media: Some("image/jpeg".into()),
        size,
        purpose: Purpose::Message,
        created: Millis(100 + u64::from(id)),
        slot_ends: Millis(400),
        expires: Some(Millis(5000)),
        sha256: None,
    }
}

async fn upload(store: &Store, file: File) {
    let id = file.id;
    store.uploads.reserve(file, BUDGET, Millis(100)).await.expect("reserved");
    assert_eq!(store.uploads.complete(id, "image/png", [7; 32]).await, Ok(true));
}

/// From slot to file.
pub async fn a_slot_becomes_a_file_once(store: &Store) {
    let juliet = account(store, "juliet").await;
    let uploads = &store.uploads;
    let wanted = slot(juliet, 1, 300);
    uploads.reserve(wanted.clone(), BUDGET, Millis(100)).await.expect("reserved");
    assert_eq!(uploads.load(wanted.id).await, Ok(Some(wanted.clone())));
    assert_eq!(uploads.list(juliet, Select::First, 10).await, Ok(vec![]));
    assert_eq!(uploads.prolong(wanted.id, Millis(900)).await, Ok(true));
    assert_eq!(uploads.expire(Millis(899), 10).await, Ok(0));
    assert_eq!(uploads.complete(wanted.id, "image/png", [7; 32]).await, Ok(true));
    assert_eq!(uploads.prolong(wanted.id, Millis(901)).await, Ok(false));
    assert_eq!(uploads.complete(wanted.id, "image/gif", [8; 32]).await, Ok(false));
    assert_eq!(uploads.complete(FileId([9; 16]), "image/gif", [8; 32]).await, Ok(false));
    let (media, slot_ends) = (Some("image/png".into()), Millis(900));
    let file = File { media, slot_ends, sha256: Some([7; 32]), ..wanted };
    assert_eq!(uploads.load(file.id).await, Ok(Some(file.clone())));
    assert_eq!(uploads.list(juliet, Select::First, 10).await, Ok(vec![file]));
    assert!(uploads.reserve(slot(missing(), 2, 1), BUDGET, Millis(100)).await.is_err());
    assert!(uploads.reserve(slot(juliet, 1, 1), BUDGET, Millis(100)).await.is_err());
}

/// What is reserved counts at once, so two uploads at a time cannot pass the quota together.
pub async fn slots_count_against_the_quota(store: &Store) {
    let juliet = account(store, "juliet").await;
    let uploads = &store.uploads;
    uploads.reserve(slot(juliet, 1, 600), BUDGET, Millis(100)).await.expect("reserved");
    let full = ReserveError::Quota { used: 600, until: Some(Millis(400)) };
    assert_eq!(uploads.reserve(slot(juliet, 2, 401), BUDGET, Millis(100)).await, Err(full));
    uploads.reserve(slot(juliet, 2, 400), BUDGET, Millis(100)).await.expect("exactly full");
    let usage = uploads.usage(juliet, vec![Purpose::Message]).await;
    assert_eq!(usage, Ok(Usage { files: 2, bytes: 1000 }));
    // A slot that ended unused is free again.
    uploads.reserve(slot(juliet, 3, 1000), BUDGET, Millis(400)).await.expect("reserved");
    let romeo = account(store, "romeo").await;
    uploads.reserve(slot(romeo, 4, 1000), BUDGET, Millis(100)).await.expect("his own quota");
}

/// Slots that nobody uses are bounded until they end.
pub async fn unused_slots_are_bounded(store: &Store) {
    let juliet = account(store, "juliet").await;
    let uploads = &store.uploads;
    let ending = |id, at| File { slot_ends: Millis(at), ..slot(juliet, id, 1) };
    for (id, at) in [(1, 402), (2, 400), (3, 401)] {
        uploads.reserve(ending(id, at), BUDGET, Millis(100)).await.expect("reserved");
    }
    let full = ReserveError::Slots { until: Millis(400) };
    assert_eq!(uploads.reserve(slot(juliet, 4, 1), BUDGET, Millis(399)).await, Err(full.clone()));
    assert_eq!(uploads.complete(FileId([1; 16]), "a/b", [7; 32]).await, Ok(true));
    uploads.reserve(ending(4, 900), BUDGET, Millis(399)).await.expect("one is used");
    assert_eq!(uploads.reserve(slot(juliet, 5, 1), BUDGET, Millis(399)).await, Err(full));
    uploads.reserve(ending(5, 900), BUDGET, Millis(400)).await.expect("one has ended");
    let romeo = account(store, "romeo").await;
    uploads.reserve(slot(romeo, 9, 1), BUDGET, Millis(100)).await.expect("his own");
}

/// The newest first, from both ends, beside slots and files of others.
pub async fn files_are_listed_from_both_ends(store: &Store) {
    let juliet = account(store, "juliet").await;
    let romeo = account(store, "romeo").await;
    let uploads = &store.uploads;
    // 2 and 3 are of one moment.
    for (id, at) in [(1, 10), (2, 20), (3, 20), (4, 30)] {
        upload(store, File { created: Millis(at), ..slot(juliet, id, 1) }).await;
    }
    upload(store, File { created: Millis(20), ..slot(romeo, 8, 1) }).await;
    uploads.reserve(slot(juliet, 9, 1), BUDGET, Millis(100)).await.expect("reserved");
    let place = |id: u8, at| Place { created: Millis(at), id: FileId([id; 16]) };
    let list = async |select, limit| {
        let files = uploads.list(juliet, select, limit).await.expect("read");
        files.into_iter().map(|file| file.id.0[0]).collect::<Vec<u8>>()
    };
    assert_eq!(list(Select::First, 9).await, [4, 2, 3, 1]);
    assert_eq!(list(Select::First, 2).await, [4, 2]);
    assert_eq!(list(Select::After(place(2, 20)), 1).await, [3]);
    assert_eq!(list(Select::After(place(7, 20)), 9).await, [1]);
    assert_eq!(list(Select::Before(place(1, 10)), 2).await, [2, 3]);
    assert_eq!(list(Select::Before(place(0, 20)), 9).await, [4]);
    assert_eq!(list(Select::Last, 2).await, [3, 1]);
    assert_eq!(list(Select::From(1), 2).await, [2, 3]);
    assert_eq!(list(Select::From(4), 2).await, [0; 0]);
    assert_eq!(uploads.count(juliet, Some(place(3, 20))).await, Ok((2, 4)));
    assert_eq!(uploads.count(juliet, None).await, Ok((0, 4)));
}

/// Purposes with quotas of their own, and a bound on the number.
pub async fn purposes_have_quotas_of_their_own(store: &Store) {
    let juliet = account(store, "juliet").await;
    let uploads = &store.uploads;
    let of = |id, purpose, size| File { purpose, expires: None, ..slot(juliet, id, size) };
    for (id, purpose) in [(1, Purpose::Message), (2, Purpose::Profile), (3, Purpose::Permanent)] {
        upload(store, of(id, purpose, 900)).await;
    }
    let ephemeral = uploads.reserve(of(4, Purpose::Ephemeral, 200), BUDGET, Millis(100)).await;
    assert_eq!(ephemeral, Err(ReserveError::Quota { used: 900, until: None }));
    upload(store, of(4, Purpose::Ephemeral, 50)).await;
    upload(store, of(5, Purpose::Profile, 1)).await;
    let sixth = uploads.reserve(of(6, Purpose::Profile, 1), BUDGET, Millis(100)).await;
    assert_eq!(sixth, Err(ReserveError::Files));
    let usage = uploads.usage(juliet, vec![Purpose::Profile, Purpose::Permanent]).await;
    assert_eq!(usage, Ok(Usage { files: 3, bytes: 1801 }));
}

/// Whatever goes leaves its name behind until its bytes are gone.
pub async fn what_goes_is_left_over_until_cleared(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    let uploads = &store.uploads;
    for id in 1..=4 {
        upload(store, slot(juliet, id, 10)).await;
    }
    upload(store, slot(romeo, 5, 10)).await;
    assert_eq!(uploads.leftovers(10).await, Ok(vec![]));
    let two = vec![FileId([1; 16]), FileId([5; 16])];
    assert_eq!(uploads.delete(juliet, Some(two)).await, Ok(1), "not those of others");
    assert_eq!(uploads.leftovers(10).await, Ok(vec![FileId([1; 16])]));
    uploads.cleared(vec![FileId([1; 16])]).await.expect("cleared");
    assert_eq!(uploads.delete(juliet, None).await, Ok(3));
    uploads.cleared(uploads.leftovers(10).await.expect("read")).await.expect("cleared");
    assert_eq!(store.accounts.delete(romeo, Millis(0)).await, Ok(true));
    assert_eq!(uploads.load(FileId([5; 16])).await, Ok(None));
    assert_eq!(uploads.leftovers(10).await, Ok(vec![FileId([5; 16])]));
}

/// What an account has is counted as it comes and goes, in whatever way.
pub async fn usage_follows_what_comes_and_goes(store: &Store) {
    let juliet = account(store, "juliet").await;
    let uploads = &store.uploads;
    let used = async || uploads.usage(juliet, vec![Purpose::Message]).await.expect("read");
    assert_eq!(used().await, Usage::default());
    upload(store, slot(juliet, 1, 10)).await;
    upload(store, slot(juliet, 2, 20)).await;
    uploads.reserve(slot(juliet, 3, 30), BUDGET, Millis(100)).await.expect("reserved");
    assert_eq!(used().await, Usage { files: 3, bytes: 60 });
    assert!(uploads.reserve(slot(juliet, 1, 5), BUDGET, Millis(100)).await.is_err());
    assert_eq!(used().await, Usage { files: 3, bytes: 60 }, "what is refused is not counted");
    assert_eq!(uploads.expire(Millis(400), 10).await, Ok(1));
    assert_eq!(used().await, Usage { files: 2, bytes: 30 });
    assert_eq!(uploads.delete(juliet, Some(vec![FileId([1; 16])])).await, Ok(1));
    assert_eq!(used().await, Usage { files: 1, bytes: 20 });
    assert_eq!(uploads.delete(juliet, None).await, Ok(1));
    assert_eq!(used().await, Usage::default());
    upload(store, slot(juliet, 4, 10)).await;
    assert_eq!(store.accounts.delete(juliet, Millis(0)).await, Ok(true));
    assert_eq!(used().await, Usage::default());
}

/// Files by their time, slots by theirs.
pub async fn files_and_slots_expire(store: &Store) {
    let juliet = account(store, "juliet").await;
    let uploads = &store.uploads;
    upload(store, slot(juliet, 1, 10)).await;
    upload(store, File { expires: None, ..slot(juliet, 2, 10) }).await;
    uploads.reserve(slot(juliet, 3, 10), BUDGET, Millis(100)).await.expect("reserved");
    assert_eq!(uploads.expire(Millis(399), 10).await, Ok(0));
    assert_eq!(uploads.expire(Millis(400), 10).await, Ok(1));
    assert_eq!(uploads.expire(Millis(4999), 10).await, Ok(0));
    assert_eq!(uploads.expire(Millis(5000), 10).await, Ok(1));
    let left = uploads.list(juliet, Select::First, 10).await.expect("read");
    assert_eq!(left.iter().map(|file| file.id).collect::<Vec<_>>(), [FileId([2; 16])]);
    assert_eq!(uploads.leftovers(1).await.expect("read").len(), 1);
    assert_eq!(uploads.leftovers(10).await.expect("read").len(), 2);
}
