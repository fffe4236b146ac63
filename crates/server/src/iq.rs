//! Requests and answers (RFC 6120 §8.2.3): those for the server and its accounts go to the
//! extension that declared the namespace, those between clients pass through.

use std::sync::Arc;

use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    jid::Jid,
    ns,
    stanza::Stanza,
    xml::Element,
};

use crate::{
    account::Account,
    ext::{ALL, Asker, IqContext, Scope},
    router::resolve::{Target, resolve},
    server::Server,
    session::{Session, frame::Frame},
};

/// The two kinds of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IqKind {
    /// Reads.
    Get,
    /// Changes.
    Set,
}

/// A request for the server or one of its accounts.
pub struct Iq {
    /// Reading or changing.
    pub kind: IqKind,
    /// Chosen by the sender, returned with the answer.
    pub id: String,
    /// The recipient as the sender wrote it; `None` means the sender's own account.
    pub to: Option<Jid>,
    /// The one child of the request.
    pub payload: Element,
}

/// Routes an iq that a client sent.
pub async fn route(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza) {
    let kind = match stanza.type_().as_deref() {
        Some("get") => Some(IqKind::Get),
        Some("set") => Some(IqKind::Set),
        Some("result" | "error") => None,
        _ => return refuse(session, stanza, &StanzaError::new(Condition::BadRequest)),
    };
    let to = match stanza.to().map(|to| Jid::new(&to)).transpose() {
        Ok(to) => to,
        Err(_) => return refuse(session, stanza, &StanzaError::new(Condition::JidMalformed)),
    };
    match kind {
        Some(kind) => request(server, session, stanza, kind, to).await,
        None => answer(server, session, stanza, to).await,
    }
}

async fn request(
    server: &Arc<Server>,
    session: &Arc<Session>,
    stanza: &Stanza,
    kind: IqKind,
    to: Option<Jid>,
) {
    let target = match &to {
        None => Target::Account(session.account.clone()),
        Some(jid) => match resolve(server, jid).await {
            Ok(target) => target,
            Err(error) => {
                server.store_failed("resolve", &error);
                let error = StanzaError::new(Condition::InternalServerError);
                return refuse(session, stanza, &error);
            }
        },
    };
    if let Some(jid) = &to
        && session.account.lock().blocks.forbids(jid)
        && jid.to_bare() != *session.account.jid()
    {
        return refuse(session, stanza, &crate::ext::blocking::blocked_error());
    }
    match target {
        // XEP-0191 §3.2: as if the account did not exist.
        Target::Account(account)
            if !Arc::ptr_eq(&account, &session.account)
                && account.lock().blocks.refuses(&session.jid.clone().into()) =>
        {
            refuse(session, stanza, &StanzaError::new(Condition::ServiceUnavailable));
        }
        Target::Account(account) if to.as_ref().is_some_and(|jid| jid.resource().is_some()) => {
            forward(session, stanza, &account, to.as_ref());
        }
        Target::Account(account) => {
            let own = Arc::ptr_eq(&account, &session.account);
            let scopes: &[Scope] =
                if own { &[Scope::Own, Scope::Account] } else { &[Scope::Account] };
            handle(server, session, stanza, kind, to, scopes, Some(account)).await;
        }
        Target::Server => {
            handle(server, session, stanza, kind, to, &[Scope::Server], None).await;
        }
        Target::Upload => {
            handle(server, session, stanza, kind, to, &[Scope::Upload], None).await;
        }
        Target::Nobody => refuse(session, stanza, &StanzaError::new(Condition::ServiceUnavailable)),
        Target::Remote => {
            refuse(session, stanza, &StanzaError::new(Condition::RemoteServerNotFound));
        }
    }
}

/// Hands a request to the extension that answers it.
async fn handle(
    server: &Arc<Server>,
    session: &Arc<Session>,
    stanza: &Stanza,
    kind: IqKind,
    to: Option<Jid>,
    scopes: &[Scope],
    account: Option<Arc<Account>>,
) {
    let mut children = stanza.children();
    let (Some(payload), None, Some(id)) = (children.next(), children.next(), stanza.id()) else {
        // RFC 6120 §8.2.3: a request has an id and exactly one child.
        return refuse(session, stanza, &StanzaError::new(Condition::BadRequest));
    };
    let iq = Iq { kind, id: id.into_owned(), to, payload: payload.element() };
    let context = IqContext::new(server, Asker::Session(session), account.as_ref());
    let answer = match server.registry.route(&server.config(), scopes, kind, &iq.payload) {
        Some(handler) => handler(&context, &iq).await,
        None => Err(StanzaError::new(Condition::ServiceUnavailable)),
    };
    match answer {
        Ok(payload) => session.deliver_bulk(Frame::iq(result(session, stanza, payload))),
        Err(error) => refuse(session, stanza, &error),
    }
    let (after, finally) = context.into_rest();
    for frame in after {
        session.deliver_bulk(frame);
    }
    if let Some(work) = finally {
        work.await;
    }
}

/// An answer of a client to a request that it got from another client, or from the server.
async fn answer(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza, to: Option<Jid>) {
    let own = to.as_ref().is_none_or(|to| to.node().is_none() || to == session.account.jid());
    if own {
        let mut hooks = ALL.iter().filter_map(|extension| extension.session.answer);
        hooks.any(|hook| hook(server, session, stanza));
        return;
    }
    let Some(to) = to.filter(|to| to.resource().is_some()) else { return };
    if let Ok(Target::Account(account)) = resolve(server, &to).await {
        forward(session, stanza, &account, Some(&to));
    }
}

/// Passes an iq on to one device (RFC 6121 §8.5.3.1).
fn forward(session: &Arc<Session>, stanza: &Stanza, account: &Arc<Account>, to: Option<&Jid>) {
    let state = account.lock();
    let resource = to.and_then(|jid| jid.resource()).map(|resource| resource.as_str());
    let found = state.resources.iter().find(|r| Some(r.session.resource()) == resource);
    let request = matches!(stanza.type_().as_deref(), Some("get" | "set"));
    let blocked = state.blocks.refuses(&session.jid);
    match found {
        Some(resource) if !blocked => {
            let bytes = Edit::new(stanza).from(session.full()).finish();
            resource.session.deliver(Frame::iq(bytes));
        }
        _ => {
            drop(state);
            if request {
                refuse(session, stanza, &StanzaError::new(Condition::ServiceUnavailable));
            }
        }
    }
}

/// The answer to a request, with the payload or empty.
fn result(session: &Session, request: &Stanza, payload: Option<Element>) -> bytes::Bytes {
    let mut iq = reply(session, request, "result");
    if let Some(payload) = payload {
        iq.push(payload);
    }
    iq.to_bytes(ns::CLIENT)
}

/// Answers a request with an error. Anything but a request is never answered.
pub fn refuse(session: &Session, request: &Stanza, error: &StanzaError) {
    if matches!(request.type_().as_deref(), Some("result" | "error")) {
        return;
    }
    let mut iq = reply(session, request, "error");
    iq.push(error.element());
    session.deliver(Frame::iq(iq.to_bytes(ns::CLIENT)));
}

fn reply(session: &Session, request: &Stanza, kind: &str) -> Element {
    Element::new("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr_opt("id", request.id())
        .with_attr_opt("from", request.to())
        .with_attr("to", session.full())
}
