//! The side of a stream between servers that connects
//!
//! [`Negotiation::start`] writes the first bytes; then feed it what the reader finds. The driver
//! checks the peer's certificate when TLS is up and says whether it names the domain: with a
//! certificate that does not, only dialback is tried, if there is a secret for it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Proof;
use super::dialback::{self, Claim, Verdict};
use crate::error::StreamError;
use crate::jid::domain_part;
use crate::ns;
use crate::sasl::{self, Secret};
use crate::stanza::Stanza;
use crate::stream::{Out, header};
use crate::xml::{Element, Event, Framing, Limits, StreamHeader};

/// What a connecting server wants.
#[derive(Debug)]
pub struct Settings {
    /// Our domain.
    pub local: String,
    /// The domain to reach.
    pub remote: String,
    /// Whether stanzas may come back on the same stream (XEP-0288).
    pub bidi: bool,
    /// The secret of our dialback keys, where the policy allows dialback with this domain.
    pub dialback: Option<Secret>,
    /// What the stream is for.
    pub purpose: Purpose,
    /// What the reader accepts once the stream is established.
    pub reader_limits: Limits,
}

/// What a stream is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Stanzas.
    Stanzas,
    /// A question about a key that somebody showed us on the stream `id` (XEP-0220 §2.1.2).
    Verify {
        /// Our stream's id.
        id: String,
        /// The key.
        key: String,
    },
}

/// What happens next. Write what [`Out`] holds before acting on it.
#[derive(Debug)]
pub enum Step {
    /// Wait for the peer.
    Read(Negotiation),
    /// Start TLS, with the domain as the name that is asked for.
    StartTls(TlsPending),
    /// The stream takes stanzas.
    Established(Established),
    /// The domain's server said what it thinks of the key. Close the connection.
    Verified(Verdict),
    /// Close the connection.
    Failed(Error),
}

/// A stream that is ready for stanzas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Established {
    /// How we proved who we are.
    pub proof: Proof,
    /// Stanzas come back on it.
    pub bidi: bool,
    /// The peer offers stream management.
    pub sm: bool,
    /// Bytes of the largest stanza the peer takes, if it says so (XEP-0478).
    pub max_bytes: Option<u64>,
}

/// Why there is no stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The peer ended the stream.
    #[error("the other server ended the stream: {}{}", .0.condition.name(), text(.0))]
    Stream(StreamError),
    /// The peer closed the stream without saying why.
    #[error("the other server closed the stream")]
    Closed,
    /// The peer did not follow the protocol.
    #[error("unexpected answer: {0}")]
    Protocol(&'static str),
    /// The peer offers no encryption.
    #[error("the other server does not offer encryption")]
    Unencrypted,
    /// The peer takes no proof that we can give.
    #[error("the other server does not accept the certificate of this one")]
    NoProof,
    /// The peer refused our proof.
    #[error("the other server refused the proof of identity: {0}")]
    Refused(sasl::Condition),
    /// The peer did not believe our key, or could not check it.
    #[error("the other server did not accept a dialback key")]
    Dialback,
}

fn text(error: &StreamError) -> String {
    error.text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default()
}

/// A negotiation that waits for the peer.
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

#[derive(Debug)]
struct Core {
    settings: Settings,
    encrypted: bool,
    /// The peer's certificate names its domain.
    trusted: bool,
    /// The id of the current stream, given by the peer.
    id: Option<String>,
    bidi: bool,
}

#[derive(Debug)]
enum State {
    Header,
    Features,
    Proceed,
    /// The outcome of EXTERNAL.
    External,
    Result,
    Verify,
    /// Features after EXTERNAL.
    Proven,
}

enum Next {
    Read(State),
    StartTls,
    Established(Established),
    Verified(Verdict),
}

impl Negotiation {
    /// Opens the stream. `encrypted` says that the connection is encrypted already (XEP-0368), and
    /// `trusted` that the peer's certificate names the domain.
    #[must_use]
    pub fn start(settings: Settings, encrypted: bool, trusted: bool, out: &mut Out) -> Self {
        let core = Box::new(Core { settings, encrypted, trusted, id: None, bidi: false });
        core.open(out);
        Self { core, state: State::Header }
    }

    /// Takes what the reader found.
    #[must_use]
    pub fn handle(self, event: Event, out: &mut Out) -> Step {
        let Self { mut core, state } = self;
        match core.handle(state, event, out) {
            Ok(Next::Read(state)) => Step::Read(Self { core, state }),
            Ok(Next::StartTls) => Step::StartTls(TlsPending { core }),
            Ok(Next::Established(established)) => Step::Established(established),
            Ok(Next::Verified(verdict)) => {
                header::close(out, Framing::Tcp);
                Step::Verified(verdict)
            }
            Err(error) => {
                header::close(out, Framing::Tcp);
                Step::Failed(error)
            }
        }
    }

    /// Bounds of what the peer may send before the stream is established.
    pub const LIMITS: Limits =
        Limits { element_bytes: 16 * 1024, elements: 128, ..Limits::BEFORE_AUTH };
}

impl TlsPending {
    /// The connection is encrypted; `trusted` says whether the certificate names the domain.
    #[must_use]
    pub fn answer(self, trusted: bool, out: &mut Out) -> Step {
        let Self { mut core } = self;
        core.encrypted = true;
        core.trusted = trusted;
        core.open(out);
        Step::Read(Negotiation { core, state: State::Header })
    }
}

impl Core {
    fn open(&self, out: &mut Out) {
        let header = StreamHeader {
            to: Some(self.settings.remote.clone()),
            from: Some(self.settings.local.clone()),
            id: None,
            version: Some("1.0".into()),
            lang: None,
            ns: ns::SERVER.into(),
        };
        header::open(out, Framing::Tcp, &header);
    }

    fn handle(&mut self, state: State, event: Event, out: &mut Out) -> Result<Next, Error> {
        let stanza = match event {
            Event::Open(header) => return self.on_header(&state, &header),
            Event::Close => return Err(Error::Closed),
            Event::Oversized(_) => return Err(Error::Protocol("too large an element")),
            Event::Stanza(stanza) => stanza,
        };
        if stanza.is("error", ns::STREAM) {
            return Err(Error::Stream(StreamError::parse(&stanza.element())));
        }
        match state {
            State::Header => Err(Error::Protocol("an element before the stream")),
            State::Features => self.on_features(&features(&stanza)?, out),
            State::Proceed if stanza.is("proceed", ns::TLS) => {
                out.encrypt();
                Ok(Next::StartTls)
            }
            State::Proceed => Err(Error::Unencrypted),
            State::External => self.on_external(&stanza, out),
            State::Result => self.on_result(&stanza, out),
            State::Verify => self.on_verify(&stanza),
            State::Proven => {
                let features = features(&stanza)?;
                Ok(self.established(Proof::Certificate, &features, out))
            }
        }
    }

    fn on_header(&mut self, state: &State, header: &StreamHeader) -> Result<Next, Error> {
        let proven = matches!(state, State::Proven) && self.id.is_none();
        if !matches!(state, State::Header) && !proven {
            return Err(Error::Protocol("a second stream"));
        }
        if header.ns != ns::SERVER {
            return Err(Error::Protocol("a stream that is not for servers"));
        }
        let from = header.from.as_deref().filter(|from| !from.is_empty());
        let other = |from: &str| {
            domain_part(from).map_or(true, |from| from.as_str() != self.settings.remote)
        };
        if from.is_some_and(other) {
            return Err(Error::Protocol("a stream of another domain"));
        }
        if header.version.is_none() {
            return Err(Error::Protocol("a stream older than XMPP 1.0"));
        }
        self.id = Some(header.id.clone().unwrap_or_default());
        Ok(Next::Read(if proven { State::Proven } else { State::Features }))
    }

    fn on_features(&mut self, features: &Element, out: &mut Out) -> Result<Next, Error> {
        if !self.encrypted {
            if features.child("starttls", ns::TLS).is_none() {
                return Err(Error::Unencrypted);
            }
            out.element(&Element::new("starttls", ns::TLS), Framing::Tcp);
            return Ok(Next::Read(State::Proceed));
        }
        if let Purpose::Verify { id, key } = &self.settings.purpose {
            let claim = self.claim(Some(id.clone()), key.clone());
            out.element(&claim.element(), Framing::Tcp);
            return Ok(Next::Read(State::Verify));
        }
        if self.settings.bidi && features.child("bidi", ns::BIDI_FEATURE).is_some() {
            out.element(&Element::new("bidi", ns::BIDI), Framing::Tcp);
            self.bidi = true;
        }
        let external = features.child("mechanisms", ns::SASL).is_some_and(|mechanisms| {
            let mut names = mechanisms.children().filter(|child| child.is("mechanism", ns::SASL));
            names.any(|name| name.text().trim() == "EXTERNAL")
        });
        if external && self.trusted {
            // Some servers want the identity in words (XEP-0178 §3, step 10 allows it).
            let identity = BASE64_STANDARD.encode(&self.settings.local);
            let auth = Element::new("auth", ns::SASL)
                .with_attr("mechanism", "EXTERNAL")
                .with_text(identity);
            out.element(&auth, Framing::Tcp);
            return Ok(Next::Read(State::External));
        }
        self.call_back(out).ok_or(Error::NoProof)
    }

    /// Shows a key, if dialback is allowed.
    fn call_back(&self, out: &mut Out) -> Option<Next> {
        let secret = self.settings.dialback.as_ref()?;
        let Settings { local, remote, .. } = &self.settings;
        let id = self.id.as_deref().filter(|id| !id.is_empty())?;
        let key = dialback::key(secret.expose(), remote, local, id);
        out.element(&self.claim(None, key).element(), Framing::Tcp);
        Some(Next::Read(State::Result))
    }

    fn claim(&self, id: Option<String>, key: String) -> Claim {
        let Settings { local, remote, .. } = &self.settings;
        Claim { from: local.clone(), to: remote.clone(), id, key }
    }

    fn on_external(&mut self, stanza: &Stanza, out: &mut Out) -> Result<Next, Error> {
        match (stanza.name(), stanza.ns().as_ref()) {
            ("success", ns::SASL) => {
                out.restart();
                self.id = None;
                self.open(out);
                Ok(Next::Read(State::Proven))
            }
            ("failure", ns::SASL) => {
                let failure = stanza.element();
                let mut children = failure.children();
                let condition = children.find_map(|child| sasl::Condition::from_name(child.name()));
                let condition = condition.unwrap_or(sasl::Condition::NotAuthorized);
                self.call_back(out).ok_or(Error::Refused(condition))
            }
            _ => Err(Error::Protocol("no answer to the authentication")),
        }
    }

    fn on_result(&mut self, stanza: &Stanza, out: &mut Out) -> Result<Next, Error> {
        if !stanza.is("result", ns::DIALBACK) || !self.is_from_peer(stanza) {
            return Err(Error::Protocol("no answer to the dialback key"));
        }
        match Verdict::parse(stanza) {
            Some(Verdict::Valid) => {
                let nothing = Element::new("features", ns::STREAM);
                Ok(self.established(Proof::Dialback, &nothing, out))
            }
            Some(Verdict::Invalid | Verdict::Error(_)) => Err(Error::Dialback),
            None => Err(Error::Protocol("no answer to the dialback key")),
        }
    }

    fn on_verify(&mut self, stanza: &Stanza) -> Result<Next, Error> {
        let Purpose::Verify { id, .. } = &self.settings.purpose else {
            return Err(Error::Protocol("an answer nobody asked for"));
        };
        let fits = stanza.is("verify", ns::DIALBACK)
            && stanza.id().as_deref() == Some(id)
            && self.is_from_peer(stanza);
        match Verdict::parse(stanza).filter(|_| fits) {
            Some(verdict) => Ok(Next::Verified(verdict)),
            None => Err(Error::Protocol("no answer to the question about a dialback key")),
        }
    }

    /// XEP-0220 §2.2.1: the answer to one pair of domains is none to another.
    fn is_from_peer(&self, stanza: &Stanza) -> bool {
        let Settings { local, remote, .. } = &self.settings;
        let is = |address: Option<std::borrow::Cow<'_, str>>, domain: &str| {
            address.is_some_and(|it| domain_part(&it).is_ok_and(|found| found.as_str() == domain))
        };
        is(stanza.from(), remote) && is(stanza.to(), local)
    }

    fn established(&self, proof: Proof, features: &Element, out: &mut Out) -> Next {
        out.limits(self.settings.reader_limits);
        let limits = features.child("limits", ns::STREAM_LIMITS);
        let max_bytes = limits.and_then(|limits| limits.child("max-bytes", ns::STREAM_LIMITS));
        Next::Established(Established {
            proof,
            bidi: self.bidi,
            sm: features.child("sm", ns::SM).is_some(),
            max_bytes: max_bytes.and_then(|bytes| bytes.text().trim().parse().ok()),
        })
    }
}

/// The features, which must come where they are expected.
fn features(stanza: &Stanza) -> Result<Element, Error> {
    if stanza.is("features", ns::STREAM) {
        Ok(stanza.element())
    } else {
        Err(Error::Protocol("no stream features"))
    }
}
