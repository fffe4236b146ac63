//! A link with its QR code.

use qrcodegen::{QrCode, QrCodeEcc};
use ratatui::crossterm::event::KeyEvent;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{Action, App, Sheet, Stay};
use crate::ui::event::Notice;
use crate::ui::printable::Printable;
use crate::ui::text;
use crate::ui::theme::Theme;

/// A link with its QR code.
#[derive(Debug)]
pub struct Link {
    title: String,
    link: String,
    /// Its text is shown where there is no room for both.
    text: bool,
}

impl Link {
    pub(super) fn new(title: &str, link: String) -> Link {
        Link { title: title.to_owned(), link, text: false }
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        match page::read(key) {
            Move::Leave | Move::Take | Move::Letter('q') => Stay::Close,
            Move::Letter('t') => {
                self.text = !self.text;
                Stay::Open
            }
            Move::Letter('c' | 'y') => {
                actions.push(Action::Copy(self.link.clone()));
                app.say(Notice::good("copied"));
                Stay::Open
            }
            _ => Stay::Open,
        }
    }

    pub(super) fn sheet(&self, theme: Theme, columns: u16, rows: u16) -> Sheet {
        let mut sheet = sheet(theme, &self.title, &self.link, columns, rows);
        if sheet.bare {
            sheet.hints.insert(0, ("t", "as text"));
        }
        if sheet.bare && self.text {
            sheet.bare = false;
            sheet.lines = as_text(theme, &self.link, usize::from(columns.min(sheet.width)));
            sheet.hints = vec![("t", "as a code"), ("Esc", "leave")];
        }
        sheet.hints.insert(0, ("c", "copy"));
        sheet
    }
}

/// A QR code with its text below; without the frame where that makes it fit, and the text alone
/// where nothing does.
pub(super) fn sheet(theme: Theme, title: &str, link: &str, columns: u16, rows: u16) -> Sheet {
    let code = code_rows(link).unwrap_or_default();
    let (wide, high) = (code.first().map_or(0, Line::width), code.len());
    let framed = wide + 4 <= usize::from(columns) && high + 5 <= usize::from(rows);
    let bare = !framed && wide <= usize::from(columns) && high < usize::from(rows);
    let width = (wide + 6).max(64);
    let words = as_text(theme, link, width.min(usize::from(columns)));
    let mut lines = Vec::new();
    if framed || bare {
        let left = if framed { (width - 4).saturating_sub(wide) / 2 } else { 0 };
        lines.extend(code.into_iter().map(|mut line| {
            line.spans.insert(0, Span::raw(" ".repeat(left)));
            line
        }));
    } else {
        lines.push(text::styled("The window is too small for the QR code.", theme.dim()));
    }
    if !bare {
        lines.extend(words);
    }
    Sheet {
        title: title.to_owned(),
        lines,
        hints: vec![("Esc", "leave")],
        width: width as u16,
        bare,
        ..Sheet::default()
    }
}

/// A link in rows of a sheet of so many columns.
fn as_text(theme: Theme, link: &str, columns: usize) -> Vec<Line<'static>> {
    let printable = Printable::line(link);
    text::wrap(&[Span::styled(printable.as_str(), theme.literal())], columns.saturating_sub(6))
}

/// A text as a QR code of half blocks, dark on light with two modules of quiet around it; `None` if
/// it is too long.
fn code_rows(text: &str) -> Option<Vec<Line<'static>>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let style = Style::new().fg(Color::Black).bg(Color::White);
    let dark = |x: i32, y: i32| code.get_module(x, y);
    let range = -QUIET..code.size() + QUIET;
    let rows = range.clone().step_by(2).map(|y| {
        let row: String = range
            .clone()
            .map(|x| match (dark(x, y), dark(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect();
        text::styled(row, style)
    });
    Some(rows.collect())
}

/// Modules around the code.
const QUIET: i32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_link_fits_on_a_small_screen() {
        let link = format!("xmpp:romeo@montague.example?omemo-sid-31415926={}", "a1".repeat(32));
        let rows = code_rows(&link).unwrap();
        assert!(rows.len() <= 24 && rows[0].width() <= 80, "{} rows", rows.len());
        assert!(code_rows(&"x".repeat(4000)).is_none());
    }
}
