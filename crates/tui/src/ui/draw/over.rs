//! What lies over the conversation, in a frame.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::{fitting, hints, place};
use crate::ui::app::App;
use crate::ui::overlay::{Overlay, Sheet};
use crate::ui::printable::{FIRST_STRONG_ISOLATE, POP_ISOLATE};
use crate::ui::text::{self, put};

/// Draws an overlay in the middle. Returns where the cursor stands.
pub(super) fn draw(app: &App, overlay: &Overlay, buffer: &mut Buffer) -> Option<Position> {
    let whole = buffer.area;
    let sheet = overlay.sheet(app, whole.width, whole.height);
    let more = more_hints(app, &sheet, whole.width);
    let area = area(&sheet, more.len() as u16, whole);
    clear(if sheet.bare { whole } else { area }, buffer);
    if sheet.bare && area.bottom() < whole.bottom() {
        let keys = hints(app, &sheet.hints, usize::from(whole.width).saturating_sub(2));
        put(buffer, whole.x + 1, whole.bottom() - 1, whole.right(), &keys);
    }
    let mut inner = if sheet.bare || sheet.bar { area } else { frame(app, &sheet, area, buffer) };
    inner.height = inner.height.saturating_sub(more.len() as u16);
    for (index, line) in more.iter().enumerate() {
        put(buffer, inner.x, inner.bottom() + index as u16, inner.right(), line);
    }
    let (fixed, scrolled) = sheet.lines.split_at(sheet.fixed.min(sheet.lines.len()));
    let room = usize::from(inner.height).saturating_sub(fixed.len());
    let focus = sheet.focus.map_or(0, |row| row.saturating_sub(fixed.len()));
    let first = (focus + 1).saturating_sub(room);
    let shown = fixed.iter().chain(scrolled.iter().skip(first).take(room));
    for (index, line) in shown.enumerate().take(usize::from(inner.height)) {
        let y = inner.y + index as u16;
        if line.style != Style::new() {
            buffer.set_style(Rect { y, height: 1, ..inner }, line.style);
        }
        put(buffer, inner.x, y, inner.right(), line);
    }
    sheet
        .cursor
        .map(|(row, column)| place(inner.x + column as u16, inner.y + row as u16, inner.right()))
}

/// The keys that do not fit into the frame, in rows that stand above its lower side. Where all fit
/// there are none.
fn more_hints(app: &App, sheet: &Sheet, columns: u16) -> Vec<Line<'static>> {
    if sheet.bare || sheet.bar {
        return Vec::new();
    }
    let width = usize::from(sheet.width.min(columns));
    let mut rest = &sheet.hints[fitting(&sheet.hints, width.saturating_sub(6))..];
    let mut lines = Vec::new();
    let room = width.saturating_sub(4);
    while !rest.is_empty() && lines.len() < MORE_HINTS {
        lines.push(hints(app, rest, room));
        rest = &rest[fitting(rest, room).max(1)..];
    }
    lines
}

/// Rows of keys besides the frame's.
const MORE_HINTS: usize = 3;

/// As large as the content, and not larger than the screen.
fn area(sheet: &Sheet, more: u16, whole: Rect) -> Rect {
    if sheet.bar {
        let y = whole.bottom().saturating_sub(1);
        return Rect { y, height: whole.height.min(1), ..whole };
    }
    let border = if sheet.bare { 0 } else { 2 };
    let width = match sheet.bare {
        true => sheet.lines.iter().map(Line::width).max().unwrap_or(0) as u16,
        false => sheet.width,
    };
    let width = width.min(whole.width);
    let lines = u16::try_from(sheet.lines.len()).unwrap_or(u16::MAX);
    let wanted = lines.saturating_add(border).saturating_add(more);
    let height = wanted.clamp(border + 1, whole.height.max(border + 1)).min(whole.height);
    let x = whole.x + (whole.width - width) / 2;
    // Lists that get shorter while one types do not jump: they hang from the same row.
    let top = if sheet.fixed > 0 {
        (whole.height / 8).min(whole.height - height)
    } else {
        (whole.height - height) / 2
    };
    Rect { x, y: whole.y + top, width, height }
}

fn clear(area: Rect, buffer: &mut Buffer) {
    for y in area.top()..area.bottom() {
        keep_isolates(area, y, buffer);
        // Half of a wide letter beside the frame would be left over.
        if area.x > 0 && text::width(buffer[(area.x - 1, y)].symbol()) == 2 {
            buffer[(area.x - 1, y)].set_symbol(" ");
        }
        for x in area.left()..area.right() {
            buffer[(x, y)].reset();
        }
    }
}

/// Text from right to left that goes on below the overlay is closed before it and opened behind it.
fn keep_isolates(area: Rect, y: u16, buffer: &mut Buffer) {
    let open_before = |buffer: &Buffer, column: u16| {
        let cells = (buffer.area.left()..column).map(|x| buffer[(x, y)].symbol());
        cells.flat_map(str::chars).fold(0_i32, |open, character| match character {
            FIRST_STRONG_ISOLATE => open + 1,
            POP_ISOLATE => open - 1,
            _ => open,
        })
    };
    let (left, right) = (open_before(buffer, area.left()), open_before(buffer, area.right()));
    if left > 0 {
        let cell = &mut buffer[(area.left() - 1, y)];
        let closed = format!("{}{POP_ISOLATE}", cell.symbol());
        cell.set_symbol(&closed);
    }
    if right > 0 && area.right() < buffer.area.right() {
        let cell = &mut buffer[(area.right(), y)];
        let opened = format!("{FIRST_STRONG_ISOLATE}{}", cell.symbol());
        cell.set_symbol(&opened);
    }
}

/// The frame, with the title above and the keys below. Returns what is inside.
fn frame(app: &App, sheet: &Sheet, area: Rect, buffer: &mut Buffer) -> Rect {
    let rule = app.theme().rule();
    let bar = "─".repeat(usize::from(area.width.saturating_sub(2)));
    let bottom = area.bottom().saturating_sub(1);
    put(buffer, area.x, area.y, area.right(), &text::styled(format!("╭{bar}╮"), rule));
    put(buffer, area.x, bottom, area.right(), &text::styled(format!("╰{bar}╯"), rule));
    for y in area.y + 1..bottom {
        put(buffer, area.x, y, area.right(), &text::styled("│", rule));
        put(buffer, area.right().saturating_sub(1), y, area.right(), &text::styled("│", rule));
    }
    let room = usize::from(area.width).saturating_sub(6);
    let title = Span::styled(
        format!(" {} ", text::fit(&sheet.title, room)),
        app.theme().accent().add_modifier(Modifier::BOLD),
    );
    put(buffer, area.x + 2, area.y, area.right(), &Line::from(title));
    let mut keys = hints(app, &sheet.hints, room);
    keys.spans.insert(0, Span::raw(" "));
    keys.spans.push(Span::raw(" "));
    put(buffer, area.x + 2, bottom, area.right(), &keys);
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}
