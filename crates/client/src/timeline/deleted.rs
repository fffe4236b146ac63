//! What the user deleted on this device alone: the others and the own other devices keep theirs.
//!
//! Of each message stays what others call it, and nothing of what it said: archives give messages out
//! more than once, and changes of messages come after them.

use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::{conversation, count_unread, save_conversation, windows};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::features::{archive, chat_states, later, rooms, star, upload};
use crate::incoming::{Incoming, Source};
use crate::outbox;
use crate::store::{Content, Delivery, Message, Reference, Trace};
use crate::view::{Change, Outcome, Problem};

/// Carries out the commands about what goes; gives back what it does not know.
pub(crate) fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::DeleteHere(id) => match cx.store.message(id)? {
            Some(message) => delete(cx, &message)?,
            None => {
                cx.failed(number, Problem::Unknown("message"));
                return Ok(None);
            }
        },
        Command::ClearHistory(address) => clear(cx, &address)?,
        Command::DeleteConversation(address) => {
            if rooms::is_wanted(cx, &address) {
                let problem = "leave the room first".to_owned();
                cx.failed(number, Problem::Invalid(problem));
                return Ok(None);
            }
            delete_all(cx, &address)?;
        }
        command => return Ok(Some(command)),
    }
    cx.done(number, Outcome::Done);
    Ok(None)
}

/// One message.
fn delete(cx: &mut Cx<'_>, message: &Message) -> Step {
    let_go(cx, message)?;
    match is_unsent(message) {
        true => star::on_discard(cx, message)?,
        false => drop(star::forget(cx, message)?),
    }
    let before = conversation(cx, &message.conversation).order;
    super::remove(cx, message)?;
    let mut after = conversation(cx, &message.conversation);
    if after.latest.is_none() {
        after.order = before;
    }
    let seen = after.read_up_to.unwrap_or_default();
    // Whatever goes makes nothing unread that was not.
    if after.unread > 0 && !message.own && message.position > seen {
        after.unread = count_unread(cx, &message.conversation, seen)?;
        after.mentions = after.mentions.min(after.unread);
    }
    save_conversation(cx, after)?;
    cx.view(Change::MessageRemoved(message.conversation.clone(), message.id));
    Ok(())
}

/// Everything that was said in a conversation. Nobody sees it after this step; it goes a page at a time
/// in the steps that follow, also when the program ends in between.
fn clear(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if !cx.state.features.timeline.conversations.contains_key(address) {
        return Ok(());
    }
    let newest = cx.store.before(address, None, PAGE)?;
    stop_all(cx, address)?;
    // What the archive has not told has a time of this clock.
    let told = newest.iter().filter(|message| message.archive_id.is_some());
    let latest: Option<Millis> = told.map(|message| message.time).max();
    star::forget_all(cx, address)?;
    later::forget(cx, address)?;
    let timeline = &mut cx.state.features.timeline;
    timeline.moves.remove(address);
    timeline.missed.remove(address);
    let mut row = conversation(cx, address);
    row.cleared = latest.max(row.cleared).or_else(|| Some(cx.moment()));
    row.read_up_to = row.read_up_to.max(newest.last().map(|message| message.position));
    (row.unread, row.mentions, row.latest) = (0, 0, None);
    cx.store.hide(address)?;
    save_conversation(cx, row)?;
    remove_page(cx)?;
    windows::show_anew(cx, address)
}

/// What cannot wait until its page is removed: messages that are about to leave, and those that
/// changed lately, because the archive may tell of the changes once more.
fn stop_all(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    let mut ids = cx.state.outbox.messages_to(address);
    let timeline = &cx.state.features.timeline;
    ids.extend(timeline.requests.keys());
    ids.extend(timeline.changes.messages());
    ids.extend(upload::messages(cx)?);
    for id in ids {
        let message = cx.store.message(id)?.filter(|message| message.conversation == *address);
        let Some(message) = message else { continue };
        let_go(cx, &message)?;
        if let Some(number) = cx.state.features.timeline.requests.remove(&id) {
            cx.failed(number, Problem::Cancelled);
        }
        cx.store.remove_message(id)?;
    }
    Ok(())
}

/// Removes a page of what is hidden; the next one has a step of its own.
fn remove_page(cx: &mut Cx<'_>) -> Step {
    let mut left = PAGE;
    while left > 0 {
        let page = cx.store.hidden(left)?;
        if page.count() == 0 {
            return cx.store.end_hiding();
        }
        for message in &page.messages {
            let_go(cx, message)?;
            cx.store.remove_message(message.id)?;
        }
        left = left.saturating_sub(page.count());
    }
    go_on(cx, PAUSE);
    Ok(())
}

fn go_on(cx: &mut Cx<'_>, pause: u64) {
    let removing = cx.state.features.timeline.removing;
    if !removing.is_some_and(|timer| cx.state.timers.waits(timer)) {
        let timer = cx.later(pause, remove_page);
        cx.state.features.timeline.removing = Some(timer);
    }
}

/// The program was started: what was being removed when it ended goes as well. Not in the step that
/// starts it, which would not start where nothing can be written.
pub(crate) fn on_start(cx: &mut Cx<'_>) -> Step {
    if cx.store.is_hiding()? {
        go_on(cx, START_PAUSE);
    }
    Ok(())
}

/// A whole conversation.
fn delete_all(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    if !cx.state.features.timeline.conversations.contains_key(address) {
        return Ok(());
    }
    chat_states::on_draft(cx, address, "")?;
    cx.state.features.timeline.windows.remove(address);
    clear(cx, address)?;
    let mut row = conversation(cx, address);
    row.draft.clear();
    (row.pinned, row.wallpaper, row.shown, row.deleted) = (false, None, false, true);
    // A stranger who writes once more is news again.
    row.announced = false;
    save_conversation(cx, row)?;
    cx.view(Change::ConversationRemoved(address.clone()));
    Ok(())
}

/// Stops what is going on about a message that is about to go, and remembers what others call it.
fn let_go(cx: &mut Cx<'_>, message: &Message) -> Step {
    if matches!(message.content, Content::File(..)) {
        upload::cancel(cx, message.id)?;
        cx.forget_file(&message.content);
    }
    if is_unsent(message) {
        outbox::discard(cx, message.id)?;
    }
    let with = &message.conversation;
    remember(cx, with, &message.sender, message.origin_id.as_ref(), message.archive_id.as_ref())?;
    // What changed it comes once more as well, and could not be decrypted a second time.
    for mark in &message.edits {
        remember(cx, with, &message.sender, mark.id.as_ref(), mark.archive_id.as_ref())?;
    }
    for one in &message.reactions {
        for mark in one.earlier.iter().map(|set| &set.mark).chain([&one.mark]) {
            remember(cx, with, &one.sender, mark.id.as_ref(), mark.archive_id.as_ref())?;
        }
    }
    Ok(())
}

fn is_unsent(message: &Message) -> bool {
    matches!(message.delivery, Some(Delivery::Queued | Delivery::Failed(_)))
}

fn remember(
    cx: &Cx<'_>,
    with: &BareJid,
    sender: &BareJid,
    origin: Option<&String>,
    archive: Option<&String>,
) -> Step {
    let trace = Trace { archived: archive.is_some() };
    if let Some(id) = origin {
        cx.store.save_trace(with, &Reference::Origin(sender.clone(), id.clone()), trace)?;
    }
    if let Some(id) = archive {
        cx.store.save_trace(with, &Reference::Archive(id.clone()), trace)?;
    }
    Ok(())
}

/// Whether a message, or a change of one, was deleted here; or stands in a part of the history that
/// was. What is new about it is remembered.
pub(super) fn recognise(cx: &Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let known = is_deleted(cx, incoming)?;
    if known && incoming.archive_id.is_some() {
        let (origin, archive) = (incoming.origin_id.as_ref(), incoming.archive_id.as_ref());
        remember(cx, &incoming.with, &incoming.sender, origin, archive)?;
    }
    Ok(known)
}

/// The same, without remembering anything.
pub(super) fn is_deleted(cx: &Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let with = &incoming.with;
    let history = match incoming.source {
        Source::Older => true,
        Source::CatchUp => archive::is_read_again(cx, incoming.time),
        Source::Live | Source::Carbon => false,
    };
    if history {
        let cleared = conversation(cx, with).cleared;
        if cleared.is_some_and(|cleared| incoming.time <= cleared) {
            return Ok(true);
        }
    }
    if let Some(id) = &incoming.archive_id
        && cx.store.trace(with, &Reference::Archive(id.clone()))?.is_some()
    {
        return Ok(true);
    }
    let Some(id) = &incoming.origin_id else { return Ok(false) };
    let trace = cx.store.trace(with, &Reference::Origin(incoming.sender.clone(), id.clone()))?;
    // Some programs count the ids of their stanzas from 1 each time they start.
    Ok(trace
        .is_some_and(|trace| incoming.unique || !(trace.archived && incoming.archive_id.is_some())))
}

/// Whether what is said is about a message that was deleted here, which it names by this id.
pub(crate) fn is_about_deleted(cx: &Cx<'_>, incoming: &Incoming, id: &str) -> Step<bool> {
    let with = &incoming.with;
    let origin = |by: &BareJid| Reference::Origin(by.clone(), id.to_owned());
    let names = match incoming.room {
        true => vec![Reference::Archive(id.to_owned()), origin(&incoming.sender)],
        false => vec![origin(cx.me), origin(with)],
    };
    for name in names {
        if cx.store.trace(with, &name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the history of a conversation begins where the user deleted it.
pub(crate) fn is_cleared(cx: &Cx<'_>, address: &BareJid) -> bool {
    let known = cx.state.features.timeline.conversations.get(address);
    known.is_some_and(|one| one.cleared.is_some())
}

/// Messages that are removed in one step.
const PAGE: usize = 100;
/// Milliseconds between two of these steps: whatever else there is to do comes first.
const PAUSE: u64 = 1;
/// Milliseconds after the start.
const START_PAUSE: u64 = 2_000;
