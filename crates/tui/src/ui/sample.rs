//! People, messages and moments for tests.

use client::store::{
    Content, Delivery, Encryption, EncryptionMode, Message, MessageId, Mute, Position, TrustLevel,
    Version,
};
use client::view::{Account, Connection, Contact, Conversation, Presence, Preview, Readers};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

/// The moment at which the tests take place: Saturday, 28 November 2026, 14:30 UTC.
pub(crate) const NOW: &str = "2026-11-28T14:30:00Z";

pub(crate) fn at(text: &str) -> Millis {
    Millis::parse_xep0082(text).unwrap()
}

pub(crate) fn address(text: &str) -> BareJid {
    text.parse().unwrap()
}

/// A message from somebody, sent today at 14:00 and as many minutes as its position says.
pub(crate) fn text(id: i64, position: u64, conversation: &BareJid, text: &str) -> Message {
    Message {
        id: MessageId(id),
        conversation: conversation.clone(),
        position: Position(position),
        sender: conversation.clone(),
        own: false,
        time: at("2026-11-28T14:00:00Z").plus(position * 60_000),
        content: Content::Text(text.to_owned()),
        origin_id: None,
        archive_id: None,
        encryption: Encryption::Omemo {
            version: Version::Omemo2,
            device: 7,
            key: [7; 32],
            trust: TrustLevel::Verified,
        },
        delivery: None,
        reply: None,
        reactions: Vec::new(),
        versions: Vec::new(),
        edits: Vec::new(),
        wants: None,
        occupant: None,
    }
}

/// A message of Romeo's own.
pub(crate) fn own(id: i64, position: u64, conversation: &BareJid, words: &str) -> Message {
    let sender = address("romeo@montague.example");
    Message {
        sender,
        own: true,
        delivery: Some(Delivery::Read),
        ..text(id, position, conversation, words)
    }
}

pub(crate) fn account() -> Account {
    Account {
        address: address("romeo@montague.example"),
        connection: Connection::Online,
        nickname: Some("Romeo".to_owned()),
        avatar: None,
        device: Some(31_415_926),
        queued: 0,
        privacy: client::view::Privacy::default(),
    }
}

pub(crate) fn contact(of: &str, name: &str, presence: Presence) -> Contact {
    Contact {
        address: address(of),
        name: name.to_owned(),
        in_roster: true,
        sees_us: true,
        seen: true,
        asks: false,
        asked: false,
        presence,
        status: None,
        avatar: None,
        blocked: false,
    }
}

pub(crate) fn conversation(with: &str, name: &str, order: u64, preview: &str) -> Conversation {
    Conversation {
        address: address(with),
        kind: client::view::Kind::Person,
        name: name.to_owned(),
        preview: Some(Preview {
            own: false,
            text: preview.to_owned(),
            time: at("2026-11-28T14:00:00Z").plus(order * 60_000),
            delivery: None,
        }),
        unread: 0,
        mentions: 0,
        draft: String::new(),
        typing: false,
        mute: Mute::No,
        pinned: false,
        encryption: EncryptionMode::Omemo,
        readers: Readers { theirs: 2, own: 1, left_out: 0, verified: false },
        request: false,
        order: Position(order),
        shown: true,
    }
}
