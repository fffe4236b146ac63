//! What requests change: in the store first, then in memory, then in the row of what is told.

use std::{sync::Arc, time::Instant};

use store::pubsub::{Change, Publication as Rows, PublishError, Query, Select, Share};
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::{
        form::Form,
        pubsub::{Affiliation, Item, PubsubError, SubscriptionState},
    },
    jid::{BareJid, Jid},
    ns,
    xml::Element,
};

use super::{
    access::{Relation, Requester},
    deliver, greet,
    handle::{Visit, page_failed},
    node::{Node, Service, Subscriber},
    notify::{Notice, Told},
    options::{Config, NodeFull},
    owner::AffiliationChanges,
    publish::{NewItem, Publication},
    state::{stored_config, stored_subscription},
};
use crate::{account::Account, config::Pubsub as PubsubConfig, ext::budget, server::Server};

impl Visit<'_> {
    pub(super) async fn publish(
        &self,
        name: &str,
        items: Vec<Item>,
        options: Option<&Form>,
    ) -> Result<Publication, StanzaError> {
        let (_roster, there) = self.prepare(name, false).await?;
        // Only who may make a node is asked about that.
        let who = if there { self.who() } else { self.maker().await? };
        let mut service = self.open().await?;
        let new_id = || fresh_name(self.server);
        let now = self.server.now();
        let publication = service.publication(&who, name, items, options, now, new_id)?;
        self.pay(&publication)?;
        let told = publish(self.server, self.account, &mut service, &publication).await?;
        budget::spread(self.server, &self.bare, told);
        drop(service);
        after_change(self.server, self.account, name).await;
        Ok(publication)
    }

    /// What subscribers are sent costs whoever publishes it, and those at other domains are paid for
    /// before.
    fn pay(&self, publication: &Publication) -> Result<(), StanzaError> {
        budget::may_spread(self.server, &self.bare)?;
        if !self.server.config().limits.throttle {
            return Ok(());
        }
        let bytes = foreign_bytes(publication, self.server.domain());
        let payer = budget::payer(self.server, &self.bare);
        if bytes == 0 || self.server.budgets.send(payer, bytes, Instant::now()) {
            return Ok(());
        }
        Err(StanzaError::new(Condition::PolicyViolation)
            .with_type(ErrorType::Wait)
            .with_text("You published much to people of other servers; try again later."))
    }
}

/// About how many bytes leave this server for the subscribers of a node.
fn foreign_bytes(publication: &Publication, local: &str) -> u64 {
    let node = &publication.node;
    let told = |sub: &&Subscriber| {
        sub.state == SubscriptionState::Subscribed
            && sub.deliver
            && sub.jid.domain().as_str() != local
    };
    let away = node.subscriptions.iter().filter(told).count() as u64;
    if !node.config.deliver_notifications {
        return 0;
    }
    let payload = |item: &NewItem| match node.config.deliver_payloads {
        true => item.payload.as_ref().map_or(0, |payload| payload.len() as u64),
        false => 0,
    };
    away * publication.items.iter().map(|item| payload(item) + store::pubsub::OVERHEAD).sum::<u64>()
}

/// Publishes in the name of the account itself.
///
/// # Errors
/// As for a request of the owner.
pub(super) async fn publish_own(
    server: &Server,
    account: &Arc<Account>,
    name: &str,
    item: Item,
    configure: impl FnOnce(&mut Config),
) -> Result<(), StanzaError> {
    let mut service = account.pubsub.open(server, account).await?;
    let bare = account.jid().clone();
    let jid = Jid::from(bare.clone());
    // Nobody counts what a service makes for itself.
    let may_own = if service.shared { usize::MAX } else { 0 };
    let who = Requester { jid: &jid, bare: &bare, relation: Relation::default(), may_own };
    let new_id = || fresh_name(server);
    let mut publication =
        service.publication(&who, name, vec![item], None, server.now(), new_id)?;
    if publication.created {
        configure(&mut publication.node.config);
        service.enforce(name, &mut publication.node.config);
    }
    let told = publish(server, account, &mut service, &publication).await;
    drop(service);
    account.pubsub.telling.tell(server, account).await;
    told.map(drop)
}

/// Stores a publication that is in order, and tells about it. Returns about how many bytes that took.
async fn publish(
    server: &Server,
    account: &Account,
    service: &mut Service,
    publication: &Publication,
) -> Result<u64, StanzaError> {
    let node = &publication.node;
    let made_apart = publication.created && (service.shared || !node.config.persist_items);
    if made_apart {
        create(server, account, node).await?;
    }
    let evicted = if node.config.persist_items {
        let mut rows = rows(server, account, publication);
        rows.create = rows.create.filter(|_| !made_apart);
        let published = server.store.pubsub.publish(account.id, rows).await;
        if let (Err(_), true) = (&published, made_apart) {
            // All or nothing. A failure here was counted and logged where it happened.
            drop(change(server, account, &node.name, vec![Change::Delete]).await);
        }
        published.map_err(|error| publish_failed(server, &error))?.evicted
    } else {
        Vec::new()
    };
    if publication.created {
        service.nodes.insert(node.name.clone(), node.clone());
    }
    let told = publication.items.iter().map(told);
    let audience = deliver::audience(server, account, service, node).await;
    let notice = Notice::items(service.owner_of(node), node, told);
    let bytes = (audience.len() * notice.size()) as u64;
    deliver::send(account, &audience, notice);
    // On a node for one item the new one says that the old one is gone; to retract it as well would
    // look as if there was none.
    let retracts = node.config.node_full == NodeFull::RetractOldest
        && node.config.notify_retract
        && node.keep() > 1;
    if retracts && !evicted.is_empty() {
        let notice = Notice::retract(node, evicted.iter().map(|id| &**id));
        deliver::send(account, &audience, notice);
    }
    end_lost(server, account, service, &node.name).await?;
    Ok(bytes)
}

/// Removes items in the name of the account itself; those that are not there are no error.
pub(super) async fn retract_own(
    server: &Server,
    account: &Arc<Account>,
    name: &str,
    ids: &[String],
) -> Result<(), StanzaError> {
    let service = account.pubsub.open(server, account).await?;
    let Some(node) = service.node(name).filter(|_| !ids.is_empty()) else { return Ok(()) };
    let rows = ids.iter().map(|id| id.as_str().into()).collect();
    change(server, account, name, vec![Change::Retract(rows)]).await?;
    let audience = deliver::audience(server, account, &service, node).await;
    let notice = Notice::retract(node, ids.iter().map(String::as_str));
    deliver::send(account, &audience, notice);
    drop(service);
    account.pubsub.telling.tell(server, account).await;
    Ok(())
}

fn told(item: &NewItem) -> Told<'_> {
    Told { id: &item.id, publisher: Some(&item.publisher), payload: item.payload.as_deref() }
}

fn rows(server: &Server, account: &Account, publication: &Publication) -> Rows {
    let node = &publication.node;
    let now = server.now();
    let config = server.config();
    let (quota, share) = match account.id {
        store::AccountId::PUBSUB => shared_quota(&config.pubsub, publication),
        _ => (config.limits.pep_bytes_per_account, None),
    };
    let item = |item: &NewItem| store::pubsub::Item {
        id: item.id.as_str().into(),
        publisher: item.publisher.as_str().into(),
        published: store::Millis(now.0),
        payload: item.payload.clone(),
    };
    Rows {
        node: node.name.clone(),
        create: publication.created.then(|| (stored_config(&node.config), store_time(node))),
        items: publication.items.iter().map(item).collect(),
        keep: node.keep(),
        reject_when_full: node.config.node_full == NodeFull::Reject,
        horizon: node.horizon(now).map(|at| store::Millis(at.0)),
        quota,
        share,
    }
}

/// What a publication to the shared service may take: the service's space, and of it the part of whoever
/// publishes to a node of theirs, or else of its first owner. Nodes without an owner are the server's
/// own: they hold little, and nobody shall be able to fill up what reports need.
fn shared_quota(config: &PubsubConfig, publication: &Publication) -> (u64, Option<Share>) {
    let node = &publication.node;
    let publisher = publication.items.first().map(|item| item.publisher.to_bare());
    let owners = || node.affiliations.iter().filter(|(_, has)| *has == Affiliation::Owner);
    let own = owners().find(|(owner, _)| Some(owner) == publisher.as_ref());
    let Some((payer, has)) = own.or_else(|| owners().next()) else { return (u64::MAX, None) };
    let share = Share {
        jid: payer.as_str().into(),
        affiliation: has.as_str().into(),
        quota: config.bytes_per_account,
    };
    (config.bytes, Some(share))
}

fn publish_failed(server: &Server, error: &PublishError) -> StanzaError {
    match error {
        PublishError::Quota => StanzaError::new(Condition::ResourceConstraint)
            .with_text("The space for these nodes is used up."),
        PublishError::NodeFull => PubsubError::NodeFull.into(),
        PublishError::Node => StanzaError::new(Condition::InternalServerError),
        PublishError::Store(error) => server.store_failed("pubsub publish", error),
    }
}

/// Removes items that `visit` may remove; all of them or none (§12.9).
pub(super) async fn retract<'s>(
    visit: &Visit<'_>,
    service: &'s Service,
    name: &str,
    ids: &[String],
) -> Result<&'s Node, StanzaError> {
    let who = visit.who();
    let node = service.existing(name)?;
    service.may_publish(node, &who)?;
    if !node.config.persist_items {
        return Err(PubsubError::Unsupported("persistent-items").into());
    }
    let mut ids: Vec<Box<str>> = ids.iter().map(|id| id.as_str().into()).collect();
    ids.sort_unstable();
    ids.dedup();
    let query = Query {
        node: name.into(),
        select: Select::Ids(ids.clone()),
        max: store::pubsub::MAX_PAGE,
        max_bytes: u64::MAX,
        horizon: None,
        ids_only: true,
        ..Query::default()
    };
    let page = visit.server.store.pubsub.items(visit.account.id, query).await;
    let page = page.map_err(|error| page_failed(visit.server, &error))?;
    if page.items.len() != ids.len() {
        return Err(StanzaError::new(Condition::ItemNotFound));
    }
    for item in &page.items {
        service.may_retract(node, &who, Jid::new(&item.publisher).ok().as_ref())?;
    }
    change(visit.server, visit.account, name, vec![Change::Retract(ids)]).await?;
    Ok(node)
}

/// Puts a new configuration into force.
pub(super) async fn configure(
    server: &Server,
    account: &Account,
    service: &mut Service,
    name: &str,
    config: Config,
) -> Result<(), StanzaError> {
    let before = match service.node(name) {
        Some(node) if node.config != config => {
            deliver::audience(server, account, service, node).await
        }
        _ => return Ok(()),
    };
    let stored = stored_config(&config);
    let Some(node) = service.nodes.get_mut(name) else { return Ok(()) };
    let old = std::mem::replace(&mut node.config, config);
    let keep = node.keep();
    let changes = vec![Change::Configure(stored, keep)];
    if let Err(error) = change(server, account, name, changes).await {
        node.config = old;
        return Err(error);
    }
    let node = service.existing(name)?;
    let after = deliver::audience(server, account, service, node).await;
    if node.config.notify_config {
        deliver::send(account, &after, Notice::configuration(node));
    }
    // §12.2: who gained access gets the last item.
    let gained: std::collections::BTreeSet<Jid> = after.difference(&before).cloned().collect();
    if !gained.is_empty()
        && node.config.persist_items
        && let Some(last) =
            greet::last_notice(server, account, service.owner_of(node), node).await?
    {
        deliver::send(account, &gained, last);
    }
    end_lost(server, account, service, name).await
}

/// XEP-0163 §7.1: subscriptions of those who lost access are cancelled, and they are told.
async fn end_lost(
    server: &Server,
    account: &Account,
    service: &mut Service,
    name: &str,
) -> Result<(), StanzaError> {
    let Some(node) = service.node(name) else { return Ok(()) };
    let rosters = deliver::Rosters::of(server, service, node).await;
    let lost = node.subscriptions.iter().filter(|subscriber| {
        let bare = subscriber.jid.to_bare();
        subscriber.state == SubscriptionState::Subscribed
            && service.allows(node, &bare, &rosters.relation(account, &bare)).is_err()
    });
    let lost: Vec<Subscriber> =
        lost.map(|lost| Subscriber { state: SubscriptionState::None, ..lost.clone() }).collect();
    decide(server, account, service, name, lost).await.map(drop)
}

/// Gives subscriptions these states (`none` removes them) and tells the subscribers. Returns about how many
/// bytes that took.
pub(super) async fn decide(
    server: &Server,
    account: &Account,
    service: &mut Service,
    name: &str,
    changes: Vec<Subscriber>,
) -> Result<u64, StanzaError> {
    if changes.is_empty() {
        return Ok(0);
    }
    let (ended, given): (Vec<Subscriber>, Vec<Subscriber>) =
        changes.into_iter().partition(|change| change.state == SubscriptionState::None);
    let gone = ended.iter().map(|change| change.jid.as_str().into()).collect();
    let steps = vec![
        Change::Unsubscribe(gone),
        Change::Subscribe(given.iter().map(stored_subscription).collect()),
    ];
    change(server, account, name, steps).await?;
    let Some(node) = service.nodes.get_mut(name) else { return Ok(0) };
    let touched = |jid: &Jid| ended.iter().chain(&given).any(|change| change.jid == *jid);
    node.subscriptions.retain(|subscriber| !touched(&subscriber.jid));
    node.subscriptions.extend(given.iter().cloned());
    let mut told = 0;
    for change in ended.iter().chain(&given) {
        let notice = subscription_notice(node, change);
        told += notice.size() as u64;
        deliver::send(account, [&change.jid], notice);
    }
    Ok(told)
}

/// Changes affiliations, and the subscriptions that depend on them.
pub(super) async fn affiliate(
    server: &Server,
    account: &Account,
    service: &mut Service,
    name: &str,
    changes: AffiliationChanges,
) -> Result<(), StanzaError> {
    let none = xmpp::ext::pubsub::Affiliation::None;
    let rows = changes.affiliations.iter().map(|(jid, affiliation)| {
        (jid.as_str().into(), (*affiliation != none).then(|| affiliation.as_str().into()))
    });
    change(server, account, name, vec![Change::Affiliate(rows.collect())]).await?;
    let Some(node) = service.nodes.get_mut(name) else { return Ok(()) };
    for (jid, affiliation) in changes.affiliations {
        node.affiliations.retain(|(listed, _)| *listed != jid);
        if affiliation != none {
            node.affiliations.push((jid, affiliation));
        }
    }
    let given = |jid, state| Subscriber { jid, state, deliver: true };
    let approved =
        changes.approved.into_iter().map(|jid| given(jid, SubscriptionState::Subscribed));
    let ended = changes.ended.into_iter().map(|jid| given(jid, SubscriptionState::None));
    let decided = approved.chain(ended).collect();
    decide(server, account, service, name, decided).await?;
    end_lost(server, account, service, name).await
}

/// Adds or replaces one subscription.
pub(super) async fn subscribe(
    server: &Server,
    account: &Account,
    service: &mut Service,
    name: &str,
    subscriber: Subscriber,
) -> Result<(), StanzaError> {
    let row = stored_subscription(&subscriber);
    change(server, account, name, vec![Change::Subscribe(vec![row])]).await?;
    if let Some(node) = service.nodes.get_mut(name) {
        node.subscriptions.retain(|old| old.jid != subscriber.jid);
        node.subscriptions.push(subscriber);
    }
    Ok(())
}

/// Removes subscriptions.
pub(super) async fn unsubscribe(
    server: &Server,
    account: &Account,
    service: &mut Service,
    name: &str,
    gone: &[Jid],
) -> Result<(), StanzaError> {
    let rows = gone.iter().map(|jid| jid.as_str().into()).collect();
    change(server, account, name, vec![Change::Unsubscribe(rows)]).await?;
    if let Some(node) = service.nodes.get_mut(name) {
        node.subscriptions.retain(|old| !gone.contains(&old.jid));
    }
    Ok(())
}

/// Takes somebody out of a node of the shared service; the node goes when nobody else owns it.
pub(super) async fn forget(
    server: &Server,
    account: &Account,
    service: &mut Service,
    name: &str,
    gone: &BareJid,
) -> Result<(), StanzaError> {
    let Some(node) = service.node(name) else { return Ok(()) };
    if service.owners(node).all(|owner| owner == gone) {
        change(server, account, name, vec![Change::Delete]).await?;
        let Some(node) = service.nodes.remove(name) else { return Ok(()) };
        if node.config.notify_delete {
            deliver::tell(server, account, service, &node, Notice::delete(&node, None)).await;
        }
        return Ok(());
    }
    let subscribed = node.subscriptions.iter().filter(|sub| sub.jid.to_bare() == *gone);
    let subscribed: Vec<Jid> = subscribed.map(|sub| sub.jid.clone()).collect();
    unsubscribe(server, account, service, name, &subscribed).await?;
    let none = vec![(gone.as_str().into(), None)];
    let mut changes = vec![Change::Affiliate(none)];
    let Some(node) = service.nodes.get_mut(name) else { return Ok(()) };
    let mut config = node.config.clone();
    if config.host.as_ref() == Some(gone) {
        config.host = None;
        changes.push(Change::Configure(stored_config(&config), node.keep()));
    }
    change(server, account, name, changes).await?;
    node.config = config;
    node.affiliations.retain(|(listed, _)| listed != gone);
    Ok(())
}

/// Makes a node in the store, with those who own it.
pub(super) async fn create(
    server: &Server,
    account: &Account,
    node: &Node,
) -> Result<(), StanzaError> {
    let owners = node.affiliations.iter();
    let owners = owners.map(|(jid, has)| (jid.as_str().into(), Some(has.as_str().into())));
    let mut steps = vec![Change::Create(stored_config(&node.config), store_time(node))];
    steps.push(Change::Affiliate(owners.collect()));
    change(server, account, &node.name, steps).await
}

/// Changes a node in the store.
pub(super) async fn change(
    server: &Server,
    account: &Account,
    node: &str,
    changes: Vec<Change>,
) -> Result<(), StanzaError> {
    let changed = server.store.pubsub.change(account.id, node, changes).await;
    changed.map(|_| ()).map_err(|error| server.store_failed("pubsub change", &error))
}

/// Lets those parts of the server look at a node that keep something else in step with it.
pub(super) async fn after_change(server: &Arc<Server>, account: &Arc<Account>, node: &str) {
    if account.id == store::AccountId::PUBSUB {
        return;
    }
    crate::ext::avatar::node_changed(server, account, node).await;
    crate::ext::bookmarks::node_changed(server, account, node).await;
}

/// What is told about a subscription that changed.
pub(super) fn subscription_notice(node: &Node, subscriber: &Subscriber) -> Notice {
    let entry = subscriber.entry(Some(&node.name)).to_element(ns::PUBSUB_EVENT);
    Notice::subscription(node, &entry)
}

/// The answer to a request for a node whose name the service found.
pub(super) fn created_reply(name: &str) -> Element {
    let create = Element::new("create", ns::PUBSUB).with_attr("node", name);
    Element::new("pubsub", ns::PUBSUB).with_child(create)
}

/// A name for an item or a node that has none: unique for as long as the clock moves on, even
/// across restarts, and within a process in any case.
pub(in crate::ext) fn fresh_name(server: &Server) -> String {
    format!("{:x}-{}", server.now().0, server.fresh_id())
}

fn store_time(node: &Node) -> store::Millis {
    store::Millis(node.created.0)
}

#[cfg(test)]
mod tests {
    use xmpp::time::Millis;

    use super::*;

    fn publication(owners: &[&str], publisher: &str) -> Publication {
        let mut node = Node::new("news", Millis(1));
        let owner = |jid: &&str| (BareJid::new(jid).unwrap(), Affiliation::Owner);
        node.affiliations = owners.iter().map(owner).collect();
        let item = NewItem {
            id: "a".into(),
            named_here: false,
            publisher: Jid::new(publisher).unwrap(),
            payload: Some(vec![b'x'; 1000].into()),
        };
        Publication { node, created: false, items: vec![item] }
    }

    #[test]
    fn whoever_publishes_to_a_node_of_theirs_pays() {
        let config = PubsubConfig { bytes: 100, bytes_per_account: 10, ..PubsubConfig::default() };
        let payer = |owners: &[&str], publisher: &str| {
            let (bytes, share) = shared_quota(&config, &publication(owners, publisher));
            (bytes, share.map(|share| (share.jid, share.quota)))
        };
        let owners = ["a@v.example", "b@v.example"];
        assert_eq!(payer(&owners, "b@v.example/x"), (100, Some(("b@v.example".into(), 10))));
        assert_eq!(payer(&owners, "c@v.example/x"), (100, Some(("a@v.example".into(), 10))));
        assert_eq!(payer(&[], "pubsub.v.example"), (u64::MAX, None), "the server's own node");
    }

    #[test]
    fn what_goes_to_other_servers_is_counted() {
        let mut news = publication(&[], "a@v.example/x");
        let subscriber =
            |jid: &str, state| Subscriber { jid: Jid::new(jid).unwrap(), state, deliver: true };
        news.node.subscriptions = vec![
            subscriber("b@v.example", SubscriptionState::Subscribed),
            subscriber("c@far.example", SubscriptionState::Pending),
        ];
        assert_eq!(foreign_bytes(&news, "v.example"), 0);
        let far = subscriber("d@far.example/x", SubscriptionState::Subscribed);
        news.node.subscriptions.push(far);
        assert!(foreign_bytes(&news, "v.example") > 1000);
        news.node.config.deliver_notifications = false;
        assert_eq!(foreign_bytes(&news, "v.example"), 0);
    }
}
