//! XEP-0030: what the own account and its server can do

use std::collections::BTreeSet;

use xmpp::ext::disco::Info;
use xmpp::jid::Jid;
use xmpp::ns;
use xmpp::xml::Element;

use super::Feature;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::store::Store;

pub(crate) const FEATURE: Feature =
    Feature { name: "server", online: Some(on_online), ended: Some(on_ended), ..Feature::NOTHING };

/// What was told.
#[derive(Default)]
pub(crate) struct State {
    /// Features of the account, and of its server, in this session.
    features: BTreeSet<String>,
    /// How many of both have not answered.
    awaited: u8,
    /// The archive's ids can be believed; as the last session ended, until this one's answer.
    stanza_ids: bool,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        Ok(Self { stanza_ids: store.value(STANZA_IDS)?.is_some(), ..Self::default() })
    }
}

/// Asks both, before anything makes the server send messages.
fn on_online(cx: &mut Cx<'_>) -> Step {
    let domain = Jid::new(cx.me.domain().as_str()).ok();
    cx.state.features.server.awaited = 2;
    for to in [None, domain] {
        cx.iq_get(to, Element::new("query", ns::DISCO_INFO), on_info)?;
    }
    Ok(())
}

fn on_info(cx: &mut Cx<'_>, answer: Answer) -> Step {
    if answer == Answer::Lost {
        return Ok(());
    }
    let info = answer.payload("query", ns::DISCO_INFO).and_then(Info::parse);
    let features = info.map(|info| info.features).unwrap_or_default();
    let server = &mut cx.state.features.server;
    server.features.extend(features.into_iter().take(MAX_FEATURES));
    server.awaited = server.awaited.saturating_sub(1);
    let ids = server.features.contains(ns::STANZA_ID);
    // One of both saying nothing of it proves nothing while the other has not answered.
    if (ids || server.awaited == 0) && server.stanza_ids != ids {
        server.stanza_ids = ids;
        cx.store.save_value(STANZA_IDS, ids.then_some(&[1]))?;
    }
    Ok(())
}

fn on_ended(cx: &mut Cx<'_>) -> Step {
    let server = &mut cx.state.features.server;
    server.features.clear();
    server.awaited = 0;
    Ok(())
}

/// Whether the account or its server said in this session that it has a feature.
pub(crate) fn offers(cx: &Cx<'_>, feature: &str) -> bool {
    cx.state.features.server.features.contains(feature)
}

/// Whether nobody but the account's archive can have made a `<stanza-id/>` in its name (XEP-0359 §6):
/// a server that announces it removes those of others.
pub(crate) fn makes_stanza_ids(cx: &Cx<'_>) -> bool {
    cx.state.features.server.stanza_ids
}

/// The name under which is stored that ids can be believed.
const STANZA_IDS: &str = "stanza-ids";
/// More features than this are not remembered.
const MAX_FEATURES: usize = 1000;
