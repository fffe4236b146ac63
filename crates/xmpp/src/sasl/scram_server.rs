//! RFC 5802, RFC 7677: SCRAM, the server's side
//!
//! [`ClientFirst::parse`] reads the first message, the caller looks the account up,
//! [`ClientFirst::challenge`] answers, [`Challenged::verify`] checks the proof. Each step consumes
//! the one before.

use subtle::ConstantTimeEq;

use super::downgrade::Advertised;
use super::message::{
    Attributes, Gs2Flag, Gs2Header, Malformed, check_nonce, decode, decode_name, encode,
};
use super::{ChannelBinding, Condition, Digest, Failure, Hash, ScramKeys, TlsInfo};

/// What the server offered on this stream.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The hash function of the mechanism the client chose.
    pub hash: Hash,
    /// Whether it chose the `-PLUS` variant.
    pub plus: bool,
    /// The channel binding types that were offered; empty if no `-PLUS` mechanism was.
    pub offered: &'a [ChannelBinding],
    /// The connection's encryption.
    pub tls: Option<&'a TlsInfo>,
}

/// The client's first message, checked.
#[derive(Clone, Debug)]
pub struct ClientFirst {
    /// The user name, as it was sent: not yet a localpart.
    pub username: String,
    /// As whom the client wants to act, if it says so.
    pub authzid: Option<String>,
    bare: String,
    nonce: String,
    /// The header and the channel's data: what the client must repeat in its final message.
    binding: Vec<u8>,
}

impl ClientFirst {
    /// Reads the message.
    ///
    /// # Errors
    /// `malformed-request` if the syntax is violated, a mandatory extension is demanded or the
    /// channel binding type is not one of those offered; `not-authorized` if the client shows that
    /// somebody removed our offer of channel binding on the way (RFC 5802 §6).
    pub fn parse(message: &[u8], terms: Terms<'_>) -> Result<Self, Failure> {
        let message = std::str::from_utf8(message).map_err(|_| Condition::MalformedRequest)?;
        let header = Gs2Header::parse(message)?;
        let data = binding_data(header.flag, terms)?;
        let mut attributes = Attributes::new(header.bare);
        let username = decode_name(attributes.expect('n')?)?;
        let nonce = check_nonce(attributes.expect('r')?)?;
        while attributes.next()?.is_some() {}
        Ok(Self {
            username,
            authzid: header.authzid,
            bare: header.bare.to_owned(),
            nonce: nonce.to_owned(),
            binding: [header.raw.as_bytes(), data].concat(),
        })
    }

    /// Answers with salt and iteration count. `nonce` is at least 18 random bytes as base64,
    /// `advertised` what the stream's features said; it is repeated for the client to compare
    /// (XEP-0474, XEP-0515).
    #[must_use]
    pub fn challenge(
        self,
        keys: ScramKeys,
        nonce: &str,
        advertised: &Advertised,
    ) -> (String, Challenged) {
        let nonce = self.nonce + nonce;
        let mut message = format!(
            "r={nonce},s={},i={},h={}",
            encode(&keys.salt),
            keys.iterations,
            advertised.hash(keys.hash)
        );
        if let Some(version) = advertised.version() {
            message.push_str(",t=");
            message.push_str(&version);
        }
        let signed = format!("{},{message},", self.bare);
        (message, Challenged { keys, nonce, binding: self.binding, signed })
    }
}

/// The state between challenge and proof.
#[derive(Debug)]
pub struct Challenged {
    keys: ScramKeys,
    nonce: String,
    binding: Vec<u8>,
    /// The `AuthMessage` up to the client's final message.
    signed: String,
}

impl Challenged {
    /// Checks the client's final message and gives the server's, which proves the server.
    ///
    /// # Errors
    /// `malformed-request` if the syntax is violated, `not-authorized` if nonce, channel or proof
    /// are wrong.
    pub fn verify(self, message: &[u8]) -> Result<String, Failure> {
        let message = std::str::from_utf8(message).map_err(|_| Condition::MalformedRequest)?;
        // The proof is the last attribute; base64 has no comma, so the last `,p=` begins it.
        let (signed, proof) = message.rsplit_once(",p=").ok_or(Malformed)?;
        let mut attributes = Attributes::new(signed);
        let binding = decode(attributes.expect('c')?)?;
        let nonce = attributes.expect('r')?;
        while attributes.next()?.is_some() {}
        let proof = Digest::from_slice(self.keys.hash, &decode(proof)?).ok_or(Malformed)?;

        let auth_message = self.signed + signed;
        let hash = self.keys.hash;
        let signature = hash.hmac(&self.keys.stored_key, &[auth_message.as_bytes()]);
        let client_key = proof.xor(&signature);
        // Every comparison is made, whatever the others say, so that time tells nothing.
        let proven = hash.digest(&client_key).ct_eq(&self.keys.stored_key)
            & binding.ct_eq(&self.binding)
            & nonce.as_bytes().ct_eq(self.nonce.as_bytes());
        if bool::from(proven) {
            let signature = hash.hmac(&self.keys.server_key, &[auth_message.as_bytes()]);
            Ok(format!("v={}", encode(signature)))
        } else {
            Err(Condition::NotAuthorized.into())
        }
    }
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        Condition::MalformedRequest.into()
    }
}

/// RFC 5802 §6: which data the client's flag stands for, or why the flag is a lie.
fn binding_data<'a>(flag: Gs2Flag<'_>, terms: Terms<'a>) -> Result<&'a [u8], Failure> {
    match (flag, terms.plus) {
        (Gs2Flag::Bound(name), true) => ChannelBinding::from_name(name)
            .filter(|binding| terms.offered.contains(binding))
            .and_then(|binding| terms.tls?.data(binding))
            .ok_or_else(|| {
                Failure::new(Condition::MalformedRequest)
                    .with_text("This type of channel binding is not offered.")
            }),
        // A client that could bind and saw no offer, although one was made: somebody removed it.
        (Gs2Flag::NotOffered, false) if !terms.offered.is_empty() => {
            Err(Failure::new(Condition::NotAuthorized)
                .with_text("Channel binding was offered; the offer did not arrive."))
        }
        (Gs2Flag::Unsupported | Gs2Flag::NotOffered, false) => Ok(&[]),
        (Gs2Flag::Bound(_), false) | (Gs2Flag::Unsupported | Gs2Flag::NotOffered, true) => {
            Err(Failure::new(Condition::MalformedRequest)
                .with_text("The mechanism and its channel binding flag contradict each other."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN_CHANNEL: Terms<'_> =
        Terms { hash: Hash::Sha256, plus: false, offered: &[], tls: None };

    #[test]
    fn the_example_of_rfc_5802_holds() {
        let salt = decode("QSXCR+Q6sek8bf92").unwrap();
        let keys = ScramKeys::derive(Hash::Sha1, "pencil", &salt, 4096).unwrap();
        let first = "n=user,r=fyko+d2lbbFgONRv9qkxdawL";
        let reply = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let challenged = Challenged {
            keys,
            nonce: "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j".into(),
            binding: b"n,,".to_vec(),
            signed: format!("{first},{reply},"),
        };
        let last = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,\
                    p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
        assert_eq!(challenged.verify(last.as_bytes()).unwrap(), "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
    }

    #[test]
    fn the_example_of_rfc_7677_holds() {
        let salt = decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = ScramKeys::derive(Hash::Sha256, "pencil", &salt, 4096).unwrap();
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let challenged = Challenged {
            keys,
            nonce: nonce.into(),
            binding: b"n,,".to_vec(),
            signed: format!(
                "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
            ),
        };
        let last = format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        assert_eq!(
            challenged.verify(last.as_bytes()).unwrap(),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    fn condition(message: &str, terms: Terms<'_>) -> Option<Condition> {
        ClientFirst::parse(message.as_bytes(), terms).err().map(|failure| failure.condition)
    }

    #[test]
    fn flags_that_contradict_the_offer_are_refused() {
        let tls = TlsInfo { exporter: Some([9; 32]), ..TlsInfo::default() };
        let offered = [ChannelBinding::TlsExporter];
        let bare = Terms { offered: &offered, tls: Some(&tls), ..PLAIN_CHANNEL };
        let plus = Terms { plus: true, ..bare };
        let malformed = Some(Condition::MalformedRequest);
        assert_eq!(condition("n,,n=user,r=abc", bare), None);
        assert_eq!(condition("y,,n=user,r=abc", bare), Some(Condition::NotAuthorized));
        assert_eq!(condition("y,,n=user,r=abc", PLAIN_CHANNEL), None);
        assert_eq!(condition("p=tls-exporter,,n=user,r=abc", bare), malformed);
        assert_eq!(condition("p=tls-exporter,,n=user,r=abc", plus), None);
        assert_eq!(condition("p=tls-unique,,n=user,r=abc", plus), malformed);
        assert_eq!(condition("p=tls-server-end-point,,n=user,r=abc", plus), malformed);
        assert_eq!(condition("n,,n=user,r=abc", plus), malformed);
        assert_eq!(condition("y,,n=user,r=abc", plus), malformed);
    }

    #[test]
    fn malformed_first_messages_are_refused() {
        for message in [
            "",
            "n",
            "n,,",
            "n,,n=user",
            "n,,r=abc,n=user",
            "n,,n=,r=abc",
            "n,,n=user,r=",
            "n,,m=x,n=user,r=abc",
            "n,,n=user,r=a\u{e4}",
            "n,,n=user,r=abc,",
            "n,,n=us=er,r=abc",
        ] {
            assert_eq!(
                condition(message, PLAIN_CHANNEL),
                Some(Condition::MalformedRequest),
                "{message}"
            );
        }
        let unknown_extension = "n,,n=user,r=abc,x=whatever";
        assert_eq!(condition(unknown_extension, PLAIN_CHANNEL), None);
    }

    #[test]
    fn a_final_message_with_another_nonce_or_channel_is_refused() {
        let keys = ScramKeys::derive(Hash::Sha256, "pencil", b"salt", 1).unwrap();
        let challenged = || {
            let first = ClientFirst::parse(b"n,,n=user,r=abc", PLAIN_CHANNEL).unwrap();
            first.challenge(keys.clone(), "def", &Advertised::default()).1
        };
        let proof = encode([0; 32]);
        for message in [
            format!("c=biws,r=abcdef,p={proof}"),
            format!("c=biws,r=other,p={proof}"),
            format!("c=eSws,r=abcdef,p={proof}"),
        ] {
            let failure = challenged().verify(message.as_bytes()).unwrap_err();
            assert_eq!(failure.condition, Condition::NotAuthorized);
        }
        for message in
            ["", "c=biws,r=abcdef", "c=biws,r=abcdef,p=", "c=biws,r=abcdef,p=AAAA", "p=x"]
        {
            let failure = challenged().verify(message.as_bytes()).unwrap_err();
            assert_eq!(failure.condition, Condition::MalformedRequest, "{message}");
        }
    }
}
