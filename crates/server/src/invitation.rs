//! XEP-0401: Ad-hoc Account Invitation Generation 0.6.0, XEP-0379: Pre-Authenticated Roster
//! Subscription, XEP-0445: Pre-Authenticated In-Band Registration: tokens and the links made of them.

use std::{fmt, net::SocketAddr};

use qrcodegen::{QrCode, QrCodeEcc};
use sha2::{Digest as _, Sha256};
use store::invites::TokenHash;
use zeroize::Zeroizing;

use crate::config::{Config, Service};

/// The secret in an invitation's link. Only its hash is stored, so a link is shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

/// What an invitation leads to, as far as its links tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// A new account of this name, or of a name that the invitee chooses.
    Account {
        /// The local part.
        name: Option<&'a str>,
    },
    /// A new account, whose owner and the inviter become contacts.
    AccountAndContact {
        /// The inviter's local part.
        inviter: &'a str,
    },
    /// Becoming a contact of the inviter.
    Contact {
        /// The inviter's local part.
        inviter: &'a str,
    },
}

impl Token {
    /// A new token: 26 letters and digits that are easy to read out, 130 bits.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn random() -> Result<Token, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; TOKEN_CHARACTERS]);
        getrandom::fill(&mut *bytes)?;
        let letters = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        Ok(Token(Zeroizing::new(letters.collect())))
    }

    /// A token out of a link or a stanza. `None` when it does not have the form of one, so that
    /// nothing of another form is ever looked up.
    pub fn parse(text: &str) -> Option<Token> {
        let is_token =
            text.len() == TOKEN_CHARACTERS && text.bytes().all(|byte| ALPHABET.contains(&byte));
        is_token.then(|| Token(Zeroizing::new(text.to_owned())))
    }

    /// The token itself, for links.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The address of the invitation's page.
    pub fn link(&self, origin: &str) -> String {
        format!("{origin}/invite/{}", self.expose())
    }

    /// The address that an app opens (XEP-0401 §4.1.2, §4.2.2).
    pub fn uri(&self, purpose: Purpose<'_>, domain: &str) -> String {
        let token = self.expose();
        match purpose {
            Purpose::Account { name: None } => format!("xmpp:{domain}?register;preauth={token}"),
            Purpose::Account { name: Some(name) } => {
                format!("xmpp:{}@{domain}?register;preauth={token}", encoded(name))
            }
            Purpose::AccountAndContact { inviter } => {
                format!("xmpp:{}@{domain}?roster;preauth={token};ibr=y", encoded(inviter))
            }
            Purpose::Contact { inviter } => {
                format!("xmpp:{}@{domain}?roster;preauth={token}", encoded(inviter))
            }
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(..)")
    }
}

/// Where the server's web pages are, without a slash at the end: `url` in `[front_door]`, or
/// `https://DOMAIN` with the port of the first HTTPS listener unless that is 443. `listening` are
/// the addresses of a running server, which may differ from the file when that says port 0.
pub fn origin(config: &Config, listening: &[(Service, SocketAddr)]) -> String {
    if let Some(url) = &config.front_door.url {
        return url.trim_end_matches('/').to_owned();
    }
    let running = listening.iter().find(|(service, _)| *service == Service::Https);
    let configured = config.listen.https.first();
    let port = running.map(|(_, address)| address).or(configured).map_or(443, SocketAddr::port);
    match port {
        443 => format!("https://{}", config.domain),
        port => format!("https://{}:{port}", config.domain),
    }
}

/// A text as a QR code of block characters: two modules to a character, dark on light, readable on
/// terminals with a dark background, too. `None` when the text is too long.
pub fn qr_for_terminal(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let light = |x: i32, y: i32| !code.get_module(x, y);
    let end = code.size() + QUIET_ZONE;
    let mut picture = String::new();
    for y in (-QUIET_ZONE..end).step_by(2) {
        for x in -QUIET_ZONE..end {
            picture.push(match (light(x, y), light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        picture.push('\n');
    }
    Some(picture)
}

/// A text as a QR code in SVG, black on white, for web pages. `None` when the text is too long.
pub fn qr_svg(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size() + 2 * QUIET_ZONE;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET_ZONE, y + QUIET_ZONE));
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}h-{size}z\"/>\
         <path d=\"{path}\"/></svg>"
    ))
}

/// RFC 5122 §2.2: what may not stand in the node part of an XMPP URI is percent-encoded.
#[must_use]
pub fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'!'
            | b'$'
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b'=' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// No letters that look like digits.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
const TOKEN_CHARACTERS: usize = 26;
/// The light border that readers need.
const QUIET_ZONE: i32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::parse("abcdefghjkmnpqrstuvwxyz123").unwrap()
    }

    #[test]
    fn links_have_the_form_of_xep_0401() {
        let uri = |purpose| token().uri(purpose, "example.com");
        assert_eq!(
            uri(Purpose::Account { name: None }),
            "xmpp:example.com?register;preauth=abcdefghjkmnpqrstuvwxyz123"
        );
        assert_eq!(
            uri(Purpose::Account { name: Some("juliet") }),
            "xmpp:juliet@example.com?register;preauth=abcdefghjkmnpqrstuvwxyz123"
        );
        assert_eq!(
            uri(Purpose::AccountAndContact { inviter: "romeo" }),
            "xmpp:romeo@example.com?roster;preauth=abcdefghjkmnpqrstuvwxyz123;ibr=y"
        );
        assert_eq!(
            uri(Purpose::Contact { inviter: "d'artagnan?" }),
            "xmpp:d%27artagnan%3F@example.com?roster;preauth=abcdefghjkmnpqrstuvwxyz123"
        );
    }

    #[test]
    fn tokens_are_their_own_and_nothing_else_is_one() {
        let (one, two) = (Token::random().unwrap(), Token::random().unwrap());
        assert_ne!(one, two);
        assert_eq!(Token::parse(one.expose()), Some(one.clone()));
        assert_ne!(one.hash(), two.hash());
        for other in ["", "short", "ABCDEFGHJKMNPQRSTUVWXYZ123", "../../../../etc/passwd0000"] {
            assert_eq!(Token::parse(other), None);
        }
        assert_eq!(format!("{one:?}"), "Token(..)");
    }

    #[test]
    fn the_link_leads_to_where_the_server_listens() {
        let plain = Config::for_domain("example.org").unwrap();
        assert_eq!(origin(&plain, &[]), "https://example.org");
        let text = "domain = \"localhost\"\n[listen]\nhttps = [\"127.0.0.1:0\"]\n";
        let trial = Config::parse(text).unwrap();
        let real = [(Service::Https, "127.0.0.1:5443".parse().unwrap())];
        assert_eq!(origin(&trial, &real), "https://localhost:5443");
        let text = "domain = \"example.org\"\n[front_door]\nurl = \"https://chat.example.org/\"\n";
        assert_eq!(origin(&Config::parse(text).unwrap(), &[]), "https://chat.example.org");
    }

    #[test]
    fn a_qr_code_is_square_on_a_terminal_and_on_a_page() {
        let picture = qr_for_terminal("https://example.org/invite/abc").unwrap();
        let lines: Vec<&str> = picture.lines().collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(lines.len(), width.div_ceil(2));
        assert!(qr_svg("https://example.org/").unwrap().starts_with("<svg"));
        assert!(qr_svg(&"a".repeat(5000)).is_none());
    }
}
