//! Names and order of the mechanisms

use std::fmt;

use super::ht;
use super::{ChannelBinding, Hash};

/// A mechanism this crate speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// RFC 5802 without channel binding.
    Scram(Hash),
    /// RFC 5802 with channel binding.
    ScramPlus(Hash),
    /// RFC 4616: the password itself.
    Plain,
    /// draft-schmaus-sasl-ht: a token instead of a password, only inside FAST (XEP-0484).
    Token(ht::Method),
}

impl Mechanism {
    /// Password mechanisms, strongest first. Channel binding counts more than the hash function:
    /// without it a stolen certificate is enough to sit in between.
    pub const PASSWORD: [Self; 7] = [
        Self::ScramPlus(Hash::Sha512),
        Self::ScramPlus(Hash::Sha256),
        Self::ScramPlus(Hash::Sha1),
        Self::Scram(Hash::Sha512),
        Self::Scram(Hash::Sha256),
        Self::Scram(Hash::Sha1),
        Self::Plain,
    ];

    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scram(Hash::Sha1) => "SCRAM-SHA-1",
            Self::Scram(Hash::Sha256) => "SCRAM-SHA-256",
            Self::Scram(Hash::Sha512) => "SCRAM-SHA-512",
            Self::ScramPlus(Hash::Sha1) => "SCRAM-SHA-1-PLUS",
            Self::ScramPlus(Hash::Sha256) => "SCRAM-SHA-256-PLUS",
            Self::ScramPlus(Hash::Sha512) => "SCRAM-SHA-512-PLUS",
            Self::Plain => "PLAIN",
            Self::Token(method) => method.name(),
        }
    }

    /// The mechanism of this name, if it is spoken here. Names are compared exactly: RFC 4422 §3.1
    /// allows upper case only.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::PASSWORD
            .into_iter()
            .chain(ht::Method::ALL.into_iter().map(Self::Token))
            .find(|mechanism| mechanism.name() == name)
    }

    /// Whether the mechanism ties the authentication to the TLS channel.
    #[must_use]
    pub fn binds_channel(self) -> bool {
        match self {
            Self::ScramPlus(_) => true,
            Self::Token(method) => method.binding.is_some(),
            Self::Scram(_) | Self::Plain => false,
        }
    }

    /// The channel binding that is fixed by the name, as in HT.
    #[must_use]
    pub fn named_binding(self) -> Option<ChannelBinding> {
        match self {
            Self::Token(method) => method.binding,
            Self::Scram(_) | Self::ScramPlus(_) | Self::Plain => None,
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mechanism_is_found_by_its_name() {
        for mechanism in Mechanism::PASSWORD {
            assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
        }
        for method in ht::Method::ALL {
            assert_eq!(Mechanism::from_name(method.name()), Some(Mechanism::Token(method)));
        }
        assert_eq!(Mechanism::from_name("scram-sha-1"), None);
        assert_eq!(Mechanism::from_name("DIGEST-MD5"), None);
    }
}
