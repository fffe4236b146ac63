//! Where vim's motions lead in a text, and which part of it they cover.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// Where a motion leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) at: usize,
    pub(super) span: Span,
}

/// What an operator takes between the cursor and the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Not the later letter.
    Exclusive,
    /// Both letters.
    Inclusive,
    /// Whole lines.
    Lines,
}

/// A motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Motion {
    Left,
    Right,
    Up,
    Down,
    /// `w` and `W`.
    Word(Words),
    /// `b` and `B`.
    Back(Words),
    /// `e` and `E`.
    End(Words),
    LineStart,
    /// `^`
    FirstLetter,
    LineEnd,
    /// `gg`, or the line of the count.
    First,
    /// `G`, or the line of the count.
    Last,
    Find(Find),
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Letters, or punctuation.
    Small,
    /// Everything but spaces.
    Big,
}

/// Looking for a letter in the line: `f`, `F`, `t`, `T`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Find {
    pub(super) letter: char,
    pub(super) forward: bool,
    /// Stop before it.
    pub(super) before: bool,
}

/// A text with its cursor.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) cursor: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Letter,
    Other,
}

impl Text<'_> {
    /// Where a motion leads; `None` when it cannot be made.
    pub(super) fn target(&self, motion: Motion, count: Option<usize>) -> Option<Target> {
        let times = count.unwrap_or(1);
        let exclusive = |at| Some(Target { at, span: Span::Exclusive });
        let inclusive = |at| Some(Target { at, span: Span::Inclusive });
        let line = self.line(self.cursor);
        match motion {
            Motion::Left => exclusive(self.repeat(times, |t, at| t.left(at).max(line.start))),
            Motion::Right => exclusive(self.repeat(times, |t, at| t.right(at).min(line.end))),
            Motion::Up => self.vertical(times, false),
            Motion::Down => self.vertical(times, true),
            Motion::Word(words) => exclusive(self.repeat(times, |t, at| t.word(at, words))),
            Motion::Back(words) => exclusive(self.repeat(times, |t, at| t.back(at, words))),
            Motion::End(words) => inclusive(self.repeat(times, |t, at| t.end(at, words))),
            Motion::LineStart => exclusive(line.start),
            Motion::FirstLetter => exclusive(self.first_letter(line)),
            Motion::LineEnd => inclusive(self.last_letter(&line)),
            Motion::First | Motion::Last => {
                let lines = self.text.matches('\n').count() + 1;
                let wanted = match (motion, count) {
                    (Motion::Last, None) => lines,
                    (_, count) => count.unwrap_or(1).min(lines),
                };
                let start = self.line_start(wanted.saturating_sub(1));
                Some(Target { at: self.first_letter(self.line(start)), span: Span::Lines })
            }
            Motion::Find(find) => self.find(find, times),
        }
    }

    /// What an operator covers with a target. Whole lines take the break behind them, or before them
    /// when they are the last.
    pub(super) fn covered(&self, target: Target) -> Range<usize> {
        let (start, end) = (self.cursor.min(target.at), self.cursor.max(target.at));
        match target.span {
            Span::Exclusive => start..end,
            Span::Inclusive => start..self.right(end).min(self.line(end).end.max(end)),
            Span::Lines => self.line(start).start..self.line(end).end,
        }
    }

    /// The word around the cursor, with the spaces behind it if wanted: `iw`, `aw`.
    pub(super) fn word_around(&self, words: Words, spaces: bool) -> Range<usize> {
        let line = self.line(self.cursor);
        let class = self.class(self.cursor, words);
        let same = |at: usize| self.class(at, words) == class;
        let mut start = self.cursor;
        while start > line.start && same(self.left(start)) {
            start = self.left(start);
        }
        let mut end = self.cursor;
        while end < line.end && same(end) {
            end = self.right(end);
        }
        while spaces && end < line.end && self.class(end, words) == Class::Space {
            end = self.right(end);
        }
        start..end
    }

    /// The line of a place, without its break.
    pub(super) fn line(&self, at: usize) -> Range<usize> {
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |newline| at + newline);
        start..end
    }

    pub(super) fn left(&self, at: usize) -> usize {
        self.text[..at].grapheme_indices(true).next_back().map_or(0, |(start, _)| start)
    }

    pub(super) fn right(&self, at: usize) -> usize {
        self.text[at..].graphemes(true).next().map_or(at, |grapheme| at + grapheme.len())
    }

    /// The place on which the cursor can stand that is nearest: not behind the line.
    pub(super) fn settled(&self, at: usize) -> usize {
        let line = self.line(at);
        at.min(self.last_letter(&line)).max(line.start)
    }

    pub(super) fn first_letter(&self, line: Range<usize>) -> usize {
        let spaces = self.text[line.clone()].find(|c: char| !c.is_whitespace());
        spaces.map_or(self.last_letter(&line), |spaces| line.start + spaces)
    }

    fn last_letter(&self, line: &Range<usize>) -> usize {
        self.left(line.end).max(line.start)
    }

    fn line_start(&self, number: usize) -> usize {
        let mut breaks = self.text.match_indices('\n').map(|(at, _)| at + 1);
        if number == 0 { 0 } else { breaks.nth(number - 1).unwrap_or(self.text.len()) }
    }

    fn repeat(&self, times: usize, step: impl Fn(&Self, usize) -> usize) -> usize {
        let mut at = self.cursor;
        for _ in 0..times {
            let next = step(self, at);
            if next == at {
                break;
            }
            at = next;
        }
        at
    }

    fn vertical(&self, times: usize, down: bool) -> Option<Target> {
        let column = self.text[self.line(self.cursor).start..self.cursor].graphemes(true).count();
        let mut line = self.line(self.cursor);
        for _ in 0..times {
            line = match down {
                true if line.end < self.text.len() => self.line(line.end + 1),
                false if line.start > 0 => self.line(line.start - 1),
                _ => return None,
            };
        }
        let mut letters = self.text[line.clone()].grapheme_indices(true);
        let at = letters.nth(column).map_or(self.last_letter(&line), |(at, _)| line.start + at);
        Some(Target { at, span: Span::Lines })
    }

    fn find(&self, find: Find, times: usize) -> Option<Target> {
        let line = self.line(self.cursor);
        let at = match find.forward {
            true => {
                let from = self.right(self.cursor).min(line.end);
                let mut found = self.text[from..line.end].match_indices(find.letter);
                from + found.nth(times.saturating_sub(1))?.0
            }
            false => {
                let mut found = self.text[line.start..self.cursor].rmatch_indices(find.letter);
                line.start + found.nth(times.saturating_sub(1))?.0
            }
        };
        Some(match (find.forward, find.before) {
            (true, false) => Target { at, span: Span::Inclusive },
            (true, true) => Target { at: self.left(at), span: Span::Inclusive },
            (false, false) => Target { at, span: Span::Exclusive },
            (false, true) => Target { at: self.right(at), span: Span::Exclusive },
        })
    }

    fn class(&self, at: usize, words: Words) -> Class {
        match self.text[at..].chars().next() {
            None => Class::Space,
            Some(letter) if letter.is_whitespace() => Class::Space,
            Some(_) if words == Words::Big => Class::Letter,
            Some(letter) if letter.is_alphanumeric() || letter == '_' => Class::Letter,
            Some(_) => Class::Other,
        }
    }

    fn word(&self, from: usize, words: Words) -> usize {
        let class = self.class(from, words);
        let mut at = from;
        while at < self.text.len() && class != Class::Space && self.class(at, words) == class {
            at = self.right(at);
        }
        while at < self.text.len() && self.class(at, words) == Class::Space {
            at = self.right(at);
        }
        at
    }

    fn back(&self, from: usize, words: Words) -> usize {
        let mut at = self.left(from);
        while at > 0 && self.class(at, words) == Class::Space {
            at = self.left(at);
        }
        let class = self.class(at, words);
        while at > 0 && self.class(self.left(at), words) == class && class != Class::Space {
            at = self.left(at);
        }
        at
    }

    fn end(&self, from: usize, words: Words) -> usize {
        let mut at = self.right(from);
        while at < self.text.len() && self.class(at, words) == Class::Space {
            at = self.right(at);
        }
        if at >= self.text.len() {
            return self.left(self.text.len()).max(from);
        }
        let class = self.class(at, words);
        while self.right(at) < self.text.len() && self.class(self.right(at), words) == class {
            at = self.right(at);
        }
        at
    }
}
