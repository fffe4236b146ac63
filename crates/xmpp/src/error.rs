//! RFC 6120 §8.3 and §4.9: stanza errors and stream errors

mod stream;

pub use stream::{StreamCondition, StreamError};

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
    /// With `gone` and `redirect`: the other address, as a URI (RFC 6120 §8.3.3.5).
    pub address: Option<String>,
    /// A more exact condition of an application, in its own namespace.
    pub app: Option<Box<Element>>,
}

impl StanzaError {
    /// An error with the type that the RFC gives the condition.
    pub fn new(condition: Condition) -> StanzaError {
        let kind = condition.default_type();
        StanzaError { kind, condition, text: None, address: None, app: None }
    }

    /// Adds words for a person.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> StanzaError {
        self.text = Some(text.into());
        self
    }

    /// Says where else, as a URI such as `xmpp:juliet@capulet.example`. For `gone` and `redirect`.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<String>) -> StanzaError {
        self.address = Some(address.into());
        self
    }

    /// Adds an application's own condition.
    #[must_use]
    pub fn with_app(mut self, app: Element) -> StanzaError {
        self.app = Some(Box::new(app));
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
        let mut condition = Element::new(self.condition.name(), ns::STANZA_ERRORS);
        if let Some(address) = &self.address {
            condition = condition.with_text(address);
        }
        let mut error = Element::new("error", ns::CLIENT)
            .with_attr("type", self.kind.name())
            .with_child(condition);
        if let Some(text) = &self.text {
            error.push(text_element(ns::STANZA_ERRORS, text));
        }
        if let Some(app) = &self.app {
            error.push(Element::clone(app));
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
        let (mut text, mut address) = (None, None);
        let mut app = None;
        for child in error.children() {
            if child.is("text", ns::STANZA_ERRORS) {
                text = Some(child.text());
            } else if child.ns() == ns::STANZA_ERRORS {
                condition = condition.or(Condition::from_name(child.name()));
                let said = child.text();
                let said = said.trim();
                address = address.or((!said.is_empty()).then(|| said.to_owned()));
            } else if app.is_none() {
                app = Some(Box::new(child.clone()));
            }
        }
        let condition = condition.unwrap_or(Condition::UndefinedCondition);
        let kind = error.attr("type").and_then(ErrorType::from_name);
        let kind = kind.unwrap_or(condition.default_type());
        StanzaError { kind, condition, text, address, app }
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
    fn gone_and_redirect_say_where_to() {
        let error = StanzaError::new(Condition::Gone).with_address("xmpp:juliet@capulet.example");
        assert_eq!(StanzaError::parse(&error.element()), error);
        let element = StanzaError::new(Condition::Gone).element();
        assert_eq!(StanzaError::parse(&element).address, None);
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
}
