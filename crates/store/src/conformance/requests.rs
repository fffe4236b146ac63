//! What keeping requests for an account means.

use crate::requests::{MAX_OPEN, NewRequest, RequestId, State};
use crate::{Millis, Store, StoreError};

fn request(name: &str, at: u64) -> NewRequest {
    NewRequest {
        name: name.into(),
        contact: "nurse@mail.example".into(),
        text: "I am the nurse.".into(),
        at: Millis(at),
    }
}

/// Approved or declined, once.
pub async fn a_request_is_decided_once(store: &Store) {
    let first = store.requests.create(request("nurse", 1)).await.expect("created");
    let second = store.requests.create(request("paris", 2)).await.expect("created");
    let decided = store.requests.decide(first, State::Approved, Millis(9)).await;
    let decided = decided.expect("written").expect("open");
    assert_eq!((decided.state, decided.decided_at), (State::Approved, Some(Millis(9))));
    assert_eq!(decided.request, request("nurse", 1));
    assert_eq!(store.requests.decide(first, State::Declined, Millis(10)).await, Ok(None));
    assert_eq!(store.requests.decide(RequestId(99), State::Declined, Millis(10)).await, Ok(None));
    let ids = async |state, after, limit| -> Vec<RequestId> {
        let list = store.requests.list(state, after, limit).await.expect("read");
        list.iter().map(|request| request.id).collect()
    };
    assert_eq!(ids(None, None, 10).await, [first, second]);
    assert_eq!(ids(None, Some(first), 10).await, [second]);
    assert_eq!(ids(Some(State::Open), None, 10).await, [second]);
    assert_eq!(ids(Some(State::Approved), None, 10).await, [first]);
    assert_eq!(ids(Some(State::Declined), None, 10).await, []);
}

/// Old ones go, decided or not.
pub async fn requests_expire(store: &Store) {
    for at in 1..=3 {
        store.requests.create(request("nurse", at)).await.expect("created");
    }
    assert_eq!(store.requests.expire(Millis(3)).await, Ok(2));
    assert_eq!(store.requests.list(None, None, 10).await.expect("read").len(), 1);
}

/// Strangers cannot fill the disk.
pub async fn open_requests_are_bounded(store: &Store) {
    let first = store.requests.create(request("nurse", 1)).await.expect("created");
    for _ in 1..MAX_OPEN {
        store.requests.create(request("nurse", 1)).await.expect("created");
    }
    let refused = store.requests.create(request("nurse", 1)).await;
    assert!(matches!(refused, Err(StoreError::Limit(_))));
    store.requests.decide(first, State::Declined, Millis(2)).await.expect("decided");
    store.requests.create(request("nurse", 1)).await.expect("there is room again");
}
