//! XEP-0049: Private XML Storage 1.2

use xmpp::{
    error::{Condition, StanzaError},
    ns,
    xml::{Element, Limits},
};

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, Spec, bookmarks};
use crate::iq::{Iq, IqKind};

/// Keeps small XML documents for a client, one for each root element.
pub const EXTENSION: Extension = Extension {
    name: "private",
    specs: &[Spec { xep: 49, version: "1.2", title: "Private XML Storage" }],
    features: &[(Scope::Server, ns::PRIVATE), (Scope::Account, ns::PRIVATE)],
    iq: &[route(IqKind::Get, get), route(IqKind::Set, set)],
    ..Extension::NOTHING
};

/// Prefix of the store's document keys.
pub const KEY: &str = "private";

const fn route(kind: IqKind, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Own, kind: Some(kind), ns: ns::PRIVATE, name: "query", handler }
}

fn get<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let mut answer = Element::new("query", ns::PRIVATE);
        for asked in documents(&iq.payload)? {
            if is_bookmarks(asked) {
                let account = context.owner()?;
                answer.push(bookmarks::load(context.server, account).await?);
                continue;
            }
            let stored = super::document(context, &key(asked)).await?;
            let stored = stored.and_then(|bytes| Element::parse(&bytes, &Limits::SERVER).ok());
            // XEP-0049 §2.2: what was never stored comes back as it was asked, empty.
            answer.push(stored.unwrap_or_else(|| Element::new(asked.name(), asked.ns())));
        }
        Ok(Some(answer))
    })
}

fn set<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        for document in documents(&iq.payload)? {
            if is_bookmarks(document) {
                let account = context.owner()?;
                bookmarks::save(context.server, account, document).await?;
                continue;
            }
            let bytes = document.to_bytes("");
            super::save_document(context, &key(document), bytes).await?;
        }
        Ok(None)
    })
}

/// The documents of a query: at least one, each in a namespace of its own.
fn documents(query: &Element) -> Result<Vec<&Element>, StanzaError> {
    let documents: Vec<&Element> = query.children().collect();
    let nameless = documents.iter().any(|d| d.ns().is_empty() || d.ns() == ns::PRIVATE);
    if documents.is_empty() || nameless {
        // XEP-0049 §2.2 names this error for a missing or forbidden namespace.
        return Err(StanzaError::new(Condition::NotAcceptable));
    }
    Ok(documents)
}

/// XEP-0048: bookmarks are kept elsewhere, too.
fn is_bookmarks(document: &Element) -> bool {
    document.is("storage", ns::BOOKMARKS_LEGACY)
}

/// The store's key of a document.
#[must_use]
pub fn key(document: &Element) -> String {
    format!("{KEY} {} {}", document.ns(), document.name())
}
