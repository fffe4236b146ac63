//! XEP-0030: Service Discovery 2.5.0, XEP-0115 for the server itself, XEP-0157 contact addresses

use std::sync::Arc;

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        caps::Caps,
        disco::{Identity, Info, Item, Items},
        form::{Field, FieldType, Form, FormType},
    },
    jid::Jid,
    ns,
    xml::Element,
};

use super::{
    Extension, IqContext, IqFuture, IqRoute, Scope, Spec, commands, data_policy, features, forms,
};
use crate::{
    account::Account,
    config::Config,
    iq::{Iq, IqKind},
};

/// Says what the server and its accounts can do.
pub const EXTENSION: Extension = Extension {
    name: "disco",
    specs: &[
        Spec { xep: 30, version: "2.5.0", title: "Service Discovery" },
        Spec { xep: 115, version: "1.6.0", title: "Entity Capabilities" },
        Spec { xep: 157, version: "1.1.1", title: "Contact Addresses for XMPP Services" },
    ],
    features: &[
        (Scope::Server, ns::DISCO_INFO),
        (Scope::Server, ns::DISCO_ITEMS),
        (Scope::Account, ns::DISCO_INFO),
        (Scope::Account, ns::DISCO_ITEMS),
    ],
    forms: &[(Scope::Server, contact_form)],
    iq: &[
        route(Scope::Server, ns::DISCO_INFO, server_info),
        route(Scope::Server, ns::DISCO_ITEMS, server_items),
        route(Scope::Account, ns::DISCO_INFO, account_info),
        route(Scope::Account, ns::DISCO_ITEMS, account_items),
    ],
    ..Extension::NOTHING
};

/// The node under which the server's capabilities are announced (XEP-0115 §4).
const CAPS_NODE: &str = "https://anemone.im";

const fn route(scope: Scope, ns: &'static str, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope, kind: Some(IqKind::Get), ns, name: "query", handler }
}

/// The `<c/>` element that stands in stream features (XEP-0115 §6.3).
#[must_use]
pub fn stream_feature(config: &Config) -> Element {
    Caps::of(CAPS_NODE, &describe(config)).to_element()
}

/// Whether whoever asks may see what `account` can do: the account itself, and whoever is
/// subscribed to its presence. Everybody else gets the answer of an account that does not exist
/// (XEP-0030 §7).
#[must_use]
pub fn may_see(context: &IqContext<'_>, account: &Arc<Account>) -> bool {
    let asker = context.asker.bare();
    asker == *account.jid() || account.lock().roster.shows_presence_to(&asker)
}

fn server_info<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let info = describe(&context.server.config());
        match iq.payload.attr("node") {
            None => Ok(Some(info.to_element())),
            // XEP-0115 §6.2: the node of the announced capabilities answers the same.
            Some(node) if node == Caps::of(CAPS_NODE, &info).disco_node() => {
                Ok(Some(info.with_node(node).to_element()))
            }
            Some(node) => match commands::describe(context, node).await? {
                Some(info) => Ok(Some(info.to_element())),
                None => Err(StanzaError::new(Condition::ItemNotFound)),
            },
        }
    })
}

fn server_items<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        match iq.payload.attr("node") {
            None => {
                let config = context.server.config();
                let services = super::muc::item(&config).into_iter();
                let connected = context.server.components.all();
                let components = connected.iter().filter_map(|link| Jid::new(&link.domain).ok());
                let items = services
                    .chain(super::upload::item(&config))
                    .chain(super::pubsub::service::item(&config))
                    .chain(super::bytestreams::item(context.server))
                    .chain(components.map(Item::new))
                    .collect();
                let items = Items { items, ..Items::default() };
                Ok(Some(items.to_element()))
            }
            Some(ns::COMMANDS) => Ok(Some(commands::list(context).await?.to_element())),
            Some(node) => match commands::describe(context, node).await? {
                Some(_) => {
                    let items = Items { node: Some(node.into()), ..Items::default() };
                    Ok(Some(items.to_element()))
                }
                None => Err(StanzaError::new(Condition::ItemNotFound)),
            },
        }
    })
}

fn account_info<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let account = visible(context)?;
        if let Some(node) = iq.payload.attr("node") {
            return super::pubsub::node_info(context, node).await;
        }
        let described = Info::new()
            .with_identity(Identity::new("account", "registered"))
            .with_identity(Identity::new("pubsub", "pep"))
            .with_features(features(&context.server.config(), Scope::Account));
        let forms = super::push::disco_form(context.server).into_iter();
        let forms = forms.chain(data_policy::of_account(context, account).await);
        let info = forms.fold(described, Info::with_form);
        Ok(Some(info.to_element()))
    })
}

fn account_items<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        visible(context)?;
        super::pubsub::node_items(context, &iq.payload).await
    })
}

fn visible<'a>(context: &'a IqContext<'a>) -> Result<&'a Arc<Account>, StanzaError> {
    let account = context.account.filter(|account| may_see(context, account));
    account.ok_or_else(|| StanzaError::new(Condition::ServiceUnavailable))
}

fn describe(config: &Config) -> Info {
    let name = config.front_door.title.as_deref().unwrap_or("Anemone").to_owned();
    let info = Info::new()
        .with_identity(Identity::new("server", "im").with_name(name))
        .with_features(features(config, Scope::Server));
    forms(config, Scope::Server).into_iter().fold(info, Info::with_form)
}

/// XEP-0157: whom to ask, as far as the operator said so.
fn contact_form(config: &Config) -> Option<Form> {
    let mut form = Form::typed(FormType::Result, ns::SERVER_INFO);
    let mut any = false;
    for (kind, addresses) in config.contact.addresses() {
        if !addresses.is_empty() {
            let field = Field::new(format!("{kind}-addresses"), FieldType::ListMulti);
            form = form.with_field(field.with_values(addresses.iter().cloned()));
            any = true;
        }
    }
    any.then_some(form)
}
