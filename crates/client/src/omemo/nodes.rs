//! The nodes of this device: what is in them, and who may read them.

use omemo::BundleParts;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::ext::{omemo_legacy, omemo2};
use xmpp::ns;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};
use crate::iq::{Answer, describe};
use crate::pep::Options;
use crate::store::Version;
use crate::view::{Notification, Occasion};

use super::notes;

/// Looks once whether the server did as the options said; some ignore them. A node that not
/// everybody can read would keep strangers from writing encrypted.
pub(super) fn check(cx: &mut Cx<'_>, node: String, options: Options) -> Step {
    if cx.state.features.omemo.notes.checked.contains(&node) {
        return Ok(());
    }
    let configure = Element::new("configure", ns::PUBSUB_OWNER).with_attr("node", &node);
    let query = Element::new("pubsub", ns::PUBSUB_OWNER).with_child(configure);
    cx.iq_get(None, query, move |cx, answer| {
        let form = answer
            .payload("pubsub", ns::PUBSUB_OWNER)
            .and_then(|pubsub| pubsub.child("configure", ns::PUBSUB_OWNER))
            .and_then(Form::child_of);
        match (form, &answer) {
            (Some(form), _) if !is_right(&form, options) => {
                configure_node(cx, node, &form, options)
            }
            (_, Answer::Lost) => Ok(()),
            // It is right, or the server does not tell.
            _ => checked(cx, node),
        }
    })
}

fn is_right(form: &Form, options: Options) -> bool {
    let value = |name: &str| form.value(name).map(str::to_owned);
    let open = value("pubsub#access_model").is_none_or(|model| model == "open");
    let kept = form.boolean("pubsub#persist_items").unwrap_or(true);
    let enough = !options.many
        || value("pubsub#max_items").is_none_or(|most| {
            most == "max" || most.parse::<u32>().is_ok_and(|most| most >= ENOUGH_ITEMS)
        });
    open && kept && enough
}

fn configure_node(cx: &mut Cx<'_>, node: String, form: &Form, options: Options) -> Step {
    let mut wanted = Form::typed(FormType::Submit, ns::PUBSUB_NODE_CONFIG)
        .with_field(Field::untyped("pubsub#persist_items").with_value("true"))
        .with_field(Field::untyped("pubsub#access_model").with_value("open"));
    if options.many {
        // A server that shows a number here may not know the word.
        let number = form.value("pubsub#max_items").is_some_and(|most| most.parse::<u32>().is_ok());
        let most = if number { ENOUGH_ITEMS.to_string() } else { "max".to_owned() };
        wanted = wanted.with_field(Field::untyped("pubsub#max_items").with_value(most));
    }
    let configure = Element::new("configure", ns::PUBSUB_OWNER)
        .with_attr("node", &node)
        .with_child(wanted.to_element());
    let query = Element::new("pubsub", ns::PUBSUB_OWNER).with_child(configure);
    cx.iq_set(None, query, move |cx, answer| match answer {
        Answer::Result(_) => checked(cx, node),
        Answer::Error(error) => complain(cx, "who may read this device's keys", &describe(&error)),
        Answer::Lost => Ok(()),
    })
}

fn checked(cx: &mut Cx<'_>, node: String) -> Step {
    let checked = &mut cx.state.features.omemo.notes.checked;
    if !checked.contains(&node) {
        checked.push(node);
    }
    notes::save(cx)
}

/// Says once in a session that others may not be able to write to this device.
pub(super) fn complain(cx: &mut Cx<'_>, what: &str, reason: &str) -> Step {
    if !std::mem::replace(&mut cx.state.features.omemo.own.complained, true) {
        let text = format!(
            "The server does not accept {what} ({reason}). Others may not be able to write to this \
             device encrypted."
        );
        let conversation = cx.me.clone();
        let title = "Encryption".to_owned();
        let occasion = Occasion::Said { title, text };
        cx.notify(Notification { conversation, occasion, message: None });
    }
    Ok(())
}

/// A bundle as it is published.
pub(super) fn bundle_element(version: Version, parts: BundleParts) -> Option<Element> {
    fn key<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
        bytes.try_into().ok()
    }
    let signature = key(&parts.signature)?;
    match version {
        Version::Omemo2 => {
            let prekeys = parts.pre_keys.iter().map(|(id, bytes)| Some((*id, key(bytes)?)));
            let bundle = omemo2::Bundle {
                identity: key(&parts.identity_key)?,
                signed_prekey: (parts.signed_pre_key_id, key(&parts.signed_pre_key)?),
                signature,
                prekeys: prekeys.collect::<Option<_>>()?,
            };
            Some(bundle.to_element())
        }
        Version::Legacy => {
            let prekeys = parts.pre_keys.iter().map(|(id, bytes)| Some((*id, key(bytes)?)));
            let bundle = omemo_legacy::Bundle {
                identity: key(&parts.identity_key)?,
                signed_prekey: (parts.signed_pre_key_id, key(&parts.signed_pre_key)?),
                signature,
                prekeys: prekeys.collect::<Option<_>>()?,
            };
            Some(bundle.to_element())
        }
    }
}

/// A node for bundles must hold at least so many.
const ENOUGH_ITEMS: u32 = 256;
