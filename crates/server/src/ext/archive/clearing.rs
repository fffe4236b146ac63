//! "Delete my history now": whoever has an account deletes its archive with a command (XEP-0050), from any
//! client.

use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::form::{Field, FieldType, Form, FormType},
};

use crate::{
    ext::{
        IqAnswer, IqContext, IqFuture,
        commands::{Allowed, Offer, answer, done},
    },
    iq::Iq,
};

/// The command.
pub const COMMANDS: Offer = Offer { commands: &[(NODE, NAME)], allowed, run };

const NODE: &str = "delete-history";
const NAME: &str = "Delete your history on the server";
const SURE: &str = "sure";

/// Whoever has an account here.
fn allowed<'a>(context: &'a IqContext<'a>) -> Allowed<'a> {
    Box::pin(async move { Ok(context.session().is_ok()) })
}

fn run<'a>(context: &'a IqContext<'a>, iq: &'a Iq, node: &'static str) -> IqFuture<'a> {
    Box::pin(async move {
        match Form::child_of(&iq.payload) {
            None => Ok(Some(answer(iq, node, "executing", Some(form())))),
            Some(form) if form.kind == FormType::Cancel => {
                Ok(Some(answer(iq, node, "canceled", None)))
            }
            Some(form) => delete(context, iq, node, &form).await,
        }
    })
}

fn form() -> Form {
    let words = "All messages of this account are deleted from the server, and cannot be brought back. What is \
                 on your devices stays there, and so does what others have of your conversations. Messages that none \
                 of your devices has yet still come.";
    let sure = Field::new(SURE, FieldType::Boolean)
        .with_label("Yes, delete them")
        .with_bool(false)
        .with_required();
    Form::new(FormType::Form).with_title(NAME).with_instructions(words).with_field(sure)
}

async fn delete(context: &IqContext<'_>, iq: &Iq, node: &str, form: &Form) -> IqAnswer {
    if form.field(SURE).and_then(Field::boolean) != Some(true) {
        let words = "nothing was deleted: the box that says yes is not ticked";
        let error = StanzaError::new(Condition::NotAcceptable).with_type(ErrorType::Modify);
        return Err(error.with_text(words));
    }
    let account = &context.session()?.account;
    let deleted = context.server.store.archive.purge(account.id).await;
    let deleted =
        deleted.map_err(|error| context.server.store_failed("deleting a history", &error))?;
    let words = match deleted {
        0 => "There were no messages.".to_owned(),
        1 => "1 message was deleted.".to_owned(),
        many => format!("{many} messages were deleted."),
    };
    done(iq, node, &words)
}
