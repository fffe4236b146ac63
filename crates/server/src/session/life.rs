//! How sessions begin and end.

use std::sync::Arc;

use store::archive::Clear;
use xmpp::{
    error::{Condition, StanzaError, StreamCondition, StreamError},
    jid::FullJid,
    stanza::Kind,
    time::Millis,
};

use super::{Origin, Session, link::Link, mailbox::MailboxLimits};
use crate::{
    account::{Account, Resource},
    ext::ALL,
    im::presence,
    server::Server,
};

/// Binds a resource (RFC 6120 §7). A session that has the same resource already ends: its client
/// has most likely lost its connection and not noticed (§7.7.2.2, third choice).
///
/// # Errors
/// `resource-constraint` when the account has too many sessions, `internal-server-error` when the
/// system gives no randomness for a resource.
pub async fn bind(
    server: &Arc<Server>,
    account: &Arc<Account>,
    resource: Option<&str>,
    origin: Origin,
) -> Result<Arc<Session>, StanzaError> {
    let jid = match resource {
        Some(resource) => full(account, resource)?,
        None => full(account, &fresh_resource()?)?,
    };
    if let Some(old) = same_resource(account, &jid) {
        old.close(StreamError::new(StreamCondition::Conflict));
        end(server, &old).await;
    }
    make_room(server, account).await?;
    let session = Session::new(jid, account.clone(), origin, Link::new(MailboxLimits::DEFAULT));
    {
        let mut state = account.lock();
        if state.deleted {
            return Err(StanzaError::new(Condition::NotAuthorized));
        }
        state.resources.push(Resource::new(session.clone()));
    }
    server.metrics.sessions.increment();
    for hook in ALL.iter().filter_map(|extension| extension.session.bound) {
        hook(server, &session).await;
    }
    Ok(session)
}

/// Ends a session for good: its resource is gone, everybody who saw it learns that, and what its
/// client never got waits for another device.
pub async fn end(server: &Arc<Server>, session: &Arc<Session>) {
    let account = &session.account;
    if session.ended() {
        return;
    }
    if let Some(id) = session.link().resumption() {
        server.resumable.remove(id);
    }
    presence::unavailable(server, session, None).await;
    let (lost, alone) = {
        let mut state = account.lock();
        state.resources.retain(|resource| resource.session.number != session.number);
        state.archive.flush_ended(session.number);
        // Under the lock: nobody can queue anything after this.
        (session.link().end(), state.resources.is_empty())
    };
    session.nudge();
    server.metrics.sessions.decrement();
    let waiting: Vec<u64> = lost
        .iter()
        .filter(|sent| sent.kind == Kind::Message && !sent.pending && alone)
        .filter_map(|sent| sent.archived)
        .collect();
    if !waiting.is_empty()
        && let Err(error) = server.store.archive.set_pending(account.id, waiting).await
    {
        server.store_failed("offline messages", &error);
    }
    for hook in ALL.iter().filter_map(|extension| extension.session.closed) {
        hook(server, session).await;
    }
}

/// Tells every connected client that the server goes down. Sessions that can be resumed stay.
pub fn close_all(server: &Server) {
    for account in server.accounts.all() {
        let state = account.lock();
        for session in state.resources.iter().map(|resource| &resource.session) {
            session.close(StreamError::new(StreamCondition::SystemShutdown));
        }
    }
}

/// Ends sessions whose clients did not come back in time, and forgets accounts nobody uses.
/// Called every few seconds.
pub async fn sweep(server: &Arc<Server>) {
    let patience = u64::try_from(server.config().limits.resume().as_millis()).unwrap_or(u64::MAX);
    let moment = Millis(server.now().0.saturating_sub(patience));
    for account in server.accounts.all() {
        let gone: Vec<Arc<Session>> = {
            let state = account.lock();
            let sessions = state.resources.iter().map(|resource| &resource.session);
            sessions.filter(|session| !session.link().alive(moment)).cloned().collect()
        };
        for session in gone {
            end(server, &session).await;
        }
    }
    server.accounts.forget_idle();
}

/// The client has these offline messages: they no longer wait.
pub fn delivered(server: &Arc<Server>, account: &Account, ids: Vec<u64>) {
    if ids.is_empty() {
        return;
    }
    // Nobody waits for this: should it be lost, the messages come once more, with the same ids.
    let cleared = server.store.archive.clear_pending(account.id, Clear::Ids(ids));
    drop(cleared);
}

/// Makes room for one more session: one that waits for its client goes before a new one is
/// refused.
async fn make_room(server: &Arc<Server>, account: &Arc<Account>) -> Result<(), StanzaError> {
    let limit = usize::try_from(server.config().limits.sessions_per_account).unwrap_or(usize::MAX);
    loop {
        let waiting = {
            let state = account.lock();
            if state.resources.len() < limit {
                return Ok(());
            }
            let mut sessions = state.resources.iter().map(|resource| &resource.session);
            sessions.find(|session| !session.connected()).cloned()
        };
        match waiting {
            Some(session) => end(server, &session).await,
            None => return Err(StanzaError::new(Condition::ResourceConstraint)),
        }
    }
}

fn same_resource(account: &Account, jid: &FullJid) -> Option<Arc<Session>> {
    let state = account.lock();
    let mut sessions = state.resources.iter().map(|resource| &resource.session);
    sessions.find(|session| session.jid == *jid).cloned()
}

fn full(account: &Account, resource: &str) -> Result<FullJid, StanzaError> {
    let bad = |_| StanzaError::new(Condition::BadRequest);
    account.jid().with_resource_str(resource).map_err(bad)
}

/// A resource nobody can guess: who knows a full address can see whether it is online.
fn fresh_resource() -> Result<String, StanzaError> {
    super::resume::fresh_id().map_err(|_| StanzaError::new(Condition::InternalServerError))
}
