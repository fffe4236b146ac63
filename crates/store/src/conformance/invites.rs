//! What keeping invitations means.

use super::account;
use super::tokens::token;
use crate::accounts::Credential;
use crate::invites::{InviteId, Kind, NewInvite, TokenHash, UseError};
use crate::tokens::Slot;
use crate::{AccountId, Millis, SecretBytes, Store};

fn invite(hash: u8, created_by: Option<AccountId>, uses: u32) -> NewInvite {
    NewInvite {
        hash: TokenHash([hash; 32]),
        kind: Kind::Contact,
        created_by,
        created_at: Millis(1),
        name: Some("juliet".into()),
        subject: None,
        expires_at: Millis(5000),
        uses,
        admin: false,
        note: "for the club".into(),
    }
}

/// Counted uses, each with who and when.
pub async fn an_invitation_is_used_up(store: &Store) {
    let romeo = account(store, "romeo").await;
    let reset = NewInvite { kind: Kind::Reset, subject: Some(romeo), ..invite(1, None, 2) };
    let id = store.invites.create(reset.clone()).await.expect("created");
    let found = store.invites.by_hash(TokenHash([1; 32])).await.expect("read").expect("there");
    assert_eq!((found.id, &found.invite, found.revoked), (id, &reset, false));
    let hash = TokenHash([1; 32]);
    let once = store.invites.consume(hash, Millis(10), Some(romeo)).await.expect("used");
    assert_eq!((once.invite.uses, once.used_by.len()), (1, 1));
    let twice = store.invites.consume(hash, Millis(11), None).await.expect("used");
    assert_eq!(twice.used_by, [(Some(romeo), Millis(10)), (None, Millis(11))]);
    assert_eq!(store.invites.consume(hash, Millis(12), None).await, Err(UseError::Invalid));
    let unknown = store.invites.consume(TokenHash([9; 32]), Millis(12), None).await;
    assert_eq!(unknown, Err(UseError::Invalid));
}

/// Whoever could not set a password still has the link.
pub async fn a_reset_takes_the_use_and_sets_the_keys_or_does_neither(store: &Store) {
    let romeo = account(store, "romeo").await;
    let key = |hash: u8, salt: u8| Credential {
        hash,
        iterations: 10_000,
        salt: vec![salt],
        stored_key: SecretBytes(vec![1; 32]),
        server_key: SecretBytes(vec![2; 32]),
    };
    let link = TokenHash([1; 32]);
    let reset = NewInvite { kind: Kind::Reset, subject: Some(romeo), ..invite(1, None, 1) };
    store.accounts.set_credentials(romeo, vec![key(1, 7)]).await.expect("set");
    store.invites.create(reset).await.expect("created");
    // Two keys for one hash are refused after the old ones were taken away.
    let twice = store.invites.reset(link, Millis(10), vec![key(1, 8), key(1, 9)]).await;
    assert!(matches!(twice, Err(UseError::Store(_))), "{twice:?}");
    assert_eq!(store.accounts.credentials(romeo).await, Ok(vec![key(1, 7)]), "as before");
    let found = store.invites.by_hash(link).await.expect("read").expect("there");
    assert_eq!((found.invite.uses, found.used_by.len()), (1, 0), "the link is good");
    assert_eq!(store.invites.reset(link, Millis(11), vec![key(1, 8)]).await, Ok(romeo));
    assert_eq!(store.accounts.credentials(romeo).await, Ok(vec![key(1, 8)]));
    let again = store.invites.reset(link, Millis(12), vec![key(1, 9)]).await;
    assert_eq!(again, Err(UseError::Invalid), "once");
    let other = NewInvite { subject: Some(romeo), ..invite(2, None, 1) };
    store.invites.create(other).await.expect("created");
    let wrong = store.invites.reset(TokenHash([2; 32]), Millis(12), vec![key(1, 9)]).await;
    assert_eq!(wrong, Err(UseError::Invalid), "an invitation sets no password");
    assert_eq!(store.accounts.credentials(romeo).await, Ok(vec![key(1, 8)]));
}

/// Tokens and links of this account alone, in one transaction with its keys.
pub async fn other_keys_end_the_other_ways_in_or_nothing_changes(store: &Store) {
    let (romeo, juliet) = (account(store, "romeo").await, account(store, "juliet").await);
    let key = || Credential {
        hash: 1,
        iterations: 10_000,
        salt: vec![7],
        stored_key: SecretBytes(vec![1; 32]),
        server_key: SecretBytes(vec![2; 32]),
    };
    let link = |hash, subject, kind| {
        store.invites.create(NewInvite { kind, subject: Some(subject), ..invite(hash, None, 1) })
    };
    link(1, romeo, Kind::Reset).await.expect("created");
    link(2, romeo, Kind::Reset).await.expect("created");
    link(3, romeo, Kind::Contact).await.expect("created");
    link(4, juliet, Kind::Reset).await.expect("created");
    for account in [romeo, juliet] {
        let token = token(account, "phone", Slot::Current, 1);
        store.tokens.save(token).await.expect("saved");
    }
    let left = async || {
        let mut good = Vec::new();
        for hash in 1..=4 {
            let found = store.invites.by_hash(TokenHash([hash; 32])).await.expect("read");
            good.push(found.is_some_and(|found| found.is_valid(Millis(10))));
        }
        let tokens = store.tokens.list(None, 10).await.expect("read");
        (good, tokens.iter().map(|token| token.account).collect::<Vec<_>>())
    };
    let twice = store.accounts.set_credentials(romeo, vec![key(), key()]).await;
    assert!(twice.is_err(), "two keys for one hash");
    assert_eq!(left().await, (vec![true; 4], vec![romeo, juliet]));
    let first = TokenHash([1; 32]);
    assert_eq!(store.invites.reset(first, Millis(10), vec![key()]).await, Ok(romeo));
    assert_eq!(left().await, (vec![false, false, true, true], vec![juliet]));
    store.accounts.set_credentials(juliet, vec![key()]).await.expect("set");
    assert_eq!(left().await, (vec![false, false, true, false], vec![]));
}

/// By time, by revocation, by being removed.
pub async fn an_invitation_ends(store: &Store) {
    let id = store.invites.create(invite(1, None, 5)).await.expect("created");
    store.invites.create(invite(2, None, 5)).await.expect("created");
    let late = store.invites.consume(TokenHash([2; 32]), Millis(5000), None).await;
    assert_eq!(late, Err(UseError::Invalid));
    assert_eq!(store.invites.revoke(id).await, Ok(true));
    assert_eq!(store.invites.revoke(InviteId(999)).await, Ok(false));
    let revoked = store.invites.consume(TokenHash([1; 32]), Millis(2), None).await;
    assert_eq!(revoked, Err(UseError::Invalid));
    assert_eq!(store.invites.expire(Millis(5000)).await, Ok(0));
    assert_eq!(store.invites.expire(Millis(5001)).await, Ok(2));
    assert_eq!(store.invites.by_hash(TokenHash([1; 32])).await, Ok(None));
}

/// In pages, of one inviter or of all.
pub async fn invitations_are_listed_newest_first(store: &Store) {
    let romeo = account(store, "romeo").await;
    let mut ids = Vec::new();
    for hash in 1..=4 {
        let by = (hash % 2 == 0).then_some(romeo);
        ids.push(store.invites.create(invite(hash, by, 1)).await.expect("created"));
    }
    let list = async |by, before, limit| -> Vec<InviteId> {
        let invites = store.invites.list(by, before, limit).await.expect("read");
        invites.iter().map(|invite| invite.id).collect()
    };
    assert_eq!(list(None, None, 3).await, [ids[3], ids[2], ids[1]]);
    assert_eq!(list(None, Some(ids[1]), 3).await, [ids[0]]);
    assert_eq!(list(Some(romeo), None, 3).await, [ids[3], ids[1]]);
}

/// Nobody is invited by an account that is gone; who was, stays.
pub async fn deleting_the_inviter_ends_the_invitation(store: &Store) {
    let romeo = account(store, "romeo").await;
    store.invites.create(invite(1, Some(romeo), 5)).await.expect("created");
    store.accounts.delete(romeo, Millis(0)).await.expect("deleted");
    assert_eq!(store.invites.by_hash(TokenHash([1; 32])).await, Ok(None));
}
