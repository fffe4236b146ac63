//! RFC 5802, RFC 7677: SCRAM, the client's side
//!
//! [`Client::first`] begins, [`Client::respond`] answers the challenge, [`Verifier::verify`] checks
//! that the server knew the keys as well. A login is not finished before that.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::downgrade::Advertised;
use super::message::{Attributes, Malformed, check_nonce, decode, encode, encode_name};
use super::{
    ChannelBinding, Digest, Hash, MAX_ITERATIONS, MIN_ITERATIONS, PasswordError, Secret,
    prepare_password,
};

/// What the client does about channel binding: RFC 5802 §6, XEP-0440 §4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The client cannot bind, or shares no type with the server.
    Unsupported,
    /// The client could bind, the server offers nothing.
    NotOffered,
    /// The client binds with this type; the data is the connection's.
    Bound(ChannelBinding, Vec<u8>),
}

/// What proves the client.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The password, as the user typed it.
    Password(Secret),
    /// Keys kept from an earlier login: no PBKDF2, but useless once the salt changes.
    Keys(ClientKeys),
}

/// Keys computed from a password for one salt. As good as the password on this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKeys {
    hash: Hash,
    iterations: u32,
    salt: Vec<u8>,
    client_key: Digest,
    server_key: Digest,
}

impl ClientKeys {
    /// Computes the keys. Costs CPU time in proportion to `iterations`.
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
        Ok(Self {
            hash,
            iterations,
            salt: salt.to_vec(),
            client_key: hash.hmac(&salted, &[b"Client Key"]),
            server_key: hash.hmac(&salted, &[b"Server Key"]),
        })
    }

    /// The hash function they are for.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The keys as bytes, to be kept as well as a password is.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let position = Hash::ALL.iter().position(|hash| *hash == self.hash).unwrap_or_default();
        let mut out = Zeroizing::new(vec![u8::try_from(position).unwrap_or_default()]);
        out.extend_from_slice(&self.iterations.to_be_bytes());
        out.extend_from_slice(&self.client_key);
        out.extend_from_slice(&self.server_key);
        out.extend_from_slice(&self.salt);
        out
    }

    /// Reads what [`ClientKeys::to_bytes`] wrote; `None` if it did not.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (position, rest) = bytes.split_first()?;
        let hash = *Hash::ALL.get(usize::from(*position))?;
        let (iterations, rest) = rest.split_first_chunk()?;
        let (client_key, rest) = rest.split_at_checked(hash.output_bytes())?;
        let (server_key, salt) = rest.split_at_checked(hash.output_bytes())?;
        Some(Self {
            hash,
            iterations: u32::from_be_bytes(*iterations),
            salt: salt.to_vec(),
            client_key: Digest::from_slice(hash, client_key)?,
            server_key: Digest::from_slice(hash, server_key)?,
        })
    }

    fn fit(&self, hash: Hash, salt: &[u8], iterations: u32) -> bool {
        self.hash == hash && self.salt == salt && self.iterations == iterations
    }
}

/// Why a client gives up. Apart from [`Error::Password`] and [`Error::Keys`] each of these may mean
/// that somebody sits in between.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server's message is not SCRAM.
    #[error("the server's answer is malformed")]
    Malformed,
    /// The server did not continue our nonce.
    #[error("the server's answer belongs to another login")]
    Nonce,
    /// Fewer rounds than [`MIN_ITERATIONS`]: whoever listens could guess the password.
    #[error("the server protects passwords with {0} rounds only")]
    TooFewIterations(u32),
    /// More rounds than [`MAX_ITERATIONS`].
    #[error("the server demands {0} rounds")]
    TooManyIterations(u32),
    /// XEP-0474: the lists of mechanisms or channel bindings were changed on the way.
    #[error("the server's offer was changed on the way")]
    Downgrade,
    /// XEP-0515: the server sees another TLS version than we do.
    #[error("the connection is encrypted differently at the server's end")]
    TlsVersion,
    /// The password cannot be used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The keys were computed for another salt; the password is needed.
    #[error("the stored keys are out of date")]
    Keys,
    /// The server says why it refuses.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// The server does not know the password.
    #[error("the server could not prove that it knows the account")]
    ServerUnproven,
}

impl From<Malformed> for Error {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// A login that has begun.
#[derive(Debug)]
pub struct Client {
    hash: Hash,
    header: String,
    binding: Vec<u8>,
    bare: String,
    nonce: String,
    protected: bool,
}

impl Client {
    /// Prepares a login. `nonce` is at least 18 random bytes as base64. `authzid` is normally
    /// `None`: act as the user who logs in.
    #[must_use]
    pub fn new(
        hash: Hash,
        binding: Binding,
        username: &str,
        authzid: Option<&str>,
        nonce: &str,
    ) -> Self {
        let (flag, binding) = match binding {
            Binding::Unsupported => ("n".to_owned(), Vec::new()),
            Binding::NotOffered => ("y".to_owned(), Vec::new()),
            Binding::Bound(kind, data) => (format!("p={kind}"), data),
        };
        let authzid = authzid.map(|name| format!("a={}", encode_name(name))).unwrap_or_default();
        Self {
            hash,
            header: format!("{flag},{authzid},"),
            binding,
            bare: format!("n={},r={nonce}", encode_name(username)),
            nonce: nonce.to_owned(),
            protected: false,
        }
    }

    /// Gives up if the server does not repeat its offer (XEP-0474). For clients that do not bind
    /// to the channel because of what the offer says.
    #[must_use]
    pub fn demand_protection(mut self) -> Self {
        self.protected = true;
        self
    }

    /// The first message.
    #[must_use]
    pub fn first(&self) -> String {
        format!("{}{}", self.header, self.bare)
    }

    /// Answers the challenge. `advertised` is what the server's features said as they arrived.
    /// Computes PBKDF2 when `credential` is a password. Also gives the keys, to be kept for the
    /// next login.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn respond(
        self,
        challenge: &[u8],
        credential: &Credential,
        advertised: &Advertised,
    ) -> Result<(String, Verifier, ClientKeys), Error> {
        let challenge = std::str::from_utf8(challenge).map_err(|_| Error::Malformed)?;
        let server = ServerFirst::parse(challenge)?;
        if !server.nonce.starts_with(&self.nonce) || server.nonce.len() == self.nonce.len() {
            return Err(Error::Nonce);
        }
        server.check_downgrade(self.hash, advertised)?;
        if self.protected && server.advertised.is_none() {
            return Err(Error::Downgrade);
        }
        let keys = server.keys(self.hash, credential)?;

        let binding = encode([self.header.as_bytes(), &self.binding].concat());
        let last = format!("c={binding},r={}", server.nonce);
        let signed = format!("{},{challenge},{last}", self.bare);
        let stored_key = self.hash.digest(&keys.client_key);
        let signature = self.hash.hmac(&stored_key, &[signed.as_bytes()]);
        let proof = keys.client_key.clone().xor(&signature);
        let verifier =
            Verifier { signature: self.hash.hmac(&keys.server_key, &[signed.as_bytes()]) };
        Ok((format!("{last},p={}", encode(proof)), verifier, keys))
    }
}

/// What the server must send to prove itself.
#[derive(Debug)]
pub struct Verifier {
    signature: Digest,
}

impl Verifier {
    /// Checks the server's final message.
    ///
    /// # Errors
    /// [`Error::Refused`] if it reports an error, [`Error::ServerUnproven`] if the signature is
    /// wrong, [`Error::Malformed`] if it is neither.
    pub fn verify(self, message: &[u8]) -> Result<(), Error> {
        let message = std::str::from_utf8(message).map_err(|_| Error::Malformed)?;
        match Attributes::new(message).next()? {
            Some(('v', signature)) => match decode(signature)?.ct_eq(&self.signature).into() {
                true => Ok(()),
                false => Err(Error::ServerUnproven),
            },
            Some(('e', error)) => Err(Error::Refused(error.to_owned())),
            _ => Err(Error::Malformed),
        }
    }
}

/// The server's first message.
struct ServerFirst<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
    advertised: Option<&'a str>,
    tls_version: Option<&'a str>,
}

impl<'a> ServerFirst<'a> {
    fn parse(message: &'a str) -> Result<Self, Error> {
        let mut attributes = Attributes::new(message);
        let nonce = check_nonce(attributes.expect('r')?)?;
        let salt = decode(attributes.expect('s')?)?;
        let iterations = attributes.expect('i')?.parse().map_err(|_| Error::Malformed)?;
        let (mut advertised, mut tls_version) = (None, None);
        while let Some((name, value)) = attributes.next()? {
            match name {
                'h' => advertised = Some(value),
                't' => tls_version = Some(value),
                _ => {}
            }
        }
        match iterations {
            0..MIN_ITERATIONS => Err(Error::TooFewIterations(iterations)),
            MIN_ITERATIONS..=MAX_ITERATIONS => {
                Ok(Self { nonce, salt, iterations, advertised, tls_version })
            }
            _ => Err(Error::TooManyIterations(iterations)),
        }
    }

    /// Servers without the extensions send neither attribute; then there is nothing to compare.
    fn check_downgrade(&self, hash: Hash, advertised: &Advertised) -> Result<(), Error> {
        if self.advertised.is_some_and(|seen| seen != advertised.hash(hash)) {
            return Err(Error::Downgrade);
        }
        match (self.tls_version, advertised.version()) {
            (Some(theirs), Some(ours)) if theirs != ours => Err(Error::TlsVersion),
            _ => Ok(()),
        }
    }

    fn keys(&self, hash: Hash, credential: &Credential) -> Result<ClientKeys, Error> {
        match credential {
            Credential::Password(password) => {
                let password = password.expose_str().ok_or(PasswordError::Forbidden)?;
                Ok(ClientKeys::derive(hash, password, &self.salt, self.iterations)?)
            }
            Credential::Keys(keys) if keys.fit(hash, &self.salt, self.iterations) => {
                Ok(keys.clone())
            }
            Credential::Keys(_) => Err(Error::Keys),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scram_server::{ClientFirst, Terms};
    use super::super::{ScramKeys, TlsInfo};
    use super::*;

    fn password() -> Credential {
        Credential::Password(Secret::from("pencil"))
    }

    #[test]
    fn the_example_of_rfc_5802_holds() {
        let client =
            Client::new(Hash::Sha1, Binding::Unsupported, "user", None, "fyko+d2lbbFgONRv9qkxdawL");
        assert_eq!(client.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let challenge = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let (last, verifier, _) =
            client.respond(challenge, &password(), &Advertised::default()).unwrap();
        assert_eq!(
            last,
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
        );
        verifier.verify(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap();
    }

    fn respond(challenge: &str, advertised: &Advertised) -> Result<String, Error> {
        let client = Client::new(Hash::Sha256, Binding::Unsupported, "user", None, "abc");
        client.respond(challenge.as_bytes(), &password(), advertised).map(|(last, ..)| last)
    }

    #[test]
    fn suspicious_challenges_are_refused() {
        let none = Advertised::default();
        let error = |challenge: &str| respond(challenge, &none).unwrap_err();
        assert_eq!(error("r=abc,s=c2FsdA==,i=4096"), Error::Nonce);
        assert_eq!(error("r=xyz,s=c2FsdA==,i=4096"), Error::Nonce);
        assert_eq!(error("r=abcdef,s=c2FsdA==,i=4095"), Error::TooFewIterations(4095));
        assert_eq!(error("r=abcdef,s=c2FsdA==,i=5000001"), Error::TooManyIterations(5_000_001));
        assert_eq!(error("m=x,r=abcdef,s=c2FsdA==,i=4096"), Error::Malformed);
        assert_eq!(error("r=abcdef,s=!,i=4096"), Error::Malformed);
        assert_eq!(error("r=abcdef,s=c2FsdA==,i=-1"), Error::Malformed);
        assert_eq!(error(""), Error::Malformed);
    }

    #[test]
    fn a_changed_offer_or_tls_version_is_noticed() {
        let advertised = Advertised {
            mechanisms: vec!["SCRAM-SHA-256".into()],
            bindings: None,
            tls_version: Some(0x0304),
        };
        let challenge = |sent: &Advertised| {
            format!("r=abcdef,s=c2FsdA==,i=4096,h={},t=0304", sent.hash(Hash::Sha256))
        };
        assert!(respond(&challenge(&advertised), &advertised).is_ok());
        let mut stronger = advertised.clone();
        stronger.mechanisms.push("SCRAM-SHA-512-PLUS".into());
        assert_eq!(respond(&challenge(&stronger), &advertised), Err(Error::Downgrade));
        let older = Advertised { tls_version: Some(0x0303), ..advertised.clone() };
        assert_eq!(respond(&challenge(&advertised), &older), Err(Error::TlsVersion));
    }

    #[test]
    fn kept_keys_work_until_the_salt_changes() {
        let none = Advertised::default();
        let client = || Client::new(Hash::Sha256, Binding::Unsupported, "user", None, "abc");
        let challenge = b"r=abcdef,s=c2FsdA==,i=4096";
        let (with_password, _, keys) = client().respond(challenge, &password(), &none).unwrap();
        let credential = Credential::Keys(keys);
        let (with_keys, ..) = client().respond(challenge, &credential, &none).unwrap();
        assert_eq!(with_password, with_keys);
        let Credential::Keys(keys) = &credential else { unreachable!("these are keys") };
        assert_eq!(ClientKeys::from_bytes(&keys.to_bytes()).as_ref(), Some(keys));
        let resalted = b"r=abcdef,s=c2FsdHk=,i=4096";
        assert_eq!(client().respond(resalted, &credential, &none).unwrap_err(), Error::Keys);
    }

    #[test]
    fn a_server_without_the_keys_is_refused() {
        let client = Client::new(Hash::Sha256, Binding::Unsupported, "user", None, "abc");
        let challenge = b"r=abcdef,s=c2FsdA==,i=4096";
        let verifier = || {
            let client = Client::new(Hash::Sha256, Binding::Unsupported, "user", None, "abc");
            client.respond(challenge, &password(), &Advertised::default()).unwrap().1
        };
        drop(client);
        assert_eq!(verifier().verify(b"v=AAAA"), Err(Error::ServerUnproven));
        assert_eq!(verifier().verify(b"e=other-error"), Err(Error::Refused("other-error".into())));
        assert_eq!(verifier().verify(b""), Err(Error::Malformed));
    }

    #[test]
    fn client_and_server_agree_for_every_hash_and_binding() {
        let tls = TlsInfo {
            version: Some(0x0304),
            exporter: Some([5; 32]),
            end_point: Some(vec![6; 32]),
        };
        let offered = ChannelBinding::ALL;
        for hash in Hash::ALL {
            let keys = ScramKeys::derive(hash, "pencil", b"0123456789abcdef", 4096).unwrap();
            for kind in [None, Some(offered[0]), Some(offered[1])] {
                let binding = kind.map_or(Binding::Unsupported, |kind| {
                    Binding::Bound(kind, tls.data(kind).unwrap().to_vec())
                });
                let plus = kind.is_some();
                let terms = Terms { hash, plus, offered: &offered, tls: Some(&tls) };
                let client = Client::new(hash, binding, "us,er", Some("us,er@x"), "abc");
                let first = ClientFirst::parse(client.first().as_bytes(), terms).unwrap();
                assert_eq!(first.username, "us,er");
                assert_eq!(first.authzid.as_deref(), Some("us,er@x"));
                let advertised = Advertised { tls_version: tls.version, ..Advertised::default() };
                let (challenge, server) = first.challenge(keys.clone(), "def", &advertised);
                let (last, verifier, _) =
                    client.respond(challenge.as_bytes(), &password(), &advertised).unwrap();
                let proof = server.verify(last.as_bytes()).unwrap();
                verifier.verify(proof.as_bytes()).unwrap();
            }
        }
    }
}
