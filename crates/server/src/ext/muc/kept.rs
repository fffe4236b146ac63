//! What is stored of a room beside its lists.

use serde::{Deserialize, Serialize};
use xmpp::jid::BareJid;

use super::{hats::Hats, room::Subject, settings::Settings, voices::Voices};

/// What is stored of a room beside its lists.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    #[serde(default)]
    pub(super) settings: Settings,
    #[serde(default)]
    pub(super) subject: Option<Subject>,
    #[serde(default)]
    pub(super) vcard: Option<String>,
    #[serde(default)]
    pub(super) hats: Hats,
    #[serde(default)]
    pub(super) voices: Voices,
    #[serde(default)]
    pub(super) version: u64,
    #[serde(default)]
    pub(super) oldest: u64,
    #[serde(default)]
    pub(super) locked: bool,
}

impl Kept {
    /// A room that comes from elsewhere.
    pub(super) fn of(settings: Settings, subject: Option<Subject>, vcard: Option<String>) -> Kept {
        Kept { settings, subject, vcard, ..Kept::default() }
    }

    /// Whether it knows more of somebody than what is on its lists.
    pub(super) fn mentions(&self, jid: &BareJid) -> bool {
        self.voices.mention(jid) || self.hats.are_worn_by(jid)
    }

    /// Whether it wants to be found.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.settings.public && !self.locked
    }

    /// Whether it outlasts its last occupant.
    #[must_use]
    pub fn persists(&self) -> bool {
        self.settings.persistent && !self.locked
    }

    /// Whether only members come in.
    #[must_use]
    pub fn members_only(&self) -> bool {
        self.settings.members_only
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }
}
