//! Reading the text of a play. The grammar is described in `docs/dev/plays.md`.

use super::cast::{login, role};
use super::pattern::Pattern;
use super::script::{Acceptance, Action, Deed, Operation, PageCheck, Play, Step, Together, Visit};
use super::template::Template;

/// A mistake in a play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line number from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads a play.
///
/// # Errors
/// The first mistake with its line.
pub fn parse(name: &str, text: &str) -> Result<Play, Mistake> {
    let mut play = Play {
        name: name.to_owned(),
        specs: Vec::new(),
        needs: Vec::new(),
        settings: Vec::new(),
        contacts: Vec::new(),
        skips: Vec::new(),
        cast: Vec::new(),
        steps: Vec::new(),
    };
    for paragraph in paragraphs(text)? {
        let line = paragraph.line;
        play.take(paragraph).map_err(|what| Mistake { line, what })?;
    }
    if play.specs.is_empty() {
        return Err(Mistake { line: 1, what: "no `spec:` line says what the play shows".into() });
    }
    Ok(play)
}

/// A line at the margin with the indented lines below it.
struct Paragraph<'a> {
    line: usize,
    head: &'a str,
    block: String,
}

fn paragraphs(text: &str) -> Result<Vec<Paragraph<'_>>, Mistake> {
    let mut paragraphs: Vec<Paragraph<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.trim_start().starts_with('#') {
            continue;
        }
        let indented = line.starts_with(' ') || line.is_empty();
        match paragraphs.last_mut() {
            Some(paragraph) if indented => {
                paragraph.block.push_str(line);
                paragraph.block.push('\n');
            }
            None if line.is_empty() => {}
            None if indented => {
                return Err(Mistake { line: index + 1, what: "nothing to belong to".into() });
            }
            _ => paragraphs.push(Paragraph { line: index + 1, head: line, block: String::new() }),
        }
    }
    Ok(paragraphs)
}

impl Paragraph<'_> {
    /// What follows the colon: on the same line, below, or both.
    fn body(&self, inline: &str) -> Result<String, String> {
        let body = format!("{}\n{}", inline.trim(), self.block);
        let body = body.trim();
        if body.is_empty() { Err("nothing follows the colon".into()) } else { Ok(body.to_owned()) }
    }
}

impl Play {
    fn take(&mut self, paragraph: Paragraph<'_>) -> Result<(), String> {
        let head = paragraph.head;
        if self.steps.is_empty()
            && let Some((key, value)) = head.split_once(':')
            && self.header(key, value.trim(), &paragraph)?
        {
            return Ok(());
        }
        let action = if let Some(rest) = head.strip_prefix("The operator ") {
            Action::Operator(operation(rest, &paragraph)?)
        } else if let Some(rest) = head.strip_prefix("A visitor ") {
            let mut visits = visits(rest, &paragraph)?;
            let visit = visits.pop().filter(|_| visits.is_empty());
            Action::Visit(visit.ok_or("a visitor sends one body")?)
        } else if let Some(together) = pages_together(&paragraph)? {
            Action::Together(together)
        } else if let Some(rest) =
            ["The page ", "The answer "].iter().find_map(|it| head.strip_prefix(it))
        {
            Action::Page(page_check(rest, &paragraph)?)
        } else if let Some(together) = self.together(&paragraph)? {
            Action::Together(together)
        } else {
            self.client_action(&paragraph)?
        };
        self.steps.push(Step { line: paragraph.line, text: head.to_owned(), action });
        Ok(())
    }

    /// Takes a header line; false if the line is none.
    fn header(
        &mut self,
        key: &str,
        value: &str,
        paragraph: &Paragraph<'_>,
    ) -> Result<bool, String> {
        match key {
            "spec" => self.specs.extend(value.split(", ").map(str::to_owned)),
            "needs" => self.needs.extend(value.split(", ").map(str::to_owned)),
            "setting" => self.settings.push(value.to_owned()),
            "contacts" => {
                let pair = value.split_once(" and ").ok_or("write `contacts: romeo and juliet`")?;
                self.contacts.push((pair.0.to_owned(), pair.1.to_owned()));
            }
            "cast" => {
                for line in paragraph.block.lines().filter(|line| !line.trim().is_empty()) {
                    self.cast.push(role(line.trim())?);
                }
            }
            _ => match (key.strip_prefix("on "), value.strip_prefix("skip because ")) {
                (Some(target), Some(reason)) => {
                    self.skips.push((target.to_owned(), reason.to_owned()));
                }
                _ => return Ok(false),
            },
        }
        if key != "cast" && !paragraph.block.trim().is_empty() {
            return Err(format!("`{key}:` takes one line"));
        }
        Ok(true)
    }

    /// What several clients do or experience together, if that is what a line tells.
    fn together(&self, paragraph: &Paragraph<'_>) -> Result<Option<Together>, String> {
        let Some((phrase, inline)) = paragraph.head.split_once(':') else { return Ok(None) };
        let pattern = || -> Result<Pattern, String> {
            let mut patterns = Pattern::parse_all(&paragraph.body(inline)?)?;
            let first = patterns.pop().filter(|_| patterns.is_empty());
            first.ok_or_else(|| "one element, please".to_owned())
        };
        if phrase == "The others receive" {
            return Ok(Some(Together::OthersReceive(pattern()?)));
        }
        if let Some(names) = phrase.strip_suffix(" send at once") {
            let template = Template::parse(&without_gaps(&paragraph.body(inline)?))?;
            return Ok(Some(Together::Send(self.several(names)?, template)));
        }
        let one = phrase.strip_prefix("One of ").and_then(|rest| rest.strip_suffix(" receives"));
        let Some(names) = one else { return Ok(None) };
        Ok(Some(Together::OneReceives(self.several(names)?, pattern()?)))
    }

    /// Reads `Romeo, Juliet and Nurse`.
    fn several(&self, names: &str) -> Result<Vec<usize>, String> {
        let names = names.split(", ").flat_map(|part| part.split(" and "));
        names.map(|name| self.number(name)).collect()
    }

    fn number(&self, who: &str) -> Result<usize, String> {
        let found = self.cast.iter().position(|role| role.name == who);
        found.ok_or_else(|| format!("{who} is not in the cast, and no header or step begins so"))
    }

    fn client_action(&self, paragraph: &Paragraph<'_>) -> Result<Action, String> {
        let head = paragraph.head;
        let who = head.split([' ', '\'']).next().unwrap_or_default();
        let index = self.number(who)?;
        let rest = head[who.len()..].trim_start();
        let (phrase, inline) = match rest.split_once(':') {
            Some((phrase, inline)) if takes_text(phrase) => (phrase, Some(inline)),
            _ => (rest, None),
        };
        let text = match inline {
            Some(inline) => Some(paragraph.body(inline)?),
            None if paragraph.block.trim().is_empty() => None,
            None => return Err("the indented lines belong to nothing; is a colon missing?".into()),
        };
        Ok(Action::Client(index, deed(phrase, text)?))
    }
}

fn takes_text(phrase: &str) -> bool {
    [
        "sends",
        "receives",
        "wants notifications of",
        "authenticates",
        "tries to authenticate",
        "makes the room",
        "accepts a stream",
        "is connected to",
    ]
    .iter()
    .any(|verb| phrase.starts_with(verb))
}

fn deed(phrase: &str, text: Option<String>) -> Result<Deed, String> {
    match text {
        Some(text) => deed_with_text(phrase, &text),
        None => plain_deed(phrase),
    }
}

fn plain_deed(phrase: &str) -> Result<Deed, String> {
    Ok(match phrase {
        "connects" => Deed::Connect,
        "logs in" => Deed::LogIn,
        "opens a connection" => Deed::OpenConnection,
        "opens a stream" => Deed::OpenStream(Vec::new()),
        "starts TLS" => Deed::StartTls,
        "binds" => Deed::Bind(None),
        "loads the roster" => Deed::LoadRoster,
        "becomes available" => Deed::BecomeAvailable,
        "receives nothing" => Deed::ReceiveNothing,
        "receives no presence" => Deed::ReceiveNoPresence,
        "receives an XML declaration" => Deed::ReceiveDeclaration,
        "ignores what came" => Deed::IgnoreReceived,
        "disconnects" => Deed::Disconnect,
        "loses the connection" => Deed::LoseConnection,
        "'s stream is closed" => Deed::StreamClosed,
        "is disconnected" => Deed::Disconnected,
        "enables stream management" => Deed::EnableStreamManagement,
        "resumes the stream" => Deed::Resume,
        "acknowledges" => Deed::Acknowledge,
        "stops acknowledging" => Deed::StopAcknowledging,
        "accepts a connection" => Deed::Accept(Acceptance::Connection),
        "accepts a stream" => Deed::Accept(Acceptance::Stream(None)),
        "accepts stream management" => Deed::Accept(Acceptance::StreamManagement),
        "accepts the resumption" => Deed::Accept(Acceptance::Resumption),
        "is connected to" => Deed::Accept(Acceptance::Everything(None)),
        _ => return modified_deed(phrase, None),
    })
}

fn deed_with_text(phrase: &str, text: &str) -> Result<Deed, String> {
    Ok(match phrase {
        "sends" => Deed::Send(Template::parse(&without_gaps(text))?),
        "sends raw" => Deed::SendRaw(Template::parse(text)?),
        "sends bytes" => Deed::SendBytes(hexadecimal(text)?),
        "receives" => Deed::Receive(Pattern::parse_all(text)?),
        "receives in any order" => Deed::ReceiveAnyOrder(Pattern::parse_all(text)?),
        "receives no" => Deed::ReceiveNone(Pattern::parse_all(text)?),
        "accepts a stream" => {
            Deed::Accept(Acceptance::Stream(Some(Template::parse(&without_gaps(text))?)))
        }
        "is connected to" => {
            Deed::Accept(Acceptance::Everything(Some(Template::parse(&without_gaps(text))?)))
        }
        "wants notifications of" => {
            Deed::WantNotifications(text.split([',', '\n']).map(|f| f.trim().to_owned()).collect())
        }
        _ => return modified_deed(phrase, Some(text)),
    })
}

/// Deeds whose verb is followed by details.
fn modified_deed(phrase: &str, text: Option<&str>) -> Result<Deed, String> {
    let block = text.map(|text| Template::parse(&without_gaps(text))).transpose()?;
    if let Some(details) = phrase.strip_prefix("tries to authenticate") {
        return Ok(Deed::TryToAuthenticate(login(details)?, block));
    }
    if let Some(details) = phrase.strip_prefix("authenticates") {
        return Ok(Deed::Authenticate(login(details)?, block));
    }
    if let Some(resource) = phrase.strip_prefix("binds the resource ") {
        return Ok(Deed::Bind(Some(Template::parse(resource)?)));
    }
    if let Some(attributes) = phrase.strip_prefix("opens a stream with ") {
        let element = format!("<x {attributes}/>");
        let pattern = Pattern::parse_all(&element)?.remove(0);
        return Ok(Deed::OpenStream(pattern.attributes));
    }
    if let Some(rest) = phrase.strip_prefix("makes the room ") {
        let (room, nick) = room_and_nick(rest)?;
        return Ok(Deed::MakeRoom(room, nick, fields(text.unwrap_or(OPEN_ROOM))?));
    }
    if let Some(rest) = phrase.strip_prefix("joins the room ") {
        let (room, nick) = room_and_nick(rest)?;
        return Ok(Deed::JoinRoom(room, nick));
    }
    Err(format!("`{phrase}` is not something a client can do"))
}

fn room_and_nick(text: &str) -> Result<(String, String), String> {
    let (room, nick) = text.split_once(" as ").ok_or("write `the room coven as firstwitch`")?;
    Ok((room.to_owned(), nick.to_owned()))
}

/// Reads `membersonly=1, whois=anyone`.
fn fields(text: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = text.split([',', '\n']).map(str::trim).filter(|pair| !pair.is_empty());
    let read = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or("write fields as name=value")?;
        Ok((name.to_owned(), value.to_owned()))
    };
    pairs.map(read).collect()
}

/// The configuration of a room whose play says nothing about it.
const OPEN_ROOM: &str =
    "membersonly=0, whois=anyone, persistentroom=1, publicroom=0, moderatedroom=0";

fn operation(rest: &str, paragraph: &Paragraph<'_>) -> Result<Operation, String> {
    if let Some(name) = rest.strip_prefix("creates an invitation ") {
        let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        return Ok(Operation::Invite(name.ok_or("name the invitation in braces")?.to_owned()));
    }
    if let Some(inline) = rest.strip_prefix("runs:") {
        return Ok(Operation::Run(Template::parse(&paragraph.body(inline)?)?));
    }
    match rest {
        "restarts the server" => Ok(Operation::Restart),
        "kills the server" => Ok(Operation::Kill),
        _ => Err(format!("`{rest}` is not something the operator can do")),
    }
}

/// What several visitors do or experience together, if that is what a line tells.
fn pages_together(paragraph: &Paragraph<'_>) -> Result<Option<Together>, String> {
    let status = |text: &str| text.parse::<u16>().map_err(|_| "a status is a number".to_owned());
    let head = paragraph.head;
    if let Some(status_of_one) = head.strip_prefix("One of the pages has status ") {
        return Ok(Some(Together::OnePageHas(status(status_of_one)?)));
    }
    if let Some(status_of_others) = head.strip_prefix("The other pages have status ") {
        return Ok(Some(Together::OtherPagesHave(status(status_of_others)?)));
    }
    let sent = head.strip_prefix("Visitors send ").and_then(|rest| rest.strip_suffix(" at once"));
    let Some(sent) = sent else { return Ok(None) };
    Ok(Some(Together::Visit(visits(&format!("sends {sent}"), paragraph)?)))
}

/// A visit for each body; one when there is none.
fn visits(rest: &str, paragraph: &Paragraph<'_>) -> Result<Vec<Visit>, String> {
    let (method, path) = match rest.strip_prefix("opens ") {
        Some(path) => ("GET", path),
        None => rest
            .strip_prefix("sends ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| format!("`{rest}` is not something a visitor can do"))?,
    };
    let mut bodies = Vec::new();
    let mut visit = Visit {
        method: method.to_owned(),
        path: Template::parse(path)?,
        headers: Vec::new(),
        body: None,
    };
    for line in paragraph.block.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(header) = line.strip_prefix("with header ") {
            let (name, value) = header.split_once(": ").ok_or("write `with header Name: value`")?;
            visit.headers.push((name.to_owned(), Template::parse(value)?));
        } else if let Some(body) = line.strip_prefix("with body: ") {
            bodies.push(Template::parse(body)?);
        } else {
            return Err(format!("`{line}` is nothing a visitor can send"));
        }
    }
    if bodies.is_empty() {
        return Ok(vec![visit]);
    }
    let with = |body| Visit { body: Some(body), ..visit.clone() };
    Ok(bodies.into_iter().map(with).collect())
}

fn page_check(rest: &str, paragraph: &Paragraph<'_>) -> Result<PageCheck, String> {
    if let Some(status) = rest.strip_prefix("has status ") {
        return Ok(PageCheck::Status(status.parse().map_err(|_| "a status is a number")?));
    }
    if let Some(header) = rest.strip_prefix("has header ") {
        let (name, value) = header.split_once(": ").ok_or("write `has header Name: value`")?;
        return Ok(PageCheck::Header(name.to_lowercase(), Template::parse(value)?));
    }
    if let Some(inline) = rest.strip_prefix("contains:") {
        return Ok(PageCheck::Contains(Template::parse(&paragraph.body(inline)?)?));
    }
    if let Some(inline) = rest.strip_prefix("does not contain:") {
        return Ok(PageCheck::ContainsNot(Template::parse(&paragraph.body(inline)?)?));
    }
    if let Some(inline) = rest.strip_prefix("reads:") {
        let mut patterns = Pattern::parse_all(&paragraph.body(inline)?)?;
        return patterns.pop().map(PageCheck::Reads).ok_or_else(|| "an element is missing".into());
    }
    Err(format!("`{rest}` is nothing a page can do"))
}

/// Removes the line breaks and indentation between tags, which are only for the reader.
fn without_gaps(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().map(str::trim) {
        // Text or attributes that run over several lines are separated by one space.
        let between_tags = out.ends_with('>') || line.starts_with('<');
        if !(out.is_empty() || line.is_empty() || between_tags) {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}

fn hexadecimal(text: &str) -> Result<Vec<u8>, String> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).map_err(|_| format!("{byte} is not a byte")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Via;

    const PLAY: &str = r#"# A comment.
spec: XEP-0199 §4.1
needs: ping, carbons
setting: open registration
on prosody: skip because of a bug

cast:
  Romeo: romeo/orchard, over TLS, by SCRAM-SHA-1
  Nurse: nurse, not registered

Romeo connects
Romeo sends:
  <iq type="get" id="1">
    <ping xmlns="urn:xmpp:ping"/>
  </iq>
Romeo receives:
  <iq type="result" id="1" ...>...</iq>
Romeo's stream is closed
Nurse tries to authenticate by PLAIN, with password {x}
The operator creates an invitation {token}
A visitor opens /.well-known/host-meta
The page has status 200
"#;

    #[test]
    fn a_play_is_read_whole() {
        let play = parse("a/b", PLAY).unwrap();
        assert_eq!(play.specs, ["XEP-0199 §4.1"]);
        assert_eq!(play.needs, ["ping", "carbons"]);
        assert_eq!(play.skips, [("prosody".to_owned(), "of a bug".to_owned())]);
        assert_eq!(play.cast[0].via, Via::DirectTls);
        assert!(play.cast[1].resource.is_none() && !play.cast[1].registered);
        assert_eq!(play.steps.len(), 8);
        assert_eq!(play.steps[1].line, 12);
        let Action::Client(0, Deed::Send(sent)) = &play.steps[1].action else {
            panic!("{:?}", play.steps[1])
        };
        assert_eq!(
            *sent,
            Template::parse(r#"<iq type="get" id="1"><ping xmlns="urn:xmpp:ping"/></iq>"#).unwrap()
        );
        assert!(matches!(play.steps[3].action, Action::Client(0, Deed::StreamClosed)));
    }

    #[test]
    fn mistakes_carry_their_line() {
        for (text, line, what) in [
            ("spec: x\n\nTybalt connects", 3, "Tybalt is not in the cast"),
            ("spec: x\ncast:\n  Romeo: romeo\nRomeo dances", 4, "dances"),
            ("spec: x\ncast:\n  Romeo: romeo\nRomeo receives\n  <a/>", 4, "colon"),
            ("cast:\n  Romeo: romeo", 1, "spec:"),
        ] {
            let mistake = parse("x", text).unwrap_err();
            assert_eq!(mistake.line, line, "{text}: {mistake}");
            assert!(mistake.what.contains(what), "{text}: {mistake}");
        }
    }
}
