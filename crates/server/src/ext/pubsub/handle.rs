//! Requests to the pubsub service of an account: examined by the rules, done in the store, told to
//! whom it concerns.

use std::{sync::Arc, time::Instant};

use store::pubsub::{Change, Order, PageError};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        form::{Form, FormType},
        pubsub::{Affiliation, AffiliationEntry, IqType, Request, Subscription, SubscriptionState},
        rsm,
    },
    jid::{BareJid, Jid},
    xml::Element,
};

use super::{
    access::Requester,
    deliver::{self, Rosters, relation},
    greet,
    items::{self, Asked},
    node::{Node, Service, Subscriber},
    notify::Notice,
    options::SendLast,
    owner, service, subscribe, write,
};
use crate::{
    account::Account,
    ext::{IqAnswer, IqContext, IqFuture, budget, pages},
    iq::{Iq, IqKind},
    server::Server,
};

/// One request while it is answered.
pub(super) struct Visit<'a> {
    context: &'a IqContext<'a>,
    pub(super) server: &'a Arc<Server>,
    pub(super) account: &'a Arc<Account>,
    pub(super) jid: Jid,
    pub(super) bare: BareJid,
}

/// Answers `<pubsub/>` of either namespace.
pub(super) fn answer<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let visit = Visit::new(context)?;
        let kind = match iq.kind {
            IqKind::Get => IqType::Get,
            IqKind::Set => IqType::Set,
        };
        let answer = visit.answer(Request::parse(kind, &iq.payload)?).await;
        if iq.kind == IqKind::Set {
            visit.account.pubsub.telling.tell(visit.server, visit.account).await;
        }
        answer
    })
}

impl<'a> Visit<'a> {
    /// Somebody's visit to the account that a request is about. Those whom the account blocks find
    /// nobody (XEP-0191 §3.5).
    pub(super) fn new(context: &'a IqContext<'a>) -> Result<Self, StanzaError> {
        let nobody = || StanzaError::new(Condition::ServiceUnavailable);
        let account = context.account.ok_or_else(nobody)?;
        let (jid, bare) = (context.asker.jid(), context.asker.bare());
        if bare != *account.jid() && account.lock().blocks.refuses(&jid) {
            return Err(nobody());
        }
        Ok(Self { context, server: context.server, account, jid, bare })
    }

    pub(super) fn who(&self) -> Requester<'_> {
        let relation = relation(self.account, &self.bare);
        Requester { jid: &self.jid, bare: &self.bare, relation, may_own: 0 }
    }

    /// The same for somebody who wants to read a node, or to subscribe to it.
    pub(super) async fn reader(&self, service: &Service, name: &str) -> Requester<'_> {
        let rosters = match service.node(name) {
            Some(node) => Rosters::of(self.server, service, node).await,
            None => Rosters::default(),
        };
        Requester { relation: rosters.relation(self.account, &self.bare), ..self.who() }
    }

    /// The same for somebody who may make a node.
    pub(super) async fn maker(&self) -> Result<Requester<'_>, StanzaError> {
        let may_own = match self.shared() {
            true => service::may_own(self.context).await?,
            false => 0,
        };
        Ok(Requester { may_own, ..self.who() })
    }

    /// Whether it is a visit to the service that everybody shares.
    pub(super) fn shared(&self) -> bool {
        self.account.id == store::AccountId::PUBSUB
    }

    async fn answer(&self, request: Request) -> IqAnswer {
        match request {
            Request::Create { node, config } => self.create(node, config.as_ref()).await,
            Request::Publish { node, items, options } => {
                let publication = self.publish(&node, items, options.as_ref()).await?;
                Ok(Some(publication.reply()))
            }
            Request::Retract { node, ids, notify } => self.retract(&node, ids, notify).await,
            Request::Subscribe { node, jid, options } => {
                self.subscribe(&node, &jid, options.as_ref()).await
            }
            Request::Unsubscribe { node, jid } => self.unsubscribe(&node, &jid).await,
            Request::Options { node, jid, form } => self.options(&node, &jid, form.as_ref()).await,
            Request::DefaultOptions { node } => {
                if let Some(node) = &node {
                    self.open().await?.existing(node)?;
                }
                Ok(Some(subscribe::default_options_reply(node.as_deref())))
            }
            Request::Items { node, ids, max, page, order } => {
                let order = order.map(|order| match order.by_creation {
                    true => (Order::Made, order.descending),
                    false => (Order::Modified, order.descending),
                });
                self.items(&node, &Asked { ids, max, page, order }).await
            }
            Request::Subscriptions { node } => {
                let service = self.open().await?;
                Ok(Some(service.own_subscriptions(&self.who(), node.as_deref())))
            }
            Request::Affiliations { node } => {
                let service = self.open().await?;
                Ok(Some(service.own_affiliations(&self.who(), node.as_deref())))
            }
            owner => self.answer_owner(owner).await,
        }
    }

    async fn answer_owner(&self, request: Request) -> IqAnswer {
        match request {
            Request::Configure { node, form } => self.configure(&node, form.as_ref()).await,
            Request::DefaultConfig => {
                let service = self.open().await?;
                Ok(Some(owner::default_configuration_reply(&service)))
            }
            Request::Delete { node, redirect } => self.delete(&node, redirect.as_deref()).await,
            Request::Purge { node } => self.purge(&node).await,
            Request::ManageSubscriptions { node, changes } => {
                self.manage_subscriptions(&node, &changes).await
            }
            Request::ManageAffiliations { node, changes } => {
                self.manage_affiliations(&node, &changes).await
            }
            _ => Err(StanzaError::new(Condition::FeatureNotImplemented)),
        }
    }

    pub(super) async fn open(
        &self,
    ) -> Result<tokio::sync::MappedMutexGuard<'_, Service>, StanzaError> {
        self.account.pubsub.open(self.server, self.account).await
    }

    /// Reads the roster that decides about a node, or that of its host in `any` case, before the nodes are locked
    /// for what needs it: others go on with them meanwhile. It is in memory as long as what is returned. Tells
    /// whether the node is there, as far as that matters.
    pub(super) async fn prepare(
        &self,
        name: &str,
        any: bool,
    ) -> Result<(Rosters, bool), StanzaError> {
        if !self.shared() {
            return Ok((Rosters::default(), false));
        }
        let (host, there) = {
            let service = self.open().await?;
            let node = service.node(name);
            let host = node.and_then(|node| match any {
                true => service.host(node),
                false => Rosters::asked(&service, node),
            });
            (host.cloned(), node.is_some())
        };
        Ok((Rosters::load(self.server, host).await, there))
    }

    async fn create(&self, name: Option<String>, config: Option<&Form>) -> IqAnswer {
        let maker = self.maker().await?;
        let mut service = self.open().await?;
        let given = name.is_some();
        let name = name.unwrap_or_else(|| write::fresh_name(self.server));
        let node = service.creation(&maker, &name, config, self.server.now())?;
        write::create(self.server, self.account, &node).await?;
        service.nodes.insert(node.name.clone(), node);
        // §8.1.1: the name is repeated when the service found it.
        Ok((!given).then(|| write::created_reply(&name)))
    }

    async fn retract(&self, name: &str, ids: Vec<String>, notify: bool) -> IqAnswer {
        let _roster = self.prepare(name, false).await?;
        let service = self.open().await?;
        let node = write::retract(self, &service, name, &ids).await?;
        if notify || node.config.notify_retract {
            let notice = Notice::retract(node, ids.iter().map(String::as_str));
            deliver::tell(self.server, self.account, &service, node, notice).await;
        }
        drop(service);
        write::after_change(self.server, self.account, name).await;
        Ok(None)
    }

    async fn items(&self, name: &str, asked: &Asked) -> IqAnswer {
        let _roster = self.prepare(name, false).await?;
        let service = self.open().await?;
        let who = self.reader(&service, name).await;
        let (node, query) = service.retrieval(&who, name, asked, self.server.now())?;
        let page = self.server.store.pubsub.items(self.account.id, query).await;
        let page = page.map_err(|error| page_failed(self.server, &error))?;
        Ok(Some(items::reply(&service, node, asked, &page)))
    }

    async fn subscribe(&self, name: &str, jid: &Jid, options: Option<&Form>) -> IqAnswer {
        let _roster = self.prepare(name, false).await?;
        let mut service = self.open().await?;
        let who = self.reader(&service, name).await;
        let subscribed = service.subscription(&who, name, jid, options)?;
        let reply = subscribed.reply(name);
        if subscribed.unchanged {
            return Ok(Some(reply));
        }
        let is_new = service.existing(name)?.subscriber(jid).is_none();
        let state = subscribed.subscriber.state;
        write::subscribe(self.server, self.account, &mut service, name, subscribed.subscriber)
            .await?;
        let node = service.existing(name)?;
        match state {
            // An owner who is not asked now is asked at the next login.
            SubscriptionState::Pending if !self.may_ask() => {}
            SubscriptionState::Pending => {
                greet::ask_owners(self.server, self.account, &service, node, jid);
            }
            _ if is_new => self.welcome(&service, node, jid),
            _ => {}
        }
        Ok(Some(reply))
    }

    fn may_ask(&self) -> bool {
        !self.server.config().limits.throttle
            || self.server.budgets.ask(budget::payer(self.server, &self.bare), Instant::now())
    }

    /// §6.1.7 and §12.12: a new subscriber gets the last item, and the owner may hear of it.
    fn welcome(&self, service: &Service, node: &Node, jid: &Jid) {
        if node.config.send_last != SendLast::Never && node.config.persist_items {
            // After the answer, so that the subscriber knows what the item comes from.
            let (server, account) = (self.server.clone(), self.account.clone());
            let last = greet::send_last_item(server, account, node.name.clone(), jid.clone());
            self.context.finally(Box::pin(last));
        }
        if let Some(new) = node.subscriber(jid).filter(|_| node.config.notify_sub) {
            self.tell_owners(service, node, new);
        }
    }

    async fn unsubscribe(&self, name: &str, jid: &Jid) -> IqAnswer {
        let mut service = self.open().await?;
        let subscriber = service.unsubscription(&self.who(), name, jid)?.clone();
        write::unsubscribe(
            self.server,
            self.account,
            &mut service,
            name,
            std::slice::from_ref(jid),
        )
        .await?;
        let node = service.existing(name)?;
        if node.config.notify_sub {
            let gone = Subscriber { state: SubscriptionState::None, ..subscriber };
            self.tell_owners(&service, node, &gone);
        }
        Ok(None)
    }

    fn tell_owners(&self, service: &Service, node: &Node, subscriber: &Subscriber) {
        let notice = write::subscription_notice(node, subscriber);
        let others = service.owners(node).filter(|owner| **owner != self.bare);
        let others: Vec<Jid> = others.map(|owner| Jid::from(owner.clone())).collect();
        deliver::send(self.account, &others, notice);
    }

    async fn options(&self, name: &str, jid: &Jid, form: Option<&Form>) -> IqAnswer {
        let mut service = self.open().await?;
        let mut subscriber = service.options_of(&self.who(), name, jid)?.clone();
        let Some(form) = form else { return Ok(Some(subscribe::options_reply(name, &subscriber))) };
        subscriber.apply(form)?;
        write::subscribe(self.server, self.account, &mut service, name, subscriber).await?;
        Ok(None)
    }

    async fn configure(&self, name: &str, form: Option<&Form>) -> IqAnswer {
        // What is asked for may be another access model.
        let _roster = self.prepare(name, true).await?;
        let mut service = self.open().await?;
        let who = self.who();
        let Some(form) = form else {
            return Ok(Some(owner::configuration_reply(&service, service.owned(name, &who)?)));
        };
        if let Some(config) = service.configuration(&who, name, form)? {
            write::configure(self.server, self.account, &mut service, name, config).await?;
        }
        drop(service);
        write::after_change(self.server, self.account, name).await;
        Ok(None)
    }

    async fn delete(&self, name: &str, redirect: Option<&str>) -> IqAnswer {
        let _roster = self.prepare(name, false).await?;
        let mut service = self.open().await?;
        service.owned(name, &self.who())?;
        if redirect.is_some_and(|uri| uri.len() > LONGEST_REDIRECT) {
            // Every subscriber gets it.
            let text = "The address to look at from now on is too long.";
            return Err(StanzaError::new(Condition::NotAcceptable).with_text(text));
        }
        write::change(self.server, self.account, name, vec![Change::Delete]).await?;
        let Some(node) = service.nodes.remove(name) else { return Ok(None) };
        if node.config.notify_delete {
            let notice = Notice::delete(&node, redirect);
            deliver::tell(self.server, self.account, &service, &node, notice).await;
        }
        drop(service);
        write::after_change(self.server, self.account, name).await;
        Ok(None)
    }

    async fn purge(&self, name: &str) -> IqAnswer {
        let _roster = self.prepare(name, false).await?;
        let service = self.open().await?;
        let node = service.owned(name, &self.who())?;
        if !node.config.persist_items {
            return Err(xmpp::ext::pubsub::PubsubError::Unsupported("persistent-items").into());
        }
        write::change(self.server, self.account, name, vec![Change::Purge]).await?;
        deliver::tell(self.server, self.account, &service, node, Notice::purge(node)).await;
        drop(service);
        write::after_change(self.server, self.account, name).await;
        Ok(None)
    }

    async fn manage_subscriptions(&self, name: &str, entries: &[Subscription]) -> IqAnswer {
        let mut service = self.open().await?;
        let who = self.who();
        if entries.is_empty() {
            return service.all_subscriptions(&who, name).map(Some);
        }
        // People of this server, and those who asked for the owner's presence.
        let agrees = |jid: &Jid| {
            jid.domain().as_str() == self.server.domain()
                || relation(self.account, &jid.to_bare()).presence
        };
        let changes = service.subscription_changes(&who, name, entries, agrees)?;
        budget::may_spread(self.server, &self.bare)?;
        self.pay_for_subscribers(service.existing(name)?, &changes)?;
        let told = write::decide(self.server, self.account, &mut service, name, changes).await?;
        budget::spread(self.server, &self.bare, told);
        Ok(None)
    }

    /// Those who are subscribed without having asked are strangers whom the owner writes to.
    fn pay_for_subscribers(&self, node: &Node, changes: &[Subscriber]) -> Result<(), StanzaError> {
        let unasked = |change: &&Subscriber| {
            change.state == SubscriptionState::Subscribed && node.subscriber(&change.jid).is_none()
        };
        let mut unasked = changes.iter().filter(unasked);
        unasked.try_for_each(|change| {
            budget::may_subscribe(self.server, &self.bare, &change.jid.to_bare())
        })
    }

    async fn manage_affiliations(&self, name: &str, entries: &[AffiliationEntry]) -> IqAnswer {
        let _roster = self.prepare(name, false).await?;
        let mut service = self.open().await?;
        let who = self.who();
        if entries.is_empty() {
            return service.all_affiliations(&who, name).map(Some);
        }
        let changes = service.affiliation_changes(&who, name, entries)?;
        write::affiliate(self.server, self.account, &mut service, name, changes).await?;
        Ok(None)
    }
}

/// The error for somebody whose page of items could not be read.
pub(super) fn page_failed(server: &Server, error: &PageError) -> StanzaError {
    match error {
        // XEP-0059 §2.3.
        PageError::UnknownItem => StanzaError::new(Condition::ItemNotFound),
        PageError::Store(error) => server.store_failed("pubsub items", error),
    }
}

/// disco#items for an account, or for one of its nodes.
pub(super) async fn node_items(context: &IqContext<'_>, query: &Element) -> IqAnswer {
    let visit = Visit::new(context)?;
    let _roster = visit.prepare(query.attr("node").unwrap_or_default(), false).await?;
    let service = visit.open().await?;
    let page = rsm::Request::child_of(query);
    let asked = page.as_ref();
    let room = pages::room(&visit.server.config());
    let Some(name) = query.attr("node") else {
        return Ok(Some(service.discover_nodes(&visit.who(), asked, room).to_element()));
    };
    let who = visit.reader(&service, name).await;
    let wanted = Asked { page: page.clone(), ..Asked::default() };
    let (node, mut query) = service.retrieval(&who, name, &wanted, visit.server.now())?;
    query.ids_only = true;
    let page = visit.server.store.pubsub.items(visit.account.id, query).await;
    let page = page.map_err(|error| page_failed(visit.server, &error))?;
    Ok(Some(service.discover_items(node, &page, asked, room).to_element()))
}

/// disco#info for a node of an account.
pub(super) async fn node_info(context: &IqContext<'_>, node: &str) -> IqAnswer {
    let visit = Visit::new(context)?;
    let _roster = visit.prepare(node, false).await?;
    let service = visit.open().await?;
    let who = visit.reader(&service, node).await;
    Ok(Some(service.describe_node(&who, node)?.to_element()))
}

/// An owner's answer to a request for approval (XEP-0060 §8.6).
pub(super) async fn decide(server: Arc<Server>, account: Arc<Account>, owner: BareJid, form: Form) {
    debug_assert!(form.kind != FormType::Form, "the server asks, owners answer");
    let Some(decision) = subscribe::Decision::parse(&form) else { return };
    let Ok(mut service) = account.pubsub.open(&server, &account).await else { return };
    let Some(node) = service.node(&decision.node) else { return };
    if service.affiliation(node, &owner) != Affiliation::Owner {
        return;
    }
    let waiting = node.subscriber(&decision.jid);
    let Some(waiting) = waiting.filter(|sub| sub.state == SubscriptionState::Pending) else {
        return;
    };
    let state = match decision.allow {
        true => SubscriptionState::Subscribed,
        false => SubscriptionState::None,
    };
    let change = Subscriber { state, ..waiting.clone() };
    // A failure was counted and logged where it happened; the request goes on waiting, and the
    // owner is asked again at the next login.
    let _ = write::decide(&server, &account, &mut service, &decision.node, vec![change]).await;
    drop(service);
    account.pubsub.telling.tell(&server, &account).await;
}

/// Bytes of the address that a deleted node leaves to its subscribers.
const LONGEST_REDIRECT: usize = 2048;

/// The payload of an item, for the parts of the server that read an account's own nodes.
pub(super) fn parse_payload(payload: &[u8]) -> Option<Element> {
    Element::parse(payload, &xmpp::xml::Limits::SERVER).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;
    use xmpp::{ns, time::Millis};

    use super::{
        super::options::{AccessModel, PublishModel},
        *,
    };
    use crate::{ext::Asker, model::Stage};

    #[test]
    fn others_go_on_with_the_nodes_while_a_roster_is_read() {
        let stage = Stage::new();
        let (server, place) = (&stage.server, stage.server.pubsub());
        let juliet = BareJid::new("juliet@a.example").unwrap();
        stage.run(async {
            {
                let mut service = place.pubsub.open(server, &place).await.unwrap();
                let mut node = service.blank("news", Millis(1));
                node.config.access = AccessModel::Roster;
                node.config.publish = PublishModel::Open;
                node.config.host = Some(juliet.clone());
                node.affiliations.push((juliet.clone(), Affiliation::Owner));
                write::create(server, &place, &node).await.unwrap();
                service.nodes.insert("news".into(), node);
            }
            assert!(server.loaded(&juliet).is_none(), "it has to be read");
            let slow = server.accounts.hold("juliet").await;
            let romeo = Jid::new("romeo@b.example/orchard").unwrap();
            let context = IqContext::new(server, Asker::Remote(&romeo), Some(&place));
            let item = xmpp::ext::pubsub::Item::new("a").with_payload(Element::new("x", "urn:x"));
            let publish = Element::new("publish", ns::PUBSUB)
                .with_attr("node", "news")
                .with_child(item.to_element(ns::PUBSUB));
            let payload = Element::new("pubsub", ns::PUBSUB).with_child(publish);
            let iq = Iq { kind: IqKind::Set, id: "p".into(), to: None, payload };
            let mut publishing = answer(&context, &iq);
            let others = async {
                // More turns than a publication takes that waits for nobody.
                for _ in 0..50 {
                    server.store.archive.barrier().await.unwrap();
                }
                let open = timeout(Duration::from_secs(60), place.pubsub.open(server, &place));
                drop(open.await.expect("nobody holds the nodes").unwrap());
            };
            tokio::select! {
                biased;
                _ = &mut publishing => panic!("it needs the roster"),
                () = others => {}
            }
            drop(slow);
            assert!(publishing.await.is_ok());
        });
    }
}
