//! RFC 6121 §2: the roster as clients read and change it; XEP-0237 versions 1.3

use std::sync::Arc;

use store::roster::Difference;
use xmpp::{
    error::{Condition, StanzaError},
    jid::{BareJid, Jid},
    ns,
    stanza::Stanza,
    xml::{Element, Limits},
};

use super::{Asker, Extension, IqAnswer, IqContext, IqFuture, IqRoute, Scope, Spec};
use crate::{
    account::Account,
    im::{
        roster::{self, Contact},
        subscribing,
        subscription::{Change, Standing},
    },
    iq::{Iq, IqKind},
    session::frame::Frame,
};

/// Reads and changes the roster.
pub const EXTENSION: Extension = Extension {
    name: "roster",
    specs: &[Spec { xep: 237, version: "1.3", title: "Roster Versioning" }],
    features: &[(Scope::Server, ns::ROSTER)],
    iq: &[route(IqKind::Get, get), route(IqKind::Set, set)],
    ..Extension::NOTHING
};

/// Characters of a contact's name, and of a group's.
const MAX_NAME: usize = 1023;
/// Groups of one contact.
const MAX_GROUPS: usize = 64;
/// Changes that are sent one by one; a client that missed more gets the whole roster.
const MAX_CHANGES: usize = 200;

const fn route(kind: IqKind, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Own, kind: Some(kind), ns: ns::ROSTER, name: "query", handler }
}

fn get<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let account = context.owner()?;
        // Nothing may change between what is read here and the first push after it.
        let _gate = account.roster_gate.lock().await;
        let Asker::Session(session) = context.asker else {
            return Ok(Some(whole(account, true)));
        };
        if let Some(resource) = account.lock().resource(session) {
            resource.interested = true;
        }
        let known = iq.payload.attr("ver").map(|ver| ver.parse::<u64>().ok());
        match known {
            Some(Some(version)) => changes(context, account, version).await,
            known => Ok(Some(whole(account, known.is_some()))),
        }
    })
}

fn whole(account: &Account, versioned: bool) -> Element {
    let state = account.lock();
    let items = state.roster.listed().map(|(jid, contact)| contact.item(jid));
    let version = versioned.then(|| state.roster.version().to_string());
    Element::new("query", ns::ROSTER).with_attr_opt("ver", version).with_children(items)
}

/// XEP-0237 §3: an empty answer, and a push for each change since the client's version.
async fn changes(context: &IqContext<'_>, account: &Arc<Account>, since: u64) -> IqAnswer {
    let session = context.session()?;
    if since == account.lock().roster.version() {
        return Ok(None);
    }
    let changes = context.server.store.roster.since(account.id, since).await;
    let changes = changes.map_err(|error| context.server.store_failed("roster", &error))?;
    let Some((version, changes)) = changes.filter(|(_, changes)| changes.len() <= MAX_CHANGES)
    else {
        return Ok(Some(whole(account, true)));
    };
    // The answer must come before the pushes (XEP-0237 §3), so they are queued after it.
    let last = changes.len();
    let pushes = changes.into_iter().enumerate().map(|(at, change)| {
        let item = match change {
            Difference::Item(item) => {
                let contact = Contact::from(item.clone());
                BareJid::new(&item.jid).map(|jid| contact.item(&jid)).ok()
            }
            Difference::Removed(jid) => Some(
                Element::new("item", ns::ROSTER)
                    .with_attr("jid", &*jid)
                    .with_attr("subscription", "remove"),
            ),
        };
        // Only the last push moves the client to a version it may ask from later: a client that
        // goes away in between gets the rest again.
        let version = if at + 1 == last { version } else { since };
        let query = Element::new("query", ns::ROSTER)
            .with_attr("ver", version.to_string())
            .with_children(item);
        let push = Element::new("iq", ns::CLIENT)
            .with_attr("type", "set")
            .with_attr("id", context.server.fresh_id())
            .with_attr("to", session.full())
            .with_child(query);
        Frame::iq(push.to_bytes(ns::CLIENT))
    });
    context.after(pushes.collect());
    Ok(None)
}

fn set<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let mut items = iq.payload.children().filter(|child| child.is("item", ns::ROSTER));
        // RFC 6121 §2.1.5: exactly one item.
        let (Some(item), None) = (items.next(), items.next()) else {
            return Err(StanzaError::new(Condition::BadRequest));
        };
        let jid = Jid::new(item.attr("jid").unwrap_or_default())
            .map_err(|_| StanzaError::new(Condition::BadRequest))?
            .to_bare();
        if item.attr("subscription") == Some("remove") {
            remove(context, &jid).await
        } else {
            update(context, &jid, item).await
        }
    })
}

async fn update(context: &IqContext<'_>, jid: &BareJid, item: &Element) -> IqAnswer {
    let account = context.owner()?;
    if account.jid() == jid {
        return Err(StanzaError::new(Condition::NotAllowed));
    }
    let name = item.attr("name").filter(|name| !name.is_empty()).map(str::to_owned);
    let groups = groups(item)?;
    if name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME) {
        return Err(StanzaError::new(Condition::NotAcceptable));
    }
    let _gate = account.roster_gate.lock().await;
    let before = account.lock().roster.contact(jid).cloned();
    if before.is_none() && account.lock().roster.len() >= context.server.max_contacts() {
        return Err(StanzaError::new(Condition::ResourceConstraint));
    }
    let contact = Contact { name, groups, listed: true, ..before.unwrap_or_default() };
    match standing_of(context, jid, item) {
        Some(standing) => {
            roster::settle(context.server, account, jid, contact, standing).await?;
        }
        None => roster::put(context.server, account, jid, contact).await?,
    }
    Ok(None)
}

/// How a component wants an account and a contact to stand to each other. It has both sides to
/// say, when the contact is its own: the account's by its permission.
fn standing_of(context: &IqContext<'_>, jid: &BareJid, item: &Element) -> Option<Standing> {
    let Asker::Component(acting) = context.asker else { return None };
    if acting.component.domain() != jid.domain() {
        return None;
    }
    let (to, from) = match item.attr("subscription")? {
        "none" => (false, false),
        "to" => (true, false),
        "from" => (false, true),
        "both" => (true, true),
        _ => return None,
    };
    Some(Standing { to, from, ..Standing::default() })
}

/// RFC 6121 §2.5.2: removing a contact ends both subscriptions.
async fn remove(context: &IqContext<'_>, jid: &BareJid) -> IqAnswer {
    let account = context.owner()?;
    let before = {
        let _gate = account.roster_gate.lock().await;
        let before = account.lock().roster.contact(jid).filter(|c| c.listed).cloned();
        before.ok_or_else(|| StanzaError::new(Condition::ItemNotFound))?
    };
    let standing = before.standing;
    if standing.to || standing.pending_out {
        end(context, jid, Change::Unsubscribe).await?;
    }
    if standing.from || standing.pending_in {
        end(context, jid, Change::Unsubscribed).await?;
    }
    let _gate = account.roster_gate.lock().await;
    let gone = Contact { standing: Standing::default(), ..Contact::default() };
    roster::put(context.server, account, jid, gone).await?;
    Ok(None)
}

async fn end(context: &IqContext<'_>, jid: &BareJid, change: Change) -> Result<(), StanzaError> {
    let presence = Element::new("presence", ns::CLIENT)
        .with_attr("to", jid.as_str())
        .with_attr("type", change.as_str());
    let stanza = Stanza::parse(presence.to_bytes(ns::CLIENT), &Limits::CLIENT)
        .map_err(|_| StanzaError::new(Condition::InternalServerError))?;
    match subscribing::send(context.server, context.owner()?, &stanza, change, jid).await {
        // A contact that is blocked as well is still removed.
        Err(error) if error.condition == Condition::NotAcceptable => Ok(()),
        other => other,
    }
}

fn groups(item: &Element) -> Result<Vec<String>, StanzaError> {
    let mut groups: Vec<String> = Vec::new();
    for group in item.children().filter(|child| child.is("group", ns::ROSTER)) {
        let name = group.text();
        // RFC 6121 §2.3.3: empty or overlong groups are not acceptable, equal ones a bad request.
        if name.is_empty() || name.chars().count() > MAX_NAME || groups.len() >= MAX_GROUPS {
            return Err(StanzaError::new(Condition::NotAcceptable));
        }
        if groups.contains(&name) {
            return Err(StanzaError::new(Condition::BadRequest));
        }
        groups.push(name);
    }
    Ok(groups)
}
