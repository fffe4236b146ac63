//! What a server offers on the streams of one listener.

use crate::sasl::{Hash, ht};
use crate::xml::{Element, Limits};

/// The offer. Shared by all streams of a listener; replaced as a whole when the configuration
/// changes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The domains served, prepared as in a JID.
    pub domains: Vec<String>,
    /// `xml:lang` of the server's stream headers.
    pub lang: String,
    /// Whether STARTTLS is offered on streams that are not encrypted yet.
    pub starttls: bool,
    /// Whether authentication and registration wait for encryption. Without it SCRAM is offered on
    /// plain streams as well; PLAIN, SASL2 and FAST never are.
    pub tls_required: bool,
    /// The hash functions SCRAM is offered with.
    pub hashes: Vec<Hash>,
    /// The hash functions that clients may give keys for after a login (XEP-0480): those that some
    /// account lacks. The same for everybody, so that it tells nothing of an account.
    pub upgrades: Vec<Hash>,
    /// Whether `-PLUS` mechanisms are offered where the connection can be bound to. Off only for
    /// old clients that choose a mechanism they cannot finish.
    pub channel_binding: bool,
    /// Whether PLAIN is offered, inside TLS.
    pub plain: bool,
    /// Whether SASL2 and Bind 2 are offered, inside TLS.
    pub sasl2: bool,
    /// The FAST mechanisms; empty for none. Those the connection has no binding for are left out.
    pub fast: Vec<ht::Method>,
    /// Failed attempts after which the stream is closed with `policy-violation`; RFC 6120 §6.4.5
    /// recommends 2 to 5 retries. Browsers of mechanisms need a few.
    pub attempts: u8,
    /// Who may register.
    pub registration: Registration,
    /// Shown to those who ask for the registration form and may not register: where to go instead.
    pub registration_url: Option<String>,
    /// Whether stream management and its inline forms are offered.
    pub stream_management: bool,
    /// Values of `var` offered inside Bind 2's `<inline/>`, beside stream management.
    pub bind_features: Vec<String>,
    /// XEP-0478 before authentication.
    pub limits_before: StreamLimits,
    /// XEP-0478 after it.
    pub limits_after: StreamLimits,
    /// What the reader accepts once the client has authenticated.
    pub reader_limits: Limits,
    /// Further features before authentication.
    pub features_before: Vec<Element>,
    /// Further features after it: entity capabilities, roster versions, pre-approval, CSI.
    pub features_after: Vec<Element>,
}

/// Who may register an account in band: XEP-0077, XEP-0445.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Nobody.
    Closed,
    /// Whoever shows a token first.
    Invite,
    /// Everybody.
    Open,
}

/// XEP-0478: what the server tells about its limits; a missing one is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamLimits {
    /// Bytes of a first-level element.
    pub max_bytes: Option<u32>,
    /// Seconds without traffic after which the stream may be closed.
    pub idle_seconds: Option<u32>,
}

impl Settings {
    /// A server for one domain with the defaults of the project: TLS required, every SCRAM, SASL2
    /// and FAST, no PLAIN, nobody may register.
    #[must_use]
    pub fn new(domain: impl Into<String>) -> Self {
        Self {
            domains: vec![domain.into()],
            lang: "en".into(),
            starttls: true,
            tls_required: true,
            hashes: Hash::ALL.to_vec(),
            upgrades: Vec::new(),
            channel_binding: true,
            plain: false,
            sasl2: true,
            fast: vec![
                ht::Method::SHA_256_EXPR,
                ht::Method::SHA_256_ENDP,
                ht::Method::SHA_256_NONE,
            ],
            attempts: 5,
            registration: Registration::Closed,
            registration_url: None,
            stream_management: true,
            bind_features: vec![crate::ns::CARBONS.into(), crate::ns::CSI.into()],
            limits_before: StreamLimits::default(),
            limits_after: StreamLimits::default(),
            reader_limits: Limits::CLIENT,
            features_before: Vec::new(),
            features_after: Vec::new(),
        }
    }
}
