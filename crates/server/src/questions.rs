//! Requests that the server itself sends, and whose answers somebody waits for.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::timeout};
use xmpp::{jid::Jid, ns, stanza::Stanza, xml::Element};

use crate::{iq, server::Server};

/// Requests that wait for their answer, by id.
#[derive(Default)]
pub struct Questions(Mutex<HashMap<String, Question>>);

struct Question {
    /// Who must answer.
    of: Jid,
    answer: oneshot::Sender<Stanza>,
}

/// Sends a request in the name of `from` and waits for its answer, a result or an error. `None` when
/// none comes in time.
pub async fn ask(
    server: &Arc<Server>,
    kind: &str,
    from: &str,
    to: &Jid,
    payload: Element,
) -> Option<Stanza> {
    let id = format!("q-{}", server.fresh_id());
    let (answer, answered) = oneshot::channel();
    let question = Question { of: to.clone(), answer };
    server.questions.0.lock().insert(id.clone(), question);
    let request = Element::new("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr("from", from)
        .with_attr("to", to.as_str())
        .with_attr("id", id.as_str())
        .with_child(payload);
    iq::ask(server, to, request).await;
    let outcome = timeout(PATIENCE, answered).await;
    server.questions.0.lock().remove(&id);
    outcome.ok()?.ok()
}

/// Takes an answer. Returns whether somebody waits for it.
pub fn answered(server: &Server, from: &Jid, stanza: &Stanza) -> bool {
    let Some(id) = stanza.id() else { return false };
    let question = {
        let mut open = server.questions.0.lock();
        match open.get(&*id) {
            Some(question) if question.of == *from => open.remove(&*id),
            _ => None,
        }
    };
    // Whoever asked may have stopped waiting.
    question.map(|question| drop(question.answer.send(stanza.clone()))).is_some()
}

/// How long others may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);
