//! What a client wants.

use crate::ext::bind2::Bind;
use crate::ext::sasl2::UserAgent;
use crate::jid::BareJid;
use crate::sasl::scram_client::Credential;
use crate::sasl::{Mechanism, Secret, ht};
use crate::sm;
use crate::xml::Framing;

/// Everything a negotiation needs to know beforehand.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account.
    pub account: BareJid,
    /// The password or keys; `None` if only a token shall be used.
    pub credential: Option<Credential>,
    /// A token from an earlier login; tried first (XEP-0484).
    pub token: Option<Token>,
    /// How elements are framed.
    pub framing: Framing,
    /// What to do on a connection that is not encrypted.
    pub encryption: Encryption,
    /// Which profile to use.
    pub preference: Preference,
    /// The mechanisms that may be used, best first.
    pub mechanisms: Vec<Mechanism>,
    /// Whether to bind to the channel. Off only for tests and for connections behind a proxy.
    pub channel_binding: bool,
    /// The resource to ask for where Bind 2 is not used; the server chooses one if `None`.
    pub resource: Option<String>,
    /// The session's features. Carbons are enabled by Bind 2 only; stream management and
    /// inactivity either way.
    pub bind: Bind,
    /// The session to resume; if that fails a new one is bound.
    pub resume: Option<sm::Resume>,
    /// What to tell about this client (XEP-0388). Its id is needed for tokens.
    pub user_agent: Option<UserAgent>,
    /// Ask for a token for this method, if the server offers it.
    pub request_token: Option<ht::Method>,
    /// Make the account first.
    pub register: Option<Registration>,
    /// `xml:lang` of the stream.
    pub lang: Option<String>,
}

/// A token for FAST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// The method it was issued for.
    pub method: ht::Method,
    /// Forget it after this use: log out.
    pub invalidate: bool,
}

/// A registration (XEP-0077) with the account's localpart and the password.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The password of the new account.
    pub password: Secret,
    /// The invitation, if there is one (XEP-0445).
    pub token: Option<String>,
}

/// What to do on a connection that is not encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Use STARTTLS or give up.
    #[default]
    Required,
    /// Use STARTTLS if it is offered. For tests.
    IfOffered,
    /// Stay unencrypted. For tests.
    Never,
}

/// Which profile to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// SASL2 if it is offered.
    #[default]
    Any,
    /// RFC 6120 only.
    Sasl,
    /// XEP-0388 only.
    Sasl2,
}

impl Settings {
    /// A login over TCP with a password: TLS required, everything but PLAIN allowed, nothing
    /// further wanted.
    #[must_use]
    pub fn new(account: BareJid, password: impl Into<Secret>) -> Self {
        let scram = Mechanism::PASSWORD.into_iter().filter(|one| *one != Mechanism::Plain);
        Self {
            account,
            credential: Some(Credential::Password(password.into())),
            token: None,
            framing: Framing::Tcp,
            encryption: Encryption::default(),
            preference: Preference::default(),
            mechanisms: scram.collect(),
            channel_binding: true,
            resource: None,
            bind: Bind::default(),
            resume: None,
            user_agent: None,
            request_token: None,
            register: None,
            lang: None,
        }
    }
}
