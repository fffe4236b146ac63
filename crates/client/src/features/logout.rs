//! Leaving this device: keys withdrawn, no pushes any more, token forgotten by the server, everything here removed.
//! Or leaving altogether: the account ends (XEP-0077 §3.2)
//!
//! A token can only be given up by using it once more (XEP-0484 §3.5), so a logout connects anew.
//! Without a connection the token stays valid until it expires; nobody has it any more.

use xmpp::ext::register;
use xmpp::jid::Jid;

use super::{Feature, push};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::view::{Change, Connection, Outcome};
use crate::{account, link, omemo};

pub(crate) const FEATURE: Feature =
    Feature { name: "logout", command: Some(command), ..Feature::NOTHING };

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Logout => logout(cx, number)?,
        Command::DeleteAccount => delete_account(cx, number)?,
        command => return Ok(Some(command)),
    }
    Ok(None)
}

/// With the account goes all that the server has of it.
fn delete_account(cx: &mut Cx<'_>, number: u64) -> Step {
    let domain = Jid::new(cx.me.domain().as_str()).ok();
    cx.iq_set(domain, register::removal(), move |cx, answer| {
        match answer.problem() {
            Some(problem) => cx.failed(number, problem),
            None => {
                cx.state.features.logout = Some(number);
                finish(cx);
            }
        }
        Ok(())
    })
}

fn logout(cx: &mut Cx<'_>, number: u64) -> Step {
    cx.state.features.logout = Some(number);
    if !cx.online() {
        finish(cx);
        return Ok(());
    }
    push::withdraw(cx)?;
    omemo::withdraw(cx, |cx| {
        let token = cx.state.login.as_ref().is_some_and(|login| login.token.is_some());
        if token && cx.online() {
            cx.state.link.invalidate = true;
            cx.later(TIMEOUT, |cx| {
                finish(cx);
                Ok(())
            });
            link::reconnect(cx)
        } else {
            finish(cx);
            Ok(())
        }
    })
}

/// The server has forgotten the token.
pub(crate) fn on_invalidated(cx: &mut Cx<'_>) -> Step {
    finish(cx);
    Ok(())
}

/// Everything is removed at the end of the step.
fn finish(cx: &mut Cx<'_>) {
    let Some(number) = cx.state.features.logout.take() else { return };
    cx.state.wipe = true;
    cx.effects.push(crate::Effect::Close);
    let account = account::offline(cx, Connection::Offline);
    cx.view(Change::Account(account));
    cx.done(number, Outcome::Done);
}

/// How long the server has to forget the token: milliseconds.
const TIMEOUT: u64 = 20_000;
