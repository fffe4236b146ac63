//! The state of the user interface: events go in, actions come out, and nothing else happens.

mod around;
mod chat;
mod core;
mod input;
mod kept;
mod keys;
mod list;
mod marked;
mod pictures;

use std::collections::{BTreeMap, HashMap, HashSet};

use client::store::MessageId;
use client::view::{Connection, Conversation};
use client::{Command, Request};
use ratatui::crossterm::event::KeyEvent;
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::clock::Clock;
use super::event::{AccountNumber, Action, Event, Notice, Weight};
use super::mirror::{Mirror, Window};
use super::overlay::Overlay;
use super::panes::Panes;
use super::pictures::Pictures;
use super::settings::Settings;
use super::theme::Theme;
use super::timeline::Sheet;
use super::vim::Vim;

use around::Goal;
pub(crate) use chat::is_message;
pub use chat::{Chat, Purpose};
pub(crate) use kept::Sending;
pub use list::Row;
pub(crate) use list::is_request;

/// A conversation of one of the accounts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Whose.
    pub account: AccountNumber,
    /// Whom with.
    pub with: BareJid,
}

/// Where the keyboard goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The text that is being written.
    Composer,
    /// The list of conversations.
    List,
    /// A message.
    Message(MessageId),
}

/// What the answer to a request is for.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// Only a failure is told.
    Quiet,
    /// Something is said when it is done.
    Say(String),
    /// A text that is not on disk yet.
    Sending(Box<Sending>),
    /// A draft.
    Draft(Key),
    /// What a search finds, and which search.
    Search(u64),
    /// A link, to be shown.
    Invitation,
    /// The first login.
    SignIn,
    /// A file that is opened once it is here.
    Open,
    /// A file that is only kept.
    Save,
    /// More messages of a conversation.
    Page(Key),
    /// A room that is entered, to be shown.
    Enter,
    /// The devices of an address.
    Devices(BareJid),
}

/// Everything there is to show.
#[derive(Debug)]
pub struct App {
    /// What the person chose.
    pub settings: Settings,
    /// What time it is.
    pub clock: Clock,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The accounts.
    pub accounts: BTreeMap<AccountNumber, Mirror>,
    /// The conversation on screen.
    pub open: Option<Key>,
    /// Where the keyboard goes.
    pub focus: Focus,
    /// What lies over the conversation.
    pub overlay: Option<Overlay>,
    /// Whether the system has a keyring that can be used, and why not.
    pub keyring: Result<(), String>,
    /// Pictures of the conversations.
    pub pictures: Pictures,
    /// What was said last, and until when it is shown.
    pub notice: Option<(Notice, Millis)>,
    terminal: Theme,
    /// Pictures that were fetched without being asked for.
    fetched: HashSet<(AccountNumber, MessageId)>,
    /// The modes of vim, if its keys are wanted.
    pub vim: Vim,
    /// Keys that are the beginning of something, and a count before them.
    chords: Vec<KeyEvent>,
    count: Option<usize>,
    /// Where choosing several messages began.
    pub marked: Option<MessageId>,
    /// What was looked for last, and whether upwards.
    looked_for: Option<(String, bool)>,
    /// Who came into the room on screen or left it, and until when that is shown.
    pub passing: Option<(Key, String, Millis)>,
    /// A message to which somebody is led, as soon as it is here.
    goal: Option<Goal>,
    /// An account that was made with an invitation which does not say whose: its first contact is who invited.
    greeting: Option<AccountNumber>,
    chats: HashMap<Key, Chat>,
    last: Option<Key>,
    recent: Vec<Key>,
    waiting: HashMap<u64, Waiting>,
    requests: u64,
    focused: bool,
    title: String,
}

impl App {
    /// A user interface without any account: it asks for one.
    #[must_use]
    pub fn new(settings: Settings, terminal: Theme, clock: Clock, size: (u16, u16)) -> App {
        App {
            settings,
            clock,
            size,
            accounts: BTreeMap::new(),
            open: None,
            focus: Focus::List,
            overlay: None,
            keyring: Ok(()),
            pictures: Pictures::default(),
            notice: None,
            terminal,
            fetched: HashSet::new(),
            vim: Vim::default(),
            chords: Vec::new(),
            count: None,
            marked: None,
            looked_for: None,
            passing: None,
            goal: None,
            greeting: None,
            chats: HashMap::new(),
            last: None,
            recent: Vec::new(),
            waiting: HashMap::new(),
            requests: crate::driver::FIRST_OWN_NUMBER,
            focused: true,
            title: String::new(),
        }
    }

    /// Takes an event and tells what has to be done, in order.
    pub fn update(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Key(key) => self.on_key(key, &mut actions),
            Event::Paste(text) => self.on_paste(&text, &mut actions),
            Event::Mouse(mouse) => self.on_mouse(mouse, &mut actions),
            Event::Resize(columns, rows) => self.size = (columns, rows),
            Event::Focus(focused) => self.on_focus(focused, &mut actions),
            Event::Account(number) => {
                self.accounts.entry(number).or_default();
            }
            Event::GoTo(key) => self.go_to(key, &mut actions),
            Event::AccountGone(number) => self.on_account_gone(number),
            Event::Core(number, from) => self.on_core(number, from, &mut actions),
            Event::Notice(notice) => self.say(notice),
            Event::Written(key, text) => self.on_written(&key, &text, &mut actions),
            Event::Pictures(shown) => self.pictures.show(shown),
            Event::Picture(wanted, picture) => self.pictures.read(&wanted, picture),
            Event::Time(now) => self.on_time(now, &mut actions),
        }
        self.mark_read(&mut actions);
        self.name_window(&mut actions);
        actions
    }

    /// Colours, as chosen or as the terminal says.
    #[must_use]
    pub fn theme(&self) -> Theme {
        self.settings.look(self.terminal)
    }

    /// Where everything is on the screen.
    #[must_use]
    pub fn panes(&self) -> Panes {
        Panes::of(self)
    }

    /// The picture of an account.
    #[must_use]
    pub fn mirror(&self, number: AccountNumber) -> Option<&Mirror> {
        self.accounts.get(&number)
    }

    /// The conversation on screen, as the core told it.
    #[must_use]
    pub fn conversation(&self) -> Option<&Conversation> {
        let key = self.open.as_ref()?;
        self.mirror(key.account)?.conversations.get(&key.with)
    }

    /// The messages on screen.
    #[must_use]
    pub fn window(&self) -> Option<&Window> {
        let key = self.open.as_ref()?;
        self.mirror(key.account)?.windows.get(&key.with)
    }

    /// What is being written in the conversation on screen.
    #[must_use]
    pub fn chat(&self) -> Option<&Chat> {
        self.chats.get(self.open.as_ref()?)
    }

    pub(crate) fn chat_mut(&mut self) -> Option<&mut Chat> {
        self.chats.get_mut(self.open.as_ref()?)
    }

    /// What decides how the messages on screen look.
    #[must_use]
    pub fn sheet(&self) -> Option<Sheet<'_>> {
        let key = self.open.as_ref()?;
        let mirror = self.mirror(key.account)?;
        let area = self.panes().timeline?;
        let encrypted = self
            .conversation()
            .is_none_or(|c| c.encryption == client::store::EncryptionMode::Omemo);
        Some(Sheet {
            theme: self.theme(),
            clock: &self.clock,
            mirror,
            pictures: &self.pictures,
            window: self.window()?,
            with: &key.with,
            room: mirror.rooms.get(&key.with),
            encrypted,
            unread_from: self.chat().and_then(|chat| chat.unread_from),
            selected: match self.focus {
                Focus::Message(id) => Some((self.marked.unwrap_or(id), id)),
                _ => None,
            },
            width: usize::from(area.width),
            height: usize::from(area.height),
        })
    }

    /// Shows a line to the person for a while.
    pub(crate) fn say(&mut self, notice: Notice) {
        let shown = match notice.weight {
            Weight::Good => 4000,
            Weight::Bad => 12_000,
        };
        self.notice = Some((notice, self.clock.now.plus(shown)));
    }

    /// Asks the core of an account.
    pub(crate) fn ask(
        &mut self,
        account: AccountNumber,
        command: Command,
        waiting: Waiting,
        actions: &mut Vec<Action>,
    ) {
        let number = self.number(waiting);
        actions.push(Action::Request(account, Request { number, command }));
    }

    /// A number that nothing had before.
    pub(crate) fn turn(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// A number for a request whose answer is waited for.
    pub(crate) fn number(&mut self, waiting: Waiting) -> u64 {
        self.requests += 1;
        self.waiting.insert(self.requests, waiting);
        self.requests
    }

    /// The account that commands without a conversation are for.
    #[must_use]
    pub fn current_account(&self) -> Option<AccountNumber> {
        let open = self.open.as_ref().map(|key| key.account);
        open.or_else(|| self.accounts.keys().next().copied())
    }

    /// What to say about the connections, if anything.
    #[must_use]
    pub fn connection(&self) -> Option<String> {
        self.accounts
            .iter()
            .filter_map(|(number, mirror)| Some((*number, mirror.account.as_ref()?)))
            .filter(|(_, account)| account.connection != Connection::Online)
            .find_map(|(number, account)| {
                let words = super::words::connection(&account.connection, &self.clock)?;
                let label = self.account_label(number);
                Some(label.map_or(words.clone(), |label| format!("{label}: {words}")))
            })
    }

    fn on_time(&mut self, now: Millis, actions: &mut Vec<Action>) {
        self.clock.now = now;
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
        }
        if self.passing.as_ref().is_some_and(|(.., until)| *until <= now) {
            self.passing = None;
        }
        self.keep_drafts(actions);
    }

    fn on_account_gone(&mut self, number: AccountNumber) {
        self.accounts.remove(&number);
        self.chats.retain(|key, _| key.account != number);
        self.recent.retain(|key| key.account != number);
        if self.open.as_ref().is_some_and(|key| key.account == number) {
            self.open = None;
            self.focus = Focus::List;
        }
        if self.last.as_ref().is_some_and(|key| key.account == number) {
            self.last = None;
        }
        if self.accounts.is_empty() {
            self.overlay = Some(Overlay::welcome());
        }
    }

    fn on_focus(&mut self, focused: bool, actions: &mut Vec<Action>) {
        self.focused = focused;
        let accounts: Vec<AccountNumber> = self.accounts.keys().copied().collect();
        for account in accounts {
            self.ask(account, Command::SetActive(focused), Waiting::Quiet, actions);
        }
    }

    /// The title of the terminal tells how many messages are unread.
    fn name_window(&mut self, actions: &mut Vec<Action>) {
        let calls = |mirror: &Mirror| -> u32 {
            mirror.conversations.values().map(|conversation| mirror.calls(conversation)).sum()
        };
        let unread: u32 = self.accounts.values().map(calls).sum();
        let title = match unread {
            0 => "Clownfish".to_owned(),
            _ => format!("({unread}) Clownfish"),
        };
        if title != self.title {
            self.title.clone_from(&title);
            actions.push(Action::Title(title));
        }
    }
}
