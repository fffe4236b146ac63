//! The state of the accounts, and what to do about it.

use client::Command;
use client::view::Connection;
use ratatui::crossterm::event::KeyEvent;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{AccountNumber, Action, App, Overlay, Question, Sheet, Stay, Then};
use crate::ui::app::Waiting;
use crate::ui::clock::count;
use crate::ui::printable::Printable;
use crate::ui::{text, words};

/// The state of the accounts.
#[derive(Debug, Default)]
pub struct Account {
    chosen: usize,
}

impl Account {
    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        let number = app.accounts.keys().nth(self.chosen).copied();
        match (page::read(key), number) {
            (Move::Leave | Move::Take | Move::Letter('q'), _) => return Stay::Close,
            (Move::By(by), _) => self.chosen = page::moved(self.chosen, by, app.accounts.len()),
            (Move::Letter('r'), Some(number)) => {
                app.ask(number, Command::Reconnect, Waiting::Quiet, actions);
            }
            (Move::Letter('o'), Some(number)) => {
                app.ask(number, Command::Disconnect, Waiting::Quiet, actions);
            }
            (Move::Letter('p'), Some(number)) if is_refused(app, number) => {
                app.overlay = Some(Overlay::password_again(number));
                return Stay::Close;
            }
            (Move::Letter('p'), Some(number)) => return pin(app, number),
            _ => {}
        }
        Stay::Open
    }

    pub(super) fn sheet(&self, app: &App, columns: u16) -> Sheet {
        let theme = app.theme();
        let width = usize::from(columns).min(76).saturating_sub(6);
        let mut lines = Vec::new();
        for (index, (number, mirror)) in app.accounts.iter().enumerate() {
            let Some(account) = &mirror.account else { continue };
            let mark = if index == self.chosen && app.accounts.len() > 1 { "▸ " } else { "" };
            let address = Printable::address(&account.address);
            let bold = theme.accent().add_modifier(Modifier::BOLD);
            lines
                .push(Line::from(vec![Span::raw(mark), Span::styled(address.into_string(), bold)]));
            for (said, style) in facts(app, *number) {
                lines.extend(text::wrap(&[Span::styled(said, style)], width));
            }
            lines.push(Line::default());
        }
        let untrusted = app.accounts.values().filter_map(|m| m.account.as_ref());
        let untrusted =
            untrusted.map(|a| &a.connection).any(|c| matches!(c, Connection::Untrusted { .. }));
        let mut hints = vec![("r", "reconnect"), ("o", "offline")];
        let chosen = app.accounts.keys().nth(self.chosen);
        let refused = chosen.is_some_and(|number| is_refused(app, *number));
        hints.extend(refused.then_some(("p", "give the password")));
        hints.extend((untrusted && !refused).then_some(("p", "trust the certificate")));
        hints.push(("Esc", "leave"));
        Sheet { title: "Account".to_owned(), lines, hints, width: 76, ..Sheet::default() }
    }
}

/// Whether a server does not let an account in.
fn is_refused(app: &App, number: AccountNumber) -> bool {
    let account = app.mirror(number).and_then(|mirror| mirror.account.as_ref());
    account.is_some_and(|account| matches!(account.connection, Connection::Refused(_)))
}

/// What there is to say about an account.
fn facts(app: &App, number: AccountNumber) -> Vec<(String, ratatui::style::Style)> {
    let theme = app.theme();
    let plain = ratatui::style::Style::new();
    let Some(account) = app.mirror(number).and_then(|mirror| mirror.account.as_ref()) else {
        return Vec::new();
    };
    let mut facts = match &account.connection {
        Connection::Online => vec![("Connected.".to_owned(), theme.good())],
        Connection::Untrusted { problem, fingerprint } => vec![
            (format!("Not connected: the server's certificate cannot be trusted. {}.", Printable::line(problem)), theme.bad()),
            ("If whoever runs the server tells you this fingerprint, trust it with p. Otherwise somebody may be listening.".to_owned(), plain),
            (hexadecimal(fingerprint), theme.literal()),
        ],
        Connection::Refused(reason) => {
            let p = "If the account has another password by now, p takes it.".to_owned();
            let reason = format!("Not connected: {}.", Printable::line(reason));
            vec![(reason, theme.bad()), (p, plain)]
        }
        other => {
            let words = words::connection(other, &app.clock).unwrap_or_default();
            vec![(Printable::line(&words).into_string(), theme.warn())]
        }
    };
    if account.queued > 0 {
        let waiting = count(account.queued as u64, "message");
        facts.push((format!("{waiting} to be sent as soon as there is a connection."), plain));
    }
    if let Some(nickname) = &account.nickname {
        facts.push((format!("Your contacts see you as {}.", Printable::line(nickname)), plain));
    }
    if let Some(device) = account.device {
        facts.push((format!("This is device {device}; /devices me lists all."), plain));
    }
    facts
}

/// Asks whether the certificate is to be trusted from now on.
fn pin(app: &mut App, number: AccountNumber) -> Stay {
    let connection =
        app.mirror(number).and_then(|m| m.account.as_ref()).map(|a| a.connection.clone());
    let Some(Connection::Untrusted { problem, fingerprint }) = connection else {
        return Stay::Open;
    };
    let text = format!(
        "{problem}.\n\nSHA-256 of it:\n{}\n\nOnly this certificate will be accepted from then on.",
        hexadecimal(&fingerprint)
    );
    let then = Then::ask(number, Command::Pin(fingerprint), "the certificate is trusted");
    app.overlay = Some(Overlay::Question(Question::new(
        "Trust this certificate?",
        &text,
        vec![('y', "yes, it is the right one", then), ('n', "no", Then::Nothing)],
    )));
    Stay::Close
}

/// Bytes in pairs of hexadecimal digits, groups of four bytes.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let groups = bytes.chunks(4).map(|chunk| chunk.iter().map(|b| format!("{b:02x}")).collect());
    groups.collect::<Vec<String>>().join(" ")
}
