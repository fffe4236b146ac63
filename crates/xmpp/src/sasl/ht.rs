//! draft-schmaus-sasl-ht-09: Hashed Token mechanisms, used by XEP-0484 (FAST)
//!
//! One message each way: the client proves that it knows a token, and the server, with its answer,
//! that it does. The proofs depend on the channel when the mechanism binds to one.

use subtle::ConstantTimeEq;

use super::{ChannelBinding, Condition, Digest, Hash, Secret, TlsInfo};

/// A mechanism of the family: hash function and channel binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method {
    /// SHA-256 or SHA-512.
    pub hash: Hash,
    /// The channel binding, `None` for the `-NONE` mechanisms.
    pub binding: Option<ChannelBinding>,
}

impl Method {
    /// HT-SHA-256-EXPR.
    pub const SHA_256_EXPR: Self =
        Self { hash: Hash::Sha256, binding: Some(ChannelBinding::TlsExporter) };
    /// HT-SHA-256-ENDP.
    pub const SHA_256_ENDP: Self =
        Self { hash: Hash::Sha256, binding: Some(ChannelBinding::TlsServerEndPoint) };
    /// HT-SHA-256-NONE.
    pub const SHA_256_NONE: Self = Self { hash: Hash::Sha256, binding: None };
    /// HT-SHA-512-EXPR.
    pub const SHA_512_EXPR: Self =
        Self { hash: Hash::Sha512, binding: Some(ChannelBinding::TlsExporter) };
    /// HT-SHA-512-ENDP.
    pub const SHA_512_ENDP: Self =
        Self { hash: Hash::Sha512, binding: Some(ChannelBinding::TlsServerEndPoint) };
    /// HT-SHA-512-NONE.
    pub const SHA_512_NONE: Self = Self { hash: Hash::Sha512, binding: None };

    /// All of them, best first: the exporter names one connection, the end point one certificate.
    pub const ALL: [Self; 6] = [
        Self::SHA_512_EXPR,
        Self::SHA_256_EXPR,
        Self::SHA_512_ENDP,
        Self::SHA_256_ENDP,
        Self::SHA_512_NONE,
        Self::SHA_256_NONE,
    ];

    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match (self.hash, self.binding) {
            (Hash::Sha512, Some(ChannelBinding::TlsExporter)) => "HT-SHA-512-EXPR",
            (Hash::Sha512, Some(ChannelBinding::TlsServerEndPoint)) => "HT-SHA-512-ENDP",
            (Hash::Sha512, None) => "HT-SHA-512-NONE",
            // SHA-1 is not part of the family; nothing constructs it and no name leads to it.
            (_, Some(ChannelBinding::TlsExporter)) => "HT-SHA-256-EXPR",
            (_, Some(ChannelBinding::TlsServerEndPoint)) => "HT-SHA-256-ENDP",
            (_, None) => "HT-SHA-256-NONE",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The channel binding data of a connection; empty without binding, `None` if the connection
    /// lacks what the method binds to.
    #[must_use]
    pub fn binding_data(self, tls: Option<&TlsInfo>) -> Option<&[u8]> {
        match self.binding {
            None => Some(&[]),
            Some(binding) => tls?.data(binding),
        }
    }

    fn initiator(self, token: &Secret, data: &[u8]) -> Digest {
        self.hash.hmac(token.expose(), &[b"Initiator", data])
    }

    fn responder(self, token: &Secret, data: &[u8]) -> Digest {
        self.hash.hmac(token.expose(), &[b"Responder", data])
    }
}

/// The client's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initiator {
    /// The user name, as it was sent.
    pub authcid: String,
    proof: Digest,
}

impl Initiator {
    /// Reads the message of a client.
    ///
    /// # Errors
    /// [`Condition::MalformedRequest`] without a NUL, with an empty or non-UTF-8 name, or with a
    /// proof of the wrong length.
    pub fn parse(method: Method, message: &[u8]) -> Result<Self, Condition> {
        let end = memchr::memchr(0, message).ok_or(Condition::MalformedRequest)?;
        let (name, rest) = message.split_at(end);
        let proof = rest.split_first().map_or(&[][..], |(_, proof)| proof);
        let authcid = std::str::from_utf8(name).map_err(|_| Condition::MalformedRequest)?;
        let proof = Digest::from_slice(method.hash, proof).ok_or(Condition::MalformedRequest)?;
        if authcid.is_empty() {
            return Err(Condition::MalformedRequest);
        }
        Ok(Self { authcid: authcid.to_owned(), proof })
    }

    /// Checks the proof against a token, in constant time, and gives the server's answer.
    #[must_use]
    pub fn verify(&self, method: Method, token: &Secret, data: &[u8]) -> Option<Digest> {
        let expected = method.initiator(token, data);
        let matches: bool = expected.ct_eq(&self.proof).into();
        matches.then(|| method.responder(token, data))
    }
}

/// Writes a client's message.
#[must_use]
pub fn initiate(method: Method, authcid: &str, token: &Secret, data: &[u8]) -> Vec<u8> {
    let mut message = authcid.as_bytes().to_vec();
    message.push(0);
    message.extend_from_slice(&method.initiator(token, data));
    message
}

/// Checks the answer of a server: whether it knows the token too, on the same channel.
#[must_use]
pub fn verify_responder(method: Method, token: &Secret, data: &[u8], answer: &[u8]) -> bool {
    method.responder(token, data).ct_eq(answer).into()
}

/// Makes the token of a client from a secret of the server and a random `nonce`, so that what is
/// stored (the nonce) is useless to a thief of the database. `client` is the client's stable id.
#[must_use]
pub fn derive_token(secret: &[u8], account: &str, client: &str, nonce: &[u8]) -> Secret {
    use base64::Engine;
    let length = |part: &[u8]| (part.len() as u64).to_be_bytes();
    let (account, client) = (account.as_bytes(), client.as_bytes());
    // Lengths stand before the parts so that no two different triples give the same input.
    let token = Hash::Sha256.hmac(
        secret,
        &[b"FAST token\0", &length(account), account, &length(client), client, nonce],
    );
    Secret::from(base64::prelude::BASE64_STANDARD.encode(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls() -> TlsInfo {
        TlsInfo { version: Some(0x0304), exporter: Some([5; 32]), end_point: Some(vec![6; 32]) }
    }

    #[test]
    fn both_sides_are_convinced_by_the_same_token_only() {
        let tls = tls();
        for method in Method::ALL {
            let data = method.binding_data(Some(&tls)).unwrap();
            let token = Secret::from("WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm");
            let message = initiate(method, "juliet", &token, data);
            let initiator = Initiator::parse(method, &message).unwrap();
            assert_eq!(initiator.authcid, "juliet");
            let answer = initiator.verify(method, &token, data).unwrap();
            assert!(verify_responder(method, &token, data, &answer));
            assert!(initiator.verify(method, &Secret::from("other"), data).is_none());
            assert!(initiator.verify(method, &token, b"other channel").is_none());
            assert!(!verify_responder(method, &Secret::from("other"), data, &answer));
        }
    }

    #[test]
    fn a_bound_method_needs_its_data() {
        assert!(Method::SHA_256_EXPR.binding_data(None).is_none());
        assert!(Method::SHA_256_EXPR.binding_data(Some(&TlsInfo::default())).is_none());
        assert_eq!(Method::SHA_256_NONE.binding_data(None), Some(&[][..]));
    }

    #[test]
    fn malformed_messages_are_refused() {
        let proof = [1; 32];
        for message in [&b""[..], b"juliet", b"juliet\0short", &[&b"\0"[..], &proof].concat()] {
            assert!(Initiator::parse(Method::SHA_256_NONE, message).is_err());
        }
    }

    #[test]
    fn derived_tokens_depend_on_every_part() {
        let derive = |account, client, nonce: &[u8]| derive_token(&[1; 32], account, client, nonce);
        let token = derive("a@b", "c", b"n");
        assert_eq!(token, derive("a@b", "c", b"n"));
        assert_ne!(token, derive("a@bc", "", b"n"));
        assert_ne!(token, derive("a@b", "c", b"m"));
        assert_ne!(token, derive_token(&[2; 32], "a@b", "c", b"n"));
    }
}
