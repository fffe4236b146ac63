//! Commands of normal mode, from their keys: `[count] command`, or `[count] operator [count] motion`.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::motion::{Find, Motion, Words};

/// A command whose keys are all there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Move(Motion),
    /// An operator, and what it works on.
    Operate(Operator, Over),
    /// `i`, `a`, `I`, `A`, `o`, `O`.
    Insert(char),
    /// `x`
    Erase,
    /// `X`
    EraseBefore,
    /// `~`
    SwapCase,
    /// `J`
    Join,
    /// `p`, and `P` when it goes before.
    Put {
        before: bool,
    },
    Replace(char),
    Undo,
    Redo,
    Repeat,
    /// `;`, and `,` when the other way.
    FindAgain {
        back: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Delete,
    Change,
    Copy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Motion(Motion),
    /// `dd`
    Lines,
    /// `D`
    Rest,
    /// `iw`, `aw`
    Word(Words, bool),
}

/// What keys are so far.
pub(super) enum Parsed {
    Whole(Verb, Option<usize>),
    More,
    Wrong,
}

impl Verb {
    /// Whether `.` does it again.
    pub(super) fn changes(self) -> bool {
        !matches!(
            self,
            Verb::Move(_)
                | Verb::Operate(Operator::Copy, _)
                | Verb::Undo
                | Verb::Redo
                | Verb::Repeat
                | Verb::FindAgain { .. }
        )
    }
}

/// The letter of a key; Ctrl-R, the only one with Ctrl, by its control character.
pub(super) fn letter(key: KeyEvent) -> Option<char> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char('r') if control => Some(REDO),
        KeyCode::Char(letter) if plain => Some(letter),
        KeyCode::Left | KeyCode::Backspace if plain => Some('h'),
        KeyCode::Right if plain => Some('l'),
        KeyCode::Up if plain => Some('k'),
        KeyCode::Down if plain => Some('j'),
        KeyCode::Home if plain => Some('0'),
        KeyCode::End if plain => Some('$'),
        KeyCode::Delete if plain => Some('x'),
        _ => None,
    }
}

/// `[count] command`, or `[count] operator [count] motion`.
pub(super) fn parse(keys: &[char]) -> Parsed {
    let (count, rest) = counted(keys);
    let [first, after @ ..] = rest else { return Parsed::More };
    let whole = |verb| Parsed::Whole(verb, count);
    let operator = match first {
        'd' => Operator::Delete,
        'c' => Operator::Change,
        'y' => Operator::Copy,
        _ => return simple(rest).map_or(Parsed::Wrong, |verb| verb.map_or(Parsed::More, whole)),
    };
    let (second, motion) = counted(after);
    let count = match (count, second) {
        (None, second) => second,
        (first, None) => first,
        (Some(first), Some(second)) => Some(first.saturating_mul(second)),
    };
    let over = match motion {
        [] | ['i' | 'a'] => return Parsed::More,
        [same] if same == first => Over::Lines,
        [around @ ('i' | 'a'), 'w'] => Over::Word(Words::Small, *around == 'a'),
        [around @ ('i' | 'a'), 'W'] => Over::Word(Words::Big, *around == 'a'),
        keys => match self::motion(keys) {
            None => return Parsed::Wrong,
            Some(None) => return Parsed::More,
            Some(Some(motion)) => Over::Motion(motion),
        },
    };
    Parsed::Whole(Verb::Operate(operator, over), count)
}

/// The number in front. A zero there is a motion.
fn counted(keys: &[char]) -> (Option<usize>, &[char]) {
    let zero = keys.first() == Some(&'0');
    let digits = keys.iter().take_while(|key| key.is_ascii_digit()).count();
    if zero || digits == 0 {
        return (None, keys);
    }
    let (number, rest) = keys.split_at(digits);
    let number = number.iter().fold(0_usize, |number, digit| {
        number.saturating_mul(10).saturating_add(digit.to_digit(10).unwrap_or(0) as usize)
    });
    (Some(number), rest)
}

/// A command that is no operator. `Some(None)`: more keys are needed.
fn simple(keys: &[char]) -> Option<Option<Verb>> {
    let verb = match keys {
        [how @ ('i' | 'a' | 'I' | 'A' | 'o' | 'O')] => Verb::Insert(*how),
        ['x'] => Verb::Erase,
        ['X'] => Verb::EraseBefore,
        ['~'] => Verb::SwapCase,
        ['J'] => Verb::Join,
        ['p'] => Verb::Put { before: false },
        ['P'] => Verb::Put { before: true },
        ['D'] => Verb::Operate(Operator::Delete, Over::Rest),
        ['C'] => Verb::Operate(Operator::Change, Over::Rest),
        ['Y'] => Verb::Operate(Operator::Copy, Over::Lines),
        ['S'] => Verb::Operate(Operator::Change, Over::Lines),
        ['s'] => Verb::Operate(Operator::Change, Over::Motion(Motion::Right)),
        ['r'] => return Some(None),
        ['r', letter] => Verb::Replace(*letter),
        ['u'] => Verb::Undo,
        [REDO] => Verb::Redo,
        ['.'] => Verb::Repeat,
        [';'] => Verb::FindAgain { back: false },
        [','] => Verb::FindAgain { back: true },
        keys => return motion(keys).map(|motion| motion.map(Verb::Move)),
    };
    Some(Some(verb))
}

/// A motion. `Some(None)`: more keys are needed.
fn motion(keys: &[char]) -> Option<Option<Motion>> {
    let motion = match keys {
        ['h'] => Motion::Left,
        ['l' | ' '] => Motion::Right,
        ['k'] => Motion::Up,
        ['j'] => Motion::Down,
        ['w'] => Motion::Word(Words::Small),
        ['W'] => Motion::Word(Words::Big),
        ['b'] => Motion::Back(Words::Small),
        ['B'] => Motion::Back(Words::Big),
        ['e'] => Motion::End(Words::Small),
        ['E'] => Motion::End(Words::Big),
        ['0'] => Motion::LineStart,
        ['^'] => Motion::FirstLetter,
        ['$'] => Motion::LineEnd,
        ['g' | 'f' | 'F' | 't' | 'T'] => return Some(None),
        ['g', 'g'] => Motion::First,
        ['G'] => Motion::Last,
        [how @ ('f' | 'F' | 't' | 'T'), letter] => Motion::Find(Find {
            letter: *letter,
            forward: matches!(how, 'f' | 't'),
            before: matches!(how, 't' | 'T'),
        }),
        _ => return None,
    };
    Some(Some(motion))
}

/// How Ctrl-R stands among the keys.
const REDO: char = '\u{12}';
