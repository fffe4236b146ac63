//! XEP-0357: Push Notifications 0.4.1, and Web Push by the same request
//!
//! [`crate::push`] sends; this is what clients say about it, and which messages wake.

use std::sync::Arc;

use xmpp::{
    error::{Condition, StanzaError},
    ext::form::{Field, FieldType, Form, FormType},
    jid::Jid,
    ns,
    stanza::Stanza,
    xml::Element,
};

use super::{Extension, Inbound, IqContext, IqFuture, IqRoute, Scope, SessionHooks, Spec, budget};
use crate::{
    iq::{Iq, IqKind},
    push::{self, Reason, Registration, Way, rooms, web::Subscription},
    questions,
    router::{
        facts::MessageType,
        pipeline::{Flow, Pass},
    },
    server::Server,
    session::Session,
};

/// Lets devices be woken.
pub const EXTENSION: Extension = Extension {
    name: "push",
    offered: |config| config.push.enabled,
    specs: &[
        Spec { xep: 357, version: "0.4.1", title: "Push Notifications" },
        Spec { xep: 492, version: "0.2.0", title: "Chat notification settings" },
    ],
    features: &[(Scope::Account, ns::PUSH), (Scope::Account, ns::WEB_PUSH)],
    iq: &[route("enable", enable), route("disable", disable)],
    inbound: &[(Inbound::Claim, withdrawn), (Inbound::Wake, wake)],
    session: SessionHooks { answer: Some(answer), ..SessionHooks::NONE },
    ..Extension::NOTHING
};

const fn route(name: &'static str, handler: super::IqHandler) -> IqRoute {
    IqRoute { scope: Scope::Own, kind: Some(IqKind::Set), ns: ns::PUSH, name, handler }
}

/// What service discovery says of Web Push beside the feature: the key that a browser is told, so
/// that nobody else can wake it (RFC 8292).
#[must_use]
pub fn disco_form(server: &Server) -> Option<Form> {
    let key = push::public_key(server).filter(|_| server.config().push.enabled)?;
    let field = Field::new("vapid", FieldType::TextSingle).with_value(key);
    Some(Form::typed(FormType::Result, ns::WEB_PUSH).with_field(field))
}

fn enable<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let (server, session) = (context.server, context.session()?);
        let service = service(&iq.payload)?;
        let node = node(&iq.payload)?;
        let form = Form::child_of(&iq.payload);
        let way = match form.as_ref().filter(|form| form.form_type() == Some(ns::WEB_PUSH)) {
            Some(form) => web(server, &service, form)?,
            None => app(server, &service, form.as_ref())?,
        };
        let registration = Registration::new(session, service, node, way, server.now());
        push::enable(server, registration)
            .await
            .map_err(|error| server.store_failed("push", &error))?;
        Ok(None)
    })
}

fn disable<'a>(context: &'a IqContext<'a>, iq: &'a Iq) -> IqFuture<'a> {
    Box::pin(async move {
        let (server, account) = (context.server, &context.session()?.account);
        let service = service(&iq.payload)?;
        node(&iq.payload)?;
        let node = iq.payload.attr("node");
        // Disabling what is not enabled changes nothing and is no error.
        push::disable(server, (account.id, account.name()), &service, node)
            .await
            .map_err(|error| server.store_failed("push", &error))?;
        Ok(None)
    })
}

fn service(request: &Element) -> Result<Jid, StanzaError> {
    let jid = request.attr("jid").ok_or_else(|| StanzaError::new(Condition::BadRequest))?;
    Jid::new(jid).map_err(|_| StanzaError::new(Condition::JidMalformed))
}

fn node(request: &Element) -> Result<&str, StanzaError> {
    let node = request.attr("node").unwrap_or_default();
    match node.len() > MAX_NODE {
        true => Err(not_acceptable("the node is too long")),
        false => Ok(node),
    }
}

/// A browser or a UnifiedPush distributor: this server sends to it by itself.
fn web(server: &Server, service: &Jid, form: &Form) -> Result<Way, StanzaError> {
    if service.as_str() != server.domain() {
        return Err(not_acceptable("Web Push is sent by the server itself: give its address"));
    }
    let value = |name: &str| form.value(name).unwrap_or_default();
    let private = server.config().push.private_addresses;
    let (endpoint, p256dh, auth) = (value("endpoint"), value("p256dh"), value("auth"));
    Subscription::new(endpoint, p256dh, auth, private).map(Way::Web).map_err(not_acceptable)
}

/// An app server.
fn app(server: &Server, service: &Jid, form: Option<&Form>) -> Result<Way, StanzaError> {
    let config = server.config();
    let domain = service.domain().as_str();
    let ours = domain == server.domain() && service.resource().is_none();
    let inside = config.rooms.enabled && config.rooms.is_at(domain, server.domain())
        || config.upload.enabled && config.upload.is_at(domain, server.domain());
    if ours || inside {
        return Err(StanzaError::new(Condition::NotAllowed)
            .with_text("there is no service for notifications at that address"));
    }
    let options =
        form.filter(|form| form.form_type() == Some(ns::PUBSUB_PUBLISH_OPTIONS)).map(|form| {
            let bytes = Form { kind: FormType::Submit, ..form.clone() }.to_element().to_bytes("");
            String::from_utf8_lossy(&bytes).into_owned()
        });
    if options.as_ref().is_some_and(|options| options.len() > MAX_OPTIONS) {
        return Err(not_acceptable("the publish options are too long"));
    }
    Ok(Way::App { options })
}

fn not_acceptable(text: &str) -> StanzaError {
    StanzaError::new(Condition::NotAcceptable).with_text(text)
}

/// A client of this server that is an app server itself answers a publication.
fn answer(server: &Arc<Server>, session: &Arc<Session>, stanza: &Stanza) -> bool {
    questions::answered(server, &session.jid.clone().into(), stanza)
}

/// XEP-0357 §8: the service says that it takes no more notifications.
fn withdrawn(pass: &mut Pass<'_>) -> Flow {
    if pass.to.resource().is_some() || !pass.server.pushes.has(pass.account.name()) {
        return Flow::Continue;
    }
    let Some(pubsub) = pass.message.child("pubsub", ns::PUBSUB) else { return Flow::Continue };
    let pubsub = pubsub.element();
    let none = pubsub.child("affiliation", ns::PUBSUB).is_some_and(|affiliation| {
        affiliation.attr("affiliation") == Some("none")
            && affiliation.attr("jid").is_none_or(|jid| jid == pass.account.bare())
    });
    let Some(node) = pubsub.attr("node").filter(|_| none) else { return Flow::Continue };
    let from = pass.from_jid();
    let known = pass.server.pushes.of(pass.account.name());
    match known.into_iter().find(|one| one.service == from && *one.node == *node) {
        Some(registration) => {
            pass.effects.withdrawn = Some(registration);
            Flow::Done
        }
        None => Flow::Continue,
    }
}

/// Devices that sleep are woken for what people would want to know.
fn wake(pass: &mut Pass<'_>) -> Flow {
    let kept = pass.archived.is_some() || !pass.delivered.is_empty();
    let pushes = &pass.server.pushes;
    if !kept || pass.to_self() || !pushes.has(pass.account.name()) {
        return Flow::Continue;
    }
    if pass.facts.kind == MessageType::Groupchat {
        if pass.facts.body || pass.facts.encrypted {
            line_from_elsewhere(pass);
        }
        return Flow::Continue;
    }
    if let Some(reason) = reason(pass) {
        let asleep = pushes.asleep(pass.account.name(), pass.state);
        pass.effects.wakes.extend(asleep.into_iter().map(|registration| (registration, reason)));
    }
    Flow::Continue
}

/// Why a message wakes, if it does.
fn reason(pass: &Pass<'_>) -> Option<Reason> {
    let facts = pass.facts;
    if !matches!(facts.kind, MessageType::Chat | MessageType::Normal) || facts.forwarded {
        return None;
    }
    if facts.call && pass.message.child("propose", ns::JINGLE_MESSAGE).is_some() {
        return Some(Reason::Call);
    }
    let invited = || {
        let mediated = pass.message.child("x", ns::MUC_USER);
        pass.message.child("x", ns::CONFERENCE).is_some()
            || mediated.is_some_and(|x| x.element().child("invite", ns::MUC_USER).is_some())
    };
    let known = budget::knows(pass.state, pass.sender);
    let message = if known { Reason::Message } else { Reason::Stranger };
    (facts.body || facts.encrypted || invited()).then_some(message)
}

/// A line of a room at another server, for one device. Whether that room is a private one is not
/// known here; what is encrypted is not public.
fn line_from_elsewhere(pass: &Pass<'_>) {
    let Some(resource) = pass.to.resource() else { return };
    let text = pass.message.child("body", ns::CLIENT).map(|body| rooms::beginning(&body.text()));
    let person = rooms::Person {
        name: pass.account.name().into(),
        nick: None,
        resource: Some(resource.as_str().into()),
    };
    pass.server.pushes.line(rooms::Line {
        room: pass.sender.clone(),
        private: pass.facts.encrypted,
        text: text.map(Into::into),
        people: vec![person],
    });
}

/// Longest node in bytes.
const MAX_NODE: usize = 1024;
/// Longest form of publish options in bytes.
const MAX_OPTIONS: usize = 4096;
