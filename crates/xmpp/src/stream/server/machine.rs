//! The steps of a negotiation, as its driver sees them.

use std::sync::Arc;

use super::open;
use super::state::{Core, Next, State};
use super::{
    BindPending, BindRequest, Established, Login, LoginPending, PasswordLookup, PasswordPending,
    PreauthPending, Refused, RefusedPending, RegisterPending, RegisterRequest, ResumePending,
    ResumeRequest, ScramLookup, ScramPending, Settings, TokenLookup, TokenPending, UpgradeLookup,
    UpgradePending,
};
use crate::error::StreamError;
use crate::stream::{Out, TlsInfo};
use crate::xml::{Event, Framing};

/// What happens next. Write what [`Out`] holds before acting on it.
#[derive(Debug)]
pub enum Step {
    /// Wait for the peer.
    Read(Negotiation),
    /// Start TLS, once `<proceed/>` is written. If the handshake fails, close the connection.
    StartTls(Waiting<TlsPending>),
    /// Look up an account's keys.
    Scram(ScramLookup, Waiting<ScramPending>),
    /// Check a password.
    Password(PasswordLookup, Waiting<PasswordPending>),
    /// Look up a client's tokens.
    Token(TokenLookup, Waiting<TokenPending>),
    /// Look up which keys an account lacks (XEP-0480).
    Upgrade(UpgradeLookup, Waiting<UpgradePending>),
    /// Note a failed authentication; answer when the client may know.
    Refused(Refused, Waiting<RefusedPending>),
    /// Check a token for registration (XEP-0445).
    Preauth(String, Waiting<PreauthPending>),
    /// Make an account.
    Register(RegisterRequest, Waiting<RegisterPending>),
    /// Finish a SASL2 authentication: resume, bind, issue a token.
    Login(Box<Login>, Waiting<LoginPending>),
    /// Bind a resource.
    Bind(BindRequest, Waiting<BindPending>),
    /// Resume a session.
    Resume(ResumeRequest, Waiting<ResumePending>),
    /// There is a session; the stream is its.
    Established(Box<Established>),
    /// Close the connection. With an error if it ended the stream.
    Closed(Option<StreamError>),
}

/// A negotiation that waits for the peer.
#[derive(Debug)]
pub struct Negotiation {
    core: Box<Core>,
    state: State,
}

impl Negotiation {
    /// A stream that has not been opened yet. `tls` is there if the connection is encrypted from
    /// the start; `seed` is 32 random bytes that nothing else uses.
    #[must_use]
    pub fn new(
        settings: Arc<Settings>,
        framing: Framing,
        tls: Option<TlsInfo>,
        seed: [u8; 32],
    ) -> Self {
        let core = Box::new(Core::new(settings, framing, tls, seed));
        Self { core, state: State::Header(None) }
    }

    /// Takes what the reader found.
    #[must_use]
    pub fn handle(self, event: Event, out: &mut Out) -> Step {
        let Self { mut core, state } = self;
        let next = open::handle(&mut core, state, event, out);
        core.finish(next, out)
    }

    /// Ends the stream with an error: broken XML, a deadline, a shutdown.
    pub fn fail(self, error: StreamError, out: &mut Out) {
        let _ = self.core.finish(Err(error), out);
    }

    /// Whether the peer has proven who it is.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        matches!(self.state, State::Header(Some(_)) | State::Bindable(_))
    }
}

/// A negotiation that waits for its driver.
#[derive(Debug)]
pub struct Waiting<P> {
    core: Box<Core>,
    pending: P,
}

impl<P> Waiting<P> {
    pub(super) fn new(core: Box<Core>, pending: P) -> Self {
        Self { core, pending }
    }

    /// Ends the stream with an error.
    pub fn fail(self, error: StreamError, out: &mut Out) {
        let _ = self.core.finish(Err(error), out);
    }

    /// Lets `act` go on with what was pending.
    pub(super) fn resume(
        self,
        out: &mut Out,
        act: impl FnOnce(&mut Core, P, &mut Out) -> Result<Next, StreamError>,
    ) -> Step {
        let Self { mut core, pending } = self;
        let next = act(&mut core, pending, out);
        core.finish(next, out)
    }
}

/// TLS is being started.
#[derive(Debug)]
pub struct TlsPending(pub(super) ());

impl Waiting<TlsPending> {
    /// The connection is encrypted. The peer opens a new stream.
    #[must_use]
    pub fn answer(self, tls: TlsInfo, out: &mut Out) -> Step {
        self.resume(out, |core, TlsPending(()), _| Ok(open::encrypted(core, tls)))
    }
}

impl Core {
    /// Turns what a handler decided into a step, writing what ends the stream if it does.
    pub(super) fn finish(
        mut self: Box<Self>,
        next: Result<Next, StreamError>,
        out: &mut Out,
    ) -> Step {
        let next = match next {
            Ok(next) => next,
            Err(error) => {
                self.close(Some(&error), out);
                return Step::Closed(Some(error));
            }
        };
        match next {
            Next::Read(state) => Step::Read(Negotiation { core: self, state }),
            Next::StartTls => Step::StartTls(Waiting::new(self, TlsPending(()))),
            Next::Scram(ask, pending) => Step::Scram(ask, Waiting::new(self, pending)),
            Next::Password(ask, pending) => Step::Password(ask, Waiting::new(self, pending)),
            Next::Token(ask, pending) => Step::Token(ask, Waiting::new(self, pending)),
            Next::Upgrade(ask, pending) => Step::Upgrade(ask, Waiting::new(self, pending)),
            Next::Refused(ask, pending) => Step::Refused(ask, Waiting::new(self, pending)),
            Next::Preauth(ask, pending) => Step::Preauth(ask, Waiting::new(self, pending)),
            Next::Register(ask, pending) => Step::Register(ask, Waiting::new(self, pending)),
            Next::Login(ask, pending) => Step::Login(ask, Waiting::new(self, pending)),
            Next::Bind(ask, pending) => Step::Bind(ask, Waiting::new(self, pending)),
            Next::Resume(ask, pending) => Step::Resume(ask, Waiting::new(self, pending)),
            Next::Established(established) => Step::Established(established),
            Next::Closed => Step::Closed(None),
        }
    }
}
