//! Payloads that carry authority, with the proof of who sent them.
//!
//! A carbon, an archive result, a roster push, a list of devices: anybody can write such an element
//! into a message. It counts only when it comes from the entity it speaks for. [`Verified`] values
//! are made in this file and nowhere else, and the code that acts on these payloads takes nothing
//! but them.

use std::ops::Deref;

use xmpp::ext::delay::Delay;
use xmpp::ext::forward::Forwarded;
use xmpp::ext::pubsub::event::Event;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::time::Millis;
use xmpp::xml::Element;

/// A payload whose sender may say what it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verified<T>(T);

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A message of this account that another of its devices sent or got (XEP-0280).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Carbon {
    /// Another device sent it.
    pub(crate) sent: bool,
    /// The message.
    pub(crate) message: Element,
}

/// A message from the archive of this account (XEP-0313 §4.2).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ArchiveResult {
    /// Whose archive: the account's, or that of a room.
    pub(crate) archive: BareJid,
    /// The query it answers.
    pub(crate) query: String,
    /// The id the archive gave it.
    pub(crate) id: String,
    /// When the archive got it.
    pub(crate) time: Option<Millis>,
    /// The message.
    pub(crate) message: Element,
}

/// `<query/>` of a change of the roster (RFC 6121 §2.1.6).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RosterPush(pub(crate) Element);

/// `<block/>` or `<unblock/>` (XEP-0191 §3.3).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlocklistPush(pub(crate) Element);

/// What an account published about itself (XEP-0163).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PersonalEvent {
    /// Whose node it is; nobody else can have sent it.
    pub(crate) owner: BareJid,
    /// What happened.
    pub(crate) event: Event,
}

/// Whether a stanza comes from the account itself, which is what its server speaks as.
fn from_account(stanza: &Element, me: &BareJid) -> bool {
    match stanza.attr("from") {
        None => true,
        Some(from) => Jid::new(from).is_ok_and(|from| from == *me),
    }
}

/// What a message wraps or tells, if that is one of the kinds that need authority.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Special {
    /// A carbon.
    Carbon(Verified<Carbon>),
    /// An archive result.
    Archive(Verified<ArchiveResult>),
    /// An event of a personal node.
    Event(Verified<PersonalEvent>),
    /// It claims to be one of these and does not come from who may send it: to be ignored whole.
    Forged,
    /// It is none of these.
    No,
}

impl Special {
    /// Looks at a message that came on the stream.
    pub(crate) fn of(message: &Element, me: &BareJid, is_room: impl Fn(&BareJid) -> bool) -> Self {
        if let Some((sent, carbon)) = carbon(message) {
            let inner = Forwarded::child_of(carbon).map(|forwarded| forwarded.stanza);
            return match inner.filter(|inner| inner.is("message", ns::CLIENT)) {
                Some(message_inside) if from_account(message, me) => {
                    Self::Carbon(Verified(Carbon { sent, message: message_inside }))
                }
                _ => Self::Forged,
            };
        }
        if let Some(result) = message.child("result", ns::MAM) {
            let archive = match message.attr("from") {
                _ if from_account(message, me) => Some(me.clone()),
                // A room speaks for its own archive, and only if it was asked.
                Some(from) => BareJid::new(from).ok().filter(|from| is_room(from)),
                None => None,
            };
            return match archive.and_then(|archive| archive_result(result, archive)) {
                Some(result) => Self::Archive(Verified(result)),
                None => Self::Forged,
            };
        }
        if let Some(event) = message.child("event", ns::PUBSUB_EVENT) {
            return match personal_event(message, event, me) {
                Some(event) => Self::Event(Verified(event)),
                None => Self::Forged,
            };
        }
        Self::No
    }
}

fn carbon(message: &Element) -> Option<(bool, &Element)> {
    let sent = message.child("sent", ns::CARBONS).map(|carbon| (true, carbon));
    sent.or_else(|| message.child("received", ns::CARBONS).map(|carbon| (false, carbon)))
}

fn archive_result(result: &Element, archive: BareJid) -> Option<ArchiveResult> {
    let forwarded = Forwarded::child_of(result)?;
    Some(ArchiveResult {
        archive,
        query: result.attr("queryid")?.to_owned(),
        id: result.attr("id").filter(|id| !id.is_empty())?.to_owned(),
        time: forwarded.delay.map(|delay: Delay| delay.stamp),
        message: Some(forwarded.stanza).filter(|inner| inner.is("message", ns::CLIENT))?,
    })
}

/// XEP-0163 §4.3: the sender of an event is the bare address of the account.
fn personal_event(message: &Element, event: &Element, me: &BareJid) -> Option<PersonalEvent> {
    let owner = match message.attr("from") {
        None => me.clone(),
        Some(from) => BareJid::new(from).ok()?,
    };
    if message.attr("type") == Some("error") {
        return None;
    }
    Some(PersonalEvent { owner, event: Event::parse(event)? })
}

/// A change of the roster (RFC 6121 §2.1.6).
pub(crate) fn roster_push(iq: &Element, me: &BareJid) -> Option<Verified<RosterPush>> {
    let query = iq.child("query", ns::ROSTER).filter(|_| from_account(iq, me))?;
    Some(Verified(RosterPush(query.clone())))
}

/// A change of the list of blocked addresses (XEP-0191 §3.3).
pub(crate) fn blocklist_push(iq: &Element, me: &BareJid) -> Option<Verified<BlocklistPush>> {
    let change = iq.first_child().filter(|child| child.ns() == ns::BLOCKING)?;
    from_account(iq, me).then(|| Verified(BlocklistPush(change.clone())))
}

/// What the owner of a node answered when it was asked for the items; see [`crate::pep`].
pub(crate) fn items(owner: &BareJid, event: Event) -> Verified<PersonalEvent> {
    Verified(PersonalEvent { owner: owner.clone(), event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use xmpp::xml::Limits;

    fn me() -> BareJid {
        BareJid::new("romeo@example.net").unwrap()
    }

    /// Everybody who could want to pretend to be the account or its server.
    const STRANGERS: [&str; 8] = [
        "mercutio@example.net",
        "romeo@example.net/orchard",
        "romeo@example.net.evil.example",
        "romeo@example.com",
        "example.net",
        "romeo%example.net@evil.example",
        "evil.example/romeo@example.net",
        "not an address@@",
    ];

    fn wrap(payload: &str, from: Option<&str>) -> Element {
        let from = from.map(|from| format!(" from='{from}'")).unwrap_or_default();
        let xml = format!("<message xmlns='jabber:client'{from}>{payload}</message>");
        Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap()
    }

    const FORWARDED: &str = "<forwarded xmlns='urn:xmpp:forward:0'>\
        <message xmlns='jabber:client' from='juliet@example.com/x' to='romeo@example.net'>\
        <body>hi</body></message></forwarded>";

    #[test]
    fn carbons_and_archive_results_come_from_the_account_only() {
        let payloads = [
            format!("<sent xmlns='urn:xmpp:carbons:2'>{FORWARDED}</sent>"),
            format!("<received xmlns='urn:xmpp:carbons:2'>{FORWARDED}</received>"),
            format!("<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>{FORWARDED}</result>"),
        ];
        for payload in &payloads {
            for from in STRANGERS {
                assert_eq!(
                    Special::of(&wrap(payload, Some(from)), &me(), |_| false),
                    Special::Forged
                );
            }
            for from in [None, Some("romeo@example.net")] {
                let special = Special::of(&wrap(payload, from), &me(), |_| false);
                assert!(!matches!(special, Special::Forged | Special::No), "{payload} {from:?}");
            }
        }
    }

    #[test]
    fn a_room_speaks_for_its_own_archive_and_for_nothing_else() {
        let room = BareJid::new("orchard@rooms.example.net").unwrap();
        let result =
            format!("<result xmlns='urn:xmpp:mam:2' queryid='q' id='1'>{FORWARDED}</result>");
        for (from, good) in [(room.as_str(), true), ("orchard@rooms.example.net/Puck", false)] {
            let special = Special::of(&wrap(&result, Some(from)), &me(), |one| *one == room);
            match special {
                Special::Archive(result) => assert!(good && result.archive == room, "{from}"),
                other => assert!(!good && other == Special::Forged, "{from}"),
            }
        }
        let carbon = format!("<sent xmlns='urn:xmpp:carbons:2'>{FORWARDED}</sent>");
        let special = Special::of(&wrap(&carbon, Some(room.as_str())), &me(), |one| *one == room);
        assert_eq!(special, Special::Forged);
    }

    #[test]
    fn an_event_speaks_for_the_bare_address_it_comes_from() {
        let payload = "<event xmlns='http://jabber.org/protocol/pubsub#event'>\
            <items node='urn:xmpp:omemo:2:devices'><item id='current'/></items></event>";
        for (from, owner) in [
            (None, Some("romeo@example.net")),
            (Some("juliet@example.com"), Some("juliet@example.com")),
            (Some("juliet@example.com/balcony"), None),
            (Some("not an address@@"), None),
        ] {
            match Special::of(&wrap(payload, from), &me(), |_| false) {
                Special::Event(event) => assert_eq!(Some(event.owner.as_str()), owner),
                other => assert_eq!((other, owner), (Special::Forged, None)),
            }
        }
    }

    #[test]
    fn pushes_come_from_the_account_only() {
        let iq = |payload: &str, from: Option<&str>| {
            let from = from.map(|from| format!(" from='{from}'")).unwrap_or_default();
            let xml = format!("<iq xmlns='jabber:client' type='set' id='1'{from}>{payload}</iq>");
            Element::parse(xml.as_bytes(), &Limits::TRUSTED).unwrap()
        };
        let roster = "<query xmlns='jabber:iq:roster'><item jid='a@b'/></query>";
        let block = "<block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block>";
        for from in STRANGERS {
            assert_eq!(roster_push(&iq(roster, Some(from)), &me()), None);
            assert_eq!(blocklist_push(&iq(block, Some(from)), &me()), None);
        }
        for from in [None, Some("romeo@example.net")] {
            assert!(roster_push(&iq(roster, from), &me()).is_some());
            assert!(blocklist_push(&iq(block, from), &me()).is_some());
        }
    }
}
