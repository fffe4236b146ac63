//! How sessions begin and end.

use std::sync::Arc;

use bytes::Bytes;
use store::archive::Clear;
use xmpp::{
    error::{Condition, StanzaError, StreamCondition, StreamError},
    jid::FullJid,
    sm::Entry,
    stanza::Kind,
    time::Millis,
};

use super::{
    Origin, Session,
    link::{Link, Sent},
    mailbox::MailboxLimits,
};
use crate::{
    account::{Account, Resource},
    ext::{ALL, offline},
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
    let session = Session::new(jid, account.clone(), origin, Link::new(MailboxLimits::DEFAULT));
    // One session at a time has to go until there is room; meanwhile others may bind, too.
    while let Some(old) = place(server, account, &session)? {
        old.close(StreamError::new(StreamCondition::Conflict));
        end(server, &old).await;
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
    if session.link().begin_end(|_| true) {
        bury(server, session).await;
    }
}

/// What is left to do once somebody has begun to end a session.
async fn bury(server: &Arc<Server>, session: &Arc<Session>) {
    let account = &session.account;
    if let Some(id) = session.link().resumption() {
        server.resumable.remove(id);
    }
    presence::unavailable(server, session, None).await;
    let (waiting, left) = {
        let mut state = account.lock();
        state.resources.retain(|resource| resource.session.number != session.number);
        offline::flush_ended(&mut state, session);
        // Under the lock: nobody can queue anything after this.
        let lost = session.link().end();
        let waited = lost.iter().any(|entry| entry.meta.pending);
        let Left { waiting, unkept } = Left::of(lost);
        let left = waited || !waiting.is_empty() || !unkept.is_empty();
        if !waiting.is_empty() {
            state.archive.begins_to_wait();
        }
        offline::keep_left(server, account, &mut state, unkept);
        (waiting, left)
    };
    session.nudge();
    server.metrics.sessions.decrement();
    if !waiting.is_empty() {
        // Their rows may be on their way to the store.
        account.submitted().await;
        if let Err(error) = server.store.archive.set_pending(account.id, waiting).await {
            server.store_failed("offline messages", &error);
        }
    }
    if left {
        offline::left_behind(&mut account.lock());
    }
    for hook in ALL.iter().filter_map(|extension| extension.session.closed) {
        hook(server, session).await;
    }
}

/// The messages that a session leaves, no other device has or is about to get, and that do not wait yet.
#[derive(Default)]
pub(super) struct Left {
    /// The ids of those in the archive.
    waiting: Vec<u64>,
    /// Those that no archive keeps.
    pub(super) unkept: Vec<(u64, Bytes)>,
}

impl Left {
    /// Of what its client never got or never acknowledged.
    pub(super) fn of(lost: Vec<Entry<Sent>>) -> Self {
        let mut left = Self::default();
        let last = |entry: &Entry<Sent>| !entry.meta.pending && entry.meta.copies.lost();
        for Entry { meta, bytes } in lost.into_iter().filter(last) {
            match meta.archived.filter(|_| meta.kind == Kind::Message) {
                Some(id) if meta.unkept => left.unkept.push((id, bytes)),
                id => left.waiting.extend(id),
            }
        }
        left
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
            let abandoned =
                |session: &&Arc<Session>| session.link().begin_end(|link| !link.alive(moment));
            sessions.filter(abandoned).cloned().collect()
        };
        for session in gone {
            bury(server, &session).await;
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

/// Gives a session its place among the account's resources, or says which one must go first: the
/// one with the same address, or one that waits for its client when there are too many.
fn place(
    server: &Server,
    account: &Account,
    session: &Arc<Session>,
) -> Result<Option<Arc<Session>>, StanzaError> {
    let limit = usize::try_from(server.config().limits.sessions_per_account).unwrap_or(usize::MAX);
    let mut state = account.lock();
    if state.deleted {
        return Err(StanzaError::new(Condition::NotAuthorized));
    }
    let mut sessions = state.resources.iter().map(|resource| &resource.session);
    if let Some(same) = sessions.clone().find(|old| old.jid == session.jid) {
        return Ok(Some(same.clone()));
    }
    if state.resources.len() >= limit {
        let waiting = sessions.find(|old| !old.connected()).cloned();
        return waiting.map(Some).ok_or_else(|| StanzaError::new(Condition::ResourceConstraint));
    }
    session.link().await_presence(server.now().plus(AWAITED));
    // Most people have one device or two: no room for four.
    state.resources.reserve_exact(1);
    state.resources.push(Resource::new(session.clone()));
    Ok(None)
}

fn full(account: &Account, resource: &str) -> Result<FullJid, StanzaError> {
    let bad = |_| StanzaError::new(Condition::BadRequest);
    account.jid().with_resource_str(resource).map_err(bad)
}

/// A resource nobody can guess: who knows a full address can see whether it is online.
fn fresh_resource() -> Result<String, StanzaError> {
    super::resume::fresh_id().map_err(|_| StanzaError::new(Condition::InternalServerError))
}

/// Milliseconds for which a client that was bound may leave open whether it takes messages.
const AWAITED: u64 = 5000;
