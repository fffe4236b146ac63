//! XEP-0388, XEP-0386, XEP-0484: authentication with everything that follows it in one request.

use super::exchange::{self, tell};
use super::state::{Core, Next, State};
use super::{
    Authenticated, Bound, FastUse, Login, LoginAnswer, LoginSession, Profile, ResumeFailed,
    Session, Step, Waiting,
};
use crate::error::{Condition, StreamError};
use crate::ext::bind2::{self, Bind};
use crate::ext::fast::{self, Fast};
use crate::ext::sasl_upgrade;
use crate::ext::sasl2::{Authenticate, Success, UserAgent};
use crate::ns;
use crate::sasl::{Failure, Hash, ScramKeys, ht};
use crate::sm;
use crate::stream::Out;
use crate::xml::Element;

/// What a client asks for beside being authenticated.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) user_agent: Option<UserAgent>,
    pub(super) fast: Option<Fast>,
    /// The token that matched, once it did.
    pub(super) used: Option<FastUse>,
    resume: Option<sm::Resume>,
    /// Why a request to resume is not even tried.
    unresumable: Option<Condition>,
    bind: Option<Bind>,
    request_token: Option<ht::Method>,
    /// The hash functions for which it would give keys (XEP-0480).
    pub(super) upgrades: Vec<Hash>,
}

/// A login waits for its session.
#[derive(Debug)]
pub struct LoginPending {
    authenticated: Authenticated,
    additional_data: Option<Vec<u8>>,
    resume: Option<sm::Resume>,
    unresumable: Option<Condition>,
    bind: Option<Bind>,
}

impl Waiting<LoginPending> {
    /// Tells the client what became of its wishes.
    #[must_use]
    pub fn answer(self, answer: LoginAnswer, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| Ok(success(core, pending, answer, out)))
    }

    /// Fails the authentication after all: the store does not answer.
    #[must_use]
    pub fn refuse(self, failure: Failure, out: &mut Out) -> Step {
        self.resume(out, |core, _, out| tell(core, Profile::Sasl2, &failure, out))
    }
}

/// XEP-0388 §2.3: `<authenticate/>`.
pub(super) fn on_authenticate(
    core: &mut Core,
    element: &Element,
    out: &mut Out,
) -> Result<Next, StreamError> {
    let authenticate = Authenticate::parse(element);
    let resume = authenticate.request("resume", ns::SM);
    let (resume, unresumable) = match resume.map(sm::Resume::parse) {
        Some(_) if !core.settings.stream_management => {
            (None, Some(Condition::FeatureNotImplemented))
        }
        Some(None) => (None, Some(Condition::BadRequest)),
        Some(resume) => (resume, None),
        None => (None, None),
    };
    let bind = authenticate.request("bind", ns::BIND2).map(Bind::parse);
    // A token is for a client that can be recognised, and for what is offered.
    let identified = authenticate.user_agent.as_ref().is_some_and(|agent| agent.id.is_some());
    let request_token = authenticate
        .request("request-token", ns::FAST)
        .and_then(fast::parse_request)
        .filter(|method| identified && core.fast().contains(method));
    let request = Request {
        user_agent: authenticate.user_agent.clone(),
        fast: authenticate.request("fast", ns::FAST).map(Fast::parse),
        used: None,
        resume,
        unresumable,
        bind,
        request_token,
        upgrades: sasl_upgrade::upgrades(&authenticate.inline),
    };
    let initial = authenticate.initial_response.as_deref().map(str::trim);
    let (name, request) = (authenticate.mechanism.as_str(), Some(Box::new(request)));
    Ok(exchange::begin(core, Profile::Sasl2, name, initial, request, out))
}

/// The client is authenticated; asks the driver for the rest.
pub(super) fn proven(
    core: &mut Core,
    authenticated: Authenticated,
    request: Request,
    additional_data: Option<Vec<u8>>,
    upgraded: Vec<ScramKeys>,
) -> Next {
    core.user_agent.clone_from(&request.user_agent);
    let pending = LoginPending {
        authenticated: authenticated.again(),
        additional_data,
        resume: request.resume.clone(),
        unresumable: request.unresumable,
        bind: request.bind.clone(),
    };
    let login = Login {
        authenticated,
        user_agent: request.user_agent,
        resume: request.resume,
        bind: request.bind,
        request_token: request.request_token,
        fast: request.used,
        upgraded,
    };
    Next::Login(Box::new(login), pending)
}

/// XEP-0388 §2.6.1: `<success/>`, then features unless a session goes on.
fn success(core: &mut Core, pending: LoginPending, answer: LoginAnswer, out: &mut Out) -> Next {
    let LoginPending { authenticated, additional_data, resume, unresumable, bind } = pending;
    let account = authenticated.account().to_string();
    let mut inline = Vec::new();
    inline.extend(unresumable.map(|condition| sm::failed(condition, None)));
    let (identifier, established) = match answer.session {
        LoginSession::Resumed(resumed) => {
            let previd = resume.as_ref().map(|resume| resume.previd.clone()).unwrap_or_default();
            inline.push(sm::Resume { previd, h: resumed.handled }.resumed());
            let resume = resume.unwrap_or_else(|| sm::Resume { previd: String::new(), h: 0 });
            (account, Some((resumed.jid, Session::Resumed { resume })))
        }
        LoginSession::Bound(Bound { jid, resume_failed, inline: bound }) => {
            inline.extend(resume_failed.map(ResumeFailed::element));
            inline.push(bind2::bound(bound));
            core.inactive = bind.as_ref().is_some_and(|bind| bind.inactive);
            (jid.to_string(), Some((jid, Session::Bound { bind })))
        }
        LoginSession::Unbound { resume_failed } => {
            inline.extend(resume_failed.map(ResumeFailed::element));
            (account, None)
        }
    };
    inline.extend(answer.token.map(|issued| fast::token(&issued.token, issued.expiry)));
    let success = Success { additional_data, authorization_identifier: identifier, inline };
    out.element(&success.element(), core.framing);
    out.limits(core.settings.reader_limits);
    match established {
        None => {
            core.write_features_after(false, out);
            Next::Read(State::Bindable(authenticated))
        }
        Some((jid, session)) => {
            // XEP-0198 §8.2: a resumed stream needs no features.
            if matches!(session, Session::Bound { .. }) {
                core.write_features_after(true, out);
            }
            core.established(&authenticated, jid, session)
        }
    }
}

impl ResumeFailed {
    /// `<failed/>`.
    pub(super) fn element(self) -> Element {
        sm::failed(self.condition, self.handled)
    }
}
