//! What is remembered of messages that were deleted on this device.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;

use super::{Message, Reference, Result};

/// What is remembered of a message, or of a change of one, that was deleted on this device: nothing
/// of what it said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// It is also remembered by its id in the archive: what has the same id of its sender and
    /// another one there may be something else.
    pub archived: bool,
}

/// Messages that were deleted on this device, by what others call them, so that they stay deleted
/// when an archive gives them out again.
pub trait Traces {
    /// What is remembered of the message that is called so in a conversation. One that is hidden
    /// ([`Hidden::hide`]) need not have been remembered.
    fn trace(&self, conversation: &BareJid, reference: &Reference) -> Result<Option<Trace>>;
    /// Remembers it, replacing what was remembered. It outlives the conversation.
    fn save_trace(&self, conversation: &BareJid, reference: &Reference, trace: Trace)
    -> Result<()>;
}

/// Some hidden messages.
#[derive(Debug, Default)]
pub struct HiddenPage {
    /// Those that can be read.
    pub messages: Vec<Message>,
    /// How many could not, and are removed.
    pub unreadable: usize,
}

impl HiddenPage {
    /// How many there were; with none nothing is hidden any more.
    pub fn count(&self) -> usize {
        self.messages.len() + self.unreadable
    }
}

/// Histories that were deleted on this device and go a part at a time: nobody sees them any more.
pub trait Hidden {
    /// Hides all messages that are in a conversation now, however many: nothing but these functions
    /// and [`Traces::trace`] knows them any more, and nothing replaces them. What comes later is not
    /// hidden.
    fn hide(&self, conversation: &BareJid) -> Result<()>;
    /// Whether something is hidden.
    fn is_hiding(&self) -> Result<bool>;
    /// At most `limit` hidden messages of one conversation, the newest of them first. What cannot be
    /// read of them is removed; only then it has to be part of a step.
    fn hidden(&self, limit: usize) -> Result<HiddenPage>;
    /// Removes what is still hidden, and forgets that anything was.
    fn end_hiding(&self) -> Result<()>;
}
