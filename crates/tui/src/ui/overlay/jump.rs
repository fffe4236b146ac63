//! Ctrl-K: a few letters, and one is there.

use std::collections::BTreeMap;

use ratatui::crossterm::event::KeyEvent;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use xmpp::jid::BareJid;

use super::page::{self, Move};
use super::{Action, App, Key, Sheet, Stay, field};
use crate::ui::editor::Editor;
use crate::ui::mirror::Mirror;
use crate::ui::printable::Printable;
use crate::ui::room_link::{self, Form};
use crate::ui::{commands, fuzzy, text};

/// Finding a conversation or a contact.
#[derive(Debug, Default)]
pub struct Jump {
    pub(super) typed: Editor,
    chosen: usize,
    /// Only conversations that were taken out of the list.
    hidden: bool,
}

/// Somebody to go to.
struct Target {
    key: Key,
    name: String,
    unread: u32,
    kind: Goal,
}

/// What is behind a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// A conversation or a contact.
    Known,
    /// A conversation that was taken out of the list.
    Hidden,
    /// A room to be entered first.
    Room,
    /// An address that nobody known has.
    New,
}

impl Jump {
    /// The conversations that were taken out of the list.
    pub(super) fn hidden() -> Jump {
        Jump { hidden: true, ..Jump::default() }
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        match page::write(key, &mut self.typed) {
            Move::Leave => return Stay::Close,
            Move::By(by) => self.chosen = page::moved(self.chosen, by, self.targets(app).len()),
            Move::Typed => self.chosen = 0,
            Move::Take => {
                let chosen = self.targets(app).into_iter().nth(self.chosen);
                match chosen {
                    Some(Target { key, kind: Goal::Room, .. }) => {
                        let link = room_link::parse(self.typed.text()).ok();
                        let link = link.filter(|link| link.room == key.with);
                        commands::enter(app, key, None, link.and_then(|link| link.secret), actions);
                    }
                    Some(target) => app.go_to(target.key, actions),
                    None => {}
                }
                return Stay::Close;
            }
            _ => {}
        }
        Stay::Open
    }

    /// Whom the letters fit: conversations in their order, then contacts, then a new address.
    fn targets(&self, app: &App) -> Vec<Target> {
        let typed = self.typed.text().trim();
        let mut targets: Vec<(i32, Target)> = Vec::new();
        if self.hidden {
            targets.extend(hidden(app, typed));
            return best(typed, targets);
        }
        for row in app.rows() {
            let name = row.conversation.map(|c| c.name.clone());
            let name = name.or_else(|| row.contact.map(|c| c.name.clone())).unwrap_or_default();
            let score = rank(typed, &name, &row.key.with).map(|score| score + TALKED_WITH);
            let unread = row.unread();
            targets.extend(
                score.map(|s| (s, Target { key: row.key, name, unread, kind: Goal::Known })),
            );
        }
        for (number, mirror) in &app.accounts {
            for (address, contact) in &mirror.contacts {
                let key = Key { account: *number, with: address.clone() };
                if contact.in_roster && !targets.iter().any(|(_, target)| target.key == key) {
                    let score = rank(typed, &contact.name, address);
                    let name = contact.name.clone();
                    let kind = Goal::Known;
                    targets.extend(score.map(|s| (s, Target { key, name, unread: 0, kind })));
                }
            }
            for (address, name) in rooms_of(mirror) {
                let key = Key { account: *number, with: address.clone() };
                if !targets.iter().any(|(_, target)| target.key == key) {
                    let score = rank(typed, &name, &address);
                    let kind = match mirror.conversations.contains_key(&address) {
                        true => Goal::Known,
                        false => Goal::Room,
                    };
                    targets.extend(score.map(|s| (s, Target { key, name, unread: 0, kind })));
                }
            }
        }
        for (score, target) in hidden(app, typed) {
            match targets.iter_mut().find(|(_, known)| known.key == target.key) {
                Some((_, known)) => known.kind = Goal::Hidden,
                None => targets.push((score, target)),
            }
        }
        let mut targets = best(typed, targets);
        targets.extend(self.strangers(app, &targets));
        targets.truncate(MOST_TARGETS);
        targets
    }

    /// An address that was typed in full, and is of nobody known: a person, or a room. A link says
    /// which.
    fn strangers(&self, app: &App, known: &[Target]) -> Vec<Target> {
        let typed = self.typed.text().trim();
        let (Ok(link), Some(account)) = (room_link::parse(typed), app.current_account()) else {
            return Vec::new();
        };
        let with = link.room;
        if known.iter().any(|target| target.key.with == with) {
            return Vec::new();
        }
        let target = |kind| Target {
            name: with.to_string(),
            key: Key { account, with: with.clone() },
            unread: 0,
            kind,
        };
        match link.form {
            Form::Address => vec![target(Goal::New), target(Goal::Room)],
            Form::Uri | Form::Page => vec![target(Goal::Room)],
        }
    }

    pub(super) fn sheet(&self, app: &App) -> Sheet {
        let theme = app.theme();
        let before = &self.typed.text()[..self.typed.cursor()];
        let (line, cursor) = field(theme, "›", self.typed.text(), before);
        let mut lines = vec![line, Line::default()];
        let targets = self.targets(app);
        for (index, target) in targets.iter().enumerate() {
            let chosen = index == self.chosen;
            lines.push(row(app, target, chosen));
        }
        if targets.is_empty() {
            let typed = self.typed.text().trim();
            let hint = match (self.hidden, room_link::parse(typed)) {
                (true, _) => "No conversation is hidden, or none fits.".to_owned(),
                (_, Err(problem)) if room_link::is_link(typed) => sentence(&problem),
                _ => "Nobody fits. Write a whole address to talk to somebody new.".to_owned(),
            };
            let width = usize::from(app.size.0.min(WIDTH)).saturating_sub(4);
            lines.extend(text::wrap(&[Span::styled(hint, theme.dim())], width));
        }
        Sheet {
            title: if self.hidden { "Hidden conversations" } else { "Go to" }.to_owned(),
            lines,
            focus: Some(self.chosen + 2),
            fixed: 2,
            cursor: Some((0, cursor)),
            hints: vec![("Enter", "open"), ("↑↓", "choose"), ("Esc", "leave")],
            width: WIDTH,
            ..Sheet::default()
        }
    }
}

/// What is wrong, as a sentence of its own.
fn sentence(problem: &str) -> String {
    let mut letters = problem.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// Who it is, in a row: what would happen is said whole, however long an address is.
fn row(app: &App, target: &Target, chosen: bool) -> Line<'static> {
    let theme = app.theme();
    let name = Printable::line(&target.name).into_string();
    let address = Printable::address(&target.key.with).into_string();
    let person = theme.person(&target.key.with).add_modifier(Modifier::BOLD);
    let what = match target.kind {
        Goal::Known => "",
        Goal::Hidden => "  hidden",
        Goal::New => "  somebody new",
        Goal::Room => "  enter this room",
    };
    let unread = (target.unread > 0).then(|| format!(" {} ", target.unread));
    let badge = unread.as_deref().map_or(0, |unread| text::width(unread) + 2);
    let columns = usize::from(app.size.0.min(WIDTH)).saturating_sub(6);
    let room = columns.saturating_sub(text::width(what) + badge);
    let mut spans = vec![Span::raw(if chosen { "▸ " } else { "  " })];
    if name != address {
        let name = text::fit(&name, LONGEST_NAME.min(room));
        let rest = room.saturating_sub(text::width(&name) + 2);
        spans.push(Span::styled(name, person));
        spans.push(Span::raw("  "));
        spans.push(Span::styled(text::fit(&address, rest), theme.dim()));
    } else {
        spans.push(Span::styled(text::fit(&address, room), person));
    }
    spans.push(Span::styled(what, theme.dim()));
    if let Some(unread) = unread {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(unread, theme.badge(false)));
    }
    let line = Line::from(spans);
    if chosen { line.style(theme.selected()) } else { line }
}

/// Conversations that were taken out of the list and fit, the newest first. Who was blocked is not among
/// them.
fn hidden(app: &App, typed: &str) -> Vec<(i32, Target)> {
    let mut all = Vec::new();
    for (number, mirror) in &app.accounts {
        let blocked =
            |address: &BareJid| mirror.contacts.get(address).is_some_and(|one| one.blocked);
        for one in mirror.conversations.values() {
            let key = Key { account: *number, with: one.address.clone() };
            // What has no message was never in the list.
            if one.shown || one.preview.is_none() || blocked(&one.address) {
                continue;
            }
            let Some(score) = rank(typed, &one.name, &one.address) else { continue };
            let (name, unread) = (one.name.clone(), one.unread);
            all.push((one.order, score, Target { key, name, unread, kind: Goal::Hidden }));
        }
    }
    all.sort_by_key(|(order, ..)| std::cmp::Reverse(*order));
    all.into_iter().map(|(_, score, target)| (score, target)).collect()
}

/// Those that fit best come first. The sort is stable: what fits equally well stays in its order.
fn best(typed: &str, mut targets: Vec<(i32, Target)>) -> Vec<Target> {
    targets.sort_by_key(|(score, _)| std::cmp::Reverse(if typed.is_empty() { 0 } else { *score }));
    targets.truncate(MOST_TARGETS);
    targets.into_iter().map(|(_, target)| target).collect()
}

/// Rooms that an account knows or keeps in its list, with their names.
fn rooms_of(mirror: &Mirror) -> BTreeMap<BareJid, String> {
    let kept = mirror.bookmarks.iter().map(|kept| {
        (kept.room.clone(), kept.name.clone().unwrap_or_else(|| kept.room.to_string()))
    });
    let known = mirror.rooms.values().map(|room| (room.address.clone(), room.name.clone()));
    kept.chain(known).collect()
}

fn rank(typed: &str, name: &str, address: &BareJid) -> Option<i32> {
    let address = fuzzy::score(typed, &address.to_string()).map(|score| score - 2);
    fuzzy::score(typed, name).max(address)
}

/// What it counts that there is a conversation already.
const TALKED_WITH: i32 = 3;
/// Columns it would like to have.
const WIDTH: u16 = 56;
/// Columns of a name beside its address.
const LONGEST_NAME: usize = 28;
/// Rows that are offered.
const MOST_TARGETS: usize = 50;
