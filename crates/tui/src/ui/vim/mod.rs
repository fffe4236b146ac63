//! The text that is being written, with the keys of vim: its normal mode. What is inserted is typed
//! as in every text.

mod command;
mod motion;

use std::fmt;
use std::ops::Range;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::editor::Editor;
use command::{Operator, Over, Parsed, Verb, letter, parse};
use motion::{Find, Motion, Span, Target, Text};

/// The keys of normal mode in the text, and what they do: for the help.
pub const KEYS: &[(&str, &str)] = &[
    ("h l", "back or forward by a letter"),
    ("k j", "line above or below; above the first line are the messages"),
    ("w b e W B E", "next word, word before, end of the word"),
    ("0 ^ $", "beginning of the line, its first letter, its end"),
    ("gg G", "first or last line, or the one of a count: 2G"),
    ("f F t T ; ,", "to a letter of the line, or up to it; once more, and back"),
    ("d c y", "delete, change or copy with a motion: dw, d2w, c$, yiw"),
    ("dd cc yy D C Y", "the same with lines, and to the end of the line"),
    ("iw aw", "behind d, c and y: the word, and the word with its spaces"),
    ("x X s S r ~ J", "delete, replace, swap case, join lines"),
    ("p P", "put in what was deleted or copied, after or before"),
    ("i a I A o O", "write: here, behind, at the ends of the line, in a new line"),
    ("u Ctrl-R .", "undo, redo, do the last change once more"),
    ("1 2 3 …", "a count before any of them"),
];

/// The state of the modal keys in one program: modes are not of a conversation.
#[derive(Default)]
pub struct Vim {
    /// What letters do.
    pub mode: Mode,
    /// What was cut or copied last, and whether as whole lines.
    register: (String, bool),
    /// What was looked for in a line last.
    found: Option<Find>,
    /// Keys of a command that is not whole yet.
    pending: Vec<char>,
    /// The last change: its keys, and what was typed then.
    change: (Vec<char>, String),
    /// Where typing began that belongs to the last change.
    typing: Option<usize>,
    /// The last change is being done once more.
    again: bool,
}

/// What was copied is not printed.
impl fmt::Debug for Vim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vim").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// What letters do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are typed.
    #[default]
    Insert,
    /// They are commands.
    Normal,
}

/// What a key in normal mode came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The text was changed, or the cursor moved, or more keys are needed.
    Here,
    /// There is no line above: to the messages.
    Above,
    /// Something was copied: it also goes to the clipboard.
    Copied,
    /// It is no command of a text.
    No,
}

impl Vim {
    /// Keys that wait for more of them, as they were pressed.
    #[must_use]
    pub fn pending(&self) -> String {
        self.pending.iter().collect()
    }

    /// What was cut or copied last.
    #[must_use]
    pub fn register(&self) -> &str {
        &self.register.0
    }

    /// Keeps a text to be put in.
    pub(crate) fn keep(&mut self, text: String) {
        self.register = (text, false);
    }

    /// Leaves typing: the cursor goes back onto the last letter.
    pub(crate) fn normal(&mut self, editor: &mut Editor) {
        if let Some(start) = self.typing.take() {
            self.change.1 =
                editor.text().get(start..editor.cursor()).unwrap_or_default().to_owned();
        }
        self.mode = Mode::Normal;
        self.pending.clear();
        let text = text(editor);
        let line = text.line(editor.cursor());
        let at = text.left(editor.cursor()).max(line.start);
        editor.place(at);
    }

    /// Begins typing.
    pub(crate) fn insert(&mut self, editor: &Editor) {
        self.mode = Mode::Insert;
        self.pending.clear();
        self.typing = (!self.again).then_some(editor.cursor());
    }

    /// Typing that is no command: it is not done again by `.`.
    pub(crate) fn type_freely(&mut self) {
        self.mode = Mode::Insert;
        self.pending.clear();
        self.typing = None;
    }

    /// Gives up keys that wait for more. Says whether there were any.
    pub(crate) fn give_up(&mut self) -> bool {
        let any = !self.pending.is_empty();
        self.pending.clear();
        any
    }

    /// Takes a key in normal mode.
    pub(crate) fn key(&mut self, key: KeyEvent, editor: &mut Editor) -> Done {
        let Some(letter) = letter(key) else {
            return if self.give_up() { Done::Here } else { Done::No };
        };
        if self.pending.len() >= MOST_PENDING {
            self.pending.clear();
        }
        self.pending.push(letter);
        match parse(&self.pending) {
            Parsed::More => Done::Here,
            Parsed::Wrong => {
                let lonely = self.pending.len() == 1;
                self.pending.clear();
                if lonely { Done::No } else { Done::Here }
            }
            Parsed::Whole(verb, count) => {
                let keys = std::mem::take(&mut self.pending);
                if verb.changes() && !self.again {
                    self.change = (keys, String::new());
                }
                self.act(verb, count.map(|count| count.min(MOST_TIMES)), editor)
            }
        }
    }

    fn act(&mut self, verb: Verb, count: Option<usize>, editor: &mut Editor) -> Done {
        let times = count.unwrap_or(1);
        let here = text(editor);
        match verb {
            Verb::Move(motion) => return self.go(motion, count, editor),
            Verb::Operate(operator, over) => return self.operate(operator, over, count, editor),
            Verb::Insert(how) => self.begin(how, editor),
            Verb::Erase => {
                let end = here.line(here.cursor).end;
                let to = (0..times).fold(here.cursor, |at, _| here.right(at).min(end));
                self.cut(here.cursor..to, false, editor);
            }
            Verb::EraseBefore => {
                let start = here.line(here.cursor).start;
                let from = (0..times).fold(here.cursor, |at, _| here.left(at).max(start));
                self.cut(from..here.cursor, false, editor);
            }
            Verb::SwapCase => swap_case(times, editor),
            Verb::Join => (0..times.saturating_sub(1).max(1)).for_each(|_| join(editor)),
            Verb::Put { before } => self.put(before, times, editor),
            Verb::Replace(letter) => replace(letter, times, editor),
            Verb::Undo => (0..times).for_each(|_| _ = editor.undo()),
            Verb::Redo => (0..times).for_each(|_| _ = editor.redo()),
            Verb::Repeat => self.repeat(times, editor),
            Verb::FindAgain { back } => {
                if let Some(find) = self.found {
                    let find = Find { forward: find.forward != back, ..find };
                    move_to(here.target(Motion::Find(find), count), editor);
                }
            }
        }
        if self.mode == Mode::Normal {
            let settled = text(editor).settled(editor.cursor());
            editor.place(settled);
        }
        Done::Here
    }

    fn go(&mut self, motion: Motion, count: Option<usize>, editor: &mut Editor) -> Done {
        if let Motion::Find(find) = motion {
            self.found = Some(find);
        }
        let here = text(editor);
        let target = here.target(motion, count);
        let first_line = here.line(here.cursor).start == 0;
        move_to(target, editor);
        if target.is_none() && motion == Motion::Up && first_line {
            return Done::Above;
        }
        Done::Here
    }

    fn operate(
        &mut self,
        operator: Operator,
        over: Over,
        count: Option<usize>,
        editor: &mut Editor,
    ) -> Done {
        if let Over::Motion(Motion::Find(find)) = over {
            self.found = Some(find);
        }
        let Some((range, lines)) = covered(&text(editor), operator, over, count) else {
            return Done::Here;
        };
        match operator {
            Operator::Copy => {
                self.register = (editor.text()[range.clone()].to_owned(), lines);
                let at = if lines { editor.cursor() } else { range.start };
                let at = text(editor).settled(at);
                editor.place(at);
                return Done::Copied;
            }
            Operator::Change => {
                self.cut(range, lines, editor);
                self.insert(editor);
            }
            Operator::Delete if lines => {
                self.register = (editor.text()[range.clone()].to_owned(), true);
                let whole = with_break(editor.text(), &range);
                editor.cut(whole);
                let here = text(editor);
                let first = here.first_letter(here.line(here.cursor));
                editor.place(first);
            }
            Operator::Delete => {
                self.cut(range, false, editor);
                let at = text(editor).settled(editor.cursor());
                editor.place(at);
            }
        }
        Done::Here
    }

    fn cut(&mut self, range: Range<usize>, lines: bool, editor: &mut Editor) {
        if !range.is_empty() {
            self.register = (editor.text()[range.clone()].to_owned(), lines);
            editor.cut(range);
        }
    }

    fn begin(&mut self, how: char, editor: &mut Editor) {
        let here = text(editor);
        let line = here.line(here.cursor);
        let at = match how {
            'I' => here.first_letter(line.clone()),
            'a' => here.right(here.cursor).min(line.end),
            'A' | 'o' => line.end,
            'O' => line.start,
            _ => here.cursor,
        };
        editor.place(at);
        if matches!(how, 'o' | 'O') {
            editor.insert("\n");
        }
        if how == 'O' {
            editor.place(at);
        }
        self.insert(editor);
    }

    fn put(&mut self, before: bool, times: usize, editor: &mut Editor) {
        let (register, lines) = (&self.register.0, self.register.1);
        if register.is_empty() {
            return;
        }
        let here = text(editor);
        let line = here.line(here.cursor);
        if lines {
            let block = format!("{register}\n").repeat(times);
            let (at, block, first) = match before {
                true => (line.start, block.clone(), line.start),
                false => (line.end, format!("\n{}", &block[..block.len() - 1]), line.end + 1),
            };
            editor.place(at);
            let length = editor.text().len();
            editor.insert(&block);
            if editor.text().len() > length {
                editor.place(first);
            }
            return;
        }
        let at = if before { here.cursor } else { here.right(here.cursor).min(line.end) };
        editor.place(at);
        editor.insert(&register.repeat(times));
        let last = text(editor).left(editor.cursor());
        editor.place(last);
    }

    fn repeat(&mut self, times: usize, editor: &mut Editor) {
        let (keys, typed) = self.change.clone();
        self.again = true;
        for _ in 0..times {
            for key in &keys {
                self.key(KeyEvent::new(KeyCode::Char(*key), KeyModifiers::NONE), editor);
            }
            if self.mode == Mode::Insert {
                editor.insert(&typed);
                self.normal(editor);
            }
        }
        self.again = false;
    }
}

/// What an operator covers, and whether that is whole lines.
fn covered(
    here: &Text<'_>,
    operator: Operator,
    over: Over,
    count: Option<usize>,
) -> Option<(Range<usize>, bool)> {
    let target = match over {
        Over::Word(words, spaces) => return Some((here.word_around(words, spaces), false)),
        Over::Rest => return Some((here.cursor..here.line(here.cursor).end, false)),
        Over::Lines => {
            let down = count.unwrap_or(1).saturating_sub(1);
            let end = (0..down).fold(here.line(here.cursor), |line, _| {
                if line.end < here.text.len() { here.line(line.end + 1) } else { line }
            });
            Target { at: end.start.max(here.cursor), span: Span::Lines }
        }
        // `cw` leaves the spaces behind a word, as `ce` does.
        Over::Motion(Motion::Word(words)) if operator == Operator::Change => {
            let word = here.word_around(words, false);
            match count.unwrap_or(1) {
                0 | 1 => return Some((here.cursor..word.end, false)),
                _ => here.target(Motion::End(words), count)?,
            }
        }
        // A word that ends its line is taken without the break.
        Over::Motion(Motion::Word(words)) => {
            let target = here.target(Motion::Word(words), count)?;
            let end = here.line(here.cursor).end;
            Target { at: if count.is_none() { target.at.min(end) } else { target.at }, ..target }
        }
        Over::Motion(motion) => here.target(motion, count)?,
    };
    Some((here.covered(target), target.span == Span::Lines))
}

/// Lines with the break that goes with them.
fn with_break(text: &str, range: &Range<usize>) -> Range<usize> {
    match (range.start, text.len() - range.end) {
        (start, 0) if start > 0 => start - 1..range.end,
        (start, 0) => start..range.end,
        (start, _) => start..range.end + 1,
    }
}

fn text(editor: &Editor) -> Text<'_> {
    Text { text: editor.text(), cursor: editor.cursor() }
}

fn move_to(target: Option<Target>, editor: &mut Editor) {
    if let Some(target) = target {
        let at = text(editor).settled(target.at);
        editor.place(at);
    }
}

/// `~`
fn swap_case(times: usize, editor: &mut Editor) {
    let here = text(editor);
    let end = here.line(here.cursor).end;
    let to = (0..times).fold(here.cursor, |at, _| here.right(at).min(end));
    let swapped: String = here.text[here.cursor..to]
        .chars()
        .flat_map(|letter| -> Vec<char> {
            match letter.is_lowercase() {
                true => letter.to_uppercase().collect(),
                false => letter.to_lowercase().collect(),
            }
        })
        .collect();
    editor.replace(here.cursor..to, &swapped);
}

/// `r`: as many letters as there are on the line, or none.
fn replace(letter: char, times: usize, editor: &mut Editor) {
    let here = text(editor);
    let end = here.line(here.cursor).end;
    let mut to = here.cursor;
    for _ in 0..times {
        if to >= end {
            return;
        }
        to = here.right(to);
    }
    let start = here.cursor;
    editor.replace(start..to, &letter.to_string().repeat(times));
    let last = text(editor).left(editor.cursor()).max(start);
    editor.place(last);
}

/// `J`: the break and the spaces behind it become one space.
fn join(editor: &mut Editor) {
    let here = text(editor);
    let end = here.line(here.cursor).end;
    let Some(rest) = here.text.get(end + 1..) else { return };
    let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    editor.replace(end..end + 1 + spaces, " ");
    editor.place(end);
}

/// Keys of one command.
const MOST_PENDING: usize = 16;
/// A count is a way to say a few at once.
const MOST_TIMES: usize = 10_000;

#[cfg(test)]
mod tests;
