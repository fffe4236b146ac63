//! How long messages are kept: as long as the configuration says, or the operator says of one archive; and
//! no longer than its owner wants (ADR 32).
//!
//! With the command (XEP-0050) whoever has an account says how long, from any client. Owners of rooms say it
//! in the configuration of the room.

use store::retentions::Retention;
use xmpp::{
    error::{Condition, ErrorType, StanzaError},
    ext::form::{Field, FieldType, Form, FormType},
};

use crate::{
    config::Config,
    ext::{
        IqAnswer, IqContext, IqFuture,
        commands::{Allowed, Offer, answer, done},
    },
    iq::Iq,
};

/// The command.
pub const COMMANDS: Offer = Offer { commands: &[(NODE, NAME)], allowed, run };

const NODE: &str = "message-retention";
const NAME: &str = "How long your messages are kept on the server";
const DAYS: &str = "days";
/// The most days that anybody can say.
pub const MOST_DAYS: u32 = 36_500;

/// Days for which the messages of an archive are kept, 0 for ever.
#[must_use]
pub fn days(config: &Config, said: &Retention) -> u64 {
    let most = most_days(config, said);
    match (most, said.own.map_or(0, u64::from)) {
        (most, 0) => most,
        (0, own) => own,
        (most, own) => most.min(own),
    }
}

/// The same, whatever the owner wants.
#[must_use]
pub fn most_days(config: &Config, said: &Retention) -> u64 {
    said.days.map_or(config.archive.retention_days, u64::from)
}

/// A time in words.
#[must_use]
pub fn words(days: u64) -> String {
    match days {
        0 => "for ever".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// Whoever has an account here, where messages are kept at all.
fn allowed<'a>(context: &'a IqContext<'a>) -> Allowed<'a> {
    Box::pin(
        async move { Ok(context.server.config().archive.enabled && context.session().is_ok()) },
    )
}

fn run<'a>(context: &'a IqContext<'a>, iq: &'a Iq, node: &'static str) -> IqFuture<'a> {
    Box::pin(async move {
        let account = context.session()?.account.id;
        let failed = |error| context.server.store_failed("retention", &error);
        let said = context.server.store.retentions.of(account).await.map_err(failed)?;
        match Form::child_of(&iq.payload) {
            None => {
                let form = form(&context.server.config(), &said);
                Ok(Some(answer(iq, node, "executing", Some(form))))
            }
            Some(form) if form.kind == FormType::Cancel => {
                Ok(Some(answer(iq, node, "canceled", None)))
            }
            Some(form) => choose(context, iq, node, (&form, said)).await,
        }
    })
}

fn form(config: &Config, said: &Retention) -> Form {
    let most = match most_days(config, said) {
        0 => "as long as you have the account".to_owned(),
        days => words(days),
    };
    let instructions = format!(
        "The server keeps your messages {most}, for devices that were not there. You can have them deleted earlier. \
         What is on your devices stays there, and so does what others have of your conversations. Messages that \
         none of your devices has yet still come."
    );
    let own = said.own.map(|days| days.to_string()).unwrap_or_default();
    let field = Field::new(DAYS, FieldType::TextSingle)
        .with_label("Days; empty for as long as the server keeps them")
        .with_value(own);
    Form::new(FormType::Form).with_title(NAME).with_instructions(instructions).with_field(field)
}

async fn choose(
    context: &IqContext<'_>,
    iq: &Iq,
    node: &str,
    (form, said): (&Form, Retention),
) -> IqAnswer {
    let own = match form.value(DAYS).unwrap_or_default().trim() {
        "" => None,
        text => Some(number(text)?),
    };
    let server = context.server;
    let chosen = server.store.retentions.choose(said.archive, own).await;
    chosen.map_err(|error| server.store_failed("retention", &error))?;
    let retention = days(&server.config(), &Retention { own, ..said });
    let note = match retention {
        0 => "Your messages are kept as long as you have the account.".to_owned(),
        days => {
            format!("Your messages are kept {}. What is older goes within an hour.", words(days))
        }
    };
    done(iq, node, &note)
}

fn number(text: &str) -> Result<u32, StanzaError> {
    let days = text.parse::<u32>().ok().filter(|days| (1..=MOST_DAYS).contains(days));
    days.ok_or_else(|| {
        let error = StanzaError::new(Condition::NotAcceptable).with_type(ErrorType::Modify);
        error.with_text(format!("nothing was changed: a number of days from 1 to {MOST_DAYS}"))
    })
}

#[cfg(test)]
mod tests {
    use store::AccountId;

    use super::*;
    use crate::{
        ext::Asker,
        model::Stage,
        session::{Origin, life},
    };

    #[test]
    fn who_keeps_no_messages_offers_no_time_for_them() {
        for (config, offered) in [("", true), ("[archive]\nenabled = false\n", false)] {
            let stage = Stage::with(config);
            let (server, juliet) = (&stage.server, stage.juliet());
            let bound = life::bind(server, &juliet, Some("balcony"), Origin::default());
            let session = stage.run(bound).unwrap();
            let context = IqContext::new(server, Asker::Session(&session), Some(&juliet));
            assert_eq!(stage.run(allowed(&context)).unwrap(), offered, "{config}");
        }
    }

    #[test]
    fn owners_shorten_what_operators_say() {
        let days = |general: u64, operator, own| {
            let mut config = Config::for_domain("example.org").unwrap();
            config.archive.retention_days = general;
            days(&config, &Retention { archive: AccountId(1), days: operator, own })
        };
        assert_eq!(days(30, None, None), 30);
        assert_eq!(days(30, Some(90), None), 90);
        assert_eq!(days(30, Some(7), None), 7);
        assert_eq!(days(30, Some(0), None), 0, "for ever");
        assert_eq!(days(30, None, Some(7)), 7);
        assert_eq!(days(30, None, Some(90)), 30, "owners do not lengthen it");
        assert_eq!(days(30, Some(0), Some(90)), 90);
        assert_eq!(days(0, None, Some(5)), 5);
        assert_eq!(days(0, Some(3), Some(5)), 3);
    }
}
