//! RFC 4013: SASLprep, the form of a password both sides compute with

use super::Secret;

/// The password cannot be used: it is empty, or has characters SASLprep forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// There is nothing left of it.
    #[error("the password is empty")]
    Empty,
    /// A control character, an unassigned code point, or mixed writing directions.
    #[error("the password has characters that not every client can send")]
    Forbidden,
    /// More than [`MAX_PASSWORD_BYTES`].
    #[error("the password is too long")]
    TooLong,
}

/// Brings a password into the form of RFC 4013, so that different ways of typing the same letters
/// give the same keys.
///
/// # Errors
/// If the password is empty, too long, or has characters the profile forbids. Those include code
/// points newer than Unicode 3.2, such as most emoji: clients disagree about them, and a password
/// that works in one client only is worse than a refusal.
pub fn prepare_password(password: &str) -> Result<Secret, PasswordError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    let prepared = stringprep::saslprep(password).map_err(|_| PasswordError::Forbidden)?;
    // Preparation may lengthen: one character such as U+00BD becomes three.
    match prepared.len() {
        0 => return Err(PasswordError::Empty),
        1..=MAX_PASSWORD_BYTES => {}
        _ => return Err(PasswordError::TooLong),
    }
    Ok(Secret::from(prepared.into_owned()))
}

/// No RFC names a limit for passwords; this one, before and after preparation, is far above what
/// people type.
pub const MAX_PASSWORD_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(password: &str) -> Result<String, PasswordError> {
        prepare_password(password).map(|secret| secret.expose_str().unwrap().to_owned())
    }

    #[test]
    fn the_examples_of_rfc_4013_hold() {
        assert_eq!(prepared("I\u{ad}X").unwrap(), "IX");
        assert_eq!(prepared("user").unwrap(), "user");
        assert_eq!(prepared("USER").unwrap(), "USER");
        assert_eq!(prepared("\u{aa}").unwrap(), "a");
        assert_eq!(prepared("\u{2168}").unwrap(), "IX");
        assert_eq!(prepared("\u{7}"), Err(PasswordError::Forbidden));
        assert_eq!(prepared("\u{627}\u{31}"), Err(PasswordError::Forbidden));
    }

    #[test]
    fn empty_and_endless_passwords_are_refused() {
        assert_eq!(prepared(""), Err(PasswordError::Empty));
        assert_eq!(prepared("\u{ad}"), Err(PasswordError::Empty));
        assert_eq!(prepared(&"a".repeat(2000)), Err(PasswordError::TooLong));
        assert_eq!(prepared(&"\u{bd}".repeat(300)), Err(PasswordError::TooLong));
    }
}
