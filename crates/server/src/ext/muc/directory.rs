//! What the service says of itself and of its rooms (XEP-0045 §6.1 to §6.3).

use std::{collections::HashMap, sync::Arc};

use store::rooms::{Listed, Select};
use xmpp::{
    error::{Condition, StanzaError},
    ext::{
        disco::{Identity, Info, Item, Items},
        rsm::{self, Position},
    },
    jid::{BareJid, Jid},
    ns,
    stanza::{Kind, Stanza},
    xml::Element,
};

use super::{
    carry::deliver,
    service::{Sender, address},
};
use crate::{
    ext::{Scope, features, forms, pages},
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

/// The rooms that want to be found, in order of name: a page of them where one is asked for, and whenever
/// they do not all fit into one answer (§6.3).
pub(super) async fn public_rooms(
    server: &Arc<Server>,
    query: &Element,
) -> Result<Items, StanzaError> {
    let asked = rsm::Request::child_of(query);
    let (request, most) = match asked.clone() {
        Some(request) => (request, PAGE),
        None => (rsm::Request::default(), UNPAGED),
    };
    let most = request.max.map_or(most, |max| most.min(u32::try_from(max).unwrap_or(most)));
    let failed = |error| server.store_failed("rooms", &error);
    let select = select(server, &request.position)?;
    let listed = match most {
        0 => Vec::new(),
        most => server.store.rooms.list(true, select, most).await.map_err(failed)?,
    };
    let items: Vec<Item> = listed.iter().filter_map(|room| item(server, room)).collect();
    let room = pages::room(&server.config());
    let page = pages::fit(&items, &request.position, room, Item::to_element);
    let items = items.get(page.clone()).unwrap_or_default();
    let first = listed.get(page.start).map_or("", |room| &room.name);
    let (before, count) = server.store.rooms.count_public(first).await.map_err(failed)?;
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let ids = items.iter().map(|item| item.jid.as_str());
    let described = pages::described(ids, number(before), number(count));
    let partial = asked.is_some() || number(count) > items.len();
    Ok(Items { items: items.to_vec(), page: partial.then_some(described), ..Items::default() })
}

fn item(server: &Server, room: &Listed) -> Option<Item> {
    let item = Item::new(Jid::from(address(server, &room.name)?));
    Some(item.with_name(if room.card.title.is_empty() { &*room.name } else { &*room.card.title }))
}

/// The place of a page. A room that is gone still has one: the list is in order of name.
fn select(server: &Server, position: &Position) -> Result<Select, StanzaError> {
    let service = server.config().rooms.address(server.domain());
    let name = |jid: &str| {
        let jid = BareJid::new(jid).ok().filter(|jid| jid.domain().as_str() == service);
        let name = jid.and_then(|jid| jid.node().map(|node| node.as_str().into()));
        name.ok_or_else(|| StanzaError::new(Condition::ItemNotFound))
    };
    Ok(match position {
        Position::First => Select::First,
        Position::After(jid) => Select::After(name(jid)?),
        Position::Before(jid) => Select::Before(name(jid)?),
        Position::Last => Select::Last,
        Position::Index(place) => Select::From(u64::try_from(*place).unwrap_or(u64::MAX)),
    })
}

/// Rooms on one page of the list.
const PAGE: u32 = 200;
/// Rooms in an answer to somebody who asked for no page.
const UNPAGED: u32 = 2000;
