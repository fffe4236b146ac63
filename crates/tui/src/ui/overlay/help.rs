//! Keys and commands, from the tables that make them work.

use ratatui::crossterm::event::KeyEvent;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{App, Sheet, Stay, field};
use crate::ui::commands::colon::COLON;
use crate::ui::commands::{COMMANDS, Command};
use crate::ui::editor::Editor;
use crate::ui::keys::{BINDINGS, Binding, Intent, Place};
use crate::ui::{text, vim};

/// Keys and commands.
#[derive(Debug)]
pub struct Help {
    pub(super) typed: Editor,
    scroll: usize,
}

impl Help {
    pub(super) fn new(word: &str) -> Help {
        Help { typed: Editor::new(word.trim_start_matches('/')), scroll: 0 }
    }

    pub(super) fn on_key(&mut self, key: KeyEvent, app: &App) -> Stay {
        match page::write(key, &mut self.typed) {
            Move::Leave | Move::Take => return Stay::Close,
            Move::By(by) => {
                let most = self.last_page(app);
                self.scroll = self.scroll.min(most).saturating_add_signed(by).min(most);
            }
            Move::Typed => self.scroll = 0,
            _ => {}
        }
        Stay::Open
    }

    /// What fits to the word that is typed.
    fn body(&self, app: &App, columns: u16) -> Vec<Line<'static>> {
        let theme = app.theme();
        let word = self.typed.text().trim().to_lowercase();
        let width = usize::from(columns).min(92).saturating_sub(6);
        let mut body = Vec::new();
        // Who looks for keys wants those first.
        if word == "keys" {
            key_sections(app, &word, width, &mut body);
        }
        let commands: Vec<_> = COMMANDS.iter().filter(|command| fits(command, &word)).collect();
        if !commands.is_empty() {
            body.push(heading(app, "Commands"));
            for command in commands {
                command_rows(app, command, width, &mut body);
            }
        }
        if word != "keys" {
            key_sections(app, &word, width, &mut body);
        }
        if body.is_empty() {
            body.push(text::styled("Nothing has to do with that.", theme.dim()));
        }
        body
    }

    /// How far it can be scrolled: the last row stands at the bottom then.
    fn last_page(&self, app: &App) -> usize {
        let (columns, rows) = app.size;
        let room = usize::from(rows).saturating_sub(AROUND).max(1);
        self.body(app, columns).len().saturating_sub(room)
    }

    pub(super) fn sheet(&self, app: &App, columns: u16) -> Sheet {
        let theme = app.theme();
        let before = &self.typed.text()[..self.typed.cursor()];
        let (line, cursor) = field(theme, "search ›", self.typed.text(), before);
        let body = self.body(app, columns);
        let scroll = self.scroll.min(self.last_page(app));
        let lines =
            [line, Line::default()].into_iter().chain(body.into_iter().skip(scroll)).collect();
        Sheet {
            title: "Help".to_owned(),
            lines,
            focus: None,
            fixed: 2,
            cursor: Some((0, cursor)),
            hints: vec![("↑↓", "scroll"), ("letters", "search"), ("Esc", "leave")],
            width: 92,
            ..Sheet::default()
        }
    }
}

/// Rows around what scrolls: the frame, the field, and a gap.
const AROUND: usize = 4;

/// The keys that have to do with a word; the word "keys" is for all of them.
fn key_sections(app: &App, word: &str, width: usize, body: &mut Vec<Line<'static>>) {
    for (title, keys) in sections(app) {
        let all = title.to_lowercase().contains(word);
        let keys: Vec<_> = keys.into_iter().filter(|keys| all || keys.fits(word)).collect();
        if !keys.is_empty() {
            body.push(heading(app, title));
            for keys in keys {
                body.extend(keys.rows(app, width));
            }
        }
    }
}

fn heading(app: &App, title: &str) -> Line<'static> {
    text::styled(title.to_owned(), app.theme().accent().add_modifier(Modifier::BOLD))
}

fn fits(command: &Command, word: &str) -> bool {
    let alias = command.alias.unwrap_or_default();
    word.is_empty()
        || [command.name, alias, command.about]
            .iter()
            .any(|text| text.to_lowercase().contains(word))
}

fn command_rows(app: &App, command: &Command, width: usize, rows: &mut Vec<Line<'static>>) {
    let theme = app.theme();
    let mut usage = vec![Span::styled(command.usage(), theme.key())];
    if let Some(alias) = command.alias {
        usage.push(Span::styled(format!("   or /{alias}"), theme.dim()));
    }
    for (index, mut line) in text::wrap(&usage, width.saturating_sub(6)).into_iter().enumerate() {
        line.spans.insert(0, Span::raw(if index == 0 { "  " } else { "      " }));
        rows.push(line);
    }
    rows.extend(indented(&[Span::raw(command.about)], width));
    for example in command.examples {
        let spans = [Span::styled(*example, theme.literal())];
        rows.extend(indented(&spans, width));
    }
}

fn indented(spans: &[Span<'_>], width: usize) -> Vec<Line<'static>> {
    let mut lines = text::wrap(spans, width.saturating_sub(6));
    for line in &mut lines {
        line.spans.insert(0, Span::raw("      "));
    }
    lines
}

/// Keys that do the same.
struct KeysFor {
    keys: Vec<String>,
    about: &'static str,
}

/// All keys of the map that is in use.
fn sections(app: &App) -> Vec<(&'static str, Vec<KeysFor>)> {
    let mut sections: Vec<_> =
        PLACES.iter().map(|(place, title)| (*title, app_keys(app, *place))).collect();
    if app.is_vim() {
        let text = vim::KEYS.iter().map(|(keys, about)| KeysFor {
            keys: keys.split(' ').map(str::to_owned).collect(),
            about,
        });
        let colon = COLON.iter().map(|(names, _, about)| KeysFor {
            keys: names.iter().map(|name| format!(":{name}")).collect(),
            about,
        });
        let after = 2.min(sections.len());
        sections.insert(after, ("Keys of vim in the text, in normal mode", text.collect()));
        sections.push(("Keys of vim: commands behind :", colon.collect()));
    }
    sections
}

/// The keys of a place, those that do the same together.
fn app_keys(app: &App, place: Place) -> Vec<KeysFor> {
    let map = app.settings.keys;
    let mut rows: Vec<(Intent, KeysFor)> = Vec::new();
    let here = |binding: &&Binding| binding.place == place && binding.map.is_none_or(|m| m == map);
    for binding in BINDINGS.iter().filter(here) {
        match rows.iter_mut().find(|(intent, _)| *intent == binding.intent) {
            Some((_, row)) => row.keys.push(binding.shown()),
            None => {
                let row = KeysFor { keys: vec![binding.shown()], about: about(binding) };
                rows.push((binding.intent, row));
            }
        }
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

/// What a key does, in the words of its place if there are some.
fn about(binding: &Binding) -> &'static str {
    let told = |b: &&Binding| b.intent == binding.intent && !b.about.is_empty();
    let here = BINDINGS.iter().find(|b| told(b) && b.place == binding.place);
    here.or_else(|| BINDINGS.iter().find(told)).map_or("", |b| b.about)
}

impl KeysFor {
    fn fits(&self, word: &str) -> bool {
        let keys = self.keys.iter().any(|key| key.to_lowercase().contains(word));
        word.is_empty() || keys || self.about.to_lowercase().contains(word)
    }

    fn rows(&self, app: &App, width: usize) -> Vec<Line<'static>> {
        let keys = self.keys.join("  ");
        let column = 26.min(width / 2);
        let mut lines = text::wrap(&[Span::raw(self.about)], width.saturating_sub(column + 2));
        for (index, line) in lines.iter_mut().enumerate() {
            let shown = if index == 0 { text::fit(&keys, column) } else { String::new() };
            let gap = " ".repeat(column.saturating_sub(text::width(&shown)));
            line.spans.insert(0, Span::styled(format!("  {shown}{gap}"), app.theme().key()));
        }
        lines
    }
}

const PLACES: [(Place, &str); 6] = [
    (Place::Anywhere, "Keys anywhere"),
    (Place::Composer, "Keys while writing"),
    (Place::Normal, "Keys in normal mode"),
    (Place::Message, "Keys on a message"),
    (Place::Marked, "Keys on several messages"),
    (Place::List, "Keys in the list"),
];
