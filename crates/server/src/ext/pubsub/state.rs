//! The nodes of an account between memory and store.
//!
//! Configurations, affiliations and subscriptions of all nodes are in memory once somebody asked
//! for one; items stay in the store. Everything that changes a node happens while [`Nodes`] is locked, and
//! what is told about it is put in a row then: memory, store and notifications keep one order.

use bytes::Bytes;
use store::{StoreError, pubsub as rows};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use xmpp::{
    error::StanzaError,
    ext::{
        form::{Field, FieldType, Form, FormType},
        pubsub::{Affiliation, SubscriptionState},
    },
    jid::{BareJid, Jid},
    time::Millis,
    xml::{Element, Limits},
};

use super::{
    node::{Node, Service, Subscriber},
    options::Config,
    telling::Telling,
};
use crate::{account::Account, server::Server};

/// The field of an account that holds its nodes, once they were read.
#[derive(Default)]
pub struct Nodes {
    service: Mutex<Option<Service>>,
    /// What has to be told about them.
    pub(super) telling: Telling,
}

impl Nodes {
    /// Locks the nodes of `account`, whose field this is, and reads them if need be.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn open(
        &self,
        server: &Server,
        account: &Account,
    ) -> Result<MappedMutexGuard<'_, Service>, StanzaError> {
        let mut guard = self.service.lock().await;
        if guard.is_none() {
            let loaded = load(server, account).await;
            *guard = Some(loaded.map_err(|error| server.store_failed("pubsub nodes", &error))?);
        }
        MutexGuard::try_map(guard, Option::as_mut).map_err(|_| {
            debug_assert!(false, "the nodes were just read");
            StanzaError::new(xmpp::error::Condition::InternalServerError)
        })
    }
}

/// Reads the nodes of an account.
pub(super) async fn load(server: &Server, account: &Account) -> Result<Service, StoreError> {
    let mut service = Service::new(account.jid().clone());
    for row in server.store.pubsub.nodes(account.id).await? {
        let node = read(&service, row);
        service.nodes.insert(node.name.clone(), node);
    }
    Ok(service)
}

fn read(service: &Service, row: rows::Node) -> Node {
    let config = read_config(service, &row.name, &row.config);
    let affiliations = row
        .affiliations
        .iter()
        .filter_map(|(jid, word)| Some((BareJid::new(jid).ok()?, Affiliation::parse(word)?)));
    let subscriptions = row.subscriptions.iter().filter_map(|row| {
        let state = match row.pending {
            true => SubscriptionState::Pending,
            false => SubscriptionState::Subscribed,
        };
        Some(Subscriber { jid: Jid::new(&row.jid).ok()?, state, deliver: row.deliver })
    });
    Node {
        config,
        created: Millis(row.created.0),
        affiliations: affiliations.collect(),
        subscriptions: subscriptions.collect(),
        name: row.name,
    }
}

/// The configuration of a node as it is stored: the form that the owner reads, and whose roster counts.
#[must_use]
pub(super) fn stored_config(config: &Config) -> Bytes {
    let mut form = config.form(FormType::Result);
    if let Some(host) = &config.host {
        form.fields.push(Field::new(HOST, FieldType::JidSingle).with_value(host.as_str()));
    }
    form.to_element().to_bytes("")
}

/// The configuration of a node as it was stored.
pub(super) fn read_config(service: &Service, name: &str, stored: &[u8]) -> Config {
    let mut config = service.defaults(name);
    let form = Element::parse(stored, &Limits::SERVER).ok().and_then(|form| Form::parse(&form));
    let host = form.as_ref().and_then(|form| form.field(HOST)?.value());
    config.host = host.and_then(|host| BareJid::new(host).ok());
    let applied = form.map(|form| config.apply(&form, false));
    debug_assert!(matches!(applied, Some(Ok(()))), "a stored configuration is always readable");
    service.enforce(name, &mut config);
    config
}

/// A subscription as it is stored.
#[must_use]
pub(super) fn stored_subscription(subscriber: &Subscriber) -> rows::Subscription {
    rows::Subscription {
        jid: subscriber.jid.as_str().into(),
        pending: subscriber.state == SubscriptionState::Pending,
        deliver: subscriber.deliver,
    }
}

/// A field of stored forms alone.
const HOST: &str = "anemone#host";

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service::new(BareJid::new("juliet@capulet.example").unwrap())
    }

    #[test]
    fn a_node_survives_the_store() {
        let mut node = Node::new("urn:example", Millis(7));
        node.config.title = Some("A < B".into());
        node.config.deliver_payloads = false;
        node.config.host = Some(BareJid::new("juliet@capulet.example").unwrap());
        node.affiliations =
            vec![(BareJid::new("romeo@montague.example").unwrap(), Affiliation::PublishOnly)];
        node.subscriptions = vec![Subscriber {
            jid: Jid::new("romeo@montague.example/orchard").unwrap(),
            state: SubscriptionState::Pending,
            deliver: false,
        }];
        let row = rows::Node {
            name: node.name.clone(),
            config: stored_config(&node.config),
            created: store::Millis(7),
            affiliations: vec![("romeo@montague.example".into(), "publish-only".into())],
            subscriptions: node.subscriptions.iter().map(stored_subscription).collect(),
        };
        assert_eq!(read(&service(), row), node);
    }

    #[test]
    fn what_cannot_be_chosen_is_enforced_on_what_was_stored_earlier() {
        let mut config = service().defaults("urn:example");
        config.access = super::super::options::AccessModel::Open;
        let read = read_config(&service(), "storage:bookmarks", &stored_config(&config));
        assert_eq!(read.access, super::super::options::AccessModel::Whitelist);
    }
}
