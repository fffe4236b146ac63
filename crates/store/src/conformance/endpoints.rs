//! What keeping addresses of applications means.

use bytes::Bytes;

use super::{account, missing};
use crate::endpoints::{Endpoint, EndpointId, Message, MessageId, Most, Waiting, Word};
use crate::{AccountId, Millis, Store, StoreError};

const MOST: Most = Most { of_endpoint: 3, of_account: 5 };

fn endpoint(account: AccountId, id: u8, application: u8) -> Endpoint {
    Endpoint {
        id: EndpointId([id; 16]),
        account,
        application: [application; 32],
        instance: [0; 32],
        resource: "phone".into(),
        expires: Millis(1000 + u64::from(id)),
    }
}

fn message(endpoint: u8, id: u8) -> Message {
    Message {
        id: MessageId([id; 16]),
        endpoint: EndpointId([endpoint; 16]),
        topic: None,
        expires: Millis(500),
        payload: Bytes::copy_from_slice(&[id]),
    }
}

async fn made(store: &Store, endpoint: &Endpoint) -> EndpointId {
    store.endpoints.register(endpoint.clone(), Millis(10), 10).await.expect("registered")
}

async fn keep(store: &Store, message: Message) -> bool {
    store.endpoints.keep(message, Millis(20), MOST).await.expect("kept")
}

async fn waiting(store: &Store, account: AccountId, after: u64) -> Vec<Waiting> {
    let waiting = store.endpoints.waiting(account, "phone", after, Millis(30), 100).await;
    waiting.expect("read")
}

fn ids(waiting: &[Waiting]) -> Vec<u8> {
    waiting.iter().map(|one| one.id.0[0]).collect()
}

/// The same application keeps its address, with another device and end.
pub async fn an_address_is_renewed(store: &Store) {
    let juliet = account(store, "juliet").await;
    let first = endpoint(juliet, 1, 7);
    assert_eq!(made(store, &first).await, first.id);
    let again = Endpoint { resource: "tablet".into(), ..endpoint(juliet, 2, 7) };
    assert_eq!(made(store, &again).await, first.id);
    let now = Endpoint { id: first.id, ..again };
    assert_eq!(store.endpoints.load(first.id).await, Ok(Some(now.clone())));
    assert_eq!(store.endpoints.load(EndpointId([2; 16])).await, Ok(None));
    let other = Endpoint { instance: [1; 32], ..endpoint(juliet, 3, 7) };
    assert_eq!(made(store, &other).await, other.id);
    assert_eq!(store.endpoints.list(juliet).await, Ok(vec![now, other]));
    let refused = store.endpoints.register(endpoint(missing(), 4, 7), Millis(10), 10).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

/// One that has ended does not come back; the application gets another.
pub async fn an_ended_address_is_not_renewed(store: &Store) {
    let juliet = account(store, "juliet").await;
    let first = endpoint(juliet, 1, 7);
    made(store, &first).await;
    assert!(keep(store, message(1, 1)).await);
    let late = Endpoint { expires: Millis(3000), ..endpoint(juliet, 2, 7) };
    let id = store.endpoints.register(late.clone(), Millis(1001), 10).await;
    assert_eq!(id, Ok(late.id));
    assert_eq!(store.endpoints.load(first.id).await, Ok(None));
    assert_eq!(waiting(store, juliet, 0).await, []);
}

/// Those that end first make room; nobody else's go.
pub async fn addresses_of_an_account_are_bounded(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    made(store, &endpoint(romeo, 9, 1)).await;
    for id in 1..=3 {
        made(store, &endpoint(juliet, id, id)).await;
    }
    let fourth = endpoint(juliet, 4, 4);
    assert_eq!(store.endpoints.register(fourth, Millis(10), 2).await, Ok(EndpointId([4; 16])));
    let left = store.endpoints.list(juliet).await.expect("read");
    assert_eq!(left.iter().map(|one| one.id.0[0]).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(store.endpoints.list(romeo).await.expect("read").len(), 1);
}

/// They wait in order for their device alone, and are gone when it has them.
pub async fn messages_wait_for_their_device(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    made(store, &endpoint(juliet, 1, 1)).await;
    made(store, &endpoint(juliet, 2, 2)).await;
    made(store, &endpoint(romeo, 3, 1)).await;
    for (at, id) in [(1, 1), (2, 2), (1, 3), (3, 4)] {
        assert!(keep(store, message(at, id)).await);
    }
    let all = waiting(store, juliet, 0).await;
    assert_eq!(ids(&all), [1, 2, 3]);
    assert_eq!((all[1].application, &all[1].payload[..]), ([2; 32], &[2][..]));
    assert_eq!(ids(&waiting(store, juliet, all[0].number).await), [2, 3]);
    let elsewhere = store.endpoints.waiting(juliet, "tablet", 0, Millis(30), 100).await;
    assert_eq!(elsewhere, Ok(vec![]));
    let answered = |account, resource, id| {
        store.endpoints.answered(account, resource, MessageId([id; 16]), Word::Taken)
    };
    assert_eq!(answered(romeo, "phone", 1).await, Ok(false));
    assert_eq!(answered(juliet, "tablet", 1).await, Ok(false));
    assert_eq!(answered(juliet, "phone", 1).await, Ok(true));
    assert_eq!(answered(juliet, "phone", 1).await, Ok(false));
    assert_eq!(ids(&waiting(store, juliet, 0).await), [2, 3]);
    assert!(!keep(store, message(8, 8)).await, "there is no such address");
}

/// The device does not know the application: its address ends, with everything that waits there.
pub async fn an_unknown_application_loses_its_address(store: &Store) {
    let juliet = account(store, "juliet").await;
    made(store, &endpoint(juliet, 1, 1)).await;
    made(store, &endpoint(juliet, 2, 2)).await;
    for (at, id) in [(1, 1), (1, 2), (2, 3)] {
        assert!(keep(store, message(at, id)).await);
    }
    let id = MessageId([2; 16]);
    assert_eq!(store.endpoints.answered(juliet, "phone", id, Word::Unknown).await, Ok(true));
    assert_eq!(store.endpoints.load(EndpointId([1; 16])).await, Ok(None));
    assert_eq!(ids(&waiting(store, juliet, 0).await), [3]);
    assert!(!keep(store, message(1, 4)).await);
}

/// A topic has one message; the oldest make room; what is too old is not there.
pub async fn messages_are_bounded(store: &Store) {
    let juliet = account(store, "juliet").await;
    for id in 1..=3 {
        made(store, &endpoint(juliet, id, id)).await;
    }
    let on_topic = |at, id| Message { topic: Some("t".into()), ..message(at, id) };
    assert!(keep(store, on_topic(1, 1)).await && keep(store, on_topic(2, 2)).await);
    assert!(keep(store, on_topic(1, 3)).await);
    assert_eq!(ids(&waiting(store, juliet, 0).await), [2, 3]);
    for id in 4..=6 {
        assert!(keep(store, message(1, id)).await);
    }
    assert_eq!(ids(&waiting(store, juliet, 0).await), [2, 4, 5, 6], "three for one address");
    for id in 7..=8 {
        assert!(keep(store, message(3, id)).await);
    }
    assert_eq!(ids(&waiting(store, juliet, 0).await), [4, 5, 6, 7, 8], "five for one account");
    let later = store.endpoints.waiting(juliet, "phone", 0, Millis(500), 100).await;
    assert_eq!(later, Ok(vec![]));
}

/// Ended addresses and messages are forgotten; those of an account go with it.
pub async fn what_has_ended_is_forgotten(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    made(store, &endpoint(juliet, 1, 1)).await;
    made(store, &endpoint(romeo, 5, 1)).await;
    assert!(keep(store, message(1, 1)).await && keep(store, message(5, 2)).await);
    let long = Message { expires: Millis(5000), ..message(1, 3) };
    assert!(keep(store, long).await);
    assert_eq!(store.endpoints.expire(Millis(499)).await, Ok(0));
    assert_eq!(store.endpoints.expire(Millis(500)).await, Ok(2));
    assert!(!store.endpoints.keep(message(1, 4), Millis(1001), MOST).await.expect("read"));
    let late = store.endpoints.waiting(juliet, "phone", 0, Millis(1001), 100).await;
    assert_eq!(late, Ok(vec![]), "not after the end of the address");
    assert_eq!(store.endpoints.expire(Millis(1001)).await, Ok(1));
    assert_eq!(store.endpoints.load(EndpointId([1; 16])).await, Ok(None));
    store.accounts.delete(romeo, Millis(0)).await.expect("deleted");
    assert_eq!(store.endpoints.load(EndpointId([5; 16])).await, Ok(None));
}
