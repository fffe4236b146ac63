//! From a typed line to a command with its arguments.

use super::{COMMANDS, Command};

/// Something that can stand behind a command.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// What it is called: `ADDRESS`.
    pub name: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// It must be there.
    pub required: bool,
}

/// What an argument can be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A word, or several in double quotes.
    Word,
    /// An address, or the name of somebody known.
    Person,
    /// The same, or a room that is known.
    Conversation,
    /// Addresses or names of people known, to the end of the line.
    People,
    /// Somebody in the room on screen: a nickname or an address.
    Occupant,
    /// The address of a room, or a link to one.
    Room,
    /// An address.
    Address,
    /// Everything to the end of the line.
    Rest,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The name of a command.
    Command,
}

impl Argument {
    /// An argument that must be there.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind) -> Argument {
        Argument { name, kind, required: true }
    }

    /// An argument that can be left out.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind) -> Argument {
        Argument { name, kind, required: false }
    }
}

/// What stood behind a command, in its places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(Vec<String>);

impl Values {
    /// What stood at a place.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&str> {
        self.0.get(place).map(String::as_str)
    }

    /// What stood at a place where something must be.
    #[must_use]
    pub fn text(&self, place: usize) -> &str {
        self.at(place).unwrap_or_default()
    }

    /// What stood at a place and behind it.
    pub fn from(&self, place: usize) -> impl Iterator<Item = &str> {
        self.0.iter().skip(place).map(String::as_str)
    }
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it, and how it would be right.
pub fn parse(line: &str) -> Result<(&'static Command, Values), String> {
    let line = line.trim_end();
    let rest = line.strip_prefix('/').unwrap_or(line);
    let (name, mut rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let command = Command::find(name).ok_or_else(|| unknown(name))?;
    let mut values = Vec::new();
    for argument in command.arguments {
        rest = rest.trim_start();
        if rest.is_empty() {
            match argument.required {
                true => return Err(format!("it is typed {}", command.usage())),
                false => break,
            }
        }
        let value = match argument.kind {
            Kind::Rest => std::mem::take(&mut rest).trim_end(),
            _ => word(&mut rest),
        };
        check(argument, value, command)?;
        values.push(value.to_owned());
        while let Kind::People = argument.kind
            && !rest.trim_start().is_empty()
        {
            rest = rest.trim_start();
            values.push(word(&mut rest).to_owned());
        }
    }
    match rest.trim() {
        "" => Ok((command, Values(values))),
        more => Err(format!("“{more}” is too much: it is typed {}", command.usage())),
    }
}

/// Takes a word, or what stands between double quotes.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    if let Some(quoted) = rest.strip_prefix('"')
        && let Some((word, after)) = quoted.split_once('"')
    {
        *rest = after;
        return word;
    }
    let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    *rest = after;
    word
}

fn check(argument: &Argument, value: &str, command: &Command) -> Result<(), String> {
    match argument.kind {
        Kind::Choice(choices) if !choices.contains(&value) => {
            Err(format!("it is typed {}", command.usage()))
        }
        Kind::Address if value.parse::<xmpp::jid::BareJid>().is_err() => {
            Err(format!("{value} is not an address; one looks like juliet@example.org"))
        }
        _ => Ok(()),
    }
}

/// There is no such command; perhaps one that begins alike.
fn unknown(name: &str) -> String {
    let near = COMMANDS
        .iter()
        .filter(|command| !name.is_empty() && command.name.starts_with(&name[..first_letter(name)]))
        .min_by_key(|command| std::cmp::Reverse(alike(command.name, name)));
    match near.filter(|command| alike(command.name, name) > 1) {
        Some(command) => format!("there is no /{name}; perhaps /{}?", command.name),
        None => format!("there is no /{name}: /help lists all. To send it as text, begin with //"),
    }
}

fn first_letter(name: &str) -> usize {
    name.chars().next().map_or(0, char::len_utf8)
}

/// How many letters two words have in common at their beginning.
fn alike(one: &str, two: &str) -> usize {
    one.chars().zip(two.chars()).take_while(|(a, b)| a == b).count()
}
