//! Keys: alone, after one another, with a count before them, and in the modes of vim.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Action, App, Focus, Notice};
use crate::ui::keys::{self, Intent, Meaning, Place};
use crate::ui::settings::Keys;
use crate::ui::vim::{Done, Mode};

impl App {
    /// Where the keyboard is, as the table of keys calls it.
    #[must_use]
    pub fn place(&self) -> Place {
        match self.focus {
            Focus::Composer if self.is_vim() && self.vim.mode == Mode::Normal => Place::Normal,
            Focus::Composer => Place::Composer,
            Focus::List => Place::List,
            Focus::Message(_) if self.marked.is_some() => Place::Marked,
            Focus::Message(_) => Place::Message,
        }
    }

    /// Whether the keys are those of vim.
    #[must_use]
    pub fn is_vim(&self) -> bool {
        self.settings.keys == Keys::Vim
    }

    /// The beginning of a command that waits for more keys.
    #[must_use]
    pub fn pending(&self) -> String {
        let count = self.count.map(|count| count.to_string()).unwrap_or_default();
        let chords: Vec<String> = self.chords.iter().filter_map(|key| keys::chord(*key)).collect();
        format!("{count}{}{}", self.vim.pending(), chords.join(" "))
    }

    pub(super) fn on_keys(&mut self, key: KeyEvent, actions: &mut Vec<Action>) {
        let place = self.place();
        let escape = key.code == KeyCode::Esc;
        if place == Place::Normal && !self.vim.pending().is_empty() {
            return self.on_vim(key, actions);
        }
        if escape && (!self.chords.is_empty() || self.count.is_some()) {
            self.chords.clear();
            self.count = None;
            return;
        }
        if self.chords.is_empty() && self.counts(place, key) {
            return;
        }
        self.chords.push(key);
        match keys::meaning(self.settings.keys, place, &self.chords) {
            Meaning::More => {}
            Meaning::Intent(intent) => {
                self.chords.clear();
                let times = self.count.take().unwrap_or(1).min(times(intent));
                (0..times).for_each(|_| self.act(intent, actions));
            }
            Meaning::Nothing => {
                self.count = None;
                let pressed = std::mem::take(&mut self.chords);
                match (place, pressed.as_slice()) {
                    (Place::Normal, pressed) => {
                        pressed.iter().for_each(|key| self.on_vim(*key, actions));
                    }
                    (_, [only]) => self.on_letter(*only, actions),
                    _ => {}
                }
            }
        }
    }

    /// Takes a digit of a count, where letters are commands.
    fn counts(&mut self, place: Place, key: KeyEvent) -> bool {
        let commands = matches!(place, Place::Message | Place::Marked | Place::List);
        let digit = match key.code {
            KeyCode::Char(letter) if key.modifiers.is_empty() => letter.to_digit(10),
            _ => None,
        };
        let digit = digit.filter(|digit| *digit > 0 || self.count.is_some());
        let Some(digit) = digit.filter(|_| commands && self.is_vim()) else { return false };
        let count = self.count.unwrap_or(0) * 10 + digit as usize;
        self.count = Some(count.min(MOST_TIMES));
        true
    }

    /// A key of vim's normal mode in the text.
    fn on_vim(&mut self, key: KeyEvent, actions: &mut Vec<Action>) {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if key.code == KeyCode::Char('c') && control && !self.vim.give_up() {
            return self.clear();
        }
        let mut vim = std::mem::take(&mut self.vim);
        let done = self.chat_mut().map_or(Done::No, |chat| vim.key(key, &mut chat.editor));
        self.vim = vim;
        match done {
            Done::Above => self.select_last(),
            Done::Copied => actions.push(Action::Copy(self.vim.register().to_owned())),
            Done::Here | Done::No => {}
        }
        self.keep_drafts(actions);
    }

    /// Escape: out of typing, then out of an answer, then out of the text.
    pub(super) fn leave_text(&mut self) {
        if self.is_vim() && self.vim.mode == Mode::Insert {
            return self.stop_typing();
        }
        if self.give_up() {
            return;
        }
        match self.panes().list {
            None if !self.is_vim() => self.focus = Focus::List,
            _ => self.select_last(),
        }
    }

    /// With the keys of vim: letters are commands from now on.
    pub(super) fn stop_typing(&mut self) {
        let mut vim = std::mem::take(&mut self.vim);
        if let Some(chat) = self.chat_mut() {
            vim.normal(&mut chat.editor);
        }
        self.vim = vim;
    }

    /// Letters are typed from now on.
    pub(super) fn begin_typing(&mut self, at_end: bool) {
        self.focus_text();
        self.vim.type_freely();
        if let Some(chat) = self.chat_mut().filter(|_| at_end) {
            let end = chat.editor.text().len();
            chat.editor.place(end);
        }
    }

    /// Goes through the list, in the mode that there is.
    pub(crate) fn go_on(&mut self, by: isize, actions: &mut Vec<Action>) {
        let mode = self.vim.mode;
        self.go_by(by, actions);
        if self.is_vim() && mode == Mode::Normal {
            self.stop_typing();
        }
    }

    /// Looks for words in the messages that are here, and chooses the next one that has them. From
    /// the text it is the newest one.
    pub(crate) fn look_for(&mut self, words: &str, upwards: bool) {
        let words = words.trim().to_lowercase();
        if words.is_empty() {
            return;
        }
        self.looked_for = Some((words.clone(), upwards));
        let Some(window) = self.window() else { return };
        let has = |m: &&client::store::Message| {
            App::text_of(&m.content).is_some_and(|text| text.to_lowercase().contains(&words))
        };
        let found = match (self.focus, upwards) {
            (Focus::Message(id), true) => {
                window.up_from(id).skip(1).chain(window.newest_first()).find(has)
            }
            (Focus::Message(id), false) => {
                let again = window.oldest().map(|oldest| window.down_from(oldest.id));
                window.down_from(id).skip(1).chain(again.into_iter().flatten()).find(has)
            }
            _ => window.newest_first().find(has),
        };
        match found.map(|message| message.id) {
            Some(id) => self.select(id),
            None => {
                let words = crate::ui::printable::Printable::line(&words);
                self.say(Notice::bad(format!(
                    "not among the messages that are loaded; /search {words} looks in all"
                )));
            }
        }
    }

    /// The same words once more, or in the other direction.
    pub(super) fn look_again(&mut self, other_way: bool) {
        match self.looked_for.clone() {
            Some((words, upwards)) => {
                self.look_for(&words, upwards != other_way);
                // The direction stays that of the first time.
                self.looked_for = Some((words, upwards));
            }
            None => self.say(Notice::bad("look for something first: /")),
        }
    }

    /// Chooses a message by its place on the screen: 0 is the top, 1 the bottom.
    pub(super) fn select_in_sight(&mut self, place: f32) {
        let anchor = self.chat().and_then(|chat| chat.anchor);
        let id = self.sheet().and_then(|sheet| {
            let visible = sheet.visible(anchor);
            let at = (visible.len().saturating_sub(1) as f32 * place) as usize;
            let near = visible.iter().skip(at).chain(visible.iter().take(at).rev());
            let mut messages = near.filter_map(|(id, _)| sheet.window.message(*id));
            messages.find(|message| super::is_message(message)).map(|message| message.id)
        });
        if let Some(id) = id {
            self.select(id);
        }
    }
}

/// How often a count can do something.
fn times(intent: Intent) -> usize {
    match intent {
        Intent::Older
        | Intent::Newer
        | Intent::LineUp
        | Intent::LineDown
        | Intent::HalfUp
        | Intent::HalfDown
        | Intent::PageUp
        | Intent::PageDown
        | Intent::FindNext
        | Intent::FindPrevious
        | Intent::NextConversation
        | Intent::PreviousConversation => MOST_TIMES,
        _ => 1,
    }
}

/// The largest count.
const MOST_TIMES: usize = 1000;
