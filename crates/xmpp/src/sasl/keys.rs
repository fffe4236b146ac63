//! RFC 5802 §3: what a server stores instead of a password

use subtle::ConstantTimeEq;

use super::{Digest, Hash, PasswordError, prepare_password};

/// The keys of one account for one hash function. Whoever steals them can impersonate the server
/// and try passwords, but cannot log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramKeys {
    /// The hash function of the mechanism.
    pub hash: Hash,
    /// PBKDF2 rounds.
    pub iterations: u32,
    /// Random bytes, told to everybody who asks.
    pub salt: Vec<u8>,
    /// `H(ClientKey)`, checks the client.
    pub stored_key: Digest,
    /// Proves the server to the client.
    pub server_key: Digest,
}

impl ScramKeys {
    /// Computes the keys of a password. Costs CPU time in proportion to `iterations`: run it where
    /// blocking is allowed. `salt` is [`SALT_BYTES`] random bytes.
    ///
    /// # Errors
    /// If SASLprep refuses the password.
    pub fn derive(
        hash: Hash,
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Self, PasswordError> {
        let password = prepare_password(password)?;
        let salted = hash.pbkdf2(password.expose(), salt, iterations);
        Ok(Self::from_salted(hash, &salted, salt, iterations))
    }

    /// Computes the keys of a salted password, as XEP-0480 upgrades deliver it.
    #[must_use]
    pub fn from_salted(hash: Hash, salted: &[u8], salt: &[u8], iterations: u32) -> Self {
        Self {
            hash,
            iterations,
            salt: salt.to_vec(),
            stored_key: hash.digest(&hash.hmac(salted, &[b"Client Key"])),
            server_key: hash.hmac(salted, &[b"Server Key"]),
        }
    }

    /// Reads stored keys; `None` if a key does not have the length of the hash function's output,
    /// or the numbers are outside what SCRAM allows.
    #[must_use]
    pub fn from_parts(
        hash: Hash,
        iterations: u32,
        salt: Vec<u8>,
        stored_key: &[u8],
        server_key: &[u8],
    ) -> Option<Self> {
        if iterations == 0 || salt.is_empty() {
            return None;
        }
        let stored_key = Digest::from_slice(hash, stored_key)?;
        let server_key = Digest::from_slice(hash, server_key)?;
        Some(Self { hash, iterations, salt, stored_key, server_key })
    }

    /// Whether this is the password. Costs as much as [`ScramKeys::derive`].
    #[must_use]
    pub fn verify_password(&self, password: &str) -> bool {
        let Ok(password) = prepare_password(password) else { return false };
        let salted = self.hash.pbkdf2(password.expose(), &self.salt, self.iterations);
        let client_key = self.hash.hmac(&salted, &[b"Client Key"]);
        self.hash.digest(&client_key).ct_eq(&self.stored_key).into()
    }

    /// Keys for an account that does not exist: always the same for the same name, so that asking
    /// twice does not tell, and matched by no password. `secret` is the server's own, at least 32
    /// random bytes that never change; `account` the bare JID; `iterations` what new accounts get.
    #[must_use]
    pub fn fake(secret: &[u8], account: &str, hash: Hash, iterations: u32) -> Self {
        // The name of the hash function tells the three salts of a name apart, as real ones are.
        let part = |label: &[u8]| {
            hash.hmac(secret, &[label, b"\0", hash.name().as_bytes(), b"\0", account.as_bytes()])
        };
        let salt = part(b"salt").iter().copied().take(SALT_BYTES).collect();
        Self {
            hash,
            iterations,
            salt,
            stored_key: part(b"stored key"),
            server_key: part(b"server key"),
        }
    }
}

/// Length of the salt of accounts created here. [`ScramKeys::fake`] uses the same, so imported
/// accounts with other lengths are recognisable as existing until their password changes.
pub const SALT_BYTES: usize = 16;

/// RFC 7677 §4: the least a client of ours accepts.
pub const MIN_ITERATIONS: u32 = 4096;

/// The most a client of ours computes, so that a hostile server cannot burn its CPU.
pub const MAX_ITERATIONS: u32 = 5_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_verified_against_its_keys_only() {
        for hash in Hash::ALL {
            let keys = ScramKeys::derive(hash, "p\u{e4}ssword", b"0123456789abcdef", 64).unwrap();
            assert!(keys.verify_password("p\u{e4}ssword"));
            assert!(keys.verify_password("pa\u{308}ssword"), "SASLprep composes");
            assert!(!keys.verify_password("password"));
            assert!(!keys.verify_password(""));
        }
    }

    #[test]
    fn fake_keys_are_stable_and_differ_by_name_and_hash() {
        let fake = |name, hash| ScramKeys::fake(&[7; 32], name, hash, 10_000);
        let first = fake("a@example.org", Hash::Sha256);
        assert_eq!(first, fake("a@example.org", Hash::Sha256));
        assert_ne!(first.salt, fake("b@example.org", Hash::Sha256).salt);
        assert_ne!(first.salt, fake("a@example.org", Hash::Sha512).salt);
        assert_eq!(first.salt.len(), SALT_BYTES);
        assert!(!first.verify_password("a"));
    }

    #[test]
    fn stored_keys_survive_a_round_trip() {
        let keys = ScramKeys::derive(Hash::Sha512, "pencil", &[3; SALT_BYTES], 64).unwrap();
        let read = |stored: &[u8]| {
            ScramKeys::from_parts(Hash::Sha512, 64, keys.salt.clone(), stored, &keys.server_key)
        };
        assert_eq!(read(&keys.stored_key), Some(keys.clone()));
        assert_eq!(read(&[0; 20]), None);
    }

    #[test]
    fn debug_output_does_not_show_the_keys() {
        let keys = ScramKeys::derive(Hash::Sha1, "pencil", b"salt", 1).unwrap();
        assert!(format!("{keys:?}").contains("stored_key: Digest(…)"));
    }
}
