//! RFC 4616: the PLAIN mechanism

use super::{Condition, Secret};

/// The one message of the mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    /// The identity to act as; `None` is the authenticated one.
    pub authzid: Option<String>,
    /// The user name, as it was sent.
    pub authcid: String,
    /// The password.
    pub password: Secret,
}

impl Plain {
    /// Reads the message.
    ///
    /// # Errors
    /// [`Condition::MalformedRequest`] if it is not UTF-8, does not have exactly two NULs, or has an
    /// empty name or password.
    pub fn parse(message: &[u8]) -> Result<Self, Condition> {
        let message = std::str::from_utf8(message).map_err(|_| Condition::MalformedRequest)?;
        let mut parts = message.split('\0');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(authzid), Some(authcid), Some(password), None)
                if !authcid.is_empty() && !password.is_empty() =>
            {
                Ok(Self {
                    authzid: (!authzid.is_empty()).then(|| authzid.to_owned()),
                    authcid: authcid.to_owned(),
                    password: Secret::from(password),
                })
            }
            _ => Err(Condition::MalformedRequest),
        }
    }

    /// Writes the message.
    #[must_use]
    pub fn message(&self) -> Secret {
        let mut message = Vec::new();
        message.extend_from_slice(self.authzid.as_deref().unwrap_or_default().as_bytes());
        message.push(0);
        message.extend_from_slice(self.authcid.as_bytes());
        message.push(0);
        message.extend_from_slice(self.password.expose());
        Secret::from(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_a_round_trip() {
        let plain = Plain {
            authzid: Some("juliet@example.org".into()),
            authcid: "juliet".into(),
            password: Secret::from("r0m30"),
        };
        assert_eq!(Plain::parse(plain.message().expose()), Ok(plain));
        assert_eq!(Plain::parse(b"\0juliet\0r0m30").unwrap().authzid, None);
    }

    #[test]
    fn anything_but_three_parts_is_malformed() {
        for message in
            [&b""[..], b"a", b"a\0b", b"\0\0", b"\0a\0", b"\0\0b", b"\0a\0b\0", b"\0\xff\0b"]
        {
            assert_eq!(Plain::parse(message), Err(Condition::MalformedRequest), "{message:?}");
        }
    }
}
