//! Passwords on their way to the store: which ones are accepted, and the SCRAM keys that are kept
//! instead of them (RFC 5802, RFC 7677).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::{SecretBytes, accounts::Credential};
use xmpp::{
    ext::sasl_upgrade::Salt,
    sasl::{Hash, PasswordError, SALT_BYTES, ScramKeys, prepare_password},
};
use zeroize::Zeroizing;

/// A password that is wiped from memory when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

/// Why a password is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// Too short to resist guessing.
    #[error("the password is too short: it needs at least {0} characters")]
    Short(u64),
    /// It is the name of the account, or one character again and again.
    #[error("the password is too easy to guess: it repeats the name or a single character")]
    Obvious,
    /// SASLprep (RFC 4013) refuses it.
    #[error("{0}; use letters, digits, spaces and punctuation")]
    Characters(#[from] PasswordError),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

impl Password {
    /// Takes a password from where it was entered.
    pub fn new(text: String) -> Password {
        Password(Zeroizing::new(text))
    }

    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Password, D::Error> {
        String::deserialize(deserializer).map(Password::new)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// Whether a password may be chosen for the account `name`: long enough, not obvious, and made of
/// characters that every client can send.
///
/// # Errors
/// The rule it breaks, in words.
pub fn verify(password: &Password, name: &str, minimum: u64) -> Result<(), Unacceptable> {
    let text = password.expose();
    prepare_password(text)?;
    if (text.chars().count() as u64) < minimum {
        return Err(Unacceptable::Short(minimum));
    }
    let mut letters = text.chars();
    let first = letters.next();
    let is_one_letter = letters.all(|letter| Some(letter) == first);
    if is_one_letter || text.to_lowercase() == name.to_lowercase() {
        return Err(Unacceptable::Obvious);
    }
    Ok(())
}

/// The keys of a password for every hash that clients may ask for. Computing them takes the time of
/// three times `iterations` rounds of PBKDF2, some hundred milliseconds at the default: call it
/// where blocking is allowed.
///
/// All three get the same number of rounds, [`crate::config::Login::iterations`]. Its default of
/// 100,000 is ten times what other servers use. The cost falls on the client and on whoever cracks
/// a stolen database, not on this server, and clients with a token (XEP-0484) pay it only once.
///
/// # Errors
/// When SASLprep refuses the password.
pub fn credentials(password: &Password, iterations: u64) -> Result<Vec<Credential>, Unacceptable> {
    let iterations = u32::try_from(iterations).unwrap_or(u32::MAX);
    Hash::ALL.into_iter().map(|hash| credential(password, hash, iterations)).collect()
}

fn credential(
    password: &Password,
    hash: Hash,
    iterations: u32,
) -> Result<Credential, Unacceptable> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(Unacceptable::Random)?;
    Ok(stored(&ScramKeys::derive(hash, password.expose(), &salt, iterations)?))
}

/// What a client computes keys with (XEP-0480); `None` when the system has no random numbers.
#[must_use]
pub fn salt(hash: Hash, iterations: u32) -> Option<Salt> {
    let mut salt = vec![0; SALT_BYTES];
    getrandom::fill(&mut salt).ok()?;
    Some(Salt { hash, iterations, salt })
}

/// Keys as they are stored.
#[must_use]
pub fn stored(keys: &ScramKeys) -> Credential {
    Credential {
        hash: hash_number(keys.hash),
        iterations: keys.iterations,
        salt: keys.salt.clone(),
        stored_key: SecretBytes(keys.stored_key.to_vec()),
        server_key: SecretBytes(keys.server_key.to_vec()),
    }
}

/// Reads stored keys; `None` when they are damaged or of a hash this version does not know.
pub fn keys(credential: &Credential) -> Option<ScramKeys> {
    let hash = Hash::ALL.into_iter().find(|hash| hash_number(*hash) == credential.hash)?;
    ScramKeys::from_parts(
        hash,
        credential.iterations,
        credential.salt.clone(),
        &credential.stored_key.0,
        &credential.server_key.0,
    )
}

/// The number under which the keys of a hash are stored. Never change one.
pub fn hash_number(hash: Hash) -> u8 {
    match hash {
        Hash::Sha1 => 1,
        Hash::Sha256 => 2,
        Hash::Sha512 => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[test]
    fn weak_and_unusable_passwords_are_refused_in_words() {
        let verdict = |text: &str| verify(&password(text), "juliet", 8).map_err(|e| e.to_string());
        assert_eq!(verdict("wherefore art thou"), Ok(()));
        assert_eq!(verdict("grün wär's"), Ok(()));
        assert!(verdict("seven77").unwrap_err().contains("at least 8"));
        assert!(verdict("aaaaaaaaaaaa").unwrap_err().contains("too easy"));
        assert!(verdict("\u{7}bell and more").unwrap_err().contains("characters"));
        assert!(verdict("").is_err());
        assert!(verify(&password("Capulet-House"), "capulet-house", 8).is_err());
    }

    #[test]
    fn the_keys_of_every_hash_accept_the_password_and_no_other() {
        let stored = credentials(&password("wherefore"), 64).unwrap();
        assert_eq!(stored.len(), 3);
        for credential in &stored {
            let keys = keys(credential).unwrap();
            assert!(keys.verify_password("wherefore"));
            assert!(!keys.verify_password("therefore"));
        }
        let damaged = Credential { hash: 9, ..stored[0].clone() };
        assert!(keys(&damaged).is_none());
    }

    #[test]
    fn a_password_does_not_appear_in_debug_output() {
        let text = format!("{:?}", password("wherefore"));
        assert_eq!(text, "Password(..)");
    }
}
