//! The list of conversations.

use client::store::{Delivery, Mute};
use client::view::{Kind, Presence, RoomState};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::ui::app::{App, Focus, Row};
use crate::ui::printable::Printable;
use crate::ui::text::{self, put};
use crate::ui::words;

/// Where rows of the list are: their number and their area. Only those on the screen.
pub(crate) fn places(app: &App, area: Rect) -> Vec<(usize, Rect)> {
    layout(app, area, &app.rows()).rows
}

struct Layout {
    rows: Vec<(usize, Rect)>,
    /// The line above the requests.
    heading: Option<u16>,
    above: bool,
    below: bool,
}

/// Rows from the first one that is shown, so that the open one is in sight.
fn layout(app: &App, area: Rect, rows: &[Row<'_>]) -> Layout {
    let height = app.panes().row_height;
    let first_request = rows.iter().position(|row| row.request);
    let open = rows.iter().position(|row| Some(&row.key) == app.open.as_ref()).unwrap_or(0);
    let fits = usize::from(area.height.saturating_sub(1) / height.max(1)).max(1);
    let heading_rows = usize::from(first_request.is_some());
    let fits = fits.saturating_sub(heading_rows).max(1);
    let first = (open + 1).saturating_sub(fits);
    let mut layout = Layout { rows: Vec::new(), heading: None, above: first > 0, below: false };
    let mut y = area.y + 1;
    for index in first..rows.len() {
        if first_request == Some(index) && y < area.bottom() {
            layout.heading = Some(y);
            y += 1;
        }
        if y + height > area.bottom() {
            layout.below = true;
            break;
        }
        layout.rows.push((index, Rect { y, height, ..area }));
        y += height;
    }
    layout
}

/// Draws the list.
pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.theme();
    let rows = app.rows();
    let layout = layout(app, area, &rows);
    let unread: u32 = rows.iter().map(Row::unread).sum();
    let mut title = vec![Span::styled(" Clownfish", theme.accent().add_modifier(Modifier::BOLD))];
    if unread > 0 {
        title.push(Span::styled(format!("  {unread} unread"), theme.dim()));
    }
    if layout.above || layout.below {
        let arrows = format!(
            "{}{}",
            if layout.above { " ↑" } else { "" },
            if layout.below { " ↓" } else { "" }
        );
        title.push(Span::styled(arrows, theme.dim()));
    }
    put(buffer, area.x, area.y, area.right(), &Line::from(title));
    if let Some(y) = layout.heading {
        put(buffer, area.x, y, area.right(), &text::styled(" Requests", theme.warn()));
    }
    // Who has no account yet is asked for one, and for nothing else.
    if rows.is_empty() && !app.accounts.is_empty() {
        empty(app, area, buffer);
    }
    for (index, place) in layout.rows {
        draw_row(app, &rows[index], place, buffer);
    }
}

fn empty(app: &App, area: Rect, buffer: &mut Buffer) {
    let words =
        "No conversations yet. Ctrl-K and an address begin one; /invite makes a link for a friend.";
    let lines = text::wrap(&[Span::styled(words, app.theme().dim())], usize::from(area.width) - 2);
    for (index, line) in lines.iter().enumerate() {
        put(buffer, area.x + 1, area.y + 2 + index as u16, area.right(), line);
    }
}

fn draw_row(app: &App, row: &Row<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = app.theme();
    let open = Some(&row.key) == app.open.as_ref();
    if open {
        buffer.set_style(area, theme.selected());
    }
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let right = match &row.conversation.and_then(|c| c.preview.as_ref()) {
        Some(preview) => app.clock.short(preview.time),
        None => String::new(),
    };
    let badge = badge(row);
    let one_row = area.height == 1;
    // On a single row the badge stands where the time would.
    let (right, right_style) = match (one_row, &badge) {
        (true, Some(badge)) => (badge.clone(), theme.badge(row.calls == 0)),
        _ => (right, theme.dim()),
    };
    let x = put_right(buffer, inner, inner.y, &right, patched(right_style, open, app));
    let mark = mark(app, row, open);
    let at = put(buffer, inner.x, inner.y, x, &Line::from(mark));
    put(buffer, at, inner.y, x, &name(app, row, usize::from(x.saturating_sub(at))));
    if one_row {
        return;
    }
    let y = inner.y + 1;
    let end = match &badge {
        Some(badge) => put_right(buffer, inner, y, badge, theme.badge(row.calls == 0)),
        None => inner.right(),
    };
    let preview = preview(app, row, usize::from(end.saturating_sub(inner.x + 2)));
    put(buffer, inner.x + 2, y, end, &preview);
}

/// On reversed rows a colour of its own would be unreadable.
fn patched(style: Style, open: bool, app: &App) -> Style {
    match open && app.theme().selected().add_modifier.contains(Modifier::REVERSED) {
        true => Style::new(),
        false => style,
    }
}

/// Puts a text at the right edge. Returns where it begins, with a space before it.
fn put_right(buffer: &mut Buffer, area: Rect, y: u16, words: &str, style: Style) -> u16 {
    if words.is_empty() {
        return area.right();
    }
    let x = area.right().saturating_sub(text::width(words) as u16).max(area.x);
    put(buffer, x, y, area.right(), &text::styled(words.to_owned(), style));
    x.saturating_sub(1)
}

fn muted(row: &Row<'_>) -> bool {
    row.conversation.is_some_and(|conversation| conversation.mute != Mute::No)
}

fn is_room(row: &Row<'_>) -> bool {
    row.conversation.is_some_and(|conversation| conversation.kind == Kind::Room)
}

fn badge(row: &Row<'_>) -> Option<String> {
    let count = |count: u32| if count > 999 { "999+".to_owned() } else { count.to_string() };
    let mentions = row.conversation.map_or(0, |conversation| conversation.mentions);
    match (row.unread(), mentions) {
        (0, _) => None,
        (unread, 0) => Some(format!(" {} ", count(unread))),
        (unread, mentions) => Some(format!(" @{} {} ", count(mentions), count(unread))),
    }
}

/// Before the name: that it is chosen, muted, a room, or that the other is there.
fn mark(app: &App, row: &Row<'_>, open: bool) -> Span<'static> {
    let theme = app.theme();
    let presence = row.contact.map_or(Presence::Offline, |contact| contact.presence);
    let (sign, style) = match presence {
        _ if open && app.focus == Focus::List => ("▸ ", Style::new()),
        _ if muted(row) => ("⊘ ", theme.dim()),
        _ if is_room(row) => match row.room.map(|room| &room.state) {
            Some(RoomState::In) => ("# ", theme.good()),
            Some(RoomState::Refused(_)) => ("# ", theme.bad()),
            _ => ("# ", theme.dim()),
        },
        Presence::Chat | Presence::Available => ("● ", theme.good()),
        Presence::Away | Presence::ExtendedAway => ("○ ", theme.warn()),
        Presence::Busy => ("● ", theme.bad()),
        Presence::Offline => ("  ", Style::new()),
    };
    Span::styled(sign, patched(style, open, app))
}

fn name(app: &App, row: &Row<'_>, columns: usize) -> Line<'static> {
    let theme = app.theme();
    let name = row.conversation.map(|c| &c.name).or_else(|| row.contact.map(|c| &c.name));
    let name = name.map_or_else(|| row.key.with.to_string(), Clone::clone);
    let pinned = row.conversation.is_some_and(|c| c.pinned);
    let open = Some(&row.key) == app.open.as_ref();
    let mut style = patched(theme.person(&row.key.with), open, app);
    if row.unread() > 0 || open {
        style = style.add_modifier(Modifier::BOLD);
    }
    let mut name = Printable::line(&name).into_string();
    if pinned {
        name.push_str(" ⌃");
    }
    let Some(account) = app.account_label(row.key.account) else {
        return Line::from(Span::styled(text::fit(&name, columns), style));
    };
    // Which account it is counts as much as the end of a long name.
    let least = text::width(&account).min(ACCOUNT_COLUMNS).min(columns / 2);
    let name = text::fit(&name, columns.saturating_sub(least + 2));
    let account = text::fit(&account, columns.saturating_sub(text::width(&name) + 2));
    let account = Span::styled(format!("  {account}"), patched(theme.dim(), open, app));
    Line::from(vec![Span::styled(name, style), account])
}

/// In place of the newest message: that something is written there, or was begun.
fn preview(app: &App, row: &Row<'_>, columns: usize) -> Line<'static> {
    let theme = app.theme();
    let open = Some(&row.key) == app.open.as_ref();
    let dim = patched(theme.dim(), open, app);
    let Some(conversation) = row.conversation else {
        return text::styled(text::fit("asks to be your contact", columns), dim);
    };
    if let Some(words) = words::writing(conversation) {
        return text::styled(text::fit(&words, columns), patched(theme.good(), open, app));
    }
    if !conversation.draft.is_empty() && !open {
        let draft =
            text::fit(Printable::line(&conversation.draft).as_str(), columns.saturating_sub(7));
        return Line::from(vec![Span::styled("Draft: ", theme.warn()), Span::styled(draft, dim)]);
    }
    let Some(preview) = &conversation.preview else { return Line::default() };
    let mut spans = Vec::new();
    let mut columns = columns;
    if let (true, Some(delivery)) = (preview.own, &preview.delivery) {
        let tick = words::tick(delivery);
        let style = match delivery {
            Delivery::Read => theme.accent(),
            Delivery::Failed(_) => theme.bad(),
            _ => theme.dim(),
        };
        spans.push(Span::styled(format!("{tick} "), patched(style, open, app)));
        columns = columns.saturating_sub(text::width(tick) + 1);
    }
    let style = if conversation.unread > 0 && !open { Style::new() } else { dim };
    if let (false, Some(author)) = (preview.own, &preview.author) {
        let author = format!("{}: ", text::fit(Printable::line(author).as_str(), columns / 2));
        columns = columns.saturating_sub(text::width(&author));
        spans.push(Span::styled(author, dim));
    }
    spans.push(Span::styled(text::fit(Printable::line(&preview.text).as_str(), columns), style));
    Line::from(spans)
}

/// Columns of an account beside a long name.
const ACCOUNT_COLUMNS: usize = 8;
