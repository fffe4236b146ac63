//! XEP-0045: Multi-User Chat 1.35.5, the elements in presence, messages and requests

use crate::jid::{BareJid, Jid};
use crate::ns;
use crate::time::Millis;
use crate::xml::Element;

/// A lasting relation to a room (§5.2), the least trusted first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Affiliation {
    /// Banned.
    Outcast,
    /// None.
    #[default]
    None,
    /// On the member list.
    Member,
    /// May ban and make members.
    Admin,
    /// May do everything.
    Owner,
}

/// What an occupant may do during a visit (§5.1), the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Not in the room.
    #[default]
    None,
    /// Reads.
    Visitor,
    /// Reads and writes.
    Participant,
    /// Keeps order.
    Moderator,
}

impl Affiliation {
    /// Every one of them.
    pub const ALL: [Affiliation; 5] = [
        Affiliation::Outcast,
        Affiliation::None,
        Affiliation::Member,
        Affiliation::Admin,
        Affiliation::Owner,
    ];

    /// The value of the attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Affiliation::Outcast => "outcast",
            Affiliation::None => "none",
            Affiliation::Member => "member",
            Affiliation::Admin => "admin",
            Affiliation::Owner => "owner",
        }
    }

    /// Reads the value of the attribute.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|affiliation| affiliation.as_str() == value)
    }
}

impl Role {
    /// The value of the attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::None => "none",
            Role::Visitor => "visitor",
            Role::Participant => "participant",
            Role::Moderator => "moderator",
        }
    }

    /// Reads the value of the attribute.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        [Role::None, Role::Visitor, Role::Participant, Role::Moderator]
            .into_iter()
            .find(|role| role.as_str() == value)
    }
}

/// `<x xmlns='http://jabber.org/protocol/muc'/>`: entering a room (§7.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Join {
    /// The room's password.
    pub password: Option<String>,
    /// How much of the past is wanted.
    pub history: History,
    /// XEP-0463: changes of affiliations are wanted; with the version that is known.
    pub affiliations: Option<Option<String>>,
}

/// `<history/>` (§7.2.14). Everything that is absent sets no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Bytes of stanzas.
    pub max_chars: Option<u64>,
    /// Stanzas.
    pub max_stanzas: Option<u64>,
    /// Not older than so many seconds.
    pub seconds: Option<u64>,
    /// Not older than this.
    pub since: Option<Millis>,
}

impl Join {
    /// Reads the element. Bounds that make no sense are left out.
    #[must_use]
    pub fn parse(x: &Element) -> Option<Self> {
        if !x.is("x", ns::MUC) {
            return None;
        }
        let history = x.child("history", ns::MUC);
        let number = |name| history.and_then(|h| h.attr(name)).and_then(|text| text.parse().ok());
        let versions = x.child("mav", ns::MUC_AFFILIATIONS);
        Some(Join {
            password: x.child("password", ns::MUC).map(Element::text),
            history: History {
                max_chars: number("maxchars"),
                max_stanzas: number("maxstanzas"),
                seconds: number("seconds"),
                since: history.and_then(|h| h.attr("since")).and_then(Millis::parse_xep0082),
            },
            affiliations: versions.map(|mav| mav.attr("since").map(str::to_owned)),
        })
    }

    /// The element.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let History { max_chars, max_stanzas, seconds, since } = self.history;
        let bounds = [("maxchars", max_chars), ("maxstanzas", max_stanzas), ("seconds", seconds)];
        let mut history = Element::new("history", ns::MUC);
        for (name, value) in bounds {
            history = history.with_attr_opt(name, value.map(|value| value.to_string()));
        }
        let history = history.with_attr_opt("since", since.map(Millis::xep0082));
        let versions = self.affiliations.as_ref().map(|since| {
            Element::new("mav", ns::MUC_AFFILIATIONS).with_attr_opt("since", since.as_deref())
        });
        let password = self.password.as_deref();
        Element::new("x", ns::MUC)
            .with_children(password.map(|text| Element::new("password", ns::MUC).with_text(text)))
            .with_children((self.history != History::default()).then_some(history))
            .with_children(versions)
    }
}

/// `<item/>` in presence and in lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// The affiliation, if it is told or to be changed.
    pub affiliation: Option<Affiliation>,
    /// The role, if it is told or to be changed.
    pub role: Option<Role>,
    /// The real address, where it may be known.
    pub jid: Option<Jid>,
    /// The nickname.
    pub nick: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The nickname of who did it.
    pub actor: Option<String>,
}

impl Item {
    /// Reads an element in one of the room namespaces; `None` when a value is not one of those that
    /// exist, or an address is none.
    #[must_use]
    pub fn parse(item: &Element) -> Option<Self> {
        let known = |text: Option<&str>| text.map(str::to_owned);
        let text = |name: &str| item.child(name, item.ns()).map(Element::text);
        let affiliation = match item.attr("affiliation") {
            Some(value) => Some(Affiliation::parse(value)?),
            None => None,
        };
        let role = match item.attr("role") {
            Some(value) => Some(Role::parse(value)?),
            None => None,
        };
        let jid = match item.attr("jid") {
            Some(jid) => Some(Jid::new(jid).ok()?),
            None => None,
        };
        Some(Item {
            affiliation,
            role,
            jid,
            nick: known(item.attr("nick")),
            reason: text("reason").filter(|reason| !reason.is_empty()),
            actor: item.child("actor", item.ns()).and_then(|actor| known(actor.attr("nick"))),
        })
    }

    /// The element in one of the room namespaces.
    #[must_use]
    pub fn to_element(&self, namespace: &str) -> Element {
        let actor = self.actor.as_deref();
        let reason = self.reason.as_deref();
        Element::new("item", namespace)
            .with_attr_opt("affiliation", self.affiliation.map(Affiliation::as_str))
            .with_attr_opt("role", self.role.map(Role::as_str))
            .with_attr_opt("jid", self.jid.as_ref().map(|jid| jid.as_str()))
            .with_attr_opt("nick", self.nick.as_deref())
            .with_children(
                actor.map(|nick| Element::new("actor", namespace).with_attr("nick", nick)),
            )
            .with_children(reason.map(|text| Element::new("reason", namespace).with_text(text)))
    }
}

/// One `<invite/>` on its way to a room (§7.8.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Who is invited.
    pub to: Jid,
    /// Why.
    pub reason: Option<String>,
    /// The conversation that goes on in the room: its thread.
    pub continued: Option<Option<String>>,
}

/// `<decline/>` on its way to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// Who had invited.
    pub to: Jid,
    /// Why not.
    pub reason: Option<String>,
}

/// The invitations in an `<x xmlns='http://jabber.org/protocol/muc#user'/>`; those without a valid
/// address are left out.
#[must_use]
pub fn invites(x: &Element) -> Vec<Invite> {
    let invites = x.children().filter(|child| child.is("invite", ns::MUC_USER));
    let read = |invite: &Element| {
        let continued = invite.child("continue", ns::MUC_USER);
        Some(Invite {
            to: Jid::new(invite.attr("to")?).ok()?,
            reason: invite.child("reason", ns::MUC_USER).map(Element::text),
            continued: continued.map(|element| element.attr("thread").map(str::to_owned)),
        })
    };
    invites.filter_map(read).collect()
}

/// The refusal in an `<x xmlns='http://jabber.org/protocol/muc#user'/>`.
#[must_use]
pub fn decline(x: &Element) -> Option<Decline> {
    let decline = x.child("decline", ns::MUC_USER)?;
    Some(Decline {
        to: Jid::new(decline.attr("to")?).ok()?,
        reason: decline.child("reason", ns::MUC_USER).map(Element::text),
    })
}

impl Invite {
    /// The invitation as the room passes it on.
    #[must_use]
    pub fn passed_on(&self, from: &Jid) -> Element {
        let continued = self.continued.as_ref().map(|thread| {
            Element::new("continue", ns::MUC_USER).with_attr_opt("thread", thread.as_deref())
        });
        Element::new("invite", ns::MUC_USER)
            .with_attr("from", from.as_str())
            .with_children(reason(self.reason.as_deref()))
            .with_children(continued)
    }
}

impl Decline {
    /// The refusal as the room passes it on.
    #[must_use]
    pub fn passed_on(&self, from: &BareJid) -> Element {
        Element::new("decline", ns::MUC_USER)
            .with_attr("from", from.as_str())
            .with_children(reason(self.reason.as_deref()))
    }
}

fn reason(text: Option<&str>) -> Option<Element> {
    text.map(|text| Element::new("reason", ns::MUC_USER).with_text(text))
}

/// `<status code='…'/>`.
#[must_use]
pub fn status(code: u16) -> Element {
    Element::new("status", ns::MUC_USER).with_attr("code", code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Limits;

    fn element(text: &str) -> Element {
        Element::parse(text.as_bytes(), &Limits::TRUSTED).unwrap()
    }

    #[test]
    fn affiliations_and_roles_are_ordered_by_trust() {
        assert!(
            Affiliation::Owner > Affiliation::Admin && Affiliation::None > Affiliation::Outcast
        );
        assert!(Role::Moderator > Role::Participant && Role::Visitor > Role::None);
        for affiliation in Affiliation::ALL {
            assert_eq!(Affiliation::parse(affiliation.as_str()), Some(affiliation));
        }
        assert_eq!(Role::parse("king"), None);
    }

    #[test]
    fn a_join_survives_a_round_trip() {
        let text = "<x xmlns='http://jabber.org/protocol/muc'><password>cauldronburn</password>\
                    <history maxstanzas='20' since='1970-01-01T00:00:00Z'/>\
                    <mav xmlns='urn:xmpp:muc:affiliations:1' since='7'/></x>";
        let join = Join::parse(&element(text)).unwrap();
        assert_eq!(join.password.as_deref(), Some("cauldronburn"));
        assert_eq!(join.history.max_stanzas, Some(20));
        assert_eq!(join.affiliations, Some(Some("7".to_owned())));
        assert_eq!(Join::parse(&join.to_element()), Some(join));
        let nonsense = "<x xmlns='http://jabber.org/protocol/muc'><history maxchars='-1'/></x>";
        assert_eq!(Join::parse(&element(nonsense)), Some(Join::default()));
    }

    #[test]
    fn an_item_with_an_unknown_value_is_none() {
        let item = |attributes: &str| {
            Item::parse(&element(&format!(
                "<item xmlns='http://jabber.org/protocol/muc#admin' {attributes}/>"
            )))
        };
        assert_eq!(item("role='king'"), None);
        assert_eq!(item("affiliation='friend'"), None);
        assert_eq!(item("jid='@'"), None);
        let kick = item("nick='pistol' role='none'").unwrap();
        assert_eq!(Item::parse(&kick.to_element(ns::MUC_ADMIN)), Some(kick));
    }

    #[test]
    fn an_invitation_is_passed_on_with_its_sender() {
        let x = element(
            "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='hecate@shakespeare.example'>\
             <reason>Hey</reason><continue thread='e0ff'/></invite><invite to='@'/></x>",
        );
        let found = invites(&x);
        assert_eq!(found.len(), 1);
        let from = Jid::new("crone1@shakespeare.example/desktop").unwrap();
        let passed = found[0].passed_on(&from);
        assert_eq!(passed.attr("from"), Some(from.as_str()));
        assert_eq!(passed.child("reason", ns::MUC_USER).map(Element::text), Some("Hey".into()));
    }
}
