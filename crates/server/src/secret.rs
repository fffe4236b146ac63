//! The server's own secret: one file, from which the key of every other secret is derived.

use std::{fmt, fs, io, path::PathBuf};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{config::Home, files};

/// 32 random bytes made by `anemone init` and never changed. Kept apart from the database, so that
/// a stolen database alone does not let anybody compute what is derived here.
#[derive(Clone)]
pub struct ServerSecret(Zeroizing<[u8; 32]>);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or written.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why, in words.
        reason: String,
    },
    /// The file does not hold 64 hex digits.
    #[error(
        "{}: it must hold 64 hex digits and nothing else; put it back from a backup (without it, \
         tokens and sessions of logged-in devices are lost, passwords are not)", .0.display()
    )]
    Malformed(PathBuf),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

impl ServerSecret {
    /// A secret from given bytes, for tests and for in-process servers.
    pub fn new(bytes: [u8; 32]) -> ServerSecret {
        ServerSecret(Zeroizing::new(bytes))
    }

    /// Reads the secret of a data directory.
    ///
    /// # Errors
    /// When there is none or it is damaged.
    pub fn load(home: &Home) -> Result<ServerSecret, SecretError> {
        let path = home.secret();
        let text = fs::read_to_string(&path).map_err(|error| SecretError::Io {
            reason: match error.kind() {
                io::ErrorKind::NotFound => {
                    "there is no such file; `anemone init` makes it".to_owned()
                }
                _ => error.to_string(),
            },
            path: path.clone(),
        })?;
        let text = Zeroizing::new(text);
        parse(text.trim()).ok_or(SecretError::Malformed(path))
    }

    /// Makes a secret and writes it into the data directory.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(home: &Home) -> Result<ServerSecret, SecretError> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(SecretError::Random)?;
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in *bytes {
            text.push(hex_digit(byte >> 4));
            text.push(hex_digit(byte & 15));
        }
        text.push('\n');
        let path = home.secret();
        files::write_private(&path, text.as_bytes())
            .map_err(|error| SecretError::Io { path, reason: error.to_string() })?;
        Ok(ServerSecret(bytes))
    }

    /// The key for one purpose. Different labels give keys that say nothing about each other.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(mac(&self.0, &[label.as_bytes()]))
    }
}

impl ServerSecret {
    /// A short name for `parts`, the same every time, from which they cannot be found out.
    pub fn short(&self, label: &str, parts: &[&str]) -> String {
        use base64::Engine as _;
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let mac = mac(&self.derive(label), &parts);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&mac[..12])
    }
}

/// Numbers that stand for something, and from which that cannot be found out. They mean the same in every
/// version of the server, so that they may be stored; nobody else can find two things with one number.
pub struct Numbers(Hmac<Sha256>);

impl Numbers {
    /// Those for one purpose.
    pub fn new(secret: &ServerSecret, label: &str) -> Numbers {
        Numbers(keyed(&secret.derive(label)))
    }

    /// The number of what these parts say together, below 2^63: the store's integers are signed.
    pub fn number(&self, parts: &[&[u8]]) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = finish(self.0.clone(), parts);
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Numbers(..)")
    }
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerSecret(..)")
    }
}

/// HMAC-SHA-256 of parts, each with its length before it so that no two lists look the same.
pub(crate) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    finish(keyed(key), parts)
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn finish(mut mac: Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn parse(text: &str) -> Option<ServerSecret> {
    let mut bytes = Zeroizing::new([0; 32]);
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| value.try_into().ok()))
        .collect();
    let digits = Zeroizing::new(digits?);
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(ServerSecret(bytes))
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_as_it_was_made() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::new(directory.path());
        let made = ServerSecret::create(&home).unwrap();
        let read = ServerSecret::load(&home).unwrap();
        assert_eq!(made.derive("a"), read.derive("a"));
        assert_ne!(made.derive("a"), made.derive("b"));
        assert_eq!(format!("{made:?}"), "ServerSecret(..)");
        fs::write(home.secret(), "abc\n").unwrap();
        assert!(ServerSecret::load(&home).unwrap_err().to_string().contains("64 hex digits"));
    }

    #[test]
    fn the_parts_of_a_mac_do_not_run_into_each_other() {
        assert_ne!(mac(&[1; 32], &[b"ab", b"c"]), mac(&[1; 32], &[b"a", b"bc"]));
    }

    #[test]
    fn numbers_are_stored_and_are_each_servers_own() {
        let of = |secret, label| Numbers::new(&ServerSecret::new([secret; 32]), label);
        let number = of(7, "a").number(&[b"x", b"y"]);
        assert_eq!(number, 2_484_013_868_852_527_212, "what is on disk has to mean the same");
        assert_ne!(number, of(8, "a").number(&[b"x", b"y"]));
        assert_ne!(number, of(7, "b").number(&[b"x", b"y"]));
        assert_ne!(number, of(7, "a").number(&[b"xy"]));
        assert!((0..100_u8).all(|n| of(n, "a").number(&[]) < 1 << 63));
    }
}
