//! Sessions that may be resumed (XEP-0198 §5), also across a restart of the server.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use store::sessions::Hibernated;
use xmpp::{
    jid::{FullJid, Jid},
    sm::{self, Sm},
    stanza::{Kind, Stanza},
    time::Millis,
    xml::Limits,
};

use super::{
    Origin, Session,
    frame::Copies,
    life,
    link::{Link, Sent},
    mailbox::MailboxLimits,
};
use crate::{
    account::Resource,
    ext::{caps::Features, offline},
    im::presence::Available,
    server::Server,
};

/// Sessions by the id that their client resumes them with.
#[derive(Default)]
pub struct Resumable {
    sessions: Mutex<HashMap<Box<str>, Arc<Session>>>,
}

impl Resumable {
    /// The client of `session` may resume it with `id`.
    pub fn insert(&self, id: &str, session: Arc<Session>) {
        self.sessions.lock().insert(id.into(), session);
    }

    /// The session of an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions.lock().get(id).cloned()
    }

    /// The session is over.
    pub fn remove(&self, id: &str) {
        self.sessions.lock().remove(id);
    }
}

/// An id for resumption: 128 random bits, so that it cannot be guessed.
///
/// # Errors
/// When the system gives no randomness.
pub fn fresh_id() -> Result<String, getrandom::Error> {
    use base64::Engine as _;
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of a session while the server is down, beside stream management.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    jid: String,
    since: u64,
    detached: u64,
    mechanism: String,
    client: Option<String>,
    presence: Option<String>,
    priority: i8,
    carbons: bool,
    interested: bool,
    block_pushes: bool,
    inactive: bool,
    directed: Vec<String>,
    #[serde(default)]
    wants: Vec<String>,
}

/// Puts all sessions that can be resumed on disk. Called when their connections are closed.
///
/// # Errors
/// When the store could not be written: their clients will have to log in anew.
pub async fn hibernate(server: &Server) -> Result<usize, store::StoreError> {
    let now = server.now();
    // What was sent is settled first, so that as little as possible is sent again.
    server.store.archive.barrier().await?;
    let expires_at = store::Millis(now.plus(server.config().limits.resume().as_millis() as u64).0);
    let mut sessions = Vec::new();
    for account in server.accounts.all() {
        let resources = std::mem::take(&mut account.lock().resources);
        let (mut waiting, mut left) = (Vec::new(), Vec::new());
        for resource in resources {
            let mut link = resource.session.link();
            let inactive = link.inactive();
            let id: Option<Box<str>> = link.resumption().map(Into::into);
            let (unhandled, sm) = link.hibernate(now);
            // Should the client not come back in time, its messages wait like others'.
            let messages = unhandled.iter().filter(|entry| entry.meta.kind == Kind::Message);
            waiting.extend(messages.filter_map(|entry| entry.meta.archived));
            if let (Some(sm), Some(id)) = (sm, id) {
                let snapshot = snapshot(&resource, inactive, &sm, now);
                sessions.push(Hibernated { id, account: account.id, expires_at, snapshot });
            }
            left.extend(life::Left::of(unhandled).unkept);
        }
        offline::keep_left(server, &account, &mut account.lock(), left);
        // Their rows may be on their way to the store.
        account.submitted().await;
        if !waiting.is_empty() {
            server.store.archive.set_pending(account.id, waiting).await?;
        }
    }
    let count = sessions.len();
    server.store.sessions.save(sessions).await?;
    Ok(count)
}

/// Takes the sessions of before the restart back from disk.
///
/// # Errors
/// When the store could not be read.
pub async fn restore(server: &Arc<Server>) -> Result<usize, store::StoreError> {
    let now = server.now();
    let mut count = 0;
    for hibernated in server.store.sessions.take_all(store::Millis(now.0)).await? {
        let Some((facts, sm)) = parse(&hibernated.snapshot, server.sm_limits()) else {
            tracing::warn!("a stored session cannot be read; its client will log in anew");
            continue;
        };
        let Ok(jid) = FullJid::new(&facts.jid) else { continue };
        let Some(account) = server.account(&jid.clone().into()).await? else { continue };
        let mut link = Link::detached(MailboxLimits::DEFAULT, sm, Millis(facts.detached));
        link.set_resumption(&hibernated.id);
        link.set_inactive(facts.inactive);
        let origin = Origin {
            mechanism: facts.mechanism,
            client: facts.client,
            since: Millis(facts.since),
            ..Origin::default()
        };
        let session = Session::new(jid, account.clone(), origin, link);
        let mut resource = Resource::new(session.clone());
        resource.available = facts.presence.and_then(|xml| {
            let stanza = Stanza::parse(Bytes::from(xml), &Limits::SERVER).ok()?;
            Some(Available { stanza, priority: facts.priority })
        });
        resource.carbons = facts.carbons;
        resource.interested = facts.interested;
        resource.block_pushes = facts.block_pushes;
        resource.directed = facts.directed.iter().filter_map(|jid| Jid::new(jid).ok()).collect();
        resource.features = Features::recalled(facts.wants);
        account.lock().resources.push(resource);
        server.resumable.insert(&hibernated.id, session);
        count += 1;
    }
    Ok(count)
}

/// Length of the facts in four bytes, the facts as JSON, then stream management.
fn snapshot(resource: &Resource, inactive: bool, sm: &Sm<Sent>, now: Millis) -> Bytes {
    let session = &resource.session;
    let available = resource.available.as_ref();
    let facts = Facts {
        jid: session.full().to_owned(),
        since: session.origin.since.0,
        detached: now.0,
        mechanism: session.origin.mechanism.clone(),
        client: session.origin.client.clone(),
        presence: available
            .and_then(|presence| String::from_utf8(presence.stanza.bytes().to_vec()).ok()),
        priority: available.map_or(0, |presence| presence.priority),
        carbons: resource.carbons,
        interested: resource.interested,
        block_pushes: resource.block_pushes,
        inactive,
        directed: resource.directed.iter().map(|jid| jid.as_str().to_owned()).collect(),
        wants: resource.features.iter().flat_map(|features| features.wanted()).collect(),
    };
    let json = serde_json::to_vec(&facts).unwrap_or_default();
    let sm = sm.snapshot(write_sent);
    let mut bytes = Vec::with_capacity(4 + json.len() + sm.len());
    bytes.extend_from_slice(&u32::try_from(json.len()).unwrap_or(0).to_be_bytes());
    bytes.extend_from_slice(&json);
    bytes.extend_from_slice(&sm);
    bytes.into()
}

fn parse(snapshot: &Bytes, limits: sm::Limits) -> Option<(Facts, Sm<Sent>)> {
    let (length, rest) = snapshot.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let facts = serde_json::from_slice(rest.get(..length)?).ok()?;
    let sm = Sm::restore(limits, &snapshot.slice(4 + length..), read_sent)?;
    Some((facts, sm))
}

fn write_sent(sent: &Sent, out: &mut Vec<u8>) {
    out.push(match sent.kind {
        Kind::Message => b'm',
        Kind::Presence => b'p',
        Kind::Iq => b'i',
        Kind::Other => b'o',
    });
    // From now on it waits in the offline queue, too; see `hibernate`.
    let pending = u8::from(sent.pending || sent.archived.is_some());
    out.push(pending | u8::from(sent.shared) << 1);
    if let Some(id) = sent.archived {
        out.extend_from_slice(&id.to_be_bytes());
    }
}

fn read_sent(bytes: &[u8]) -> Option<Sent> {
    let (&[kind, flags], id) = bytes.split_first_chunk::<2>()?;
    let kind = match kind {
        b'm' => Kind::Message,
        b'p' => Kind::Presence,
        b'i' => Kind::Iq,
        _ => Kind::Other,
    };
    let archived = id.first_chunk().map(|id| u64::from_be_bytes(*id));
    let (pending, shared, copies) = (flags & 1 != 0, flags & 2 != 0, Copies::default());
    Some(Sent { kind, archived, pending, shared, unkept: false, copies })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::frame::Frame;

    #[test]
    fn what_was_sent_is_read_back_as_it_was_written() {
        for (kind, archived, shared) in [
            (Kind::Message, Some(7), false),
            (Kind::Message, None, true),
            (Kind::Presence, None, true),
            (Kind::Iq, None, false),
        ] {
            let (pending, copies) = (archived.is_some(), Copies::default());
            let sent = Sent { kind, archived, pending, shared, unkept: false, copies };
            let mut bytes = Vec::new();
            write_sent(&sent, &mut bytes);
            assert_eq!(read_sent(&bytes), Some(sent));
        }
        // From before stanzas were shared.
        let old = Sent::from(&Frame::presence(Bytes::new()));
        assert_eq!(read_sent(&[b'p', 0]), Some(old));
    }
}
