//! Why a command failed, and the code it exits with. The codes are part of the interface.

use client_sqlite::OpenError;

use crate::disk;

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Something else.
    #[error("{0}")]
    Other(String),
    /// The command makes no sense as it was written.
    #[error("{0}")]
    Usage(String),
    /// The server does not accept the login, or there is none.
    #[error("{0}")]
    Login(String),
    /// There is no connection.
    #[error("{0}")]
    Network(String),
    /// Nobody could read the message.
    #[error("{0}")]
    NotEncryptable(String),
    /// It took too long.
    #[error("{0}")]
    Timeout(String),
    /// Another program has the account open and does not take requests.
    #[error("{0}")]
    InUse(String),
    /// What is stored cannot be opened, read or written.
    #[error("{0}")]
    Storage(String),
    /// The certificate of the server is not to be trusted.
    #[error("{problem}. If it is the right one, add --pin {fingerprint}")]
    Certificate {
        /// What is wrong with it.
        problem: String,
        /// What would pin it.
        fingerprint: String,
    },
}

impl Failure {
    /// The code a program exits with.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Failure::Other(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Login(_) => 3,
            Failure::Network(_) => 4,
            Failure::NotEncryptable(_) => 5,
            Failure::Timeout(_) => 6,
            Failure::InUse(_) => 7,
            Failure::Storage(_) => 8,
            Failure::Certificate { .. } => 9,
        }
    }

    /// The failure with a code, as another program told it.
    #[must_use]
    pub fn from_code(code: u8, words: String) -> Self {
        match code {
            2 => Failure::Usage(words),
            3 => Failure::Login(words),
            4 => Failure::Network(words),
            5 => Failure::NotEncryptable(words),
            6 => Failure::Timeout(words),
            7 => Failure::InUse(words),
            8 => Failure::Storage(words),
            _ => Failure::Other(words),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let words = error.to_string();
        match error {
            OpenError::Full { path } => Failure::Storage(disk::full(&path)),
            OpenError::InUse { .. } => Failure::InUse(words),
            _ => Failure::Storage(words),
        }
    }
}

/// The codes, for the help text and the manual.
pub const CODES: &str = "\
Exit codes:
  0  done
  1  something else went wrong
  2  the command makes no sense as written
  3  the server refuses the login, or there is no account yet
  4  no connection
  5  nobody could read the message: it cannot be encrypted
  6  it took too long
  7  the account is open in another program that does not take requests
  8  the stored account cannot be opened, read or written
  9  the server's certificate is not to be trusted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_and_survives_the_way_to_another_program() {
        let words = || "so".to_owned();
        let all = [
            Failure::Other(words()),
            Failure::Usage(words()),
            Failure::Login(words()),
            Failure::Network(words()),
            Failure::NotEncryptable(words()),
            Failure::Timeout(words()),
            Failure::InUse(words()),
            Failure::Storage(words()),
        ];
        for (number, failure) in (1..).zip(all) {
            assert_eq!(failure.code(), number);
            assert!(CODES.contains(&format!("\n  {number}  ")));
            assert_eq!(Failure::from_code(number, words()), failure);
        }
    }
}
