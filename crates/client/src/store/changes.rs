//! What changes a message after it was written, and the order of such changes.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;
use xmpp::time::Millis;

use super::{Occupant, Position};

/// Names a change of a message, and says where it stands among all changes. Of two the later one
/// counts, so that all devices of an account end with the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where it stands, as messages do: at the end until the archive tells its place.
    pub position: Position,
    /// The id of its stanza, as who sent it calls it.
    pub id: Option<String>,
    /// Its id in the archive, once it is known.
    pub archive_id: Option<String>,
}

/// What somebody thinks of a message (XEP-0444).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// Who; in a room that hides addresses, the room.
    pub sender: BareJid,
    /// Who, as a room names them.
    #[serde(default)]
    pub occupant: Option<Occupant>,
    /// Emoji, each once.
    pub emoji: Vec<String>,
    /// When the set was last changed.
    pub time: Millis,
    /// What changed it.
    #[serde(default)]
    pub mark: Mark,
    /// The last sets before it: one of them counts if the archive says that it is the later one.
    #[serde(default)]
    pub earlier: Vec<Reacted>,
}

/// One set of somebody's reactions.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reacted {
    /// Emoji, each once.
    pub emoji: Vec<String>,
    /// When it was made.
    pub time: Millis,
    /// What made it.
    pub mark: Mark,
}

/// What they thought is not printed.
impl std::fmt::Debug for Reacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reacted").field("mark", &self.mark).finish_non_exhaustive()
    }
}

/// What they think is not printed.
impl std::fmt::Debug for Reaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reaction")
            .field("sender", &self.sender)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
