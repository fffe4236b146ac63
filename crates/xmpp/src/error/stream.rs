//! RFC 6120 §4.9: stream errors

use bytes::Bytes;

use super::text_element;
use crate::ns;
use crate::xml::Element;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_errors_survive_a_round_trip() {
        for condition in StreamCondition::ALL {
            let error = StreamError::new(condition).with_text("why");
            assert_eq!(StreamError::parse(&error.element()), error);
        }
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
