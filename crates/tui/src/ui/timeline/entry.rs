//! The rows of one message.

use client::store::{
    Content, Delivery, Encryption, Event, File, FileKind, Message, Reply, TrustLevel, Way,
};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use xmpp::time::Millis;

use super::{Row, Sheet};
use crate::ui::printable::Printable;
use crate::ui::styling::{self, Marks, StyledLine};
use crate::ui::{clock, happenings, rooms, text, words};

/// All rows of a message: the day line and the unread line above it, who wrote it if that was
/// another before, and what it says.
pub(super) fn rows(sheet: &Sheet<'_>, message: &Message, before: Option<&Message>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let new_day = before.is_none_or(|b| sheet.clock.day(b.time) != sheet.clock.day(message.time));
    let unread = sheet.unread_from == Some(message.id);
    if new_day {
        let day = sheet.clock.day_line(message.time);
        rows.push(ruled(sheet, &day, sheet.theme.rule(), sheet.theme.dim()).into());
    }
    if unread {
        let style = sheet.theme.accent().add_modifier(Modifier::BOLD);
        rows.push(ruled(sheet, "unread", sheet.theme.accent(), style).into());
    }
    if let Content::Event(event) = &message.content {
        rows.extend(event_rows(sheet, message, event).into_iter().map(Row::from));
        return rows;
    }
    let grouped = !new_day && !unread && before.is_some_and(|before| follows(before, message));
    let action = action(message);
    if !grouped && action.is_none() {
        if !new_day && !unread {
            rows.push(Row::default());
        }
        rows.push(header(sheet, message).into());
    }
    let told = grouped
        && before.is_some_and(|b| sheet.clock.minute(b.time) == sheet.clock.minute(message.time));
    rows.extend(body(sheet, message, action, !told));
    rows
}

/// Whether a message stands directly below the one before it, without a name of its own.
fn follows(before: &Message, message: &Message) -> bool {
    before.sender == message.sender
        && before.occupant.as_ref().map(|one| &one.nick)
            == message.occupant.as_ref().map(|one| &one.nick)
        && !matches!(before.content, Content::Event(_))
        && action(before).is_none()
        && message.time.since(before.time) < GROUP.0
        && before.time.since(message.time) < GROUP.0
}

/// The text of `/me` (XEP-0245).
fn action(message: &Message) -> Option<&str> {
    match &message.content {
        Content::Text(text) => text.strip_prefix("/me "),
        _ => None,
    }
}

/// A text in the middle of a line.
fn ruled(sheet: &Sheet<'_>, words: &str, rule: Style, style: Style) -> Line<'static> {
    let words = text::fit(words, sheet.width.saturating_sub(6));
    let rest = sheet.width.saturating_sub(text::width(&words) + 4);
    let (left, right) = (rest / 2, rest - rest / 2);
    Line::from(vec![
        Span::styled(format!(" {}", "─".repeat(left)), rule),
        Span::styled(format!(" {words} "), style),
        Span::styled("─".repeat(right), rule),
    ])
}

fn event_rows(sheet: &Sheet<'_>, message: &Message, event: &Event) -> Vec<Line<'static>> {
    let (name, own) = match event {
        Event::NewDevice { owner, .. } => {
            let own = sheet.mirror.account.as_ref().is_some_and(|a| a.address == *owner);
            (sheet.mirror.name(owner), own)
        }
        Event::OptOut { .. } => (sheet.mirror.name(sheet.with), false),
        Event::Invited { by, .. } | Event::Declined { by, .. } => (sheet.mirror.name(by), false),
        Event::Asks { nick, address } => (words::who_asks(nick, address.as_ref()), false),
        Event::Room(all) => (happenings::line(sheet.mirror, all), false),
        Event::Gap | Event::Restored => (String::new(), false),
    };
    let style = match event {
        Event::NewDevice { trusted: false, .. }
        | Event::OptOut { .. }
        | Event::Gap
        | Event::Restored => sheet.theme.warn(),
        Event::NewDevice { .. }
        | Event::Invited { .. }
        | Event::Declined { .. }
        | Event::Asks { .. }
        | Event::Room(_) => sheet.theme.dim(),
    };
    let words = words::event(event, Printable::line(&name).as_str(), own);
    let time = format!(" · {}", sheet.clock.minute(message.time));
    let columns = sheet.width.saturating_sub(if sheet.width < NARROW { 4 } else { 8 });
    let wrapped = |columns| text::wrap(&[Span::styled(words.as_str(), style)], columns);
    let beside = columns.saturating_sub(text::width(&time));
    let mut lines = wrapped(columns);
    // The time stands beside the last words, not alone.
    if lines.last().is_none_or(|last| last.width() > beside) {
        lines = wrapped(beside);
    }
    if let Some(last) = lines.last_mut() {
        last.spans.push(Span::styled(time, style));
    }
    let centred = lines.into_iter().map(|mut line| {
        let left = sheet.width.saturating_sub(line.width()) / 2;
        line.spans.insert(0, Span::raw(" ".repeat(left)));
        line
    });
    std::iter::once(Line::default()).chain(centred).collect()
}

fn header(sheet: &Sheet<'_>, message: &Message) -> Line<'static> {
    let name = if message.own { "You".to_owned() } else { sheet.mirror.author(message) };
    let name = text::fit(Printable::line(&name).as_str(), sheet.width.saturating_sub(4));
    Line::from(vec![
        Span::raw(" "),
        Span::styled(name, name_style(sheet, message).add_modifier(Modifier::BOLD)),
    ])
}

fn name_style(sheet: &Sheet<'_>, message: &Message) -> Style {
    match message.own {
        true => sheet.theme.accent(),
        false => sheet.theme.author(message),
    }
}

/// What a message says, between a bar in the colour of who said it and the time.
fn body(sheet: &Sheet<'_>, message: &Message, action: Option<&str>, timed: bool) -> Vec<Row> {
    let columns = sheet.width.saturating_sub(BAR + SIDE).max(8);
    let mut rows: Vec<Row> = Vec::new();
    if let Some(reply) = &message.reply {
        rows.push(quote(sheet, reply, columns).into());
    }
    match (action, &message.content) {
        (Some(words), _) => {
            rows.extend(action_lines(sheet, message, words, columns).into_iter().map(Row::from));
        }
        (None, Content::File(file, caption)) => {
            rows.extend(file_rows(sheet, message, file, caption.as_deref(), columns));
        }
        (None, _) => rows.extend(content(sheet, message, columns).into_iter().map(Row::from)),
    }
    rows.extend(remarks(sheet, message, columns).into_iter().map(Row::from));
    if !message.reactions.is_empty() {
        rows.push(reactions(sheet, message, columns).into());
    }
    let selected = sheet.is_selected(message);
    let bar = name_style(sheet, message);
    for (index, row) in rows.iter_mut().enumerate() {
        let side = match index {
            0 => side(sheet, message, timed),
            _ => Vec::new(),
        };
        row.line = framed(sheet, bar, std::mem::take(&mut row.line), side, selected);
    }
    rows
}

/// One row: bar, text, and at the right what stands beside it.
fn framed(
    sheet: &Sheet<'_>,
    bar: Style,
    line: Line<'static>,
    side: Vec<Span<'static>>,
    selected: bool,
) -> Line<'static> {
    let used = BAR + line.width();
    let right: usize = side.iter().map(|span| text::width(&span.content)).sum();
    let gap = sheet.width.saturating_sub(used + right + 1);
    let mut spans =
        vec![Span::raw(" "), Span::styled(if selected { "█" } else { "▎" }, bar), Span::raw(" ")];
    spans.extend(line.spans);
    if right > 0 || selected {
        spans.push(Span::raw(" ".repeat(gap)));
        spans.extend(side);
        spans.push(Span::raw(" "));
    }
    let row = Line::from(spans);
    if selected { row.style(sheet.theme.selected()) } else { row }
}

/// The time, and how far the message got.
fn side(sheet: &Sheet<'_>, message: &Message, timed: bool) -> Vec<Span<'static>> {
    let time = if timed { sheet.clock.minute(message.time) } else { String::new() };
    let tick = message.delivery.as_ref().map_or("", words::tick);
    let style = match &message.delivery {
        Some(Delivery::Read) => sheet.theme.accent().add_modifier(Modifier::BOLD),
        Some(Delivery::Failed(_)) => sheet.theme.bad().add_modifier(Modifier::BOLD),
        _ => sheet.theme.dim(),
    };
    vec![
        Span::styled(format!(" {time:>5} "), sheet.theme.dim()),
        Span::styled(tick, style),
        Span::raw(" ".repeat(2_usize.saturating_sub(text::width(tick)))),
    ]
}

/// What is answered, in a line.
fn quote(sheet: &Sheet<'_>, reply: &Reply, columns: usize) -> Line<'static> {
    let answered = reply.message.and_then(|id| sheet.window.message(id));
    let author = answered.map(|m| &m.sender).or(reply.author.as_ref());
    let own = author.is_some() && author == sheet.mirror.account.as_ref().map(|a| &a.address);
    let own = own || answered.is_some_and(|answered| answered.own);
    let name = match (answered, author) {
        _ if own => "You".to_owned(),
        (Some(answered), _) => sheet.mirror.author(answered),
        // In a room the address of who wrote it may be that of the room.
        (None, Some(author)) if author != sheet.with || sheet.room.is_none() => {
            sheet.mirror.name(author)
        }
        _ => "a message".to_owned(),
    };
    let said = answered.map(summary).or_else(|| reply.quote.clone()).unwrap_or_default();
    let style = match (answered, author) {
        _ if own => sheet.theme.accent(),
        (Some(answered), _) => sheet.theme.author(answered),
        (None, Some(author)) => sheet.theme.person(author),
        (None, None) => sheet.theme.accent(),
    };
    let name = text::fit(Printable::line(&name).as_str(), columns / 2);
    let rest = columns.saturating_sub(text::width(&name) + 4);
    Line::from(vec![
        Span::styled("↳ ", sheet.theme.dim()),
        Span::styled(name, style),
        Span::styled(": ", sheet.theme.dim()),
        Span::styled(text::fit(Printable::line(&said).as_str(), rest), sheet.theme.dim()),
    ])
}

/// A message in a few words, for quotes.
pub(crate) fn summary(message: &Message) -> String {
    match &message.content {
        Content::Text(text) => text.clone(),
        Content::File(file, caption) => caption.clone().unwrap_or_else(|| file.name.clone()),
        Content::Retracted => "taken back".to_owned(),
        Content::Undecryptable(_) => "a message this device cannot read".to_owned(),
        Content::Event(_) => String::new(),
    }
}

fn content(sheet: &Sheet<'_>, message: &Message, columns: usize) -> Vec<Line<'static>> {
    let italic = sheet.theme.dim().add_modifier(Modifier::ITALIC);
    match &message.content {
        Content::Text(words) => written(sheet, message, words, columns),
        Content::Retracted => vec![text::styled("taken back", italic)],
        Content::Undecryptable(reason) => {
            let words = format!("This message {}.", words::undecryptable(*reason));
            text::wrap(&[Span::styled(words, italic)], columns)
        }
        Content::File(..) | Content::Event(_) => Vec::new(),
    }
}

/// `* Juliet waves`
fn action_lines(
    sheet: &Sheet<'_>,
    message: &Message,
    words: &str,
    columns: usize,
) -> Vec<Line<'static>> {
    let name = match (message.own, &sheet.mirror.account) {
        (true, _) if sheet.room.is_some_and(|room| room.nick.is_some()) => {
            sheet.room.and_then(|room| room.nick.clone()).unwrap_or_default()
        }
        (true, Some(account)) => account.nickname.clone().unwrap_or_else(|| "You".to_owned()),
        (true, None) => "You".to_owned(),
        (false, _) => sheet.mirror.author(message),
    };
    let style = name_style(sheet, message);
    let spans = [
        Span::styled(Printable::line(&name).into_string(), style.add_modifier(Modifier::BOLD)),
        Span::styled(" ", style),
        Span::styled(Printable::line(words).into_string(), style.add_modifier(Modifier::ITALIC)),
    ];
    text::wrap(&spans, columns)
}

/// A text with its styling, and with the own nickname marked in what others write in a room.
fn written(
    sheet: &Sheet<'_>,
    message: &Message,
    words: &str,
    columns: usize,
) -> Vec<Line<'static>> {
    let edited = !message.versions.is_empty();
    let nick = sheet.room.and_then(|room| room.nick.as_deref()).filter(|_| !message.own);
    let printable = Printable::block(words);
    let mut styled = styling::parse(printable.as_str());
    if styled.len() > MOST_LINES {
        styled.truncate(MOST_LINES);
        styled.push(StyledLine {
            runs: vec![("… (y copies all of it)".to_owned(), Marks::default())],
            ..StyledLine::default()
        });
    }
    let last = styled.len().saturating_sub(1);
    let mut lines = Vec::new();
    for (index, line) in styled.iter().enumerate() {
        let mut spans: Vec<Span<'static>> = line
            .runs
            .iter()
            .flat_map(|(text, marks)| named(sheet, text, style(sheet, *marks), nick))
            .collect();
        if edited && index == last {
            spans.push(Span::styled(" (edited)", sheet.theme.dim()));
        }
        let prefix = "┃ ".repeat(line.quotes) + if line.block { "  " } else { "" };
        let room = columns.saturating_sub(text::width(&prefix)).max(4);
        for mut wrapped in text::wrap(&spans, room) {
            if line.quotes > 0 {
                wrapped
                    .spans
                    .iter_mut()
                    .for_each(|span| span.style = sheet.theme.dim().patch(span.style));
            }
            wrapped.spans.insert(0, Span::styled(prefix.clone(), sheet.theme.dim()));
            lines.push(wrapped);
        }
    }
    lines
}

/// A run of text in its style, the own nickname standing out.
fn named(sheet: &Sheet<'_>, text: &str, style: Style, nick: Option<&str>) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut at = 0;
    for name in nick.map(|nick| rooms::mentions(text, nick)).unwrap_or_default() {
        spans.push(Span::styled(text[at..name.start].to_owned(), style));
        let marked = sheet.theme.accent().add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        spans.push(Span::styled(text[name.clone()].to_owned(), style.patch(marked)));
        at = name.end;
    }
    spans.push(Span::styled(text[at..].to_owned(), style));
    spans
}

fn style(sheet: &Sheet<'_>, marks: Marks) -> Style {
    let mut style = if marks.mono { sheet.theme.literal() } else { Style::new() };
    for (set, modifier) in [
        (marks.strong, Modifier::BOLD),
        (marks.emphasis, Modifier::ITALIC),
        (marks.strike, Modifier::CROSSED_OUT),
        (marks.link, Modifier::UNDERLINED),
    ] {
        if set {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// A file: its name, its picture if there is one, and what was written with it.
fn file_rows(
    sheet: &Sheet<'_>,
    message: &Message,
    file: &File,
    caption: Option<&str>,
    columns: usize,
) -> Vec<Row> {
    let mut rows = vec![Row::from(file_line(sheet, message, file, columns))];
    let height = sheet.pictures.size(file).map_or(0, |size| size.height);
    rows.extend((0..height).map(|row| Row { line: Line::default(), picture: Some(row) }));
    if let Some(unfit) = sheet.pictures.unfit(file) {
        let words = text::wrap(&[Span::styled(unfit.to_string(), sheet.theme.dim())], columns);
        rows.extend(words.into_iter().map(Row::from));
    }
    // What is to be seen, for who cannot see it, and where pictures cannot be drawn.
    let described = file.preview.as_ref().and_then(|preview| preview.description.as_deref());
    if let Some(words) = described {
        let words = Span::styled(Printable::line(words).to_string(), sheet.theme.dim());
        rows.extend(text::wrap(&[words], columns).into_iter().map(Row::from));
    }
    if let Some(caption) = caption {
        let lines = written(sheet, message, caption, columns);
        rows.extend(lines.into_iter().map(Row::from));
    }
    rows
}

/// Name, size and state of a file.
fn file_line(sheet: &Sheet<'_>, message: &Message, file: &File, columns: usize) -> Line<'static> {
    let done = sheet.mirror.transfers.get(&message.id);
    let state = match (done, file.size) {
        (Some(done), Some(size)) if size > 0 => {
            let percent = done.saturating_mul(100) / size;
            let filled = (percent.min(100) / 10) as usize;
            format!(
                "{}{} {}% of {}",
                "█".repeat(filled),
                "░".repeat(10 - filled),
                percent.min(100),
                clock::size(size)
            )
        }
        (Some(done), _) => clock::size(*done),
        (None, size) => {
            let plays = matches!(FileKind::of(file), FileKind::Film | FileKind::Sound);
            let length = file.preview.as_ref().and_then(|preview| preview.length);
            let length = length.filter(|_| plays);
            let told = length.map(clock::length).into_iter().chain(size.map(clock::size));
            let here = file.local.as_ref().map(|_| "here".to_owned());
            told.chain(here).collect::<Vec<_>>().join(" · ")
        }
    };
    let state = if state.is_empty() { state } else { format!("  {state}") };
    let room = columns.saturating_sub(text::width(&state) + 2).max(4);
    Line::from(vec![
        Span::styled("▤ ", sheet.theme.accent()),
        Span::styled(
            text::fit(Printable::line(&file.name).as_str(), room),
            Style::new().add_modifier(Modifier::UNDERLINED),
        ),
        Span::styled(state, sheet.theme.dim()),
    ])
}

/// Whether an own message has not left, and will be encrypted if it does.
fn is_still_here(message: &Message) -> bool {
    let here = match message.delivery {
        Some(Delivery::Queued) => true,
        Some(Delivery::Failed(_)) => message.stayed,
        _ => false,
    };
    here && message.way != Way::OnlyPlain
}

/// What the reader must know about a message: that it was not sent, and how far it can be believed.
fn remarks(sheet: &Sheet<'_>, message: &Message, columns: usize) -> Vec<Line<'static>> {
    let mut remarks = Vec::new();
    if message.starred && !matches!(message.content, Content::Retracted) {
        remarks.push(("★ starred".to_owned(), sheet.theme.accent()));
    }
    if let Some(Delivery::Failed(reason)) = &message.delivery {
        let reason = Printable::line(reason);
        remarks.push((format!("not sent: {reason} · /retry tries again"), sheet.theme.bad()));
    }
    let readable = matches!(message.content, Content::Text(_) | Content::File(..));
    match message.encryption {
        Encryption::None if sheet.encrypted && readable && !is_still_here(message) => {
            remarks.push(("not encrypted".to_owned(), sheet.theme.warn()));
        }
        Encryption::Omemo { trust: TrustLevel::Undecided, device, .. }
            if readable && !message.own =>
        {
            remarks.push((
                format!("from device {device}, which you have not verified · /devices"),
                sheet.theme.warn(),
            ));
        }
        Encryption::Omemo { trust: TrustLevel::Distrusted, device, .. }
            if readable && !message.own =>
        {
            remarks
                .push((format!("from device {device}, which you do not trust"), sheet.theme.bad()));
        }
        _ => {}
    }
    remarks
        .into_iter()
        .flat_map(|(words, style)| text::wrap(&[Span::styled(words, style)], columns))
        .collect()
}

/// Every emoji once, with how many people chose it; the own ones stand out.
fn reactions(sheet: &Sheet<'_>, message: &Message, columns: usize) -> Line<'static> {
    let own = sheet.mirror.account.as_ref().map(|account| &account.address);
    let mut counted: Vec<(String, usize, bool)> = Vec::new();
    for reaction in &message.reactions {
        let mine = Some(&reaction.sender) == own;
        for emoji in &reaction.emoji {
            let emoji = text::fit(Printable::line(emoji).as_str(), 8);
            match counted.iter_mut().find(|(known, ..)| *known == emoji) {
                Some((_, count, by_me)) => {
                    *count += 1;
                    *by_me |= mine;
                }
                None => counted.push((emoji, 1, mine)),
            }
        }
    }
    let mut spans = Vec::new();
    let mut used = 0;
    for (emoji, count, mine) in counted {
        let words = if count > 1 { format!("{emoji} {count}") } else { emoji };
        used += text::width(&words) + 2;
        if used > columns {
            spans.push(Span::styled("…", sheet.theme.dim()));
            break;
        }
        let style = if mine {
            sheet.theme.accent().add_modifier(Modifier::BOLD)
        } else {
            sheet.theme.dim()
        };
        spans.push(Span::styled(words, style));
        spans.push(Span::raw("  "));
    }
    Line::from(spans)
}

/// Messages of one person within this time stand together.
const GROUP: Millis = Millis::from_secs(5 * 60);
/// Columns before the text, and behind it.
pub(crate) const BAR: usize = 3;
pub(crate) const SIDE: usize = 10;
/// Lines of one message that are shown.
const MOST_LINES: usize = 200;
/// With fewer columns less is kept free beside what happened.
const NARROW: usize = 48;
