//! A line to type in at the bottom of the screen: commands and words to look for, as in vim.

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{Action, App, Sheet, Stay};
use crate::ui::commands::{self, Completion};
use crate::ui::editor::Editor;
use crate::ui::event::Notice;
use crate::ui::printable::Printable;
use crate::ui::text;

/// A line to type in.
#[derive(Debug)]
pub struct Prompt {
    pub(super) typed: Editor,
    sign: Sign,
}

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `:`, a command.
    Command,
    /// `/`, a command where there is no text to write it in.
    Slash,
    /// `/`, words to look for downwards.
    Down,
    /// `?`, words to look for upwards.
    Up,
}

impl Prompt {
    pub(super) fn new(sign: Sign) -> Prompt {
        Prompt { typed: Editor::default(), sign }
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        if key.code == KeyCode::Backspace && self.typed.is_empty() {
            return Stay::Close;
        }
        match page::write(key, &mut self.typed) {
            Move::Leave => return Stay::Close,
            Move::Take => {
                let typed = self.typed.take();
                match self.sign {
                    Sign::Command => app.run_colon(&typed, actions),
                    Sign::Slash if typed.trim().is_empty() => {}
                    Sign::Slash => app.run(&format!("/{}", typed.trim()), actions),
                    Sign::Down => app.look_for(&typed, false),
                    Sign::Up => app.look_for(&typed, true),
                }
                return Stay::Close;
            }
            Move::Switch if matches!(self.sign, Sign::Command | Sign::Slash) => self.complete(app),
            _ => {}
        }
        Stay::Open
    }

    fn complete(&mut self, app: &mut App) {
        match commands::complete(app, &format!("/{}", self.typed.text())) {
            Completion::Text(text) => self.typed.set(text.trim_start_matches('/')),
            Completion::Choices(choices) => app.say(Notice::good(choices.join("  "))),
            Completion::Nothing => {}
        }
    }

    pub(super) fn sheet(&self, app: &App) -> Sheet {
        let sign = match self.sign {
            Sign::Command => ":",
            Sign::Slash | Sign::Down => "/",
            Sign::Up => "?",
        };
        let before = text::width(&self.typed.text()[..self.typed.cursor()]);
        let line = Line::from(vec![
            Span::styled(sign, app.theme().accent()),
            Span::raw(Printable::line(self.typed.text()).into_string()),
        ]);
        Sheet { lines: vec![line], cursor: Some((0, before + 1)), bar: true, ..Sheet::default() }
    }
}
