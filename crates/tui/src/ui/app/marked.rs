//! Several messages at once: chosen from one to another, then copied, saved or taken back.

use client::Command;
use client::store::{Content, Message, MessageId};

use super::{Action, App, Focus, Notice, Waiting, is_message};
use crate::ui::clock;
use crate::ui::event::Place;
use crate::ui::keys::Intent;
use crate::ui::overlay::{Overlay, Question, Then};

impl App {
    /// Begins to choose several messages, or ends it.
    pub(super) fn mark(&mut self) {
        self.marked = match (self.marked, self.focus) {
            (None, Focus::Message(id)) => Some(id),
            (None, _) => {
                self.select_last();
                match self.focus {
                    Focus::Message(id) => Some(id),
                    _ => None,
                }
            }
            (Some(_), _) => None,
        };
    }

    /// The chosen messages, the oldest first.
    #[must_use]
    pub fn marked(&self) -> Vec<&Message> {
        let (Some(from), Focus::Message(to)) = (self.marked, self.focus) else { return Vec::new() };
        let Some(window) = self.window() else { return Vec::new() };
        let place =
            |id: MessageId| window.message(id).map(|message| (message.position, message.id));
        let (Some(from), Some(to)) = (place(from), place(to)) else { return Vec::new() };
        let (first, last) = (from.min(to), from.max(to));
        let between = window.down_from(first.1);
        let between = between.take_while(|m| (m.position, m.id) <= last);
        between.filter(|message| is_message(message)).take(MOST_MARKED).collect()
    }

    pub(super) fn act_on_marked(&mut self, intent: Intent, actions: &mut Vec<Action>) {
        match intent {
            Intent::Copy => self.copy_marked(actions),
            Intent::Save => self.save_marked(actions),
            Intent::Retract => self.retract_marked(),
            _ => return,
        }
        self.marked = None;
    }

    /// Every message with its time and who wrote it: they are read somewhere else.
    fn copy_marked(&mut self, actions: &mut Vec<Action>) {
        let Some(key) = self.open.clone() else { return };
        let Some(mirror) = self.mirror(key.account) else { return };
        let me = mirror.account.as_ref().map(|account| account.address.clone());
        let lines: Vec<String> = self
            .marked()
            .into_iter()
            .filter_map(|message| {
                let text = App::text_of(&message.content)?;
                let name = match (message.own, &me) {
                    (true, Some(me)) => mirror.name(me),
                    _ => mirror.author(message),
                };
                Some(format!("[{}] {name}: {text}", self.clock.stamp(message.time)))
            })
            .collect();
        let said = format!("{} copied", clock::count(lines.len() as u64, "message"));
        let text = lines.join("\n");
        self.vim.keep(text.clone());
        actions.push(Action::Copy(text));
        self.say(Notice::good(said));
    }

    fn save_marked(&mut self, actions: &mut Vec<Action>) {
        let Some(key) = self.open.clone() else { return };
        let files: Vec<(MessageId, String)> = self
            .marked()
            .into_iter()
            .filter_map(|message| match &message.content {
                Content::File(file, _) => Some((message.id, file.name.clone())),
                _ => None,
            })
            .collect();
        if files.is_empty() {
            return self.say(Notice::bad("there is no file among them"));
        }
        for (message, name) in files {
            actions.push(Action::Download {
                account: key.account,
                number: self.number(Waiting::Save),
                message,
                name,
                into: Place::Downloads,
            });
        }
    }

    fn retract_marked(&mut self) {
        let Some(key) = self.open.clone() else { return };
        let own: Vec<Command> = self
            .marked()
            .into_iter()
            .filter(|m| m.own && matches!(m.content, Content::Text(_) | Content::File(..)))
            .map(|message| Command::Retract(message.id))
            .collect();
        if own.is_empty() {
            return self.say(Notice::bad("none of them is yours"));
        }
        let messages = clock::count(own.len() as u64, "message");
        let then = Then::AskAll(key.account, own);
        self.overlay = Some(Overlay::Question(Question::new(
            format!("Take {messages} back?"),
            "The other's program is asked to hide them. Who has read them has read them.",
            vec![('y', "yes, take them back", then), ('n', "no", Then::Nothing)],
        )));
    }
}

/// Messages that can be chosen at once.
const MOST_MARKED: usize = 1000;
