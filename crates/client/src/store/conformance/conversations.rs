//! What keeping conversations means.

use xmpp::time::Millis;

use super::conversation;
use crate::store::{Conversation, EncryptionMode, MessageId, Mute, Position, Store};

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
