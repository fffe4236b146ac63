//! The picture of one account that the user interface keeps: [`Change`]s applied in order.

use std::collections::{BTreeMap, HashMap};

use client::store::{Message, MessageId, Position};
use client::view::{Account, Bookmark, Change, Contact, Conversation, Device, Room};
use xmpp::jid::BareJid;

/// What is known of one account.
#[derive(Debug, Default)]
pub struct Mirror {
    /// The account itself, once the core told.
    pub account: Option<Account>,
    /// Conversations, shown or not.
    pub conversations: HashMap<BareJid, Conversation>,
    /// Contacts.
    pub contacts: BTreeMap<BareJid, Contact>,
    /// The rooms it is, was, or is invited to be in.
    pub rooms: HashMap<BareJid, Room>,
    /// The rooms that the account keeps in its list.
    pub bookmarks: Vec<Bookmark>,
    /// Open windows.
    pub windows: HashMap<BareJid, Window>,
    /// Devices of people, as far as they were told.
    pub devices: HashMap<BareJid, Vec<Device>>,
    /// Bytes of files on their way.
    pub transfers: HashMap<MessageId, u64>,
}

/// The messages of a conversation that are here.
#[derive(Debug, Default)]
pub struct Window {
    rows: BTreeMap<(Position, MessageId), Message>,
    places: HashMap<MessageId, Position>,
    /// There are older messages, here or on the server.
    pub older: bool,
    /// There are newer messages: the window does not reach to the end.
    pub newer: bool,
    /// Older messages were asked for.
    pub loading: bool,
    /// The first message that was not seen when the window was opened.
    pub first_unread: Option<MessageId>,
}

impl Mirror {
    /// Applies a change. What refers to a window that is not open is dropped.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Account(account) => self.account = Some(account),
            Change::Conversation(conversation) => {
                self.conversations.insert(conversation.address.clone(), *conversation);
            }
            Change::ConversationRemoved(address) => {
                self.conversations.remove(&address);
                self.windows.remove(&address);
            }
            Change::Contact(contact) => {
                self.contacts.insert(contact.address.clone(), *contact);
            }
            Change::ContactRemoved(address) => {
                self.contacts.remove(&address);
            }
            Change::Window { conversation, messages, older, newer, first_unread } => {
                let mut window = Window { older, newer, first_unread, ..Window::default() };
                window.put(messages);
                self.windows.insert(conversation, window);
            }
            Change::Messages { conversation, messages } => {
                self.settle(&messages);
                if let Some(window) = self.windows.get_mut(&conversation) {
                    window.put(messages);
                }
            }
            Change::Older { conversation, messages, older } => {
                if let Some(window) = self.windows.get_mut(&conversation) {
                    window.put(messages);
                    window.older = older;
                    window.loading = false;
                }
            }
            Change::Newer { conversation, messages, newer } => {
                if let Some(window) = self.windows.get_mut(&conversation) {
                    window.put(messages);
                    window.newer = newer;
                    window.loading = false;
                }
            }
            Change::MessageRemoved(conversation, id) => {
                self.transfers.remove(&id);
                if let Some(window) = self.windows.get_mut(&conversation) {
                    window.remove(id);
                }
            }
            Change::Bookmarks(bookmarks) => self.bookmarks = bookmarks,
            Change::Room(room) => {
                self.rooms.insert(room.address.clone(), *room);
            }
            Change::RoomRemoved(address) => {
                self.rooms.remove(&address);
            }
            Change::Transfer(id, bytes) => {
                self.transfers.insert(id, bytes);
            }
            // A list of them that is on screen is asked for again.
            Change::Stars => {}
            Change::Devices(owner, devices) => {
                self.devices.insert(owner, devices);
            }
        }
    }

    /// What to call somebody.
    #[must_use]
    pub fn name(&self, address: &BareJid) -> String {
        let contact = self.contacts.get(address).map(|contact| &contact.name);
        let name = contact.or_else(|| self.conversations.get(address).map(|c| &c.name));
        name.filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| address.to_string())
    }

    /// Forgets the progress of transfers that ended: their message tells how.
    fn settle(&mut self, messages: &[Message]) {
        for message in messages {
            self.transfers.remove(&message.id);
        }
    }
}

impl Window {
    /// A message.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.rows.get(&(*self.places.get(&id)?, id))
    }

    /// The newest message.
    #[must_use]
    pub fn newest(&self) -> Option<&Message> {
        self.rows.values().next_back()
    }

    /// The oldest message.
    #[must_use]
    pub fn oldest(&self) -> Option<&Message> {
        self.rows.values().next()
    }

    /// From a message on to older ones, beginning with itself.
    pub fn up_from(&self, id: MessageId) -> impl Iterator<Item = &Message> {
        let place = self.places.get(&id).map(|position| (*position, id));
        place.into_iter().flat_map(|place| self.rows.range(..=place).rev().map(|(_, m)| m))
    }

    /// From a message on to newer ones, beginning with itself.
    pub fn down_from(&self, id: MessageId) -> impl Iterator<Item = &Message> {
        let place = self.places.get(&id).map(|position| (*position, id));
        place.into_iter().flat_map(|place| self.rows.range(place..).map(|(_, m)| m))
    }

    /// All messages, the newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Message> {
        self.rows.values().rev()
    }

    /// How many messages are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn put(&mut self, messages: Vec<Message>) {
        for message in messages {
            self.remove(message.id);
            self.places.insert(message.id, message.position);
            self.rows.insert((message.position, message.id), message);
        }
    }

    fn remove(&mut self, id: MessageId) {
        if let Some(position) = self.places.remove(&id) {
            self.rows.remove(&(position, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    #[test]
    fn a_message_that_moves_stands_at_its_new_place_only() {
        let mut mirror = Mirror::default();
        let juliet = sample::address("juliet@capulet.example");
        let messages =
            vec![sample::text(1, 10, &juliet, "one"), sample::text(2, 20, &juliet, "two")];
        mirror.apply(Change::Window {
            conversation: juliet.clone(),
            messages,
            older: false,
            newer: false,
            first_unread: None,
        });
        let moved = vec![sample::text(1, 30, &juliet, "one")];
        mirror.apply(Change::Messages { conversation: juliet.clone(), messages: moved });
        let window = &mirror.windows[&juliet];
        let ids: Vec<i64> = window.newest_first().map(|m| m.id.0).collect();
        assert_eq!(ids, [1, 2]);
        assert_eq!(window.up_from(MessageId(2)).count(), 1);
        assert_eq!(window.down_from(MessageId(2)).count(), 2);
    }

    #[test]
    fn messages_for_a_window_that_is_not_open_are_dropped() {
        let mut mirror = Mirror::default();
        let juliet = sample::address("juliet@capulet.example");
        let messages = vec![sample::text(1, 10, &juliet, "one")];
        mirror.apply(Change::Messages { conversation: juliet.clone(), messages });
        assert!(!mirror.windows.contains_key(&juliet));
    }
}
