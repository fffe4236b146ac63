//! Writing an account into a file of XEP-0227, with its archive. Read page by page, so that memory is
//! bounded however much there is.

use std::io::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use store::{
    AccountId, Millis, Store,
    accounts::Account,
    archive::{PageError, Paging, Query, Row},
    prefs::Policy,
    pubsub,
    roster::{Item as Contact, Subscription},
};
use xmpp::{
    ext::{delay::Delay, forward},
    ns,
    sasl::Hash,
    time,
    xml::{Element, Limits, escape_attribute_into},
};

use super::{ACCOUNT, PIE, PIE_MAM, PIE_SCRAM};
use crate::{
    config::Config,
    ext::{private, vcard},
    moving::{ExportError, stanza},
    password,
};

type Sink<'a> = &'a mut (dyn Write + Send);

/// Writes an account. Returns how many messages there were.
pub(in crate::moving) async fn write(
    store: &Store,
    config: &Config,
    account: &Account,
    out: Sink<'_>,
) -> Result<u64, ExportError> {
    store.archive.barrier().await?;
    out.write_all(
        b"<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='urn:xmpp:pie:0'>\n",
    )?;
    open(out, "host", &[("jid", &config.domain)])?;
    open(out, "user", &[("name", &account.name)])?;
    identity(store, account, out).await?;
    contacts(store, account.id, out).await?;
    documents(store, account.id, out).await?;
    lists(store, account.id, out).await?;
    nodes(store, account.id, out).await?;
    waiting(store, account.id, &config.domain, out).await?;
    let messages = archive(store, account.id, out).await?;
    out.write_all(b"</user>\n</host>\n</server-data>\n")?;
    out.flush()?;
    Ok(messages)
}

fn open(out: Sink<'_>, name: &str, attributes: &[(&str, &str)]) -> std::io::Result<()> {
    let mut tag = format!("<{name}").into_bytes();
    for (name, value) in attributes {
        tag.extend_from_slice(format!(" {name}='").as_bytes());
        escape_attribute_into(&mut tag, value);
        tag.push(b'\'');
    }
    tag.extend_from_slice(b">\n");
    out.write_all(&tag)
}

fn put(out: Sink<'_>, element: &Element) -> std::io::Result<()> {
    out.write_all(&element.to_bytes(PIE))?;
    out.write_all(b"\n")
}

async fn identity(store: &Store, account: &Account, out: Sink<'_>) -> Result<(), ExportError> {
    for credential in store.accounts.credentials(account.id).await? {
        let Some(keys) = password::keys(&credential) else { continue };
        let mechanism = match keys.hash {
            Hash::Sha1 => "SCRAM-SHA-1",
            Hash::Sha256 => "SCRAM-SHA-256",
            Hash::Sha512 => "SCRAM-SHA-512",
        };
        let part = |name: &str, text: String| Element::new(name, PIE_SCRAM).with_text(text);
        let element = Element::new("scram-credentials", PIE_SCRAM)
            .with_attr("mechanism", mechanism)
            .with_child(part("iter-count", keys.iterations.to_string()))
            .with_child(part("salt", STANDARD.encode(&keys.salt)))
            .with_child(part("server-key", STANDARD.encode(&*keys.server_key)))
            .with_child(part("stored-key", STANDARD.encode(&*keys.stored_key)));
        put(out, &element)?;
    }
    if account.disabled {
        put(out, &Element::new("account", ACCOUNT).with_attr("disabled", "true"))?;
    }
    Ok(())
}

async fn contacts(store: &Store, account: AccountId, out: Sink<'_>) -> Result<(), ExportError> {
    let roster = store.roster.load(account).await?;
    let query = Element::new("query", ns::ROSTER).with_children(roster.items.iter().map(contact));
    put(out, &query)?;
    for request in roster.requests {
        if let Some(presence) = stanza(&request.stanza) {
            put(out, &presence)?;
        }
    }
    Ok(())
}

fn contact(item: &Contact) -> Element {
    let subscription = match item.subscription {
        Subscription::None => "none",
        Subscription::To => "to",
        Subscription::From => "from",
        Subscription::Both => "both",
    };
    let groups = item.groups.iter();
    Element::new("item", ns::ROSTER)
        .with_attr("jid", &*item.jid)
        .with_attr_opt("name", item.name.as_deref())
        .with_attr("subscription", subscription)
        .with_attr_opt("ask", item.ask.then_some("subscribe"))
        .with_attr_opt("approved", item.approved.then_some("true"))
        .with_children(groups.map(|name| Element::new("group", ns::ROSTER).with_text(&**name)))
}

async fn documents(store: &Store, account: AccountId, out: Sink<'_>) -> Result<(), ExportError> {
    let load = async |key: &str| -> Result<Option<Element>, ExportError> {
        let bytes = store.documents.load(account, key).await?;
        Ok(bytes.and_then(|bytes| Element::parse(&bytes, &Limits::TRUSTED).ok()))
    };
    if let Some(card) = load(vcard::KEY).await? {
        put(out, &card)?;
    }
    let keys = store.documents.keys(account, &format!("{} ", private::KEY)).await?;
    for (key, _) in keys {
        if let Some(document) = load(&key).await? {
            put(out, &Element::new("query", ns::PRIVATE).with_child(document))?;
        }
    }
    Ok(())
}

/// Whom the account blocks, and what it wants archived: as clients ask for it.
async fn lists(store: &Store, account: AccountId, out: Sink<'_>) -> Result<(), ExportError> {
    let blocked = store.blocks.load(account).await?;
    if !blocked.is_empty() {
        let item = |jid: &str| Element::new("item", ns::BLOCKING).with_attr("jid", jid);
        let items = blocked.iter().map(|jid| item(jid));
        put(out, &Element::new("blocklist", ns::BLOCKING).with_children(items))?;
    }
    if let Some(prefs) = store.prefs.load(account).await? {
        let default = match prefs.default {
            Policy::Always => "always",
            Policy::Never => "never",
            Policy::Roster => "roster",
        };
        let list = |name: &str, jids: &[Box<str>]| {
            let jids = jids.iter().map(|jid| Element::new("jid", ns::MAM).with_text(&**jid));
            Element::new(name, ns::MAM).with_children(jids)
        };
        let element = Element::new("prefs", ns::MAM)
            .with_attr("default", default)
            .with_child(list("always", &prefs.always))
            .with_child(list("never", &prefs.never));
        put(out, &element)?;
    }
    Ok(())
}

async fn nodes(store: &Store, account: AccountId, out: Sink<'_>) -> Result<(), ExportError> {
    let nodes = store.pubsub.nodes(account).await?;
    if nodes.is_empty() {
        return Ok(());
    }
    let mut owner = Element::new("pubsub", ns::PUBSUB_OWNER);
    for node in &nodes {
        let child =
            |name: &str| Element::new(name, ns::PUBSUB_OWNER).with_attr("node", &*node.name);
        let form = Element::parse(&node.config, &Limits::TRUSTED).ok();
        owner.push(child("configure").with_children(form));
        if !node.affiliations.is_empty() {
            owner.push(child("affiliations").with_children(node.affiliations.iter().map(|pair| {
                Element::new("affiliation", ns::PUBSUB_OWNER)
                    .with_attr("jid", &*pair.0)
                    .with_attr("affiliation", &*pair.1)
            })));
        }
        if !node.subscriptions.is_empty() {
            owner.push(child("subscriptions").with_children(node.subscriptions.iter().map(
                |one| {
                    Element::new("subscription", ns::PUBSUB_OWNER)
                        .with_attr("jid", &*one.jid)
                        .with_attr(
                            "subscription",
                            if one.pending { "pending" } else { "subscribed" },
                        )
                },
            )));
        }
    }
    put(out, &owner)?;
    out.write_all(b"<pubsub xmlns='http://jabber.org/protocol/pubsub'>\n")?;
    for node in &nodes {
        open(out, "items", &[("node", &node.name)])?;
        items(store, account, &node.name, out).await?;
        out.write_all(b"</items>\n")?;
    }
    out.write_all(b"</pubsub>\n")?;
    Ok(())
}

async fn items(
    store: &Store,
    account: AccountId,
    node: &str,
    out: Sink<'_>,
) -> Result<(), ExportError> {
    let mut select = pubsub::Select::First;
    loop {
        let query = pubsub::Query {
            node: node.into(),
            select,
            max: PAGE,
            max_bytes: PAGE_BYTES,
            horizon: None,
            ids_only: false,
            order: pubsub::Order::Modified,
            descending: false,
        };
        let page = store.pubsub.items(account, query).await.map_err(|error| match error {
            pubsub::PageError::Store(error) => ExportError::Store(error),
            pubsub::PageError::UnknownItem => store::StoreError::Internal(error.to_string()).into(),
        })?;
        for item in &page.items {
            let payload = item.payload.as_deref();
            let payload = payload.and_then(|bytes| Element::parse(bytes, &Limits::TRUSTED).ok());
            let element = Element::new("item", ns::PUBSUB)
                .with_attr("id", &*item.id)
                .with_attr("publisher", &*item.publisher)
                .with_children(payload);
            out.write_all(&element.to_bytes(ns::PUBSUB))?;
            out.write_all(b"\n")?;
        }
        match page.items.into_iter().last() {
            Some(last) => select = pubsub::Select::After(last.id),
            None => return Ok(()),
        }
    }
}

async fn waiting(
    store: &Store,
    account: AccountId,
    domain: &str,
    out: Sink<'_>,
) -> Result<(), ExportError> {
    let mut after = 0;
    let mut begun = false;
    loop {
        let rows = store.archive.pending(account, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in &rows {
            let Some(message) = stanza(&row.stanza) else { continue };
            if !std::mem::replace(&mut begun, true) {
                out.write_all(b"<offline-messages>\n")?;
            }
            let delay = Element::new("delay", ns::DELAY)
                .with_attr("from", domain)
                .with_attr("stamp", stamp(row.at).xep0082());
            put(out, &message.with_child(delay))?;
        }
    }
    if begun {
        out.write_all(b"</offline-messages>\n")?;
    }
    Ok(())
}

fn stamp(at: Millis) -> time::Millis {
    time::Millis(at.0)
}

async fn archive(store: &Store, account: AccountId, out: Sink<'_>) -> Result<u64, ExportError> {
    let mut count = 0;
    let mut paging = Paging::First;
    out.write_all(format!("<archive xmlns='{PIE_MAM}'>\n").as_bytes())?;
    loop {
        let query = Query { page: paging, max: PAGE, ..Query::default() };
        let page = store.archive.page(account, query).await.map_err(|error| match error {
            PageError::Store(error) => ExportError::Store(error),
            PageError::UnknownId(_) => store::StoreError::Internal(error.to_string()).into(),
        })?;
        for row in &page.rows {
            out.write_all(&result(row))?;
            count += 1;
        }
        match page.rows.last() {
            Some(last) if !page.complete => paging = Paging::After(last.id),
            _ => break,
        }
    }
    out.write_all(b"</archive>\n")?;
    Ok(count)
}

fn result(row: &Row) -> Vec<u8> {
    let mut xml = format!("<result xmlns='{}' id='{}'>", ns::MAM, row.id).into_bytes();
    forward::write_forwarded(&mut xml, &row.stanza, Some(&Delay::new(stamp(row.at))));
    xml.extend_from_slice(b"</result>\n");
    xml
}

const PAGE: u32 = 200;
const PAGE_BYTES: u64 = 1024 * 1024;
