//! What keeping push registrations means.

use bytes::Bytes;

use super::{account, missing};
use crate::push::Registration;
use crate::{AccountId, Millis, Store, StoreError};

fn registration(account: AccountId, service: &str, node: &str, resource: &str) -> Registration {
    Registration {
        account,
        service: service.into(),
        node: node.into(),
        resource: resource.into(),
        enabled_at: Millis(10),
        details: Bytes::from_static(b"{}"),
    }
}

/// One row for each service and node; the last request counts.
pub async fn a_service_and_node_are_one_registration(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    let phone = registration(juliet, "push.example", "a", "phone");
    let tablet = registration(juliet, "push.example", "b", "tablet");
    let again = Registration { enabled_at: Millis(20), ..phone.clone() };
    let his = registration(romeo, "push.example", "a", "phone");
    for row in [&phone, &tablet, &again, &his] {
        store.push.save(row.clone()).await.expect("saved");
    }
    let hers = vec![again.clone(), tablet.clone()];
    assert_eq!(store.push.list(Some(juliet)).await, Ok(hers));
    assert_eq!(store.push.list(None).await, Ok(vec![again, tablet, his]));
    let refused = store.push.save(registration(missing(), "push.example", "a", "phone")).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
}

/// One node of a service, or all of them; never somebody else's.
pub async fn registrations_are_forgotten(store: &Store) {
    let (juliet, romeo) = (account(store, "juliet").await, account(store, "romeo").await);
    let rows = [(juliet, "a", "1"), (juliet, "a", "2"), (juliet, "b", ""), (romeo, "a", "1")];
    for (account, service, node) in rows {
        store.push.save(registration(account, service, node, "phone")).await.expect("saved");
    }
    assert_eq!(store.push.delete(juliet, "a", Some("3")).await, Ok(0));
    assert_eq!(store.push.delete(juliet, "a", Some("1")).await, Ok(1));
    assert_eq!(store.push.delete(juliet, "a", None).await, Ok(1));
    assert_eq!(store.push.delete(juliet, "b", Some("")).await, Ok(1));
    assert_eq!(store.push.list(Some(juliet)).await, Ok(vec![]));
    store.accounts.delete(romeo, Millis(0)).await.expect("deleted");
    assert_eq!(store.push.list(None).await, Ok(vec![]));
}
