//! What is left of a queue in which nothing waits.

use xmpp::time::Millis;

use super::{Outgoing, Phase};

/// What is left to remember of a domain for which nothing waits; what is worth least comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rest {
    /// Nothing.
    Nothing,
    /// Why it could not be reached.
    Failure {
        /// When it was tried last.
        tried: Millis,
    },
    /// Also that it missed presence.
    Presence {
        /// When it was tried last.
        tried: Millis,
    },
}

impl Rest {
    /// When the domain was tried last, if it ever was.
    #[must_use]
    pub fn since(self) -> Option<Millis> {
        match self {
            Rest::Failure { tried } | Rest::Presence { tried } if tried > Millis(0) => Some(tried),
            _ => None,
        }
    }
}

impl Outgoing {
    /// Why the queue is not forgotten although nothing waits in it; `None` when something does.
    #[must_use]
    pub fn rest(&self) -> Option<Rest> {
        let at_rest = matches!(self.phase, Phase::Idle | Phase::Resting { .. });
        let tried = self.attempted;
        (at_rest && self.is_empty() && !self.loading).then_some(match self.missed_presence {
            true => Rest::Presence { tried },
            false if self.failure.is_some() => Rest::Failure { tried },
            false => Rest::Nothing,
        })
    }
}
