//! XEP-0077: In-Band Registration 2.4, for people who have an account: a new password, or the end
//! of the account. Making one is part of stream negotiation, see [`crate::auth::registration`].

use xmpp::{
    error::{Condition, StanzaError},
    ext::register::Submission,
    ns,
    xml::Element,
};

use super::{Extension, IqContext, IqFuture, IqRoute, Scope, Spec};
use crate::{
    auth::{credentials, removal},
    iq::{Iq, IqKind},
    password::Password,
};

/// Changes passwords and deletes accounts.
pub const EXTENSION: Extension = Extension {
    name: "registration",
    specs: &[
        Spec { xep: 77, version: "2.4", title: "In-Band Registration" },
        Spec { xep: 445, version: "0.2.0", title: "Pre-Authenticated In-Band Registration" },
    ],
    features: &[(Scope::Server, ns::REGISTER)],
    iq: &[
        route(Scope::Server, IqKind::Get, get),
        route(Scope::Own, IqKind::Get, get),
        route(Scope::Server, IqKind::Set, set),
        route(Scope::Own, IqKind::Set, set),
    ],
    ..Extension::NOTHING
};

const fn route(scope: Scope, kind: IqKind, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope, kind: Some(kind), ns: ns::REGISTER, name: "query", handler }
}

/// XEP-0077 §3.1.1: who is registered already is told so.
fn get<'a>(context: &'a IqContext<'a>, _: &'a Iq) -> IqFuture<'a> {
    Box::pin(async {
        let text = |name: &str, value: &str| Element::new(name, ns::REGISTER).with_text(value);
        let query = Element::new("query", ns::REGISTER)
            .with_child(Element::new("registered", ns::REGISTER))
            .with_child(text("username", context.session()?.account.name()))
            .with_child(Element::new("password", ns::REGISTER));
        Ok(Some(query))
    })
}

fn set<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        match Submission::parse(&iq.payload) {
            Submission::Account { username, password } => {
                let password = Password::new(password.expose_str().unwrap_or_default().to_owned());
                change_password(context, &username, password).await?;
            }
            Submission::Remove => {
                // The answer must reach the client before its session ends (§3.2).
                let (server, session) = (context.server.clone(), context.session()?.clone());
                let account = session.account.clone();
                context.finally(Box::pin(async move {
                    removal::delete(&server, &account, Some(&session)).await;
                }));
            }
            Submission::Ambiguous => return Err(StanzaError::new(Condition::BadRequest)),
            Submission::Incomplete => return Err(StanzaError::new(Condition::NotAcceptable)),
        }
        Ok(None)
    })
}

async fn change_password(
    context: &IqContext<'_>,
    username: &str,
    password: Password,
) -> Result<(), StanzaError> {
    let (server, account) = (context.server, &context.session()?.account);
    // Nobody changes the password of somebody else.
    let named = server.address(username).map_err(|_| StanzaError::new(Condition::BadRequest))?;
    if named != *account.jid() {
        return Err(StanzaError::new(Condition::NotAllowed));
    }
    let keys = credentials::choose(server, account.name(), password).await?;
    let failed = |error| server.store_failed("password", &error);
    server.store.accounts.set_credentials(account.id, keys).await.map_err(failed)?;
    Ok(())
}
