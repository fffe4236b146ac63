//! RFC 6120 §6, XEP-0388: one authentication, whichever profile carries it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::login::Request;
use super::state::{Core, Next, State};
use super::{
    AccountState, Authenticated, Candidate, Credentials, PasswordCheck, PasswordLookup, Profile,
    Refused, ScramLookup, TokenLookup, Waiting,
};
use super::{FastUse, Step};
use crate::error::{StreamCondition, StreamError};
use crate::ext::sasl2;
use crate::jid::{BareJid, NodePart};
use crate::ns;
use crate::sasl::plain::Plain;
use crate::sasl::scram_server::{Challenged, ClientFirst, Terms};
use crate::sasl::{Condition, Failure, Mechanism, ht};
use crate::stream::Out;
use crate::xml::Element;

/// An authentication that has begun.
#[derive(Debug)]
pub(super) struct Exchange {
    attempt: Attempt,
    stage: Stage,
}

/// What was chosen.
#[derive(Debug)]
pub(super) struct Attempt {
    profile: Profile,
    mechanism: Mechanism,
    /// The rest of a SASL2 request.
    request: Option<Box<Request>>,
}

/// What the peer must send next.
#[derive(Debug)]
enum Stage {
    /// Its first message.
    Initial,
    /// SCRAM's final message.
    Scram { account: BareJid, state: AccountState, challenged: Challenged },
}

/// SCRAM waits for the account's keys.
#[derive(Debug)]
pub struct ScramPending {
    attempt: Attempt,
    account: BareJid,
    first: ClientFirst,
}

/// PLAIN waits for the password to be checked.
#[derive(Debug)]
pub struct PasswordPending {
    attempt: Attempt,
    account: BareJid,
}

/// HT waits for the client's tokens.
#[derive(Debug)]
pub struct TokenPending {
    attempt: Attempt,
    account: BareJid,
    method: ht::Method,
    initiator: ht::Initiator,
}

/// A failure waits to be told.
#[derive(Debug)]
pub struct RefusedPending {
    profile: Profile,
    failure: Failure,
}

impl Waiting<ScramPending> {
    /// Goes on with the account's keys, or fake ones.
    #[must_use]
    pub fn answer(self, credentials: Credentials, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| Ok(challenge(core, pending, credentials, out)))
    }

    /// Fails the authentication without looking: throttled, or the store does not answer.
    #[must_use]
    pub fn refuse(self, failure: Failure, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| tell(core, pending.attempt.profile, &failure, out))
    }
}

impl Waiting<PasswordPending> {
    /// Goes on with the result.
    #[must_use]
    pub fn answer(self, check: PasswordCheck, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| {
            let PasswordPending { attempt, account } = pending;
            Ok(match check {
                PasswordCheck::Right(state) => proven(core, attempt, account, state, None, out),
                PasswordCheck::Wrong => {
                    refused(attempt, Some(account), Condition::NotAuthorized.into())
                }
            })
        })
    }

    /// Fails the authentication without looking: throttled, or the store does not answer.
    #[must_use]
    pub fn refuse(self, failure: Failure, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| tell(core, pending.attempt.profile, &failure, out))
    }
}

impl Waiting<TokenPending> {
    /// Goes on with the client's tokens.
    #[must_use]
    pub fn answer(self, candidates: &[Candidate], out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| Ok(match_token(core, pending, candidates, out)))
    }

    /// Fails the authentication without looking: throttled, or the store does not answer.
    #[must_use]
    pub fn refuse(self, failure: Failure, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| tell(core, pending.attempt.profile, &failure, out))
    }
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
        Err(condition) => return refused_early(profile, None, condition.into()),
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

/// The first message of the mechanism.
fn first_message(core: &Core, attempt: Attempt, message: &[u8]) -> Next {
    match attempt.mechanism {
        Mechanism::Scram(_) | Mechanism::ScramPlus(_) => scram_first(core, attempt, message),
        Mechanism::Plain => plain_first(core, attempt, message),
        Mechanism::Token(method) => token_first(core, attempt, method, message),
    }
}

fn scram_first(core: &Core, attempt: Attempt, message: &[u8]) -> Next {
    let (hash, plus) = match attempt.mechanism {
        Mechanism::ScramPlus(hash) => (hash, true),
        Mechanism::Scram(hash) => (hash, false),
        Mechanism::Plain | Mechanism::Token(_) => {
            return refused(attempt, None, Condition::InvalidMechanism.into());
        }
    };
    let bindings = core.bindings();
    let terms = Terms { hash, plus, offered: &bindings, tls: core.tls.as_ref() };
    let identified = ClientFirst::parse(message, terms).and_then(|first| {
        let account = identify(core, &attempt, &first.username, first.authzid.as_deref())?;
        Ok((first, account))
    });
    match identified {
        Ok((first, account)) => {
            let mechanism = attempt.mechanism;
            let lookup = ScramLookup { account: account.clone(), hash, mechanism };
            Next::Scram(lookup, ScramPending { attempt, account, first })
        }
        Err(failure) => refused(attempt, None, failure),
    }
}

fn plain_first(core: &Core, attempt: Attempt, message: &[u8]) -> Next {
    let identified = Plain::parse(message).map_err(Failure::from).and_then(|plain| {
        let account = identify(core, &attempt, &plain.authcid, plain.authzid.as_deref())?;
        Ok((plain, account))
    });
    match identified {
        Ok((plain, account)) => {
            let lookup = PasswordLookup { account: account.clone(), password: plain.password };
            Next::Password(lookup, PasswordPending { attempt, account })
        }
        Err(failure) => refused(attempt, None, failure),
    }
}

fn token_first(core: &Core, attempt: Attempt, method: ht::Method, message: &[u8]) -> Next {
    let identified =
        ht::Initiator::parse(method, message).map_err(Failure::from).and_then(|first| {
            let account = identify(core, &attempt, &first.authcid, None)?;
            Ok((first, account))
        });
    let request = attempt.request.as_deref();
    let client = request.and_then(|request| request.user_agent.as_ref()?.id.clone());
    let count = request.and_then(|request| request.fast?.count);
    match (identified, client) {
        (Ok((initiator, account)), Some(client)) => {
            let lookup = TokenLookup { account: account.clone(), client, method, count };
            Next::Token(lookup, TokenPending { attempt, account, method, initiator })
        }
        // XEP-0484 §5.1: the client must say which one it is.
        (Ok(_), None) => refused(
            attempt,
            None,
            Failure::new(Condition::MalformedRequest).with_text("The user agent has no id."),
        ),
        (Err(failure), _) => refused(attempt, None, failure),
    }
}

/// Whose account a name means, if nothing the peer said elsewhere contradicts it.
fn identify(
    core: &Core,
    attempt: &Attempt,
    username: &str,
    authzid: Option<&str>,
) -> Result<BareJid, Failure> {
    // A name that is no localpart belongs to no account; what is told is the same.
    let unknown = || Failure::new(Condition::NotAuthorized);
    let domain = core.domain.as_deref().ok_or_else(unknown)?;
    let node = NodePart::new(username).map_err(|_| unknown())?;
    let account = BareJid::new(&format!("{node}@{domain}")).map_err(|_| unknown())?;
    if let Some(authzid) = authzid {
        // RFC 6120 §6.3.8; acting as somebody else is not supported.
        let asked = BareJid::new(authzid).map_err(|_| Condition::InvalidAuthzid)?;
        if asked != account {
            return Err(Condition::InvalidAuthzid.into());
        }
    }
    let claimed = core.from.as_ref().filter(|from| from.node().is_some());
    if attempt.profile == Profile::Sasl2 && claimed.is_some_and(|from| *from != account) {
        // XEP-0388 §2.3: the identity must be the one the stream was opened with.
        return Err(Condition::InvalidAuthzid.into());
    }
    Ok(account)
}

/// SCRAM's second message.
fn challenge(
    core: &mut Core,
    pending: ScramPending,
    credentials: Credentials,
    out: &mut Out,
) -> Next {
    let ScramPending { attempt, account, first } = pending;
    let wanted = match attempt.mechanism {
        Mechanism::Scram(hash) | Mechanism::ScramPlus(hash) => Some(hash),
        Mechanism::Plain | Mechanism::Token(_) => None,
    };
    if wanted != Some(credentials.keys.hash) {
        return refused(attempt, Some(account), Condition::TemporaryAuthFailure.into());
    }
    let nonce = core.nonces.next();
    let advertised = core.advertised(attempt.profile);
    let (message, challenged) = first.challenge(credentials.keys, &nonce, &advertised);
    let text = BASE64_STANDARD.encode(message);
    let element = Element::new("challenge", attempt.profile.ns()).with_text(text);
    out.element(&element, core.framing);
    let stage = Stage::Scram { account, state: credentials.state, challenged };
    Next::Read(State::Exchange(Box::new(Exchange { attempt, stage })))
}

/// Checks every token, so that time does not tell which one it was, or that there was none.
fn match_token(
    core: &mut Core,
    pending: TokenPending,
    candidates: &[Candidate],
    out: &mut Out,
) -> Next {
    let TokenPending { mut attempt, account, method, initiator } = pending;
    let data = method.binding_data(core.tls.as_ref()).map(<[u8]>::to_vec);
    let Some(data) = data else {
        return refused(attempt, Some(account), Condition::InvalidMechanism.into());
    };
    let absent = Candidate::absent();
    let padding = std::iter::repeat(&absent);
    let mut found = None;
    for (index, candidate) in candidates.iter().chain(padding).take(Candidate::MAX).enumerate() {
        let answer = initiator.verify(method, &candidate.token, &data);
        if let (Some(answer), None, true) = (answer, &found, index < candidates.len()) {
            found = Some((index, candidate, answer));
        }
    }
    match found {
        None => refused(attempt, Some(account), Condition::NotAuthorized.into()),
        Some((_, candidate, _)) if !candidate.valid => {
            refused(attempt, Some(account), Condition::CredentialsExpired.into())
        }
        Some((index, candidate, answer)) => {
            if let Some(request) = attempt.request.as_deref_mut() {
                let fast = request.fast.unwrap_or_default();
                let (count, invalidate) = (fast.count, fast.invalidate);
                request.used = Some(FastUse { candidate: index, count, invalidate });
            }
            proven(core, attempt, account, candidate.state, Some(answer.to_vec()), out)
        }
    }
}

/// The peer is who it says it is. Whether the account may be used is only told now.
fn proven(
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
        Some(request) => super::login::proven(core, authenticated, *request, data),
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
fn refused(attempt: Attempt, account: Option<BareJid>, failure: Failure) -> Next {
    let Attempt { profile, mechanism, .. } = attempt;
    let refused = Refused { account, mechanism: Some(mechanism), failure: failure.clone() };
    Next::Refused(refused, RefusedPending { profile, failure })
}

fn refused_early(profile: Profile, account: Option<BareJid>, failure: Failure) -> Next {
    let refused = Refused { account, mechanism: None, failure: failure.clone() };
    Next::Refused(refused, RefusedPending { profile, failure })
}

/// An answer to a question nobody asked.
pub(super) fn stray(_core: &Core, sasl2: bool, condition: Condition) -> Next {
    let profile = if sasl2 { Profile::Sasl2 } else { Profile::Sasl };
    refused_early(profile, None, condition.into())
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
