//! Keys, pasted text and the mouse.

use client::store::{Content, MessageId};
use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::chat::is_message;
use super::{Action, App, Focus, Key, Notice};
use crate::ui::commands;
use crate::ui::keys::{self, Intent};
use crate::ui::overlay::{Overlay, Question, Sign, Stay};
use crate::ui::rooms;

impl App {
    pub(super) fn on_key(&mut self, key: KeyEvent, actions: &mut Vec<Action>) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        if keys::chord(key).as_deref() == Some("Ctrl-Q") {
            return self.quit(actions);
        }
        if let Some(mut overlay) = self.overlay.take() {
            if overlay.on_key(key, self, actions) == Stay::Open && self.overlay.is_none() {
                self.overlay = Some(overlay);
            }
            return;
        }
        if let Some(place) = keys::place_in_list(key) {
            return self.go_to_row(place, actions);
        }
        self.on_keys(key, actions);
    }

    /// A letter goes into the text; from the list too, so that one can just begin to write.
    pub(super) fn on_letter(&mut self, key: KeyEvent, actions: &mut Vec<Action>) {
        let KeyCode::Char(letter) = key.code else { return };
        let control = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        if control && letter == 'c' {
            return self.clear();
        }
        if control {
            return;
        }
        match self.focus {
            Focus::Message(_) => {}
            Focus::List if self.is_vim() => {}
            _ if self.open.is_none() && letter == '/' => {
                self.overlay = Some(Overlay::prompt(Sign::Slash));
            }
            _ if self.open.is_none() => {
                self.overlay = Some(Overlay::jump());
                self.on_key(key, actions);
            }
            _ => {
                self.focus = Focus::Composer;
                if let Some(chat) = self.chat_mut() {
                    chat.editor.insert(letter.encode_utf8(&mut [0; 4]));
                }
                self.keep_drafts(actions);
            }
        }
    }

    pub(super) fn act(&mut self, intent: Intent, actions: &mut Vec<Action>) {
        let page =
            self.panes().timeline.map_or(1, |area| area.height.saturating_sub(2).max(1)) as isize;
        match intent {
            Intent::Jump => self.overlay = Some(Overlay::jump()),
            Intent::NextUnread => self.go_to_unread(actions),
            Intent::LastConversation => self.go_back(actions),
            Intent::NextConversation => self.go_on(1, actions),
            Intent::PreviousConversation => self.go_on(-1, actions),
            Intent::First => self.go_on(isize::MIN / 2, actions),
            Intent::Last => self.go_on(isize::MAX / 2, actions),
            Intent::Search => self.overlay = Some(Overlay::search(self, "")),
            Intent::Help => self.overlay = Some(Overlay::help("")),
            Intent::Redraw => actions.push(Action::Redraw),
            Intent::Quit => self.quit(actions),
            Intent::List => self.focus = Focus::List,
            Intent::PageUp => self.scroll(page, actions),
            Intent::PageDown => self.scroll(-page, actions),
            Intent::HalfUp => self.scroll(page / 2 + 1, actions),
            Intent::HalfDown => self.scroll(-(page / 2 + 1), actions),
            Intent::LineUp => self.scroll(1, actions),
            Intent::LineDown => self.scroll(-1, actions),
            Intent::Newest => self.show_newest(actions),
            Intent::Oldest => self.show_oldest(actions),
            Intent::UnreadLine => {
                let unread = self.chat().and_then(|chat| chat.unread_from);
                if unread.is_some() {
                    self.scroll_to(unread);
                }
            }
            Intent::Insert => self.begin_typing(false),
            Intent::Append => self.begin_typing(true),
            Intent::Mark => self.mark(),
            Intent::Top => self.select_in_sight(0.0),
            Intent::Middle => self.select_in_sight(0.5),
            Intent::Bottom => self.select_in_sight(1.0),
            Intent::Command => self.overlay = Some(Overlay::prompt(Sign::Command)),
            Intent::Find => self.overlay = Some(Overlay::prompt(Sign::Down)),
            Intent::FindBack => self.overlay = Some(Overlay::prompt(Sign::Up)),
            Intent::FindNext => self.look_again(false),
            Intent::FindPrevious => self.look_again(true),
            _ => match self.focus {
                Focus::Message(_) if self.marked.is_some() && !moves(intent) => {
                    self.act_on_marked(intent, actions);
                }
                Focus::Message(id) => self.act_on_message(id, intent, actions),
                Focus::List => self.focus_text(),
                Focus::Composer => self.act_on_text(intent, actions),
            },
        }
    }

    fn show_newest(&mut self, actions: &mut Vec<Action>) {
        if self.open_newest(actions) {
            return;
        }
        self.scroll_to(None);
        if matches!(self.focus, Focus::Message(_)) {
            self.select_last();
        }
    }

    fn show_oldest(&mut self, actions: &mut Vec<Action>) {
        let oldest = self.window().and_then(|window| window.oldest()).map(|message| message.id);
        self.scroll_to(oldest);
        if let (Focus::Message(_), Some(id)) = (self.focus, oldest) {
            self.select(id);
        }
        self.scroll(1, actions);
    }

    pub(super) fn focus_text(&mut self) {
        self.marked = None;
        if self.open.is_some() {
            self.focus = Focus::Composer;
        }
    }

    fn act_on_text(&mut self, intent: Intent, actions: &mut Vec<Action>) {
        let width = self.panes().text_width();
        match intent {
            Intent::Send => self.send(actions),
            Intent::Complete => self.complete(),
            Intent::Select => self.select_last(),
            Intent::Leave => self.leave_text(),
            Intent::External => self.write_elsewhere(actions),
            Intent::Up => {
                let moved = self.chat_mut().is_some_and(|chat| chat.editor.act(Intent::Up, width));
                if !moved {
                    self.select_last();
                }
            }
            editing => {
                if let Some(chat) = self.chat_mut() {
                    chat.editor.act(editing, width);
                }
                self.keep_drafts(actions);
            }
        }
    }

    fn complete(&mut self) {
        let Some(chat) = self.chat() else { return };
        if chat.editor.is_empty() {
            self.focus = Focus::List;
            return;
        }
        match commands::complete(self, chat.editor.text()) {
            commands::Completion::Text(text) => {
                if let Some(chat) = self.chat_mut() {
                    chat.editor.set(text);
                }
            }
            commands::Completion::Choices(choices) => self.say(Notice::good(choices.join("  "))),
            commands::Completion::Nothing => self.complete_nick(),
        }
    }

    /// Completes the nickname at the cursor.
    fn complete_nick(&mut self) {
        let (Some(chat), Some(room)) = (self.chat(), self.room()) else { return };
        match rooms::complete(room, chat.editor.text(), chat.editor.cursor()) {
            rooms::Nick::Text(range, nick) => {
                if let Some(chat) = self.chat_mut() {
                    chat.editor.replace(range, &nick);
                }
            }
            rooms::Nick::Choices(choices) => self.say(Notice::good(choices.join("  "))),
            rooms::Nick::Nobody => {}
        }
    }

    fn act_on_message(&mut self, id: MessageId, intent: Intent, actions: &mut Vec<Action>) {
        let command = match intent {
            Intent::Older => return self.select_by(true, actions),
            Intent::Newer => return self.select_by(false, actions),
            Intent::Text | Intent::Leave => return self.focus_text(),
            Intent::Reply => return self.reply_to(id),
            Intent::Quoted => return self.go_to_quoted(id, actions),
            Intent::Edit => return self.edit(id),
            Intent::React => {
                self.overlay = Some(Overlay::react(id));
                return;
            }
            Intent::Details => {
                self.overlay = Some(Overlay::details(id, self, actions));
                return;
            }
            Intent::Retract if self.is_of_somebody_here(id) => "/moderate",
            Intent::Retract => "/retract",
            Intent::Copy => "/copy",
            Intent::Open => "/open",
            Intent::Show => "/show",
            Intent::Save => "/save",
            Intent::Retry => "/retry",
            Intent::Discard => "/discard",
            _ => return,
        };
        self.run(command, actions);
    }

    /// Whether somebody else wrote a message in the room on screen.
    fn is_of_somebody_here(&self, id: MessageId) -> bool {
        let message = self.window().and_then(|window| window.message(id));
        self.room().is_some() && message.is_some_and(|message| !message.own)
    }

    pub(super) fn on_paste(&mut self, text: &str, actions: &mut Vec<Action>) {
        let text: String = text
            .replace("\r\n", "\n")
            .replace('\r', "\n")
            .chars()
            .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
            .collect();
        if let Some(mut overlay) = self.overlay.take() {
            overlay.on_paste(text.trim_end());
            self.overlay = Some(overlay);
            return;
        }
        let lines = text.lines().count();
        if self.open.is_none() {
            // An address, or a link into a room: what else would it be.
            let mut jump = Overlay::jump();
            jump.on_paste(text.trim());
            self.overlay = Some(jump);
            return;
        }
        if lines > self.settings.paste_lines {
            self.overlay = Some(Overlay::Question(Question::paste(text, lines)));
            return;
        }
        self.insert(&text, actions);
    }

    /// Puts text into what is being written.
    pub(crate) fn insert(&mut self, text: &str, actions: &mut Vec<Action>) {
        self.begin_typing(false);
        if let Some(chat) = self.chat_mut() {
            let before = chat.editor.text().len();
            chat.editor.insert(text);
            if chat.editor.text().len() == before && !text.is_empty() {
                self.say(Notice::bad("too long for a message; /file sends a file"));
            }
        }
        self.keep_drafts(actions);
    }

    /// Ctrl-C: empties the text; asks to quit properly when there is none.
    pub(super) fn clear(&mut self) {
        self.give_up();
        let empty = self.chat().is_none_or(|chat| chat.editor.is_empty());
        if empty {
            return self.say(Notice::good("Ctrl-Q leaves Clownfish"));
        }
        if let Some(chat) = self.chat_mut() {
            chat.editor.set("");
        }
    }

    pub(crate) fn quit(&mut self, actions: &mut Vec<Action>) {
        if let Some(key) = self.open.clone() {
            self.keep_draft(&key, true, actions);
        }
        actions.push(Action::Quit);
    }

    pub(super) fn on_mouse(&mut self, mouse: MouseEvent, actions: &mut Vec<Action>) {
        if self.overlay.is_some() {
            return;
        }
        let panes = self.panes();
        let at = ratatui::layout::Position { x: mouse.column, y: mouse.row };
        match mouse.kind {
            MouseEventKind::ScrollUp => self.scroll(3, actions),
            MouseEventKind::ScrollDown => self.scroll(-3, actions),
            MouseEventKind::Down(MouseButton::Left) => {
                if let Some(row) = panes.row_at(self, at) {
                    self.go_to_row(row, actions);
                } else if let Some(area) = panes.timeline.filter(|area| area.contains(at)) {
                    self.select_at(usize::from(area.bottom() - 1 - at.y));
                } else {
                    self.focus_text();
                }
            }
            _ => {}
        }
    }

    /// Chooses the message on a row of the screen, counted from the bottom.
    fn select_at(&mut self, from_bottom: usize) {
        let anchor = self.chat().and_then(|chat| chat.anchor);
        let id = self.sheet().and_then(|sheet| {
            let visible = sheet.visible(anchor);
            let (id, _) = visible.iter().rev().nth(from_bottom)?;
            sheet.window.message(*id).filter(|message| is_message(message)).map(|m| m.id)
        });
        if let Some(id) = id {
            self.select(id);
        }
    }

    /// Asks for what is written to be changed in another program.
    fn write_elsewhere(&mut self, actions: &mut Vec<Action>) {
        let (Some(key), Some(chat)) = (self.open.clone(), self.chat()) else { return };
        actions.push(Action::Write(key, chat.editor.text().to_owned()));
    }

    /// Another program has changed what was written.
    pub(super) fn on_written(&mut self, key: &Key, text: &str, actions: &mut Vec<Action>) {
        let Some(chat) = self.chats.get_mut(key) else { return };
        // Editors end the last line; a message does not.
        let text = text.strip_suffix('\n').unwrap_or(text);
        if text.len() > client::command::MAX_TEXT_BYTES {
            return self.say(Notice::bad("too long for a message; /file sends a file"));
        }
        let text: String =
            text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect();
        chat.editor.set(text);
        self.keep_draft(key, true, actions);
    }

    /// The text of a message, for the clipboard.
    pub(crate) fn text_of(content: &Content) -> Option<String> {
        match content {
            Content::Text(text) => Some(text.clone()),
            Content::File(file, caption) => caption.clone().or_else(|| Some(file.name.clone())),
            _ => None,
        }
    }
}

/// Whether an intent only chooses another message.
fn moves(intent: Intent) -> bool {
    matches!(intent, Intent::Older | Intent::Newer)
}
