//! Rosters and subscriptions: RFC 6121 §2 and §3.

use std::{collections::BTreeMap, pin::Pin, sync::Arc};

use bytes::Bytes;
use store::{
    AccountId, Millis, Store, StoreError,
    archive::Unit,
    roster::{self as stored, Item, Request, Subscription},
};
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
    subscription::{Change, Standing},
};
use crate::{
    account::{Account, AccountState},
    ext::{moved, privilege, pubsub},
    push::Reason,
    s2s::{Durable, Unsent, policy},
    server::Server,
    session::{Session, frame::Frame},
};

/// An account's contacts, in memory while the account is.
#[derive(Debug, Default)]
pub struct Roster {
    items: BTreeMap<BareJid, Contact>,
    version: u64,
    /// The operator was told that no more requests can wait.
    told_full: bool,
}

/// One contact. It stands in the roster that clients see unless it is only a request that waits
/// (RFC 6121 §3.1.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The name the account gave it.
    pub name: Option<String>,
    /// Its groups.
    pub groups: Vec<String>,
    /// How the account and the contact stand to each other.
    pub standing: Standing,
    /// The account put it into the roster, or a subscription exists.
    pub listed: bool,
    /// The subscription request that waits, as it will be shown.
    pub request: Option<Bytes>,
}

impl Roster {
    /// Reads an account's roster.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn load(store: &Store, account: AccountId) -> Result<Self, StoreError> {
        let snapshot = store.roster.load(account).await?;
        let mut roster = Self { version: snapshot.version, ..Self::default() };
        for item in snapshot.items {
            let Ok(jid) = BareJid::new(&item.jid) else { continue };
            roster.items.insert(jid, Contact::from(item));
        }
        for request in snapshot.requests {
            let Ok(jid) = BareJid::new(&request.jid) else { continue };
            let contact = roster.items.entry(jid).or_default();
            contact.standing.pending_in = true;
            contact.request = requests::kept(&request.stanza);
        }
        Ok(roster)
    }

    /// The contact at an address.
    #[must_use]
    pub fn contact(&self, jid: &BareJid) -> Option<&Contact> {
        self.items.get(jid)
    }

    /// Whether clients see `jid` in the roster.
    #[must_use]
    pub fn contains(&self, jid: &BareJid) -> bool {
        self.items.get(jid).is_some_and(|contact| contact.listed)
    }

    /// Contacts that clients see, in order of their addresses.
    pub fn listed(&self) -> impl Iterator<Item = (&BareJid, &Contact)> {
        self.items.iter().filter(|(_, contact)| contact.listed)
    }

    /// Whether `jid` is subscribed to the account's presence.
    #[must_use]
    pub fn shows_presence_to(&self, jid: &BareJid) -> bool {
        self.items.get(jid).is_some_and(|contact| contact.standing.from)
    }

    /// Everybody who is subscribed to the account's presence.
    #[must_use]
    pub fn subscribers(&self) -> Vec<BareJid> {
        let subscribed = self.items.iter().filter(|(_, contact)| contact.standing.from);
        subscribed.map(|(jid, _)| jid.clone()).collect()
    }

    /// Everybody whose presence the account is subscribed to.
    #[must_use]
    pub fn subscribed_to(&self) -> Vec<BareJid> {
        let subscribed = self.items.iter().filter(|(_, contact)| contact.standing.to);
        subscribed.map(|(jid, _)| jid.clone()).collect()
    }

    /// The subscription requests that wait for an answer, as presence stanzas, with who asks.
    pub fn requests(&self) -> impl Iterator<Item = (&BareJid, &Bytes)> {
        let waiting = self.items.iter().filter(|(_, contact)| contact.standing.pending_in);
        waiting.filter_map(|(jid, contact)| Some((jid, contact.request.as_ref()?)))
    }

    /// Whether another request can wait, and whether it is news that none can.
    pub(super) fn has_room_for_a_request(&mut self) -> (bool, bool) {
        let (count, bytes) = self
            .requests()
            .fold((0, 0), |(count, bytes), (_, request)| (count + 1, bytes + request.len()));
        let fits = requests::leave_room(count, bytes);
        let was_told = std::mem::replace(&mut self.told_full, !fits);
        (fits, !fits && !was_told)
    }

    /// Number of entries, waiting requests included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The version that clients see (XEP-0237).
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl Contact {
    /// Whether it can be forgotten altogether.
    fn vacant(&self) -> bool {
        !self.listed && self.standing == Standing::default()
    }

    /// The roster item that clients see.
    #[must_use]
    pub fn item(&self, jid: &BareJid) -> Element {
        let standing = &self.standing;
        let mut item = Element::new("item", ns::ROSTER)
            .with_attr("jid", jid.as_str())
            .with_attr_opt("name", self.name.as_deref())
            .with_attr("subscription", standing.subscription())
            .with_attr_opt("ask", standing.pending_out.then_some("subscribe"))
            .with_attr_opt("approved", standing.approved.then_some("true"));
        for group in &self.groups {
            item.push(Element::new("group", ns::ROSTER).with_text(group));
        }
        item
    }

    fn row(&self, jid: &BareJid) -> Item {
        let subscription = match (self.standing.to, self.standing.from) {
            (false, false) => Subscription::None,
            (true, false) => Subscription::To,
            (false, true) => Subscription::From,
            (true, true) => Subscription::Both,
        };
        Item {
            jid: jid.as_str().into(),
            name: self.name.as_deref().map(Into::into),
            subscription,
            ask: self.standing.pending_out,
            approved: self.standing.approved,
            groups: self.groups.iter().map(|group| group.as_str().into()).collect(),
        }
    }

    /// What must change in the store for this contact to take the place of `before`.
    fn changes(&self, before: &Self, jid: &BareJid, now: Millis) -> Vec<stored::Change> {
        let mut changes = Vec::new();
        let address: Box<str> = jid.as_str().into();
        if self.listed && (!before.listed || self.row(jid) != before.row(jid)) {
            changes.push(stored::Change::Put(self.row(jid)));
        } else if before.listed && !self.listed {
            changes.push(stored::Change::Remove(address.clone()));
        }
        if self.request != before.request {
            changes.push(match &self.request {
                Some(stanza) => {
                    let stanza = stanza.clone();
                    stored::Change::Ask(Request { jid: address, at: now, stanza })
                }
                None => stored::Change::Answered(address),
            });
        }
        changes
    }
}

impl From<Item> for Contact {
    fn from(item: Item) -> Self {
        use Subscription::{Both, From, To};
        Self {
            name: item.name.map(String::from),
            groups: item.groups.into_iter().map(String::from).collect(),
            standing: Standing {
                to: matches!(item.subscription, To | Both),
                from: matches!(item.subscription, From | Both),
                pending_out: item.ask,
                pending_in: false,
                approved: item.approved,
            },
            listed: true,
            request: None,
        }
    }
}

/// Puts `contact` in place of what the roster says about `jid`: on disk, in memory, and on the
/// account's clients. The caller holds the account's roster gate.
///
/// # Errors
/// When the store could not be written; nothing has changed then.
pub async fn put(
    server: &Server,
    account: &Account,
    jid: &BareJid,
    contact: Contact,
) -> Result<(), StanzaError> {
    let before = account.lock().roster.contact(jid).cloned().unwrap_or_default();
    if before == contact {
        return Ok(());
    }
    let changes = contact.changes(&before, jid, Millis(server.now().0));
    // Waiting requests are not part of the roster that clients see (RFC 6121 §2.1.2.2).
    let visible = (before.listed || contact.listed) && before.item(jid) != contact.item(jid)
        || before.listed != contact.listed;
    let applied = server.store.roster.apply(account.id, changes).await;
    let version = applied.map_err(|error| server.store_failed("roster", &error))?;
    let mut state = account.lock();
    state.roster.version = version;
    if contact.vacant() {
        state.roster.items.remove(jid);
    } else {
        state.roster.items.insert(jid.clone(), contact.clone());
    }
    if visible {
        push(server, account.bare(), &state, jid, &contact, version);
    }
    Ok(())
}

/// Sends a roster push to every device that asked for the roster (RFC 6121 §2.1.6).
fn push(
    server: &Server,
    account: &str,
    state: &AccountState,
    jid: &BareJid,
    contact: &Contact,
    version: u64,
) {
    let item = if contact.listed {
        contact.item(jid)
    } else {
        Element::new("item", ns::ROSTER)
            .with_attr("jid", jid.as_str())
            .with_attr("subscription", "remove")
    };
    let query =
        Element::new("query", ns::ROSTER).with_attr("ver", version.to_string()).with_child(item);
    for resource in state.resources.iter().filter(|resource| resource.interested) {
        let push = Element::new("iq", ns::CLIENT)
            .with_attr("type", "set")
            .with_attr("id", server.fresh_id())
            .with_attr("to", resource.session.full())
            .with_child(query.clone());
        resource.session.deliver(Frame::iq(push.to_bytes(ns::CLIENT)));
    }
    privilege::push_roster(server, account, &query);
}

/// Puts a contact into the roster as somebody wants it who may speak for both sides, without asking
/// either. Who sees whom from now on is shown to whom it concerns. The caller holds the account's
/// roster gate.
///
/// # Errors
/// When the store could not be written; nothing has changed then.
pub async fn settle(
    server: &Arc<Server>,
    account: &Arc<Account>,
    jid: &BareJid,
    mut contact: Contact,
    standing: Standing,
) -> Result<(), StanzaError> {
    let before = std::mem::replace(&mut contact.standing, standing);
    contact.request = None;
    put(server, account, jid, contact).await?;
    if standing.from && !before.from {
        introduce(server, account, jid);
    } else if before.from && !standing.from {
        presence::hide_from(server, account, jid);
    }
    let watched = standing.to && !before.to;
    let present = account.lock().resources.iter().any(|resource| resource.available.is_some());
    if watched && present && jid.domain().as_str() != server.domain() {
        presence::probe_elsewhere(server, account.bare(), jid);
    }
    Ok(())
}

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
        server.pushes.wake_all(account, Reason::Request, server.now());
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
