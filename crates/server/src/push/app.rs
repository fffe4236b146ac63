//! XEP-0357 §7: notifications as publications to an app server's service, which goes on from there
//! by whatever way it has to its app.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::timeout};
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::form::{Field, Form, FormType},
    jid::Jid,
    ns,
    stanza::Stanza,
    xml::{Element, Limits},
};

use super::{Outcome, Reason, Registration};
use crate::{iq, server::Server};

/// Publications that wait for their answer, by id.
#[derive(Default)]
pub struct Questions(Mutex<HashMap<String, Question>>);

struct Question {
    /// Who must answer.
    service: Jid,
    answer: oneshot::Sender<Result<(), StanzaError>>,
}

/// Publishes a notification and waits for the service's word.
pub(super) async fn publish(
    server: &Arc<Server>,
    registration: &Registration,
    options: Option<&str>,
    reason: Reason,
) -> Outcome {
    let id = format!("push-{}", server.fresh_id());
    let service = &registration.service;
    let (answer, answered) = oneshot::channel();
    let question = Question { service: service.clone(), answer };
    server.pushes.questions.0.lock().insert(id.clone(), question);
    let request = Element::new("iq", ns::CLIENT)
        .with_attr("type", "set")
        .with_attr("from", server.domain())
        .with_attr("to", service.as_str())
        .with_attr("id", id.as_str())
        .with_child(publication(&registration.node, options, reason));
    iq::ask(server, service, request).await;
    let outcome = timeout(PATIENCE, answered).await;
    server.pushes.questions.0.lock().remove(&id);
    match outcome {
        Ok(Ok(Ok(()))) => Outcome::Arrived,
        Ok(Ok(Err(error))) => judge(&error),
        Ok(Err(_)) | Err(_) => {
            Outcome::Later { why: "the app server does not answer".to_owned(), after: None }
        }
    }
}

/// What is published: how many, and nothing of whom or what.
fn publication(node: &str, options: Option<&str>, reason: Reason) -> Element {
    let field = |var: &str, value: &str| Field::untyped(var).with_value(value);
    let mut summary = Form::typed(FormType::Submit, ns::PUSH_SUMMARY);
    summary = match reason {
        Reason::Request => summary.with_field(field("pending-subscription-count", "1")),
        // Apps that cannot run in the background show these words; they are always the same.
        Reason::Message | Reason::Call => summary
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

/// Takes the answer to a publication. Returns whether it was one.
pub fn answered(server: &Server, from: &Jid, stanza: &Stanza) -> bool {
    let Some(id) = stanza.id() else { return false };
    let question = {
        let mut open = server.pushes.questions.0.lock();
        match open.get(&*id) {
            Some(question) if question.service == *from => open.remove(&*id),
            _ => None,
        }
    };
    let Some(question) = question else { return false };
    let answer = match stanza.type_().as_deref() {
        Some("result") => Ok(()),
        _ => Err(stanza.child("error", ns::CLIENT).map_or_else(
            || StanzaError::new(Condition::UndefinedCondition),
            |error| StanzaError::parse(&error.element()),
        )),
    };
    // Whoever asked may have stopped waiting.
    drop(question.answer.send(answer));
    true
}

/// How long an app server may take.
const PATIENCE: Duration = Duration::from_secs(60);

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
