//! Windows that do not reach to the end of a conversation: around what was found or quoted, or far up
//! in a long one.

use client::Command;
use client::store::MessageId;

use super::{AccountNumber, Action, App, Focus, Key, Notice, Waiting};

/// A message to which somebody is led.
#[derive(Debug)]
pub(super) struct Goal {
    key: Key,
    message: MessageId,
    /// It is chosen then; otherwise it only stands at the top.
    chosen: bool,
}

impl App {
    /// Goes to a message, and chooses it: at once if it is here, otherwise as soon as the window around
    /// it is.
    pub(crate) fn go_to_message(&mut self, key: Key, id: MessageId, actions: &mut Vec<Action>) {
        self.go_to(key.clone(), actions);
        self.goal = None;
        if self.window().is_some_and(|window| window.message(id).is_some()) {
            return self.select(id);
        }
        self.open_around(key, id, true, actions);
    }

    fn open_around(&mut self, key: Key, id: MessageId, chosen: bool, actions: &mut Vec<Action>) {
        self.goal = Some(Goal { key: key.clone(), message: id, chosen });
        self.ask(key.account, Command::OpenAt(key.with, id), Waiting::Quiet, actions);
    }

    /// A window has come. Says whether it is the one with the message that was wanted.
    pub(super) fn reach_goal(&mut self, key: &Key) -> bool {
        let here = |goal: &mut Goal| goal.key == *key && self.open.as_ref() == Some(key);
        let Some(goal) = self.goal.take_if(here) else { return false };
        if self.window().is_none_or(|window| window.message(goal.message).is_none()) {
            // The one with the newest messages, which was asked for before.
            self.goal = Some(goal);
            return false;
        }
        match goal.chosen {
            true => self.select(goal.message),
            false => self.scroll_to(Some(goal.message)),
        }
        true
    }

    /// Goes to the message that the chosen one answers.
    pub(super) fn go_to_quoted(&mut self, id: MessageId, actions: &mut Vec<Action>) {
        let reply = self.window().and_then(|window| window.message(id)?.reply.clone());
        let answered = reply.as_ref().and_then(|reply| reply.message);
        match (self.open.clone(), answered) {
            (Some(key), Some(answered)) => self.go_to_message(key, answered, actions),
            _ if reply.is_some() => self.say(Notice::bad("what it answers is not on this device")),
            _ => self.say(Notice::bad("this message answers no other")),
        }
    }

    /// A core has no windows any more, and tells nothing of what happens in those that are here: the one on
    /// screen is opened again, the others when somebody goes to them.
    pub(super) fn open_anew(&mut self, account: AccountNumber, actions: &mut Vec<Action>) {
        if let Some(mirror) = self.accounts.get_mut(&account) {
            mirror.windows.clear();
            mirror.transfers.clear();
        }
        self.goal.take_if(|goal| goal.key.account == account);
        self.recent.retain(|key| key.account != account);
        let Some(key) = self.open.clone().filter(|key| key.account == account) else { return };
        if let Focus::Message(_) = self.focus {
            self.focus_text();
        }
        if let Some(chat) = self.chats.get_mut(&key) {
            chat.anchor = None;
        }
        self.recent.push(key.clone());
        self.ask(account, Command::Open(key.with), Waiting::Quiet, actions);
    }

    /// Whether there are messages below the window on screen.
    #[must_use]
    pub fn is_before_the_end(&self) -> bool {
        self.window().is_some_and(|window| window.newer)
    }

    /// Back to the newest messages, if the window does not reach to them.
    pub(super) fn open_newest(&mut self, actions: &mut Vec<Action>) -> bool {
        let Some(key) = self.open.clone().filter(|_| self.is_before_the_end()) else {
            return false;
        };
        self.goal = None;
        if let Focus::Message(_) = self.focus {
            self.focus_text();
        }
        self.ask(key.account, Command::Open(key.with), Waiting::Quiet, actions);
        true
    }

    /// Asks for older messages. A window that has become long begins anew where one is: what is far
    /// from it can be read again.
    pub(super) fn older(&mut self, actions: &mut Vec<Action>) {
        let Some((key, length, oldest)) = self.begin_page(true) else { return };
        match oldest.filter(|_| length > MOST_MESSAGES) {
            Some(oldest) => {
                let focus = self.focus;
                self.open_around(key, oldest, matches!(focus, Focus::Message(_)), actions);
            }
            None => {
                let waiting = Waiting::Page(key.clone());
                self.ask(key.account, Command::Older(key.with), waiting, actions);
            }
        }
    }

    /// Asks for newer messages.
    pub(super) fn newer(&mut self, actions: &mut Vec<Action>) {
        let Some((key, ..)) = self.begin_page(false) else { return };
        let waiting = Waiting::Page(key.clone());
        self.ask(key.account, Command::Newer(key.with), waiting, actions);
    }

    /// Takes note that a page is asked for, unless one is already or there is none.
    fn begin_page(&mut self, older: bool) -> Option<(Key, usize, Option<MessageId>)> {
        let key = self.open.clone()?;
        let window = self.accounts.get_mut(&key.account)?.windows.get_mut(&key.with)?;
        let more = if older { window.older } else { window.newer };
        if !more || window.loading {
            return None;
        }
        window.loading = true;
        let oldest = window.oldest().map(|message| message.id);
        Some((key, window.len(), oldest))
    }

    /// A page has come, or has not.
    pub(super) fn end_page(&mut self, key: &Key) {
        let mirror = self.accounts.get_mut(&key.account);
        if let Some(window) = mirror.and_then(|mirror| mirror.windows.get_mut(&key.with)) {
            window.loading = false;
        }
    }
}

/// Messages in a window, about.
const MOST_MESSAGES: usize = 1000;
