//! RFC 6120 §7, XEP-0198 §5: binding a resource or resuming a session on a classic stream.

use super::open::unexpected;
use super::state::{Core, Next, State};
use super::{
    Authenticated, BindRequest, ResumeFailed, ResumeRequest, Resumed, Session, Step, Waiting,
};
use crate::error::{Condition, StanzaError, StreamError};
use crate::jid::{FullJid, resource_part};
use crate::ns;
use crate::sm::{self, Nonza};
use crate::stanza::{Kind, Stanza};
use crate::stream::Out;
use crate::xml::Element;

/// A bind request waits for its session.
#[derive(Debug)]
pub struct BindPending {
    authenticated: Authenticated,
    /// The request's id.
    id: Option<String>,
}

/// A resume request waits for its session.
#[derive(Debug)]
pub struct ResumePending {
    authenticated: Authenticated,
    resume: sm::Resume,
}

impl Waiting<BindPending> {
    /// Tells the client its address, or why it gets none; then it may ask again.
    #[must_use]
    pub fn answer(self, answer: Result<FullJid, StanzaError>, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| {
            let BindPending { authenticated, id } = pending;
            let error = match answer {
                Ok(jid) => {
                    let text = Element::new("jid", ns::BIND).with_text(jid.to_string());
                    let bind = Element::new("bind", ns::BIND).with_child(text);
                    out.element(&reply(id, "result").with_child(bind), core.framing);
                    return Ok(core.established(
                        &authenticated,
                        jid,
                        Session::Bound { bind: None },
                    ));
                }
                Err(error) => error,
            };
            refuse(core, id, &error, out);
            Ok(Next::Read(State::Bindable(authenticated)))
        })
    }
}

impl Waiting<ResumePending> {
    /// Tells the client that the session goes on, or why it does not; then it may bind.
    #[must_use]
    pub fn answer(self, answer: Result<Resumed, ResumeFailed>, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| {
            let ResumePending { authenticated, resume } = pending;
            Ok(match answer {
                Ok(resumed) => {
                    let answer = sm::Resume { previd: resume.previd.clone(), h: resumed.handled };
                    out.element(&answer.resumed(), core.framing);
                    // XEP-0352 §6.1: a resumed stream is active.
                    core.inactive = false;
                    core.established(&authenticated, resumed.jid, Session::Resumed { resume })
                }
                Err(failed) => {
                    out.element(&failed.element(), core.framing);
                    Next::Read(State::Bindable(authenticated))
                }
            })
        })
    }
}

/// Between authentication and session.
pub(super) fn on_element(
    core: &mut Core,
    authenticated: Authenticated,
    stanza: &Stanza,
    out: &mut Out,
) -> Result<Next, StreamError> {
    if stanza.kind() == Kind::Iq {
        return on_iq(core, authenticated, stanza, out);
    }
    if let Some(nonza) = Nonza::parse(stanza) {
        return on_sm(core, authenticated, nonza, stanza, out);
    }
    match (stanza.name(), stanza.ns().as_ref()) {
        ("active", ns::CSI) => core.inactive = false,
        ("inactive", ns::CSI) => core.inactive = true,
        _ => return Err(unexpected(stanza)),
    }
    Ok(Next::Read(State::Bindable(authenticated)))
}

/// §7.1: nothing but a bind request is processed.
fn on_iq(
    core: &mut Core,
    authenticated: Authenticated,
    stanza: &Stanza,
    out: &mut Out,
) -> Result<Next, StreamError> {
    let iq = stanza.element();
    let Some(bind) = iq.child("bind", ns::BIND).filter(|_| iq.attr("type") == Some("set")) else {
        return Err(unexpected(stanza));
    };
    let id = iq.attr("id").map(str::to_owned);
    let resource = bind.child("resource", ns::BIND).map(Element::text);
    let resource = resource.filter(|resource| !resource.is_empty());
    match resource.map(|resource| resource_part(&resource).map(|part| part.to_string())).transpose()
    {
        Ok(resource) => {
            let user_agent = core.user_agent.clone();
            let request =
                BindRequest { authenticated: authenticated.again(), resource, user_agent };
            Ok(Next::Bind(request, BindPending { authenticated, id }))
        }
        Err(_) => {
            // §7.7.2.1
            refuse(core, id, &StanzaError::new(Condition::BadRequest), out);
            Ok(Next::Read(State::Bindable(authenticated)))
        }
    }
}

fn on_sm(
    core: &mut Core,
    authenticated: Authenticated,
    nonza: Nonza,
    stanza: &Stanza,
    out: &mut Out,
) -> Result<Next, StreamError> {
    let condition = match nonza {
        _ if !core.settings.stream_management => Condition::FeatureNotImplemented,
        Nonza::Resume(resume) => {
            let request =
                ResumeRequest { authenticated: authenticated.again(), resume: resume.clone() };
            return Ok(Next::Resume(request, ResumePending { authenticated, resume }));
        }
        // XEP-0198 §3: not before a resource is bound.
        Nonza::Enable(_) => Condition::UnexpectedRequest,
        Nonza::Invalid if matches!(stanza.name(), "resume" | "enable") => Condition::BadRequest,
        Nonza::Invalid | Nonza::Request | Nonza::Ack(_) => return Err(unexpected(stanza)),
    };
    out.element(&sm::failed(condition, None), core.framing);
    Ok(Next::Read(State::Bindable(authenticated)))
}

/// Writes an error.
fn refuse(core: &Core, id: Option<String>, error: &StanzaError, out: &mut Out) {
    out.element(&reply(id, "error").with_child(error.element()), core.framing);
}

/// An answer to a request made before there was an address.
pub(super) fn reply(id: Option<String>, type_: &str) -> Element {
    Element::new("iq", ns::CLIENT).with_attr("type", type_).with_attr_opt("id", id)
}
