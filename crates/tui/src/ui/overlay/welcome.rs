//! The first run: an invitation or an address, a password, and a conversation.

use client::view::{Connection, Problem};
use ratatui::crossterm::event::KeyEvent;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use xmpp::jid::BareJid;
use xmpp::sasl::Secret;

use super::account::hexadecimal;
use super::page::{self, Move};
use super::{Action, App, Sheet, Stay, field, invitation};
use crate::ui::app::Waiting;
use crate::ui::editor::Editor;
use crate::ui::event::{Invitation, Protection, SignIn};
use crate::ui::printable::Printable;
use crate::ui::{text, words};

/// Getting into an account.
#[derive(Debug, Default)]
pub struct Welcome {
    pub(super) typed: Editor,
    step: Step,
    problem: Option<String>,
    /// What was chosen to protect an account whose password, or name, has to be given once more.
    protection: Option<Protection>,
}

#[derive(Debug, Default)]
enum Step {
    /// An invitation or an address.
    #[default]
    Start,
    /// A name for the new account.
    Name(Invitation),
    /// A password: for a new account if there is an invitation.
    Password(BareJid, Option<Invitation>),
    /// What protects the account on this machine.
    Protection(Entry, usize),
    /// A passphrase for that.
    Passphrase(Entry),
    /// The same once more.
    Again(Entry, Secret),
    /// Waiting for the server.
    Waiting(Entry, Protection),
    /// The server has a certificate that nobody vouches for: why, and its SHA-256.
    Untrusted(Entry, Protection, String, [u8; 32]),
}

/// What was told so far.
#[derive(Debug)]
struct Entry {
    address: BareJid,
    invitation: Option<Invitation>,
    password: Secret,
}

/// What can protect an account: a name, and a sentence that says what it means.
const PROTECTIONS: [(char, &str, &str); 3] = [
    (
        'k',
        "The system keyring",
        "opens it by itself once you have logged in to your desktop, which may ask you to unlock it.",
    ),
    (
        'p',
        "A passphrase",
        "is asked for at every start; without it nobody who gets at this machine can read anything.",
    ),
    (
        'n',
        "Nothing more",
        "leaves the key in a file that only you can read: enough where the disk is encrypted.",
    ),
];

impl Step {
    /// What is typed is not shown.
    fn is_hidden(&self) -> bool {
        matches!(self, Step::Password(..) | Step::Passphrase(..) | Step::Again(..))
    }
}

impl Welcome {
    /// Whether the account was made with an invitation, once it is there.
    #[must_use]
    pub(crate) fn is_invited(&self) -> bool {
        matches!(&self.step, Step::Waiting(entry, _) if entry.invitation.is_some())
    }

    /// Who invited, once the account is there.
    #[must_use]
    pub(crate) fn inviter(&self) -> Option<BareJid> {
        match &self.step {
            Step::Waiting(entry, _) => entry.invitation.as_ref()?.inviter.clone(),
            _ => None,
        }
    }

    /// It did not work: the password is asked for again, or the name if it is taken. How the
    /// connection ended tells whether the certificate is the reason.
    pub(crate) fn failed(&mut self, problem: &Problem, connection: Option<&Connection>) {
        let untrusted = match connection {
            Some(Connection::Untrusted { problem, fingerprint }) => {
                Some((Printable::line(problem).into_string(), *fingerprint))
            }
            _ => None,
        };
        self.problem = Some(Printable::line(&problem.to_string()).into_string());
        if let (Step::Waiting(_, protection), Problem::Login(_) | Problem::NameTaken) =
            (&self.step, problem)
        {
            self.protection = Some(protection.clone());
        }
        self.step = match (std::mem::take(&mut self.step), untrusted) {
            (Step::Waiting(entry, protection), Some((why, fingerprint))) => {
                self.problem = None;
                Step::Untrusted(entry, protection, why, fingerprint)
            }
            (Step::Waiting(Entry { invitation: Some(invitation), .. }, _), None)
                if invitation.name.is_none() =>
            {
                Step::Name(invitation)
            }
            (Step::Waiting(entry, _), None) => Step::Password(entry.address, entry.invitation),
            (other, _) => other,
        };
        self.typed = match self.step {
            Step::Password(..) => Editor::hidden(),
            _ => Editor::default(),
        };
    }

    /// Begins with an invitation or an address that is known already.
    pub fn begin(&mut self, typed: &str) {
        self.problem = None;
        let typed = typed.trim();
        let link = ["xmpp:", "https://", "http://"].iter().any(|start| typed.starts_with(start));
        let step = match (link, typed.parse::<BareJid>()) {
            (true, _) => invitation::parse(typed).map(invited),
            (_, Ok(address)) if typed.contains('@') => Ok(Step::Password(address, None)),
            _ => Err("An address looks like romeo@example.org, an invitation like https://example.org/invite/…".to_owned()),
        };
        match step {
            Ok(step) => self.go(step),
            Err(problem) => self.problem = Some(problem),
        }
    }

    fn go(&mut self, step: Step) {
        self.typed = if step.is_hidden() { Editor::hidden() } else { Editor::default() };
        self.step = step;
    }

    pub(super) fn on_key(
        &mut self,
        key: KeyEvent,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) -> Stay {
        match self.step {
            Step::Protection(..) => return self.on_choice(key, app, actions),
            Step::Untrusted(..) => return self.on_certificate(key, app, actions),
            _ => {}
        }
        match page::write(key, &mut self.typed) {
            Move::Leave => return self.back(app, actions),
            Move::Take => self.take(app, actions),
            Move::Typed => self.problem = None,
            _ => {}
        }
        Stay::Open
    }

    /// Escape goes back by a step, and leaves from the first one.
    fn back(&mut self, app: &mut App, actions: &mut Vec<Action>) -> Stay {
        match self.step {
            Step::Start if app.accounts.is_empty() => {
                app.quit(actions);
                Stay::Open
            }
            Step::Start => Stay::Close,
            Step::Waiting(..) if !app.accounts.is_empty() => {
                app.overlay = Some(super::Overlay::account());
                Stay::Close
            }
            _ => {
                self.problem = None;
                self.protection = None;
                self.go(Step::Start);
                Stay::Open
            }
        }
    }

    fn take(&mut self, app: &mut App, actions: &mut Vec<Action>) {
        match std::mem::take(&mut self.step) {
            Step::Start => {
                let typed = self.typed.text().to_owned();
                self.begin(&typed);
            }
            Step::Name(invitation) => {
                let typed = self.typed.text().trim();
                let name = typed.split('@').next().unwrap_or_default();
                match format!("{name}@{}", invitation.domain).parse() {
                    Ok(address) if !name.is_empty() => {
                        self.go(Step::Password(address, Some(invitation)));
                    }
                    _ => {
                        self.problem =
                            Some("A name has letters and digits, and no spaces.".to_owned());
                        self.step = Step::Name(invitation);
                    }
                }
            }
            Step::Password(address, invitation) => {
                self.take_password(address, invitation, app, actions);
            }
            Step::Passphrase(entry) if self.typed.text().chars().count() < SHORTEST => {
                let words =
                    "At least eight letters: whoever has the files can try as often as they like.";
                self.problem = Some(words.to_owned());
                self.step = Step::Passphrase(entry);
            }
            Step::Passphrase(entry) => {
                let typed = Secret::from(self.typed.take());
                self.go(Step::Again(entry, typed));
            }
            Step::Again(entry, first) => {
                let typed = Secret::from(self.typed.take());
                if first.expose() == typed.expose() {
                    self.sign_in(entry, Protection::Passphrase(typed), None, app, actions);
                } else {
                    self.problem = Some("These were two different ones. Once more:".to_owned());
                    self.go(Step::Passphrase(entry));
                }
            }
            other @ (Step::Protection(..) | Step::Waiting(..) | Step::Untrusted(..)) => {
                self.step = other;
            }
        }
    }

    fn take_password(
        &mut self,
        address: BareJid,
        invitation: Option<Invitation>,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) {
        let short = invitation.is_some() && self.typed.text().chars().count() < SHORTEST;
        if self.typed.is_empty() || short {
            self.problem = Some(match short {
                true => "At least eight letters; a sentence is easy to remember.".to_owned(),
                false => "The account has a password; it is asked for once.".to_owned(),
            });
            self.step = Step::Password(address, invitation);
            return;
        }
        let password = Secret::from(self.typed.take());
        let entry = Entry { address, invitation, password };
        match self.protection.take() {
            Some(protection) => self.sign_in(entry, protection, None, app, actions),
            None => self.go(Step::Protection(entry, usize::from(app.keyring.is_err()))),
        }
    }

    /// A key while what protects the account is chosen.
    fn on_choice(&mut self, key: KeyEvent, app: &mut App, actions: &mut Vec<Action>) -> Stay {
        let Step::Protection(_, chosen) = &mut self.step else { return Stay::Open };
        match page::read(key) {
            Move::Leave => return self.back(app, actions),
            Move::By(by) => *chosen = page::moved(*chosen, by, PROTECTIONS.len()),
            Move::Letter('j') => *chosen = page::moved(*chosen, 1, PROTECTIONS.len()),
            Move::Take => self.choose(app, actions),
            Move::Letter(letter) => {
                if let Some(at) = PROTECTIONS.iter().position(|(key, ..)| *key == letter) {
                    *chosen = at;
                    self.choose(app, actions);
                }
            }
            _ => {}
        }
        Stay::Open
    }

    fn choose(&mut self, app: &mut App, actions: &mut Vec<Action>) {
        let Step::Protection(entry, chosen) = std::mem::take(&mut self.step) else { return };
        self.problem = None;
        match (chosen, &app.keyring) {
            (0, Err(missing)) => {
                self.problem = Some(format!("The keyring cannot be used: {missing}."));
                self.step = Step::Protection(entry, chosen);
            }
            (0, Ok(())) => self.sign_in(entry, Protection::Keyring, None, app, actions),
            (1, _) => self.go(Step::Passphrase(entry)),
            _ => self.sign_in(entry, Protection::Plain, None, app, actions),
        }
    }

    /// A key while a certificate is looked at.
    fn on_certificate(&mut self, key: KeyEvent, app: &mut App, actions: &mut Vec<Action>) -> Stay {
        match page::read(key) {
            Move::Leave | Move::Letter('n') => return self.back(app, actions),
            Move::Letter('y') => match std::mem::take(&mut self.step) {
                Step::Untrusted(entry, protection, _, fingerprint) => {
                    self.sign_in(entry, protection, Some(fingerprint), app, actions);
                }
                other => self.step = other,
            },
            _ => {}
        }
        Stay::Open
    }

    fn sign_in(
        &mut self,
        entry: Entry,
        protection: Protection,
        pinned: Option<[u8; 32]>,
        app: &mut App,
        actions: &mut Vec<Action>,
    ) {
        actions.push(Action::SignIn(SignIn {
            address: entry.address.clone(),
            password: entry.password.clone(),
            protection: protection.clone(),
            invitation: entry.invitation.clone(),
            pinned,
            number: app.number(Waiting::SignIn),
        }));
        self.go(Step::Waiting(entry, protection));
    }

    /// The choices, each with what it means.
    fn choices(&self, app: &App, chosen: usize, width: usize) -> Vec<Line<'static>> {
        let theme = app.theme();
        let mut lines = Vec::new();
        for (index, (key, name, about)) in PROTECTIONS.iter().enumerate() {
            let missing = (index == 0).then_some(app.keyring.as_ref().err()).flatten();
            let about =
                missing.map_or((*about).to_owned(), |missing| format!("is not here: {missing}."));
            let style = if missing.is_some() { theme.dim() } else { Style::new() };
            let mark = if index == chosen { "▸ " } else { "  " };
            let spans = [
                Span::styled(format!("{key}  "), theme.accent()),
                Span::styled(*name, style.add_modifier(Modifier::BOLD)),
                Span::styled(format!(" {about}"), style),
            ];
            for (row, mut line) in
                text::wrap(&spans, width.saturating_sub(2)).into_iter().enumerate()
            {
                line.spans.insert(0, Span::raw(if row == 0 { mark } else { "  " }));
                lines.push(if index == chosen { line.style(theme.selected()) } else { line });
            }
        }
        lines
    }

    pub(super) fn sheet(&self, app: &App, columns: u16) -> Sheet {
        let theme = app.theme();
        let width = usize::from(columns).min(70).saturating_sub(6);
        let mut lines = Vec::new();
        let mut say = |said: &str, style: Style| {
            lines.extend(text::wrap(&[Span::styled(said.to_owned(), style)], width));
        };
        let (explained, label) = self.words();
        say(&explained, Style::new());
        say("", Style::new());
        if let Some(problem) = &self.problem {
            say(problem, theme.bad());
        }
        if let (Step::Waiting(entry, _), None) = (&self.step, &self.problem) {
            let (words, style) = waiting(app, &entry.address);
            say(&words, style);
        }
        if let Step::Untrusted(_, _, why, fingerprint) = &self.step {
            say(&format!("{why}."), theme.bad());
            say(&hexadecimal(fingerprint), theme.literal());
        }
        if let Step::Protection(_, chosen) = &self.step {
            lines.extend(self.choices(app, *chosen, width));
        }
        let mut cursor = None;
        if !label.is_empty() {
            let hidden = self.step.is_hidden();
            let shown = |text: &str| {
                if hidden { "•".repeat(text.chars().count()) } else { text.to_owned() }
            };
            let before = shown(&self.typed.text()[..self.typed.cursor()]);
            let (line, column) = field(theme, label, &shown(self.typed.text()), &before);
            // A long link is shown from its end.
            cursor = Some((lines.len(), column.min(width)));
            lines.push(tail(line, width));
        }
        // The one that is waited for is in the list already.
        let waits = matches!(self.step, Step::Waiting(..) | Step::Untrusted(..));
        let first = app.accounts.len() <= usize::from(waits);
        let title = if first { "Welcome to Clownfish" } else { "Another account" };
        let leave = match self.step {
            Step::Start if app.accounts.is_empty() => "quit",
            Step::Start => "leave",
            Step::Waiting(..) => "look at the account",
            _ => "back",
        };
        let mut hints = vec![("Enter", "go on"), ("Esc", leave)];
        match self.step {
            Step::Protection(..) => hints.insert(0, ("↑↓", "choose")),
            Step::Untrusted(..) => hints[0] = ("y", "it is the right one"),
            _ => {}
        }
        Sheet { title: title.to_owned(), lines, cursor, hints, width: 70, ..Sheet::default() }
    }

    /// What is explained, and the label of the field.
    fn words(&self) -> (String, &'static str) {
        match &self.step {
            Step::Start => (
                "Clownfish talks with people on any XMPP server; everything you write is encrypted so that only their devices and yours can read it. Paste an invitation link, or write the address of an account you have.".to_owned(),
                "›",
            ),
            Step::Name(invitation) => {
                let domain = Printable::address(&invitation.domain);
                let who = invitation.inviter.as_ref().map(Printable::address);
                let who = who.map_or_else(|| "You are invited".to_owned(), |who| format!("{who} invites you"));
                (format!("{who} to {domain}. Choose a name: others write to you at NAME@{domain}."), "name ›")
            }
            Step::Password(address, None) => {
                (format!("The password of {}.", Printable::address(address)), "password ›")
            }
            Step::Password(address, Some(_)) => (
                format!("A password for {}. You need it again on other devices.", Printable::address(address)),
                "password ›",
            ),
            Step::Protection(..) => (
                "Messages and keys are stored encrypted on this machine. What protects the key for that?".to_owned(),
                "",
            ),
            Step::Passphrase(_) => (
                "A passphrase for this machine; a sentence is easy to remember. It cannot be found again if you forget it.".to_owned(),
                "passphrase ›",
            ),
            Step::Again(..) => ("The passphrase once more.".to_owned(), "passphrase ›"),
            Step::Waiting(entry, _) => (Printable::address(&entry.address).into_string(), ""),
            Step::Untrusted(entry, ..) => (
                format!("The server of {} has a certificate that nobody vouches for. If whoever runs it tells you the fingerprint below, it is the right one; no other is accepted from then on. Otherwise somebody may be listening.", Printable::address(&entry.address)),
                "",
            ),
        }
    }
}

/// Where an invitation leads.
fn invited(invitation: Invitation) -> Step {
    let named = invitation.name.as_ref().map(|name| format!("{name}@{}", invitation.domain));
    match named.and_then(|address| address.parse().ok()) {
        Some(address) => Step::Password(address, Some(invitation)),
        None => Step::Name(invitation),
    }
}

/// How far it is.
fn waiting(app: &App, address: &BareJid) -> (String, Style) {
    let accounts = app.accounts.values().filter_map(|mirror| mirror.account.as_ref());
    let connection = accounts.into_iter().find(|a| a.address == *address).map(|a| &a.connection);
    match connection {
        Some(Connection::Untrusted { problem, .. }) => (
            format!("The server's certificate cannot be trusted: {}.", Printable::line(problem)),
            app.theme().bad(),
        ),
        Some(connection) => {
            let words = words::connection(connection, &app.clock);
            (words.unwrap_or_else(|| "almost there…".to_owned()), app.theme().dim())
        }
        None => ("connecting…".to_owned(), app.theme().dim()),
    }
}

/// The end of a line that is too long.
fn tail(line: Line<'static>, width: usize) -> Line<'static> {
    let all = line.width();
    if all <= width {
        return line;
    }
    let flat = line.to_string();
    let mut skip = all - width + 1;
    let shown: String = text::graphemes(&flat)
        .filter(|(_, columns)| match skip {
            0 => true,
            _ => {
                skip = skip.saturating_sub(*columns);
                false
            }
        })
        .map(|(grapheme, _)| grapheme)
        .collect();
    Line::raw(format!("…{shown}"))
}

/// Letters of the shortest password for a new account.
const SHORTEST: usize = 8;
