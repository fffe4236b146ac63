//! What is remembered of messages that were deleted on this device.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;

use super::{Reference, Result};

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
    /// What is remembered of the message that is called so in a conversation.
    fn trace(&self, conversation: &BareJid, reference: &Reference) -> Result<Option<Trace>>;
    /// Remembers it, replacing what was remembered. It outlives the conversation.
    fn save_trace(&self, conversation: &BareJid, reference: &Reference, trace: Trace)
    -> Result<()>;
}
