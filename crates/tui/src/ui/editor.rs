//! The text that is being written, with the keys of readline.

use std::fmt;
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;
use zeroize::Zeroize as _;

use super::keys::Intent;
use super::text;

/// A text with a cursor.
#[derive(Default)]
pub struct Editor {
    text: String,
    /// Byte position of the cursor, always between grapheme clusters.
    cursor: usize,
    /// What was cut last.
    cut: String,
    /// Earlier states, the newest last.
    undo: Vec<(String, usize)>,
    /// States that were undone, the one to come back first last.
    redo: Vec<(String, usize)>,
    /// The last change was a typed letter: the next one belongs to it.
    typing: bool,
    /// A password: nothing of it is kept for undoing, and it is wiped.
    hidden: bool,
}

impl fmt::Debug for Editor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editor").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if self.hidden {
            self.text.zeroize();
        }
    }
}

/// A text broken into the rows of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The bytes of every row.
    pub rows: Vec<Range<usize>>,
    /// Row and column of the cursor.
    pub cursor: (usize, usize),
}

impl Editor {
    /// An editor with a text, the cursor behind it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Editor {
        let mut editor = Editor::default();
        editor.text = text.into();
        editor.cursor = editor.text.len();
        editor
    }

    /// An editor for a password. It keeps no earlier states, and wipes what it drops.
    #[must_use]
    pub fn hidden() -> Editor {
        let mut editor = Editor::default();
        editor.hidden = true;
        // Room enough that a password is not copied while it grows.
        editor.text = String::with_capacity(256);
        editor
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Byte position of the cursor.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the text; the cursor goes behind it. What was cut stays.
    pub fn set(&mut self, text: impl Into<String>) {
        self.remember(false);
        self.text = text.into();
        self.cursor = self.text.len();
    }

    /// Takes the text out.
    pub fn take(&mut self) -> String {
        self.undo.clear();
        self.redo.clear();
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Types a text at the cursor. Beyond the limit for messages nothing more goes in.
    pub fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() > client::command::MAX_TEXT_BYTES {
            return;
        }
        self.remember(text.chars().count() == 1 && !text.chars().all(char::is_whitespace));
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    /// Puts the cursor at a byte that is between two letters.
    pub(crate) fn place(&mut self, at: usize) {
        self.typing = false;
        self.cursor = self.text.floor_char_boundary(at);
    }

    /// Takes a part of the text out; the cursor goes there.
    pub(crate) fn cut(&mut self, range: Range<usize>) {
        self.delete(range, true);
    }

    /// Puts a text in the place of another; the cursor goes behind it.
    pub(crate) fn replace(&mut self, range: Range<usize>, with: &str) {
        let length = self.text.len() - range.len() + with.len();
        if length > client::command::MAX_TEXT_BYTES {
            return;
        }
        if self.text.get(range.clone()) != Some(with) {
            self.remember(false);
            self.text.replace_range(range.clone(), with);
        }
        self.cursor = range.start + with.len();
    }

    /// Does what an intent says, if it is one for a text. `width` is that of the field.
    /// Returns whether it was, and could be done.
    pub fn act(&mut self, intent: Intent, width: usize) -> bool {
        match intent {
            Intent::Left => self.go(self.left(self.cursor)),
            Intent::Right => self.go(self.right(self.cursor)),
            Intent::WordLeft => self.go(self.word_left()),
            Intent::WordRight => self.go(self.word_right()),
            Intent::LineStart => self.go(self.line().start),
            Intent::LineEnd => self.go(self.line().end),
            Intent::Up => self.go_row(-1, width),
            Intent::Down => self.go_row(1, width),
            Intent::NewLine => {
                self.insert("\n");
                true
            }
            Intent::DeleteLeft => self.delete(self.left(self.cursor)..self.cursor, false),
            Intent::DeleteRight => self.delete(self.cursor..self.right(self.cursor), false),
            Intent::DeleteWordLeft => self.delete(self.word_left()..self.cursor, true),
            Intent::DeleteWordRight => self.delete(self.cursor..self.word_right(), true),
            Intent::KillLeft => self.delete(self.line().start..self.cursor, true),
            Intent::KillRight => self.delete(self.cursor..self.line().end, true),
            Intent::Yank => {
                self.insert(&self.cut.clone());
                true
            }
            Intent::Undo => self.undo(),
            Intent::Transpose => self.transpose(),
            _ => false,
        }
    }

    /// Breaks the text into rows of a width, at spaces where there are some.
    #[must_use]
    pub fn rows(&self, width: usize) -> Rows {
        let width = width.max(2);
        let mut rows = Vec::new();
        let mut start = 0;
        for line in self.text.split('\n') {
            break_line(line, start, width, &mut rows);
            start += line.len() + 1;
        }
        let row = rows.iter().rposition(|row| row.start <= self.cursor).unwrap_or(0);
        let column = text::width(&self.text[rows[row].start..self.cursor]).min(width);
        Rows { rows, cursor: (row, column) }
    }

    fn go(&mut self, to: usize) -> bool {
        self.typing = false;
        let moved = to != self.cursor;
        self.cursor = to;
        moved
    }

    fn go_row(&mut self, by: isize, width: usize) -> bool {
        let Rows { rows, cursor: (row, column) } = self.rows(width);
        let Some(target) = row.checked_add_signed(by).and_then(|row| rows.get(row)) else {
            return false;
        };
        let mut used = 0;
        let mut to = target.start;
        for (at, grapheme) in self.text[target.clone()].grapheme_indices(true) {
            if used >= column {
                break;
            }
            used += text::width(grapheme);
            to = target.start + at + grapheme.len();
        }
        self.go(to);
        true
    }

    fn delete(&mut self, range: Range<usize>, cut: bool) -> bool {
        if range.is_empty() {
            return false;
        }
        self.remember(false);
        if cut && !self.hidden {
            self.cut = self.text[range.clone()].to_owned();
        }
        self.cursor = range.start;
        self.text.replace_range(range, "");
        true
    }

    /// Goes back to the state before the last change. Says whether there is one.
    pub(crate) fn undo(&mut self) -> bool {
        self.typing = false;
        let Some((text, cursor)) = self.undo.pop() else { return false };
        self.redo.push((std::mem::replace(&mut self.text, text), self.cursor));
        self.cursor = cursor;
        true
    }

    /// Takes an undo back. Says whether there was one.
    pub(crate) fn redo(&mut self) -> bool {
        self.typing = false;
        let Some((text, cursor)) = self.redo.pop() else { return false };
        self.undo.push((std::mem::replace(&mut self.text, text), self.cursor));
        self.cursor = cursor;
        true
    }

    fn transpose(&mut self) -> bool {
        let second =
            if self.cursor == self.text.len() { self.left(self.cursor) } else { self.cursor };
        let first = self.left(second);
        if first == second {
            return false;
        }
        self.remember(false);
        let end = self.right(second);
        let swapped = format!("{}{}", &self.text[second..end], &self.text[first..second]);
        self.text.replace_range(first..end, &swapped);
        self.cursor = end;
        true
    }

    /// Keeps the state for undoing. Letters typed in a row are undone together.
    fn remember(&mut self, typing: bool) {
        if self.hidden {
            return;
        }
        self.redo.clear();
        if !(typing && self.typing) {
            self.undo.push((self.text.clone(), self.cursor));
            if self.undo.len() > MOST_UNDO {
                self.undo.remove(0);
            }
        }
        self.typing = typing;
    }

    fn left(&self, from: usize) -> usize {
        self.text[..from].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn right(&self, from: usize) -> usize {
        self.text[from..].graphemes(true).next().map_or(from, |g| from + g.len())
    }

    fn word_left(&self) -> usize {
        let mut words = self.text[..self.cursor].unicode_word_indices();
        words.next_back().map_or(0, |(at, _)| at)
    }

    fn word_right(&self) -> usize {
        let word = self.text[self.cursor..].unicode_word_indices().next();
        word.map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }

    fn line(&self) -> Range<usize> {
        let start = self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1);
        let end =
            self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at);
        start..end
    }
}

/// Appends the rows of one line. A space at which a row ends belongs to it and may stick out.
fn break_line(line: &str, offset: usize, width: usize, rows: &mut Vec<Range<usize>>) {
    let mut start = 0;
    let mut used = 0;
    let mut after_space = None;
    for (at, grapheme) in line.grapheme_indices(true) {
        let columns = text::width(grapheme);
        if used + columns > width && grapheme != " " {
            let end = after_space.filter(|space| *space > start).unwrap_or(at);
            rows.push(offset + start..offset + end);
            start = end;
            used = text::width(&line[start..at]);
            after_space = None;
        }
        used += columns;
        if grapheme == " " {
            after_space = Some(at + 1);
        }
    }
    rows.push(offset + start..offset + line.len());
}

/// Steps that can be undone.
const MOST_UNDO: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs intents on a text with `|` for the cursor.
    fn run(text: &str, intents: &[Intent]) -> String {
        let mut editor = Editor::new(text.replace('|', ""));
        editor.cursor = text.find('|').unwrap();
        for intent in intents {
            editor.act(*intent, 10);
        }
        let mut shown = editor.text.clone();
        shown.insert(editor.cursor, '|');
        shown
    }

    #[test]
    fn keys_of_readline_do_what_they_do_in_a_shell() {
        use Intent::*;
        assert_eq!(run("to be or| not", &[DeleteWordLeft]), "to be | not");
        assert_eq!(run("to be or| not", &[WordLeft, WordLeft]), "to |be or not");
        assert_eq!(run("to |be", &[KillRight, LineStart, Yank]), "be|to ");
        assert_eq!(run("one\ntwo| three", &[KillLeft]), "one\n| three");
        assert_eq!(run("teh|", &[Transpose]), "the|");
        assert_eq!(run("a👩‍👩‍👧|b", &[DeleteLeft]), "a|b");
        assert_eq!(run("|e\u{301}x", &[DeleteRight]), "|x");
        assert_eq!(run("abc|", &[DeleteLeft, DeleteLeft, Undo]), "ab|");
        assert_eq!(run("|", &[DeleteLeft, DeleteRight, Transpose, Undo, WordLeft, Up]), "|");
    }

    #[test]
    fn rows_break_at_spaces_and_the_cursor_is_where_it_is_seen() {
        let editor = Editor::new("wherefore art thou");
        let rows = editor.rows(10);
        let texts: Vec<&str> = rows.rows.iter().map(|row| &editor.text()[row.clone()]).collect();
        assert_eq!(texts, ["wherefore ", "art thou"]);
        assert_eq!(rows.cursor, (1, 8));
        let empty = Editor::new("a\n");
        assert_eq!(empty.rows(10).cursor, (1, 0));
        assert_eq!(Editor::new("incomprehensible").rows(8).rows, [0..8, 8..16]);
    }

    #[test]
    fn the_cursor_goes_up_and_down_by_rows() {
        assert_eq!(run("one\ntwo|", &[Intent::Up]), "one|\ntwo");
        assert_eq!(run("one|\ntw", &[Intent::Down]), "one\ntw|");
        let mut editor = Editor::new("one");
        assert!(!editor.act(Intent::Up, 10), "the first row has none above");
    }

    #[test]
    fn letters_typed_in_a_row_are_undone_together() {
        let mut editor = Editor::default();
        for letter in ["h", "i"] {
            editor.insert(letter);
        }
        editor.act(Intent::Undo, 10);
        assert_eq!(editor.text(), "");
    }
}
