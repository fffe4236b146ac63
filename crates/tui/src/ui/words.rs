//! What states of the core are called. No jargon: what it means, and what helps.

use client::store::{Delivery, Event, TrustLevel, Undecryptable, Version};
use client::view::{Connection, Conversation, Kind, Presence, Readers, Room, RoomState};
use xmpp::jid::BareJid;

use super::clock::{Clock, count};
use super::printable::Printable;

/// Why a message cannot be read, and what to do.
#[must_use]
pub fn undecryptable(reason: Undecryptable) -> &'static str {
    match reason {
        Undecryptable::NotForThisDevice => {
            "was not encrypted for this device: it was sent before this device was known to the sender"
        }
        Undecryptable::NoSession => {
            "cannot be read: this device had no session with the one that sent it. A new one is made; ask for it again"
        }
        Undecryptable::UnknownKey => {
            "cannot be read: it was made with a key this device no longer has. Ask for it again"
        }
        Undecryptable::Forged => "cannot be believed: it is damaged, or not from whom it says",
        Undecryptable::KeyUsed => {
            "cannot be read: its key is gone. It came too late, or was read already under another name. Ask for it again"
        }
        Undecryptable::TooFarAhead => {
            "cannot be read: too many messages before it are missing. Ask for it again"
        }
        Undecryptable::Malformed => "makes no sense: the sender's program made a mistake",
        Undecryptable::Contradiction => {
            "cannot be believed: what is signed in it names another sender or conversation"
        }
        Undecryptable::Distrusted => "is from a device you do not trust. /devices shows it",
        Undecryptable::UnknownEncryption => "uses an encryption that Clownfish does not know",
    }
}

/// Who writes, in a few words; in a conversation of two it is clear who. `None` when nobody does.
#[must_use]
pub fn writing(conversation: &Conversation) -> Option<String> {
    let mut names = conversation.typing.iter().map(|name| Printable::line(name).into_string());
    let first = names.next()?;
    if conversation.kind == Kind::Person {
        return Some("writing…".to_owned());
    }
    Some(match (names.next(), names.count()) {
        (None, _) => format!("{first} is writing…"),
        (Some(second), 0) => format!("{first} and {second} are writing…"),
        (Some(_), others) => format!("{first} and {} others are writing…", others + 1),
    })
}

/// Something that happened, in a line. `name` is whose device it is, `own` whether it is one's own.
#[must_use]
pub fn event(event: &Event, name: &str, own: bool) -> String {
    match event {
        Event::NewDevice { device, trusted, .. } => {
            let who = if own { "You use".to_owned() } else { format!("{name} uses") };
            match trusted {
                true => format!("{who} a new device, {device}"),
                false => format!(
                    "{who} a new device, {device}. It gets nothing until you decide: /devices"
                ),
            }
        }
        Event::OptOut { reason } => {
            let reason = reason.as_deref().map(Printable::line);
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            format!(
                "{name} asks you to write without encryption{reason}. \
                 Nothing is sent until you decide: /encrypt off, or /encrypt on"
            )
        }
        Event::Invited { reason, .. } => {
            let reason = reason.as_deref().map(Printable::line);
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("{name} invites you{reason}")
        }
        Event::Declined { reason, .. } => {
            let reason = reason.as_deref().map(Printable::line);
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("{name} declines the invitation{reason}")
        }
        Event::Asks { .. } => format!("{name} asks to be let in: /members"),
        // In words already: they name several people.
        Event::Room(_) => name.to_owned(),
        Event::Restored => "This profile was put back to an earlier state. Encrypted sessions are \
                            begun anew; what others sent meanwhile may not be readable"
            .to_owned(),
        Event::Gap => "Messages may be missing here: the server no longer has them".to_owned(),
    }
}

/// Who asks to become a member of a room: nobody takes their nickname for an address.
#[must_use]
pub fn who_asks(nick: &str, address: Option<&BareJid>) -> String {
    let address = address.map_or_else(|| "address unknown".to_owned(), BareJid::to_string);
    format!("“{nick}” ({address})")
}

/// How far a message got: a sign of at most two columns.
#[must_use]
pub fn tick(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Queued => "…",
        Delivery::Sent => "✓",
        Delivery::Delivered | Delivery::Read => "✓✓",
        Delivery::Failed(_) => "✗",
    }
}

/// How far a message got.
#[must_use]
pub fn delivery(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Queued => "waits to be sent".to_owned(),
        Delivery::Sent => "the server has it".to_owned(),
        Delivery::Delivered => "delivered to a device".to_owned(),
        Delivery::Read => "read".to_owned(),
        Delivery::Failed(reason) => format!("not sent: {reason}"),
    }
}

/// Why a message waits that nobody can read yet.
#[must_use]
pub fn waits_for_keys(name: &str) -> String {
    format!("waiting for the keys of {name}; it goes out by itself")
}

/// The state of the connection; `None` when there is nothing to say.
#[must_use]
pub fn connection(connection: &Connection, clock: &Clock) -> Option<String> {
    match connection {
        Connection::Online => None,
        Connection::Offline => Some("offline".to_owned()),
        Connection::Connecting => Some("connecting…".to_owned()),
        Connection::CatchingUp => Some("catching up…".to_owned()),
        Connection::Waiting { reason, until } => {
            let seconds = until.since(clock.now).div_ceil(1000);
            let when = match seconds {
                0 => "now".to_owned(),
                1..=99 => format!("in {seconds} s"),
                _ => format!("in {}", count(seconds.div_ceil(60), "minute")),
            };
            Some(format!("no connection, next try {when} ({reason})"))
        }
        Connection::Untrusted { .. } => Some("certificate not trusted: /account".to_owned()),
        Connection::Refused(reason) => Some(format!("{reason}: /account")),
    }
}

/// Who can read what is written now.
#[must_use]
pub fn readers(conversation: &Conversation) -> String {
    if conversation.encryption == client::store::EncryptionMode::Plain {
        return "not encrypted".to_owned();
    }
    let Readers { theirs, left_out, verified, .. } = conversation.readers;
    match (theirs, left_out, verified) {
        (0, 0, _) => "encrypted".to_owned(),
        (_, 0, true) => "encrypted, verified".to_owned(),
        (_, 0, false) => format!("encrypted to {}", count(u64::from(theirs), "device")),
        _ => format!("encrypted, {} left out", count(u64::from(left_out), "device")),
    }
}

/// Who can read what is written in a room now.
#[must_use]
pub fn room_readers(conversation: &Conversation, room: &Room) -> String {
    match (conversation.encryption, room.private) {
        (client::store::EncryptionMode::Plain, false) => "public, not encrypted".to_owned(),
        (client::store::EncryptionMode::Omemo, false) if room.state == RoomState::In => {
            "cannot be encrypted".to_owned()
        }
        _ => readers(conversation),
    }
}

/// Why what is written in a room cannot be encrypted; `None` when it can.
#[must_use]
pub fn unencryptable(room: &Room) -> Option<&'static str> {
    Some(match (room.private, room.open, room.anonymous) {
        (true, ..) => return None,
        (_, true, true) => {
            "everybody may enter it and addresses are hidden, so nobody knows who reads"
        }
        (_, true, false) => "everybody may enter it, so nobody knows who will read",
        _ => "it hides addresses, so nobody knows whose devices to encrypt for",
    })
}

/// Whether this account is in a room, if there is something to say about it.
#[must_use]
pub fn room_state(room: &Room) -> Option<String> {
    match &room.state {
        RoomState::In => None,
        RoomState::Out => Some("not in this room".to_owned()),
        RoomState::Invited => Some("an invitation".to_owned()),
        RoomState::Entering => Some("entering…".to_owned()),
        RoomState::Refused(reason) => Some(reason.clone()),
    }
}

/// How many people are in a room.
#[must_use]
pub fn people(room: &Room) -> String {
    let here = room.members.iter().filter(|member| member.nick.is_some()).count() as u64;
    match room.members.len() as u64 - here {
        0 => format!("{here} here"),
        away => format!("{here} here, {away} away"),
    }
}

/// How available somebody is.
#[must_use]
pub fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Chat => "wants to chat",
        Presence::Available => "available",
        Presence::Away => "away",
        Presence::ExtendedAway => "away for long",
        Presence::Busy => "busy",
        Presence::Offline => "not available",
    }
}

/// A decision about a key.
#[must_use]
pub fn trust(level: TrustLevel) -> &'static str {
    match level {
        TrustLevel::Undecided => "undecided: gets nothing",
        TrustLevel::Blind => "trusted, not verified",
        TrustLevel::Verified => "verified",
        TrustLevel::Distrusted => "distrusted: gets nothing",
    }
}

/// A version of OMEMO.
#[must_use]
pub fn version(version: Version) -> &'static str {
    match version {
        Version::Legacy => "OMEMO 0.3",
        Version::Omemo2 => "OMEMO 2",
    }
}
