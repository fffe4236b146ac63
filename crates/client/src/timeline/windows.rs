//! Windows on conversations, and the commands about whole conversations.

use std::collections::BTreeSet;

use xmpp::jid::BareJid;

use super::{conversation, mark_read, save_conversation};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::features::{archive, markers};
use crate::omemo;
use crate::store::{Message, MessageId, Position};
use crate::view::{Change, Outcome, Problem};

/// Carries out the commands about whole conversations; gives back what it does not know.
pub(crate) fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Open(address) => open(cx, &address)?,
        Command::Close(address) => {
            cx.state.features.timeline.windows.remove(&address);
        }
        Command::Older(address) => return older(cx, number, &address).map(|()| None),
        Command::MarkRead(address, id) => return read(cx, number, &address, id).map(|()| None),
        Command::Draft(address, draft) => {
            let draft: String = draft.chars().take(crate::command::MAX_TEXT_BYTES).collect();
            crate::features::chat_states::on_draft(cx, &address, &draft)?;
            change(cx, &address, |conversation| conversation.draft = draft)?;
        }
        Command::Mute(address, mute) => change(cx, &address, |one| one.mute = mute)?,
        Command::PinConversation(address, pinned) => {
            change(cx, &address, |one| one.pinned = pinned)?;
        }
        Command::Hide(address) => change(cx, &address, |one| one.shown = false)?,
        Command::SetEncryption(address, mode) => {
            change(cx, &address, |one| one.encryption = mode)?;
            omemo::decided(cx, &address)?;
            cx.wake_outbox();
        }
        Command::Search { text, conversation } => {
            let found = if text.trim().is_empty() {
                Vec::new()
            } else {
                cx.store.search(text.trim(), conversation.as_ref(), MAX_FOUND)?
            };
            cx.done(number, Outcome::Found(found));
            return Ok(None);
        }
        command => return Ok(Some(command)),
    }
    cx.done(number, Outcome::Done);
    Ok(None)
}

fn change(
    cx: &mut Cx<'_>,
    address: &BareJid,
    change: impl FnOnce(&mut crate::store::Conversation),
) -> Step {
    let before = conversation(cx, address);
    let mut after = before.clone();
    change(&mut after);
    let known = cx.state.features.timeline.conversations.contains_key(address);
    if after != before || !known { save_conversation(cx, after) } else { Ok(()) }
}

/// Opens a window with the newest messages, reaching back to the first unread one.
fn open(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let mut kept = conversation(cx, address);
    kept.shown = true;
    let known = cx.state.features.timeline.conversations.get(address);
    if known != Some(&kept) {
        save_conversation(cx, kept.clone())?;
    }
    omemo::look_at(cx, address)?;
    let unread = usize::try_from(kept.unread).unwrap_or(usize::MAX);
    let count = unread.saturating_add(PAGE / 2).clamp(PAGE, MAX_WINDOW);
    let messages = cx.store.before(address, None, count)?;
    let first_unread = match kept.unread {
        0 => None,
        _ => messages
            .iter()
            .find(|one| !one.own && kept.read_up_to.is_none_or(|seen| one.position > seen)),
    };
    let first_unread = first_unread.map(|message| message.id);
    let first = messages.first().map(|message| message.position);
    let older = has_older(cx, address, first)?;
    let end = Position(cx.state.features.timeline.positions.next);
    let from = first.unwrap_or(end);
    cx.state.features.timeline.windows.insert(address.clone(), from);
    cx.view(Change::Window { conversation: address.clone(), messages, older, first_unread });
    Ok(())
}

/// Whether there are messages before this one, here or on the server.
fn has_older(cx: &Cx<'_>, address: &BareJid, first: Option<Position>) -> Step<bool> {
    let here = match first {
        Some(first) => !cx.store.before(address, Some(first), 1)?.is_empty(),
        None => false,
    };
    Ok(here || !archive::is_complete(cx, address)?)
}

/// Puts an older page into a window.
fn older(cx: &mut Cx<'_>, number: u64, address: &BareJid) -> Step {
    let Some(from) = cx.state.features.timeline.windows.get(address).copied() else {
        cx.failed(number, Problem::Unknown("window"));
        return Ok(());
    };
    let messages = cx.store.before(address, Some(from), PAGE)?;
    if messages.is_empty() && !archive::is_complete(cx, address)? {
        return archive::older(cx, number, address);
    }
    show_older(cx, address, messages)?;
    cx.done(number, Outcome::Done);
    Ok(())
}

/// Shows older messages in a window.
pub(crate) fn show_older(cx: &mut Cx<'_>, address: &BareJid, messages: Vec<Message>) -> Step {
    let first = messages.first().map(|message| message.position);
    if let (Some(first), Some(from)) = (first, cx.state.features.timeline.windows.get_mut(address))
    {
        *from = first.min(*from);
    }
    let older = match first {
        Some(first) => has_older(cx, address, Some(first))?,
        None => !archive::is_complete(cx, address)?,
    };
    cx.view(Change::Older { conversation: address.clone(), messages, older });
    Ok(())
}

/// The user has seen everything up to a message.
fn read(cx: &mut Cx<'_>, number: u64, address: &BareJid, id: MessageId) -> Step {
    let message = cx.store.message(id)?.filter(|message| message.conversation == *address);
    let Some(message) = message else {
        cx.failed(number, Problem::Unknown("message"));
        return Ok(());
    };
    if mark_read(cx, address, message.position)? {
        markers::on_read(cx, address, message.position)?;
    }
    cx.done(number, Outcome::Done);
    Ok(())
}

/// Shows changed messages, if somebody looks at them.
pub(super) fn show_messages(
    cx: &mut Cx<'_>,
    conversation: BareJid,
    ids: BTreeSet<MessageId>,
) -> Step {
    let Some(from) = cx.state.features.timeline.windows.get(&conversation).copied() else {
        return Ok(());
    };
    let mut messages = Vec::with_capacity(ids.len());
    for id in ids {
        let message = cx.store.message(id)?;
        messages.extend(message.filter(|message| message.position >= from));
    }
    messages.sort_by_key(|message| message.position);
    if !messages.is_empty() {
        cx.view(Change::Messages { conversation, messages });
    }
    Ok(())
}

/// Messages in a page, and at most in a window that opens.
pub(crate) const PAGE: usize = 50;
const MAX_WINDOW: usize = 500;
/// Found messages at most.
const MAX_FOUND: usize = 200;
