//! XEP-0172: User Nickname 1.1

use xmpp::ext::pubsub::Item;
use xmpp::ext::pubsub::event::Event;
use xmpp::ns;
use xmpp::xml::Element;

use super::{Feature, Spec, roster};
use crate::account;
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::pep::{self, Access, Options};
use crate::verified::{PersonalEvent, Verified};
use crate::view::{Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "nick",
    specs: &[Spec { number: "XEP-0172", version: "1.1" }],
    features: &[ns::NICK],
    notify: &[ns::NICK],
    events: &[(ns::NICK, on_event)],
    command: Some(command),
    ..Feature::NOTHING
};

/// What somebody calls themselves: contacts, and the own account.
fn on_event(cx: &mut Cx<'_>, event: &Verified<PersonalEvent>) -> Step {
    let name = match &event.event {
        Event::Items(_, items) => items.last().and_then(Item::payload).map(Element::text),
        Event::Retract(..) | Event::Purge(_) | Event::Delete(..) => None,
        Event::Configuration(..) | Event::Subscription(_) => return Ok(()),
    };
    let name = name.map(|name| limited(&name)).filter(|name| !name.is_empty());
    let known = cx.state.features.roster.contacts.contains_key(&event.owner);
    if !known && event.owner != *cx.me {
        return Ok(());
    }
    roster::change(cx, &event.owner, |contact| contact.nickname = name)?;
    if event.owner == *cx.me { account::show(cx) } else { Ok(()) }
}

/// One line without what could disguise it.
fn limited(name: &str) -> String {
    let shown = name.chars().filter(|letter| !letter.is_control() && !turns(*letter));
    shown.take(MAX_CHARS).collect::<String>().trim().to_owned()
}

/// Whether a character turns the direction of what follows: it would turn the sentence around a name.
pub(crate) fn turns(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    let Command::SetNickname(name) = command else { return Ok(Some(command)) };
    let name = limited(&name);
    if name.is_empty() {
        cx.failed(number, Problem::Invalid("a nickname has at least one letter".to_owned()));
        return Ok(None);
    }
    let payload = Element::new("nick", ns::NICK).with_text(name);
    let item = Item::new("current").with_payload(payload);
    let options = Options { access: Access::Presence, many: false };
    pep::publish(cx, ns::NICK, item, options, move |cx, answer| {
        cx.done(number, answer.problem().map_or(Outcome::Done, Outcome::Failed));
        Ok(())
    })?;
    Ok(None)
}

/// Longest nickname.
const MAX_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use super::limited;

    #[test]
    fn a_name_turns_nothing_round() {
        assert_eq!(limited("\u{2069}\u{202e}oemoR\n"), "oemoR");
        assert_eq!(limited("שלום"), "שלום");
    }
}
