//! Bringing notifications to the devices of local accounts, and to other servers.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use store::archive::Unit;
use xmpp::{
    jid::{BareJid, Jid},
    stanza::Kind,
};

use super::{
    access::Relation,
    node::{Node, Service},
    notify::{Interest, Notice, Watcher},
    options::AccessModel,
    telling::{Recipient, What},
};
use crate::{
    account::{Account, AccountState},
    ext::{caps::Features, offline},
    s2s::{Durable, policy},
    server::Server,
    session::{
        Session,
        frame::{Frame, Urgency},
    },
};

impl Interest for Arc<Features> {
    fn wants(&self, node: &str) -> bool {
        Features::wants(self, node)
    }
}

/// Whose roster decides about a node of the shared service, where they have an account here (XEP-0060
/// §4.5). For nodes of an account it is the account's own.
#[derive(Default)]
pub(super) struct Rosters(Option<Arc<Account>>);

impl Rosters {
    /// That of a node. Awaits only for the access models that ask for a roster.
    pub(super) async fn of(server: &Server, service: &Service, node: &Node) -> Rosters {
        Rosters::load(server, Rosters::asked(service, node).cloned()).await
    }

    /// The one whose roster has to be read for that.
    pub(super) fn asked<'a>(service: &'a Service, node: &'a Node) -> Option<&'a BareJid> {
        let asks = matches!(node.config.access, AccessModel::Presence | AccessModel::Roster);
        service.host(node).filter(|_| service.shared && asks)
    }

    /// That of somebody. One that cannot be read lets nobody in.
    pub(super) async fn load(server: &Server, host: Option<BareJid>) -> Rosters {
        let Some(host) = host else { return Rosters::default() };
        // The failure was counted and logged where it happened.
        Rosters(server.account(&host.into()).await.ok().flatten())
    }

    /// How the node's host stands to somebody.
    #[must_use]
    pub(super) fn relation(&self, account: &Account, bare: &BareJid) -> Relation {
        let mut all = relation(account, bare);
        if let Some(one) = self.0.as_ref().map(|host| relation(host, bare)) {
            // A group counts for those who see the host's presence.
            all.groups.extend(one.groups.into_iter().filter(|_| one.presence));
            all.presence |= one.presence;
        }
        all
    }
}

/// Everybody whom an event at `node` concerns is to be told.
pub(super) async fn tell(
    server: &Server,
    account: &Account,
    service: &Service,
    node: &Node,
    notice: Notice,
) {
    send(account, &audience(server, account, service, node).await, notice);
}

/// The addresses that are told about an event at `node`.
pub(super) async fn audience(
    server: &Server,
    account: &Account,
    service: &Service,
    node: &Node,
) -> BTreeSet<Jid> {
    let rosters = Rosters::of(server, service, node).await;
    let watchers = watchers(server, account);
    service.audience(node, &watchers, |bare| rosters.relation(account, bare))
}

/// A notice is to be told to each of these addresses.
pub(super) fn send<'a>(
    account: &Account,
    audience: impl IntoIterator<Item = &'a Jid>,
    notice: Notice,
) {
    let to = audience.into_iter().cloned().map(Recipient::Address);
    account.pubsub.telling.add(to, What::Notice(notice));
}

/// Sends a notice to one address: to that device, or to every device that takes messages to the
/// bare address (RFC 6121 §8.5.2.1.1). Somebody of this server who is not there gets it later, unless it is a
/// headline, which is for those who are (§8.5.2.2.1): with their presence they get the last item. Nobody is told
/// who blocks or is blocked (XEP-0163 §4.3.3).
pub(super) async fn send_to(server: &Server, account: &Account, jid: &Jid, notice: &Notice) {
    let own = Jid::from(account.jid().clone());
    if jid.to_bare() != *account.jid() && account.lock().blocks.forbids(jid) {
        return;
    }
    let bytes = || notice.message(account.bare(), jid.as_str(), &server.fresh_id());
    let local = jid.domain().as_str() == server.domain();
    let waits = jid.resource().is_none() && !(local && notice.is_headline());
    // What is written down slows whoever tells many, and none of it is refused.
    if let Some(room) = server.store.archive.room().filter(|_| waits) {
        // When the store fails, what comes next says so.
        let _ = room.await;
    }
    if !local {
        return send_elsewhere(server, account, jid, bytes());
    }
    let target = match server.loaded(&jid.to_bare()) {
        // One that cannot be read was counted and logged where it happened.
        None if waits => server.account(jid).await.ok().flatten(),
        found => found,
    };
    let Some(target) = target else { return };
    let mut state = target.lock();
    if state.blocks.refuses(&own) {
        return;
    }
    let there = sessions(&state, jid);
    let there: Vec<Arc<Session>> = there.into_iter().cloned().collect();
    // A device that is there may not come back to take it: it waits until one has it.
    let keep = || offline::keep(server, &target, &mut state, account.jid(), bytes());
    let kept = waits.then(keep).flatten();
    let flushing = state.archive.flushing.as_ref().map(|flushing| flushing.session);
    for session in &there {
        // A device that is being given offline messages gets this one behind them, from the queue.
        if kept.is_some() && flushing == Some(session.number) {
            continue;
        }
        let mut frame = frame(server, account, session, notice);
        frame.archived = kept;
        frame.pending = kept.is_some();
        session.deliver(frame);
    }
}

/// To another server. What is for a person waits until that server has it, and a headline does as well: who is
/// there only that server knows, and no presence would tell when to send the last item again. What is for a
/// device is worth nothing when the device is gone.
fn send_elsewhere(server: &Server, account: &Account, jid: &Jid, bytes: Bytes) {
    let (local, kind) = (account.jid().domain().as_str(), Kind::Message);
    if jid.resource().is_some() {
        return server.s2s.post(server, local, jid, kind, bytes);
    }
    if policy::permits(&server.config(), jid.domain().as_str()).is_err() {
        return;
    }
    let letter = Durable { local, to: jid, kind, bytes, account: None };
    if let Err(unsent) = server.s2s.send(server, letter, Unit::new(), None) {
        tracing::debug!(to = jid.domain().as_str(), %unsent, "a notification was not sent");
    }
}

/// Sends a notice to one device.
pub(super) fn hand_over(server: &Server, account: &Account, session: &Session, notice: &Notice) {
    session.deliver(frame(server, account, session, notice));
}

fn frame(server: &Server, account: &Account, session: &Session, notice: &Notice) -> Frame {
    let bytes = notice.message(account.bare(), session.full(), &server.fresh_id());
    Frame::message(bytes).with_urgency(Urgency::Hold)
}

fn sessions<'a>(state: &'a AccountState, jid: &Jid) -> Vec<&'a Arc<Session>> {
    let meant = |resource: &&'a crate::account::Resource| match jid.resource() {
        Some(name) => resource.session.resource() == name.as_str(),
        None => resource.priority().is_some_and(|priority| priority >= 0),
    };
    state.resources.iter().filter(meant).map(|resource| &resource.session).collect()
}

/// What the owner's roster says about somebody.
#[must_use]
pub(super) fn relation(account: &Account, bare: &BareJid) -> Relation {
    let state = account.lock();
    let contact = state.roster.contact(bare);
    contact.map_or_else(Relation::default, |contact| Relation {
        presence: contact.standing.from,
        groups: contact.groups.clone(),
    })
}

/// The account's own devices, and those of the contacts whose presence it sees.
fn watchers(server: &Server, account: &Account) -> Vec<Watcher<Arc<Features>>> {
    let (own, seen) = {
        let state = account.lock();
        (interested(&state), state.roster.subscribed_to())
    };
    let mut watchers = vec![Watcher {
        bare: account.jid().clone(),
        relation: Relation::default(),
        resources: own,
    }];
    for bare in seen {
        if bare.domain().as_str() != server.domain() {
            let resources = elsewhere(account, &bare);
            if !resources.is_empty() {
                let relation = relation(account, &bare);
                watchers.push(Watcher { bare, relation, resources });
            }
            continue;
        }
        let Some(contact) = server.loaded(&bare) else { continue };
        let resources = {
            let state = contact.lock();
            // The contact's roster has the last word on who sees its presence.
            if !state.roster.shows_presence_to(account.jid()) {
                continue;
            }
            interested(&state)
        };
        if !resources.is_empty() {
            let relation = relation(account, &bare);
            watchers.push(Watcher { bare, relation, resources });
        }
    }
    watchers
}

/// The devices of a contact at another domain with what their clients want.
fn elsewhere(account: &Account, contact: &BareJid) -> Vec<(Jid, Arc<Features>)> {
    let state = account.lock();
    let devices = state.seen.of(contact).iter();
    devices.filter_map(|device| Some((device.jid.clone(), device.features.clone()?))).collect()
}

/// The available resources of an account with what their clients want.
fn interested(state: &AccountState) -> Vec<(Jid, Arc<Features>)> {
    let available = state.resources.iter().filter(|resource| resource.available.is_some());
    let known = available.filter_map(|resource| {
        let features = resource.features.clone()?;
        Some((Jid::from(resource.session.jid.clone()), features))
    });
    known.collect()
}
