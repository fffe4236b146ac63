//! What every state of a negotiation shares.

use std::sync::Arc;

use super::exchange::Exchange;
use super::register::Registering;
use super::upgrade::Upgrading;
use super::{
    Authenticated, BindPending, BindRequest, Established, Login, LoginPending, PasswordLookup,
    PasswordPending, PreauthPending, Profile, Refused, RefusedPending, RegisterPending,
    RegisterRequest, ResumePending, ResumeRequest, ScramLookup, ScramPending, Session, Settings,
    TokenLookup, TokenPending, UpgradeLookup, UpgradePending,
};
use crate::error::StreamError;
use crate::ext::sasl2::UserAgent;
use crate::jid::{BareJid, FullJid};
use crate::ns;
use crate::stream::nonce::Nonces;
use crate::stream::{Out, TlsInfo, header};
use crate::xml::{Framing, StreamHeader};

/// Everything but the state itself.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) settings: Arc<Settings>,
    pub(super) framing: Framing,
    pub(super) tls: Option<TlsInfo>,
    pub(super) nonces: Nonces,
    /// The domain the peer asked for; served here.
    pub(super) domain: Option<String>,
    /// Who the peer says it is, in the header. Proves nothing.
    pub(super) from: Option<BareJid>,
    /// Whether our header of the current stream is written.
    pub(super) opened: bool,
    pub(super) failures: u8,
    pub(super) registering: Registering,
    pub(super) profile: Profile,
    pub(super) user_agent: Option<UserAgent>,
    /// XEP-0352: the client said that it is inactive.
    pub(super) inactive: bool,
}

/// What is expected from the peer.
#[derive(Debug)]
pub(super) enum State {
    /// The header of a stream; authenticated already after a classic SASL exchange.
    Header(Option<Authenticated>),
    /// STARTTLS, authentication or registration.
    Open,
    /// The next message of a mechanism.
    Exchange(Box<Exchange>),
    /// The next step of a task (XEP-0480).
    Upgrading(Box<Upgrading>),
    /// A bind or resume request.
    Bindable(Authenticated),
}

/// What a handler decided; the driver's [`Step`](super::Step) without the core.
#[derive(Debug)]
pub(super) enum Next {
    Read(State),
    StartTls,
    Scram(ScramLookup, ScramPending),
    Password(PasswordLookup, PasswordPending),
    Token(TokenLookup, TokenPending),
    Upgrade(UpgradeLookup, UpgradePending),
    Refused(Refused, RefusedPending),
    Preauth(String, PreauthPending),
    Register(RegisterRequest, RegisterPending),
    Login(Box<Login>, LoginPending),
    Bind(BindRequest, BindPending),
    Resume(ResumeRequest, ResumePending),
    Established(Box<Established>),
    Closed,
}

impl Core {
    pub(super) fn new(
        settings: Arc<Settings>,
        framing: Framing,
        tls: Option<TlsInfo>,
        seed: [u8; 32],
    ) -> Self {
        Self {
            settings,
            framing,
            tls,
            nonces: Nonces::new(seed),
            domain: None,
            from: None,
            opened: false,
            failures: 0,
            registering: Registering::default(),
            profile: Profile::Sasl,
            user_agent: None,
            inactive: false,
        }
    }

    /// Whether passwords and invitations may be sent on this stream.
    pub(super) fn may_authenticate(&self) -> bool {
        self.tls.is_some() || !self.settings.tls_required
    }

    /// Writes our stream header.
    pub(super) fn open(&mut self, out: &mut Out) {
        // RFC 6120 §4.7.1: the domain the peer asked for, or one we are responsible for.
        let domain = self.domain.as_ref().or_else(|| self.settings.domains.first());
        let header = StreamHeader {
            from: domain.cloned(),
            to: self.from.as_ref().map(ToString::to_string),
            id: Some(self.nonces.next()),
            version: Some("1.0".into()),
            lang: Some(self.settings.lang.clone()),
            ns: ns::CLIENT.into(),
        };
        header::open(out, self.framing, &header);
        self.opened = true;
    }

    /// Ends the stream. RFC 6120 §4.9.1.2: an error before our header follows a header.
    pub(super) fn close(&mut self, error: Option<&StreamError>, out: &mut Out) {
        if let Some(error) = error {
            if !self.opened {
                self.open(out);
            }
            out.frame(&error.to_bytes());
        }
        if self.opened {
            header::close(out, self.framing);
        }
    }

    /// The end of the negotiation.
    pub(super) fn established(
        &mut self,
        authenticated: &Authenticated,
        jid: FullJid,
        session: Session,
    ) -> Next {
        Next::Established(Box::new(Established {
            jid,
            mechanism: authenticated.mechanism(),
            profile: self.profile,
            user_agent: self.user_agent.take(),
            inactive: self.inactive,
            session,
        }))
    }
}
