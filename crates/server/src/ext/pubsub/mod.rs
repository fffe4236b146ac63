//! XEP-0060: Publish-Subscribe 1.30.0 and XEP-0163: Personal Eventing Protocol 1.2.2
//!
//! Every account is a pubsub service, and there is one that all share (`service`), whose nodes are
//! their makers'. The rules are pure functions over the nodes in memory
//! (`access`, `options`, `defaults`, `publish`, `subscribe`, `owner`, `items`, `notify`); `state`
//! reads nodes from the store, `handle` answers requests, `write` changes things, `telling` has what must
//! be told of that in a row, `deliver` and `greet` bring notifications to devices.
//!
//! What the specification leaves open is decided so: nodes belong to the account and only it makes
//! them; an address has one subscription to a node, so there are no subscription ids; subscriptions
//! of those who lost access end with the next event; a deleted node leaves no redirect behind; the
//! requests of XEP-0060 §8.8.2.4 and §8.9.2.4 are done whole or not at all; notifications reach
//! devices that are bound and wait for nobody who is not.

mod access;
mod config_form;
mod defaults;
mod deliver;
mod greet;
mod handle;
mod items;
#[cfg(any(test, feature = "model"))]
pub mod model;
mod node;
mod notify;
mod options;
mod owner;
mod pending;
mod publish;
pub mod service;
mod state;
mod subscribe;
mod telling;
mod write;

use std::sync::Arc;

use bytes::Bytes;
use store::pubsub::{Query, Select};
use xmpp::{
    error::StanzaError,
    ext::{
        form::{Form, FormType},
        pubsub::Item,
    },
    ns,
    xml::Element,
};

pub(super) use self::write::fresh_name;
pub use self::{
    greet::{greet, greet_contact, greet_elsewhere},
    options::AccessModel,
    state::Nodes,
};
use super::{Extension, Inbound, IqAnswer, IqContext, IqRoute, Scope, SessionHooks, Spec};
use crate::{
    account::Account,
    router::pipeline::{Flow, Letter, Pass},
    server::Server,
};

/// Makes every account a pubsub service.
pub const EXTENSION: Extension = Extension {
    name: "pubsub",
    specs: &[
        Spec { xep: 60, version: "1.30.0", title: "Publish-Subscribe" },
        Spec { xep: 163, version: "1.2.2", title: "Personal Eventing Protocol" },
        Spec { xep: 223, version: "1.1.1", title: "Persistent Storage of Private Data via PubSub" },
        Spec { xep: 384, version: "0.9.1", title: "OMEMO Encryption" },
        Spec { xep: 402, version: "1.2.0", title: "PEP Native Bookmarks" },
        Spec { xep: 413, version: "0.2.1", title: "Order-By" },
        Spec { xep: 490, version: "1.0.1", title: "Message Displayed Synchronization" },
    ],
    features: FEATURES,
    iq: &[
        IqRoute {
            scope: Scope::Account,
            kind: None,
            ns: ns::PUBSUB,
            name: "pubsub",
            handler: handle::answer,
        },
        IqRoute {
            scope: Scope::Account,
            kind: None,
            ns: ns::PUBSUB_OWNER,
            name: "pubsub",
            handler: handle::answer,
        },
    ],
    inbound: &[(Inbound::Claim, claim)],
    session: SessionHooks { presence: Some(greet::on_presence), ..SessionHooks::NONE },
    ..Extension::NOTHING
};

/// XEP-0060 §10, and `config-node-max` and `rsm` of §16.3. Of the features for access models the
/// one is listed that says which is the default.
const FEATURES: &[(Scope, &str)] = &[
    (Scope::Account, ns::PUBSUB),
    (Scope::Account, "http://jabber.org/protocol/pubsub#access-presence"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#auto-create"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#auto-subscribe"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#config-node"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#config-node-max"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#create-and-configure"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#create-nodes"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#delete-items"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#delete-nodes"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#filtered-notifications"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#instant-nodes"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#item-ids"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#last-published"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#manage-subscriptions"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#member-affiliation"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#meta-data"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#modify-affiliations"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#multi-items"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#outcast-affiliation"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#persistent-items"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#presence-notifications"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#presence-subscribe"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#publish"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#publish-node-full"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#publish-only-affiliation"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#publish-options"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#publisher-affiliation"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#pubsub-on-a-jid"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#purge-nodes"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#retract-items"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#retrieve-affiliations"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#retrieve-default"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#retrieve-default-sub"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#retrieve-items"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#retrieve-subscriptions"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#rsm"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#subscribe"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#subscription-notifications"),
    (Scope::Account, "http://jabber.org/protocol/pubsub#subscription-options"),
    (Scope::Account, ns::ORDER_BY),
    (Scope::Account, ORDER_BY_PUBSUB),
];

/// XEP-0413 §5: where the order can be chosen.
const ORDER_BY_PUBSUB: &str = "urn:xmpp:order-by:1@http://jabber.org/protocol/pubsub";

/// disco#info for a node of the account that the request is about.
///
/// # Errors
/// As XEP-0060 §5.3 has it; `item-not-found` for a node that does not exist.
pub async fn node_info(context: &IqContext<'_>, node: &str) -> IqAnswer {
    handle::node_info(context, node).await
}

/// disco#items for the account that the request is about, or one of its nodes: `query` is the request.
///
/// # Errors
/// As XEP-0060 §5.2 and §5.5 have it.
pub async fn node_items(context: &IqContext<'_>, query: &Element) -> IqAnswer {
    handle::node_items(context, query).await
}

/// An item that the server reads for a purpose of its own.
#[derive(Clone, Debug)]
pub struct OwnItem {
    /// Its id.
    pub id: String,
    /// Its payload.
    pub payload: Option<Element>,
    /// Who may read the node it is in.
    pub access: AccessModel,
}

/// Reads an item of an account: the one with an id, or the newest.
///
/// # Errors
/// When the store could not be read.
pub async fn own_item(
    server: &Server,
    account: &Account,
    node: &str,
    id: Option<&str>,
) -> Result<Option<OwnItem>, StanzaError> {
    let access = {
        let service = account.pubsub.open(server, account).await?;
        match service.node(node) {
            Some(node) => node.config.access,
            None => return Ok(None),
        }
    };
    let query = Query {
        node: node.into(),
        select: id.map_or(Select::Last, |id| Select::Ids(vec![id.into()])),
        max: 1,
        max_bytes: u64::MAX,
        horizon: None,
        ids_only: false,
        ..Query::default()
    };
    let page = server.store.pubsub.items(account.id, query).await;
    let page = page.map_err(|error| handle::page_failed(server, &error))?;
    Ok(page.items.into_iter().next().map(|item| OwnItem {
        id: item.id.into(),
        payload: item.payload.as_deref().and_then(handle::parse_payload),
        access,
    }))
}

/// As [`own_item`], from the store alone: for the operator, whether a server runs or not.
///
/// # Errors
/// When the store could not be read.
pub async fn kept_item(
    store: &store::Store,
    id: store::AccountId,
    owner: &xmpp::jid::BareJid,
    node: &str,
    item: &str,
) -> Result<Option<OwnItem>, store::StoreError> {
    let nodes = store.pubsub.nodes(id).await?;
    let Some(row) = nodes.into_iter().find(|row| *row.name == *node) else { return Ok(None) };
    let access = state::read_config(&node::Service::new(owner.clone()), node, &row.config).access;
    let query = Query {
        node: node.into(),
        select: Select::Ids(vec![item.into()]),
        max: 1,
        max_bytes: u64::MAX,
        horizon: None,
        ids_only: false,
        ..Query::default()
    };
    let page = match store.pubsub.items(id, query).await {
        Ok(page) => page,
        Err(store::pubsub::PageError::UnknownItem) => return Ok(None),
        Err(store::pubsub::PageError::Store(error)) => return Err(error),
    };
    Ok(page.items.into_iter().next().map(|item| OwnItem {
        id: item.id.into(),
        payload: item.payload.as_deref().and_then(handle::parse_payload),
        access,
    }))
}

/// Whether somebody may read a node of an account.
///
/// # Errors
/// When the store could not be read.
pub async fn may_read(
    server: &Server,
    account: &Account,
    node: &str,
    reader: &xmpp::jid::BareJid,
) -> Result<bool, StanzaError> {
    let service = account.pubsub.open(server, account).await?;
    let relation = deliver::relation(account, reader);
    let node = service.node(node);
    Ok(node.is_some_and(|node| service.allows(node, reader, &relation).is_ok()))
}

/// Publishes in the name of an account. A node that has to be made gets the access model given.
///
/// # Errors
/// As for the owner's own request.
pub async fn publish_own(
    server: &Server,
    account: &Arc<Account>,
    node: &str,
    item: Item,
    access: AccessModel,
) -> Result<(), StanzaError> {
    write::publish_own(server, account, node, item, |config| config.access = access).await
}

/// Removes items of an account, in its own name; those that are not there are no error.
///
/// # Errors
/// When the store failed.
pub async fn retract_own(
    server: &Server,
    account: &Arc<Account>,
    node: &str,
    ids: &[String],
) -> Result<(), StanzaError> {
    write::retract_own(server, account, node, ids).await
}

/// Reads the items of an account's node that have a payload, oldest first, as many as a page holds.
///
/// # Errors
/// When the store could not be read.
pub async fn own_items(
    server: &Server,
    account: &Account,
    node: &str,
) -> Result<Vec<(String, Element)>, StanzaError> {
    if account.pubsub.open(server, account).await?.node(node).is_none() {
        return Ok(Vec::new());
    }
    let query = Query {
        node: node.into(),
        select: Select::First,
        max: store::pubsub::MAX_PAGE,
        max_bytes: u64::MAX,
        horizon: None,
        ids_only: false,
        ..Query::default()
    };
    let page = server.store.pubsub.items(account.id, query).await;
    let page = page.map_err(|error| handle::page_failed(server, &error))?;
    let read = |item: store::pubsub::Item| {
        Some((item.id.into(), item.payload.as_deref().and_then(handle::parse_payload)?))
    };
    Ok(page.items.into_iter().filter_map(read).collect())
}

/// The configuration, as it is stored, of a node of `owner` that comes from another server, and how many items
/// it keeps. What the form does not say, or says in a way that is not offered here, is as usual for a node
/// of that name.
#[must_use]
pub fn moved_in_config(
    owner: &xmpp::jid::BareJid,
    name: &str,
    form: Option<&Form>,
) -> (Bytes, u32) {
    let service = node::Service::new(owner.clone());
    let mut node = service.blank(name, xmpp::time::Millis(0));
    for field in form.iter().flat_map(|form| &form.fields) {
        let form = Form { fields: vec![field.clone()], ..Form::new(FormType::Submit) };
        let refused = node.config.apply(&form, false).is_err();
        if refused && field.var.as_deref() == Some("pubsub#max_items") {
            // More than a node may keep here, or a word for everything.
            node.config.max_items = options::Bound::Max;
        }
    }
    service.enforce(name, &mut node.config);
    (state::stored_config(&node.config), node.keep())
}

/// Whether the node of that name of the service that everybody shares is the server's own.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    defaults::RESERVED.contains(&name)
}

/// How many items a node of an account keeps that is stored with this configuration.
#[must_use]
pub fn kept_items(owner: &xmpp::jid::BareJid, name: &str, stored: &[u8]) -> u32 {
    let service = node::Service::new(owner.clone());
    let mut node = service.blank(name, xmpp::time::Millis(0));
    node.config = state::read_config(&service, name, stored);
    node.keep()
}

/// The owner's answer to a request for approval is for the service, not for the owner's devices
/// (XEP-0060 §8.6).
fn claim(pass: &mut Pass<'_>) -> Flow {
    if pass.to.resource().is_some() || pass.sender != pass.account.jid() {
        return Flow::Continue;
    }
    let Some(form) = pass.message.child("x", ns::DATA_FORMS) else { return Flow::Continue };
    let Some(form) = Form::parse(&form.element()) else { return Flow::Continue };
    if form.form_type() != Some(ns::PUBSUB_SUBSCRIBE_AUTHORIZATION) {
        return Flow::Continue;
    }
    let owner = pass.account.jid().clone();
    tokio::spawn(handle::decide(pass.server.clone(), pass.account.clone(), owner, form));
    Flow::Done
}

/// The same, to the service that everybody shares. Other messages are nothing to it.
pub fn decided(letter: Letter<'_>, service: &Arc<Account>) -> Flow {
    let form = letter.message.child("x", ns::DATA_FORMS);
    let form = form.and_then(|form| Form::parse(&form.element()));
    let decides = |form: &Form| form.form_type() == Some(ns::PUBSUB_SUBSCRIBE_AUTHORIZATION);
    match form.filter(decides) {
        Some(form) => {
            let (server, owner) = (letter.server.clone(), letter.sender.clone());
            tokio::spawn(handle::decide(server, service.clone(), owner, form));
            Flow::Done
        }
        None if letter.facts.body => {
            Flow::Refuse(StanzaError::new(xmpp::error::Condition::ServiceUnavailable))
        }
        None => Flow::Drop,
    }
}
