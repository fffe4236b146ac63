//! XEP-0377: Blocking Command Reports 0.4.1
//!
//! A report goes to the people who run the server: they keep it (`anemone report`), and administrators
//! get a message. It is not sent to anybody else, whatever the reporter allows.

use std::{sync::Arc, time::Instant};

use store::{
    AccountId, Store, StoreError,
    pubsub::{Change, PageError, Query, Select},
};
use xmpp::{
    error::StanzaError,
    ext::pubsub::Item,
    jid::Jid,
    ns,
    stanza::Stanza,
    xml::{Element, Limits},
};

use super::{Extension, Scope, Spec, pubsub};
use crate::{account::Account, router::message, server::Server};

/// Takes reports.
pub const EXTENSION: Extension = Extension {
    name: "reporting",
    specs: &[Spec { xep: 377, version: "0.4.1", title: "Blocking Command Reports" }],
    features: &[(Scope::Server, ns::REPORTING)],
    ..Extension::NOTHING
};

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who was blocked: any address that can be.
    pub jid: String,
    /// Who blocked it.
    pub by: String,
    /// `spam`, `abuse`, or another reason by its whole name.
    pub reason: String,
    /// What the reporter wrote, cut to [`MAX_TEXT`] characters.
    pub text: Option<String>,
    /// Archive ids of messages that the reporter means.
    pub messages: Vec<String>,
}

/// Characters of a report's text.
pub const MAX_TEXT: usize = 2000;
/// Bytes of an id in one; a longer one names no message.
const MAX_ID: usize = 200;
/// Messages of one report.
const MAX_MESSAGES: usize = 20;
/// The node of the pubsub service that keeps them, which nobody else sees. It holds as many as a
/// node does; the oldest go.
const NODE: &str = "reports";
/// The namespace of what stands in that node.
const KEPT: &str = "urn:anemone:report:0";

impl Report {
    /// Reads a report about `jid`; `None` when it gives no reason.
    #[must_use]
    pub fn parse(report: &Element, jid: &Jid, by: &str) -> Option<Self> {
        let reason = report.attr("reason").filter(|reason| !reason.is_empty())?;
        let reason = reason.strip_prefix("urn:xmpp:reporting:").unwrap_or(reason);
        let text = report.child("text", ns::REPORTING).map(Element::text);
        let text = text.map(|text| text.trim().chars().take(MAX_TEXT).collect::<String>());
        let ids = report.children().filter(|child| child.is("stanza-id", ns::STANZA_ID));
        let ids = ids.filter_map(|id| id.attr("id")).filter(|id| id.len() <= MAX_ID);
        let ids = ids.map(str::to_owned);
        Some(Self {
            jid: jid.as_str().to_owned(),
            by: by.to_owned(),
            reason: reason.chars().take(MAX_TEXT).collect(),
            text: text.filter(|text| !text.is_empty()),
            messages: ids.take(MAX_MESSAGES).collect(),
        })
    }

    fn to_element(&self) -> Element {
        let text = self.text.iter().map(|text| Element::new("text", KEPT).with_text(text));
        let ids = self.messages.iter().map(|id| Element::new("message", KEPT).with_attr("id", id));
        Element::new("report", KEPT)
            .with_attr("jid", &self.jid)
            .with_attr("by", &self.by)
            .with_attr("reason", &self.reason)
            .with_children(text)
            .with_children(ids)
    }

    fn restore(element: &Element) -> Option<Self> {
        let attr = |name: &str| element.attr(name).map(str::to_owned);
        let messages = element.children().filter(|child| child.is("message", KEPT));
        Some(Self {
            jid: attr("jid")?,
            by: attr("by")?,
            reason: attr("reason")?,
            text: element.child("text", KEPT).map(Element::text),
            messages: messages.filter_map(|id| id.attr("id").map(str::to_owned)).collect(),
        })
    }

    /// The report in a sentence.
    fn sentence(&self) -> String {
        let Self { jid, by, reason, text, .. } = self;
        let said = text.as_ref().map(|text| format!("\n\n{text}")).unwrap_or_default();
        format!("{by} blocked {jid} and reports: {reason}.{said}")
    }
}

/// Takes the reports that came along with a block that was put into force.
pub(super) async fn received(server: Arc<Server>, account: Arc<Account>, reports: Vec<Report>) {
    let admins = match server.store.accounts.admins().await {
        Ok(admins) => admins,
        Err(error) => {
            server.store_failed("reports", &error);
            Vec::new()
        }
    };
    for report in reports {
        if !server.reports.take(account.bare(), Instant::now()) {
            tracing::debug!("an account reports too much");
            return;
        }
        // The block stands in any case.
        if let Err(error) = keep(&server, &report).await {
            tracing::warn!(error = error.condition.name(), "a report could not be kept");
        }
        tell(&server, &admins, &report).await;
    }
}

async fn keep(server: &Arc<Server>, report: &Report) -> Result<(), StanzaError> {
    let mut item = Item::new(pubsub::fresh_name(server));
    item.payloads.push(report.to_element());
    let access = pubsub::AccessModel::Whitelist;
    pubsub::publish_own(server, &server.pubsub(), NODE, item, access).await
}

async fn tell(server: &Arc<Server>, admins: &[store::accounts::Account], report: &Report) {
    for admin in admins {
        let Ok(to) = server.address(&admin.name) else { continue };
        let message = Element::new("message", ns::CLIENT)
            .with_attr("from", server.domain())
            .with_attr("to", to.as_str())
            .with_attr("type", "chat")
            .with_attr("id", server.fresh_id())
            .with_child(Element::new("body", ns::CLIENT).with_text(report.sentence()));
        if let Ok(message) = Stanza::parse(message.to_bytes(ns::CLIENT), &Limits::SERVER) {
            // Administrators are accounts of this server: nothing waits for another one.
            let _ = Box::pin(message::send_on(server, &to.into(), &message)).await;
        }
    }
}

/// The reports that are kept, the oldest first, each with its number and when it came.
///
/// # Errors
/// When the store could not be read.
pub async fn kept(store: &Store) -> Result<Vec<(String, store::Millis, Report)>, StoreError> {
    let query = Query {
        node: NODE.into(),
        select: Select::Last,
        max: store::pubsub::MAX_PAGE,
        max_bytes: u64::MAX,
        ..Query::default()
    };
    let page = match store.pubsub.items(AccountId::PUBSUB, query).await {
        Ok(page) => page,
        // A page that starts nowhere in particular needs no item.
        Err(PageError::UnknownItem) => return Ok(Vec::new()),
        Err(PageError::Store(error)) => return Err(error),
    };
    let read = |item: store::pubsub::Item| {
        let payload = Element::parse(item.payload.as_deref()?, &Limits::SERVER).ok()?;
        Some((item.id.into(), item.published, Report::restore(&payload)?))
    };
    Ok(page.items.into_iter().filter_map(read).collect())
}

/// Removes a report. `false` when there was none of that number.
///
/// # Errors
/// When the store could not be written.
pub async fn remove(store: &Store, id: &str) -> Result<bool, StoreError> {
    let retract = vec![Change::Retract(vec![id.into()])];
    match store.pubsub.change(AccountId::PUBSUB, NODE, retract).await {
        Ok(removed) => Ok(removed > 0),
        Err(StoreError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_and_kept() {
        let text = "<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'>\
                    <stanza-id xmlns='urn:xmpp:sid:0' by='a@b' id='7'/>\
                    <text xml:lang='en'> Never came trouble. </text></report>";
        let element = Element::parse(text.as_bytes(), &Limits::SERVER).unwrap();
        let jid = Jid::new("romeo@b.example").unwrap();
        let report = Report::parse(&element, &jid, "juliet@a.example").unwrap();
        assert_eq!(
            (&*report.reason, report.text.as_deref()),
            ("spam", Some("Never came trouble."))
        );
        assert_eq!(report.messages, ["7"]);
        assert_eq!(Report::restore(&report.to_element()), Some(report));
        let silent = Element::new("report", ns::REPORTING);
        assert_eq!(Report::parse(&silent, &jid, "juliet@a.example"), None);
    }
}
