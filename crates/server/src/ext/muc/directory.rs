//! What the service says of itself and of its rooms (XEP-0045 §6.1 to §6.3).

use std::{collections::HashMap, sync::Arc};

use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        rsm,
    },
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    xml::Element,
};

use super::{
    carry::deliver,
    kept::Kept,
    service::{Sender, address},
};
use crate::{
    ext::{Scope, features, forms},
    server::Server,
    session::frame::Frame,
};

/// Requests to the service itself (§6.1 to §6.3).
pub(super) async fn answer(
    server: &Arc<Server>,
    sender: &Sender<'_>,
    to: &Jid,
    stanza: &Stanza,
) -> Result<(), StanzaError> {
    let get = stanza.kind() == Kind::Iq && stanza.type_().as_deref() == Some("get");
    let (Some(payload), Some(id)) = (stanza.children().next(), stanza.id()) else {
        return Err(StanzaError::new(Condition::BadRequest));
    };
    if !get {
        return Err(StanzaError::new(Condition::ServiceUnavailable));
    }
    let payload = payload.element();
    let answer = match (payload.ns(), payload.attr("node")) {
        (ns::DISCO_INFO, None) => {
            let config = server.config();
            let info = Info::new()
                .with_identity(Identity::new("conference", "text").with_name("Rooms"))
                .with_features(features(&config, Scope::Rooms));
            let info = forms(&config, Scope::Rooms).into_iter().fold(info, Info::with_form);
            Some(info.to_element())
        }
        (ns::DISCO_ITEMS, None) => Some(public_rooms(server, &payload).await?.to_element()),
        (ns::DISCO_INFO | ns::DISCO_ITEMS, Some(_)) => {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        (ns::PING, _) => None,
        _ => return Err(StanzaError::new(Condition::ServiceUnavailable)),
    };
    let iq = Element::new("iq", ns::CLIENT)
        .with_attr("from", to.as_str())
        .with_attr("to", sender.jid.as_str())
        .with_attr("type", "result")
        .with_attr("id", id.as_ref())
        .with_children(answer);
    let frame = Frame::iq(iq.to_bytes(ns::CLIENT));
    deliver(server, &HashMap::new(), sender, sender.jid, frame);
    Ok(())
}

/// The rooms that want to be found.
async fn public_rooms(server: &Arc<Server>, query: &Element) -> Result<Items, StanzaError> {
    let mut found: Vec<(String, Item)> = Vec::new();
    let mut after: Option<Box<str>> = None;
    loop {
        let page = server.store.rooms.list(after.as_deref(), PAGE).await;
        let page = page.map_err(|error| server.store_failed("rooms", &error))?;
        for row in &page {
            let Ok(kept) = serde_json::from_slice::<Kept>(&row.state) else { continue };
            let Some(jid) = address(server, &row.name).filter(|_| kept.is_public()) else {
                continue;
            };
            let item = Item::new(Jid::from(jid.clone()));
            found.push((
                jid.to_string(),
                match kept.name() {
                    "" => item.with_name(&*row.name),
                    name => item.with_name(name),
                },
            ));
        }
        match page.last() {
            Some(last) if found.len() < MOST_LISTED => after = Some(last.name.clone()),
            _ => break,
        }
    }
    let Some(request) = rsm::Request::child_of(query) else {
        let items = found.into_iter().map(|(_, item)| item).collect();
        return Ok(Items { items, ..Items::default() });
    };
    let (page, described) = rsm::page(&found, |(jid, _)| jid, &request, PAGE as usize)
        .map_err(|_| StanzaError::new(Condition::ItemNotFound))?;
    let items = page.iter().map(|(_, item)| item.clone()).collect();
    Ok(Items { items, page: Some(described), ..Items::default() })
}

/// Rooms read at a time, and on one page of the list.
const PAGE: u32 = 200;
const MOST_LISTED: usize = 5000;
