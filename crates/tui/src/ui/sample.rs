//! People, messages and moments for tests.

use client::store::{
    Content, Delivery, Encryption, EncryptionMode, Message, MessageId, Mute, Notify, Occupant,
    Position, TrustLevel, Version,
};
use client::view::{
    Account, Affiliation, Connection, Contact, Conversation, Kind, Member, Presence, Preview,
    Readers, Role, Room, RoomState,
};
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
        reached: Vec::new(),
        reply: None,
        reactions: Vec::new(),
        starred: false,
        versions: Vec::new(),
        edits: Vec::new(),
        wants: None,
        stayed: false,
        elsewhere: false,
        way: client::store::Way::default(),
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
        idle: None,
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
            author: None,
            text: preview.to_owned(),
            said: true,
            time: at("2026-11-28T14:00:00Z").plus(order * 60_000),
            delivery: None,
        }),
        unread: 0,
        mentions: 0,
        draft: String::new(),
        typing: Vec::new(),
        mute: Mute::No,
        notify: Notify::Usual,
        pinned: false,
        wallpaper: None,
        behind: false,
        encryption: EncryptionMode::Omemo,
        readers: Readers { theirs: 2, own: 1, left_out: 0, verified: false },
        waits_for_keys: false,
        request: false,
        order: Position(order),
        shown: true,
    }
}

/// The address of the square of Verona.
pub(crate) const SQUARE: &str = "square@conference.verona.example";

/// A private group with Romeo, its owner, in it.
pub(crate) fn room() -> Room {
    let member = |nick: Option<&str>, of: &str, affiliation| Member {
        nick: nick.map(str::to_owned),
        address: Some(address(of)),
        affiliation,
        role: match nick {
            Some(_) if affiliation >= Affiliation::Admin => Role::Moderator,
            Some(_) => Role::Participant,
            None => Role::None,
        },
        hats: Vec::new(),
    };
    Room {
        address: address(SQUARE),
        name: "The square".to_owned(),
        subject: Some("Who began it?".to_owned()),
        avatar: None,
        nick: Some("Romeo".to_owned()),
        state: RoomState::In,
        invited_by: None,
        private: true,
        open: false,
        anonymous: false,
        links: false,
        requests: Vec::new(),
        asked: None,
        since: Some(Position(1)),
        affiliation: Affiliation::Owner,
        role: Role::Moderator,
        members: vec![
            member(Some("Ben"), "ben@verona.example", Affiliation::Member),
            member(Some("Benvolio"), "benvolio@montague.example", Affiliation::Admin),
            member(Some("Mercutio"), "mercutio@verona.example", Affiliation::Member),
            member(Some("Romeo"), "romeo@montague.example", Affiliation::Owner),
            member(Some("Tybalt"), "tybalt@capulet.example", Affiliation::Member),
            member(None, "laurence@cell.example", Affiliation::Member),
        ],
    }
}

/// The row of the list for the square.
pub(crate) fn square(order: u64) -> Conversation {
    let mut square = conversation(SQUARE, "The square", order, "Romeo, help!");
    square.kind = Kind::Room;
    if let Some(preview) = &mut square.preview {
        preview.author = Some("Mercutio".to_owned());
    }
    square.readers = Readers { theirs: 7, own: 1, left_out: 0, verified: false };
    square
}

/// A message in the square.
pub(crate) fn said(id: i64, position: u64, nick: &str, of: &str, words: &str) -> Message {
    Message {
        sender: address(of),
        occupant: Some(Occupant { nick: nick.to_owned(), id: None }),
        ..text(id, position, &address(SQUARE), words)
    }
}
