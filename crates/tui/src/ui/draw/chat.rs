//! The conversation: who it is with, its messages, and what is being written.

use client::store::{EncryptionMode, MessageId};
use client::view::{Presence, Room, RoomState};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::place;
use crate::ui::app::{App, Focus, Key, Purpose, is_request};
use crate::ui::panes::Panes;
use crate::ui::pictures;
use crate::ui::printable::Printable;
use crate::ui::text::{self, put};
use crate::ui::timeline::{self, Row, Sheet};
use crate::ui::words;

/// Draws the conversation. Returns where the cursor stands.
pub(super) fn draw(app: &App, panes: &Panes, buffer: &mut Buffer) -> Option<Position> {
    if app.open.is_none() {
        if let Some(area) = panes.timeline.filter(|_| !app.accounts.is_empty()) {
            nothing(app, area, buffer);
        }
        return None;
    }
    if let Some(area) = panes.header {
        header(app, area, buffer);
    }
    if let Some(area) = panes.timeline {
        messages(app, area, buffer);
    }
    if let Some(area) = panes.divider {
        divider(app, area, buffer);
    }
    if let Some(area) = panes.banner {
        banner(app, area, buffer);
    }
    panes.composer.and_then(|area| composer(app, panes, area, buffer))
}

/// No conversation is open.
fn nothing(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.theme();
    let lines = [
        text::styled("Clownfish", theme.accent().add_modifier(Modifier::BOLD)),
        Line::default(),
        text::styled("Ctrl-K goes to somebody", theme.dim()),
        text::styled("F1 tells everything else", theme.dim()),
    ];
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 2;
    for (index, line) in lines.iter().enumerate() {
        let x = area.x + area.width.saturating_sub(line.width() as u16) / 2;
        put(buffer, x, top + index as u16, area.right(), line);
    }
}

/// Name, presence, and who can read what is written.
fn header(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.theme();
    let Some(key) = &app.open else { return };
    let Some(mirror) = app.mirror(key.account) else { return };
    let contact = mirror.contacts.get(&key.with);
    let mut end = area.right().saturating_sub(1);
    if let Some(conversation) = app.conversation() {
        let room = app.room();
        let words = match room {
            Some(room) => words::room_readers(conversation, room),
            None => words::readers(conversation),
        };
        let style = match conversation.encryption {
            // A channel that everybody can read has nothing to hide.
            EncryptionMode::Plain if room.is_some_and(|room| !room.private) => theme.dim(),
            EncryptionMode::Omemo if room.is_some_and(|room| !room.private) => theme.warn(),
            EncryptionMode::Plain => theme.bad().add_modifier(Modifier::BOLD),
            _ if conversation.readers.left_out > 0 => theme.warn(),
            _ if conversation.readers.verified => theme.good(),
            _ => theme.dim(),
        };
        // What the name does not need, and at least half.
        let name = text::width(Printable::line(&mirror.name(&key.with)).as_str());
        let half = usize::from(area.width / 2);
        let most = usize::from(area.width).saturating_sub(name + 4).max(half);
        let words = text::fit(&words, most);
        let x = end.saturating_sub(text::width(&words) as u16);
        put(buffer, x, area.y, end, &text::styled(words, style));
        end = x.saturating_sub(2);
    }
    let room = usize::from(end.saturating_sub(area.x + 1));
    let mut spans = title(app, key, Printable::line(&mirror.name(&key.with)).as_str(), room);
    let presence = contact.filter(|c| c.presence != Presence::Offline).map(|contact| {
        let status = contact.status.clone().filter(|status| !status.is_empty());
        let seen = contact.idle.filter(|_| contact.presence != Presence::Busy);
        let active = seen.map(|since| format!("active {}", app.clock.ago(since)));
        let presence = || words::presence(contact.presence).to_owned();
        status.or(active).unwrap_or_else(presence)
    });
    if let Some(said) = app.room().map(about_room).or(presence) {
        let used: usize = spans.iter().map(Span::width).sum();
        let rest = room.saturating_sub(used + 2);
        if rest > 5 {
            let words = text::fit(Printable::line(&said).as_str(), rest);
            spans.push(Span::styled(format!("  {words}"), theme.dim()));
        }
    }
    put(buffer, area.x + 1, area.y, end, &Line::from(spans));
}

/// The name of the conversation on screen, and with several accounts which of them speaks there.
fn title(app: &App, key: &Key, name: &str, columns: usize) -> Vec<Span<'static>> {
    let theme = app.theme();
    let style = theme.person(&key.with).add_modifier(Modifier::BOLD);
    let Some(account) = app.account_label(key.account) else {
        return vec![Span::styled(text::fit(name, columns), style)];
    };
    let account = text::fit(&format!("  as {account}"), (columns / 2).max(8));
    let name = text::fit(name, columns.saturating_sub(text::width(&account)));
    vec![Span::styled(name, style), Span::styled(account, theme.dim())]
}

/// Whether this account is in a room, otherwise who is, and what is talked about.
fn about_room(room: &Room) -> String {
    if let RoomState::Refused(_) = room.state {
        // Why is said where one writes.
        return "not in this room".to_owned();
    }
    words::room_state(room).unwrap_or_else(|| {
        let people = words::people(room);
        match room.subject.as_deref().filter(|subject| !subject.is_empty()) {
            Some(subject) => format!("{people} · {subject}"),
            None => people,
        }
    })
}

fn messages(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.theme();
    let Some(sheet) = app.sheet() else {
        let line = text::styled("opening…", theme.dim());
        put(buffer, area.x + 1, area.bottom().saturating_sub(1), area.right(), &line);
        return;
    };
    let anchor = app.chat().and_then(|chat| chat.anchor);
    let rows = sheet.visible(anchor);
    let top = area.bottom().saturating_sub(rows.len() as u16);
    for (index, (_, row)) in rows.iter().enumerate() {
        let y = top + index as u16;
        let style = row.line.style;
        if style != Style::new() {
            buffer.set_style(Rect { y, height: 1, ..area }, style);
        }
        put(buffer, area.x, y, area.right(), &row.line);
    }
    pictures(app, &sheet, &rows, Rect { y: top, height: rows.len() as u16, ..area }, buffer);
    let word = match sheet.window {
        window if window.loading => "loading older messages…",
        window if window.is_empty() => "Nothing was written here yet.",
        _ => "",
    };
    if !word.is_empty() {
        let x = area.x + area.width.saturating_sub(word.len() as u16) / 2;
        put(buffer, x, area.y, area.right(), &text::styled(word, theme.dim()));
    }
}

/// Puts pictures into the rows that were kept free for them. Not below an overlay: what a terminal
/// draws beside its letters cannot lie under some of them.
fn pictures(
    app: &App,
    sheet: &Sheet<'_>,
    rows: &[(MessageId, Row)],
    area: Rect,
    buffer: &mut Buffer,
) {
    if app.overlay.is_some() {
        return;
    }
    let first = |index: usize| index == 0 || rows[index - 1].0 != rows[index].0;
    for (index, (id, row)) in rows.iter().enumerate() {
        let begins = row.picture.filter(|row| *row == 0 || first(index));
        let Some(skip) = begins else { continue };
        let Some(file) = sheet.window.message(*id).and_then(pictures::file) else { continue };
        let Some(picture) = sheet.pictures.ready(file) else { continue };
        let free = rows[index..].iter().take_while(|(of, row)| of == id && row.picture.is_some());
        let x = area.x + timeline::BAR as u16;
        let place = Rect {
            x,
            y: area.y + index as u16,
            width: area.right().saturating_sub(x),
            height: free.count() as u16,
        };
        picture.draw(place, skip, buffer);
        app.theme().limit(place.intersection(buffer.area), buffer);
    }
}

/// The line above the text: requests, who is writing, and how much is below.
fn divider(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.theme();
    let rule = "─".repeat(usize::from(area.width));
    put(buffer, area.x, area.y, area.right(), &text::styled(rule, theme.rule()));
    let room = usize::from(area.width.saturating_sub(4));
    if let Some((words, style)) = remark(app) {
        let line = text::styled(format!(" {} ", fit_remark(&words, room)), style);
        put(buffer, area.x + 1, area.y, area.right(), &line);
    }
    let scrolled = app.chat().is_some_and(|chat| chat.anchor.is_some());
    if scrolled || app.is_before_the_end() {
        let unread = app.conversation().map_or(0, |conversation| conversation.unread);
        let words = match (unread, app.is_before_the_end()) {
            (0, false) => " ↓ ".to_owned(),
            (0, true) => " ↓ Ctrl-End: the newest ".to_owned(),
            _ => format!(" ↓ {unread} new "),
        };
        let x = area.right().saturating_sub(text::width(&words) as u16 + 1);
        put(buffer, x, area.y, area.right(), &text::styled(words, theme.accent()));
    }
}

/// A remark in so many columns: what can be done about it stays, what it is about is cut.
fn fit_remark(words: &str, columns: usize) -> String {
    match words.rsplit_once(" · ") {
        Some((what, todo)) if text::width(words) > columns => {
            let rest = columns.saturating_sub(text::width(todo) + 3);
            if rest < 6 {
                text::fit(todo, columns)
            } else {
                format!("{} · {todo}", text::fit(what, rest))
            }
        }
        _ => text::fit(words, columns),
    }
}

/// What the line above the text says.
fn remark(app: &App) -> Option<(String, Style)> {
    let theme = app.theme();
    let key = app.open.as_ref()?;
    let mirror = app.mirror(key.account)?;
    let contact = mirror.contacts.get(&key.with);
    let name = Printable::line(&mirror.name(&key.with)).into_string();
    if contact.is_some_and(|contact| contact.blocked) {
        return Some((format!("{name} is blocked · /unblock"), theme.bad()));
    }
    if let Some(room) = mirror.rooms.get(&key.with) {
        return room_remark(app, key, room);
    }
    let conversation = app.conversation();
    let asks = contact.is_some_and(|contact| contact.asks);
    if asks || conversation.is_some_and(|conversation| is_request(conversation, contact)) {
        let words = "stranger · /accept  /refuse  /block";
        return Some((words.to_owned(), theme.warn()));
    }
    if conversation.is_some_and(|c| !c.typing.is_empty()) {
        return Some((format!("{name} is writing…"), theme.good()));
    }
    waits_for_keys(app, &name)
}

/// That what was written waits for keys.
fn waits_for_keys(app: &App, name: &str) -> Option<(String, Style)> {
    app.conversation().filter(|conversation| conversation.waits_for_keys)?;
    let words = format!("{} · /plain  /discard", words::waits_for_keys(name));
    Some((words, app.theme().warn()))
}

/// The same for a room: what to do about not being in it or about its encryption, or who comes and
/// goes.
fn room_remark(app: &App, key: &Key, room: &Room) -> Option<(String, Style)> {
    let theme = app.theme();
    let encrypted = app.conversation().is_none_or(|one| one.encryption == EncryptionMode::Omemo);
    let writing = app.conversation().and_then(words::writing);
    Some(match &room.state {
        RoomState::Invited => {
            let mirror = app.mirror(key.account)?;
            let who = room.invited_by.as_ref().map(|by| mirror.name(by)).unwrap_or_default();
            (format!("{} invites you · /accept  /refuse", Printable::line(&who)), theme.warn())
        }
        // Without a connection, or while the room cannot be reached.
        RoomState::Out if is_kept(app, key) => {
            ("not there now: what you write waits · /join".to_owned(), theme.dim())
        }
        RoomState::Out => ("you are not in this room · /join enters it".to_owned(), theme.warn()),
        RoomState::Entering => ("entering…".to_owned(), theme.dim()),
        RoomState::Refused(reason) => {
            (format!("{} · /join again", Printable::line(reason)), theme.bad())
        }
        RoomState::In => match (words::unencryptable(room), &app.passing) {
            (Some(why), _) if encrypted => {
                (format!("cannot be encrypted: {why} · /encrypt off"), theme.warn())
            }
            (_, Some((of, said, _))) if of == key => {
                (Printable::line(said).into_string(), theme.dim())
            }
            _ if writing.is_some() => (writing.unwrap_or_default(), theme.good()),
            _ => return waits_for_keys(app, Printable::line(&room.name).as_str()),
        },
    })
}

/// Whether devices of the account enter a room by themselves.
fn is_kept(app: &App, key: &Key) -> bool {
    let mirror = app.mirror(key.account);
    let mut kept = mirror.into_iter().flat_map(|mirror| &mirror.bookmarks);
    kept.any(|kept| kept.room == key.with && kept.autojoin)
}

/// What is answered or edited.
fn banner(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.theme();
    let (Some(chat), Some(window)) = (app.chat(), app.window()) else { return };
    let (label, id) = match &chat.purpose {
        Purpose::New => return,
        Purpose::Reply(id) => ("↳ reply to ", *id),
        Purpose::Edit(id, _) => ("✎ edit ", *id),
    };
    let said = window.message(id).map(timeline::summary).unwrap_or_default();
    let room = usize::from(area.width).saturating_sub(text::width(label) + 16);
    let line = Line::from(vec![
        Span::styled(label, theme.accent()),
        Span::styled(text::fit(Printable::line(&said).as_str(), room), theme.dim()),
        Span::styled("  Esc", theme.dim().add_modifier(Modifier::BOLD)),
        Span::styled(" gives up", theme.dim()),
    ]);
    put(buffer, area.x + 1, area.y, area.right(), &line);
}

/// The text that is being written. Returns where the cursor stands.
fn composer(app: &App, panes: &Panes, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let theme = app.theme();
    let chat = app.chat()?;
    let active = app.focus == Focus::Composer;
    let public = app.room().is_some_and(|room| !room.private);
    let plain =
        !public && app.conversation().is_some_and(|c| c.encryption == EncryptionMode::Plain);
    let style = match (active, plain) {
        (false, _) => theme.dim(),
        (true, true) => theme.bad(),
        (true, false) => theme.accent(),
    };
    put(
        buffer,
        area.x + 1,
        area.y,
        area.right(),
        &text::styled("›", style.add_modifier(Modifier::BOLD)),
    );
    let x = area.x + 3;
    if chat.editor.is_empty() {
        let words = match (active, plain) {
            _ if app.room().is_some_and(|room| room.state == RoomState::Invited) => "",
            (true, true) => "Write in plain text",
            (true, false) if public => "Write to everybody",
            (true, false) => "Write a message",
            _ => "",
        };
        put(buffer, x, area.y, area.right(), &text::styled(words, theme.rule()));
    }
    let rows = chat.editor.rows(panes.text_width());
    let height = usize::from(area.height);
    let first = (rows.cursor.0 + 1).saturating_sub(height);
    let command = chat.editor.text().starts_with('/') && chat.purpose == Purpose::New;
    for (index, row) in rows.rows.iter().enumerate().skip(first).take(height) {
        let shown = Printable::line(&chat.editor.text()[row.clone()]).into_string();
        let style = if command && index == 0 { theme.literal() } else { Style::new() };
        let y = area.y + (index - first) as u16;
        put(buffer, x, y, area.right(), &text::styled(shown, style));
    }
    let y = area.y + (rows.cursor.0 - first) as u16;
    active.then(|| place(x + rows.cursor.1 as u16, y, area.right()))
}
