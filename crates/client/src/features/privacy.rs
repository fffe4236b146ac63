//! What others may know of what this account does

use super::Feature;
use crate::account;
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::store::Store;
use crate::view::{Outcome, Privacy};

use super::chat_states;

pub(crate) const FEATURE: Feature =
    Feature { name: "privacy", command: Some(command), ..Feature::NOTHING };

/// What the user chose.
pub(crate) fn load(store: &dyn Store) -> Step<Privacy> {
    let chosen = store.value(NAME)?;
    let shown = |place: usize| chosen.as_ref().is_none_or(|chosen| chosen.get(place) != Some(&0));
    Ok(Privacy { typing: shown(0), read: shown(1) })
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::SetPrivacy(privacy) = command else { return Ok(Some(command)) };
    if !privacy.typing {
        // Who was told that something is being written is not left with that.
        chat_states::stop(cx);
    }
    cx.store.save_value(NAME, Some(&[privacy.typing.into(), privacy.read.into()]))?;
    cx.state.features.privacy = privacy;
    account::show(cx)?;
    cx.done(number, Outcome::Done);
    Ok(None)
}

/// The name under which it is stored.
const NAME: &str = "privacy";
