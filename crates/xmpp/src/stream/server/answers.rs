//! What a driver answers to the questions of a negotiation.

use crate::error::Condition;
use crate::jid::FullJid;
use crate::sasl::{ScramKeys, Secret};
use crate::time::Millis;
use crate::xml::Element;

/// Whether an account may be used. Only told to who proved to know its password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountState {
    /// It may.
    #[default]
    Active,
    /// The operator switched it off.
    Disabled,
    /// Its password must be changed first.
    Expired,
}

/// Answers [`ScramLookup`](super::ScramLookup).
#[derive(Debug)]
pub struct Credentials {
    /// The account's keys, or fake ones.
    pub keys: ScramKeys,
    /// Whether the account may be used.
    pub state: AccountState,
}

/// Answers [`PasswordLookup`](super::PasswordLookup).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It is the password of an account in this state.
    Right(AccountState),
    /// It is not, or there is no such account.
    Wrong,
}

/// Answers [`TokenLookup`](super::TokenLookup), at most [`Candidate::MAX`] of them.
#[derive(Debug)]
pub struct Candidate {
    /// The token as the client has it.
    pub token: Secret,
    /// Whether it may still be used; the owner of an old one is told that it expired.
    pub valid: bool,
    /// Whether the account may be used.
    pub state: AccountState,
}

impl Candidate {
    /// XEP-0484 §6.1: a new and a current token for each client. Further ones are not tried.
    pub const MAX: usize = 2;

    /// Stands for a token that was not issued.
    pub(super) fn absent() -> Self {
        Self { token: Secret::default(), valid: false, state: AccountState::default() }
    }
}

/// Answers a [token](super::Step::Preauth) shown before registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreauthAnswer {
    /// It may be used to register.
    Accepted {
        /// The localpart it was issued for, if it names one.
        username: Option<String>,
    },
    /// It is unknown, used up or expired.
    Rejected,
}

/// Answers [`Login`](super::Login).
#[derive(Debug)]
pub struct LoginAnswer {
    /// What became of the session.
    pub session: LoginSession,
    /// A token for the client: asked for, or because the one it used is due for rotation.
    pub token: Option<IssuedToken>,
}

/// What became of resumption and binding inside a SASL2 request.
#[derive(Debug)]
pub enum LoginSession {
    /// The session goes on.
    Resumed(Resumed),
    /// A session was bound.
    Bound(Bound),
    /// Neither was asked for, or only a resumption that failed: the client may still bind.
    Unbound {
        /// Why the session was not resumed.
        resume_failed: Option<ResumeFailed>,
    },
}

/// A resumed session.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// The session's address.
    pub jid: FullJid,
    /// How many of the client's stanzas the server has handled.
    pub handled: u32,
}

/// A session bound by Bind 2.
#[derive(Debug)]
pub struct Bound {
    /// The session's address.
    pub jid: FullJid,
    /// Why an earlier session was not resumed, if that was asked for.
    pub resume_failed: Option<ResumeFailed>,
    /// Children of `<bound/>`: archive metadata, the answer of stream management, others.
    pub inline: Vec<Element>,
}

/// Why a session was not resumed (XEP-0198 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumeFailed {
    /// `item-not-found` for sessions that are unknown, over or somebody else's.
    pub condition: Condition,
    /// How many of the client's stanzas were handled, if that is still known.
    pub handled: Option<u32>,
}

/// A token for FAST.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: Secret,
    /// Until when it can be used.
    pub expiry: Millis,
}
