//! A message on its way in, after it was unwrapped.

use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

use crate::store::{Encryption, Occupant, Position, Undecryptable};

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Just now, to this device or all.
    Live,
    /// Just now, as a copy of what another device of this account sent or got.
    Carbon,
    /// From the archive while what was missed is fetched.
    CatchUp,
    /// From the archive because the user looks at older messages.
    Older,
}

impl Source {
    /// Whether it is new, so that answers to it make sense.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Carbon)
    }
}

/// A message on its way in.
#[derive(Clone)]
pub(crate) struct Incoming {
    /// The conversation: the other side's address.
    pub(crate) with: BareJid,
    /// Who wrote it.
    pub(crate) sender: BareJid,
    /// Written in a room; `with` is the room.
    pub(crate) room: bool,
    /// Who wrote it in a room, as the room names them; `None` when the room itself speaks.
    pub(crate) occupant: Option<Occupant>,
    /// Written by this account, on another device.
    pub(crate) own: bool,
    /// `type='error'`: one of our messages came back.
    pub(crate) error: bool,
    /// The device or occupant it is from; `None` when it is from an account or a room itself.
    pub(crate) resource: Option<String>,
    /// How it came.
    pub(crate) source: Source,
    /// The stanza's id.
    pub(crate) id: Option<String>,
    /// The id its sender gave it (XEP-0359), else the stanza's.
    pub(crate) origin_id: Option<String>,
    /// `origin_id` is one that its sender promises to be unique.
    pub(crate) unique: bool,
    /// The id in this account's archive.
    pub(crate) archive_id: Option<String>,
    /// When the sender's or this account's server got it.
    pub(crate) time: Millis,
    /// Where the archive puts it, when it says so.
    pub(crate) position: Option<Position>,
    /// Its children as they came.
    pub(crate) outer: Vec<Element>,
    /// Its children that count. The stage `Decrypt` puts what was decrypted here, and nothing
    /// that was not protected but must be.
    pub(crate) content: Vec<Element>,
    /// How `content` was protected.
    pub(crate) encryption: Encryption,
    /// It was encrypted and cannot be read, for this reason.
    pub(crate) undecryptable: Option<Undecryptable>,
}

/// What it says is not printed.
impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("with", &self.with)
            .field("sender", &self.sender)
            .field("source", &self.source)
            .field("id", &self.id)
            .field("archive_id", &self.archive_id)
            .field("encryption", &self.encryption)
            .field("undecryptable", &self.undecryptable)
            .finish_non_exhaustive()
    }
}

impl Incoming {
    /// Takes a message apart; `None` when its addresses make no sense or it is of a room.
    pub(crate) fn new(
        message: &Element,
        me: &BareJid,
        source: Source,
        now: Millis,
    ) -> Option<Incoming> {
        let from = match message.attr("from") {
            Some(from) => Jid::new(from).ok()?,
            None => Jid::from(me.clone()),
        };
        let to = match message.attr("to") {
            Some(to) => Jid::new(to).ok()?,
            None => Jid::from(me.clone()),
        };
        let sender = from.to_bare();
        let own = sender == *me;
        // Rooms have timelines of their own order and authority: see `features/rooms`.
        if message.attr("type") == Some("groupchat") {
            return None;
        }
        let with = if own { to.to_bare() } else { sender.clone() };
        let resource = from.resource().map(ToString::to_string);
        Some(Incoming { resource, ..Self::build(message, with, sender, source, now, own) })
    }

    /// Takes a message of a room apart. Who wrote it is for the caller to find out.
    pub(crate) fn of_room(
        message: &Element,
        room: &BareJid,
        source: Source,
        now: Millis,
    ) -> Option<Incoming> {
        if message.attr("type") != Some("groupchat") {
            return None;
        }
        let incoming = Self::build(message, room.clone(), room.clone(), source, now, false);
        Some(Incoming { room: true, ..incoming })
    }

    fn build(
        message: &Element,
        with: BareJid,
        sender: BareJid,
        source: Source,
        now: Millis,
        own: bool,
    ) -> Incoming {
        let children: Vec<Element> = message.children().cloned().collect();
        let id = message.attr("id").filter(|id| is_id(id)).map(str::to_owned);
        let origin = find(&children, "origin-id", ns::STANZA_ID)
            .and_then(|origin| origin.attr("id").filter(|id| is_id(id)).map(str::to_owned));
        let delayed = find(&children, "delay", ns::DELAY)
            .and_then(xmpp::ext::delay::Delay::parse)
            .map(|delay| delay.stamp);
        Incoming {
            with,
            sender,
            room: false,
            occupant: None,
            own,
            error: message.attr("type") == Some("error"),
            resource: None,
            source,
            unique: own || origin.is_some(),
            origin_id: origin.or_else(|| id.clone()),
            id,
            archive_id: None,
            // A clock that is ahead must not make messages of the future.
            time: delayed.filter(|time| *time <= now).unwrap_or(now),
            position: None,
            content: children.clone(),
            outer: children,
            encryption: Encryption::None,
            undecryptable: None,
        }
    }

    /// The first child that counts of this name.
    pub(crate) fn child(&self, name: &str, ns: &str) -> Option<&Element> {
        find(&self.content, name, ns)
    }

    /// The text.
    pub(crate) fn body(&self) -> Option<String> {
        self.child("body", ns::CLIENT).map(Element::text).filter(|text| !text.is_empty())
    }

    /// The id that an archive gave the message (XEP-0359 §5). Anybody can write one; it counts only
    /// when `archive` is known to remove what others claim in its name. Of two, one is a forgery.
    pub(crate) fn stanza_id(&self, archive: &BareJid) -> Option<String> {
        let mut ids = self.outer.iter().filter(|child| {
            child.is("stanza-id", ns::STANZA_ID)
                && child.attr("by").and_then(|by| BareJid::new(by).ok()).as_ref() == Some(archive)
        });
        let (id, another) = (ids.next()?, ids.next());
        id.attr("id").filter(|id| another.is_none() && is_id(id)).map(str::to_owned)
    }
}

pub(crate) fn find<'a>(children: &'a [Element], name: &str, ns: &str) -> Option<&'a Element> {
    children.iter().find(|child| child.is(name, ns))
}

/// Whether an id is worth remembering.
pub(crate) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID_BYTES
}

/// Longer ids of others are taken for none.
const MAX_ID_BYTES: usize = 512;
