//! The own history on the server: deleted there with a command (XEP-0050: Ad-Hoc Commands 1.3.0)
//!
//! No specification names such a command. Anemone has it under this name, and other servers say that
//! they have none. The own other devices are told, encrypted for them ([`HISTORY`]): they do not miss
//! what was deleted on purpose.

use xmpp::error::Condition;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::jid::Jid;
use xmpp::ns;
use xmpp::xml::Element;

use super::rooms::limited;
use super::{Feature, Flow, Spec, Stage, archive};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::incoming::Incoming;
use crate::iq::Answer;
use crate::omemo::trust;
use crate::outbox::Outgoing;
use crate::store::Encryption;
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "history",
    specs: &[Spec { number: "XEP-0050", version: "1.3.0" }],
    message: &[(Stage::Amend, on_message)],
    command: Some(command),
    ..Feature::NOTHING
};

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::DeleteServerHistory => begin(cx, number)?,
        command => return Ok(Some(command)),
    }
    Ok(None)
}

/// Asks for the form, which says whether the server knows the command.
fn begin(cx: &mut Cx<'_>, number: u64) -> Step {
    let command = Element::new("command", ns::COMMANDS)
        .with_attr("node", DELETE_HISTORY)
        .with_attr("action", "execute");
    let domain = Jid::new(cx.me.domain().as_str()).ok();
    cx.iq_set(domain.clone(), command, move |cx, answer| {
        let Some(submission) = submission(&answer) else {
            let problem = answer.problem().filter(|_| !is_unknown(&answer));
            cx.failed(number, problem.unwrap_or_else(unsupported));
            return Ok(());
        };
        cx.iq_set(domain, submission, move |cx, answer| {
            match failure(&answer) {
                Some(problem) => cx.failed(number, problem),
                None => {
                    archive::on_emptied(cx, None)?;
                    tell_devices(cx)?;
                    cx.done(number, Outcome::Done);
                }
            }
            Ok(())
        })
    })
}

/// Why it was not done; what is completed may have an error in a note ("Commands Successful/Failed").
fn failure(answer: &Answer) -> Option<Problem> {
    if let Some(problem) = answer.problem() {
        return Some(problem);
    }
    let Some(status) = answer.payload("command", ns::COMMANDS) else { return Some(unsupported()) };
    let notes = status.children().filter(|child| child.is("note", ns::COMMANDS));
    let said = notes.into_iter().find(|note| note.attr("type") == Some("error"));
    if let Some(said) = said {
        return Some(Problem::Refused(limited(&said.text())));
    }
    (status.attr("status") != Some("completed")).then(unsupported)
}

/// Tells the other devices of this account. In the archive it stands where the new history begins.
fn tell_devices(cx: &mut Cx<'_>) -> Step {
    let (to, id) = (cx.me.clone(), cx.rng.id());
    let payload = vec![Element::new("deleted", HISTORY)];
    cx.queue(Outgoing { to, message: None, id, payload, encrypted: true })
}

/// Another device of this account deleted the history.
fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    if incoming.child("deleted", HISTORY).is_none() {
        return Ok(Flow::Next);
    }
    if !incoming.own || incoming.with != *cx.me {
        return Ok(Flow::Next);
    }
    // In plain text it could be from the server, which does not decide what is missed.
    let trusted = match incoming.encryption {
        Encryption::Omemo { trust, .. } => trust::may_read(trust),
        Encryption::None => false,
    };
    if trusted {
        archive::on_emptied(cx, Some(incoming))?;
    }
    Ok(Flow::Done)
}

/// The form filled in; `None` if it is not the one that is known.
fn submission(answer: &Answer) -> Option<Element> {
    let command = answer.payload("command", ns::COMMANDS)?;
    let form = Form::child_of(command)?;
    form.field(SURE)?;
    if form.fields.iter().any(|field| field.required && field.var.as_deref() != Some(SURE)) {
        return None;
    }
    let sure = Form::new(FormType::Submit).with_field(Field::untyped(SURE).with_bool(true));
    let submission = Element::new("command", ns::COMMANDS)
        .with_attr("node", DELETE_HISTORY)
        .with_attr_opt("sessionid", command.attr("sessionid"))
        .with_attr("action", "complete");
    Some(submission.with_child(sure.to_element()))
}

/// Whether the server says that it has no such command, or no commands at all.
fn is_unknown(answer: &Answer) -> bool {
    let Answer::Error(error) = answer else { return false };
    matches!(
        error.condition,
        Condition::ItemNotFound | Condition::ServiceUnavailable | Condition::FeatureNotImplemented
    )
}

fn unsupported() -> Problem {
    Problem::Unsupported("it deletes no history when it is asked to".to_owned())
}

/// The namespace of what own devices tell each other of it. It leaves encrypted only.
const HISTORY: &str = "urn:clownfish:history:0";
/// The command, and the field of its form that has to say yes.
const DELETE_HISTORY: &str = "delete-history";
const SURE: &str = "sure";
