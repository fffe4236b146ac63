//! Looking through own history: for words, and for files
//!
//! A command looks at one part of the messages, so that nothing else has to wait for long; whoever
//! wants more asks again from where that part ended. Nothing is remembered between two parts.

use super::Feature;
use crate::command::{Command, MAX_SEARCH_BYTES};
use crate::cx::{Cx, Step};
use crate::store::{Look, Looked, Wanted, Words};
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature =
    Feature { name: "look", command: Some(command), ..Feature::NOTHING };

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let (wanted, conversation, from) = match command {
        Command::Search { text, .. } if text.len() > MAX_SEARCH_BYTES => {
            let problem = format!("at most {MAX_SEARCH_BYTES} bytes can be looked for");
            cx.failed(number, Problem::Invalid(problem));
            return Ok(None);
        }
        Command::Search { text, conversation, from } => {
            (Words::of(&text).map(Wanted::Words), conversation, from)
        }
        Command::Files { conversation, kinds, from } => {
            (Some(Wanted::Files(kinds)), Some(conversation), from)
        }
        command => return Ok(Some(command)),
    };
    let Looked { found, next } = match &wanted {
        Some(wanted) => cx.store.look(&Look {
            wanted,
            conversation: conversation.as_ref(),
            from,
            rows: ROWS,
            found: FOUND,
        })?,
        // Where nothing is looked for, nothing is found.
        None => Looked::default(),
    };
    cx.done(number, Outcome::Part { found, next });
    Ok(None)
}

/// Messages that are looked at in one part: it takes some hundredths of a second in a browser.
const ROWS: usize = 500;
/// Messages that are given in one part.
const FOUND: usize = 100;
