//! Text on a grid: how wide it is, where it breaks, how it is put into cells.
//!
//! Widths are those of whole grapheme clusters. Isolates that [`Printable`] put around text from
//! right to left take no room; where text is cut or broken they are closed and opened again.
//!
//! [`Printable`]: super::printable::Printable

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::printable::{FIRST_STRONG_ISOLATE, POP_ISOLATE, is_right_to_left};

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    graphemes(text).map(|(_, columns)| columns).sum()
}

/// The grapheme clusters that take room, with the columns each takes.
pub fn graphemes(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.graphemes(true).map(|g| (g, g.width().min(2))).filter(|(_, columns)| *columns > 0)
}

/// The text, cut with an ellipsis if it is wider than that.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for (grapheme, more) in graphemes(text) {
        if used + more + 1 > columns {
            break;
        }
        used += more;
        out.push_str(grapheme);
    }
    let out = out.trim_end();
    match (columns, out.chars().any(is_right_to_left)) {
        (0, _) => String::new(),
        (_, false) => format!("{out}…"),
        (_, true) => format!("{FIRST_STRONG_ISOLATE}{out}{POP_ISOLATE}…"),
    }
}

/// Breaks a line at spaces, at wide characters, and in the middle of words that are too long.
/// Always at least one line.
#[must_use]
pub fn wrap(spans: &[Span<'_>], columns: usize) -> Vec<Line<'static>> {
    let columns = columns.max(2);
    let cells: Vec<Piece<'_>> = spans
        .iter()
        .flat_map(|span| {
            graphemes(&span.content).map(|(text, columns)| Piece {
                text,
                columns,
                style: span.style,
            })
        })
        .collect();
    let mut lines = Vec::new();
    let mut rest = cells.as_slice();
    loop {
        let (line, after) = rest.split_at(line_length(rest, columns));
        lines.push(joined(line, !after.is_empty()));
        // Spaces at which a line was broken are not shown.
        let skip = match after.is_empty() {
            true => 0,
            false => after.iter().take_while(|piece| piece.text == " ").count(),
        };
        rest = &after[skip..];
        if rest.is_empty() {
            return lines;
        }
    }
}

/// A grapheme cluster in its style.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    columns: usize,
    style: Style,
}

/// How many of the pieces go on one line.
fn line_length(pieces: &[Piece<'_>], columns: usize) -> usize {
    let mut used = 0;
    let mut fitting = pieces.len();
    for (index, piece) in pieces.iter().enumerate() {
        used += piece.columns;
        if used > columns {
            fitting = index;
            break;
        }
    }
    if fitting == pieces.len() || pieces[fitting].text == " " {
        return fitting;
    }
    // A break is possible after a space and beside a wide character that is not punctuation.
    let breaks = |at: &usize| {
        let (before, after) = (pieces[at - 1], pieces[*at]);
        before.text == " " || (before.columns == 2 && after.columns == 2)
    };
    let written = pieces.iter().take_while(|piece| piece.text == " ").count();
    (written + 1..=fitting).rev().find(breaks).unwrap_or_else(|| fitting.max(1))
}

/// Pieces as a line; spaces at the end go if the line was broken there.
fn joined(pieces: &[Piece<'_>], broken: bool) -> Line<'static> {
    let spaces = match broken {
        true => pieces.iter().rev().take_while(|piece| piece.text == " ").count(),
        false => 0,
    };
    let mut spans: Vec<Span<'static>> = Vec::new();
    for piece in &pieces[..pieces.len() - spaces] {
        match spans.last_mut() {
            Some(last) if last.style == piece.style => last.content.to_mut().push_str(piece.text),
            _ => spans.push(Span::styled(piece.text.to_owned(), piece.style)),
        }
    }
    for span in &mut spans {
        if span.content.chars().any(is_right_to_left) {
            span.content = format!("{FIRST_STRONG_ISOLATE}{}{POP_ISOLATE}", span.content).into();
        }
    }
    Line::from(spans)
}

/// Puts a line into cells, from `x` on and not beyond `end`. Returns the column after it.
///
/// Isolates go into the cell of the letter beside them, since they have none of their own.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, end: u16, line: &Line<'_>) -> u16 {
    let end = end.min(buffer.area.right());
    if y < buffer.area.top() || y >= buffer.area.bottom() {
        return x;
    }
    let mut at = x;
    for span in &line.spans {
        let style = line.style.patch(span.style);
        let mut opening = false;
        for grapheme in span.content.graphemes(true) {
            match grapheme.chars().next() {
                Some(FIRST_STRONG_ISOLATE) => opening = true,
                Some(POP_ISOLATE) if at > x => {
                    let last = last_cell(buffer, at, x, y);
                    let cell = &mut buffer[(last, y)];
                    let closed = format!("{}{POP_ISOLATE}", cell.symbol());
                    cell.set_symbol(&closed);
                }
                _ => at = put_grapheme(buffer, (at, y), end, grapheme, style, &mut opening),
            }
        }
    }
    at
}

/// Puts one grapheme cluster into its cell. Returns the column after it.
fn put_grapheme(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    end: u16,
    grapheme: &str,
    style: Style,
    opening: &mut bool,
) -> u16 {
    let columns = grapheme.width().min(2) as u16;
    if columns == 0 || x + columns > end || grapheme.chars().any(char::is_control) {
        return x;
    }
    let cell = &mut buffer[(x, y)];
    match std::mem::take(opening) {
        true => cell.set_symbol(&format!("{FIRST_STRONG_ISOLATE}{grapheme}")),
        false => cell.set_symbol(grapheme),
    };
    cell.set_style(style);
    if columns == 2 {
        let hidden = &mut buffer[(x + 1, y)];
        hidden.reset();
        hidden.set_style(style);
    }
    x + columns
}

/// The cell of the letter before a column: two columns back if that letter is a wide one.
fn last_cell(buffer: &Buffer, at: u16, first: u16, y: u16) -> u16 {
    match at.checked_sub(2) {
        Some(wide) if wide >= first && buffer[(wide, y)].symbol().width() == 2 => wide,
        _ => at - 1,
    }
}

/// A line of one style.
pub fn styled(text: impl Into<String>, style: Style) -> Line<'static> {
    Line::from(Span::styled(text.into(), style))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        wrap(&[Span::raw(text.to_owned())], columns).iter().map(Line::to_string).collect()
    }

    #[test]
    fn lines_break_at_spaces_and_in_words_that_are_too_long() {
        assert_eq!(wrapped("to be or not to be", 8), ["to be or", "not to", "be"]);
        assert_eq!(wrapped("incomprehensibilities", 8), ["incompre", "hensibil", "ities"]);
        assert_eq!(wrapped("", 8), [""]);
        assert_eq!(wrapped("a  b", 8), ["a  b"]);
        assert_eq!(wrapped("a aaaaaaaaaaaa", 8), ["a", "aaaaaaaa", "aaaa"]);
    }

    #[test]
    fn wide_letters_and_emoji_are_not_cut_in_halves() {
        assert_eq!(wrapped("東京都庁舎", 5), ["東京", "都庁", "舎"]);
        assert_eq!(width("👩‍👩‍👧 ok"), 5);
        assert_eq!(fit("東京都庁舎", 6), "東京…");
        assert_eq!(fit("short", 5), "short");
        assert_eq!(fit("longer", 5), "long…");
    }

    #[test]
    fn styles_survive_breaks() {
        let spans = [Span::raw("a bold "), Span::styled("word here", Style::new().bold())];
        let lines = wrap(&spans, 11);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].spans[0].style.add_modifier.contains(ratatui::style::Modifier::BOLD));
    }

    #[test]
    fn broken_right_to_left_text_is_isolated_on_every_line() {
        for line in wrapped("\u{2068}שלום עליכם\u{2069}", 6) {
            assert!(line.starts_with(FIRST_STRONG_ISOLATE) && line.ends_with(POP_ISOLATE));
        }
    }

    #[test]
    fn isolates_share_the_cell_of_a_letter_and_controls_have_none() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
        let end = put(&mut buffer, 0, 0, 8, &Line::raw("\u{2068}שם\u{2069}\x1b[1m"));
        assert_eq!(buffer[(0, 0)].symbol(), "\u{2068}ש");
        assert_eq!(buffer[(1, 0)].symbol(), "ם\u{2069}");
        assert_eq!(end, 5, "the escape character itself is gone");
    }

    #[test]
    fn nothing_is_written_beyond_the_end() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
        assert_eq!(put(&mut buffer, 0, 0, 3, &Line::raw("東京")), 2);
        assert_eq!(buffer[(2, 0)].symbol(), " ");
    }
}
