//! What owners do to their nodes: configuration (XEP-0060 §8.2), subscriptions (§8.8) and
//! affiliations (§8.9).

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Form, FormType},
        pubsub::{Affiliation, AffiliationEntry, Subscription, SubscriptionState},
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    access::Requester,
    defaults,
    node::{Node, Service, Subscriber},
    options::{Config, FieldError},
    publish::check_form_type,
};

/// What a change of affiliations does to a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AffiliationChanges {
    /// The new affiliations; `none` removes.
    pub affiliations: Vec<(BareJid, Affiliation)>,
    /// Pending subscriptions that are thereby approved (§8.7): of owners, publishers and members.
    pub approved: Vec<Jid>,
    /// Subscriptions that are thereby ended: of outcasts.
    pub ended: Vec<Jid>,
}

impl Service {
    /// Examines a new configuration. `None` when the owner cancelled the form.
    ///
    /// # Errors
    /// The error that the specification names for what is wrong.
    pub fn configuration(
        &self,
        who: &Requester<'_>,
        name: &str,
        form: &Form,
    ) -> Result<Option<Config>, StanzaError> {
        let node = self.owned(name, who)?;
        if form.kind == FormType::Cancel {
            return Ok(None);
        }
        check_form_type(form, ns::PUBSUB_NODE_CONFIG)?;
        let mut config = node.config.clone();
        let applied = config.apply(form, false);
        applied.map_err(FieldError::config_error)?;
        self.enforce(name, &mut config);
        if self.shared && self.host(node).is_none() {
            config.host = Some(who.bare.clone());
        }
        Ok(Some(config))
    }

    /// Examines changes of affiliations. All of them are made, or none.
    ///
    /// # Errors
    /// `not-acceptable` when the account itself would lose its node, `not-allowed` for nodes that
    /// are nobody's business but the owner's, `bad-request` when an address stands there twice.
    pub fn affiliation_changes(
        &self,
        who: &Requester<'_>,
        name: &str,
        entries: &[AffiliationEntry],
    ) -> Result<AffiliationChanges, StanzaError> {
        let node = self.owned(name, who)?;
        if !self.shared && defaults::is_private(name) {
            return Err(StanzaError::new(Condition::NotAllowed)
                .with_text("Nobody but its owner may use this node."));
        }
        let mut changes = AffiliationChanges::default();
        for entry in entries {
            if entries.iter().filter(|other| other.jid == entry.jid).count() > 1 {
                return Err(StanzaError::new(Condition::BadRequest));
            }
            let Some(affiliation) = entry.affiliation else { continue };
            if !self.shared && entry.jid == self.owner {
                // §8.9.2.4: a node is never without an owner, and this one cannot resign.
                if affiliation == Affiliation::Owner {
                    continue;
                }
                return Err(StanzaError::new(Condition::NotAcceptable));
            }
            changes.note(node, &entry.jid, affiliation);
        }
        if self.shared && !changes.leaves_an_owner(node) {
            // §8.9.2.4: a node is never without an owner.
            return Err(StanzaError::new(Condition::NotAcceptable));
        }
        let grown = node.affiliations.len() + changes.affiliations.len();
        if grown > defaults::MAX_AFFILIATIONS {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        Ok(changes)
    }

    /// Examines changes of subscriptions (§8.8.2). All of them are made, or none. A state of
    /// `none` in the result removes the subscription.
    ///
    /// An owner approves who asked, and ends subscriptions. Who did not ask is subscribed only if
    /// `agrees` says so: else a node would be a way to send to anybody.
    ///
    /// # Errors
    /// `not-acceptable` for a state that an owner cannot give, `not-allowed` for somebody who did
    /// not agree.
    pub fn subscription_changes(
        &self,
        who: &Requester<'_>,
        name: &str,
        entries: &[Subscription],
        agrees: impl Fn(&Jid) -> bool,
    ) -> Result<Vec<Subscriber>, StanzaError> {
        let node = self.owned(name, who)?;
        let mut changes = Vec::new();
        for entry in entries {
            let known = node.subscriber(&entry.jid);
            let state = match entry.state {
                None => continue,
                Some(state @ (SubscriptionState::Subscribed | SubscriptionState::None)) => state,
                Some(_) => return Err(StanzaError::new(Condition::NotAcceptable)),
            };
            if known.map_or(SubscriptionState::None, |known| known.state) == state {
                continue;
            }
            if known.is_none() && !agrees(&entry.jid) {
                return Err(StanzaError::new(Condition::NotAllowed)
                    .with_text("They have to subscribe themselves."));
            }
            let deliver = known.is_none_or(|known| known.deliver);
            changes.push(Subscriber { jid: entry.jid.clone(), state, deliver });
        }
        if node.subscriptions.len() + changes.len() > defaults::MAX_SUBSCRIPTIONS {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        Ok(changes)
    }

    /// All affiliations with a node, for its owner (§8.9.1).
    ///
    /// # Errors
    /// As for [`Service::owned`].
    pub fn all_affiliations(
        &self,
        who: &Requester<'_>,
        name: &str,
    ) -> Result<Element, StanzaError> {
        let node = self.owned(name, who)?;
        let entry = |jid: &BareJid, affiliation: Affiliation| {
            AffiliationEntry { jid: jid.clone(), affiliation: Some(affiliation) }.to_element()
        };
        let others = node.affiliations.iter().map(|(jid, affiliation)| entry(jid, *affiliation));
        let list = Element::new("affiliations", ns::PUBSUB_OWNER)
            .with_attr("node", name)
            .with_children((!self.shared).then(|| entry(&self.owner, Affiliation::Owner)))
            .with_children(others);
        Ok(Element::new("pubsub", ns::PUBSUB_OWNER).with_child(list))
    }

    /// All subscriptions to a node, for its owner (§8.8.1), those that wait for approval apart.
    ///
    /// # Errors
    /// As for [`Service::owned`].
    pub fn all_subscriptions(
        &self,
        who: &Requester<'_>,
        name: &str,
    ) -> Result<Element, StanzaError> {
        let node = self.owned(name, who)?;
        let approved =
            node.subscriptions.iter().filter(|sub| sub.state != SubscriptionState::Pending);
        let list = Element::new("subscriptions", ns::PUBSUB_OWNER)
            .with_attr("node", name)
            .with_children(approved.map(|sub| sub.entry(None).to_element(ns::PUBSUB_OWNER)));
        Ok(Element::new("pubsub", ns::PUBSUB_OWNER).with_child(list))
    }
}

impl AffiliationChanges {
    fn leaves_an_owner(&self, node: &Node) -> bool {
        let changed = |jid: &BareJid| self.affiliations.iter().any(|(other, _)| other == jid);
        let owner = |(_, has): &&(BareJid, Affiliation)| *has == Affiliation::Owner;
        let stays = node.affiliations.iter().filter(owner).any(|(jid, _)| !changed(jid));
        stays || self.affiliations.iter().any(|one| owner(&one))
    }

    fn note(&mut self, node: &Node, jid: &BareJid, affiliation: Affiliation) {
        if node.listed_affiliation(jid) != affiliation {
            self.affiliations.push((jid.clone(), affiliation));
        }
        let own = node.subscriptions.iter().filter(|sub| super::node::is_of(&sub.jid, jid));
        match affiliation {
            Affiliation::Owner | Affiliation::Publisher | Affiliation::Member => {
                let pending = own.filter(|sub| sub.state == SubscriptionState::Pending);
                self.approved.extend(pending.map(|sub| sub.jid.clone()));
            }
            Affiliation::Outcast => self.ended.extend(own.map(|sub| sub.jid.clone())),
            Affiliation::PublishOnly | Affiliation::None => {}
        }
    }
}

/// The configuration of a node for its owner to change (§8.2.2).
#[must_use]
pub(super) fn configuration_reply(service: &Service, node: &Node) -> Element {
    let configure = Element::new("configure", ns::PUBSUB_OWNER)
        .with_attr("node", &*node.name)
        .with_child(form(service, &node.config).to_element());
    Element::new("pubsub", ns::PUBSUB_OWNER).with_child(configure)
}

/// The configuration that a new node has (§8.3).
#[must_use]
pub(super) fn default_configuration_reply(service: &Service) -> Element {
    let config = form(service, &service.defaults(""));
    let default = Element::new("default", ns::PUBSUB_OWNER).with_child(config.to_element());
    Element::new("pubsub", ns::PUBSUB_OWNER).with_child(default)
}

/// A configuration for people to change, with the choices that there are.
fn form(service: &Service, config: &Config) -> Form {
    let mut form = config.form(FormType::Form);
    if service.shared {
        form.fields.retain(|field| field.var.as_deref() != Some("pubsub#presence_based_delivery"));
    }
    form
}

#[cfg(test)]
mod tests {
    use xmpp::{ext::form::Field, time::Millis};

    use super::{
        super::{access::Relation, options::AccessModel},
        *,
    };

    const JULIET: &str = "juliet@capulet.example/balcony";
    const ROMEO: &str = "romeo@montague.example";

    fn service(name: &str, change: impl FnOnce(&mut Node)) -> Service {
        let mut service = Service::new(BareJid::new("juliet@capulet.example").unwrap());
        let mut node = Node::new(name, Millis(1));
        change(&mut node);
        service.nodes.insert(name.into(), node);
        service
    }

    fn as_jid<T>(jid: &str, with: impl FnOnce(&Requester<'_>) -> T) -> T {
        let jid = Jid::new(jid).unwrap();
        let bare = jid.to_bare();
        with(&Requester { jid: &jid, bare: &bare, relation: Relation::default(), may_own: 0 })
    }

    fn entry(jid: &str, affiliation: Affiliation) -> AffiliationEntry {
        AffiliationEntry { jid: BareJid::new(jid).unwrap(), affiliation: Some(affiliation) }
    }

    fn subscriber(state: SubscriptionState) -> Subscriber {
        Subscriber { jid: Jid::new(ROMEO).unwrap(), state, deliver: true }
    }

    fn config_form(var: &str, value: &str) -> Form {
        Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG)
            .with_field(Field::untyped(var).with_value(value))
    }

    #[test]
    fn only_owners_configure() {
        let service = service("n", |_| {});
        let form = config_form("pubsub#title", "Musings");
        let config = as_jid(JULIET, |who| service.configuration(who, "n", &form)).unwrap().unwrap();
        assert_eq!(config.title.as_deref(), Some("Musings"));
        let error = as_jid(ROMEO, |who| service.configuration(who, "n", &form)).unwrap_err();
        assert_eq!(error.condition, Condition::Forbidden);
        let error = as_jid(JULIET, |who| service.configuration(who, "m", &form)).unwrap_err();
        assert_eq!(error.condition, Condition::ItemNotFound);
        let cancel = Form::new(FormType::Cancel);
        let result = as_jid(JULIET, |who| service.configuration(who, "n", &cancel));
        assert_eq!(result, Ok(None));
    }

    #[test]
    fn what_cannot_be_configured_stays_without_an_error() {
        let service = service("urn:xmpp:omemo:2:devices", |_| {});
        let form = config_form("pubsub#access_model", "whitelist");
        let config = as_jid(JULIET, |who| {
            service.configuration(who, "urn:xmpp:omemo:2:devices", &form).unwrap().unwrap()
        });
        assert_eq!(config.access, AccessModel::Open);
    }

    #[test]
    fn the_account_cannot_lose_its_node() {
        let service = service("n", |_| {});
        let change = |entries: &[AffiliationEntry]| {
            as_jid(JULIET, |who| service.affiliation_changes(who, "n", entries))
                .map_err(|error| error.condition)
        };
        let own = entry("juliet@capulet.example", Affiliation::None);
        assert_eq!(change(&[own]), Err(Condition::NotAcceptable));
        let twice = [entry(ROMEO, Affiliation::Member), entry(ROMEO, Affiliation::Outcast)];
        assert_eq!(change(&twice), Err(Condition::BadRequest));
        let changes = change(&[entry(ROMEO, Affiliation::Member)]).unwrap();
        assert_eq!(changes.affiliations.len(), 1);
    }

    #[test]
    fn private_nodes_take_no_members() {
        let service = service("storage:bookmarks", |_| {});
        let entries = [entry(ROMEO, Affiliation::Member)];
        let result =
            as_jid(JULIET, |who| service.affiliation_changes(who, "storage:bookmarks", &entries));
        assert_eq!(result.unwrap_err().condition, Condition::NotAllowed);
    }

    #[test]
    fn affiliations_decide_pending_subscriptions() {
        let service =
            service("n", |node| node.subscriptions.push(subscriber(SubscriptionState::Pending)));
        let change = |affiliation| {
            as_jid(JULIET, |who| {
                service.affiliation_changes(who, "n", &[entry(ROMEO, affiliation)]).unwrap()
            })
        };
        assert_eq!(change(Affiliation::Publisher).approved.len(), 1);
        assert_eq!(change(Affiliation::Outcast).ended.len(), 1);
        assert_eq!(change(Affiliation::PublishOnly).ended.len(), 0);
    }

    #[test]
    fn owners_subscribe_and_unsubscribe_others() {
        let service =
            service("n", |node| node.subscriptions.push(subscriber(SubscriptionState::Subscribed)));
        let change = |state| {
            let entry = subscriber(state).entry(None);
            as_jid(JULIET, |who| service.subscription_changes(who, "n", &[entry], |_| false))
        };
        assert_eq!(change(SubscriptionState::None).unwrap().len(), 1);
        assert_eq!(change(SubscriptionState::Subscribed).unwrap().len(), 0);
        let error = change(SubscriptionState::Pending).unwrap_err();
        assert_eq!(error.condition, Condition::NotAcceptable);
    }

    #[test]
    fn nobody_is_subscribed_without_being_asked() {
        let service =
            service("n", |node| node.subscriptions.push(subscriber(SubscriptionState::Pending)));
        let change = |jid: &str, agrees: bool| {
            let jid = Jid::new(jid).unwrap();
            let entry = Subscription {
                node: None,
                jid,
                subid: None,
                state: Some(SubscriptionState::Subscribed),
            };
            let changes =
                as_jid(JULIET, |who| service.subscription_changes(who, "n", &[entry], |_| agrees));
            changes.map(|changes| changes.len()).map_err(|error| error.condition)
        };
        assert_eq!(change(ROMEO, false), Ok(1), "who asked is approved");
        assert_eq!(change("victim@far.example", false), Err(Condition::NotAllowed));
        assert_eq!(change("nurse@capulet.example", true), Ok(1));
    }

    #[test]
    fn lists_are_complete() {
        let service = service("n", |node| {
            node.affiliations.push((BareJid::new(ROMEO).unwrap(), Affiliation::Outcast));
            node.subscriptions.push(subscriber(SubscriptionState::Pending));
        });
        let count = |element: Element| element.first_child().unwrap().children().count();
        as_jid(JULIET, |who| {
            assert_eq!(count(service.all_affiliations(who, "n").unwrap()), 2);
            assert_eq!(count(service.all_subscriptions(who, "n").unwrap()), 0);
        });
        as_jid(ROMEO, |who| assert!(service.all_affiliations(who, "n").is_err()));
    }
}
