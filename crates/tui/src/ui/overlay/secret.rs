//! A password for an account that is here: a new one, or the one that it has by now.

use client::Command;
use ratatui::crossterm::event::KeyEvent;
use ratatui::text::Line;
use xmpp::sasl::Secret as Password;

use super::page::{self, Move};
use super::{AccountNumber, Action, App, Sheet, Stay, field};
use crate::ui::app::Waiting;
use crate::ui::editor::Editor;
use crate::ui::text;
use crate::ui::theme::Theme;

/// A new password for an account, typed twice; or the one that its server wants again.
#[derive(Debug)]
pub struct Secret {
    pub(super) typed: Editor,
    account: AccountNumber,
    /// The account has it already.
    again: bool,
    first: Option<Password>,
    problem: &'static str,
}

impl Secret {
    pub(super) fn new(account: AccountNumber) -> Secret {
        Secret { typed: Editor::hidden(), account, again: false, first: None, problem: "" }
    }

    pub(super) fn again(account: AccountNumber) -> Secret {
        Secret { again: true, ..Secret::new(account) }
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        match page::write(key, &mut self.typed) {
            Move::Leave => return Stay::Close,
            Move::Take => return self.take(app, actions),
            _ => {}
        }
        Stay::Open
    }

    fn take(&mut self, app: &mut App, actions: &mut Vec<Action>) -> Stay {
        if self.again {
            if self.typed.is_empty() {
                return Stay::Open;
            }
            let said = Waiting::Say("connected again".to_owned());
            let typed = Password::from(self.typed.take());
            app.ask(self.account, Command::GivePassword(typed), said, actions);
            return Stay::Close;
        }
        if self.typed.text().chars().count() < SHORTEST {
            self.problem = "At least eight letters.";
            return Stay::Open;
        }
        let typed = Password::from(self.typed.take());
        match self.first.take() {
            None => {
                self.first = Some(typed);
                self.problem = "";
                Stay::Open
            }
            Some(first) if first.expose() == typed.expose() => {
                let said = Waiting::Say("the password is changed".to_owned());
                app.ask(self.account, Command::ChangePassword(typed), said, actions);
                Stay::Close
            }
            Some(_) => {
                self.problem = "They were not the same. Once more:";
                Stay::Open
            }
        }
    }

    pub(super) fn sheet(&self, theme: Theme) -> Sheet {
        let label = match (self.again, &self.first) {
            (true, _) => "password ›",
            (false, None) => "new password ›",
            (false, Some(_)) => "once more ›",
        };
        let dots = |text: &str| "•".repeat(text.chars().count());
        let shown = dots(self.typed.text());
        let (line, cursor) =
            field(theme, label, &shown, &dots(&self.typed.text()[..self.typed.cursor()]));
        Sheet {
            title: if self.again { "The password of the account" } else { "Change the password" }
                .to_owned(),
            lines: vec![text::styled(self.problem, theme.bad()), line, Line::default()],
            cursor: Some((1, cursor)),
            hints: vec![("Enter", "go on"), ("Esc", "leave")],
            width: 60,
            ..Sheet::default()
        }
    }
}

/// Letters of the shortest password.
const SHORTEST: usize = 8;
