//! `clownfish` without a command: the user interface in a terminal.
//!
//! One thread reads the keyboard, each account has a core on its own; both put what happens into one
//! bounded queue. This thread takes it out, updates the user interface, does what that wants to be
//! done, and draws. It never waits for a core.

mod accounts;
mod editor;
mod graphics;
mod keyboard;
mod pictures;
mod screen;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::process::{Command as Program, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use ratatui::crossterm::event::Event as Pressed;
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use crate::cli::Arguments;
use crate::driver::Output;
use crate::failure::Failure;
use crate::keyring;
use crate::picture::{Canvas, Picture, Unfit};
use crate::ui::app::Key;
use crate::ui::clock::Clock;
use crate::ui::event::{AccountNumber, Notice, PictureWanted};
use crate::ui::overlay::Overlay;
use crate::ui::settings::Settings;
use crate::ui::theme::{Background, Depth, Theme};
use crate::ui::{Action, App, Event, draw};
use accounts::Accounts;
use graphics::Late;
use keyboard::Keyboard;
use pictures::Decoder;
use screen::Screen;

/// What comes into the queue.
enum Incoming {
    /// From the keyboard, or from the terminal.
    Pressed(Pressed),
    /// The terminal is gone.
    Gone,
    /// From the core of an account.
    Core(AccountNumber, Output),
    /// A picture was read.
    Picture(PictureWanted, Result<Picture, Unfit>),
}

/// Runs the user interface until it is left.
///
/// # Errors
/// An account cannot be opened, or the terminal cannot be used.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let (sender, incoming) = sync_channel(MOST_INCOMING);
    let mut accounts = Accounts::new(arguments.shared, arguments.reach, sender.clone());
    // A passphrase is asked for before the screen is taken.
    let (numbers, mut problems) = accounts.open_all()?;
    let mut screen = Screen::open().map_err(terminal)?;
    let size = screen.terminal.size().map_err(terminal)?;
    let (settings, problem) = load_settings();
    problems.extend(problem);
    let clock = Clock::new(now(), TimeZone::system());
    let mut app = App::new(settings, look(), clock, (size.width, size.height));
    app.keyring = keyring::present(|name| std::env::var_os(name));
    let decoder = Decoder::start(sender.clone())?;
    let keyboard = Keyboard::start(sender)?;
    screen.set_mouse(app.settings.mouse).map_err(terminal)?;
    let late = Late::new(screen.answers.is_late());
    let todo = VecDeque::new();
    let canvas = None;
    let mut session = Session { app, accounts, screen, keyboard, decoder, canvas, late, todo };
    session.begin(&numbers, arguments.connect, &problems);
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
    keyboard: Keyboard,
    decoder: Decoder,
    canvas: Option<Canvas>,
    late: Late,
    todo: VecDeque<Event>,
}

impl Session {
    fn begin(&mut self, numbers: &[AccountNumber], connect: Option<BareJid>, problems: &[String]) {
        self.todo.extend(numbers.iter().map(|number| Event::Account(*number)));
        if !problems.is_empty() {
            self.todo.push_back(Event::Notice(Notice::bad(problems.join("; "))));
        }
        self.find_canvas(false);
        match (numbers.first(), connect) {
            (Some(account), Some(with)) => {
                self.todo.push_back(Event::GoTo(Key { account: *account, with }));
            }
            (Some(_), None) => {}
            // Whoever has no account here yet means their own address.
            (None, address) => self.app.overlay = Some(Overlay::welcome_with(address.as_ref())),
        }
        let typed = std::mem::take(&mut self.screen.answers.typed);
        self.todo.extend(typed.into_iter().map(graphics::key).map(Event::Key));
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
            for action in self.app.look() {
                self.carry_out(action)?;
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
            Incoming::Pressed(pressed) if self.late.drops(&pressed) => {}
            Incoming::Pressed(pressed) => {
                // Letters of another size come as a screen of another size.
                if matches!(pressed, Pressed::Resize(..)) {
                    self.find_canvas(false);
                }
                self.todo.extend(event(pressed));
            }
            Incoming::Picture(wanted, picture) => {
                self.todo.push_back(Event::Picture(wanted, picture));
            }
            Incoming::Core(number, output) => self.todo.extend(self.accounts.said(number, output)),
            Incoming::Gone => return false,
        }
        true
    }

    /// Finds out what pictures are drawn with; those that are ready are dropped if that is different,
    /// or if they are wanted anew.
    fn find_canvas(&mut self, anew: bool) {
        let variable = |name: &str| std::env::var(name).ok();
        let canvas = self.screen.answers.canvas(self.app.settings.pictures, variable);
        if anew || canvas != self.canvas {
            self.canvas = canvas;
            self.todo.push_back(Event::Pictures(canvas.is_some()));
        }
    }

    /// Lets another program change a text. The terminal is its own meanwhile.
    fn write(&mut self, text: &str) -> io::Result<Result<String, String>> {
        let written = match self.keyboard.rest() {
            false => Err("the keyboard cannot be given away now; try again".to_owned()),
            true => {
                self.screen.leave()?;
                let written = editor::edit(text, |name| std::env::var_os(name));
                self.screen.come_back(self.app.settings.mouse)?;
                written.map_err(|error| error.to_string())
            }
        };
        self.keyboard.go_on();
        // Pictures were drawn beside the letters.
        self.find_canvas(true);
        let size = self.screen.terminal.size()?;
        self.todo.push_back(Event::Resize(size.width, size.height));
        Ok(written)
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
                self.todo.extend(self.accounts.download(account, number, message, &name, into));
            }
            Action::Show(what) => {
                if let Err(error) = show(&what) {
                    let words = format!("it cannot be opened here: {error}");
                    self.todo.push_back(Event::Notice(Notice::bad(words)));
                }
            }
            Action::Write(key, text) => {
                let event = match self.write(&text)? {
                    Ok(text) => Event::Written(key, text),
                    Err(problem) => Event::Notice(Notice::bad(problem)),
                };
                self.todo.push_back(event);
            }
            Action::Picture(wanted) => {
                if let Some(canvas) = self.canvas {
                    self.decoder.ask(canvas, wanted);
                }
            }
            Action::Copy(text) => self.screen.copy(&text)?,
            Action::Bell => self.screen.ring()?,
            Action::Desktop(title, text) => self.screen.notify(&title, &text)?,
            Action::Title(title) => self.screen.set_title(&title)?,
            Action::Settings => {
                self.screen.set_mouse(self.app.settings.mouse)?;
                self.find_canvas(false);
                if let Err(error) = save_settings(&self.app.settings) {
                    let words = format!("the settings are not kept: {error}");
                    self.todo.push_back(Event::Notice(Notice::bad(words)));
                }
            }
            Action::Redraw => {
                self.find_canvas(true);
                self.screen.terminal.clear()?;
            }
            Action::Quit => {}
        }
        Ok(())
    }
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
