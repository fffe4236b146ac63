//! How a message is to leave.

use serde::{Deserialize, Serialize};

use super::EncryptionMode;

/// How an own message is to leave. It is kept with the message, so that nothing that happens to its
/// conversation while the message waits makes it leave with less protection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// As its conversation says when it leaves. Messages of others have this way as well.
    #[default]
    AsConversation,
    /// Encrypted, because its conversation was when it was written. Whoever tries it again or writes
    /// it anew decides anew.
    Encrypted,
    /// Encrypted or not at all, chosen for this message.
    OnlyEncrypted,
    /// In plain text, chosen for this message. It needs no change of its conversation.
    OnlyPlain,
}

impl Way {
    /// The way of a message that is written now: what was chosen for it, or what its conversation
    /// says.
    #[must_use]
    pub fn new(chosen: Option<EncryptionMode>, conversation: EncryptionMode) -> Self {
        match (chosen, conversation) {
            (Some(EncryptionMode::Omemo), _) => Self::OnlyEncrypted,
            (Some(EncryptionMode::Plain), _) => Self::OnlyPlain,
            (None, EncryptionMode::Omemo) => Self::Encrypted,
            (None, EncryptionMode::Plain) => Self::AsConversation,
        }
    }

    /// The way of a message that its author sends once more, or differently: a choice for this
    /// message stays, anything else follows its conversation.
    #[must_use]
    pub fn again(self, conversation: EncryptionMode) -> Self {
        match self {
            Self::OnlyEncrypted | Self::OnlyPlain => self,
            Self::AsConversation | Self::Encrypted => Self::new(None, conversation),
        }
    }

    /// Whether it must not leave without encryption.
    #[must_use]
    pub fn is_encrypted(self, conversation: EncryptionMode) -> bool {
        match self {
            Self::AsConversation => conversation == EncryptionMode::Omemo,
            Self::Encrypted | Self::OnlyEncrypted => true,
            Self::OnlyPlain => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EncryptionMode::{Omemo, Plain};

    #[test]
    fn a_conversation_protects_what_waits_and_never_exposes_it() {
        let way = Way::new(None, Omemo);
        assert!(way.is_encrypted(Plain));
        assert!(!way.again(Plain).is_encrypted(Plain), "its author decides anew");
        let way = Way::new(None, Plain);
        assert!(!way.is_encrypted(Plain));
        assert!(way.is_encrypted(Omemo));
    }

    #[test]
    fn a_choice_for_a_message_stays() {
        for conversation in [Omemo, Plain] {
            for (chosen, encrypted) in [(Omemo, true), (Plain, false)] {
                let way = Way::new(Some(chosen), conversation);
                assert_eq!(way.is_encrypted(conversation), encrypted);
                assert_eq!(way.again(conversation), way);
            }
        }
    }
}
