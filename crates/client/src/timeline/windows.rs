//! Windows on conversations, and the commands about whole conversations.

use std::collections::BTreeSet;

use xmpp::jid::BareJid;

use super::{conversation, mark_read, save_conversation};
use crate::command::{Command, MAX_WALLPAPER_BYTES};
use crate::cx::{Cx, Step};
use crate::features::{archive, markers, notify};
use crate::omemo;
use crate::store::{Content, Event, Message, MessageId, Position};
use crate::view::{Change, Outcome, Problem};

/// Carries out the commands about whole conversations; gives back what it does not know.
pub(crate) fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Open(address) => open(cx, &address)?,
        Command::OpenAt(address, id) => return open_at(cx, number, &address, id).map(|()| None),
        Command::Close(address) => {
            cx.state.features.timeline.windows.remove(&address);
        }
        Command::Older(address) => return older(cx, number, &address).map(|()| None),
        Command::CatchUp(address) => archive::catch_up(cx, &address)?,
        Command::Newer(address) => return newer(cx, number, &address).map(|()| None),
        Command::MarkRead(address, id) => return read(cx, number, &address, id).map(|()| None),
        Command::MarkAllRead(address) => {
            if let Some(newest) = cx.store.before(&address, None, 1)?.first() {
                read_until(cx, newest)?;
            }
        }
        Command::Draft(address, draft) => {
            let draft: String = draft.chars().take(crate::command::MAX_TEXT_BYTES).collect();
            crate::features::chat_states::on_draft(cx, &address, &draft)?;
            change(cx, &address, |conversation| conversation.draft = draft)?;
        }
        Command::Mute(address, mute) => {
            let before = conversation(cx, &address);
            change(cx, &address, |one| one.mute = mute)?;
            notify::changed(cx, &before)?;
        }
        Command::Notify(address, notify) => {
            let before = conversation(cx, &address);
            change(cx, &address, |one| one.notify = notify)?;
            notify::changed(cx, &before)?;
        }
        Command::SetWallpaper(address, wallpaper) => {
            if wallpaper.as_ref().is_some_and(|name| name.len() > MAX_WALLPAPER_BYTES) {
                cx.failed(number, Problem::Invalid("there is no such wallpaper".to_owned()));
                return Ok(None);
            }
            change(cx, &address, |one| one.wallpaper = wallpaper)?;
        }
        Command::PinConversation(address, pinned) => {
            change(cx, &address, |one| one.pinned = pinned)?;
        }
        Command::Hide(address) => change(cx, &address, |one| one.shown = false)?,
        Command::SetEncryption(address, mode) => {
            change(cx, &address, |one| one.encryption = mode)?;
            omemo::decided(cx, &address)?;
            cx.wake_outbox();
        }
        command => return super::deleted::command(cx, number, command),
    }
    cx.done(number, Outcome::Done);
    Ok(None)
}

/// Which part of a conversation somebody looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// What stands behind this place is in it: the place of the newest older message that is here, or
    /// the beginning. Where the first message of the window stands is no limit, because an archive may
    /// put it, and what it brings, before that.
    after: Position,
    /// The last place; `None` when the window reaches to the end, and what is new joins it.
    until: Option<Position>,
}

impl Window {
    fn shows(self, position: Position) -> bool {
        position > self.after && self.until.is_none_or(|until| position <= until)
    }
}

/// Whether somebody looks at a conversation.
pub(crate) fn is_open(cx: &Cx<'_>, address: &BareJid) -> bool {
    cx.state.features.timeline.windows.contains_key(address)
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

/// Somebody looks at a conversation: it is in the list from now on.
fn look_at(cx: &mut Cx<'_>, address: &BareJid) -> Step<crate::store::Conversation> {
    let mut kept = conversation(cx, address);
    (kept.shown, kept.deleted) = (true, false);
    let known = cx.state.features.timeline.conversations.get(address);
    if known != Some(&kept) {
        save_conversation(cx, kept.clone())?;
    }
    omemo::look_at(cx, address)?;
    Ok(kept)
}

/// Opens a window with the newest messages, reaching back to the first unread one.
fn open(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let kept = look_at(cx, address)?;
    let unread = usize::try_from(kept.unread).unwrap_or(usize::MAX);
    let count = unread.saturating_add(PAGE / 2).clamp(PAGE, MAX_WINDOW);
    let messages = cx.store.before(address, None, count)?;
    let first_unread = match kept.unread {
        0 => None,
        _ => messages
            .iter()
            .filter(|one| !one.own && !matches!(one.content, Content::Event(Event::Room(_))))
            .find(|one| kept.read_up_to.is_none_or(|seen| one.position > seen)),
    };
    let first_unread = first_unread.map(|message| message.id);
    show(cx, address, messages, None, first_unread)
}

/// Opens a window around a message, to which the user was led.
fn open_at(cx: &mut Cx<'_>, number: u64, address: &BareJid, id: MessageId) -> Step {
    let target = cx.store.message(id)?.filter(|message| message.conversation == *address);
    let Some(target) = target else {
        cx.failed(number, Problem::Unknown("message"));
        return Ok(());
    };
    look_at(cx, address)?;
    let behind = Position(target.position.0.saturating_add(1));
    let mut messages = cx.store.before(address, Some(behind), PAGE / 2)?;
    let mut after = cx.store.after(address, target.position, PAGE / 2 + 1)?;
    let newer = after.len() > PAGE / 2;
    after.truncate(PAGE / 2);
    messages.append(&mut after);
    let last = messages.last().map(|message| message.position);
    show(cx, address, messages, last.filter(|_| newer), None)?;
    cx.done(number, Outcome::Done);
    Ok(())
}

/// Draws a window anew. It reaches to the end when there is no last place.
fn show(
    cx: &mut Cx<'_>,
    address: &BareJid,
    messages: Vec<Message>,
    until: Option<Position>,
    first_unread: Option<MessageId>,
) -> Step {
    let after = end_of_older(cx, address, &messages)?;
    let older = has_older(cx, address, after)?;
    let window = Window { after, until };
    cx.state.features.timeline.windows.insert(address.clone(), window);
    cx.view(Change::Window {
        conversation: address.clone(),
        messages,
        older,
        newer: until.is_some(),
        first_unread,
    });
    Ok(())
}

/// Nothing that was in a conversation is there any more.
pub(super) fn show_anew(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if is_open(cx, address) { show(cx, address, Vec::new(), None, None) } else { Ok(()) }
}

/// The place of the newest message that is here and older than these; the beginning if there is none.
fn end_of_older(cx: &Cx<'_>, address: &BareJid, messages: &[Message]) -> Step<Position> {
    let Some(first) = messages.first() else { return Ok(Position::default()) };
    let older = cx.store.before(address, Some(first.position), 1)?;
    Ok(older.first().map(|message| message.position).unwrap_or_default())
}

/// Whether there are older messages than those after a place, here or on the server.
fn has_older(cx: &Cx<'_>, address: &BareJid, after: Position) -> Step<bool> {
    Ok(after > Position::default() || !archive::is_complete(cx, address)?)
}

/// Puts an older page into a window.
fn older(cx: &mut Cx<'_>, number: u64, address: &BareJid) -> Step {
    let Some(window) = cx.state.features.timeline.windows.get(address).copied() else {
        cx.failed(number, Problem::Unknown("window"));
        return Ok(());
    };
    let until = Position(window.after.0.saturating_add(1));
    let messages = cx.store.before(address, Some(until), PAGE)?;
    if messages.is_empty() && !archive::is_complete(cx, address)? {
        return archive::older(cx, number, address);
    }
    show_older(cx, address, messages)?;
    cx.done(number, Outcome::Done);
    Ok(())
}

/// Shows older messages in a window. Those that are not next to it, because it was opened anew since
/// they were asked for, come when they are asked for again.
pub(crate) fn show_older(cx: &mut Cx<'_>, address: &BareJid, mut messages: Vec<Message>) -> Step {
    let window = cx.state.features.timeline.windows.get(address).copied();
    let Some(window) = window else { return Ok(()) };
    let after = if messages.last().is_some_and(|last| last.position >= window.after) {
        end_of_older(cx, address, &messages)?
    } else {
        messages.clear();
        let until = Position(window.after.0.saturating_add(1));
        let here = cx.store.before(address, Some(until), 1)?;
        here.first().map(|message| message.position).unwrap_or_default()
    };
    cx.state.features.timeline.windows.insert(address.clone(), Window { after, ..window });
    let older = has_older(cx, address, after)?;
    cx.view(Change::Older { conversation: address.clone(), messages, older });
    Ok(())
}

/// Puts a newer page into a window that does not reach to the end.
fn newer(cx: &mut Cx<'_>, number: u64, address: &BareJid) -> Step {
    let Some(window) = cx.state.features.timeline.windows.get(address).copied() else {
        cx.failed(number, Problem::Unknown("window"));
        return Ok(());
    };
    let mut messages = match window.until {
        Some(until) => cx.store.after(address, until, PAGE + 1)?,
        None => Vec::new(),
    };
    let newer = messages.len() > PAGE;
    messages.truncate(PAGE);
    let last = messages.last().map(|message| message.position);
    if let Some(window) = cx.state.features.timeline.windows.get_mut(address) {
        window.until = last.filter(|_| newer);
    }
    cx.view(Change::Newer { conversation: address.clone(), messages, newer });
    cx.done(number, Outcome::Done);
    Ok(())
}

/// The user has seen everything up to a message.
fn read(cx: &mut Cx<'_>, number: u64, address: &BareJid, id: MessageId) -> Step {
    let message = cx.store.message(id)?.filter(|message| message.conversation == *address);
    let Some(message) = message else {
        cx.failed(number, Problem::Unknown("message"));
        return Ok(());
    };
    read_until(cx, &message)?;
    cx.done(number, Outcome::Done);
    Ok(())
}

fn read_until(cx: &mut Cx<'_>, message: &Message) -> Step {
    let address = &message.conversation;
    let after = conversation(cx, address).read_up_to;
    if let Some(position) = said_until(cx, message)?
        && mark_read(cx, address, position)?
    {
        markers::on_read(cx, address, after, position)?;
    }
    Ok(())
}

/// The last place up to a message at which something was said. What happened in a room may stand in
/// front of messages that are on their way: by seeing it nobody has seen those.
fn said_until(cx: &Cx<'_>, message: &Message) -> Step<Option<Position>> {
    let happened = |one: &Message| matches!(one.content, Content::Event(Event::Room(_)));
    if !happened(message) {
        return Ok(Some(message.position));
    }
    let before = cx.store.before(&message.conversation, Some(message.position), PAGE)?;
    Ok(before.iter().rev().find(|one| !happened(one)).map(|one| one.position))
}

/// Shows changed messages, if somebody looks at them.
pub(super) fn show_messages(
    cx: &mut Cx<'_>,
    conversation: BareJid,
    ids: BTreeSet<MessageId>,
) -> Step {
    let Some(window) = cx.state.features.timeline.windows.get(&conversation).copied() else {
        return Ok(());
    };
    let mut messages = Vec::with_capacity(ids.len());
    for id in ids {
        let message = cx.store.message(id)?;
        messages.extend(message.filter(|message| window.shows(message.position)));
    }
    messages.sort_by_key(|message| message.position);
    if !messages.is_empty() {
        cx.view(Change::Messages { conversation, messages });
    }
    Ok(())
}

/// A message got another place: one that was in the window and is not any more leaves it.
pub(super) fn on_moved(cx: &mut Cx<'_>, message: &Message, before: Position) {
    let window = cx.state.features.timeline.windows.get(&message.conversation).copied();
    if window.is_some_and(|window| window.shows(before) && !window.shows(message.position)) {
        cx.view(Change::MessageRemoved(message.conversation.clone(), message.id));
    }
}

/// Messages in a page, and at most in a window that opens.
pub(crate) const PAGE: usize = 50;
const MAX_WINDOW: usize = 500;
