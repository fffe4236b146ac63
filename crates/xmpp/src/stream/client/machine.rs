//! The steps of a client's negotiation.

use super::auth::Exchange;
use super::login::Authenticating;
use super::offer::Offer;
use super::register::Registering;
use super::session::{Established, Pending};
use super::{Encryption, Settings, auth, login, register, session};
use crate::error::{StanzaError, StreamError};
use crate::jid::Jid;
use crate::ns;
use crate::sasl::scram_client::{self, ClientKeys};
use crate::sasl::{self, Mechanism};
use crate::stanza::Stanza;
use crate::stream::nonce::Nonces;
use crate::stream::server::Profile;
use crate::stream::{Out, TlsInfo, header};
use crate::xml::{Element, Event, Framing, StreamHeader};

/// What happens next. Write what [`Out`] holds before acting on it.
#[derive(Debug)]
pub enum Step {
    /// Wait for the server.
    Read(Negotiation),
    /// Start TLS, with the account's domain as the name the certificate must have.
    StartTls(TlsPending),
    /// There is a session; the stream is its.
    Established(Box<Established>),
    /// Close the connection.
    Failed(Error),
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server ended the stream.
    #[error("the server ended the stream: {}", .0.condition.name())]
    Stream(StreamError),
    /// The server closed the stream without saying why.
    #[error("the server closed the stream")]
    Closed,
    /// The server did not follow the protocol.
    #[error("unexpected answer: {0}")]
    Protocol(&'static str),
    /// The connection is not encrypted and the server offers no STARTTLS.
    #[error("the server does not offer encryption")]
    Unencrypted,
    /// No mechanism, profile or credential that both sides accept.
    #[error("the server offers no way to log in that is allowed here")]
    NoMechanism,
    /// What the server offers contradicts itself: somebody may have changed it.
    #[error("the server's offer was changed on the way: {0}")]
    Downgrade(&'static str),
    /// The server refused the login.
    #[error("the login was refused: {}", .0.condition)]
    Refused(sasl::Failure),
    /// The login failed on our side.
    #[error(transparent)]
    Scram(#[from] scram_client::Error),
    /// The server wants something done first that is not supported here.
    #[error("the server demands a further task")]
    Task,
    /// The account could not be made.
    #[error("the registration was refused: {}", .0.condition.name())]
    Registration(StanzaError),
    /// There is no session for us.
    #[error("no session was bound: {}", .0.condition.name())]
    Bind(StanzaError),
}

/// A negotiation that waits for the server.
#[derive(Debug)]
pub struct Negotiation {
    core: Box<Core>,
    state: State,
}

/// TLS is being started.
#[derive(Debug)]
pub struct TlsPending {
    core: Box<Core>,
}

/// Everything but the state itself.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) settings: Settings,
    pub(super) tls: Option<TlsInfo>,
    pub(super) nonces: Nonces,
    pub(super) registered: bool,
    /// How the client authenticated, once it has.
    pub(super) authenticated: Option<(Profile, Mechanism)>,
    /// Computed on the way, to be kept.
    pub(super) keys: Option<ClientKeys>,
    pub(super) issued: Option<super::IssuedToken>,
}

/// What is expected from the server.
#[derive(Debug)]
pub(super) enum State {
    Header,
    Features,
    Proceed,
    Registering(Registering, Offer),
    Exchange(Box<Exchange>),
    /// SASL2 succeeded; features follow.
    LoggedIn(Box<Authenticating>),
    Session(Box<Pending>),
}

/// What a handler decided.
pub(super) enum Next {
    Read(State),
    StartTls,
    Established(Box<Established>),
}

impl Negotiation {
    /// Opens the stream. `tls` is there if the connection is encrypted already; `seed` is 32 random
    /// bytes that nothing else uses.
    #[must_use]
    pub fn start(settings: Settings, tls: Option<TlsInfo>, seed: [u8; 32], out: &mut Out) -> Self {
        let registered = settings.register.is_none();
        let core = Box::new(Core {
            settings,
            tls,
            nonces: Nonces::new(seed),
            registered,
            authenticated: None,
            keys: None,
            issued: None,
        });
        core.open(out);
        Self { core, state: State::Header }
    }

    /// Takes what the reader found. Computes PBKDF2 while answering a SCRAM challenge, unless the
    /// credential is keys that fit.
    #[must_use]
    pub fn handle(self, event: Event, out: &mut Out) -> Step {
        let Self { mut core, state } = self;
        match core.handle(state, event, out) {
            Ok(Next::Read(state)) => Step::Read(Self { core, state }),
            Ok(Next::StartTls) => Step::StartTls(TlsPending { core }),
            Ok(Next::Established(established)) => Step::Established(established),
            Err(error) => {
                header::close(out, core.settings.framing);
                Step::Failed(error)
            }
        }
    }
}

impl TlsPending {
    /// The connection is encrypted and the server's certificate is valid for the account's domain.
    #[must_use]
    pub fn answer(self, tls: TlsInfo, out: &mut Out) -> Step {
        let Self { mut core } = self;
        core.tls = Some(tls);
        core.open(out);
        Step::Read(Negotiation { core, state: State::Header })
    }
}

impl Core {
    pub(super) fn framing(&self) -> Framing {
        self.settings.framing
    }

    /// Opens a stream. The account is told to encrypted servers only (RFC 6120 §4.7.1).
    pub(super) fn open(&self, out: &mut Out) {
        let account = &self.settings.account;
        let header = StreamHeader {
            to: Some(account.domain().to_string()),
            from: self.tls.as_ref().map(|_| account.to_string()),
            id: None,
            version: Some("1.0".into()),
            lang: self.settings.lang.clone(),
            ns: ns::CLIENT.into(),
        };
        header::open(out, self.framing(), &header);
    }

    fn handle(&mut self, state: State, event: Event, out: &mut Out) -> Result<Next, Error> {
        let stanza = match event {
            Event::Open(header) => return self.on_header(&state, &header),
            Event::Close => return Err(Error::Closed),
            Event::Oversized(_) => return Err(Error::Protocol("too large an element")),
            Event::Stanza(stanza) => stanza,
        };
        if stanza.name() == "error" && stanza.ns() == ns::STREAM {
            return Err(Error::Stream(StreamError::parse(&stanza.element())));
        }
        match state {
            State::Header => Err(Error::Protocol("an element before the stream")),
            State::Features => self.on_features(Offer::new(features(&stanza)?), out),
            State::Proceed if stanza.name() == "proceed" && stanza.ns() == ns::TLS => {
                out.encrypt();
                Ok(Next::StartTls)
            }
            State::Proceed => Err(Error::Unencrypted),
            State::Registering(registering, offer) => {
                register::on_answer(self, registering, offer, &stanza.element(), out)
            }
            State::Exchange(exchange) => auth::on_element(self, *exchange, &stanza.element(), out),
            State::LoggedIn(authenticating) => {
                let offer = Offer::new(features(&stanza)?);
                login::on_features(self, *authenticating, offer, out)
            }
            State::Session(pending) => session::on_element(self, *pending, stanza, out),
        }
    }

    fn on_header(&self, state: &State, header: &StreamHeader) -> Result<Next, Error> {
        if !matches!(state, State::Header) {
            return Err(Error::Protocol("a second stream"));
        }
        let from = header.from.as_deref().and_then(|from| Jid::new(from).ok());
        if from.is_some_and(|from| from.domain() != self.settings.account.domain()) {
            return Err(Error::Protocol("a stream of another domain"));
        }
        if header.version.is_none() {
            return Err(Error::Protocol("a stream older than XMPP 1.0"));
        }
        Ok(Next::Read(State::Features))
    }

    fn on_features(&mut self, offer: Offer, out: &mut Out) -> Result<Next, Error> {
        if self.authenticated.is_some() {
            return session::begin(self, &offer, None, out);
        }
        if self.tls.is_none() && self.settings.encryption != Encryption::Never {
            if offer.feature("starttls", ns::TLS).is_some() {
                out.element(&Element::new("starttls", ns::TLS), self.framing());
                return Ok(Next::Read(State::Proceed));
            }
            if self.settings.encryption == Encryption::Required {
                return Err(Error::Unencrypted);
            }
        }
        if self.registered {
            auth::begin(self, offer, out)
        } else {
            register::begin(self, offer, out)
        }
    }
}

/// The features, which must come where they are expected.
fn features(stanza: &Stanza) -> Result<Element, Error> {
    if stanza.name() == "features" && stanza.ns() == ns::STREAM {
        Ok(stanza.element())
    } else {
        Err(Error::Protocol("no stream features"))
    }
}
