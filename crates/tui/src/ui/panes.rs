//! Where everything is on the screen.

use ratatui::layout::{Position, Rect};

use super::app::{App, Focus, Purpose};

/// The areas of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panes {
    /// The list of conversations.
    pub list: Option<Rect>,
    /// The line between the list and the conversation.
    pub border: Option<Rect>,
    /// Who one talks with.
    pub header: Option<Rect>,
    /// The messages.
    pub timeline: Option<Rect>,
    /// The line above the text.
    pub divider: Option<Rect>,
    /// What is answered or edited.
    pub banner: Option<Rect>,
    /// The text that is being written.
    pub composer: Option<Rect>,
    /// The last line, or more of them while something long is said.
    pub status: Rect,
    /// Rows that a conversation takes in the list.
    pub row_height: u16,
    /// Columns of the composer, known also when it is not there.
    composer_width: u16,
}

impl Panes {
    /// The areas for a state.
    #[must_use]
    pub fn of(app: &App) -> Panes {
        let (columns, rows) = app.size;
        let whole = Rect::new(0, 0, columns, rows);
        let said = super::draw::status_rows(app, columns).clamp(1, (rows / 3).max(1)).min(rows);
        let main = Rect { height: rows - said, ..whole };
        let status = Rect { y: main.height, height: said, ..whole };
        let row_height = if rows >= 18 { 2 } else { 1 };
        let narrow = columns < NARROW;
        let mut panes = Panes { status, row_height, ..Panes::default() };
        let right = match narrow {
            true if app.open.is_none() || app.focus == Focus::List => {
                panes.list = Some(main);
                return panes;
            }
            true => main,
            false => {
                let width = (columns / 3).clamp(24, 36);
                panes.list = Some(Rect { width, ..main });
                panes.border = Some(Rect { x: width, width: 1, ..main });
                Rect { x: width + 1, width: columns - width - 1, ..main }
            }
        };
        panes.composer_width = right.width;
        if app.open.is_some() {
            panes.split(app, right);
        } else {
            panes.timeline = Some(right);
        }
        panes
    }

    fn split(&mut self, app: &App, area: Rect) {
        let banner = u16::from(app.chat().is_some_and(|chat| chat.purpose != Purpose::New));
        let most = (area.height / 3).clamp(1, 8);
        let written = app.chat().map_or(1, |chat| chat.editor.rows(self.text_width()).rows.len());
        let text = u16::try_from(written).unwrap_or(most).clamp(1, most);
        let below = text + banner + 1;
        let header = area.height.saturating_sub(below + 1).min(1);
        let timeline = area.height.saturating_sub(header + below);
        let mut y = area.y;
        let mut next = |height: u16| {
            let rect = Rect { y, height: height.min(area.bottom().saturating_sub(y)), ..area };
            y += rect.height;
            Some(rect).filter(|rect| rect.height > 0)
        };
        self.header = next(header);
        self.timeline = next(timeline);
        self.divider = next(1);
        self.banner = next(banner);
        self.composer = next(text);
    }

    /// Columns that a row of the written text has, without prompt and edge.
    #[must_use]
    pub fn text_width(&self) -> usize {
        usize::from(self.composer_width).saturating_sub(4)
    }

    /// The row of the list at a place on the screen.
    #[must_use]
    pub fn row_at(&self, app: &App, at: Position) -> Option<usize> {
        let list = self.list.filter(|list| list.contains(at))?;
        super::draw::list::places(app, list)
            .into_iter()
            .find(|(_, area)| area.contains(at))
            .map(|(row, _)| row)
    }
}

/// With fewer columns there is either the list or a conversation.
pub(super) const NARROW: u16 = 64;
