//! Which pictures the terminal can show: it is asked at the start, and given little time to answer.
//!
//! The last question is one that every terminal answers, so that there is nothing to wait for behind
//! it. What was typed meanwhile is not lost.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{Event as Pressed, KeyCode, KeyEvent, KeyModifiers};
use ratatui::crossterm::terminal::window_size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::picture::{Canvas, Way};
use crate::ui::settings::Pictures;

/// What the terminal said about pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    kitty: bool,
    sixel: bool,
    cell: Option<(u16, u16)>,
    /// All questions are answered.
    complete: bool,
    /// Keys that were pressed while it answered.
    pub(super) typed: Vec<char>,
}

/// Asks the terminal, which must be in raw mode, before anybody else reads the keyboard.
pub(super) fn ask() -> io::Result<Answers> {
    let mut out = io::stdout();
    out.write_all(QUESTIONS.as_bytes())?;
    out.flush()?;
    let until = Instant::now() + PATIENCE;
    let mut bytes = Vec::new();
    loop {
        let answers = Answers::read(&bytes);
        let left = until.saturating_duration_since(Instant::now());
        if answers.complete || left.is_zero() || bytes.len() > MOST_BYTES {
            return Ok(answers);
        }
        let stdin = io::stdin();
        let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(left.subsec_nanos()) };
        if poll(&mut ready, Some(&timeout))? == 0 {
            return Ok(answers);
        }
        // Not through `Stdin`, whose buffer would keep what the keyboard's reader should get.
        let mut chunk = [0; 256];
        match rustix::io::read(&stdin, &mut chunk)? {
            0 => return Ok(answers),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

impl Answers {
    /// Takes apart what came: answers, and keys between them.
    fn read(bytes: &[u8]) -> Answers {
        let text = String::from_utf8_lossy(bytes);
        let mut answers = Answers::default();
        let mut rest: &str = &text;
        while let Some(first) = rest.chars().next() {
            let length = match rest.as_bytes() {
                [0x1b, b'_', ..] => rest.find("\x1b\\").map(|end| end + 2),
                [0x1b, b'[', after @ ..] => {
                    after.iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|end| end + 3)
                }
                [0x1b, ..] => Some(1),
                _ => {
                    answers.typed.push(first);
                    Some(first.len_utf8())
                }
            };
            // What is not there yet is read again with the rest of it.
            let Some((sequence, after)) = length.and_then(|length| rest.split_at_checked(length))
            else {
                break;
            };
            answers.take(sequence);
            rest = after;
        }
        answers
    }

    fn take(&mut self, sequence: &str) {
        if let Some(answer) = sequence.strip_prefix("\x1b_G") {
            self.kitty |= answer.starts_with("i=31;OK");
        }
        let Some(control) = sequence.strip_prefix("\x1b[") else { return };
        if let Some(attributes) = control.strip_prefix('?').and_then(|a| a.strip_suffix('c')) {
            self.sixel |= attributes.split(';').skip(1).any(|attribute| attribute == "4");
        }
        if let Some(size) = control.strip_prefix("6;").and_then(|size| size.strip_suffix('t')) {
            let size = size.split_once(';').and_then(|(h, w)| w.parse().ok().zip(h.parse().ok()));
            self.cell = size.filter(|(width, height)| *width > 0 && *height > 0);
        }
        self.complete |= control == "0n";
    }

    /// Whether an answer may still come, which nobody waits for any more.
    pub(super) fn is_late(&self) -> bool {
        !self.complete
    }

    /// What to draw pictures with: as chosen, or the best that the terminal has.
    pub(super) fn canvas(
        &self,
        chosen: Pictures,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Option<Canvas> {
        let tmux = variable("TMUX").is_some();
        let way = match chosen {
            Pictures::Off => return None,
            Pictures::Kitty => Way::Kitty,
            Pictures::Iterm2 => Way::Iterm2,
            Pictures::Sixel => Way::Sixel,
            Pictures::Blocks => Way::Blocks,
            Pictures::Auto => self.best(tmux, variable)?,
        };
        // Half blocks know no pixels; a cell is about twice as high as it is wide.
        let cell = self.cell_now().or((way == Way::Blocks).then_some((10, 20)))?;
        let passed = tmux && matches!(way, Way::Kitty | Way::Iterm2);
        Some(Canvas { way, cell, tmux: passed })
    }

    /// Within tmux its variables tell of the terminal around it, which is not asked: pictures get
    /// through to it only where somebody allowed that, and is told in the settings.
    fn best(&self, tmux: bool, variable: impl Fn(&str) -> Option<String>) -> Option<Way> {
        let named = |name: &str| variable(name).unwrap_or_default();
        let program = format!("{} {}", named("TERM_PROGRAM"), named("LC_TERMINAL"));
        let inline = ["iTerm", "WezTerm", "mintty"].iter().any(|name| program.contains(name));
        // Konsole draws neither placeholders nor sixels where they belong.
        let konsole = variable("KONSOLE_VERSION").is_some();
        match () {
            () if inline && !tmux => Some(Way::Iterm2),
            () if konsole && !tmux => None,
            () if self.kitty => Some(Way::Kitty),
            () if self.sixel => Some(Way::Sixel),
            () => None,
        }
    }

    /// The cell as the terminal says it now, for it changes with the size of letters.
    fn cell_now(&self) -> Option<(u16, u16)> {
        let size = window_size().ok().filter(|size| size.columns > 0 && size.rows > 0);
        let cell = size.map(|size| (size.width / size.columns, size.height / size.rows));
        cell.filter(|(width, height)| *width > 0 && *height > 0).or(self.cell)
    }
}

/// The key that sends a letter.
pub(super) fn key(letter: char) -> KeyEvent {
    let code = match letter {
        '\r' | '\n' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\x7f' => KeyCode::Backspace,
        letter => KeyCode::Char(letter),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// Drops an answer that came too late: the keyboard's reader takes it for keys.
#[derive(Debug, Default)]
pub(super) struct Late {
    expected: bool,
    dropped: Option<usize>,
}

impl Late {
    pub(super) fn new(expected: bool) -> Late {
        Late { expected, dropped: None }
    }

    /// Whether this is a part of an answer.
    pub(super) fn drops(&mut self, pressed: &Pressed) -> bool {
        let Pressed::Key(key) = pressed else { return false };
        if !self.expected {
            return false;
        }
        let alt = |letter| *key == KeyEvent::new(KeyCode::Char(letter), KeyModifiers::ALT);
        match self.dropped {
            None if alt('_') => self.dropped = Some(0),
            None => return false,
            Some(count) if alt('\\') || count > MOST_DROPPED => *self = Late::default(),
            Some(count) => self.dropped = Some(count + 1),
        }
        true
    }
}

/// Kitty's graphics, with a picture of one pixel that is not shown; what kind of terminal it is; how
/// large its cells are; and whether it is well.
const QUESTIONS: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c\x1b[16t\x1b[5n";
/// A terminal at the other end of the world takes so long.
const PATIENCE: Duration = Duration::from_millis(500);
const MOST_BYTES: usize = 4096;
const MOST_DROPPED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn answers_are_taken_apart() {
        let kitty = Answers::read(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c\x1b[6;40;18t\x1b[0n");
        assert!(kitty.kitty && !kitty.sixel && kitty.complete && kitty.typed.is_empty());
        assert_eq!(kitty.cell, Some((18, 40)));
        let foot = Answers::read(b"\x1b[?62;4;22;28c\x1b[6;20;10t\x1b[0n");
        assert!(!foot.kitty && foot.sixel && foot.complete);
        let xterm = Answers::read(b"\x1b[?64;1;2;6;9;15;18;21;22c\x1b[0n");
        assert!(!xterm.kitty && !xterm.sixel && xterm.complete && xterm.cell.is_none());
        let refusing = Answers::read(b"\x1b_Gi=31;EINVAL:bad\x1b\\\x1b[0n");
        assert!(!refusing.kitty && refusing.complete);
        // The first number is the kind of terminal: a VT420 is not one with sixels.
        assert!(!Answers::read(b"\x1b[?4;6c").sixel);
    }

    #[test]
    fn what_is_not_whole_is_waited_for() {
        let whole = b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4c\x1b[6;40;18t\x1b[0n";
        for end in 0..whole.len() {
            let part = Answers::read(&whole[..end]);
            assert!(!part.complete, "{end}");
            assert!(part.typed.is_empty(), "{end}: {:?}", part.typed);
        }
        assert!(Answers::read(whole).complete);
    }

    #[test]
    fn keys_between_the_answers_are_kept() {
        let answers = Answers::read("h\x1b[?62;4ci \x1b[0nä".as_bytes());
        assert_eq!(answers.typed, ['h', 'i', ' ', 'ä']);
        assert!(answers.sixel && answers.complete);
    }

    #[test]
    fn the_best_way_is_taken_unless_one_was_chosen() {
        let answers = |kitty, sixel| Answers { kitty, sixel, ..Answers::default() };
        assert_eq!(answers(true, true).best(false, none), Some(Way::Kitty));
        assert_eq!(answers(false, true).best(false, none), Some(Way::Sixel));
        assert_eq!(answers(false, false).best(false, none), None);
        let wezterm = |name: &str| (name == "TERM_PROGRAM").then(|| "WezTerm".to_owned());
        assert_eq!(answers(true, true).best(false, wezterm), Some(Way::Iterm2));
        assert_eq!(answers(false, true).best(true, wezterm), Some(Way::Sixel));
        let konsole = |name: &str| (name == "KONSOLE_VERSION").then(|| "240800".to_owned());
        assert_eq!(answers(true, true).best(false, konsole), None);
        assert_eq!(answers(true, true).canvas(Pictures::Off, none), None);
        let blocks = answers(false, false).canvas(Pictures::Blocks, none).unwrap();
        assert_eq!(blocks.way, Way::Blocks);
    }

    #[test]
    fn a_late_answer_types_nothing() {
        let key = |letter, modifiers| Pressed::Key(KeyEvent::new(KeyCode::Char(letter), modifiers));
        let mut late = Late::new(true);
        assert!(!late.drops(&key('a', KeyModifiers::NONE)));
        assert!(late.drops(&key('_', KeyModifiers::ALT)));
        for letter in "Gi=31;OK".chars() {
            assert!(late.drops(&key(letter, KeyModifiers::NONE)));
        }
        assert!(late.drops(&key('\\', KeyModifiers::ALT)));
        assert!(!late.drops(&key('_', KeyModifiers::ALT)), "once");
        assert!(!Late::new(false).drops(&key('_', KeyModifiers::ALT)));
    }
}
