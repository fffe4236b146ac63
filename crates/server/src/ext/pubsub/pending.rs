//! XEP-0060 §8.7: an owner asks by command (XEP-0050) where subscriptions wait, and gets the requests of a
//! node once more.

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        form::{Field, FieldType, Form, FormType},
        pubsub::{Affiliation, SubscriptionState},
    },
    jid::{BareJid, Jid},
    ns,
};

use super::{
    greet::{MOST_ASKED, ask_session},
    handle::Visit,
    node::{Node, Service},
    subscribe::NODE,
};
use crate::{
    ext::{IqContext, IqFuture, commands},
    iq::Iq,
};

/// The command.
pub(super) const GET_PENDING: &str = "http://jabber.org/protocol/pubsub#get-pending";

/// What service discovery tells of commands at the service.
pub(super) fn items(service: &BareJid) -> Items {
    let command = Item::new(Jid::from(service.clone())).with_node(GET_PENDING).with_name(NAME);
    Items { node: Some(ns::COMMANDS.into()), items: vec![command], ..Items::default() }
}

/// What a node of service discovery is that has to do with commands.
pub(super) fn info(node: &str) -> Option<Info> {
    let identity = match node {
        ns::COMMANDS => Identity::new("automation", "command-list"),
        GET_PENDING => Identity::new("automation", "command-node").with_name(NAME),
        _ => return None,
    };
    Some(Info::new().with_node(node).with_identity(identity).with_features([ns::COMMANDS]))
}

/// Carries it out: first the nodes to choose from, then the requests of one, as messages.
pub(super) fn command<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        if iq.payload.attr("node") != Some(GET_PENDING) {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        let session = context.session()?.clone();
        let stands = |status: &str, form| Ok(Some(commands::answer(iq, GET_PENDING, status, form)));
        if iq.payload.attr("action") == Some("cancel") {
            return stands("canceled", None);
        }
        let visit = Visit::new(context)?;
        let service = visit.open().await?;
        let filled = Form::child_of(&iq.payload).filter(|form| form.kind == FormType::Submit);
        let Some(filled) = filled else {
            return stands("executing", Some(choice(&service, &visit.bare)));
        };
        let node = service.owned(filled.value(NODE).unwrap_or_default(), &visit.who())?;
        let (name, waiting) = (node.name.clone(), waiting(node).cloned().collect::<Vec<Jid>>());
        let (server, account) = (visit.server.clone(), visit.account.clone());
        context.finally(Box::pin(async move {
            for jid in &waiting {
                ask_session(&server, &account, &session, &name, jid);
            }
        }));
        stands("completed", None)
    })
}

fn choice(service: &Service, owner: &BareJid) -> Form {
    let owned = service.nodes.values().filter(|node| {
        service.affiliation(node, owner) == Affiliation::Owner && waiting(node).next().is_some()
    });
    let field = Field::new(NODE, FieldType::ListSingle).with_label("Node");
    let field = owned.fold(field, |field, node| field.with_option(&*node.name, &*node.name));
    Form::typed(FormType::Form, ns::PUBSUB_SUBSCRIBE_AUTHORIZATION)
        .with_title("Subscription requests")
        .with_instructions("Choose the node whose requests you want to see.")
        .with_field(field)
}

fn waiting(node: &Node) -> impl Iterator<Item = &Jid> {
    let pending = node.subscriptions.iter();
    let pending = pending.filter(|sub| sub.state == SubscriptionState::Pending);
    pending.map(|sub| &sub.jid).take(MOST_ASKED)
}

const NAME: &str = "See subscription requests";
