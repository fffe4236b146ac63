//! What one can ask of a pubsub service.

use super::{AffiliationEntry, Item, PubsubError, Subscription};
use crate::error::{Condition, StanzaError};
use crate::ext::form::Form;
use crate::ext::rsm;
use crate::jid::Jid;
use crate::ns;
use crate::xml::Element;

/// The two kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IqType {
    /// Asks.
    Get,
    /// Changes.
    Set,
}

/// The order in which items are wanted (XEP-0413).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By the first publication of their ids instead of the last one.
    pub by_creation: bool,
    /// The newest first.
    pub descending: bool,
}

/// A request, with everything in it that the protocol requires.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// §8.1: make a node. Without a name the service finds one.
    Create {
        /// The name.
        node: Option<String>,
        /// The configuration, if not the default.
        config: Option<Form>,
    },
    /// §7.1: publish.
    Publish {
        /// The node.
        node: String,
        /// What: nothing, one item, or a batch.
        items: Vec<Item>,
        /// What must be true of the node (§7.1.5).
        options: Option<Form>,
    },
    /// §7.2: remove items.
    Retract {
        /// The node.
        node: String,
        /// The ids; at least one.
        ids: Vec<String>,
        /// Whether subscribers shall be told, whatever the configuration says.
        notify: bool,
    },
    /// §6.1: subscribe.
    Subscribe {
        /// The node.
        node: String,
        /// The address that wants to hear.
        jid: Jid,
        /// Options to set along with it (§6.3.7).
        options: Option<Form>,
    },
    /// §6.2: unsubscribe.
    Unsubscribe {
        /// The node.
        node: String,
        /// The subscribed address.
        jid: Jid,
    },
    /// §6.3: ask for the options of a subscription, or set them when there is a form.
    Options {
        /// The node.
        node: String,
        /// The subscribed address.
        jid: Jid,
        /// The new options.
        form: Option<Form>,
    },
    /// §6.4: the options that a new subscription has.
    DefaultOptions {
        /// The node, when asked for one.
        node: Option<String>,
    },
    /// §6.5: retrieve items.
    Items {
        /// The node.
        node: String,
        /// Only these.
        ids: Vec<String>,
        /// Only this many of the newest.
        max: Option<usize>,
        /// Only this page.
        page: Option<rsm::Request>,
        /// In this order (XEP-0413).
        order: Option<Order>,
    },
    /// §5.6: the requester's own subscriptions.
    Subscriptions {
        /// Only to this node.
        node: Option<String>,
    },
    /// §5.7: the requester's own affiliations.
    Affiliations {
        /// Only with this node.
        node: Option<String>,
    },
    /// §8.2: ask for the configuration of a node, or set it when there is a form.
    Configure {
        /// The node.
        node: String,
        /// The new configuration.
        form: Option<Form>,
    },
    /// §8.3: the configuration that a new node has.
    DefaultConfig,
    /// §8.4: delete a node.
    Delete {
        /// The node.
        node: String,
        /// Where to look from now on.
        redirect: Option<String>,
    },
    /// §8.5: remove all items.
    Purge {
        /// The node.
        node: String,
    },
    /// §8.8: ask for all subscriptions of a node, or change some.
    ManageSubscriptions {
        /// The node.
        node: String,
        /// The changes; empty when asked.
        changes: Vec<Subscription>,
    },
    /// §8.9: ask for all affiliations of a node, or change some.
    ManageAffiliations {
        /// The node.
        node: String,
        /// The changes; empty when asked.
        changes: Vec<AffiliationEntry>,
    },
}

impl Request {
    /// Reads `<pubsub/>` of either namespace.
    ///
    /// # Errors
    /// The error to answer with: `bad-request` with the protocol's own condition where something
    /// is missing, `feature-not-implemented` for a request of no known kind.
    pub fn parse(kind: IqType, pubsub: &Element) -> Result<Self, StanzaError> {
        let ns = pubsub.ns();
        let mut children = pubsub.children().filter(|child| child.ns() == ns);
        let first = children.next().ok_or_else(bad_request)?;
        let second = children.next();
        match (ns, kind) {
            (ns::PUBSUB, IqType::Set) => parse_set(first, second),
            (ns::PUBSUB, IqType::Get) => parse_get(pubsub, first),
            (ns::PUBSUB_OWNER, IqType::Set) => parse_owner_set(first),
            (ns::PUBSUB_OWNER, IqType::Get) => parse_owner_get(first),
            _ => Err(StanzaError::new(Condition::FeatureNotImplemented)),
        }
    }
}

fn parse_set(first: &Element, second: Option<&Element>) -> Result<Request, StanzaError> {
    match first.name() {
        "create" => parse_create(first, second),
        "publish" => Ok(Request::Publish {
            node: node(first)?,
            items: items(first).map(Item::parse).collect(),
            options: form_of(second, "publish-options")?,
        }),
        "retract" => parse_retract(first),
        "subscribe" => parse_subscribe(first, second),
        "unsubscribe" => Ok(Request::Unsubscribe { node: node(first)?, jid: jid(first)? }),
        "options" => Ok(Request::Options {
            node: node(first)?,
            jid: jid(first)?,
            form: Some(Form::child_of(first).ok_or_else(bad_request)?),
        }),
        _ => Err(StanzaError::new(Condition::FeatureNotImplemented)),
    }
}

fn parse_get(pubsub: &Element, first: &Element) -> Result<Request, StanzaError> {
    match first.name() {
        "items" => Ok(Request::Items {
            node: node(first)?,
            ids: items(first)
                .map(|item| item.attr("id").map(str::to_owned).ok_or_else(bad_request))
                .collect::<Result<_, _>>()?,
            max: match first.attr("max_items") {
                Some(max) => Some(max.trim().parse().map_err(|_| bad_request())?),
                None => None,
            },
            page: rsm::Request::child_of(pubsub),
            order: order(pubsub)?,
        }),
        "subscriptions" => Ok(Request::Subscriptions { node: optional_node(first) }),
        "affiliations" => Ok(Request::Affiliations { node: optional_node(first) }),
        "options" => Ok(Request::Options { node: node(first)?, jid: jid(first)?, form: None }),
        "default" => Ok(Request::DefaultOptions { node: optional_node(first) }),
        _ => Err(StanzaError::new(Condition::FeatureNotImplemented)),
    }
}

/// XEP-0413 §4: neither order leaves two items equal, so a second one would decide nothing.
fn order(pubsub: &Element) -> Result<Option<Order>, StanzaError> {
    let Some(order) = pubsub.child("order", ns::ORDER_BY) else { return Ok(None) };
    let by_creation = match order.attr("by") {
        Some("creation") => true,
        Some("modification") => false,
        _ => return Err(StanzaError::new(Condition::FeatureNotImplemented)),
    };
    let descending = matches!(order.attr("desc"), Some("true" | "1"));
    Ok(Some(Order { by_creation, descending }))
}

fn parse_owner_set(first: &Element) -> Result<Request, StanzaError> {
    match first.name() {
        "configure" => Ok(Request::Configure {
            node: node(first)?,
            form: Some(Form::child_of(first).ok_or_else(bad_request)?),
        }),
        "delete" => {
            let redirect = first.child("redirect", ns::PUBSUB_OWNER);
            let redirect = redirect.and_then(|redirect| redirect.attr("uri")).map(str::to_owned);
            Ok(Request::Delete { node: node(first)?, redirect })
        }
        "purge" => Ok(Request::Purge { node: node(first)? }),
        "subscriptions" => Ok(Request::ManageSubscriptions {
            node: node(first)?,
            changes: changes(first, "subscription", Subscription::parse)?,
        }),
        "affiliations" => Ok(Request::ManageAffiliations {
            node: node(first)?,
            changes: changes(first, "affiliation", AffiliationEntry::parse)?,
        }),
        _ => Err(StanzaError::new(Condition::FeatureNotImplemented)),
    }
}

fn parse_owner_get(first: &Element) -> Result<Request, StanzaError> {
    match first.name() {
        "configure" => Ok(Request::Configure { node: node(first)?, form: None }),
        "default" if first.attr("type").is_none_or(|kind| kind == "leaf") => {
            Ok(Request::DefaultConfig)
        }
        "default" => Err(PubsubError::Unsupported("collections").into()),
        "subscriptions" => {
            Ok(Request::ManageSubscriptions { node: node(first)?, changes: Vec::new() })
        }
        "affiliations" => {
            Ok(Request::ManageAffiliations { node: node(first)?, changes: Vec::new() })
        }
        _ => Err(StanzaError::new(Condition::FeatureNotImplemented)),
    }
}

fn parse_create(first: &Element, second: Option<&Element>) -> Result<Request, StanzaError> {
    // §8.1.3: `<configure/>` follows `<create/>` and has no name of its own.
    if second.is_some_and(|second| second.attr("node").is_some()) {
        return Err(bad_request());
    }
    Ok(Request::Create { node: optional_node(first), config: form_of(second, "configure")? })
}

fn parse_retract(first: &Element) -> Result<Request, StanzaError> {
    let node = node(first)?;
    let id = |item: &Element| item.attr("id").filter(|id| !id.is_empty()).map(str::to_owned);
    let ids: Option<Vec<String>> = items(first).map(id).collect();
    let ids = ids.filter(|ids| !ids.is_empty()).ok_or(PubsubError::ItemRequired)?;
    let notify = first.attr("notify").is_some_and(|word| matches!(word, "1" | "true"));
    Ok(Request::Retract { node, ids, notify })
}

fn parse_subscribe(first: &Element, second: Option<&Element>) -> Result<Request, StanzaError> {
    // §6.3.7: `<options/>` follows `<subscribe/>` and names neither node nor address.
    let named = |second: &Element| second.attr("node").is_some() || second.attr("jid").is_some();
    if second.is_some_and(named) {
        return Err(bad_request());
    }
    Ok(Request::Subscribe {
        node: node(first)?,
        jid: jid(first)?,
        options: form_of(second, "options")?,
    })
}

fn node(element: &Element) -> Result<String, StanzaError> {
    optional_node(element).ok_or_else(|| PubsubError::NodeidRequired.into())
}

fn optional_node(element: &Element) -> Option<String> {
    element.attr("node").filter(|node| !node.is_empty()).map(str::to_owned)
}

fn jid(element: &Element) -> Result<Jid, StanzaError> {
    let jid = element.attr("jid").ok_or(PubsubError::JidRequired)?;
    Ok(Jid::new(jid).map_err(|_| PubsubError::InvalidJid)?)
}

fn items(parent: &Element) -> impl Iterator<Item = &Element> {
    parent.children().filter(|child| child.is("item", ns::PUBSUB))
}

/// The form inside the second element, which must then have the name given.
fn form_of(second: Option<&Element>, name: &str) -> Result<Option<Form>, StanzaError> {
    match second {
        None => Ok(None),
        // An empty `<configure/>` asks for the default, as many clients do.
        Some(second) if second.name() == name => Ok(Form::child_of(second)),
        Some(_) => Err(bad_request()),
    }
}

fn changes<T>(
    parent: &Element,
    name: &str,
    parse: impl Fn(&Element) -> Option<T>,
) -> Result<Vec<T>, StanzaError> {
    let entries = parent.children().filter(|child| child.is(name, ns::PUBSUB_OWNER));
    let changes: Option<Vec<T>> = entries.map(parse).collect();
    changes.filter(|changes| !changes.is_empty()).ok_or_else(bad_request)
}

fn bad_request() -> StanzaError {
    StanzaError::new(Condition::BadRequest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ext::form::FormType;
    use crate::ext::pubsub::{Affiliation, SubscriptionState};
    use crate::xml::Limits;

    fn parse(kind: IqType, ns: &str, inner: &str) -> Result<Request, StanzaError> {
        let xml = format!("<pubsub xmlns='{ns}'>{inner}</pubsub>");
        Request::parse(kind, &Element::parse(xml.as_bytes(), &Limits::CLIENT).unwrap())
    }

    fn set(inner: &str) -> Result<Request, StanzaError> {
        parse(IqType::Set, ns::PUBSUB, inner)
    }

    fn get(inner: &str) -> Result<Request, StanzaError> {
        parse(IqType::Get, ns::PUBSUB, inner)
    }

    fn condition(result: Result<Request, StanzaError>) -> String {
        let error = result.unwrap_err();
        error.app.map_or(error.condition.name().to_owned(), |app| app.name().to_owned())
    }

    #[test]
    fn a_publish_request_with_options_is_read() {
        let request = set("<publish node='n'><item id='current'><tune xmlns='urn:t'/></item>\
                           </publish><publish-options><x xmlns='jabber:x:data' type='submit'/>\
                           </publish-options>");
        let Ok(Request::Publish { node, items, options }) = request else { panic!("{request:?}") };
        assert_eq!((node.as_str(), items.len()), ("n", 1));
        assert!(items[0].payload().unwrap().is("tune", "urn:t"));
        assert_eq!(options.unwrap().kind, FormType::Submit);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(condition(set("<publish/>")), "nodeid-required");
        assert_eq!(condition(set("<retract><item id='a'/></retract>")), "nodeid-required");
        assert_eq!(condition(set("<retract node='n'/>")), "item-required");
        assert_eq!(condition(set("<retract node='n'><item/></retract>")), "item-required");
        assert_eq!(condition(set("<subscribe node='n'/>")), "jid-required");
        assert_eq!(condition(set("<subscribe node='n' jid='@'/>")), "invalid-jid");
        assert_eq!(condition(get("<options node='n'/>")), "jid-required");
        assert_eq!(condition(get("<items/>")), "nodeid-required");
        assert_eq!(condition(get("<items node='n' max_items='many'/>")), "bad-request");
        assert_eq!(condition(set("")), "bad-request");
        assert_eq!(condition(set("<dance/>")), "feature-not-implemented");
        let owner = |inner| parse(IqType::Set, ns::PUBSUB_OWNER, inner);
        assert_eq!(condition(owner("<delete/>")), "nodeid-required");
        assert_eq!(condition(owner("<affiliations node='n'/>")), "bad-request");
    }

    #[test]
    fn the_second_element_obeys_the_rules() {
        let form = "<x xmlns='jabber:x:data' type='submit'/>";
        let named = format!("<create node='n'/><configure node='n'>{form}</configure>");
        assert_eq!(condition(set(&named)), "bad-request");
        let named = format!("<subscribe node='n' jid='a@b'/><options jid='a@b'>{form}</options>");
        assert_eq!(condition(set(&named)), "bad-request");
        let wrong = format!("<publish node='n'/><options>{form}</options>");
        assert_eq!(condition(set(&wrong)), "bad-request");
        assert!(matches!(
            set("<create/><configure/>"),
            Ok(Request::Create { node: None, config: None })
        ));
    }

    #[test]
    fn pages_and_ids_of_items_are_read() {
        let request = get("<items node='n' max_items='2'><item id='a'/></items>\
                           <set xmlns='http://jabber.org/protocol/rsm'><max>5</max></set>");
        let Ok(Request::Items { ids, max, page, .. }) = request else { panic!("{request:?}") };
        assert_eq!((ids, max), (vec!["a".to_owned()], Some(2)));
        assert_eq!(page.unwrap().max, Some(5));
    }

    #[test]
    fn the_changes_of_owners_are_read() {
        let request = parse(
            IqType::Set,
            ns::PUBSUB_OWNER,
            "<affiliations node='n'><affiliation jid='a@b' affiliation='member'/></affiliations>",
        );
        let Ok(Request::ManageAffiliations { changes, .. }) = request else { panic!() };
        assert_eq!(changes[0].affiliation, Some(Affiliation::Member));
        let request = parse(
            IqType::Set,
            ns::PUBSUB_OWNER,
            "<subscriptions node='n'><subscription jid='a@b' subscription='none'/></subscriptions>",
        );
        let Ok(Request::ManageSubscriptions { changes, .. }) = request else { panic!() };
        assert_eq!(changes[0].state, Some(SubscriptionState::None));
    }

    #[test]
    fn a_redirect_is_read() {
        let request = parse(
            IqType::Set,
            ns::PUBSUB_OWNER,
            "<delete node='n'><redirect uri='xmpp:a@b'/></delete>",
        );
        let redirect = Some("xmpp:a@b".to_owned());
        assert_eq!(request, Ok(Request::Delete { node: "n".into(), redirect }));
    }
}
