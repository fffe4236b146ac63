//! A choice to make before something is done.

use client::Command;
use ratatui::crossterm::event::KeyEvent;
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{AccountNumber, Action, App, Sheet, Stay};
use crate::ui::app::{Key, Waiting};
use crate::ui::commands;
use crate::ui::printable::Printable;
use crate::ui::text;
use crate::ui::theme::Theme;

/// A choice to make.
#[derive(Debug)]
pub struct Question {
    title: String,
    text: String,
    choices: Vec<(char, &'static str, Then)>,
    chosen: usize,
}

/// What follows from a choice.
#[derive(Debug, Default)]
pub enum Then {
    /// Nothing.
    #[default]
    Nothing,
    /// A command to the core of an account, and what is said when it is done.
    Ask(AccountNumber, Box<Command>, String),
    /// Several commands.
    AskAll(AccountNumber, Vec<Command>),
    /// Text goes into what is being written.
    Insert(String),
    /// A room is entered: which, and with which password or secret.
    Enter(Key, Option<String>),
    /// Another program opens a page.
    Show(String),
}

impl Then {
    /// A command to the core of an account, and what is said when it is done: nothing if empty.
    #[must_use]
    pub fn ask(account: AccountNumber, command: Command, said: impl Into<String>) -> Then {
        Then::Ask(account, Box::new(command), said.into())
    }
}

impl Question {
    /// A question. The last choice is the harmless one: it is chosen first, and what Escape means.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        text: &str,
        choices: Vec<(char, &'static str, Then)>,
    ) -> Question {
        let chosen = choices.len().saturating_sub(1);
        Question { title: title.into(), text: text.to_owned(), choices, chosen }
    }

    /// Whether so many lines are really to be pasted.
    #[must_use]
    pub fn paste(pasted: String, lines: usize) -> Question {
        let first: Vec<&str> = pasted.lines().take(4).collect();
        let text = format!("It begins:\n{}\n…", first.join("\n"));
        let yes = Then::Insert(pasted);
        Question::new(
            format!("Paste {lines} lines?"),
            &text,
            vec![('y', "yes, into the text", yes), ('n', "no", Then::Nothing)],
        )
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        match page::read(key) {
            Move::Leave => return Stay::Close,
            Move::By(by) => self.chosen = page::moved(self.chosen, by, self.choices.len()),
            Move::Take => {
                self.take(self.chosen, app, actions);
                return Stay::Close;
            }
            Move::Letter(letter) => {
                let lower = letter.to_ascii_lowercase();
                if let Some(chosen) = self.choices.iter().position(|(key, ..)| *key == lower) {
                    self.take(chosen, app, actions);
                    return Stay::Close;
                }
            }
            _ => {}
        }
        Stay::Open
    }

    fn take(&mut self, chosen: usize, app: &mut App, actions: &mut Vec<Action>) {
        let Some((_, _, then)) = self.choices.get_mut(chosen) else { return };
        match std::mem::take(then) {
            Then::Nothing => {}
            Then::Ask(account, command, said) => {
                let waiting = if said.is_empty() { Waiting::Quiet } else { Waiting::Say(said) };
                app.ask(account, *command, waiting, actions);
            }
            Then::AskAll(account, commands) => {
                for command in commands {
                    app.ask(account, command, Waiting::Quiet, actions);
                }
            }
            Then::Insert(text) => app.insert(&text, actions),
            Then::Enter(key, secret) => commands::enter(app, key, None, secret, actions),
            Then::Show(page) => actions.push(Action::Show(page)),
        }
    }

    pub(super) fn sheet(&self, theme: Theme, columns: u16) -> Sheet {
        let width = usize::from(columns).min(66).saturating_sub(6);
        let mut lines: Vec<Line<'static>> = Printable::block(&self.text)
            .as_str()
            .split('\n')
            .flat_map(|line| text::wrap(&[Span::raw(line)], width))
            .collect();
        lines.push(Line::default());
        for (index, (key, words, _)) in self.choices.iter().enumerate() {
            let mark = if index == self.chosen { "▸ " } else { "  " };
            let line = Line::from(vec![
                Span::raw(mark),
                Span::styled(key.to_string(), theme.key()),
                Span::raw(format!("  {words}")),
            ]);
            let style = if index == self.chosen { theme.selected() } else { Default::default() };
            lines.push(line.style(style));
        }
        Sheet {
            title: Printable::line(&self.title).into_string(),
            lines,
            hints: vec![("Enter", "take"), ("Esc", "leave")],
            width: 66,
            ..Sheet::default()
        }
    }
}
