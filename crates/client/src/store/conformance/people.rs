//! What keeping contacts and archives means.

use super::{address, contact};
use crate::store::{ArchiveState, Contact, Store};

/// One row for each address.
pub fn contacts_are_replaced_and_removed(store: &dyn Store) {
    store.save_contact(&contact("romeo@example.org")).unwrap();
    store.save_contact(&contact("nurse@example.org")).unwrap();
    let blocked = Contact { blocked: true, name: None, ..contact("romeo@example.org") };
    store.save_contact(&blocked).unwrap();
    let mut all = store.contacts().unwrap();
    all.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(all, [contact("nurse@example.org"), blocked.clone()]);
    store.remove_contact(&address("nurse@example.org")).unwrap();
    store.remove_contact(&address("nobody@example.org")).unwrap();
    assert_eq!(store.contacts().unwrap(), [blocked]);
}

/// Nothing is known at first.
pub fn archives_begin_unknown(store: &dyn Store) {
    let state = store.archive(&address("juliet@example.org")).unwrap();
    assert_eq!(state, ArchiveState::default());
}

/// One archive says nothing about another.
pub fn archives_belong_to_their_owner(store: &dyn Store) {
    let state =
        ArchiveState { newest: Some("9".into()), oldest: Some("2".into()), complete: false };
    store.save_archive(&address("juliet@example.org"), &state).unwrap();
    assert_eq!(store.archive(&address("juliet@example.org")).unwrap(), state);
    let other = store.archive(&address("room@example.org")).unwrap();
    assert_eq!(other, ArchiveState::default());
    let state = ArchiveState { complete: true, ..ArchiveState::default() };
    store.save_archive(&address("juliet@example.org"), &state).unwrap();
    assert_eq!(store.archive(&address("juliet@example.org")).unwrap(), state);
}
