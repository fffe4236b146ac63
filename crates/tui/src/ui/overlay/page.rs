//! Keys that all overlays share: fields to type in, rows to choose, pages to scroll.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ui::editor::Editor;
use crate::ui::keys::{self, Intent, Place};
use crate::ui::settings::Keys;

/// What a key means in an overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// To the next row, or the one before; pages are many rows.
    By(isize),
    /// Take what is chosen.
    Take,
    /// Switch between two ways.
    Switch,
    /// Leave.
    Leave,
    /// The text in the field is different.
    Typed,
    /// A letter, where there is no field.
    Letter(char),
    /// Nothing.
    None,
}

/// A key for a page without a field.
pub(super) fn read(key: KeyEvent) -> Move {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => Move::Leave,
        KeyCode::Enter => Move::Take,
        KeyCode::Tab | KeyCode::BackTab => Move::Switch,
        KeyCode::Up => Move::By(-1),
        KeyCode::Down => Move::By(1),
        KeyCode::PageUp => Move::By(-PAGE),
        KeyCode::PageDown => Move::By(PAGE),
        KeyCode::Home => Move::By(isize::MIN / 2),
        KeyCode::End => Move::By(isize::MAX / 2),
        KeyCode::Char('p') if control => Move::By(-1),
        KeyCode::Char('n') if control => Move::By(1),
        KeyCode::Char('c' | 'g') if control => Move::Leave,
        KeyCode::Char(letter) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
            Move::Letter(letter)
        }
        _ => Move::None,
    }
}

/// A key for an overlay with a field of one line.
pub(super) fn write(key: KeyEvent, field: &mut Editor) -> Move {
    match read(key) {
        Move::Letter(letter) => {
            field.insert(letter.encode_utf8(&mut [0; 4]));
            Move::Typed
        }
        Move::None | Move::By(isize::MIN..-999_999 | 1_000_000..) => {
            match keys::intent(Keys::Emacs, Place::Composer, key) {
                Some(Intent::NewLine) | None => Move::None,
                Some(intent) if field.act(intent, usize::MAX / 2) => Move::Typed,
                Some(_) => Move::None,
            }
        }
        other => other,
    }
}

/// A chosen row after a move among so many.
pub(super) fn moved(chosen: usize, by: isize, count: usize) -> usize {
    chosen.saturating_add_signed(by).min(count.saturating_sub(1))
}

/// Rows of a page.
const PAGE: isize = 10;
