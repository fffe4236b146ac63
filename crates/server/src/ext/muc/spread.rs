//! How many bytes a room writes because of somebody: a message costs what it has times the occupants.

use xmpp::{
    error::StanzaError,
    jid::Jid,
    stanza::{Kind, Stanza},
};

use super::room::{Effect, Room};
use crate::{ext::budget, server::Server};

/// Whether something that goes to everybody may come in. Whoever leaves always may, and whoever keeps
/// order is not held up by what others write.
pub(super) fn admit(
    server: &Server,
    room: &Room,
    from: &Jid,
    stanza: &Stanza,
) -> Result<(), StanzaError> {
    let kind = stanza.type_();
    let goes_to_all = match stanza.kind() {
        // Whoever is not here is told that.
        Kind::Message => kind.as_deref() == Some("groupchat") && room.contains(from),
        Kind::Presence => kind.is_none(),
        Kind::Iq => kind.as_deref() == Some("set"),
        Kind::Other => false,
    };
    if !goes_to_all || room.hides_from(from) {
        return Ok(());
    }
    budget::may_spread(server, &from.to_bare())?;
    match stanza.kind() {
        Kind::Iq => Ok(()),
        _ => budget::room_may_spread(server, room.address()),
    }
}

/// Counts what goes to others than its sender.
pub(super) fn count(server: &Server, room: &Room, from: &Jid, effects: &[Effect]) {
    if !server.config().limits.throttle {
        return;
    }
    let to_others = effects.iter().map(|effect| match effect {
        Effect::Send { to, bytes, .. } if to != from => bytes.len() as u64,
        _ => 0,
    });
    let bytes = to_others.sum();
    budget::spread(server, &from.to_bare(), bytes);
    budget::room_spread(server, room.address(), bytes);
}
