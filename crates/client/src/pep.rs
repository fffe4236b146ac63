//! XEP-0163: personal nodes, the own ones and those of others.

use xmpp::error::{Condition, ErrorType, StanzaError};
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event;
use xmpp::jid::{BareJid, Jid};
use xmpp::ns;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};
use crate::features::Spec;
use crate::iq::Answer;
use crate::verified::{self, PersonalEvent, Verified};

/// What it follows.
pub(crate) const SPECS: &[Spec] = &[
    Spec { number: "XEP-0060", version: "1.30.0" },
    Spec { number: "XEP-0163", version: "1.2.2" },
];

/// What a node holds.
pub(crate) enum Items {
    /// These items, told by the owner.
    Some(Verified<PersonalEvent>),
    /// There is no such node, or it is not for us.
    None,
    /// It is not known: the owner's server cannot be reached, or answers with some other error.
    Unreachable,
    /// It is not known: there was no answer.
    Lost,
}

/// Fetches the items of a node: all of them, or those of the given ids.
pub(crate) fn items(
    cx: &mut Cx<'_>,
    owner: &BareJid,
    node: &str,
    ids: &[&str],
    then: impl FnOnce(&mut Cx<'_>, Items) -> Step + Send + 'static,
) -> Step {
    let ids = ids.iter().map(|id| Element::new("item", ns::PUBSUB).with_attr("id", *id));
    let items = Element::new("items", ns::PUBSUB).with_attr("node", node).with_children(ids);
    let query = Element::new("pubsub", ns::PUBSUB).with_child(items);
    let to = (owner != cx.me).then(|| Jid::from(owner.clone()));
    let (own, owner, node) = (owner == cx.me, owner.clone(), node.to_owned());
    cx.iq_get(to, query, move |cx, answer| {
        let items = match &answer {
            Answer::Result(_) => {
                let pubsub = answer.payload("pubsub", ns::PUBSUB);
                let items = pubsub.and_then(|pubsub| pubsub.child("items", ns::PUBSUB));
                let items = items.filter(|items| items.attr("node") == Some(&node));
                let children = items.into_iter().flat_map(Element::children);
                let items: Vec<Item> =
                    children.filter(|child| child.name() == "item").map(Item::parse).collect();
                Items::Some(verified::items(&owner, Event::Items(node, items)))
            }
            Answer::Error(error) if is_none(error, own) => Items::None,
            Answer::Error(_) => Items::Unreachable,
            Answer::Lost => Items::Lost,
        };
        then(cx, items)
    })
}

/// Whether an error says that there is nothing to read: no such node, or, of somebody else, none
/// that is for us (XEP-0060 §6.5.9). Any other error says nothing about the node.
fn is_none(error: &StanzaError, own: bool) -> bool {
    match error.condition {
        _ if error.kind == ErrorType::Wait => false,
        Condition::ItemNotFound => true,
        Condition::Forbidden | Condition::NotAuthorized => !own,
        _ => false,
    }
}

/// Who may read a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody.
    Open,
    /// Contacts who see our presence.
    Presence,
    /// Nobody but the account.
    Private,
}

impl Access {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Presence => "presence",
            Self::Private => "whitelist",
        }
    }
}

/// How a node must be configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Who may read it.
    pub(crate) access: Access,
    /// It holds many items; otherwise one.
    pub(crate) many: bool,
}

/// Publishes an item. If the node has another configuration it is changed first, once. A server
/// that refuses the whole because it does not know one of the options is asked for the two that
/// all know; what else was wanted is configured afterwards, as far as it goes.
pub(crate) fn publish(
    cx: &mut Cx<'_>,
    node: &str,
    item: Item,
    options: Options,
    then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
) -> Step {
    let publication = Publication { node: node.to_owned(), item, options, known: false };
    attempt(cx, publication, Box::new(then))
}

type Then = Box<dyn FnOnce(&mut Cx<'_>, Answer) -> Step + Send>;

/// What is to be published, and how.
struct Publication {
    node: String,
    item: Item,
    options: Options,
    /// With the options that every server knows, and no others.
    known: bool,
}

fn attempt(cx: &mut Cx<'_>, publication: Publication, then: Then) -> Step {
    let request = publication.request();
    cx.iq_set(None, request.clone(), move |cx, answer| match &answer {
        Answer::Error(error) if is_precondition(error) => {
            let form = publication.config(ns::PUBSUB_NODE_CONFIG);
            configure(cx, &publication.node, &form, move |cx, answer| match answer {
                Answer::Result(_) => cx.iq_set(None, request, then),
                answer => then(cx, answer),
            })
        }
        Answer::Error(error) if !publication.known && is_about_options(error) => {
            attempt(cx, Publication { known: true, ..publication }, then)
        }
        Answer::Result(_) if publication.known && publication.options.many => {
            grow(cx, publication.node, Box::new(move |cx| then(cx, answer)))
        }
        _ => then(cx, answer),
    })
}

fn is_precondition(error: &StanzaError) -> bool {
    error.app.as_ref().is_some_and(|app| app.is("precondition-not-met", ns::PUBSUB_ERRORS))
}

/// Whether it may be the options that are refused: Debian's ejabberd says so with
/// `resource-constraint`.
fn is_about_options(error: &StanzaError) -> bool {
    matches!(
        error.condition,
        Condition::BadRequest
            | Condition::NotAcceptable
            | Condition::FeatureNotImplemented
            | Condition::ResourceConstraint
    )
}

/// Makes room for many items in a node. A server that does not know the word is given a number.
fn grow(cx: &mut Cx<'_>, node: String, then: Box<dyn FnOnce(&mut Cx<'_>) -> Step + Send>) -> Step {
    let form = |most: &str| {
        Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG)
            .with_field(Field::untyped("pubsub#max_items").with_value(most))
    };
    configure(cx, &node.clone(), &form("max"), move |cx, answer| match answer {
        Answer::Error(_) => configure(cx, &node, &form(MANY), |cx, _| then(cx)),
        _ => then(cx),
    })
}

fn configure(
    cx: &mut Cx<'_>,
    node: &str,
    form: &Form,
    then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
) -> Step {
    let configure = Element::new("configure", ns::PUBSUB_OWNER)
        .with_attr("node", node)
        .with_child(form.to_element());
    cx.iq_set(None, Element::new("pubsub", ns::PUBSUB_OWNER).with_child(configure), then)
}

impl Publication {
    fn request(&self) -> Element {
        let publish = Element::new("publish", ns::PUBSUB)
            .with_attr("node", &self.node)
            .with_child(self.item.to_element(ns::PUBSUB));
        let options = Element::new("publish-options", ns::PUBSUB)
            .with_child(self.config(ns::PUBSUB_PUBLISH_OPTIONS).to_element());
        Element::new("pubsub", ns::PUBSUB).with_child(publish).with_child(options)
    }

    fn config(&self, form_type: &str) -> Form {
        let field = |name: &str, value: &str| Field::untyped(name).with_value(value);
        let form = Form::typed(FormType::Submit, form_type)
            .with_field(field("pubsub#persist_items", "true"))
            .with_field(field("pubsub#access_model", self.options.access.name()));
        if self.known {
            return form;
        }
        let most = if self.options.many { "max" } else { "1" };
        let form = form.with_field(field("pubsub#max_items", most));
        if self.options.access == Access::Private {
            // XEP-0490 §3.1, XEP-0402 §4.1: the whole list is fetched, not the last item.
            return form.with_field(field("pubsub#send_last_published_item", "never"));
        }
        form
    }
}

/// Items of a node that holds many, where that has to be a number.
const MANY: &str = "1000";

/// Removes an item.
pub(crate) fn retract(
    cx: &mut Cx<'_>,
    node: &str,
    id: &str,
    then: impl FnOnce(&mut Cx<'_>, Answer) -> Step + Send + 'static,
) -> Step {
    let item = Element::new("item", ns::PUBSUB).with_attr("id", id);
    let retract = Element::new("retract", ns::PUBSUB)
        .with_attr("node", node)
        .with_attr("notify", "true")
        .with_child(item);
    cx.iq_set(None, Element::new("pubsub", ns::PUBSUB).with_child(retract), then)
}
