//! Requests and answers (RFC 6120 §8.2.3): those for the server and its accounts go to the
//! extension that declared the namespace, those between clients pass through.

use std::sync::Arc;

use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use crate::{
    account::Account,
    components::pending::{Acting, Origin},
    ext::{
        ALL, Asker, IqContext, Scope, delegation,
        muc::{self, service::Sender},
        privilege,
    },
    questions,
    router::resolve::{self, Target, resolve},
    s2s::policy,
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
        Target::Account(_) | Target::Server if delegated(server, session, stanza) => {}
        Target::Account(account) => {
            let own = Arc::ptr_eq(&account, &session.account);
            let asker = Asker::Session(session);
            handle(server, asker, stanza, kind, to, scopes(own), Some(account)).await;
        }
        Target::Server => {
            let asker = Asker::Session(session);
            handle(server, asker, stanza, kind, to, &[Scope::Server], None).await;
        }
        Target::Rooms => {
            let Some(to) = to else { return };
            let from = session.jid.clone().into();
            let sender = Sender { session: Some(session), ..Sender::new(&from) };
            Box::pin(muc::service::receive(server, sender, &to, stanza)).await;
        }
        Target::Upload => {
            let asker = Asker::Session(session);
            handle(server, asker, stanza, kind, to, &[Scope::Upload], None).await;
        }
        Target::Pubsub(service) => {
            let asker = Asker::Session(session);
            handle(server, asker, stanza, kind, to, &[Scope::Pubsub], Some(service)).await;
        }
        Target::Bytestreams => {
            let asker = Asker::Session(session);
            handle(server, asker, stanza, kind, to, &[Scope::Bytestreams], None).await;
        }
        Target::Nobody => refuse(session, stanza, &StanzaError::new(Condition::ServiceUnavailable)),
        Target::Remote => match to {
            Some(to) => send_out(server, session, stanza, &to),
            None => refuse(session, stanza, &StanzaError::new(Condition::ServiceUnavailable)),
        },
    }
}

/// What is asked of an account's bare address.
fn scopes(own: bool) -> &'static [Scope] {
    if own { &[Scope::Own, Scope::Account] } else { &[Scope::Account] }
}

/// Gives a client's request to the component that answers it (XEP-0355), or says why it cannot.
fn delegated(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza) -> bool {
    if server.config().components.permissions.is_empty() {
        return false;
    }
    let bytes = Edit::new(stanza).from(session.full()).finish();
    let Ok(request) = Stanza::parse(bytes, &Limits::SERVER) else { return false };
    match delegation::delegate(server, &Origin::Session(session.clone()), &request) {
        Ok(given) => given,
        Err(error) => {
            refuse(session, stanza, &error);
            true
        }
    }
}

/// Whether an address is neither the server's nor one of its services'.
#[must_use]
pub fn is_elsewhere(server: &Server, to: &Jid) -> bool {
    to.domain().as_str() != server.domain()
        && matches!(resolve::service(server, to), Target::Remote)
}

/// Carries out a request that a component makes for an account (XEP-0356), as far as the server
/// answers it.
pub async fn act(server: &Arc<Server>, acting: &Acting, stanza: &Stanza, kind: IqKind) {
    let asker = Asker::Component(acting);
    let to = stanza.to().and_then(|to| Jid::new(&to).ok());
    let target = match &to {
        None => Ok(Target::Account(acting.account.clone())),
        Some(to) => resolve(server, to).await,
    };
    let nobody = StanzaError::new(Condition::ServiceUnavailable);
    let (scopes, account) = match target {
        Ok(Target::Account(account)) if to.as_ref().is_none_or(|to| to.resource().is_none()) => {
            let own = Arc::ptr_eq(&account, &acting.account);
            if !own && account.lock().blocks.refuses(&acting.account.jid().clone().into()) {
                return reply_error(server, asker, stanza, &nobody);
            }
            (scopes(own), Some(account))
        }
        Ok(Target::Account(asked)) => {
            let Some(to) = &to else { return };
            if asked.lock().blocks.refuses(&acting.account.jid().clone().into()) {
                return reply_error(server, asker, stanza, &nobody);
            }
            return privilege::ask_device(server, acting, &asked, stanza, to);
        }
        Ok(Target::Rooms) => {
            let Some(to) = &to else { return };
            let from = acting.account.jid().clone().into();
            let sender = Sender { acting: Some(acting), ..Sender::new(&from) };
            return Box::pin(muc::service::receive(server, sender, to, stanza)).await;
        }
        Ok(Target::Server) => (&[Scope::Server][..], None),
        Ok(Target::Upload) => (&[Scope::Upload][..], None),
        Ok(Target::Bytestreams) => (&[Scope::Bytestreams][..], None),
        Ok(Target::Pubsub(service)) => (&[Scope::Pubsub][..], Some(service)),
        Ok(_) => return reply_error(server, asker, stanza, &nobody),
        Err(error) => {
            let error = server.store_failed("resolve", &error);
            return reply_error(server, asker, stanza, &error);
        }
    };
    Box::pin(handle(server, asker, stanza, kind, to, scopes, account)).await;
}

/// Passes an iq on to another domain, if this server talks to it.
fn send_out(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza, to: &Jid) {
    let domain = to.domain().as_str();
    // Answers go to whoever asked.
    let permitted = match stanza.type_().as_deref() {
        Some("get" | "set") => policy::lets_send(server, session.account.jid(), domain),
        _ => policy::permits(&server.config(), domain).map_err(|no| no.error()),
    };
    if let Err(error) = permitted {
        return refuse(session, stanza, &error);
    }
    let bytes = Edit::new(stanza).from(session.full()).finish();
    server.s2s.post(server, server.domain(), to, Kind::Iq, bytes);
}

/// Takes an iq of another server.
pub async fn receive(server: &Arc<Server>, stanza: &Stanza, from: &Jid, to: &Jid) {
    server.metrics.iq_received.increment();
    let asker = Asker::Remote(from);
    let kind = match stanza.type_().as_deref() {
        Some("get") => Some(IqKind::Get),
        Some("set") => Some(IqKind::Set),
        Some("result" | "error") => None,
        _ => {
            let error = StanzaError::new(Condition::BadRequest);
            return reply_error(server, asker, stanza, &error);
        }
    };
    let target = match resolve(server, to).await {
        Ok(target) => target,
        Err(error) => {
            let error = server.store_failed("resolve", &error);
            return reply_error(server, asker, stanza, &error);
        }
    };
    let nobody = StanzaError::new(Condition::ServiceUnavailable);
    match (target, kind) {
        (target, Some(_)) if privilege::is_misplaced(stanza, to, &target) => {
            reply_error(server, asker, stanza, &privilege::misplaced());
        }
        (Target::Account(account), _) if to.resource().is_some() => {
            if !pass(&account, stanza, from, to) && kind.is_some() {
                reply_error(server, asker, stanza, &nobody);
            }
        }
        (Target::Account(account), Some(kind)) => {
            receive_for(server, account, stanza, kind, (from, to)).await;
        }
        (Target::Server, Some(_)) if delegated_for(server, from, stanza) => {}
        (Target::Server, Some(kind)) => {
            let to = Some(to.clone());
            handle(server, asker, stanza, kind, to, &[Scope::Server], None).await;
        }
        (Target::Account(_) | Target::Server, None)
            if questions::answered(server, from, stanza) => {}
        (Target::Account(_) | Target::Server, None)
            if server.components.pending.answered(server, from, stanza) => {}
        (Target::Account(_) | Target::Server, None) => {
            let question = stanza.id().and_then(|id| server.s2s.questions.answered(&id, from));
            if let Some(question) = question {
                crate::ext::caps::answered_elsewhere(server, &question, stanza);
            }
        }
        (Target::Rooms, _) => {
            let sender = Sender::new(from);
            Box::pin(muc::service::receive(server, sender, to, stanza)).await;
        }
        // Programs of the operator find out what there is; files are for people of this server. Of the
        // proxy everybody may know that it is there.
        (target @ (Target::Upload | Target::Bytestreams), Some(kind))
            if matches!(target, Target::Bytestreams) || is_component(server, from) =>
        {
            let is_files = matches!(target, Target::Upload);
            let scope = if is_files { Scope::Upload } else { Scope::Bytestreams };
            handle(server, asker, stanza, kind, Some(to.clone()), &[scope], None).await;
        }
        (Target::Pubsub(service), Some(kind)) => {
            let (to, service) = (Some(to.clone()), Some(service));
            handle(server, asker, stanza, kind, to, &[Scope::Pubsub], service).await;
        }
        (Target::Nobody | Target::Upload | Target::Bytestreams | Target::Remote, Some(_)) => {
            reply_error(server, asker, stanza, &nobody)
        }
        (_, None) => {}
    }
}

/// Takes a request of another server for the bare address of an account.
async fn receive_for(
    server: &Arc<Server>,
    account: Arc<Account>,
    stanza: &Stanza,
    kind: IqKind,
    (from, to): (&Jid, &Jid),
) {
    let asker = Asker::Remote(from);
    let nobody = StanzaError::new(Condition::ServiceUnavailable);
    let blocked = account.lock().blocks.refuses(from);
    if blocked {
        return reply_error(server, asker, stanza, &nobody);
    }
    match Box::pin(privilege::act(server, &account, stanza, kind, from)).await {
        Some(Ok(())) => return,
        Some(Err(error)) => return reply_error(server, asker, stanza, &error),
        None if delegated_for(server, from, stanza) => return,
        None => {}
    }
    let (to, account) = (Some(to.clone()), Some(account));
    handle(server, asker, stanza, kind, to, &[Scope::Account], account).await;
}

/// What an account of this server answers to a request that somebody makes through a room.
pub async fn answer_here(
    server: &Arc<Server>,
    request: &Stanza,
    from: &Jid,
    to: &Jid,
) -> bytes::Bytes {
    let asker = Asker::Remote(from);
    let error = |error: StanzaError| {
        let mut iq = reply(asker, request, "error");
        iq.push(error.element());
        iq.to_bytes(ns::CLIENT)
    };
    let nobody = StanzaError::new(Condition::ServiceUnavailable);
    let account = match server.account(to).await {
        Ok(Some(account)) if !account.lock().blocks.refuses(from) => account,
        Ok(_) => return error(nobody),
        Err(failed) => return error(server.store_failed("resolve", &failed)),
    };
    let (Some(payload), Some(id)) = (request.children().next(), request.id()) else {
        return error(StanzaError::new(Condition::BadRequest));
    };
    let kind = match request.type_().as_deref() {
        Some("get") => IqKind::Get,
        _ => IqKind::Set,
    };
    let iq = Iq { kind, id: id.into_owned(), to: Some(to.clone()), payload: payload.element() };
    let context = IqContext::new(server, asker, Some(&account));
    let handler = server.registry.route(&server.config(), &[Scope::Account], kind, &iq.payload);
    let answer = match handler {
        Some(handler) => handler(&context, &iq).await,
        None => Err(nobody),
    };
    if let (_, Some(work)) = context.into_rest() {
        work.await;
    }
    match answer {
        Ok(payload) => result(asker, request, payload),
        Err(refused) => error(refused),
    }
}

fn is_component(server: &Server, from: &Jid) -> bool {
    server.config().components.hosts.contains(from.domain().as_str())
}

/// The same as [`delegated`], for a request of another server.
fn delegated_for(server: &Arc<Server>, from: &Jid, stanza: &Stanza) -> bool {
    delegation::delegate(server, &Origin::Remote(from.clone()), stanza).unwrap_or_else(|error| {
        reply_error(server, Asker::Remote(from), stanza, &error);
        true
    })
}

/// Sends a request of the server itself, which is complete. The answer comes to the extension that
/// knows its id; what cannot be sent is never answered.
pub async fn ask(server: &Arc<Server>, to: &Jid, request: Element) {
    let bytes = request.to_bytes(ns::CLIENT);
    match resolve(server, to).await {
        Ok(Target::Account(account)) => {
            let state = account.lock();
            let name = to.resource().map(|resource| resource.as_str());
            let found = state.resources.iter().find(|r| Some(r.session.resource()) == name);
            if let Some(resource) = found {
                resource.session.deliver(Frame::iq(bytes));
            }
        }
        Ok(Target::Remote) => server.s2s.post(server, server.domain(), to, Kind::Iq, bytes),
        Ok(_) => {}
        Err(error) => drop(server.store_failed("resolve", &error)),
    }
}

/// Passes an iq of another server on to one device. `false` when it is not there.
fn pass(account: &Arc<Account>, stanza: &Stanza, from: &Jid, to: &Jid) -> bool {
    let state = account.lock();
    let name = to.resource().map(|resource| resource.as_str());
    let found = state.resources.iter().find(|r| Some(r.session.resource()) == name);
    match found {
        Some(resource) if !state.blocks.refuses(from) => {
            let bytes = Edit::new(stanza).from(from.as_str()).finish();
            resource.session.deliver(Frame::iq(bytes));
            true
        }
        _ => false,
    }
}

/// Brings an answer to whoever asked, from whom `request` was for.
fn deliver(server: &Server, asker: Asker<'_>, request: &Stanza, frame: Frame) {
    match asker {
        Asker::Session(session) => session.deliver_bulk(frame),
        Asker::Remote(jid) => {
            // A service speaks for its own domain.
            let asked = request.to().and_then(|to| Jid::new(&to).ok());
            let service =
                asked.filter(|to| matches!(resolve::service(server, to), Target::Pubsub(_)));
            let local = service.as_ref().map_or(server.domain(), |to| to.domain().as_str());
            server.s2s.post(server, local, jid, frame.kind, frame.bytes);
        }
        Asker::Component(acting) => acting.answer(server, frame),
    }
}

/// Answers a request with an error. Anything but a request is never answered.
fn reply_error(server: &Server, asker: Asker<'_>, request: &Stanza, error: &StanzaError) {
    if matches!(request.type_().as_deref(), Some("result" | "error")) {
        return;
    }
    let mut iq = reply(asker, request, "error");
    iq.push(error.element());
    deliver(server, asker, request, Frame::iq(iq.to_bytes(ns::CLIENT)));
}

/// Hands a request to the extension that answers it.
async fn handle(
    server: &Arc<Server>,
    asker: Asker<'_>,
    stanza: &Stanza,
    kind: IqKind,
    to: Option<Jid>,
    scopes: &[Scope],
    account: Option<Arc<Account>>,
) {
    let mut children = stanza.children();
    let (Some(payload), None, Some(id)) = (children.next(), children.next(), stanza.id()) else {
        // RFC 6120 §8.2.3: a request has an id and exactly one child.
        return reply_error(server, asker, stanza, &StanzaError::new(Condition::BadRequest));
    };
    let iq = Iq { kind, id: id.into_owned(), to, payload: payload.element() };
    let context = IqContext::new(server, asker, account.as_ref());
    let answer = match server.registry.route(&server.config(), scopes, kind, &iq.payload) {
        Some(handler) => handler(&context, &iq).await,
        None => Err(StanzaError::new(Condition::ServiceUnavailable)),
    };
    match answer {
        Ok(payload) => deliver(server, asker, stanza, Frame::iq(result(asker, stanza, payload))),
        Err(error) => reply_error(server, asker, stanza, &error),
    }
    let (after, finally) = context.into_rest();
    // Nothing but the answer goes to a component: it is no device of the account.
    let after = after.into_iter().filter(|_| !matches!(asker, Asker::Component(_)));
    for frame in after {
        deliver(server, asker, stanza, frame);
    }
    if let Some(work) = finally {
        work.await;
    }
}

/// An answer of a client to a request that it got from another client, or from the server.
async fn answer(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza, to: Option<Jid>) {
    // One that a component made for an account came from its bare address.
    let bare = to.as_ref().is_none_or(|to| to.node().is_some() && to.resource().is_none());
    let (pending, from) = (&server.components.pending, session.jid.clone().into());
    if bare && stanza.id().is_some_and(|id| pending.waits(&id, &from)) {
        pending.answered(server, &from, &complete(session, stanza));
        return;
    }
    let own = to.as_ref().is_none_or(|to| {
        let here = to.domain().as_str() == server.domain();
        (here && to.node().is_none()) || to == session.account.jid()
    });
    if own {
        let mut hooks = ALL.iter().filter_map(|extension| extension.session.answer);
        hooks.any(|hook| hook(server, session, stanza));
        return;
    }
    let here = |to: &Jid| to.domain().as_str() == server.domain();
    let Some(to) = to.filter(|to| to.resource().is_some() || !here(to)) else { return };
    match resolve(server, &to).await {
        Ok(Target::Account(account)) => forward(session, stanza, &account, Some(&to)),
        Ok(Target::Remote) => send_out(server, session, stanza, &to),
        Ok(Target::Rooms) => {
            let from = session.jid.clone().into();
            let sender = Sender { session: Some(session), ..Sender::new(&from) };
            Box::pin(muc::service::receive(server, sender, &to, stanza)).await;
        }
        _ => {}
    }
}

/// An answer with the address that it comes from.
fn complete(session: &Session, stanza: &Stanza) -> Stanza {
    let bytes = Edit::new(stanza).from(session.full()).finish();
    Stanza::parse(bytes, &Limits::SERVER).unwrap_or_else(|_| stanza.clone())
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
fn result(asker: Asker<'_>, request: &Stanza, payload: Option<Element>) -> bytes::Bytes {
    let mut iq = reply(asker, request, "result");
    if let Some(payload) = payload {
        iq.push(payload);
    }
    iq.to_bytes(ns::CLIENT)
}

/// Answers a request with an error. Anything but a request is never answered.
pub fn refuse(session: &Arc<Session>, request: &Stanza, error: &StanzaError) {
    if matches!(request.type_().as_deref(), Some("result" | "error")) {
        return;
    }
    let mut iq = reply(Asker::Session(session), request, "error");
    iq.push(error.element());
    session.deliver(Frame::iq(iq.to_bytes(ns::CLIENT)));
}

fn reply(asker: Asker<'_>, request: &Stanza, kind: &str) -> Element {
    Element::new("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr_opt("id", request.id())
        .with_attr_opt("from", request.to())
        .with_attr("to", asker.jid().as_str())
}
