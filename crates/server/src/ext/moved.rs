//! XEP-0283: Moved 0.2.0
//!
//! Whoever moves publishes on the old account where to (a node like any other), and asks every contact from
//! the new one. A contact's server looks at the old account and, when both say the same, puts the new
//! address into the place of the old one without asking its user.
//!
//! Once the operator has closed the old account, who may read the statement gets messages to it back with
//! the new address (`gone`, RFC 6120 §8.3.3.5). Others learn nothing of it.

use std::sync::Arc;

use bytes::Bytes;
use xmpp::{
    error::{Condition, StanzaError},
    ext::pubsub::Item,
    jid::{BareJid, Jid},
    ns,
    stanza::Stanza,
    xml::{Element, Limits},
};

use super::{
    Extension, Inbound, Spec,
    pubsub::{self, AccessModel},
};
use crate::{
    account::Account,
    invitation::encoded,
    questions,
    router::{
        facts::MessageType,
        pipeline::{Flow, Pass},
    },
    server::Server,
};

/// Lets contacts follow somebody who moved.
pub const EXTENSION: Extension = Extension {
    name: "moved",
    specs: &[Spec { xep: 283, version: "0.2.0", title: "Moved" }],
    inbound: &[(Inbound::Admit, admit)],
    ..Extension::NOTHING
};

/// The node of the statement, and the namespace of everything here.
const MOVED: &str = "urn:xmpp:moved:1";
const ITEM: &str = "current";
/// Claims to one account that are verified at a time.
const MOST_CHECKS: usize = 4;

/// A message to somebody who is not there any more.
fn admit(pass: &mut Pass<'_>) -> Flow {
    let Some(new) = &pass.state.moved else { return Flow::Continue };
    match pass.facts.kind {
        MessageType::Error | MessageType::Headline => Flow::Continue,
        _ if pass.to_self() || !pass.state.roster.shows_presence_to(pass.sender) => Flow::Continue,
        _ => Flow::Refuse(StanzaError::new(Condition::Gone).with_address(uri(new))),
    }
}

fn uri(jid: &BareJid) -> String {
    let node = jid.node().map(|node| format!("{}@", encoded(node.as_str()))).unwrap_or_default();
    format!("xmpp:{node}{}", jid.domain())
}

/// Where the owner of an account says that they are, if contacts may know.
///
/// # Errors
/// When the store could not be read.
pub async fn stated(
    server: &Server,
    account: &Account,
) -> Result<Option<BareJid>, store::StoreError> {
    let item = pubsub::own_item(server, account, MOVED, Some(ITEM)).await;
    let item =
        item.map_err(|_| store::StoreError::Internal("the statement was not read".to_owned()))?;
    Ok(item.and_then(shown))
}

/// The same, as the store has it: what contacts will hear once the account is closed.
///
/// # Errors
/// When the store could not be read.
pub async fn kept(
    store: &store::Store,
    id: store::AccountId,
    owner: &BareJid,
) -> Result<Option<BareJid>, store::StoreError> {
    Ok(pubsub::kept_item(store, id, owner, MOVED, ITEM).await?.and_then(shown))
}

fn shown(item: pubsub::OwnItem) -> Option<BareJid> {
    let open = matches!(item.access, AccessModel::Presence | AccessModel::Open);
    item.payload.filter(|_| open).and_then(|payload| new_jid(&payload))
}

/// The account was closed or opened, or its statement changed.
///
/// # Errors
/// When the store could not be read.
pub async fn changed(server: &Server, account: &Account) -> Result<(), store::StoreError> {
    let row = server.store.accounts.by_id(account.id).await?;
    let moved = match row.is_some_and(|row| row.disabled) {
        true => stated(server, account).await?,
        false => None,
    };
    account.lock().moved = moved;
    Ok(())
}

/// The old address that a subscription request claims, if the account shows its presence to that
/// address. Everything else is to be ignored (§4.3).
#[must_use]
pub fn claimed(account: &Account, from: &BareJid, stanza: &Bytes) -> Option<BareJid> {
    let stanza = Stanza::parse(stanza.clone(), &Limits::SERVER).ok()?;
    let moved = stanza.child("moved", MOVED)?.element();
    // It must be a bare address.
    let old = BareJid::new(moved.child("old-jid", MOVED)?.text().trim()).ok()?;
    let known = account.lock().roster.shows_presence_to(&old);
    (known && old != *from).then_some(old)
}

/// A claim that is being verified. The old address may be claimed again when it is dropped.
pub struct Check {
    account: Arc<Account>,
    old: BareJid,
}

impl Check {
    /// Begins; `None` while the same address is looked at already, or too many of the account's contacts
    /// are: strangers who claim this and that would have the server ask others without end.
    #[must_use]
    pub fn begin(account: &Arc<Account>, old: &BareJid) -> Option<Check> {
        let moves = &mut account.lock().moves;
        if moves.len() >= MOST_CHECKS || moves.contains(old) {
            return None;
        }
        moves.push(old.clone());
        Some(Check { account: account.clone(), old: old.clone() })
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        self.account.lock().moves.retain(|old| *old != self.old);
    }
}

/// Whether the old account says that it moved to this address. Asks its server when that is another one,
/// which may take a minute.
pub async fn is_true(
    server: &Arc<Server>,
    account: &Account,
    old: &BareJid,
    new: &BareJid,
) -> bool {
    let said = match old.domain().as_str() == server.domain() {
        true => stated_here(server, account, old).await,
        false => stated_elsewhere(server, account, old).await,
    };
    said.as_ref() == Some(new)
}

async fn stated_here(server: &Arc<Server>, asker: &Account, old: &BareJid) -> Option<BareJid> {
    let account = server.account(&old.clone().into()).await.ok()??;
    // As a request would be answered: whoever may not read it does not learn of it.
    if !pubsub::may_read(server, &account, MOVED, asker.jid()).await.ok()? {
        return None;
    }
    let item = pubsub::own_item(server, &account, MOVED, Some(ITEM)).await.ok()??;
    new_jid(&item.payload?)
}

async fn stated_elsewhere(server: &Arc<Server>, asker: &Account, old: &BareJid) -> Option<BareJid> {
    let item = Element::new("item", ns::PUBSUB).with_attr("id", ITEM);
    let items = Element::new("items", ns::PUBSUB).with_attr("node", MOVED).with_child(item);
    let request = Element::new("pubsub", ns::PUBSUB).with_child(items);
    let to = Jid::from(old.clone());
    let answer = questions::ask(server, "get", asker.bare(), &to, request).await?;
    if answer.type_().as_deref() == Some("error") {
        return gone_to(&answer.child("error", ns::CLIENT)?.element());
    }
    let pubsub = answer.child("pubsub", ns::PUBSUB)?.element();
    let items = pubsub.child("items", ns::PUBSUB).filter(|one| one.attr("node") == Some(MOVED))?;
    new_jid(items.child("item", ns::PUBSUB)?.child("moved", MOVED)?)
}

fn new_jid(moved: &Element) -> Option<BareJid> {
    let new = moved.child("new-jid", MOVED).filter(|_| moved.is("moved", MOVED))?;
    BareJid::new(new.text().trim()).ok()
}

/// §4.3: an error `gone` with an address is as good as a statement.
fn gone_to(error: &Element) -> Option<BareJid> {
    let gone = error.child("gone", ns::STANZA_ERRORS)?.text();
    BareJid::new(gone.trim().strip_prefix("xmpp:")?.split(['?', '/']).next()?).ok()
}

/// Publishes where an account moved, for contacts who see its presence; with no address, takes that back.
///
/// # Errors
/// When the store failed, or the address is the account's own.
pub async fn state(
    server: &Arc<Server>,
    account: &Arc<Account>,
    new: Option<&BareJid>,
) -> Result<(), StanzaError> {
    let Some(new) = new else {
        return pubsub::retract_own(server, account, MOVED, &[ITEM.to_owned()]).await;
    };
    if new == account.jid() {
        return Err(StanzaError::new(Condition::NotAcceptable));
    }
    let new = Element::new("new-jid", MOVED).with_text(new.as_str());
    let item = Item::new(ITEM).with_payload(Element::new("moved", MOVED).with_child(new));
    pubsub::publish_own(server, account, MOVED, item, AccessModel::Presence).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(xml: &str) -> Element {
        Element::parse(xml.as_bytes(), &Limits::SERVER).unwrap()
    }

    #[test]
    fn few_claims_are_verified_at_a_time() {
        let account = Account::pubsub(&Config::parse("domain = \"example.org\"\n").unwrap());
        let old = |number: usize| BareJid::new(&format!("old{number}@example.org")).unwrap();
        let mut checks: Vec<Check> =
            (0..MOST_CHECKS).filter_map(|number| Check::begin(&account, &old(number))).collect();
        assert_eq!(checks.len(), MOST_CHECKS);
        assert!(Check::begin(&account, &old(MOST_CHECKS)).is_none(), "one too many");
        checks.remove(0);
        assert!(Check::begin(&account, &old(1)).is_none(), "the same twice");
        assert!(Check::begin(&account, &old(0)).is_some(), "its check has ended");
    }

    #[test]
    fn a_statement_and_the_error_gone_name_the_new_address() {
        let jid = BareJid::new("juliet@capulet.example").unwrap();
        let statement =
            |inner: &str| new_jid(&parse(&format!("<moved xmlns='{MOVED}'>{inner}</moved>")));
        assert_eq!(statement("<new-jid>juliet@capulet.example</new-jid>"), Some(jid.clone()));
        assert_eq!(statement("<new-jid>juliet@capulet.example/x</new-jid>"), None);
        assert_eq!(statement("<old-jid>juliet@capulet.example</old-jid>"), None);
        let error = |gone: &str| {
            let gone = format!("<gone xmlns='{}'>{gone}</gone>", ns::STANZA_ERRORS);
            gone_to(&parse(&format!("<error xmlns='jabber:client' type='cancel'>{gone}</error>")))
        };
        assert_eq!(error("xmpp:juliet@capulet.example"), Some(jid));
        assert_eq!(error("https://capulet.example"), None);
        assert_eq!(error(""), None);
    }
}
