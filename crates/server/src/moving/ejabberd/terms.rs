//! Erlang's terms as ejabberd writes them into texts: the options of rooms and nodes.

/// A term.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Atom(String),
    Number(i64),
    Text(String),
    List(Vec<Term>),
    Tuple(Vec<Term>),
}

impl Term {
    /// Reads a term; `None` when it is none, or too deep.
    pub(super) fn parse(text: &str) -> Option<Term> {
        let mut parser = Parser { rest: text };
        let term = parser.term(DEPTH)?;
        parser.space();
        parser.rest.trim_start_matches('.').trim().is_empty().then_some(term)
    }

    /// The text of an atom, a binary or a number.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Term::Atom(word) | Term::Text(word) => Some(word.clone()),
            Term::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Term] {
        match self {
            Term::List(items) | Term::Tuple(items) => items,
            _ => &[],
        }
    }

    /// The value of a key in a list of pairs.
    pub(super) fn option(&self, key: &str) -> Option<&Term> {
        self.items().iter().find_map(|pair| match pair {
            Term::Tuple(pair) => match pair.as_slice() {
                [Term::Atom(name), value] if name == key => Some(value),
                _ => None,
            },
            _ => None,
        })
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, what: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn term(&mut self, depth: usize) -> Option<Term> {
        let depth = depth.checked_sub(1)?;
        self.space();
        if self.eat("<<") {
            return self.binary().map(Term::Text);
        }
        if self.eat("[") {
            return self.sequence("]", depth).map(Term::List);
        }
        if self.eat("{") {
            return self.sequence("}", depth).map(Term::Tuple);
        }
        match self.rest.chars().next()? {
            '"' => self.quoted('"').map(|letters| Term::Text(letters.into_iter().collect())),
            '\'' => self.quoted('\'').map(|letters| Term::Atom(letters.into_iter().collect())),
            '0'..='9' | '-' => self.number().map(Term::Number),
            'a'..='z' => {
                Some(Term::Atom(self.take(|c| c.is_alphanumeric() || c == '_' || c == '@')))
            }
            _ => None,
        }
    }

    fn sequence(&mut self, end: &str, depth: usize) -> Option<Vec<Term>> {
        let mut items = Vec::new();
        if self.eat(end) {
            return Some(items);
        }
        loop {
            items.push(self.term(depth)?);
            if self.eat(end) {
                return Some(items);
            }
            if !self.eat(",") && !self.eat("|") {
                return None;
            }
        }
    }

    /// After `<<`: a quoted text, whose letters are bytes unless `/utf8` follows, or numbers.
    fn binary(&mut self) -> Option<String> {
        self.space();
        if self.eat(">>") {
            return Some(String::new());
        }
        if self.rest.starts_with('"') {
            let letters = self.quoted('"')?;
            let text = match self.eat("/utf8") {
                true => letters.into_iter().collect(),
                false => bytes(letters.into_iter().map(u32::from))?,
            };
            return self.eat(">>").then_some(text);
        }
        let mut numbers = Vec::new();
        loop {
            numbers.push(u32::try_from(self.number()?).ok()?);
            if self.eat(">>") {
                return bytes(numbers.into_iter());
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<i64> {
        self.space();
        self.take(|c| c.is_ascii_digit() || c == '-').parse().ok()
    }

    fn take(&mut self, keep: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    fn quoted(&mut self, quote: char) -> Option<Vec<char>> {
        let mut letters = Vec::new();
        let mut rest = self.rest.chars();
        rest.next();
        loop {
            match rest.next()? {
                letter if letter == quote => break,
                '\\' => letters.push(escape(&mut rest)?),
                letter => letters.push(letter),
            }
        }
        self.rest = rest.as_str();
        Some(letters)
    }
}

fn escape(rest: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        'e' => '\u{1b}',
        's' => ' ',
        'd' => '\u{7f}',
        'x' => {
            let text = rest.as_str();
            let text = text.strip_prefix('{')?;
            let (digits, after) = text.split_once('}')?;
            *rest = after.chars();
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
        }
        digit @ '0'..='7' => {
            let mut code = digit.to_digit(8)?;
            for _ in 0..2 {
                let Some(more) = rest.as_str().chars().next().and_then(|c| c.to_digit(8)) else {
                    break;
                };
                code = code * 8 + more;
                rest.next();
            }
            char::from_u32(code)?
        }
        other => other,
    })
}

fn bytes(numbers: impl Iterator<Item = u32>) -> Option<String> {
    let bytes: Vec<u8> = numbers.map(u8::try_from).collect::<Result<_, _>>().ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lists in lists.
const DEPTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_a_room_are_read() {
        let options = Term::parse(
            "[{title,<<\"The \\\"Feast\\\"\">>},{public,false},{max_users,200},{password,<<>>},\
             {lang,<<\"en\">>},{affiliations,[{{<<\"juliet\">>,<<\"localhost\">>,<<>>},\
             {member,<<>>}}]},{name,<<\"caf\\303\\251\">>},{other,<<\"♥\"/utf8>>},{raw,<<99,195,169>>},\
             {hibernation_time,undefined},{'odd atom',\"list\"}]",
        )
        .unwrap();
        let word = |key| options.option(key).and_then(Term::word);
        assert_eq!(word("title").as_deref(), Some("The \"Feast\""));
        assert_eq!(word("public").as_deref(), Some("false"));
        assert_eq!(word("max_users").as_deref(), Some("200"));
        assert_eq!(word("password").as_deref(), Some(""));
        assert_eq!(word("name").as_deref(), Some("café"));
        assert_eq!(word("other").as_deref(), Some("♥"));
        assert_eq!(word("raw").as_deref(), Some("cé"));
        assert_eq!(word("odd atom").as_deref(), Some("list"));
        let listed = options.option("affiliations").unwrap().items();
        assert_eq!(listed[0].items()[1].items()[0].word().as_deref(), Some("member"));
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for text in ["", "[", "{a,", "<<\"a\">", "f(x)", "[a b]", "<<300>>", "\"open"] {
            assert_eq!(Term::parse(text), None, "{text}");
        }
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        assert_eq!(Term::parse(&deep), None);
    }
}
