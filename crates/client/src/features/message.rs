//! RFC 6121 §5: messages, with XEP-0359 ids and XEP-0280 copies

use xmpp::jid::BareJid;
use xmpp::ns;
use xmpp::xml::Element;

use super::later::{self, What};
use super::{
    Feature, Flow, Spec, Stage, chat_states, correct, file, receipts, rooms, star, upload,
};
use crate::command::{Command, MAX_TEXT_BYTES};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::outbox::{self, Outgoing};
use crate::store::{Content, Delivery, Message, MessageId, Notify, Reply, Undecryptable, Way};
use crate::timeline;
use crate::view::{Change, Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "message",
    specs: &[
        Spec { number: "RFC 6121", version: "" },
        Spec { number: "XEP-0280", version: "1.0.1" },
        Spec { number: "XEP-0334", version: "1.0.0" },
        Spec { number: "XEP-0359", version: "0.7.0" },
        Spec { number: "XEP-0393", version: "1.1.1" },
        Spec { number: "XEP-0245", version: "1.1" },
    ],
    features: &[ns::STANZA_ID, ns::STYLING],
    caught_up: Some(timeline::notify_missed),
    message: &[(Stage::Show, on_message)],
    command: Some(command),
    ..Feature::NOTHING
};

/// Shows what has something to show.
fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let content = match (incoming.undecryptable, file::of(incoming), incoming.body()) {
        (Some(reason), ..) if !may_have_text(incoming, reason) => return Ok(Flow::Done),
        (Some(reason), ..) => Content::Undecryptable(reason),
        (None, Some(content), _) => content,
        (None, None, Some(text)) => Content::Text(limited(text)),
        (None, None, None) => return Ok(Flow::Next),
    };
    let id = show(cx, incoming, content)?;
    correct::keep_for_later(cx, incoming, id)?;
    Ok(Flow::Done)
}

/// Whether what cannot be read may be something that somebody wrote, by what is in plain sight.
/// Programs announce a text to those who cannot read it, or write another one beside it; receipts,
/// reactions and retractions that tell what they are have none. What was made for this device and
/// contradicts itself is told in any case.
fn may_have_text(incoming: &Incoming, reason: Undecryptable) -> bool {
    let announces =
        |child: &Element| child.is("encryption", ns::ENCRYPTION) || child.is("body", ns::CLIENT);
    let signals = |child: &Element| {
        child.is("received", ns::RECEIPTS)
            || child.is("displayed", ns::CHAT_MARKERS)
            || child.is("reactions", ns::REACTIONS)
            || child.is("retract", ns::RETRACT)
    };
    let outer = &incoming.outer;
    let wrong = matches!(
        reason,
        Undecryptable::UnknownEncryption | Undecryptable::Contradiction | Undecryptable::Malformed
    );
    wrong || outer.iter().any(announces) && !outer.iter().any(signals)
}

/// Adds what arrived to the timeline.
pub(crate) fn show(cx: &mut Cx<'_>, incoming: &Incoming, content: Content) -> Step<MessageId> {
    let mut message = timeline::blank(&incoming.with, &incoming.sender, incoming.time);
    message.own = incoming.own;
    message.elsewhere = incoming.own;
    message.occupant.clone_from(&incoming.occupant);
    message.position = incoming.position.unwrap_or_default();
    message.origin_id.clone_from(&incoming.origin_id);
    message.archive_id.clone_from(&incoming.archive_id);
    message.encryption = incoming.encryption;
    message.content = content;
    // What comes back from a room was delivered to everybody in it.
    let delivery = if incoming.room { Delivery::Delivered } else { Delivery::Sent };
    message.delivery = incoming.own.then_some(delivery);
    message.reply = super::reply::of(cx, incoming)?;
    if let Some(reply) = &message.reply
        && let Content::Text(text) = &message.content
    {
        message.content = Content::Text(super::reply::without_fallback(incoming, reply, text));
    }
    message.wants = receipts::wanted(incoming);
    let unknown = message.reply.as_ref().filter(|reply| reply.message.is_none());
    let answered = unknown.map(|reply| reply.id.clone());
    let id = add(cx, incoming, message)?;
    if let Some(answered) = answered {
        later::keep(cx, incoming, &answered, What::Answer(id))?;
    }
    Ok(id)
}

fn add(cx: &mut Cx<'_>, incoming: &Incoming, message: Message) -> Step<MessageId> {
    let unread = !message.own && incoming.source != Source::Older;
    let mentioned = unread && incoming.room && is_for_us(cx, &message)?;
    chat_states::on_said(cx, incoming);
    let id = timeline::insert(cx, message, unread)?;
    let Some(message) = cx.store.message(id)? else { return Ok(id) };
    // Who writes has read what was there.
    if message.own || incoming.source == Source::Older {
        timeline::mark_read(cx, &incoming.with, message.position)?;
    }
    if mentioned {
        timeline::mention(cx, &message)?;
    }
    let quiet = incoming.room && !mentioned && !notifies_of_all(cx, &incoming.with);
    if unread && !quiet {
        match incoming.source {
            Source::Live | Source::Carbon => timeline::notify(cx, &message)?,
            // Nothing else is fetched that could come after it.
            Source::CatchUp if cx.state.link.caught_up => timeline::notify(cx, &message)?,
            Source::CatchUp => timeline::missed(cx, &incoming.with, id),
            Source::Older => {}
        }
    }
    super::mds::on_message(cx, &message)?;
    star::on_shown(cx, id, &message)?;
    later::on_message(cx, id, &message)?;
    Ok(id)
}

/// Whether a room interrupts for every message: a public channel only those who are spoken to, unless
/// the user chose otherwise.
fn notifies_of_all(cx: &Cx<'_>, room: &BareJid) -> bool {
    match timeline::conversation(cx, room).notify {
        Notify::Usual => rooms::is_private(cx, room),
        Notify::All => true,
        Notify::Mentions => false,
    }
}

/// Whether a message of a room names us, or answers something that we wrote.
fn is_for_us(cx: &Cx<'_>, message: &Message) -> Step<bool> {
    let answered = match message.reply.as_ref().and_then(|reply| reply.message) {
        Some(id) => cx.store.message(id)?.is_some_and(|original| original.own),
        None => false,
    };
    Ok(answered
        || match &message.content {
            Content::Text(text) => rooms::mentions_us(cx, &message.conversation, text),
            _ => false,
        })
}

/// A text of others, cut where no own text could be longer.
pub(crate) fn limited(text: String) -> String {
    let mut end = text.len().min(MAX_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Send { to, text, reply_to, encryption } => {
            if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES {
                let problem = format!("a message has 1 to {MAX_TEXT_BYTES} bytes");
                cx.failed(number, Problem::Invalid(problem));
            } else if cx.state.outbox.is_full() {
                cx.failed(number, Problem::Invalid("too many messages wait".to_owned()));
            } else {
                let way = timeline::way(cx, &to, encryption);
                send(cx, number, &to, text, reply_to, way)?;
            }
        }
        Command::Retry(id) => retry(cx, number, id, None)?,
        Command::SendPlain(id) => retry(cx, number, id, Some(Way::OnlyPlain))?,
        Command::Discard(id) => discard(cx, number, id)?,
        command => return Ok(Some(command)),
    }
    Ok(None)
}

fn send(
    cx: &mut Cx<'_>,
    number: u64,
    to: &BareJid,
    text: String,
    reply_to: Option<MessageId>,
    way: Way,
) -> Step {
    let reply = match reply_to {
        Some(id) => super::reply::to(cx, id)?,
        None => None,
    };
    let id = write(cx, to, text, reply, way)?;
    timeline::expect(cx, id, number);
    submit(cx, id)
}

/// Sends a text that no request waits for.
pub(crate) fn compose(cx: &mut Cx<'_>, to: &BareJid, text: String, way: Way) -> Step {
    let id = write(cx, to, limited(text), None, way)?;
    submit(cx, id)
}

/// Puts an own text into the timeline.
fn write(
    cx: &mut Cx<'_>,
    to: &BareJid,
    text: String,
    reply: Option<Reply>,
    way: Way,
) -> Step<MessageId> {
    let me = cx.me.clone();
    let mut message = timeline::blank(to, &me, cx.moment());
    message.own = true;
    message.content = Content::Text(text);
    message.origin_id = Some(cx.rng.id());
    message.delivery = Some(Delivery::Queued);
    message.reply = reply;
    message.way = way;
    timeline::insert(cx, message, false)
}

/// Queues a message of the timeline as it stands there.
pub(crate) fn submit(cx: &mut Cx<'_>, id: MessageId) -> Step {
    let Some(message) = cx.store.message(id)? else { return Ok(()) };
    let encrypted = timeline::leaves_encrypted(cx, &message);
    let Some(payload) = payload(cx, &message, encrypted)? else {
        return timeline::on_not_transferred(cx, id, "there is nothing to send");
    };
    let position = message.position;
    timeline::mark_read(cx, &message.conversation, position)?;
    chat_states::on_sent(cx, &message.conversation);
    cx.queue(Outgoing {
        to: message.conversation.clone(),
        message: Some(id),
        id: message.origin_id.clone().unwrap_or_default(),
        payload,
        encrypted,
    })
}

/// What a message says on the wire.
fn payload(cx: &mut Cx<'_>, message: &Message, encrypted: bool) -> Step<Option<Vec<Element>>> {
    let mut payload = match &message.content {
        Content::Text(text) => super::reply::payload(cx, message, text, encrypted)?,
        Content::File(file, _) => match file::payload(file) {
            Some(mut payload) => {
                payload.extend(super::reply::element(cx, message)?);
                payload
            }
            None => return Ok(None),
        },
        Content::Retracted | Content::Undecryptable(_) | Content::Event(_) => return Ok(None),
    };
    // Of a room nobody tells what they received or read.
    if !rooms::is_room(cx, &message.conversation) {
        payload.push(Element::new("request", ns::RECEIPTS));
        payload.push(Element::new("markable", ns::CHAT_MARKERS));
    }
    if chat_states::goes_with_messages(cx, &message.conversation) {
        payload.push(Element::new("active", ns::CHAT_STATES));
    }
    if encrypted {
        payload.push(Element::new("store", ns::HINTS));
    }
    Ok(Some(payload))
}

/// An own message that failed or waits, or the reason why it is none.
fn unsent(cx: &Cx<'_>, id: MessageId) -> Step<Result<Message, Problem>> {
    let Some(message) = cx.store.message(id)? else {
        return Ok(Err(Problem::Unknown("message")));
    };
    let unsent = matches!(message.delivery, Some(Delivery::Queued | Delivery::Failed(_)));
    Ok(if unsent { Ok(message) } else { Err(Problem::Invalid("this message was sent".to_owned())) })
}

/// Sends an own message that waits or failed once more, in the way that is chosen for it now, if one is.
fn retry(cx: &mut Cx<'_>, number: u64, id: MessageId, chosen: Option<Way>) -> Step {
    match unsent(cx, id)? {
        Err(problem) => cx.failed(number, problem),
        Ok(message) if !matches!(message.content, Content::Text(_) | Content::File(..)) => {
            cx.failed(number, Problem::Invalid("there is nothing to send".to_owned()));
        }
        // It goes by itself as soon as it is known whether it arrived.
        Ok(_) if outbox::may_have_left(cx, id) => {
            timeline::expect(cx, id, number);
            cx.wake_outbox();
        }
        Ok(mut message) => {
            timeline::expect(cx, id, number);
            message.way = chosen.unwrap_or(message.way);
            renew(cx, &mut message);
            timeline::save(cx, &message)?;
            match &message.content {
                // How the file is protected may be different now.
                Content::File(..) => {
                    outbox::discard(cx, id)?;
                    upload::begin(cx, id)?;
                }
                _ => submit(cx, id)?,
            }
        }
    }
    Ok(())
}

/// An own message that waits or failed goes once more, perhaps with another text.
pub(crate) fn renew(cx: &mut Cx<'_>, message: &mut Message) {
    if matches!(message.delivery, Some(Delivery::Failed(_))) {
        // It may have left and come back: servers take the same id for a repetition.
        message.origin_id = Some(cx.rng.id());
    }
    message.delivery = Some(Delivery::Queued);
    message.stayed = false;
    timeline::write_anew(cx, message);
}

/// Gives up a message that was not sent.
pub(crate) fn discard(cx: &mut Cx<'_>, number: u64, id: MessageId) -> Step {
    match unsent(cx, id)? {
        Err(problem) => cx.failed(number, problem),
        Ok(message) => {
            upload::cancel(cx, id)?;
            outbox::discard(cx, id)?;
            star::on_discard(cx, &message)?;
            timeline::remove(cx, &message)?;
            cx.forget_file(&message.content);
            cx.view(Change::MessageRemoved(message.conversation, id));
            cx.done(number, Outcome::Done);
        }
    }
    Ok(())
}
