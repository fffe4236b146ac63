//! XEP-0077, XEP-0445: making an account on a stream that has none yet.

use super::bind::reply;
use super::state::{Core, Next, State};
use super::{PreauthAnswer, RegisterRequest, Registration, Step, Waiting};
use crate::error::{Condition, StanzaError, StreamCondition, StreamError};
use crate::ext::register::{self, Submission};
use crate::jid::{BareJid, Jid, node_part};
use crate::ns;
use crate::stream::Out;
use crate::xml::Element;

/// What happened on this stream so far.
#[derive(Debug, Default)]
pub(super) struct Registering {
    /// The invitation that was accepted.
    invitation: Option<Invitation>,
    /// An account was made; one per stream is enough.
    done: bool,
    /// Tokens shown and registrations tried.
    tries: u8,
}

#[derive(Clone, Debug)]
struct Invitation {
    token: String,
    username: Option<String>,
}

/// A token waits to be checked.
#[derive(Debug)]
pub struct PreauthPending {
    id: Option<String>,
    token: String,
}

/// A registration waits to be carried out.
#[derive(Debug)]
pub struct RegisterPending {
    id: Option<String>,
}

impl Waiting<PreauthPending> {
    /// Tells the client whether it may register.
    #[must_use]
    pub fn answer(self, answer: PreauthAnswer, out: &mut Out) -> Step {
        self.resume(out, |core, PreauthPending { id, token }, out| {
            match answer {
                PreauthAnswer::Accepted { username } => {
                    core.registering.invitation = Some(Invitation { token, username });
                    out.element(&from_domain(core, reply(id, "result")), core.framing);
                }
                PreauthAnswer::Rejected => {
                    let error = StanzaError::new(Condition::ItemNotFound)
                        .with_text("The invitation is unknown, used up or expired.");
                    refuse(core, id, &error, out);
                }
            }
            Ok(Next::Read(State::Open))
        })
    }

    /// Says why it cannot be checked now.
    #[must_use]
    pub fn refuse(self, error: &StanzaError, out: &mut Out) -> Step {
        self.resume(out, |core, pending, out| {
            refuse(core, pending.id, error, out);
            Ok(Next::Read(State::Open))
        })
    }
}

impl Waiting<RegisterPending> {
    /// Tells the client that it has an account, or why it has not: `conflict` if the name is taken.
    #[must_use]
    pub fn answer(self, answer: Result<(), StanzaError>, out: &mut Out) -> Step {
        self.resume(out, |core, RegisterPending { id }, out| {
            match answer {
                Ok(()) => {
                    core.registering.done = true;
                    core.registering.invitation = None;
                    out.element(&from_domain(core, reply(id, "result")), core.framing);
                }
                Err(error) => refuse(core, id, &error, out),
            }
            Ok(Next::Read(State::Open))
        })
    }
}

/// An IQ before authentication: registration, or a breach of RFC 6120 §4.9.3.12.
pub(super) fn on_iq(core: &mut Core, iq: &Element, out: &mut Out) -> Result<Next, StreamError> {
    let id = iq.attr("id").map(str::to_owned);
    let domain =
        |to: &str| Jid::new(to).is_ok_and(|to| Some(to.as_str()) == core.domain.as_deref());
    let addressed = iq.attr("to").is_none_or(domain);
    let query = iq.child("query", ns::REGISTER);
    let preauth = iq.child("preauth", ns::PREAUTH);
    if !addressed || (query.is_none() && preauth.is_none()) {
        return Err(StreamCondition::NotAuthorized.into());
    }
    let answer = match (iq.attr("type"), query, preauth) {
        (Some("get" | "set"), ..) if !core.may_authenticate() => {
            Err(StanzaError::new(Condition::NotAuthorized).with_text("Encrypt the stream first."))
        }
        (Some("get" | "set"), ..) if core.settings.registration == Registration::Closed => {
            // XEP-0077 §3.1
            Err(Condition::ServiceUnavailable.into())
        }
        (Some("get"), Some(_), _) => {
            form(core, id.clone(), out);
            return Ok(Next::Read(State::Open));
        }
        (Some("set"), Some(query), _) => submit(core, id.clone(), query),
        (Some("set"), None, Some(preauth)) => show_token(core, id.clone(), preauth),
        _ => Err(Condition::BadRequest.into()),
    };
    answer.or_else(|error| {
        refuse(core, id, &error, out);
        Ok(Next::Read(State::Open))
    })
}

fn form(core: &Core, id: Option<String>, out: &mut Out) {
    let query = match (&core.registering.invitation, core.settings.registration) {
        (Some(invitation), _) => register::form(invitation.username.as_deref()),
        (None, Registration::Open) => register::form(None),
        (None, Registration::Invite | Registration::Closed) => {
            register::redirection(core.settings.registration_url.as_deref())
        }
    };
    out.element(&from_domain(core, reply(id, "result")).with_child(query), core.framing);
}

fn submit(core: &mut Core, id: Option<String>, query: &Element) -> Result<Next, StanzaError> {
    let (username, password) = match Submission::parse(query) {
        Submission::Account { username, password } => (username, password),
        // XEP-0077 §3.2: nobody is registered on this stream.
        Submission::Remove => return Err(Condition::UnexpectedRequest.into()),
        Submission::Ambiguous => return Err(Condition::BadRequest.into()),
        Submission::Incomplete => return Err(Condition::NotAcceptable.into()),
    };
    count_try(core)?;
    let invitation = core.registering.invitation.clone();
    if invitation.is_none() && core.settings.registration != Registration::Open {
        return Err(StanzaError::new(Condition::NotAllowed)
            .with_text("An invitation is needed to register."));
    }
    let unfit =
        |_| StanzaError::new(Condition::NotAcceptable).with_text("The username cannot be used.");
    let node = node_part(&username).map_err(unfit)?;
    let domain = core.domain.as_deref().unwrap_or_default();
    let account = BareJid::new(&format!("{node}@{domain}")).map_err(unfit)?;
    let reserved = invitation.as_ref().and_then(|invitation| invitation.username.as_deref());
    if reserved.is_some_and(|reserved| reserved != node.as_str()) {
        return Err(StanzaError::new(Condition::NotAcceptable)
            .with_text("The invitation is for another username."));
    }
    let token = invitation.map(|invitation| invitation.token);
    Ok(Next::Register(RegisterRequest { account, password, token }, RegisterPending { id }))
}

fn show_token(core: &mut Core, id: Option<String>, preauth: &Element) -> Result<Next, StanzaError> {
    let token = preauth.attr("token").filter(|token| token.len() <= MAX_TOKEN_BYTES);
    let token = token.ok_or(Condition::BadRequest)?.to_owned();
    count_try(core)?;
    Ok(Next::Preauth(token.clone(), PreauthPending { id, token }))
}

/// XEP-0077 §3.1.1: one account, and not too many tries.
fn count_try(core: &mut Core) -> Result<(), StanzaError> {
    let registering = &mut core.registering;
    if registering.done || registering.tries >= MAX_TRIES {
        return Err(StanzaError::new(Condition::NotAcceptable)
            .with_text("Open a new connection to register."));
    }
    registering.tries += 1;
    Ok(())
}

fn refuse(core: &Core, id: Option<String>, error: &StanzaError, out: &mut Out) {
    let iq = from_domain(core, reply(id, "error")).with_child(error.element());
    out.element(&iq, core.framing);
}

fn from_domain(core: &Core, iq: Element) -> Element {
    iq.with_attr_opt("from", core.domain.as_deref())
}

/// Tries per stream, tokens and registrations together: a few names that are taken, a few typos.
const MAX_TRIES: u8 = 10;

/// Far above the length of any token.
const MAX_TOKEN_BYTES: usize = 256;
