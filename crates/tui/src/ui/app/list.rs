//! The list of conversations: its order, and going through it.

use client::store::Position;
use client::view::{Contact, Conversation, Room};
use xmpp::time::Millis;

use super::{Action, App, Focus, Key};
use crate::ui::event::AccountNumber;
use crate::ui::mirror::Mirror;
use crate::ui::printable::Printable;

/// A row of the list.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Which conversation.
    pub key: Key,
    /// As the core told it; absent when somebody only asks to be a contact.
    pub conversation: Option<&'a Conversation>,
    /// The other, if known.
    pub contact: Option<&'a Contact>,
    /// The room, if it is one.
    pub room: Option<&'a Room>,
    /// Unread messages of it that call for attention.
    pub calls: u32,
    /// It waits for a decision: a stranger wrote or asks.
    pub request: bool,
}

impl Row<'_> {
    /// Messages not seen yet.
    #[must_use]
    pub fn unread(&self) -> u32 {
        self.conversation.map_or(0, |conversation| conversation.unread)
    }
}

impl App {
    /// The rows of the list: conversations as they are sorted, then requests.
    #[must_use]
    pub fn rows(&self) -> Vec<Row<'_>> {
        let several = self.accounts.len() > 1;
        let mut rows: Vec<Row<'_>> = Vec::new();
        for (number, mirror) in &self.accounts {
            let key = |with: &xmpp::jid::BareJid| Key { account: *number, with: with.clone() };
            let shown = |c: &&Conversation| c.shown || self.open == Some(key(&c.address));
            rows.extend(mirror.conversations.values().filter(shown).map(|conversation| {
                let contact = mirror.contacts.get(&conversation.address);
                let request = is_request(conversation, contact);
                Row {
                    key: key(&conversation.address),
                    conversation: Some(conversation),
                    contact,
                    room: mirror.rooms.get(&conversation.address),
                    calls: mirror.calls(conversation),
                    request,
                }
            }));
            let asking = mirror.contacts.values().filter(|contact| {
                contact.asks && mirror.conversations.get(&contact.address).is_none_or(|c| !c.shown)
            });
            for contact in asking {
                let key = key(&contact.address);
                if !rows.iter().any(|row| row.key == key) {
                    rows.push(Row {
                        key,
                        conversation: None,
                        contact: Some(contact),
                        room: None,
                        calls: 0,
                        request: true,
                    });
                }
            }
        }
        rows.sort_by(|one, two| {
            order(two, several).cmp(&order(one, several)).then(one.key.cmp(&two.key))
        });
        rows
    }

    /// Goes to the next row of the list, or the one before.
    pub(super) fn go_by(&mut self, by: isize, actions: &mut Vec<Action>) {
        let keys: Vec<Key> = self.rows().into_iter().map(|row| row.key).collect();
        let now = self.open.as_ref().and_then(|open| keys.iter().position(|key| key == open));
        let count = keys.len() as isize;
        if count == 0 {
            return;
        }
        let next = match now {
            Some(now) => (now as isize + by).clamp(0, count - 1),
            None if by > 0 => 0,
            None => count - 1,
        };
        let focus = self.focus;
        if let Some(key) = usize::try_from(next).ok().and_then(|next| keys.get(next)) {
            self.go_to(key.clone(), actions);
        }
        if focus == Focus::List {
            self.focus = Focus::List;
        }
    }

    /// Goes to a row by its place.
    pub(super) fn go_to_row(&mut self, place: usize, actions: &mut Vec<Action>) {
        let key = self.rows().get(place).map(|row| row.key.clone());
        if let Some(key) = key {
            self.go_to(key, actions);
        }
    }

    /// Goes to the conversation that waits longest for being read; those that do not notify come last,
    /// and what was begun to be written comes after all that is unread.
    pub(super) fn go_to_unread(&mut self, actions: &mut Vec<Action>) {
        let others = |row: &Row<'_>| Some(&row.key) != self.open.as_ref();
        let unread = self
            .rows()
            .into_iter()
            .filter(|row| others(row) && row.unread() > 0)
            .min_by_key(|row| (row.calls == 0, row.request, time(row)));
        let draft = || {
            self.rows()
                .into_iter()
                .find(|row| others(row) && row.conversation.is_some_and(|c| !c.draft.is_empty()))
        };
        match unread.or_else(draft).map(|row| row.key) {
            Some(key) => self.go_to(key, actions),
            None => self.say(super::Notice::good("nothing else is unread")),
        }
    }

    /// Goes back to the conversation that was open before.
    pub(super) fn go_back(&mut self, actions: &mut Vec<Action>) {
        if let Some(last) = self.last.clone() {
            self.go_to(last, actions);
        }
    }
}

/// Whether somebody waits for a decision: a stranger has written, or asks to be a contact. Where
/// nothing was written yet, it is this person who opened the conversation; where this account has
/// written it is no request, even if the other asks to be a contact.
pub(crate) fn is_request(conversation: &Conversation, contact: Option<&Contact>) -> bool {
    let written = conversation.preview.is_some() || conversation.unread > 0;
    let asks = contact.is_some_and(|contact| contact.asks);
    conversation.request && (written || asks)
}

/// Sorts rows: more is higher. Positions of different accounts cannot be compared, times can.
fn order(row: &Row<'_>, several: bool) -> (bool, bool, Position, Millis) {
    let pinned = row.conversation.is_some_and(|c| c.pinned);
    let position = row.conversation.map_or(Position::default(), |c| c.order);
    let position = if several { Position::default() } else { position };
    (!row.request, pinned, position, time(row))
}

fn time(row: &Row<'_>) -> Millis {
    row.conversation.and_then(|c| c.preview.as_ref()).map_or(Millis::default(), |p| p.time)
}

impl App {
    /// With several accounts, what tells one from the others: its domain, its name there, or both.
    #[must_use]
    pub fn account_label(&self, number: AccountNumber) -> Option<String> {
        let address = |mirror: &Mirror| Some(mirror.account.as_ref()?.address.clone());
        let own = address(self.accounts.get(&number).filter(|_| self.accounts.len() > 1)?)?;
        let others = self.accounts.iter().filter(|(other, _)| **other != number);
        let others: Vec<_> = others.filter_map(|(_, mirror)| address(mirror)).collect();
        let label = if others.iter().all(|other| other.domain() != own.domain()) {
            own.domain().to_string()
        } else {
            let name = own.node().filter(|_| others.iter().all(|other| other.node() != own.node()));
            name.map_or_else(|| own.to_string(), ToString::to_string)
        };
        Some(Printable::line(&label).into_string())
    }
}
