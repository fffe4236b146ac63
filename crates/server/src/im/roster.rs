//! Rosters: RFC 6121 §2.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use store::{
    AccountId, Millis, Store, StoreError,
    roster::{self as stored, Item, Request, Subscription},
};
use xmpp::{error::StanzaError, jid::BareJid, ns, xml::Element};

use super::{presence, requests, subscribing::introduce, subscription::Standing};
use crate::{
    account::{Account, AccountState},
    ext::privilege,
    server::Server,
    session::frame::Frame,
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
    pub(super) fn vacant(&self) -> bool {
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
