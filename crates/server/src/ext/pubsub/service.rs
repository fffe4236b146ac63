//! XEP-0060: the pubsub service that everybody shares, at a domain of its own
//!
//! Its nodes follow the rules of those of accounts. Whoever makes one owns it, and can make others
//! owners as well; the service itself owns none. Where access depends on a roster, it is that of whoever
//! made the node, if they have an account here and still own it: who is only named an owner by others has
//! nothing of their roster shown.

use std::sync::Arc;

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item},
        pubsub::Affiliation,
    },
    jid::{BareJid, Jid},
    ns,
};

use super::{ORDER_BY_PUBSUB, handle, pending, write};
use crate::{
    config::{Config, Creators},
    ext::{Asker, Extension, IqContext, IqFuture, IqRoute, Scope, features, forms},
    iq::{Iq, IqKind},
    server::Server,
};

/// Makes the server a pubsub service as well.
pub const EXTENSION: Extension = Extension {
    name: "pubsub_service",
    offered: |config| config.pubsub.enabled,
    features: FEATURES,
    iq: &[
        route(None, ns::PUBSUB, "pubsub", handle::answer),
        route(None, ns::PUBSUB_OWNER, "pubsub", handle::answer),
        route(Some(IqKind::Get), ns::DISCO_INFO, "query", info),
        route(Some(IqKind::Get), ns::DISCO_ITEMS, "query", items),
        route(Some(IqKind::Get), ns::PING, "ping", pong),
        route(Some(IqKind::Set), ns::COMMANDS, "command", pending::command),
    ],
    ..Extension::NOTHING
};

const fn route(
    kind: Option<IqKind>,
    ns: &'static str,
    name: &'static str,
    handler: crate::ext::IqHandler,
) -> IqRoute {
    IqRoute { scope: Scope::Pubsub, kind, ns, name, handler }
}

/// XEP-0060 §10, and `config-node-max` and `rsm` of §16.3.
const FEATURES: &[(Scope, &str)] = &[
    (Scope::Pubsub, ns::DISCO_INFO),
    (Scope::Pubsub, ns::DISCO_ITEMS),
    (Scope::Pubsub, ns::PING),
    (Scope::Pubsub, ns::COMMANDS),
    (Scope::Pubsub, ns::PUBSUB),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#access-authorize"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#access-open"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#access-presence"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#access-roster"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#access-whitelist"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#auto-create"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#config-node"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#config-node-max"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#create-and-configure"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#create-nodes"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#delete-items"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#delete-nodes"),
    (Scope::Pubsub, pending::GET_PENDING),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#instant-nodes"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#item-ids"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#last-published"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#manage-subscriptions"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#member-affiliation"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#meta-data"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#modify-affiliations"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#multi-items"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#outcast-affiliation"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#persistent-items"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#publish"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#publish-node-full"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#publish-only-affiliation"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#publish-options"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#publisher-affiliation"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#purge-nodes"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#retract-items"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#retrieve-affiliations"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#retrieve-default"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#retrieve-default-sub"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#retrieve-items"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#retrieve-subscriptions"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#rsm"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#subscribe"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#subscription-notifications"),
    (Scope::Pubsub, "http://jabber.org/protocol/pubsub#subscription-options"),
    (Scope::Pubsub, ns::ORDER_BY),
    (Scope::Pubsub, ORDER_BY_PUBSUB),
];

/// The service among the items of the server.
#[must_use]
pub fn item(config: &Config) -> Option<Item> {
    let address = config.pubsub.enabled.then(|| config.pubsub.address(&config.domain))?;
    Some(Item::new(Jid::new(&address).ok()?).with_name("Nodes"))
}

/// How many nodes whoever asks may own here: none without an account on this server.
///
/// # Errors
/// When the store could not be read.
pub(super) async fn may_own(context: &IqContext<'_>) -> Result<usize, StanzaError> {
    let config = context.server.config();
    let allowed = match (context.asker, config.pubsub.creators) {
        (Asker::Remote(_), _) | (_, Creators::Nobody) => false,
        (_, Creators::Everyone) => true,
        (_, Creators::Admins) => is_admin(context).await?,
    };
    let most = usize::try_from(config.pubsub.nodes_per_account).unwrap_or(usize::MAX);
    Ok(if allowed { most } else { 0 })
}

/// An account is gone for good: whoever gets its name some day owns nothing here. Nodes that nobody
/// else owns go with it.
pub async fn forget(server: &Arc<Server>, owner: &BareJid) {
    let place = server.pubsub();
    let Ok(mut service) = place.pubsub.open(server, &place).await else { return };
    let touched = service.nodes.values().filter(|node| {
        node.listed_affiliation(owner) != Affiliation::None
            || node.subscriptions.iter().any(|sub| sub.jid.to_bare() == *owner)
    });
    let names: Vec<Box<str>> = touched.map(|node| node.name.clone()).collect();
    for name in names {
        // Failures were counted and logged where they happened.
        let _ = write::forget(server, &place, &mut service, &name, owner).await;
    }
    drop(service);
    place.pubsub.telling.tell(server, &place).await;
}

async fn is_admin(context: &IqContext<'_>) -> Result<bool, StanzaError> {
    let server: &Server = context.server;
    let row = server.store.accounts.by_id(context.owner()?.id).await;
    let row = row.map_err(|error| server.store_failed("pubsub", &error))?;
    Ok(row.is_some_and(|row| row.admin))
}

fn info<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        if let Some(node) = iq.payload.attr("node") {
            if let Some(info) = pending::info(node) {
                return Ok(Some(info.to_element()));
            }
            return handle::node_info(context, node).await;
        }
        let config = context.server.config();
        let info = Info::new()
            .with_identity(Identity::new("pubsub", "service").with_name("Nodes"))
            .with_features(features(&config, Scope::Pubsub));
        let info = forms(&config, Scope::Pubsub).into_iter().fold(info, Info::with_form);
        Ok(Some(info.to_element()))
    })
}

fn items<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        match iq.payload.attr("node") {
            Some("") => Err(StanzaError::new(Condition::ItemNotFound)),
            Some(ns::COMMANDS) => {
                Ok(Some(pending::items(context.server.pubsub().jid()).to_element()))
            }
            _ => handle::node_items(context, &iq.payload).await,
        }
    })
}

fn pong<'a>(_: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { Ok(None) })
}
