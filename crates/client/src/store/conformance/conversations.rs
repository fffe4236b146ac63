//! What keeping conversations means.

use xmpp::time::Millis;

use super::{address, conversation, message, texts};
use crate::store::{Conversation, EncryptionMode, MessageId, Mute, Position, Reference, Store};

/// One row for each address.
pub fn conversations_are_replaced(store: &dyn Store) {
    store.save_conversation(&conversation("nurse@example.org")).unwrap();
    let changed = Conversation {
        draft: "Wherefore".into(),
        read_up_to: Some(Position(u64::MAX)),
        unread: 3,
        latest: Some(MessageId(4)),
        order: Position(9),
        mute: Mute::Until(Millis(5)),
        pinned: true,
        shown: false,
        encryption: EncryptionMode::Plain,
        accepted: false,
        announced: true,
        room: true,
        mentions: 2,
        wallpaper: Some("dusk".into()),
        cleared: Some(Millis(7)),
        deleted: true,
        ..conversation("romeo@example.org")
    };
    store.save_conversation(&conversation("romeo@example.org")).unwrap();
    store.save_conversation(&changed).unwrap();
    let mut all = store.conversations().unwrap();
    all.sort_by(|a, b| a.address.cmp(&b.address));
    assert_eq!(all, [conversation("nurse@example.org"), changed]);
}

/// Others keep theirs.
pub fn removing_a_conversation_removes_its_messages(store: &dyn Store) {
    let (romeo, nurse) = (address("romeo@example.org"), address("nurse@example.org"));
    store.save_conversation(&conversation("romeo@example.org")).unwrap();
    store.save_conversation(&conversation("nurse@example.org")).unwrap();
    let mut gone = message("romeo@example.org", 1, "gone");
    gone.archive_id = Some("1".into());
    let id = store.append(&gone).unwrap();
    store.append(&message("romeo@example.org", u64::MAX, "gone too")).unwrap();
    store.append(&message("nurse@example.org", 2, "stays")).unwrap();
    store.remove_conversation(&romeo).unwrap();
    store.remove_conversation(&address("nobody@example.org")).unwrap();
    assert_eq!(store.conversations().unwrap(), [conversation("nurse@example.org")]);
    assert_eq!(store.message(id).unwrap(), None);
    assert_eq!(store.before(&romeo, None, 10).unwrap(), []);
    assert_eq!(store.find(&romeo, &Reference::Archive("1".into())).unwrap(), None);
    assert_eq!(super::look::texts_with(store, "gone"), Vec::<String>::new());
    assert_eq!(texts(&store.before(&nurse, None, 10).unwrap()), ["stays"]);
}
