//! What keeping stanzas that must reach the server means.

use super::address;
use crate::store::{MessageId, Queued, QueuedId, Store};

/// A stanza that was not encrypted yet.
#[must_use]
pub fn stanza(to: &str, id: &str) -> Queued {
    Queued {
        id: QueuedId(0),
        conversation: address(to),
        message: Some(MessageId(3)),
        payload: b"<body>hello</body>".to_vec(),
        stanza_id: id.into(),
        bytes: None,
        encrypted: true,
    }
}

fn ids(store: &dyn Store) -> Vec<String> {
    store.queued().unwrap().into_iter().map(|queued| queued.stanza_id).collect()
}

/// As they were given, also after some are through.
pub fn stanzas_come_in_order(store: &dyn Store) {
    let a = store.enqueue(&stanza("romeo@example.org", "a")).unwrap();
    let b = store.enqueue(&stanza("nurse@example.org", "b")).unwrap();
    store.enqueue(&stanza("romeo@example.org", "c")).unwrap();
    assert_eq!(ids(store), ["a", "b", "c"]);
    assert_eq!(store.queued().unwrap()[0], Queued { id: a, ..stanza("romeo@example.org", "a") });
    store.dequeue(a).unwrap();
    store.dequeue(a).unwrap();
    store.enqueue(&stanza("romeo@example.org", "d")).unwrap();
    assert_eq!(ids(store), ["b", "c", "d"]);
    store.dequeue(b).unwrap();
    assert_eq!(ids(store), ["c", "d"]);
}

/// Its bytes are kept before they are sent; it does not lose its place by that.
pub fn a_stanza_is_replaced_in_its_place(store: &dyn Store) {
    let a = store.enqueue(&stanza("romeo@example.org", "a")).unwrap();
    store.enqueue(&stanza("romeo@example.org", "b")).unwrap();
    let bytes = Some(b"<message/>".to_vec());
    let sent = Queued { id: a, bytes, message: None, ..stanza("romeo@example.org", "a") };
    store.save_queued(&sent).unwrap();
    assert_eq!(store.queued().unwrap()[0], sent);
    assert_eq!(ids(store), ["a", "b"]);
    store.dequeue(a).unwrap();
    store.save_queued(&sent).unwrap();
    assert_eq!(ids(store), ["b"]);
}
