//! What a negotiation asks and tells its driver.

use crate::ext::bind2::Bind;
use crate::ext::sasl2::UserAgent;
use crate::jid::{BareJid, FullJid};
use crate::sasl::{self, Hash, Mechanism, ScramKeys, Secret, ht};
use crate::sm;

/// Proof that a stream belongs to an account. Made by successful authentication only, consumed by
/// whoever binds or resumes a session, so the two cannot be about different accounts.
#[derive(Debug)]
pub struct Authenticated {
    account: BareJid,
    mechanism: Mechanism,
}

impl Authenticated {
    pub(super) fn new(account: BareJid, mechanism: Mechanism) -> Self {
        Self { account, mechanism }
    }

    /// The same proof again. Private to the negotiation, which asks again when a bind failed.
    pub(super) fn again(&self) -> Self {
        Self { account: self.account.clone(), mechanism: self.mechanism }
    }

    /// Whose stream it is.
    #[must_use]
    pub fn account(&self) -> &BareJid {
        &self.account
    }

    /// How that was proven.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }
}

/// The keys of an account are needed. Answer with [`Credentials`](super::Credentials), made with
/// [`ScramKeys::fake`](crate::sasl::ScramKeys::fake) if there is no such account.
#[derive(Debug)]
pub struct ScramLookup {
    /// The account, which may not exist.
    pub account: BareJid,
    /// The hash function the keys must have.
    pub hash: Hash,
    /// The mechanism that was chosen.
    pub mechanism: Mechanism,
}

/// A password is to be checked. Unknown accounts must take as long as known ones: check against
/// fake keys. Answer with [`PasswordCheck`](super::PasswordCheck).
#[derive(Debug)]
pub struct PasswordLookup {
    /// The account, which may not exist.
    pub account: BareJid,
    /// What was sent.
    pub password: Secret,
}

/// The tokens of a client are needed. Answer with those that were issued for exactly this account,
/// client and mechanism, the newer one first (XEP-0484 §6.1); with none if there are none.
#[derive(Debug)]
pub struct TokenLookup {
    /// The account, which may not exist.
    pub account: BareJid,
    /// The client's stable id, from its user agent.
    pub client: String,
    /// Tokens of other mechanisms must not be answered (XEP-0484 §4.4).
    pub method: ht::Method,
    /// The client's counter. Early data is not offered, so it need not be checked.
    pub count: Option<u32>,
}

/// A client has proven that it knows the password of an account, and would compute keys for these hash
/// functions (XEP-0480). Answer with salts for those that the account has no keys for.
#[derive(Debug)]
pub struct UpgradeLookup {
    /// The account. It exists.
    pub account: BareJid,
    /// What the client would do.
    pub hashes: Vec<Hash>,
}

/// An authentication failed and the client does not know yet. The driver counts it, may wait, and
/// answers.
#[derive(Debug)]
pub struct Refused {
    /// The account that was tried, if it got that far. It may not exist.
    pub account: Option<BareJid>,
    /// The mechanism, if it is one that is offered.
    pub mechanism: Option<Mechanism>,
    /// What the client will be told.
    pub failure: sasl::Failure,
}

/// Somebody wants an account. Answer with `Ok(())` once it exists.
#[derive(Debug)]
pub struct RegisterRequest {
    /// The account, prepared.
    pub account: BareJid,
    /// The password, as it was sent.
    pub password: Secret,
    /// The invitation that was accepted on this stream. It is used up only if the account is made
    /// (XEP-0445 §4), and no longer checked for expiry.
    pub token: Option<String>,
}

/// A SASL2 authentication succeeded (XEP-0388). The client has not been told yet: answer with what
/// became of its further wishes.
#[derive(Debug)]
pub struct Login {
    /// Whose stream it is.
    pub authenticated: Authenticated,
    /// What the client says about itself.
    pub user_agent: Option<UserAgent>,
    /// Resume this session; if that works, ignore `bind` (XEP-0386 §3.2).
    pub resume: Option<sm::Resume>,
    /// Bind a resource, with these features.
    pub bind: Option<Bind>,
    /// The client asks for a token for this mechanism.
    pub request_token: Option<ht::Method>,
    /// The token that was used to get here.
    pub fast: Option<FastUse>,
    /// Keys that the client gave for hash functions its account lacked (XEP-0480). To be kept beside
    /// those that are there, and only where there are none.
    pub upgraded: Vec<ScramKeys>,
}

/// A token was used (XEP-0484). The driver moves it to the current slot, or forgets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastUse {
    /// Which of the candidates of the answer it was.
    pub candidate: usize,
    /// The client's counter.
    pub count: Option<u32>,
    /// The client logs out: forget the token, and issue none unless one is asked for.
    pub invalidate: bool,
}

/// A resource is to be bound on a classic stream (RFC 6120 §7). Answer with the session's address
/// or the error the client gets.
#[derive(Debug)]
pub struct BindRequest {
    /// Whose stream it is.
    pub authenticated: Authenticated,
    /// The resource the client wants, if any, prepared.
    pub resource: Option<String>,
    /// What the client said about itself, if it used SASL2 before.
    pub user_agent: Option<UserAgent>,
}

/// A session is to be resumed on a classic stream (XEP-0198 §5).
#[derive(Debug)]
pub struct ResumeRequest {
    /// Whose stream it is. The session must be this account's.
    pub authenticated: Authenticated,
    /// Which session, and what its client has handled.
    pub resume: sm::Resume,
}

/// The end of a negotiation.
#[derive(Debug)]
pub struct Established {
    /// The session's address.
    pub jid: FullJid,
    /// How the client proved itself.
    pub mechanism: Mechanism,
    /// Which profile it used.
    pub profile: Profile,
    /// What the client says about itself.
    pub user_agent: Option<UserAgent>,
    /// Whether the client is inactive from the start (XEP-0352).
    pub inactive: bool,
    /// New or resumed.
    pub session: Session,
}

/// What became of the session.
#[derive(Debug)]
pub enum Session {
    /// A new session. With Bind 2 the driver has already enabled what `bind` asks for.
    Bound {
        /// The Bind 2 request, if that is how it was bound.
        bind: Option<Bind>,
    },
    /// The session of an earlier stream goes on: resend what the client has not handled.
    Resumed {
        /// What the client has handled.
        resume: sm::Resume,
    },
}

/// How a client authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// RFC 6120 §6.
    Sasl,
    /// XEP-0388.
    Sasl2,
}
