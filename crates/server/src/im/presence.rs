//! Presence: RFC 6121 §4.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use bytes::Bytes;
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    xml::Element,
};

use super::{requests, subscription::Change};
use crate::{
    account::{Account, AccountState},
    ext::{
        avatar::{self, Reader},
        budget, muc, privilege, unified_push,
    },
    router::resolve::{Target, resolve},
    s2s::policy,
    server::Server,
    session::{
        Session,
        frame::{Frame, Urgency},
    },
};

/// The presence an available resource broadcast last.
#[derive(Clone, Debug)]
pub struct Available {
    /// The stanza, with the full address of the resource in `from`.
    pub stanza: Stanza,
    /// RFC 6121 §4.7.2.3: negative means that it takes no messages sent to the bare address.
    pub priority: i8,
}

/// Directed presence that one session may have outstanding.
const MAX_DIRECTED: usize = 512;

/// Routes a presence stanza that a client sent.
pub async fn route(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza) {
    let kind = stanza.type_();
    let to = match stanza.to().map(|to| Jid::new(&to)).transpose() {
        Ok(to) => to,
        Err(_) => return refuse(session, stanza, Condition::JidMalformed),
    };
    match (kind.as_deref(), to) {
        (None, None) => available(server, session, stanza).await,
        (Some("unavailable"), None) => unavailable(server, session, Some(stanza)).await,
        (None | Some("unavailable"), Some(to)) => directed(server, session, stanza, &to).await,
        (Some("probe"), Some(to)) => probe_contact(server, session, &to.to_bare()),
        (Some("error"), Some(to)) => pass_on(server, session, stanza, &to).await,
        (Some(kind), to) => match (Change::parse(kind), to) {
            (Some(change), Some(to)) => {
                super::subscribing::client_change(server, session, stanza, change, &to.to_bare())
                    .await;
            }
            _ => refuse(session, stanza, Condition::BadRequest),
        },
    }
}

/// The resource became available, or changed its presence.
async fn available(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza) {
    let Some(priority) = priority(stanza) else {
        return refuse(session, stanza, Condition::BadRequest);
    };
    if let Err(error) = budget::may_spread(server, session.account.jid()) {
        return session.deliver(Frame::presence(error_reply(session, stanza, &error)));
    }
    let stanza = stamped(session, stanza);
    let stanza = avatar::stamp(server, session, stanza, Reader::Subscribers).await;
    let account = &session.account;
    let (first, took_messages, waiting) = {
        let mut state = account.lock();
        let Some(resource) = state.resource(session) else { return };
        let now = Available { stanza: stanza.clone(), priority };
        let before = resource.available.replace(now);
        let (first, took) = (before.is_none(), before.is_some_and(|old| old.priority >= 0));
        let waiting = if first { requests::waiting(&state) } else { Vec::new() };
        if priority >= 0 && !took {
            let hooks = crate::ext::ALL.iter().filter_map(|it| it.session.takes_messages);
            hooks.for_each(|hook| hook(&mut state, session));
        }
        session.link().stop_awaiting();
        (first, took, waiting)
    };
    broadcast(server, account, &stanza);
    if first {
        privilege::show(server, &stanza);
        own_resources(session);
        probe_contacts(server, session);
        requests::hand_over(session, waiting);
    }
    for extension in crate::ext::ALL {
        if let Some(hook) = extension.session.presence {
            hook(server, session, first).await;
        }
    }
    if priority >= 0 && !took_messages {
        for extension in crate::ext::ALL {
            if let Some(hook) = extension.session.available {
                hook(server, session).await;
            }
        }
    }
}

/// The resource is gone: its client said so with `stanza`, or its session ended.
pub async fn unavailable(server: &Arc<Server>, session: &Arc<Session>, stanza: Option<&Stanza>) {
    let stanza = match stanza {
        Some(stanza) => stamped(session, stanza),
        None => match farewell(session) {
            Some(stanza) => stanza,
            None => return,
        },
    };
    let account = &session.account;
    let (was_available, directed) = {
        let mut state = account.lock();
        let Some(resource) = state.resource(session) else { return };
        (resource.available.take().is_some(), std::mem::take(&mut resource.directed))
    };
    if was_available {
        forget_elsewhere(account);
        broadcast(server, account, &stanza);
        privilege::show(server, &stanza);
        // RFC 6121 §4.5.2: the resource itself learns that it is unavailable, too.
        session.deliver(Frame::presence(addressed(&stanza, account.bare())));
    }
    for to in directed {
        deliver_directed(server, session, &stanza, &to).await;
    }
}

/// When nobody looks any more, what is known of contacts at other domains goes out of date.
fn forget_elsewhere(account: &Account) {
    let mut state = account.lock();
    if state.resources.iter().all(|resource| resource.available.is_none()) {
        state.seen.clear();
    }
}

/// Sends a presence of `account` to everybody who sees it: subscribers and own other resources.
pub fn broadcast(server: &Server, account: &Arc<Account>, stanza: &Stanza) {
    let contacts = {
        let state = account.lock();
        let bytes = addressed(stanza, account.bare());
        for resource in state.resources.iter().filter(|r| r.available.is_some()) {
            resource.session.deliver(frame(bytes.clone(), stanza));
        }
        visible_to(&state)
    };
    budget::spread(server, account.jid(), (contacts.len() * stanza.bytes().len()) as u64);
    for contact in contacts {
        deliver_to_account(server, account.jid(), &contact, stanza);
    }
}

/// Tells one contact about all available resources of `account`: after an approval, or when a
/// block is lifted.
pub fn show_to(server: &Server, account: &Arc<Account>, contact: &BareJid) {
    // Not in the head of the loop: the lock would be held while the contact's is taken.
    let stanzas = presences(&account.lock());
    for stanza in stanzas {
        deliver_to_account(server, account.jid(), contact, &stanza);
    }
}

/// Tells one contact that all resources of `account` are gone: after a cancellation or a block.
pub fn hide_from(server: &Server, account: &Arc<Account>, contact: &BareJid) {
    let sessions: Vec<_> = {
        let state = account.lock();
        let available = state.resources.iter().filter(|r| r.available.is_some());
        available.map(|r| r.session.clone()).collect()
    };
    for stanza in sessions.iter().filter_map(|session| farewell(session)) {
        deliver_to_account(server, account.jid(), contact, &stanza);
    }
}

/// The presence stanzas of all available resources.
#[must_use]
pub fn presences(state: &AccountState) -> Vec<Stanza> {
    let available = state.resources.iter().filter_map(|resource| resource.available.as_ref());
    available.map(|presence| presence.stanza.clone()).collect()
}

/// Queues a presence for every available resource of a local account, unless it blocks the sender,
/// or sends it to another domain.
pub fn deliver_to_account(server: &Server, sender: &BareJid, to: &BareJid, stanza: &Stanza) {
    if to.domain().as_str() != server.domain() {
        let bytes = addressed(stanza, to.as_str());
        let local = sender.domain().as_str();
        return server.s2s.post(server, local, &to.clone().into(), Kind::Presence, bytes);
    }
    let Some(account) = server.loaded(to) else { return };
    let bytes = addressed(stanza, account.bare());
    let state = account.lock();
    if state.blocks.refuses(&Jid::from(sender.clone())) {
        return;
    }
    for resource in state.resources.iter().filter(|r| r.available.is_some()) {
        resource.session.deliver(frame(bytes.clone(), stanza));
    }
}

/// RFC 6121 §4.6: presence to somebody in particular.
async fn directed(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza, to: &Jid) {
    let mut stanza = stamped(session, stanza);
    let leaving = stanza.type_().is_some();
    if to.domain().as_str() != server.domain()
        && !is_room(server, to)
        && let Err(error) = policy::lets_send(server, session.account.jid(), to.domain().as_str())
    {
        return session.deliver(Frame::presence(error_reply(session, &stanza, &error)));
    }
    if !leaving {
        stanza = avatar::stamp(server, session, stanza, Reader::Anybody).await;
    }
    {
        let mut state = session.account.lock();
        if state.blocks.forbids(to) {
            drop(state);
            let error = crate::ext::blocking::blocked_error();
            return session.deliver(Frame::presence(error_reply(session, &stanza, &error)));
        }
        let Some(resource) = state.resource(session) else { return };
        resource.directed.retain(|old| old != to);
        if !leaving {
            if resource.directed.len() >= MAX_DIRECTED {
                drop(state);
                return refuse(session, &stanza, Condition::ResourceConstraint);
            }
            resource.directed.push(to.clone());
        }
    }
    deliver_directed(server, session, &stanza, to).await;
}

/// Whether an address is that of a room, or of the service for them.
fn is_room(server: &Server, to: &Jid) -> bool {
    let config = server.config();
    config.rooms.enabled && config.rooms.is_at(to.domain().as_str(), server.domain())
}

async fn deliver_directed(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza, to: &Jid) {
    let sender = &session.account;
    let bytes = addressed(stanza, to.as_str());
    let account = match resolve(server, to).await {
        Ok(Target::Account(account)) => account,
        Ok(Target::Remote) => {
            let local = sender.jid().domain().as_str();
            return server.s2s.post(server, local, to, Kind::Presence, bytes);
        }
        Ok(Target::Rooms) => {
            let from = session.jid.clone().into();
            let sender =
                muc::service::Sender { session: Some(session), ..muc::service::Sender::new(&from) };
            // As it was written: a room says when it calls somebody otherwise.
            let written = stanza.to();
            let bytes = addressed(stanza, written.as_deref().unwrap_or(to.as_str()));
            let stanza = reread(stanza, bytes);
            return Box::pin(muc::service::receive(server, sender, to, &stanza)).await;
        }
        // A client that takes notifications for others says so that it is there.
        Ok(Target::Server) if stanza.type_().is_none() => {
            return unified_push::greeted(server, session);
        }
        _ => return,
    };
    let state = account.lock();
    if state.blocks.refuses(&Jid::from(sender.jid().clone())) {
        return;
    }
    for resource in &state.resources {
        let meant = match to.resource() {
            Some(only) => resource.session.resource() == only.as_str(),
            None => resource.available.is_some(),
        };
        if meant {
            resource.session.deliver(frame(bytes.clone(), stanza));
        }
    }
}

/// Tells a new resource about the account's other resources.
fn own_resources(session: &Arc<Session>) {
    let state = session.account.lock();
    let others = state.resources.iter().filter(|r| r.session.number != session.number);
    for presence in others.filter_map(|resource| resource.available.as_ref()) {
        let bytes = addressed(&presence.stanza, session.full());
        session.deliver(frame(bytes, &presence.stanza));
    }
}

/// RFC 6121 §4.3: asks for the presence of everybody the account is subscribed to. Contacts on
/// this server are asked by looking, not by sending.
fn probe_contacts(server: &Arc<Server>, session: &Arc<Session>) {
    let contacts = session.account.lock().roster.subscribed_to();
    for contact in contacts {
        probe_contact(server, session, &contact);
    }
}

fn probe_contact(server: &Arc<Server>, session: &Arc<Session>, contact: &BareJid) {
    if contact.domain().as_str() != server.domain() {
        return probe_elsewhere(server, session.full(), contact);
    }
    let Some(account) = server.loaded(contact) else { return };
    let me = session.account.jid();
    let state = account.lock();
    let seen = state.roster.shows_presence_to(me) || account.jid() == me;
    if !seen || state.blocks.forbids(&Jid::from(me.clone())) {
        return;
    }
    for stanza in presences(&state) {
        session.deliver(frame(addressed(&stanza, session.full()), &stanza));
    }
}

/// Asks the server of a contact for its presence (RFC 6121 §4.3.1).
pub fn probe_elsewhere(server: &Server, from: &str, contact: &BareJid) {
    let probe = Element::new("presence", ns::CLIENT)
        .with_attr("type", "probe")
        .with_attr("from", from)
        .with_attr("to", contact.as_str());
    let (to, bytes) = (contact.clone().into(), probe.to_bytes(ns::CLIENT));
    server.s2s.post(server, server.domain(), &to, Kind::Presence, bytes);
}

/// A presence error, from one client to another.
async fn pass_on(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza, to: &Jid) {
    let stanza = stamped(session, stanza);
    if to.resource().is_some() {
        deliver_directed(server, session, &stanza, to).await;
    }
}

fn visible_to(state: &AccountState) -> Vec<BareJid> {
    let mut contacts = state.roster.subscribers();
    contacts.retain(|contact| !state.blocks.forbids(&Jid::from(contact.clone())));
    contacts
}

fn priority(stanza: &Stanza) -> Option<i8> {
    match stanza.child("priority", ns::CLIENT) {
        None => Some(0),
        Some(child) => child.text().trim().parse().ok(),
    }
}

/// The stanza with the true sender and without recipient.
fn stamped(session: &Session, stanza: &Stanza) -> Stanza {
    reread(stanza, Edit::new(stanza).from(session.full()).finish())
}

fn addressed(stanza: &Stanza, to: &str) -> Bytes {
    Edit::new(stanza).to(to).finish()
}

/// What the server says for a resource that went without a word.
fn farewell(session: &Session) -> Option<Stanza> {
    let presence = Element::new("presence", ns::CLIENT)
        .with_attr("from", session.full())
        .with_attr("type", "unavailable");
    Stanza::parse(presence.to_bytes(ns::CLIENT), &xmpp::xml::Limits::CLIENT).ok()
}

/// Indexes what was just written; our own output always parses.
fn reread(original: &Stanza, bytes: Bytes) -> Stanza {
    Stanza::parse(bytes, &xmpp::xml::Limits::SERVER).unwrap_or_else(|_| {
        debug_assert!(false, "the writer produced XML that the reader refuses");
        original.clone()
    })
}

/// Presence can wait while a phone sleeps; of each contact's resource only the last one counts.
#[must_use]
pub fn frame(bytes: Bytes, stanza: &Stanza) -> Frame {
    let urgency = match stanza.type_().as_deref() {
        None | Some("unavailable") => {
            let mut hasher = DefaultHasher::new();
            stanza.from().hash(&mut hasher);
            Urgency::Latest(hasher.finish())
        }
        _ => Urgency::Now,
    };
    Frame::presence(bytes).with_urgency(urgency)
}

fn refuse(session: &Session, stanza: &Stanza, condition: Condition) {
    let error = StanzaError::new(condition);
    session.deliver(Frame::presence(error_reply(session, stanza, &error)));
}

fn error_reply(session: &Session, stanza: &Stanza, error: &StanzaError) -> Bytes {
    let mut presence = Element::new("presence", ns::CLIENT)
        .with_attr("type", "error")
        .with_attr_opt("id", stanza.id())
        .with_attr_opt("from", stanza.to())
        .with_attr("to", session.full());
    presence.push(error.element());
    presence.to_bytes(ns::CLIENT)
}
