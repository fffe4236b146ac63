//! XEP-0048: Bookmarks 1.2, in step with XEP-0402: PEP Native Bookmarks
//!
//! The items of the node `urn:xmpp:bookmarks:1` are the truth. What older clients keep in private
//! storage (XEP-0049), or as one item of the node `storage:bookmarks` (XEP-0223), is translated when it
//! is written and made anew when it is read.

use std::sync::Arc;

use xmpp::{
    error::StanzaError,
    ext::{bookmarks::Bookmark, pubsub::Item},
    ns,
    xml::{Element, Limits},
};

use super::{
    Extension, Scope, Spec, document_of,
    pubsub::{self, AccessModel},
    save_document_of,
};
use crate::{account::Account, server::Server};

/// Keeps the three forms of bookmarks in step.
pub const EXTENSION: Extension = Extension {
    name: "bookmarks",
    specs: &[Spec { xep: 48, version: "1.2", title: "Bookmarks" }],
    features: &[
        (Scope::Account, ns::BOOKMARKS_COMPAT),
        (Scope::Account, ns::BOOKMARKS_COMPAT_PEP),
        (Scope::Account, ns::BOOKMARKS_CONVERSION),
    ],
    ..Extension::NOTHING
};

/// The document in private storage: what is no room stays there.
const KEY: &str = "private storage:bookmarks storage";

/// The bookmarks as private storage shows them.
///
/// # Errors
/// When the store could not be read.
pub async fn load(server: &Arc<Server>, account: &Arc<Account>) -> Result<Element, StanzaError> {
    let mut storage = others(server, account).await?;
    let old = Bookmark::from_storage(&storage);
    if !old.is_empty() {
        // Of before the forms were in step.
        let known = current(server, account).await?;
        let missing = old.iter().filter(|one| !known.iter().any(|(new, _)| new.room == one.room));
        for bookmark in missing {
            publish(server, account, bookmark, None).await?;
        }
        storage.retain_children(|child| !is_room(child));
        keep_others(server, account, &storage).await?;
    }
    let rooms = current(server, account).await?;
    Ok(storage.with_children(rooms.iter().map(|(bookmark, _)| bookmark.to_legacy())))
}

/// Takes what an older client wrote into private storage.
///
/// # Errors
/// As for a publication of the owner.
pub async fn save(
    server: &Arc<Server>,
    account: &Arc<Account>,
    storage: &Element,
) -> Result<(), StanzaError> {
    let mut others = storage.clone();
    others.retain_children(|child| !is_room(child));
    keep_others(server, account, &others).await?;
    translate(server, account, storage).await?;
    show(server, account).await
}

/// Called after one of the account's nodes changed.
pub async fn node_changed(server: &Arc<Server>, account: &Arc<Account>, node: &str) {
    let done = match node {
        ns::BOOKMARKS => show(server, account).await,
        ns::BOOKMARKS_LEGACY => take_from_node(server, account).await,
        _ => return,
    };
    if let Err(error) = done {
        // The client's own publication is done; another device may miss a bookmark.
        tracing::debug!(condition = error.condition.name(), "bookmarks are not in step");
    }
}

/// An older client published the one item with everything in it.
async fn take_from_node(server: &Arc<Server>, account: &Arc<Account>) -> Result<(), StanzaError> {
    let item = pubsub::own_item(server, account, ns::BOOKMARKS_LEGACY, None).await?;
    let payload = item.and_then(|item| item.payload);
    match payload.filter(|payload| payload.is("storage", ns::BOOKMARKS_LEGACY)) {
        Some(storage) => translate(server, account, &storage).await,
        None => Ok(()),
    }
}

/// Makes the items say what the old form says.
async fn translate(
    server: &Arc<Server>,
    account: &Arc<Account>,
    storage: &Element,
) -> Result<(), StanzaError> {
    let wanted = Bookmark::from_storage(storage);
    let known = current(server, account).await?;
    for bookmark in &wanted {
        let old = known.iter().find(|(old, _)| old.room == bookmark.room);
        if old.is_none_or(|(old, _)| old != bookmark) {
            publish(server, account, bookmark, old.map(|(_, payload)| payload)).await?;
        }
    }
    let gone = known.iter().filter(|(old, _)| !wanted.iter().any(|new| new.room == old.room));
    let gone: Vec<String> = gone.map(|(old, _)| old.room.to_string()).collect();
    pubsub::retract_own(server, account, ns::BOOKMARKS, &gone).await
}

/// Makes the old node say what the items say, if that is news.
async fn show(server: &Arc<Server>, account: &Arc<Account>) -> Result<(), StanzaError> {
    let rooms = current(server, account).await?;
    let shown = pubsub::own_item(server, account, ns::BOOKMARKS_LEGACY, None).await?;
    let shown = shown.and_then(|item| item.payload);
    let same = shown.as_ref().map(Bookmark::from_storage).unwrap_or_default();
    if same.len() == rooms.len() && rooms.iter().all(|(room, _)| same.contains(room)) {
        return Ok(());
    }
    let mut storage = shown.unwrap_or_else(|| Element::new("storage", ns::BOOKMARKS_LEGACY));
    storage.retain_children(|child| !is_room(child));
    let storage = storage.with_children(rooms.iter().map(|(room, _)| room.to_legacy()));
    let item = Item::new("current").with_payload(storage);
    let access = AccessModel::Whitelist;
    pubsub::publish_own(server, account, ns::BOOKMARKS_LEGACY, item, access).await
}

async fn publish(
    server: &Arc<Server>,
    account: &Arc<Account>,
    bookmark: &Bookmark,
    old: Option<&Element>,
) -> Result<(), StanzaError> {
    let item = Item::new(bookmark.room.as_str()).with_payload(bookmark.to_payload(old));
    let access = AccessModel::Whitelist;
    pubsub::publish_own(server, account, ns::BOOKMARKS, item, access).await
}

/// The bookmarks with the payloads of their items.
async fn current(
    server: &Arc<Server>,
    account: &Arc<Account>,
) -> Result<Vec<(Bookmark, Element)>, StanzaError> {
    let items = pubsub::own_items(server, account, ns::BOOKMARKS).await?;
    let read =
        |(id, payload): (String, Element)| Some((Bookmark::from_item(&id, &payload)?, payload));
    Ok(items.into_iter().filter_map(read).collect())
}

/// What private storage holds beside rooms.
async fn others(server: &Server, account: &Account) -> Result<Element, StanzaError> {
    let stored = document_of(server, account.id, KEY).await?;
    let stored = stored.and_then(|bytes| Element::parse(&bytes, &Limits::SERVER).ok());
    Ok(stored.unwrap_or_else(|| Element::new("storage", ns::BOOKMARKS_LEGACY)))
}

async fn keep_others(
    server: &Server,
    account: &Account,
    storage: &Element,
) -> Result<(), StanzaError> {
    save_document_of(server, account.id, KEY, storage.to_bytes("")).await
}

fn is_room(child: &Element) -> bool {
    child.is("conference", ns::BOOKMARKS_LEGACY)
}
