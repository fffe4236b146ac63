//! Tables that can go back to where they were when the step began.

use std::collections::BTreeMap;
use std::sync::Arc;

use xmpp::jid::BareJid;
use zeroize::Zeroizing;

use crate::store::{
    ArchiveState, Contact, Conversation, DeviceEntry, Identity, Login, Message, MessageId,
    OwnDevice, Position, Queued, QueuedId, Reference, StoreError, Trace, Version,
};

/// Rows by their key, with what they were before the step.
#[derive(Clone)]
pub(super) struct Table<K, V> {
    pub(super) rows: BTreeMap<K, V>,
    undo: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), undo: Vec::new() }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) fn set(&mut self, key: K, value: Option<V>, in_step: bool) {
        let before = match value {
            Some(value) => self.rows.insert(key.clone(), value),
            None => self.rows.remove(&key),
        };
        if in_step {
            self.undo.push((key, before));
        }
    }

    pub(super) fn end_step(&mut self, keep: bool) {
        for (key, before) in std::mem::take(&mut self.undo).into_iter().rev() {
            match before {
                _ if keep => {}
                Some(value) => drop(self.rows.insert(key, value)),
                None => drop(self.rows.remove(&key)),
            }
        }
    }

    pub(super) fn values(&self) -> Vec<V>
    where
        V: Clone,
    {
        self.rows.values().cloned().collect()
    }
}

pub(super) type Ratchet = (BareJid, u32, Version);

/// [`Tables::copy`] leaves out the failures that were ordered.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) in_step: bool,
    pub(super) commits: u64,
    pub(super) commit_failure: Option<StoreError>,
    pub(super) write_failure: Option<(usize, StoreError)>,
    pub(super) last_message: i64,
    pub(super) last_queued: i64,
    pub(super) login: Table<(), Login>,
    pub(super) values: Table<String, Zeroizing<Vec<u8>>>,
    pub(super) contacts: Table<BareJid, Contact>,
    pub(super) conversations: Table<BareJid, Conversation>,
    pub(super) messages: Table<MessageId, Arc<Message>>,
    /// The messages of a conversation in order.
    pub(super) order: Table<(BareJid, Position, MessageId), ()>,
    pub(super) traces: Table<(BareJid, Reference), Trace>,
    /// The last message of a conversation that is hidden, with all before it.
    pub(super) hidden: Table<BareJid, MessageId>,
    pub(super) archives: Table<BareJid, ArchiveState>,
    pub(super) outbox: Table<QueuedId, Queued>,
    pub(super) own_device: Table<(), OwnDevice>,
    pub(super) device_lists: Table<(BareJid, Version), Vec<DeviceEntry>>,
    pub(super) identities: Table<(BareJid, [u8; 32]), Identity>,
    pub(super) sessions: Table<Ratchet, Zeroizing<Vec<u8>>>,
    pub(super) media: Table<String, Vec<u8>>,
}

impl Tables {
    pub(super) fn end_step(&mut self, keep: bool) {
        self.in_step = false;
        self.login.end_step(keep);
        self.values.end_step(keep);
        self.contacts.end_step(keep);
        self.conversations.end_step(keep);
        self.messages.end_step(keep);
        self.order.end_step(keep);
        self.traces.end_step(keep);
        self.hidden.end_step(keep);
        self.archives.end_step(keep);
        self.outbox.end_step(keep);
        self.own_device.end_step(keep);
        self.device_lists.end_step(keep);
        self.identities.end_step(keep);
        self.sessions.end_step(keep);
        self.media.end_step(keep);
    }

    /// What was committed, as a backup has it.
    pub(super) fn copy(&self) -> Self {
        let mut copy = Self {
            in_step: self.in_step,
            last_message: self.last_message,
            last_queued: self.last_queued,
            login: self.login.clone(),
            values: self.values.clone(),
            contacts: self.contacts.clone(),
            conversations: self.conversations.clone(),
            messages: self.messages.clone(),
            order: self.order.clone(),
            traces: self.traces.clone(),
            hidden: self.hidden.clone(),
            archives: self.archives.clone(),
            outbox: self.outbox.clone(),
            own_device: self.own_device.clone(),
            device_lists: self.device_lists.clone(),
            identities: self.identities.clone(),
            sessions: self.sessions.clone(),
            media: self.media.clone(),
            ..Self::default()
        };
        copy.end_step(false);
        copy
    }

    pub(super) fn set_message(&mut self, id: MessageId, message: Option<Message>) {
        let step = self.in_step;
        if let Some(old) = self.messages.rows.get(&id) {
            let place = (old.conversation.clone(), old.position, id);
            self.order.set(place, None, step);
        }
        if let Some(new) = &message {
            let place = (new.conversation.clone(), new.position, id);
            self.order.set(place, Some(()), step);
        }
        self.messages.set(id, message.map(Arc::new), step);
    }

    /// Whether a message is hidden.
    pub(super) fn hides(&self, message: &Message) -> bool {
        self.hidden.rows.get(&message.conversation).is_some_and(|last| message.id <= *last)
    }

    /// A message, unless it is hidden.
    pub(super) fn message(&self, id: MessageId) -> Option<&Arc<Message>> {
        self.messages.rows.get(&id).filter(|message| !self.hides(message))
    }

    /// The messages of a conversation that are hidden, the oldest first.
    pub(super) fn hidden_of(
        &self,
        conversation: &BareJid,
    ) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.all_in_order(conversation, first(Position(0)), END)
            .filter(move |message| self.hides(message))
    }

    /// The messages of a conversation between two places that are not hidden, the oldest first.
    pub(super) fn in_order(
        &self,
        conversation: &BareJid,
        from: (Position, MessageId),
        to: (Position, MessageId),
    ) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.all_in_order(conversation, from, to).filter(move |message| !self.hides(message))
    }

    fn all_in_order(
        &self,
        conversation: &BareJid,
        from: (Position, MessageId),
        to: (Position, MessageId),
    ) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        let place = |(position, id)| (conversation.clone(), position, id);
        let range = (from < to).then(|| self.order.rows.range(place(from)..place(to)));
        range.into_iter().flatten().filter_map(|((_, _, id), ())| self.messages.rows.get(id))
    }
}

/// Before the first message of a position.
pub(super) fn first(position: Position) -> (Position, MessageId) {
    (position, MessageId(i64::MIN))
}

/// After every message.
pub(super) const END: (Position, MessageId) = (Position(u64::MAX), MessageId(i64::MAX));
