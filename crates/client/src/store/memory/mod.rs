//! A store that keeps nothing when the program ends: for tests, and for whoever wants no traces.
//!
//! A [`MemoryStore`] is a handle. Its clones are the same store, so a test can drop a core and build
//! another one from what the first had committed; [`MemoryStore::crash`] is the power failure
//! between. Failures are ordered beforehand with [`MemoryStore::fail_next_commit`] and
//! [`MemoryStore::fail_write`].

mod tables;

use std::cmp::Reverse;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xmpp::jid::BareJid;
use zeroize::Zeroizing;

use self::tables::{END, Ratchet, Tables, first};
use super::{
    ArchiveState, Archives, Contact, Contacts, Conversation, Conversations, DeviceEntry, Devices,
    Hidden, HiddenPage, Identity, Login, Look, Looked, Media, Message, MessageId, Outbox,
    OwnDevice, Place, Position, Profile, Queued, QueuedId, Reference, Result, SessionKey, Store,
    StoreError, Timeline, Trace, Traces, Version, within_limit,
};

/// A store in memory, shared by its clones.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Tables>>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What a power failure does: a step that was not committed is gone.
    pub fn crash(&self) {
        self.tables().end_step(false);
    }

    /// Another store with what this one has committed: a backup of it.
    #[must_use]
    pub fn backup(&self) -> Self {
        Self(Arc::new(Mutex::new(self.tables().copy())))
    }

    /// Lets the next commit fail, so that nothing of its step is kept.
    pub fn fail_next_commit(&self, error: StoreError) {
        self.tables().commit_failure = Some(error);
    }

    /// Lets a later write fail: the next one for 0, the one after it for 1.
    pub fn fail_write(&self, later: usize, error: StoreError) {
        self.tables().write_failure = Some((later, error));
    }

    /// How many steps were committed.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.tables().commits
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A test that panicked while it held the lock left whole rows behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tables for a write, unless it was ordered to fail.
    fn write(&self) -> Result<MutexGuard<'_, Tables>> {
        let mut tables = self.tables();
        match tables.write_failure.take() {
            Some((0, error)) => return Err(error),
            Some((later, error)) => tables.write_failure = Some((later - 1, error)),
            None => {}
        }
        Ok(tables)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Store for MemoryStore {
    fn begin(&self) -> Result<()> {
        let mut tables = self.tables();
        tables.end_step(false);
        tables.in_step = true;
        Ok(())
    }

    fn commit(&self) -> Result<()> {
        let mut tables = self.tables();
        let failure = tables.commit_failure.take();
        tables.end_step(failure.is_none());
        match failure {
            Some(error) => Err(error),
            None => {
                tables.commits += 1;
                Ok(())
            }
        }
    }

    fn rollback(&self) {
        self.tables().end_step(false);
    }

    fn wipe(&self) -> Result<()> {
        *self.write()? = Tables::default();
        Ok(())
    }
}

impl Profile for MemoryStore {
    fn login(&self) -> Result<Option<Login>> {
        Ok(self.tables().login.rows.get(&()).cloned())
    }

    fn save_login(&self, login: &Login) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.login.set((), Some(login.clone()), step);
        Ok(())
    }

    fn value(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(self.tables().values.rows.get(name).cloned())
    }

    fn save_value(&self, name: &str, value: Option<&[u8]>) -> Result<()> {
        within_limit(value)?;
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.values.set(name.into(), value.map(|value| value.to_vec().into()), step);
        Ok(())
    }
}

impl Contacts for MemoryStore {
    fn contacts(&self) -> Result<Vec<Contact>> {
        Ok(self.tables().contacts.values())
    }

    fn save_contact(&self, contact: &Contact) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.contacts.set(contact.address.clone(), Some(contact.clone()), step);
        Ok(())
    }

    fn remove_contact(&self, address: &BareJid) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.contacts.set(address.clone(), None, step);
        Ok(())
    }
}

impl Conversations for MemoryStore {
    fn conversations(&self) -> Result<Vec<Conversation>> {
        Ok(self.tables().conversations.values())
    }

    fn save_conversation(&self, conversation: &Conversation) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        let address = conversation.address.clone();
        tables.conversations.set(address, Some(conversation.clone()), step);
        Ok(())
    }
}

impl Timeline for MemoryStore {
    fn append(&self, message: &Message) -> Result<MessageId> {
        let mut tables = self.write()?;
        tables.last_message += 1;
        let id = MessageId(tables.last_message);
        tables.set_message(id, Some(Message { id, ..message.clone() }));
        Ok(id)
    }

    fn save_message(&self, message: &Message) -> Result<()> {
        let mut tables = self.write()?;
        if tables.message(message.id).is_some() {
            tables.set_message(message.id, Some(message.clone()));
        }
        Ok(())
    }

    fn message(&self, id: MessageId) -> Result<Option<Message>> {
        Ok(self.tables().message(id).map(|message| (**message).clone()))
    }

    fn find(&self, conversation: &BareJid, reference: &Reference) -> Result<Option<Message>> {
        let tables = self.tables();
        let mut all = tables.in_order(conversation, first(Position(0)), END).rev();
        Ok(all.find(|message| is_called(message, reference)).map(|message| (**message).clone()))
    }

    fn before(
        &self,
        conversation: &BareJid,
        position: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let tables = self.tables();
        let end = position.map_or(END, first);
        let found = tables.in_order(conversation, first(Position(0)), end).rev().take(limit);
        let mut page: Vec<Message> = found.map(|message| (**message).clone()).collect();
        page.reverse();
        Ok(page)
    }

    fn after(
        &self,
        conversation: &BareJid,
        position: Position,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let tables = self.tables();
        let Some(next) = position.0.checked_add(1) else { return Ok(Vec::new()) };
        let found = tables.in_order(conversation, first(Position(next)), END).take(limit);
        Ok(found.map(|message| (**message).clone()).collect())
    }

    fn look(&self, look: &Look<'_>) -> Result<Looked> {
        let tables = self.tables();
        let is_there = |message: &Message| {
            look.conversation.is_none_or(|address| message.conversation == *address)
                && look.from.is_none_or(|from| Place::of(message) < from)
        };
        let rows = tables.messages.rows.values();
        let rows = rows.filter(|message| is_there(message) && !tables.hides(message));
        let mut rows: Vec<&Arc<Message>> = rows.collect();
        rows.sort_by_key(|message| Reverse(Place::of(message)));
        let mut looked = Looked::default();
        for (at, message) in rows.iter().enumerate() {
            if at == look.rows.max(1) || looked.found.len() == look.found.max(1) {
                return Ok(looked);
            }
            if look.wanted.is(message) {
                looked.found.push((***message).clone());
            }
            looked.next = Some(Place::of(message));
        }
        Ok(Looked { next: None, ..looked })
    }

    fn remove_message(&self, id: MessageId) -> Result<()> {
        self.write()?.set_message(id, None);
        Ok(())
    }
}

impl Traces for MemoryStore {
    fn trace(&self, conversation: &BareJid, reference: &Reference) -> Result<Option<Trace>> {
        let tables = self.tables();
        let key = (conversation.clone(), reference.clone());
        if let Some(trace) = tables.traces.rows.get(&key) {
            return Ok(Some(*trace));
        }
        let called = tables.hidden_of(conversation).filter(|one| is_called(one, reference));
        let archived = called.map(|message| message.archive_id.is_some()).min();
        Ok(archived.map(|archived| Trace { archived }))
    }

    fn save_trace(
        &self,
        conversation: &BareJid,
        reference: &Reference,
        trace: Trace,
    ) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.traces.set((conversation.clone(), reference.clone()), Some(trace), step);
        Ok(())
    }
}

fn is_called(message: &Message, reference: &Reference) -> bool {
    match reference {
        Reference::Origin(sender, id) => {
            message.sender == *sender && message.origin_id.as_ref() == Some(id)
        }
        Reference::Archive(id) => message.archive_id.as_ref() == Some(id),
    }
}

impl Hidden for MemoryStore {
    fn hide(&self, conversation: &BareJid) -> Result<()> {
        let mut tables = self.write()?;
        let (step, last) = (tables.in_step, MessageId(tables.last_message));
        tables.hidden.set(conversation.clone(), Some(last), step);
        Ok(())
    }

    fn is_hiding(&self) -> Result<bool> {
        Ok(!self.tables().hidden.rows.is_empty())
    }

    fn hidden(&self, limit: usize) -> Result<HiddenPage> {
        let tables = self.tables();
        let mut pages = tables.hidden.rows.keys().map(|conversation| {
            let page = tables.hidden_of(conversation).rev().take(limit);
            page.map(|message| (**message).clone()).collect::<Vec<_>>()
        });
        let messages = pages.find(|page| !page.is_empty()).unwrap_or_default();
        Ok(HiddenPage { messages, unreadable: 0 })
    }

    fn end_hiding(&self) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        let conversations: Vec<BareJid> = tables.hidden.rows.keys().cloned().collect();
        for conversation in conversations {
            let ids: Vec<_> = tables.hidden_of(&conversation).map(|message| message.id).collect();
            for id in ids {
                tables.set_message(id, None);
            }
            tables.hidden.set(conversation, None, step);
        }
        Ok(())
    }
}

impl Archives for MemoryStore {
    fn archive(&self, owner: &BareJid) -> Result<ArchiveState> {
        Ok(self.tables().archives.rows.get(owner).cloned().unwrap_or_default())
    }

    fn save_archive(&self, owner: &BareJid, state: &ArchiveState) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.archives.set(owner.clone(), Some(state.clone()), step);
        Ok(())
    }
}

impl Outbox for MemoryStore {
    fn queued(&self) -> Result<Vec<Queued>> {
        Ok(self.tables().outbox.values())
    }

    fn enqueue(&self, queued: &Queued) -> Result<QueuedId> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.last_queued += 1;
        let id = QueuedId(tables.last_queued);
        tables.outbox.set(id, Some(Queued { id, ..queued.clone() }), step);
        Ok(id)
    }

    fn save_queued(&self, queued: &Queued) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        if tables.outbox.rows.contains_key(&queued.id) {
            tables.outbox.set(queued.id, Some(queued.clone()), step);
        }
        Ok(())
    }

    fn dequeue(&self, id: QueuedId) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.outbox.set(id, None, step);
        Ok(())
    }
}

impl Devices for MemoryStore {
    fn own_device(&self) -> Result<Option<OwnDevice>> {
        Ok(self.tables().own_device.rows.get(&()).cloned())
    }

    fn save_own_device(&self, device: &OwnDevice) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.own_device.set((), Some(device.clone()), step);
        Ok(())
    }

    fn device_list(&self, owner: &BareJid, version: Version) -> Result<Vec<DeviceEntry>> {
        let tables = self.tables();
        Ok(tables.device_lists.rows.get(&(owner.clone(), version)).cloned().unwrap_or_default())
    }

    fn save_device_list(
        &self,
        owner: &BareJid,
        version: Version,
        devices: &[DeviceEntry],
    ) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.device_lists.set((owner.clone(), version), Some(devices.to_vec()), step);
        Ok(())
    }

    fn identities(&self, owner: &BareJid) -> Result<Vec<Identity>> {
        let tables = self.tables();
        let range = (owner.clone(), [0; 32])..=(owner.clone(), [0xff; 32]);
        Ok(tables.identities.rows.range(range).map(|(_, identity)| identity.clone()).collect())
    }

    fn save_identity(&self, owner: &BareJid, identity: &Identity) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.identities.set((owner.clone(), identity.key), Some(identity.clone()), step);
        Ok(())
    }

    fn session(&self, key: &SessionKey) -> Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(self.tables().sessions.rows.get(&ratchet(key)).cloned())
    }

    fn save_session(&self, key: &SessionKey, record: Option<&[u8]>) -> Result<()> {
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.sessions.set(ratchet(key), record.map(|record| record.to_vec().into()), step);
        Ok(())
    }
}

fn ratchet(key: &SessionKey) -> Ratchet {
    (key.owner.clone(), key.device, key.version)
}

impl Media for MemoryStore {
    fn media(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.tables().media.rows.get(key).cloned())
    }

    fn save_media(&self, key: &str, bytes: Option<&[u8]>) -> Result<()> {
        within_limit(bytes)?;
        let mut tables = self.write()?;
        let step = tables.in_step;
        tables.media.set(key.into(), bytes.map(<[u8]>::to_vec), step);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{Case, contact};

    pub(crate) fn run(case: Case) {
        case(&MemoryStore::new());
    }

    crate::conformance_tests!(crate::store::memory::tests::run);

    #[test]
    fn a_commit_that_fails_keeps_nothing() {
        let store = MemoryStore::new();
        store.fail_next_commit(StoreError::Full);
        store.begin().unwrap();
        store.save_contact(&contact("romeo@example.org")).unwrap();
        assert!(matches!(store.commit(), Err(StoreError::Full)));
        assert_eq!(store.contacts().unwrap(), []);
        store.begin().unwrap();
        store.save_contact(&contact("romeo@example.org")).unwrap();
        store.commit().unwrap();
        assert_eq!((store.contacts().unwrap().len(), store.commits()), (1, 1));
    }

    #[test]
    fn a_write_fails_when_it_was_ordered_to() {
        let store = MemoryStore::new();
        store.fail_write(1, StoreError::Full);
        store.save_contact(&contact("romeo@example.org")).unwrap();
        let second = store.save_contact(&contact("juliet@example.org"));
        assert!(matches!(second, Err(StoreError::Full)));
        store.save_contact(&contact("juliet@example.org")).unwrap();
    }

    #[test]
    fn a_clone_is_the_same_store_and_a_crash_drops_the_step() {
        let store = MemoryStore::new();
        store.begin().unwrap();
        store.save_contact(&contact("romeo@example.org")).unwrap();
        assert_eq!(store.clone().contacts().unwrap().len(), 1);
        store.clone().crash();
        assert_eq!(store.contacts().unwrap(), []);
    }
}
