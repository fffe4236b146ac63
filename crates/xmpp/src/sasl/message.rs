//! RFC 5802 §7: the syntax SCRAM messages are written in

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The message does not follow the grammar, or demands an extension nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// One message's attributes, read strictly in the order the grammar gives them.
pub(super) struct Attributes<'a> {
    rest: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    /// Starts at the first attribute of `message`.
    pub(super) fn new(message: &'a str) -> Self {
        Self { rest: Some(message) }
    }

    /// The value of the next attribute, which must be `name`.
    pub(super) fn expect(&mut self, name: char) -> Result<&'a str, Malformed> {
        match self.next()? {
            Some((found, value)) if found == name => Ok(value),
            _ => Err(Malformed),
        }
    }

    /// The next attribute, `None` at the end of the message.
    ///
    /// `m` is the reserved mandatory extension (§5.1): whoever does not know it must fail, and
    /// nobody does.
    pub(super) fn next(&mut self) -> Result<Option<(char, &'a str)>, Malformed> {
        let Some(rest) = self.rest else { return Ok(None) };
        let (attribute, rest) = match rest.split_once(',') {
            Some((attribute, rest)) => (attribute, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        let (name, value) = attribute.split_once('=').ok_or(Malformed)?;
        let mut letters = name.chars();
        match (letters.next(), letters.next()) {
            (Some('m'), None) => Err(Malformed),
            (Some(letter), None) if letter.is_ascii_alphabetic() && !value.contains('\0') => {
                Ok(Some((letter, value)))
            }
            _ => Err(Malformed),
        }
    }
}

/// The first part of a client's first message: what it thinks of channel binding, and as whom it
/// wants to act.
pub(super) struct Gs2Header<'a> {
    /// The header as it was sent, with both commas: input of the proof.
    pub(super) raw: &'a str,
    /// The flag.
    pub(super) flag: Gs2Flag<'a>,
    /// The decoded authorization identity.
    pub(super) authzid: Option<String>,
    /// What follows: the bare first message.
    pub(super) bare: &'a str,
}

/// RFC 5802 §6: the channel binding flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gs2Flag<'a> {
    /// `n`: the client cannot bind.
    Unsupported,
    /// `y`: it could, but believes that the server cannot.
    NotOffered,
    /// `p`: it binds with this type.
    Bound(&'a str),
}

impl<'a> Gs2Header<'a> {
    /// Splits a client's first message.
    pub(super) fn parse(message: &'a str) -> Result<Self, Malformed> {
        let (flag, rest) = message.split_once(',').ok_or(Malformed)?;
        let (authzid, bare) = rest.split_once(',').ok_or(Malformed)?;
        let flag = match flag {
            "n" => Gs2Flag::Unsupported,
            "y" => Gs2Flag::NotOffered,
            _ => Gs2Flag::Bound(flag.strip_prefix("p=").ok_or(Malformed)?),
        };
        let authzid = match authzid {
            "" => None,
            _ => Some(decode_name(authzid.strip_prefix("a=").ok_or(Malformed)?)?),
        };
        let raw = message.strip_suffix(bare).ok_or(Malformed)?;
        Ok(Self { raw, flag, authzid, bare })
    }
}

/// A `saslname`: `,` and `=` are written `=2C` and `=3D`.
pub(super) fn encode_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// The reverse; an empty name or any other use of `=` is malformed.
pub(super) fn decode_name(name: &str) -> Result<String, Malformed> {
    let mut parts = name.split('=');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (letter, rest) = if let Some(rest) = part.strip_prefix("2C") {
            (',', rest)
        } else if let Some(rest) = part.strip_prefix("3D") {
            ('=', rest)
        } else {
            return Err(Malformed);
        };
        decoded.push(letter);
        decoded.push_str(rest);
    }
    if decoded.is_empty() || decoded.contains('\0') { Err(Malformed) } else { Ok(decoded) }
}

/// A nonce: printable ASCII but the comma, not empty.
pub(super) fn check_nonce(nonce: &str) -> Result<&str, Malformed> {
    let printable = |byte: u8| (0x21..=0x7e).contains(&byte) && byte != b',';
    let fits = !nonce.is_empty() && nonce.len() <= MAX_NONCE_BYTES;
    (fits && nonce.bytes().all(printable)).then_some(nonce).ok_or(Malformed)
}

/// Decodes a base64 value.
pub(super) fn decode(value: &str) -> Result<Vec<u8>, Malformed> {
    BASE64_STANDARD.decode(value).map_err(|_| Malformed)
}

/// Encodes a base64 value.
pub(super) fn encode(value: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(value)
}

/// Longer nonces add nothing; they would only be echoed.
const MAX_NONCE_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_commas_and_equal_signs_survive() {
        for name in ["user", "a,b", "a=b", "=2C", ",", "=", "J\u{fc}liet=,="] {
            assert_eq!(decode_name(&encode_name(name)).unwrap(), name);
        }
        for name in ["", "a=b", "a=", "=2c", "=3", "a=2"] {
            assert!(decode_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_header_is_split_from_the_bare_message() {
        let header = Gs2Header::parse("p=tls-exporter,a=x=2Cy,n=user,r=abc").unwrap();
        assert_eq!(header.raw, "p=tls-exporter,a=x=2Cy,");
        assert_eq!(header.flag, Gs2Flag::Bound("tls-exporter"));
        assert_eq!(header.authzid.as_deref(), Some("x,y"));
        assert_eq!(header.bare, "n=user,r=abc");
        for message in ["", "n", "n,", "x,,n=u,r=a", "n,u,n=u,r=a", "n,a=,n=u,r=a"] {
            assert!(Gs2Header::parse(message).is_err(), "{message}");
        }
    }

    #[test]
    fn a_mandatory_extension_is_refused() {
        let mut attributes = Attributes::new("m=future,n=user");
        assert!(attributes.next().is_err());
        assert!(Attributes::new("nn=user").next().is_err());
        assert!(Attributes::new("n").next().is_err());
    }
}
