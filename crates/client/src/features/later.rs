//! What is said about messages that are not here yet
//!
//! Who pages back through an archive meets reactions, corrections and retractions before the
//! messages they are about, and what arrives live while the archive is read may be about something
//! that was not read yet. They are kept, and done when the message comes.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::{correct, markers, react, reply, retract};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::store::{Delivery, Encryption, Mark, Message, MessageId, Occupant, Store, StoreError};
use crate::timeline::{self, changes};

/// What is to be done to a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum What {
    /// These are somebody's reactions.
    React(Vec<String>),
    /// Its author takes it back.
    Retract,
    /// The room takes it back (XEP-0425).
    Moderate,
    /// This is its text now. Until it is here, the text is a message of its own.
    Correct(String, MessageId),
    /// The partner has it, or has seen it.
    Tick(Delivery),
    /// This message answers it.
    Answer(MessageId),
}

/// What must not push out what is of another kind.
#[derive(PartialEq, Eq)]
enum Kind {
    Change,
    Tick,
    Answer,
}

impl What {
    fn kind(&self) -> Kind {
        match self {
            Self::React(_) | Self::Retract | Self::Moderate | Self::Correct(..) => Kind::Change,
            Self::Tick(_) => Kind::Tick,
            Self::Answer(_) => Kind::Answer,
        }
    }
}

/// One of them, and who wants it.
#[derive(Clone, Serialize, Deserialize)]
struct Pending {
    conversation: BareJid,
    /// How the message is called: by the room, or by its author.
    id: String,
    room: bool,
    sender: BareJid,
    occupant: Option<Occupant>,
    own: bool,
    time: Millis,
    encryption: Encryption,
    /// The device that said it, as far as that counts.
    #[serde(default)]
    resource: Option<String>,
    /// Where it stands among the changes.
    #[serde(default)]
    mark: Mark,
    /// So many characters of the text that came with it are a quotation.
    #[serde(default)]
    quoted: usize,
    what: What,
}

/// All of them, the oldest first.
#[derive(Default)]
pub(crate) struct State(Vec<Pending>);

impl State {
    pub(crate) fn load(store: &dyn Store) -> Step<Self> {
        match store.value(NAME)? {
            Some(bytes) => Ok(Self(serde_json::from_slice(&bytes).map_err(|error| {
                StoreError::Damaged(format!("what waits for messages: {:?}", error.classify()))
            })?)),
            None => Ok(Self::default()),
        }
    }
}

impl Pending {
    fn bytes(&self) -> usize {
        let text = match &self.what {
            What::React(emoji) => emoji.iter().map(String::len).sum(),
            What::Correct(text, _) => text.len(),
            What::Retract | What::Moderate | What::Tick(_) | What::Answer(_) => 0,
        };
        ENTRY_BYTES + self.id.len() + self.resource.as_ref().map_or(0, String::len) + text
    }

    fn is_about(&self, message: &Message) -> bool {
        if self.conversation != message.conversation {
            return false;
        }
        if matches!(self.what, What::Tick(_)) && !message.own {
            return false;
        }
        let by_author = matches!(self.what, What::Correct(..)) || !self.room;
        let id = if by_author { &message.origin_id } else { &message.archive_id };
        id.as_ref() == Some(&self.id)
    }

    /// Who wants it, as the message that said so came.
    fn incoming(&self) -> Incoming {
        Incoming {
            resource: self.resource.clone(),
            with: self.conversation.clone(),
            sender: self.sender.clone(),
            room: self.room,
            occupant: self.occupant.clone(),
            own: self.own,
            error: false,
            source: Source::CatchUp,
            id: None,
            origin_id: self.mark.id.clone(),
            unique: false,
            archive_id: self.mark.archive_id.clone(),
            time: self.time,
            position: Some(self.mark.position),
            outer: Vec::new(),
            content: reply::indication(self.quoted).into_iter().collect(),
            encryption: self.encryption,
            undecryptable: None,
        }
    }
}

/// Keeps something for a message that is not here. One that was deleted here does not come.
pub(crate) fn keep(cx: &mut Cx<'_>, incoming: &Incoming, id: &str, what: What) -> Step {
    if timeline::is_about_deleted(cx, incoming, id)? {
        return Ok(());
    }
    let mark = match what.kind() {
        Kind::Change => changes::mark(cx, incoming)?,
        Kind::Tick | Kind::Answer => Mark::default(),
    };
    let pending = Pending {
        conversation: incoming.with.clone(),
        id: id.to_owned(),
        room: incoming.room,
        sender: incoming.sender.clone(),
        occupant: incoming.occupant.clone(),
        own: incoming.own,
        time: incoming.time,
        encryption: incoming.encryption,
        resource: incoming.resource.clone().filter(|_| what.kind() == Kind::Tick),
        mark,
        quoted: reply::quotation(incoming).unwrap_or_default(),
        what,
    };
    let all = &mut cx.state.features.later.0;
    let kind = pending.what.kind();
    let like_it =
        |one: &&Pending| one.conversation == pending.conversation && one.what.kind() == kind;
    let most = match kind {
        Kind::Change => MOST_HERE,
        Kind::Tick | Kind::Answer => MOST_OTHERS_HERE,
    };
    if all.iter().filter(like_it).count() >= most
        && let Some(oldest) = all.iter().position(|one| like_it(&one))
    {
        all.remove(oldest);
    }
    all.push(pending);
    while all.len() > MOST || all.iter().map(Pending::bytes).sum::<usize>() > MOST_BYTES {
        // An answer says what it has to say without what it answers.
        let answer = all.iter().position(|one| one.what.kind() == Kind::Answer);
        all.remove(answer.unwrap_or_default());
    }
    save(cx)
}

/// A change that waits for its message comes once more, with its id and place in the archive. Says
/// whether it does.
pub(crate) fn recognise(cx: &mut Cx<'_>, incoming: &Incoming) -> Step<bool> {
    let Some(id) = &incoming.origin_id else { return Ok(false) };
    let mut all = cx.state.features.later.0.iter_mut();
    let known = all.find(|one| {
        let archived = (&one.mark.archive_id, &incoming.archive_id);
        one.conversation == incoming.with
            && one.sender == incoming.sender
            && one.mark.id.as_ref() == Some(id)
            && (incoming.unique || archived.0.is_none() || archived.0 == archived.1)
    });
    let Some(known) = known else { return Ok(false) };
    if let Some(position) = incoming.position {
        known.mark.position = position;
        known.mark.archive_id.clone_from(&incoming.archive_id);
        save(cx)?;
    }
    Ok(true)
}

/// The history of a conversation was deleted: nothing of it is waited for.
pub(crate) fn forget(cx: &mut Cx<'_>, address: &BareJid) -> Step {
    cx.state.features.later.0.retain(|one| one.conversation != *address);
    save(cx)
}

fn save(cx: &Cx<'_>) -> Step {
    let bytes = serde_json::to_vec(&cx.state.features.later.0);
    let bytes = bytes.map_err(|error| StoreError::Io(error.to_string()))?;
    cx.store.save_value(NAME, Some(&bytes))
}

/// A message is here now: does what waited for it.
pub(crate) fn on_message(cx: &mut Cx<'_>, id: MessageId, message: &Message) -> Step {
    if !cx.state.features.later.0.iter().any(|one| one.is_about(message)) {
        return Ok(());
    }
    let all = std::mem::take(&mut cx.state.features.later.0);
    let (due, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.is_about(message));
    cx.state.features.later.0 = rest;
    save(cx)?;
    for pending in due {
        let incoming = pending.incoming();
        let Some(message) = cx.store.message(id)? else { return Ok(()) };
        match pending.what {
            What::React(emoji) => react::apply(cx, message, &incoming, emoji)?,
            What::Retract => retract::apply(cx, message, &incoming)?,
            What::Moderate => retract::apply_moderation(cx, message)?,
            What::Tick(delivery) => markers::apply_later(cx, &message, &incoming, delivery)?,
            What::Correct(text, row) => correct::apply_later(cx, message, &incoming, text, row)?,
            What::Answer(row) => reply::apply_later(cx, &message, &incoming, row)?,
        }
    }
    Ok(())
}

/// The name under which they are stored.
const NAME: &str = "later";
/// How many are kept, how many of one conversation, and how many bytes of all.
const MOST: usize = 500;
const MOST_HERE: usize = 200;
/// How many receipts and markers of one conversation, and how many answers.
const MOST_OTHERS_HERE: usize = 100;
const MOST_BYTES: usize = 128 * 1024;
/// What one takes besides its texts, about.
const ENTRY_BYTES: usize = 400;
