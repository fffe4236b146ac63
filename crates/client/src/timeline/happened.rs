//! What stands between the messages of a conversation and was written by nobody.

use super::{reserve, save, touch_message, windows};
use crate::cx::{Cx, Step};
use crate::store::{Message, MessageId};

/// Adds something that happened, at the end. It is no news: the conversation stays where it is in the
/// list, and keeps its preview.
pub(crate) fn note(cx: &mut Cx<'_>, mut message: Message) -> Step<MessageId> {
    message.position = reserve(cx, 1)?;
    message.id = cx.store.append(&message)?;
    touch_message(cx, &message);
    Ok(message.id)
}

/// Puts something that happened at the end once more.
pub(crate) fn note_again(cx: &mut Cx<'_>, id: MessageId) -> Step {
    let Some(mut message) = cx.store.message(id)? else { return Ok(()) };
    let before = std::mem::replace(&mut message.position, reserve(cx, 1)?);
    windows::on_moved(cx, &message, before);
    save(cx, &message)
}
