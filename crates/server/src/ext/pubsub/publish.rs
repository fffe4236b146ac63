//! Publishing (XEP-0060 §7.1), making nodes (§8.1), and removing items (§7.2).

use bytes::Bytes;
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Form, FormType},
        pubsub::{Affiliation, Item, PubsubError},
    },
    jid::Jid,
    ns,
    time::Millis,
    xml::Element,
};

use super::{
    access::{Requester, forbidden},
    defaults,
    node::{Node, Service},
};

/// A publication that was found to be in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The node as it will be.
    pub node: Node,
    /// Whether the node has to be made first.
    pub created: bool,
    /// The items, each with an id. None when a node for bare notifications was touched.
    pub items: Vec<NewItem>,
}

/// An item on its way into a node.
#[derive(Clone, Debug, PartialEq)]
pub struct NewItem {
    /// Its id.
    pub id: String,
    /// Whether the id was made here and the publisher must be told.
    pub named_here: bool,
    /// Who publishes it.
    pub publisher: Jid,
    /// The payload, serialised so that it means the same inside any element.
    pub payload: Option<Bytes>,
}

impl Publication {
    /// The ids of the items.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.id.as_str())
    }

    /// The answer for the publisher. The id of an item is in it where the service chose it
    /// (§7.1.2); clients that always look for it find it always.
    #[must_use]
    pub fn reply(&self) -> Element {
        let items =
            self.items.iter().map(|item| Item::new(item.id.as_str()).to_element(ns::PUBSUB));
        Element::new("pubsub", ns::PUBSUB).with_child(
            Element::new("publish", ns::PUBSUB)
                .with_attr("node", &*self.node.name)
                .with_children(items),
        )
    }
}

impl Service {
    /// Examines a request to publish. `new_id` names an item whose publisher did not.
    ///
    /// # Errors
    /// The error that the specification names for what is wrong.
    pub fn publication(
        &self,
        who: &Requester<'_>,
        name: &str,
        items: Vec<Item>,
        options: Option<&Form>,
        now: Millis,
        mut new_id: impl FnMut() -> String,
    ) -> Result<Publication, StanzaError> {
        let (node, created) = match self.node(name) {
            Some(node) => {
                self.may_publish(node, who)?;
                self.meets(node, options)?;
                (node.clone(), false)
            }
            None => (self.auto_create(who, name, options, now)?, true),
        };
        check_event_type(&node, &items)?;
        if items.len() > node.keep().max(1) as usize {
            return Err(PubsubError::MaxItemsExceeded.into());
        }
        let new = |item: Item| {
            let payload = payload(&node, &item)?;
            let named_here = item.id.is_none();
            let id = item.id.unwrap_or_else(&mut new_id);
            check_name(&id)?;
            Ok(NewItem { id, named_here, publisher: who.jid.clone(), payload })
        };
        let items = items.into_iter().map(new).collect::<Result<Vec<_>, StanzaError>>()?;
        Ok(Publication { node, created, items })
    }

    /// §7.1.4 and §7.1.5: a node that is not there is made, with what the options ask for.
    fn auto_create(
        &self,
        who: &Requester<'_>,
        name: &str,
        options: Option<&Form>,
        now: Millis,
    ) -> Result<Node, StanzaError> {
        let mut node = self.new_node(who, name, now)?;
        if let Some(options) = options {
            check_form_type(options, ns::PUBSUB_PUBLISH_OPTIONS)?;
            let applied = node.config.apply(options, true);
            applied.map_err(|_| PubsubError::PreconditionNotMet)?;
            self.enforce(name, &mut node.config);
        }
        Ok(node)
    }

    /// Examines a request to make a node (§8.1).
    ///
    /// # Errors
    /// The error that the specification names for what is wrong.
    pub fn creation(
        &self,
        who: &Requester<'_>,
        name: &str,
        config: Option<&Form>,
        now: Millis,
    ) -> Result<Node, StanzaError> {
        self.may_create(who)?;
        if self.node(name).is_some() {
            return Err(StanzaError::new(Condition::Conflict));
        }
        let mut node = self.new_node(who, name, now)?;
        if let Some(form) = config.filter(|form| form.kind != FormType::Cancel) {
            check_form_type(form, ns::PUBSUB_NODE_CONFIG)?;
            let applied = node.config.apply(form, false);
            applied.map_err(super::options::FieldError::config_error)?;
            self.enforce(name, &mut node.config);
        }
        Ok(node)
    }

    /// XEP-0163 §3.2: an account publishes at its own nodes, and others cannot make any. At the
    /// shared service those may whom the operator lets.
    fn may_create(&self, who: &Requester<'_>) -> Result<(), StanzaError> {
        let allowed = if self.shared { who.may_own > 0 } else { *who.bare == self.owner };
        if allowed { Ok(()) } else { Err(forbidden()) }
    }

    /// Whether a name is the service's own to use.
    fn is_reserved(&self, who: &Requester<'_>, name: &str) -> bool {
        self.shared && *who.bare != self.owner && defaults::RESERVED.contains(&name)
    }

    fn new_node(&self, who: &Requester<'_>, name: &str, now: Millis) -> Result<Node, StanzaError> {
        self.may_create(who)?;
        if self.is_reserved(who, name) {
            return Err(StanzaError::new(Condition::NotAllowed)
                .with_text("The server uses this name itself."));
        }
        check_name(name)?;
        let full = match self.shared {
            false => self.nodes.len() >= defaults::MAX_NODES,
            true => {
                self.nodes.len() >= defaults::MAX_SHARED_NODES
                    || self.owned_by(who.bare) >= who.may_own
            }
        };
        if full {
            return Err(PubsubError::MaxNodesExceeded.into());
        }
        let mut node = self.blank(name, now);
        if self.shared {
            node.affiliations.push((who.bare.clone(), Affiliation::Owner));
            node.config.host = Some(who.bare.clone());
        }
        Ok(node)
    }

    /// §7.1.5: every option is a precondition; options that do not exist are never met.
    fn meets(&self, node: &Node, options: Option<&Form>) -> Result<(), StanzaError> {
        let Some(options) = options else { return Ok(()) };
        check_form_type(options, ns::PUBSUB_PUBLISH_OPTIONS)?;
        let mut wanted = node.config.clone();
        wanted.apply(options, true).map_err(|_| PubsubError::PreconditionNotMet)?;
        self.enforce(&node.name, &mut wanted);
        if wanted == node.config { Ok(()) } else { Err(PubsubError::PreconditionNotMet.into()) }
    }
}

/// §4.3 and §7.1.3.6: what the configuration allows and requires of a publication.
fn check_event_type(node: &Node, items: &[Item]) -> Result<(), StanzaError> {
    let (keeps, sends) = (node.config.persist_items, node.config.deliver_payloads);
    let bare = items.iter().any(|item| item.payloads.is_empty());
    let error = match (keeps, sends) {
        (true, _) if items.is_empty() => PubsubError::ItemRequired,
        (false, false) if !items.is_empty() => PubsubError::ItemForbidden,
        (false, true) if items.is_empty() => PubsubError::PayloadRequired,
        (_, true) if bare => PubsubError::PayloadRequired,
        _ => return Ok(()),
    };
    Err(error.into())
}

/// Serialises the payload so that it can stand inside any element.
fn payload(node: &Node, item: &Item) -> Result<Option<Bytes>, StanzaError> {
    let element = match item.payloads.as_slice() {
        [] => return Ok(None),
        [element] => element,
        _ => return Err(PubsubError::InvalidPayload.into()),
    };
    let bytes = element.to_bytes(NO_NAMESPACE);
    if bytes.len() > node.config.max_payload_size as usize {
        return Err(PubsubError::PayloadTooBig.into());
    }
    Ok(Some(bytes))
}

/// Names of nodes and ids of items are limited like resources (RFC 7622 §3.4).
fn check_name(name: &str) -> Result<(), StanzaError> {
    if name.len() <= defaults::MAX_NAME {
        return Ok(());
    }
    Err(StanzaError::new(Condition::NotAcceptable).with_text("The name is too long."))
}

/// XEP-0068: a form says what its fields mean. One that says nothing is taken at its place.
pub(super) fn check_form_type(form: &Form, namespace: &str) -> Result<(), StanzaError> {
    match form.form_type() {
        None => Ok(()),
        Some(found) if found == namespace => Ok(()),
        Some(_) => Err(StanzaError::new(Condition::BadRequest)),
    }
}

/// No namespace has this name, so a serialised element always declares its own.
const NO_NAMESPACE: &str = " ";

#[cfg(test)]
mod tests {
    use xmpp::{ext::form::Field, jid::BareJid};

    use super::{super::access::Relation, *};

    fn service() -> Service {
        Service::new(BareJid::new("juliet@capulet.example").unwrap())
    }

    fn with_node(change: impl FnOnce(&mut Node)) -> Service {
        let mut service = service();
        let mut node = Node::new("urn:n", Millis(1));
        change(&mut node);
        service.nodes.insert("urn:n".into(), node);
        service
    }

    fn publish_as(
        service: &Service,
        jid: &str,
        node: &str,
        items: Vec<Item>,
        options: Option<&Form>,
    ) -> Result<Publication, String> {
        let jid = Jid::new(jid).unwrap();
        let bare = jid.to_bare();
        let who = Requester { jid: &jid, bare: &bare, relation: Relation::default(), may_own: 0 };
        let result =
            service.publication(&who, node, items, options, Millis(5), || "made-here".to_owned());
        result.map_err(name)
    }

    fn publish(service: &Service, items: Vec<Item>) -> Result<Publication, String> {
        publish_as(service, JULIET, "urn:n", items, None)
    }

    fn name(error: StanzaError) -> String {
        error.app.map_or(error.condition.name().to_owned(), |app| app.name().to_owned())
    }

    fn tune(id: &str) -> Item {
        Item::new(id).with_payload(Element::new("tune", "urn:t"))
    }

    fn options(fields: &[(&str, &str)]) -> Form {
        let mut form = Form::typed(FormType::Submit, ns::PUBSUB_PUBLISH_OPTIONS);
        for (var, value) in fields {
            form.fields.push(Field::untyped(*var).with_value(*value));
        }
        form
    }

    const JULIET: &str = "juliet@capulet.example/balcony";
    const ROMEO: &str = "romeo@montague.example/orchard";

    #[test]
    fn publishing_makes_the_node_with_the_options_asked_for() {
        let form = options(&[("pubsub#access_model", "open"), ("pubsub#max_items", "max")]);
        let publication =
            publish_as(&service(), JULIET, "urn:n", vec![tune("a")], Some(&form)).unwrap();
        assert!(publication.created);
        assert_eq!(publication.node.config.access, super::super::options::AccessModel::Open);
        assert_eq!(publication.node.keep(), defaults::MAX_ITEMS);
        assert_eq!(publication.items[0].payload.as_deref(), Some(&b"<tune xmlns='urn:t'/>"[..]));
    }

    #[test]
    fn every_option_is_a_precondition() {
        let service = with_node(|_| {});
        let check = |fields: &[(&str, &str)]| {
            publish_as(&service, JULIET, "urn:n", vec![tune("a")], Some(&options(fields)))
                .map(|_| ())
        };
        assert_eq!(
            check(&[("pubsub#access_model", "presence"), ("pubsub#max_items", "1")]),
            Ok(())
        );
        let not_met = || Err("precondition-not-met".to_owned());
        assert_eq!(check(&[("pubsub#access_model", "open")]), not_met());
        assert_eq!(check(&[("pubsub#max_items", "max")]), not_met());
        assert_eq!(check(&[("pubsub#send_last_published_item", "never")]), not_met());
        assert_eq!(check(&[("pubsub#unheard_of", "1")]), not_met());
        assert_eq!(check(&[("pubsub#access_model", "strange")]), not_met());
        let form = Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG);
        let result = publish_as(&service, JULIET, "urn:n", vec![tune("a")], Some(&form));
        assert_eq!(result.map(|_| ()), Err("bad-request".to_owned()));
    }

    #[test]
    fn an_access_model_that_cannot_be_chosen_is_no_obstacle() {
        let node = "eu.siacs.conversations.axolotl.devicelist";
        for wish in ["open", "presence", "whitelist"] {
            let form = options(&[("pubsub#access_model", wish)]);
            let mut service = service();
            let made = publish_as(&service, JULIET, node, vec![tune("a")], Some(&form)).unwrap();
            assert_eq!(made.node.config.access, super::super::options::AccessModel::Open);
            service.nodes.insert(node.into(), made.node);
            let again = publish_as(&service, JULIET, node, vec![tune("a")], Some(&form));
            assert!(again.is_ok(), "{wish}: {again:?}");
        }
    }

    #[test]
    fn the_event_type_of_the_node_is_respected() {
        let check = |keeps: bool, sends: bool, items: Vec<Item>| {
            let service = with_node(|node| {
                node.config.persist_items = keeps;
                node.config.deliver_payloads = sends;
            });
            publish(&service, items).map(|_| ())
        };
        let error = |name: &str| Err(name.to_owned());
        assert_eq!(check(true, true, vec![]), error("item-required"));
        assert_eq!(check(true, true, vec![Item::new("a")]), error("payload-required"));
        assert_eq!(check(true, false, vec![Item::new("a")]), Ok(()));
        assert_eq!(check(false, true, vec![Item::new("a")]), error("payload-required"));
        assert_eq!(check(false, true, vec![tune("a")]), Ok(()));
        assert_eq!(check(false, false, vec![tune("a")]), error("item-forbidden"));
        assert_eq!(check(false, false, vec![]), Ok(()));
    }

    #[test]
    fn payloads_are_examined() {
        let service = with_node(|node| node.config.max_payload_size = 21);
        assert!(publish(&service, vec![tune("a")]).is_ok());
        let service = with_node(|node| node.config.max_payload_size = 20);
        assert_eq!(publish(&service, vec![tune("a")]), Err("payload-too-big".into()));
        let two = tune("a").with_payload(Element::new("mood", "urn:m"));
        assert_eq!(publish(&with_node(|_| {}), vec![two]), Err("invalid-payload".into()));
        let long = tune(&"x".repeat(1024));
        assert_eq!(publish(&with_node(|_| {}), vec![long]), Err("not-acceptable".into()));
    }

    #[test]
    fn a_batch_must_fit_the_node() {
        let service =
            with_node(|node| node.config.max_items = super::super::options::Bound::Count(2));
        assert!(publish(&service, vec![tune("a"), tune("b")]).is_ok());
        let batch = vec![tune("a"), tune("b"), tune("c")];
        assert_eq!(publish(&service, batch), Err("max-items-exceeded".into()));
    }

    #[test]
    fn an_item_without_an_id_gets_one_and_the_answer_says_so() {
        let item = Item { id: None, ..tune("") };
        let publication = publish(&with_node(|_| {}), vec![item]).unwrap();
        assert!(publication.items[0].named_here);
        let reply = publication.reply();
        let publish = reply.child("publish", ns::PUBSUB).unwrap();
        let item = publish.child("item", ns::PUBSUB).unwrap();
        assert_eq!(item.attr("id"), Some("made-here"));
    }

    #[test]
    fn others_neither_publish_nor_make_nodes() {
        let result = publish_as(&service(), ROMEO, "urn:n", vec![tune("a")], None);
        assert_eq!(result, Err("forbidden".into()));
        let result = publish_as(&with_node(|_| {}), ROMEO, "urn:n", vec![tune("a")], None);
        assert_eq!(result, Err("forbidden".into()));
    }

    #[test]
    fn making_a_node_twice_is_a_conflict() {
        let jid = Jid::new(JULIET).unwrap();
        let bare = jid.to_bare();
        let who = Requester { jid: &jid, bare: &bare, relation: Relation::default(), may_own: 0 };
        assert!(service().creation(&who, "urn:n", None, Millis(1)).is_ok());
        let error = with_node(|_| {}).creation(&who, "urn:n", None, Millis(1)).unwrap_err();
        assert_eq!(error.condition, Condition::Conflict);
        let mut form = Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG);
        form.fields.push(Field::untyped("pubsub#access_model").with_value("strange"));
        let error = service().creation(&who, "urn:n", Some(&form), Millis(1)).unwrap_err();
        assert_eq!(name(error), "unsupported-access-model");
    }
}
