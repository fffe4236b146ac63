//! The way of a message in: unwrap, recognise, then the stages of the features.

use xmpp::ext::pubsub::event::Event;
use xmpp::jid::Jid;
use xmpp::xml::Element;

use crate::cx::{Cx, Step};
use crate::features::{self, Flow, Stage, archive, elsewhere, rooms, server};
use crate::incoming::{Incoming, Source};
use crate::verified::{Carbon, PersonalEvent, Special, Verified};
use crate::{outbox, timeline};

/// A message came on the stream.
pub(crate) fn on_message(cx: &mut Cx<'_>, message: &Element) -> Step {
    match Special::of(message, cx.me, |address| rooms::is_room(cx, address)) {
        Special::Forged => Ok(()),
        Special::Event(event) => on_event(cx, &event),
        Special::Carbon(carbon) => on_carbon(cx, &carbon),
        Special::Archive(result) if result.archive == *cx.me => archive::on_result(cx, &result),
        Special::Archive(result) => rooms::on_result(cx, &result),
        Special::No if message.attr("type") == Some("groupchat") => {
            match rooms::message(cx, message, Source::Live)? {
                Some(incoming) => receive(cx, incoming),
                None => Ok(()),
            }
        }
        Special::No => match Incoming::new(message, cx.me, Source::Live, cx.moment()) {
            Some(incoming) => receive(cx, incoming),
            None => Ok(()),
        },
    }
}

/// A copy of what another device sent or got. What is inside must be this account's (XEP-0280 §11).
fn on_carbon(cx: &mut Cx<'_>, carbon: &Verified<Carbon>) -> Step {
    let address = |name| match carbon.message.attr(name) {
        Some(address) => Jid::new(address).ok().map(|address| address.to_bare()),
        None => Some(cx.me.clone()),
    };
    let own_side = if carbon.sent { address("from") } else { address("to") };
    if own_side.as_ref() != Some(cx.me) {
        return Ok(());
    }
    match Incoming::new(&carbon.message, cx.me, Source::Carbon, cx.moment()) {
        Some(incoming) => receive(cx, incoming),
        None => Ok(()),
    }
}

/// Something happened to a personal node: told to the features that take it.
pub(crate) fn on_event(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step {
    let node = match &event.event {
        Event::Items(node, _)
        | Event::Retract(node, _)
        | Event::Purge(node)
        | Event::Delete(node, _)
        | Event::Configuration(node, _) => node.clone(),
        Event::Subscription(_) => return Ok(()),
    };
    for feature in features::ALL {
        for (wanted, hook) in feature.events {
            if *wanted == node {
                hook(cx, event)?;
            }
        }
    }
    Ok(())
}

/// A message, wherever it came from.
pub(crate) fn receive(cx: &mut Cx<'_>, mut incoming: Incoming) -> Step {
    // What occupants whisper to each other is no message of the room, and its archive is another.
    let mediated = rooms::is_mediated(&incoming);
    if !incoming.room
        && !incoming.error
        && !mediated
        && rooms::is_room(cx, &incoming.with)
        && !rooms::is_of_person(cx, &incoming)?
    {
        return rooms::aside(cx, &incoming);
    }
    if !incoming.room && incoming.archive_id.is_none() && server::makes_stanza_ids(cx) {
        incoming.archive_id = incoming.stanza_id(cx.me);
    }
    if incoming.room {
        rooms::saw(cx, &incoming)?
    } else {
        archive::saw(cx, &incoming)?
    }
    if incoming.error && rooms::on_bounced(cx, &incoming)? {
        return Ok(());
    }
    if incoming.error {
        return timeline::on_bounced(cx, &incoming);
    }
    if mediated {
        return rooms::on_mediated(cx, &incoming);
    }
    if incoming.own
        && let Some(row) = incoming.origin_id.as_ref().and_then(|id| cx.state.outbox.of_stanza(id))
    {
        outbox::on_acknowledged(cx, row)?;
    }
    if timeline::recognise(cx, &incoming)? {
        return Ok(());
    }
    for stage in Stage::ALL {
        for feature in features::ALL {
            for (_, hook) in feature.message.iter().filter(|(wanted, _)| *wanted == stage) {
                if hook(cx, &mut incoming)? == Flow::Done {
                    return Ok(());
                }
            }
        }
        if stage == Stage::Decrypt {
            elsewhere::on_message(cx, &incoming);
        }
        // What came with something unreadable was not protected either.
        if incoming.undecryptable.is_some() {
            incoming.content.clear();
        }
    }
    Ok(())
}
