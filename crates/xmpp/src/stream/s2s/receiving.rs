//! The side of a stream between servers that was connected to
//!
//! ```text
//! header → starttls → TLS → header → [Identify] → features
//!     → EXTERNAL → header → features → established
//!     → dialback [Check] → established
//! ```
//!
//! Questions of dialback ([`Step::Vouch`]) are answered on every encrypted stream: the one who asks
//! has not proven anything yet and need not.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Proof;
use super::dialback::{Claim, Verdict};
use crate::error::{StreamCondition, StreamError};
use crate::jid::domain_part;
use crate::ns;
use crate::sasl::Condition;
use crate::stanza::{Kind, Stanza};
use crate::stream::nonce::Nonces;
use crate::stream::server::StreamLimits;
use crate::stream::{Out, header};
use crate::xml::{Element, Event, Framing, Limits, StreamHeader};

/// What is offered to other servers. Shared by all streams; replaced as a whole when the
/// configuration changes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The domains served, prepared as in a JID.
    pub domains: Vec<String>,
    /// `xml:lang` of our stream headers.
    pub lang: String,
    /// Whether stream management is offered.
    pub stream_management: bool,
    /// Whether streams may be used in both directions (XEP-0288).
    pub bidi: bool,
    /// XEP-0478 before authentication.
    pub limits_before: StreamLimits,
    /// XEP-0478 after it.
    pub limits_after: StreamLimits,
    /// What the reader accepts once the peer has proven who it is.
    pub reader_limits: Limits,
}

/// What happens next. Write what [`Out`] holds before acting on it.
#[derive(Debug)]
pub enum Step {
    /// Wait for the peer.
    Read(Negotiation),
    /// Start TLS, once `<proceed/>` is written. If the handshake fails, close the connection.
    StartTls(Waiting<TlsPending>),
    /// Say how the peer may prove to be the domain it says it is.
    Identify(Pair, Waiting<IdentifyPending>),
    /// Ask the domain's own server whether the key is its own (XEP-0220 §2.1.2).
    Check(Claim, String, Waiting<CheckPending>),
    /// Say whether a key is one of ours (XEP-0220 §2.1.3).
    Vouch(Claim, Waiting<VouchPending>),
    /// The peer is who it says it is; the stream is its.
    Established(Established),
    /// Close the connection. With an error if it ended the stream.
    Closed(Option<StreamError>),
}

/// The two ends of a stream. Stanzas go from one to the other, with bidi also back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// The domain served here.
    pub local: String,
    /// The peer's domain.
    pub remote: String,
}

/// Answers [`Step::Identify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The certificate names the domain and is trusted: EXTERNAL is offered.
    pub certificate: bool,
    /// The policy lets the domain prove itself by dialback.
    pub dialback: bool,
}

/// A stream that is ready for stanzas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Established {
    /// Whose it is.
    pub pair: Pair,
    /// How the peer proved it.
    pub proof: Proof,
    /// The peer wants stanzas on it, too (XEP-0288).
    pub bidi: bool,
    /// The id of the stream: keys of dialback are made for it.
    pub id: String,
}

/// A negotiation that waits for the peer.
#[derive(Debug)]
pub struct Negotiation {
    core: Box<Core>,
    state: State,
}

/// A negotiation that waits for its driver.
#[derive(Debug)]
pub struct Waiting<P> {
    core: Box<Core>,
    pending: P,
}

/// TLS is being started.
#[derive(Debug)]
pub struct TlsPending(());

/// The peer said who it is.
#[derive(Debug)]
pub struct IdentifyPending(Pair);

/// A key is being checked.
#[derive(Debug)]
pub struct CheckPending(Open, Claim);

/// Somebody asks about a key.
#[derive(Debug)]
pub struct VouchPending(Open, Claim);

#[derive(Debug)]
struct Core {
    settings: Arc<Settings>,
    encrypted: bool,
    nonces: Nonces,
    /// The domain the peer asked for; served here.
    local: Option<String>,
    /// Who the peer says it is, in the header.
    remote: Option<String>,
    /// The id of the current stream.
    id: String,
    opened: bool,
    bidi: bool,
    failures: u8,
}

/// An encrypted stream whose peer has proven nothing yet.
#[derive(Debug)]
struct Open {
    pair: Pair,
    terms: Terms,
}

#[derive(Debug)]
enum State {
    /// The header of a stream; proven already after EXTERNAL.
    Header(Option<Pair>),
    /// `<starttls/>`.
    Plain,
    /// A proof.
    Open(Open),
}

#[derive(Debug)]
enum Next {
    Read(State),
    StartTls,
    Identify(Pair),
    Check(Open, Claim),
    Vouch(Open, Claim),
    Established(Established),
    Closed,
}

/// Failed attempts after which the stream is closed.
const ATTEMPTS: u8 = 3;

impl Negotiation {
    /// A stream that has not been opened yet. `seed` is 32 random bytes that nothing else uses.
    #[must_use]
    pub fn new(settings: Arc<Settings>, encrypted: bool, seed: [u8; 32]) -> Self {
        let core = Core {
            settings,
            encrypted,
            nonces: Nonces::new(seed),
            local: None,
            remote: None,
            id: String::new(),
            opened: false,
            bidi: false,
            failures: 0,
        };
        Self { core: Box::new(core), state: State::Header(None) }
    }

    /// Takes what the reader found.
    #[must_use]
    pub fn handle(self, event: Event, out: &mut Out) -> Step {
        let Self { mut core, state } = self;
        let next = core.handle(state, event, out);
        core.finish(next, out)
    }

    /// Ends the stream with an error: broken XML, a deadline, a shutdown.
    pub fn fail(self, error: StreamError, out: &mut Out) {
        let _ = self.core.finish(Err(error), out);
    }

    /// Who the peer says it is, for logs and lists. Proves nothing.
    #[must_use]
    pub fn claimed(&self) -> Option<&str> {
        self.core.remote.as_deref()
    }
}

impl<P> Waiting<P> {
    /// Ends the stream with an error.
    pub fn fail(self, error: StreamError, out: &mut Out) {
        let _ = self.core.finish(Err(error), out);
    }

    fn resume(
        self,
        out: &mut Out,
        act: impl FnOnce(&mut Core, P, &mut Out) -> Result<Next, StreamError>,
    ) -> Step {
        let Self { mut core, pending } = self;
        let next = act(&mut core, pending, out);
        core.finish(next, out)
    }
}

impl Waiting<TlsPending> {
    /// The connection is encrypted. The peer opens a new stream; nothing that was said before
    /// counts (RFC 6120 §5.4.3.3).
    #[must_use]
    pub fn answer(self, out: &mut Out) -> Step {
        self.resume(out, |core, TlsPending(()), _| {
            core.encrypted = true;
            core.opened = false;
            core.local = None;
            core.remote = None;
            core.bidi = false;
            Ok(Next::Read(State::Header(None)))
        })
    }
}

impl Waiting<IdentifyPending> {
    /// How the domain may prove itself; with neither way the stream ends.
    #[must_use]
    pub fn answer(self, terms: Terms, out: &mut Out) -> Step {
        self.resume(out, |core, IdentifyPending(pair), out| {
            if !terms.certificate && !terms.dialback {
                let text = format!("the certificate does not prove that this is {}", pair.remote);
                return Err(StreamError::new(StreamCondition::NotAuthorized).with_text(text));
            }
            core.write_features_before(terms, out);
            Ok(Next::Read(State::Open(Open { pair, terms })))
        })
    }
}

impl Waiting<CheckPending> {
    /// What the domain's own server said.
    #[must_use]
    pub fn answer(self, verdict: &Verdict, out: &mut Out) -> Step {
        self.resume(out, |core, CheckPending(open, claim), out| {
            out.element(&claim.answer(verdict), Framing::Tcp);
            match verdict {
                Verdict::Valid => Ok(core.established(open.pair, Proof::Dialback, out)),
                // XEP-0220 §2.1.1: an invalid key ends the stream.
                Verdict::Invalid => {
                    core.close(None, out);
                    Ok(Next::Closed)
                }
                Verdict::Error(_) => core.failed().map(|()| Next::Read(State::Open(open))),
            }
        })
    }
}

impl Waiting<VouchPending> {
    /// Whether the key is one of ours.
    #[must_use]
    pub fn answer(self, ours: bool, out: &mut Out) -> Step {
        self.resume(out, |_, VouchPending(open, claim), out| {
            let verdict = if ours { Verdict::Valid } else { Verdict::Invalid };
            out.element(&claim.answer(&verdict), Framing::Tcp);
            Ok(Next::Read(State::Open(open)))
        })
    }
}

impl Core {
    fn handle(&mut self, state: State, event: Event, out: &mut Out) -> Result<Next, StreamError> {
        match (event, state) {
            (Event::Close, _) => {
                self.close(None, out);
                Ok(Next::Closed)
            }
            (Event::Open(header), State::Header(proven)) => self.on_header(header, proven, out),
            (Event::Oversized(_), _) => Err(StreamError::new(StreamCondition::PolicyViolation)
                .with_text("The element is too large.")),
            (Event::Stanza(stanza), State::Plain) => self.on_plain(&stanza, out),
            (Event::Stanza(stanza), State::Open(open)) => self.on_open(open, &stanza, out),
            (Event::Open(_) | Event::Stanza(_), _) => Err(StreamCondition::BadFormat.into()),
        }
    }

    fn on_header(
        &mut self,
        header: StreamHeader,
        proven: Option<Pair>,
        out: &mut Out,
    ) -> Result<Next, StreamError> {
        self.opened = false;
        self.remote = None;
        if header.ns != ns::SERVER {
            return Err(StreamCondition::InvalidNamespace.into());
        }
        let local = self.on_to(header.to.as_deref())?;
        self.local = Some(local.clone());
        let remote = self.on_from(header.from.as_deref())?;
        self.remote.clone_from(&remote);
        if !header.version.as_deref().is_some_and(supports_version) {
            return Err(StreamError::new(StreamCondition::UnsupportedVersion)
                .with_text("This server speaks XMPP 1.0."));
        }
        if !self.encrypted {
            self.open(out);
            let required = Element::new("required", ns::TLS);
            let starttls = Element::new("starttls", ns::TLS).with_child(required);
            header::features(out, Framing::Tcp, &[starttls]);
            return Ok(Next::Read(State::Plain));
        }
        // RFC 6120 §4.7.1: servers say who they are.
        let remote = remote.ok_or_else(|| {
            StreamError::new(StreamCondition::ImproperAddressing)
                .with_text("The stream does not say which domain it comes from.")
        })?;
        let pair = Pair { local, remote };
        match proven {
            Some(proven) if proven != pair => Err(StreamCondition::InvalidFrom.into()),
            Some(pair) => {
                self.open(out);
                self.write_features_after(out);
                Ok(self.established(pair, Proof::Certificate, out))
            }
            None => {
                self.open(out);
                Ok(Next::Identify(pair))
            }
        }
    }

    /// §4.9.3.6: the domain must be served here.
    fn on_to(&self, to: Option<&str>) -> Result<String, StreamError> {
        let to = to.filter(|to| !to.is_empty()).ok_or_else(|| {
            StreamError::new(StreamCondition::ImproperAddressing)
                .with_text("The stream is not addressed to a domain.")
        })?;
        let domain = domain_part(to).map_err(|_| StreamCondition::HostUnknown)?;
        let served = self.settings.domains.iter().any(|served| served == domain.as_str());
        if served {
            Ok(domain.as_str().to_owned())
        } else {
            Err(StreamCondition::HostUnknown.into())
        }
    }

    /// §4.9.3.9: nobody else is one of our domains.
    fn on_from(&self, from: Option<&str>) -> Result<Option<String>, StreamError> {
        let Some(from) = from.filter(|from| !from.is_empty()) else { return Ok(None) };
        let domain = domain_part(from).map_err(|_| StreamCondition::ImproperAddressing)?;
        if self.settings.domains.iter().any(|served| served == domain.as_str()) {
            return Err(StreamCondition::InvalidFrom.into());
        }
        Ok(Some(domain.as_str().to_owned()))
    }

    /// §5.4.2: proceed, or fail and close.
    fn on_plain(&mut self, stanza: &Stanza, out: &mut Out) -> Result<Next, StreamError> {
        if stanza.is("starttls", ns::TLS) {
            out.element(&Element::new("proceed", ns::TLS), Framing::Tcp);
            out.encrypt();
            return Ok(Next::StartTls);
        }
        match (stanza.kind(), stanza.ns().as_ref()) {
            // XEP-0220 servers from before TLS, and servers that will not use it.
            (Kind::Other, ns::DIALBACK | ns::SASL) => {
                Err(StreamError::new(StreamCondition::PolicyViolation)
                    .with_text("This server requires TLS."))
            }
            _ => Err(unexpected(stanza)),
        }
    }

    fn on_open(&mut self, open: Open, stanza: &Stanza, out: &mut Out) -> Result<Next, StreamError> {
        match (stanza.name(), stanza.ns().as_ref()) {
            ("auth", ns::SASL) => self.on_auth(open, &stanza.element(), out),
            ("bidi", ns::BIDI) if self.settings.bidi => {
                self.bidi = true;
                Ok(Next::Read(State::Open(open)))
            }
            ("result" | "verify", ns::DIALBACK) => self.on_claim(open, stanza, out),
            ("response" | "abort", ns::SASL) => {
                self.refuse(Condition::MalformedRequest, out)?;
                Ok(Next::Read(State::Open(open)))
            }
            _ => Err(unexpected(stanza)),
        }
    }

    /// XEP-0178 §3.
    fn on_auth(&mut self, open: Open, auth: &Element, out: &mut Out) -> Result<Next, StreamError> {
        let condition = match auth.attr("mechanism") {
            Some("EXTERNAL") if open.terms.certificate => match authzid(auth.text().trim()) {
                Ok(None) => None,
                Ok(Some(name)) if name == open.pair.remote => None,
                Ok(Some(_)) => Some(Condition::InvalidAuthzid),
                Err(condition) => Some(condition),
            },
            _ => Some(Condition::InvalidMechanism),
        };
        if let Some(condition) = condition {
            self.refuse(condition, out)?;
            return Ok(Next::Read(State::Open(open)));
        }
        out.element(&Element::new("success", ns::SASL), Framing::Tcp);
        out.restart();
        Ok(Next::Read(State::Header(Some(open.pair))))
    }

    fn on_claim(
        &mut self,
        open: Open,
        stanza: &Stanza,
        out: &mut Out,
    ) -> Result<Next, StreamError> {
        let Some(claim) = Claim::parse(stanza) else {
            // H11: answers nobody asked for, and elements without addresses.
            return Err(StreamCondition::ImproperAddressing.into());
        };
        let Pair { local, remote } = &open.pair;
        if claim.to != *local {
            return Err(StreamCondition::HostUnknown.into());
        }
        if claim.id.is_some() {
            return Ok(Next::Vouch(open, claim));
        }
        if claim.from != *remote {
            return Err(StreamCondition::InvalidFrom.into());
        }
        // XEP-0344 §2.4: the certificate has proven already what the key is to prove.
        if open.terms.certificate {
            out.element(&claim.answer(&Verdict::Valid), Framing::Tcp);
            return Ok(self.established(open.pair, Proof::Certificate, out));
        }
        Ok(Next::Check(open, claim))
    }

    fn refuse(&mut self, condition: Condition, out: &mut Out) -> Result<(), StreamError> {
        let failure =
            Element::new("failure", ns::SASL).with_child(Element::new(condition.name(), ns::SASL));
        out.element(&failure, Framing::Tcp);
        self.failed()
    }

    fn failed(&mut self) -> Result<(), StreamError> {
        self.failures += 1;
        if self.failures < ATTEMPTS {
            return Ok(());
        }
        Err(StreamError::new(StreamCondition::PolicyViolation).with_text("Too many attempts."))
    }

    fn established(&mut self, pair: Pair, proof: Proof, out: &mut Out) -> Next {
        out.limits(self.settings.reader_limits);
        let id = std::mem::take(&mut self.id);
        Next::Established(Established { pair, proof, bidi: self.bidi, id })
    }

    /// Writes our stream header.
    fn open(&mut self, out: &mut Out) {
        self.id = self.nonces.next();
        let domain = self.local.as_ref().or_else(|| self.settings.domains.first());
        let header = StreamHeader {
            from: domain.cloned(),
            to: self.remote.clone(),
            id: Some(self.id.clone()),
            version: Some("1.0".into()),
            lang: Some(self.settings.lang.clone()),
            ns: ns::SERVER.into(),
        };
        header::open(out, Framing::Tcp, &header);
        self.opened = true;
    }

    /// Ends the stream. RFC 6120 §4.9.1.2: an error before our header follows a header.
    fn close(&mut self, error: Option<&StreamError>, out: &mut Out) {
        if let Some(error) = error {
            if !self.opened {
                self.open(out);
            }
            out.frame(&error.to_bytes());
        }
        if self.opened {
            header::close(out, Framing::Tcp);
        }
    }

    fn write_features_before(&self, terms: Terms, out: &mut Out) {
        let mut features = Vec::new();
        if terms.certificate {
            let external = Element::new("mechanism", ns::SASL).with_text("EXTERNAL");
            features.push(Element::new("mechanisms", ns::SASL).with_child(external));
        }
        if terms.dialback {
            let errors = Element::new("errors", ns::DIALBACK_FEATURE);
            features.push(Element::new("dialback", ns::DIALBACK_FEATURE).with_child(errors));
        }
        if self.settings.bidi {
            features.push(Element::new("bidi", ns::BIDI_FEATURE));
        }
        features.extend(self.settings.limits_before.feature());
        header::features(out, Framing::Tcp, &features);
    }

    fn write_features_after(&self, out: &mut Out) {
        let mut features = Vec::new();
        if self.settings.stream_management {
            features.push(Element::new("sm", ns::SM));
        }
        features.extend(self.settings.limits_after.feature());
        header::features(out, Framing::Tcp, &features);
    }

    fn finish(mut self: Box<Self>, next: Result<Next, StreamError>, out: &mut Out) -> Step {
        let next = match next {
            Ok(next) => next,
            Err(error) => {
                self.close(Some(&error), out);
                return Step::Closed(Some(error));
            }
        };
        match next {
            Next::Read(state) => Step::Read(Negotiation { core: self, state }),
            Next::StartTls => Step::StartTls(Waiting { core: self, pending: TlsPending(()) }),
            Next::Identify(pair) => {
                let pending = IdentifyPending(pair.clone());
                Step::Identify(pair, Waiting { core: self, pending })
            }
            Next::Check(open, claim) => {
                let (id, pending) = (self.id.clone(), CheckPending(open, claim.clone()));
                Step::Check(claim, id, Waiting { core: self, pending })
            }
            Next::Vouch(open, claim) => {
                let pending = VouchPending(open, claim.clone());
                Step::Vouch(claim, Waiting { core: self, pending })
            }
            Next::Established(established) => Step::Established(established),
            Next::Closed => Step::Closed(None),
        }
    }
}

/// The identity a peer asks to act as; `None` when it leaves that to the certificate.
fn authzid(initial: &str) -> Result<Option<String>, Condition> {
    if matches!(initial, "" | "=") {
        return Ok(None);
    }
    let bytes = BASE64_STANDARD.decode(initial).map_err(|_| Condition::IncorrectEncoding)?;
    let text = String::from_utf8(bytes).map_err(|_| Condition::InvalidAuthzid)?;
    let domain = domain_part(&text).map_err(|_| Condition::InvalidAuthzid)?;
    Ok(Some(domain.as_str().to_owned()))
}

/// §4.7.5: the major version is 1 or higher.
fn supports_version(version: &str) -> bool {
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    let number = |text: &str| text.parse::<u16>().ok();
    number(major).is_some_and(|major| major >= 1) && number(minor).is_some()
}

fn unexpected(stanza: &Stanza) -> StreamError {
    match stanza.kind() {
        // §4.9.3.12: stanzas before a proof.
        Kind::Message | Kind::Presence | Kind::Iq => StreamCondition::NotAuthorized.into(),
        Kind::Other => StreamCondition::UnsupportedStanzaType.into(),
    }
}
