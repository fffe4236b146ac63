//! What others may know of what this account does

use super::Feature;
use crate::account;
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::store::Store;
use crate::view::{Outcome, Privacy};

use super::{chat_states, idle};

pub(crate) const FEATURE: Feature =
    Feature { name: "privacy", command: Some(command), ..Feature::NOTHING };

/// What the user chose.
pub(crate) fn load(store: &dyn Store) -> Step<Privacy> {
    let chosen = store.value(NAME)?;
    let at = |place: usize| chosen.as_ref().and_then(|chosen| chosen.get(place).copied());
    Ok(Privacy { typing: at(0) != Some(0), read: at(1) != Some(0), idle: at(2) == Some(1) })
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::SetPrivacy(privacy) = command else { return Ok(Some(command)) };
    if !privacy.typing {
        // Who was told that something is being written is not left with that.
        chat_states::stop(cx);
    }
    let chosen = [privacy.typing, privacy.read, privacy.idle].map(u8::from);
    cx.store.save_value(NAME, Some(&chosen))?;
    cx.state.features.privacy = privacy;
    idle::update(cx)?;
    account::show(cx)?;
    cx.done(number, Outcome::Done);
    Ok(None)
}

/// The name under which it is stored.
const NAME: &str = "privacy";
