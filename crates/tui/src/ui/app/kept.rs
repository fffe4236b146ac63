//! A text that is sent goes from the screen to the disk. When the disk refuses it comes back.

use client::store::MessageId;

use super::{Action, App, Key, Purpose, Waiting};

/// A text on its way to the disk.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(super) key: Key,
    pub(super) text: String,
    pub(super) purpose: Purpose,
}

impl Sending {
    pub(crate) fn new(key: Key, text: &str) -> Sending {
        Sending { key, text: text.to_owned(), purpose: Purpose::New }
    }

    pub(crate) fn reply(key: Key, text: &str, to: MessageId) -> Sending {
        Sending { key, text: text.to_owned(), purpose: Purpose::Reply(to) }
    }

    /// The text as it is typed: what would be a command has a second slash.
    fn typed(&self) -> String {
        let command = self.purpose == Purpose::New
            && self.text.starts_with('/')
            && !self.text.starts_with("/me ");
        if command { format!("/{}", self.text) } else { self.text.clone() }
    }
}

impl App {
    /// The text of a request is on disk; it need not be kept here any more.
    pub(super) fn kept(&mut self, request: u64) {
        if let Some(waiting @ Waiting::Sending(_)) = self.waiting.get_mut(&request) {
            *waiting = Waiting::Quiet;
        }
    }

    /// A text that could not be kept is written again, before what was written since.
    pub(super) fn give_back(&mut self, sending: Sending, actions: &mut Vec<Action>) {
        let text = sending.typed();
        let Some(chat) = self.chats.get_mut(&sending.key) else { return };
        let since = match &sending.purpose {
            Purpose::Edit(_, draft) if chat.editor.text() == draft => "",
            _ => chat.editor.text(),
        };
        match (chat.purpose == Purpose::New, since.is_empty()) {
            (true, true) => {
                chat.editor.set(text);
                chat.purpose = sending.purpose;
            }
            (_, true) => chat.editor.set(text),
            _ => {
                let both = format!("{text}\n{since}");
                chat.editor.set(both);
            }
        }
        self.keep_draft(&sending.key, true, actions);
    }

    /// The core does not have what it was given; it gets it again with the next letter.
    pub(super) fn draft_not_kept(&mut self, key: &Key) {
        if let Some(chat) = self.chats.get_mut(key) {
            chat.kept.clear();
        }
    }
}
