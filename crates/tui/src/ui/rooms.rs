//! What is peculiar to rooms: what people are called there, whom a text names, and links to rooms.

use std::ops::Range;

use client::store::{Message, Mute, Notify};
use client::view::{
    Affiliation, Conversation, JoinRequest, Kind, Member, Role, Room, RoomLink, RoomState,
};

use super::app::{App, Key};
use super::clock::count;
use super::mirror::Mirror;

impl Mirror {
    /// What to call who wrote a message: in a room what the room calls them.
    #[must_use]
    pub fn author(&self, message: &Message) -> String {
        match &message.occupant {
            Some(occupant) => occupant.nick.clone(),
            None => self.name(&message.sender),
        }
    }

    /// Unread messages of a conversation that call for attention: none of what is muted, and only
    /// mentions where only those notify.
    #[must_use]
    pub fn calls(&self, conversation: &Conversation) -> u32 {
        match conversation.mute {
            Mute::No if self.is_quiet(conversation) => conversation.mentions,
            Mute::No => conversation.unread,
            Mute::Until(_) | Mute::Forever => 0,
        }
    }

    /// Whether only mentions notify.
    #[must_use]
    pub fn is_quiet(&self, conversation: &Conversation) -> bool {
        match conversation.notify {
            _ if conversation.kind == Kind::Person => false,
            Notify::All => false,
            Notify::Mentions => true,
            Notify::Usual => {
                !self.rooms.get(&conversation.address).is_some_and(|room| room.private)
            }
        }
    }
}

impl App {
    /// The room on screen, if it is one.
    #[must_use]
    pub fn room(&self) -> Option<&Room> {
        self.room_of(self.open.as_ref()?)
    }

    /// What is known of a room.
    #[must_use]
    pub fn room_of(&self, key: &Key) -> Option<&Room> {
        self.mirror(key.account)?.rooms.get(&key.with)
    }
}

/// Finds somebody in a room by nickname or address.
///
/// # Errors
/// Nobody, or several people, could be meant.
pub fn somebody<'a>(room: &'a Room, typed: &str) -> Result<&'a Member, String> {
    let wanted = typed.trim_start_matches('@').to_lowercase();
    let nick = |member: &&Member| member.nick.as_ref().is_some_and(|n| n.to_lowercase() == wanted);
    let address = |member: &&Member| member.address.as_ref().is_some_and(|a| a.as_str() == typed);
    let members = &room.members;
    if let Some(found) = members.iter().find(nick).or_else(|| members.iter().find(address)) {
        return Ok(found);
    }
    let begins = |text: &str| text.to_lowercase().starts_with(&wanted);
    let fitting: Vec<&Member> = members
        .iter()
        .filter(|member| {
            member.nick.as_deref().is_some_and(begins)
                || member.address.as_ref().is_some_and(|address| begins(address.as_str()))
        })
        .collect();
    match fitting.as_slice() {
        &[only] => Ok(only),
        [] => Err(format!("nobody here is called {typed}; /members lists all")),
        _ => Err(format!("several people could be {typed}; write the whole name")),
    }
}

/// What to call somebody in a room.
#[must_use]
pub fn name(member: &Member) -> String {
    let address = || member.address.as_ref().map(ToString::to_string);
    member.nick.clone().or_else(address).unwrap_or_default()
}

/// Where a text names somebody: as a word, in whichever case.
#[must_use]
pub fn mentions(text: &str, nick: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before: Option<char> = None;
    for (at, letter) in text.char_indices() {
        let free = found.last().is_none_or(|last| last.end <= at);
        if free
            && !before.is_some_and(char::is_alphanumeric)
            && let Some(end) = same_word(text, at, nick)
        {
            found.push(at..end);
        }
        before = Some(letter);
    }
    found
}

/// Where the word that begins there ends, if it is this one.
fn same_word(text: &str, at: usize, word: &str) -> Option<usize> {
    let mut letters = text.get(at..)?.char_indices();
    for wanted in word.chars() {
        let (_, letter) = letters.next()?;
        if !letter.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    let next = letters.next();
    let ends = !next.is_some_and(|(_, letter)| letter.is_alphanumeric());
    (ends && !word.is_empty()).then(|| next.map_or(text.len(), |(offset, _)| at + offset))
}

/// A nickname in the place of its beginning.
#[derive(Debug, PartialEq, Eq)]
pub enum Nick {
    /// This part of the text becomes this.
    Text(Range<usize>, String),
    /// It could be one of these.
    Choices(Vec<String>),
    /// Nobody here is called so.
    Nobody,
}

/// Completes the nickname that ends at the cursor. At the beginning of a text it speaks to somebody.
#[must_use]
pub fn complete(room: &Room, text: &str, cursor: usize) -> Nick {
    let Some(before) = text.get(..cursor) else { return Nick::Nobody };
    let start = before
        .rfind(char::is_whitespace)
        .map_or(0, |space| space + before[space..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    let (sign, typed) = match word.strip_prefix('@') {
        Some(rest) => ("@", rest),
        None => ("", word),
    };
    if word.is_empty() {
        return Nick::Nobody;
    }
    let lower = typed.to_lowercase();
    let mut fitting: Vec<&str> = room
        .members
        .iter()
        .filter_map(|member| member.nick.as_deref())
        .filter(|nick| Some(*nick) != room.nick.as_deref())
        .filter(|nick| nick.to_lowercase().starts_with(&lower))
        .collect();
    fitting.sort_unstable();
    match fitting.as_slice() {
        [] => Nick::Nobody,
        [only] => {
            let end = if start == 0 && sign.is_empty() { ": " } else { " " };
            Nick::Text(start..cursor, format!("{sign}{only}{end}"))
        }
        several => {
            let common = common(several);
            match common.chars().count() > typed.chars().count() {
                true => Nick::Text(start..cursor, format!("{sign}{common}")),
                false => Nick::Choices(several.iter().map(|nick| (*nick).to_owned()).collect()),
            }
        }
    }
}

/// How all of them begin.
fn common<'a>(words: &[&'a str]) -> &'a str {
    let Some((first, rest)) = words.split_first() else { return "" };
    rest.iter().fold(*first, |common, other| {
        let same = |((_, a), b): &((usize, char), char)| a.to_lowercase().eq(b.to_lowercase());
        let count = common.char_indices().zip(other.chars()).take_while(same).count();
        let end = common.char_indices().nth(count).map_or(common.len(), |(at, _)| at);
        &common[..end]
    })
}

/// What a link to a group is good for.
#[must_use]
pub fn link_title(link: &RoomLink) -> String {
    let days = link.seconds.map(|seconds| match seconds {
        ..=7200 => count(seconds.div_ceil(60), "minute"),
        7201..=172_800 => count(seconds.div_ceil(3600), "hour"),
        _ => count(seconds.div_ceil(86_400), "day"),
    });
    let uses = link.uses.map(|uses| match uses {
        1 => "one person".to_owned(),
        uses => format!("{uses} people"),
    });
    let good: Vec<String> = uses.into_iter().chain(days).collect();
    match good.is_empty() {
        true => "An invitation".to_owned(),
        false => format!("An invitation for {}", good.join(", ")),
    }
}

/// The request of somebody who is named by their address, or by a nickname that only one has.
///
/// # Errors
/// Nobody is, or several are.
pub fn named<'a>(requests: &'a [JoinRequest], typed: &str) -> Result<&'a JoinRequest, String> {
    let typed = typed.trim().to_lowercase();
    let by_address =
        |one: &&JoinRequest| one.address.as_ref().is_some_and(|it| it.as_str() == typed);
    if let Some(one) = requests.iter().find(by_address) {
        return Ok(one);
    }
    let mut named = requests.iter().filter(|one| one.nick.to_lowercase() == typed);
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err("nobody of this name asks to be let in".to_owned()),
        (Some(_), Some(_)) => Err("several ask with this name: give the address".to_owned()),
    }
}

/// Who asks to be let into a room and did not a moment ago.
#[must_use]
pub fn asking(before: Option<&Room>, after: &Room) -> Option<String> {
    let known = before.map(|before| before.requests.as_slice()).unwrap_or_default();
    let news: Vec<&str> = after
        .requests
        .iter()
        .filter(|one| !known.contains(one))
        .map(|one| one.nick.as_str())
        .collect();
    let one = match news.len() {
        1 => "asks",
        _ => "ask",
    };
    (!news.is_empty()).then(|| format!("{} {one} to be let in: /members", news.join(", ")))
}

/// Who came into a room or left it, between two moments in which this account was in it; nothing in
/// rooms where people come and go all the time.
#[must_use]
pub fn passing(before: &Room, after: &Room) -> Option<String> {
    let inside = before.state == RoomState::In && after.state == RoomState::In;
    if !inside || after.members.len() > FEW {
        return None;
    }
    let missing = |here: &Room, there: &Room| -> Vec<Member> {
        let known = |nick: &String| there.members.iter().any(|m| m.nick.as_ref() == Some(nick));
        let gone = here.members.iter().filter(|m| m.nick.as_ref().is_some_and(|n| !known(n)));
        gone.cloned().collect()
    };
    let (came, left) = (missing(after, before), missing(before, after));
    if let ([new], [old]) = (came.as_slice(), left.as_slice())
        && (new.address.is_none() || new.address == old.address)
    {
        return Some(format!("{} is called {} now", name(old), name(new)));
    }
    let said = |people: &[Member], what: &str| {
        let names: Vec<String> = people.iter().map(name).collect();
        (!names.is_empty()).then(|| format!("{} {what}", names.join(", ")))
    };
    let said: Vec<String> =
        [said(&came, "came"), said(&left, "left")].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" · "))
}

/// What somebody is in a room, in a word; `None` for who has no special rights.
#[must_use]
pub fn standing(member: &Member) -> Option<&'static str> {
    Some(match (member.affiliation, member.role) {
        (Affiliation::Owner, _) => "owner",
        (Affiliation::Admin, _) => "admin",
        (Affiliation::Outcast, _) => "banned",
        (_, Role::Moderator) => "moderator",
        (_, Role::Visitor) => "may only read",
        (Affiliation::Member, _) => "member",
        _ => return None,
    })
}

/// Rooms with so few people tell who comes and goes.
const FEW: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    #[test]
    fn a_text_names_somebody_by_a_word_in_any_case() {
        assert_eq!(mentions("Romeo, ROMEO! @romeo", "romeo"), [0..5, 7..12, 15..20]);
        assert!(mentions("romeos romeö aromeo", "romeo").is_empty());
        assert_eq!(mentions("o Übü", "übü"), vec![2..7; 1]);
        assert!(mentions("text", "").is_empty());
    }

    #[test]
    fn nicknames_are_completed_where_the_cursor_is() {
        let room = sample::room();
        let text = |text: &str| complete(&room, text, text.len());
        assert_eq!(text("mer"), Nick::Text(0..3, "Mercutio: ".to_owned()));
        assert_eq!(text("what, @m"), Nick::Text(6..8, "@Mercutio ".to_owned()));
        assert_eq!(text("say b"), Nick::Text(4..5, "Ben".to_owned()));
        assert_eq!(text("say Ben"), Nick::Choices(vec!["Ben".into(), "Benvolio".into()]));
        // One's own name is of no use, and neither is nothing.
        assert_eq!(text("rom"), Nick::Nobody);
        assert_eq!(text("say "), Nick::Nobody);
        assert_eq!(complete(&room, "mer is", 3), Nick::Text(0..3, "Mercutio: ".to_owned()));
    }

    #[test]
    fn people_are_found_by_nickname_address_or_their_beginning() {
        let room = sample::room();
        let found = |typed| somebody(&room, typed).map(name);
        assert_eq!(found("mercutio").as_deref(), Ok("Mercutio"));
        assert_eq!(found("@Ben").as_deref(), Ok("Ben"));
        assert_eq!(found("benvolio@montague.example").as_deref(), Ok("Benvolio"));
        assert_eq!(found("laur").as_deref(), Ok("laurence@cell.example"));
        assert!(found("paris").is_err());
    }

    #[test]
    fn who_comes_and_goes_is_told_in_small_rooms() {
        let all = sample::room();
        let mut fewer = all.clone();
        fewer.members.retain(|member| member.nick.as_deref() != Some("Mercutio"));
        assert_eq!(passing(&fewer, &all).as_deref(), Some("Mercutio came"));
        assert_eq!(passing(&all, &fewer).as_deref(), Some("Mercutio left"));
        let mut renamed = all.clone();
        let mercutio = renamed.members.iter_mut().find(|m| m.nick.as_deref() == Some("Mercutio"));
        mercutio.unwrap().nick = Some("Queen Mab".to_owned());
        assert_eq!(passing(&all, &renamed).as_deref(), Some("Mercutio is called Queen Mab now"));
        assert_eq!(passing(&all, &all), None);
        let out = Room { state: RoomState::Out, members: Vec::new(), ..all.clone() };
        assert_eq!(passing(&all, &out), None);
    }
}
