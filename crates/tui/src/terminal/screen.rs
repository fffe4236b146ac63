//! The terminal itself: what is switched on and off, and what is written beside the screen.

use std::io::{self, Write, stdout};

use base64::Engine as _;
use ratatui::DefaultTerminal;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags,
    PushKeyboardEnhancementFlags,
};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};

use super::graphics::{self, Answers};

/// The screen, until it is dropped; then the terminal is as it was.
pub(super) struct Screen {
    pub(super) terminal: DefaultTerminal,
    /// What it said about pictures.
    pub(super) answers: Answers,
    mouse: bool,
    tmux: bool,
    /// Notifications as rxvt, foot and others know them; otherwise as iTerm2, kitty and others do.
    urxvt: bool,
}

impl Screen {
    pub(super) fn open() -> io::Result<Screen> {
        let terminal = ratatui::try_init()?;
        switch_on()?;
        write(KEEP_TITLE)?;
        // A terminal without colours and cursor has no pictures either, and may print the questions.
        let asked = std::env::var("TERM").is_ok_and(|term| !["dumb", "linux"].contains(&&*term));
        let answers = if asked { graphics::ask().unwrap_or_default() } else { Answers::default() };
        let term = std::env::var("TERM").unwrap_or_default();
        Ok(Screen {
            terminal,
            answers,
            mouse: false,
            tmux: std::env::var_os("TMUX").is_some(),
            urxvt: ["rxvt", "foot", "vte"].iter().any(|name| term.contains(name)),
        })
    }

    /// Gives the terminal to another program, as it was before.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        self.set_mouse(false)?;
        switch_off()?;
        disable_raw_mode()?;
        execute!(stdout(), LeaveAlternateScreen, Show)
    }

    /// Takes the terminal again, and paints all of it.
    pub(super) fn come_back(&mut self, mouse: bool) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen)?;
        switch_on()?;
        self.set_mouse(mouse)?;
        self.terminal.clear()
    }

    pub(super) fn set_mouse(&mut self, wanted: bool) -> io::Result<()> {
        if wanted == self.mouse {
            return Ok(());
        }
        self.mouse = wanted;
        match wanted {
            true => execute!(stdout(), EnableMouseCapture),
            false => execute!(stdout(), DisableMouseCapture),
        }
    }

    /// `title` must be printable, as everything here.
    pub(super) fn set_title(&self, title: &str) -> io::Result<()> {
        execute!(stdout(), SetTitle(title))
    }

    pub(super) fn ring(&self) -> io::Result<()> {
        write("\x07")
    }

    /// A notification of the desktop, which the terminal shows: that works over SSH as well.
    pub(super) fn notify(&self, title: &str, text: &str) -> io::Result<()> {
        // A semicolon would end the title.
        let title = title.replace(';', ",");
        self.pass(&match self.urxvt {
            true => format!("\x1b]777;notify;{title};{text}\x07"),
            false => format!("\x1b]9;{title}: {text}\x07"),
        })
    }

    /// The clipboard (OSC 52).
    pub(super) fn copy(&self, text: &str) -> io::Result<()> {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        write(&format!("\x1b]52;c;{encoded}\x07"))
    }

    /// Past tmux, to the terminal around it.
    fn pass(&self, sequence: &str) -> io::Result<()> {
        match self.tmux {
            true => write(&format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))),
            false => write(sequence),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.set_mouse(false);
        let _ = switch_off();
        let _ = write(RESTORE_TITLE);
        ratatui::restore();
    }
}

fn switch_on() -> io::Result<()> {
    let flags = KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES;
    // Terminals that know nothing of the last one ignore it.
    execute!(stdout(), EnableBracketedPaste, EnableFocusChange, PushKeyboardEnhancementFlags(flags))
}

fn switch_off() -> io::Result<()> {
    execute!(stdout(), PopKeyboardEnhancementFlags, DisableFocusChange, DisableBracketedPaste)
}

fn write(sequence: &str) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(sequence.as_bytes())?;
    out.flush()
}

/// The terminal keeps its title on a stack.
const KEEP_TITLE: &str = "\x1b[22;2t";
const RESTORE_TITLE: &str = "\x1b[23;2t";
