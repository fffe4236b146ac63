//! Messages that must reach the server.
//!
//! The outbox on disk is the truth: a row stays until the server has acknowledged it (XEP-0198) or
//! shows it in the archive. The finished bytes are stored in the step that makes them, so the same
//! message is sent again after a loss, with the same ids, and never encrypted twice.
//!
//! [`finished`] is the only place that turns a payload into bytes for the network. What must be
//! protected and is not does not get past it: in an encrypted conversation that is everything but a
//! message for which plain text was chosen explicitly.

mod keys;

use std::collections::{BTreeMap, BTreeSet};

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::{Element, Limits};

use crate::account;
use crate::cx::{Cx, Step};
use crate::features::{self, Protected, rooms};
use crate::link;
use crate::store::{Message, MessageId, Queued, QueuedId, Store, Way};
use crate::timeline;
use crate::view::Problem;

pub(crate) use keys::waits_for_keys;

/// A message to be queued.
#[derive(Clone)]
pub(crate) struct Outgoing {
    /// To whom.
    pub(crate) to: BareJid,
    /// The message of the timeline it carries, if it does.
    pub(crate) message: Option<MessageId>,
    /// The id of the stanza; others refer to it.
    pub(crate) id: String,
    /// What it says: the children of the message. Hints (XEP-0334) travel outside of the
    /// encryption.
    pub(crate) payload: Vec<Element>,
    /// It must not leave without protection.
    pub(crate) encrypted: bool,
}

impl Outgoing {
    /// What changes a message or says something of it, and stands for nothing in the timeline.
    /// It is protected if [`timeline::is_protected`] says so of that message.
    pub(crate) fn about(cx: &mut Cx<'_>, message: &Message, payload: Vec<Element>) -> Self {
        let encrypted = timeline::is_protected(cx, message);
        let to = message.conversation.clone();
        Self { to, message: None, id: cx.rng.id(), payload, encrypted }
    }
}

/// Called once: the server has it, or it was given up for this reason. Forgotten with the program.
pub(crate) type Then = Box<dyn FnOnce(&mut Cx<'_>, Result<(), String>) -> Step + Send>;

/// The rows as they are on disk, and what this session did with them.
#[derive(Default)]
pub(crate) struct State {
    rows: BTreeMap<QueuedId, Row>,
    /// Bytes of all their payloads.
    bytes: usize,
    /// Something may be sendable that was not before.
    dirty: bool,
    /// There was no room for all that is sendable.
    blocked: bool,
    /// Where nobody has keys yet.
    keyless: keys::Keyless,
}

struct Row {
    queued: Queued,
    /// Written in this session.
    sent: bool,
    /// It has a place in the timeline, or changes something there in an order that counts: the
    /// archive has to tell which.
    placed: bool,
    /// Who wants to know what became of it.
    then: Option<Then>,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let queued = store.queued()?;
        let bytes = queued.iter().map(|queued| queued.payload.len()).sum();
        let rows = queued.into_iter().map(|queued| {
            let payload = if queued.message.is_none() { children(&queued.payload) } else { None };
            let placed = is_placed(&queued, &payload.unwrap_or_default());
            (queued.id, Row { queued, sent: false, placed, then: None })
        });
        Ok(Self { rows: rows.collect(), bytes, dirty: true, ..Self::default() })
    }

    /// How many wait to be acknowledged or sent.
    pub(crate) fn waiting(&self) -> usize {
        self.rows.values().filter(|row| row.queued.message.is_some()).count()
    }

    pub(crate) fn wake(&mut self) {
        self.dirty = true;
    }

    /// Whether another row has room.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= MOST || self.bytes >= MOST_BYTES
    }

    /// Whether something with a place was written of which the server has not said that it has it.
    pub(crate) fn in_flight(&self) -> bool {
        self.rows.values().any(|row| row.sent && row.placed)
    }

    pub(crate) fn session_ended(&mut self) {
        self.dirty = true;
        for row in self.rows.values_mut() {
            row.sent = false;
        }
    }

    /// The messages to somebody that have a row.
    pub(crate) fn messages_to(&self, conversation: &BareJid) -> BTreeSet<MessageId> {
        let rows = self.rows.values().filter(|row| row.queued.conversation == *conversation);
        rows.filter_map(|row| row.queued.message).collect()
    }

    /// The row of a message.
    fn of_message(&self, message: MessageId) -> Option<QueuedId> {
        let mut rows = self.rows.values();
        rows.find(|row| row.queued.message == Some(message)).map(|row| row.queued.id)
    }

    /// The row whose stanza has this id.
    pub(crate) fn of_stanza(&self, id: &str) -> Option<QueuedId> {
        self.rows.values().find(|row| row.queued.stanza_id == id).map(|row| row.queued.id)
    }
}

/// Whether it matters where the archive has a message.
fn is_placed(queued: &Queued, payload: &[Element]) -> bool {
    let orders =
        |child: &Element| child.is("replace", ns::CORRECT) || child.is("reactions", ns::REACTIONS);
    queued.message.is_some() || payload.iter().any(orders)
}

/// Keeps a message to be sent; one of the timeline that waits already, in its place. When the queue is
/// full, only messages that stand for nothing in the timeline are dropped: commands are refused before
/// by [`State::is_full`].
pub(crate) fn enqueue(cx: &mut Cx<'_>, outgoing: Outgoing, then: Option<Then>) -> Step {
    if outgoing.message.is_none() && cx.state.outbox.is_full() {
        return match then {
            Some(then) => then(cx, Err("too many messages wait".to_owned())),
            None => Ok(()),
        };
    }
    let mut payload = Vec::new();
    for child in &outgoing.payload {
        child.write(&mut payload, ns::CLIENT);
    }
    let mut queued = Queued {
        id: QueuedId(0),
        conversation: outgoing.to,
        message: outgoing.message,
        payload,
        stanza_id: outgoing.id,
        bytes: None,
        encrypted: outgoing.encrypted,
    };
    let earlier = queued.message.and_then(|message| cx.state.outbox.of_message(message));
    match earlier {
        Some(earlier) => {
            queued.id = earlier;
            cx.store.save_queued(&queued)?;
            let row = cx.state.outbox.rows.remove(&earlier);
            cx.state.outbox.bytes -= row.map_or(0, |row| row.queued.payload.len());
        }
        None => queued.id = cx.store.enqueue(&queued)?,
    }
    let (shown, to) = (queued.message.is_some(), queued.conversation.clone());
    let placed = is_placed(&queued, &outgoing.payload);
    cx.state.outbox.bytes += queued.payload.len();
    cx.state.outbox.rows.insert(queued.id, Row { queued, sent: false, placed, then });
    cx.state.outbox.dirty = true;
    if earlier.is_some() {
        keys::settle(cx, &to);
    }
    if shown { account::show(cx) } else { Ok(()) }
}

/// Sends what can be sent, in order. A row that has to wait holds back those after it in the same
/// conversation; a message that waits for keys only those that need keys as well.
pub(crate) fn flush(cx: &mut Cx<'_>) -> Step {
    if !cx.online() || !std::mem::take(&mut cx.state.outbox.dirty) {
        return Ok(());
    }
    let mut held: BTreeSet<BareJid> = BTreeSet::new();
    let mut keyless: BTreeSet<BareJid> = BTreeSet::new();
    let mut written = Vec::new();
    let ids: Vec<QueuedId> = cx.state.outbox.rows.keys().copied().collect();
    for id in ids {
        let Some(row) = cx.state.outbox.rows.get(&id).filter(|row| !row.sent) else { continue };
        let conversation = row.queued.conversation.clone();
        if held.contains(&conversation)
            || (keyless.contains(&conversation) && keys::needs(&row.queued))
        {
            continue;
        }
        if !link::has_room(cx) {
            cx.state.outbox.blocked = true;
            break;
        }
        match finished(cx, id)? {
            Some(bytes) => {
                if !link::send_stanza(cx, bytes, Some(id)) {
                    cx.state.outbox.blocked = true;
                    break;
                }
                written.push(id);
                if let Some(row) = cx.state.outbox.rows.get_mut(&id) {
                    row.sent = true;
                }
            }
            // Not this one any more, if it is gone: then nothing is held back.
            None if cx.state.outbox.rows.contains_key(&id) => {
                match waits_for_keys(cx, &conversation) {
                    true => keyless.insert(conversation),
                    false => held.insert(conversation),
                };
            }
            None => {}
        }
    }
    keys::look_again_later(cx);
    if written.is_empty() { Ok(()) } else { confirm(cx, written) }
}

/// The server has acknowledged something: there may be room for what did not fit.
pub(crate) fn on_room(cx: &mut Cx<'_>) {
    if std::mem::take(&mut cx.state.outbox.blocked) {
        cx.state.outbox.dirty = true;
    }
}

/// Sees to it that the server says that it has what was written.
fn confirm(cx: &mut Cx<'_>, rows: Vec<QueuedId>) -> Step {
    if link::is_managed(&cx.state.link) {
        link::ask(cx);
        return Ok(());
    }
    // Stanzas are handled in order (RFC 6120 §10.1): who answers this has seen the messages.
    cx.iq_get(None, Element::new("ping", ns::PING), move |cx, answer| {
        if answer == crate::iq::Answer::Lost {
            confirm_later(cx, rows);
            return Ok(());
        }
        for row in rows {
            on_acknowledged(cx, row)?;
        }
        Ok(())
    })
}

/// There was no answer, or no room for the question: asks again, unless the session is over.
fn confirm_later(cx: &mut Cx<'_>, mut rows: Vec<QueuedId>) {
    rows.retain(|id| cx.state.outbox.rows.get(id).is_some_and(|row| row.sent));
    if rows.is_empty() || cx.state.link.session.is_none() {
        return;
    }
    cx.later(CONFIRM_AGAIN, |cx| {
        rows.retain(|id| cx.state.outbox.rows.get(id).is_some_and(|row| row.sent));
        if rows.is_empty() { Ok(()) } else { confirm(cx, rows) }
    });
}

/// Whether a row waits until we are in its room, or, when it may have arrived already, until the
/// archive that tells so is read to its end.
fn has_to_wait(cx: &Cx<'_>, queued: &Queued, room: bool) -> bool {
    let known = match room {
        true => rooms::is_caught_up(cx, &queued.conversation),
        false => cx.state.link.caught_up,
    };
    !rooms::is_ready(cx, &queued.conversation) || (queued.bytes.is_some() && !known)
}

/// The bytes of a row, made now or in an earlier session; `None` if it has to wait or is gone.
fn finished(cx: &mut Cx<'_>, id: QueuedId) -> Step<Option<bytes::Bytes>> {
    let Some(row) = cx.state.outbox.rows.get(&id) else { return Ok(None) };
    let mut queued = row.queued.clone();
    let room = rooms::is_room(cx, &queued.conversation);
    if let Some(reason) = rooms::refusal(cx, &queued.conversation) {
        give_up_for(cx, id, Problem::Refused(reason.clone()), &reason)?;
        return Ok(None);
    }
    if has_to_wait(cx, &queued, room) {
        return Ok(None);
    }
    if !queued.encrypted
        && timeline::is_encrypted(cx, &queued.conversation)
        && !is_plain_by_choice(cx, &queued)?
    {
        give_up(cx, id, "it is not encrypted, and this conversation is now")?;
        return Ok(None);
    }
    if let Some(bytes) = queued.bytes {
        return fitting(cx, id, bytes.into());
    }
    let Some(payload) = children(&queued.payload) else {
        give_up(cx, id, "what was kept of it cannot be read")?;
        return Ok(None);
    };
    let (outside, inside): (Vec<_>, Vec<_>) =
        payload.into_iter().partition(|child| child.ns() == ns::HINTS);
    let Some(content) = content(cx, &queued, inside)? else { return Ok(None) };
    let origin = Element::new("origin-id", ns::STANZA_ID).with_attr("id", &queued.stanza_id);
    let has = |child: &Element| content.iter().any(|one| one.is(child.name(), child.ns()));
    let outside: Vec<_> = outside.into_iter().filter(|child| !has(child)).collect();
    let stanza = Element::new("message", ns::CLIENT)
        .with_attr("type", if room { "groupchat" } else { "chat" })
        .with_attr("to", queued.conversation.to_string())
        .with_attr("id", &queued.stanza_id)
        .with_children(content)
        .with_children(outside)
        .with_child(origin);
    let Some(bytes) = fitting(cx, id, stanza.to_bytes(ns::CLIENT))? else { return Ok(None) };
    queued.bytes = Some(bytes.to_vec());
    cx.store.save_queued(&queued)?;
    if let Some(row) = cx.state.outbox.rows.get_mut(&id) {
        row.queued = queued;
    }
    Ok(Some(bytes))
}

/// What a row says, protected if it must be; `None` if it has to wait or is gone.
fn content(cx: &mut Cx<'_>, queued: &Queued, inside: Vec<Element>) -> Step<Option<Vec<Element>>> {
    if !queued.encrypted {
        return Ok(Some(inside));
    }
    let reason = match protect(cx, queued, &inside)? {
        Protected::Ready(content) if is_protected(&content) => {
            if keys::needs(queued) {
                keys::found(cx, &queued.conversation);
            }
            return Ok(Some(content));
        }
        Protected::Ready(_) => "the encryption did not cover all of it".to_owned(),
        Protected::Wait => return Ok(None),
        Protected::NoKeys(_) if keys::may_wait(cx, queued)? => {
            keys::missing(cx, &queued.conversation);
            return Ok(None);
        }
        Protected::NoKeys(reason) | Protected::Impossible(reason) => reason,
        Protected::Drop if queued.message.is_some() => "nobody could read it".to_owned(),
        Protected::Drop => {
            if let Some(then) = remove(cx, queued.id)? {
                then(cx, Err("nobody could read it".to_owned()))?;
            }
            return Ok(None);
        }
    };
    give_up(cx, queued.id, &reason)?;
    Ok(None)
}

/// The bytes of a row, unless they are more than the server takes. It would close the stream, each
/// time that they are sent, and nothing behind them would ever leave.
fn fitting(cx: &mut Cx<'_>, id: QueuedId, bytes: bytes::Bytes) -> Step<Option<bytes::Bytes>> {
    let most = link::largest(cx);
    if bytes.len() <= most {
        return Ok(Some(bytes));
    }
    let (large, most) = (bytes.len().div_ceil(1024), most.div_ceil(1024));
    let reason =
        format!("it has {large} KiB, for all devices together, and the server takes {most}");
    give_up_for(cx, id, Problem::Refused(reason.clone()), &reason)?;
    Ok(None)
}

/// Whether plain text was chosen for this very message.
fn is_plain_by_choice(cx: &Cx<'_>, queued: &Queued) -> Step<bool> {
    let Some(id) = queued.message else { return Ok(false) };
    Ok(cx.store.message(id)?.is_some_and(|message| message.way == Way::OnlyPlain))
}

/// Asks the features for protection.
fn protect(cx: &mut Cx<'_>, queued: &Queued, payload: &[Element]) -> Step<Protected> {
    for feature in features::ALL {
        if let Some(protect) = feature.protect {
            return protect(cx, queued, payload);
        }
    }
    Ok(Protected::Impossible("this program cannot encrypt".to_owned()))
}

/// Whether nothing that a person wrote is readable. What is listed here is what OMEMO leaves
/// outside: ids that refer to other messages, and signals without content.
fn is_protected(content: &[Element]) -> bool {
    content.iter().all(|child| match (child.name(), child.ns()) {
        ("encrypted", ns::OMEMO | ns::OMEMO_LEGACY) | ("encryption", ns::ENCRYPTION) => true,
        ("body", ns::CLIENT) => child.text() == UNREADABLE,
        (_, ns::HINTS | ns::CHAT_STATES) => child.nodes().is_empty(),
        ("request" | "received", ns::RECEIPTS)
        | ("markable" | "displayed", ns::CHAT_MARKERS)
        | ("replace", ns::CORRECT)
        | ("retract", ns::RETRACT)
        | ("reply", ns::REPLY)
        | ("origin-id", ns::STANZA_ID) => child.nodes().is_empty(),
        _ => false,
    })
}

/// The server has it.
pub(crate) fn on_acknowledged(cx: &mut Cx<'_>, id: QueuedId) -> Step {
    let Some(row) = cx.state.outbox.rows.get(&id) else { return Ok(()) };
    let (message, placed) = (row.queued.message, row.placed);
    let room = rooms::is_room(cx, &row.queued.conversation);
    let then = remove(cx, id)?;
    match message {
        Some(message) => timeline::on_sent(cx, message)?,
        None if placed && !room => features::archive::on_sent(cx)?,
        None => {}
    }
    match then {
        Some(then) => then(cx, Ok(())),
        None => Ok(()),
    }
}

/// It cannot be protected: the user decides what happens to it.
fn give_up(cx: &mut Cx<'_>, id: QueuedId, reason: &str) -> Step {
    give_up_for(cx, id, Problem::NotEncryptable(reason.to_owned()), reason)
}

/// It cannot be sent, for another reason.
fn give_up_for(cx: &mut Cx<'_>, id: QueuedId, problem: Problem, reason: &str) -> Step {
    let row = cx.state.outbox.rows.get(&id);
    let message = row.and_then(|row| Some((row.queued.message?, row.queued.bytes.is_some())));
    let then = remove(cx, id)?;
    if let Some((message, left)) = message {
        timeline::on_failed(cx, message, problem, reason, left)?;
    }
    match then {
        Some(then) => then(cx, Err(reason.to_owned())),
        None => Ok(()),
    }
}

/// A device must not read any more: what was encrypted for it, and was not written to the network in
/// this session, is given up. With `with` only in that conversation.
pub(crate) fn on_distrusted(cx: &mut Cx<'_>, with: Option<&BareJid>, device: u32) -> Step {
    let for_device = format!("rid='{device}'");
    let rooms = with.map(|with| rooms::shared_with(cx, with)).unwrap_or_default();
    let concerned = |row: &&Row| {
        let to = &row.queued.conversation;
        let here = with.is_none_or(|with| to == with || rooms.contains(to));
        let bytes = row.queued.bytes.as_deref().filter(|_| here && !row.sent);
        let mut windows = bytes.into_iter().flat_map(|bytes| bytes.windows(for_device.len()));
        windows.any(|window| window == for_device.as_bytes())
    };
    let rows = cx.state.outbox.rows.values().filter(concerned);
    let rows: Vec<QueuedId> = rows.map(|row| row.queued.id).collect();
    for id in rows {
        give_up(cx, id, "it was encrypted for a device that is not trusted any more")?;
    }
    Ok(())
}

/// Forgets the row of a message.
pub(crate) fn discard(cx: &mut Cx<'_>, message: MessageId) -> Step {
    match cx.state.outbox.of_message(message) {
        Some(id) => remove(cx, id).map(|_| ()),
        None => Ok(()),
    }
}

/// Whether a message was written to the network, so that somebody may have it.
pub(crate) fn may_have_left(cx: &Cx<'_>, message: MessageId) -> bool {
    let outbox = &cx.state.outbox;
    let row = outbox.of_message(message).and_then(|id| outbox.rows.get(&id));
    row.is_some_and(|row| row.queued.bytes.is_some())
}

fn remove(cx: &mut Cx<'_>, id: QueuedId) -> Step<Option<Then>> {
    cx.store.dequeue(id)?;
    cx.state.outbox.dirty = true;
    let Some(row) = cx.state.outbox.rows.remove(&id) else { return Ok(None) };
    cx.state.outbox.bytes -= row.queued.payload.len();
    if row.queued.message.is_some() {
        keys::settle(cx, &row.queued.conversation);
        account::show(cx)?;
    }
    Ok(row.then)
}

/// Reads children that were written one after the other.
fn children(xml: &[u8]) -> Option<Vec<Element>> {
    let wrapped = [&b"<x xmlns='jabber:client'>"[..], xml, b"</x>"].concat();
    let element = Element::parse(&wrapped, &Limits::TRUSTED).ok()?;
    Some(element.into_children().collect())
}

/// What clients without OMEMO show instead of the message.
pub(crate) const UNREADABLE: &str =
    "This message is encrypted with OMEMO, which this program cannot read.";

/// After a question without an answer, in milliseconds.
const CONFIRM_AGAIN: u64 = 10_000;
/// Rows that may wait at once.
const MOST: usize = 10_000;
/// Bytes of their payloads.
const MOST_BYTES: usize = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        let read = children(b"<body>hello</body><store xmlns='urn:xmpp:hints'/>").unwrap();
        assert_eq!(read.len(), 2);
        assert!(children(b"<body>hel").is_none());
    }
}
