//! RFC 5802, RFC 4616, draft-schmaus-sasl-ht: what each mechanism needs to be checked.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::exchange::{Attempt, Exchange, Stage, proven, refused, tell};
use super::state::{Core, Next, State};
use super::{
    Candidate, Credentials, FastUse, PasswordCheck, PasswordLookup, Profile, ScramLookup, Step,
    TokenLookup, Waiting,
};
use crate::jid::{BareJid, node_part};
use crate::sasl::plain::Plain;
use crate::sasl::scram_server::{ClientFirst, Terms};
use crate::sasl::{Condition, Failure, Mechanism, ht};
use crate::stream::Out;
use crate::xml::Element;

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

/// The first message of the mechanism.
pub(super) fn first_message(core: &Core, attempt: Attempt, message: &[u8]) -> Next {
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
    let node = node_part(username).map_err(|_| unknown())?;
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
    let challenged = Box::new(challenged);
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
