//! The own history on the server: deleted there with a command (XEP-0050: Ad-Hoc Commands 1.3.0)
//!
//! No specification names such a command. Anemone has it under this name, and other servers say that
//! they have none.

use xmpp::error::Condition;
use xmpp::ext::form::{Field, Form, FormType};
use xmpp::jid::Jid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "history",
    specs: &[Spec { number: "XEP-0050", version: "1.3.0" }],
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
            let status = answer.payload("command", ns::COMMANDS);
            let completed = status.and_then(|it| it.attr("status")) == Some("completed");
            match answer.problem() {
                Some(problem) => cx.failed(number, problem),
                None if completed => cx.done(number, Outcome::Done),
                None => cx.failed(number, unsupported()),
            }
            Ok(())
        })
    })
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

/// The command, and the field of its form that has to say yes.
const DELETE_HISTORY: &str = "delete-history";
const SURE: &str = "sure";
