//! XEP-0393: Message Styling 1.1.1, XEP-0245: The /me Command 1.1
//!
//! A text as lines of spans that a user interface can draw. Nothing is taken away: the marks stay
//! where they are and carry the style themselves, so what is read is what was written.

/// One line of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How many quotations it is in.
    pub quote: u8,
    /// It is in a block of preformatted text, or begins or ends one.
    pub preformatted: bool,
    /// Its text, without the marks of the quotations it is in.
    pub spans: Vec<Span>,
}

/// A part of a line in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub text: String,
    /// How it is drawn.
    pub style: Style,
}

/// How text is drawn; styles add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Bold.
    pub strong: bool,
    /// Italic.
    pub emphasis: bool,
    /// Struck through.
    pub strike: bool,
    /// Monospaced.
    pub preformatted: bool,
}

/// What somebody does, for a text that begins with `/me`: drawn after their name.
#[must_use]
pub fn action(text: &str) -> Option<&str> {
    text.strip_prefix("/me ")
}

/// The lines of a text. Takes time in proportion to its length.
#[must_use]
pub fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    // The number of quotations around the block of preformatted text that is open.
    let mut open: Option<u8> = None;
    for line in text.split('\n') {
        let (quote, rest) = unquoted(line, open.unwrap_or(MAX_QUOTES));
        if open.is_some_and(|around| quote < around) {
            open = None;
        }
        // Only now it is known that the line is not in the block: it may be quoted deeper.
        let (quote, rest) = if open.is_none() { unquoted(line, MAX_QUOTES) } else { (quote, rest) };
        let ends = open.is_some() && rest == FENCE;
        let begins = open.is_none() && rest.starts_with(FENCE);
        let preformatted = open.is_some() || begins;
        if ends {
            open = None;
        } else if begins {
            open = Some(quote);
        }
        let mut spans = Vec::new();
        if preformatted {
            push(&mut spans, rest, Style { preformatted: true, ..Style::default() });
        } else {
            style_spans(rest, Style::default(), &mut spans);
        }
        lines.push(Line { quote, preformatted, spans });
    }
    lines
}

/// How often a line is quoted, up to a limit, and what is quoted.
fn unquoted(line: &str, most: u8) -> (u8, &str) {
    let (mut quote, mut rest) = (0, line);
    while quote < most
        && let Some(inner) = rest.strip_prefix('>')
    {
        quote += 1;
        rest = inner.strip_prefix(char::is_whitespace).unwrap_or(inner);
    }
    (quote, rest)
}

/// Appends the spans of a line or of the inside of a span.
fn style_spans(text: &str, style: Style, spans: &mut Vec<Span>) {
    let mut plain = 0;
    let mut at = 0;
    // Marks that no mark closes from here on.
    let mut unclosed = [false; MARKS.len()];
    let mut before: Option<char> = None;
    while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let inside = at + letter.len_utf8();
        let end = match MARKS.iter().position(|mark| *mark == letter) {
            Some(mark) if before.is_none_or(char::is_whitespace) => {
                let known = unclosed.get(mark).copied().unwrap_or(true);
                let end = if known { None } else { closing(text, inside, letter) };
                if let (None, Some(unclosed)) = (end, unclosed.get_mut(mark)) {
                    // An opening mark that is followed by a space says nothing about the rest.
                    *unclosed |= !starts_with_space(text, inside);
                }
                end
            }
            _ => None,
        };
        match end {
            Some(end) => {
                push(spans, text.get(plain..at).unwrap_or_default(), style);
                span(text, at, end, letter, style, spans);
                at = end + letter.len_utf8();
                plain = at;
            }
            None => at = inside,
        }
        before = Some(letter);
    }
    push(spans, text.get(plain..).unwrap_or_default(), style);
}

/// Appends one span with its marks.
fn span(text: &str, at: usize, end: usize, mark: char, style: Style, spans: &mut Vec<Span>) {
    let mut inner = style;
    match mark {
        '*' => inner.strong = true,
        '_' => inner.emphasis = true,
        '~' => inner.strike = true,
        _ => inner.preformatted = true,
    }
    let mark_text = text.get(at..at + mark.len_utf8()).unwrap_or_default();
    let content = text.get(at + mark.len_utf8()..end).unwrap_or_default();
    push(spans, mark_text, inner);
    if mark == '`' {
        push(spans, content, inner);
    } else {
        style_spans(content, inner, spans);
    }
    push(spans, mark_text, inner);
}

/// Where the mark is that closes a span which begins at `inside`; there is something in between.
fn closing(text: &str, inside: usize, mark: char) -> Option<usize> {
    if starts_with_space(text, inside) {
        return None;
    }
    let mut before: Option<char> = None;
    for (offset, letter) in text.get(inside..)?.char_indices() {
        if letter == mark && before.is_some_and(|before| !before.is_whitespace()) {
            return Some(inside + offset);
        }
        // Two marks in a row are nothing, and no beginning either.
        if letter == mark && before.is_none() {
            return None;
        }
        before = Some(letter);
    }
    None
}

fn starts_with_space(text: &str, at: usize) -> bool {
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    next.is_none_or(char::is_whitespace)
}

/// Appends text, to the last span if that looks the same.
fn push(spans: &mut Vec<Span>, text: &str, style: Style) {
    match spans.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.style == style => last.text.push_str(text),
        _ => spans.push(Span { text: text.to_owned(), style }),
    }
}

const MARKS: [char; 4] = ['*', '_', '~', '`'];
const FENCE: &str = "```";
/// Deeper quotations are shown like these.
const MAX_QUOTES: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// Styled parts of one line, as `style:text`.
    fn styled(text: &str) -> Vec<String> {
        let line = lines(text).into_iter().next().unwrap();
        let spans = line.spans.into_iter().filter(|span| span.style != Style::default());
        spans
            .map(|span| {
                let Style { strong, emphasis, strike, preformatted } = span.style;
                let names = [(strong, 's'), (emphasis, 'e'), (strike, 'x'), (preformatted, 'p')];
                let names: String =
                    names.into_iter().filter(|(on, _)| *on).map(|(_, name)| name).collect();
                format!("{names}:{}", span.text)
            })
            .collect()
    }

    #[test]
    fn spans_are_found_as_the_specification_shows_them() {
        for (text, expected) in [
            ("plain span", vec![]),
            ("*strong span*", vec!["s:*strong span*"]),
            ("plain _emphasis_ plain", vec!["e:_emphasis_"]),
            ("`pre` plain *strong*", vec!["p:`pre`", "s:*strong*"]),
            ("*strong*plain*", vec!["s:*strong*"]),
            ("* plain *strong*", vec!["s:*strong*"]),
            ("everyone ~dis~likes cake", vec!["x:~dis~"]),
            ("_*both*_", vec!["e:_", "se:*both*", "e:_"]),
            ("`*monospace*`", vec!["p:`*monospace*`"]),
            ("not strong*", vec![]),
            ("*not strong", vec![]),
            ("*not *strong", vec![]),
            ("**", vec![]),
            ("***", vec![]),
            ("****", vec![]),
            ("2*3*4", vec![]),
        ] {
            assert_eq!(styled(text), expected, "{text}");
        }
    }

    #[test]
    fn styles_do_not_leave_their_line() {
        assert!(lines("*not\nstrong*").iter().all(|line| line.spans.len() == 1));
    }

    #[test]
    fn quotations_and_blocks_are_told_apart() {
        let text = ">> deep\n> once\nplain\n```\n*code*\n```\nplain\n> ```\n> code\nout";
        let found: Vec<_> =
            lines(text).iter().map(|line| (line.quote, line.preformatted)).collect();
        let expected = [
            (2, false),
            (1, false),
            (0, false),
            (0, true),
            (0, true),
            (0, true),
            (0, false),
            (1, true),
            (1, true),
            (0, false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_is_lost() {
        for text in ["*a* _b_ ~c~ `d`", "* a *b", "```x\n*y*", "a`b`c *d_e*"] {
            let lines: Vec<String> = lines(text)
                .into_iter()
                .map(|line| line.spans.into_iter().map(|span| span.text).collect())
                .collect();
            assert_eq!(lines.join("\n"), text);
        }
    }

    #[test]
    fn long_lines_of_marks_take_no_time() {
        let text = "*a ".repeat(20_000);
        assert_eq!(lines(&text).len(), 1);
        let text = "_~`*".repeat(15_000);
        assert_eq!(lines(&text).len(), 1);
    }

    #[test]
    fn actions_are_told_from_texts() {
        assert_eq!(action("/me waves"), Some("waves"));
        assert_eq!(action("/mewaves"), None);
        assert_eq!(action(" /me waves"), None);
    }
}
