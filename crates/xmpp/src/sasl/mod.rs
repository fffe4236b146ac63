//! SASL: how a peer proves who it is (RFC 4422, RFC 5802, RFC 7677, draft-schmaus-sasl-ht)
//!
//! Mechanisms only, as functions of messages: which one may be used on a stream, and how messages
//! travel in XML, is decided by [`stream`](crate::stream). Nothing here asks for randomness, time
//! or accounts; callers hand them in.

pub mod channel_binding;
pub mod downgrade;
mod hash;
pub mod ht;
mod keys;
mod mechanism;
mod message;
pub mod plain;
mod prep;
pub mod scram_client;
pub mod scram_server;
mod secret;

use std::fmt;

pub use channel_binding::{ChannelBinding, TlsInfo};
pub use hash::{Digest, Hash};
pub use keys::{MAX_ITERATIONS, MIN_ITERATIONS, SALT_BYTES, ScramKeys};
pub use mechanism::Mechanism;
pub use prep::{MAX_PASSWORD_BYTES, PasswordError, prepare_password};
pub use secret::Secret;

/// Why an authentication failed, as the peer is told: RFC 6120 §6.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The peer asked to stop.
    Aborted,
    /// The account exists and is switched off. Only told to who knew the password.
    AccountDisabled,
    /// The password or token is right but too old.
    CredentialsExpired,
    /// The mechanism needs TLS first.
    EncryptionRequired,
    /// The data is no base64.
    IncorrectEncoding,
    /// The identity asked for is not the one that was authenticated.
    InvalidAuthzid,
    /// No such mechanism is offered.
    InvalidMechanism,
    /// The data does not follow the mechanism's syntax.
    MalformedRequest,
    /// The mechanism is known, and below what the policy allows.
    MechanismTooWeak,
    /// Unknown account or wrong proof; deliberately not told apart.
    NotAuthorized,
    /// The server cannot check at the moment.
    TemporaryAuthFailure,
}

impl Condition {
    /// The element name of RFC 6120 §6.5.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::CredentialsExpired => "credentials-expired",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::MechanismTooWeak => "mechanism-too-weak",
            Self::NotAuthorized => "not-authorized",
            Self::TemporaryAuthFailure => "temporary-auth-failure",
        }
    }

    /// The condition of this element name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|condition| condition.name() == name)
    }

    /// Every condition, in the order of the RFC.
    pub const ALL: [Self; 11] = [
        Self::Aborted,
        Self::AccountDisabled,
        Self::CredentialsExpired,
        Self::EncryptionRequired,
        Self::IncorrectEncoding,
        Self::InvalidAuthzid,
        Self::InvalidMechanism,
        Self::MalformedRequest,
        Self::MechanismTooWeak,
        Self::NotAuthorized,
        Self::TemporaryAuthFailure,
    ];
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failed authentication: the condition and, where it helps a person, a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the peer's program reads.
    pub condition: Condition,
    /// What a person may read. Never says whether an account exists.
    pub text: Option<String>,
}

impl Failure {
    /// A failure without a text.
    #[must_use]
    pub fn new(condition: Condition) -> Self {
        Self { condition, text: None }
    }

    /// The same with a text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }
}

impl From<Condition> for Failure {
    fn from(condition: Condition) -> Self {
        Self::new(condition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_found_by_its_name() {
        for condition in Condition::ALL {
            assert_eq!(Condition::from_name(condition.name()), Some(condition));
        }
        assert_eq!(Condition::from_name("nonsense"), None);
    }
}
