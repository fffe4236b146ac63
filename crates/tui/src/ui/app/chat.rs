//! What is done in a conversation: writing, sending, reading, scrolling.

use client::Command;
use client::store::{Content, Message, MessageId};
use xmpp::time::Millis;

use super::kept::Sending;
use super::{Action, App, Focus, Key, Notice, Waiting};
use crate::ui::editor::Editor;
use crate::ui::timeline::Anchor;
use crate::ui::vim::Mode;

/// What a conversation has on this screen only.
#[derive(Debug, Default)]
pub struct Chat {
    /// The text that is being written.
    pub editor: Editor,
    /// What will become of it.
    pub purpose: Purpose,
    /// Where the messages are scrolled to; `None` is the end.
    pub anchor: Option<Anchor>,
    /// The unread line stands above this message.
    pub unread_from: Option<MessageId>,
    /// Everything up to here was told to be read.
    read: Option<MessageId>,
    /// The draft as the core has it, and since when.
    pub(super) kept: String,
    kept_at: Millis,
    /// It was opened before the core had told about the conversation, and so about its draft.
    early: bool,
}

/// What will become of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A message.
    #[default]
    New,
    /// An answer to a message.
    Reply(MessageId),
    /// The new text of a message; the draft waits.
    Edit(MessageId, String),
}

impl App {
    /// Shows a conversation and puts the keyboard into its text.
    pub(crate) fn go_to(&mut self, key: Key, actions: &mut Vec<Action>) {
        if self.open.as_ref() != Some(&key) {
            self.leave(actions);
            self.last = self.open.take().or(self.last.take());
        }
        let Some(mirror) = self.accounts.get(&key.account) else { return };
        let known = mirror.conversations.get(&key.with);
        let (early, draft) = (known.is_none(), known.map_or("", |c| &c.draft).to_owned());
        let hidden = known.is_some_and(|conversation| !conversation.shown);
        let first_unread = mirror.windows.get(&key.with).map(|window| window.first_unread);
        let chat = self.chats.entry(key.clone()).or_insert_with(|| Chat {
            editor: Editor::new(draft.clone()),
            kept: draft,
            early,
            ..Chat::default()
        });
        if let Some(first_unread) = first_unread {
            chat.unread_from = chat.unread_from.or(first_unread);
        }
        // What is opened is in the list again.
        if first_unread.is_none() || hidden {
            self.ask(key.account, Command::Open(key.with.clone()), Waiting::Quiet, actions);
        }
        self.recent.retain(|recent| *recent != key);
        self.recent.push(key.clone());
        self.open = Some(key);
        self.begin_typing(false);
        self.close_oldest(actions);
    }

    /// Takes over the draft of a conversation that was opened early, unless something is written.
    pub(super) fn take_draft(&mut self, key: &Key, draft: &str) {
        if let Some(chat) = self.chats.get_mut(key)
            && std::mem::take(&mut chat.early)
            && chat.editor.is_empty()
        {
            chat.editor = Editor::new(draft);
            chat.kept = draft.to_owned();
        }
    }

    /// Keeps the draft of the conversation on screen, and forgets its unread line.
    fn leave(&mut self, actions: &mut Vec<Action>) {
        let Some(key) = self.open.clone() else { return };
        self.keep_draft(&key, true, actions);
        if let Some(window) =
            self.accounts.get_mut(&key.account).and_then(|mirror| mirror.windows.get_mut(&key.with))
        {
            window.first_unread = None;
        }
        if let Some(chat) = self.chats.get_mut(&key) {
            chat.unread_from = None;
            chat.anchor = None;
        }
    }

    /// Leaves the conversation on screen for the list.
    pub(crate) fn close(&mut self) {
        let Some(key) = self.open.take() else { return };
        self.chats.remove(&key);
        self.marked = None;
        self.focus = Focus::List;
    }

    /// Leaves a conversation if it is on screen.
    pub(crate) fn close_if(&mut self, key: &Key) {
        if self.open.as_ref() == Some(key) {
            self.close();
        }
    }

    /// Only a few windows stay open: each costs memory here and work in the core.
    fn close_oldest(&mut self, actions: &mut Vec<Action>) {
        if self.recent.len() <= MOST_WINDOWS {
            return;
        }
        let key = self.recent.remove(0);
        if let Some(mirror) = self.accounts.get_mut(&key.account) {
            mirror.windows.remove(&key.with);
        }
        self.ask(key.account, Command::Close(key.with.clone()), Waiting::Quiet, actions);
    }

    /// Sends what is written, if anything is. Says whether it was.
    pub(crate) fn send_written(&mut self, actions: &mut Vec<Action>) -> bool {
        let any = self.chat().is_some_and(|chat| !chat.editor.text().trim().is_empty());
        self.send(actions);
        any
    }

    /// Sends what is written, or does what it commands.
    pub(super) fn send(&mut self, actions: &mut Vec<Action>) {
        let Some(key) = self.open.clone() else { return };
        let Some(chat) = self.chats.get(&key) else { return };
        let text = chat.editor.text().to_owned();
        if text.trim().is_empty() {
            return;
        }
        let command = text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/me ");
        if command && chat.purpose == Purpose::New {
            self.run(&text, actions);
            return;
        }
        let text = text.strip_prefix('/').filter(|rest| rest.starts_with('/')).unwrap_or(&text);
        self.send_text(&key, text.to_owned(), actions);
    }

    fn send_text(&mut self, key: &Key, text: String, actions: &mut Vec<Action>) {
        self.open_newest(actions);
        let Some(chat) = self.chats.get_mut(key) else { return };
        chat.editor.take();
        chat.anchor = None;
        chat.unread_from = None;
        let purpose = std::mem::take(&mut chat.purpose);
        let sending = Sending { key: key.clone(), text: text.clone(), purpose: purpose.clone() };
        let command = match purpose {
            Purpose::New => {
                Command::Send { to: key.with.clone(), text, reply_to: None, encryption: None }
            }
            Purpose::Reply(id) => {
                Command::Send { to: key.with.clone(), text, reply_to: Some(id), encryption: None }
            }
            Purpose::Edit(id, draft) => {
                chat.editor.set(draft);
                Command::Correct(id, text)
            }
        };
        self.ask(key.account, command, Waiting::Sending(Box::new(sending)), actions);
        // What is sent is no draft any more. After it, so that nothing is lost in between.
        self.keep_draft(key, true, actions);
    }

    /// Tells the core about drafts, soon after the first letter and then now and again: typing
    /// notifications follow from it.
    pub(super) fn keep_drafts(&mut self, actions: &mut Vec<Action>) {
        if let Some(key) = self.open.clone() {
            self.keep_draft(&key, false, actions);
        }
    }

    pub(super) fn keep_draft(&mut self, key: &Key, now: bool, actions: &mut Vec<Action>) {
        let time = self.clock.now;
        let Some(chat) = self.chats.get_mut(key) else { return };
        let text = match &chat.purpose {
            Purpose::Edit(_, draft) => draft.as_str(),
            // A command is nothing the other should see being typed.
            _ if chat.editor.text().starts_with('/') => "",
            _ => chat.editor.text(),
        };
        let ends_differ = text.is_empty() != chat.kept.is_empty();
        let due = now || ends_differ || time.since(chat.kept_at) >= DRAFT_EVERY.0;
        if text == chat.kept || !due {
            return;
        }
        let text = text.to_owned();
        chat.kept.clone_from(&text);
        chat.kept_at = time;
        let command = Command::Draft(key.with.clone(), text);
        self.ask(key.account, command, Waiting::Draft(key.clone()), actions);
    }

    /// What was seen is told to be read: when the terminal has the keyboard and the end is in sight.
    pub(super) fn mark_read(&mut self, actions: &mut Vec<Action>) {
        let Some(key) = self.open.clone() else { return };
        let seen = self.focused
            && self.overlay.is_none()
            && self.panes().timeline.is_some()
            && !self.is_before_the_end()
            && self.chat().is_some_and(|chat| chat.anchor.is_none());
        if !seen || self.conversation().is_none_or(|c| c.unread == 0) {
            return;
        }
        let newest = self
            .window()
            .and_then(|window| window.newest_first().find(|message| !message.own))
            .map(|message| message.id);
        let Some(newest) = newest else { return };
        let Some(chat) = self.chats.get_mut(&key) else { return };
        if chat.read != Some(newest) {
            chat.read = Some(newest);
            let command = Command::MarkRead(key.with.clone(), newest);
            self.ask(key.account, command, Waiting::Quiet, actions);
        }
    }

    /// Scrolls by rows, up if positive, and asks for older messages at the top.
    pub(super) fn scroll(&mut self, by: isize, actions: &mut Vec<Action>) {
        let anchor = self.chat().and_then(|chat| chat.anchor);
        let Some(sheet) = self.sheet() else { return };
        let (anchor, top) = sheet.scrolled(anchor, by);
        if let Some(chat) = self.chat_mut() {
            chat.anchor = anchor;
        }
        if top && by > 0 {
            self.older(actions);
        }
        if anchor.is_none() && by < 0 {
            self.newer(actions);
        }
    }

    /// To the end, to the oldest message that is here, or to the unread line.
    pub(super) fn scroll_to(&mut self, to: Option<MessageId>) {
        let anchor = match (to, self.sheet()) {
            (Some(id), Some(sheet)) => sheet.from_top(id),
            _ => None,
        };
        if let Some(chat) = self.chat_mut() {
            chat.anchor = anchor;
        }
    }

    /// Chooses a message, and brings it into sight.
    pub(crate) fn select(&mut self, id: MessageId) {
        if self.bring_to_sight(id) {
            self.focus = Focus::Message(id);
            if self.is_vim() && self.vim.mode == Mode::Insert {
                self.stop_typing();
            }
        }
    }

    /// Scrolls as little as needed to show a message. Returns whether it is here.
    pub(crate) fn bring_to_sight(&mut self, id: MessageId) -> bool {
        let anchor = self.chat().and_then(|chat| chat.anchor);
        let Some(sheet) = self.sheet().filter(|sheet| sheet.window.message(id).is_some()) else {
            return false;
        };
        let anchor = sheet.showing(anchor, id);
        if let Some(chat) = self.chat_mut() {
            chat.anchor = anchor;
        }
        true
    }

    /// Chooses the newest message, or the lowest on the screen.
    pub(super) fn select_last(&mut self) {
        let anchor = self.chat().and_then(|chat| chat.anchor);
        let lowest = self.sheet().and_then(|sheet| {
            let visible = sheet.visible(anchor);
            let id = visible.last()?.0;
            selectable(sheet.window.up_from(id).find(|m| is_message(m)))
        });
        if let Some(id) = lowest {
            self.select(id);
        }
    }

    /// Chooses the message above or below.
    pub(super) fn select_by(&mut self, older: bool, actions: &mut Vec<Action>) {
        let Focus::Message(id) = self.focus else { return };
        let Some(window) = self.window() else { return };
        let next = match older {
            true => selectable(window.up_from(id).skip(1).find(|m| is_message(m))),
            false => selectable(window.down_from(id).skip(1).find(|m| is_message(m))),
        };
        match next {
            Some(next) => self.select(next),
            None if older => self.scroll(1, actions),
            None if self.is_before_the_end() => self.scroll(-1, actions),
            None if self.marked.is_none() => self.focus = Focus::Composer,
            None => {}
        }
    }

    /// The chosen message; without one, the newest for which the test holds.
    pub(crate) fn chosen(&self, test: impl Fn(&Message) -> bool) -> Option<&Message> {
        let window = self.window()?;
        match self.focus {
            Focus::Message(id) => window.message(id).filter(|message| test(message)),
            _ => window.newest_first().find(|message| test(message)),
        }
    }

    /// Puts the beginning of a command into the text, if nothing else is written there.
    pub(crate) fn begin_command(&mut self, command: String) {
        self.begin_typing(true);
        let Some(chat) = self.chat_mut() else { return };
        if chat.purpose == Purpose::New
            && (chat.editor.is_empty() || chat.editor.text().starts_with('/'))
        {
            chat.editor.set(command);
        } else {
            self.say(Notice::bad(format!("finish what you are writing; then {command}")));
        }
    }

    /// Begins an answer.
    pub(crate) fn reply_to(&mut self, id: MessageId) {
        if let Some(chat) = self.chat_mut() {
            if let Purpose::Edit(_, draft) = std::mem::take(&mut chat.purpose) {
                chat.editor.set(draft);
            }
            chat.purpose = Purpose::Reply(id);
        }
        self.begin_typing(true);
    }

    /// Begins to change the text of an own message.
    pub(crate) fn edit(&mut self, id: MessageId) {
        let text = match self.window().and_then(|w| w.message(id)) {
            Some(Message { content: Content::Text(text), own: true, .. }) => text.clone(),
            _ => return self.say(Notice::bad("only the text of your own messages can be edited")),
        };
        if let Some(chat) = self.chat_mut() {
            let draft = match std::mem::take(&mut chat.purpose) {
                Purpose::Edit(_, draft) => draft,
                _ => chat.editor.text().to_owned(),
            };
            let draft = if draft.starts_with('/') { String::new() } else { draft };
            chat.purpose = Purpose::Edit(id, draft);
            chat.editor.set(text);
        }
        self.begin_typing(true);
    }

    /// Gives up an answer or an edit. Returns whether there was one.
    pub(super) fn give_up(&mut self) -> bool {
        let Some(chat) = self.chat_mut() else { return false };
        match std::mem::take(&mut chat.purpose) {
            Purpose::New => return false,
            Purpose::Reply(_) => {}
            Purpose::Edit(_, draft) => chat.editor.set(draft),
        }
        true
    }
}

/// Whether somebody said it.
pub(crate) fn is_message(message: &Message) -> bool {
    !matches!(message.content, Content::Event(_))
}

fn selectable(message: Option<&Message>) -> Option<MessageId> {
    message.map(|message| message.id)
}

/// Windows that are open at the same time.
const MOST_WINDOWS: usize = 8;
/// Drafts are told to the core no more often than this while they are written.
const DRAFT_EVERY: Millis = Millis::from_secs(2);
