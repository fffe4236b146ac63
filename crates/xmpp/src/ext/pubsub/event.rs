//! What a service tells subscribers: `<event xmlns='http://jabber.org/protocol/pubsub#event'/>`.
//!
//! Anybody can send such a message. An event is true only if it comes from the service itself, for
//! a personal node from the bare address of the account: check the sender first.

use super::{Item, Subscription};
use crate::ext::form::Form;
use crate::ns;
use crate::xml::Element;

/// One event about one node.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Items were published. Without any, a node for bare notifications was touched.
    Items(String, Vec<Item>),
    /// Items were removed.
    Retract(String, Vec<String>),
    /// All items were removed.
    Purge(String),
    /// The node is gone; perhaps there is another one to look at.
    Delete(String, Option<String>),
    /// The configuration changed; with payloads on, this is the new one.
    Configuration(String, Option<Form>),
    /// A subscription changed.
    Subscription(Subscription),
}

impl Event {
    /// Reads `<event/>`; `None` for another element or an event of no known kind.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is("event", ns::PUBSUB_EVENT) {
            return None;
        }
        let child = element.children().find(|child| child.ns() == ns::PUBSUB_EVENT)?;
        let node = || child.attr("node").map(str::to_owned);
        match child.name() {
            "items" => Some(parse_items(node()?, child)),
            "purge" => Some(Event::Purge(node()?)),
            "delete" => {
                let redirect = child.child("redirect", ns::PUBSUB_EVENT);
                let uri = redirect.and_then(|redirect| redirect.attr("uri"));
                Some(Event::Delete(node()?, uri.map(str::to_owned)))
            }
            "configuration" => Some(Event::Configuration(node()?, Form::child_of(child))),
            "subscription" => Subscription::parse(child).map(Event::Subscription),
            _ => None,
        }
    }

    /// The event as `<event/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let new =
            |name: &str, node: &str| Element::new(name, ns::PUBSUB_EVENT).with_attr("node", node);
        let child = match self {
            Event::Items(node, items) => new("items", node)
                .with_children(items.iter().map(|item| item.to_element(ns::PUBSUB_EVENT))),
            Event::Retract(node, ids) => {
                new("items", node).with_children(ids.iter().map(|id| {
                    Element::new("retract", ns::PUBSUB_EVENT).with_attr("id", id.as_str())
                }))
            }
            Event::Purge(node) => new("purge", node),
            Event::Delete(node, redirect) => {
                new("delete", node).with_children(redirect.iter().map(|uri| {
                    Element::new("redirect", ns::PUBSUB_EVENT).with_attr("uri", uri.as_str())
                }))
            }
            Event::Configuration(node, form) => {
                new("configuration", node).with_children(form.iter().map(Form::to_element))
            }
            Event::Subscription(subscription) => subscription.to_element(ns::PUBSUB_EVENT),
        };
        Element::new("event", ns::PUBSUB_EVENT).with_child(child)
    }
}

fn parse_items(node: String, items: &Element) -> Event {
    let children = || items.children().filter(|child| child.ns() == ns::PUBSUB_EVENT);
    let retracted: Vec<String> = children()
        .filter(|child| child.name() == "retract")
        .filter_map(|child| child.attr("id").map(str::to_owned))
        .collect();
    if !retracted.is_empty() {
        return Event::Retract(node, retracted);
    }
    Event::Items(node, children().filter(|child| child.name() == "item").map(Item::parse).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ext::form::FormType;
    use crate::ext::pubsub::SubscriptionState;
    use crate::jid::Jid;

    #[test]
    fn events_survive_the_wire() {
        let node = || "urn:n".to_owned();
        let item = Item::new("a").with_payload(Element::new("p", "urn:p"));
        for event in [
            Event::Items(node(), vec![item]),
            Event::Items(node(), Vec::new()),
            Event::Retract(node(), vec!["a".into(), "b".into()]),
            Event::Purge(node()),
            Event::Delete(node(), None),
            Event::Delete(node(), Some("xmpp:a@b?;node=c".into())),
            Event::Configuration(node(), None),
            Event::Configuration(node(), Some(Form::new(FormType::Result))),
            Event::Subscription(Subscription {
                node: Some(node()),
                jid: Jid::new("a@b").unwrap(),
                subid: None,
                state: Some(SubscriptionState::Pending),
            }),
        ] {
            assert_eq!(Event::parse(&event.to_element()), Some(event));
        }
    }

    #[test]
    fn other_elements_are_no_events() {
        assert_eq!(Event::parse(&Element::new("event", "urn:other")), None);
        assert_eq!(Event::parse(&Element::new("event", ns::PUBSUB_EVENT)), None);
    }
}
