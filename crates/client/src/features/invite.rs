//! XEP-0401: Ad-hoc Account Invitation Generation 0.6.0, XEP-0077: a new password

use xmpp::ext::form::Form;
use xmpp::ext::register;
use xmpp::jid::Jid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec};
use crate::account;
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::iq::Answer;
use crate::link;
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "invite",
    specs: &[
        Spec { number: "XEP-0401", version: "0.6.0" },
        Spec { number: "XEP-0077", version: "2.4" },
        Spec { number: "XEP-0445", version: "0.2.0" },
    ],
    command: Some(command),
    ..Feature::NOTHING
};

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Invite => invite(cx, number)?,
        Command::ChangePassword(password) => {
            let Some(node) = cx.me.node().map(ToString::to_string) else { return Ok(None) };
            let query = register::submission(&node, &password);
            let domain = Jid::new(cx.me.domain().as_str()).ok();
            cx.iq_set(domain, query, move |cx, answer| {
                if let Some(problem) = answer.problem() {
                    cx.failed(number, problem);
                    return Ok(());
                }
                // Until the next login makes keys of it.
                cx.store.save_value(link::KEYS, None)?;
                account::change_login(cx, |login| login.password = Some(password))?;
                cx.done(number, Outcome::Done);
                Ok(())
            })?;
        }
        command => return Ok(Some(command)),
    }
    Ok(None)
}

fn invite(cx: &mut Cx<'_>, number: u64) -> Step {
    let command = Element::new("command", ns::COMMANDS)
        .with_attr("node", ns::INVITE_INVITE)
        .with_attr("action", "execute");
    let domain = Jid::new(cx.me.domain().as_str()).ok();
    cx.iq_set(domain, command, move |cx, answer| {
        match (link_of(&answer), answer.problem()) {
            (Some(link), _) => cx.done(number, Outcome::Text(link)),
            (None, Some(problem)) => cx.failed(number, problem),
            (None, None) => {
                let problem = "it gave no invitation".to_owned();
                cx.failed(number, Problem::Unsupported(problem));
            }
        }
        Ok(())
    })
}

/// The page for people, or else the address for programs.
fn link_of(answer: &Answer) -> Option<String> {
    let command = answer.payload("command", ns::COMMANDS)?;
    let form = Form::child_of(command)?;
    let link = form.value("landing-url").filter(|url| !url.is_empty());
    link.or_else(|| form.value("uri")).map(str::to_owned)
}
