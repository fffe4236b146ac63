//! The two wire versions of OMEMO.

/// Which OMEMO a session, bundle or payload belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `eu.siacs.conversations.axolotl`, XEP-0384 0.3.0: what most of the world speaks.
    Legacy,
    /// `urn:xmpp:omemo:2`, XEP-0384 since 0.8.0, written against 0.9.1.
    Omemo2,
}

impl Version {
    /// Both, the preferred one first.
    pub const ALL: [Self; 2] = [Self::Omemo2, Self::Legacy];

    /// The XML namespace.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Legacy => "eu.siacs.conversations.axolotl",
            Self::Omemo2 => "urn:xmpp:omemo:2",
        }
    }

    pub(crate) fn x3dh_info(self) -> &'static [u8] {
        match self {
            Self::Legacy => b"WhisperText",
            Self::Omemo2 => b"OMEMO X3DH",
        }
    }

    pub(crate) fn root_info(self) -> &'static [u8] {
        match self {
            Self::Legacy => b"WhisperRatchet",
            Self::Omemo2 => b"OMEMO Root Chain",
        }
    }

    pub(crate) fn message_key_info(self) -> &'static [u8] {
        match self {
            Self::Legacy => b"WhisperMessageKeys",
            Self::Omemo2 => b"OMEMO Message Key Material",
        }
    }

    /// Bytes that are left of the HMAC of a ratchet message.
    pub(crate) fn tag_len(self) -> usize {
        match self {
            Self::Legacy => 8,
            Self::Omemo2 => 16,
        }
    }

    pub(crate) fn to_byte(self) -> u8 {
        match self {
            Self::Legacy => 1,
            Self::Omemo2 => 2,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Legacy),
            2 => Some(Self::Omemo2),
            _ => None,
        }
    }
}
