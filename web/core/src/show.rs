//! What the core shows, in the words of the page.

pub(crate) mod room;

use client::store::{self, Encryption, EncryptionMode, Event, TrustLevel, Undecryptable};
use client::view::{self, Change, Outcome, Problem, style};
use xmpp::time::Millis;

use crate::files::Files;
use crate::page::{self, Notice};
use crate::{hex, links};

/// Translates a notice of change; `None` for what the page does not show.
pub(crate) fn change(change: Change, files: &mut Files) -> Option<Notice> {
    Some(match change {
        Change::Account(account) => Notice::Account(self::account(account)),
        Change::Conversation(one) => Notice::Conversation(Box::new(conversation(*one))),
        Change::ConversationRemoved(address) => {
            Notice::ConversationRemoved { address: address.to_string() }
        }
        Change::Contact(one) => Notice::Contact(Box::new(contact(*one))),
        Change::ContactRemoved(address) => Notice::ContactRemoved { address: address.to_string() },
        Change::Window { conversation, messages, older, newer, first_unread } => Notice::Window {
            address: conversation.to_string(),
            messages: self::messages(messages, files),
            older,
            newer,
            first_unread: first_unread.map(|id| id.0),
        },
        Change::Messages { conversation, messages } => Notice::Messages {
            address: conversation.to_string(),
            messages: self::messages(messages, files),
        },
        Change::Older { conversation, messages, older } => Notice::Older {
            address: conversation.to_string(),
            messages: self::messages(messages, files),
            older,
        },
        Change::Newer { conversation, messages, newer } => Notice::Newer {
            address: conversation.to_string(),
            messages: self::messages(messages, files),
            newer,
        },
        Change::MessageRemoved(conversation, id) => {
            Notice::MessageRemoved { address: conversation.to_string(), message: id.0 }
        }
        Change::Transfer(id, done) => Notice::Transfer { message: id.0, done },
        Change::Stars => Notice::Stars,
        Change::Devices(owner, devices) => Notice::Devices {
            address: owner.to_string(),
            devices: devices.into_iter().map(device).collect(),
        },
        Change::Room(one) => Notice::Room(Box::new(room::room(*one))),
        Change::RoomRemoved(address) => Notice::RoomRemoved { address: address.to_string() },
        // A room that the account keeps without being in it has no place in the page.
        Change::Bookmarks(_) => return None,
    })
}

/// Translates what is worth interrupting for, now or when it has waited.
pub(crate) fn notification(notification: view::Notification, waits: bool) -> Notice {
    let (occasion, title, text) = match notification.occasion {
        view::Occasion::Said { title, text } => (page::Occasion::Said, title, text),
        view::Occasion::Stranger => (page::Occasion::Stranger, String::new(), String::new()),
    };
    Notice::Notify {
        address: notification.conversation.to_string(),
        occasion,
        title,
        text,
        message: notification.message.map(|id| id.0),
        waits,
    }
}

/// Translates the end of a request.
pub(crate) fn outcome(outcome: Outcome, files: &mut Files) -> page::Outcome {
    match outcome {
        Outcome::Done => page::Outcome::Done,
        Outcome::Room(room) => page::Outcome::Room { address: room.to_string() },
        Outcome::Links(links) => {
            page::Outcome::Links { links: links.into_iter().map(room::link).collect() }
        }
        Outcome::Withdrawn(count) => page::Outcome::Withdrawn { count },
        Outcome::Sent(id) => page::Outcome::Sent { message: id.0 },
        Outcome::Text(text) => page::Outcome::Text { text },
        Outcome::Verified(count) => page::Outcome::Verified { count },
        Outcome::Found(found) => page::Outcome::Found { messages: self::found(found, files) },
        Outcome::Part { found, next } => {
            page::Outcome::Part { messages: self::found(found, files), next: next.map(stands) }
        }
        Outcome::Devices(devices) => {
            page::Outcome::Devices { devices: devices.into_iter().map(device).collect() }
        }
        Outcome::Downloaded(one) => page::Outcome::Downloaded { file: file(one, files) },
        Outcome::Failed(problem) => page::Outcome::Failed { problem: self::problem(&problem) },
    }
}

/// Translates why something could not be done.
pub(crate) fn problem(problem: &Problem) -> page::Problem {
    let kind = match problem {
        Problem::Unknown(_) => page::ProblemKind::Unknown,
        Problem::Invalid(_) => page::ProblemKind::Invalid,
        Problem::NotEncryptable(_) => page::ProblemKind::NotEncryptable,
        Problem::Refused(_) => page::ProblemKind::Refused,
        Problem::Timeout => page::ProblemKind::Timeout,
        Problem::Login(_) => page::ProblemKind::Login,
        Problem::Unreachable(_) => page::ProblemKind::Unreachable,
        Problem::NameTaken => page::ProblemKind::NameTaken,
        Problem::NotInvited(_) => page::ProblemKind::NotInvited,
        Problem::Unsupported(_) => page::ProblemKind::Unsupported,
        Problem::Transfer(_) => page::ProblemKind::Transfer,
        Problem::Storage(_) => page::ProblemKind::Storage,
        Problem::Cancelled => page::ProblemKind::Cancelled,
    };
    page::Problem { kind, words: problem.to_string() }
}

fn account(account: view::Account) -> page::Account {
    page::Account {
        address: account.address.to_string(),
        connection: connection(account.connection),
        nickname: account.nickname,
        avatar: account.avatar,
        device: account.device,
        queued: account.queued,
        privacy: page::Privacy {
            typing: account.privacy.typing,
            read: account.privacy.read,
            idle: account.privacy.idle,
        },
    }
}

fn connection(connection: view::Connection) -> page::Connection {
    match connection {
        view::Connection::Offline => page::Connection::Offline,
        view::Connection::Connecting => page::Connection::Connecting,
        view::Connection::CatchingUp => page::Connection::CatchingUp,
        view::Connection::Online => page::Connection::Online,
        view::Connection::Waiting { reason, until } => {
            page::Connection::Waiting { reason, until: until.0 }
        }
        // Whom to trust is the browser's affair.
        view::Connection::Untrusted { problem: reason, .. } | view::Connection::Refused(reason) => {
            page::Connection::Refused { reason }
        }
    }
}

fn conversation(one: view::Conversation) -> page::Conversation {
    page::Conversation {
        address: one.address.to_string(),
        room: one.kind == view::Kind::Room,
        name: one.name,
        preview: one.preview.map(|preview| page::Preview {
            own: preview.own,
            author: preview.author.filter(|_| !preview.own),
            text: preview.text,
            said: preview.said,
            time: preview.time.0,
            delivery: preview.delivery.map(delivery),
        }),
        unread: one.unread,
        mentions: one.mentions,
        draft: one.draft,
        typing: one.typing,
        mute: match one.mute {
            store::Mute::No => page::Mute::No,
            store::Mute::Until(Millis(time)) => page::Mute::Until { time },
            store::Mute::Forever => page::Mute::Forever,
        },
        notify: match one.notify {
            store::Notify::Usual => page::Notify::Usual,
            store::Notify::All => page::Notify::All,
            store::Notify::Mentions => page::Notify::Mentions,
        },
        pinned: one.pinned,
        wallpaper: one.wallpaper,
        behind: one.behind,
        encrypted: one.encryption == EncryptionMode::Omemo,
        readers: page::Readers {
            theirs: one.readers.theirs,
            own: one.readers.own,
            left_out: one.readers.left_out,
            verified: one.readers.verified,
        },
        waits_for_keys: one.waits_for_keys,
        request: one.request,
        order: place(one.order),
        shown: one.shown,
    }
}

fn contact(one: view::Contact) -> page::Contact {
    page::Contact {
        address: one.address.to_string(),
        name: one.name,
        in_roster: one.in_roster,
        sees_us: one.sees_us,
        seen: one.seen,
        asks: one.asks,
        asked: one.asked,
        presence: match one.presence {
            view::Presence::Chat => page::Presence::Chat,
            view::Presence::Available => page::Presence::Available,
            view::Presence::Away => page::Presence::Away,
            view::Presence::ExtendedAway => page::Presence::ExtendedAway,
            view::Presence::Busy => page::Presence::Busy,
            view::Presence::Offline => page::Presence::Offline,
        },
        status: one.status,
        idle: one.idle.map(|time| time.0),
        avatar: one.avatar,
        blocked: one.blocked,
    }
}

fn messages(messages: Vec<store::Message>, files: &mut Files) -> Vec<page::Message> {
    messages.into_iter().map(|one| message(one, files)).collect()
}

fn found(found: Vec<store::Message>, files: &mut Files) -> Vec<page::Found> {
    let found = found.into_iter().map(|one| page::Found {
        address: one.conversation.to_string(),
        message: message(one, files),
    });
    found.collect()
}

/// Where a part of a search ended: the page gives it back as it is.
fn stands(at: store::Place) -> String {
    format!("{} {}", place(at.position), at.id.0)
}

/// Text that sorts as the positions do.
fn place(position: store::Position) -> String {
    format!("{:016x}", position.0)
}

/// Translates a message.
pub(crate) fn message(one: store::Message, files: &mut Files) -> page::Message {
    page::Message {
        id: one.id.0,
        place: place(one.position),
        sender: one.sender.to_string(),
        nick: one.occupant.map(|occupant| occupant.nick),
        own: one.own,
        time: one.time.0,
        content: content(one.content, files),
        encryption: match one.encryption {
            Encryption::None => page::Encryption::None,
            Encryption::Omemo { device, trust: level, .. } => {
                page::Encryption::Omemo { device, trust: trust(level) }
            }
        },
        delivery: one.delivery.map(delivery),
        reached: one.reached.into_iter().map(reached).collect(),
        reply: one.reply.map(|reply| page::Reply {
            author: reply.author.map(|author| author.to_string()),
            message: reply.message.map(|id| id.0),
            quote: reply.quote,
        }),
        reactions: one.reactions.into_iter().map(reaction).collect(),
        starred: one.starred,
        versions: one.versions.into_iter().map(earlier).collect(),
    }
}

fn reaction(reaction: store::Reaction) -> page::Reaction {
    page::Reaction {
        sender: reaction.sender.to_string(),
        nick: reaction.occupant.map(|occupant| occupant.nick),
        emoji: reaction.emoji,
        time: reaction.time.0,
    }
}

fn reached(one: store::Reached) -> page::Reached {
    page::Reached {
        device: one.device,
        program: one.program,
        delivered: one.delivered.map(|time| time.0),
        read: one.read.map(|time| time.0),
    }
}

fn earlier((until, text): (Millis, String)) -> page::Earlier {
    page::Earlier { until: until.0, text }
}

fn content(content: store::Content, files: &mut Files) -> page::Content {
    match content {
        store::Content::Text(text) => {
            let action = style::action(&text);
            let lines = lines(action.unwrap_or(&text));
            let action = action.is_some();
            page::Content::Text { text, lines, action }
        }
        store::Content::File(one, caption) => {
            let lines = caption.as_deref().map(lines).unwrap_or_default();
            page::Content::File { file: file(one, files), caption, lines }
        }
        store::Content::Retracted => page::Content::Retracted,
        store::Content::Undecryptable(why) => {
            page::Content::Undecryptable { why: undecryptable(why) }
        }
        store::Content::Event(Event::NewDevice { owner, device, key, trusted }) => {
            let (owner, key) = (owner.to_string(), hex::write(&key));
            page::Content::NewDevice { owner, device, key, trusted }
        }
        store::Content::Event(Event::Gap) => page::Content::Gap,
        store::Content::Event(Event::Restored) => page::Content::Restored,
        store::Content::Event(Event::Invited { by, reason }) => {
            page::Content::Invited { by: by.to_string(), reason }
        }
        store::Content::Event(Event::Declined { by, reason }) => {
            page::Content::Declined { by: by.to_string(), reason }
        }
        store::Content::Event(Event::Asks { nick, address }) => {
            page::Content::Asks { nick, address: address.map(|address| address.to_string()) }
        }
        store::Content::Event(Event::Room(all)) => {
            page::Content::Room { happenings: all.into_iter().map(room::happening).collect() }
        }
        store::Content::Event(Event::OptOut { reason }) => page::Content::OptOut { reason },
    }
}

/// A text as it is drawn, with the addresses in it.
pub(crate) fn lines(text: &str) -> Vec<page::Line> {
    let lines = style::lines(text).into_iter().map(|line| page::Line {
        quote: line.quote,
        preformatted: line.preformatted,
        spans: line.spans.into_iter().flat_map(spans).collect(),
    });
    lines.collect()
}

fn spans(span: style::Span) -> Vec<page::Span> {
    let make = |text: &str, link: bool| page::Span {
        text: text.to_owned(),
        strong: span.style.strong,
        emphasis: span.style.emphasis,
        strike: span.style.strike,
        preformatted: span.style.preformatted,
        link: link.then(|| text.to_owned()),
    };
    if span.style.preformatted {
        return vec![make(&span.text, false)];
    }
    links::parts(&span.text).into_iter().map(|part| make(part.text, part.link)).collect()
}

fn file(file: store::File, files: &mut Files) -> page::File {
    page::File {
        name: file.name,
        size: file.size,
        media_type: file.media_type,
        uploaded: file.url.is_some(),
        local: file.local.and_then(|local| files.name(&local)),
        length: file.preview.as_ref().and_then(|preview| preview.length),
        picture: file.preview.filter(looks_like_something).map(|preview| page::Picture {
            width: preview.width,
            height: preview.height,
            thumbnail: preview.thumbnail,
            description: preview.description,
        }),
    }
}

/// Whether anything is told of how it looks: of a sound there is only the length.
fn looks_like_something(preview: &store::Preview) -> bool {
    *preview != store::Preview { length: preview.length, ..store::Preview::default() }
}

fn undecryptable(why: Undecryptable) -> page::Undecryptable {
    match why {
        Undecryptable::NotForThisDevice => page::Undecryptable::NotForThisDevice,
        Undecryptable::NoSession => page::Undecryptable::NoSession,
        Undecryptable::UnknownKey => page::Undecryptable::UnknownKey,
        Undecryptable::Forged => page::Undecryptable::Forged,
        Undecryptable::KeyUsed => page::Undecryptable::KeyUsed,
        Undecryptable::TooFarAhead => page::Undecryptable::TooFarAhead,
        Undecryptable::Malformed => page::Undecryptable::Malformed,
        Undecryptable::Contradiction => page::Undecryptable::Contradiction,
        Undecryptable::Distrusted => page::Undecryptable::Distrusted,
        Undecryptable::UnknownEncryption => page::Undecryptable::UnknownEncryption,
    }
}

fn trust(level: TrustLevel) -> page::Trust {
    match level {
        TrustLevel::Undecided => page::Trust::Undecided,
        TrustLevel::Blind => page::Trust::Blind,
        TrustLevel::Verified => page::Trust::Verified,
        TrustLevel::Distrusted => page::Trust::Distrusted,
    }
}

fn delivery(delivery: store::Delivery) -> page::Delivery {
    match delivery {
        store::Delivery::Queued => page::Delivery::Queued,
        store::Delivery::Sent => page::Delivery::Sent,
        store::Delivery::Delivered => page::Delivery::Delivered,
        store::Delivery::Read => page::Delivery::Read,
        store::Delivery::Failed(reason) => page::Delivery::Failed { reason },
    }
}

fn device(device: view::Device) -> page::Device {
    page::Device {
        id: device.id,
        this: device.this,
        label: device.label,
        key: device.key.map(|key| hex::write(&key)),
        fingerprint: device.fingerprint,
        trust: trust(device.trust),
        active: device.active,
        last_used: device.last_used.map(|time| time.0),
        unused: device.unused,
    }
}
