//! XEP-0050: Ad-Hoc Commands 1.3.0
//!
//! Commands of the server itself. Those who offer some are in the list [`OFFERS`]; what may be used
//! depends on who asks.

use std::{future::Future, pin::Pin};

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        form::Form,
    },
    jid::Jid,
    ns,
    xml::Element,
};

use super::{
    Extension, IqAnswer, IqContext, IqFuture, IqRoute, Scope, Spec, administration, archive, invite,
};
use crate::iq::{Iq, IqKind};

/// Carries out commands.
pub const EXTENSION: Extension = Extension {
    name: "commands",
    specs: &[Spec { xep: 50, version: "1.3.0", title: "Ad-Hoc Commands" }],
    features: &[(Scope::Server, ns::COMMANDS)],
    iq: &[IqRoute {
        scope: Scope::Server,
        kind: Some(IqKind::Set),
        ns: ns::COMMANDS,
        name: "command",
        handler: command,
    }],
    ..Extension::NOTHING
};

/// Who offers commands.
const OFFERS: &[&Offer] = &[
    &invite::COMMANDS,
    &administration::COMMANDS,
    &archive::clearing::COMMANDS,
    &archive::retention::COMMANDS,
];

/// Some commands, for the same people.
pub struct Offer {
    /// Nodes and names for people.
    pub commands: &'static [(&'static str, &'static str)],
    /// Whether the sender may use them.
    pub allowed: for<'a> fn(&'a IqContext<'a>) -> Allowed<'a>,
    /// Carries one out. The node is one of `commands`.
    pub run: for<'a> fn(&'a IqContext<'a>, &'a Iq, &'static str) -> IqFuture<'a>,
}

/// What [`Offer::allowed`] returns.
pub type Allowed<'a> = Pin<Box<dyn Future<Output = Result<bool, StanzaError>> + Send + 'a>>;

/// The commands that the sender may use, for service discovery (XEP-0050 §2.2).
///
/// # Errors
/// When the store could not be read.
pub async fn list(context: &IqContext<'_>) -> Result<Items, StanzaError> {
    let mut items = Items { node: Some(ns::COMMANDS.into()), ..Items::default() };
    let Ok(domain) = Jid::new(context.server.domain()) else { return Ok(items) };
    for offer in OFFERS {
        if context.session().is_ok() && (offer.allowed)(context).await? {
            let commands = offer.commands.iter();
            items.items.extend(
                commands.map(|(node, name)| {
                    Item::new(domain.clone()).with_node(*node).with_name(*name)
                }),
            );
        }
    }
    Ok(items)
}

/// What a command is (XEP-0050 §2.3); `None` when there is no such command, or not for the sender.
///
/// # Errors
/// When the store could not be read.
pub async fn describe(context: &IqContext<'_>, node: &str) -> Result<Option<Info>, StanzaError> {
    if node == ns::COMMANDS {
        let identity = Identity::new("automation", "command-list");
        return Ok(Some(Info::new().with_node(node).with_identity(identity)));
    }
    let Some((offer, _, name)) = find(node) else { return Ok(None) };
    if context.session().is_err() || !(offer.allowed)(context).await? {
        return Ok(None);
    }
    let identity = Identity::new("automation", "command-node").with_name(name);
    let info = Info::new().with_node(node).with_identity(identity);
    Ok(Some(info.with_features([ns::COMMANDS, ns::DATA_FORMS])))
}

fn find(node: &str) -> Option<(&'static Offer, &'static str, &'static str)> {
    OFFERS.iter().copied().find_map(|offer| {
        let found = offer.commands.iter().find(|(known, _)| *known == node);
        found.map(|(node, name)| (offer, *node, *name))
    })
}

fn command<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let node = iq.payload.attr("node").unwrap_or_default();
        let Some((offer, node, _)) = find(node) else {
            return Err(StanzaError::new(Condition::ItemNotFound));
        };
        context.session()?;
        if !(offer.allowed)(context).await? {
            return Err(StanzaError::new(Condition::Forbidden));
        }
        if iq.payload.attr("action") == Some("cancel") {
            return Ok(Some(answer(iq, node, "canceled", None)));
        }
        (offer.run)(context, iq, node).await
    })
}

/// The answer to a command: where it stands, and the form that goes on or tells the outcome.
pub fn answer(iq: &Iq, node: &str, status: &str, form: Option<Form>) -> Element {
    let session = iq.payload.attr("sessionid").unwrap_or(&iq.id);
    let mut command = Element::new("command", ns::COMMANDS)
        .with_attr("node", node)
        .with_attr("sessionid", session)
        .with_attr("status", status);
    if status == "executing" {
        let actions = Element::new("actions", ns::COMMANDS)
            .with_attr("execute", "complete")
            .with_child(Element::new("complete", ns::COMMANDS));
        command.push(actions);
    }
    command.with_children(form.map(|form| form.to_element()))
}

/// A command that is done, with a sentence for whoever gave it.
pub fn done(iq: &Iq, node: &str, sentence: &str) -> IqAnswer {
    let note = Element::new("note", ns::COMMANDS).with_attr("type", "info").with_text(sentence);
    Ok(Some(answer(iq, node, "completed", None).with_child(note)))
}
