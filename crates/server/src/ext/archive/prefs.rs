//! XEP-0441: Message Archive Management Preferences 0.2.0

use store::{
    AccountId, Store, StoreError,
    prefs::{Policy, Preferences},
};
use xmpp::{
    error::{Condition, StanzaError},
    jid::Jid,
    ns,
    xml::Element,
};

use crate::{
    ext::{IqContext, IqFuture},
    iq::{Iq, IqKind},
};

/// Addresses in each of the two lists.
const MAX_ADDRESSES: usize = 500;

/// Whose messages an account keeps.
#[derive(Clone, Debug, Default)]
pub struct Prefs(Preferences);

impl Prefs {
    /// Reads an account's preferences.
    ///
    /// # Errors
    /// When the store could not be read.
    pub async fn load(store: &Store, account: AccountId) -> Result<Self, StoreError> {
        Ok(Self(store.prefs.load(account).await?.unwrap_or_default()))
    }

    /// Whether a message exchanged with `other` is kept (XEP-0441 §2).
    #[must_use]
    pub fn keep(&self, other: &Jid, in_roster: impl Fn() -> bool) -> bool {
        if listed(&self.0.never, other) {
            return false;
        }
        listed(&self.0.always, other)
            || match self.0.default {
                Policy::Always => true,
                Policy::Never => false,
                Policy::Roster => in_roster(),
            }
    }

    fn element(&self) -> Element {
        let default = match self.0.default {
            Policy::Always => "always",
            Policy::Never => "never",
            Policy::Roster => "roster",
        };
        let list = |name: &str, jids: &[Box<str>]| {
            let jid = |text: &str| Element::new("jid", ns::MAM).with_text(text);
            Element::new(name, ns::MAM).with_children(jids.iter().map(|text| jid(text)))
        };
        Element::new("prefs", ns::MAM)
            .with_attr("default", default)
            .with_child(list("always", &self.0.always))
            .with_child(list("never", &self.0.never))
    }
}

/// Answers `<prefs/>`: reads, or replaces as a whole.
pub(super) fn prefs<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let account = context.owner()?;
        if iq.kind == IqKind::Set {
            let prefs = parse(&iq.payload)?;
            let saved = context.server.store.prefs.save(account.id, prefs.clone()).await;
            saved.map_err(|error| context.server.store_failed("archive preferences", &error))?;
            account.lock().archive.prefs = Prefs(prefs);
        }
        let element = account.lock().archive.prefs.element();
        Ok(Some(element))
    })
}

fn parse(prefs: &Element) -> Result<Preferences, StanzaError> {
    let default = match prefs.attr("default") {
        Some("always") => Policy::Always,
        Some("never") => Policy::Never,
        Some("roster") => Policy::Roster,
        _ => return Err(StanzaError::new(Condition::BadRequest)),
    };
    Ok(Preferences { default, always: list(prefs, "always")?, never: list(prefs, "never")? })
}

fn list(prefs: &Element, name: &str) -> Result<Vec<Box<str>>, StanzaError> {
    let Some(list) = prefs.child(name, ns::MAM) else { return Ok(Vec::new()) };
    let jids: Vec<Box<str>> = list
        .children()
        .filter(|child| child.is("jid", ns::MAM))
        .map(|child| Jid::new(child.text().trim()).map(|jid| jid.as_str().into()))
        .collect::<Result<_, _>>()
        .map_err(|_| StanzaError::new(Condition::JidMalformed))?;
    if jids.len() > MAX_ADDRESSES {
        return Err(StanzaError::new(Condition::PolicyViolation));
    }
    Ok(jids)
}

fn listed(list: &[Box<str>], jid: &Jid) -> bool {
    let full = jid.as_str();
    let bare = full.split('/').next().unwrap_or(full);
    list.iter().any(|entry| **entry == *full || **entry == *bare)
}
