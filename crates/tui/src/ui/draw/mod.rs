//! The state on the screen. Drawing changes nothing.

mod chat;
pub(crate) mod list;
mod over;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::app::{App, Focus};
use super::event::Weight;
use super::keys::Place;
use super::panes::NARROW;
use super::printable::Printable;
use super::text::{self, put};

/// Draws everything.
pub fn draw(app: &App, frame: &mut Frame<'_>) {
    let panes = app.panes();
    let buffer = frame.buffer_mut();
    if let Some(area) = panes.list {
        list::draw(app, area, buffer);
    }
    if let Some(area) = panes.border {
        for y in area.top()..area.bottom() {
            put(buffer, area.x, y, area.right(), &text::styled("│", app.theme().rule()));
        }
    }
    let mut cursor = chat::draw(app, &panes, buffer);
    status(app, panes.status, buffer);
    if let Some(overlay) = &app.overlay {
        cursor = over::draw(app, overlay, buffer);
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// The last line: what was said, otherwise keys; at its right the connection. What is too long for it has
/// rows of its own above.
fn status(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let theme = app.theme();
    let y = area.bottom() - 1;
    let mut end = area.right();
    let connection = connection(app, area.width);
    let mode = mode(app);
    let alone = connection.is_none() && mode.is_none();
    if let Some(words) = connection {
        let x = end.saturating_sub(text::width(&words) as u16 + 1);
        put(buffer, x, y, end, &text::styled(words, theme.warn()));
        end = x.saturating_sub(1);
    }
    let mut start = area.x + 1;
    if let Some((words, style)) = mode {
        let line = text::styled(words, style);
        start = put(buffer, start, y, end, &line) + 2;
    }
    let room = usize::from(end.saturating_sub(start));
    let line = match &app.notice {
        Some((notice, _)) => {
            let style = match notice.weight {
                Weight::Good => theme.good(),
                Weight::Bad => theme.bad(),
            };
            if area.height > 1 {
                let rows = area.height - u16::from(!alone);
                let lines = notice_lines(&notice.text, area.width);
                for (y, line) in (area.y..).zip(lines).take(usize::from(rows)) {
                    put(buffer, area.x + 1, y, area.right(), &line.style(style));
                }
                return;
            }
            text::styled(text::fit(Printable::line(&notice.text).as_str(), room), style)
        }
        None if app.accounts.is_empty() => Line::default(),
        None => hints(app, &keys(app), room),
    };
    put(buffer, start, y, end, &line);
}

/// Rows that the last line takes: more than one while something is said that is too long for it.
pub(super) fn status_rows(app: &App, columns: u16) -> u16 {
    let Some((notice, _)) = &app.notice else { return 1 };
    let words = [connection(app, columns), mode(app).map(|(words, _)| words)];
    let beside: usize = words.iter().flatten().map(|words| text::width(words) + 2).sum();
    let said = text::width(Printable::line(&notice.text).as_str());
    if said + beside + 2 <= usize::from(columns) {
        return 1;
    }
    let lines = notice_lines(&notice.text, columns).len() + usize::from(beside > 0);
    u16::try_from(lines).unwrap_or(u16::MAX)
}

fn notice_lines(said: &str, columns: u16) -> Vec<Line<'static>> {
    let room = usize::from(columns).saturating_sub(2);
    let words = text::fit(Printable::line(said).as_str(), room * MOST_NOTICE_ROWS);
    text::wrap(&[Span::raw(words)], room)
}

/// What is said of the connection, as far as it fits. On a narrow screen no keys are shown beside it.
fn connection(app: &App, columns: u16) -> Option<String> {
    let columns = usize::from(columns);
    let most =
        if columns < usize::from(NARROW) { columns.saturating_sub(2) } else { columns * 2 / 3 };
    let words = app.connection().map(|words| Printable::line(&words).into_string())?;
    // What can be done about it stays, however long it is why.
    Some(match words.strip_suffix(WHERE).filter(|_| text::width(&words) > most) {
        Some(why) => format!("{}{WHERE}", text::fit(why, most.saturating_sub(text::width(WHERE)))),
        None => text::fit(&words, most),
    })
}

/// Where something can be done about a connection that is refused.
const WHERE: &str = ": /account";

/// Rows of text of one notice.
const MOST_NOTICE_ROWS: usize = 5;

/// The mode, where keys have several meanings, and what was begun to be typed.
fn mode(app: &App) -> Option<(String, Style)> {
    let theme = app.theme();
    let word = match app.place() {
        Place::Marked => "VISUAL",
        _ if !app.is_vim() || app.open.is_none() => "",
        Place::Normal => "NORMAL",
        Place::Message => "MESSAGE",
        Place::List => "LIST",
        _ => "INSERT",
    };
    let pending = Printable::line(&app.pending()).into_string();
    let words = [word, &pending].into_iter().filter(|words| !words.is_empty());
    let words = words.collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then(|| (words, theme.accent().add_modifier(Modifier::BOLD)))
}

/// The keys worth knowing now.
fn keys(app: &App) -> Vec<(&'static str, &'static str)> {
    match app.focus {
        Focus::Message(_) if app.marked.is_some() => vec![
            ("↑↓", "more or fewer"),
            ("y", "copy"),
            ("x", "take back"),
            ("s", "save files"),
            ("Esc", "choose one"),
        ],
        Focus::Composer if app.place() == Place::Normal => vec![
            ("i", "write"),
            ("k", "messages"),
            (":", "commands"),
            ("/", "look for"),
            ("F1", "help"),
        ],
        Focus::Message(_) => vec![
            ("r", "reply"),
            ("+", "react"),
            ("e", "edit"),
            ("x", "take back"),
            ("y", "copy"),
            ("o", "open"),
            ("v", "several"),
            ("I", "details"),
            if app.is_vim() { ("i", "write") } else { ("Esc", "write") },
        ],
        Focus::List if app.open.is_none() => {
            vec![("Ctrl-K", "go to somebody"), ("F1", "help"), ("Ctrl-Q", "quit")]
        }
        Focus::List => {
            vec![("↑↓", "choose"), ("Enter", "write"), ("Ctrl-K", "go to"), ("F1", "help")]
        }
        Focus::Composer if app.panes().list.is_none() => {
            vec![("Esc", "list"), ("Ctrl-K", "go to"), ("Alt-A", "unread"), ("F1", "help")]
        }
        Focus::Composer => vec![
            ("Ctrl-K", "go to"),
            ("Alt-A", "next unread"),
            ("↑", "messages"),
            ("/", "commands"),
            ("F1", "help"),
        ],
    }
}

/// As many hints as fit.
fn hints(app: &App, keys: &[(&str, &str)], columns: usize) -> Line<'static> {
    let theme = app.theme();
    let mut spans = Vec::new();
    for (index, (key, words)) in keys[..fitting(keys, columns)].iter().enumerate() {
        let gap = if index == 0 { "" } else { HINT_GAP };
        spans.push(Span::raw(gap));
        spans.push(Span::styled((*key).to_owned(), theme.dim().add_modifier(Modifier::BOLD)));
        spans.push(Span::styled(format!(" {words}"), theme.dim()));
    }
    Line::from(spans)
}

/// How many of the hints fit beside each other.
fn fitting(keys: &[(&str, &str)], columns: usize) -> usize {
    let mut used = 0;
    let fits = |(index, (key, words)): &(usize, &(&str, &str))| {
        let gap = if *index == 0 { 0 } else { HINT_GAP.len() };
        used += gap + text::width(key) + 1 + text::width(words);
        used <= columns
    };
    keys.iter().enumerate().take_while(fits).count()
}

/// What stands between two hints.
const HINT_GAP: &str = "   ";

/// A place on the screen.
fn place(x: u16, y: u16, right: u16) -> Position {
    Position { x: x.min(right.saturating_sub(1)), y }
}
