//! Waking devices that sleep: XEP-0357 through app servers, and Web Push (RFC 8030) straight to
//! browsers and UnifiedPush distributors.
//!
//! A registration is woken at most once at a time: what happens while a notification is on its
//! way, or waits for another try, becomes one more. A notification says that something is there,
//! and never who wrote or what.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use store::{AccountId, push::Registration as Row};
use tokio::sync::{Notify, Semaphore, SemaphorePermit, mpsc};
use xmpp::{jid::Jid, time::Millis};

use self::progress::{Next, Outcome, Progress};
use crate::{
    account::{Account, AccountState},
    net::listen::down,
    serve::ServeError,
    server::Server,
    session::Session,
};

pub mod app;
pub mod progress;
pub mod rooms;
mod turns;
pub mod web;

pub use self::progress::Reason;

/// Everything that wants to be woken.
pub struct Pushes {
    /// By the name of the account.
    table: RwLock<HashMap<Box<str>, Vec<Arc<Registration>>>>,
    /// Registrations that have something to send: each at most once.
    work: mpsc::UnboundedSender<Arc<Registration>>,
    waiting_work: Mutex<Option<mpsc::UnboundedReceiver<Arc<Registration>>>>,
    /// What was written in rooms.
    lines: turns::Turns,
    /// Posts to push services.
    poster: web::Poster,
    /// Posts under way at a time.
    slots: Semaphore,
    /// Those among them that can let others go first.
    patient: Semaphore,
}

/// A place that a device of an account wants to be woken through.
pub struct Registration {
    /// Whose device.
    pub account: AccountId,
    /// The name of the account.
    pub name: Box<str>,
    /// The service; the server's own address for Web Push.
    pub service: Jid,
    /// The node there; empty when the client named none.
    pub node: Box<str>,
    /// Resource of the session that asked for it last: while that one is there and active, its
    /// client needs no waking.
    pub resource: Box<str>,
    /// When that was.
    pub enabled_at: Millis,
    /// How to send.
    pub way: Way,
    progress: Mutex<Progress>,
    /// What the disk has of what is to be told.
    kept: Mutex<Option<(Reason, Millis)>>,
    /// What is to be told can no longer let others go first.
    hurry: Notify,
}

/// A place among the posts.
struct Place<'a> {
    _patient: Option<SemaphorePermit<'a>>,
    _slot: SemaphorePermit<'a>,
}

/// What the disk has of a registration beside its columns.
#[derive(Serialize, Deserialize)]
struct Details<W> {
    #[serde(flatten)]
    way: W,
    /// What was to be told and has not arrived, and since when it was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<(Reason, u64)>,
}

/// How a notification travels.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// As a publication to the service (XEP-0357 §7).
    App {
        /// The form of publish options that goes along, as XML.
        options: Option<String>,
    },
    /// Over HTTPS, encrypted for the device (RFC 8291).
    Web(web::Subscription),
}

impl Default for Pushes {
    fn default() -> Self {
        let (work, waiting_work) = mpsc::unbounded_channel();
        Self {
            table: RwLock::default(),
            work,
            waiting_work: Mutex::new(Some(waiting_work)),
            lines: turns::Turns::default(),
            poster: web::Poster::default(),
            slots: Semaphore::new(POSTS),
            patient: Semaphore::new(POSTS / 2),
        }
    }
}

impl Registration {
    /// A registration that a client asks for.
    #[must_use]
    pub fn new(session: &Session, service: Jid, node: &str, way: Way, now: Millis) -> Self {
        Self {
            account: session.account.id,
            name: session.account.name().into(),
            service,
            node: node.into(),
            resource: session.resource().into(),
            enabled_at: now,
            way,
            progress: Mutex::default(),
            kept: Mutex::default(),
            hurry: Notify::new(),
        }
    }

    /// A registration as it was stored; `None` when it cannot be read.
    #[must_use]
    pub fn restore(row: Row, name: &str) -> Option<Self> {
        let details: Details<Way> = serde_json::from_slice(&row.details).ok()?;
        Some(Self {
            account: row.account,
            name: name.into(),
            service: Jid::new(&row.service).ok()?,
            node: row.node,
            resource: row.resource,
            enabled_at: Millis(row.enabled_at.0),
            way: details.way,
            progress: Mutex::default(),
            kept: Mutex::new(details.due.map(|(reason, since)| (reason, Millis(since)))),
            hurry: Notify::new(),
        })
    }

    fn row(&self, due: Option<(Reason, Millis)>) -> Row {
        let due = due.map(|(reason, since)| (reason, since.0));
        let details = Details { way: &self.way, due };
        Row {
            account: self.account,
            service: self.service.as_str().into(),
            node: self.node.clone(),
            resource: self.resource.clone(),
            enabled_at: store::Millis(self.enabled_at.0),
            details: Bytes::from(serde_json::to_vec(&details).unwrap_or_default()),
        }
    }

    fn is(&self, service: &Jid, node: &str) -> bool {
        self.service == *service && *self.node == *node
    }

    /// What is known of its notifications.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.lock().clone()
    }

    /// Whether its device is connected and somebody looks at it.
    fn awake(&self, state: &AccountState) -> bool {
        state.resources.iter().any(|resource| {
            let session = &resource.session;
            session.resource() == &*self.resource
                && session.connected()
                && !session.link().inactive()
        })
    }
}

impl Pushes {
    /// Whether anybody wants to be woken at all.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.table.read().is_empty()
    }

    /// The registrations of an account.
    #[must_use]
    pub fn of(&self, name: &str) -> Vec<Arc<Registration>> {
        self.table.read().get(name).cloned().unwrap_or_default()
    }

    /// Every registration.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Registration>> {
        self.table.read().values().flatten().cloned().collect()
    }

    /// Whether an account has a registration.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.table.read().contains_key(name)
    }

    /// The registrations of an account whose device sleeps. The state is the account's.
    #[must_use]
    pub fn asleep(&self, name: &str, state: &AccountState) -> Vec<Arc<Registration>> {
        let table = self.table.read();
        let registrations = table.get(name).into_iter().flatten();
        registrations.filter(|registration| !registration.awake(state)).cloned().collect()
    }

    /// Something is there for a device that sleeps.
    pub fn wake(&self, registration: &Arc<Registration>, reason: Reason, now: Millis) {
        if registration.progress.lock().wake(now, reason) {
            // An error means that the server is going down.
            drop(self.work.send(registration.clone()));
        }
        registration.hurry.notify_one();
    }

    /// Wakes every device of an account that sleeps.
    pub fn wake_all(&self, account: &Account, reason: Reason, now: Millis) {
        if self.has(account.name()) {
            let asleep = self.asleep(account.name(), &account.lock());
            for registration in asleep {
                self.wake(&registration, reason, now);
            }
        }
    }

    /// Something was written in a room. Dropped when far too much is written there at once.
    pub fn line(&self, line: rooms::Line) {
        self.lines.put(line);
    }

    /// Waits for a place among the posts. What rooms say, to thousands at once, leaves half of them to
    /// everything else.
    async fn place(&self, registration: &Registration) -> Option<Place<'_>> {
        let patient = loop {
            if registration.progress.lock().gather() != Some(Reason::Line) {
                break None;
            }
            tokio::select! {
                permit = self.patient.acquire() => break Some(permit.ok()?),
                () = registration.hurry.notified() => {}
            }
        };
        Some(Place { _patient: patient, _slot: self.slots.acquire().await.ok()? })
    }

    fn insert(&self, registration: Registration, limit: usize) -> Vec<Arc<Registration>> {
        let mut table = self.table.write();
        let all = table.entry(registration.name.clone()).or_default();
        if let Some(at) = all.iter().position(|o| o.is(&registration.service, &registration.node)) {
            all.remove(at).progress.lock().end();
        }
        let mut gone = Vec::new();
        while all.len() >= limit.max(1) {
            let oldest = all.iter().enumerate().min_by_key(|(_, r)| r.enabled_at);
            let Some(at) = oldest.map(|(at, _)| at) else { break };
            gone.push(all.remove(at));
        }
        all.push(Arc::new(registration));
        gone
    }

    fn remove(&self, name: &str, which: impl Fn(&Registration) -> bool) -> Vec<Arc<Registration>> {
        let mut table = self.table.write();
        let Some(all) = table.get_mut(name) else { return Vec::new() };
        let (gone, left): (Vec<_>, Vec<_>) = all.drain(..).partition(|r| which(r));
        *all = left;
        if all.is_empty() {
            table.remove(name);
        }
        drop(table);
        for registration in &gone {
            registration.progress.lock().end();
        }
        gone
    }

    /// The account was deleted: nothing of it is left.
    pub fn forget_account(&self, name: &str) {
        self.remove(name, |_| true);
    }
}

/// Keeps a registration, on disk first. The oldest of the account make room when it has too many.
///
/// # Errors
/// When the store failed.
pub async fn enable(server: &Server, registration: Registration) -> Result<(), store::StoreError> {
    server.store.push.save(registration.row(None)).await?;
    let limit = server.config().push.registrations_per_account;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    for gone in server.pushes.insert(registration, limit) {
        gone.progress.lock().end();
        let service = gone.service.as_str();
        server.store.push.delete(gone.account, service, Some(&gone.node)).await?;
    }
    Ok(())
}

/// Forgets one registration of an account, or all of a service when no node is given. Returns how
/// many there were.
///
/// # Errors
/// When the store failed.
pub async fn disable(
    server: &Server,
    account: (AccountId, &str),
    service: &Jid,
    node: Option<&str>,
) -> Result<u64, store::StoreError> {
    let (id, name) = account;
    let ours = |r: &Registration| r.service == *service && node.is_none_or(|node| node == &*r.node);
    server.pushes.remove(name, ours);
    server.store.push.delete(id, service.as_str(), node).await
}

/// The service of a registration takes no more notifications.
pub async fn withdraw(server: Arc<Server>, registration: Arc<Registration>) {
    let account = (registration.account, &*registration.name);
    let (service, node) = (&registration.service, Some(&*registration.node));
    if let Err(error) = disable(&server, account, service, node).await {
        server.store_failed("push", &error);
    }
}

/// Takes the registrations from disk, and the key that push services know this server by.
///
/// # Errors
/// When the store or the key could not be read.
pub async fn restore(server: &Arc<Server>) -> Result<usize, ServeError> {
    if !server.config().push.enabled {
        return Ok(0);
    }
    server.pushes.poster.open(server.home()).map_err(ServeError::Push)?;
    let rows = server.store.push.list(None).await?;
    let mut names: HashMap<AccountId, Box<str>> = HashMap::new();
    let mut count = 0;
    for row in rows {
        let name = match names.get(&row.account) {
            Some(name) => name.clone(),
            None => {
                let Some(account) = server.store.accounts.by_id(row.account).await? else {
                    continue;
                };
                names.insert(row.account, account.name.clone());
                account.name
            }
        };
        if let Some(registration) = Registration::restore(row, &name) {
            server.pushes.insert(registration, usize::MAX);
            count += 1;
        }
    }
    // What the last run had to tell and did not get through.
    for registration in server.pushes.all() {
        let kept = *registration.kept.lock();
        if let Some((reason, since)) = kept {
            server.pushes.wake(&registration, reason, since);
        }
    }
    Ok(count)
}

/// Sends what is to be sent until the server goes down.
pub async fn supervise(server: Arc<Server>) {
    let Some(mut work) = server.pushes.waiting_work.lock().take() else { return };
    for _ in 0..LOOKING {
        tokio::spawn(rooms::watch(server.clone()));
    }
    let mut shutdown = server.shutdown.subscribe();
    loop {
        tokio::select! {
            () = down(&mut shutdown) => return,
            Some(registration) = work.recv() => {
                tokio::spawn(send(server.clone(), registration));
            }
        }
    }
}

/// Has the disk know what is to be told, so that a restart or a crash does not lose it.
async fn keep(server: &Server, registration: &Registration) {
    let due = registration.progress.lock().unfinished();
    if std::mem::replace(&mut *registration.kept.lock(), due) == due {
        return;
    }
    if let Err(error) = server.store.push.update(registration.row(due)).await {
        server.store_failed("push", &error);
    }
}

/// Sends the notifications of one registration until there are none.
async fn send(server: Arc<Server>, registration: Arc<Registration>) {
    loop {
        let next = registration.progress.lock().next(server.steady());
        keep(&server, &registration).await;
        let reason = match next {
            Next::Over => return,
            Next::Wait(pause) => {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                continue;
            }
            Next::Send(reason) => reason,
        };
        let outcome = match &registration.way {
            Way::App { options } => {
                let options = options.as_deref();
                app::publish(&server, &registration, options, reason).await
            }
            Way::Web(subscription) => {
                let Some(_place) = server.pushes.place(&registration).await else { return };
                let reason = registration.progress.lock().gather().unwrap_or(reason);
                web::post(&server, subscription, reason).await
            }
        };
        match &outcome {
            Outcome::Arrived => server.metrics.push_sent.increment(),
            Outcome::Later { why, .. } | Outcome::Gone(why) => {
                server.metrics.push_failed.increment();
                tracing::debug!(service = registration.shown(), why, "push_failed");
            }
        }
        let over = registration.progress.lock().settled(server.steady(), outcome);
        if over {
            return withdraw(server, registration).await;
        }
    }
}

impl Registration {
    /// Where notifications go, without what would let somebody else send them.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.way {
            Way::App { .. } => self.service.as_str().to_owned(),
            Way::Web(subscription) => subscription.origin(),
        }
    }
}

/// A session lost its connection, or is over. What its client never got is there for it when it
/// wakes up.
pub fn left(server: &Server, session: &Session) {
    let name = session.account.name();
    for registration in server.pushes.of(name) {
        if *registration.resource == *session.resource() {
            server.pushes.wake(&registration, Reason::Message, server.steady());
        }
    }
}

/// The key by which push services recognise this server, in base64url (RFC 8292 §3.2): what a page
/// gives to its browser. `None` before the server serves.
#[must_use]
pub fn public_key(server: &Server) -> Option<String> {
    server.pushes.poster.public_key()
}

/// The configuration was read again: authorities may have changed.
pub fn reloaded(server: &Server) {
    server.pushes.poster.forget_trust();
}

/// Tasks that look at what was written in rooms.
const LOOKING: usize = 2;
/// Posts to push services at a time.
const POSTS: usize = 64;

#[cfg(test)]
mod tests;
