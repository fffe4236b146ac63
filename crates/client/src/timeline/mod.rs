//! Conversations and their messages: what is shown, in which order, and what was seen of it.
//!
//! The archive of the account decides the order. What arrives live, or is written here, stands at
//! the end until the archive tells its place (see [`crate::features::archive`]); then it moves
//! there. So all devices end with the same timeline.

pub(crate) mod changes;
mod deleted;
mod happened;
mod seen;
mod show;
mod ticks;
mod windows;

use std::collections::{BTreeMap, BTreeSet};

use xmpp::jid::BareJid;
use xmpp::time::Millis;

use crate::cx::{Cx, Step};
use crate::effect::Effect;
use crate::features::{rooms, star};
use crate::incoming::Incoming;
use crate::outbox;
use crate::store::{
    Content, Conversation, Delivery, EncryptionMode, Message, MessageId, Mute, Notify, Position,
    Reference, Store, Way,
};
use crate::timers::TimerId;
use crate::view::{Change, Outcome, Problem, Readers};

pub(crate) use deleted::{is_about_deleted, is_cleared, on_start};
pub(crate) use happened::{note, note_again};
pub(crate) use seen::{is_known, recognise, recognise_repeated};
pub(crate) use show::{
    missed, notification, notify, notify_as, notify_missed, notify_now, preview_text, quotable,
};
pub(crate) use ticks::{
    end_moves, end_moves_of, forget_moves, raise, reach, spread, spread_to_older,
};
pub(crate) use windows::{command, is_open, show_older};

/// What is remembered of all conversations.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) conversations: BTreeMap<BareJid, Conversation>,
    /// Where the next message at the end stands, and the last one that was put at the beginning.
    positions: Positions,
    /// What is shown in open windows.
    windows: BTreeMap<BareJid, windows::Window>,
    /// Requests that end when a message is sent.
    requests: BTreeMap<MessageId, u64>,
    /// The next part of a deleted history is about to be removed.
    removing: Option<TimerId>,
    /// Who can read what is written; told by the encryption.
    readers: BTreeMap<BareJid, Readers>,
    /// What has to be drawn anew at the end of the step.
    dirty_conversations: BTreeSet<BareJid>,
    dirty_messages: BTreeMap<BareJid, BTreeSet<MessageId>>,
    /// Conversations with messages that came while what was missed was fetched.
    missed: BTreeMap<BareJid, MessageId>,
    /// Conversations whose messages move while the archive is read.
    moves: BTreeMap<BareJid, Moves>,
    /// Corrections and reactions that may get another place.
    changes: changes::State,
    /// What of the ticks depends on the places.
    ticks: ticks::State,
}

/// What was seen of a conversation whose messages are getting other places.
#[derive(Clone, Copy)]
struct Moves {
    /// What stood up to here before it moved was seen.
    seen: Position,
    /// The first new place of a message that was not.
    unseen: Option<Position>,
}

/// Both ends of the range of positions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Positions {
    next: u64,
    first: u64,
}

impl Default for Positions {
    fn default() -> Self {
        Self { next: MIDDLE, first: MIDDLE }
    }
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let conversations = store.conversations()?.into_iter();
        let conversations =
            conversations.map(|conversation| (conversation.address.clone(), conversation));
        let mut positions = Positions::default();
        if let Some(bytes) = store.value(POSITIONS)?
            && let Some((next, rest)) = bytes.split_first_chunk()
            && let Some((first, _)) = rest.split_first_chunk()
        {
            positions.next = u64::from_be_bytes(*next);
            positions.first = u64::from_be_bytes(*first);
        }
        Ok(Self {
            conversations: conversations.collect(),
            positions,
            changes: changes::State::load(store)?,
            ticks: ticks::State::load(store)?,
            ..Self::default()
        })
    }
}

/// Takes so many positions at the end, and gives the first of them.
pub(crate) fn reserve(cx: &mut Cx<'_>, count: u64) -> Step<Position> {
    let positions = &mut cx.state.features.timeline.positions;
    let position = Position(positions.next);
    positions.next = positions.next.saturating_add(count);
    save_positions(cx)?;
    Ok(position)
}

/// Takes so many positions before all others, and gives the first of them.
pub(crate) fn reserve_before(cx: &mut Cx<'_>, count: u64) -> Step<Position> {
    let positions = &mut cx.state.features.timeline.positions;
    positions.first = positions.first.saturating_sub(count);
    let position = Position(positions.first);
    save_positions(cx)?;
    Ok(position)
}

fn save_positions(cx: &Cx<'_>) -> Step {
    let positions = cx.state.features.timeline.positions;
    let bytes = [positions.next.to_be_bytes(), positions.first.to_be_bytes()].concat();
    cx.store.save_value(POSITIONS, Some(&bytes))
}

/// The conversation with somebody, as it is or as it begins.
pub(crate) fn conversation(cx: &Cx<'_>, address: &BareJid) -> Conversation {
    let known = cx.state.features.timeline.conversations.get(address);
    known.cloned().unwrap_or_else(|| Conversation {
        address: address.clone(),
        draft: String::new(),
        read_up_to: None,
        unread: 0,
        latest: None,
        order: Position::default(),
        mute: Mute::No,
        pinned: false,
        shown: true,
        encryption: EncryptionMode::Omemo,
        accepted: false,
        announced: false,
        // Whoever looks at a room before it was entered looks at no person.
        room: crate::features::rooms::is_room(cx, address),
        mentions: 0,
        notify: Notify::Usual,
        wallpaper: None,
        cleared: None,
        deleted: false,
    })
}

/// Keeps a conversation, and shows it.
pub(crate) fn save_conversation(cx: &mut Cx<'_>, conversation: Conversation) -> Step {
    cx.store.save_conversation(&conversation)?;
    touch(cx, &conversation.address);
    let timeline = &mut cx.state.features.timeline;
    timeline.conversations.insert(conversation.address.clone(), conversation);
    Ok(())
}

/// What is shown of a conversation may be different.
pub(crate) fn touch(cx: &mut Cx<'_>, address: &BareJid) {
    cx.state.features.timeline.dirty_conversations.insert(address.clone());
}

/// Something that shows in every conversation is different.
pub(crate) fn touch_all(cx: &mut Cx<'_>) {
    let timeline = &mut cx.state.features.timeline;
    timeline.dirty_conversations.extend(timeline.conversations.keys().cloned());
}

/// Whether what is written here must be encrypted.
pub(crate) fn is_encrypted(cx: &Cx<'_>, address: &BareJid) -> bool {
    conversation(cx, address).encryption == EncryptionMode::Omemo
}

/// How a message leaves that is written here now: as was chosen for it, or as the conversation says.
pub(crate) fn way(cx: &Cx<'_>, address: &BareJid, chosen: Option<EncryptionMode>) -> Way {
    Way::new(chosen, conversation(cx, address).encryption)
}

/// An own message is written or tried once more: what its conversation says now counts for it, unless
/// something was chosen for the message itself.
pub(crate) fn write_anew(cx: &Cx<'_>, message: &mut Message) {
    message.way = message.way.again(conversation(cx, &message.conversation).encryption);
}

/// Whether an own message must be encrypted to leave.
pub(crate) fn leaves_encrypted(cx: &Cx<'_>, message: &Message) -> bool {
    message.way.is_encrypted(conversation(cx, &message.conversation).encryption)
}

/// Whether what is said of a message must be encrypted: if its conversation is, and as well if the
/// message was or had to be, whatever its conversation became since then.
pub(crate) fn is_protected(cx: &Cx<'_>, message: &Message) -> bool {
    is_encrypted(cx, &message.conversation)
        || leaves_encrypted(cx, message)
        || message.encryption != crate::store::Encryption::None
}

/// Who could read what is written now, as the encryption sees it.
pub(crate) fn set_readers(cx: &mut Cx<'_>, address: &BareJid, readers: Readers) {
    let timeline = &mut cx.state.features.timeline;
    if timeline.readers.insert(address.clone(), readers) != Some(readers) {
        touch(cx, address);
    }
}

/// A message with everything but what it says left at its beginning.
pub(crate) fn blank(conversation: &BareJid, sender: &BareJid, time: Millis) -> Message {
    Message {
        id: MessageId(0),
        conversation: conversation.clone(),
        position: Position::default(),
        sender: sender.clone(),
        occupant: None,
        own: false,
        time,
        content: Content::Text(String::new()),
        origin_id: None,
        archive_id: None,
        encryption: crate::store::Encryption::None,
        delivery: None,
        reached: Vec::new(),
        reply: None,
        reactions: Vec::new(),
        starred: false,
        versions: Vec::new(),
        edits: Vec::new(),
        wants: None,
        stayed: false,
        elsewhere: false,
        way: Way::default(),
    }
}

/// Adds a message at its position, or at the end if it has none. It counts as unread if `unread`
/// says so and nothing after it was seen.
pub(crate) fn insert(cx: &mut Cx<'_>, mut message: Message, unread: bool) -> Step<MessageId> {
    let placed = message.position != Position::default();
    if !placed {
        message.position = reserve(cx, 1)?;
    }
    message.id = cx.store.append(&message)?;
    let mut conversation = conversation(cx, &message.conversation);
    if message.own {
        conversation.accepted = true;
    }
    let counts = unread && conversation.read_up_to.is_none_or(|seen| message.position > seen);
    if counts && placed {
        moves(cx, &message.conversation).not_seen(message.position);
    }
    if message.own && placed {
        ticks::note(cx, &message.conversation, message.position)?;
    }
    if counts {
        conversation.unread = conversation.unread.saturating_add(1);
    }
    if message.position > conversation.order {
        conversation.order = message.position;
        conversation.latest = Some(message.id);
        (conversation.shown, conversation.deleted) = (true, false);
    }
    save_conversation(cx, conversation)?;
    touch_message(cx, &message);
    Ok(message.id)
}

/// An unread message of a room is meant for this account in particular.
pub(crate) fn mention(cx: &mut Cx<'_>, message: &Message) -> Step {
    let mut conversation = conversation(cx, &message.conversation);
    if conversation.read_up_to.is_some_and(|seen| seen >= message.position) {
        return Ok(());
    }
    conversation.mentions = conversation.mentions.saturating_add(1);
    save_conversation(cx, conversation)
}

/// Keeps a changed message, and shows it.
pub(crate) fn save(cx: &mut Cx<'_>, message: &Message) -> Step {
    cx.store.save_message(message)?;
    touch_message(cx, message);
    Ok(())
}

/// The retraction of a message did not get out: it says again what it said before.
pub(crate) fn revert(cx: &mut Cx<'_>, before: &Message) -> Step {
    let Some(mut message) = cx.store.message(before.id)? else { return Ok(()) };
    message.content.clone_from(&before.content);
    message.versions.clone_from(&before.versions);
    message.edits.clone_from(&before.edits);
    message.reactions.clone_from(&before.reactions);
    message.reply.clone_from(&before.reply);
    save(cx, &message)
}

fn touch_message(cx: &mut Cx<'_>, message: &Message) {
    if message.starred {
        star::touch(cx);
    }
    let timeline = &mut cx.state.features.timeline;
    let dirty = timeline.dirty_messages.entry(message.conversation.clone()).or_default();
    dirty.insert(message.id);
    let latest = timeline.conversations.get(&message.conversation).and_then(|one| one.latest);
    if latest == Some(message.id) {
        touch(cx, &message.conversation);
    }
}

impl Moves {
    fn not_seen(&mut self, position: Position) {
        self.unseen = Some(self.unseen.map_or(position, |first| first.min(position)));
    }
}

/// What had been seen when messages of the conversation began to move.
fn moves<'a>(cx: &'a mut Cx<'_>, address: &BareJid) -> &'a mut Moves {
    let seen = conversation(cx, address).read_up_to.unwrap_or_default();
    let moves = &mut cx.state.features.timeline.moves;
    moves.entry(address.clone()).or_insert(Moves { seen, unseen: None })
}

/// A request of the user ends when this message is sent. The message is kept with this step.
pub(crate) fn expect(cx: &mut Cx<'_>, id: MessageId, number: u64) {
    cx.effects.push(Effect::Kept(number, id));
    if let Some(earlier) = cx.state.features.timeline.requests.insert(id, number) {
        cx.failed(earlier, Problem::Cancelled);
    }
}

/// Removes a message that was given up.
pub(crate) fn remove(cx: &mut Cx<'_>, message: &Message) -> Step {
    if let Some(number) = cx.state.features.timeline.requests.remove(&message.id) {
        cx.failed(number, Problem::Cancelled);
    }
    cx.store.remove_message(message.id)?;
    let mut conversation = conversation(cx, &message.conversation);
    if conversation.latest == Some(message.id) {
        let newest = cx.store.before(&message.conversation, None, 1)?;
        conversation.latest = newest.first().map(|newest| newest.id);
        conversation.order = newest.first().map(|newest| newest.position).unwrap_or_default();
        save_conversation(cx, conversation)?;
    }
    Ok(())
}

/// The server has a message on disk.
pub(crate) fn on_sent(cx: &mut Cx<'_>, id: MessageId) -> Step {
    if let Some(number) = cx.state.features.timeline.requests.remove(&id) {
        cx.done(number, Outcome::Sent(id));
    }
    // Where it stands in a room the room tells by itself.
    let room = |message: &Message| conversation(cx, &message.conversation).room;
    if !cx.store.message(id)?.as_ref().is_some_and(room) {
        crate::features::archive::on_sent(cx)?;
    }
    raise(cx, id, Delivery::Sent)
}

/// A message cannot be sent. It may have `left` before that was known.
pub(crate) fn on_failed(
    cx: &mut Cx<'_>,
    id: MessageId,
    problem: Problem,
    reason: &str,
    left: bool,
) -> Step {
    if let Some(number) = cx.state.features.timeline.requests.remove(&id) {
        cx.failed(number, problem);
    }
    fail(cx, id, reason, left)
}

/// The file of a message could not be uploaded.
pub(crate) fn on_not_transferred(cx: &mut Cx<'_>, id: MessageId, reason: &str) -> Step {
    if let Some(number) = cx.state.features.timeline.requests.remove(&id) {
        cx.failed(number, Problem::Transfer(reason.to_owned()));
    }
    fail(cx, id, reason, false)
}

fn fail(cx: &mut Cx<'_>, id: MessageId, reason: &str, left: bool) -> Step {
    let Some(mut message) = cx.store.message(id)? else { return Ok(()) };
    message.stayed = !left;
    message.delivery = Some(Delivery::Failed(reason.to_owned()));
    save(cx, &message)
}

/// A message came back with an error, from whom it was sent to: in a room that is the room, and
/// nobody in it.
pub(crate) fn on_bounced(cx: &mut Cx<'_>, incoming: &Incoming) -> Step {
    let occupant = incoming.resource.is_some() && rooms::is_room(cx, &incoming.with);
    let believed = incoming.source.is_live() && !incoming.own && !occupant;
    let Some(id) = incoming.id.as_ref().filter(|_| believed) else {
        return Ok(());
    };
    let reference = Reference::Origin(cx.me.clone(), id.clone());
    let Some(message) = cx.store.find(&incoming.with, &reference)? else { return Ok(()) };
    if message.delivery.as_ref().is_some_and(|delivery| *delivery >= Delivery::Delivered) {
        return Ok(());
    }
    let error = incoming.child("error", xmpp::ns::CLIENT);
    let error = error.map(xmpp::error::StanzaError::parse);
    let reason = error.map_or_else(String::new, |error| crate::iq::describe(&error));
    outbox::discard(cx, message.id)?;
    if let Some(number) = cx.state.features.timeline.requests.remove(&message.id) {
        cx.failed(number, Problem::Refused(reason.clone()));
    }
    fail(cx, message.id, &reason, true)
}

/// Everything up to a message was seen, here or on another device.
pub(crate) fn mark_read(cx: &mut Cx<'_>, address: &BareJid, position: Position) -> Step<bool> {
    if let Some(moves) = cx.state.features.timeline.moves.get_mut(address) {
        moves.seen = moves.seen.max(position);
        moves.unseen = moves.unseen.filter(|unseen| *unseen > position);
    }
    let mut conversation = conversation(cx, address);
    if conversation.read_up_to.is_some_and(|seen| seen >= position) {
        return Ok(false);
    }
    conversation.read_up_to = Some(position);
    conversation.unread = count_unread(cx, address, position)?;
    conversation.mentions = conversation.mentions.min(conversation.unread);
    save_conversation(cx, conversation)?;
    Ok(true)
}

/// Messages of others after a position.
fn count_unread(cx: &Cx<'_>, address: &BareJid, position: Position) -> Step<u32> {
    let after = cx.store.after(address, position, MAX_UNREAD)?;
    let unread = after.iter().filter(|one| !one.own && !matches!(one.content, Content::Event(_)));
    Ok(u32::try_from(unread.count()).unwrap_or(u32::MAX))
}

/// Tells the user interface what is different after the step.
pub(crate) fn finish_step(cx: &mut Cx<'_>) -> Step {
    changes::finish_step(cx)?;
    let dirty = std::mem::take(&mut cx.state.features.timeline.dirty_messages);
    for (conversation, ids) in dirty {
        windows::show_messages(cx, conversation, ids)?;
    }
    let dirty = std::mem::take(&mut cx.state.features.timeline.dirty_conversations);
    for address in dirty {
        if let Some(view) = show::conversation(cx, &address)? {
            cx.view(Change::Conversation(Box::new(view)));
        }
    }
    Ok(())
}

/// The list of conversations, for a user interface that knows nothing yet.
pub(crate) fn overview(cx: &mut Cx<'_>) -> Step<Vec<Change>> {
    let addresses: Vec<_> = cx.state.features.timeline.conversations.keys().cloned().collect();
    let mut changes = Vec::with_capacity(addresses.len());
    for address in addresses {
        let view = show::conversation(cx, &address)?;
        changes.extend(view.map(|view| Change::Conversation(Box::new(view))));
    }
    Ok(changes)
}

const POSITIONS: &str = "positions";
/// Where positions begin: there is room for as many before as after.
const MIDDLE: u64 = 1 << 62;
/// More unread messages than this are not counted.
const MAX_UNREAD: usize = 1000;
