//! Devices and fingerprints: verify, distrust, remove.

use client::Command;
use client::store::TrustLevel;
use client::view::Device;
use ratatui::crossterm::event::KeyEvent;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::page::{self, Move};
use super::{Action, App, Key, Overlay, Question, Sheet, Stay, Then};
use crate::ui::app::Waiting;
use crate::ui::printable::Printable;
use crate::ui::{text, words};

/// The devices of somebody, or one's own.
#[derive(Debug)]
pub struct Devices {
    key: Key,
    chosen: usize,
    code: bool,
}

impl Devices {
    pub(super) fn new(key: Key) -> Devices {
        Devices { key, chosen: 0, code: false }
    }

    pub(super) fn code(key: Key) -> Devices {
        Devices { key, chosen: 0, code: true }
    }

    fn own(&self, app: &App) -> bool {
        let account = app.mirror(self.key.account).and_then(|mirror| mirror.account.as_ref());
        account.is_some_and(|account| account.address == self.key.with)
    }

    /// Those that count first: this one, then active ones, then the others.
    fn devices<'a>(&self, app: &'a App) -> Vec<&'a Device> {
        let known = app.mirror(self.key.account).and_then(|m| m.devices.get(&self.key.with));
        let mut devices: Vec<&Device> = known.into_iter().flatten().collect();
        devices.sort_by_key(|device| (!device.this, !device.active, device.id));
        devices
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        let moved = page::read(key);
        if self.code {
            self.code = !matches!(moved, Move::Leave | Move::Take | Move::Letter('q' | 'Q'));
            return Stay::Open;
        }
        let count = self.devices(app).len();
        match moved {
            Move::Leave | Move::Letter('q') => return Stay::Close,
            Move::By(by) => self.chosen = page::moved(self.chosen, by, count),
            Move::Letter('j') => self.chosen = page::moved(self.chosen, 1, count),
            Move::Letter('k') => self.chosen = page::moved(self.chosen, -1, count),
            Move::Letter('v') => self.decide(app, TrustLevel::Verified, actions),
            Move::Letter('t') => self.decide(app, TrustLevel::Blind, actions),
            Move::Letter('x') => self.decide(app, TrustLevel::Distrusted, actions),
            Move::Letter('Q') => self.code = true,
            Move::Letter('R') if self.own(app) => return self.remove(app),
            _ => {}
        }
        Stay::Open
    }

    /// A decision about the chosen device. Verifying asks whether the fingerprint was compared.
    fn decide(&mut self, app: &mut App, level: TrustLevel, actions: &mut Vec<Action>) {
        let device = self.devices(app).get(self.chosen).copied().cloned();
        let Some(Device { key: Some(key), this: false, id, fingerprint, .. }) = device else {
            return;
        };
        let command = Command::Trust { owner: self.key.with.clone(), key, level };
        if level != TrustLevel::Verified {
            app.ask(self.key.account, command, Waiting::Quiet, actions);
            return;
        }
        let then = Then::ask(self.key.account, command, format!("device {id} is verified"));
        let text = format!(
            "Compare it with what their device shows, face to face or by phone:\n\n{}",
            grouped(fingerprint.as_deref().unwrap_or_default(), 4).join("\n")
        );
        app.overlay = Some(Overlay::Question(Question::new(
            "Is this the fingerprint they see?",
            &text,
            vec![('y', "yes, it is the same", then), ('n', "no, or not compared", Then::Nothing)],
        )));
    }

    fn remove(&mut self, app: &mut App) -> Stay {
        let device = self.devices(app).get(self.chosen).copied().cloned();
        let Some(device) = device.filter(|device| !device.this) else { return Stay::Open };
        let said = format!("device {} is removed", device.id);
        let then = Then::ask(self.key.account, Command::RemoveDevice(device.id), said);
        app.overlay = Some(Overlay::Question(Question::new(
            format!("Remove device {}?", device.id),
            "Nothing is encrypted to it any more. If it is still in use it comes back by itself; then change the password.",
            vec![('y', "yes, remove it", then), ('n', "no", Then::Nothing)],
        )));
        Stay::Close
    }

    pub(super) fn sheet(&self, app: &App, columns: u16, rows: u16) -> Sheet {
        if self.code {
            return self.code_sheet(app, columns, rows);
        }
        let theme = app.theme();
        let own = self.own(app);
        let width = usize::from(columns).min(78).saturating_sub(6);
        let name = app.mirror(self.key.account).map(|mirror| mirror.name(&self.key.with));
        let title = match own {
            true => "Your devices".to_owned(),
            false => format!("Devices of {}", Printable::line(&name.unwrap_or_default())),
        };
        let devices = self.devices(app);
        let mut lines = Vec::new();
        let mut focus = None;
        for (index, device) in devices.iter().enumerate() {
            if index == self.chosen {
                focus = Some(lines.len() + 4);
            }
            lines.extend(self.rows(app, device, index == self.chosen, width));
        }
        if devices.is_empty() {
            let words = "No device is known: either they have none that encrypts, or the list is still on its way.";
            lines.extend(text::wrap(&[Span::styled(words, theme.dim())], width));
        }
        let unused = devices.iter().filter(|device| device.unused).count();
        if own && unused > 0 {
            let words = match unused {
                1 => {
                    "One of them was not heard of for 90 days. If you no longer have it, remove it with R: it could still read what is written."
                }
                _ => {
                    "Some of them were not heard of for 90 days. Remove with R those that you no longer have: they could still read what is written."
                }
            };
            lines.extend(text::wrap(&[Span::styled(words, theme.warn())], width));
        }
        let mut hints = vec![("v", "verify"), ("t", "trust"), ("x", "distrust")];
        hints.extend(own.then_some(("R", "remove")));
        hints.extend([("Q", "QR code"), ("Esc", "leave")]);
        Sheet { title, lines, focus, hints, width: 78, ..Sheet::default() }
    }

    fn rows(&self, app: &App, device: &Device, chosen: bool, width: usize) -> Vec<Line<'static>> {
        let theme = app.theme();
        let label = device.label.as_deref().map(|label| Printable::line(label).into_string());
        let name = label.unwrap_or_else(|| format!("device {}", device.id));
        let versions: Vec<&str> =
            device.versions.iter().map(|version| words::version(*version)).collect();
        let mut facts = vec![device.id.to_string(), versions.join(" and ")];
        facts.extend(match (device.this, device.last_used) {
            (true, _) => Some("this device".to_owned()),
            (_, Some(time)) => Some(format!("heard {}", app.clock.ago(time))),
            _ => None,
        });
        if !device.active {
            let words = if device.this { "not published" } else { "not in use any more" };
            facts.push(words.to_owned());
        }
        if device.unused {
            facts.push("silent for 90 days".to_owned());
        }
        facts.retain(|fact| !fact.is_empty());
        let (word, style) = trust(app, device);
        let name = text::fit(&name, 30);
        let beside = text::width(&name) + text::width(word) + 4 <= width + 2;
        let mut first = vec![
            Span::raw(if chosen { "▸ " } else { "  " }),
            Span::styled(name, Style::new().add_modifier(Modifier::BOLD)),
        ];
        let word = Span::styled(word, style);
        let mut below = None;
        if beside {
            first.extend([Span::raw("  "), word]);
        } else {
            below = Some(Line::from(vec![Span::raw("  "), word]));
        }
        let mut lines = vec![Line::from(first)];
        lines.extend(below);
        lines.push(text::styled(
            format!("  {}", text::fit(&facts.join(" · "), width.saturating_sub(2))),
            theme.dim(),
        ));
        // Nothing of a fingerprint may be cut: four groups take 35 columns.
        let per_row = if width >= 35 { 4 } else { 2 };
        for row in grouped(device.fingerprint.as_deref().unwrap_or("no key yet"), per_row) {
            lines.push(Line::from(vec![Span::raw("  "), Span::styled(row, theme.literal())]));
        }
        if chosen {
            lines = lines.into_iter().map(|line| line.style(theme.selected())).collect();
        }
        lines.push(Line::default());
        lines
    }

    /// The code that others scan to verify this device, or that names the chosen one.
    fn code_sheet(&self, app: &App, columns: u16, rows: u16) -> Sheet {
        let theme = app.theme();
        let devices = self.devices(app);
        let device = match self.own(app) {
            true => devices.iter().find(|device| device.this).copied(),
            false => devices.get(self.chosen).copied(),
        };
        let Some(fingerprint) = device.and_then(|device| device.fingerprint.as_ref()) else {
            let lines = vec![text::styled("This device has no key yet.", theme.dim())];
            return Sheet {
                title: "QR code".to_owned(),
                lines,
                hints: vec![("Esc", "leave")],
                width: 60,
                ..Sheet::default()
            };
        };
        let id = device.map_or(0, |device| device.id);
        let link = verification_link(&self.key.with.to_string(), id, fingerprint);
        super::link::sheet(theme, "Scan to verify this device", &link, columns, rows)
    }
}

/// The address of a device's key, as other clients scan it.
fn verification_link(address: &str, id: u32, fingerprint: &str) -> String {
    let hex: String = fingerprint.chars().filter(char::is_ascii_hexdigit).collect();
    format!("xmpp:{address}?omemo-sid-{id}={}", hex.to_ascii_lowercase())
}

/// Groups of a fingerprint, so many on a row.
fn grouped(fingerprint: &str, per_row: usize) -> Vec<String> {
    let printable = Printable::line(fingerprint).into_string();
    let groups: Vec<&str> = printable.split_whitespace().collect();
    groups.chunks(per_row.max(1)).map(|row| row.join(" ")).collect()
}

fn trust(app: &App, device: &Device) -> (&'static str, Style) {
    let theme = app.theme();
    match (device.this, device.trust) {
        (true, _) => ("this device", theme.accent()),
        (_, TrustLevel::Verified) => ("✓ verified", theme.good()),
        (_, TrustLevel::Blind) => (words::trust(TrustLevel::Blind), Style::new()),
        (_, TrustLevel::Undecided) => (words::trust(TrustLevel::Undecided), theme.warn()),
        (_, TrustLevel::Distrusted) => (words::trust(TrustLevel::Distrusted), theme.bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_link_has_the_fingerprint_without_spaces() {
        assert_eq!(
            verification_link("romeo@montague.example", 7, "6B4E15A9 c9f9f7a4"),
            "xmpp:romeo@montague.example?omemo-sid-7=6b4e15a9c9f9f7a4"
        );
    }

    #[test]
    fn fingerprints_are_shown_in_rows_of_groups() {
        assert_eq!(grouped("aa bb cc dd ee", 2), ["aa bb", "cc dd", "ee"]);
    }
}
