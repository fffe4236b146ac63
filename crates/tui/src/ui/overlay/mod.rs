//! What lies over the conversation: questions, lists to choose from, pages to read.

mod account;
mod contact;
mod details;
mod devices;
mod help;
pub(crate) mod invitation;
mod jump;
mod link;
mod page;
mod prompt;
mod question;
mod react;
mod room;
mod search;
mod secret;
mod welcome;

use client::store::MessageId;
use ratatui::crossterm::event::KeyEvent;
use ratatui::text::Line;
use xmpp::jid::BareJid;

use super::app::{App, Key};
use super::event::{AccountNumber, Action};
use super::theme::Theme;

pub use prompt::Sign;
pub use question::{Question, Then};

/// Something that lies over the conversation.
#[derive(Debug)]
pub enum Overlay {
    /// Finding a conversation or a contact.
    Jump(jump::Jump),
    /// Searching own history.
    Search(search::Search),
    /// Keys and commands.
    Help(help::Help),
    /// Choosing a reaction.
    React(react::React),
    /// A choice to make.
    Question(Question),
    /// A line at the bottom to type in.
    Prompt(prompt::Prompt),
    /// Everything about a message.
    Details(details::Details),
    /// What is known of somebody.
    Contact(contact::Contact),
    /// What is known of a room, and who is in it.
    Room(room::Room),
    /// Devices and fingerprints.
    Devices(devices::Devices),
    /// The state of the accounts.
    Account(account::Account),
    /// A link with its QR code.
    Link(link::Link),
    /// A new password.
    Secret(secret::Secret),
    /// Getting into an account.
    Welcome(welcome::Welcome),
}

/// Whether an overlay stays after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// It does.
    Open,
    /// It goes.
    Close,
}

/// What an overlay shows.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// In its frame.
    pub title: String,
    /// The rows.
    pub lines: Vec<Line<'static>>,
    /// A row that must be in sight.
    pub focus: Option<usize>,
    /// Rows before the others that stay in place.
    pub fixed: usize,
    /// Where the cursor stands: row and column.
    pub cursor: Option<(usize, usize)>,
    /// Keys, at the bottom of the frame.
    pub hints: Vec<(&'static str, &'static str)>,
    /// Columns it would like to have.
    pub width: u16,
    /// It takes the whole screen, without a frame.
    pub bare: bool,
    /// It is the last line of the screen.
    pub bar: bool,
}

impl Overlay {
    /// Finding a conversation or a contact.
    #[must_use]
    pub fn jump() -> Overlay {
        Overlay::Jump(jump::Jump::default())
    }

    /// The conversations that were taken out of the list.
    #[must_use]
    pub fn hidden() -> Overlay {
        Overlay::Jump(jump::Jump::hidden())
    }

    /// Searching own history, in the conversation on screen first.
    #[must_use]
    pub fn search(app: &App, text: &str) -> Overlay {
        Overlay::Search(search::Search::new(app, text))
    }

    /// The messages with a star, of all conversations first.
    pub fn starred(app: &mut App, actions: &mut Vec<Action>) -> Overlay {
        Overlay::Search(search::Search::starred(app, actions))
    }

    /// A line at the bottom to type in.
    #[must_use]
    pub fn prompt(sign: Sign) -> Overlay {
        Overlay::Prompt(prompt::Prompt::new(sign))
    }

    /// Keys and commands that have to do with a word.
    #[must_use]
    pub fn help(word: &str) -> Overlay {
        Overlay::Help(help::Help::new(word))
    }

    /// Choosing a reaction to a message.
    #[must_use]
    pub fn react(id: MessageId) -> Overlay {
        Overlay::React(react::React::new(id))
    }

    /// Everything about a message.
    pub(crate) fn details(id: MessageId, app: &mut App, actions: &mut Vec<Action>) -> Overlay {
        Overlay::Details(details::Details::new(id, app, actions))
    }

    /// What is known of somebody.
    #[must_use]
    pub fn contact(key: Key) -> Overlay {
        Overlay::Contact(contact::Contact::new(key))
    }

    /// What is known of a room, and who is in it.
    #[must_use]
    pub fn room(key: Key) -> Overlay {
        Overlay::Room(room::Room::new(key))
    }

    /// The devices of somebody, or one's own.
    #[must_use]
    pub fn devices(key: Key) -> Overlay {
        Overlay::Devices(devices::Devices::new(key))
    }

    /// The QR code of this device.
    #[must_use]
    pub fn code(key: Key) -> Overlay {
        Overlay::Devices(devices::Devices::code(key))
    }

    /// The state of the accounts.
    #[must_use]
    pub fn account() -> Overlay {
        Overlay::Account(account::Account::default())
    }

    /// A link with its QR code.
    #[must_use]
    pub fn link(title: &str, link: String) -> Overlay {
        Overlay::Link(link::Link::new(title, link))
    }

    /// A new password for an account.
    #[must_use]
    pub fn password(account: AccountNumber) -> Overlay {
        Overlay::Secret(secret::Secret::new(account))
    }

    /// The password that the server of an account wants again.
    #[must_use]
    pub fn password_again(account: AccountNumber) -> Overlay {
        Overlay::Secret(secret::Secret::again(account))
    }

    /// Getting into an account.
    #[must_use]
    pub fn welcome() -> Overlay {
        Overlay::Welcome(welcome::Welcome::default())
    }

    /// The same, with an address that is known already.
    #[must_use]
    pub fn welcome_with(address: Option<&BareJid>) -> Overlay {
        let mut welcome = welcome::Welcome::default();
        if let Some(address) = address {
            welcome.begin(&address.to_string());
        }
        Overlay::Welcome(welcome)
    }

    /// Takes a key.
    pub fn on_key(&mut self, key: KeyEvent, app: &mut App, actions: &mut Vec<Action>) -> Stay {
        match self {
            Overlay::Jump(jump) => jump.on_key(key, app, actions),
            Overlay::Search(search) => search.on_key(key, app, actions),
            Overlay::Help(help) => help.on_key(key, app),
            Overlay::React(react) => react.on_key(key, app, actions),
            Overlay::Question(question) => question.on_key(key, app, actions),
            Overlay::Prompt(prompt) => prompt.on_key(key, app, actions),
            Overlay::Details(details) => details.on_key(key),
            Overlay::Contact(contact) => contact.on_key(key, app, actions),
            Overlay::Room(room) => room.on_key(key, app, actions),
            Overlay::Devices(devices) => devices.on_key(key, app, actions),
            Overlay::Account(account) => account.on_key(key, app, actions),
            Overlay::Link(link) => link.on_key(key, app, actions),
            Overlay::Secret(secret) => secret.on_key(key, app, actions),
            Overlay::Welcome(welcome) => welcome.on_key(key, app, actions),
        }
    }

    /// Takes pasted text, where there is a field for it.
    pub fn on_paste(&mut self, text: &str) {
        let line = text.replace('\n', " ");
        match self {
            Overlay::Jump(jump) => jump.typed.insert(&line),
            Overlay::Search(search) => search.typed.insert(&line),
            Overlay::Help(help) => help.typed.insert(&line),
            Overlay::React(react) => react.typed.insert(line.trim()),
            Overlay::Prompt(prompt) => prompt.typed.insert(&line),
            Overlay::Secret(secret) => secret.typed.insert(&line),
            Overlay::Welcome(welcome) => welcome.typed.insert(line.trim()),
            _ => {}
        }
    }

    /// What it shows, in so many columns and rows.
    #[must_use]
    pub fn sheet(&self, app: &App, columns: u16, rows: u16) -> Sheet {
        let theme = app.theme();
        match self {
            Overlay::Jump(jump) => jump.sheet(app),
            Overlay::Search(search) => search.sheet(app, columns),
            Overlay::Help(help) => help.sheet(app, columns),
            Overlay::React(react) => react.sheet(app),
            Overlay::Question(question) => question.sheet(theme, columns),
            Overlay::Prompt(prompt) => prompt.sheet(app),
            Overlay::Details(details) => details.sheet(app, columns),
            Overlay::Contact(contact) => contact.sheet(app, columns),
            Overlay::Room(room) => room.sheet(app, columns),
            Overlay::Devices(devices) => devices.sheet(app, columns, rows),
            Overlay::Account(account) => account.sheet(app, columns),
            Overlay::Link(link) => link.sheet(theme, columns, rows),
            Overlay::Secret(secret) => secret.sheet(theme),
            Overlay::Welcome(welcome) => welcome.sheet(app, columns),
        }
    }
}

/// A field to type in, as a row with the cursor's place.
fn field(theme: Theme, label: &str, shown: &str, before_cursor: &str) -> (Line<'static>, usize) {
    use super::{printable::Printable, text};
    use ratatui::text::Span;
    let cursor = text::width(label) + 1 + text::width(before_cursor);
    let line = Line::from(vec![
        Span::styled(label.to_owned(), theme.accent()),
        Span::raw(" "),
        Span::raw(Printable::line(shown).into_string()),
    ]);
    (line, cursor)
}
