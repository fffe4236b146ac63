//! The archive that messages are put into: it knows what is there already.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use store::{
    AccountId, Millis, Store, StoreError,
    archive::{Append, PageError, Paging, Query, Row, Ticket, Unit},
    retentions::Retention,
};
use xmpp::{
    ns,
    xml::{Element, Limits},
};

use crate::{config::Config, ext::archive::retention};

/// An archive.
pub(super) struct Shelf {
    /// Where it is written; nowhere in a trial run.
    archive: Option<AccountId>,
    /// Whose `<stanza-id/>` its messages have.
    by: String,
    next: u64,
    /// How many rows there are of each identity that nothing was found for yet.
    there: HashMap<u64, u32>,
    /// Where the newest messages are, whenever they came.
    newest: HashMap<u64, Found>,
    order: VecDeque<u64>,
    failures: Arc<Failures>,
    /// How long it is kept; `None` for as long as all others.
    said: Option<Retention>,
}

/// A message for the shelf.
pub(super) struct Entry {
    pub(super) at: Millis,
    pub(super) with: Box<str>,
    pub(super) resource: Option<Box<str>>,
    pub(super) outgoing: bool,
    pub(super) pending: bool,
    /// Without the archive's `<stanza-id/>`.
    pub(super) message: Element,
}

/// A message that is in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: u64,
    /// It was not there before this run.
    pub(super) added: bool,
    /// This run met it already.
    pub(super) counted: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It is new.
    Added,
    /// It was there.
    Known,
    /// It is larger than a message may be.
    TooLarge,
}

/// Units that did not reach the disk.
#[derive(Default)]
struct Failures(AtomicU64);

impl Ticket for Failures {
    fn settled(&self, _: u64, outcome: Result<(), &StoreError>) {
        if outcome.is_err() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shelf {
    /// Opens an archive and reads what is in it. There may be none yet in a trial run, which writes
    /// nothing.
    pub(super) async fn open(
        store: &Store,
        archive: Option<AccountId>,
        by: &str,
        trial: bool,
    ) -> Result<Shelf, StoreError> {
        let mut shelf = Shelf {
            archive: archive.filter(|_| !trial),
            by: by.to_owned(),
            next: 1,
            there: HashMap::new(),
            newest: HashMap::new(),
            order: VecDeque::new(),
            failures: Arc::default(),
            said: None,
        };
        let Some(archive) = archive else { return Ok(shelf) };
        shelf.said = Some(store.retentions.of(archive).await?);
        store.archive.barrier().await?;
        shelf.next = store.archive.tail(archive, Millis(u64::MAX >> 1)).await?.next;
        let mut page = Paging::First;
        while store.archive.ends(archive).await?.is_some() {
            let query = Query { page, max: store::archive::MAX_PAGE, ..Query::default() };
            let found = match store.archive.page(archive, query).await {
                Ok(found) => found,
                Err(PageError::UnknownId(_)) => break,
                Err(PageError::Store(error)) => return Err(error),
            };
            found.rows.iter().for_each(|row| shelf.remember(row));
            match found.rows.last() {
                Some(last) if !found.complete => page = Paging::After(last.id),
                _ => break,
            }
        }
        let mut after = 0;
        loop {
            let rows = store.archive.pending(archive, after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            rows.iter().filter(|row| row.hidden).for_each(|row| shelf.remember(row));
        }
        Ok(shelf)
    }

    /// Whether a message that came then is kept no longer, and goes soon.
    pub(super) fn is_old(&self, config: &Config, at: Millis, pending: bool, now: Millis) -> bool {
        let days = match &self.said {
            None => config.archive.retention_days,
            Some(said) if pending => retention::most_days(config, said),
            Some(said) => retention::days(config, said),
        };
        days > 0 && at.0 < now.0.saturating_sub(days.saturating_mul(DAY))
    }

    fn remember(&mut self, row: &Row) {
        let Some(message) = super::stanza(&row.stanza) else { return };
        let message = normal(message, &self.by);
        *self.there.entry(identity(row.at, row.outgoing, &message)).or_default() += 1;
        self.note(&message, Found { id: row.id, added: false, counted: false });
    }

    fn note(&mut self, message: &Element, found: Found) {
        let said = content(message);
        if self.newest.insert(said, found).is_none() {
            self.order.push_back(said);
        }
        if self.order.len() > MOST_NEWEST
            && let Some(oldest) = self.order.pop_front()
        {
            self.newest.remove(&oldest);
        }
    }

    /// Adds a message, unless it is there.
    pub(super) async fn put(&mut self, store: &Store, entry: Entry) -> Result<Put, StoreError> {
        let message = normal(entry.message, &self.by);
        let identity = identity(entry.at, entry.outgoing, &message);
        if let Some(left) = self.there.get_mut(&identity).filter(|left| **left > 0) {
            *left -= 1;
            if let Some(found) = self.newest.get_mut(&content(&message)) {
                found.counted = true;
            }
            return Ok(Put::Known);
        }
        let id = self.next;
        let Some(stanza) = stanza(&message, &self.by, id) else { return Ok(Put::TooLarge) };
        self.next += 1;
        self.note(&message, Found { id, added: true, counted: true });
        let Some(archive) = self.archive else { return Ok(Put::Added) };
        let append = Append {
            account: archive,
            id,
            at: entry.at,
            with: entry.with,
            resource: entry.resource,
            outgoing: entry.outgoing,
            origin_hash: None,
            pending: entry.pending,
            hidden: false,
            stanza,
        };
        let unit: Unit = std::iter::once(append).collect();
        let ticket: Arc<dyn Ticket> = self.failures.clone();
        while store.archive.append(unit.clone(), Some((ticket.clone(), id))).is_err() {
            match store.archive.room() {
                Some(room) => room.await?,
                None => store.archive.barrier().await?,
            }
        }
        Ok(Put::Added)
    }

    /// A message that says the same, whenever it came: one that also waits.
    pub(super) fn find(&self, message: &Element) -> Option<Found> {
        self.newest.get(&content(&normal(message.clone(), &self.by))).copied()
    }

    /// Everything is on disk.
    pub(super) async fn close(self, store: &Store) -> Result<(), StoreError> {
        if self.archive.is_none() {
            return Ok(());
        }
        store.archive.barrier().await?;
        match self.failures.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            lost => Err(StoreError::Io(format!("{lost} messages could not be written"))),
        }
    }
}

/// The bytes to keep; `None` when the message is not one that clients could be given.
fn stanza(message: &Element, by: &str, id: u64) -> Option<Bytes> {
    let stamp = Element::new("stanza-id", ns::STANZA_ID).with_attr("by", by);
    let message = message.clone().with_child(stamp.with_attr("id", id.to_string()));
    let bytes = message.to_bytes(ns::CLIENT);
    xmpp::stanza::Stanza::parse(bytes.clone(), &Limits::SERVER).ok().map(|_| bytes)
}

/// The message in one form, whoever wrote it: attributes in order, without what archives and queues add.
fn normal(message: Element, by: &str) -> Element {
    let mut attributes: Vec<(String, String)> =
        message.attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    attributes.sort_unstable();
    let mut normal = Element::new("message", ns::CLIENT);
    for (name, value) in attributes {
        normal.set_attr(name, value);
    }
    let added = |child: &Element| {
        (child.is("stanza-id", ns::STANZA_ID) && child.attr("by") == Some(by))
            || child.is("archived", ARCHIVED)
    };
    normal.with_children(message.into_children().filter(|child| !added(child)))
}

/// A number for a row: when it came, which way, and what it says.
fn identity(at: Millis, outgoing: bool, message: &Element) -> u64 {
    let head = at.0.to_be_bytes().into_iter().chain([u8::from(outgoing)]);
    hash(head.chain(message.to_bytes(ns::CLIENT)))
}

/// A number for what a message says, whenever it came.
fn content(message: &Element) -> u64 {
    let mut message = message.clone();
    message.retain_children(|child| !child.is("delay", ns::DELAY));
    hash(message.to_bytes(ns::CLIENT).into_iter())
}

/// FNV-1a.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What ejabberd writes beside the id.
const ARCHIVED: &str = "urn:xmpp:mam:tmp";
const BATCH: u32 = 500;
/// Milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;
/// Messages among which those that wait are looked for.
const MOST_NEWEST: usize = 20_000;

#[cfg(test)]
mod tests {
    use store::accounts::NewAccount;

    use super::*;

    #[tokio::test]
    async fn a_message_is_old_when_its_archive_keeps_it_no_longer() {
        let store = store::sqlite::open_in_memory(Default::default()).unwrap();
        let account = NewAccount {
            name: "juliet".into(),
            credentials: Vec::new(),
            admin: false,
            ignore_reservation: false,
            created_at: Millis(0),
            invited_by: None,
            invite: None,
        };
        let juliet = store.accounts.create(account).await.unwrap();
        let config = Config::for_domain("example.org").unwrap();
        let (now, by) = (Millis(100 * DAY), "juliet@example.org");
        let old = async |archive, pending| {
            let shelf = Shelf::open(&store, archive, by, true).await.unwrap();
            [5, 20, 40].map(|age| shelf.is_old(&config, Millis(now.0 - age * DAY), pending, now))
        };
        assert_eq!(old(None, false).await, [false, false, true], "as all others");
        assert_eq!(old(Some(juliet), false).await, [false, false, true]);
        store.retentions.set(juliet, Some(0)).await.unwrap();
        assert_eq!(old(Some(juliet), false).await, [false; 3], "for ever");
        store.retentions.choose(juliet, Some(7)).await.unwrap();
        assert_eq!(old(Some(juliet), false).await, [false, true, true]);
        assert_eq!(old(Some(juliet), true).await, [false; 3], "no device has it");
    }
}
