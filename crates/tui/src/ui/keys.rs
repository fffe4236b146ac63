//! Which key does what: one table, from which the program acts and `/help` tells.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::settings::Keys;

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Wherever a conversation is shown.
    Anywhere,
    /// In the text that is being written.
    Composer,
    /// There, in vim's normal mode; what belongs to the text itself is in [`vim`](super::vim).
    Normal,
    /// On a message.
    Message,
    /// While several messages are being chosen.
    Marked,
    /// In the list of conversations.
    List,
}

/// What a key is for; the table below says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of keys says what each is for")]
pub enum Intent {
    // Going somewhere.
    Jump,
    NextUnread,
    LastConversation,
    NextConversation,
    PreviousConversation,
    Search,
    Help,
    Redraw,
    Quit,
    List,
    Text,
    Command,
    Leave,
    First,
    Last,
    // Scrolling.
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    LineUp,
    LineDown,
    Oldest,
    Newest,
    UnreadLine,
    // Messages.
    Older,
    Newer,
    Reply,
    Quoted,
    React,
    Edit,
    Retract,
    Copy,
    Open,
    Show,
    Save,
    Details,
    Retry,
    Discard,
    Mark,
    Top,
    Middle,
    Bottom,
    Find,
    FindBack,
    FindNext,
    FindPrevious,
    Insert,
    Append,
    // Writing.
    Send,
    NewLine,
    Complete,
    Left,
    Right,
    Up,
    Down,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    DeleteLeft,
    DeleteRight,
    DeleteWordLeft,
    DeleteWordRight,
    KillLeft,
    KillRight,
    Yank,
    Undo,
    Transpose,
    Select,
    External,
}

/// A key and what it is for.
#[derive(Debug)]
pub struct Binding {
    /// As it is written: `Ctrl-K`, `PageUp`, `y`; several after one another with spaces: `g g`.
    pub key: &'static str,
    /// Where.
    pub place: Place,
    /// In one map only, or in both.
    pub map: Option<Keys>,
    /// What for.
    pub intent: Intent,
    /// In words, once for every intent.
    pub about: &'static str,
}

/// What keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This.
    Intent(Intent),
    /// They are the beginning of something.
    More,
    /// Nothing.
    Nothing,
}

/// What keys are for that were pressed one after the other at a place.
#[must_use]
pub fn meaning(keys: Keys, place: Place, pressed: &[KeyEvent]) -> Meaning {
    let Some(chords) = pressed.iter().map(|key| chord(*key)).collect::<Option<Vec<_>>>() else {
        return Meaning::Nothing;
    };
    let pressed = chords.join(" ");
    let at = |at: Place| {
        BINDINGS.iter().filter(move |b| b.place == at && b.map.is_none_or(|map| map == keys))
    };
    let both = || at(place).chain(at(Place::Anywhere));
    if let Some(binding) = both().find(|binding| binding.key == pressed) {
        return Meaning::Intent(binding.intent);
    }
    let begins = |b: &Binding| b.key.strip_prefix(&*pressed).is_some_and(|r| r.starts_with(' '));
    match both().any(begins) {
        true => Meaning::More,
        false => Meaning::Nothing,
    }
}

/// What a single key is for at a place.
#[must_use]
pub fn intent(keys: Keys, place: Place, key: KeyEvent) -> Option<Intent> {
    match meaning(keys, place, &[key]) {
        Meaning::Intent(intent) => Some(intent),
        _ => None,
    }
}

impl Binding {
    /// The keys as people write them: `gg`, `Ctrl-X Ctrl-E`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.key.split(' ').all(|key| key.chars().count() == 1) {
            true => self.key.replace(' ', ""),
            false => self.key.to_owned(),
        }
    }
}

/// How a key is written; `None` for those that no table has.
#[must_use]
pub fn chord(key: KeyEvent) -> Option<String> {
    let mut out = String::new();
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    if control {
        out.push_str("Ctrl-");
    }
    if alt {
        out.push_str("Alt-");
    }
    let named = match key.code {
        KeyCode::Char(' ') => "Space",
        KeyCode::Char(c) if control || alt => {
            out.extend(c.to_uppercase());
            return Some(out);
        }
        KeyCode::Char(c) => {
            out.push(c);
            return Some(out);
        }
        KeyCode::F(n) => {
            out.push_str(&format!("F{n}"));
            return Some(out);
        }
        KeyCode::Enter => "Enter",
        KeyCode::Esc => "Esc",
        KeyCode::Tab => "Tab",
        KeyCode::BackTab => return Some(out + "Shift-Tab"),
        KeyCode::Backspace => "Backspace",
        KeyCode::Delete => "Delete",
        KeyCode::Left => "Left",
        KeyCode::Right => "Right",
        KeyCode::Up => "Up",
        KeyCode::Down => "Down",
        KeyCode::Home => "Home",
        KeyCode::End => "End",
        KeyCode::PageUp => "PageUp",
        KeyCode::PageDown => "PageDown",
        _ => return None,
    };
    if key.modifiers.contains(KeyModifiers::SHIFT) {
        out.push_str("Shift-");
    }
    Some(out + named)
}

/// The number of the conversation that Alt and a digit name, from 0.
#[must_use]
pub fn place_in_list(key: KeyEvent) -> Option<usize> {
    match key.code {
        KeyCode::Char(c @ '1'..='9') if key.modifiers == KeyModifiers::ALT => {
            Some(c as usize - '1' as usize)
        }
        KeyCode::Char('0') if key.modifiers == KeyModifiers::ALT => Some(9),
        _ => None,
    }
}

const fn both(key: &'static str, place: Place, intent: Intent, about: &'static str) -> Binding {
    Binding { key, place, map: None, intent, about }
}

const fn emacs(key: &'static str, place: Place, intent: Intent, about: &'static str) -> Binding {
    Binding { key, place, map: Some(Keys::Emacs), intent, about }
}

const fn vim(key: &'static str, place: Place, intent: Intent, about: &'static str) -> Binding {
    Binding { key, place, map: Some(Keys::Vim), intent, about }
}

use Place::{Anywhere, Composer, List, Marked, Message, Normal};

/// All keys. A key that does the same as the one before it has no words of its own.
pub const BINDINGS: &[Binding] = &[
    both("Ctrl-K", Anywhere, Intent::Jump, "go to a conversation or a contact by a few letters"),
    both("Alt-A", Anywhere, Intent::NextUnread, "next conversation with something unread"),
    both("Alt-/", Anywhere, Intent::LastConversation, "back to the last conversation"),
    both("Ctrl-6", Anywhere, Intent::LastConversation, ""),
    both("Alt-Down", Anywhere, Intent::NextConversation, "next conversation of the list"),
    both("Ctrl-N", Anywhere, Intent::NextConversation, ""),
    both("Alt-Up", Anywhere, Intent::PreviousConversation, "previous conversation of the list"),
    both("Ctrl-P", Anywhere, Intent::PreviousConversation, ""),
    both("Ctrl-F", Anywhere, Intent::Search, "search in own history"),
    both("F1", Anywhere, Intent::Help, "this help"),
    both("Ctrl-L", Anywhere, Intent::Redraw, "paint the screen anew"),
    both("Ctrl-Q", Anywhere, Intent::Quit, "leave Clownfish"),
    both("PageUp", Anywhere, Intent::PageUp, "scroll up by a page"),
    both("PageDown", Anywhere, Intent::PageDown, "scroll down by a page"),
    both("Ctrl-Up", Anywhere, Intent::LineUp, "scroll up by a line"),
    both("Ctrl-Down", Anywhere, Intent::LineDown, "scroll down by a line"),
    both("Alt-U", Anywhere, Intent::UnreadLine, "to the first message that was unread"),
    both("Ctrl-End", Anywhere, Intent::Newest, "to the newest message"),
    both("Ctrl-Home", Anywhere, Intent::Oldest, "to the oldest message that is here"),
    both("Enter", Composer, Intent::Send, "send"),
    both("Alt-Enter", Composer, Intent::NewLine, "start a new line"),
    both("Ctrl-J", Composer, Intent::NewLine, ""),
    both("Shift-Enter", Composer, Intent::NewLine, ""),
    both("Tab", Composer, Intent::Complete, "complete a command; with nothing written: the list"),
    both("Shift-Tab", Composer, Intent::Complete, ""),
    both("Esc", Composer, Intent::Leave, "give up a reply or an edit; otherwise select a message"),
    both("Alt-S", Composer, Intent::Select, "select a message"),
    both("Up", Composer, Intent::Up, "line above; in the first line: select a message"),
    both("Down", Composer, Intent::Down, "line below"),
    both("Left", Composer, Intent::Left, "back by a letter"),
    both("Ctrl-B", Composer, Intent::Left, ""),
    both("Right", Composer, Intent::Right, "forward by a letter"),
    both("Alt-B", Composer, Intent::WordLeft, "back by a word"),
    both("Ctrl-Left", Composer, Intent::WordLeft, ""),
    both("Alt-Left", Composer, Intent::WordLeft, ""),
    both("Alt-F", Composer, Intent::WordRight, "forward by a word"),
    both("Ctrl-Right", Composer, Intent::WordRight, ""),
    both("Alt-Right", Composer, Intent::WordRight, ""),
    both("Ctrl-A", Composer, Intent::LineStart, "to the beginning of the line"),
    both("Home", Composer, Intent::LineStart, ""),
    both("Ctrl-E", Composer, Intent::LineEnd, "to the end of the line"),
    both("End", Composer, Intent::LineEnd, ""),
    both("Backspace", Composer, Intent::DeleteLeft, "delete the letter before"),
    both("Ctrl-H", Composer, Intent::DeleteLeft, ""),
    both("Shift-Backspace", Composer, Intent::DeleteLeft, ""),
    both("Delete", Composer, Intent::DeleteRight, "delete the letter after"),
    both("Ctrl-D", Composer, Intent::DeleteRight, ""),
    both("Ctrl-W", Composer, Intent::DeleteWordLeft, "cut the word before"),
    both("Alt-Backspace", Composer, Intent::DeleteWordLeft, ""),
    both("Ctrl-Backspace", Composer, Intent::DeleteWordLeft, ""),
    both("Alt-D", Composer, Intent::DeleteWordRight, "cut the word after"),
    both("Ctrl-U", Composer, Intent::KillLeft, "cut to the beginning of the line"),
    both("Alt-K", Composer, Intent::KillRight, "cut to the end of the line"),
    both("Ctrl-Y", Composer, Intent::Yank, "put in what was cut"),
    both("Ctrl-Z", Composer, Intent::Undo, "undo"),
    both("Ctrl-7", Composer, Intent::Undo, ""),
    both("Ctrl-T", Composer, Intent::Transpose, "swap two letters"),
    both("Ctrl-X Ctrl-E", Composer, Intent::External, "write in $VISUAL or $EDITOR"),
    vim("Esc", Normal, Intent::Leave, ""),
    vim("Enter", Normal, Intent::Send, ""),
    vim("Tab", Normal, Intent::List, "to the list of conversations"),
    vim(":", Normal, Intent::Command, "type a command"),
    vim("/", Normal, Intent::Find, "look for words in the messages, downwards"),
    vim("?", Normal, Intent::FindBack, "look for words in the messages, upwards"),
    vim("n", Normal, Intent::FindNext, "the same words once more"),
    vim("N", Normal, Intent::FindPrevious, "the same words in the other direction"),
    vim("v", Normal, Intent::Mark, "choose several messages"),
    vim("V", Normal, Intent::Mark, ""),
    vim("g t", Normal, Intent::NextConversation, ""),
    vim("g T", Normal, Intent::PreviousConversation, ""),
    vim("Ctrl-U", Normal, Intent::HalfUp, ""),
    vim("Ctrl-D", Normal, Intent::HalfDown, ""),
    vim("Ctrl-B", Normal, Intent::PageUp, ""),
    vim("Ctrl-F", Normal, Intent::PageDown, ""),
    vim("Ctrl-Y", Normal, Intent::LineUp, ""),
    vim("Ctrl-E", Normal, Intent::LineDown, ""),
    vim("Ctrl-X Ctrl-E", Normal, Intent::External, ""),
    both("Up", Message, Intent::Older, "the message above"),
    both("k", Message, Intent::Older, ""),
    both("Down", Message, Intent::Newer, "the message below"),
    both("j", Message, Intent::Newer, ""),
    both("Enter", Message, Intent::Reply, "reply"),
    both("r", Message, Intent::Reply, ""),
    emacs("g", Message, Intent::Quoted, "go to the message that it answers"),
    vim("g d", Message, Intent::Quoted, ""),
    both("+", Message, Intent::React, "react"),
    emacs("a", Message, Intent::React, ""),
    both("e", Message, Intent::Edit, "edit, if it is your own"),
    both("x", Message, Intent::Retract, "take back, if it is your own"),
    emacs("d", Message, Intent::Retract, ""),
    vim("d d", Message, Intent::Retract, ""),
    emacs("y", Message, Intent::Copy, "copy the text"),
    vim("y y", Message, Intent::Copy, ""),
    emacs("c", Message, Intent::Copy, ""),
    vim("c c", Message, Intent::Edit, ""),
    both("o", Message, Intent::Open, "open its file or link"),
    both("z", Message, Intent::Show, "show its picture here"),
    both("s", Message, Intent::Save, "save its file"),
    both("I", Message, Intent::Details, "details: times, devices, keys"),
    emacs("i", Message, Intent::Details, ""),
    both("t", Message, Intent::Retry, "try to send it again"),
    both("D", Message, Intent::Discard, "give it up, if it was not sent"),
    both("Esc", Message, Intent::Text, "back to the text"),
    emacs("q", Message, Intent::Text, ""),
    both("v", Message, Intent::Mark, "choose several messages"),
    vim("V", Message, Intent::Mark, ""),
    vim("i", Message, Intent::Insert, "write"),
    vim("a", Message, Intent::Append, "write at the end of the text"),
    vim("A", Message, Intent::Append, ""),
    vim(":", Message, Intent::Command, ""),
    vim("/", Message, Intent::Find, ""),
    vim("?", Message, Intent::FindBack, ""),
    vim("n", Message, Intent::FindNext, ""),
    vim("N", Message, Intent::FindPrevious, ""),
    vim("g g", Message, Intent::Oldest, ""),
    vim("G", Message, Intent::Newest, ""),
    vim("H", Message, Intent::Top, "the highest message in sight"),
    vim("M", Message, Intent::Middle, "the message in the middle"),
    vim("L", Message, Intent::Bottom, "the lowest message in sight"),
    vim("Ctrl-U", Message, Intent::HalfUp, "scroll up by half a page"),
    vim("Ctrl-D", Message, Intent::HalfDown, "scroll down by half a page"),
    vim("Ctrl-B", Message, Intent::PageUp, ""),
    vim("Ctrl-F", Message, Intent::PageDown, ""),
    vim("Ctrl-Y", Message, Intent::LineUp, ""),
    vim("Ctrl-E", Message, Intent::LineDown, ""),
    vim("g t", Message, Intent::NextConversation, ""),
    vim("g T", Message, Intent::PreviousConversation, ""),
    vim("u", Message, Intent::NextUnread, ""),
    vim("h", Message, Intent::List, ""),
    both("Up", Marked, Intent::Older, ""),
    both("k", Marked, Intent::Older, ""),
    both("Down", Marked, Intent::Newer, ""),
    both("j", Marked, Intent::Newer, ""),
    both("y", Marked, Intent::Copy, "copy all of them, with names and times"),
    both("c", Marked, Intent::Copy, ""),
    both("x", Marked, Intent::Retract, "take back those that are your own"),
    both("d", Marked, Intent::Retract, ""),
    both("s", Marked, Intent::Save, "save their files"),
    both("v", Marked, Intent::Mark, "choose one again"),
    both("Esc", Marked, Intent::Mark, ""),
    vim("V", Marked, Intent::Mark, ""),
    vim("g g", Marked, Intent::Oldest, ""),
    vim("G", Marked, Intent::Newest, ""),
    vim("H", Marked, Intent::Top, ""),
    vim("M", Marked, Intent::Middle, ""),
    vim("L", Marked, Intent::Bottom, ""),
    vim("/", Marked, Intent::Find, ""),
    vim("?", Marked, Intent::FindBack, ""),
    vim("n", Marked, Intent::FindNext, ""),
    vim("N", Marked, Intent::FindPrevious, ""),
    vim("Ctrl-U", Marked, Intent::HalfUp, ""),
    vim("Ctrl-D", Marked, Intent::HalfDown, ""),
    both("Up", List, Intent::PreviousConversation, ""),
    both("k", List, Intent::PreviousConversation, ""),
    both("Down", List, Intent::NextConversation, ""),
    both("j", List, Intent::NextConversation, ""),
    both("Enter", List, Intent::Insert, ""),
    both("Tab", List, Intent::Text, ""),
    both("Esc", List, Intent::Text, ""),
    both("Right", List, Intent::Text, ""),
    vim("l", List, Intent::Text, ""),
    vim("i", List, Intent::Insert, ""),
    vim(":", List, Intent::Command, ""),
    vim("/", List, Intent::Jump, ""),
    vim("g g", List, Intent::First, "the first conversation of the list"),
    vim("G", List, Intent::Last, "the last conversation of the list"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_at_one_place() {
        for (index, one) in BINDINGS.iter().enumerate() {
            for two in &BINDINGS[index + 1..] {
                let together = one.map.is_none() || two.map.is_none() || one.map == two.map;
                assert!(
                    !(together && one.place == two.place && one.key == two.key),
                    "{} at {:?}",
                    one.key,
                    one.place
                );
            }
        }
    }

    #[test]
    fn keys_are_found_as_terminals_send_them() {
        let key = |code, modifiers| KeyEvent::new(code, modifiers);
        let find = |place, key| intent(Keys::Emacs, place, key);
        let control = KeyModifiers::CONTROL;
        assert_eq!(find(Composer, key(KeyCode::Char('k'), control)), Some(Intent::Jump));
        assert_eq!(
            find(Message, key(KeyCode::Char('a'), KeyModifiers::ALT)),
            Some(Intent::NextUnread)
        );
        assert_eq!(find(Composer, key(KeyCode::Char('j'), control)), Some(Intent::NewLine));
        assert_eq!(
            find(Message, key(KeyCode::Char('D'), KeyModifiers::SHIFT)),
            Some(Intent::Discard)
        );
        assert_eq!(find(Composer, key(KeyCode::Char('a'), KeyModifiers::NONE)), None);
        assert_eq!(
            find(Composer, key(KeyCode::BackTab, KeyModifiers::SHIFT)),
            Some(Intent::Complete)
        );
        let vim = intent(Keys::Vim, Message, key(KeyCode::Char('i'), KeyModifiers::NONE));
        assert_eq!(vim, Some(Intent::Insert));
    }

    #[test]
    fn keys_after_one_another_mean_something_together() {
        let key = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        let find = |keys: &[KeyEvent]| meaning(Keys::Vim, Message, keys);
        assert_eq!(find(&[key('g')]), Meaning::More);
        assert_eq!(find(&[key('g'), key('g')]), Meaning::Intent(Intent::Oldest));
        assert_eq!(find(&[key('g'), key('x')]), Meaning::Nothing);
        // The beginnings of Enter, PageUp and Up are letters.
        assert_eq!(find(&[key('E')]), Meaning::Nothing);
        assert_eq!(find(&[key('P')]), Meaning::Nothing);
        assert_eq!(find(&[key('U')]), Meaning::Nothing);
        let external = meaning(Keys::Emacs, Composer, &[control('x'), control('e')]);
        assert_eq!(external, Meaning::Intent(Intent::External));
        assert_eq!(meaning(Keys::Emacs, Composer, &[control('x')]), Meaning::More);
    }

    #[test]
    fn no_key_is_the_beginning_of_others_and_something_itself() {
        for one in BINDINGS {
            let longer = |two: &&Binding| {
                let together = one.map.is_none() || two.map.is_none() || one.map == two.map;
                let same = one.place == two.place || one.place == Anywhere;
                together && same && two.key.starts_with(&format!("{} ", one.key))
            };
            assert!(!BINDINGS.iter().any(|two| longer(&two)), "{} at {:?}", one.key, one.place);
        }
    }

    #[test]
    fn every_key_is_explained_once() {
        for binding in BINDINGS {
            let told = |b: &&Binding| b.intent == binding.intent && !b.about.is_empty();
            assert!(BINDINGS.iter().any(|b| told(&b)), "{}", binding.key);
            let here = BINDINGS.iter().filter(told).filter(|b| b.place == binding.place);
            assert!(here.count() <= 1, "{} at {:?}", binding.key, binding.place);
        }
    }
}
