//! XEP-0191: Blocking Command 1.3

use std::{collections::BTreeSet, sync::Arc};

use store::{AccountId, Store, StoreError, blocks::Change};
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    jid::Jid,
    ns,
    xml::Element,
};

use super::{
    Extension, Inbound, IqContext, IqFuture, IqRoute, Outbound, Scope, Spec,
    reporting::{self, Report},
};
use crate::{
    account::Account,
    im::presence,
    iq::{Iq, IqKind},
    router::{
        facts::MessageType,
        pipeline::{Flow, Pass},
    },
    server::Server,
    session::frame::Frame,
};

/// Keeps unwanted people away.
pub const EXTENSION: Extension = Extension {
    name: "blocking",
    specs: &[Spec { xep: 191, version: "1.3", title: "Blocking Command" }],
    features: &[(Scope::Server, ns::BLOCKING)],
    iq: &[
        route(IqKind::Get, "blocklist", list),
        route(IqKind::Set, "block", block),
        route(IqKind::Set, "unblock", unblock),
    ],
    outbound: &[(Outbound::Admit, admit_outbound)],
    inbound: &[(Inbound::Admit, admit_inbound)],
    ..Extension::NOTHING
};

/// Entries that one account may have.
const MAX_ENTRIES: usize = store::blocks::MAX_BLOCKS;

/// An account's blocklist: full and bare addresses, domains, and domains with a resource.
#[derive(Clone, Debug, Default)]
pub struct Blocks(BTreeSet<String>);

impl Blocks {
    /// Reads an account's list.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn load(store: &Store, account: AccountId) -> Result<Self, StoreError> {
        Ok(Self(store.blocks.load(account).await?.into_iter().map(String::from).collect()))
    }

    /// Whether nothing from `sender` may reach the account (XEP-0191 §2.2).
    #[must_use]
    pub fn refuses(&self, sender: &Jid) -> bool {
        self.matches(sender)
    }

    /// Whether the account may send nothing to `recipient`, because it blocked it.
    #[must_use]
    pub fn forbids(&self, recipient: &Jid) -> bool {
        self.matches(recipient)
    }

    /// The entries, as the client wrote them.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn matches(&self, jid: &Jid) -> bool {
        // Nearly every list is empty, and this is asked for each message.
        if self.0.is_empty() {
            return false;
        }
        let (full, domain) = (jid.as_str(), jid.domain().as_str());
        let bare = full.split('/').next().unwrap_or(full);
        let on_domain = jid.resource().map(|resource| format!("{domain}/{resource}"));
        [Some(full), Some(bare), on_domain.as_deref(), Some(domain)]
            .into_iter()
            .flatten()
            .any(|entry| self.0.contains(entry))
    }
}

/// What a client gets that writes to somebody whom it blocked (XEP-0191 §3.5).
#[must_use]
pub fn blocked_error() -> StanzaError {
    StanzaError::new(Condition::NotAcceptable)
        .with_type(ErrorType::Cancel)
        .with_app(Element::new("blocked", ns::BLOCKING_ERRORS))
}

const fn route(kind: IqKind, name: &'static str, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Own, kind: Some(kind), ns: ns::BLOCKING, name, handler }
}

fn admit_outbound(pass: &mut Pass<'_>) -> Flow {
    if pass.state.blocks.forbids(pass.to) { Flow::Refuse(blocked_error()) } else { Flow::Continue }
}

/// XEP-0191 §3.5: the sender sees what it would see if the account did not exist.
fn admit_inbound(pass: &mut Pass<'_>) -> Flow {
    let refused = pass.state.blocks.refuses(&pass.from_jid());
    match (refused && !pass.to_self(), pass.facts.kind) {
        (false, _) => Flow::Continue,
        (true, MessageType::Error | MessageType::Headline) => Flow::Drop,
        (true, _) => Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable)),
    }
}

fn list<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async {
        let session = context.session()?;
        let mut state = session.account.lock();
        let items: Vec<Element> = state.blocks.entries().map(item).collect();
        if let Some(resource) = state.resource(session) {
            resource.block_pushes = true;
        }
        Ok(Some(Element::new("blocklist", ns::BLOCKING).with_children(items)))
    })
}

fn block<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let jids = addresses(&iq.payload)?;
        if jids.is_empty() {
            return Err(StanzaError::new(Condition::BadRequest));
        }
        let account = context.owner()?;
        if account.lock().blocks.0.len() + jids.len() > MAX_ENTRIES {
            return Err(StanzaError::new(Condition::PolicyViolation));
        }
        // Contacts see us leave before the block cuts the line (XEP-0191 §3.3).
        for jid in &jids {
            hide(context.server, account, jid);
        }
        apply(context, Change::Block(boxed(&jids))).await?;
        account.lock().blocks.0.extend(jids.iter().map(|jid| jid.as_str().to_owned()));
        push(context.server, account, "block", &jids);
        let reports = reports(&iq.payload, account.bare());
        if !reports.is_empty() {
            let work = reporting::received(context.server.clone(), account.clone(), reports);
            context.finally(Box::pin(work));
        }
        Ok(None)
    })
}

/// XEP-0377 §4: what is reported along with a block.
fn reports(payload: &Element, by: &str) -> Vec<Report> {
    let items = payload.children().filter(|child| child.is("item", ns::BLOCKING));
    let report = |item: &Element| {
        let jid = Jid::new(item.attr("jid")?).ok()?;
        Report::parse(item.child("report", ns::REPORTING)?, &jid, by)
    };
    items.filter_map(report).collect()
}

fn unblock<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let account = context.owner()?;
        let named = addresses(&iq.payload)?;
        // XEP-0191 §3.4: an empty element lifts all blocks.
        let (jids, change) = if named.is_empty() {
            let state = account.lock();
            let all = state.blocks.entries().filter_map(|entry| Jid::new(entry).ok()).collect();
            (all, Change::UnblockAll)
        } else {
            (named.clone(), Change::Unblock(boxed(&named)))
        };
        apply(context, change).await?;
        for jid in &jids {
            account.lock().blocks.0.remove(jid.as_str());
        }
        push(context.server, account, "unblock", &named);
        for contact in jids.iter().map(Jid::to_bare) {
            let subscribed = account.lock().roster.shows_presence_to(&contact);
            if subscribed {
                presence::show_to(context.server, account, &contact);
            }
        }
        Ok(None)
    })
}

async fn apply(context: &IqContext<'_>, change: Change) -> Result<(), StanzaError> {
    let account = context.owner()?.id;
    let applied = context.server.store.blocks.apply(account, change).await;
    applied.map_err(|error| context.server.store_failed("blocking", &error))
}

fn boxed(jids: &[Jid]) -> Vec<Box<str>> {
    jids.iter().map(|jid| jid.as_str().into()).collect()
}

/// XEP-0191 §3.3: other devices that asked for the list learn of the change.
fn push(server: &Server, account: &Account, verb: &'static str, jids: &[Jid]) {
    let payload =
        Element::new(verb, ns::BLOCKING).with_children(jids.iter().map(|jid| item(jid.as_str())));
    let state = account.lock();
    for resource in state.resources.iter().filter(|resource| resource.block_pushes) {
        let push = Element::new("iq", ns::CLIENT)
            .with_attr("type", "set")
            .with_attr("id", server.fresh_id())
            .with_attr("to", resource.session.full())
            .with_child(payload.clone());
        resource.session.deliver(Frame::iq(push.to_bytes(ns::CLIENT)));
    }
}

fn hide(server: &Arc<Server>, account: &Arc<Account>, jid: &Jid) {
    let contact = jid.to_bare();
    let sees = account.lock().roster.shows_presence_to(&contact);
    if sees && jid.resource().is_none() {
        presence::hide_from(server, account, &contact);
    }
}

fn addresses(payload: &Element) -> Result<Vec<Jid>, StanzaError> {
    let items = payload.children().filter(|child| child.is("item", ns::BLOCKING));
    items
        .map(|item| Jid::new(item.attr("jid").unwrap_or_default()))
        .collect::<Result<_, _>>()
        .map_err(|_| StanzaError::new(Condition::JidMalformed))
}

fn item(jid: &str) -> Element {
    Element::new("item", ns::BLOCKING).with_attr("jid", jid)
}
