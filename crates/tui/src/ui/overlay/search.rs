//! Searching own history, and the messages with a star.

use std::collections::BTreeSet;

use client::Command;
use client::store::{Content, Message, Place};
use ratatui::crossterm::event::KeyEvent;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{AccountNumber, Action, App, Key, Sheet, Stay, field};
use crate::ui::app::Waiting;
use crate::ui::editor::Editor;
use crate::ui::printable::Printable;
use crate::ui::text;

/// Searching own history.
#[derive(Debug)]
pub struct Search {
    pub(super) typed: Editor,
    /// Messages with a star are listed: nothing is typed.
    stars: bool,
    here: Option<Key>,
    asked: Option<String>,
    /// What was asked last: parts of an earlier search are nobody's.
    turn: u64,
    /// Accounts that still look.
    looking: BTreeSet<AccountNumber>,
    found: Vec<(AccountNumber, Message)>,
    chosen: usize,
}

impl Search {
    pub(super) fn new(app: &App, text: &str) -> Search {
        Search {
            typed: Editor::new(text),
            stars: false,
            here: app.open.clone(),
            asked: None,
            turn: 0,
            looking: BTreeSet::new(),
            found: Vec::new(),
            chosen: 0,
        }
    }

    pub(super) fn starred(app: &mut App, actions: &mut Vec<Action>) -> Search {
        let mut search = Search { stars: true, here: None, ..Search::new(app, "") };
        search.ask(app, actions);
        search
    }

    /// What to ask an account when its messages with a star are different, if they are listed.
    pub(crate) fn again(&self, account: AccountNumber) -> Option<Command> {
        let here = self.here.as_ref();
        let listed = self.stars && here.is_none_or(|key| key.account == account);
        listed.then(|| Command::Starred(here.map(|key| key.with.clone())))
    }

    /// Takes the messages of an account that have a star; those before are gone.
    pub(crate) fn starred_are(&mut self, account: AccountNumber, messages: Vec<Message>) {
        self.change(|found| {
            found.retain(|(of, _)| *of != account);
            found.extend(messages.into_iter().map(|message| (account, message)));
        });
    }

    /// Takes what an account found in one part of its history. Gives what to ask it next.
    pub(crate) fn part(
        &mut self,
        account: AccountNumber,
        turn: u64,
        messages: Vec<Message>,
        next: Option<Place>,
    ) -> Option<Command> {
        if turn != self.turn {
            return None;
        }
        self.change(|found| {
            for message in messages {
                // One that moved meanwhile comes twice.
                if !found.iter().any(|(of, one)| (*of, one.id) == (account, message.id)) {
                    found.push((account, message));
                }
            }
        });
        let wanted = next.filter(|_| self.found.len() < MOST_FOUND);
        self.found.truncate(MOST_FOUND);
        if wanted.is_none() {
            self.looking.remove(&account);
        }
        let from = Some(wanted?);
        Some(self.command(from))
    }

    /// An account cannot look.
    pub(crate) fn failed(&mut self, account: AccountNumber, turn: u64) {
        if turn == self.turn {
            self.looking.remove(&account);
        }
    }

    fn command(&self, from: Option<Place>) -> Command {
        let conversation = self.here.as_ref().map(|key| key.with.clone());
        let text = self.asked.as_deref().unwrap_or_default().trim().to_owned();
        match self.stars {
            true => Command::Starred(conversation),
            false => Command::Search { text, conversation, from },
        }
    }

    /// Other words are wanted: what is still looked for is nobody's.
    fn forget_asked(&mut self) {
        self.asked = None;
        self.turn = 0;
        self.looking.clear();
    }

    /// Changes what is listed, the newest first. The chosen message stays chosen.
    fn change(&mut self, change: impl FnOnce(&mut Vec<(AccountNumber, Message)>)) {
        let chosen = self.found.get(self.chosen).map(|(account, one)| (*account, one.id));
        change(&mut self.found);
        self.found.sort_by_key(|(_, message)| std::cmp::Reverse(message.time));
        let at = self.found.iter().position(|(of, one)| chosen == Some((*of, one.id)));
        let last = self.found.len().saturating_sub(1);
        self.chosen = at.unwrap_or(self.chosen.min(last));
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        match page::write(key, &mut self.typed) {
            Move::Leave => return Stay::Close,
            Move::By(by) => self.chosen = page::moved(self.chosen, by, self.found.len()),
            Move::Typed if self.stars => self.typed = Editor::new(""),
            Move::Typed => self.forget_asked(),
            Move::Switch => {
                self.here = match self.here {
                    Some(_) => None,
                    None => app.open.clone(),
                };
                self.ask(app, actions);
            }
            Move::Take if self.asked.as_deref() != Some(self.typed.text()) => {
                self.ask(app, actions)
            }
            Move::Take => return self.show(app, actions),
            _ => {}
        }
        Stay::Open
    }

    fn ask(&mut self, app: &mut App, actions: &mut Vec<Action>) {
        self.found.clear();
        self.chosen = 0;
        self.forget_asked();
        self.asked = Some(self.typed.text().to_owned());
        if self.typed.text().trim().is_empty() && !self.stars {
            return;
        }
        let accounts: Vec<AccountNumber> = match &self.here {
            Some(key) => vec![key.account],
            None => app.accounts.keys().copied().collect(),
        };
        self.turn = app.turn();
        for account in accounts {
            if !self.stars {
                self.looking.insert(account);
            }
            app.ask(account, self.command(None), Waiting::Search(self.turn), actions);
        }
    }

    /// Goes to what was found.
    fn show(&mut self, app: &mut App, actions: &mut Vec<Action>) -> Stay {
        let Some((account, message)) = self.found.get(self.chosen) else { return Stay::Open };
        let key = Key { account: *account, with: message.conversation.clone() };
        app.go_to_message(key, message.id, actions);
        Stay::Close
    }

    pub(super) fn sheet(&self, app: &App, columns: u16) -> Sheet {
        let theme = app.theme();
        let label = match (self.stars, self.here.is_some()) {
            (false, true) => "here ›",
            (false, false) => "everywhere ›",
            (true, true) => "here",
            (true, false) => "everywhere",
        };
        let before = &self.typed.text()[..self.typed.cursor()];
        let (line, cursor) = field(theme, label, self.typed.text(), before);
        let mut lines = vec![line, text::styled(self.progress(), theme.dim())];
        let current = self.asked.as_deref() == Some(self.typed.text());
        if self.found.is_empty() {
            let words = match current && !self.typed.is_empty() {
                _ if self.stars => "No message here has a star.",
                true if !self.looking.is_empty() => "",
                true => "Nothing was found in what this device has.",
                false => "Enter searches what this device has.",
            };
            lines.push(text::styled(words, theme.dim()));
        }
        for (index, (account, message)) in self.found.iter().enumerate() {
            let line = self.row(app, *account, message, usize::from(columns).min(86) - 6);
            let style = if index == self.chosen { theme.selected() } else { Default::default() };
            lines.push(line.style(style));
        }
        Sheet {
            title: if self.stars { "Starred" } else { "Search" }.to_owned(),
            lines,
            focus: Some(self.chosen + 2),
            fixed: 2,
            cursor: Some((0, cursor)).filter(|_| !self.stars),
            hints: vec![
                ("Enter", if self.stars { "go there" } else { "search, then go there" }),
                ("Tab", "here or everywhere"),
                ("Esc", "leave"),
            ],
            width: 86,
            ..Sheet::default()
        }
    }

    fn progress(&self) -> &'static str {
        match self.looking.is_empty() {
            false => "still searching…",
            true if !self.stars && self.found.len() >= MOST_FOUND => "the newest of more",
            true => "",
        }
    }

    fn row(
        &self,
        app: &App,
        account: AccountNumber,
        message: &Message,
        columns: usize,
    ) -> Line<'static> {
        let theme = app.theme();
        let name = match (message.own, app.mirror(account)) {
            (true, _) => "You".to_owned(),
            (false, Some(mirror)) => mirror.author(message),
            (false, None) => message.sender.to_string(),
        };
        let said = match &message.content {
            Content::File(file, caption) => {
                format!("{} {}", file.name, caption.clone().unwrap_or_default())
            }
            content => App::text_of(content).unwrap_or_default(),
        };
        let said = Printable::line(&said).into_string();
        let (before, hit, after) =
            around(&said, self.typed.text().trim(), columns.saturating_sub(24));
        Line::from(vec![
            Span::styled(format!("{:>6}  ", app.clock.short(message.time)), theme.dim()),
            Span::styled(text::fit(Printable::line(&name).as_str(), 14), theme.author(message)),
            Span::raw(format!("  {before}")),
            Span::styled(hit, theme.accent().add_modifier(Modifier::BOLD)),
            Span::raw(after),
        ])
    }
}

/// The text around the first of the words that were looked for, in so many columns.
fn around(said: &str, typed: &str, columns: usize) -> (String, String, String) {
    let lower = said.to_lowercase();
    let words = typed.to_lowercase();
    let place = |word: &str| lower.find(word).map(|at| (at, at + word.len()));
    let first = words.split_whitespace().filter_map(place).min();
    let first = first.filter(|_| lower.len() == said.len());
    let at = first.map(|(at, _)| at);
    let end = first.map(|(_, end)| end).filter(|end| said.is_char_boundary(*end));
    let (Some(at), Some(end)) = (at.filter(|at| said.is_char_boundary(*at)), end) else {
        return (text::fit(said, columns), String::new(), String::new());
    };
    let room = columns.saturating_sub(text::width(&said[at..end]));
    let before = &said[..at];
    let skip = text::width(before).saturating_sub(room / 2);
    let mut shown = String::new();
    let mut skipped = 0;
    for (grapheme, width) in text::graphemes(before) {
        match skipped < skip {
            true => skipped += width,
            false => shown.push_str(grapheme),
        }
    }
    if skip > 0 {
        shown.insert(0, '…');
    }
    let rest = room.saturating_sub(text::width(&shown));
    (shown, said[at..end].to_owned(), text::fit(&said[end..], rest))
}

/// Messages that are listed of a search. The core limits those with a star.
const MOST_FOUND: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_shown_with_what_stands_around_it() {
        let (before, hit, after) = around("It is the East, and Juliet is the sun", "juliet", 20);
        assert_eq!((before.as_str(), hit.as_str()), ("…t, and ", "Juliet"));
        assert!(after.starts_with(" is"));
        assert_eq!(around("short", "x", 20).0, "short");
        assert_eq!(around("short", "rt SH", 20).1, "sh");
        // Lower case has another length here; no panic.
        around("İİİ istanbul", "istanbul", 20);
    }
}
