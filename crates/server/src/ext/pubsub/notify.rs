//! Who hears of an event, and the messages that tell them (XEP-0060 §9 and §12, XEP-0163 §4).
//!
//! Three kinds of recipients: the account's own resources and those of contacts whose presence it
//! sees, both filtered by the `+notify` features of their clients (XEP-0060 §9.2), and explicit
//! subscribers. Whoever is among them in two ways is told once. The access model is asked again
//! for each of them, so that nobody hears of a node that was closed to them meanwhile.
//!
//! XEP-0163 §4.3.1 also suggests a `replyto` address that names the publishing resource. It is left
//! out: it would stay in the last item and tell resources to people long after the session.

use std::collections::BTreeSet;

use bytes::Bytes;
use xmpp::{
    ext::{delay::Delay, form::FormType, pubsub::SubscriptionState},
    jid::{BareJid, Jid},
    ns,
    time::Millis,
    xml::{Element, escape_attribute_into},
};

use super::{
    access::Relation,
    node::{Node, Service},
    options::{ItemReply, NotificationType},
};

/// What clients told about the notifications they want.
pub trait Interest {
    /// Whether the client's features have `node` with `+notify`.
    fn wants(&self, node: &str) -> bool;
}

/// Somebody whose presence the account sees, or the account itself.
#[derive(Clone, Debug)]
pub struct Watcher<I> {
    /// The bare address.
    pub bare: BareJid,
    /// What the owner's roster says; of no account for the owner.
    pub relation: Relation,
    /// Full addresses of the available resources, with what they want.
    pub resources: Vec<(Jid, I)>,
}

impl Service {
    /// The addresses that are told about an event at `node`, each once, in order.
    ///
    /// `relation` is asked about explicit subscribers who are not among the watchers.
    pub fn audience<I: Interest>(
        &self,
        node: &Node,
        watchers: &[Watcher<I>],
        relation: impl Fn(&BareJid) -> Relation,
    ) -> BTreeSet<Jid> {
        let mut audience = BTreeSet::new();
        if !node.config.deliver_notifications {
            return audience;
        }
        for watcher in watchers {
            if self.allows(node, &watcher.bare, &watcher.relation).is_ok() {
                let wants = watcher.resources.iter().filter(|(_, wish)| wish.wants(&node.name));
                audience.extend(wants.map(|(jid, _)| jid.clone()));
            }
        }
        for subscriber in &node.subscriptions {
            if subscriber.state != SubscriptionState::Subscribed || !subscriber.deliver {
                continue;
            }
            let bare = subscriber.jid.to_bare();
            let watcher = watchers.iter().find(|watcher| watcher.bare == bare);
            let allowed = match watcher {
                Some(watcher) => self.allows(node, &bare, &watcher.relation),
                None => self.allows(node, &bare, &relation(&bare)),
            };
            if allowed.is_ok() {
                address(node, &subscriber.jid, watcher, &mut audience);
            }
        }
        audience
    }
}

/// XEP-0163 §4.3.1 and §4.3.2: where an explicit subscriber is told.
fn address<I: Interest>(
    node: &Node,
    jid: &Jid,
    watcher: Option<&Watcher<I>>,
    audience: &mut BTreeSet<Jid>,
) {
    let online = watcher.map(|watcher| watcher.resources.as_slice()).unwrap_or_default();
    let needs_presence = node.config.presence_based_delivery;
    match jid.resource() {
        Some(_) if needs_presence && !online.iter().any(|(known, _)| known == jid) => {}
        Some(_) => {
            audience.insert(jid.clone());
        }
        // Somebody whose presence we see is told at each resource that wants it.
        None if online.iter().any(|(_, wish)| wish.wants(&node.name)) => {}
        None if needs_presence && online.is_empty() => {}
        None => {
            audience.insert(jid.clone());
        }
    }
}

/// What is told about a node, ready for any number of recipients.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Notice {
    /// The content of the message: the event, and perhaps a delay.
    body: Bytes,
    headline: bool,
}

/// An item as it stands in a notification.
#[derive(Clone, Debug)]
pub(super) struct Told<'a> {
    /// Its id.
    pub id: &'a str,
    /// Who published it.
    pub publisher: Option<&'a Jid>,
    /// Its payload.
    pub payload: Option<&'a [u8]>,
}

impl Notice {
    /// Items were published.
    #[must_use]
    pub(super) fn items<'a>(
        owner: &BareJid,
        node: &Node,
        items: impl IntoIterator<Item = Told<'a>>,
    ) -> Self {
        Self::build(node, |out| write_items(out, owner, node, items))
    }

    /// The last item, sent late (XEP-0163 §4.3.4).
    #[must_use]
    pub(super) fn last(owner: &BareJid, node: &Node, item: Told<'_>, published: Millis) -> Self {
        let mut notice = Self::items(owner, node, [item]);
        let mut body = notice.body.to_vec();
        Delay::new(published).with_from(owner.clone()).write(&mut body);
        notice.body = body.into();
        notice
    }

    /// Items were removed.
    #[must_use]
    pub(super) fn retract<'a>(node: &Node, ids: impl IntoIterator<Item = &'a str>) -> Self {
        Self::build(node, |out| {
            open(out, "items", &node.name, b">");
            for id in ids {
                out.extend_from_slice(b"<retract id='");
                escape_attribute_into(out, id);
                out.extend_from_slice(b"'/>");
            }
            out.extend_from_slice(b"</items>");
        })
    }

    /// All items were removed.
    #[must_use]
    pub(super) fn purge(node: &Node) -> Self {
        Self::build(node, |out| open(out, "purge", &node.name, b"/>"))
    }

    /// The node is gone.
    #[must_use]
    pub(super) fn delete(node: &Node, redirect: Option<&str>) -> Self {
        Self::build(node, |out| match redirect {
            None => open(out, "delete", &node.name, b"/>"),
            Some(uri) => {
                open(out, "delete", &node.name, b"><redirect uri='");
                escape_attribute_into(out, uri);
                out.extend_from_slice(b"'/></delete>");
            }
        })
    }

    /// The configuration changed (§8.2.5.4).
    #[must_use]
    pub(super) fn configuration(node: &Node) -> Self {
        Self::build(node, |out| {
            if !node.config.deliver_payloads {
                return open(out, "configuration", &node.name, b"/>");
            }
            open(out, "configuration", &node.name, b">");
            node.config.form(FormType::Result).to_element().write(out, ns::PUBSUB_EVENT);
            out.extend_from_slice(b"</configuration>");
        })
    }

    /// A subscription changed (§12.12). This is told whatever the configuration says.
    #[must_use]
    pub(super) fn subscription(node: &Node, entry: &Element) -> Self {
        Self::build(node, |out| entry.write(out, ns::PUBSUB_EVENT))
    }

    fn build(node: &Node, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut body = Vec::with_capacity(256);
        body.extend_from_slice(b"<event xmlns='http://jabber.org/protocol/pubsub#event'>");
        write(&mut body);
        body.extend_from_slice(b"</event>");
        let headline = node.config.notification_type == NotificationType::Headline;
        Self { body: body.into(), headline }
    }

    /// Whether it is for those alone who are there.
    pub(super) fn is_headline(&self) -> bool {
        self.headline
    }

    /// About how many bytes it has.
    pub(super) fn size(&self) -> usize {
        self.body.len()
    }

    /// The message for one recipient. `id` lets errors be traced to it.
    #[must_use]
    pub(super) fn message(&self, from: &str, to: &str, id: &str) -> Bytes {
        let mut out = Vec::with_capacity(self.body.len() + from.len() + to.len() + 80);
        out.extend_from_slice(b"<message from='");
        escape_attribute_into(&mut out, from);
        out.extend_from_slice(b"' to='");
        escape_attribute_into(&mut out, to);
        if self.headline {
            out.extend_from_slice(b"' type='headline");
        }
        out.extend_from_slice(b"' id='");
        escape_attribute_into(&mut out, id);
        out.extend_from_slice(b"'>");
        out.extend_from_slice(&self.body);
        out.extend_from_slice(b"</message>");
        out.into()
    }
}

fn write_items<'a>(
    out: &mut Vec<u8>,
    owner: &BareJid,
    node: &Node,
    items: impl IntoIterator<Item = Told<'a>>,
) {
    let mut items = items.into_iter().peekable();
    if items.peek().is_none() {
        return open(out, "items", &node.name, b"/>");
    }
    open(out, "items", &node.name, b">");
    for item in items {
        out.extend_from_slice(b"<item id='");
        escape_attribute_into(out, item.id);
        if let Some(publisher) = shown_publisher(owner, node, item.publisher) {
            out.extend_from_slice(b"' publisher='");
            escape_attribute_into(out, publisher.as_str());
        }
        match item.payload.filter(|_| node.config.deliver_payloads) {
            None => out.extend_from_slice(b"'/>"),
            Some(payload) => {
                out.extend_from_slice(b"'>");
                out.extend_from_slice(payload);
                out.extend_from_slice(b"</item>");
            }
        }
    }
    out.extend_from_slice(b"</items>");
}

/// §7.1.2.3 and §12.15: whose address an item carries. Always a bare one: the resource is nobody's
/// business who does not see the publisher's presence.
#[must_use]
pub(super) fn shown_publisher(
    owner: &BareJid,
    node: &Node,
    publisher: Option<&Jid>,
) -> Option<BareJid> {
    match node.config.item_reply {
        ItemReply::None => None,
        ItemReply::Owner => Some(owner.clone()),
        ItemReply::Publisher => publisher.map(Jid::to_bare),
    }
}

fn open(out: &mut Vec<u8>, name: &str, node: &str, end: &[u8]) {
    out.push(b'<');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b" node='");
    escape_attribute_into(out, node);
    out.push(b'\'');
    out.extend_from_slice(end);
}

#[cfg(test)]
mod tests {
    use xmpp::{
        ext::pubsub::{Item, event::Event},
        xml::Limits,
    };

    use super::{
        super::{node::Subscriber, options::AccessModel},
        *,
    };

    struct Wish(&'static [&'static str]);

    impl Interest for Wish {
        fn wants(&self, node: &str) -> bool {
            self.0.contains(&node)
        }
    }

    const ALL: &[&str] = &["urn:n"];

    fn owner() -> BareJid {
        BareJid::new("juliet@capulet.example").unwrap()
    }

    fn node() -> Node {
        Node::new("urn:n", Millis(1))
    }

    fn watcher(
        bare: &str,
        groups: &[&str],
        resources: &[(&str, &'static [&'static str])],
    ) -> Watcher<Wish> {
        let full = |resource: &str| Jid::new(&format!("{bare}/{resource}")).unwrap();
        Watcher {
            bare: BareJid::new(bare).unwrap(),
            relation: Relation {
                presence: true,
                groups: groups.iter().map(|&group| group.into()).collect(),
            },
            resources: resources.iter().map(|(name, wish)| (full(name), Wish(wish))).collect(),
        }
    }

    fn told(node: &Node, watchers: &[Watcher<Wish>]) -> Vec<String> {
        let audience = Service::new(owner()).audience(node, watchers, |_| Relation::default());
        audience.iter().map(|jid| jid.as_str().to_owned()).collect()
    }

    fn subscribe(node: &mut Node, jid: &str) {
        let jid = Jid::new(jid).unwrap();
        let state = SubscriptionState::Subscribed;
        node.subscriptions.push(Subscriber { jid, state, deliver: true });
    }

    #[test]
    fn own_resources_are_told_whatever_the_access_model() {
        let own = [watcher("juliet@capulet.example", &[], &[("balcony", ALL), ("chamber", &[])])];
        for access in [AccessModel::Whitelist, AccessModel::Authorize, AccessModel::Roster] {
            let mut node = node();
            node.config.access = access;
            assert_eq!(told(&node, &own), ["juliet@capulet.example/balcony"]);
        }
    }

    #[test]
    fn contacts_are_told_what_they_may_read_and_want() {
        let watchers = [
            watcher("romeo@montague.example", &["Friends"], &[("orchard", ALL), ("tower", &[])]),
            watcher("nurse@capulet.example", &["Servants"], &[("chamber", ALL)]),
        ];
        let mut node = node();
        let everybody = ["nurse@capulet.example/chamber", "romeo@montague.example/orchard"];
        assert_eq!(told(&node, &watchers), everybody);
        node.config.access = AccessModel::Roster;
        node.config.groups = vec!["Friends".into()];
        assert_eq!(told(&node, &watchers), ["romeo@montague.example/orchard"]);
        node.config.access = AccessModel::Whitelist;
        assert!(told(&node, &watchers).is_empty());
        node.config.access = AccessModel::Open;
        node.config.deliver_notifications = false;
        assert!(told(&node, &watchers).is_empty());
    }

    #[test]
    fn explicit_subscribers_are_told_once() {
        let mut node = node();
        node.config.access = AccessModel::Open;
        subscribe(&mut node, "romeo@montague.example");
        subscribe(&mut node, "romeo@montague.example/orchard");
        subscribe(&mut node, "bard@shakespeare.example");
        let nobody: [Watcher<Wish>; 0] = [];
        let unseen = [
            "bard@shakespeare.example",
            "romeo@montague.example",
            "romeo@montague.example/orchard",
        ];
        assert_eq!(told(&node, &nobody), unseen);
        let seen = [watcher("romeo@montague.example", &[], &[("orchard", ALL), ("tower", ALL)])];
        let each = [
            "bard@shakespeare.example",
            "romeo@montague.example/orchard",
            "romeo@montague.example/tower",
        ];
        assert_eq!(told(&node, &seen), each);
        node.subscriptions[2].deliver = false;
        node.subscriptions[1].state = SubscriptionState::Pending;
        node.subscriptions[0].state = SubscriptionState::Pending;
        assert!(told(&node, &nobody).is_empty());
    }

    #[test]
    fn a_subscriber_who_lost_access_hears_nothing() {
        let mut node = node();
        subscribe(&mut node, "romeo@montague.example");
        let nobody: [Watcher<Wish>; 0] = [];
        assert!(told(&node, &nobody).is_empty());
    }

    #[test]
    fn presence_based_delivery_leaves_out_who_is_not_there() {
        let mut node = node();
        node.config.access = AccessModel::Open;
        node.config.presence_based_delivery = true;
        subscribe(&mut node, "romeo@montague.example");
        subscribe(&mut node, "romeo@montague.example/orchard");
        let nobody: [Watcher<Wish>; 0] = [];
        assert!(told(&node, &nobody).is_empty());
        let seen = [watcher("romeo@montague.example", &[], &[("orchard", &[])])];
        let there = ["romeo@montague.example", "romeo@montague.example/orchard"];
        assert_eq!(told(&node, &seen), there);
    }

    fn event(notice: &Notice) -> (Element, Event) {
        let bytes = notice.message("juliet@capulet.example", "romeo@montague.example/o'", "i1");
        let xml = [b"<stream xmlns='jabber:client'>", &bytes[..], b"</stream>"].concat();
        let stream = Element::parse(&xml, &Limits::CLIENT).unwrap();
        let message = stream.first_child().unwrap().clone();
        let event = Event::parse(message.child("event", ns::PUBSUB_EVENT).unwrap()).unwrap();
        (message, event)
    }

    #[test]
    fn a_publication_becomes_a_headline() {
        let payload = b"<tune xmlns='urn:t'/>";
        let item = || Told { id: "a&b", publisher: None, payload: Some(payload) };
        let (message, event) = event(&Notice::items(&owner(), &node(), [item()]));
        assert_eq!(message.attr("type"), Some("headline"));
        assert_eq!(message.attr("to"), Some("romeo@montague.example/o'"));
        let expected = Item::new("a&b").with_payload(Element::new("tune", "urn:t"));
        assert_eq!(event, Event::Items("urn:n".into(), vec![expected]));
    }

    #[test]
    fn payloads_and_publishers_follow_the_configuration() {
        let publisher = Jid::new("romeo@montague.example/orchard").unwrap();
        let item = || Told { id: "a", publisher: Some(&publisher), payload: Some(b"<p/>") };
        let mut node = node();
        node.config.deliver_payloads = false;
        node.config.item_reply = ItemReply::Publisher;
        node.config.notification_type = NotificationType::Normal;
        let (message, event) = event(&Notice::items(&owner(), &node, [item()]));
        assert_eq!(message.attr("type"), None);
        let Event::Items(_, items) = event else { panic!("{event:?}") };
        assert_eq!(items[0].publisher.as_deref(), Some("romeo@montague.example"));
        assert!(items[0].payloads.is_empty());
        node.config.item_reply = ItemReply::Owner;
        assert_eq!(shown_publisher(&owner(), &node, Some(&publisher)), Some(owner()));
    }

    #[test]
    fn the_last_item_is_stamped() {
        let item = Told { id: "a", publisher: None, payload: Some(b"<p xmlns='urn:p'/>") };
        let (message, _) = event(&Notice::last(&owner(), &node(), item, Millis(1_000)));
        let delay = Delay::parse(message.child("delay", ns::DELAY).unwrap()).unwrap();
        assert_eq!(delay.stamp, Millis(1_000));
    }

    #[test]
    fn removals_are_told() {
        let (_, retracted) = event(&Notice::retract(&node(), ["a", "b"]));
        assert_eq!(retracted, Event::Retract("urn:n".into(), vec!["a".into(), "b".into()]));
        assert_eq!(event(&Notice::purge(&node())).1, Event::Purge("urn:n".into()));
        let uri = Some("xmpp:a@b?;node=c".to_owned());
        let (_, deleted) = event(&Notice::delete(&node(), uri.as_deref()));
        assert_eq!(deleted, Event::Delete("urn:n".into(), uri));
        let (_, touched) = event(&Notice::items(&owner(), &node(), []));
        assert_eq!(touched, Event::Items("urn:n".into(), Vec::new()));
        let (_, configured) = event(&Notice::configuration(&node()));
        assert!(matches!(configured, Event::Configuration(_, Some(_))));
    }
}
