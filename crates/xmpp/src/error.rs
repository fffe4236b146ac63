//! RFC 6120 §4.9 and §8.3: stream errors and stanza errors

use bytes::Bytes;

use crate::ns;
use crate::stanza::Stanza;
use crate::xml::Element;

/// What went wrong with a stanza (RFC 6120 §8.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `bad-request`: the stanza is malformed or not understood.
    BadRequest,
    /// `conflict`: a resource, session or name is already taken.
    Conflict,
    /// `feature-not-implemented`: not implemented here.
    FeatureNotImplemented,
    /// `forbidden`: the sender may not do this.
    Forbidden,
    /// `gone`: the address is no longer valid.
    Gone,
    /// `internal-server-error`: the server failed.
    InternalServerError,
    /// `item-not-found`: no such address or item.
    ItemNotFound,
    /// `jid-malformed`: an address breaks the rules of RFC 7622.
    JidMalformed,
    /// `not-acceptable`: understood, but against a condition set by the recipient or server.
    NotAcceptable,
    /// `not-allowed`: nobody may do this.
    NotAllowed,
    /// `not-authorized`: credentials are needed first.
    NotAuthorized,
    /// `policy-violation`: a local rule forbids it, such as a size limit.
    PolicyViolation,
    /// `recipient-unavailable`: the recipient is not here for now.
    RecipientUnavailable,
    /// `redirect`: ask another address.
    Redirect,
    /// `registration-required`: a registration is needed first.
    RegistrationRequired,
    /// `remote-server-not-found`: the other domain does not exist or cannot be reached.
    RemoteServerNotFound,
    /// `remote-server-timeout`: the other domain did not answer in time.
    RemoteServerTimeout,
    /// `resource-constraint`: the server lacks room or is busy.
    ResourceConstraint,
    /// `service-unavailable`: not offered, or not told to this sender.
    ServiceUnavailable,
    /// `subscription-required`: a presence subscription is needed first.
    SubscriptionRequired,
    /// `undefined-condition`: see the application's own condition.
    UndefinedCondition,
    /// `unexpected-request`: understood, but out of order.
    UnexpectedRequest,
}

impl Condition {
    /// Every condition, in the order of the RFC.
    pub const ALL: [Condition; 22] = [
        Condition::BadRequest,
        Condition::Conflict,
        Condition::FeatureNotImplemented,
        Condition::Forbidden,
        Condition::Gone,
        Condition::InternalServerError,
        Condition::ItemNotFound,
        Condition::JidMalformed,
        Condition::NotAcceptable,
        Condition::NotAllowed,
        Condition::NotAuthorized,
        Condition::PolicyViolation,
        Condition::RecipientUnavailable,
        Condition::Redirect,
        Condition::RegistrationRequired,
        Condition::RemoteServerNotFound,
        Condition::RemoteServerTimeout,
        Condition::ResourceConstraint,
        Condition::ServiceUnavailable,
        Condition::SubscriptionRequired,
        Condition::UndefinedCondition,
        Condition::UnexpectedRequest,
    ];

    /// The name of the element on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Condition::BadRequest => "bad-request",
            Condition::Conflict => "conflict",
            Condition::FeatureNotImplemented => "feature-not-implemented",
            Condition::Forbidden => "forbidden",
            Condition::Gone => "gone",
            Condition::InternalServerError => "internal-server-error",
            Condition::ItemNotFound => "item-not-found",
            Condition::JidMalformed => "jid-malformed",
            Condition::NotAcceptable => "not-acceptable",
            Condition::NotAllowed => "not-allowed",
            Condition::NotAuthorized => "not-authorized",
            Condition::PolicyViolation => "policy-violation",
            Condition::RecipientUnavailable => "recipient-unavailable",
            Condition::Redirect => "redirect",
            Condition::RegistrationRequired => "registration-required",
            Condition::RemoteServerNotFound => "remote-server-not-found",
            Condition::RemoteServerTimeout => "remote-server-timeout",
            Condition::ResourceConstraint => "resource-constraint",
            Condition::ServiceUnavailable => "service-unavailable",
            Condition::SubscriptionRequired => "subscription-required",
            Condition::UndefinedCondition => "undefined-condition",
            Condition::UnexpectedRequest => "unexpected-request",
        }
    }

    /// The condition with this element name.
    pub fn from_name(name: &str) -> Option<Condition> {
        Condition::ALL.into_iter().find(|condition| condition.name() == name)
    }

    /// The error type that RFC 6120 §8.3.3 gives this condition.
    pub const fn default_type(self) -> ErrorType {
        match self {
            Condition::Forbidden
            | Condition::NotAuthorized
            | Condition::RegistrationRequired
            | Condition::SubscriptionRequired => ErrorType::Auth,
            Condition::BadRequest
            | Condition::JidMalformed
            | Condition::NotAcceptable
            | Condition::PolicyViolation
            | Condition::Redirect => ErrorType::Modify,
            Condition::RecipientUnavailable
            | Condition::RemoteServerTimeout
            | Condition::ResourceConstraint
            | Condition::UnexpectedRequest => ErrorType::Wait,
            _ => ErrorType::Cancel,
        }
    }
}

/// What the sender of a failed stanza may do about it (RFC 6120 §8.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// Retry after providing credentials.
    Auth,
    /// Do not retry.
    Cancel,
    /// Proceed, this was only a warning.
    Continue,
    /// Retry after changing what was sent.
    Modify,
    /// Retry after waiting.
    Wait,
}

impl ErrorType {
    /// The value of the `type` attribute.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorType::Auth => "auth",
            ErrorType::Cancel => "cancel",
            ErrorType::Continue => "continue",
            ErrorType::Modify => "modify",
            ErrorType::Wait => "wait",
        }
    }

    /// The type with this attribute value.
    pub fn from_name(name: &str) -> Option<ErrorType> {
        use ErrorType::{Auth, Cancel, Continue, Modify, Wait};
        [Auth, Cancel, Continue, Modify, Wait].into_iter().find(|kind| kind.name() == name)
    }
}

/// The `<error/>` child of a stanza of type `error` (RFC 6120 §8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StanzaError {
    /// What the sender may do about it.
    pub kind: ErrorType,
    /// What went wrong.
    pub condition: Condition,
    /// Words for a person, in English.
    pub text: Option<String>,
    /// A more exact condition of an application, in its own namespace.
    pub app: Option<Element>,
}

impl StanzaError {
    /// An error with the type that the RFC gives the condition.
    pub fn new(condition: Condition) -> StanzaError {
        StanzaError { kind: condition.default_type(), condition, text: None, app: None }
    }

    /// Adds words for a person.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> StanzaError {
        self.text = Some(text.into());
        self
    }

    /// Adds an application's own condition.
    #[must_use]
    pub fn with_app(mut self, app: Element) -> StanzaError {
        self.app = Some(app);
        self
    }

    /// Replaces the error type.
    #[must_use]
    pub fn with_type(mut self, kind: ErrorType) -> StanzaError {
        self.kind = kind;
        self
    }

    /// The `<error/>` element.
    pub fn element(&self) -> Element {
        let mut error = Element::new("error", ns::CLIENT)
            .with_attr("type", self.kind.name())
            .with_child(Element::new(self.condition.name(), ns::STANZA_ERRORS));
        if let Some(text) = &self.text {
            error.push(text_element(ns::STANZA_ERRORS, text));
        }
        if let Some(app) = &self.app {
            error.push(app.clone());
        }
        error
    }

    /// The stanza that returns this error to the sender of `stanza`: addresses swapped, same id,
    /// type `error`. The caller makes sure that `stanza` is not itself an error or a result
    /// (RFC 6120 §8.3.1).
    pub fn reply_to(&self, stanza: &Stanza) -> Element {
        stanza.reply("error").with_child(self.element())
    }

    /// Reads an `<error/>` element. A missing type becomes the condition's default, an unknown or
    /// missing condition becomes [`Condition::UndefinedCondition`].
    pub fn parse(error: &Element) -> StanzaError {
        let mut condition = None;
        let mut text = None;
        let mut app = None;
        for child in error.children() {
            if child.is("text", ns::STANZA_ERRORS) {
                text = Some(child.text());
            } else if child.ns() == ns::STANZA_ERRORS {
                condition = condition.or(Condition::from_name(child.name()));
            } else if app.is_none() {
                app = Some(child.clone());
            }
        }
        let condition = condition.unwrap_or(Condition::UndefinedCondition);
        let kind = error.attr("type").and_then(ErrorType::from_name);
        StanzaError { kind: kind.unwrap_or(condition.default_type()), condition, text, app }
    }
}

/// Why a stream ends (RFC 6120 §4.9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamCondition {
    /// `bad-format`: the XML cannot be processed.
    BadFormat,
    /// `bad-namespace-prefix`: a namespace prefix is not bound or may not be.
    BadNamespacePrefix,
    /// `conflict`: a newer stream or session replaces this one.
    Conflict,
    /// `connection-timeout`: the peer was silent for too long.
    ConnectionTimeout,
    /// `host-gone`: the domain is no longer served.
    HostGone,
    /// `host-unknown`: the domain is not served.
    HostUnknown,
    /// `improper-addressing`: `to` or `from` is missing or malformed.
    ImproperAddressing,
    /// `internal-server-error`: the server failed.
    InternalServerError,
    /// `invalid-from`: `from` is not who the stream belongs to.
    InvalidFrom,
    /// `invalid-namespace`: the stream or content namespace is not a known one.
    InvalidNamespace,
    /// `invalid-xml`: the XML does not match the schema.
    InvalidXml,
    /// `not-authorized`: data was sent before the stream was authenticated.
    NotAuthorized,
    /// `not-well-formed`: the XML is not well-formed.
    NotWellFormed,
    /// `policy-violation`: a local rule was broken, such as a limit.
    PolicyViolation,
    /// `remote-connection-failed`: another server needed for this cannot be reached.
    RemoteConnectionFailed,
    /// `reset`: the stream must be negotiated anew.
    Reset,
    /// `resource-constraint`: the server lacks room for this stream.
    ResourceConstraint,
    /// `restricted-xml`: a comment, processing instruction, DTD or entity reference.
    RestrictedXml,
    /// `see-other-host`: another host serves this; the address is in the error's content.
    SeeOtherHost,
    /// `system-shutdown`: the server is going down.
    SystemShutdown,
    /// `undefined-condition`: see the application's own condition.
    UndefinedCondition,
    /// `unsupported-encoding`: not UTF-8, or broken UTF-8.
    UnsupportedEncoding,
    /// `unsupported-feature`: a mandatory stream feature is not supported by the peer.
    UnsupportedFeature,
    /// `unsupported-stanza-type`: a first-level element that is not understood.
    UnsupportedStanzaType,
    /// `unsupported-version`: the peer's XMPP version is not supported.
    UnsupportedVersion,
}

impl StreamCondition {
    /// Every condition, in the order of the RFC.
    pub const ALL: [StreamCondition; 25] = [
        StreamCondition::BadFormat,
        StreamCondition::BadNamespacePrefix,
        StreamCondition::Conflict,
        StreamCondition::ConnectionTimeout,
        StreamCondition::HostGone,
        StreamCondition::HostUnknown,
        StreamCondition::ImproperAddressing,
        StreamCondition::InternalServerError,
        StreamCondition::InvalidFrom,
        StreamCondition::InvalidNamespace,
        StreamCondition::InvalidXml,
        StreamCondition::NotAuthorized,
        StreamCondition::NotWellFormed,
        StreamCondition::PolicyViolation,
        StreamCondition::RemoteConnectionFailed,
        StreamCondition::Reset,
        StreamCondition::ResourceConstraint,
        StreamCondition::RestrictedXml,
        StreamCondition::SeeOtherHost,
        StreamCondition::SystemShutdown,
        StreamCondition::UndefinedCondition,
        StreamCondition::UnsupportedEncoding,
        StreamCondition::UnsupportedFeature,
        StreamCondition::UnsupportedStanzaType,
        StreamCondition::UnsupportedVersion,
    ];

    /// The name of the element on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            StreamCondition::BadFormat => "bad-format",
            StreamCondition::BadNamespacePrefix => "bad-namespace-prefix",
            StreamCondition::Conflict => "conflict",
            StreamCondition::ConnectionTimeout => "connection-timeout",
            StreamCondition::HostGone => "host-gone",
            StreamCondition::HostUnknown => "host-unknown",
            StreamCondition::ImproperAddressing => "improper-addressing",
            StreamCondition::InternalServerError => "internal-server-error",
            StreamCondition::InvalidFrom => "invalid-from",
            StreamCondition::InvalidNamespace => "invalid-namespace",
            StreamCondition::InvalidXml => "invalid-xml",
            StreamCondition::NotAuthorized => "not-authorized",
            StreamCondition::NotWellFormed => "not-well-formed",
            StreamCondition::PolicyViolation => "policy-violation",
            StreamCondition::RemoteConnectionFailed => "remote-connection-failed",
            StreamCondition::Reset => "reset",
            StreamCondition::ResourceConstraint => "resource-constraint",
            StreamCondition::RestrictedXml => "restricted-xml",
            StreamCondition::SeeOtherHost => "see-other-host",
            StreamCondition::SystemShutdown => "system-shutdown",
            StreamCondition::UndefinedCondition => "undefined-condition",
            StreamCondition::UnsupportedEncoding => "unsupported-encoding",
            StreamCondition::UnsupportedFeature => "unsupported-feature",
            StreamCondition::UnsupportedStanzaType => "unsupported-stanza-type",
            StreamCondition::UnsupportedVersion => "unsupported-version",
        }
    }

    /// The condition with this element name.
    pub fn from_name(name: &str) -> Option<StreamCondition> {
        StreamCondition::ALL.into_iter().find(|condition| condition.name() == name)
    }
}

/// The `<stream:error/>` that precedes the end of a stream (RFC 6120 §4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// Why the stream ends.
    pub condition: StreamCondition,
    /// Words for a person, in English.
    pub text: Option<String>,
    /// A more exact condition of an application, in its own namespace.
    pub app: Option<Element>,
}

impl StreamError {
    /// An error without text.
    pub fn new(condition: StreamCondition) -> StreamError {
        StreamError { condition, text: None, app: None }
    }

    /// Adds words for a person.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> StreamError {
        self.text = Some(text.into());
        self
    }

    /// Adds an application's own condition.
    #[must_use]
    pub fn with_app(mut self, app: Element) -> StreamError {
        self.app = Some(app);
        self
    }

    /// The element in the streams namespace.
    pub fn element(&self) -> Element {
        let mut error = Element::new("error", ns::STREAM)
            .with_child(Element::new(self.condition.name(), ns::STREAM_ERRORS));
        if let Some(text) = &self.text {
            error.push(text_element(ns::STREAM_ERRORS, text));
        }
        if let Some(app) = &self.app {
            error.push(app.clone());
        }
        error
    }

    /// The serialised element, under the usual prefix because some clients look for the letters
    /// `stream:error`. It declares that prefix itself, so it fits any stream and WebSocket
    /// messages alike.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = b"<stream:error xmlns:stream='http://etherx.jabber.org/streams'>".to_vec();
        for child in self.element().children() {
            child.write(&mut out, "");
        }
        out.extend_from_slice(b"</stream:error>");
        Bytes::from(out)
    }

    /// Reads an error element. An unknown or missing condition becomes
    /// [`StreamCondition::UndefinedCondition`].
    pub fn parse(error: &Element) -> StreamError {
        let mut condition = None;
        let mut text = None;
        let mut app = None;
        for child in error.children() {
            if child.is("text", ns::STREAM_ERRORS) {
                text = Some(child.text());
            } else if child.ns() == ns::STREAM_ERRORS {
                condition = condition.or(StreamCondition::from_name(child.name()));
            } else if app.is_none() {
                app = Some(child.clone());
            }
        }
        let condition = condition.unwrap_or(StreamCondition::UndefinedCondition);
        StreamError { condition, text, app }
    }
}

impl From<StreamCondition> for StreamError {
    fn from(condition: StreamCondition) -> StreamError {
        StreamError::new(condition)
    }
}

impl From<Condition> for StanzaError {
    fn from(condition: Condition) -> StanzaError {
        StanzaError::new(condition)
    }
}

fn text_element(namespace: &'static str, text: &str) -> Element {
    Element::new("text", namespace).with_attr("xml:lang", "en").with_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stanza_errors_survive_a_round_trip() {
        for condition in Condition::ALL {
            let error = StanzaError::new(condition)
                .with_text("a < b")
                .with_app(Element::new("blocked", ns::BLOCKING_ERRORS));
            assert_eq!(StanzaError::parse(&error.element()), error);
        }
    }

    #[test]
    fn stream_errors_survive_a_round_trip() {
        for condition in StreamCondition::ALL {
            let error = StreamError::new(condition).with_text("why");
            assert_eq!(StreamError::parse(&error.element()), error);
        }
    }

    #[test]
    fn an_error_without_a_known_condition_is_undefined() {
        let error = Element::new("error", ns::CLIENT)
            .with_attr("type", "wait")
            .with_child(Element::new("whatever", ns::STANZA_ERRORS));
        let parsed = StanzaError::parse(&error);
        assert_eq!(parsed.condition, Condition::UndefinedCondition);
        assert_eq!(parsed.kind, ErrorType::Wait);
    }

    #[test]
    fn a_stream_error_declares_its_namespace() {
        assert_eq!(
            StreamError::new(StreamCondition::Reset).to_bytes(),
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'>\
             <reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                .as_bytes()
        );
    }
}
