//! Messages that the user wants to find again
//!
//! A star is the account's own affair: nobody else hears of it, and the account's other devices learn
//! of it from a message to the own account, encrypted for them ([`STARS`]). They find the message by
//! its id in the archive, or by its author and the id they gave it; one that is not there yet gets its
//! star when it comes. Of two devices that disagree the later one is right, and each change is later
//! than what the device knew before, whatever its clock says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;
use xmpp::xml::Element;

use super::{Feature, Flow, Stage};
use crate::command::Command;
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, is_id};
use crate::omemo::trust;
use crate::outbox::Outgoing;
use crate::store::{Content, Encryption, Message, MessageId, Reference, Store, StoreError};
use crate::timeline;
use crate::view::{Change, Outcome, Problem};

pub(crate) const FEATURE: Feature = Feature {
    name: "star",
    message: &[(Stage::Amend, on_message)],
    command: Some(command),
    ..Feature::NOTHING
};

/// What is said of the star of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Star {
    /// Who wrote the message; in a room that hides addresses, the room.
    by: BareJid,
    /// The id its author gave it.
    id: Option<String>,
    /// The id its archive gave it: the account's, or the room's.
    archive: Option<String>,
    /// It has one. What was taken away is remembered, so that an earlier word does not bring it back.
    set: bool,
    /// When that was said.
    time: Millis,
    /// The message, if it is here.
    message: Option<MessageId>,
}

impl Star {
    fn of(message: &Message) -> Self {
        Self {
            by: message.sender.clone(),
            id: message.origin_id.clone(),
            archive: message.archive_id.clone(),
            set: false,
            time: Millis(0),
            message: Some(message.id),
        }
    }

    /// Whether both are about the same message. What the archive says goes before what authors say.
    fn is_same(&self, other: &Star) -> bool {
        match (&self.archive, &other.archive) {
            (Some(one), Some(other)) => one == other,
            _ if self.id.is_some() => self.by == other.by && self.id == other.id,
            _ => self.message.is_some() && self.message == other.message,
        }
    }

    fn bytes(&self) -> usize {
        let id = |id: &Option<String>| id.as_ref().map_or(0, String::len);
        ENTRY_BYTES + self.by.as_str().len() + id(&self.id) + id(&self.archive)
    }

    fn to_element(&self, with: &BareJid) -> Element {
        Element::new("star", STARS)
            .with_attr("with", with.to_string())
            .with_attr("by", self.by.to_string())
            .with_attr_opt("id", self.id.as_deref())
            .with_attr_opt("archive", self.archive.as_deref())
            .with_attr("set", if self.set { "true" } else { "false" })
            .with_attr("time", self.time.0.to_string())
    }

    fn parse(star: &Element) -> Option<(BareJid, Self)> {
        let address = |name| BareJid::new(star.attr(name)?).ok();
        let id = |name| star.attr(name).filter(|id| is_id(id)).map(str::to_owned);
        let told = Self {
            by: address("by")?,
            id: id("id"),
            archive: id("archive"),
            set: star.attr("set")? == "true",
            time: Millis(star.attr("time")?.parse().ok()?),
            message: None,
        };
        let named = told.id.is_some() || told.archive.is_some();
        Some((address("with")?, told)).filter(|_| named)
    }
}

/// All of them, by conversation.
#[derive(Default)]
pub(crate) struct State {
    stars: BTreeMap<BareJid, Vec<Star>>,
    /// The list of them, or what is in it, may be different after this step.
    changed: bool,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        match store.value(NAME)? {
            Some(bytes) => {
                let stars = serde_json::from_slice(&bytes).map_err(|error| {
                    StoreError::Damaged(format!("starred messages: {:?}", error.classify()))
                })?;
                Ok(Self { stars, changed: false })
            }
            None => Ok(Self::default()),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Star> {
        self.stars.values().flatten()
    }

    /// Whether there is room for one more, or can be made by forgetting what was taken away longest ago.
    fn make_room(&mut self, bytes: usize) -> bool {
        loop {
            let used: usize = self.all().map(Star::bytes).sum();
            if self.all().count() < MOST && used + bytes <= MOST_BYTES {
                return true;
            }
            let oldest = self.all().filter(|star| !star.set).map(|star| star.time).min();
            let Some(oldest) = oldest else { return false };
            for stars in self.stars.values_mut() {
                stars.retain(|star| star.set || star.time > oldest);
            }
            self.stars.retain(|_, stars| !stars.is_empty());
        }
    }

    /// Takes what was said, unless something later is known. Says whether it counts; `None` if there
    /// is no room for it.
    fn learn(&mut self, with: &BareJid, told: &Star) -> Option<bool> {
        let stars = self.stars.get_mut(with);
        let known = stars.and_then(|stars| stars.iter_mut().find(|known| known.is_same(told)));
        if let Some(known) = known {
            let later = (told.time, told.set) > (known.time, known.set);
            if later {
                (known.set, known.time) = (told.set, told.time);
            }
            known.id = known.id.take().or_else(|| told.id.clone());
            known.archive = known.archive.take().or_else(|| told.archive.clone());
            known.message = told.message.or(known.message);
            return Some(later);
        }
        // What has no star needs to be remembered as well: the word that gave it may come later.
        if !self.make_room(told.bytes() + with.as_str().len()) {
            return None;
        }
        self.stars.entry(with.clone()).or_default().push(told.clone());
        Some(true)
    }
}

/// What the list of messages with a star says may be different.
pub(crate) fn touch(cx: &mut Cx<'_>) {
    cx.state.features.star.changed = true;
}

/// Tells the user interface when the list is different after the step.
pub(crate) fn finish_step(cx: &mut Cx<'_>) {
    if std::mem::take(&mut cx.state.features.star.changed) {
        cx.view(Change::Stars);
    }
}

fn save(cx: &mut Cx<'_>) -> Step {
    touch(cx);
    let stars = &cx.state.features.star.stars;
    let bytes = serde_json::to_vec(stars).map_err(|error| StoreError::Io(error.to_string()))?;
    cx.store.save_value(NAME, Some(bytes.as_slice()).filter(|_| !stars.is_empty()))
}

fn command(cx: &mut Cx<'_>, number: u64, command: Command) -> Step<Option<Command>> {
    match command {
        Command::Star(id, set) => match cx.store.message(id)? {
            Some(message) => star(cx, number, &message, set)?,
            None => cx.failed(number, Problem::Unknown("message")),
        },
        Command::Starred(conversation) => {
            let found = starred(cx, conversation.as_ref())?;
            cx.done(number, Outcome::Found(found));
        }
        command => return Ok(Some(command)),
    }
    Ok(None)
}

fn star(cx: &mut Cx<'_>, number: u64, message: &Message, set: bool) -> Step {
    if message.starred == set {
        cx.done(number, Outcome::Done);
        return Ok(());
    }
    if set && !can_be_starred(message) {
        cx.failed(number, Problem::Invalid("there is nothing to find again".to_owned()));
        return Ok(());
    }
    let with = &message.conversation;
    let mut told = Star { set, ..Star::of(message) };
    let known = cx.state.features.star.stars.get(with).into_iter().flatten();
    let known = known.filter(|known| known.is_same(&told)).map(|known| known.time).max();
    told.time = cx.moment().max(known.map_or(Millis(0), |known| known.plus(1)));
    if is_named(&told) && cx.state.outbox.is_full() {
        cx.failed(number, Problem::Invalid("too many messages wait".to_owned()));
        return Ok(());
    }
    if cx.state.features.star.learn(with, &told).is_none() {
        cx.failed(number, Problem::Invalid(format!("only {MOST} messages can have a star")));
        return Ok(());
    }
    save(cx)?;
    show(cx, message.id, set)?;
    tell(cx, with, &told)?;
    cx.done(number, Outcome::Done);
    Ok(())
}

/// Whether other devices can find the message.
fn is_named(star: &Star) -> bool {
    star.id.is_some() || star.archive.is_some()
}

/// Tells the other devices of the account.
fn tell(cx: &mut Cx<'_>, with: &BareJid, star: &Star) -> Step {
    if !is_named(star) {
        return Ok(());
    }
    let (to, id) = (cx.me.clone(), cx.rng.id());
    let payload = vec![star.to_element(with)];
    cx.queue(Outgoing { to, message: None, id, payload, encrypted: true })
}

/// A message is taken back or goes: nothing is left to be found, and its place in the list is free.
/// Gives what was known.
pub(crate) fn forget(cx: &mut Cx<'_>, message: &Message) -> Step<Option<Forgotten>> {
    let all = &mut cx.state.features.star.stars;
    let Some(stars) = all.get_mut(&message.conversation) else { return Ok(None) };
    let this = Star::of(message);
    let Some(at) = stars.iter().position(|star| star.is_same(&this)) else { return Ok(None) };
    let known = stars.remove(at);
    if stars.is_empty() {
        all.remove(&message.conversation);
    }
    save(cx)?;
    Ok(Some(Forgotten(known)))
}

/// The history of a conversation goes. The other devices keep theirs, with its stars.
pub(crate) fn forget_all(cx: &mut Cx<'_>, with: &BareJid) -> Step {
    let known = cx.state.features.star.stars.remove(with);
    if known.is_some() { save(cx) } else { Ok(()) }
}

/// What was known of a star.
pub(crate) struct Forgotten(Star);

/// A message is there after all, with what was known of its star.
pub(crate) fn restore(cx: &mut Cx<'_>, with: &BareJid, known: Option<Forgotten>) -> Step {
    let Some(Forgotten(star)) = known else { return Ok(()) };
    // It has the place that it had a moment ago, unless another one took it.
    let kept = cx.state.features.star.learn(with, &star).is_some();
    save(cx)?;
    match star.message {
        Some(id) => show(cx, id, star.set && kept),
        None => Ok(()),
    }
}

/// The user gives up a message that never left: other devices need not wait for it.
pub(crate) fn on_discard(cx: &mut Cx<'_>, message: &Message) -> Step {
    match forget(cx, message)? {
        Some(Forgotten(star)) if star.set => take_away(cx, &message.conversation, star),
        _ => Ok(()),
    }
}

fn take_away(cx: &mut Cx<'_>, with: &BareJid, star: Star) -> Step {
    let gone = Star { set: false, time: cx.moment().max(star.time.plus(1)), ..star };
    tell(cx, with, &gone)
}

/// What was shown as a message of its own turns out to be a correction of another one: that has the
/// star now.
pub(crate) fn on_corrected(cx: &mut Cx<'_>, shown: &Message, original: MessageId) -> Step {
    let with = &shown.conversation;
    let Some(Forgotten(star)) = forget(cx, shown)?.filter(|known| known.0.set) else {
        return Ok(());
    };
    let Some(original) = cx.store.message(original)? else { return Ok(()) };
    let moved = Star { set: true, time: star.time, ..Star::of(&original) };
    take_away(cx, with, star)?;
    if cx.state.features.star.learn(with, &moved) == Some(true) {
        save(cx)?;
        show(cx, original.id, true)?;
        tell(cx, with, &moved)?;
    }
    Ok(())
}

/// What somebody wrote.
fn can_be_starred(message: &Message) -> bool {
    matches!(message.content, Content::Text(_) | Content::File(..))
}

fn show(cx: &mut Cx<'_>, id: MessageId, set: bool) -> Step {
    let Some(mut message) = cx.store.message(id)? else { return Ok(()) };
    if message.starred == set {
        return Ok(());
    }
    message.starred = set;
    timeline::save(cx, &message)
}

/// The messages that have a star, in every conversation or in one; the newest first.
fn starred(cx: &Cx<'_>, conversation: Option<&BareJid>) -> Step<Vec<Message>> {
    let all = cx.state.features.star.stars.iter();
    let here = all.filter(|(with, _)| conversation.is_none_or(|wanted| wanted == *with));
    let stars = here.flat_map(|(_, stars)| stars).filter(|star| star.set);
    let mut found = Vec::new();
    for id in stars.filter_map(|star| star.message) {
        let message = cx.store.message(id)?;
        found.extend(message.filter(|message| message.starred && can_be_starred(message)));
    }
    found.sort_by_key(|message| std::cmp::Reverse((message.position, message.id)));
    Ok(found)
}

/// Another device of this account gave a message a star, or took it away.
fn on_message(cx: &mut Cx<'_>, incoming: &mut Incoming) -> Step<Flow> {
    let Some(star) = incoming.child("star", STARS) else { return Ok(Flow::Next) };
    let told = Star::parse(star);
    if !incoming.own || incoming.with != *cx.me {
        // It means nothing from anybody else; what they wrote beside it is shown.
        return Ok(Flow::Next);
    }
    // In plain text it could be from the server, which does not decide what is worth finding again.
    // Nor does a device that gets no messages.
    let trusted = match incoming.encryption {
        Encryption::Omemo { trust, .. } => trust::may_read(trust),
        Encryption::None => false,
    };
    // A clock may be wrong, but nothing may be said that nothing later can change.
    let latest = cx.moment().plus(MOST_AHEAD);
    let told = told.filter(|(_, told)| trusted && told.time <= latest);
    let Some((with, mut told)) = told else { return Ok(Flow::Done) };
    let message = find(cx, &with, &told)?;
    if message.as_ref().is_some_and(|message| message.content == Content::Retracted) {
        return Ok(Flow::Done);
    }
    told.message = message.as_ref().map(|message| message.id);
    let later = cx.state.features.star.learn(&with, &told);
    save(cx)?;
    if let Some(message) = message.filter(|_| later == Some(true)) {
        show(cx, message.id, told.set)?;
    }
    Ok(Flow::Done)
}

fn find(cx: &Cx<'_>, with: &BareJid, star: &Star) -> Step<Option<Message>> {
    if let Some(id) = &star.archive
        && let Some(message) = cx.store.find(with, &Reference::Archive(id.clone()))?
    {
        return Ok(Some(message));
    }
    let Some(id) = &star.id else { return Ok(None) };
    let found = cx.store.find(with, &Reference::Origin(star.by.clone(), id.clone()))?;
    Ok(found.filter(|found| star.is_same(&Star::of(found))))
}

/// A message is here now: it gets the star that another device gave it.
pub(crate) fn on_shown(cx: &mut Cx<'_>, id: MessageId, message: &Message) -> Step {
    let Some(stars) = cx.state.features.star.stars.get_mut(&message.conversation) else {
        return Ok(());
    };
    let this = Star::of(message);
    let Some(known) = stars.iter_mut().find(|known| known.is_same(&this)) else { return Ok(()) };
    known.message = Some(id);
    let set = known.set;
    let now = cx.store.message(id)?;
    if let Some(now) = now.filter(|now| now.content == Content::Retracted) {
        return forget(cx, &now).map(|_| ());
    }
    save(cx)?;
    show(cx, id, set)
}

/// The namespace of what own devices tell each other of stars. It leaves encrypted only.
const STARS: &str = "urn:clownfish:stars:0";
/// The name under which they are stored.
const NAME: &str = "stars";
/// How many are kept, and how many bytes of all.
const MOST: usize = 1000;
const MOST_BYTES: usize = 512 * 1024;
/// So many milliseconds may the clock of an own device be ahead: a year.
const MOST_AHEAD: u64 = 366 * 24 * 60 * 60 * 1000;
/// What one takes besides its texts, about.
const ENTRY_BYTES: usize = 150;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn told(id: &str, set: bool, time: u64) -> Star {
        let id = Some(id.to_owned());
        let by = address("romeo@example.org");
        Star { by, id, archive: None, set, time: Millis(time), message: None }
    }

    #[test]
    fn the_later_word_counts_in_whichever_order_they_come() {
        let with = address("romeo@example.org");
        let words =
            [told("a", true, 1), told("a", false, 2), told("a", true, 3), told("a", false, 3)];
        for turn in 0..words.len() {
            let mut state = State::default();
            let mut words = words.clone();
            words.rotate_left(turn);
            for word in words.iter().chain(words.iter().rev()) {
                state.learn(&with, word).unwrap();
            }
            assert_eq!(state.stars[&with], [told("a", true, 3)], "{turn}");
        }
    }

    #[test]
    fn stars_are_limited_and_those_taken_away_are_forgotten_first() {
        let with = address("romeo@example.org");
        let mut state = State::default();
        for number in 0..MOST as u64 {
            let one = told(&number.to_string(), number.is_multiple_of(2), number);
            assert_eq!(state.learn(&with, &one), Some(true));
        }
        for number in 0..MOST as u64 / 2 {
            assert_eq!(state.learn(&with, &told(&format!("new {number}"), true, 1)), Some(true));
        }
        assert_eq!(state.learn(&with, &told("one more", true, 1)), None);
        assert_eq!(state.all().filter(|star| star.set).count(), MOST);
        // Ids that are as long as ids may be.
        let mut state = State::default();
        let long = |number: usize| format!("{number:0>512}");
        let kept = (0..MOST).filter(|n| state.learn(&with, &told(&long(*n), true, 1)).is_some());
        assert!(kept.count() * 512 < MOST_BYTES);
        assert!(serde_json::to_vec(&state.stars).unwrap().len() < crate::store::MAX_VALUE_BYTES);
    }

    #[test]
    fn a_star_survives_the_way_to_another_device() {
        let with = address("square@rooms.example.org");
        for star in [told("a", true, 5), Star { archive: Some("x".into()), ..told("a", false, 6) }]
        {
            assert_eq!(Star::parse(&star.to_element(&with)), Some((with.clone(), star)));
        }
        for attribute in ["with", "by", "id", "set", "time"] {
            let mut broken = told("a", true, 5).to_element(&with);
            broken.set_attr(attribute, "");
            let parsed = Star::parse(&broken);
            assert!(parsed.is_none() || attribute == "set", "{attribute}");
        }
    }
}
