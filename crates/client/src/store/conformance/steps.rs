//! What a step means.

use xmpp::sasl::Secret;
use zeroize::Zeroizing;

use super::{address, contact, conversation, in_step, message, profile, texts};
use crate::store::{
    ArchiveState, DeviceEntry, Identity, OwnDevice, SessionKey, Store, TrustLevel, Version,
};

/// Reads see what the same step has written.
pub fn a_step_is_seen_by_its_own_reads(store: &dyn Store) {
    in_step(store, || {
        store.save_contact(&contact("romeo@example.org")).unwrap();
        assert_eq!(store.contacts().unwrap(), [contact("romeo@example.org")]);
        let id = store.append(&message("romeo@example.org", 1, "hello")).unwrap();
        assert!(store.message(id).unwrap().is_some());
    });
    assert_eq!(store.contacts().unwrap(), [contact("romeo@example.org")]);
}

/// After a rollback everything is as before the step.
pub fn a_step_that_is_rolled_back_never_happened(store: &dyn Store) {
    let kept = in_step(store, || {
        store.save_contact(&contact("romeo@example.org")).unwrap();
        store.append(&message("romeo@example.org", 1, "kept")).unwrap()
    });
    store.begin().unwrap();
    let mut changed = store.message(kept).unwrap().expect("there");
    changed.position.0 = 7;
    store.save_message(&changed).unwrap();
    store.append(&message("romeo@example.org", 2, "dropped")).unwrap();
    store.remove_contact(&address("romeo@example.org")).unwrap();
    store.rollback();
    let page = store.before(&address("romeo@example.org"), None, 10).unwrap();
    assert_eq!((texts(&page), page[0].position.0), (vec!["kept"], 1));
    assert_eq!(store.contacts().unwrap().len(), 1);
}

/// A core that failed in the middle leaves nothing behind for the one that comes after it.
pub fn a_step_that_was_left_open_is_dropped(store: &dyn Store) {
    store.begin().unwrap();
    store.save_contact(&contact("romeo@example.org")).unwrap();
    in_step(store, || store.save_contact(&contact("juliet@example.org")).unwrap());
    assert_eq!(store.contacts().unwrap(), [contact("juliet@example.org")]);
}

/// It is a step of its own, which a later rollback does not touch.
pub fn a_write_without_a_step_stays(store: &dyn Store) {
    store.save_contact(&contact("romeo@example.org")).unwrap();
    store.begin().unwrap();
    store.rollback();
    assert_eq!(store.contacts().unwrap().len(), 1);
}

/// There may be no step.
pub fn rolling_back_nothing_is_harmless(store: &dyn Store) {
    store.rollback();
    in_step(store, || store.save_contact(&contact("romeo@example.org")).unwrap());
    store.rollback();
    assert_eq!(store.contacts().unwrap().len(), 1);
}

fn write_everything(store: &dyn Store) {
    let romeo = address("romeo@example.org");
    store.save_login(&profile::login("secret")).unwrap();
    store.save_value("roster version", Some(b"1")).unwrap();
    store.save_contact(&contact("romeo@example.org")).unwrap();
    store.save_conversation(&conversation("romeo@example.org")).unwrap();
    store.append(&message("romeo@example.org", 1, "hello")).unwrap();
    let state = ArchiveState { complete: true, ..ArchiveState::default() };
    store.save_archive(&romeo, &state).unwrap();
    store.enqueue(&super::outbox::stanza("romeo@example.org", "a")).unwrap();
    let keys = Zeroizing::new(b"keys".to_vec());
    store.save_own_device(&OwnDevice { id: 1, keys, label: None }).unwrap();
    let entry = DeviceEntry { id: 1, active: true, label: None, last_used: None, new: false };
    store.save_device_list(&romeo, Version::Legacy, &[entry]).unwrap();
    let identity = Identity {
        key: [1; 32],
        devices: vec![1],
        trust: TrustLevel::Blind,
        first_seen: xmpp::time::Millis(1),
    };
    store.save_identity(&romeo, &identity).unwrap();
    let key = SessionKey { owner: romeo, device: 1, version: Version::Legacy };
    store.save_session(&key, Some(b"ratchet")).unwrap();
    store.save_media("picture", Some(b"png")).unwrap();
}

fn assert_empty(store: &dyn Store) {
    let romeo = address("romeo@example.org");
    assert!(store.login().unwrap().is_none());
    assert!(store.value("roster version").unwrap().is_none());
    assert_eq!(store.contacts().unwrap(), []);
    assert_eq!(store.conversations().unwrap(), []);
    assert_eq!(store.before(&romeo, None, 10).unwrap(), []);
    assert_eq!(super::look::texts_with(store, "hello"), Vec::<String>::new());
    assert_eq!(store.archive(&romeo).unwrap(), ArchiveState::default());
    assert_eq!(store.queued().unwrap(), []);
    assert!(store.own_device().unwrap().is_none());
    assert_eq!(store.device_list(&romeo, Version::Legacy).unwrap(), []);
    assert_eq!(store.identities(&romeo).unwrap(), []);
    let key = SessionKey { owner: romeo, device: 1, version: Version::Legacy };
    assert!(store.session(&key).unwrap().is_none());
    assert!(store.media("picture").unwrap().is_none());
}

/// No table is forgotten.
pub fn all_kinds_of_rows_are_rolled_back(store: &dyn Store) {
    store.begin().unwrap();
    write_everything(store);
    store.rollback();
    assert_empty(store);
}

/// Nothing is left, and the store can be used again.
pub fn a_wiped_store_is_empty_and_usable(store: &dyn Store) {
    in_step(store, || write_everything(store));
    store.wipe().unwrap();
    assert_empty(store);
    in_step(store, || write_everything(store));
    let login = store.login().unwrap().expect("kept");
    assert_eq!(login.password, Some(Secret::from("secret")));
}
