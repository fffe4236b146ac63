//! XEP-0060: Publish-Subscribe 1.30.0
//!
//! [`Request`] is everything one can ask of a service, read from the payload of an iq and checked
//! for what must be there; [`Event`](event::Event) is what a service tells its subscribers. Words
//! of the protocol (affiliations, states of subscriptions, the conditions of errors) are enums.
//! Collections (XEP-0248) are not covered.

pub mod error;
pub mod event;
mod request;

pub use self::error::PubsubError;
pub use self::request::{IqType, Order, Request};

use crate::jid::{BareJid, Jid};
use crate::ns;
use crate::xml::Element;

/// What an entity may do with a node (XEP-0060 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Affiliation {
    /// Everything.
    Owner,
    /// Publish, subscribe and retrieve.
    Publisher,
    /// Publish, but neither subscribe nor retrieve.
    PublishOnly,
    /// Subscribe and retrieve, whatever the access model.
    Member,
    /// What the access model allows.
    #[default]
    None,
    /// Nothing.
    Outcast,
}

/// Where a subscription stands (XEP-0060 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubscriptionState {
    /// Not subscribed.
    None,
    /// Waiting for an owner's approval.
    Pending,
    /// Subscribed, with options still to be set.
    Unconfigured,
    /// Subscribed.
    Subscribed,
}

/// One `<item/>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// The id; a publisher may leave it to the service.
    pub id: Option<String>,
    /// Who published it, as the service says. What a publisher writes here is worth nothing.
    pub publisher: Option<String>,
    /// The children. Exactly one is allowed in an item with a payload; all are kept here so that
    /// the service can refuse more than one.
    pub payloads: Vec<Element>,
}

/// One `<subscription/>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The node, where it does not follow from the parent.
    pub node: Option<String>,
    /// The subscribed address.
    pub jid: Jid,
    /// Tells several subscriptions of one address apart.
    pub subid: Option<String>,
    /// The state; absent when an owner's change leaves it as it is.
    pub state: Option<SubscriptionState>,
}

/// One `<affiliation/>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffiliationEntry {
    /// Who.
    pub jid: BareJid,
    /// The affiliation; absent when an owner's change leaves it as it is.
    pub affiliation: Option<Affiliation>,
}

impl Affiliation {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Affiliation::Owner => "owner",
            Affiliation::Publisher => "publisher",
            Affiliation::PublishOnly => "publish-only",
            Affiliation::Member => "member",
            Affiliation::None => "none",
            Affiliation::Outcast => "outcast",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [
            Affiliation::Owner,
            Affiliation::Publisher,
            Affiliation::PublishOnly,
            Affiliation::Member,
            Affiliation::None,
            Affiliation::Outcast,
        ]
        .into_iter()
        .find(|affiliation| affiliation.as_str() == word)
    }
}

impl SubscriptionState {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SubscriptionState::None => "none",
            SubscriptionState::Pending => "pending",
            SubscriptionState::Unconfigured => "unconfigured",
            SubscriptionState::Subscribed => "subscribed",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [
            SubscriptionState::None,
            SubscriptionState::Pending,
            SubscriptionState::Unconfigured,
            SubscriptionState::Subscribed,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }
}

impl Item {
    /// An item without a payload.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Item { id: Some(id.into()), ..Item::default() }
    }

    /// Adds the payload.
    #[must_use]
    pub fn with_payload(mut self, payload: Element) -> Self {
        self.payloads.push(payload);
        self
    }

    /// The payload, when there is exactly one.
    #[must_use]
    pub fn payload(&self) -> Option<&Element> {
        match self.payloads.as_slice() {
            [payload] => Some(payload),
            _ => None,
        }
    }

    /// Reads `<item/>` of any of the namespaces of the protocol.
    #[must_use]
    pub fn parse(element: &Element) -> Self {
        Item {
            id: element.attr("id").filter(|id| !id.is_empty()).map(str::to_owned),
            publisher: element.attr("publisher").map(str::to_owned),
            payloads: element.children().cloned().collect(),
        }
    }

    /// The item as `<item/>` in the namespace of its parent.
    #[must_use]
    pub fn to_element(&self, ns: &str) -> Element {
        Element::new("item", ns)
            .with_attr_opt("id", self.id.as_deref())
            .with_attr_opt("publisher", self.publisher.as_deref())
            .with_children(self.payloads.iter().cloned())
    }
}

impl Subscription {
    /// Reads `<subscription/>`; `None` without a valid address or with an unknown state.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        let state = match element.attr("subscription") {
            Some(word) => Some(SubscriptionState::parse(word)?),
            None => None,
        };
        Some(Subscription {
            node: element.attr("node").map(str::to_owned),
            jid: element.attr("jid").and_then(|jid| Jid::new(jid).ok())?,
            subid: element.attr("subid").map(str::to_owned),
            state,
        })
    }

    /// The subscription as `<subscription/>` in the namespace of its parent.
    #[must_use]
    pub fn to_element(&self, ns: &str) -> Element {
        Element::new("subscription", ns)
            .with_attr_opt("node", self.node.as_deref())
            .with_attr("jid", self.jid.as_str())
            .with_attr_opt("subid", self.subid.as_deref())
            .with_attr_opt("subscription", self.state.map(SubscriptionState::as_str))
    }
}

impl AffiliationEntry {
    /// Reads `<affiliation/>`; `None` without a valid address or with an unknown affiliation.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        let affiliation = match element.attr("affiliation") {
            Some(word) => Some(Affiliation::parse(word)?),
            None => None,
        };
        // "All affiliations MUST be based on a bare JID" (§4.1): a resource is dropped.
        let jid = element.attr("jid").and_then(|jid| Jid::new(jid).ok())?.to_bare();
        Some(AffiliationEntry { jid, affiliation })
    }

    /// The entry as `<affiliation/>` in the namespace for owners.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new("affiliation", ns::PUBSUB_OWNER)
            .with_attr("jid", self.jid.as_str())
            .with_attr_opt("affiliation", self.affiliation.map(Affiliation::as_str))
    }
}

/// What is added to the name of a node to ask for its notifications (XEP-0060 §9.2).
pub const NOTIFY_SUFFIX: &str = "+notify";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_wire() {
        for word in ["owner", "publisher", "publish-only", "member", "none", "outcast"] {
            assert_eq!(Affiliation::parse(word).map(Affiliation::as_str), Some(word));
        }
        for word in ["none", "pending", "unconfigured", "subscribed"] {
            assert_eq!(SubscriptionState::parse(word).map(SubscriptionState::as_str), Some(word));
        }
        assert_eq!(Affiliation::parse("king"), None);
    }

    #[test]
    fn items_survive_the_wire() {
        let item = Item::new("current").with_payload(Element::new("tune", "urn:t"));
        assert_eq!(Item::parse(&item.to_element(ns::PUBSUB)), item);
        assert_eq!(Item::parse(&Element::new("item", ns::PUBSUB).with_attr("id", "")).id, None);
    }

    #[test]
    fn entries_with_unknown_words_are_refused() {
        let element = Element::new("affiliation", ns::PUBSUB_OWNER).with_attr("jid", "a@b/c");
        let entry = AffiliationEntry::parse(&element).unwrap();
        assert_eq!((entry.jid.as_str(), entry.affiliation), ("a@b", None));
        assert_eq!(AffiliationEntry::parse(&element.with_attr("affiliation", "king")), None);
        let element = Element::new("subscription", ns::PUBSUB).with_attr("jid", "a@b/c");
        assert!(Subscription::parse(&element).is_some());
        assert_eq!(Subscription::parse(&element.with_attr("subscription", "maybe")), None);
    }
}
