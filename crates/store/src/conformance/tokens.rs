//! What keeping login tokens means.

use super::{account, missing};
use crate::tokens::{MAX_DEVICES, Slot, Token};
use crate::{AccountId, Millis, SecretBytes, Store, StoreError};

pub(super) fn token(account: AccountId, client: &str, slot: Slot, key: u8) -> Token {
    Token {
        account,
        client: client.into(),
        slot,
        mechanism: "HT-SHA-256-EXPR".into(),
        key: SecretBytes(vec![key; 32]),
        description: "Clownfish on a phone".into(),
        created_at: Millis(10),
        expires_at: Millis(1000),
        last_used: None,
        counter: 0,
    }
}

/// Current and new are kept side by side; a third replaces.
pub async fn a_device_has_two_slots(store: &Store) {
    let juliet = account(store, "juliet").await;
    let current = token(juliet, "phone", Slot::Current, 1);
    for token in [&current, &token(juliet, "phone", Slot::New, 2)] {
        store.tokens.save(token.clone()).await.expect("saved");
    }
    let newer = token(juliet, "phone", Slot::New, 3);
    store.tokens.save(newer.clone()).await.expect("saved");
    store.tokens.save(token(juliet, "laptop", Slot::New, 4)).await.expect("saved");
    assert_eq!(store.tokens.load(juliet, "phone").await, Ok(vec![current, newer]));
    let refused = store.tokens.save(token(missing(), "phone", Slot::New, 5)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

/// Rotation: the old one stays good until the new one is used (XEP-0484 §3.4).
pub async fn using_the_new_token_ends_the_old(store: &Store) {
    let juliet = account(store, "juliet").await;
    store.tokens.save(token(juliet, "phone", Slot::Current, 1)).await.expect("saved");
    store.tokens.save(token(juliet, "phone", Slot::New, 2)).await.expect("saved");
    let tokens = &store.tokens;
    assert_eq!(tokens.used(juliet, "phone", Slot::Current, Millis(20), None).await, Ok(true));
    assert_eq!(tokens.load(juliet, "phone").await.expect("read").len(), 2);
    assert_eq!(tokens.used(juliet, "phone", Slot::New, Millis(30), None).await, Ok(true));
    let expected =
        Token { last_used: Some(Millis(30)), ..token(juliet, "phone", Slot::Current, 2) };
    assert_eq!(tokens.load(juliet, "phone").await, Ok(vec![expected]));
    assert_eq!(tokens.used(juliet, "phone", Slot::New, Millis(40), None).await, Ok(false));
}

/// A replayed or older count is refused.
pub async fn a_counter_only_grows(store: &Store) {
    let juliet = account(store, "juliet").await;
    store.tokens.save(token(juliet, "phone", Slot::Current, 1)).await.expect("saved");
    for (count, expected) in [(1, true), (1, false), (5, true), (3, false), (u64::MAX, true)] {
        let used = store.tokens.used(juliet, "phone", Slot::Current, Millis(20), Some(count)).await;
        assert_eq!(used, Ok(expected), "{count}");
    }
}

/// Lists, revocation, end.
pub async fn tokens_are_revoked_and_expire(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    for (account, client) in [(juliet, "phone"), (juliet, "laptop"), (romeo, "phone")] {
        store.tokens.save(token(account, client, Slot::Current, 1)).await.expect("saved");
    }
    assert_eq!(store.tokens.list(None, 10).await.expect("read").len(), 3);
    assert_eq!(store.tokens.list(None, 2).await.expect("read").len(), 2);
    assert_eq!(store.tokens.list(Some(juliet), 10).await.expect("read").len(), 2);
    assert_eq!(store.tokens.revoke(juliet, Some("phone")).await, Ok(1));
    assert_eq!(store.tokens.load(juliet, "phone").await, Ok(vec![]));
    assert_eq!(store.tokens.revoke(juliet, None).await, Ok(1));
    assert_eq!(store.tokens.expire(Millis(1000)).await, Ok(0));
    assert_eq!(store.tokens.expire(Millis(1001)).await, Ok(1));
    assert_eq!(store.tokens.list(None, 10).await, Ok(vec![]));
}

/// The device unused for longest loses its tokens.
pub async fn devices_make_room(store: &Store) {
    let juliet = account(store, "juliet").await;
    for number in 0..MAX_DEVICES {
        let client = format!("device{number:03}");
        let used = Token {
            last_used: Some(Millis(100 + number as u64)),
            ..token(juliet, &client, Slot::Current, 1)
        };
        store.tokens.save(used).await.expect("saved");
    }
    store.tokens.save(token(juliet, "phone", Slot::New, 1)).await.expect("saved");
    let left = store.tokens.list(Some(juliet), 1000).await.expect("read");
    assert_eq!(left.len(), MAX_DEVICES);
    assert_eq!(store.tokens.load(juliet, "device000").await, Ok(vec![]));
    assert_eq!(store.tokens.load(juliet, "phone").await.expect("read").len(), 1);
}
