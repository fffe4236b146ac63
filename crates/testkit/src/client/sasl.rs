//! The client's side of SASL for tests, written apart from the product's so that they check each other.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Mac, SimpleHmac};
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

/// Who logs in and how.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Mechanism name, such as `SCRAM-SHA-256-PLUS`.
    pub mechanism: String,
    /// User name.
    pub user: String,
    /// Authorization identity, usually empty.
    pub authzid: String,
    /// Password, or the token of a FAST mechanism.
    pub password: String,
    /// Channel binding: type and data. Needed by `-PLUS` and by HT mechanisms that bind.
    pub binding: Option<(String, Vec<u8>)>,
    /// XEP-0474: what the server must prove to have offered; unchecked if `None`.
    pub offer: Option<Offer>,
    /// A nonce nobody can guess.
    pub nonce: String,
}

/// What a server offered before a login.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Mechanisms.
    pub mechanisms: Vec<String>,
    /// Types of channel binding, if they were announced.
    pub bindings: Option<Vec<String>>,
}

impl Offer {
    /// XEP-0474 §5.1: the text whose hash the server sends.
    fn canonical(&self) -> String {
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names.join("\x1e")
        };
        let mut text = sorted(&self.mechanisms);
        if let Some(bindings) = &self.bindings {
            text.push('\x1f');
            text.push_str(&sorted(bindings));
        }
        text
    }
}

/// One exchange.
pub struct Exchange {
    credentials: Credentials,
    state: State,
}

enum State {
    Start,
    /// SCRAM: the client's first message without its GS2 header.
    ScramFirst(String),
    /// The signature with which the server proves that it knows the password too.
    Verify(Vec<u8>),
    Done,
}

impl Exchange {
    /// Begins an exchange.
    pub fn new(credentials: Credentials) -> Self {
        Exchange { credentials, state: State::Start }
    }

    /// The first message.
    pub fn initial(&mut self) -> Result<Vec<u8>, String> {
        let Credentials { mechanism, user, authzid, password, nonce, .. } = &self.credentials;
        if mechanism == "PLAIN" {
            self.state = State::Done;
            return Ok(format!("{authzid}\0{user}\0{password}").into_bytes());
        }
        if let Some(hash) = mechanism.strip_prefix("HT-") {
            let binding = self.credentials.binding.as_ref().map_or(&[][..], |(_, data)| data);
            let algorithm = ht_algorithm(hash)?;
            let proof = algorithm.hmac(password.as_bytes(), &[b"Initiator", binding]);
            let answer = algorithm.hmac(password.as_bytes(), &[b"Responder", binding]);
            let message = [user.as_bytes(), b"\0", &proof].concat();
            self.state = State::Verify(answer);
            return Ok(message);
        }
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        let message = format!("{}{bare}", self.gs2_header());
        self.state = State::ScramFirst(bare);
        Ok(message.into_bytes())
    }

    /// The answer to a challenge.
    ///
    /// # Errors
    /// A sentence when the server breaks the rules of the mechanism.
    pub fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, String> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::ScramFirst(bare) => self.scram_final(&bare, challenge),
            // SASL 1 may send the server's last word as a challenge.
            State::Verify(expected) => {
                self.state = State::Verify(expected);
                self.finish(challenge)?;
                Ok(Vec::new())
            }
            State::Start | State::Done => Err("a challenge nobody asked for".into()),
        }
    }

    /// Checks what came with success.
    ///
    /// # Errors
    /// A sentence when the server did not prove itself.
    pub fn finish(&mut self, data: &[u8]) -> Result<(), String> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Verify(expected) if data == expected => Ok(()),
            State::Verify(_) => Err("the server's signature is wrong".into()),
            State::Done => Ok(()),
            State::Start | State::ScramFirst(_) => Err("success before the exchange ended".into()),
        }
    }

    /// RFC 5802 §7: whether and how the channel is bound, and the authorization identity.
    fn gs2_header(&self) -> String {
        let Credentials { mechanism, authzid, binding, .. } = &self.credentials;
        let flag = match binding {
            Some((kind, _)) if mechanism.ends_with("-PLUS") => format!("p={kind}"),
            _ => "n".to_owned(),
        };
        let authzid = if authzid.is_empty() { String::new() } else { format!("a={authzid}") };
        format!("{flag},{authzid},")
    }

    fn scram_final(&mut self, bare: &str, challenge: &[u8]) -> Result<Vec<u8>, String> {
        let Credentials { mechanism, password, nonce, binding, .. } = &self.credentials;
        let algorithm = scram_algorithm(mechanism)?;
        let first = std::str::from_utf8(challenge).map_err(|_| "a challenge that is not UTF-8")?;
        let field = |name: &str| {
            let found = first.split(',').find_map(|field| field.strip_prefix(name));
            found.ok_or_else(|| format!("the challenge has no {name}"))
        };
        let whole_nonce = field("r=")?;
        if !whole_nonce.starts_with(nonce.as_str()) || whole_nonce.len() <= nonce.len() {
            return Err("the server did not extend the nonce".into());
        }
        if let Some(offer) = &self.credentials.offer {
            let hash = BASE64_STANDARD.encode(algorithm.digest(offer.canonical().as_bytes()));
            if field("h=")? != hash {
                return Err(format!("the hash of the offer is {}, expected {hash}", field("h=")?));
            }
        }
        let salt = BASE64_STANDARD.decode(field("s=")?).map_err(|error| error.to_string())?;
        let rounds: u32 = field("i=")?.parse().map_err(|_| "the iteration count is no number")?;
        let mut header = self.gs2_header().into_bytes();
        if let Some((_, data)) = binding.as_ref().filter(|_| mechanism.ends_with("-PLUS")) {
            header.extend_from_slice(data);
        }
        let without_proof = format!("c={},r={whole_nonce}", BASE64_STANDARD.encode(header));
        let signed = format!("{bare},{first},{without_proof}");
        let salted = algorithm.pbkdf2(password.as_bytes(), &salt, rounds);
        let client_key = algorithm.hmac(&salted, &[b"Client Key"]);
        let signature = algorithm.hmac(&algorithm.digest(&client_key), &[signed.as_bytes()]);
        let proof: Vec<u8> =
            client_key.iter().zip(&signature).map(|(key, sign)| key ^ sign).collect();
        let server_key = algorithm.hmac(&salted, &[b"Server Key"]);
        let verifier = algorithm.hmac(&server_key, &[signed.as_bytes()]);
        self.state = State::Verify(format!("v={}", BASE64_STANDARD.encode(verifier)).into_bytes());
        Ok(format!("{without_proof},p={}", BASE64_STANDARD.encode(proof)).into_bytes())
    }
}

#[derive(Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

fn scram_algorithm(mechanism: &str) -> Result<Algorithm, String> {
    match mechanism.trim_end_matches("-PLUS") {
        "SCRAM-SHA-1" => Ok(Algorithm::Sha1),
        "SCRAM-SHA-256" => Ok(Algorithm::Sha256),
        "SCRAM-SHA-512" => Ok(Algorithm::Sha512),
        _ => Err(format!("the test client does not know {mechanism}")),
    }
}

fn ht_algorithm(rest: &str) -> Result<Algorithm, String> {
    match rest.rsplit_once('-') {
        Some(("SHA-256", _)) => Ok(Algorithm::Sha256),
        Some(("SHA-512", _)) => Ok(Algorithm::Sha512),
        _ => Err(format!("the test client does not know HT-{rest}")),
    }
}

impl Algorithm {
    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Algorithm::Sha1 => Sha1::digest(data).to_vec(),
            Algorithm::Sha256 => Sha256::digest(data).to_vec(),
            Algorithm::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Algorithm::Sha1 => hmac::<SimpleHmac<Sha1>>(key, parts),
            Algorithm::Sha256 => hmac::<SimpleHmac<Sha256>>(key, parts),
            Algorithm::Sha512 => hmac::<SimpleHmac<Sha512>>(key, parts),
        }
    }

    fn pbkdf2(self, password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
        match self {
            Algorithm::Sha1 => {
                pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password, salt, rounds).to_vec()
            }
            Algorithm::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt, rounds).to_vec()
            }
            Algorithm::Sha512 => {
                pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password, salt, rounds).to_vec()
            }
        }
    }
}

fn hmac<M: Mac + hmac::digest::KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as Mac>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(mechanism: &str, nonce: &str) -> Exchange {
        Exchange::new(Credentials {
            mechanism: mechanism.into(),
            user: "user".into(),
            authzid: String::new(),
            password: "pencil".into(),
            binding: None,
            offer: None,
            nonce: nonce.into(),
        })
    }

    #[test]
    fn the_example_of_rfc_7677_is_reproduced() {
        let mut exchange = exchange("SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(exchange.initial().unwrap(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                          s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let answer = exchange.respond(challenge).unwrap();
        let expected = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
        exchange.finish(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
    }

    #[test]
    fn a_server_that_cannot_sign_is_refused() {
        let mut exchange = exchange("SCRAM-SHA-1", "a");
        exchange.initial().unwrap();
        exchange.respond(b"r=ab,s=QSXCR+Q6sek8bf92,i=1").unwrap();
        assert!(exchange.finish(b"v=AAAA").is_err());
    }

    #[test]
    fn success_cannot_come_early() {
        let mut exchange = exchange("SCRAM-SHA-1", "a");
        exchange.initial().unwrap();
        assert!(exchange.finish(b"").is_err());
    }
}
