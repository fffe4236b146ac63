//! From what is kept to what is shown.

use xmpp::jid::BareJid;

use crate::cx::{Cx, Step};
use crate::features::{archive, chat_states, elsewhere, rooms, roster};
use crate::outbox;
use crate::store::{Content, Conversation, Event, Message, MessageId, Mute, Undecryptable};
use crate::view::{self, Notification, Occasion, Preview};

/// A row of the list; `None` if there is no such conversation, or it was deleted.
pub(super) fn conversation(cx: &Cx<'_>, address: &BareJid) -> Step<Option<view::Conversation>> {
    let timeline = &cx.state.features.timeline;
    let kept = timeline.conversations.get(address).filter(|kept| !kept.deleted);
    let Some(kept) = kept else { return Ok(None) };
    let latest = match kept.latest {
        Some(id) => cx.store.message(id)?,
        None => None,
    };
    let room = rooms::name(cx, address).filter(|_| kept.room);
    Ok(Some(view::Conversation {
        address: address.clone(),
        kind: if kept.room { view::Kind::Room } else { view::Kind::Person },
        name: room.unwrap_or_else(|| roster::name(cx, address)),
        preview: latest.as_ref().map(preview),
        unread: kept.unread,
        mentions: kept.mentions,
        draft: kept.draft.clone(),
        typing: chat_states::writers(cx, address),
        mute: kept.mute,
        notify: kept.notify,
        wallpaper: kept.wallpaper.clone(),
        pinned: kept.pinned,
        behind: archive::is_behind(cx, address),
        encryption: kept.encryption,
        readers: timeline.readers.get(address).copied().unwrap_or_default(),
        waits_for_keys: outbox::waits_for_keys(cx, address),
        request: match kept.room {
            true => rooms::is_invitation(cx, address),
            false => is_of_stranger(cx, kept),
        },
        order: kept.order,
        shown: kept.shown,
    }))
}

fn preview(message: &Message) -> Preview {
    Preview {
        own: message.own,
        author: message.occupant.as_ref().map(|occupant| occupant.nick.clone()),
        text: preview_text(&message.content),
        said: matches!(message.content, Content::Text(_) | Content::File(..)),
        time: message.time,
        delivery: message.delivery.clone(),
    }
}

/// What a message says, in one line.
pub(crate) fn preview_text(content: &Content) -> String {
    let text = match content {
        Content::Text(text) | Content::File(_, Some(text)) => text.as_str(),
        Content::File(file, None) => file.name.as_str(),
        Content::Retracted => "This message was taken back",
        Content::Undecryptable(reason) => undecryptable(*reason),
        Content::Event(Event::NewDevice { .. }) => "A new device is in use",
        Content::Event(Event::OptOut { .. }) => "They ask for messages that are not encrypted",
        Content::Event(Event::Invited { .. }) => "You are invited",
        Content::Event(Event::Declined { .. }) => "An invitation is declined",
        Content::Event(Event::Asks { .. }) => "Somebody asks to be let in",
        Content::Event(Event::Room(_)) => "The group is different now",
        Content::Event(Event::Restored) => "This profile was put back to an earlier state",
        Content::Event(Event::Gap) => "Messages may be missing here",
    };
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(MAX_PREVIEW_CHARS).collect()
}

/// What can be quoted of a message.
pub(crate) fn quotable(content: &Content) -> String {
    match content {
        Content::Text(text) | Content::File(_, Some(text)) => text.clone(),
        Content::File(file, None) => file.name.clone(),
        Content::Retracted | Content::Undecryptable(_) | Content::Event(_) => String::new(),
    }
}

fn undecryptable(reason: Undecryptable) -> &'static str {
    match reason {
        Undecryptable::NotForThisDevice => "A message that was not encrypted for this device",
        _ => "A message that this device cannot read",
    }
}

/// Whether somebody who is not a contact writes here, and was never written to.
fn is_of_stranger(cx: &Cx<'_>, kept: &Conversation) -> bool {
    let contact = cx.state.features.roster.contacts.get(&kept.address);
    !kept.room && !kept.accepted && !contact.is_some_and(|contact| contact.in_roster)
}

/// Tells the user about a message, unless they do not want to be told.
pub(crate) fn notify(cx: &mut Cx<'_>, message: &Message) -> Step {
    let title = match (&message.occupant, rooms::name(cx, &message.conversation)) {
        (Some(occupant), Some(room)) => format!("{} ({room})", occupant.nick),
        _ => roster::name(cx, &message.sender),
    };
    notify_as(cx, message, title)
}

/// The same, under a title.
pub(crate) fn notify_as(cx: &mut Cx<'_>, message: &Message, title: String) -> Step {
    if elsewhere::holds(cx, message, &title) {
        return Ok(());
    }
    notify_now(cx, message, title)
}

/// The same, whatever happens on other devices.
pub(crate) fn notify_now(cx: &mut Cx<'_>, message: &Message, title: String) -> Step {
    let Some(notification) = notification(cx, message, title) else { return Ok(()) };
    let mut conversation = super::conversation(cx, &message.conversation);
    let stranger = matches!(notification.occasion, Occasion::Stranger);
    if conversation.announced != stranger {
        conversation.announced = stranger;
        super::save_conversation(cx, conversation)?;
    }
    cx.notify(notification);
    Ok(())
}

/// What the user would be told about a message now; `None` where they do not want to be told, have
/// seen it, or were told of this stranger.
pub(crate) fn notification(cx: &Cx<'_>, message: &Message, title: String) -> Option<Notification> {
    let conversation = super::conversation(cx, &message.conversation);
    let muted = match conversation.mute {
        Mute::No => false,
        Mute::Until(moment) => cx.time() < moment,
        Mute::Forever => true,
    };
    let seen = conversation.read_up_to.is_some_and(|seen| seen >= message.position);
    let stranger = is_of_stranger(cx, &conversation);
    if muted || seen || (stranger && conversation.announced) {
        return None;
    }
    Some(Notification {
        conversation: message.conversation.clone(),
        occasion: match stranger {
            true => Occasion::Stranger,
            false => Occasion::Said { title, text: preview_text(&message.content) },
        },
        message: Some(message.id),
    })
}

/// Tells the user about the last message of each conversation that came while this device was away
/// and was not seen on another one.
pub(crate) fn notify_missed(cx: &mut Cx<'_>) -> Step {
    let missed = std::mem::take(&mut cx.state.features.timeline.missed);
    for id in missed.into_values() {
        if let Some(message) = cx.store.message(id)? {
            notify(cx, &message)?;
        }
    }
    Ok(())
}

/// A message came while what was missed is fetched.
pub(crate) fn missed(cx: &mut Cx<'_>, conversation: &BareJid, id: MessageId) {
    cx.state.features.timeline.missed.insert(conversation.clone(), id);
}

/// Longest preview.
const MAX_PREVIEW_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_the_first_line_that_says_something() {
        let text = Content::Text("\n  \n  hello \nworld".into());
        assert_eq!(preview_text(&text), "hello");
    }
}
