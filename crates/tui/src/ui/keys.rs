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
    /// On a message.
    Message,
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
    React,
    Edit,
    Retract,
    Copy,
    Open,
    Save,
    Details,
    Retry,
    Discard,
    // Writing.
    Send,
    NewLine,
    Complete,
    CompleteBack,
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
}

/// A key and what it is for.
#[derive(Debug)]
pub struct Binding {
    /// As it is written: `Ctrl-K`, `PageUp`, `g`.
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

/// What a key is for at a place.
#[must_use]
pub fn intent(keys: Keys, place: Place, key: KeyEvent) -> Option<Intent> {
    let pressed = chord(key)?;
    let find = |at: Place| {
        BINDINGS
            .iter()
            .find(|b| b.place == at && b.map.is_none_or(|map| map == keys) && b.key == pressed)
    };
    find(place).or_else(|| find(Place::Anywhere)).map(|binding| binding.intent)
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

use Place::{Anywhere, Composer, List, Message};

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
    both("Shift-Tab", Composer, Intent::CompleteBack, ""),
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
    both("Up", Message, Intent::Older, "the message above"),
    both("k", Message, Intent::Older, ""),
    both("Down", Message, Intent::Newer, "the message below"),
    both("j", Message, Intent::Newer, ""),
    both("Enter", Message, Intent::Reply, "reply"),
    both("r", Message, Intent::Reply, ""),
    both("+", Message, Intent::React, "react"),
    both("a", Message, Intent::React, ""),
    both("e", Message, Intent::Edit, "edit, if it is your own"),
    both("x", Message, Intent::Retract, "take back, if it is your own"),
    both("d", Message, Intent::Retract, ""),
    both("y", Message, Intent::Copy, "copy the text"),
    both("c", Message, Intent::Copy, ""),
    both("o", Message, Intent::Open, "open its file or link"),
    both("s", Message, Intent::Save, "save its file"),
    both("I", Message, Intent::Details, "details: times, devices, keys"),
    emacs("i", Message, Intent::Details, ""),
    both("t", Message, Intent::Retry, "try to send it again"),
    both("D", Message, Intent::Discard, "give it up, if it was not sent"),
    both("Esc", Message, Intent::Text, "back to the text"),
    emacs("q", Message, Intent::Text, ""),
    vim("i", Message, Intent::Text, ""),
    vim(":", Message, Intent::Command, "type a command"),
    vim("/", Message, Intent::Search, ""),
    vim("g", Message, Intent::Oldest, ""),
    vim("G", Message, Intent::Newest, ""),
    vim("Ctrl-U", Message, Intent::HalfUp, "scroll up by half a page"),
    vim("Ctrl-D", Message, Intent::HalfDown, "scroll down by half a page"),
    vim("Ctrl-B", Message, Intent::PageUp, ""),
    vim("Ctrl-Y", Message, Intent::LineUp, ""),
    vim("Ctrl-E", Message, Intent::LineDown, ""),
    vim("J", Message, Intent::NextConversation, ""),
    vim("K", Message, Intent::PreviousConversation, ""),
    vim("u", Message, Intent::NextUnread, ""),
    vim("h", Message, Intent::List, "to the list of conversations"),
    both("Up", List, Intent::PreviousConversation, ""),
    both("k", List, Intent::PreviousConversation, ""),
    both("Down", List, Intent::NextConversation, ""),
    both("j", List, Intent::NextConversation, ""),
    both("Enter", List, Intent::Text, "write there"),
    both("Tab", List, Intent::Text, ""),
    both("Esc", List, Intent::Text, ""),
    both("Right", List, Intent::Text, ""),
    vim("l", List, Intent::Text, ""),
    vim("i", List, Intent::Text, ""),
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
            Some(Intent::CompleteBack)
        );
        let vim = intent(Keys::Vim, Message, key(KeyCode::Char('i'), KeyModifiers::NONE));
        assert_eq!(vim, Some(Intent::Text));
    }
}
