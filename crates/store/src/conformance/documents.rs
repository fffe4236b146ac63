//! What keeping documents means.

use super::account;
use crate::Store;
use crate::documents::SaveError;

/// One document per key.
pub async fn a_document_is_replaced_and_deleted(store: &Store) {
    let juliet = account(store, "juliet").await;
    assert_eq!(store.documents.load(juliet, "vcard").await, Ok(None));
    store.documents.save(juliet, "vcard", "one".into(), 100).await.expect("saved");
    store.documents.save(juliet, "vcard", "two".into(), 100).await.expect("saved");
    assert_eq!(store.documents.load(juliet, "vcard").await, Ok(Some("two".into())));
    assert_eq!(store.documents.delete(juliet, "vcard").await, Ok(true));
    assert_eq!(store.documents.delete(juliet, "vcard").await, Ok(false));
    assert_eq!(store.documents.load(juliet, "vcard").await, Ok(None));
}

/// A refused document changes nothing.
pub async fn the_quota_counts_keys_and_bodies(store: &Store) {
    let juliet = account(store, "juliet").await;
    assert_eq!(store.documents.save(juliet, "é", "12345".into(), 20).await, Ok(7));
    assert_eq!(store.documents.save(juliet, "b", "12345".into(), 20).await, Ok(13));
    let refused = store.documents.save(juliet, "c", "1234567".into(), 20).await;
    assert_eq!(refused, Err(SaveError::Quota));
    let refused = store.documents.save(juliet, "b", "1234567890123".into(), 20).await;
    assert_eq!(refused, Err(SaveError::Quota));
    assert_eq!(store.documents.load(juliet, "c").await, Ok(None));
    assert_eq!(store.documents.load(juliet, "b").await, Ok(Some("12345".into())));
    assert_eq!(store.documents.save(juliet, "b", "1".into(), 20).await, Ok(9));
    let romeo = account(store, "romeo").await;
    assert_eq!(store.documents.save(romeo, "b", "1".into(), 20).await, Ok(2));
}

/// A prefix is taken literally.
pub async fn keys_are_listed_by_prefix(store: &Store) {
    let juliet = account(store, "juliet").await;
    for key in ["private:b", "private:a", "privat_:a", "vcard", "privatf"] {
        store.documents.save(juliet, key, "x".into(), 1000).await.expect("saved");
    }
    let keys = store.documents.keys(juliet, "private:").await.expect("read");
    assert_eq!(keys, [("private:a".into(), 1), ("private:b".into(), 1)]);
    assert_eq!(store.documents.keys(juliet, "").await.expect("read").len(), 5);
}
