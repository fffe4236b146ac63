//! What keeping sessions over a restart means.

use super::{account, missing};
use crate::sessions::Hibernated;
use crate::{AccountId, Millis, Store};

fn session(account: AccountId, number: u64) -> Hibernated {
    Hibernated {
        id: format!("session{number:04}").into(),
        account,
        expires_at: Millis(100 + number),
        snapshot: format!("snapshot {number}").into(),
    }
}

/// Those that have ended are not returned, and nothing is returned twice.
pub async fn sessions_are_taken_once(store: &Store) {
    let juliet = account(store, "juliet").await;
    let saved: Vec<Hibernated> = (0..300).map(|number| session(juliet, number)).collect();
    store.sessions.save(saved.clone()).await.expect("saved");
    store.sessions.save(vec![]).await.expect("saved");
    let replaced = Hibernated { snapshot: "newer".into(), ..session(juliet, 299) };
    store.sessions.save(vec![replaced.clone()]).await.expect("saved");
    let taken = store.sessions.take_all(Millis(110)).await.expect("taken");
    assert_eq!(taken[..288], saved[11..299]);
    assert_eq!(taken[288..], [replaced]);
    assert_eq!(store.sessions.take_all(Millis(0)).await, Ok(vec![]));
}

/// Also when the account went while its session was being saved.
pub async fn sessions_of_deleted_accounts_are_gone(store: &Store) {
    let (romeo, juliet) = (account(store, "romeo").await, account(store, "juliet").await);
    let sessions = vec![session(romeo, 1), session(missing(), 2), session(juliet, 3)];
    store.sessions.save(sessions).await.expect("saved");
    store.accounts.delete(romeo, Millis(0)).await.expect("deleted");
    assert_eq!(store.sessions.take_all(Millis(0)).await, Ok(vec![session(juliet, 3)]));
}
