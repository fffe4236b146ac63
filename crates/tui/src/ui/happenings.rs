//! What happened in a room between two messages, in words.

use client::store::{Happened, Happening};
use client::view::{Affiliation, Role};

use super::mirror::Mirror;
use super::printable::Printable;

/// All of it in one line: the newest at the end, and of many only how many there were before.
#[must_use]
pub fn line(mirror: &Mirror, all: &[Happening]) -> String {
    let more = all.len().saturating_sub(SHOWN);
    let mut parts: Vec<String> = Vec::with_capacity(SHOWN + 1);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    parts.extend(all.iter().skip(more).map(|one| words(mirror, one)));
    parts.join(" · ")
}

/// One of them.
fn words(mirror: &Mirror, one: &Happening) -> String {
    let name = match (&one.nick, &one.address) {
        (Some(nick), _) => nick.clone(),
        (None, Some(address)) => mirror.name(address),
        (None, None) => String::new(),
    };
    let who = Printable::line(&name).to_string();
    let line = |text: &str| Printable::line(text).to_string();
    let why = |reason: &Option<String>| match reason {
        Some(reason) => format!(" ({})", line(reason)),
        None => String::new(),
    };
    match &one.what {
        Happened::Joined => format!("{who} came in"),
        Happened::Left => format!("{who} left"),
        Happened::Removed => format!("{who} is not a member any more"),
        Happened::PutOut(reason) => format!("{who} was put out{}", why(reason)),
        Happened::Banned(reason) => format!("{who} was banned{}", why(reason)),
        Happened::Affiliation(affiliation) => match affiliation {
            Affiliation::Owner => format!("{who} is owner now"),
            Affiliation::Admin => format!("{who} is admin now"),
            Affiliation::Member => format!("{who} is member now"),
            Affiliation::Outcast => format!("{who} was banned"),
            Affiliation::None => format!("{who} has no special rights any more"),
        },
        Happened::Role(role) => match role {
            Role::Moderator => format!("{who} is moderator now"),
            Role::Participant => format!("{who} may write now"),
            Role::Visitor | Role::None => format!("{who} may only read now"),
        },
        Happened::Nick(new) => format!("{who} is called {} now", line(new)),
        Happened::Subject(Some(subject)) => format!("the topic is now “{}”", line(subject)),
        Happened::Subject(None) => "there is no topic any more".to_owned(),
        Happened::Name(name) => format!("the room is called {} now", line(name)),
        Happened::Picture => "the room has another picture".to_owned(),
    }
}

/// So many are told one by one.
const SHOWN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use xmpp::time::Millis;

    #[test]
    fn the_newest_are_told_and_the_others_are_counted() {
        let one = |nick: &str, what| Happening {
            time: Millis(0),
            nick: Some(nick.to_owned()),
            address: None,
            what,
        };
        let mirror = Mirror::default();
        let few = [
            one("Tybalt\u{1b}[2J", Happened::Banned(Some("He draws".to_owned()))),
            one("Ben", Happened::Nick("Benvolio".to_owned())),
        ];
        let said = line(&mirror, &few);
        assert!(said.ends_with("was banned (He draws) · Ben is called Benvolio now"), "{said}");
        assert!(!said.contains('\u{1b}'));
        let many: Vec<Happening> =
            (0..9).map(|at| one(&format!("guest{at}"), Happened::Joined)).collect();
        let said = line(&mirror, &many);
        assert_eq!(
            said,
            "5 more · guest5 came in · guest6 came in · guest7 came in · guest8 came in"
        );
    }
}
