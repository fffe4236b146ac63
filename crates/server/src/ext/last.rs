//! XEP-0012: Last Activity 2.0; and for the operator the day of the last login

use store::{Millis, accounts::Change};
use xmpp::{
    error::{Condition, StanzaError},
    ns,
    xml::Element,
};

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, SessionHooks, Spec};
use crate::{
    iq::{Iq, IqKind},
    server::Server,
    session::Session,
};

/// Says since when an account is away, to those who see its presence anyway.
pub const EXTENSION: Extension = Extension {
    name: "last",
    specs: &[Spec { xep: 12, version: "2.0", title: "Last Activity" }],
    features: &[(Scope::Server, ns::LAST), (Scope::Account, ns::LAST)],
    iq: &[route(Scope::Server, uptime), route(Scope::Account, last)],
    session: SessionHooks { bound: Some(bound), closed: Some(closed), ..SessionHooks::NONE },
    ..Extension::NOTHING
};

/// The store's document: milliseconds of the moment when the last resource went, in decimal.
const KEY: &str = "last";

/// Milliseconds.
pub const DAY: u64 = 24 * 60 * 60 * 1000;

const fn route(scope: Scope, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope, kind: Some(IqKind::Get), ns: ns::LAST, name: "query", handler }
}

fn uptime<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async { Ok(Some(answer(context.server.uptime().as_secs()))) })
}

fn last<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let account = context.account.filter(|account| super::disco::may_see(context, account));
        // XEP-0012 §4: whoever may not see presence may not see its absence either, nor whether the
        // account exists.
        let account = account.ok_or_else(|| StanzaError::new(Condition::ServiceUnavailable))?;
        if account.lock().resources.iter().any(|resource| resource.available.is_some()) {
            return Ok(Some(answer(0)));
        }
        let stored = super::document_of(context.server, account.id, KEY).await?;
        let stored = stored.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()?.parse().ok());
        let since: u64 = stored.unwrap_or(context.server.now().0);
        Ok(Some(answer(context.server.now().0.saturating_sub(since) / 1000)))
    })
}

/// The operator learns on which day an account was last used, and not when on that day: that is enough
/// to find accounts that nobody uses.
fn bound<'a>(
    server: &'a std::sync::Arc<Server>,
    session: &'a std::sync::Arc<Session>,
) -> super::HookFuture<'a> {
    Box::pin(async move {
        let account = &session.account;
        let today = server.now().0 / DAY;
        if account.lock().last_login.replace(today) == Some(today) {
            return;
        }
        let change = Change::LastLogin(Millis(today * DAY));
        if let Err(error) = server.store.accounts.change(account.id, change).await {
            // A full disk keeps nobody out.
            tracing::debug!(%error, "the day of the login not kept");
            account.lock().last_login = None;
        }
    })
}

fn closed<'a>(
    server: &'a std::sync::Arc<Server>,
    session: &'a std::sync::Arc<Session>,
) -> super::HookFuture<'a> {
    Box::pin(async move {
        if !session.account.lock().resources.is_empty() {
            return;
        }
        let now = server.now().0.to_string().into();
        let saved = server.store.documents.save(session.account.id, KEY, now, u64::MAX).await;
        if let Err(error) = saved {
            tracing::debug!(%error, "last activity not kept");
        }
    })
}

fn answer(seconds: u64) -> Element {
    Element::new("query", ns::LAST).with_attr("seconds", seconds.to_string())
}
