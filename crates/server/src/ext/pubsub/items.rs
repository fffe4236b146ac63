//! Retrieving items (XEP-0060 §6.5) and discovering nodes (§5.1 to §5.5).

use store::pubsub::{self as rows, Order, Page, Query, Select};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        form::{Field, FieldType, Form, FormType},
        pubsub::{Affiliation, PubsubError, SubscriptionState},
        rsm::{self, Position},
    },
    jid::Jid,
    ns,
    time::Millis,
    xml::{Element, Limits},
};

use super::{
    access::Requester,
    node::{Node, Service},
    notify::shown_publisher,
    options::{access_word, publish_word},
};
use crate::ext::pages;

/// Which items somebody asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// Only these.
    pub ids: Vec<String>,
    /// Only this many of the newest.
    pub max: Option<usize>,
    /// Only this page.
    pub page: Option<rsm::Request>,
    /// In this order (XEP-0413), ascending or descending.
    pub order: Option<(Order, bool)>,
}

impl Service {
    /// Examines a request for items and says what to read from the store.
    ///
    /// # Errors
    /// The error that the specification names for what is wrong.
    pub fn retrieval(
        &self,
        who: &Requester<'_>,
        name: &str,
        asked: &Asked,
        now: Millis,
    ) -> Result<(&Node, Query), StanzaError> {
        let node = self.existing(name)?;
        self.may_read(node, who)?;
        if !node.config.persist_items {
            return Err(PubsubError::Unsupported("persistent-items").into());
        }
        if asked.ids.len() > rows::MAX_PAGE as usize {
            return Err(StanzaError::new(Condition::PolicyViolation));
        }
        let (select, max) = select(asked);
        let query = Query {
            node: name.into(),
            select,
            max: u32::try_from(max).unwrap_or(u32::MAX).min(rows::MAX_PAGE),
            max_bytes: MAX_BYTES,
            horizon: node.horizon(now).map(|at| store::Millis(at.0)),
            ids_only: false,
            order: asked.order.map(|(order, _)| order).unwrap_or_default(),
            descending: asked.order.is_some_and(|(_, descending)| descending),
        };
        Ok((node, query))
    }

    /// The answer to disco#items for the account: the nodes that somebody may see (XEP-0163 §6.2), as many as
    /// fit into `room` bytes.
    #[must_use]
    pub fn discover_nodes(
        &self,
        who: &Requester<'_>,
        asked: Option<&rsm::Request>,
        room: usize,
    ) -> Items {
        let visible = self.nodes.values().filter(|node| {
            self.may_read(node, who).is_ok() || self.may_subscribe(node, who).is_ok()
        });
        let visible: Vec<&Node> = visible.collect();
        let item = |node: &Node| Item {
            jid: Jid::from(self.owner.clone()),
            node: Some(node.name.to_string()),
            name: node.config.title.clone(),
        };
        let names: Vec<&str> = visible.iter().map(|node| &*node.name).collect();
        let written = |number: usize| item(visible[number]).to_element();
        let (range, page) = pages::page(&names, asked, room, written);
        Items { node: None, items: range.map(|number| item(visible[number])).collect(), page }
    }

    /// The answer to disco#items for a node: the ids of its items (§5.5), as many as fit into `room` bytes.
    #[must_use]
    pub fn discover_items(
        &self,
        node: &Node,
        page: &Page,
        asked: Option<&rsm::Request>,
        room: usize,
    ) -> Items {
        let item = |row: &rows::Item| {
            Item::new(Jid::from(self.owner.clone())).with_name(row.id.to_string())
        };
        let everything = rsm::Request::default();
        let position = &asked.unwrap_or(&everything).position;
        let fits = pages::fit(&page.items, position, room, |row| item(row).to_element());
        let shown = Page {
            items: page.items.get(fits.clone()).unwrap_or_default().to_vec(),
            index: page.index + fits.start as u64,
            ..*page
        };
        let partial = asked.is_some() || page.count > shown.items.len() as u64;
        Items {
            node: Some(node.name.to_string()),
            items: shown.items.iter().map(item).collect(),
            page: partial.then(|| description(&shown)),
        }
    }

    /// The answer to disco#info for a node (§5.3 and §5.4).
    ///
    /// # Errors
    /// As for [`Service::may_read`] and [`Service::existing`].
    pub fn describe_node(&self, who: &Requester<'_>, name: &str) -> Result<Info, StanzaError> {
        let node = self.existing(name)?;
        if let Err(error) = self.may_read(node, who) {
            self.may_subscribe(node, who).map_err(|_| error)?;
        }
        Ok(Info::new()
            .with_node(name)
            .with_identity(Identity::new("pubsub", "leaf"))
            .with_feature(ns::PUBSUB)
            .with_form(self.metadata(node)))
    }

    fn metadata(&self, node: &Node) -> Form {
        let text = |var: &str, value: Option<&str>| {
            Field::new(format!("pubsub#{var}"), FieldType::TextSingle).with_values(value)
        };
        let of = |wanted: Affiliation| {
            let found = node.affiliations.iter().filter(move |(_, has)| *has == wanted);
            found.map(|(jid, _)| jid.as_str().to_owned())
        };
        let owners: Vec<String> = self.owners(node).map(|jid| jid.as_str().to_owned()).collect();
        let creator = self.owners(node).next().unwrap_or(&self.owner);
        let publishers = owners.iter().cloned().chain(of(Affiliation::Publisher));
        let subscribers =
            node.subscriptions.iter().filter(|sub| sub.state == SubscriptionState::Subscribed);
        let config = &node.config;
        let fields = [
            text("type", config.semantic_type.as_deref()),
            Field::new("pubsub#creator", FieldType::JidSingle).with_value(creator.as_str()),
            text("creation_date", Some(&node.created.xep0082())),
            text("title", config.title.as_deref()),
            text("description", config.description.as_deref()),
            text("language", config.language.as_deref()),
            Field::new("pubsub#contact", FieldType::JidMulti)
                .with_values(config.contact.iter().map(Jid::as_str)),
            text("access_model", Some(access_word(config.access))),
            text("publish_model", Some(publish_word(config.publish))),
            text("max_items", Some(&node.keep().to_string())),
            Field::new("pubsub#publisher", FieldType::JidMulti).with_values(publishers),
            Field::new("pubsub#owner", FieldType::JidMulti).with_values(&owners),
            text("num_subscribers", Some(&subscribers.count().to_string())),
        ];
        let mut form = Form::typed(FormType::Result, ns::PUBSUB_META_DATA);
        form.fields.extend(fields.into_iter().filter(|field| !field.values.is_empty()));
        form
    }
}

/// The answer to a request for items.
#[must_use]
pub(super) fn reply(owner: &Service, node: &Node, asked: &Asked, page: &Page) -> Element {
    let mut items = Element::new("items", ns::PUBSUB).with_attr("node", &*node.name);
    for row in &page.items {
        items.push(item(owner, node, row));
    }
    let mut reply = Element::new("pubsub", ns::PUBSUB).with_child(items);
    // §6.5.4: a description of the page, when one was asked for or the list is not complete.
    let cut = asked.ids.is_empty() && asked.max.is_none() && page.count > page.items.len() as u64;
    if asked.page.is_some() && asked.ids.is_empty() || cut {
        reply.push(description(page).to_element());
    }
    reply
}

fn description(page: &Page) -> rsm::Response {
    let id = |row: &rows::Item| row.id.to_string();
    rsm::Response {
        first: page.items.first().map(|row| (id(row), usize::try_from(page.index).ok())),
        last: page.items.last().map(id),
        count: usize::try_from(page.count).ok(),
    }
}

fn item(service: &Service, node: &Node, row: &rows::Item) -> Element {
    let publisher = Jid::new(&row.publisher).ok();
    let shown = shown_publisher(service.owner_of(node), node, publisher.as_ref());
    let mut item = Element::new("item", ns::PUBSUB)
        .with_attr("id", &*row.id)
        .with_attr_opt("publisher", shown.as_ref().map(|jid| jid.as_str()));
    if let Some(payload) = &row.payload {
        match Element::parse(payload, &Limits::SERVER) {
            Ok(payload) => item.push(payload),
            Err(_) => debug_assert!(false, "a stored payload is always readable"),
        }
    }
    item
}

fn select(asked: &Asked) -> (Select, usize) {
    if !asked.ids.is_empty() {
        let ids = asked.ids.iter().map(|id| id.as_str().into()).collect();
        return (Select::Ids(ids), usize::MAX);
    }
    let Some(page) = &asked.page else {
        return match asked.max {
            // The newest are the first ones of a list that begins with them.
            Some(newest) if asked.order.is_some_and(|(_, descending)| descending) => {
                (Select::First, newest)
            }
            Some(newest) => (Select::Last, newest),
            None => (Select::First, usize::MAX),
        };
    };
    let max = page.max.unwrap_or(usize::MAX).min(asked.max.unwrap_or(usize::MAX));
    let select = match &page.position {
        Position::First => Select::First,
        Position::Last => Select::Last,
        Position::After(id) => Select::After(id.as_str().into()),
        Position::Before(id) => Select::Before(id.as_str().into()),
        Position::Index(index) => Select::Index(*index as u64),
    };
    (select, max)
}

/// The payloads of one answer together, in bytes. It stays well below what may wait for a client,
/// so that asking for everything never costs the connection.
const MAX_BYTES: u64 = 512 * 1024;

#[cfg(test)]
mod tests {
    use xmpp::jid::BareJid;

    use super::{
        super::{
            access::Relation,
            options::{AccessModel, Bound},
        },
        *,
    };

    fn service(change: impl FnOnce(&mut Node)) -> Service {
        let mut service = Service::new(BareJid::new("juliet@capulet.example").unwrap());
        let mut node = Node::new("n", Millis(1));
        change(&mut node);
        service.nodes.insert("n".into(), node);
        service
    }

    fn as_jid<T>(jid: &str, with: impl FnOnce(&Requester<'_>) -> T) -> T {
        let jid = Jid::new(jid).unwrap();
        let bare = jid.to_bare();
        with(&Requester { jid: &jid, bare: &bare, relation: Relation::default(), may_own: 0 })
    }

    fn row(id: &str) -> rows::Item {
        rows::Item {
            id: id.into(),
            publisher: "juliet@capulet.example/balcony".into(),
            published: store::Millis(1),
            payload: Some("<p xmlns='urn:p'/>".into()),
        }
    }

    const JULIET: &str = "juliet@capulet.example/balcony";
    const ROMEO: &str = "romeo@montague.example/orchard";

    #[test]
    fn requests_become_queries() {
        let service = service(|_| {});
        let query = |asked: Asked| {
            as_jid(JULIET, |who| {
                let (_, query) = service.retrieval(who, "n", &asked, Millis(5)).unwrap();
                (query.select, query.max)
            })
        };
        assert_eq!(query(Asked::default()), (Select::First, rows::MAX_PAGE));
        let newest = Asked { max: Some(2), ..Asked::default() };
        assert_eq!(query(newest), (Select::Last, 2));
        let ids = Asked { ids: vec!["a".into()], ..Asked::default() };
        assert_eq!(query(ids).0, Select::Ids(vec!["a".into()]));
        let page = rsm::Request { max: Some(7), position: Position::After("a".into()) };
        let page = Asked { page: Some(page), ..Asked::default() };
        assert_eq!(query(page), (Select::After("a".into()), 7));
    }

    #[test]
    fn retrieval_is_refused_where_it_makes_no_sense() {
        let name = |error: StanzaError| error.app.map(|app| app.name().to_owned());
        let transient = service(|node| node.config.persist_items = false);
        let error = as_jid(JULIET, |who| {
            transient.retrieval(who, "n", &Asked::default(), Millis(5)).unwrap_err()
        });
        assert_eq!(name(error).as_deref(), Some("unsupported"));
        let error = as_jid(ROMEO, |who| {
            service(|_| {}).retrieval(who, "n", &Asked::default(), Millis(5)).unwrap_err()
        });
        assert_eq!(name(error).as_deref(), Some("presence-subscription-required"));
    }

    #[test]
    fn an_incomplete_list_says_so() {
        let service = service(|_| {});
        let node = service.node("n").unwrap();
        let page = Page { items: vec![row("a"), row("b")], count: 5, index: 0 };
        let answer = reply(&service, node, &Asked::default(), &page);
        let set = rsm::Response::child_of(&answer).unwrap();
        assert_eq!((set.count, set.last.as_deref()), (Some(5), Some("b")));
        let complete = Page { count: 2, ..page };
        let answer = reply(&service, node, &Asked::default(), &complete);
        assert_eq!(rsm::Response::child_of(&answer), None);
        let items = answer.child("items", ns::PUBSUB).unwrap();
        assert_eq!(items.children().count(), 2);
        assert!(items.first_child().unwrap().child("p", "urn:p").is_some());
    }

    #[test]
    fn old_items_are_not_retrieved() {
        let horizon = |age: Bound, now: u64| {
            let service = service(|node| node.config.item_expire = age);
            as_jid(JULIET, |who| {
                let (_, query) =
                    service.retrieval(who, "n", &Asked::default(), Millis(now)).unwrap();
                query.horizon
            })
        };
        assert_eq!(horizon(Bound::Max, 90_000), None);
        assert_eq!(horizon(Bound::Count(60), 90_000), Some(store::Millis(30_000)));
        assert_eq!(horizon(Bound::Count(60), 5), Some(store::Millis(0)));
    }

    #[test]
    fn long_lists_are_discovered_page_by_page() {
        let mut service = service(|_| {});
        for number in 0..200 {
            let name = format!("node {number:03}");
            service.nodes.insert(name.as_str().into(), Node::new(&name, Millis(1)));
        }
        let mut request = None;
        let mut seen = Vec::new();
        loop {
            let list = as_jid(JULIET, |who| service.discover_nodes(who, request.as_ref(), 2000));
            assert!(list.to_element().to_bytes("").len() < 2500);
            let page = list.page.expect("it is not everything");
            assert_eq!(page.count, Some(201));
            seen.extend(list.items.into_iter().filter_map(|item| item.node));
            let Some(last) = page.last else { break };
            request = Some(rsm::Request { max: None, position: Position::After(last) });
        }
        assert_eq!(seen.len(), 201);
        let node = service.node("n").unwrap();
        let items: Vec<rows::Item> =
            (0..50).map(|number| row(&format!("item {number:03}"))).collect();
        let page = Page { items, count: 70, index: 20 };
        let list = service.discover_items(node, &page, None, 1000);
        let described = list.page.expect("it is not everything");
        assert!(list.items.len() < 50);
        assert_eq!(described.first, Some(("item 000".to_owned(), Some(20))));
        assert_eq!(
            (described.last, described.count),
            (list.items.last().unwrap().name.clone(), Some(70))
        );
    }

    #[test]
    fn nodes_are_discovered_by_those_who_may_see_them() {
        let closed = service(|node| node.config.access = AccessModel::Whitelist);
        let seen = |service: &Service, jid: &str| {
            as_jid(jid, |who| service.discover_nodes(who, None, 1000).items.len())
        };
        assert_eq!((seen(&closed, ROMEO), seen(&closed, JULIET)), (0, 1));
        assert!(as_jid(ROMEO, |who| closed.describe_node(who, "n")).is_err());
        let authorize = service(|node| node.config.access = AccessModel::Authorize);
        assert_eq!(seen(&authorize, ROMEO), 1);
        let info = as_jid(ROMEO, |who| authorize.describe_node(who, "n")).unwrap();
        assert_eq!(info.identities, [Identity::new("pubsub", "leaf")]);
        assert_eq!(info.forms[0].value("pubsub#access_model"), Some("authorize"));
        assert_eq!(info.forms[0].value("pubsub#num_subscribers"), Some("0"));
    }
}
