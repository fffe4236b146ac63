//! XEP-0461: Message Replies 0.2.1, XEP-0428: Fallback Indication 0.2.1

use xmpp::jid::Jid;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec, rooms};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, is_id};
use crate::store::{Content, Encryption, Message, MessageId, Reference, Reply};
use crate::timeline;

pub(crate) const FEATURE: Feature = Feature {
    name: "reply",
    specs: &[
        Spec { number: "XEP-0461", version: "0.2.1" },
        Spec { number: "XEP-0428", version: "0.2.1" },
    ],
    features: &[ns::REPLY, ns::FALLBACK],
    ..Feature::NOTHING
};

/// What an incoming message answers.
pub(crate) fn of(cx: &Cx<'_>, incoming: &Incoming) -> Step<Option<Reply>> {
    let Some(element) = incoming.child("reply", ns::REPLY) else { return Ok(None) };
    let Some(id) = element.attr("id").filter(|id| is_id(id)) else { return Ok(None) };
    let author = element.attr("to").and_then(|to| Jid::new(to).ok()).map(|to| to.to_bare());
    let known = find(cx, incoming, author.as_ref(), id)?;
    Ok(Some(Reply {
        id: id.to_owned(),
        author: known.as_ref().map(|known| known.sender.clone()).or(author),
        message: known.as_ref().map(|known| known.id),
        quote: known.map(|known| timeline::preview_text(&known.content)),
    }))
}

/// The message an id refers to: of its author, or of either side.
fn find(
    cx: &Cx<'_>,
    incoming: &Incoming,
    author: Option<&xmpp::jid::BareJid>,
    id: &str,
) -> Step<Option<Message>> {
    if incoming.room {
        return cx.store.find(&incoming.with, &Reference::Archive(id.to_owned()));
    }
    for author in author.into_iter().chain([&incoming.with, cx.me]) {
        let reference = Reference::Origin(author.clone(), id.to_owned());
        let found = cx.store.find(&incoming.with, &reference)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The text without the quotation for programs that know no replies, where what it quotes is here.
pub(crate) fn without_fallback(incoming: &Incoming, reply: &Reply, text: &str) -> String {
    let Some(end) = quotation(incoming).filter(|_| reply.message.is_some()) else {
        return text.to_owned();
    };
    // The range may be in plain sight beside a text that was encrypted: whoever changes it must not
    // be able to take away anything but a quotation.
    let (quotation, rest) = match text.char_indices().nth(end) {
        Some((at, _)) => text.split_at(at),
        None => (text, ""),
    };
    let whole_lines = quotation.ends_with('\n') || rest.is_empty();
    let quoted = whole_lines && quotation.lines().all(|line| line.starts_with('>'));
    if quoted { rest.to_owned() } else { text.to_owned() }
}

/// How many characters at the beginning of the text are a quotation, by what comes with it.
pub(crate) fn quotation(incoming: &Incoming) -> Option<usize> {
    let mut fallbacks = incoming
        .content
        .iter()
        .filter(|child| child.is("fallback", ns::FALLBACK) && child.attr("for") == Some(ns::REPLY));
    let bodies = fallbacks.next()?.children().filter(|child| child.is("body", ns::FALLBACK));
    let bodies: Vec<_> = bodies.collect();
    // Without a range the whole text is a stand-in (XEP-0428 §3.2); then there is nothing else.
    let [body] = bodies.as_slice() else { return None };
    let number = |name| body.attr(name).and_then(|value| value.parse::<usize>().ok());
    number("end").filter(|_| number("start") == Some(0))
}

/// What tells programs that know replies where the quotation ends; `None` if there is none.
pub(crate) fn indication(end: usize) -> Option<Element> {
    let range = Element::new("body", ns::FALLBACK)
        .with_attr("start", "0")
        .with_attr("end", end.to_string());
    let element = Element::new("fallback", ns::FALLBACK).with_attr("for", ns::REPLY);
    (end > 0).then(|| element.with_child(range))
}

/// A message that was answered before it was here: the answer refers to it, and quotes it no longer.
pub(crate) fn apply_later(
    cx: &mut Cx<'_>,
    original: &Message,
    incoming: &Incoming,
    row: MessageId,
) -> Step {
    let Some(mut answer) = cx.store.message(row)? else { return Ok(()) };
    let Some(reply) = &mut answer.reply else { return Ok(()) };
    // Some programs count the ids of their stanzas from 1 each time they start.
    let another = answer.occupant.is_none()
        && reply.author.as_ref().is_some_and(|author| *author != original.sender);
    if answer.id == original.id || reply.message.is_some() || another {
        return Ok(());
    }
    reply.message = Some(original.id);
    reply.author = Some(original.sender.clone());
    reply.quote = Some(timeline::preview_text(&original.content));
    let last = match &mut answer.content {
        Content::Text(text) => Some(text),
        _ => None,
    };
    for text in answer.versions.iter_mut().map(|(_, text)| text).chain(last) {
        *text = without_fallback(incoming, reply, text);
    }
    timeline::save(cx, &answer)
}

/// How others find the message that is answered.
pub(crate) fn to(cx: &Cx<'_>, id: MessageId) -> Step<Option<Reply>> {
    let Some(message) = cx.store.message(id)? else { return Ok(None) };
    let quote = timeline::preview_text(&message.content);
    Ok(rooms::reference(cx, &message).map(|id| Reply {
        id,
        author: Some(message.sender),
        message: Some(message.id),
        quote: Some(quote),
    }))
}

/// The text of a message on the wire, with a quotation before it if it is an answer. What was
/// encrypted is not quoted where nothing is.
pub(crate) fn payload(
    cx: &Cx<'_>,
    message: &Message,
    text: &str,
    encrypted: bool,
) -> Step<Vec<Element>> {
    let body = |text: String| Element::new("body", ns::CLIENT).with_text(text);
    let Some(reply) = &message.reply else { return Ok(vec![body(text.to_owned())]) };
    let original = match reply.message {
        Some(id) => cx.store.message(id)?,
        None => None,
    };
    let quoted = match &original {
        Some(original) if encrypted || original.encryption == Encryption::None => {
            timeline::quotable(&original.content)
        }
        None if encrypted => reply.quote.clone().unwrap_or_default(),
        Some(_) | None => String::new(),
    };
    let mut fallback = String::new();
    for line in quoted.lines().take(MAX_QUOTED_LINES) {
        fallback.push_str("> ");
        fallback.extend(line.chars().take(MAX_QUOTED_CHARS));
        fallback.push('\n');
    }
    let end = fallback.chars().count();
    let element = reference(reply, original.as_ref());
    fallback.push_str(text);
    Ok([body(fallback), element].into_iter().chain(indication(end)).collect())
}

/// What says that a message without a text of its own, such as a file, answers another one.
pub(crate) fn element(cx: &Cx<'_>, message: &Message) -> Step<Option<Element>> {
    let Some(reply) = &message.reply else { return Ok(None) };
    let original = match reply.message {
        Some(id) => cx.store.message(id)?,
        None => None,
    };
    Ok(Some(reference(reply, original.as_ref())))
}

fn reference(reply: &Reply, original: Option<&Message>) -> Element {
    // In a room others are called by their names there (XEP-0461, "Using the correct ID").
    let occupant = original.and_then(|original| {
        rooms::occupant_address(&original.conversation, &original.occupant.as_ref()?.nick)
    });
    let author = occupant.or_else(|| reply.author.as_ref().map(ToString::to_string));
    Element::new("reply", ns::REPLY).with_attr_opt("to", author).with_attr("id", &reply.id)
}

/// How much of a message is quoted.
const MAX_QUOTED_LINES: usize = 4;
const MAX_QUOTED_CHARS: usize = 160;
