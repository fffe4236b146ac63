//! Corrections and reactions in the order of the archive.
//!
//! Two devices of an account can change the same message at the same moment, and each sees its own
//! change first. So a change has a place as a message has one: at the end when it is made or
//! arrives, and where the archive has it once that is read. The later one counts, and those that may
//! still turn out to be the later ones are kept. A retraction is final wherever it stands.

use std::collections::VecDeque;

use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::{reserve, save};
use crate::cx::{Cx, Step};
use crate::features::{later, rooms};
use crate::incoming::{Incoming, Source};
use crate::store::{Content, Mark, Message, MessageId, Reacted, Reaction, Store};

/// Which messages were changed lately, and by which stanzas: so a change is recognised when the
/// archive tells its place. Its encryption cannot be read a second time.
#[derive(Default)]
pub(crate) struct State {
    /// Hashes of sender and id, the oldest first.
    recent: VecDeque<(u64, MessageId)>,
    dirty: bool,
}

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        let bytes = store.value(NAME)?.unwrap_or_default();
        let word = |bytes: &[u8]| bytes.first_chunk().copied().map(u64::from_be_bytes);
        let entries = bytes.chunks_exact(16).filter_map(|entry| {
            let (hash, id) = entry.split_at_checked(8)?;
            Some((word(hash)?, MessageId(word(id)?.cast_signed())))
        });
        Ok(Self { recent: entries.collect(), dirty: false })
    }

    fn add(&mut self, hash: u64, message: MessageId) {
        if self.recent.contains(&(hash, message)) {
            return;
        }
        if self.recent.len() >= MOST_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((hash, message));
        self.dirty = true;
    }

    /// All messages that were changed lately.
    pub(super) fn messages(&self) -> impl Iterator<Item = MessageId> {
        self.recent.iter().map(|(_, id)| *id)
    }

    /// The messages that a stanza may have changed.
    fn changed_by(&self, hash: u64) -> Vec<MessageId> {
        self.recent.iter().rev().filter(|(one, _)| *one == hash).map(|(_, id)| *id).collect()
    }
}

/// Keeps what is known of recent changes, once in a step.
pub(super) fn finish_step(cx: &mut Cx<'_>) -> Step {
    let state = &mut cx.state.features.timeline.changes;
    if !std::mem::take(&mut state.dirty) {
        return Ok(());
    }
    let entries = state.recent.iter();
    let bytes: Vec<u8> =
        entries.flat_map(|(hash, id)| [hash.to_be_bytes(), id.0.to_be_bytes()].concat()).collect();
    cx.store.save_value(NAME, Some(&bytes))
}

/// FNV-1a over sender and id. Who finds two of the same gains nothing: the mark is compared as well.
fn hash(sender: &BareJid, id: &str) -> u64 {
    let bytes = sender.as_str().bytes().chain([0]).chain(id.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The mark of a change that arrived: where the archive has it, or at the end.
pub(crate) fn mark(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<Mark> {
    let position = match incoming.position {
        Some(position) => position,
        None => reserve(cx, 1)?,
    };
    let (id, archive_id) = (incoming.origin_id.clone(), incoming.archive_id.clone());
    Ok(Mark { position, id, archive_id })
}

/// The mark of a change that this device makes with the stanza of this id.
pub(crate) fn own_mark(cx: &mut Cx<'_>, id: &str) -> Step<Mark> {
    Ok(Mark { position: reserve(cx, 1)?, id: Some(id.to_owned()), archive_id: None })
}

/// Keeps a message that was changed, and remembers by what.
pub(crate) fn save_changed(
    cx: &mut Cx<'_>,
    message: &Message,
    sender: &BareJid,
    mark: &Mark,
    source: Source,
) -> Step {
    // What the user scrolls back to stays where it is.
    if let Some(id) = mark.id.as_ref().filter(|_| source != Source::Older) {
        cx.state.features.timeline.changes.add(hash(sender, id), message.id);
    }
    save(cx, message)
}

/// A change that was seen before gets what is new about it: its id and place in the archive. Says
/// whether it was.
pub(crate) fn recognise(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let Some((mut message, known)) = find(cx, incoming)? else {
        return later::recognise(cx, incoming);
    };
    let copy = differ(&known.archive_id, &incoming.archive_id);
    // As with messages, the first place counts of what the archive has twice.
    if copy && incoming.position.is_none_or(|position| position >= known.position) {
        return Ok(true);
    }
    let mut told = known.clone();
    if incoming.archive_id.is_some() {
        told.archive_id.clone_from(&incoming.archive_id);
    }
    match incoming.position {
        Some(position) => told.position = position,
        // A room gives everybody what it got, in the order that counts.
        None if incoming.room && incoming.source == Source::Live && known.archive_id.is_none() => {
            told.position = reserve(cx, 1)?;
        }
        None => {}
    }
    if told != known {
        place(&mut message, &known, &told);
        save(cx, &message)?;
    }
    Ok(true)
}

/// Whether it is a change that was seen before.
pub(crate) fn is_known(cx: &Cx<'_>, incoming: &Incoming) -> Step<bool> {
    Ok(find(cx, incoming)?.is_some())
}

fn find(cx: &Cx<'_>, incoming: &Incoming) -> Step<Option<(Message, Mark)>> {
    let Some(id) = &incoming.origin_id else { return Ok(None) };
    for row in cx.state.features.timeline.changes.changed_by(hash(&incoming.sender, id)) {
        let Some(message) = cx.store.message(row)? else { continue };
        if message.conversation != incoming.with {
            continue;
        }
        let mark = marks_of(&message, incoming)
            .find(|mark| {
                // Some programs count the ids of their stanzas from 1 each time they start.
                let another = !incoming.unique && differ(&mark.archive_id, &incoming.archive_id);
                mark.id.as_ref() == Some(id) && !another
            })
            .cloned();
        if let Some(mark) = mark {
            return Ok(Some((message, mark)));
        }
    }
    Ok(None)
}

fn differ(one: &Option<String>, other: &Option<String>) -> bool {
    one.is_some() && other.is_some() && one != other
}

/// The marks of what a sender may have changed.
fn marks_of<'a>(
    message: &'a Message,
    incoming: &'a Incoming,
) -> impl Iterator<Item = &'a Mark> + use<'a> {
    let edits = message.edits.iter().filter(|_| rooms::is_same_author(message, incoming));
    let theirs = message.reactions.iter().filter(|one| one.sender == incoming.sender);
    let sets = theirs.flat_map(|one| {
        std::iter::once(&one.mark).chain(one.earlier.iter().map(|earlier| &earlier.mark))
    });
    edits.chain(sets)
}

/// Moves a change of a message.
fn place(message: &mut Message, known: &Mark, told: &Mark) {
    let mut texts = Texts::of(message);
    if let Some(texts) = &mut texts
        && let Some(edit) = texts.edits.iter_mut().find(|edit| edit.mark == *known)
    {
        edit.mark = told.clone();
    }
    if let Some(texts) = texts {
        texts.write(message);
    }
    for reaction in &mut message.reactions {
        let mut sets = sets(reaction);
        if let Some(set) = sets.iter_mut().find(|set| set.mark == *known) {
            set.mark = told.clone();
            arrange(reaction, sets);
        }
    }
}

/// The texts of a message, taken apart.
struct Texts {
    first: String,
    edits: Vec<Edit>,
}

struct Edit {
    mark: Mark,
    time: Millis,
    text: String,
}

impl Texts {
    fn of(message: &Message) -> Option<Self> {
        let Content::Text(last) = &message.content else { return None };
        let mut texts = message.versions.iter().map(|(_, text)| text).chain([last]).cloned();
        let first = texts.next()?;
        // Earlier programs kept no marks; what they knew is older than what comes.
        let unmarked = message.versions.len().saturating_sub(message.edits.len());
        let marks = std::iter::repeat_n(Mark::default(), unmarked);
        let marks = marks.chain(message.edits.iter().cloned());
        let times = message.versions.iter().map(|(time, _)| *time);
        let edits = marks.zip(times).zip(texts);
        let edits = edits.map(|((mark, time), text)| Edit { mark, time, text }).collect();
        Some(Self { first, edits })
    }

    fn write(mut self, message: &mut Message) {
        self.edits.sort_by_key(|edit| edit.mark.position);
        while self.edits.len() > MAX_VERSIONS {
            self.first = self.edits.remove(0).text;
        }
        let mut last = self.first;
        (message.versions, message.edits) = (Vec::new(), Vec::new());
        for edit in self.edits {
            message.versions.push((edit.time, std::mem::replace(&mut last, edit.text)));
            message.edits.push(edit.mark);
        }
        message.content = Content::Text(last);
    }
}

/// Gives a message of text another one; says whether that is the one that counts now.
pub(crate) fn correct(message: &mut Message, mark: Mark, time: Millis, text: String) -> bool {
    let Some(mut texts) = Texts::of(message) else { return false };
    let seen = |edit: &&mut Edit| edit.mark.id.is_some() && edit.mark.id == mark.id;
    match texts.edits.iter_mut().find(seen) {
        Some(edit) => edit.mark = mark.clone(),
        None => texts.edits.push(Edit { mark: mark.clone(), time, text }),
    }
    texts.write(message);
    message.edits.last() == Some(&mark)
}

/// Takes a correction back that did not get out.
pub(crate) fn undo_correction(message: &mut Message, id: &str) {
    if let Some(mut texts) = Texts::of(message) {
        texts.edits.retain(|edit| edit.mark.id.as_deref() != Some(id));
        texts.write(message);
    }
}

/// All sets of somebody's reactions that are kept.
fn sets(reaction: &Reaction) -> Vec<Reacted> {
    let Reaction { emoji, time, mark, .. } = reaction;
    let last = Reacted { emoji: emoji.clone(), time: *time, mark: mark.clone() };
    reaction.earlier.iter().cloned().chain([last]).collect()
}

/// The last set counts; some before it are kept.
fn arrange(reaction: &mut Reaction, mut sets: Vec<Reacted>) {
    sets.sort_by_key(|set| set.mark.position);
    let Some(last) = sets.pop() else { return };
    sets.drain(..sets.len().saturating_sub(MAX_SETS));
    (reaction.emoji, reaction.time, reaction.mark) = (last.emoji, last.time, last.mark);
    reaction.earlier = sets;
}

/// Adds a set of somebody's reactions. An empty one stays as a mark of its place. Says whether
/// something is different.
pub(crate) fn react(message: &mut Message, by: Reaction) -> bool {
    if message.content == Content::Retracted {
        return false;
    }
    let conversation = message.conversation.clone();
    let same = |one: &&mut Reaction| is_same_person(one, &by, &conversation);
    let Some(known) = message.reactions.iter_mut().find(same) else {
        let room = message.reactions.len() < MAX_PEOPLE;
        if room {
            message.reactions.push(by);
        }
        return room;
    };
    let mut all = sets(known);
    let set = Reacted { emoji: by.emoji, time: by.time, mark: by.mark };
    match all.iter_mut().find(|one| one.mark.id.is_some() && one.mark.id == set.mark.id) {
        Some(one) => one.mark = set.mark,
        None => all.push(set),
    }
    arrange(known, all);
    true
}

/// Takes own reactions back that did not get out.
pub(crate) fn undo_reaction(message: &mut Message, me: &BareJid, id: &str) {
    let is_it = |mark: &Mark| mark.id.as_deref() == Some(id);
    for reaction in message.reactions.iter_mut().filter(|one| one.sender == *me) {
        let mut sets = sets(reaction);
        sets.retain(|set| !is_it(&set.mark));
        arrange(reaction, sets);
    }
    message.reactions.retain(|one| one.sender != *me || !is_it(&one.mark));
}

/// Whether two reactions are of one person. Where a room hides addresses everybody has that of the
/// room; those are told apart by their ids, or else by their names.
fn is_same_person(one: &Reaction, other: &Reaction, conversation: &BareJid) -> bool {
    if one.sender != other.sender || one.sender != *conversation {
        return one.sender == other.sender;
    }
    match (&one.occupant, &other.occupant) {
        (Some(one), Some(other)) => match (&one.id, &other.id) {
            (None, None) => one.nick == other.nick,
            (one, other) => one == other,
        },
        (one, other) => one == other,
    }
}

/// Where a change stands that was shown as a message of its own.
pub(crate) fn mark_of_row(message: &Message) -> Mark {
    Mark {
        position: message.position,
        id: message.origin_id.clone(),
        archive_id: message.archive_id.clone(),
    }
}

/// The name under which recent changes are stored.
const NAME: &str = "changes";
/// Changes that are recognised when the archive tells their place.
const MOST_RECENT: usize = 512;
/// Earlier texts that are kept.
const MAX_VERSIONS: usize = 20;
/// Earlier sets of reactions that are kept of each person.
const MAX_SETS: usize = 4;
/// People who react to one message.
const MAX_PEOPLE: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Position;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn mark(position: u64, id: &str) -> Mark {
        Mark { position: Position(position), id: Some(id.to_owned()), archive_id: None }
    }

    fn message() -> Message {
        let (romeo, juliet) = (jid("romeo@example.net"), jid("juliet@example.net"));
        let mut message = super::super::blank(&juliet, &romeo, Millis(0));
        message.content = Content::Text("first".into());
        message
    }

    fn texts(message: &Message) -> Vec<&str> {
        let Content::Text(last) = &message.content else { panic!() };
        message.versions.iter().map(|(_, text)| text.as_str()).chain([last.as_str()]).collect()
    }

    #[test]
    fn corrections_stand_in_their_order_however_they_come() {
        for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"], ["a", "c", "b"]] {
            let mut message = message();
            for id in order {
                let place = u64::from(id.as_bytes()[0]);
                let last = correct(&mut message, mark(place, id), Millis(place), id.to_owned());
                assert_eq!(last, message.edits.last().unwrap().id.as_deref() == Some(id));
            }
            assert_eq!(texts(&message), ["first", "a", "b", "c"]);
            place(&mut message, &mark(u64::from(b'a'), "a"), &mark(200, "a"));
            assert_eq!(texts(&message), ["first", "b", "c", "a"]);
            undo_correction(&mut message, "a");
            assert_eq!(texts(&message), ["first", "b", "c"]);
        }
    }

    #[test]
    fn what_an_earlier_program_kept_is_older_than_what_comes() {
        let mut message = message();
        message.versions = vec![(Millis(1), "zeroth".into())];
        correct(&mut message, mark(7, "a"), Millis(2), "second".into());
        assert_eq!(texts(&message), ["zeroth", "first", "second"]);
        assert_eq!(message.edits, [Mark::default(), mark(7, "a")]);
    }

    #[test]
    fn only_the_last_versions_are_kept() {
        let mut message = message();
        for number in 0..30 {
            correct(&mut message, mark(30 - number, &number.to_string()), Millis(0), "x".into());
        }
        assert_eq!((message.versions.len(), message.edits.len()), (MAX_VERSIONS, MAX_VERSIONS));
        assert_eq!(message.edits.last(), Some(&mark(30, "0")));
    }

    fn reaction(position: u64, emoji: &str) -> Reaction {
        Reaction {
            sender: jid("romeo@example.net"),
            occupant: None,
            emoji: vec![emoji.to_owned()],
            time: Millis(0),
            mark: mark(position, emoji),
            earlier: Vec::new(),
        }
    }

    #[test]
    fn the_later_set_counts_and_gives_way_when_it_moves() {
        let mut message = message();
        for (position, emoji) in [(5, "later"), (3, "earlier")] {
            assert!(react(&mut message, reaction(position, emoji)));
        }
        assert_eq!(message.reactions[0].emoji, ["later"]);
        place(&mut message, &mark(3, "earlier"), &mark(9, "earlier"));
        assert_eq!(message.reactions[0].emoji, ["earlier"]);
        undo_reaction(&mut message, &jid("romeo@example.net"), "earlier");
        assert_eq!(message.reactions[0].emoji, ["later"]);
        undo_reaction(&mut message, &jid("romeo@example.net"), "later");
        assert_eq!(message.reactions, []);
    }

    #[test]
    fn recent_changes_survive() {
        let store = crate::store::MemoryStore::new();
        assert_eq!(State::load(&store).unwrap().recent, []);
        let bytes = [7_u64.to_be_bytes(), (-3_i64).to_be_bytes()].concat();
        crate::store::Profile::save_value(&store, NAME, Some(&bytes)).unwrap();
        assert_eq!(State::load(&store).unwrap().changed_by(7), [MessageId(-3)]);
    }
}
