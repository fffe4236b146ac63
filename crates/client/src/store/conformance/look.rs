//! What looking through the messages means.

use super::timeline::full;
use super::{address, message, texts};
use crate::store::{
    Content, File, FileKind, Look, Looked, Message, MessageId, Place, Position, Store, Wanted,
    Words,
};

const ROMEO: &str = "romeo@example.org";
const NURSE: &str = "nurse@example.org";

fn words(text: &str) -> Wanted {
    Wanted::Words(Words::of(text).unwrap())
}

fn everything(wanted: &Wanted) -> Look<'_> {
    Look { wanted, conversation: None, from: None, rows: 1000, found: 1000 }
}

/// All parts of a look, to the end.
fn parts(store: &dyn Store, look: &Look<'_>) -> Vec<Looked> {
    let mut all = Vec::new();
    let mut next = look.from;
    loop {
        let part = store.look(&Look { from: next, ..*look }).unwrap();
        assert!(part.next.is_none_or(|to| next.is_none_or(|from| to < from)), "it gets on");
        next = part.next;
        all.push(part);
        if next.is_none() {
            return all;
        }
    }
}

fn found(store: &dyn Store, look: &Look<'_>) -> Vec<Message> {
    parts(store, look).into_iter().flat_map(|part| part.found).collect()
}

/// The texts that say all of these words, the newest first.
pub(super) fn texts_with(store: &dyn Store, text: &str) -> Vec<String> {
    let found = found(store, &everything(&words(text)));
    texts(&found).into_iter().map(str::to_owned).collect()
}

/// In texts, file names and the texts beside files.
pub fn words_are_found_without_case(store: &dyn Store) {
    store.append(&message(ROMEO, 1, "Straße nach VERONA")).unwrap();
    store.append(&full()).unwrap();
    store.append(&message(ROMEO, 3, "nothing")).unwrap();
    for text in ["verona", "STRASSE", "straße", "Balcony.PNG", "lOOk"] {
        assert_eq!(found(store, &everything(&words(text))).len(), 1, "{text}");
    }
    assert_eq!(found(store, &everything(&words("mantua"))), []);
}

/// In any order, also where some are in the file's name and some beside it.
pub fn all_words_must_be_there(store: &dyn Store) {
    store.append(&message(ROMEO, 1, "a rose by any other name")).unwrap();
    store.append(&message(ROMEO, 2, "a rose")).unwrap();
    store.append(&full()).unwrap();
    assert_eq!(texts_with(store, "NAME rose"), ["a rose by any other name"]);
    assert_eq!(texts_with(store, "rose"), ["a rose", "a rose by any other name"]);
    assert_eq!(found(store, &everything(&words("look balcony"))).len(), 1);
    assert_eq!(found(store, &everything(&words("look rose"))), []);
}

/// To one conversation; the newest come first.
pub fn a_look_can_be_narrowed(store: &dyn Store) {
    store.append(&message(ROMEO, 5, "rose 5")).unwrap();
    store.append(&message(NURSE, 4, "rose 4")).unwrap();
    store.append(&message(ROMEO, 1, "rose 1")).unwrap();
    store.append(&message(ROMEO, 3, "lily 3")).unwrap();
    let (wanted, romeo) = (words("rose"), address(ROMEO));
    let all = everything(&wanted);
    assert_eq!(texts(&found(store, &all)), ["rose 5", "rose 4", "rose 1"]);
    let one = Look { conversation: Some(&romeo), ..all.clone() };
    assert_eq!(texts(&found(store, &one)), ["rose 5", "rose 1"]);
    let (strange, nobody) = (words("rose"), address("nobody@example.org"));
    assert_eq!(found(store, &Look { conversation: Some(&nobody), ..everything(&strange) }), []);
}

/// Each looks at so many messages, whether they fit or not; nothing is left out and nothing comes
/// twice.
pub fn parts_follow_each_other_to_the_end(store: &dyn Store) {
    for position in 0..25 {
        let text = if position % 10 == 0 { "a rose" } else { "a lily" };
        let with = if position % 2 == 0 { ROMEO } else { NURSE };
        store.append(&message(with, position, &format!("{text} {position}"))).unwrap();
    }
    let wanted = words("rose");
    let look = Look { rows: 4, ..everything(&wanted) };
    let first = store.look(&look).unwrap();
    assert_eq!(first.found, [], "nothing among the first four");
    assert!(first.next.is_some());
    let parts = parts(store, &look);
    assert!(parts.len() >= 7, "{} parts", parts.len());
    assert!(parts.iter().all(|part| part.found.len() <= 1));
    let all: Vec<Message> = parts.into_iter().flat_map(|part| part.found).collect();
    assert_eq!(texts(&all), ["a rose 20", "a rose 10", "a rose 0"]);
    let (wanted, romeo) = (words("lily"), address(ROMEO));
    let look = Look { rows: 3, conversation: Some(&romeo), ..everything(&wanted) };
    assert_eq!(found(store, &look).len(), 10);
}

/// Also when more could be looked at.
pub fn a_part_ends_when_enough_is_found(store: &dyn Store) {
    for position in 0..7 {
        store.append(&message(ROMEO, position, &format!("rose {position}"))).unwrap();
    }
    let wanted = words("rose");
    let look = Look { found: 2, ..everything(&wanted) };
    let first = store.look(&look).unwrap();
    assert_eq!(texts(&first.found), ["rose 6", "rose 5"]);
    let second = store.look(&Look { from: first.next, ..look.clone() }).unwrap();
    assert_eq!(texts(&second.found), ["rose 4", "rose 3"]);
    assert_eq!(found(store, &look).len(), 7);
}

/// Nor do they come twice.
pub fn equal_positions_are_not_lost_between_parts(store: &dyn Store) {
    for text in ["rose a", "rose b", "rose c"] {
        store.append(&message(ROMEO, 4, text)).unwrap();
    }
    store.append(&message(ROMEO, u64::MAX, "rose last")).unwrap();
    store.append(&message(ROMEO, 0, "rose first")).unwrap();
    let wanted = words("rose");
    let all = found(store, &Look { rows: 1, ..everything(&wanted) });
    assert_eq!(texts(&all), ["rose last", "rose c", "rose b", "rose a", "rose first"]);
}

/// The message that ended the part before was taken away.
pub fn a_part_may_begin_where_nothing_is_any_more(store: &dyn Store) {
    for position in 1..4 {
        store.append(&message(ROMEO, position, &format!("rose {position}"))).unwrap();
    }
    let wanted = words("rose");
    let first = store.look(&Look { rows: 2, ..everything(&wanted) }).unwrap();
    assert_eq!(texts(&first.found), ["rose 3", "rose 2"]);
    store.remove_message(first.found[1].id).unwrap();
    let rest = Look { from: first.next, ..everything(&wanted) };
    assert_eq!(texts(&found(store, &rest)), ["rose 1"]);
    let end = Some(Place { position: Position(0), id: MessageId(0) });
    assert_eq!(store.look(&Look { from: end, ..rest }).unwrap(), Looked::default());
}

fn file(position: u64, name: &str, media_type: Option<&str>) -> Message {
    let Content::File(file, _) = full().content else { panic!("a file") };
    let file = File { name: name.into(), media_type: media_type.map(str::to_owned), ..file };
    Message { content: Content::File(file, None), ..message(ROMEO, position, "") }
}

/// And nothing else is.
pub fn files_are_found_by_their_kind(store: &dyn Store) {
    store.append(&file(1, "garden.jpg", None)).unwrap();
    store.append(&file(2, "dance", Some("video/webm"))).unwrap();
    store.append(&file(3, "song", Some("audio/ogg; codecs=opus"))).unwrap();
    store.append(&file(4, "letter.pdf", Some("application/pdf"))).unwrap();
    store.append(&message(ROMEO, 5, "image/png")).unwrap();
    let of = |kinds: &[FileKind]| -> Vec<u64> {
        let wanted = Wanted::Files(kinds.to_vec());
        let found = found(store, &Look { rows: 2, ..everything(&wanted) });
        found.iter().map(|message| message.position.0).collect()
    };
    assert_eq!(of(&[FileKind::Picture]), [1]);
    assert_eq!(of(&[FileKind::Picture, FileKind::Film]), [2, 1]);
    assert_eq!(of(&[FileKind::Sound]), [3]);
    assert_eq!(of(&[FileKind::Other]), [4]);
    assert_eq!(of(&FileKind::ALL), [4, 3, 2, 1]);
    assert_eq!(of(&[]), [0; 0]);
}

/// Its text is gone.
pub fn what_was_taken_back_is_not_found(store: &dyn Store) {
    let id = store.append(&message(ROMEO, 1, "rose")).unwrap();
    let taken_back = Message { id, content: Content::Retracted, ..message(ROMEO, 1, "") };
    store.save_message(&taken_back).unwrap();
    assert_eq!(texts_with(store, "rose"), Vec::<String>::new());
    assert_eq!(store.message(id).unwrap(), Some(taken_back));
}
