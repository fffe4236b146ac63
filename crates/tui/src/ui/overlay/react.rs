//! Choosing a reaction.

use client::store::MessageId;
use ratatui::crossterm::event::KeyEvent;
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{Action, App, Sheet, Stay, field};
use crate::ui::editor::Editor;
use crate::ui::text;

/// Choosing a reaction to a message.
#[derive(Debug)]
pub struct React {
    pub(super) typed: Editor,
    message: MessageId,
    chosen: usize,
}

impl React {
    pub(super) fn new(message: MessageId) -> React {
        React { typed: Editor::default(), message, chosen: 0 }
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        match page::write(key, &mut self.typed) {
            Move::Leave => return Stay::Close,
            Move::By(by) => self.chosen = page::moved(self.chosen, by, USUAL.len()),
            Move::Switch => self.chosen = (self.chosen + 1) % USUAL.len(),
            Move::Typed => {
                let number = self.typed.text().parse::<usize>().ok();
                if let Some(emoji) = number.and_then(|n| USUAL.get(n.wrapping_sub(1))) {
                    app.toggle_reaction(self.message, emoji, actions);
                    return Stay::Close;
                }
            }
            Move::Take => {
                let emoji = match self.typed.text().trim() {
                    "" => USUAL[self.chosen],
                    typed => typed,
                };
                app.toggle_reaction(self.message, emoji, actions);
                return Stay::Close;
            }
            _ => {}
        }
        Stay::Open
    }

    pub(super) fn sheet(&self, app: &App) -> Sheet {
        let theme = app.theme();
        let mut spans = Vec::new();
        for (index, emoji) in USUAL.iter().enumerate() {
            let style = if index == self.chosen { theme.selected() } else { Default::default() };
            spans.push(Span::styled(format!("{} ", index + 1), theme.dim()));
            spans.push(Span::styled(format!(" {emoji} "), style));
            spans.push(Span::raw(" "));
        }
        let before = &self.typed.text()[..self.typed.cursor()];
        let (line, cursor) = field(theme, "another ›", self.typed.text(), before);
        let hint = text::styled("The same once more takes it back.", theme.dim());
        Sheet {
            title: "React".to_owned(),
            lines: vec![Line::from(spans), Line::default(), line, Line::default(), hint],
            cursor: Some((2, cursor)),
            hints: vec![("1–6", "react"), ("Enter", "react"), ("Esc", "leave")],
            width: 56,
            ..Sheet::default()
        }
    }
}

/// What people choose most.
const USUAL: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
