//! What keeping messages means.

use xmpp::time::Millis;

use super::{address, message, texts};
use crate::store::{
    Content, Delivery, Encryption, File, Mark, Message, MessageId, Position, Preview, Reached,
    Reacted, Reaction, Reference, Reply, Store, TrustLevel, Version,
};

const ROMEO: &str = "romeo@example.org";

/// Also after the newest one is gone.
pub fn numbers_are_given_and_not_reused(store: &dyn Store) {
    let first = store.append(&message(ROMEO, 1, "a")).unwrap();
    let second = store.append(&message(ROMEO, 2, "b")).unwrap();
    assert!(second > first);
    store.remove_message(second).unwrap();
    store.remove_message(second).unwrap();
    let third = store.append(&message(ROMEO, 3, "c")).unwrap();
    assert!(third > second);
    assert_eq!(store.message(second).unwrap(), None);
}

/// A message with something in every field.
pub(super) fn full() -> Message {
    let file = File {
        name: "balcony.png".into(),
        size: Some(5),
        media_type: Some("image/png".into()),
        url: Some("https://example.org/a".into()),
        key: Some("00ff".into()),
        local: Some("pictures/balcony.png".into()),
        preview: Some(Preview {
            width: 640,
            height: 480,
            thumbnail: Some("data:image/jpeg;base64,AAAA".into()),
            description: Some("A garden".into()),
            length: Some(63_000),
        }),
    };
    Message {
        own: true,
        sender: address("juliet@example.org"),
        content: Content::File(file, Some("Look".into())),
        origin_id: Some("o1".into()),
        archive_id: Some("a1".into()),
        encryption: Encryption::Omemo {
            version: Version::Omemo2,
            device: 31,
            key: [9; 32],
            trust: TrustLevel::Verified,
        },
        delivery: Some(Delivery::Failed("no".into())),
        reached: vec![
            Reached {
                device: Some(7),
                resource: "balcony".into(),
                program: Some("Clownfish".into()),
                delivered: Some(Millis(5)),
                read: Some(Millis(6)),
            },
            Reached { resource: "orchard".into(), read: Some(Millis(9)), ..Reached::default() },
        ],
        reply: Some(Reply {
            id: "r".into(),
            author: Some(address(ROMEO)),
            message: Some(MessageId(1)),
            quote: Some("> so".into()),
        }),
        reactions: vec![Reaction {
            occupant: None,
            sender: address(ROMEO),
            emoji: vec!["🌹".into()],
            time: Millis(8),
            mark: mark(14, "r1"),
            earlier: vec![Reacted {
                emoji: Vec::new(),
                time: Millis(7),
                mark: Mark { archive_id: None, ..mark(13, "r0") },
            }],
        }],
        starred: true,
        versions: vec![(Millis(3), "Lok".into())],
        edits: vec![mark(15, "e1")],
        wants: Some(crate::store::Wants { id: "o1".into(), receipt: false, marker: true }),
        stayed: true,
        elsewhere: true,
        way: crate::store::Way::OnlyPlain,
        ..message(ROMEO, 12, "")
    }
}

fn mark(position: u64, id: &str) -> Mark {
    let id = Some(id.to_owned());
    Mark { position: Position(position), archive_id: id.clone(), id }
}

/// Every field is kept, when appended and when replaced.
pub fn a_message_comes_back_as_it_was(store: &dyn Store) {
    let id = store.append(&Message { id: MessageId(77), ..full() }).unwrap();
    let kept = Message { id, ..full() };
    assert_eq!(store.message(id).unwrap(), Some(kept));
    let changed = Message { id, ..message(ROMEO, 13, "text") };
    store.save_message(&changed).unwrap();
    assert_eq!(store.message(id).unwrap(), Some(changed.clone()));
    assert_eq!(store.before(&address(ROMEO), None, 5).unwrap(), [changed]);
}

/// Replacing makes no new one.
pub fn a_message_that_is_not_there_is_not_made(store: &dyn Store) {
    store.save_message(&Message { id: MessageId(5), ..message(ROMEO, 1, "a") }).unwrap();
    assert_eq!(store.message(MessageId(5)).unwrap(), None);
    assert_eq!(store.before(&address(ROMEO), None, 5).unwrap(), []);
}

/// Both ways, without the boundary, the oldest first.
pub fn pages_follow_each_other(store: &dyn Store) {
    let romeo = address(ROMEO);
    for (position, text) in [(1, "a"), (2, "b"), (3, "c"), (4, "d")] {
        store.append(&message(ROMEO, position, text)).unwrap();
        store.append(&message("nurse@example.org", position, "other")).unwrap();
    }
    assert_eq!(texts(&store.before(&romeo, None, 2).unwrap()), ["c", "d"]);
    assert_eq!(texts(&store.before(&romeo, Some(Position(3)), 9).unwrap()), ["a", "b"]);
    assert_eq!(texts(&store.before(&romeo, Some(Position(3)), 1).unwrap()), ["b"]);
    assert_eq!(store.before(&romeo, Some(Position(1)), 1).unwrap(), []);
    assert_eq!(store.before(&romeo, Some(Position(0)), 1).unwrap(), []);
    assert_eq!(texts(&store.after(&romeo, Position(0), 2).unwrap()), ["a", "b"]);
    assert_eq!(texts(&store.after(&romeo, Position(2), 9).unwrap()), ["c", "d"]);
    assert_eq!(store.after(&romeo, Position(4), 9).unwrap(), []);
    assert_eq!(store.before(&romeo, None, 0).unwrap(), []);
}

/// The order of arrival says nothing.
pub fn positions_order_and_may_change(store: &dyn Store) {
    let romeo = address(ROMEO);
    let late = store.append(&message(ROMEO, 1 << 40, "late")).unwrap();
    store.append(&message(ROMEO, 1 << 20, "early")).unwrap();
    assert_eq!(texts(&store.before(&romeo, None, 9).unwrap()), ["early", "late"]);
    store.save_message(&Message { id: late, ..message(ROMEO, 5, "late") }).unwrap();
    assert_eq!(texts(&store.before(&romeo, None, 9).unwrap()), ["late", "early"]);
    assert_eq!(texts(&store.after(&romeo, Position(5), 9).unwrap()), ["early"]);
}

/// So that every device of a test draws the same.
pub fn equal_positions_follow_the_order_of_arrival(store: &dyn Store) {
    let romeo = address(ROMEO);
    for text in ["a", "b", "c"] {
        store.append(&message(ROMEO, 4, text)).unwrap();
    }
    assert_eq!(texts(&store.before(&romeo, None, 9).unwrap()), ["a", "b", "c"]);
    assert_eq!(texts(&store.after(&romeo, Position(3), 2).unwrap()), ["a", "b"]);
}

/// All numbers can be used.
pub fn the_largest_position_is_a_position(store: &dyn Store) {
    let romeo = address(ROMEO);
    let queued = Position(u64::MAX);
    store.append(&message(ROMEO, u64::MAX, "last")).unwrap();
    store.append(&message(ROMEO, 0, "first")).unwrap();
    store.append(&message(ROMEO, u64::MAX / 2 + 1, "middle")).unwrap();
    assert_eq!(texts(&store.before(&romeo, None, 9).unwrap()), ["first", "middle", "last"]);
    assert_eq!(texts(&store.before(&romeo, Some(queued), 9).unwrap()), ["first", "middle"]);
    assert_eq!(texts(&store.after(&romeo, Position(0), 9).unwrap()), ["middle", "last"]);
    assert_eq!(store.after(&romeo, queued, 9).unwrap(), []);
}

/// Only in their conversation, and only of their sender.
pub fn messages_are_found_by_their_ids(store: &dyn Store) {
    let id = store.append(&full()).unwrap();
    let romeo = address(ROMEO);
    let origin = |sender: &str, id: &str| Reference::Origin(address(sender), id.into());
    let found =
        |reference: &Reference| store.find(&romeo, reference).unwrap().map(|message| message.id);
    assert_eq!(found(&origin("juliet@example.org", "o1")), Some(id));
    assert_eq!(found(&origin(ROMEO, "o1")), None);
    assert_eq!(found(&origin("juliet@example.org", "a1")), None);
    assert_eq!(found(&Reference::Archive("a1".into())), Some(id));
    assert_eq!(found(&Reference::Archive("o1".into())), None);
    let elsewhere = store.find(&address("nurse@example.org"), &Reference::Archive("a1".into()));
    assert_eq!(elsewhere.unwrap(), None);
}

/// By its position, not by its arrival.
pub fn the_newest_of_several_is_found(store: &dyn Store) {
    let twice = |position| Message { position: Position(position), ..full() };
    let newest = store.append(&twice(9)).unwrap();
    store.append(&twice(3)).unwrap();
    let reference = Reference::Origin(address("juliet@example.org"), "o1".into());
    let found = store.find(&address(ROMEO), &reference).unwrap().expect("found");
    assert_eq!(found.id, newest);
}

/// An own message learns the id of the archive later.
pub fn changed_ids_are_found_and_old_ones_are_not(store: &dyn Store) {
    let romeo = address(ROMEO);
    let id = store.append(&Message { archive_id: None, ..full() }).unwrap();
    assert_eq!(store.find(&romeo, &Reference::Archive("a2".into())).unwrap(), None);
    let changed = Message { id, archive_id: Some("a2".into()), origin_id: None, ..full() };
    store.save_message(&changed).unwrap();
    let found = store.find(&romeo, &Reference::Archive("a2".into())).unwrap();
    assert_eq!(found, Some(changed));
    let old = Reference::Origin(address("juliet@example.org"), "o1".into());
    assert_eq!(store.find(&romeo, &old).unwrap(), None);
}
