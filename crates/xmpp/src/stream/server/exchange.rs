//! RFC 6120 §6, XEP-0388: one authentication, whichever profile carries it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::login::Request;
use super::proofs::first_message;
use super::state::{Core, Next, State};
use super::{AccountState, Authenticated, Profile, Refused, Step, Waiting, upgrade};
use crate::error::{StreamCondition, StreamError};
use crate::ext::sasl2;
use crate::jid::BareJid;
use crate::ns;
use crate::sasl::scram_server::Challenged;
use crate::sasl::{Condition, Failure, Mechanism};
use crate::stream::Out;
use crate::xml::Element;

/// An authentication that has begun.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) attempt: Attempt,
    pub(super) stage: Stage,
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) profile: Profile,
    pub(super) mechanism: Mechanism,
    /// The rest of a SASL2 request.
    pub(super) request: Option<Box<Request>>,
}

/// What the peer must send next.
#[derive(Debug)]
pub(super) enum Stage {
    /// Its first message.
    Initial,
    /// SCRAM's final message.
    Scram { account: BareJid, state: AccountState, challenged: Box<Challenged> },
}

/// A failure waits to be told.
#[derive(Debug)]
pub struct RefusedPending {
    profile: Profile,
    failure: Failure,
}

impl Waiting<RefusedPending> {
    /// Tells the peer.
    #[must_use]
    pub fn answer(self, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| tell(core, pending.profile, &pending.failure, out))
    }
}

/// RFC 6120 §6.4.2: `<auth/>`.
pub(super) fn on_auth(core: &mut Core, auth: &Element, out: &mut Out) -> Result<Next, StreamError> {
    let initial = auth.text();
    let initial = match initial.trim() {
        "" => None,
        "=" => Some(""),
        text => Some(text),
    };
    let name = auth.attr("mechanism").unwrap_or_default();
    Ok(begin(core, Profile::Sasl, name, initial, None, out))
}

/// Starts a mechanism, or refuses it.
pub(super) fn begin(
    core: &mut Core,
    profile: Profile,
    name: &str,
    initial: Option<&str>,
    request: Option<Box<Request>>,
    out: &mut Out,
) -> Next {
    let fast = request.as_ref().is_some_and(|request| request.fast.is_some());
    let mechanism = match choose(core, profile, name, fast) {
        Ok(mechanism) => mechanism,
        Err(condition) => return stray(profile, condition),
    };
    let attempt = Attempt { profile, mechanism, request };
    let Some(initial) = initial else {
        // RFC 4422 §5: these mechanisms are the client's to begin; an empty challenge says so.
        out.element(&Element::new("challenge", profile.ns()), core.framing);
        return Next::Read(State::Exchange(Box::new(Exchange { attempt, stage: Stage::Initial })));
    };
    match BASE64_STANDARD.decode(initial) {
        Ok(message) => first_message(core, attempt, &message),
        Err(_) => refused(attempt, None, Condition::IncorrectEncoding.into()),
    }
}

/// Whether a mechanism was offered, and if not, why.
fn choose(core: &Core, profile: Profile, name: &str, fast: bool) -> Result<Mechanism, Condition> {
    let Some(mechanism) = Mechanism::from_name(name) else {
        return Err(Condition::InvalidMechanism);
    };
    // Tokens are used with `<fast/>` and passwords without (XEP-0484 §4.4).
    let offered = match mechanism {
        Mechanism::Token(method) => {
            profile == Profile::Sasl2 && fast && core.fast().contains(&method)
        }
        _ => !fast && core.mechanisms(profile).contains(&mechanism),
    };
    match mechanism {
        _ if offered => Ok(mechanism),
        _ if core.tls.is_none() && (!core.may_authenticate() || mechanism == Mechanism::Plain) => {
            Err(Condition::EncryptionRequired)
        }
        Mechanism::Scram(_) | Mechanism::Plain => Err(Condition::MechanismTooWeak),
        Mechanism::ScramPlus(_) | Mechanism::Token(_) => Err(Condition::InvalidMechanism),
    }
}

/// While an authentication is going on.
pub(super) fn on_element(
    core: &mut Core,
    exchange: Exchange,
    element: &Element,
    out: &mut Out,
) -> Result<Next, StreamError> {
    let Exchange { attempt, stage } = exchange;
    if element.ns() != attempt.profile.ns() {
        // XEP-0388 §2.4: any other traffic ends the connection.
        return Err(StreamError::new(StreamCondition::PolicyViolation)
            .with_text("Finish or abort the authentication first."));
    }
    match element.name() {
        "abort" => Ok(refused(attempt, stage.account(), Condition::Aborted.into())),
        "response" => {
            let text = element.text();
            let text = text.trim();
            // RFC 6120 §6.4.2 writes an empty message as `=`, XEP-0388 as nothing.
            let text = if text == "=" { "" } else { text };
            let Ok(message) = BASE64_STANDARD.decode(text) else {
                return Ok(refused(attempt, stage.account(), Condition::IncorrectEncoding.into()));
            };
            Ok(match stage {
                Stage::Initial => first_message(core, attempt, &message),
                Stage::Scram { account, state, challenged } => match challenged.verify(&message) {
                    Ok(last) => proven(core, attempt, account, state, Some(last.into_bytes()), out),
                    Err(failure) => refused(attempt, Some(account), failure),
                },
            })
        }
        _ => Err(StreamCondition::PolicyViolation.into()),
    }
}

/// The peer is who it says it is. Whether the account may be used is only told now.
pub(super) fn proven(
    core: &mut Core,
    attempt: Attempt,
    account: BareJid,
    state: AccountState,
    data: Option<Vec<u8>>,
    out: &mut Out,
) -> Next {
    let condition = match state {
        AccountState::Active => None,
        AccountState::Disabled => Some(Condition::AccountDisabled),
        AccountState::Expired => Some(Condition::CredentialsExpired),
    };
    if let Some(condition) = condition {
        return refused(attempt, Some(account), condition.into());
    }
    let authenticated = Authenticated::new(account, attempt.mechanism);
    core.profile = attempt.profile;
    match attempt.request {
        Some(request) => upgrade::proven(core, authenticated, request, data),
        None => {
            let text = data.map(|data| BASE64_STANDARD.encode(data)).unwrap_or_default();
            out.element(&Element::new("success", ns::SASL).with_text(text), core.framing);
            // RFC 6120 §6.4.6: the peer opens a new stream.
            out.restart();
            out.limits(core.settings.reader_limits);
            Next::Read(State::Header(Some(authenticated)))
        }
    }
}

/// Leaves a failure to the driver first.
pub(super) fn refused(attempt: Attempt, account: Option<BareJid>, failure: Failure) -> Next {
    let Attempt { profile, mechanism, .. } = attempt;
    let refused = Refused { account, mechanism: Some(mechanism), failure: failure.clone() };
    Next::Refused(refused, RefusedPending { profile, failure })
}

/// A request that belongs to no mechanism.
pub(super) fn stray(profile: Profile, condition: Condition) -> Next {
    let failure = Failure::new(condition);
    let refused = Refused { account: None, mechanism: None, failure: failure.clone() };
    Next::Refused(refused, RefusedPending { profile, failure })
}

/// RFC 6120 §6.4.5: the peer may try again, but not for ever.
pub(super) fn tell(
    core: &mut Core,
    profile: Profile,
    failure: &Failure,
    out: &mut Out,
) -> Result<Next, StreamError> {
    out.element(&sasl2::failure(failure, profile.ns()), core.framing);
    core.failures = core.failures.saturating_add(1);
    if core.failures >= core.settings.attempts {
        return Err(StreamError::new(StreamCondition::PolicyViolation)
            .with_text("Too many failed attempts to authenticate."));
    }
    Ok(Next::Read(State::Open))
}

impl Stage {
    fn account(&self) -> Option<BareJid> {
        match self {
            Self::Initial => None,
            Self::Scram { account, .. } => Some(account.clone()),
        }
    }
}

impl Profile {
    /// The namespace of its elements.
    pub(super) fn ns(self) -> &'static str {
        match self {
            Self::Sasl => ns::SASL,
            Self::Sasl2 => ns::SASL2,
        }
    }
}
