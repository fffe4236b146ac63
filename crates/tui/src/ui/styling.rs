//! XEP-0393: Message Styling 1.1.1
//!
//! Text becomes lines of runs with marks. Directives stay visible and carry the style of what they
//! enclose (XEP-0393 §9). Links are marked as well, so that they can be seen.

/// A line of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StyledLine {
    /// In how many quotations it stands.
    pub quotes: usize,
    /// In a preformatted block.
    pub block: bool,
    /// Its text.
    pub runs: Vec<(String, Marks)>,
}

/// How a run of text is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// `*strong*`
    pub strong: bool,
    /// `_emphasis_`
    pub emphasis: bool,
    /// `~strike through~`
    pub strike: bool,
    /// Preformatted.
    pub mono: bool,
    /// A web or other address.
    pub link: bool,
}

/// The lines of a text.
#[must_use]
pub fn parse(text: &str) -> Vec<StyledLine> {
    let mut lines = Vec::new();
    // The depth of the quotation in which a preformatted block is open.
    let mut open: Option<usize> = None;
    for raw in text.split('\n') {
        let (quotes, content) = unquoted(raw, open);
        if open.is_some_and(|depth| quotes < depth) {
            open = None;
        }
        match open {
            Some(_) => {
                if content.trim_end() == "```" {
                    open = None;
                }
                lines.push(preformatted(quotes, content));
            }
            None if content.starts_with("```") => {
                open = Some(quotes);
                lines.push(preformatted(quotes, content));
            }
            None => {
                let mut runs = Vec::new();
                spans(content, Marks::default(), 0, &mut runs);
                lines.push(StyledLine { quotes, block: false, runs });
            }
        }
    }
    lines
}

/// How deep a line is quoted, and what is quoted. Inside a preformatted block only the marks of the
/// block's own quotations count.
fn unquoted(line: &str, block: Option<usize>) -> (usize, &str) {
    let mut depth = 0;
    let mut rest = line;
    while depth < MOST_QUOTES && block.is_none_or(|most| depth < most) {
        let Some(after) = rest.strip_prefix('>') else { break };
        depth += 1;
        rest = after.strip_prefix(char::is_whitespace).unwrap_or(after);
    }
    (depth, rest)
}

fn preformatted(quotes: usize, content: &str) -> StyledLine {
    let marks = Marks { mono: true, ..Marks::default() };
    StyledLine { quotes, block: true, runs: vec![(content.to_owned(), marks)] }
}

/// Splits a block into spans. A directive opens at the beginning, after white space, or after
/// another opening directive, and closes lazily: at the first place where it can.
fn spans(text: &str, marks: Marks, depth: usize, out: &mut Vec<(String, Marks)>) {
    let mut plain_from = 0;
    let mut before: Option<char> = None;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let may_open = before.is_none_or(char::is_whitespace) && depth < MOST_SPANS;
        let mut inner = marks;
        let close = match directive(character).map(|mark| mark(&mut inner)) {
            // A directive inside its like would change nothing.
            Some(set) if may_open && !*set => {
                *set = true;
                closing(text, at, character)
            }
            _ => None,
        };
        let Some(close) = close else {
            before = Some(character);
            at += character.len_utf8();
            continue;
        };
        push(&text[plain_from..at], marks, out);
        push(&text[at..at + 1], inner, out);
        match character {
            '`' => push(&text[at + 1..close], inner, out),
            _ => spans(&text[at + 1..close], inner, depth + 1, out),
        }
        push(&text[close..close + 1], inner, out);
        before = Some(character);
        at = close + 1;
        plain_from = at;
    }
    push(&text[plain_from..], marks, out);
}

/// The mark that a styling directive sets.
fn directive(character: char) -> Option<fn(&mut Marks) -> &mut bool> {
    match character {
        '*' => Some(|marks| &mut marks.strong),
        '_' => Some(|marks| &mut marks.emphasis),
        '~' => Some(|marks| &mut marks.strike),
        '`' => Some(|marks| &mut marks.mono),
        _ => None,
    }
}

/// Where the directive at `open` is closed, if it is valid: some text between, no white space after
/// the opening one nor before the closing one. The search is bounded by the line.
fn closing(text: &str, open: usize, directive: char) -> Option<usize> {
    let inner = &text[open + 1..];
    if inner.chars().next()?.is_whitespace() {
        return None;
    }
    let (at, _) = inner
        .char_indices()
        .skip(1)
        .find(|(at, c)| *c == directive && !inner[..*at].ends_with(char::is_whitespace))?;
    // `***`: there is nothing but directives between.
    (at > 0 && inner[..at].chars().any(|c| c != directive)).then_some(open + 1 + at)
}

/// Adds a run, with links in runs of their own.
fn push(text: &str, marks: Marks, out: &mut Vec<(String, Marks)>) {
    let mut rest = text;
    while let Some((before, link, after)) = first_link(rest) {
        push_run(before, marks, out);
        push_run(link, Marks { link: true, ..marks }, out);
        rest = after;
    }
    push_run(rest, marks, out);
}

fn push_run(text: &str, marks: Marks, out: &mut Vec<(String, Marks)>) {
    match out.last_mut() {
        _ if text.is_empty() => {}
        Some((last, same)) if *same == marks => last.push_str(text),
        _ => out.push((text.to_owned(), marks)),
    }
}

/// The first link of a text, with what is before and after it.
fn first_link(text: &str) -> Option<(&str, &str, &str)> {
    let start = LINKS
        .iter()
        .filter_map(|scheme| text.find(scheme))
        .filter(|at| !text[..*at].ends_with(char::is_alphanumeric))
        .min()?;
    let length = text[start..].find(|c: char| c.is_whitespace() || "<>\"`".contains(c));
    let whole = &text[start..length.map_or(text.len(), |length| start + length)];
    let link = whole.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '*', '_', '~', '\'']);
    Some((&text[..start], link, &text[start + link.len()..]))
}

/// The first web address in a text, for opening it.
#[must_use]
pub fn link(text: &str) -> Option<&str> {
    first_link(text).map(|(_, link, _)| link)
}

/// What starts an address worth marking.
const LINKS: [&str; 4] = ["https://", "http://", "xmpp:", "mailto:"];
/// Quotations and spans nest no deeper.
const MOST_QUOTES: usize = 8;
const MOST_SPANS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// A line with its marks written as letters around the runs.
    fn shown(text: &str) -> String {
        let line = parse(text).remove(0);
        line.runs.iter().map(|(text, marks)| format!("{}[{text}]", letters(*marks))).collect()
    }

    fn letters(marks: Marks) -> String {
        let all = [
            (marks.strong, 'b'),
            (marks.emphasis, 'i'),
            (marks.strike, 's'),
            (marks.mono, 'm'),
            (marks.link, 'l'),
        ];
        all.iter().filter(|(set, _)| *set).map(|(_, letter)| *letter).collect()
    }

    /// XEP-0393 §6.2.
    #[test]
    fn spans_are_those_of_the_specification() {
        for (text, expected) in [
            ("plain span", "[plain span]"),
            ("*strong span*", "b[*strong span*]"),
            ("plain *_emphasis_* plain", "[plain ]b[*]bi[_emphasis_]b[*][ plain]"),
            ("`pre` plain *strong*", "m[`pre`][ plain ]b[*strong*]"),
            ("*strong*plain*", "b[*strong*][plain*]"),
            ("* plain *strong*", "[* plain ]b[*strong*]"),
            ("Everyone ~dis~likes cake.", "[Everyone ]s[~dis~][likes cake.]"),
            ("This is `*monospace*`", "[This is ]m[`*monospace*`]"),
            ("*`monospace and bold`*", "b[*]bm[`monospace and bold`]b[*]"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn nothing_is_styled_where_the_specification_says_so() {
        for text in ["not strong*", "*not strong", "*not *strong", "**", "***", "****", "a*b*"] {
            assert_eq!(shown(text), format!("[{text}]"));
        }
        let lines = parse("*not\nstrong*");
        assert!(lines.iter().all(|line| line.runs.iter().all(|(_, m)| *m == Marks::default())));
    }

    #[test]
    fn quotations_nest_and_blocks_end_with_them() {
        let lines = parse(">> one\n> two\n> ```\n> *code*\nplain *text*");
        let shape: Vec<(usize, bool)> = lines.iter().map(|l| (l.quotes, l.block)).collect();
        assert_eq!(shape, [(2, false), (1, false), (1, true), (1, true), (0, false)]);
        assert_eq!(lines[3].runs[0].0, "*code*");
        assert!(lines[4].runs[1].1.strong);
    }

    #[test]
    fn a_block_closes_at_its_fence_and_keeps_quote_marks() {
        let lines = parse("```rust\n> not a quote\n```\nafter");
        let shape: Vec<(usize, bool)> = lines.iter().map(|l| (l.quotes, l.block)).collect();
        assert_eq!(shape, [(0, true), (0, true), (0, true), (0, false)]);
    }

    #[test]
    fn links_are_marked_without_the_punctuation_behind_them() {
        assert_eq!(
            shown("see (https://example.org/a_b_c?x=1), ok"),
            "[see (]l[https://example.org/a_b_c?x=1][), ok]"
        );
        assert_eq!(link("so xmpp:juliet@capulet.example"), Some("xmpp:juliet@capulet.example"));
        assert_eq!(link("nohttps://example.org"), None);
    }
}
