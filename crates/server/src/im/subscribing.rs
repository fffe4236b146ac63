//! Subscription stanzas on their way: RFC 6121 §3.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use store::archive::Unit;
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    jid::BareJid,
    ns,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use super::{
    invited, presence, requests,
    roster::put,
    subscription::{Change, Standing},
};
use crate::{
    account::Account,
    ext::{moved, pubsub},
    push::Reason,
    s2s::{Durable, Unsent, policy},
    server::Server,
    session::{Session, frame::Frame},
};

/// A client sends a subscription stanza (RFC 6121 §3, outbound).
pub async fn client_change(
    server: &Arc<Server>,
    session: &Arc<Session>,
    stanza: &Stanza,
    change: Change,
    to: &BareJid,
) {
    let account = &session.account;
    if account.jid() == to {
        return;
    }
    if let Err(error) = send(server, account, stanza, change, to).await {
        let reply = Edit::new(stanza)
            .attr("type", Some("error"))
            .from(to.as_str())
            .to(session.full())
            .drop_if(|_| true)
            .append(error.element().to_bytes(ns::CLIENT))
            .finish();
        session.deliver(Frame::presence(reply));
    }
}

/// Carries out an account's own subscription stanza: its roster first, then the contact's.
///
/// # Errors
/// When the roster is full, the contact is blocked, too many were asked, or the store failed.
pub async fn send(
    server: &Arc<Server>,
    account: &Arc<Account>,
    stanza: &Stanza,
    change: Change,
    to: &BareJid,
) -> Result<(), StanzaError> {
    if account.lock().blocks.forbids(&to.clone().into()) {
        return Err(crate::ext::blocking::blocked_error());
    }
    if to.domain().as_str() != server.domain() && wants_answer(change) {
        policy::lets_send(server, account.jid(), to.domain().as_str())?;
    }
    let (route, before) = {
        let _gate = account.roster_gate.lock().await;
        let mut contact = account.lock().roster.contact(to).cloned().unwrap_or_default();
        let full = account.lock().roster.len() >= server.max_contacts();
        if contact.vacant() && full {
            return Err(StanzaError::new(Condition::ResourceConstraint));
        }
        let before = contact.standing;
        let known = before.to || before.from || before.pending_out;
        if change == Change::Subscribe && !known {
            requests::may_ask(server, account)?;
        }
        let sent = before.send(change);
        contact.standing = sent.standing;
        contact.request = contact.request.filter(|_| sent.standing.pending_in);
        // A subscription in either direction, or the wish for one, makes a roster item (§3.1.2).
        let Standing { to: sees, from: seen, pending_out, approved, .. } = sent.standing;
        contact.listed |= sees || seen || pending_out || approved;
        put(server, account, to, contact).await?;
        (sent.route, before)
    };
    if route {
        // §3.1.2: subscription stanzas come from the bare address.
        let stamped = Edit::new(stanza).from(account.bare()).to(to.as_str()).finish();
        receive(server, account.jid(), to, stamped, change).await;
    }
    match change {
        Change::Subscribed if route => introduce(server, account, to),
        Change::Unsubscribed if before.from => presence::hide_from(server, account, to),
        _ => {}
    }
    Ok(())
}

/// Whether a change makes no sense when it cannot reach the other side. The others end something,
/// and are carried out here in any case.
fn wants_answer(change: Change) -> bool {
    matches!(change, Change::Subscribe | Change::Subscribed)
}

/// A subscription stanza reaches its recipient (RFC 6121 §3, inbound), or the outbox for another
/// domain.
pub async fn receive(
    server: &Arc<Server>,
    from: &BareJid,
    to: &BareJid,
    stanza: Bytes,
    change: Change,
) {
    if to.domain().as_str() != server.domain() {
        return send_elsewhere(server, from, to, stanza);
    }
    let account = match server.account(&to.clone().into()).await {
        Ok(Some(account)) => account,
        // §3.1.3: a request to an address that does not exist is answered like a refusal.
        Ok(None) if change == Change::Subscribe => {
            return Box::pin(answer(server, to, from, Change::Unsubscribed)).await;
        }
        Ok(None) => return,
        Err(error) => {
            server.store_failed("subscription", &error);
            return;
        }
    };
    if account.lock().blocks.refuses(&from.clone().into()) {
        return;
    }
    let invited = change == Change::Subscribe && invited::shown(server, &account, &stanza).await;
    if invited {
        // XEP-0379 §4: who shows the invitation is a contact, in both directions.
        return invited::welcome(server, &account, from).await;
    }
    if change == Change::Subscribe
        && let Some(old) = moved::claimed(&account, from, &stanza)
        && let Some(check) = moved::Check::begin(&account, &old)
    {
        // Another server may be asked, whose answer comes the way that this request came.
        let verified = verify(server.clone(), account, old, from.clone(), stanza);
        tokio::spawn(async move {
            let _check = check;
            verified.await;
        });
        return;
    }
    arrive(server, &account, from, stanza, change).await;
}

/// A subscription stanza is for somebody who is here.
async fn arrive(
    server: &Arc<Server>,
    account: &Arc<Account>,
    from: &BareJid,
    mut stanza: Bytes,
    change: Change,
) {
    if change == Change::Subscribe {
        let Some(kept) = requests::kept(&stanza) else { return };
        stanza = kept;
    }
    let Some((deliver, approve, before)) =
        apply(server, account, from, stanza.clone(), change).await
    else {
        return;
    };
    if deliver {
        let state = account.lock();
        let interested = state.resources.iter().filter(|r| r.available.is_some() || r.interested);
        for resource in interested {
            resource.session.deliver(Frame::presence(stanza.clone()));
        }
    }
    if deliver && change == Change::Subscribe {
        server.pushes.wake_all(account, Reason::Request, server.steady());
    }
    if approve {
        Box::pin(answer(server, account.jid(), from, Change::Subscribed)).await;
        introduce(server, account, from);
    }
    if before.from && change == Change::Unsubscribe {
        presence::hide_from(server, account, from);
    }
}

/// XEP-0283 §4.4: a contact says that it moved. What cannot be verified is a request like any other.
fn verify(
    server: Arc<Server>,
    account: Arc<Account>,
    old: BareJid,
    from: BareJid,
    stanza: Bytes,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let is_true = moved::is_true(&server, &account, &old, &from).await;
        if !is_true || !follow(&server, &account, &old, &from).await {
            arrive(&server, &account, &from, stanza, Change::Subscribe).await;
        }
    })
}

/// XEP-0283 §4.4: a contact moved, and that was verified. Its new address takes the place of the old one,
/// which may not see the account any more: so an address is followed once. `false` when it is not: the
/// old address is no contact any more, or there is no place for another one.
async fn follow(
    server: &Arc<Server>,
    account: &Arc<Account>,
    old: &BareJid,
    new: &BareJid,
) -> bool {
    let before = {
        let _gate = account.roster_gate.lock().await;
        let before = account.lock().roster.contact(old).cloned().unwrap_or_default();
        if !before.standing.from {
            return false;
        }
        let mut contact = account.lock().roster.contact(new).cloned().unwrap_or_default();
        if contact.vacant() && account.lock().roster.len() >= server.max_contacts() {
            return false;
        }
        contact.name = contact.name.or_else(|| before.name.clone());
        if !contact.listed {
            contact.groups.clone_from(&before.groups);
        }
        contact.listed = true;
        contact.request = None;
        contact.standing.pending_in = false;
        contact.standing.from = true;
        contact.standing.pending_out |= before.standing.to && !contact.standing.to;
        if put(server, account, new, contact).await.is_err() {
            return false;
        }
        before
    };
    Box::pin(answer(server, account.jid(), new, Change::Subscribed)).await;
    let revoke = Element::new("presence", ns::CLIENT)
        .with_attr("type", Change::Unsubscribed.as_str())
        .with_attr("to", old.as_str());
    if let Ok(stanza) = Stanza::parse(revoke.to_bytes(ns::CLIENT), &Limits::CLIENT)
        && let Err(error) =
            Box::pin(send(server, account, &stanza, Change::Unsubscribed, old)).await
    {
        tracing::debug!(?error, "an address that was left could not be told");
    }
    if before.standing.to {
        Box::pin(answer(server, account.jid(), new, Change::Subscribe)).await;
    }
    introduce(server, account, new);
    true
}

/// A subscription stanza for another domain: both rosters must agree, so it has to arrive.
fn send_elsewhere(server: &Server, from: &BareJid, to: &BareJid, bytes: Bytes) {
    if policy::permits(&server.config(), to.domain().as_str()).is_err() {
        return;
    }
    let account = server.loaded(from).map(|account| account.id);
    let (local, to) = (from.domain().as_str(), to.clone().into());
    let letter = Durable { local, to: &to, kind: Kind::Presence, bytes: bytes.clone(), account };
    match server.s2s.send(server, letter, Unit::new(), None) {
        Ok(()) => {}
        Err(Unsent::Full) => server.s2s.refuse(server, local, &to, Kind::Presence, bytes),
        Err(Unsent::Store(busy)) => {
            server.store_failed("subscription", &busy.into());
        }
    }
}

/// A contact sees the account from now on: its presence, and what it published.
pub(super) fn introduce(server: &Arc<Server>, account: &Arc<Account>, contact: &BareJid) {
    presence::show_to(server, account, contact);
    pubsub::greet_contact(server, account, contact);
}

/// Changes the recipient's roster. Returns whether to deliver, whether to approve, and how things
/// stood before; `None` when the store failed, or there is no place for it.
async fn apply(
    server: &Server,
    account: &Account,
    from: &BareJid,
    stanza: Bytes,
    change: Change,
) -> Option<(bool, bool, Standing)> {
    let _gate = account.roster_gate.lock().await;
    let mut contact = account.lock().roster.contact(from).cloned().unwrap_or_default();
    if contact.vacant() && account.lock().roster.len() >= server.max_contacts() {
        return None;
    }
    if change == Change::Subscribe && !requests::admits(server, account, from) {
        return None;
    }
    let before = contact.standing;
    let received = before.receive(change);
    contact.standing = received.standing;
    if change == Change::Subscribe && received.standing.pending_in {
        contact.request.get_or_insert(stanza);
    } else if !received.standing.pending_in {
        contact.request = None;
    }
    contact.listed |= received.standing.from;
    put(server, account, from, contact).await.ok()?;
    Some((received.deliver, received.approve, before))
}

/// The server answers a subscription stanza in the name of `from`.
pub(super) async fn answer(server: &Arc<Server>, from: &BareJid, to: &BareJid, change: Change) {
    let presence = Element::new("presence", ns::CLIENT)
        .with_attr("from", from.as_str())
        .with_attr("to", to.as_str())
        .with_attr("type", change.as_str());
    receive(server, from, to, presence.to_bytes(ns::CLIENT), change).await;
}
