//! Which devices of an account get a message: RFC 6121 §8.5.

use smallvec::SmallVec;
use xmpp::error::{Condition, StanzaError};

use super::{
    facts::MessageType,
    pipeline::{Flow, Pass},
};
use crate::{
    account::Resource,
    session::frame::{Frame, Urgency},
};

/// The Deliver stage: chooses devices and queues the message for them.
///
/// A pass that chose nobody goes on to the Miss stage.
pub fn deliver(pass: &mut Pass<'_>) -> Flow {
    let chosen = pass.chosen();
    if chosen.is_empty() {
        return Flow::Continue;
    }
    // RFC 6121 §8.5.3.1 delivers to a device that is bound, connected or not; whether anybody is
    // there decides if the message also waits in the offline queue.
    let bytes = pass.form();
    let urgency = urgency(pass);
    for &at in &chosen {
        let mut frame = Frame::message(bytes.clone()).with_urgency(urgency);
        frame.archived = pass.archived.or(pass.place);
        frame.pending = pass.pending;
        frame.unkept = pass.place.is_some();
        pass.effects.frames.push((pass.state.resources[at].session.clone(), frame));
    }
    pass.delivered = chosen;
    Flow::Continue
}

/// The Miss stage's last word, after offline storage had its chance: what the sender is told when
/// nobody got the message (RFC 6121 §8.5.2.2 and §8.5.3.2).
pub fn missed(pass: &mut Pass<'_>) -> Flow {
    if !pass.delivered.is_empty() || pass.archived.is_some() {
        return Flow::Done;
    }
    match pass.facts.kind {
        MessageType::Groupchat => Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable)),
        MessageType::Chat | MessageType::Normal if pass.facts.body => {
            Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable))
        }
        _ => Flow::Drop,
    }
}

/// The devices for a message, as indices into the account's resources.
pub(super) fn choose(pass: &Pass<'_>) -> SmallVec<[usize; 4]> {
    let resources = &pass.state.resources;
    if let Some(resource) = pass.to.resource() {
        let exact = resources.iter().position(|r| r.session.resource() == resource.as_str());
        match (exact, pass.facts.kind) {
            (Some(at), _) => return SmallVec::from_slice(&[at]),
            // RFC 6121 §8.5.3.2.1: chat and normal fall back to the bare address. A message
            // marked as private to one device does not (XEP-0280 §9).
            (None, MessageType::Chat | MessageType::Normal) => {}
            (None, _) => return SmallVec::new(),
        }
    } else if pass.facts.kind == MessageType::Groupchat || pass.facts.kind == MessageType::Error {
        // RFC 6121 §8.5.2.1.1: rooms and errors address devices, never people.
        return SmallVec::new();
    }
    let willing = |(at, resource): (usize, &Resource)| {
        resource.priority().filter(|priority| *priority >= 0).map(|_| at)
    };
    resources.iter().enumerate().filter_map(willing).collect()
}

/// XEP-0352 §5: what an inactive phone must be told at once, and what can wait.
fn urgency(pass: &Pass<'_>) -> Urgency {
    let facts = pass.facts;
    if facts.lasting() || facts.kind == MessageType::Error || facts.hints.store {
        Urgency::Now
    } else if facts.chat_state && pass.message.children().count() == 1 {
        Urgency::Drop
    } else {
        Urgency::Hold
    }
}
