//! What is known of somebody.

use ratatui::crossterm::event::KeyEvent;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{Action, App, Key, Sheet, Stay};
use crate::ui::clock::Clock;
use crate::ui::printable::Printable;
use crate::ui::{text, words};

/// What is known of somebody.
#[derive(Debug)]
pub struct Contact {
    key: Key,
}

impl Contact {
    pub(super) fn new(key: Key) -> Contact {
        Contact { key }
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        let command = match page::read(key) {
            Move::Leave | Move::Letter('q') => return Stay::Close,
            Move::Take => {
                app.go_to(self.key.clone(), actions);
                return Stay::Close;
            }
            Move::Letter('d') => "devices",
            Move::Letter('a') => "accept",
            Move::Letter('b') if self.is(app, |contact| contact.blocked) => "unblock",
            Move::Letter('b') => "block",
            Move::Letter('x') if self.is(app, |contact| contact.in_roster) => "remove",
            _ => return Stay::Open,
        };
        app.run(&format!("/{command} {}", self.key.with), actions);
        Stay::Close
    }

    fn is(&self, app: &App, test: impl Fn(&client::view::Contact) -> bool) -> bool {
        app.mirror(self.key.account).and_then(|m| m.contacts.get(&self.key.with)).is_some_and(test)
    }

    pub(super) fn sheet(&self, app: &App, columns: u16) -> Sheet {
        let theme = app.theme();
        let width = usize::from(columns).min(66).saturating_sub(6);
        let address = Printable::address(&self.key.with).into_string();
        let mirror = app.mirror(self.key.account);
        let contact = mirror.and_then(|mirror| mirror.contacts.get(&self.key.with));
        let name = mirror.map_or_else(|| address.clone(), |mirror| mirror.name(&self.key.with));
        let person = theme.person(&self.key.with).add_modifier(Modifier::BOLD);
        let mut lines = vec![
            text::styled(Printable::line(&name).into_string(), person),
            text::styled(address, theme.dim()),
            Line::default(),
        ];
        let known = contact.map(|contact| sentences(&app.clock, contact));
        for said in known.unwrap_or_else(|| vec!["Not a contact.".to_owned()]) {
            lines.extend(text::wrap(&[Span::raw(said)], width));
        }
        if let Some(conversation) = mirror.and_then(|m| m.conversations.get(&self.key.with)) {
            let said = format!("What you write there is {}.", words::readers(conversation));
            lines.extend(text::wrap(&[Span::raw(said)], width));
        }
        let mut hints = vec![("Enter", "write"), ("d", "devices")];
        match contact {
            Some(contact) if contact.asks => hints.push(("a", "accept")),
            Some(contact) if contact.in_roster => hints.push(("x", "remove")),
            _ => hints.push(("a", "add")),
        }
        hints.push(("b", if contact.is_some_and(|c| c.blocked) { "unblock" } else { "block" }));
        hints.push(("Esc", "leave"));
        Sheet { title: "Contact".to_owned(), lines, hints, width: 66, ..Sheet::default() }
    }
}

/// What is known, in sentences.
fn sentences(clock: &Clock, contact: &client::view::Contact) -> Vec<String> {
    let mut said = Vec::new();
    if contact.seen {
        let status = contact.status.as_ref().map(|status| format!(": {}", Printable::line(status)));
        let presence = words::presence(contact.presence);
        said.push(format!("They are {presence}{}.", status.unwrap_or_default()));
        if let Some(since) = contact.idle {
            said.push(format!("They were last active {}.", clock.ago(since)));
        }
    }
    said.push(
        match (contact.sees_us, contact.seen) {
            (true, true) => "You see whether the other is there, both of you.",
            (true, false) => "They see whether you are there.",
            (false, true) => "You see whether they are there; they do not see it of you.",
            (false, false) => "Neither of you sees whether the other is there.",
        }
        .to_owned(),
    );
    if contact.asks {
        said.push("They ask to be your contact.".to_owned());
    }
    if contact.asked {
        said.push("You have asked to be their contact; they have not answered yet.".to_owned());
    }
    if contact.blocked {
        said.push("You have blocked them: nothing of theirs gets to you.".to_owned());
    }
    said
}
