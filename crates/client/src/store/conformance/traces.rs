//! What remembering deleted messages means.

use super::{address, in_step, message, texts};
use crate::store::{Message, MessageId, Position, Reference, Store, Trace};

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

/// The messages go, and what is remembered of them stays; it is gone with a step that is dropped.
pub fn traces_outlive_what_they_are_of(store: &dyn Store) {
    let romeo = address(ROMEO);
    let gone = Reference::Archive("1".to_owned());
    let said = Message { archive_id: Some("1".into()), ..message(ROMEO, 1, "gone") };
    let id = store.append(&said).unwrap();
    store.begin().unwrap();
    store.save_trace(&romeo, &gone, Trace::default()).unwrap();
    store.remove_message(id).unwrap();
    store.rollback();
    assert_eq!(store.trace(&romeo, &gone).unwrap(), None);
    assert!(store.find(&romeo, &gone).unwrap().is_some());
    store.save_trace(&romeo, &gone, Trace::default()).unwrap();
    store.remove_message(id).unwrap();
    assert_eq!(store.find(&romeo, &gone).unwrap(), None);
    assert_eq!(store.trace(&romeo, &gone).unwrap(), Some(Trace::default()));
    store.wipe().unwrap();
    assert_eq!(store.trace(&romeo, &gone).unwrap(), None);
}

/// Five messages of Romeo, and one of the nurse; the ids of Romeo's.
fn six(store: &dyn Store) -> Vec<MessageId> {
    let said = |number: u64| Message {
        origin_id: Some(format!("o{number}")),
        archive_id: (number > 1).then(|| format!("a{number}")),
        ..message(ROMEO, number, &format!("romeo {number}"))
    };
    let ids = (1..=5).map(|number| store.append(&said(number)).unwrap()).collect();
    store.append(&message(NURSE, 6, "nurse")).unwrap();
    ids
}

/// Nobody sees it, by whichever way, and nothing puts it back; what comes later is there.
pub fn what_is_hidden_is_seen_nowhere_and_goes_a_part_at_a_time(store: &dyn Store) {
    let (romeo, nurse) = (address(ROMEO), address(NURSE));
    let ids = six(store);
    let before = store.message(ids[0]).unwrap().unwrap();
    assert_eq!(store.hidden(10).unwrap().count(), 0);
    store.hide(&romeo).unwrap();
    let later = store.append(&message(ROMEO, 7, "romeo later")).unwrap();
    let first = Reference::Origin(romeo.clone(), "o1".into());
    let second = Reference::Archive("a2".into());
    assert_eq!(texts(&store.before(&romeo, None, 10).unwrap()), ["romeo later"]);
    assert_eq!(texts(&store.before(&romeo, Some(Position(7)), 10).unwrap()), [""; 0]);
    assert_eq!(texts(&store.after(&romeo, Position(0), 10).unwrap()), ["romeo later"]);
    assert_eq!(super::look::texts_with(store, "romeo"), ["romeo later"]);
    store.save_message(&before).unwrap();
    assert_eq!(store.message(ids[0]).unwrap(), None);
    for reference in [&first, &second] {
        assert_eq!(store.find(&romeo, reference).unwrap(), None);
    }
    // It is as good as remembered.
    assert_eq!(store.trace(&romeo, &first).unwrap(), Some(Trace { archived: false }));
    assert_eq!(store.trace(&romeo, &second).unwrap(), Some(Trace { archived: true }));
    assert_eq!(store.trace(&nurse, &second).unwrap(), None);
    assert!(store.is_hiding().unwrap());
    let page = store.hidden(2).unwrap().messages;
    assert_eq!(texts(&page), ["romeo 5", "romeo 4"]);
    page.iter().for_each(|one| store.remove_message(one.id).unwrap());
    assert_eq!(texts(&store.hidden(10).unwrap().messages), ["romeo 3", "romeo 2", "romeo 1"]);
    store.end_hiding().unwrap();
    assert!(!store.is_hiding().unwrap());
    assert_eq!(store.hidden(10).unwrap().count(), 0);
    assert_eq!(store.trace(&romeo, &first).unwrap(), None);
    assert!(store.message(later).unwrap().is_some());
    assert_eq!(texts(&store.before(&nurse, None, 10).unwrap()), ["nurse"]);
}

/// A step that is dropped hid nothing and removed nothing.
pub fn hiding_is_part_of_a_step_and_can_be_done_again(store: &dyn Store) {
    let romeo = address(ROMEO);
    six(store);
    store.begin().unwrap();
    store.hide(&romeo).unwrap();
    store.rollback();
    assert_eq!(store.before(&romeo, None, 10).unwrap().len(), 5);
    in_step(store, || store.hide(&romeo).unwrap());
    store.begin().unwrap();
    store.end_hiding().unwrap();
    store.rollback();
    assert_eq!(store.hidden(10).unwrap().count(), 5);
    store.append(&message(ROMEO, 7, "romeo later")).unwrap();
    in_step(store, || store.hide(&romeo).unwrap());
    assert_eq!(store.hidden(10).unwrap().count(), 6);
    assert_eq!(store.before(&romeo, None, 10).unwrap(), []);
    store.wipe().unwrap();
    assert_eq!(store.hidden(10).unwrap().count(), 0);
}
