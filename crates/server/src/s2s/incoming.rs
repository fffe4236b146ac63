//! Stanzas of other servers: to the accounts and extensions they are for, and answers back.
//!
//! The stream has checked that the sender speaks for its own domain and that the recipient is
//! here. An error that comes from elsewhere stays the error of whoever sent it; an error of ours
//! says so.

use std::sync::Arc;

use bytes::Bytes;
use store::archive::{Ticket, Unit};
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    jid::Jid,
    ns,
    stanza::{Kind, Stanza},
    stream::s2s::receiving::Pair,
};

use super::{Durable, inbound::Inbound, policy, presence, refusals};
use crate::{
    ext::archive,
    iq,
    router::{facts::Facts, message},
    server::Server,
};

/// Where a stanza came from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The domains of the stream.
    pub pair: &'a Pair,
    /// What acknowledges it.
    pub inbound: &'a Arc<Inbound>,
}

/// Takes a stanza of another server. `tag` is its number on the stream: it is settled when
/// everything the stanza caused is on disk.
pub async fn handle(server: &Arc<Server>, source: Source<'_>, stanza: &Stanza, tag: u64) {
    let (Some(from), Some(to)) = (address(stanza.from()), address(stanza.to())) else {
        return source.inbound.settle(tag);
    };
    if stanza.kind() == Kind::Iq && answers(server, source.pair, stanza, (&from, &to)) {
        return source.inbound.settle(tag);
    }
    if passes_through(server, source.pair, &to) {
        return pass(server, source, stanza, &to, tag);
    }
    match stanza.kind() {
        Kind::Message => message::receive(server, source, stanza, (&from, &to), tag).await,
        Kind::Presence => {
            presence::receive(server, stanza, &from, &to).await;
            source.inbound.settle(tag);
        }
        Kind::Iq | Kind::Other => {
            iq::receive(server, stanza, &from, &to).await;
            source.inbound.settle(tag);
        }
    }
}

/// Takes the answer of another server itself to the question whether something has arrived.
fn answers(server: &Server, pair: &Pair, stanza: &Stanza, (from, to): (&Jid, &Jid)) -> bool {
    let is_answer = matches!(stanza.type_().as_deref(), Some("result" | "error"));
    let between_servers = from.as_str() == pair.remote && to.as_str() == pair.local;
    let id = stanza.id().filter(|_| is_answer && between_servers);
    id.is_some_and(|id| server.s2s.answered(server, pair, &id))
}

/// Whether a stanza is for a component, or comes from one and is for another server.
fn passes_through(server: &Server, pair: &Pair, to: &Jid) -> bool {
    let config = server.config();
    let domain = to.domain().as_str();
    let here = domain == server.domain()
        || (config.upload.enabled && config.upload.is_at(domain, server.domain()))
        || (config.pubsub.enabled && config.pubsub.is_at(domain, server.domain()))
        || (config.rooms.enabled && config.rooms.is_at(domain, server.domain()));
    let components = &config.components.hosts;
    !here && (components.contains(domain) || components.contains(&pair.remote))
}

fn pass(server: &Server, source: Source<'_>, stanza: &Stanza, to: &Jid, tag: u64) {
    if let Err(refused) = policy::permits(&server.config(), to.domain().as_str()) {
        return reject(server, source, stanza, &refused.error(), tag);
    }
    let bytes = Edit::new(stanza).finish();
    let local = &source.pair.remote;
    // What comes from another server goes on as that server's.
    let kind = stanza.kind();
    if kind != Kind::Message {
        server.s2s.post(server, local, to, kind, bytes);
        return source.inbound.settle(tag);
    }
    source.inbound.expect(tag, stanza);
    let letter = Durable { local, to, kind, bytes, account: None };
    let ticket: Arc<dyn Ticket> = source.inbound.clone();
    if let Err(unsent) = server.s2s.send(server, letter, Unit::new(), Some((ticket, tag))) {
        reject(server, source, stanza, &unsent.error(server, "outbox"), tag);
    }
}

fn address(address: Option<std::borrow::Cow<'_, str>>) -> Option<Jid> {
    address.and_then(|text| Jid::new(&text).ok())
}

/// Tells the sender of a stanza at another domain why it did not arrive. Errors and answers are
/// never answered.
pub fn refuse(server: &Server, pair: &Pair, stanza: &Stanza, error: &StanzaError) {
    tell(server, pair, stanza, error, None);
}

/// The same about a stanza that is done with then.
pub fn reject(server: &Server, source: Source<'_>, stanza: &Stanza, error: &StanzaError, tag: u64) {
    let ticket: Arc<dyn Ticket> = source.inbound.clone();
    tell(server, source.pair, stanza, error, Some((ticket, tag)));
}

fn tell(
    server: &Server,
    pair: &Pair,
    stanza: &Stanza,
    error: &StanzaError,
    ticket: Option<(Arc<dyn Ticket>, u64)>,
) {
    if let Some((sender, reply)) = refusal(stanza, error) {
        let kind = stanza.kind();
        if kind == Kind::Message && !Facts::read(stanza).passing(stanza) {
            return refusals::send(server, &pair.local, &sender, reply, ticket);
        }
        server.s2s.post(server, &pair.local, &sender, kind, reply);
    }
    if let Some((ticket, tag)) = ticket {
        ticket.settled(tag, Ok(()));
    }
}

/// The error about a stanza, and whom it is for.
fn refusal(stanza: &Stanza, error: &StanzaError) -> Option<(Jid, Bytes)> {
    if matches!(stanza.type_().as_deref(), Some("error" | "result")) {
        return None;
    }
    let (from, to) = (stanza.from()?, stanza.to()?);
    let sender = Jid::new(&from).ok()?;
    let reply = Edit::new(stanza)
        .from(&to)
        .to(&from)
        .attr("type", Some("error"))
        .drop_if(|_| true)
        .append(error.element().to_bytes(ns::CLIENT));
    Some((sender, reply.finish()))
}

/// A message could not be kept: its sender is told, and may try again.
pub fn not_stored(server: &Server, pair: &Pair, stanza: &Stanza) {
    if let Some(to) = address(stanza.to())
        && let Some(account) = server.loaded(&to.to_bare())
    {
        archive::forget_received(server, &account, stanza);
    }
    let error = StanzaError::new(Condition::ResourceConstraint)
        .with_text("the message could not be stored; try again later");
    refuse(server, pair, stanza, &error);
}
