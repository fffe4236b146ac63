//! Subscribing, unsubscribing, and the options of a subscription (XEP-0060 §6.1 to §6.4), and the
//! approval of subscriptions by the owner (§8.6).
//!
//! An address is subscribed to a node at most once, so subscriptions have no ids; an id that a
//! client sends is ignored, as §6.2.3.5 asks.

use xmpp::{
    error::StanzaError,
    ext::{
        form::{Field, FieldType, Form, FormType},
        pubsub::{Affiliation, PubsubError, Subscription, SubscriptionState},
    },
    jid::Jid,
    ns,
    xml::Element,
};

use super::{
    access::{Requester, forbidden},
    defaults,
    node::{Node, Service, Subscriber, is_of},
    options::AccessModel,
    publish::check_form_type,
};

/// What becomes of a request to subscribe.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribed {
    /// The subscription as it now is.
    pub subscriber: Subscriber,
    /// Whether it was there already, unchanged.
    pub unchanged: bool,
    /// Whether options were set along with it, which the answer then repeats.
    pub with_options: bool,
}

/// What an owner decided about a request (§8.6).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    /// The node.
    pub node: String,
    /// Who asked.
    pub jid: Jid,
    /// The answer.
    pub allow: bool,
}

impl Service {
    /// Examines a request to subscribe (§6.1).
    ///
    /// # Errors
    /// The error that the specification names for what is wrong.
    pub fn subscription(
        &self,
        who: &Requester<'_>,
        name: &str,
        jid: &Jid,
        options: Option<&Form>,
    ) -> Result<Subscribed, StanzaError> {
        if !is_of(jid, who.bare) {
            return Err(PubsubError::InvalidJid.into());
        }
        let node = self.existing(name)?;
        self.may_subscribe(node, who)?;
        let known = node.subscriber(jid);
        if known.is_some_and(|known| known.state == SubscriptionState::Pending) {
            return Err(PubsubError::PendingSubscription.into());
        }
        let mut subscriber = match known {
            Some(known) => known.clone(),
            None => Subscriber {
                jid: jid.clone(),
                state: node.room_for(self.first_state(node, who), who)?,
                deliver: true,
            },
        };
        if let Some(options) = options {
            subscriber.apply(options)?;
        }
        let unchanged = known == Some(&subscriber);
        Ok(Subscribed { subscriber, unchanged, with_options: options.is_some() })
    }

    /// §6.1.4: with the access model `authorize` those without an affiliation must wait.
    fn first_state(&self, node: &Node, who: &Requester<'_>) -> SubscriptionState {
        let waits = node.config.access == AccessModel::Authorize
            && self.affiliation(node, who.bare) == Affiliation::None
            && !node.is_subscribed(who.bare);
        if waits { SubscriptionState::Pending } else { SubscriptionState::Subscribed }
    }

    /// Examines a request to unsubscribe (§6.2).
    ///
    /// # Errors
    /// The error that the specification names for what is wrong.
    pub fn unsubscription(
        &self,
        who: &Requester<'_>,
        name: &str,
        jid: &Jid,
    ) -> Result<&Subscriber, StanzaError> {
        let node = self.existing(name)?;
        if !is_of(jid, who.bare) {
            return Err(forbidden());
        }
        Ok(node.subscriber(jid).ok_or(PubsubError::NotSubscribed)?)
    }

    /// The subscription whose options are asked for or set (§6.3).
    ///
    /// # Errors
    /// The error that the specification names for what is wrong.
    pub fn options_of(
        &self,
        who: &Requester<'_>,
        name: &str,
        jid: &Jid,
    ) -> Result<&Subscriber, StanzaError> {
        let node = self.existing(name)?;
        if !is_of(jid, who.bare) {
            return Err(forbidden());
        }
        Ok(node.subscriber(jid).ok_or(PubsubError::NoOptions)?)
    }

    /// The requester's own subscriptions, all or those to one node (§5.6).
    #[must_use]
    pub fn own_subscriptions(&self, who: &Requester<'_>, only: Option<&str>) -> Element {
        let nodes = self.nodes.values().filter(|node| only.is_none_or(|name| *node.name == *name));
        let entries = nodes.flat_map(|node| {
            let own = node.subscriptions.iter().filter(|sub| is_of(&sub.jid, who.bare));
            own.map(|subscriber| subscriber.entry(Some(&node.name)).to_element(ns::PUBSUB))
        });
        wrap(Element::new("subscriptions", ns::PUBSUB).with_attr_opt("node", only), entries)
    }

    /// The requester's own affiliations, all or the one with one node (§5.7).
    #[must_use]
    pub fn own_affiliations(&self, who: &Requester<'_>, only: Option<&str>) -> Element {
        let nodes = self.nodes.values().filter(|node| only.is_none_or(|name| *node.name == *name));
        let entries = nodes.filter_map(|node| {
            let affiliation = self.affiliation(node, who.bare);
            (affiliation != Affiliation::None).then(|| {
                Element::new("affiliation", ns::PUBSUB)
                    .with_attr("node", &*node.name)
                    .with_attr("affiliation", affiliation.as_str())
            })
        });
        wrap(Element::new("affiliations", ns::PUBSUB).with_attr_opt("node", only), entries)
    }
}

impl Node {
    /// Whether a subscription more finds room: nobody may take all there is, and an owner is not
    /// asked without end.
    fn room_for(
        &self,
        state: SubscriptionState,
        who: &Requester<'_>,
    ) -> Result<SubscriptionState, StanzaError> {
        let count = |counts: &dyn Fn(&Subscriber) -> bool| {
            self.subscriptions.iter().filter(|sub| counts(sub)).count()
        };
        let full = self.subscriptions.len() >= defaults::MAX_SUBSCRIPTIONS
            || count(&|sub| is_of(&sub.jid, who.bare)) >= defaults::MAX_OWN_SUBSCRIPTIONS
            || state == SubscriptionState::Pending
                && count(&|sub| sub.state == state) >= defaults::MAX_PENDING;
        if full { Err(PubsubError::TooManySubscriptions.into()) } else { Ok(state) }
    }
}

impl Subscriber {
    /// Applies a form of options (§16.4.2). The only option is `pubsub#deliver`; others are
    /// ignored, as XEP-0004 asks of fields that are not understood.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn apply(&mut self, form: &Form) -> Result<(), StanzaError> {
        if form.kind == FormType::Cancel {
            return Ok(());
        }
        check_form_type(form, ns::PUBSUB_SUBSCRIBE_OPTIONS)?;
        if let Some(field) = form.field(DELIVER) {
            self.deliver = field.boolean().ok_or(PubsubError::InvalidOptions)?;
        }
        Ok(())
    }

    /// The subscription as it stands on the wire.
    #[must_use]
    pub fn entry(&self, node: Option<&str>) -> Subscription {
        Subscription {
            node: node.map(str::to_owned),
            jid: self.jid.clone(),
            subid: None,
            state: Some(self.state),
        }
    }
}

impl Subscribed {
    /// The answer for the subscriber.
    #[must_use]
    pub fn reply(&self, node: &str) -> Element {
        let mut subscription = self.subscriber.entry(Some(node)).to_element(ns::PUBSUB);
        if self.subscriber.state == SubscriptionState::Subscribed {
            // §6.1.5: says that there are options, and that they may be left alone.
            subscription.push(Element::new("subscribe-options", ns::PUBSUB));
        }
        let mut reply = Element::new("pubsub", ns::PUBSUB).with_child(subscription);
        if self.with_options {
            let form = options_form(FormType::Result, self.subscriber.deliver);
            reply.push(Element::new("options", ns::PUBSUB).with_child(form.to_element()));
        }
        reply
    }
}

/// The answer to a question for the options of a subscription.
#[must_use]
pub(super) fn options_reply(node: &str, subscriber: &Subscriber) -> Element {
    let form = options_form(FormType::Form, subscriber.deliver);
    let options = Element::new("options", ns::PUBSUB)
        .with_attr("node", node)
        .with_attr("jid", subscriber.jid.as_str())
        .with_child(form.to_element());
    Element::new("pubsub", ns::PUBSUB).with_child(options)
}

/// The answer to a question for the options of a new subscription (§6.4).
#[must_use]
pub(super) fn default_options_reply(node: Option<&str>) -> Element {
    let default = Element::new("default", ns::PUBSUB)
        .with_attr_opt("node", node)
        .with_child(options_form(FormType::Result, true).to_element());
    Element::new("pubsub", ns::PUBSUB).with_child(default)
}

/// The form by which an owner is asked to approve a subscription (§8.6).
#[must_use]
pub(super) fn authorization_form(node: &str, jid: &Jid) -> Form {
    Form::typed(FormType::Form, ns::PUBSUB_SUBSCRIBE_AUTHORIZATION)
        .with_title("Subscription request")
        .with_instructions("Allow the subscription, or deny it. Cancel to decide later.")
        .with_field(Field::new(NODE, FieldType::TextSingle).with_label("Node").with_value(node))
        .with_field(
            Field::new(SUBSCRIBER, FieldType::JidSingle)
                .with_label("Subscriber")
                .with_value(jid.as_str()),
        )
        .with_field(
            Field::new(ALLOW, FieldType::Boolean)
                .with_label("Allow this address to subscribe?")
                .with_value("false"),
        )
}

impl Decision {
    /// Reads the form that an owner sent back; `None` when it decides nothing.
    #[must_use]
    pub(super) fn parse(form: &Form) -> Option<Self> {
        let decides = form.kind == FormType::Submit
            && form.form_type() == Some(ns::PUBSUB_SUBSCRIBE_AUTHORIZATION);
        if !decides {
            return None;
        }
        Some(Self {
            node: form.value(NODE)?.to_owned(),
            jid: Jid::new(form.value(SUBSCRIBER)?).ok()?,
            allow: form.boolean(ALLOW)?,
        })
    }
}

fn options_form(kind: FormType, deliver: bool) -> Form {
    let mut field = Field::new(DELIVER, FieldType::Boolean).with_bool(deliver);
    if kind == FormType::Form {
        field = field.with_label("Deliver notifications?");
    }
    Form::typed(kind, ns::PUBSUB_SUBSCRIBE_OPTIONS).with_field(field)
}

fn wrap(list: Element, entries: impl Iterator<Item = Element>) -> Element {
    Element::new("pubsub", ns::PUBSUB).with_child(list.with_children(entries))
}

const DELIVER: &str = "pubsub#deliver";
pub(super) const NODE: &str = "pubsub#node";
const SUBSCRIBER: &str = "pubsub#subscriber_jid";
const ALLOW: &str = "pubsub#allow";

#[cfg(test)]
mod tests {
    use xmpp::{jid::BareJid, time::Millis};

    use super::{super::access::Relation, *};

    fn service(change: impl FnOnce(&mut Node)) -> Service {
        let mut service = Service::new(BareJid::new("juliet@capulet.example").unwrap());
        let mut node = Node::new("n", Millis(1));
        node.config.access = AccessModel::Open;
        change(&mut node);
        service.nodes.insert("n".into(), node);
        service
    }

    fn as_romeo<T>(with: impl FnOnce(&Requester<'_>) -> T) -> T {
        let jid = Jid::new("romeo@montague.example/orchard").unwrap();
        let bare = jid.to_bare();
        with(&Requester { jid: &jid, bare: &bare, relation: Relation::default(), may_own: 0 })
    }

    fn subscribe(service: &Service, node: &str, jid: &str) -> Result<Subscribed, String> {
        let jid = Jid::new(jid).unwrap();
        as_romeo(|who| service.subscription(who, node, &jid, None)).map_err(name)
    }

    fn subscriber(jid: &str, state: SubscriptionState) -> Subscriber {
        Subscriber { jid: Jid::new(jid).unwrap(), state, deliver: true }
    }

    fn name(error: StanzaError) -> String {
        error.app.map_or(error.condition.name().to_owned(), |app| app.name().to_owned())
    }

    const ROMEO: &str = "romeo@montague.example";

    #[test]
    fn subscribing_checks_address_node_and_limits() {
        let open = service(|_| {});
        let subscribed = subscribe(&open, "n", ROMEO).unwrap();
        assert_eq!(subscribed.subscriber.state, SubscriptionState::Subscribed);
        assert_eq!(subscribe(&open, "n", "benvolio@montague.example"), Err("invalid-jid".into()));
        assert_eq!(subscribe(&open, "m", ROMEO), Err("item-not-found".into()));
        let closed = service(|node| node.config.subscribe = false);
        assert_eq!(subscribe(&closed, "n", ROMEO), Err("unsupported".into()));
        let full = service(|node| {
            let jid = |n: usize| format!("u{n}@montague.example");
            node.subscriptions = (0..defaults::MAX_SUBSCRIPTIONS)
                .map(|n| subscriber(&jid(n), SubscriptionState::Subscribed))
                .collect();
        });
        assert_eq!(subscribe(&full, "n", ROMEO), Err("too-many-subscriptions".into()));
    }

    #[test]
    fn nobody_takes_all_subscriptions_of_a_node() {
        let mine = |n: usize| format!("romeo@montague.example/{n}");
        let mut crowded = service(|node| {
            node.subscriptions = (0..defaults::MAX_OWN_SUBSCRIPTIONS)
                .map(|n| subscriber(&mine(n), SubscriptionState::Subscribed))
                .collect();
        });
        assert!(subscribe(&crowded, "n", &mine(0)).unwrap().unchanged);
        assert_eq!(subscribe(&crowded, "n", &mine(99)), Err("too-many-subscriptions".into()));
        crowded.nodes.get_mut("n").unwrap().subscriptions.pop();
        assert!(subscribe(&crowded, "n", &mine(99)).is_ok());
    }

    #[test]
    fn few_wait_for_an_owner() {
        let waiting =
            |n: usize| subscriber(&format!("u{n}@montague.example"), SubscriptionState::Pending);
        let mut service = service(|node| {
            node.config.access = AccessModel::Authorize;
            node.subscriptions = (0..defaults::MAX_PENDING).map(waiting).collect();
        });
        assert_eq!(subscribe(&service, "n", ROMEO), Err("too-many-subscriptions".into()));
        service.nodes.get_mut("n").unwrap().config.access = AccessModel::Open;
        assert!(subscribe(&service, "n", ROMEO).is_ok(), "who need not wait is let in");
    }

    #[test]
    fn subscribing_again_changes_nothing() {
        let known = subscriber(ROMEO, SubscriptionState::Subscribed);
        let service = service(|node| node.subscriptions.push(known));
        assert!(subscribe(&service, "n", ROMEO).unwrap().unchanged);
        assert!(!subscribe(&service, "n", "romeo@montague.example/tower").unwrap().unchanged);
    }

    #[test]
    fn an_authorize_node_lets_wait_and_a_second_request_is_an_error() {
        let mut service = service(|node| node.config.access = AccessModel::Authorize);
        let waiting = subscribe(&service, "n", ROMEO).unwrap();
        assert_eq!(waiting.subscriber.state, SubscriptionState::Pending);
        service.nodes.get_mut("n").unwrap().subscriptions.push(waiting.subscriber);
        assert_eq!(subscribe(&service, "n", ROMEO), Err("pending-subscription".into()));
        let member = BareJid::new(ROMEO).unwrap();
        let node = service.nodes.get_mut("n").unwrap();
        node.subscriptions.clear();
        node.affiliations.push((member, Affiliation::Member));
        let state = subscribe(&service, "n", ROMEO).unwrap().subscriber.state;
        assert_eq!(state, SubscriptionState::Subscribed);
    }

    #[test]
    fn unsubscribing_names_what_is_wrong() {
        let service = service(|node| {
            node.subscriptions.push(subscriber(ROMEO, SubscriptionState::Subscribed));
        });
        let leave = |node: &str, jid: &str| {
            let jid = Jid::new(jid).unwrap();
            as_romeo(|who| service.unsubscription(who, node, &jid).map(|_| ())).map_err(name)
        };
        assert_eq!(leave("n", ROMEO), Ok(()));
        assert_eq!(leave("n", "romeo@montague.example/tower"), Err("not-subscribed".into()));
        assert_eq!(leave("n", "benvolio@montague.example"), Err("forbidden".into()));
        assert_eq!(leave("m", ROMEO), Err("item-not-found".into()));
    }

    #[test]
    fn options_are_set_and_repeated() {
        let service = service(|_| {});
        let jid = Jid::new(ROMEO).unwrap();
        let form = options_form(FormType::Submit, false);
        let subscribed = as_romeo(|who| service.subscription(who, "n", &jid, Some(&form))).unwrap();
        assert!(!subscribed.subscriber.deliver);
        let reply = subscribed.reply("n");
        let options = reply.child("options", ns::PUBSUB).unwrap();
        assert_eq!(Form::child_of(options).unwrap().boolean(DELIVER), Some(false));
        let mut form = Form::typed(FormType::Submit, ns::PUBSUB_SUBSCRIBE_OPTIONS);
        form.fields.push(Field::untyped(DELIVER).with_value("perhaps"));
        let error = as_romeo(|who| service.subscription(who, "n", &jid, Some(&form))).unwrap_err();
        assert_eq!(name(error), "invalid-options");
    }

    #[test]
    fn a_decision_survives_the_form() {
        let jid = Jid::new(ROMEO).unwrap();
        let mut form = authorization_form("n", &jid);
        assert_eq!(Decision::parse(&form), None);
        form.kind = FormType::Submit;
        let denied = Decision { node: "n".into(), jid: jid.clone(), allow: false };
        assert_eq!(Decision::parse(&form), Some(denied));
        form.kind = FormType::Cancel;
        assert_eq!(Decision::parse(&form), None);
    }

    #[test]
    fn own_entries_are_listed_and_filtered() {
        let mut service = service(|node| {
            node.subscriptions.push(subscriber(ROMEO, SubscriptionState::Subscribed));
        });
        let mut other = Node::new("m", Millis(1));
        other.affiliations.push((BareJid::new(ROMEO).unwrap(), Affiliation::Member));
        service.nodes.insert("m".into(), other);
        let count = |element: &Element| element.first_child().unwrap().children().count();
        as_romeo(|who| {
            assert_eq!(count(&service.own_subscriptions(who, None)), 1);
            assert_eq!(count(&service.own_subscriptions(who, Some("m"))), 0);
            assert_eq!(count(&service.own_affiliations(who, None)), 1);
            assert_eq!(count(&service.own_affiliations(who, Some("n"))), 0);
        });
    }
}
