//! Messages: from a session through the sender's stages, the recipient's stages, to the store and
//! the mailboxes.

use std::sync::Arc;

use store::{StoreError, archive::Unit};
use xmpp::{
    edit::Edit,
    error::{Condition, StanzaError},
    jid::Jid,
    stanza::Stanza,
};

use super::{
    effects::Effects,
    facts::{Facts, MessageType},
    pipeline::{Direction, Flow, Letter, Pass},
    resolve::{Target, resolve},
};
use crate::{account::Account, ext::archive, server::Server, session::Session};

/// Routes a message that a client sent. `tag` is its number in the session: the session is told
/// when everything the message caused is on disk, and may acknowledge it then (XEP-0198).
pub async fn route(server: &Arc<Server>, session: &Arc<Session>, message: &Stanza, tag: u64) {
    let to = match recipient(session, message) {
        Ok(to) => to,
        Err(error) => return refuse(session, message, &error, tag),
    };
    let target = match resolve(server, &to).await {
        Ok(target) => target,
        Err(error) => {
            server.store_failed("resolve", &error);
            return refuse(
                session,
                message,
                &StanzaError::new(Condition::InternalServerError),
                tag,
            );
        }
    };
    let facts = Facts::read(message);
    let letter = Letter {
        server,
        message,
        facts: &facts,
        from: session.full(),
        sender: session.account.jid(),
        to: &to,
        session: Some(session),
        now: server.now(),
    };
    let mut effects = Effects::default();
    let outcome = match pass_out(letter, &session.account, &mut effects) {
        Flow::Continue => pass_in(letter, &target, &mut effects),
        end => end,
    };
    finish(server, session, message, outcome, effects, tag);
}

/// The sender's stages: archive and copies for their own other devices.
fn pass_out(letter: Letter<'_>, account: &Arc<Account>, effects: &mut Effects) -> Flow {
    let mut state = account.lock();
    let hooks = letter.server.registry.outbound();
    let mut pass = Pass::new(letter, Direction::Outbound, account, &mut state, effects);
    let flow = pass.run(hooks);
    effects.hand_over();
    flow
}

/// The recipient's stages.
fn pass_in(letter: Letter<'_>, target: &Target, effects: &mut Effects) -> Flow {
    match target {
        Target::Account(account) => {
            let mut state = account.lock();
            let hooks = letter.server.registry.inbound();
            let mut pass = Pass::new(letter, Direction::Inbound, account, &mut state, effects);
            let flow = pass.run(hooks);
            // Under the lock: what a device reads next comes after this, as in the archive.
            effects.hand_over();
            flow
        }
        Target::Nobody => Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable)),
        // Server and services have no conversations; errors and chat states that reach it are noise.
        Target::Server | Target::Upload if letter.facts.body => {
            Flow::Refuse(StanzaError::new(Condition::ServiceUnavailable))
        }
        Target::Server | Target::Upload => Flow::Drop,
        Target::Remote => Flow::Refuse(StanzaError::new(Condition::RemoteServerNotFound)),
    }
}

/// Stores what was recorded and tells the session how it ended.
fn finish(
    server: &Arc<Server>,
    session: &Arc<Session>,
    message: &Stanza,
    outcome: Flow,
    mut effects: Effects,
    tag: u64,
) {
    if let Flow::Refuse(error) = &outcome {
        bounce(session, message, error);
        // It did not arrive: when its sender tries again, that is the first time.
        archive::forget(session, message);
        effects.appends.iter_mut().for_each(|append| append.origin_hash = None);
    }
    // An empty unit is stored after everything before it: exactly what a repetition waits for.
    if effects.appends.is_empty() && !matches!(outcome, Flow::Repeated) {
        return session.settle(tag);
    }
    session.expect(tag, message);
    let unit: Unit = std::mem::take(&mut effects.appends);
    server.metrics.archive_rows.add(unit.len() as u64);
    if let Err(busy) = server.store.archive.append(unit, Some((session.clone(), tag))) {
        server.store_failed("message", &StoreError::from(busy));
        session.failed(tag);
    }
    effects.submitted();
}

/// Sends a message back to its sender as an error, and counts it as handled.
fn refuse(session: &Arc<Session>, message: &Stanza, error: &StanzaError, tag: u64) {
    bounce(session, message, error);
    session.settle(tag);
}

/// Tells the sender why a message was not delivered (RFC 6120 §8.3.1).
///
/// Errors are never answered with errors.
pub fn bounce(session: &Arc<Session>, message: &Stanza, error: &StanzaError) {
    if MessageType::parse(message.type_().as_deref()) == MessageType::Error {
        return;
    }
    let to = message.to();
    let edit = Edit::new(message)
        .from(to.as_deref().unwrap_or(session.account.bare()))
        .to(session.full())
        .attr("type", Some("error"))
        // The sender knows what it sent; its id is enough to find it.
        .drop_if(|_| true)
        .append(error.element().to_bytes(xmpp::ns::CLIENT));
    session.deliver(crate::session::frame::Frame::message(edit.finish()));
}

fn recipient(session: &Arc<Session>, message: &Stanza) -> Result<Jid, StanzaError> {
    match message.to() {
        None => Ok(session.account.jid().clone().into()),
        Some(to) => Jid::new(&to).map_err(|_| StanzaError::new(Condition::JidMalformed)),
    }
}
