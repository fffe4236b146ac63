//! What a device gets when it comes online: the last items of the nodes it wants to hear of
//! (XEP-0163 §4.3.4), and for an owner the subscriptions that wait for approval.

use std::sync::Arc;

use store::pubsub::{Query, Select};
use xmpp::{
    error::StanzaError,
    ext::pubsub::{Affiliation, SubscriptionState},
    jid::{BareJid, Jid},
    time::Millis,
};

use super::{
    access::Relation,
    deliver::{Rosters, relation},
    node::{Node, Service},
    notify::{Notice, Told},
    options::{NotificationType, SendLast},
    subscribe::authorization_form,
    telling::{Recipient, What},
};
use crate::{
    account::{Account, Resource},
    ext::{HookFuture, caps::Features},
    server::Server,
    session::{
        Session,
        frame::{Frame, Urgency},
    },
};

/// Sends a device the last items of the nodes that `wanted` names: those of its own account, and
/// of every contact who sees its presence. The work is done behind the device's own stanzas.
pub fn greet(server: &Arc<Server>, session: &Arc<Session>, wanted: Arc<Features>) {
    let (server, session) = (server.clone(), session.clone());
    tokio::spawn(async move {
        let own = session.account.clone();
        let to = Recipient::Device(session);
        send_last_items(&server, &own, to.clone(), &wanted).await;
        let watched = own.lock().roster.subscribers();
        for contact in watched {
            // A contact whose nodes cannot be read is skipped: the failure was counted and logged
            // where it happened, and the device loses nothing but this greeting.
            if let Ok(Some(account)) = server.account(&Jid::from(contact)).await {
                send_last_items(&server, &account, to.clone(), &wanted).await;
            }
        }
    });
}

/// Sends the devices of a contact, who sees the presence of `account` from now on, the last items
/// of its nodes. Without this two people who just became contacts would not know each other's
/// OMEMO devices until one of them logs in anew.
pub fn greet_contact(server: &Arc<Server>, account: &Arc<Account>, contact: &BareJid) {
    if contact.domain().as_str() != server.domain() {
        let devices = account.lock().seen.of(contact).to_vec();
        for device in devices {
            if let Some(wanted) = device.features {
                greet_elsewhere(server, account, &device.jid, wanted);
            }
        }
        return;
    }
    let Some(contact) = server.loaded(contact) else { return };
    let (server, account) = (server.clone(), account.clone());
    tokio::spawn(async move {
        let devices: Vec<_> = {
            let state = contact.lock();
            let known =
                |resource: &Resource| Some((resource.session.clone(), resource.features.clone()?));
            state.resources.iter().filter_map(known).collect()
        };
        for (session, wanted) in devices {
            send_last_items(&server, &account, Recipient::Device(session), &wanted).await;
        }
    });
}

/// The same for one device of a contact at another domain, whose presence the account sees.
pub fn greet_elsewhere(
    server: &Arc<Server>,
    account: &Arc<Account>,
    jid: &Jid,
    wanted: Arc<Features>,
) {
    let (server, account, jid) = (server.clone(), account.clone(), jid.clone());
    tokio::spawn(async move {
        let to = Recipient::Address(jid);
        send_last_items(&server, &account, to, &wanted).await;
    });
}

/// The nodes whose last items somebody is sent who comes online.
fn greeted<'a>(
    service: &'a Service,
    bare: &'a BareJid,
    relation: &'a Relation,
    wanted: &'a Features,
) -> impl Iterator<Item = &'a Node> {
    service.nodes.values().filter(move |node| {
        node.config.send_last == SendLast::OnSubAndPresence
            && node.config.deliver_notifications
            && wanted.wants(&node.name)
            && service.allows(node, bare, relation).is_ok()
    })
}

/// Sends one device the last items of one account's nodes.
async fn send_last_items(
    server: &Arc<Server>,
    account: &Arc<Account>,
    to: Recipient,
    wanted: &Features,
) {
    let bare = to.bare();
    let relation = relation(account, &bare);
    let mut news = false;
    {
        let Ok(service) = account.pubsub.open(server, account).await else { return };
        for node in greeted(&service, &bare, &relation, wanted) {
            news |= account.pubsub.telling.add([to.clone()], What::Last(node.name.clone()));
        }
    }
    // Otherwise somebody does already.
    if news {
        account.pubsub.telling.tell(server, account).await;
    }
}

/// Sends a new subscriber the last item of a node, if it is still one.
pub(super) async fn send_last_item(
    server: Arc<Server>,
    account: Arc<Account>,
    node: Box<str>,
    jid: Jid,
) {
    {
        let Ok(service) = account.pubsub.open(&server, &account).await else { return };
        if service.node(&node).is_none_or(|node| node.subscriber(&jid).is_none()) {
            return;
        }
        account.pubsub.telling.add([Recipient::Address(jid)], What::Last(node));
    }
    account.pubsub.telling.tell(&server, &account).await;
}

/// The last item of a node as somebody is told it now; `None` when there is none, or they may not read it. A
/// failure of the store was counted and logged where it happened.
pub(super) async fn last_for(
    server: &Server,
    account: &Account,
    name: &str,
    to: &Recipient,
) -> Option<Notice> {
    let (owner, node, host) = {
        let service = account.pubsub.open(server, account).await.ok()?;
        let node = service.node(name)?;
        let host = Rosters::asked(&service, node).cloned();
        (service.owner_of(node).clone(), node.without_subscribers(), host)
    };
    let rosters = Rosters::load(server, host).await;
    let notice = last_notice(server, account, &owner, &node).await.ok()??;
    // Nobody gets what was published after they lost access.
    let service = account.pubsub.open(server, account).await.ok()?;
    let bare = to.bare();
    let relation = rosters.relation(account, &bare);
    service.allows(service.node(name)?, &bare, &relation).is_ok().then_some(notice)
}

/// The last item of a node, as it is sent late; `None` when there is none.
///
/// # Errors
/// When the store could not be read.
pub(super) async fn last_notice(
    server: &Server,
    account: &Account,
    owner: &BareJid,
    node: &Node,
) -> Result<Option<Notice>, StanzaError> {
    let query = Query {
        node: node.name.clone(),
        select: Select::Last,
        max: 1,
        max_bytes: u64::MAX,
        horizon: node.horizon(server.now()).map(|at| store::Millis(at.0)),
        ids_only: !node.config.deliver_payloads,
        ..Query::default()
    };
    let page = server.store.pubsub.items(account.id, query).await;
    let page = page.map_err(|error| super::handle::page_failed(server, &error))?;
    Ok(page.items.first().map(|item| {
        let publisher = Jid::new(&item.publisher).ok();
        let told =
            Told { id: &item.id, publisher: publisher.as_ref(), payload: item.payload.as_deref() };
        Notice::last(owner, node, told, Millis(item.published.0))
    }))
}

/// Whether neither side blocks the other, and the device is still there.
pub(super) fn may_tell(account: &Account, session: &Session) -> bool {
    if session.ended() {
        return false;
    }
    let to = Jid::from(session.jid.clone());
    if session.account.jid() == account.jid() {
        return true;
    }
    let from = Jid::from(account.jid().clone());
    !account.lock().blocks.forbids(&to) && !session.account.lock().blocks.refuses(&from)
}

/// Asks an owner who comes online about the subscriptions that wait (XEP-0060 §8.6), at the
/// account's own nodes and at those of the shared service.
pub(super) fn on_presence<'a>(
    server: &'a Arc<Server>,
    session: &'a Arc<Session>,
    first: bool,
) -> HookFuture<'a> {
    Box::pin(async move {
        if !first {
            return;
        }
        let mut places = vec![session.account.clone()];
        if server.config().pubsub.enabled {
            places.push(server.pubsub());
        }
        let mut left = MOST_ASKED;
        for place in places {
            let Ok(service) = place.pubsub.open(server, &place).await else { return };
            for (node, jid) in waiting_for(&service, session.account.jid(), left) {
                ask_session(server, &place, session, &node.name, jid);
                left -= 1;
            }
        }
        send_missed(server, session).await;
    })
}

/// Sends a device that comes online the last items of the nodes of the shared service that its account is
/// subscribed to: what was published while nobody was there.
async fn send_missed(server: &Arc<Server>, session: &Arc<Session>) {
    if !server.config().pubsub.enabled {
        return;
    }
    let place = server.pubsub();
    let mut news = false;
    {
        let Ok(service) = place.pubsub.open(server, &place).await else { return };
        let device = Jid::from(session.jid.clone());
        for node in subscribed(&service, &device).take(MOST_SENT) {
            let to = Recipient::Device(session.clone());
            news |= place.pubsub.telling.add([to], What::Last(node.name.clone()));
        }
    }
    if news {
        // Whoever comes online does not wait for what is being told to others.
        let server = server.clone();
        tokio::spawn(async move { place.pubsub.telling.tell(&server, &place).await });
    }
}

/// The nodes that send their last item to a device, by its own address or that of its account. What was kept
/// for the account comes to the device already.
fn subscribed<'a>(service: &'a Service, device: &'a Jid) -> impl Iterator<Item = &'a Node> {
    let account = device.to_bare();
    let is_meant = move |node: &Node, jid: &Jid| match jid.resource() {
        Some(_) => jid == device,
        None => {
            jid.as_str() == account.as_str()
                && node.config.notification_type != NotificationType::Normal
        }
    };
    service.nodes.values().filter(move |node| {
        let tells = node.config.send_last == SendLast::OnSubAndPresence
            && node.config.deliver_notifications
            && node.config.persist_items;
        tells
            && node.subscriptions.iter().any(|subscriber| {
                subscriber.state == SubscriptionState::Subscribed
                    && subscriber.deliver
                    && is_meant(node, &subscriber.jid)
            })
    })
}

/// The subscriptions that wait for one of the owners, each with its node; at most so many.
fn waiting_for<'a>(
    service: &'a Service,
    owner: &'a BareJid,
    most: usize,
) -> impl Iterator<Item = (&'a Node, &'a Jid)> {
    let owned = service
        .nodes
        .values()
        .filter(move |node| service.affiliation(node, owner) == Affiliation::Owner);
    let waiting = owned.flat_map(|node| {
        let pending = node.subscriptions.iter();
        let pending = pending.filter(|sub| sub.state == SubscriptionState::Pending);
        pending.map(move |sub| (node, &sub.jid))
    });
    waiting.take(most)
}

/// What a device is asked about when it comes online; the rest waits for the next time.
pub(super) const MOST_ASKED: usize = 50;

/// Nodes whose last items a device gets when it comes online.
const MOST_SENT: usize = 100;

/// Asks the devices of owners who have an account here to approve a subscription.
pub(super) fn ask_owners(
    server: &Server,
    account: &Account,
    service: &Service,
    node: &Node,
    jid: &Jid,
) {
    for owner in service.owners(node).filter_map(|owner| server.loaded(owner)) {
        let state = owner.lock();
        for resource in &state.resources {
            if resource.priority().is_some_and(|priority| priority >= 0) {
                ask_session(server, account, &resource.session, &node.name, jid);
            }
        }
    }
}

/// Asks one device of an owner.
pub(super) fn ask_session(
    server: &Server,
    account: &Account,
    session: &Session,
    node: &str,
    jid: &Jid,
) {
    let message = xmpp::xml::Element::new("message", xmpp::ns::CLIENT)
        .with_attr("from", account.bare())
        .with_attr("to", session.full())
        .with_attr("id", server.fresh_id())
        .with_child(authorization_form(node, jid).to_element());
    let frame = Frame::message(message.to_bytes(xmpp::ns::CLIENT));
    session.deliver(frame.with_urgency(Urgency::Hold));
}

#[cfg(test)]
mod tests {
    use super::{super::node::Subscriber, *};

    #[test]
    fn an_owner_is_asked_about_few_at_a_time() {
        let owner = BareJid::new("juliet@capulet.example").unwrap();
        let mut service = Service::new(owner.clone());
        for name in ["a", "b"] {
            let mut node = Node::new(name, Millis(1));
            let subscriber = |n: usize| Subscriber {
                jid: Jid::new(&format!("u{n}@montague.example")).unwrap(),
                state: SubscriptionState::Pending,
                deliver: true,
            };
            node.subscriptions = (0..40).map(subscriber).collect();
            service.nodes.insert(name.into(), node);
        }
        assert_eq!(waiting_for(&service, &owner, MOST_ASKED).count(), MOST_ASKED);
        let other = BareJid::new("nurse@capulet.example").unwrap();
        assert_eq!(waiting_for(&service, &other, MOST_ASKED).count(), 0);
    }

    #[test]
    fn a_device_gets_the_last_items_of_what_its_account_is_subscribed_to() {
        let mut service = Service::new(BareJid::new("pubsub.capulet.example").unwrap());
        let mut node = |name: &str, jid: &str, send_last, deliver| {
            let mut node = Node::new(name, Millis(1));
            node.config.send_last = send_last;
            let (jid, state) = (Jid::new(jid).unwrap(), SubscriptionState::Subscribed);
            node.subscriptions.push(Subscriber { jid, state, deliver });
            service.nodes.insert(name.into(), node);
        };
        let on = SendLast::OnSubAndPresence;
        node("bare", "juliet@capulet.example", on, true);
        node("device", "juliet@capulet.example/balcony", on, true);
        node("other device", "juliet@capulet.example/chamber", on, true);
        node("other person", "juliet@capulet.example.org", on, true);
        node("digest", "juliet@capulet.example", on, false);
        node("on subscription", "juliet@capulet.example", SendLast::OnSub, true);
        node("kept", "juliet@capulet.example", on, true);
        node("kept for no device", "juliet@capulet.example/balcony", on, true);
        for name in ["kept", "kept for no device"] {
            let node = service.nodes.get_mut(name).unwrap();
            node.config.notification_type = NotificationType::Normal;
        }
        let device = Jid::new("juliet@capulet.example/balcony").unwrap();
        let names: Vec<&str> = subscribed(&service, &device).map(|node| &*node.name).collect();
        assert_eq!(names, ["bare", "device", "kept for no device"]);
    }
}
