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

/// Whoever writes late does not bring back what was forgotten, nor change what was made anew.
pub async fn details_change_while_the_registration_is_the_same(store: &Store) {
    let juliet = account(store, "juliet").await;
    let phone = registration(juliet, "push.example", "a", "phone");
    let tablet = registration(juliet, "push.example", "b", "tablet");
    let changed = |row: &Registration| Registration {
        details: Bytes::from_static(b"{\"due\":1}"),
        ..row.clone()
    };
    store.push.update(changed(&phone)).await.expect("nothing to update");
    assert_eq!(store.push.list(None).await, Ok(vec![]));
    for row in [&phone, &tablet] {
        store.push.save(row.clone()).await.expect("saved");
    }
    store.push.update(changed(&phone)).await.expect("updated");
    assert_eq!(store.push.list(None).await, Ok(vec![changed(&phone), tablet.clone()]));
    let again = Registration { enabled_at: Millis(20), ..phone.clone() };
    store.push.save(again.clone()).await.expect("made anew");
    store.push.update(changed(&phone)).await.expect("of another one");
    assert_eq!(store.push.list(None).await, Ok(vec![again, tablet]));
}
