//! What is stored of a room beside its lists.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use store::rooms::Card;
use xmpp::jid::BareJid;

use super::{
    hats::Hats, requests::Requests, room::Subject, settings::Settings, tokens::Tokens,
    voices::Voices,
};

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
    pub(super) requests: Requests,
    #[serde(default)]
    pub(super) tokens: Tokens,
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
        self.voices.mention(jid)
            || self.hats.are_worn_by(jid)
            || self.requests.of(jid).is_some()
            || self.tokens.mention(jid)
    }

    /// As it is written to the store, with what lists show of it.
    #[must_use]
    pub fn stored(&self) -> (Bytes, Card) {
        let settings = &self.settings;
        let card = Card {
            title: settings.name.as_str().into(),
            public: settings.public && !self.locked,
            members_only: settings.members_only,
            persistent: settings.persistent && !self.locked,
            kept_days: Some(settings.kept_days).filter(|days| *days > 0),
        };
        (serde_json::to_vec(self).unwrap_or_default().into(), card)
    }
}
