//! What arrives on an open stream.

use xmpp::error::{Condition, StanzaError, StreamCondition, StreamError};
use xmpp::ns;
use xmpp::sm::Nonza;
use xmpp::stanza::{Kind, Stanza};
use xmpp::xml::{Element, Event, Framing};

use super::{Next, Phase, close, end_session, negotiate, write};
use crate::cx::{Cx, Step};
use crate::features::{self};
use crate::view::Connection;
use crate::{inbox, outbox};

/// Bytes arrived.
pub(crate) fn on_bytes(cx: &mut Cx<'_>, bytes: &[u8]) -> Step {
    let Some(reader) = &mut cx.state.link.reader else { return Ok(()) };
    reader.push(bytes);
    cx.state.link.heard = cx.now.steady;
    cx.state.link.probed = None;
    while let Some(event) = next_event(cx)? {
        match std::mem::replace(&mut cx.state.link.phase, Phase::Offline) {
            Phase::Negotiating(negotiation, until) => {
                negotiate::on_event(cx, *negotiation, until, event)?;
            }
            Phase::Open => {
                cx.state.link.phase = Phase::Open;
                on_event(cx, event)?;
            }
            other => {
                cx.state.link.phase = other;
                return Ok(());
            }
        }
    }
    let message = cx.state.link.framing == Framing::WebSocket;
    let whole = match &mut cx.state.link.reader {
        Some(reader) if message => reader.end_message().is_ok(),
        _ => true,
    };
    if whole { Ok(()) } else { close(cx, Next::Again("half a message".to_owned())) }
}

/// The next element, as long as there is a reader.
fn next_event(cx: &mut Cx<'_>) -> Step<Option<Event>> {
    let Some(reader) = &mut cx.state.link.reader else { return Ok(None) };
    match reader.next() {
        Ok(event) => Ok(event),
        Err(error) => {
            close(cx, Next::Again(format!("the server sent nonsense: {error}")))?;
            Ok(None)
        }
    }
}

fn on_event(cx: &mut Cx<'_>, event: Event) -> Step {
    match event {
        Event::Stanza(stanza) => on_stanza(cx, stanza),
        Event::Close => close(cx, Next::Again("the server closed the stream".to_owned())),
        Event::Open(_) => close(cx, Next::Again("a second stream".to_owned())),
        // Nothing of it can be used, and the server must not send it again.
        Event::Oversized(stanza) => {
            count(cx, &stanza);
            Ok(())
        }
    }
}

/// Takes a first-level element.
pub(super) fn on_stanza(cx: &mut Cx<'_>, stanza: Stanza) -> Step {
    if let Some(nonza) = Nonza::parse(&stanza) {
        return on_nonza(cx, &nonza);
    }
    count(cx, &stanza);
    match stanza.kind() {
        Kind::Message => inbox::on_message(cx, &stanza.element()),
        Kind::Presence => {
            let presence = stanza.element();
            for feature in features::ALL {
                if let Some(hook) = feature.presence {
                    hook(cx, &presence)?;
                }
            }
            Ok(())
        }
        Kind::Iq => on_iq(cx, &stanza.element()),
        Kind::Other if stanza.is("error", ns::STREAM) => {
            let error = StreamError::parse(&stanza.element());
            // The stream is over, and so is the session (RFC 6120 §4.9.1.1).
            end_session(cx)?;
            match verdict(&error) {
                Some(refused) => close(cx, Next::Stopped(refused)),
                None => {
                    let name = error.condition.name();
                    close(cx, Next::Again(format!("the server ended the stream: {name}")))
                }
            }
        }
        Kind::Other => Ok(()),
    }
}

/// Counts what came in. The step is on disk before the count is told: effects come after it.
fn count(cx: &mut Cx<'_>, stanza: &Stanza) {
    let session = cx.state.link.session.as_mut();
    if let Some(managed) = session.and_then(|session| session.managed.as_mut())
        && stanza.kind() != Kind::Other
    {
        let seq = managed.sm.received();
        managed.sm.settled(seq);
    }
}

fn on_nonza(cx: &mut Cx<'_>, nonza: &Nonza) -> Step {
    let session = cx.state.link.session.as_mut();
    let Some(managed) = session.and_then(|session| session.managed.as_mut()) else {
        return Ok(());
    };
    match nonza {
        Nonza::Request => {
            let mut bytes = Vec::new();
            xmpp::sm::write_ack(&mut bytes, managed.sm.ack_value());
            write(cx, bytes.into());
            Ok(())
        }
        Nonza::Ack(h) => match managed.sm.acknowledge(*h) {
            Ok(handled) => {
                let rows: Vec<_> = handled.filter_map(|entry| entry.meta).collect();
                for row in rows {
                    outbox::on_acknowledged(cx, row)?;
                }
                outbox::on_room(cx);
                Ok(())
            }
            Err(_) => {
                end_session(cx)?;
                close(cx, Next::Again("the server counted wrong".to_owned()))
            }
        },
        Nonza::Enable(_) | Nonza::Resume(_) | Nonza::Invalid => Ok(()),
    }
}

fn on_iq(cx: &mut Cx<'_>, iq: &Element) -> Step {
    match iq.attr("type") {
        Some("result" | "error") => match cx.state.iq.answered(iq, cx.me) {
            Some((then, answer)) => then(cx, answer),
            None => Ok(()),
        },
        Some(kind @ ("get" | "set")) => answer(cx, iq, kind == "set"),
        _ => Ok(()),
    }
}

/// Every request gets an answer (RFC 6120 §8.2.3).
fn answer(cx: &mut Cx<'_>, iq: &Element, set: bool) -> Step {
    let payload = iq.first_child();
    let route = payload.and_then(|payload| {
        let mut routes = features::ALL.iter().flat_map(|feature| feature.iq);
        routes.find(|route| route.set == set && payload.is(route.name, route.ns))
    });
    let reply = match route {
        Some(route) => (route.handle)(cx, iq)?,
        None => Err(Condition::ServiceUnavailable),
    };
    let kind = if reply.is_ok() { "result" } else { "error" };
    let mut stanza = Element::new("iq", ns::CLIENT)
        .with_attr("type", kind)
        .with_attr_opt("id", iq.attr("id"))
        .with_attr_opt("to", iq.attr("from"));
    match reply {
        Ok(payload) => stanza = stanza.with_children(payload),
        Err(condition) => stanza.push(StanzaError::new(condition).element()),
    }
    cx.send(&stanza);
    Ok(())
}

/// What the user has to do something about; `None` for what passes by itself.
pub(super) fn verdict(error: &StreamError) -> Option<Connection> {
    let reason = match error.condition {
        StreamCondition::Conflict => "another program took over this session",
        StreamCondition::NotAuthorized => "the server does not let this account in any more",
        StreamCondition::HostUnknown => "the server does not serve this domain",
        StreamCondition::PolicyViolation => "the server says that its rules were broken",
        _ => return None,
    };
    let reason = match &error.text {
        Some(text) => format!("{reason}: {}", text.chars().take(200).collect::<String>()),
        None => reason.to_owned(),
    };
    Some(Connection::Refused(reason))
}
