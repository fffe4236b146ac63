//! What remembering deleted messages means.

use super::{address, conversation, message};
use crate::store::{Message, Reference, Store, Trace};

const ROMEO: &str = "romeo@example.org";
const NURSE: &str = "nurse@example.org";

/// In their conversation only, and by nothing else.
pub fn traces_are_found_by_what_others_call_the_message(store: &dyn Store) {
    let romeo = address(ROMEO);
    let origin = |sender: &str, id: &str| Reference::Origin(address(sender), id.to_owned());
    let archive = |id: &str| Reference::Archive(id.to_owned());
    let (one, other) = (Trace { archived: true }, Trace { archived: false });
    store.save_trace(&romeo, &archive("1"), one).unwrap();
    store.save_trace(&romeo, &origin(ROMEO, "2"), other).unwrap();
    let found = |reference: Reference| store.trace(&romeo, &reference).unwrap();
    assert_eq!(found(archive("1")), Some(one));
    assert_eq!(found(origin(ROMEO, "2")), Some(other));
    assert_eq!([found(archive("2")), found(origin(ROMEO, "1"))], [None, None]);
    assert_eq!(found(origin(NURSE, "2")), None);
    assert_eq!(store.trace(&address(NURSE), &archive("1")).unwrap(), None);
    store.save_trace(&romeo, &origin(ROMEO, "2"), one).unwrap();
    assert_eq!(found(origin(ROMEO, "2")), Some(one));
}

/// The conversation goes, and what is remembered of it stays; it is gone with a step that is dropped.
pub fn traces_outlive_what_they_are_of(store: &dyn Store) {
    let romeo = address(ROMEO);
    let gone = Reference::Archive("1".to_owned());
    store.save_conversation(&conversation(ROMEO)).unwrap();
    let said = Message { archive_id: Some("1".into()), ..message(ROMEO, 1, "gone") };
    let id = store.append(&said).unwrap();
    store.begin().unwrap();
    store.save_trace(&romeo, &gone, Trace::default()).unwrap();
    store.remove_message(id).unwrap();
    store.rollback();
    assert_eq!(store.trace(&romeo, &gone).unwrap(), None);
    assert!(store.find(&romeo, &gone).unwrap().is_some());
    store.save_trace(&romeo, &gone, Trace::default()).unwrap();
    store.remove_conversation(&romeo).unwrap();
    assert_eq!(store.find(&romeo, &gone).unwrap(), None);
    assert_eq!(store.trace(&romeo, &gone).unwrap(), Some(Trace::default()));
    store.wipe().unwrap();
    assert_eq!(store.trace(&romeo, &gone).unwrap(), None);
}
