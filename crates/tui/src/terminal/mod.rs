//! `clownfish` without a command: the user interface in a terminal.
//!
//! One thread reads the keyboard, each account has a core on its own; both put what happens into one
//! bounded queue. This thread takes it out, updates the user interface, does what that wants to be
//! done, and draws. It never waits for a core.

mod accounts;
mod screen;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::process::{Command as Program, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use ratatui::crossterm::event::{self as keyboard, Event as Pressed};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use crate::cli::Arguments;
use crate::driver::Output;
use crate::failure::Failure;
use crate::ui::app::Key;
use crate::ui::clock::Clock;
use crate::ui::event::{AccountNumber, Notice};
use crate::ui::overlay::Overlay;
use crate::ui::settings::Settings;
use crate::ui::theme::{Background, Depth, Theme};
use crate::ui::{Action, App, Event, draw};
use accounts::Accounts;
use screen::Screen;

/// What comes into the queue.
enum Incoming {
    /// From the keyboard, or from the terminal.
    Pressed(Pressed),
    /// The terminal is gone.
    Gone,
    /// From the core of an account.
    Core(AccountNumber, Output),
}

/// Runs the user interface until it is left.
///
/// # Errors
/// An account cannot be opened, or the terminal cannot be used.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let (sender, incoming) = sync_channel(MOST_INCOMING);
    let mut accounts = Accounts::new(arguments.shared.clone(), sender.clone());
    // A passphrase is asked for before the screen is taken.
    let numbers = accounts.open_all()?;
    let mut screen = Screen::open().map_err(terminal)?;
    let size = screen.terminal.size().map_err(terminal)?;
    let (settings, problem) = load_settings();
    let clock = Clock::new(now(), TimeZone::system());
    let app = App::new(settings, look(), clock, (size.width, size.height));
    read_keyboard(sender)?;
    screen.set_mouse(app.settings.mouse).map_err(terminal)?;
    let mut session = Session { app, accounts, screen, todo: VecDeque::new() };
    session.begin(&numbers, arguments.connect, problem);
    let ended = session.run(&incoming);
    // Cores that wait for the queue are released before they are told to stop.
    drop(incoming);
    let Session { accounts, screen, .. } = session;
    drop(screen);
    accounts.close();
    ended.map_err(terminal)
}

/// The user interface at work.
struct Session {
    app: App,
    accounts: Accounts,
    screen: Screen,
    todo: VecDeque<Event>,
}

impl Session {
    fn begin(
        &mut self,
        numbers: &[AccountNumber],
        connect: Option<BareJid>,
        problem: Option<String>,
    ) {
        self.todo.extend(numbers.iter().map(|number| Event::Account(*number)));
        self.todo.extend(problem.map(|problem| Event::Notice(Notice::bad(problem))));
        match (numbers.first(), connect) {
            (Some(account), Some(with)) => {
                self.todo.push_back(Event::GoTo(Key { account: *account, with }));
            }
            (Some(_), None) => {}
            // Whoever has no account here yet means their own address.
            (None, address) => self.app.overlay = Some(Overlay::welcome_with(address.as_ref())),
        }
    }

    fn run(&mut self, incoming: &Receiver<Incoming>) -> io::Result<()> {
        loop {
            self.todo.push_front(Event::Time(now()));
            while let Some(event) = self.todo.pop_front() {
                for action in self.app.update(event) {
                    if matches!(action, Action::Quit) {
                        return Ok(());
                    }
                    self.carry_out(action)?;
                }
            }
            self.screen.terminal.draw(|frame| draw(&self.app, frame))?;
            match incoming.recv_timeout(TICK) {
                Ok(first) => {
                    let rest = std::iter::from_fn(|| incoming.try_recv().ok());
                    let events: Vec<Incoming> =
                        std::iter::once(first).chain(rest.take(MOST_AT_ONCE)).collect();
                    for event in events {
                        if !self.take(event) {
                            return Ok(());
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Takes what came. Says whether to go on.
    fn take(&mut self, incoming: Incoming) -> bool {
        match incoming {
            Incoming::Pressed(pressed) => self.todo.extend(event(pressed)),
            Incoming::Core(number, output) => self.todo.extend(self.accounts.said(number, output)),
            Incoming::Gone => return false,
        }
        true
    }

    fn carry_out(&mut self, action: Action) -> io::Result<()> {
        match action {
            Action::Request(number, request) => {
                self.todo.extend(self.accounts.request(number, request));
            }
            Action::SignIn(sign_in) => self.todo.extend(self.accounts.sign_in(sign_in)),
            Action::SendFile { account, number, to, path, caption } => {
                let event = self.accounts.send_file(account, number, &to, &path, caption);
                self.todo.extend(event);
            }
            Action::Download { account, number, message, name, into } => {
                let into = into.as_deref();
                self.todo.extend(self.accounts.download(account, number, message, &name, into));
            }
            Action::Show(what) => {
                if let Err(error) = show(&what) {
                    let words = format!("it cannot be opened here: {error}");
                    self.todo.push_back(Event::Notice(Notice::bad(words)));
                }
            }
            Action::Copy(text) => self.screen.copy(&text)?,
            Action::Bell => self.screen.ring()?,
            Action::Desktop(title, text) => self.screen.notify(&title, &text)?,
            Action::Title(title) => self.screen.set_title(&title)?,
            Action::Settings => {
                self.screen.set_mouse(self.app.settings.mouse)?;
                if let Err(error) = save_settings(&self.app.settings) {
                    let words = format!("the settings are not kept: {error}");
                    self.todo.push_back(Event::Notice(Notice::bad(words)));
                }
            }
            Action::Redraw => self.screen.terminal.clear()?,
            Action::Quit => {}
        }
        Ok(())
    }
}

/// Reads the keyboard on a thread of its own, which ends with the program.
fn read_keyboard(sender: SyncSender<Incoming>) -> Result<(), Failure> {
    let read = move || {
        loop {
            let (incoming, last) = match keyboard::read() {
                Ok(pressed) => (Incoming::Pressed(pressed), false),
                Err(_) => (Incoming::Gone, true),
            };
            if sender.send(incoming).is_err() || last {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("keyboard".to_owned()).spawn(read);
    thread.map(drop).map_err(terminal)
}

fn event(pressed: Pressed) -> Option<Event> {
    match pressed {
        Pressed::Key(key) => Some(Event::Key(key)),
        Pressed::Paste(text) => Some(Event::Paste(text)),
        Pressed::Mouse(mouse) => Some(Event::Mouse(mouse)),
        Pressed::Resize(columns, rows) => Some(Event::Resize(columns, rows)),
        Pressed::FocusGained => Some(Event::Focus(true)),
        Pressed::FocusLost => Some(Event::Focus(false)),
    }
}

/// Opens a file or a page with the program that the desktop has for it.
fn show(what: &str) -> io::Result<()> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut program = Program::new(opener);
    program.arg(what).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn()?;
    let wait = move || drop(child.wait());
    std::thread::Builder::new().name("opener".to_owned()).spawn(wait).map(drop)
}

/// What the environment says about the terminal.
fn look() -> Theme {
    let variable = |name: &str| std::env::var(name).ok();
    Theme {
        background: Background::detect(variable).unwrap_or_default(),
        depth: Depth::detect(variable),
    }
}

/// `$XDG_CONFIG_HOME/clownfish.toml`, which is usually `~/.config/clownfish.toml`.
fn settings_file() -> Option<PathBuf> {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    folder.map(|folder| folder.join("clownfish.toml"))
}

/// The settings, and what is wrong with their file.
fn load_settings() -> (Settings, Option<String>) {
    let Some(file) = settings_file() else { return (Settings::default(), None) };
    match std::fs::read_to_string(&file).map(|text| Settings::parse(&text)) {
        Ok(Ok(settings)) => (settings, None),
        Ok(Err(problem)) => (Settings::default(), Some(format!("{}: {problem}", file.display()))),
        Err(_) => (Settings::default(), None),
    }
}

fn save_settings(settings: &Settings) -> io::Result<()> {
    let file = settings_file().ok_or_else(|| io::Error::other("there is no home folder"))?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = file.with_extension("toml.new");
    std::fs::write(&new, settings.write())?;
    std::fs::rename(&new, &file)
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn terminal(error: io::Error) -> Failure {
    Failure::Other(format!("the terminal cannot be used: {error}"))
}

/// What waits for this thread; cores and keyboard wait when there is so much.
const MOST_INCOMING: usize = 1024;
/// What is taken between two times of drawing.
const MOST_AT_ONCE: usize = 512;
/// Clocks on the screen go on at least so often.
const TICK: Duration = Duration::from_secs(1);
