//! Carrying out what a room decided: sending, storing, waking, ending it.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use store::{
    Fut, Millis as StoreMillis, StoreError,
    archive::{Append, Ticket, Unit},
};
use xmpp::{
    jid::Jid,
    stanza::{Kind, Stanza},
    xml::{Element, Limits},
};

use super::{
    abroad, archive,
    room::{Back, Effect, Effects, Line, Room},
    service::{self, Cell, Sender, State},
    unsaved::{self, Saving},
    wake,
};
use crate::{
    ext::budget,
    iq,
    router::message,
    s2s::{outbox, refusals},
    server::Server,
    session::{
        Session,
        frame::{Frame, Urgency, addressed},
    },
};

/// What is left to do when the room's lock is released.
#[derive(Default)]
pub(super) struct Rest<'a> {
    /// The room is being written.
    saving: Option<Saving>,
    /// The room is being removed from the store.
    deleting: Option<Fut<'a, bool>>,
    /// Who waits for them to be on disk.
    ticket: Option<(Arc<dyn Ticket>, u64)>,
    /// Answers that wait for the saves.
    answers: Vec<(Jid, Frame)>,
    routes: Vec<(Jid, Bytes, Box<Back>)>,
    asks: Vec<(Jid, Bytes)>,
    returns: Vec<(Jid, Bytes)>,
    pub(super) retractions: Vec<(u64, String, Element)>,
}

pub(super) type Promise<'a> = ((Arc<dyn Ticket>, u64), &'a Stanza);

/// Does what can be done at once.
pub(super) fn perform<'a>(
    server: &'a Arc<Server>,
    cell: &Arc<Cell>,
    state: &mut State,
    sender: &Sender<'_>,
    effects: Effects,
    mut ticket: Option<Promise<'_>>,
) -> Rest<'a> {
    let mut rest = Rest::default();
    // Whatever could not be written before comes first.
    let mut saves = !state.unsaved.is_empty();
    let (mut whole, mut changed) = (false, Vec::new());
    let mut hold = None;
    state.know(sender);
    for effect in effects {
        match effect {
            // Whoever changed the room is told when that is on disk.
            Effect::Send { to, kind: Kind::Iq, bytes, shared, .. } if saves => {
                rest.answers.push((to, frame(Kind::Iq, bytes, true).shared(shared)));
            }
            Effect::Send { to, kind, bytes, shared, urgent } => {
                let frame = frame(kind, bytes, urgent).shared(shared);
                deliver(server, &state.peers, sender, &to, frame);
            }
            Effect::Error { to, message } => {
                let waits = ticket.take_if(|_| to == *sender.jid).map(|(ticket, _)| ticket);
                tell(server, &state.peers, sender, &to, message, waits);
            }
            Effect::Route { to, message, back } => rest.routes.push((to, message, back)),
            Effect::Ask { to, request } => rest.asks.push((to, request)),
            Effect::Return { to, message } => rest.returns.push((to, message)),
            Effect::Archive(line) => {
                keep(server, cell, state, sender, *line, &mut ticket);
                hold.get_or_insert_with(|| server.rooms.abroad.hold());
            }
            Effect::Save { state, changes } => {
                saves = true;
                whole |= state;
                changed.extend(changes);
            }
            Effect::Wake { author, text } => wake::wake(server, &state.room, &author, text),
            Effect::Retract { id, author, tombstone } => {
                rest.retractions.push((id, author, *tombstone));
            }
            Effect::Destroy => {
                saves = true;
                state.gone = true;
            }
        }
    }
    if state.gone {
        rest.deleting = remove(server, cell);
    } else {
        rest.saving = unsaved::save(server, cell, state, changed, whole);
    }
    match ticket {
        // A subject is no row of the archive, and kept all the same. What goes to a single occupant is kept by
        // their account.
        Some((ticket, message)) if saves || !rest.routes.is_empty() || !rest.returns.is_empty() => {
            if let Some(session) = sender.session {
                session.expect(ticket.1, message);
            }
            rest.ticket = Some(ticket);
        }
        ticket => settle(ticket.map(|(ticket, _)| ticket)),
    }
    let State { room, peers, .. } = state;
    if peers.len() > room.sessions() {
        peers.retain(|jid, _| room.contains(jid));
    }
    rest
}

impl State {
    /// Whoever sent something from this server, and is in the room, is reached without looking for them.
    fn know(&mut self, sender: &Sender<'_>) {
        if !self.room.contains(sender.jid) {
            // An earlier session of this address was here, and this is another one.
            self.peers.remove(sender.jid);
        } else if let Some(session) = sender.session {
            self.peers.insert(sender.jid.clone(), session.clone());
        }
    }
}

/// Takes a room that was destroyed out of the table, once.
fn remove<'a>(server: &'a Server, cell: &Arc<Cell>) -> Option<Fut<'a, bool>> {
    let mut loaded = server.rooms.loaded.write();
    loaded.get(&cell.name).filter(|known| Arc::ptr_eq(known, cell))?;
    // Handed to the store before anybody can miss it in the table: whoever reads the store then waits for
    // what was handed to it before, and does not find it there either.
    let deleting = server.store.rooms.delete(cell.id);
    loaded.remove(&cell.name);
    Some(deleting)
}

/// Puts a message into the archive. Whoever sent it is acknowledged when it is there.
fn keep(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    state: &mut State,
    sender: &Sender<'_>,
    line: Line,
    ticket: &mut Option<Promise<'_>>,
) {
    let Line { id, at, author, origin, stanza } = line;
    let (with, nick) = match author {
        Some((author, nick)) => (author, Some(nick)),
        None => (state.room.address().clone(), None),
    };
    let append = Append {
        account: cell.id.archive(),
        id,
        at: StoreMillis(at.0),
        with: with.as_str().into(),
        resource: nick,
        // The store tells the origins of these rows after a restart.
        outgoing: origin.is_some(),
        origin_hash: origin,
        pending: false,
        hidden: false,
        stanza,
    };
    let unit: Unit = std::iter::once(append).collect();
    server.metrics.archive_rows.increment();
    let taken = ticket.take();
    let waits = taken.as_ref().map(|(ticket, message)| {
        if let Some(session) = sender.session {
            session.expect(ticket.1, message);
        }
        ticket.clone()
    });
    if server.store.archive.append(unit, waits).is_err() {
        if let Some(origin) = origin {
            state.room.forget_origin(origin);
        }
        if let Some(((ticket, tag), _)) = taken {
            ticket.settled(tag, Err(&StoreError::Busy));
        }
    }
}

/// Changes a room in memory, tells those who are in it, and waits until it is on disk. `false` when it has
/// ended.
///
/// # Errors
/// What `what` refuses; or when the store failed, which was noted.
pub(super) async fn change<E: From<StoreError>>(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    sender: &Sender<'_>,
    what: impl FnOnce(&mut Room, &mut Effects) -> Result<(), E>,
) -> Result<bool, E> {
    let rest = {
        let mut state = cell.lock();
        if state.gone {
            return Ok(false);
        }
        let mut out = Vec::new();
        what(&mut state.room, &mut out)?;
        perform(server, cell, &mut state, sender, out, None)
    };
    finish(server, cell, sender, rest).await?;
    Ok(true)
}

/// What takes time: waiting for the disk, other accounts, the archive.
///
/// # Errors
/// When the room could not be written, or removed. Whoever asked for it was told.
pub(super) async fn finish(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    sender: &Sender<'_>,
    rest: Rest<'_>,
) -> Result<(), StoreError> {
    let Rest { saving, deleting, ticket, answers, routes, asks, mut returns, retractions } = rest;
    let mut outcome = match saving {
        Some(saving) => saving.done(server, cell).await,
        None => Ok(()),
    };
    if let Some(deleting) = deleting
        && let Err(error) = deleting.await
    {
        server.store_failed("rooms", &error);
        outcome = Err(error);
    }
    let passed_on = !routes.is_empty() || !returns.is_empty();
    for (to, frame) in answers {
        let frame = match &outcome {
            Ok(()) => frame,
            Err(error) => unsaved::refused(frame, error),
        };
        deliver(server, &HashMap::new(), sender, &to, frame);
    }
    for (to, bytes, back) in routes {
        if back.invites() && !budget::may_invite(server, &back.to.to_bare(), &to.to_bare()) {
            returns.push((back.to.clone(), back.message(&budget::too_many_invitations())));
            continue;
        }
        if let Ok(stanza) = Stanza::parse(bytes, &Limits::TRUSTED)
            && let Err(error) = Box::pin(message::send_on(server, &to, &stanza)).await
        {
            returns.push((back.to.clone(), back.message(&error)));
        }
    }
    for (to, bytes) in asks {
        Box::pin(ask(server, cell, sender, &to, bytes)).await;
    }
    let told = !returns.is_empty();
    for (to, bytes) in returns {
        Box::pin(outbox::give_back(server, &to, bytes)).await;
    }
    match ticket {
        // Behind whatever was handed to the store for it.
        Some((ticket, tag)) if passed_on && outcome.is_ok() => {
            let ticket = if told { refusals::told(ticket) } else { ticket };
            let waits = Some((ticket.clone(), tag));
            if server.store.archive.append(Unit::new(), waits).is_err() {
                ticket.settled(tag, Err(&StoreError::Busy));
            }
        }
        Some((ticket, tag)) => ticket.settled(tag, outcome.as_ref().copied()),
        None => {}
    }
    for (id, author, tombstone) in retractions {
        // Who takes back what they wrote said so in the room; nothing answers that.
        let _ = archive::retract(server, cell, id, Some(&author), tombstone).await;
    }
    outcome
}

/// Asks an account in the name of an occupant. One of this server answers at once.
async fn ask(
    server: &Arc<Server>,
    cell: &Arc<Cell>,
    sender: &Sender<'_>,
    account: &Jid,
    request: Bytes,
) {
    if account.domain().as_str() != server.domain() {
        return deliver(server, &HashMap::new(), sender, account, frame(Kind::Iq, request, true));
    }
    let Ok(request) = Stanza::parse(request, &Limits::TRUSTED) else { return };
    let Some(occupant) = request.from().and_then(|from| Jid::new(&from).ok()) else { return };
    let answer = iq::answer_here(server, &request, &occupant, account).await;
    if let Ok(answer) = Stanza::parse(answer, &Limits::TRUSTED) {
        // A room that has ended meanwhile has nobody who asked.
        let _ = service::give(server, cell, &Sender::new(account), &occupant, &answer, None).await;
    }
}

/// Hands a stanza of a room to one address.
pub(super) fn deliver(
    server: &Server,
    peers: &HashMap<Jid, Arc<Session>>,
    sender: &Sender<'_>,
    to: &Jid,
    frame: Frame,
) {
    if let Some(session) = peers.get(to) {
        return session.deliver(frame);
    }
    if let Some(session) = sender.session.filter(|_| sender.jid == to) {
        return session.deliver_bulk(frame);
    }
    if let Some(acting) = sender.acting.filter(|_| sender.jid == to && frame.kind == Kind::Iq) {
        return acting.answer(server, complete(frame, to));
    }
    if to.domain().as_str() != server.domain() {
        let frame = complete(frame, to);
        return abroad::send(server, to, frame.kind, frame.bytes);
    }
    let Some(account) = server.loaded(&to.to_bare()) else { return };
    let state = account.lock();
    let resource = to.resource().map(|resource| resource.as_str());
    let found = state.resources.iter().find(|r| Some(r.session.resource()) == resource);
    if let Some(found) = found {
        found.session.deliver(frame);
    }
}

/// Hands over the error about a message. `ticket` waits for it.
fn tell(
    server: &Server,
    peers: &HashMap<Jid, Arc<Session>>,
    sender: &Sender<'_>,
    to: &Jid,
    message: Bytes,
    ticket: Option<(Arc<dyn Ticket>, u64)>,
) {
    let frame = frame(Kind::Message, message, true).shared(true);
    if to.domain().as_str() == server.domain() {
        deliver(server, peers, sender, to, frame);
        return settle(ticket);
    }
    let service = server.config().rooms.address(server.domain());
    refusals::send(server, &service, to, complete(frame, to).bytes, ticket);
}

/// The frame for somebody whose address no connection of ours writes.
fn complete(frame: Frame, to: &Jid) -> Frame {
    if !frame.shared {
        return frame;
    }
    let bytes = addressed(frame.kind, &frame.bytes, to.as_str());
    Frame { bytes, shared: false, ..frame }
}

/// Hands over what is said outside of rooms. `ticket` waits for that.
pub(super) fn deliver_all(
    server: &Server,
    sender: &Sender<'_>,
    effects: Effects,
    mut ticket: Option<(Arc<dyn Ticket>, u64)>,
) {
    for effect in effects {
        match effect {
            Effect::Send { to, kind, bytes, shared, urgent } => {
                let frame = frame(kind, bytes, urgent).shared(shared);
                deliver(server, &HashMap::new(), sender, &to, frame);
            }
            Effect::Error { to, message } => {
                tell(server, &HashMap::new(), sender, &to, message, ticket.take());
            }
            _ => {}
        }
    }
    settle(ticket);
}

fn frame(kind: Kind, bytes: Bytes, urgent: bool) -> Frame {
    let frame = match kind {
        Kind::Message => Frame::message(bytes),
        Kind::Presence => Frame::presence(bytes),
        Kind::Iq | Kind::Other => Frame::iq(bytes),
    };
    frame.with_urgency(if urgent { Urgency::Now } else { Urgency::Hold })
}

fn settle(ticket: Option<(Arc<dyn Ticket>, u64)>) {
    if let Some((ticket, tag)) = ticket {
        ticket.settled(tag, Ok(()));
    }
}
