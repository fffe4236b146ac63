//! Pictures in sight: those that are here are read, those of contacts fetched if that is wished.

use client::store::{Encryption, File, Message, MessageId};

use super::{Action, App, Key, Waiting};
use crate::ui::event::Place;
use crate::ui::pictures;
use crate::ui::timeline::{BAR, SIDE};

impl App {
    /// Looks at what is in sight. Called before it is drawn.
    pub fn look(&mut self) -> Vec<Action> {
        if !self.pictures.are_shown() {
            return Vec::new();
        }
        let messages = self.pictures_in_sight();
        let here = messages.iter().filter_map(|(_, file)| file.local.clone());
        let most = self.room_for_pictures();
        let wanted = self.pictures.look(&here.collect::<Vec<_>>(), most);
        let mut actions: Vec<Action> = wanted.map(Action::Picture).into_iter().collect();
        if self.settings.fetch_pictures {
            for (id, file) in messages.iter().filter(|(_, file)| file.local.is_none()) {
                self.fetch_by_itself(*id, file, &mut actions);
            }
        }
        actions
    }

    fn pictures_in_sight(&self) -> Vec<(MessageId, File)> {
        let anchor = self.chat().and_then(|chat| chat.anchor);
        let Some(sheet) = self.sheet() else { return Vec::new() };
        let mut ids: Vec<MessageId> =
            sheet.visible(anchor).iter().rev().map(|(id, _)| *id).collect();
        ids.dedup();
        let messages = ids.into_iter().filter_map(|id| sheet.window.message(id));
        messages.filter_map(|m| Some((m.id, pictures::file(m)?.clone()))).collect()
    }

    /// Columns and rows that a picture may take: it leaves room for what was said about it.
    fn room_for_pictures(&self) -> (u16, u16) {
        let area = self.panes().timeline.unwrap_or_default();
        let columns = area.width.saturating_sub((BAR + SIDE) as u16);
        (columns.clamp(1, MOST_COLUMNS), (area.height * 2 / 3).clamp(1, MOST_ROWS))
    }

    /// Fetches a picture of a contact that is in sight, once. Whoever is not a contact could learn
    /// from it that somebody looks; so could everybody who reads along what is not encrypted.
    fn fetch_by_itself(&mut self, id: MessageId, file: &File, actions: &mut Vec<Action>) {
        let Some(key) = self.open.clone() else { return };
        let small = file.size.is_some_and(|size| size <= crate::picture::MOST_BYTES);
        let encrypted = |m: &Message| matches!(m.encryption, Encryption::Omemo { .. });
        let message = self.window().and_then(|window| window.message(id));
        let wanted =
            small && message.is_some_and(|m| !m.own && encrypted(m) && self.is_known(&key));
        if wanted && self.fetched.insert((key.account, id)) {
            self.fetch_picture(id, file, actions);
        }
    }

    /// Whether somebody is a contact who is not blocked.
    fn is_known(&self, key: &Key) -> bool {
        let contact = self.mirror(key.account).and_then(|m| m.contacts.get(&key.with));
        contact.is_some_and(|contact| contact.in_roster && !contact.blocked)
    }

    /// Fetches a picture to be shown here.
    pub(crate) fn fetch_picture(&mut self, id: MessageId, file: &File, actions: &mut Vec<Action>) {
        let Some(key) = self.open.clone() else { return };
        actions.push(Action::Download {
            account: key.account,
            number: self.number(Waiting::Quiet),
            message: id,
            name: file.name.clone(),
            into: Place::Account,
        });
    }
}

/// Columns and rows of the largest picture.
const MOST_COLUMNS: u16 = 60;
const MOST_ROWS: u16 = 18;
