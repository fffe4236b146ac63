//! What is said about messages that are not here yet
//!
//! Who pages back through an archive meets reactions, corrections and retractions before the
//! messages they are about. They are kept, and done when the message comes.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::{correct, react, retract};
use crate::cx::{Cx, Step};
use crate::incoming::{Incoming, Source};
use crate::store::{Encryption, Message, MessageId, Occupant, Store, StoreError};

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
            What::Retract | What::Moderate => 0,
        };
        ENTRY_BYTES + self.id.len() + text
    }

    fn is_about(&self, message: &Message) -> bool {
        if self.conversation != message.conversation {
            return false;
        }
        let by_author = matches!(self.what, What::Correct(..)) || !self.room;
        let id = if by_author { &message.origin_id } else { &message.archive_id };
        id.as_ref() == Some(&self.id)
    }

    /// Who wants it, as the message that said so came.
    fn incoming(&self) -> Incoming {
        Incoming {
            with: self.conversation.clone(),
            sender: self.sender.clone(),
            room: self.room,
            occupant: self.occupant.clone(),
            own: self.own,
            error: false,
            source: Source::Older,
            id: None,
            origin_id: None,
            unique: false,
            archive_id: None,
            time: self.time,
            position: None,
            outer: Vec::new(),
            content: Vec::new(),
            encryption: self.encryption,
            undecryptable: None,
        }
    }
}

/// Keeps something for a message that is not here.
pub(crate) fn keep(cx: &mut Cx<'_>, incoming: &Incoming, id: &str, what: What) -> Step {
    let pending = Pending {
        conversation: incoming.with.clone(),
        id: id.to_owned(),
        room: incoming.room,
        sender: incoming.sender.clone(),
        occupant: incoming.occupant.clone(),
        own: incoming.own,
        time: incoming.time,
        encryption: incoming.encryption,
        what,
    };
    let all = &mut cx.state.features.later.0;
    let here = all.iter().filter(|one| one.conversation == pending.conversation).count();
    if here >= MOST_HERE
        && let Some(oldest) = all.iter().position(|one| one.conversation == pending.conversation)
    {
        all.remove(oldest);
    }
    all.push(pending);
    while all.len() > MOST || all.iter().map(Pending::bytes).sum::<usize>() > MOST_BYTES {
        all.remove(0);
    }
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
    let (mut due, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.is_about(message));
    cx.state.features.later.0 = rest;
    save(cx)?;
    due.sort_by_key(|one| one.time);
    for pending in due {
        let incoming = pending.incoming();
        let Some(message) = cx.store.message(id)? else { return Ok(()) };
        match pending.what {
            What::React(emoji) => react::apply(cx, message, &incoming, emoji)?,
            What::Retract => retract::apply(cx, message, &incoming)?,
            What::Moderate => retract::apply_moderation(cx, message)?,
            What::Correct(text, row) => correct::apply_later(cx, message, &incoming, text, row)?,
        }
    }
    Ok(())
}

/// The name under which they are stored.
const NAME: &str = "later";
/// How many are kept, how many of one conversation, and how many bytes of all.
const MOST: usize = 500;
const MOST_HERE: usize = 200;
const MOST_BYTES: usize = 128 * 1024;
/// What one takes besides its texts, about.
const ENTRY_BYTES: usize = 400;
