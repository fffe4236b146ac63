//! Who may speak in a moderated room, from one visit to the next (XEP-0045 §5.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xmpp::{
    error::{Condition, StanzaError},
    ext::muc::Role,
    jid::BareJid,
};

use super::room::{Effect, Effects, Room, error};

/// Those whose voice is not the one that everybody of their affiliation begins with: given, or taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Voices {
    speaks: BTreeMap<String, bool>,
}

impl Voices {
    /// Whether something is remembered of somebody.
    pub(super) fn mention(&self, who: &BareJid) -> bool {
        self.speaks.contains_key(who.as_str())
    }

    /// Whether something changed. Where there are too many, whoever must not speak takes the place of
    /// somebody who was allowed to, who can ask again.
    fn set(&mut self, who: &BareJid, speaks: bool) -> bool {
        if self.speaks.len() >= MOST_VOICES && !self.mention(who) {
            let granted = self.speaks.iter().find(|(_, speaks)| **speaks);
            let Some(granted) = granted.map(|(who, _)| who.clone()).filter(|_| !speaks) else {
                return false;
            };
            self.speaks.remove(&granted);
        }
        self.speaks.insert(who.to_string(), speaks) != Some(speaks)
    }
}

impl Room {
    /// Whether so many more can be kept from speaking: what a moderator was told to be done holds.
    pub(super) fn has_room_for_mutes(&self, new: usize) -> Result<(), StanzaError> {
        let muted = self.voices.speaks.values().filter(|speaks| !**speaks).count();
        if self.settings.moderated && new > 0 && muted + new > MOST_VOICES {
            let text = "too many members of this room may not speak";
            return Err(error(Condition::ResourceConstraint, text));
        }
        Ok(())
    }

    /// The role with which somebody comes in.
    pub(super) fn role_of_newcomer(&self, who: &BareJid) -> Role {
        let usual = self.initial_role(self.affiliation(who));
        let remembered = self.voices.speaks.get(who.as_str()).filter(|_| self.settings.moderated);
        match (usual, remembered) {
            (Role::Visitor, Some(true)) => Role::Participant,
            (Role::Participant, Some(false)) => Role::Visitor,
            _ => usual,
        }
    }

    /// A moderator decided about somebody's voice: coming again is no way around it, and no reason to ask
    /// again.
    pub(super) fn remember_voice(&mut self, who: &BareJid, role: Role, out: &mut Effects) {
        let speaks = match role {
            Role::Visitor => false,
            Role::Participant => true,
            Role::None | Role::Moderator => return,
        };
        if !self.settings.moderated {
            return;
        }
        if role == self.initial_role(self.affiliation(who)) {
            return self.forget_voice(who, out);
        }
        if self.voices.set(who, speaks) {
            out.push(Effect::Save { state: true, changes: Vec::new() });
        }
    }

    /// Somebody's voice is the usual one again.
    pub(super) fn forget_voice(&mut self, who: &BareJid, out: &mut Effects) {
        if self.voices.speaks.remove(who.as_str()).is_some() {
            out.push(Effect::Save { state: true, changes: Vec::new() });
        }
    }

    /// Everybody's is.
    pub(super) fn forget_voices(&mut self) {
        self.voices = Voices::default();
    }
}

const MOST_VOICES: usize = 1000;
