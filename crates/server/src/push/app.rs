//! XEP-0357 §7: notifications as publications to an app server's service, which goes on from there
//! by whatever way it has to its app.

use std::sync::Arc;

use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::form::{Field, Form, FormType},
    ns,
    xml::{Element, Limits},
};

use super::{Outcome, Reason, Registration};
use crate::{questions, server::Server};

/// Publishes a notification and waits for the service's word.
pub(super) async fn publish(
    server: &Arc<Server>,
    registration: &Registration,
    options: Option<&str>,
    reason: Reason,
) -> Outcome {
    let payload = publication(&registration.node, options, reason);
    let answer = questions::ask(server, "set", server.domain(), &registration.service, payload);
    let Some(answer) = answer.await else {
        return Outcome::Later { why: "the app server does not answer".to_owned(), after: None };
    };
    if answer.type_().as_deref() == Some("result") {
        return Outcome::Arrived;
    }
    judge(&answer.child("error", ns::CLIENT).map_or_else(
        || StanzaError::new(Condition::UndefinedCondition),
        |error| StanzaError::parse(&error.element()),
    ))
}

/// What is published: how many, and nothing of whom or what.
fn publication(node: &str, options: Option<&str>, reason: Reason) -> Element {
    let field = |var: &str, value: &str| Field::untyped(var).with_value(value);
    let mut summary = Form::typed(FormType::Submit, ns::PUSH_SUMMARY);
    summary = match reason {
        Reason::Request => summary.with_field(field("pending-subscription-count", "1")),
        // Apps that cannot run in the background show these words; they are always the same.
        Reason::Stranger | Reason::Line | Reason::Message | Reason::Call => summary
            .with_field(field("message-count", "1"))
            .with_field(field("last-message-body", "New message")),
    };
    let notification = Element::new("notification", ns::PUSH).with_child(summary.to_element());
    let item = Element::new("item", ns::PUBSUB).with_child(notification);
    let publish = Element::new("publish", ns::PUBSUB)
        .with_attr_opt("node", Some(node).filter(|node| !node.is_empty()))
        .with_child(item);
    let options = options.and_then(|xml| Element::parse(xml.as_bytes(), &Limits::SERVER).ok());
    let options = options.map(|form| Element::new("publish-options", ns::PUBSUB).with_child(form));
    Element::new("pubsub", ns::PUBSUB).with_child(publish).with_children(options)
}

/// XEP-0357 §7.1: an error ends the registration, unless it may pass.
fn judge(error: &StanzaError) -> Outcome {
    let passing = error.kind == ErrorType::Wait
        || matches!(
            error.condition,
            Condition::InternalServerError
                | Condition::RemoteServerNotFound
                | Condition::RemoteServerTimeout
                | Condition::ResourceConstraint
        );
    let why = format!("the app server answered {}", error.condition.name());
    match passing {
        true => Outcome::Later { why, after: None },
        false => Outcome::Gone(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_message_is_in_its_notification() {
        let options = "<x xmlns='jabber:x:data' type='submit'><field var='secret'>\
                       <value>s</value></field></x>";
        let sent = publication("n", Some(options), Reason::Message).to_bytes("");
        let sent = String::from_utf8(sent.to_vec()).unwrap();
        assert!(sent.contains("<value>s</value>"), "{sent}");
        assert!(sent.contains("message-count"), "{sent}");
        assert!(!sent.contains("sender"), "{sent}");
    }

    #[test]
    fn errors_that_may_pass_keep_the_registration() {
        for passing in [Condition::RemoteServerTimeout, Condition::InternalServerError] {
            assert!(matches!(judge(&StanzaError::new(passing)), Outcome::Later { .. }));
        }
        let wait = StanzaError::new(Condition::PolicyViolation).with_type(ErrorType::Wait);
        assert!(matches!(judge(&wait), Outcome::Later { .. }));
        for lasting in [Condition::ItemNotFound, Condition::Forbidden, Condition::Gone] {
            assert!(matches!(judge(&StanzaError::new(lasting)), Outcome::Gone(_)));
        }
    }
}
